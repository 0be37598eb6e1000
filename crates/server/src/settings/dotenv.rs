//! Reads a `.env` file: `NAME=value` lines with comments and quotes. It expands nothing and runs nothing.

use super::problem::Problem;

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The variable.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: String,
    /// The line, from 1.
    pub(crate) line: usize,
}

/// Reads every line; `file` is the name that problems show.
pub(crate) fn parse(file: &str, text: &str) -> (Vec<Line>, Vec<Problem>) {
    let (mut lines, mut problems) = (Vec::<Line>::new(), Vec::new());
    for (index, raw) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = index + 1;
        let trimmed = raw.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        match parse_line(trimmed) {
            Ok((name, value)) => match lines.iter_mut().find(|earlier| earlier.name == name) {
                Some(earlier) if earlier.value != value => problems.push(Problem::new(
                    format!("{file}:{line} {name}"),
                    format!("was set to something else in line {}; keep one of them", earlier.line),
                )),
                Some(_) => {}
                None => lines.push(Line { name, value, line }),
            },
            Err(say) => problems.push(Problem::new(format!("{file}:{line}"), say)),
        }
    }
    (lines, problems)
}

fn parse_line(line: &str) -> Result<(String, String), &'static str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, rest) = line.split_once('=').ok_or("is no `NAME=value` line")?;
    let name = name.trim();
    let well_formed = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !well_formed {
        return Err("does not begin with the name of a variable");
    }
    Ok((name.to_owned(), parse_value(rest.trim())?))
}

fn parse_value(rest: &str) -> Result<String, &'static str> {
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(rest.get(1..).unwrap_or_default(), quote),
        // As shells do: `#` begins a comment only after a space, so that `a#b` stays whole.
        _ => {
            let cut = rest.find(" #").or_else(|| rest.find("\t#")).unwrap_or(rest.len());
            let value = if rest.starts_with('#') { "" } else { rest.get(..cut).unwrap_or(rest) };
            Ok(value.trim_end().to_owned())
        }
    }
}

fn quoted(rest: &str, quote: char) -> Result<String, &'static str> {
    let mut value = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            _ if c == quote => {
                let after = chars.as_str().trim();
                return if after.is_empty() || after.starts_with('#') {
                    Ok(value)
                } else {
                    Err("has text after the closing quote")
                };
            }
            '\\' if quote == '"' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some(escaped @ ('"' | '\\' | '$')) => value.push(escaped),
                Some(other) => {
                    value.push('\\');
                    value.push(other);
                }
                None => return Err("ends in a backslash"),
            },
            _ => value.push(c),
        }
    }
    Err("has an opening quote and no closing one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        let (lines, problems) = parse(".env", text);
        assert_eq!(problems, [], "{text}");
        lines.into_iter().map(|line| (line.name, line.value)).collect()
    }

    #[test]
    fn comments_quotes_and_spaces() {
        for (line, value) in [
            ("A=b", "b"),
            ("export A=b", "b"),
            ("A = b ", "b"),
            ("A=redis://localhost:6379/0  # shared", "redis://localhost:6379/0"),
            ("A=a#b", "a#b"),
            ("A=", ""),
            ("A=# nothing", ""),
            ("A='single $x # stays'", "single $x # stays"),
            (r#"A="two\nlines" # note"#, "two\nlines"),
            ("A=x=y=", "x=y="),
        ] {
            assert_eq!(values(line), [("A".to_owned(), value.to_owned())], "{line}");
        }
        assert_eq!(values("\u{feff}\n# only a comment\n"), []);
    }

    #[test]
    fn bad_lines_are_named_and_not_repeated() {
        for text in ["hunter2", "A='hunter2", "9A=hunter2", "A=\"hunter2\" hunter2", "A=hunter2\nA=hunter3"] {
            let (_, problems) = parse(".env", text);
            assert_eq!(problems.len(), 1, "{text}");
            assert!(!problems[0].to_string().contains("hunter"), "{text}");
        }
    }
}
