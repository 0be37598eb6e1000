//! What the paths of the mock deployment do, and the faults planted in them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, Response};
use serde_json::{Value, json};

use crate::document::document;
use crate::mock::{Asked, Body, KEY, Mock, TOKEN, Talk, full, json_answer, piped, refuse};
use crate::pages::{ASSET, asset, compressed, page, pool};
use crate::{documents, talks};

const TIME: &str = "2026-11-20T08:30:00.5Z";

/// The answer to a request.
pub(crate) async fn route(mock: &Arc<Mock>, asked: &Asked) -> Response<Body> {
    let path = asked.path.as_str();
    if mock.has("slow") {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    if mock.has("slow-health") && path == "/health" {
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    if matches!(path, "/health" | "/api/health" | "/ready" | "/live") {
        return probe(mock, asked);
    }
    if mock.has("enforces-https") {
        let shown = asked.headers.contains_key("cookie") || asked.headers.contains_key("x-api-key");
        if asked.method == Method::GET && (!shown || mock.has("redirects-credentials")) {
            let query = if mock.has("redirect-drops-query") { "" } else { &format!("?{}", asked.query) };
            let target = format!("https://example.com{path}{query}");
            return Response::builder().status(301).header("location", target).body(full("")).unwrap();
        }
        return refuse(mock, asked, 403, "https_required", json!([]));
    }
    if asked.header("host").starts_with("verify.invalid") && !mock.has("any-host") {
        return refuse(mock, asked, 421, "unknown_host", json!([]));
    }
    if asked.method == Method::TRACE {
        let sent =
            asked.headers.iter().map(|(name, value)| format!("{name}: {value:?}\n")).collect::<String>();
        return match mock.has("echoes-trace") {
            true => Response::new(full(sent)),
            false => refuse(mock, asked, 405, "method_not_allowed", json!([])),
        };
    }
    if asked.method == Method::HEAD && path.starts_with("/api/v1/admin") && mock.has("open-head") {
        return Response::new(full(""));
    }
    if asked.method == Method::OPTIONS {
        return Response::builder().status(204).body(full("")).unwrap();
    }
    if let Some(answer) = crate::staff::stray(mock, asked) {
        return answer;
    }
    match path {
        "/" | "/apps/assistant" => return page(mock, asked),
        ASSET => return asset(mock),
        path if path.starts_with("/static/") && mock.has("stale-assets") => return asset(mock),
        "/apps/workspace" => {
            return Response::builder().status(303).header("location", "/").body(full("")).unwrap();
        }
        "/openapi.json" => return compressed(mock, asked, document(mock).to_string()),
        "/docs" => return Response::new(full("docs")),
        "/metrics" if mock.has("open-metrics") => return Response::new(full("stoa_up 1")),
        "/metrics" if asked.header("authorization") == "Bearer the-token" => {
            // One is an alert about a run like this.
            let errors = 1 + u8::from(mock.has("logged-errors"));
            let text = format!(
                "stoa_alerts_total{{kind=\"failed_sign_ins\"}} 1\nstoa_log_events_total{{level=\"ERROR\"}} {errors}\nstoa_log_events_total{{level=\"WARNING\"}} 2\n{}",
                pool(mock)
            );
            return Response::new(full(text));
        }
        "/metrics" => return refuse(mock, asked, 404, "not_found", json!([])),
        _ => {}
    }
    if let Some(answer) = crate::accounts::route(mock, asked) {
        return answer;
    }
    let Some(caller) = who(mock, asked) else {
        let refusal = refuse(mock, asked, 401, "unauthenticated", json!([]));
        return counted(mock, asked, ("all".to_owned(), 1_200), async { refusal }).await;
    };
    let fresh = asked.header("cookie").is_empty() && caller.starts_with("visitor");
    let mut response = limited(mock, asked, &caller).await;
    if fresh && !mock.has("no-visitors") {
        response.headers_mut().insert("set-cookie", cookie(mock, &caller).parse().unwrap());
    }
    response
}

fn cookie(mock: &Mock, caller: &str) -> String {
    let script = if mock.has("readable-cookie") { "" } else { "; HttpOnly" };
    let age = if mock.has("eternal-cookie") { 864_000 } else { 86_400 };
    format!("stoa_visitor={caller}; Path=/; SameSite=Lax; Max-Age={age}{script}")
}

fn probe(mock: &Mock, asked: &Asked) -> Response<Body> {
    if asked.method != Method::GET && (asked.method != Method::HEAD || mock.has("no-head")) {
        return refuse(mock, asked, 405, "method_not_allowed", json!([]));
    }
    match asked.path.as_str() {
        "/live" if mock.has("dead") => Response::builder().status(500).body(full("")).unwrap(),
        "/live" => Response::new(full("ok")),
        "/ready" => {
            let ready = !mock.has("not-ready");
            let status = if ready { "ready" } else { "not_ready" };
            let body = json!({"status": status, "database": "operational", "version": "1",
                "migrating": false, "draining": !ready});
            json_answer(if ready { 200 } else { 503 }, &body)
        }
        _ => {
            let down = mock.has("database-down");
            let mut body = json!({
                "status": if down { "unhealthy" } else { "healthy" }, "timestamp": TIME, "version": "1",
                "environment": if mock.has("production") { "production" } else { "development" },
                "database": "operational",
                "services": {"api": "operational", "database": if down { "down" } else { "operational" },
                    "vector_db": "not_configured", "cache": "not_configured", "model": "operational"},
                "security": {"authentication_required": mock.has("no-visitors"),
                    "https_enforced": mock.has("enforces-https") || mock.has("claims-https"),
                    "rate_limiting_enabled": !mock.has("limits-off"), "pii_masking_enabled": true}
            });
            if mock.has("health-lacks-security") {
                body.as_object_mut().unwrap().remove("security");
            }
            json_answer(if down { 503 } else { 200 }, &body)
        }
    }
}

/// Who asks: `key`, a known visitor, or a new one.
pub(crate) fn who(mock: &Mock, asked: &Asked) -> Option<String> {
    let (key, bearer) = (asked.header("x-api-key"), asked.header("authorization"));
    if key == KEY {
        return Some("key".into());
    }
    if bearer.strip_prefix("Bearer ") == Some(TOKEN) {
        return Some("account".into());
    }
    if key.starts_with("stoa_stoa-verify") {
        key.clone_into(&mut mock.state.lock().unwrap().last_key);
    }
    let carries = !key.is_empty() || !bearer.is_empty();
    if carries && !mock.has("wrong-key-is-visitor") {
        return None;
    }
    if asked.path.starts_with("/api/v1/admin") && mock.has("open-admin") {
        return Some("visitor-admin".into());
    }
    if documents::open(mock, asked) || crate::files::open(mock, asked) || crate::staff::open(mock, asked) {
        return Some("visitor-open".into());
    }
    let closed = ["/api/v1/admin", "/api/v1/apps/", "/api/v1/keys", "/api/v1/files", "/api/v1/me"]
        .iter()
        .any(|start| asked.path.starts_with(start));
    if closed || mock.has("no-visitors") {
        return None;
    }
    let name = asked.header("cookie").split(';').find_map(|pair| pair.trim().strip_prefix("stoa_visitor="));
    if let Some(name) = name {
        let known = mock.state.lock().unwrap().visitors.contains(name);
        if known {
            return Some(name.to_owned());
        }
        let flipped = |known: &&String| known.chars().zip(name.chars()).filter(|(a, b)| a != b).count() == 1;
        if mock.has("takes-forged-cookie")
            && let Some(known) = mock.state.lock().unwrap().visitors.iter().find(flipped)
        {
            return Some(known.clone());
        }
    }
    let name = format!("visitor-{}", mock.id());
    mock.state.lock().unwrap().visitors.insert(name.clone());
    Some(name)
}

/// Counts, refuses what is too much, and adds the headers of the limit.
async fn limited(mock: &Arc<Mock>, asked: &Asked, caller: &str) -> Response<Body> {
    let talks = asked.path.ends_with("/chat")
        || asked.path.ends_with("/messages")
        || asked.path.ends_with("completions");
    let chat = asked.method == Method::POST && talks;
    let scope = if chat { (format!("chat {caller}"), 12) } else { ("all".to_owned(), 1_200) };
    counted(mock, asked, scope, act(mock, asked, caller)).await
}

async fn counted(
    mock: &Mock,
    asked: &Asked,
    (scope, limit): (String, u64),
    work: impl Future<Output = Response<Body>>,
) -> Response<Body> {
    let count = {
        let mut state = mock.state.lock().unwrap();
        let count = state.counts.entry(scope).or_default();
        *count += 1;
        *count
    };
    let over = count > limit && !mock.has("never-limits");
    let mut response = if over { refuse(mock, asked, 429, "rate_limited", json!([])) } else { work.await };
    let mut set = |name: &'static str, value: String| {
        response.headers_mut().insert(name, value.parse().unwrap());
    };
    set("x-ratelimit-limit", limit.to_string());
    set("x-ratelimit-remaining", limit.saturating_sub(count).to_string());
    set("x-ratelimit-reset", TIME.to_owned());
    if over {
        set("ratelimit", "\"chat\";r=0;t=60".to_owned());
        set("ratelimit-policy", "\"chat\";q=10;w=60".to_owned());
        if !mock.has("no-retry-after") {
            set("retry-after", "60".to_owned());
        }
    }
    response
}

async fn act(mock: &Arc<Mock>, asked: &Asked, caller: &str) -> Response<Body> {
    if asked.too_large {
        return refuse(mock, asked, 413, "too_large", json!([]));
    }
    if caller == "key"
        && let Some(answer) = crate::accounts::closed_to_keys(mock, asked)
    {
        return answer;
    }
    let writes = asked.method != Method::GET;
    if writes && asked.header("cookie").contains("stoa_visitor") && !mock.has("no-csrf") {
        let own = format!("http://{}", asked.header("host"));
        if asked.header("origin") != own || asked.header("sec-fetch-site") == "cross-site" {
            return refuse(mock, asked, 403, "csrf", json!([]));
        }
    }
    if caller == "account"
        && let Some(answer) = crate::files::route(mock, asked)
    {
        return answer;
    }
    if asked.path == "/api/v1/files/declutter" {
        return json_answer(200, &json!({}));
    }
    let mut body = Value::Null;
    if writes && !asked.body.is_empty() {
        if asked.header("content-type") != "application/json" {
            return refuse(mock, asked, 415, "unsupported_type", json!([]));
        }
        match serde_json::from_slice(&asked.body) {
            Ok(value) => body = value,
            Err(_) if mock.has("breaks-on-bad-json") => {
                return Response::builder().status(500).body(full("")).unwrap();
            }
            Err(_) => return refuse(mock, asked, 400, "invalid_json", json!([])),
        }
    }
    if let Some(answer) = crate::staff::desk(mock, asked, &body) {
        return answer;
    }
    if caller == "account"
        && let Some(answer) = crate::staff::administration(mock, asked)
    {
        return answer;
    }
    if let Some(answer) = documents::route(mock, asked, &body) {
        return answer;
    }
    let parts = asked.path.trim_matches('/').split('/').collect::<Vec<_>>();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["api", "v1", "whoami"]) => {
            let role =
                if caller == "account" && !mock.has("plain-account") { json!("admin") } else { Value::Null };
            json_answer(
                200,
                &json!({"principal": {"id": caller, "role": role}, "address": {"ip": "127.0.0.1"}}),
            )
        }
        ("GET", ["api", "v1", "apps"]) => {
            let seen = if mock.has("shows-key") { asked.header("x-api-key") } else { "" };
            let tutor = json!({"id": "tutor", "kind": "tutor"});
            let mut apps = vec![json!({"id": "assistant", "kind": "chat"})];
            let files = json!({"id": "files", "kind": "files"});
            apps.extend((caller == "account").then_some([tutor, files]).into_iter().flatten());
            apps.push(json!({"id": "support", "kind": "support"}));
            json_answer(200, &json!({"items": apps, "next": null, "seen": seen}))
        }
        ("GET", ["v1", "models"]) => {
            json_answer(200, &json!({"object": "list", "data": [{"id": "assistant", "object": "model"}]}))
        }
        ("POST", ["v1", "chat", "completions"]) => talks::completions(mock, asked, caller, &body),
        ("POST", ["api", "v1", "chat"]) => talks::chat(mock, asked, caller, &body),
        ("GET", ["api", "v1", "conversations"]) => list(mock, asked, caller),
        ("POST", ["api", "v1", "conversations"]) => create(mock, asked, caller, &body),
        (_, ["api", "v1", "conversations", id, rest @ ..]) => {
            conversation(mock, asked, caller, &body, id, rest).await
        }
        _ => refuse(mock, asked, 404, "not_found", json!([])),
    }
}

