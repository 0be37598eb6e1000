//! Who is asking, and what they may. It turns every credential into one `Principal` and is the only maker of
//! `May<P>`. It never answers HTTP and never touches content.

mod config;
mod credential;
mod key;
pub mod passkey;
mod permission;
mod principal;
mod resolve;
mod visitor;

pub use config::Config;
pub use credential::{Credentials, VISITOR_COOKIE};
pub use key::Keys;
pub use permission::{
    AppsRead, ConversationDelete, ConversationRead, ConversationWrite, Converse, May, Permission,
};
pub use principal::{Apps, Principal};
pub use resolve::{Identity, Refusal, Resolved};
