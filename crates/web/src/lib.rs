//! Translates HTTP: a handler takes a proof, parses, makes one call and returns a view.
//! It holds no rule of its own and no line for the store.

mod config;
pub mod ui;

pub use config::Config;
