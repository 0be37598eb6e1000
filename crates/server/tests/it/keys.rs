//! API keys that accounts make: never stronger than their maker, shown once, bounded by scopes and limits of their own.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Caller, Case, PASSWORD, Setup, World, check, eventually, everything, on_both_engines};

const SECOND: Duration = Duration::from_secs(1);

fn make(caller: &Caller, body: Value) -> crate::world::Request {
    caller.post("/api/v1/keys").json(&body)
}

/// Makes a key; its holder and its id.
async fn made(world: &World, caller: &Caller, body: Value) -> (Caller, String) {
    let answer = make(caller, body).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let answer = answer.json();
    (holder(world, &answer), answer["id"].as_str().unwrap().to_owned())
}

fn holder(world: &World, made: &Value) -> Caller {
    world.anonymous().with("x-api-key", made["key"].as_str().unwrap())
}

fn chat(caller: &Caller, app: &str) -> crate::world::Request {
    caller.post("/api/v1/chat").json(&json!({"message": "hello", "app": app}))
}

on_both_engines! {
    /// Made, listed, replaced, ended: by its owner, and by nobody else.
    async fn a_key_belongs_to_its_maker(setup) {
        let world = setup.unlimited().start().await;
        let ada = world.person("ada@example.org", false).await;
        let eve = world.person("eve@example.org", false).await;
        let answer = make(&ada.caller, json!({"name": "shop", "apps": ["assistant"], "expires_in_days": 30})).send().await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let shown = answer.json();
        let key = shown["key"].as_str().unwrap().to_owned();
        assert!(key.starts_with("stoa_"), "{key}");
        assert_eq!((&shown["name"], &shown["user_id"], &shown["apps"]), (&json!("shop"), &json!(ada.id), &json!(["assistant"])));
        let shop = holder(&world, &shown);
        let id = shown["id"].as_str().unwrap();
        let whoami = shop.get("/api/v1/whoami").send().await.json();
        assert_eq!((&whoami["principal"]["kind"], &whoami["principal"]["method"]), (&json!("key"), &json!("key")));
        assert!(whoami["principal"]["role"].is_null(), "{whoami}");
        let listed = everything(&ada.caller, "/api/v1/keys?limit=1").await;
        assert_eq!(listed.len(), 1);
        assert!(!listed[0].to_string().contains(&key) && listed[0].get("key").is_none(), "{listed:?}");
        assert!(everything(&eve.caller, "/api/v1/keys?limit=1").await.is_empty());
        let end = |caller: &Caller, id: &str| caller.delete(&format!("/api/v1/keys/{id}"));
        let rotate = |caller: &Caller, id: &str| caller.post(&format!("/api/v1/keys/{id}/rotate"));
        let random = "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d";
        check([
            Case::new(end(&eve.caller, id), 404).code("not_found"),
            Case::new(rotate(&eve.caller, id), 404).code("not_found"),
            Case::new(end(&ada.caller, random), 404).code("not_found"),
            Case::new(rotate(&ada.caller, random), 404).code("not_found"),
            Case::new(end(&ada.caller, "1"), 400).code("invalid_id"),
            Case::new(rotate(&ada.caller, "1"), 400).code("invalid_id"),
            // A key manages no keys, not even its maker's.
            Case::new(shop.get("/api/v1/keys"), 403).code("forbidden"),
            Case::new(make(&shop, json!({"name": "more"})), 403).code("forbidden"),
            Case::new(rotate(&shop, id), 403).code("forbidden"),
            Case::new(end(&shop, id), 403).code("forbidden"),
            Case::new(shop.get("/api/v1/me"), 403).code("forbidden"),
            Case::new(world.anonymous().get("/api/v1/keys"), 401).code("unauthenticated"),
            Case::new(make(&world.anonymous(), json!({"role": 1})), 401).code("unauthenticated"),
            Case::new(shop.get("/api/v1/apps"), 200).holds("assistant").lacks("support"),
        ]).await;
        let rotated = rotate(&ada.caller, id).send().await;
        assert_eq!(rotated.status, 200, "{rotated:?}");
        let rotated = holder(&world, &rotated.json());
        check([
            Case::new(shop.get("/api/v1/apps"), 401).code("unauthenticated"),
            Case::new(rotated.get("/api/v1/apps"), 200),
            Case::new(end(&ada.caller, id), 204),
            Case::new(rotated.get("/api/v1/apps"), 401).code("unauthenticated"),
            Case::new(rotate(&ada.caller, id), 404).code("not_found"),
        ]).await;
        for event in ["key.created", "key.rotated", "key.revoked"] {
            let found = world.audited(event).await;
            assert_eq!(found[0]["actor"], format!("user:{}", ada.id), "{event}");
            assert!(!found[0].to_string().contains(&key));
        }
        world.verify_audit().await;
    }

    /// What its maker loses, it loses.
    async fn a_key_is_never_stronger_than_its_maker(setup) {
        let world = setup.unlimited().start().await;
        let ada = world.person("ada@example.org", false).await;
        check([
            // The workspace takes no keys, and nobody granted it.
            Case::new(make(&ada.caller, json!({"name": "a", "apps": ["workspace"]})), 403).code("forbidden"),
        ]).await;
        let (all, _) = made(&world, &ada.caller, json!({"name": "all"})).await;
        check([
            Case::new(all.get("/api/v1/apps"), 200).lacks("workspace"),
            Case::new(chat(&all, "workspace"), 403).code("forbidden"),
            Case::new(all.get("/api/v1/admin/users"), 403).code("forbidden"),
        ]).await;
        // Not even when the maker is an admin.
        let admin = world.admin().await;
        let (strong, _) = made(&world, &admin.caller, json!({"name": "strong"})).await;
        check([
            Case::new(strong.get("/api/v1/admin/users"), 403).code("forbidden"),
            Case::new(strong.put("/api/v1/admin/lockdown").json(&json!({"mode": "users"})), 403).code("forbidden"),
        ]).await;
        let patch = admin.caller.put(&format!("/api/v1/admin/users/{}", ada.id)).json(&json!({"active": false}));
        check([
            Case::new(patch, 200).holds("\"active\":false"),
            Case::new(all.get("/api/v1/apps"), 403).code("inactive"),
            Case::new(ada.caller.get("/api/v1/me"), 403).code("inactive"),
        ]).await;
        let by_operator = world.told(&["key", "create", "bound", "--user", "admin@example.org", "--scope", "read", "--json"]).await.remove(0);
        let by_operator = holder(&world, &by_operator);
        eventually(SECOND, "the key is known", async || by_operator.get("/api/v1/apps").send().await.status == 200).await;
        check([
            Case::new(chat(&by_operator, "assistant"), 403).code("forbidden"),
            Case::new(by_operator.get("/api/v1/conversations"), 200),
        ]).await;
        assert_eq!(world.stoa(&["key", "create", "x", "--scope", "admin"]).await.code, Some(1));
        assert_eq!(world.stoa(&["key", "create", "x", "--user", "nobody@example.org"]).await.code, Some(1));
    }
}

