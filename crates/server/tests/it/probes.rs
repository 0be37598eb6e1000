//! What load balancers and monitoring ask.

use serde_json::json;

use crate::world::{Case, Setup, check, eventually, on_both_engines};

on_both_engines! {
    /// 000.48: one document with every shape that existing monitors look for; its booleans are measured.
    async fn health_says_what_was_measured(setup) {
        let world = setup.start().await;
        let anonymous = world.anonymous();
        for path in ["/health", "/api/health"] {
            let answer = anonymous.get(path).send().await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let health = answer.json();
            assert_eq!((&health["status"], &health["database"]), (&json!("healthy"), &json!("operational")));
            assert_eq!((&health["environment"], &health["version"]), (&json!("development"), &json!(env!("CARGO_PKG_VERSION"))));
            let timestamp = health["timestamp"].as_str().unwrap();
            assert!(timestamp.ends_with('Z') && timestamp.len() >= 20, "{timestamp}");
            for (service, state) in [("api", "operational"), ("database", "operational"), ("vector_db", "operational"), ("cache", "not_configured"), ("model", "operational")] {
                assert_eq!(health["services"][service], state, "{service}");
            }
            let measured = json!({"authentication_required": false, "https_enforced": false, "rate_limiting_enabled": true, "pii_masking_enabled": true});
            assert_eq!(health["security"], measured);
            assert!(!answer.headers.contains_key("set-cookie"));
        }
        check([
            Case::new(anonymous.get("/live"), 200).holds("alive"),
            Case::new(anonymous.get("/ready"), 200).holds("\"ready\"").holds("\"draining\":false").holds("\"migrating\":false"),
            Case::new(anonymous.get("/metrics"), 404).code("not_found"),
        ]).await;
    }
}

#[tokio::test]
async fn the_booleans_follow_the_server_and_not_a_wish() {
    let world = Setup::sqlite()
        .set("REQUIRE_AUTHENTICATION", true)
        .set("ENFORCE_HTTPS", true)
        .set("RATE_LIMIT_ENABLED", false)
        .set("MASK_PII_IN_LOGS", false)
        .without_model()
        .start()
        .await;
    let health = world.anonymous().get("/health").send().await.json();
    let measured = json!({"authentication_required": true, "https_enforced": true, "rate_limiting_enabled": false, "pii_masking_enabled": false});
    assert_eq!(health["security"], measured);
    assert_eq!(health["services"]["model"], "not_configured");
}

/// Probes are asked often: no limit counts them, and a limit that is used up does not stop them.
#[tokio::test]
async fn probes_have_no_limit() {
    let world = Setup::sqlite().set("RATE_LIMIT_EVERYTHING", "3 per hour").start().await;
    let anonymous = world.anonymous();
    for _ in 0..3 {
        assert_eq!(anonymous.get("/api/v1/whoami").send().await.status, 200);
    }
    assert_eq!(anonymous.get("/api/v1/whoami").send().await.status, 429);
    for _ in 0..20 {
        for path in ["/live", "/ready", "/health", "/api/health"] {
            let answer = anonymous.get(path).send().await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(!answer.headers.contains_key("x-ratelimit-limit"));
        }
    }
}

#[tokio::test]
async fn metrics_answer_to_their_token_alone() {
    let world = Setup::sqlite().set("METRICS_TOKEN", "metrics-token-Rk2Vb9Xz").start().await;
    let anonymous = world.anonymous();
    check([
        Case::new(anonymous.get("/metrics"), 401).code("unauthenticated").lacks("stoa_"),
        Case::new(anonymous.get("/metrics").header("authorization", "Bearer wrong"), 401)
            .code("unauthenticated"),
        Case::new(world.key().get("/metrics"), 401).code("unauthenticated"),
    ])
    .await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    world.say(&visitor, &id, "hello").await;
    anonymous.get("/no/such/path/metrics-marker").send().await;
    anonymous.request("BREW", "/health").send().await;
    let metrics = || async {
        let answer =
            anonymous.get("/metrics").header("authorization", "Bearer metrics-token-Rk2Vb9Xz").send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.header("content-type").starts_with("text/plain"));
        answer.text()
    };
    eventually(std::time::Duration::from_secs(5), "the pool is measured", async || {
        metrics().await.contains("stoa_active_sessions")
    })
    .await;
    let text = metrics().await;
    for name in [
        "stoa_http_requests_total{",
        "stoa_http_request_duration_seconds",
        "stoa_db_query_duration_seconds",
        "stoa_active_sessions",
        "stoa_log_events_total",
        "stoa_model_request_duration_seconds",
        "stoa_model_tokens_total",
        "route=\"/api/v1/conversations/{id}/messages\"",
        "status=\"201\"",
        "method=\"other\"",
    ] {
        assert!(text.contains(name), "{name} is missing:\n{text}");
    }
    for never in ["metrics-marker", "BREW", &id, "127.0.0.1"] {
        assert!(!text.contains(never), "a label is not bounded: {never}");
    }
}
