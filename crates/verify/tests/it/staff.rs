//! What only staff has on the mock deployment: the desk of customer service and the administration, with the faults
//! planted in them.

use hyper::{Method, Response};
use serde_json::{Value, json};

use crate::mock::{Asked, Body, Mock, full, json_answer, refuse};

/// Long ago, for whatever is too old.
const LONG_AGO: &str = "2020-01-01T00:00:00Z";
/// So far away that nothing of it is too old.
const FAR_AHEAD: &str = "2099-01-01T00:00:00Z";

/// Whether a stranger may see this here.
pub(crate) fn open(mock: &Mock, asked: &Asked) -> bool {
    mock.has("open-inbox") && asked.method == Method::GET && asked.path.ends_with("/inbox")
}

/// Puts a conversation into the inbox.
pub(crate) fn hand_off(mock: &Mock, id: &str) -> Response<Body> {
    if !mock.has("loses-hand-offs") {
        mock.state.lock().unwrap().inbox.insert(format!("{}f", &id[..35]), (id.to_owned(), false));
    }
    json_answer(200, &json!({"id": id, "hand_off": "waiting"}))
}

/// The answer of the desk, when the path belongs there.
pub(crate) fn desk(mock: &Mock, asked: &Asked, body: &Value) -> Option<Response<Body>> {
    let rest = asked.path.strip_prefix("/api/v1/apps/support/inbox")?;
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    let mut state = mock.state.lock().unwrap();
    let refused = |status: u16, code: &str| refuse(mock, asked, status, code, json!([]));
    let Some(id) = parts.first() else {
        let items = state.inbox.iter().map(|(id, (talk, _))| json!({"id": id, "conversation_id": talk}));
        return Some(json_answer(200, &json!({"items": items.collect::<Vec<_>>(), "next": null})));
    };
    let Some((talk, claimed)) = state.inbox.get(*id).cloned() else { return Some(refused(404, "not_found")) };
    Some(match (asked.method.as_str(), parts.get(1).copied()) {
        ("GET", None) => json_answer(200, &json!({"id": id})),
        ("POST", Some("claim")) => {
            state.inbox.insert((*id).to_owned(), (talk, true));
            json_answer(200, &json!({"id": id}))
        }
        ("POST", Some("reply")) if !claimed && !mock.has("anybody-replies") => refused(409, "conflict"),
        ("POST", Some("reply")) => {
            let said = json!({"role": "assistant", "content": body["content"], "author": "person"});
            if let Some(talk) = state.talks.get_mut(&talk).filter(|_| !mock.has("loses-replies")) {
                talk.messages.push(said.clone());
            }
            json_answer(201, &said)
        }
        ("POST", Some("close")) => {
            state.inbox.remove(*id);
            json_answer(200, &json!({"id": id}))
        }
        _ => refused(404, "not_found"),
    })
}

/// The answer of the administration, when the path belongs there and the caller is the account.
pub(crate) fn administration(mock: &Mock, asked: &Asked) -> Option<Response<Body>> {
    let list = |items: Vec<Value>| Some(json_answer(200, &json!({"items": items, "next": null})));
    match (asked.method.as_str(), asked.path.strip_prefix("/api/v1/admin/")?) {
        ("GET", "settings") => list(settings(mock)),
        ("GET", "users") => {
            let one = |id: &str, totp: bool| json!({"id": id, "role": "admin", "active": true, "totp": totp, "passkeys": 0});
            list(vec![one("one", true), one("two", !mock.has("bare-admins"))])
        }
        ("GET", "keys") => {
            let made = if mock.has("old-keys") { LONG_AGO } else { FAR_AHEAD };
            list(vec![
                json!({"id": "used", "created_at": made, "expires_at": null, "revoked_at": null}),
                json!({"id": "ended", "created_at": LONG_AGO, "expires_at": null, "revoked_at": LONG_AGO}),
                json!({"id": "over", "created_at": LONG_AGO, "expires_at": LONG_AGO, "revoked_at": null}),
            ])
        }
        ("GET", "alerts") => {
            let mut open = vec![
                json!({"kind": "rate_limits", "severity": "medium", "cause": "rate_limits"}),
                json!({"kind": "failed_sign_ins", "severity": "high", "cause": "failed_sign_ins:127.0.0.1"}),
            ];
            open.extend(
                mock.has("open-alerts").then(|| json!({"kind": "token_reuse", "severity": "critical"})),
            );
            list(open)
        }
        ("GET", "audit") => {
            let mut event = json!({"id": "e", "timestamp": FAR_AHEAD, "event_type": "auth.failure", "severity": "medium",
                "ip_address": "127.0.0.1", "actor": "anonymous", "object": null, "details": {"reason": "unknown"}, "hash": "aa"});
            if mock.has("audit-holds-keys") {
                event["details"]["key"] = json!(mock.state.lock().unwrap().last_key);
            }
            if mock.has("audit-lacks-hash") {
                event["hash"] = json!("");
            }
            list(if mock.has("deaf-audit") { vec![] } else { vec![event] })
        }
        ("GET", "lockdown") => {
            let mode = if mock.has("locked-down") { "users" } else { "off" };
            Some(json_answer(200, &json!({"mode": mode, "since": LONG_AGO, "by": null})))
        }
        ("GET", "blocks") => list(vec![]),
        (_, path) if path.starts_with("backups") && !mock.has("no-backups") => Some(backups(mock, asked)),
        _ => None,
    }
}

