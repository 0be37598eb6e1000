//! The JSON surface under `/api/v1`: one file for each group of operations, all with the same three lines:
//! take the proof, make one call, return a view.

pub(crate) mod apps;
pub(crate) mod chat;
pub(crate) mod conversations;
pub(crate) mod messages;
pub(crate) mod view;
pub(crate) mod whoami;
