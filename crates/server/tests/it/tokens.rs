//! Access and refresh tokens: they follow each other, end with their family, and are refused once they have ended.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Caller, Case, Setup, World, check, eventually, on_both_engines};

fn refresh(world: &World, token: &Value) -> crate::world::Request {
    world.anonymous().post("/api/v1/auth/refresh").json(&json!({"refresh_token": token}))
}

fn me(caller: &Caller) -> crate::world::Request {
    caller.get("/api/v1/me")
}

on_both_engines! {
    /// Each refresh token is used once; one that comes back ends everything that came of it.
    async fn refresh_tokens_rotate_and_betray_a_thief(setup) {
        let world = setup.unlimited().start().await;
        let ada = world.person("ada@example.org", false).await;
        assert_eq!((&ada.tokens["token_type"], &ada.tokens["expires_in"]), (&json!("Bearer"), &json!(1800)));
        let next = refresh(&world, &ada.tokens["refresh_token"]).send().await;
        assert_eq!((next.status, next.header("cache-control")), (200, "no-store"), "{next:?}");
        let next = next.json();
        assert_ne!(next["refresh_token"], ada.tokens["refresh_token"]);
        let caller = world.bearer(&next);
        let other = world.bearer(&world.sign_in("ada@example.org").await);
        check([
            Case::new(me(&caller), 200),
            Case::new(refresh(&world, &ada.tokens["refresh_token"]), 401).code("unauthenticated"),
            Case::new(me(&caller), 401).code("unauthenticated"),
            Case::new(me(&ada.caller), 401).code("unauthenticated"),
            Case::new(refresh(&world, &next["refresh_token"]), 401).code("unauthenticated"),
            Case::new(me(&other), 200),
        ]).await;
        let event = world.await_audit("token.reuse", |_| true).await;
        assert_eq!(event["severity"], "critical");
        world.verify_audit().await;
    }

    /// Signing out: here, by refresh token, everywhere.
    async fn signing_out_ends_what_it_says(setup) {
        let world = setup.unlimited().start().await;
        let ada = world.person("ada@example.org", false).await;
        let logout = |caller: &Caller| caller.post("/api/v1/auth/logout");
        check([
            Case::new(logout(&world.anonymous()), 401).code("unauthenticated"),
            Case::new(logout(&world.key()), 403).code("forbidden"),
            Case::new(logout(&ada.caller).json(&json!({"everywhere": true})), 400).code("invalid_input"),
            Case::new(logout(&ada.caller).json(&json!({"refresh_token": ""})), 400).code("invalid_input"),
            Case::new(logout(&ada.caller).body("x"), 415).code("unsupported_type"),
            Case::new(me(&ada.caller), 200),
            Case::new(logout(&ada.caller), 204),
            Case::new(me(&ada.caller), 401).code("unauthenticated"),
            Case::new(refresh(&world, &ada.tokens["refresh_token"]), 401).code("unauthenticated"),
        ]).await;
        let tokens = world.sign_in("ada@example.org").await;
        let caller = world.bearer(&tokens);
        let by_token = || logout(&world.anonymous()).json(&json!({"refresh_token": tokens["refresh_token"]}));
        check([
            Case::new(by_token(), 204),
            Case::new(me(&caller), 401).code("unauthenticated"),
            // What has ended already is as it should be, and so is what never was.
            Case::new(by_token(), 204),
            Case::new(logout(&world.anonymous()).json(&json!({"refresh_token": "nothing"})), 204),
        ]).await;
        let (one, two) = (world.bearer(&world.sign_in("ada@example.org").await), world.bearer(&world.sign_in("ada@example.org").await));
        check([
            Case::new(world.anonymous().post("/api/v1/auth/logout-all"), 401).code("unauthenticated"),
            Case::new(world.key().post("/api/v1/auth/logout-all"), 403).code("forbidden"),
            Case::new(one.post("/api/v1/auth/logout-all"), 204),
            Case::new(me(&one), 401).code("unauthenticated"),
            Case::new(me(&two), 401).code("unauthenticated"),
        ]).await;
        world.await_audit("auth.logout", |_| true).await;
        world.verify_audit().await;
    }
}

