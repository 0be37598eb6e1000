//! What happens to every request before its handler: headers, hosts, HTTPS, other origins, other sites.
//! The headers of every answer are checked by `world::client` too; here are those that differ.

use serde_json::json;

use crate::world::{Caller, Case, KEY, Mode, Setup, check};

const HSTS: &str = "max-age=31536000; includeSubDomains";

/// 000.29 to 000.33: on every kind of answer, errors, redirects, files and streams included.
#[tokio::test]
async fn the_headers_are_on_every_kind_of_answer() {
    let world = Setup::sqlite()
        .set("ENFORCE_HTTPS", true)
        .set("TRUSTED_PROXIES", "127.0.0.1")
        .set("RATELIMIT_DEFAULT", "3 per hour")
        .start()
        .await;
    let plain = world.anonymous();
    let redirect = plain.get("/apps/assistant?x=1").send().await;
    assert_eq!(redirect.status, 301);
    assert!(!redirect.headers.contains_key("strict-transport-security"));
    let secure = world.visitor().with("x-forwarded-proto", "https");
    let secure = secure.with("origin", &format!("https://{}", world.address()));
    let page = secure.get("/").send().await;
    assert_eq!(page.status, 200, "{page:?}");
    let asset = page.text().split("/static/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    world.upstream.set(Mode::Pieces(2, std::time::Duration::ZERO));
    for (request, status) in [
        (secure.get("/"), 200),
        (secure.get(&format!("/static/{asset}")), 200),
        (secure.get("/health"), 200),
        (secure.get("/openapi.json"), 200),
        (secure.post("/api/v1/chat").body("{").header("content-type", "application/json"), 400),
        (secure.get("/api/v1/whoami").header("x-api-key", "wrong"), 401),
        (secure.get("/nothing"), 404),
        (secure.get("/nothing").header("accept", "text/html"), 404),
        (secure.request("POST", "/health"), 405),
        (secure.request("OPTIONS", "/api/v1/chat"), 405),
        (secure.post("/api/v1/chat").json(&json!({"message": "hi", "stream": true})), 200),
        (secure.post("/api/v1/chat").json(&json!({"message": "hi"})), 200),
        (secure.post("/api/v1/chat").json(&json!({"message": "hi"})), 429),
    ] {
        let what = format!("{} {}", request.method, request.path);
        let answer = request.send().await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert_eq!(answer.header("strict-transport-security"), HSTS, "{what}");
        let caching = answer.header("cache-control");
        let expected =
            if what.contains("/static/") { "public, max-age=31536000, immutable" } else { "no-store" };
        assert!(caching.starts_with(expected), "{what}: {caching}");
    }
    // A request id that the caller makes up is not taken over: it could be anything.
    let id = secure.get("/live").header("x-request-id", "made-up").send().await;
    assert_ne!(id.header("x-request-id"), "made-up");
}

/// 002.01 and the table of CONTRACT section 5: redirected without a credential, refused with one.
#[tokio::test]
async fn plain_http_is_redirected_or_refused() {
    let world = Setup::sqlite()
        .set("ENFORCE_HTTPS", true)
        .set("PUBLIC_URL", "https://chat.example.org")
        .start()
        .await;
    let anonymous = world.anonymous();
    for method in ["GET", "HEAD"] {
        let answer = anonymous.request(method, "/apps/assistant?a=b%20c&d=/e").send().await;
        assert_eq!(answer.status, 301);
        assert_eq!(answer.header("location"), "https://chat.example.org/apps/assistant?a=b%20c&d=/e");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    let refused = |request: crate::world::Request| Case::new(request, 403).code("https_required");
    check([
        refused(anonymous.post("/api/v1/chat").json(&json!({"message": "hi"}))),
        refused(anonymous.get("/api/v1/apps").header("x-api-key", KEY)).lacks(KEY),
        refused(anonymous.get("/").header("cookie", "stoa_visitor=abc")),
        refused(anonymous.get("/").header("authorization", "Bearer x")),
        // Nobody is trusted: the header counts for nothing.
        Case::new(anonymous.get("/x").header("x-forwarded-proto", "https"), 301),
        Case::new(anonymous.get("/live"), 200),
        Case::new(anonymous.get("/ready"), 200),
        Case::new(anonymous.get("/health"), 200),
    ])
    .await;
    let event = world
        .await_audit("security.violation", |event| event["details"]["exposed_credential"] == "x-api-key")
        .await;
    assert_eq!(event["ip_address"], "127.0.0.1");
    assert_eq!(event["severity"], "high");
}

#[tokio::test]
async fn only_the_hosts_that_are_listed_are_served() {
    let world = Setup::sqlite()
        .set("ENVIRONMENT", "staging")
        .set("ENFORCE_HTTPS", false)
        .set("API_HOST", "127.0.0.1")
        .set("ALLOWED_HOSTS", "chat.example.org,*.shop.example.org")
        .start()
        .await;
    let anonymous = world.anonymous();
    for (host, served) in [
        ("chat.example.org", true),
        ("CHAT.example.org:8443", true),
        ("a.shop.example.org", true),
        ("shop.example.org", false),
        ("evil.example.org", false),
        ("chat.example.org.evil.org", false),
        ("10.0.0.7", false),
    ] {
        let answer = anonymous.get("/api/v1/apps").header("host", host).send().await;
        assert_eq!(answer.status, if served { 200 } else { 421 }, "{host}: {answer:?}");
        assert_eq!(answer.code(), if served { "" } else { "unknown_host" });
        assert!(!answer.text().contains("evil"), "{answer:?}");
    }
    for malformed in ["chat.example.org@evil.org", "chat.example.org evil.org", ""] {
        let answer = anonymous.get("/api/v1/apps").header("host", malformed).send().await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_input"),
            "{malformed}: {answer:?}"
        );
    }
    let twice = anonymous
        .get("/api/v1/apps")
        .header("host", "chat.example.org")
        .and_header("host", "chat.example.org");
    assert_eq!(twice.send().await.status, 400);
    // Load balancers probe by address.
    let probe = anonymous.get("/ready").header("host", "10.0.0.7:8080").send().await;
    assert_eq!(probe.status, 200);
    world.await_audit("security.violation", |event| event["details"]["reason"] == "unknown host").await;
}

#[tokio::test]
async fn other_origins_call_only_where_they_are_listed() {
    let world = Setup::sqlite().set("CORS_ORIGINS", "https://app.example.org").start().await;
    let key = world.key();
    let preflight = |origin: &str, method: &str, header: &str| {
        world
            .anonymous()
            .request("OPTIONS", "/api/v1/chat")
            .header("origin", origin)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", header)
    };
    let allowed = preflight("https://app.example.org", "POST", "content-type,x-api-key").send().await;
    assert_eq!(allowed.status, 204, "{allowed:?}");
    assert_eq!(allowed.header("access-control-allow-origin"), "https://app.example.org");
    assert!(allowed.header("access-control-allow-methods").contains("POST"));
    assert!(allowed.header("access-control-allow-headers").to_lowercase().contains("x-api-key"));
    for (origin, method, header) in [
        ("https://evil.example.org", "POST", "content-type"),
        ("null", "POST", "content-type"),
        ("http://app.example.org", "POST", "content-type"),
        ("https://app.example.org.evil.org", "POST", "content-type"),
        ("https://app.example.org", "PATCH", "content-type"),
        ("https://app.example.org", "POST", "x-strange"),
    ] {
        let refused = preflight(origin, method, header).send().await;
        assert_eq!(refused.status, 403, "{origin} {method} {header}: {refused:?}");
        assert!(!refused.headers.contains_key("access-control-allow-origin"));
    }
    let listed = key.get("/api/v1/apps").header("origin", "https://app.example.org").send().await;
    assert_eq!(
        (listed.status, listed.header("access-control-allow-origin")),
        (200, "https://app.example.org")
    );
    assert!(
        listed.headers.get_all("vary").iter().any(|v| v.to_str().unwrap().to_lowercase().contains("origin"))
    );
    let unlisted = key.get("/api/v1/apps").header("origin", "https://evil.example.org").send().await;
    assert!(!unlisted.headers.contains_key("access-control-allow-origin"));
    // A refusal can be read by the page that caused it.
    let failed = world
        .anonymous()
        .get("/api/v1/apps")
        .header("x-api-key", "wrong")
        .header("origin", "https://app.example.org")
        .send()
        .await;
    assert_eq!(
        (failed.status, failed.header("access-control-allow-origin")),
        (401, "https://app.example.org")
    );
}

/// A request that rides on a cookie must come from our own pages.
#[tokio::test]
async fn other_sites_cannot_use_a_cookie() {
    let world = Setup::sqlite().start().await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let path = format!("/api/v1/conversations/{id}");
    let refused = |request: crate::world::Request| Case::new(request, 403).code("csrf");
    let ask = || visitor.post("/api/v1/chat").json(&json!({"message": "hi"}));
    check([
        refused(ask().without("origin")),
        refused(ask().header("origin", "https://evil.example.org")),
        refused(ask().header("origin", "null")),
        refused(ask().header("sec-fetch-site", "cross-site")),
        refused(ask().without("origin").header("sec-fetch-site", "same-site")),
        refused(visitor.put(&path).json(&json!({"title": "t"})).without("origin")),
        refused(visitor.delete(&path).without("origin")),
        Case::new(ask().without("origin").header("sec-fetch-site", "same-origin"), 200),
        Case::new(visitor.get(&path).without("origin"), 200).lacks("\"t\""),
        // A key is no cookie: whoever holds it means it.
        Case::new(
            world
                .key()
                .post("/v1/chat/completions")
                .header("origin", "https://evil.example.org")
                .json(&json!({"model": "assistant", "messages": [{"role": "user", "content": "hi"}]})),
            200,
        ),
    ])
    .await;
    world
        .await_audit("security.violation", |event| {
            event["details"]["reason"].as_str().unwrap().contains("another site")
        })
        .await;
    assert_eq!(world.upstream.completions().len(), 2, "a refused request reaches no model");
}

/// 000.25, 000.26: the cookie's attributes; one that was altered is no session.
#[tokio::test]
async fn the_visitors_cookie_is_sealed() {
    let world = Setup::sqlite().set("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let first = world.anonymous().get("/").send().await;
    let line = first.header("set-cookie").to_owned();
    assert!(line.starts_with("stoa_visitor="), "{line}");
    for part in ["Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=86400"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!line.contains("Secure") && line.len() < 4096, "{line}");
    let secure = world.anonymous().get("/").header("x-forwarded-proto", "https").send().await;
    assert!(secure.header("set-cookie").ends_with("; Secure"));
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let path = format!("/api/v1/conversations/{id}");
    let value = visitor.cookie("stoa_visitor").unwrap();
    let again = visitor.get(&path).send().await;
    assert!(again.status == 200 && !again.headers.contains_key("set-cookie"));
    let middle = value.len() / 2;
    let other = if &value[middle..=middle] == "A" { "B" } else { "A" };
    for forged in [
        format!("{}{other}{}", &value[..middle], &value[middle + 1..]),
        value[..value.len() - 4].to_owned(),
        format!("{value}{value}"),
        "x".repeat(6_000),
        String::new(),
    ] {
        let forger = world.visitor();
        forger.set_cookie("stoa_visitor", &forged);
        let answer = forger.get(&path).send().await;
        assert_eq!(answer.status, 404, "{forged}: {answer:?}");
        assert_ne!(forger.cookie("stoa_visitor").unwrap(), forged, "a new cookie is given");
    }
    world
        .await_audit("security.violation", |event| {
            event["details"]["reason"].as_str().unwrap().contains("cookie")
        })
        .await;
}

/// 000.23: who is not a trusted proxy cannot say where a request comes from.
#[tokio::test]
async fn addresses_are_taken_from_trusted_proxies_alone() {
    let told = |caller: Caller| async move {
        let answer =
            caller.get("/api/v1/whoami").header("x-forwarded-for", "203.0.113.7").send().await.json();
        (answer["address"]["ip"].clone(), answer["address"]["source"].clone())
    };
    let open = Setup::sqlite().start().await;
    assert_eq!(told(open.anonymous()).await, (json!("127.0.0.1"), json!("peer")));
    let behind = Setup::sqlite().set("TRUSTED_PROXIES", "127.0.0.0/8").start().await;
    assert_eq!(told(behind.anonymous()).await, (json!("203.0.113.7"), json!("forwarded")));
    let chain = behind
        .anonymous()
        .get("/api/v1/whoami")
        .header("x-forwarded-for", "198.51.100.1, 203.0.113.9, 127.0.0.5")
        .send()
        .await;
    assert_eq!(
        chain.json()["address"]["ip"],
        "203.0.113.9",
        "the last hop that is not ours; what is before it is hearsay"
    );
    let nonsense =
        behind.anonymous().get("/api/v1/whoami").header("x-forwarded-for", "<script>, unknown").send().await;
    assert_eq!(nonsense.json()["address"]["ip"], "127.0.0.1");
}
