//! Finds words in Latin letters on a page in Arabic: whatever a person reads there that no catalogue has translated. It looks at
//! what is shown and at what is read aloud, and passes by what is the same in every language. Shared with the tests of the
//! running server.

/// Names, units and words of programs, which are the same in every language.
const KNOWN: &[&str] = &[
    // The product, its protocols and formats.
    // Words that are typed: filters of the search, actors of the audit log.
    "before",
    "after",
    "operator",
    "stoa",
    "api",
    "openai",
    "json",
    "jsonl",
    "zip",
    "csv",
    "toml",
    "html",
    "markdown",
    "md",
    "pdf",
    "docx",
    "txt",
    "png",
    "jpeg",
    "gif",
    "webp",
    "svg",
    "http",
    "https",
    "url",
    "utc",
    "smtp",
    "totp",
    "oidc",
    "tls",
    "sqlite",
    "postgres",
    "redis",
    "docker",
    "mib",
    "gib",
    "kib",
    "kb",
    "mb",
    "gb",
    "ms",
    "min",
    "qr",
    "id",
    "ip",
    "cookie",
    "javascript",
    "mathml",
    "latex",
    "sse",
    "s3",
    // Products of others.
    "chatgpt",
    "claude",
    "open",
    "webui",
    "librechat",
    "firefox",
    "chrome",
    "chromium",
    "safari",
    "edge",
    "android",
    "ios",
    "linux",
    "windows",
    "macos",
    "python",
    "curl",
    "node",
    "slack",
    "webhook",
    "webauthn",
    "bedrock",
    "azure",
    "ollama",
    "anthropic",
    // Keys of the keyboard.
    "ctrl",
    "shift",
    "alt",
    "enter",
    "esc",
    "tab",
    "space",
    "home",
    "end",
    "cmd",
];

/// Elements whose content is code, a name of something, or in a language of its own.
const PASSED: &[&str] = &["script", "style", "code", "kbd", "pre", "template", "svg", "math", "textarea"];
/// Attributes that people hear or read.
const READ: &[&str] = &["title", "aria-label", "placeholder", "alt", "data-ask", "data-empty"];
/// Elements without an end.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"];

/// The texts on a page that hold words which nobody translated, each once. `given` are texts that people put there.
pub(crate) fn foreign(html: &str, given: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = html;
    // How deep inside of an element that is passed by.
    let (mut passed, mut depth): (Option<usize>, usize) = (None, 0);
    while let Some((text, after)) = rest.split_once('<') {
        if passed.is_none() {
            look(text, given, &mut found);
        }
        let Some((tag, next)) = after.split_once('>') else { break };
        rest = next;
        if tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            depth = depth.saturating_sub(1);
            if passed == Some(depth) {
                passed = None;
            }
            let _ = name;
            continue;
        }
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        if passed.is_none() {
            for (attribute, value) in attributes(tag) {
                if READ.contains(&attribute) {
                    look(value, given, &mut found);
                }
            }
        }
        if VOID.contains(&name) || tag.ends_with('/') && name != "a" {
            continue;
        }
        let own_language =
            attributes(tag).any(|(name, value)| name == "lang" && value != "ar") && name != "html";
        let own_way = attributes(tag).any(|(name, value)| name == "dir" && value == "ltr");
        if passed.is_none() && (PASSED.contains(&name) || own_language || own_way) {
            passed = Some(depth);
        }
        depth += 1;
    }
    found
}

fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut parts = tag.split('"');
    std::iter::from_fn(move || {
        let (before, value) = (parts.next()?, parts.next()?);
        let name = before.trim_end().strip_suffix('=')?;
        Some((name.rsplit(char::is_whitespace).next()?, value))
    })
}

fn look(text: &str, given: &[&str], found: &mut Vec<String>) {
    let mut text =
        text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&").replace("&amp;", "&");
    for known in given {
        text = text.replace(known, " ");
    }
    let unknown = text
        .split(|c: char| c.is_whitespace() || matches!(c, '/' | ',' | '(' | ')' | '"' | '؛' | '،' | '·'))
        .any(is_foreign);
    let text = text.trim();
    if unknown && !found.iter().any(|one| one == text) {
        found.push(text.to_owned());
    }
}

/// Two Latin letters and more that are a word: no address, no name of a setting or an event, no filter (`tag:x`), no acronym, no
/// number with a unit.
fn is_foreign(word: &str) -> bool {
    if word.find(':').is_some_and(|at| at + 1 < word.len()) {
        return false;
    }
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let programs = |c: char| matches!(c, '_' | '@' | '.' | '=' | '&' | '#' | '{') || c.is_ascii_digit();
    if word.chars().count() < 2
        || word.contains(programs)
        || word.chars().all(|c| c.is_ascii_uppercase())
        || word.chars().any(|c| !c.is_ascii_alphabetic() && c != '-' && c != '\'')
    {
        return false;
    }
    !word.split('-').all(|part| part.len() < 2 || KNOWN.contains(&part.to_ascii_lowercase().as_str()))
}

#[test]
fn words_that_nobody_translated_are_found() {
    let page = "<html lang=\"ar\" dir=\"rtl\"><title>Hello there</title><p title=\"Say it\">مرحبا <code>not me</code> API</p>\
                <button lang=\"de\" dir=\"ltr\"><span>Deutsch</span></button><input placeholder=\"Name me\"><p>MAX_X a@b.test 5 MiB Ada</p>";
    assert_eq!(foreign(page, &["Ada"]), ["Hello there", "Say it", "Name me"]);
}