pub(crate) fn message(mock: &Mock, role: &str, content: &str, finish: &str) -> Value {
    json!({"id": mock.id(), "parent_id": null, "role": role, "content": content, "citations": [],
        "created_at": TIME, "finish_reason": finish})
}

fn list(mock: &Mock, asked: &Asked, caller: &str) -> Response<Body> {
    let odd = ["limit=0", "limit=abc", "after=%F0"].iter().any(|odd| asked.query.starts_with(odd));
    if odd && !mock.has("any-cursor") {
        return refuse(mock, asked, 400, "invalid_input", json!([]));
    }
    let wanted = asked.query.split('&').find_map(|pair| pair.strip_prefix("q=")).unwrap_or_default();
    let state = mock.state.lock().unwrap();
    let mine = |talk: &Talk| talk.owner == caller || mock.has("lists-everybody");
    let found = state.talks.iter().rev().filter(|(_, talk)| mine(talk) && talk.title.contains(wanted));
    let items = found.map(|(id, talk)| json!({"id": id, "title": talk.title})).collect::<Vec<_>>();
    json_answer(200, &json!({"items": items, "next": null}))
}

fn create(mock: &Mock, asked: &Asked, caller: &str, body: &Value) -> Response<Body> {
    let unknown =
        body.as_object().and_then(|fields| fields.keys().find(|name| *name != "app" && *name != "title"));
    if let (Some(field), false) = (unknown, mock.has("takes-unknown-fields")) {
        let errors = json!([{"field": field, "code": "unknown", "detail": "No such field"}]);
        return refuse(mock, asked, 422, "invalid_input", errors);
    }
    let odd = match body {
        _ if mock.has("takes-any-type") => None,
        body if !body["app"].is_string() => Some("app"),
        body if body["title"].as_str().map_or(!body["title"].is_null(), |title| title.len() > 1_000) => {
            Some("title")
        }
        _ => None,
    };
    if let Some(field) = odd {
        let errors = json!([{"field": if mock.has("names-no-field") { "" } else { field }, "code": "wrong", "detail": "No"}]);
        return refuse(mock, asked, 422, "invalid_input", errors);
    }
    let key = asked.header("idempotency-key").to_owned();
    if !key.is_empty() && !mock.has("no-idempotency") {
        let state = mock.state.lock().unwrap();
        if let Some((sent, given)) = state.replays.get(&key) {
            if *sent != asked.body {
                drop(state);
                return refuse(mock, asked, 409, "idempotency_conflict", json!([]));
            }
            let builder = Response::builder().status(201).header("content-type", "application/json");
            return builder.body(full(given.clone())).unwrap();
        }
    }
    let id = mock.id();
    let title = body["title"].as_str().unwrap_or_default().to_owned();
    let given = json!({"id": id, "app": "assistant", "title": title});
    let mut state = mock.state.lock().unwrap();
    state.talks.insert(id, Talk { owner: caller.to_owned(), title, ..Talk::default() });
    state.replays.insert(key, (asked.body.clone(), Bytes::from(given.to_string())));
    json_answer(201, &given)
}