#[tokio::test]
async fn what_is_asked_for_is_read_strictly() {
    let world = Setup::sqlite().unlimited().start().await;
    let ada = world.person("ada@example.org", false).await;
    let ask = |body: Value| make(&ada.caller, body);
    let mut cases: Vec<Case> = [
        json!({}),
        json!({"name": ""}),
        json!({"name": null}),
        json!({"name": "x".repeat(500)}),
        json!({"name": "a", "scopes": ["admin"]}),
        json!({"name": "a", "scopes": [""]}),
        json!({"name": "a", "scopes": "chat"}),
        json!({"name": "a", "limits": {"per_minute": 0}}),
        json!({"name": "a", "limits": {"per_day": 1}}),
        json!({"name": "a", "limits": {"per_hour": -1}}),
        json!({"name": "a", "expires_in_days": 0}),
        json!({"name": "a", "expires_in_days": 4000}),
        json!({"name": "a", "expires_in_days": 1, "expires_at": "2030-01-01T00:00:00Z"}),
        json!({"name": "a", "expires_at": "2020-01-01T00:00:00Z"}),
        json!({"name": "a", "expires_at": "tomorrow"}),
        json!({"name": "a", "user_id": ada.id}),
        json!({"name": "a", "digest": "0".repeat(64)}),
        json!({"name": "a", "owner": "user:x"}),
    ]
    .into_iter()
    .map(|body| Case::new(ask(body), 400).code("invalid_input"))
    .collect();
    cases.push(Case::new(ask(json!({"name": "a", "apps": ["../x"]})), 400).code("invalid_id"));
    check(cases).await;
    assert!(everything(&ada.caller, "/api/v1/keys?limit=100").await.is_empty());
}

