//! Documents in, cited passages out: how a file becomes text, how a text is cut, found again and quoted. It holds
//! the manual that the built-in answerer quotes, and what documents of apps use: reading, passages, the index in
//! memory, ranking, citations.
//! It never calls a model or a network: vectors arrive as arguments.

pub mod answer;
pub mod bm25;
pub mod chunk;
pub mod cite;
pub mod evidence;
pub mod extract;
pub mod forms;
pub mod index;
pub mod language;
pub mod manual;
pub mod pages;
pub mod passage;
pub mod query;
pub mod rank;
pub mod seek;
pub mod sentence;
mod thesaurus;
pub mod tokens;

pub use cite::Span;
pub use index::{Card, Index, Scribe};
pub use language::Language;
pub use manual::{Hit, Manual, SUPPORTED};
pub use pages::PAGES;
pub use query::Query;
pub use seek::Sought;
