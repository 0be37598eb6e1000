//! Reads files as the server would and prints what it makes of them, with the time it took:
//! `cargo run --release -p knowledge --example extract -- [--text] FILE…`

#![allow(clippy::print_stdout, reason = "a tool for the eye")]

use std::time::Instant;

use knowledge::extract::{BlockKind, Budget, extract};
use knowledge::passage::{CHARS, passages};

fn main() {
    let (options, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|name| name == "--text");
    for file in files {
        let Ok(bytes) = std::fs::read(&file) else {
            println!("{file}: cannot be opened");
            continue;
        };
        let began = Instant::now();
        match extract(&bytes, &file, &Budget::default()) {
            Ok(found) => {
                let took = began.elapsed();
                let cut = passages(&found.text, &found.blocks, CHARS);
                println!(
                    "{file}: {} “{}”, {} bytes to {} of text in {took:.1?}, {} blocks, {} passages, {} pages",
                    found.kind.as_str(),
                    found.title,
                    bytes.len(),
                    found.text.len(),
                    found.blocks.len(),
                    cut.len(),
                    found.blocks.last().and_then(|block| block.page).unwrap_or(0),
                );
                for warning in &found.warnings {
                    println!("  {warning}");
                }
                for block in found.blocks.iter().filter(|_| !options.is_empty()) {
                    let text = found.text.get(block.range.clone()).unwrap_or("");
                    let page = block.page.map_or(String::new(), |page| format!("p{page} "));
                    let kind = match block.kind {
                        BlockKind::Heading(level) => format!("H{level}"),
                        kind => format!("{kind:?}"),
                    };
                    println!("  {page}{kind}: {text}");
                }
            }
            Err(reason) => println!("{file}: {}: {reason} ({:.1?})", reason.kind.as_str(), began.elapsed()),
        }
    }
}