#[tokio::test]
async fn scopes_and_limits_bound_a_key() {
    let world = Setup::sqlite().start().await;
    let ada = world.person("ada@example.org", false).await;
    let (reader, _) = made(&world, &ada.caller, json!({"name": "reader", "scopes": ["read"]})).await;
    let (talker, _) =
        made(&world, &ada.caller, json!({"name": "talker", "scopes": ["chat"], "limits": {"per_minute": 2}}))
            .await;
    check([
        Case::new(chat(&reader, "assistant"), 403).code("forbidden"),
        Case::new(reader.get("/api/v1/conversations"), 200),
        Case::new(talker.get("/api/v1/conversations"), 403).code("forbidden"),
        Case::new(chat(&talker, "assistant"), 200),
        Case::new(chat(&talker, "assistant"), 200),
        Case::new(chat(&talker, "assistant"), 429).code("rate_limited"),
    ])
    .await;
    let whoami = talker.get("/api/v1/whoami").send().await.json();
    assert_eq!(whoami["principal"]["scopes"], json!(["chat"]));
    let limits = whoami["limits"].as_array().unwrap();
    assert!(limits.iter().any(|limit| limit["scope"] == "key" && limit["remaining"] == 0), "{whoami}");
    // A limit that is wider than the server's changes nothing.
    let (wide, _) =
        made(&world, &ada.caller, json!({"name": "wide", "limits": {"per_minute": 1_000_000}})).await;
    let answer = chat(&wide, "assistant").send().await;
    assert_ne!(answer.header("x-ratelimit-limit"), "1000000", "{answer:?}");
}

#[tokio::test]
async fn a_key_that_is_asked_for_twice_is_made_once() {
    let world = Setup::sqlite().unlimited().start().await;
    let (ada, eve) =
        (world.person("ada@example.org", false).await, world.person("eve@example.org", false).await);
    let ask =
        |caller: &Caller, name: &str| make(caller, json!({"name": name})).header("idempotency-key", "once");
    let first = ask(&ada.caller, "shop").send().await;
    let again = ask(&ada.caller, "shop").send().await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!((again.header("cache-control"), again.header("content-encoding")), ("no-store", ""));
    check([Case::new(ask(&ada.caller, "another"), 409).code("idempotency_conflict")]).await;
    assert_ne!(ask(&eve.caller, "shop").send().await.json()["key"], first.json()["key"]);
    assert_eq!(everything(&ada.caller, "/api/v1/keys?limit=100").await.len(), 1);
    // What is kept to be repeated is sealed: the file of the database tells nobody the key.
    let key = first.json()["key"].as_str().unwrap().to_owned();
    for name in ["stoa.db", "stoa.db-wal"] {
        let bytes = std::fs::read(world.data().join(name)).unwrap_or_default();
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()), "{name} holds a key");
        assert!(
            !bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()),
            "{name} holds a password"
        );
    }
}
