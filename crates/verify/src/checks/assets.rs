//! Styles and scripts may be kept by every cache for ever, because their names change with their content; pages may
//! not be kept at all; nothing comes from another site.

use std::collections::BTreeSet;

use crate::answer::Answer;
use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure, skip};

/// A year, as the contract of the web servers says.
const YEAR: u64 = 31_536_000;
/// No page needs more; a longer list is asked in part.
const MOST: usize = 20;

/// The page, then each file that it names.
pub(crate) async fn caching(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let page = client.get("/").send().await?;
    if page.media_type() != "text/html" || page.status >= 400 {
        return Err(skip(format!("there is no page at / ({})", page.summary())));
    }
    let html = page.text();
    let control = page.header("cache-control").unwrap_or_default();
    ensure(control.contains("no-store") || control.contains("private"), || {
        format!("the page at / may be kept by a cache (`{control}`)")
    })?;
    let foreign = loaded(&html).into_iter().find(|address| address.contains("//"));
    ensure(foreign.is_none(), || {
        format!("the page loads {} from another site", foreign.unwrap_or_default())
    })?;
    let files: Vec<&str> = loaded(&html).into_iter().filter(|path| is_file(path)).take(MOST).collect();
    ensure(!files.is_empty(), || "the page at / names no style and no script")?;
    for path in &files {
        judge(path, &client.get(path).send().await?)?;
    }
    if let Some(path) = files.first() {
        let stale = path
            .rsplit_once('/')
            .map_or_else(String::new, |(folder, name)| format!("{folder}/no-such-{name}"));
        let answer = client.get(&stale).send().await?;
        ensure(answer.status >= 400, || format!("GET {stale} gave {}, not 404", answer.status))?;
    }
    Ok(format!("{} styles and scripts kept for a year, the page not; nothing from other sites", files.len()))
}

fn judge(path: &str, answer: &Answer) -> Verdict<()> {
    answer.expect(&[200])?;
    let control = answer.header("cache-control").unwrap_or_default();
    let age = control.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse::<u64>().ok());
    let hashed = has_hash(path);
    if hashed {
        ensure(age.is_some_and(|age| age >= YEAR) && control.contains("immutable"), || {
            format!("{path} is named by its content and may not be kept for a year (`{control}`)")
        })?;
    } else {
        ensure(!control.contains("immutable"), || {
            format!("{path} is kept for ever and its name never changes")
        })?;
    }
    let wanted = if path.contains(".css") { "text/css" } else { "text/javascript" };
    let media = answer.media_type();
    ensure(media == wanted || media == "application/javascript" && wanted != "text/css", || {
        format!("{path} is `{media}`, not {wanted}")
    })
}

/// Addresses in `src` of scripts and `href` of style sheets, each once.
fn loaded(html: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for tag in html.split('<').filter(|tag| tag.starts_with("script") || tag.starts_with("link")) {
        let tag = tag.split('>').next().unwrap_or_default();
        let sheet = tag.starts_with("link");
        if sheet && !(tag.contains("stylesheet") || tag.contains("modulepreload")) {
            continue;
        }
        let name = if sheet { "href=" } else { "src=" };
        let Some((_, rest)) = tag.split_once(name) else { continue };
        let address = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest.get(1..).unwrap_or_default().split(quote).next(),
            _ => rest.split_ascii_whitespace().next(),
        };
        found.extend(address);
    }
    found
}

fn is_file(path: &str) -> bool {
    let name = path.split('?').next().unwrap_or_default();
    path.starts_with('/') && (name.ends_with(".css") || name.ends_with(".js"))
}

/// A part of the name with eight hexadecimal digits or more.
fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(['.', '-', '_']).any(|part| part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_loads_is_found() {
        let html = r#"<link rel="stylesheet" href="/static/app.0123456789abcdef.css"><link rel="icon" href="/i.svg">
            <script type="module" src='/static/chat.0123456789abcdef.js'></script><script src=//cdn.example/x.js></script>"#;
        let found: Vec<&str> = loaded(html).into_iter().collect();
        assert_eq!(
            found,
            ["//cdn.example/x.js", "/static/app.0123456789abcdef.css", "/static/chat.0123456789abcdef.js"]
        );
        assert!(has_hash("/static/app.0123456789abcdef.css") && !has_hash("/static/app.css"));
    }
}
