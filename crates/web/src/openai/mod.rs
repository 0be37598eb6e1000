//! The OpenAI-compatible surface under `/v1`: the official clients work unchanged. A model is an app id.
//! Inputs are tolerant of fields that this server does not know, as those clients send many.

pub(crate) mod chat;
pub(crate) mod embeddings;
mod image;
pub(crate) mod models;
pub(crate) mod moderations;
pub(crate) mod wire;
