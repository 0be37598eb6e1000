//! Documents in, cited passages out: how a text is cut, found again and quoted. It holds the manual that the
//! built-in answerer quotes, and the parts that documents of apps will use: chunks, terms, ranking, citations.
//! It never calls a model or a network: vectors, when they come, arrive as arguments.

pub mod bm25;
pub mod chunk;
pub mod cite;
pub mod extract;
pub mod manual;
pub mod pages;
pub mod passage;
pub mod sentence;
pub mod tokens;

pub use cite::Span;
pub use manual::{Hit, Manual, SUPPORTED};
pub use pages::PAGES;
