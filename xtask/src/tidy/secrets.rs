//! No secret is in the repository: keys as their issuers write them, and private keys. It owns what such a thing looks
//! like; made-up ones are those of the guides, or shorter than real ones.

use super::Finding;
use super::house::House;

/// How a key begins, and how many letters and digits come after.
const KEYS: [(&str, usize); 8] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 36),
    ("github_pat_", 60),
    ("xoxb-", 40),
    ("sk_live_", 24),
    ("sk-proj-", 80),
    ("AIza", 35),
];
/// What the samples of their issuers hold.
const SAMPLES: [&str; 2] = ["EXAMPLE", "IOSFODNN7"];
/// A line of a real private key.
const KEY_LINE: usize = 60;

/// Looks at every tracked file.
pub(super) fn secrets(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &house.files {
        for (number, what) in found(&file.text) {
            let fix =
                format!("line {number}: {what}: end it where it came from, then take it out of the history");
            findings.push(Finding::new(&file.path, "no secret is in the repository", fix));
        }
    }
    findings
}

/// The lines with a secret, and what it is.
fn found(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        if let Some((name, _)) = KEYS.iter().find(|(begin, length)| holds(line, begin, *length)) {
            found.push((at + 1, *name));
        }
        let key = line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----");
        let body = lines.peek().map_or("", |(_, next)| next.trim());
        if key
            && body.len() >= KEY_LINE
            && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
        {
            found.push((at + 1, "a private key"));
        }
    }
    found
}

fn holds(line: &str, begin: &str, length: usize) -> bool {
    line.match_indices(begin).any(|(at, _)| {
        let rest = line.get(at + begin.len()..).unwrap_or_default();
        let key: String =
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect();
        key.len() >= length
            && !SAMPLES.iter().any(|sample| key.contains(sample))
            && key.chars().any(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_and_samples_are_not() {
        // In two parts, so that this file is not the first finding.
        let real = [
            format!("AK{}", "IA0123456789ABCDEF"),
            format!("token = \"gh{}{}\"", "p_", "a1".repeat(18)),
            format!("-----BEGIN {} KEY-----\n{}\n", "PRIVATE", "MIIE".repeat(16)),
        ];
        for text in real {
            assert_eq!(found(&text).len(), 1, "{text}");
        }
        for sample in [
            "AKIAIOSFODNN7EXAMPLE",
            "AKIA",
            "ghp_short",
            "-----BEGIN PRIVATE KEY-----\nAAAA",
            "sk-your-openai-api-key",
        ] {
            assert!(found(sample).is_empty(), "{sample}");
        }
    }
}
