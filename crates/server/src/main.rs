//! The binary `stoa`.

mod settings;

fn main() {}