async fn conversation(
    mock: &Arc<Mock>,
    asked: &Asked,
    caller: &str,
    body: &Value,
    id: &str,
    rest: &[&str],
) -> Response<Body> {
    if id.len() != 36 && !mock.has("any-id-is-unknown") {
        return refuse(mock, asked, 400, "invalid_id", json!([]));
    }
    let talk = mock.state.lock().unwrap().talks.get(id).cloned();
    let mine = |talk: &Talk| talk.owner == caller || mock.has("shows-everybody");
    let Some(mut talk) = talk.filter(mine) else {
        return refuse(mock, asked, 404, "not_found", json!([]));
    };
    let keep = |talk: &Talk| mock.state.lock().unwrap().talks.insert(id.to_owned(), talk.clone());
    match (asked.method.as_str(), rest) {
        ("GET", [])
            if mock.has("obeys-overrides")
                && (asked.header("x-http-method-override") == "DELETE"
                    || asked.query.contains("_method")) =>
        {
            mock.state.lock().unwrap().talks.remove(id);
            Response::builder().status(204).body(full("")).unwrap()
        }
        ("POST", ["hand-off"]) => crate::staff::hand_off(mock, id),
        ("GET", []) => json_answer(200, &json!({"id": id, "title": talk.title})),
        ("PUT", []) => {
            if !mock.has("forgets-title") {
                talk.title = body["title"].as_str().unwrap_or_default().to_owned();
                keep(&talk);
            }
            json_answer(200, &json!({"id": id, "title": talk.title}))
        }
        ("DELETE", []) if mock.has("refuses-delete") => refuse(mock, asked, 409, "conflict", json!([])),
        ("DELETE", []) => {
            if !mock.has("keeps-deleted") {
                mock.state.lock().unwrap().talks.remove(id);
            }
            Response::builder().status(204).body(full("")).unwrap()
        }
        ("GET", ["messages"]) => json_answer(200, &json!({"items": talk.messages, "next": null})),
        ("GET", ["export"]) => {
            let markdown = asked.query.contains("markdown");
            let media = if markdown { "text/markdown; charset=utf-8" } else { "application/json" };
            let text = json!({"title": talk.title, "messages": talk.messages}).to_string();
            Response::builder().header("content-type", media).body(full(text)).unwrap()
        }
        ("POST", ["stop"]) => {
            if !mock.has("stop-is-ignored") {
                talk.stopped.notify_one();
            }
            json_answer(202, &json!({}))
        }
        ("POST", ["messages"]) => turn(mock, asked, body, id, talk).await,
        _ => refuse(mock, asked, 404, "not_found", json!([])),
    }
}

