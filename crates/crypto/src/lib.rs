//! Bytes into safer bytes: sealed values, the keyring, tokens, blind tags, the hash chain, sealed cookies.
//! It never does IO, reads a clock or draws randomness by itself.

pub mod chain;
mod cookie;
mod keyring;
mod sealed;
pub mod token;

mod blind;

pub use blind::Blind;
pub use chain::ChainKey;
pub use cookie::CookieJar;
pub use keyring::{Keyring, MasterKey};
pub use sealed::{DataKey, Place, open, seal};
