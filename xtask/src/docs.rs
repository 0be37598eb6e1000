//! The documents that the code writes. It owns which command prints which file; it never writes their text.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::running::Folder;
use crate::shell::{self, Shell};

/// Each document and the arguments of `stoa` that print it.
const DOCUMENTS: &[(&str, &[&str])] = &[
    ("docs/openapi.json", &["openapi"]),
    ("docs/errors.md", &["errors"]),
    ("docs/settings.md", &["config", "docs"]),
    ("stoa.example.toml", &["config", "example"]),
];

/// Writes the documents, or with `check` compares them and changes nothing.
///
/// # Errors
/// When one cannot be made or written, or differs; all are looked at, and all are named.
pub(crate) fn run(shell: &Shell, check: bool) -> Result<()> {
    let server = shell.server()?;
    // Far from any configuration of the developer: the documents are the same for everybody.
    let nowhere = Folder::new("docs")?;
    let mut faults = Vec::new();
    for (file, arguments) in DOCUMENTS {
        let mut command = Command::new(&server);
        command.args(*arguments).env_clear().current_dir(nowhere.path());
        let made = shell::output(&mut command).and_then(|text| {
            ensure!(!text.trim().is_empty(), "stoa {} printed nothing", arguments.join(" "));
            Ok(text)
        });
        let path = shell.root.join(file);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        match made {
            Err(error) => faults.push(format!("{file}: {error:#}")),
            Ok(text) if text == before => println!("{file} is right"),
            Ok(text) if check => faults.push(format!("{file}: {}", difference(&before, &text))),
            Ok(text) => {
                std::fs::create_dir_all(path.parent().unwrap_or(&shell.root))?;
                std::fs::write(&path, text)?;
                println!("{file} is written");
            }
        }
    }
    for fault in &faults {
        println!("{fault}");
    }
    ensure!(
        faults.is_empty(),
        "{} documents are not what the code says: run `cargo xtask docs`",
        faults.len()
    );
    Ok(())
}

/// Where two texts begin to differ.
fn difference(stands: &str, made: &str) -> String {
    if stands.is_empty() {
        return "it is missing".to_owned();
    }
    let same = stands.lines().zip(made.lines()).take_while(|(one, other)| one == other).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("the end").chars().take(120).collect::<String>();
    format!("line {} is `{}` and should be `{}`", same + 1, line(stands), line(made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_first_line() {
        assert_eq!(difference("a\nb\n", "a\nc\n"), "line 2 is `b` and should be `c`");
        assert_eq!(difference("a\n", "a\nc\n"), "line 2 is `the end` and should be `c`");
        assert_eq!(difference("", "a"), "it is missing");
    }
}
