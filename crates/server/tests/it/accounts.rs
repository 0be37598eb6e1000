//! Accounts over HTTP and at the command line: the first admin, registration, one's own account, its data and its end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Caller, Case, PASSWORD, Setup, World, check, eventually, everything, on_both_engines};

const SECOND: Duration = Duration::from_secs(1);
/// The operations where nobody has proven anything yet, each with a body that is right but for its secrets.
fn entrances() -> Vec<(&'static str, Value)> {
    vec![
        ("register", json!({"email": "new@example.org", "password": PASSWORD})),
        ("login", json!({"email": "nobody@example.org", "password": PASSWORD})),
        ("refresh", json!({"refresh_token": "nothing"})),
        ("exchange", json!({"id_token": "nothing"})),
        ("setup", json!({"token": "nothing", "email": "a@example.org", "password": PASSWORD})),
        ("password/forgot", json!({"email": "nobody@example.org"})),
        ("password/reset", json!({"token": "nothing", "password": PASSWORD})),
        ("verify", json!({"token": "nothing"})),
        ("passkey/finish", json!({"state": "nothing", "answer": {}})),
    ]
}

/// The set-up token that a fresh server printed.
async fn setup_token(world: &World) -> String {
    let line =
        || world.process.complaint().lines().find(|line| line.contains("set-up token")).map(str::to_owned);
    eventually(SECOND, "a set-up token is printed", async || line().is_some()).await;
    let line = line().unwrap();
    assert!(line.contains("/setup"), "{line}");
    line.split_whitespace().last().unwrap().to_owned()
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let world = Setup::sqlite().unlimited().start().await;
    let caller = world.anonymous();
    let mut cases = Vec::new();
    for (name, good) in entrances() {
        let post = |body: &Value| caller.post(&format!("/api/v1/auth/{name}")).json(body);
        let fields: Vec<String> = good.as_object().unwrap().keys().cloned().collect();
        for field in &fields {
            let mut without = good.clone();
            without.as_object_mut().unwrap().remove(field);
            cases.push(Case::new(post(&without), 400).code("invalid_input").holds(field));
            for wrong in [json!(""), json!("  "), json!(null), json!(["a"]), json!(7)] {
                // What an authenticator answered may be any value; it is looked at by who knows passkeys.
                if field == "answer" {
                    continue;
                }
                let mut body = good.clone();
                body[field] = wrong;
                cases.push(Case::new(post(&body), 400).code("invalid_input").holds(field));
            }
        }
        for unknown in ["role", "id", "is_admin", "verified_at", "owner"] {
            let mut body = good.clone();
            body[unknown] = json!("admin");
            cases.push(Case::new(post(&body), 400).code("invalid_input").holds(unknown));
        }
        let raw = || caller.post(&format!("/api/v1/auth/{name}"));
        cases.push(
            Case::new(raw().header("content-type", "application/json").body("{"), 400).code("invalid_json"),
        );
        cases.push(
            Case::new(raw().header("content-type", "application/json").body("[]"), 400).code("invalid_input"),
        );
        cases.push(Case::new(raw().body("email=a&password=b"), 415).code("unsupported_type"));
        let mut large = good.clone();
        large["padding"] = json!("x".repeat(20_000));
        cases.push(Case::new(post(&large), 413).code("too_large"));
    }
    check(cases).await;
}

#[tokio::test]
async fn wrong_secrets_open_nothing() {
    let world = Setup::sqlite().unlimited().start().await;
    world.account("ada@example.org", false).await;
    let caller = world.anonymous();
    let post = |name: &str, body: Value| caller.post(&format!("/api/v1/auth/{name}")).json(&body);
    let unknown = post("login", json!({"email": "nobody@example.org", "password": PASSWORD})).send().await;
    let wrong =
        post("login", json!({"email": "ada@example.org", "password": "wrong but long enough"})).send().await;
    assert_eq!((unknown.status, unknown.code().as_str()), (401, "unauthenticated"), "{unknown:?}");
    let told = |answer: &crate::world::Answer| {
        let mut body = answer.json();
        body["request_id"].take();
        (answer.status, body)
    };
    assert_eq!(told(&unknown), told(&wrong), "nobody learns which accounts there are");
    check([
        Case::new(post("refresh", json!({"refresh_token": "nothing"})), 401).code("unauthenticated"),
        Case::new(post("exchange", json!({"id_token": "nothing"})), 401).code("unauthenticated"),
        Case::new(post("password/forgot", json!({"email": "nobody@example.org"})), 202).holds("accepted"),
        Case::new(post("password/forgot", json!({"email": "ada@example.org"})), 202).holds("accepted"),
    ])
    .await;
    let event =
        world.await_audit("auth.failure", |event| event["details"]["reason"] == "unknown account").await;
    assert_eq!(event["actor"], "anonymous");
    let log = world.process.log();
    assert!(!log.contains("ada@example.org") && !log.contains(PASSWORD), "{log}");
}

