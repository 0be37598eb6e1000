//! The operator's commands: each parses nothing and decides nothing twice; it calls the rooms and prints.

pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod init;
pub(crate) mod paper;
mod probe;
pub(crate) mod secret;
pub(crate) mod version;
mod x509;
