//! Amazon Web Services as far as this server uses them: who it is there (the credential chain), how requests are
//! signed (Signature Version 4), and the values that Secrets Manager keeps. It never reads the environment, and
//! sends credentials to the services and the endpoints of its configuration alone.

mod chain;
mod config;
mod container;
mod credentials;
mod failure;
mod instance;
mod secrets;
mod sign;
mod sts;

pub use chain::Aws;
pub use config::{Config, Container, ContainerToken, Keys, WebIdentity};
pub use credentials::Credentials;
pub use failure::Failure;
pub use secrets::{SecretValue, Stage};
pub use sign::{Paths, Scope, encode, sign};
pub use sts::Caller;

#[cfg(test)]
mod tests;
