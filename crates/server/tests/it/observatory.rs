//! The grade that HTTP Observatory would give the front page of a server in production, by its published rules, from the
//! headers, cookies and scripts that the server really sends. It asks nobody on the network.

use crate::world::{Answer, Setup};

/// What one rule finds, and what it adds or takes away.
type Finding = (&'static str, i32);

fn policy(answer: &Answer) -> Finding {
    let text = answer.header("content-security-policy");
    let directives: Vec<Vec<&str>> = text
        .split(';')
        .map(|part| part.split_whitespace().collect())
        .filter(|part: &Vec<&str>| !part.is_empty())
        .collect();
    let named = |name: &str| {
        directives.iter().find(|one| one[0].eq_ignore_ascii_case(name)).map(|one| one[1..].to_vec())
    };
    let or_default = |name: &str| named(name).or_else(|| named("default-src")).unwrap_or_default();
    let wide = ["http:", "https:", "*", "data:", "blob:", "'unsafe-inline'", "http://*", "https://*"];
    let loose = |sources: &[&str]| sources.iter().any(|source| wide.contains(source));
    let mut names: Vec<&str> = directives.iter().map(|one| one[0]).collect();
    names.sort_unstable();
    let doubled = names.windows(2).any(|two| two[0] == two[1]);
    if text.is_empty() {
        ("csp-not-implemented", -25)
    } else if doubled || loose(&or_default("script-src")) || loose(&or_default("object-src")) {
        ("csp-implemented-with-unsafe-inline", -20)
    } else if text.contains("http:") {
        ("csp-implemented-with-insecure-scheme", -20)
    } else if or_default("script-src").contains(&"'unsafe-eval'") {
        ("csp-implemented-with-unsafe-eval", -10)
    } else if loose(&or_default("style-src")) {
        ("csp-implemented-with-unsafe-inline-in-style-src-only", 0)
    } else if named("default-src") == Some(vec!["'none'"]) {
        ("csp-implemented-with-no-unsafe-default-src-none", 10)
    } else {
        ("csp-implemented-with-no-unsafe", 5)
    }
}

fn cookies(answer: &Answer) -> Finding {
    let lines: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
    let has = |line: &str, word: &str| line.split(';').any(|part| part.trim().eq_ignore_ascii_case(word));
    if lines.is_empty() {
        ("cookies-not-found", 0)
    } else if lines.iter().any(|line| !has(line, "Secure")) {
        ("cookies-without-secure-flag", -20)
    } else if lines.iter().any(|line| !has(line, "HttpOnly")) {
        ("cookies-session-without-httponly-flag", -30)
    } else if lines.iter().all(|line| has(line, "SameSite=Lax") || has(line, "SameSite=Strict")) {
        ("cookies-secure-with-httponly-sessions-and-samesite", 5)
    } else {
        ("cookies-secure-with-httponly-sessions", 0)
    }
}

fn transport(answer: &Answer) -> Finding {
    let age = answer
        .header("strict-transport-security")
        .split(';')
        .find_map(|part| part.trim().strip_prefix("max-age="));
    match age.and_then(|age| age.parse::<u64>().ok()) {
        // Six months.
        Some(15_552_000..) => ("hsts-implemented-max-age-at-least-six-months", 0),
        Some(_) => ("hsts-implemented-max-age-less-than-six-months", -10),
        None => ("hsts-not-implemented", -20),
    }
}

fn referrer(answer: &Answer) -> Finding {
    match answer.header("referrer-policy") {
        "no-referrer" | "same-origin" | "strict-origin" | "strict-origin-when-cross-origin" => {
            ("referrer-policy-private", 5)
        }
        "" => ("referrer-policy-not-implemented", 0),
        _ => ("referrer-policy-unsafe", -5),
    }
}

fn scripts(answer: &Answer) -> Finding {
    let page = answer.text();
    let own = |tag: &str| tag.contains("src=\"/") && !tag.contains("src=\"//");
    let tags = page.split("<script").skip(1).filter_map(|rest| rest.split('>').next());
    match tags.filter(|tag| !own(tag)).count() {
        0 => ("sri-not-implemented-but-all-scripts-loaded-from-secure-origin", 0),
        _ => ("sri-not-implemented-but-external-scripts-loaded-securely", -5),
    }
}

fn framing(answer: &Answer) -> Finding {
    if answer.header("content-security-policy").contains("frame-ancestors 'none'") {
        return ("x-frame-options-implemented-via-csp", 5);
    }
    match answer.header("x-frame-options") {
        "DENY" | "SAMEORIGIN" => ("x-frame-options-sameorigin-or-deny", 0),
        _ => ("x-frame-options-not-implemented", -20),
    }
}

fn sniffing(answer: &Answer) -> Finding {
    match answer.header("x-content-type-options") {
        "nosniff" => ("x-content-type-options-nosniff", 0),
        _ => ("x-content-type-options-not-implemented", -5),
    }
}

fn resources(answer: &Answer) -> Finding {
    match answer.header("cross-origin-resource-policy") {
        "same-origin" | "same-site" => ("corp-implemented-with-same-origin", 10),
        _ => ("corp-not-implemented", 0),
    }
}

fn sharing(answer: &Answer) -> Finding {
    match answer.headers.get("access-control-allow-origin").map(|value| value.as_bytes()) {
        None => ("cross-origin-resource-sharing-not-implemented", 0),
        Some(_) => ("cross-origin-resource-sharing-implemented-with-universal-access", -50),
    }
}

fn redirection(plain: &Answer) -> Finding {
    let there = plain.header("location");
    if plain.status == 301 && there.starts_with("https://chat.example.org/") {
        ("redirection-to-https", 0)
    } else {
        ("redirection-missing", -20)
    }
}

#[tokio::test]
async fn the_front_page_would_be_graded_a_plus() {
    let world = Setup::sqlite().production().start().await;
    let outside = world.anonymous().with("host", "chat.example.org");
    let plain = outside.get("/").send().await;
    let page = outside
        .get("/")
        .header("x-forwarded-proto", "https")
        .header("origin", "https://elsewhere.example")
        .send()
        .await;
    assert_eq!(page.status, 200);
    let rules = [policy, cookies, transport, referrer, scripts, framing, sniffing, resources, sharing];
    let mut found: Vec<Finding> = rules.iter().map(|rule| rule(&page)).collect();
    found.push(redirection(&plain));
    // First what is taken away; bonuses count from 90 upwards alone.
    let mut score = 100 + found.iter().map(|(_, points)| (*points).min(0)).sum::<i32>();
    if score >= 90 {
        score += found.iter().map(|(_, points)| (*points).max(0)).sum::<i32>();
    }
    println!("HTTP Observatory's rules: {score} points: {found:#?}");
    assert!(found.iter().all(|(_, points)| *points >= 0), "{found:#?}");
    assert!(score >= 130, "{score}: {found:#?}");
}