on_both_engines! {
    /// The token of a fresh server makes one admin, once.
    async fn a_fresh_server_is_claimed_once(setup) {
        let mut world = setup.unlimited().start().await;
        let token = setup_token(&world).await;
        let caller = world.anonymous();
        let claim = |token: &str, email: &str| {
            let body = json!({"token": token, "email": email, "password": PASSWORD});
            caller.post("/api/v1/auth/setup").json(&body)
        };
        let wrong = claim("x", "a@example.org").send().await;
        assert!([400, 401, 404].contains(&wrong.status), "{wrong:?}");
        let claims = (0..20).map(|n| claim(&token, &format!("admin{n}@example.org")).send());
        let answers = futures_util::future::join_all(claims).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        let lost = answers.iter().filter(|answer| answer.status != 200);
        assert!(lost.clone().all(|answer| [401, 404, 409].contains(&answer.status)), "{:?}", lost.collect::<Vec<_>>());
        let admin = world.bearer(&won[0].json());
        let me = admin.get("/api/v1/me").send().await.json();
        assert_eq!((&me["role"], &me["has_password"]), (&json!("admin"), &json!(true)), "{me}");
        assert_eq!(world.told(&["user", "list", "--json"]).await[0].as_array().unwrap().len(), 1);
        let whoami = admin.get("/api/v1/whoami").send().await.json();
        assert_eq!(whoami["principal"]["role"], "admin");
        assert_eq!(whoami["principal"]["method"], "token");
        assert!(!world.process.log().contains(&token), "the token is for the terminal alone");
        world.restart_with("LOG_LEVEL", "INFO").await;
        assert!(!world.process.complaint().contains("set-up token"));
        world.verify_audit().await;
    }

    /// One's own account: read, renamed, its password changed, its sessions ended.
    async fn an_account_belongs_to_its_owner(setup) {
        let world = setup.unlimited().start().await;
        let ada = world.person("ada@example.org", false).await;
        let eve = world.person("eve@example.org", false).await;
        let me = ada.caller.get("/api/v1/me").send().await;
        assert_eq!(me.header("cache-control"), "no-store");
        let me = me.json();
        assert_eq!((&me["id"], &me["email"], &me["role"]), (&json!(ada.id), &json!("ada@example.org"), &json!("user")));
        assert_eq!(me["second_factor"], json!({"totp": false, "recovery_codes_left": 0, "passkeys": 0}));
        let visitor = world.visitor();
        visitor.get("/").send().await;
        let name = |caller: &Caller, body: Value| caller.put("/api/v1/me").json(&body);
        check([
            Case::new(name(&ada.caller, json!({"name": "Ada Lovelace"})), 200).holds("Ada Lovelace"),
            Case::new(name(&ada.caller, json!({"name": ""})), 400).code("invalid_input"),
            Case::new(name(&ada.caller, json!({})), 400).code("invalid_input"),
            Case::new(name(&ada.caller, json!({"name": "A", "role": "admin"})), 400).code("invalid_input"),
            Case::new(name(&ada.caller, json!({"name": "A", "email": "root@example.org"})), 400).code("invalid_input"),
            // Who may not, is not told what would have been wrong.
            Case::new(name(&world.anonymous(), json!({"role": 1})), 401).code("unauthenticated"),
            Case::new(name(&visitor, json!({"role": 1})), 401).code("unauthenticated"),
            Case::new(name(&world.key(), json!({"role": 1})), 403).code("forbidden"),
            Case::new(world.anonymous().get("/api/v1/me"), 401).code("unauthenticated"),
            Case::new(world.key().get("/api/v1/me"), 403).code("forbidden"),
        ]).await;
        let second = world.bearer(&world.sign_in("ada@example.org").await);
        let sessions = everything(&ada.caller, "/api/v1/me/sessions?limit=1").await;
        assert_eq!(sessions.len(), 2, "{sessions:?}");
        let of = |caller: &Caller| { let caller = caller.clone(); async move { caller.get("/api/v1/whoami").send().await.json()["principal"]["session_id"].clone() } };
        let second_id = of(&second).await;
        let current: Vec<_> = sessions.iter().filter(|one| one["current"] == true).collect();
        assert_eq!(current.len(), 1);
        assert_eq!(current[0]["id"], of(&ada.caller).await);
        let end = |caller: &Caller, id: &str| caller.delete(&format!("/api/v1/me/sessions/{id}"));
        let second_id = second_id.as_str().unwrap();
        check([
            Case::new(end(&eve.caller, second_id), 404).code("not_found"),
            Case::new(end(&ada.caller, "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d"), 404).code("not_found"),
            Case::new(end(&ada.caller, "1"), 400).code("invalid_id"),
            Case::new(end(&world.anonymous(), second_id), 401).code("unauthenticated"),
            Case::new(second.get("/api/v1/me"), 200),
            Case::new(end(&ada.caller, second_id), 204),
            Case::new(second.get("/api/v1/me"), 401).code("unauthenticated"),
            Case::new(ada.caller.get("/api/v1/me"), 200),
        ]).await;
        // A new password ends every other session and is asked for from then on.
        let third = world.bearer(&world.sign_in("ada@example.org").await);
        let new = "violet engine turns 21 wheels";
        let change = |current: &str, new: &str| {
            ada.caller.put("/api/v1/me/password").json(&json!({"current_password": current, "new_password": new}))
        };
        check([
            Case::new(change("not the password", new), 400).code("invalid_input").holds("password"),
            Case::new(change(PASSWORD, "short"), 400).code("invalid_input"),
            Case::new(change(PASSWORD, "ada@example.org ada"), 400).code("invalid_input"),
            Case::new(change(PASSWORD, new), 204),
            Case::new(third.get("/api/v1/me"), 401).code("unauthenticated"),
            Case::new(ada.caller.get("/api/v1/me"), 200),
        ]).await;
        let login = |password: &str| {
            world.anonymous().post("/api/v1/auth/login").json(&json!({"email": "ada@example.org", "password": password}))
        };
        check([Case::new(login(PASSWORD), 401).code("unauthenticated"), Case::new(login(new), 200)]).await;
        world.verify_audit().await;
    }

    /// All data, out and away.
    async fn data_goes_out_and_away(setup) {
        let world = setup.unlimited().start().await;
        let ada = world.person("ada@example.org", false).await;
        let visitor = world.visitor();
        visitor.get("/").send().await;
        for caller in [&ada.caller, &visitor] {
            let id = world.conversation(caller).await;
            world.say(caller, &id, "the word is marmalade").await;
            let export = caller.get("/api/v1/me/export").send().await;
            assert_eq!(export.status, 200, "{export:?}");
            assert!(export.header("content-disposition").starts_with("attachment"));
            let export = export.json();
            assert!(export["tables"]["messages"].to_string().contains("marmalade"), "{export}");
        }
        let export = ada.caller.get("/api/v1/me/export").send().await.text();
        assert!(export.contains("ada@example.org") && !export.contains("argon2"), "{export}");
        let erase = |caller: &Caller, body: Option<Value>| {
            let request = caller.delete("/api/v1/me");
            match body { Some(body) => request.json(&body), None => request }
        };
        check([
            Case::new(world.anonymous().get("/api/v1/me/export"), 401).code("unauthenticated"),
            Case::new(erase(&world.anonymous(), None), 401).code("unauthenticated"),
            Case::new(erase(&world.key(), None), 403).code("forbidden"),
            Case::new(world.key().get("/api/v1/me/export"), 403).code("forbidden"),
            Case::new(erase(&ada.caller, Some(json!({"password": "not the password"}))), 400).code("invalid_input"),
            Case::new(erase(&ada.caller, Some(json!({"password": PASSWORD, "sure": true}))), 400).code("invalid_input"),
            Case::new(erase(&ada.caller, Some(json!({"password": null}))), 400).code("invalid_input"),
        ]).await;
        for (caller, body) in [(&ada.caller, Some(json!({"password": PASSWORD}))), (&visitor, None)] {
            let erased = erase(caller, body).send().await;
            assert_eq!(erased.status, 200, "{erased:?}");
            let erased = erased.json();
            assert_eq!(erased["counts"]["messages"], 2, "{erased}");
            let path = format!("/api/v1/erasures/{}", erased["id"].as_str().unwrap());
            let receipt = world.anonymous().get(&path).send().await.json();
            assert_eq!((&receipt["counts"], &receipt["scan"]["left"]), (&erased["counts"], &json!({})), "{receipt}");
        }
        check([
            Case::new(ada.caller.get("/api/v1/me"), 401).code("unauthenticated"),
            Case::new(world.anonymous().get("/api/v1/erasures/019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d"), 404).code("not_found"),
            Case::new(world.anonymous().get("/api/v1/erasures/1"), 400).code("invalid_id"),
            Case::new(world.anonymous().post("/api/v1/auth/login").json(&json!({"email": "ada@example.org", "password": PASSWORD})), 401).code("unauthenticated"),
        ]).await;
        // The address is free again.
        world.account("ada@example.org", false).await;
        let admin = world.admin().await;
        let last = erase(&admin.caller, Some(json!({"password": PASSWORD})));
        check([Case::new(last, 409).code("conflict")]).await;
        world.verify_audit().await;
    }

    /// The operator's commands hold on the running server within a second.
    async fn accounts_are_changed_beside_the_running_server(setup) {
        let world = setup.unlimited().start().await;
        let ada = world.person("ada@example.org", false).await;
        let status = async || ada.caller.get("/api/v1/me").send().await;
        let told = world.told(&["user", "show", "ada@example.org", "--json"]).await.remove(0);
        assert_eq!((&told["id"], &told["role"], &told["active"]), (&json!(ada.id), &json!("user"), &json!(true)));
        assert_eq!(told["sessions"].as_array().unwrap().len(), 1);
        assert!(world.stoa(&["user", "disable", "ADA@example.org"]).await.success());
        eventually(SECOND, "she is inactive", async || status().await.code() == "inactive").await;
        let login = || world.anonymous().post("/api/v1/auth/login").json(&json!({"email": "ada@example.org", "password": PASSWORD}));
        check([Case::new(login(), 403).code("inactive")]).await;
        assert!(world.stoa(&["user", "enable", "ada@example.org"]).await.success());
        eventually(SECOND, "her old session has ended", async || status().await.code() == "unauthenticated").await;
        let tokens = world.sign_in("ada@example.org").await;
        let again = world.bearer(&tokens);
        let denied = again.get("/api/v1/admin/users");
        check([Case::new(denied, 403).code("forbidden")]).await;
        assert!(world.stoa(&["user", "role", "ada@example.org", "admin"]).await.success());
        eventually(SECOND, "she is an admin", async || again.get("/api/v1/admin/users").send().await.status == 200).await;
        for refused in [&["user", "role", "ada@example.org", "user"][..], &["user", "disable", "ada@example.org"], &["user", "erase", "ada@example.org", "--yes"]] {
            let output = world.stoa(refused).await;
            assert_eq!(output.code, Some(1), "the last admin stays: {output:?}");
        }
        let made = world.told(&["user", "password", "ada@example.org", "--json"]).await.remove(0);
        let made = made["password"].as_str().unwrap();
        eventually(SECOND, "she is signed out", async || again.get("/api/v1/me").send().await.status == 401).await;
        let new = world.anonymous().post("/api/v1/auth/login").json(&json!({"email": "ada@example.org", "password": made}));
        check([Case::new(login(), 401).code("unauthenticated"), Case::new(new, 200)]).await;
        let short = world.stoa_with(&["user", "create", "b@example.org", "--password-stdin"], "short\n").await;
        assert_eq!(short.code, Some(1), "{short:?}");
        assert_eq!(world.stoa(&["user", "create", "ada@example.org"]).await.code, Some(1));
        assert_eq!(world.stoa(&["user", "create", "no address"]).await.code, Some(1));
        assert_eq!(world.stoa(&["user", "show", "nobody@example.org"]).await.code, Some(1));
        assert_eq!(world.stoa(&["user", "erase", "ada@example.org"]).await.code, Some(1), "nobody said yes");
        world.account("bob@example.org", false).await;
        let file = world.folder.path().join("bob.json");
        assert!(world.stoa(&["user", "export", "bob@example.org", "--out", file.to_str().unwrap()]).await.success());
        assert!(std::fs::read_to_string(&file).unwrap().contains("bob@example.org"));
        let erased = world.told(&["user", "erase", "bob@example.org", "--yes"]).await.remove(0);
        assert_eq!(erased["counts"]["users"], 1, "{erased}");
        let grants = world.stoa(&["grant", "add", "ada@example.org", "nonsense"]).await;
        assert_eq!(grants.code, Some(1), "{grants:?}");
        for event in ["user.changed", "permission.changed", "data.exported", "data.erased"] {
            let found = world.audited(event).await;
            assert!(found.iter().any(|event| event["actor"] == "operator"), "{event}: {found:?}");
        }
        world.verify_audit().await;
    }
}

