//! Errors: their shapes, codes and fields. What none of them may hold is checked by `world::client`.

use serde_json::json;

use crate::world::{Case, Setup, check, on_both_engines};

on_both_engines! {
    /// 000.20, 000.21: whatever comes, an error with a code and the field's name; never a 500.
    async fn malformed_requests_are_named(setup) {
        let world = setup.unlimited().start().await;
        let visitor = world.visitor();
        let id = world.conversation(&visitor).await;
        let chat = |body: &str| visitor.post("/api/v1/chat").header("content-type", "application/json").body(body.to_owned());
        let bad = |request, code| Case::new(request, 400).code(code);
        let unknown = "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d";
        check([
            bad(chat(""), "invalid_json"),
            bad(chat("{"), "invalid_json"),
            bad(chat("{\"message\": \"secret-value\""), "invalid_json").lacks("secret-value"),
            bad(chat("[]"), "invalid_input"),
            bad(chat("null"), "invalid_input"),
            bad(chat("{}"), "invalid_input").holds("\"message\"").holds("missing"),
            bad(chat("{\"message\": 7}"), "invalid_input").holds("wrong_type").lacks("7,"),
            bad(chat("{\"message\": \"a\", \"colour\": \"red\"}"), "invalid_input").holds("colour").holds("unknown").lacks("red"),
            bad(chat("{\"message\": \"a\", \"message\": \"b\"}"), "invalid_input"),
            bad(chat("{\"message\": \"a\"} trailing"), "invalid_json"),
            bad(chat("{\"message\": \"\\ud800\"}"), "invalid_json"),
            bad(chat("[\"hello\", null, null, false]"), "invalid_input"),
            bad(chat(&"[".repeat(100_000)), "invalid_input"),
            bad(chat(&format!("{{\"message\": {}", "[".repeat(100_000))), "invalid_input"),
            bad(chat("{\"message\": \"\"}"), "invalid_input").holds("empty"),
            bad(chat("{\"message\": \" \\n\\t \"}"), "invalid_input").holds("empty"),
            bad(chat("{\"message\": \"a\\u0000b\"}"), "invalid_input").holds("nul"),
            bad(chat("{\"message\": \"a\", \"app\": \"No App\"}"), "invalid_id"),
            bad(chat("{\"message\": \"a\", \"session_id\": \"a\\nb\"}"), "invalid_input").holds("session_id"),
            bad(visitor.get("/api/v1/conversations/not-a-uuid"), "invalid_id"),
            bad(visitor.get("/api/v1/conversations/1%20OR%201=1"), "invalid_id"),
            bad(visitor.get("/api/v1/conversations/..%2F..%2Fetc%2Fpasswd"), "invalid_id"),
            bad(visitor.get(&format!("/api/v1/conversations/{id}'--")), "invalid_id"),
            bad(visitor.get("/api/v1/conversations/%ff%fe"), "invalid_id"),
            bad(visitor.get(&format!("/api/v1/conversations/{id}/export?format=exe")), "invalid_input"),
            bad(visitor.put(&format!("/api/v1/conversations/{id}")).json(&json!({"title": "two\nlines"})), "invalid_input").holds("one_line"),
            bad(visitor.put(&format!("/api/v1/conversations/{id}")).json(&json!({"title": "x".repeat(201)})), "invalid_input").holds("too_long"),
            Case::new(visitor.get(&format!("/api/v1/conversations/{unknown}")), 404).code("not_found"),
            Case::new(visitor.post("/api/v1/chat").json(&json!({"message": "a", "app": "nothing"})), 404).code("not_found"),
            Case::new(world.key().post("/api/v1/chat").json(&json!({"message": "a", "app": "workspace"})), 403).code("forbidden"),
            Case::new(visitor.post("/api/v1/chat").body("{\"message\": \"a\"}"), 415).code("unsupported_type"),
            Case::new(visitor.post("/api/v1/chat").header("content-type", "text/plain").body("x"), 415).code("unsupported_type"),
            Case::new(visitor.post("/api/v1/chat").header("content-type", "application/x-www-form-urlencoded").body("message=a"), 415).code("unsupported_type"),
            Case::new(visitor.get("/api/v1/nothing"), 404).code("not_found"),
            Case::new(visitor.get("/api/v1/conversations/../../../etc/passwd"), 404).code("not_found"),
            Case::new(visitor.get("/static/..%2f..%2fetc%2fpasswd"), 404).code("not_found"),
            Case::new(visitor.delete("/api/v1/chat"), 405).code("method_not_allowed"),
            Case::new(visitor.request("PATCH", &format!("/api/v1/conversations/{id}")).json(&json!({})), 405).code("method_not_allowed"),
        ]).await;
        assert!(world.upstream.completions().is_empty(), "nothing malformed reaches a model");
        let errors = world.process.lines().into_iter().filter(|line| line["level"] == "ERROR").count();
        assert_eq!(errors, 0, "{}", world.process.log());
    }
}