fn backups(mock: &Mock, asked: &Asked) -> Response<Body> {
    let mut state = mock.state.lock().unwrap();
    let one =
        |number: usize| json!({"name": format!("stoa_{number}.stoa"), "at": FAR_AHEAD, "readable": true});
    match asked.path.strip_prefix("/api/v1/admin/backups").unwrap_or_default() {
        "" if asked.method == Method::GET => {
            let first = usize::from(!mock.has("never-backed-up"));
            let kept: Vec<Value> = (1 - first..=state.backups).map(one).collect();
            let status = if mock.has("old-backups") { "overdue" } else { "current" };
            json_answer(200, &json!({"items": kept, "next": null, "status": status, "age_seconds": 200_000}))
        }
        "" => {
            if !mock.has("loses-backups") {
                state.backups += 1;
            }
            match mock.has("slow-backups") || mock.has("loses-backups") {
                true => json_answer(202, &json!({"status": "running"})),
                false => json_answer(201, &one(state.backups)),
            }
        }
        _ if mock.has("damaged-backups") => {
            drop(state);
            refuse(mock, asked, 409, "conflict", json!([]))
        }
        _ => json_answer(200, &json!({"status": "verified", "rows": 7})),
    }
}

fn settings(mock: &Mock) -> Vec<Value> {
    let row = |name: &str, value: &str, secret: bool| json!({"name": name, "value": value, "origin": "environment", "secret": secret, "chosen": true});
    let environment = if mock.has("production") { "production" } else { "development" };
    let secret = if mock.has("shows-secrets") {
        "hunter2-hunter2-hunter2"
    } else {
        "blake3:0123abcd… (43 characters)"
    };
    let password = if mock.has("shows-passwords") { "hunter2" } else { "***" };
    vec![
        row("environment", if mock.has("other-environment") { "staging" } else { environment }, false),
        row("debug", "false", false),
        row("logs.mask", if mock.has("unmasked-logs") { "false" } else { "true" }, false),
        row("logs.level", if mock.has("chatty-logs") { "DEBUG" } else { "INFO" }, false),
        row("limits.enabled", "true", false),
        row("http.enforce_https", "true", false),
        row("http.cors_origins", if mock.has("any-origin") { "*" } else { "https://app.example.com" }, false),
        row("encryption.enabled", "true", false),
        row("identity.secure_cookies", "true", false),
        row("identity.session_minutes", if mock.has("endless-sessions") { "10080" } else { "480" }, false),
        row("identity.session_secret", secret, true),
        row("server.public_url", "https://chat.example.com", false),
        row("server.replicas", "1", false),
        row("database.url", &format!("postgresql://stoa:{password}@db/stoa"), false),
        json!({"name": "alerts.email", "value": null, "origin": "not set", "secret": false,
            "chosen": !mock.has("nobody-hears")}),
    ]
}

/// What a proxy or a folder beside the server would give out, and addresses that lead elsewhere.
pub(crate) fn stray(mock: &Mock, asked: &Asked) -> Option<Response<Body>> {
    let html = |text: String| {
        Response::builder().header("content-type", "text/html; charset=utf-8").body(full(text)).unwrap()
    };
    let query = asked.query.replace("%3C", "<").replace("%3E", ">").replace("%2F", "/").replace("%3A", ":");
    let query = query.replace("%27", "'");
    let named = |name: &str| {
        query.split('&').find_map(|pair| pair.strip_prefix(name)).filter(|value| !value.is_empty())
    };
    match asked.path.as_str() {
        "/.env" if mock.has("shows-env") => Some(Response::new(full("SESSION_SECRET=x"))),
        "/static/" if mock.has("lists-static") => Some(html("<h1>Index of /static/</h1>".to_owned())),
        "/sign-in" if mock.has("redirects-anywhere") && named("next=https").is_some() => {
            let target = format!("https{}", named("next=https").unwrap_or_default());
            Some(Response::builder().status(303).header("location", target).body(full("")).unwrap())
        }
        "/sign-in" if mock.has("leads-anywhere") && named("next=https").is_some() => {
            Some(html(format!("<a href=\"https{}\">on</a>", named("next=https").unwrap_or_default())))
        }
        "/" if mock.has("splits-headers") && asked.query.contains("%0d%0a") => {
            Some(Response::builder().header("set-cookie", "stoa_verify=1; HttpOnly").body(full("")).unwrap())
        }
        "/docs" if mock.has("reflects") => Some(html(named("q=").unwrap_or_default().to_owned())),
        _ => None,
    }
}