#[tokio::test]
async fn answers_with_tokens_are_never_compressed_nor_kept() {
    let world = Setup::sqlite().unlimited().start().await;
    world.account("ada@example.org", false).await;
    let login = world.anonymous().post("/api/v1/auth/login").header("accept-encoding", "gzip, br, zstd");
    let answer = login.json(&json!({"email": "ada@example.org", "password": PASSWORD})).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!((answer.header("content-encoding"), answer.header("cache-control")), ("", "no-store"));
    assert!(!answer.headers.contains_key("set-cookie"), "a program gets no cookie: {answer:?}");
    let caller = world.bearer(&answer.json()).with("accept-encoding", "gzip, br, zstd");
    for _ in 0..20 {
        assert_eq!(
            caller.post("/api/v1/keys").json(&json!({"name": "one of many"})).send().await.status,
            201
        );
    }
    let keys = caller.get("/api/v1/keys?limit=100").send().await;
    assert!(keys.body.len() > 2_000 && keys.header("content-encoding").is_empty(), "{keys:?}");
}

#[tokio::test]
async fn another_site_signs_nobody_in() {
    let world = Setup::sqlite().unlimited().start().await;
    world.account("ada@example.org", false).await;
    let visitor = world.visitor();
    visitor.get("/").send().await;
    let login = || {
        visitor.post("/api/v1/auth/login").json(&json!({"email": "ada@example.org", "password": PASSWORD}))
    };
    check([
        Case::new(login().header("origin", "https://evil.example"), 403).code("csrf"),
        Case::new(login().without("origin").header("sec-fetch-site", "cross-site"), 403).code("csrf"),
        Case::new(login(), 200),
    ])
    .await;
    world.await_audit("security.violation", |_| true).await;
}

