//! The only HTTP client of the server, and the rules about where it may speak to.
