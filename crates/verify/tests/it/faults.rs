//! The table of planted faults: each makes its check fail, and what is said names it.

use std::time::Duration;

use verify::{Outcome, run};

use crate::mock::{Mock, Quiet, options, with_key, with_token};

/// Check, planted faults, and a word of the line that must come of it.
const TABLE: [(&str, &[&str], &str); 148] = [
    ("reach", &["slow"], "no answer within"),
    ("health", &["database-down"], "database down"),
    ("health", &["health-lacks-security"], "security"),
    ("health", &["production", "claims-https", "limits-off"], "rate_limiting_enabled"),
    ("ready", &["not-ready"], "not_ready"),
    ("live", &["dead"], "500"),
    ("headers", &["no-frame-options-on-404"], "no x-frame-options"),
    ("headers", &["loose-csp"], "'unsafe-inline'"),
    ("headers", &["hsts-over-http"], "over plain HTTP"),
    ("headers", &["no-request-id"], "x-request-id"),
    ("request-id", &["no-request-id"], "no X-Request-Id"),
    ("request-id", &["same-request-id"], "repeats the X-Request-Id"),
    ("request-id", &["repeats-request-id"], "hostile"),
    ("https-redirect", &["production"], "does not enforce HTTPS"),
    ("https-redirect", &["enforces-https", "redirects-credentials"], "gave 301"),
    ("https-redirect", &["enforces-https", "redirect-drops-query"], "same path and query"),
    ("host", &["any-host", "production"], "is served"),
    ("cors", &["cors-star"], "`*`"),
    ("cors", &["cors-mirror"], "allows the origin"),
    ("cors", &["cors-none"], "the allowed origin"),
    ("openapi", &["old-document"], "3.0.3"),
    ("openapi", &["document-lacks-chat"], "/api/v1/chat"),
    ("openapi", &["undescribed-response"], "no description"),
    ("openapi", &["dangling-reference"], "leads nowhere"),
    ("openapi", &["undeclared-parameter"], "does not declare"),
    ("authentication", &["open-admin"], "without a credential"),
    ("authentication", &["wrong-key-is-visitor"], "wrong X-API-Key"),
    ("authentication", &["no-www-authenticate"], "WWW-Authenticate"),
    ("tokens", &["takes-no-algorithm"], "`alg: none`"),
    ("tokens", &["odd-refresh"], "500"),
    ("sign-in", &["tells-accounts"], "different words"),
    ("sign-in", &["takes-empty-passwords"], "401"),
    ("sign-in", &["takes-roles"], "401"),
    ("sign-in", &["kept-sign-in"], "kept by a cache"),
    ("sign-in", &["sign-in-by-get"], "POST"),
    ("sign-in", &["sign-in-from-anywhere"], "another site"),
    ("roles", &["strong-key"], "not 403"),
    ("sign-in-limit", &["endless-tries"], "were all looked at"),
    ("metrics", &["open-metrics"], "200"),
    ("metrics", &["logged-errors"], "1 errors"),
    ("errors", &["plain-errors"], "application/problem+json"),
    ("errors", &["wrong-request-id"], "request_id"),
    ("errors", &["breaks-on-bad-json"], "500"),
    ("errors", &["takes-unknown-fields"], "201"),
    ("errors", &["any-id-is-unknown"], "404"),
    ("errors", &["takes-any-size", "reads-everything"], "not 413"),
    ("cookies", &["readable-cookie"], "HttpOnly"),
    ("cookies", &["eternal-cookie"], "24 h"),
    ("cookies", &["takes-forged-cookie"], "altered cookie"),
    ("csrf", &["no-csrf"], "201"),
    ("isolation", &["shows-everybody"], "200"),
    ("isolation", &["lists-everybody"], "list of a stranger"),
    ("conversation", &["model-down"], "model_unavailable"),
    ("conversation", &["empty-answer"], "empty"),
    ("conversation", &["forgets-title"], "title"),
    ("conversation", &["keeps-deleted"], "not 404"),
    ("stream", &["no-message-event"], "`message`"),
    ("stream", &["no-done-event"], "without `done`"),
    ("stream", &["compressed-stream"], "compressed"),
    ("stream", &["held-back"], "held back"),
    ("stream", &["keeps-half"], "what was kept"),
    ("stream", &["never-ends"], "did not end"),
    ("stop", &["stop-is-ignored"], "after stop"),
    ("stop", &["stop-unmarked"], "not cancelled"),
    ("idempotency", &["no-idempotency"], "two conversations"),
    ("chat", &["forgets-session"], "conversation_id"),
    ("openai", &["openai-no-done"], "[DONE]"),
    ("openai", &["openai-problem"], "OpenAI's clients"),
    ("documents", &["open-documents"], "gave 201"),
    ("documents", &["finds-nothing"], "was not found"),
    ("documents", &["alters-documents"], "not what the document says"),
    ("documents", &["documents-everywhere"], "another app"),
    ("documents", &["keeps-documents"], "still found"),
    ("files", &["open-files"], "to a stranger"),
    ("files", &["alters-files"], "other bytes"),
    ("files", &["inline-files"], "attachment"),
    ("files", &["no-sandbox"], "sandbox"),
    ("files", &["believes-types"], "image/png"),
    ("files", &["no-ranges"], "206"),
    ("files", &["forgets-twins"], "not told of"),
    ("files", &["keeps-files"], "404"),
    ("tutor", &["tutor-tells"], "gave the result"),
    ("tutor", &["tutor-lectures"], "asked nothing"),
    ("xss-markers", &["raw-titles"], "as markup"),
    ("xss-markers", &["alters-text"], "as it was sent"),
    ("xss-markers", &["loose-csp"], "unsafe-inline"),
    ("compression", &["never-compresses"], "gzip"),
    ("compression", &["no-brotli"], "br"),
    ("compression", &["no-vary"], "Vary"),
    ("no-leaks", &["leaks-path"], "panicked"),
    ("clean-up", &["refuses-delete"], "not deleted"),
    ("health-time", &["slow-health"], "more than 500 ms"),
    ("methods", &["echoes-trace"], "sends the request back"),
    ("methods", &["open-head"], "without a credential"),
    ("methods", &["no-head"], "where GET gave 200"),
    ("methods", &["obeys-overrides"], "overrides the one"),
    ("exposure", &["shows-env"], "/.env"),
    ("exposure", &["lists-static"], "/static/"),
    ("exposure", &["tells-version"], "nginx/1.22.1"),
    ("exposure", &["tells-framework"], "x-powered-by"),
    ("injection", &["redirects-anywhere"], "redirects to another site"),
    ("injection", &["leads-anywhere"], "leads to another site"),
    ("injection", &["splits-headers"], "write headers"),
    ("injection", &["reflects"], "as markup"),
    ("static-files", &["cached-pages"], "may be kept by a cache"),
    ("static-files", &["foreign-scripts"], "cdn.example"),
    ("static-files", &["uncached-assets"], "for a year"),
    ("static-files", &["odd-assets"], "text/plain"),
    ("static-files", &["stale-assets"], "not 404"),
    ("pool", &["no-pool"], "do not tell"),
    ("pool", &["pool-waits"], "4 requests wait"),
    ("pool", &["pool-in-use"], "all 10"),
    ("input", &["takes-any-type"], "an app that is a number"),
    ("input", &["names-no-field"], "does not name the field"),
    ("input", &["takes-any-text"], "a blank message"),
    ("input", &["keeps-refused"], "have been kept"),
    ("input", &["any-cursor"], "limit=0"),
    ("citations", &["cites-nothing"], "cites none"),
    ("citations", &["misquotes"], "does not say"),
    ("citations", &["hides-citations"], "does not show"),
    ("desk", &["open-inbox"], "gave 200"),
    ("desk", &["loses-hand-offs"], "not in the inbox"),
    ("desk", &["anybody-replies"], "201"),
    ("desk", &["loses-replies"], "does not see"),
    ("settings", &["shows-secrets"], "shows a secret"),
    ("settings", &["shows-passwords"], "shows a password"),
    ("settings", &["other-environment"], "the settings say staging"),
    ("settings", &["production", "unmasked-logs"], "logs.mask"),
    ("settings", &["production", "chatty-logs"], "DEBUG"),
    ("settings", &["production", "any-origin"], "holds `*`"),
    ("settings", &["production", "endless-sessions"], "more than a day"),
    ("settings", &["production", "nobody-hears"], "nobody hears"),
    ("accounts", &["production", "bare-admins"], "1 of 2 admins"),
    ("keys", &["old-keys"], "older than 90 days"),
    ("audit", &["deaf-audit"], "not in the audit log"),
    ("audit", &["audit-holds-keys"], "as it was sent"),
    ("audit", &["audit-lacks-hash"], "no `hash`"),
    ("alerts", &["open-alerts"], "token_reuse"),
    ("brake", &["locked-down"], "locked down (users)"),
    ("backups", &["old-backups"], "55 hours old"),
    ("backups", &["production", "never-backed-up"], "there is no backup"),
    ("backups", &["loses-backups"], "not done"),
    ("backups", &["damaged-backups"], "409"),
    ("load", &["breaks-under-load"], "gave 503"),
    ("load", &["slow-under-load"], "more than one alone"),
    ("rate-limit", &["never-limits"], "were admitted"),
    ("rate-limit", &["no-retry-after"], "Retry-After"),
    ("rate-limit", &["production", "limits-off"], "switched off"),
];