async fn turn(mock: &Arc<Mock>, asked: &Asked, body: &Value, id: &str, talk: Talk) -> Response<Body> {
    let text = body["content"].as_str().unwrap_or_default().to_owned();
    let odd = text.trim().is_empty() || text.len() > 100_000;
    if odd && !mock.has("takes-any-text") {
        if mock.has("keeps-refused") {
            let said = message(mock, "user", "refused", "stop");
            mock.state.lock().unwrap().talks.entry(id.to_owned()).and_modify(|talk| talk.messages.push(said));
        }
        let errors = json!([{"field": "content", "code": "wrong", "detail": "No"}]);
        return refuse(mock, asked, 422, "invalid_input", errors);
    }
    let kept = if mock.has("alters-text") { text.replace('<', "&lt;") } else { text.clone() };
    if mock.has("model-down") {
        return refuse(mock, asked, 503, "model_unavailable", json!([]));
    }
    let add = {
        let (mock, id) = (Arc::clone(mock), id.to_owned());
        move |answer: &str, finish: &str| {
            let said = [message(&mock, "user", &kept, "stop"), message(&mock, "assistant", answer, finish)];
            if let Some(talk) = mock.state.lock().unwrap().talks.get_mut(&id) {
                talk.messages.extend(said.clone());
            }
            said
        }
    };
    if !asked.header("accept").contains("event-stream") {
        let answer = match text.as_str() {
            _ if mock.has("empty-answer") => "",
            "No questions. The number, now." if mock.has("tutor-tells") => "It is 391. Do you see why?",
            _ if mock.has("tutor-lectures") => "Multiply the tens first.",
            _ => "What would you try first?",
        };
        if let Some(quoted) = documents::quoting(mock, &text) {
            return quoted;
        }
        let said = add(answer, "stop");
        return json_answer(200, &json!({"message": said[1]}));
    }
    let (sender, piped) = piped();
    let mock = Arc::clone(mock);
    let coding = mock.has("compressed-stream");
    let pieces = if text.contains("Count") { 400 } else { 5 };
    let stopped = Arc::clone(&talk.stopped);
    tokio::spawn(async move {
        if mock.has("held-back") {
            tokio::time::sleep(Duration::from_millis(1200)).await;
        }
        let event = |name: &str, data: Value| format!("event: {name}\ndata: {data}\n\n");
        let mut answer = String::new();
        let mut finish = "stop";
        if !mock.has("no-message-event") {
            let _ = sender.send(event("message", json!({"message_id": "m"})) + ": ping\n\n").await;
        }
        for _ in 0..pieces {
            answer.push_str("word ");
            if sender.send(event("delta", json!({"text": "word "}))).await.is_err() {
                break;
            }
            let pause = Duration::from_millis(if pieces > 5 { 20 } else { 1 });
            if tokio::time::timeout(pause, stopped.notified()).await.is_ok() {
                finish = "cancelled";
                break;
            }
        }
        add(
            if mock.has("keeps-half") { "word" } else { &answer },
            if mock.has("stop-unmarked") { "error" } else { finish },
        );
        if !mock.has("no-done-event") {
            let _ = sender
                .send(event("done", json!({"finish_reason": finish, "usage": {"input_tokens": 1}})))
                .await;
        }
        if mock.has("never-ends") {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    });
    let mut builder = Response::builder().header("content-type", "text/event-stream");
    if coding {
        builder = builder.header("content-encoding", "gzip");
    }
    builder.body(piped).unwrap()
}
