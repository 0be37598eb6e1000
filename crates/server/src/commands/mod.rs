//! The operator's commands: each parses nothing and decides nothing twice; it calls the rooms and prints.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod block;
pub(crate) mod brake;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod declutter;
pub(crate) mod docs;
pub(crate) mod doctor;
pub(crate) mod grant;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod migrate;
pub(crate) mod paper;
mod probe;
pub(crate) mod problem;
mod prompt;
pub(crate) mod restore;
pub(crate) mod secret;
pub(crate) mod serve;
pub(crate) mod user;
pub(crate) mod version;
mod x509;