/// Checks that only run for an account.
const NEED_TOKEN: [&str; 12] = [
    "tutor",
    "documents",
    "files",
    "citations",
    "desk",
    "settings",
    "accounts",
    "keys",
    "audit",
    "alerts",
    "brake",
    "backups",
];
/// What has a table of its own, because it needs TLS: see `tls`.
const ELSEWHERE: [&str; 1] = ["tls"];

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_found_by_its_check() {
    let cases = TABLE.iter().map(|(check, faults, word)| {
        tokio::spawn(async move {
            let (_, address) = Mock::start(faults).await;
            // Cleaning up needs something to clean.
            let with = if *check == "clean-up" { "idempotency" } else { check };
            let mut options = options(address, &[check, with]);
            options.metrics_token = Some(verify::ApiKey::new("the-token"));
            options.timeout = Duration::from_millis(1500);
            if NEED_TOKEN.contains(check) {
                options = with_token(options);
            }
            if *check == "roles" {
                options = with_key(options);
            }
            let report = run(options, &mut Quiet).await;
            let line = report.line(check).map(|line| (line.outcome.clone(), line.text()));
            match line {
                Some((Outcome::Failed { .. }, text)) if text.contains(word) && !report.passed => None,
                Some((_, text)) => Some(format!("{faults:?} should fail with `{word}`: {text}")),
                None => Some(format!("{faults:?}: {check} did not run")),
            }
        })
    });
    let mut wrong = Vec::new();
    for case in cases.collect::<Vec<_>>() {
        wrong.extend(case.await.unwrap());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_check_has_a_fault() {
    let document = include_str!("../../src/checks/mod.rs");
    let names = document.split("check!(").skip(2).filter_map(|row| row.split('"').nth(1));
    for name in names {
        let planted = ELSEWHERE.contains(&name) || TABLE.iter().any(|(check, _, _)| *check == name);
        assert!(planted, "no fault is planted for {name}");
    }
}

#[tokio::test]
async fn a_key_in_an_answer_is_a_leak() {
    let (_, address) = Mock::start(&["shows-key"]).await;
    let report = run(with_key(options(address, &["no-leaks"])), &mut Quiet).await;
    let text = report.line("no-leaks").unwrap().text();
    assert!(text.starts_with('✗') && text.contains("shows the API key"), "{text}");
}

#[tokio::test]
async fn the_plain_side_beside_the_address_is_looked_at() {
    let (_, main) = Mock::start(&[]).await;
    let (_, plain) = Mock::start(&["enforces-https"]).await;
    let (_, open) = Mock::start(&[]).await;
    let mut options = options(main, &["https-redirect"]);
    options.http_url = Some(format!("http://{plain}").parse().unwrap());
    assert!(run(options.clone(), &mut Quiet).await.passed);
    options.http_url = Some(format!("http://{open}").parse().unwrap());
    assert!(!run(options, &mut Quiet).await.passed);
}
