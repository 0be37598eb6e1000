//! Files: where their bytes lie, what they are, and which of them can go.
//! It never decides who may, and never serves a request.

pub mod blob;
pub mod clutter;
pub mod name;
pub mod sniff;
pub mod zip;
