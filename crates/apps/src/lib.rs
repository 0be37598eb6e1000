//! The applications: what each is, and the one path that every message travels.
//! It never speaks HTTP and holds no SQL.

mod catalog;

pub use catalog::{App, Catalog, Retention};
