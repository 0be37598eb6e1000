//! The operator's commands: each parses nothing and decides nothing twice; it calls the rooms and prints.

pub(crate) mod config;
pub(crate) mod init;
pub(crate) mod paper;
pub(crate) mod secret;