#[tokio::test]
async fn sign_in_has_a_limit_of_its_own() {
    let world = Setup::sqlite().production().start().await;
    world.account("ada@example.org", false).await;
    let login = |password: &str| {
        let body = json!({"email": "ada@example.org", "password": password});
        let request = world.anonymous().post("/api/v1/auth/login").json(&body);
        request
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-for", "203.0.113.9")
            .header("host", "chat.example.org")
    };
    for n in 0..5 {
        let answer = login("wrong but long enough").send().await;
        assert_eq!(answer.status, 401, "{n}: {answer:?}");
        assert_eq!(answer.header("x-ratelimit-limit"), "5", "{answer:?}");
    }
    let answer = login(PASSWORD).send().await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (429, "rate_limited"),
        "even the right one: {answer:?}"
    );
    assert_eq!(answer.json()["error"], "Rate limit exceeded");
    world
        .await_audit("ratelimit.exceeded", |event| {
            event["details"]["scope"].as_str().unwrap().starts_with("sign_in")
        })
        .await;
}

#[tokio::test]
async fn registration_tells_nothing() {
    let world = Setup::sqlite().unlimited().start().await;
    let register = |email: &str, password: &str| {
        world.anonymous().post("/api/v1/auth/register").json(&json!({"email": email, "password": password}))
    };
    let first = register("ada@example.org", PASSWORD).send().await;
    let again = register("Ada@Example.org", "another long password 4711").send().await;
    assert_eq!((first.status, first.json()), (202, json!({"status": "accepted"})), "{first:?}");
    assert_eq!((again.status, again.json()), (202, json!({"status": "accepted"})), "{again:?}");
    check([Case::new(register("bob@example.org", "short"), 400).code("invalid_input")]).await;
    // Without mail the first one signs in at once; the second changed nothing.
    eventually(Duration::from_secs(5), "the account is there", async || {
        let body = json!({"email": "ada@example.org", "password": PASSWORD});
        world.anonymous().post("/api/v1/auth/login").json(&body).send().await.status == 200
    })
    .await;
    assert_eq!(world.told(&["user", "list", "--json"]).await[0].as_array().unwrap().len(), 1);
}