#[tokio::test]
async fn altered_and_foreign_tokens_are_refused() {
    let world = Setup::sqlite().unlimited().start().await;
    let ada = world.person("ada@example.org", false).await;
    let token = ada.tokens["access_token"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let holder = |token: &str| world.anonymous().with("authorization", &format!("Bearer {token}"));
    let flipped = {
        let mut bytes = parts[2].as_bytes().to_vec();
        bytes[5] = if bytes[5] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let forged = [
        format!("{}.{}.{flipped}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        // {"alg":"none","typ":"at+jwt"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", parts[1]),
        format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.{}", parts[1], parts[2]),
        // A refresh token is no access token.
        ada.tokens["refresh_token"].as_str().unwrap().to_owned(),
    ];
    check(forged.iter().map(|token| Case::new(me(&holder(token)), 401).code("unauthenticated"))).await;
    // A wrong bearer never becomes a visitor.
    let apps = holder(&forged[0]).get("/api/v1/apps").send().await;
    assert_eq!(apps.status, 401, "{apps:?}");
    assert!(apps.header("www-authenticate").starts_with("Bearer"));
    assert!(!apps.headers.contains_key("set-cookie"));
    check([Case::new(world.anonymous().get("/.well-known/jwks.json"), 404).code("not_found")]).await;
}

#[tokio::test]
async fn public_keys_are_shown_where_tokens_are_signed_with_them() {
    let world = Setup::sqlite().unlimited().set("JWT_ALGORITHM", "EdDSA").start().await;
    let ada = world.person("ada@example.org", false).await;
    check([Case::new(me(&ada.caller), 200)]).await;
    let keys = world.anonymous().get("/.well-known/jwks.json").send().await;
    assert_eq!(keys.status, 200, "{keys:?}");
    let keys = keys.json();
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["crv"]), (&json!("OKP"), &json!("Ed25519")), "{keys}");
    assert!(key["kid"].is_string() && key.get("d").is_none(), "{keys}");
}

#[tokio::test]
async fn an_access_token_ends_by_itself() {
    let world = Setup::sqlite().unlimited().set("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "1").start().await;
    let ada = world.person("ada@example.org", false).await;
    assert_eq!(ada.tokens["expires_in"], 60);
    check([Case::new(me(&ada.caller), 200)]).await;
}

#[tokio::test]
async fn the_brake_keeps_tokens_and_keys_out_and_lets_them_in_again() {
    let world = Setup::sqlite().unlimited().start().await;
    let (ada, admin) = (world.person("ada@example.org", false).await, world.admin().await);
    let second = Duration::from_secs(1);
    for (mode, visitors) in [("users", 200), ("admin-only", 403)] {
        assert!(world.stoa(&["lockdown", mode]).await.success());
        eventually(second, "the brake is pulled", async || {
            let anonymous = world.anonymous().get("/api/v1/apps").send().await.status;
            anonymous == visitors && me(&ada.caller).send().await.code() == "locked_down"
        })
        .await;
        let login = json!({"email": "ada@example.org", "password": crate::world::PASSWORD});
        check([
            Case::new(world.key().get("/api/v1/apps"), 403).code("locked_down"),
            Case::new(world.anonymous().get("/api/v1/apps"), visitors).code(if visitors == 403 {
                "locked_down"
            } else {
                ""
            }),
            Case::new(me(&admin.caller), 200),
            Case::new(world.anonymous().post("/api/v1/auth/login").json(&login), 403).code("locked_down"),
        ])
        .await;
    }
    assert!(world.stoa(&["lockdown", "off"]).await.success());
    eventually(second, "the brake is released", async || me(&ada.caller).send().await.status == 200).await;
    check([Case::new(world.key().get("/api/v1/apps"), 200)]).await;
    let status = world.told(&["lockdown", "status", "--json"]).await.remove(0);
    assert_eq!((&status["mode"], &status["by"]), (&json!("off"), &json!("operator")), "{status}");
    assert!(world.stoa(&["revoke", "tokens"]).await.success());
    eventually(second, "tokens have ended", async || me(&ada.caller).send().await.status == 401).await;
    assert_eq!(me(&admin.caller).send().await.status, 401);
    let (made, _) = {
        let told = world.told(&["key", "create", "shop", "--json"]).await.remove(0);
        (told["key"].as_str().unwrap().to_owned(), ())
    };
    let holder = world.anonymous().with("x-api-key", &made);
    eventually(second, "the key is known", async || holder.get("/api/v1/apps").send().await.status == 200)
        .await;
    let revoked = world.told(&["revoke", "all", "--json"]).await.remove(0);
    assert_eq!(revoked["keys"], 1, "{revoked}");
    eventually(second, "the key has ended", async || holder.get("/api/v1/apps").send().await.status == 401)
        .await;
    assert_eq!(world.stoa(&["lockdown", "everybody"]).await.code, Some(2));
    assert_eq!(world.stoa(&["revoke"]).await.code, Some(2));
    for event in ["lockdown.on", "lockdown.off", "session.revoked", "key.revoked"] {
        assert_eq!(world.audited(event).await[0]["actor"], "operator", "{event}");
    }
    world.verify_audit().await;
}
