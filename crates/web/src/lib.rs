//! Translates HTTP: a handler takes a proof, parses, makes one call and returns a view.
//! It holds no rule of its own and no line for the store.

mod api;
mod body;
mod config;
mod document;
mod failure;
mod fresh;
mod front;
mod multipart;
mod once;
mod openai;
mod pages;
mod probes;
mod range;
mod router;
mod site;
mod sse;
mod texts;
pub mod ui;
mod who;

pub use api::admin::settings::SettingView as Setting;
pub use config::Config;
pub use document::openapi;
pub use failure::status;
pub use fresh::Fresh;
pub use front::Connection;
pub use router::router;
pub use site::{Parts, SecretAge, Site};
pub use texts::translation;
