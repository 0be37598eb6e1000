//! Bytes into safer bytes: sealed values and streams, the keyring, passwords, one-time codes, tokens, signed tokens,
//! blind tags, the hash chain, sealed cookies.
//! It never does IO, reads a clock or draws randomness by itself.

pub mod chain;
mod cookie;
pub mod json;
pub mod jws;
mod keyring;
pub mod password;
pub mod recovery;
mod sealed;
pub mod stream;
pub mod token;
pub mod totp;

mod blind;

pub use blind::Blind;
pub use chain::ChainKey;
pub use cookie::CookieJar;
pub use keyring::{Keyring, MasterKey};
pub use sealed::{AnotherKey, DataKey, Place, open, seal};
