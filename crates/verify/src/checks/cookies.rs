//! Cookies cannot be read by scripts, do not travel in the clear or across sites, and cannot be altered.

use std::sync::Arc;

use crate::deployment::{Caller, Deployment, Visitor};
use crate::verdict::{Verdict, ensure, skip};

const VISITOR: &str = "stoa_visitor";
/// RFC 6265, section 6.1: what every browser keeps.
const LONGEST: usize = 4096;
const DAY: i64 = 24 * 60 * 60;

/// Judges every cookie that the run has seen, then asks with an altered one.
pub(crate) async fn attributes(deployment: &Deployment) -> Verdict {
    let visitor = deployment.visitor().await;
    let seen = deployment.client.journal().cookies.clone();
    for cookie in &seen {
        let fault = fault_of(cookie, deployment.https());
        ensure(fault.is_none(), || fault.unwrap_or_default())?;
    }
    let Caller::Visitor(visitor) = visitor? else { return Err(skip("there is no visitor")) };
    let pairs = visitor.pairs();
    ensure(pairs.iter().any(|(name, _)| name == VISITOR), || format!("there is no cookie `{VISITOR}`"))?;
    altered(deployment, &visitor).await?;
    Ok(format!("{} seen: HttpOnly, SameSite, small; an altered one is not accepted", seen.len()))
}

/// An altered cookie must not be taken for the visitor: their conversation is not there.
async fn altered(deployment: &Deployment, visitor: &Arc<Visitor>) -> Verdict<()> {
    let caller = Caller::Visitor(Arc::clone(visitor));
    let (_, app) = deployment.talker().await?;
    let id = deployment.converse(&caller, &app, &deployment.marker).await?;
    let pairs = visitor.pairs().into_iter().map(|(name, value)| (name, flip(&value)));
    let forged = Caller::Visitor(Arc::new(Visitor::with(pairs.collect())));
    let answer = deployment.client.get(&format!("/api/v1/conversations/{id}")).by(&forged).send().await?;
    ensure(matches!(answer.status, 401 | 404), || format!("an altered cookie gave {}", answer.summary()))
}

/// The value with its middle character changed.
fn flip(value: &str) -> String {
    let middle = value.chars().count() / 2;
    let other = |c| if c == 'A' { 'B' } else { 'A' };
    value.chars().enumerate().map(|(at, c)| if at == middle { other(c) } else { c }).collect()
}

/// What is wrong with a `Set-Cookie`.
fn fault_of(cookie: &str, https: bool) -> Option<String> {
    let mut parts = cookie.split(';').map(str::trim);
    let (name, value) = parts.next().unwrap_or_default().split_once('=').unwrap_or_default();
    let attributes = parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase()))
        .collect::<Vec<_>>();
    let get =
        |name: &str| attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let says = |fault: &str| Some(format!("cookie `{name}` {fault}"));
    if get("httponly").is_none() {
        return says("is not HttpOnly");
    }
    if !matches!(get("samesite"), Some("lax" | "strict")) {
        return says("has no SameSite=Lax or Strict");
    }
    let prefixed = name.starts_with("__Host-") || name.starts_with("__Secure-");
    if (https || prefixed) && get("secure").is_none() {
        return says("is not Secure");
    }
    if name.starts_with("__Host-") && (get("path") != Some("/") || get("domain").is_some()) {
        return says("breaks the rules of its prefix");
    }
    if name.len() + value.len() > LONGEST {
        return says("is over 4 KiB");
    }
    let age = get("max-age").and_then(|age| age.parse::<i64>().ok());
    if name == VISITOR && age.is_none_or(|age| age > DAY) {
        return says("does not end within 24 h (no Max-Age, or a longer one)");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_judged() {
        let good = "stoa_visitor=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=86400";
        assert_eq!(fault_of(good, false), None);
        assert!(fault_of(good, true).unwrap().contains("not Secure"));
        assert_eq!(fault_of(&format!("{good}; Secure"), true), None);
        for bad in [
            "stoa_visitor=abc; SameSite=Lax; Max-Age=1".to_owned(),
            "stoa_visitor=abc; HttpOnly; SameSite=None; Max-Age=1".to_owned(),
            "stoa_visitor=abc; HttpOnly; SameSite=Lax".to_owned(),
            "stoa_visitor=abc; HttpOnly; SameSite=Lax; Max-Age=86401".to_owned(),
            "__Host-stoa_session=abc; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=x".to_owned(),
            "__Host-stoa_session=abc; HttpOnly; SameSite=Lax; Path=/".to_owned(),
            format!("x={}; HttpOnly; SameSite=Lax", "a".repeat(5000)),
            "rubbish".to_owned(),
        ] {
            assert!(fault_of(&bad, false).is_some(), "{bad}");
        }
        assert_eq!(flip("abc"), "aAc");
        assert_eq!(flip(""), "");
    }
}
