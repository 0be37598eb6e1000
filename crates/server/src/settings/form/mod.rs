//! How a value is written: a form reads a [`Raw`] into a typed value, or says what it must look like.
//! It owns the shapes that the generated documents show. It never repeats the value in a complaint.

mod net;
mod scalar;
mod special;
mod words;

pub(crate) use net::{
    address, exact_url, headers, hosts, is_loopback, methods, nets, origins, secret_url, url,
};
pub(crate) use scalar::{
    bytes, decimal, flag, kept, master_key, master_keys, mebibytes, path, prose, secret, secrets, text, whole,
};
pub(crate) use special::{
    cron, database, email, is_mailbox, link_hosts, mailbox, media_types, model_id, names, policy, project_id,
    rates, redis, smtp,
};
pub(crate) use words::{
    app_kind, choice_format, choice_jwt, choice_level, choice_profile, choice_registration, choice_speech,
    exporter, periods, user_entry,
};

use super::raw::Raw;

/// What a value must look like, as the end of a sentence that begins with the setting's name.
pub(crate) type Complaint = String;

/// Reads one sort of value.
pub(crate) struct Form<T> {
    /// Reads the text; on failure says what it must look like, without repeating it.
    pub(crate) read: fn(&Raw) -> Result<T, Complaint>,
    /// Writes the value in one way, so that `True` and `1` are seen to be the same.
    pub(crate) write: fn(&T) -> String,
    /// What the documents say about it.
    pub(crate) shape: Shape,
}

/// What sort of value it is, for `stoa.toml`, its schema and the documents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// `true` or `false`.
    Flag,
    /// A whole number within these bounds.
    Whole {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// A number within these bounds.
    Decimal {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text of this sort: `a URL`.
    Text(&'static str),
    /// A list of items of this sort, in a variable separated by commas.
    List(&'static str),
}

impl Shape {
    /// What the value must be, as the end of a sentence.
    pub(crate) fn words(&self) -> String {
        match self {
            Shape::Flag => "`true` or `false`".to_owned(),
            Shape::Whole { min, max: u64::MAX } => format!("a whole number from {min}"),
            Shape::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Shape::Decimal { min, max } => format!("a number from {min} to {max}"),
            Shape::Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                format!("one of {}", words.join(", "))
            }
            Shape::Text(sort) => (*sort).to_owned(),
            Shape::List(sort) => format!("a list of {sort}"),
        }
    }
}
