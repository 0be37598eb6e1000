//! The JSON surface under `/api/v1`: one file for each group of operations, all with the same three lines:
//! take the proof, make one call, return a view.

pub(crate) mod admin;
pub(crate) mod anew;
pub(crate) mod appeals;
pub(crate) mod apps;
pub(crate) mod auth;
pub(crate) mod chat;
pub(crate) mod conversations;
pub(crate) mod desk;
pub(crate) mod documents;
pub(crate) mod export;
pub(crate) mod factors;
pub(crate) mod feedback;
pub(crate) mod files;
pub(crate) mod import;
pub(crate) mod input;
pub(crate) mod jwks;
pub(crate) mod keys;
pub(crate) mod me;
pub(crate) mod messages;
pub(crate) mod order;
pub(crate) mod password;
pub(crate) mod problems;
pub(crate) mod sessions;
pub(crate) mod shares;
pub(crate) mod teaching;
pub(crate) mod view;
pub(crate) mod whoami;
