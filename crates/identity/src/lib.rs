//! Who is asking, and what they may. It turns every credential into one `Principal` and is the only maker of
//! `May<P>`. It never answers HTTP and never touches content.

mod config;
mod credential;
pub mod hasher;
pub mod issuer;
mod key;
pub mod oidc;
mod permission;
pub mod policy;
mod principal;
mod resolve;
pub mod token;
pub mod trust;
mod visitor;

pub use config::Config;
pub use credential::{Credentials, VISITOR_COOKIE};
pub use key::Keys;
pub use permission::{
    AppsRead, ConversationDelete, ConversationRead, ConversationWrite, Converse, May, Permission,
};
pub use principal::{Apps, Principal};
pub use resolve::{Identity, Refusal, Resolved};