/// Each door has its own shape: a problem, OpenAI's, a page.
#[tokio::test]
async fn every_door_has_its_shape() {
    let world = Setup::sqlite().start().await;
    let anonymous = world.anonymous();
    let problem = anonymous.get("/api/v1/nothing").header("accept", "text/html").send().await;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    assert_eq!(problem.json()["type"], "/docs/errors#not_found");
    let openai =
        anonymous.post("/v1/chat/completions").header("x-api-key", "no").json(&json!({})).send().await;
    assert_eq!(openai.status, 401);
    assert_eq!(openai.json()["error"]["type"], "authentication_error");
    let page = anonymous.get("/nothing").header("accept", "text/html,*/*;q=0.8").send().await;
    assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
    assert!(page.text().contains(page.header("x-request-id")));
    let head = anonymous.request("HEAD", "/api/v1/nothing").send().await;
    assert!(head.status == 404 && head.body.is_empty());
}

/// 000.40, 002.03: counted as they arrive, announced or not.
#[tokio::test]
async fn bodies_have_a_limit() {
    let world = Setup::sqlite().set("MAX_REQUEST_SIZE", 10_000).start().await;
    let key = world.key();
    let body = |length: usize| {
        let frame = "{\"message\":\"\"}".len();
        format!("{{\"message\":\"{}\"}}", words(length - frame))
    };
    let post =
        |length| key.post("/api/v1/chat").header("content-type", "application/json").body(body(length));
    check([
        Case::new(post(10_000), 200),
        Case::new(post(10_001), 413).code("too_large"),
        Case::new(post(5_000_000), 413).code("too_large"),
        Case::new(post(10_001).header("idempotency-key", "k"), 413).code("too_large"),
        Case::new(post(10_001).header("transfer-encoding", "chunked"), 413).code("too_large"),
    ])
    .await;
}

/// `Allow` names what the path answers to, and nothing else.
#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let world = Setup::sqlite().start().await;
    let key = world.key();
    for (method, path, allowed) in [
        ("DELETE", "/api/v1/chat", "POST"),
        ("POST", "/api/v1/apps", "GET,HEAD"),
        ("PATCH", "/api/v1/conversations/019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d", "GET,HEAD,PUT,DELETE"),
        ("POST", "/health", "GET,HEAD"),
        ("POST", "/", "GET,HEAD"),
        ("OPTIONS", "/v1/models", "GET,HEAD"),
    ] {
        let refused = key.request(method, path).send().await;
        let mut told: Vec<&str> = refused.header("allow").split(',').map(str::trim).collect();
        let mut wanted: Vec<&str> = allowed.split(',').collect();
        told.sort_unstable();
        wanted.sort_unstable();
        assert_eq!((refused.status, told), (405, wanted), "{method} {path}");
    }
}

/// Text of this length that repeats nothing.
fn words(length: usize) -> String {
    let text: String = (0..length).map(|number| format!("{number} ")).collect();
    text[..length].to_owned()
}
