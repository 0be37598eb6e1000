//! What admins do over HTTP: everything works for them, holds at once, is written down, and is there for nobody else.

use serde_json::{Value, json};

use crate::world::{Caller, Case, PASSWORD, Setup, check, everything, on_both_engines};

const RANDOM: &str = "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d";

#[tokio::test]
async fn nobody_else_gets_in() {
    let world = Setup::sqlite().unlimited().start().await;
    let member = world.member().await;
    let visitor = world.visitor();
    visitor.get("/").send().await;
    let document = world.anonymous().get("/openapi.json").send().await.json();
    let mut cases = Vec::new();
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/api/v1/admin/") {
            continue;
        }
        let path = path
            .replace("{id}", RANDOM)
            .replace("{app}", "workspace")
            .replace("{net}", "192.0.2.1")
            .replace("{period}", "daily");
        for method in methods.as_object().unwrap().keys() {
            count += 1;
            // Whoever may not is told so before anything they sent is looked at.
            for body in [None, Some("{"), Some("{\"mode\":\"users\"}")] {
                let ask = |caller: &Caller| {
                    let request = caller.request(&method.to_uppercase(), &path);
                    match body {
                        Some(body) => request.header("content-type", "application/json").body(body),
                        None => request,
                    }
                };
                cases.push(Case::new(ask(&world.anonymous()), 401).code("unauthenticated"));
                cases.push(Case::new(ask(&visitor), 401).code("unauthenticated"));
                cases.push(Case::new(ask(&world.key()), 403).code("forbidden"));
                cases.push(Case::new(ask(&member.caller), 403).code("forbidden"));
            }
        }
    }
    assert!(count >= 27, "{count} operations");
    check(cases).await;
    let denied = format!("user:{}", member.id);
    world
        .await_audit("authz.denied", |event| {
            event["actor"] == denied.as_str() && event["details"]["permission"] == "admin"
        })
        .await;
}

on_both_engines! {
    /// Accounts: made, found, changed, granted, erased.
    async fn users_and_grants(setup) {
        let world = setup.unlimited().start().await;
        let admin = world.admin().await;
        let users = "/api/v1/admin/users";
        let create = |body: Value| admin.caller.post(users).json(&body);
        let good = json!({"email": "Ada@Example.org", "password": PASSWORD, "name": "Ada"});
        let made = create(good.clone()).send().await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        assert_eq!((&made["email"], &made["role"], &made["active"]), (&json!("ada@example.org"), &json!("user"), &json!(true)));
        let id = made["id"].as_str().unwrap().to_owned();
        let one = format!("{users}/{id}");
        let random = format!("{users}/{RANDOM}");
        let change = |path: &str, body: Value| admin.caller.put(path).json(&body);
        let get = |path: &str| admin.caller.get(path);
        check([
            Case::new(create(good), 409).code("conflict"),
            Case::new(create(json!({"email": "b@example.org"})), 400).code("invalid_input").holds("password"),
            Case::new(create(json!({"email": "b@example.org", "password": "short"})), 400).code("invalid_input"),
            Case::new(create(json!({"email": "b", "password": PASSWORD})), 400).code("invalid_input").holds("email"),
            Case::new(create(json!({"email": "b@example.org", "password": PASSWORD, "role": "root"})), 400).code("invalid_input").holds("role"),
            Case::new(create(json!({"email": "b@example.org", "password": PASSWORD, "id": RANDOM})), 400).code("invalid_input").holds("id"),
            Case::new(get(&format!("{users}?q=ADA@example.org")), 200).holds(&id).lacks("admin@example.org"),
            Case::new(get(&format!("{users}?q=nobody@example.org")), 200).lacks(&id),
            Case::new(get(&format!("{users}?role=admin")), 200).lacks(&id).holds("admin@example.org"),
            Case::new(get(&format!("{users}?role=root")), 400).code("invalid_input"),
            Case::new(get(&format!("{users}?colour=red")), 400).code("invalid_input"),
            Case::new(get(&format!("{users}?active=false")), 200).lacks(&id),
            Case::new(get(&format!("{users}?limit=0")), 400).code("invalid_input"),
            Case::new(get(&one), 200).holds("Ada"),
            Case::new(get(&random), 404).code("not_found"),
            Case::new(get(&format!("{users}/1")), 400).code("invalid_id"),
            Case::new(change(&one, json!({"name": "Countess"})), 200).holds("Countess"),
            Case::new(change(&one, json!({"role": "root"})), 400).code("invalid_input"),
            Case::new(change(&one, json!({"password": PASSWORD})), 400).code("invalid_input").holds("password"),
            Case::new(change(&random, json!({"active": true})), 404).code("not_found"),
            Case::new(change(&format!("{users}/{}", admin.id), json!({"role": "user"})), 409).code("conflict"),
            Case::new(change(&format!("{users}/{}", admin.id), json!({"active": false})), 409).code("conflict"),
            Case::new(admin.caller.delete(&format!("{users}/{}", admin.id)), 409).code("conflict"),
        ]).await;
        assert_eq!(everything(&admin.caller, &format!("{users}?limit=1")).await.len(), 2);
        let ada = world.bearer(&world.sign_in("ada@example.org").await);
        let grants = format!("{one}/grants");
        let grant = |app: &str, body: Value| admin.caller.put(&format!("{grants}/{app}")).json(&body);
        let enters = || ada.get("/apps/workspace");
        check([
            Case::new(enters(), 403).code("forbidden"),
            Case::new(grant("workspace", json!({"level": "own"})), 400).code("invalid_input"),
            Case::new(grant("workspace", json!({})), 400).code("invalid_input"),
            Case::new(grant("nonsense", json!({"level": "use"})), 404).code("not_found"),
            Case::new(grant("workspace", json!({"level": "use"})), 200).holds("workspace"),
            Case::new(ada.get("/api/v1/apps"), 200).holds("workspace"),
            Case::new(get(&grants), 200).holds("\"use\""),
            Case::new(grant("workspace", json!({"level": "manage"})), 200).holds("manage"),
            Case::new(ada.get("/api/v1/whoami"), 200).holds("manage"),
            Case::new(admin.caller.put(&format!("{random}/grants/workspace")).json(&json!({"level": "use"})), 404).code("not_found"),
            Case::new(get(&format!("{random}/grants")), 404).code("not_found"),
            Case::new(admin.caller.delete(&format!("{grants}/workspace")), 204),
            Case::new(admin.caller.delete(&format!("{grants}/workspace")), 404).code("not_found"),
            Case::new(ada.get("/api/v1/apps"), 200).lacks("workspace"),
        ]).await;
        check([
            Case::new(change(&one, json!({"active": false})), 200).holds("\"active\":false"),
            Case::new(ada.get("/api/v1/me"), 403).code("inactive"),
            Case::new(get(&format!("{users}?active=false")), 200).holds(&id),
            Case::new(change(&one, json!({"active": true})), 200),
            Case::new(ada.get("/api/v1/me"), 401).code("unauthenticated"),
            Case::new(get(&format!("{one}/export")), 200).holds("Countess"),
        ]).await;
        let invitation = admin.caller.post("/api/v1/admin/invitations").json(&json!({"email": "bob@example.org"})).send().await;
        assert_eq!(invitation.status, 201, "{invitation:?}");
        assert!(invitation.json()["url"].as_str().unwrap().contains(invitation.json()["invitation"].as_str().unwrap()));
        let erased = admin.caller.delete(&one).send().await;
        assert_eq!((erased.status, &erased.json()["counts"]["users"]), (200, &json!(1)), "{erased:?}");
        check([Case::new(get(&one), 404).code("not_found"), Case::new(admin.caller.delete(&one), 404).code("not_found")]).await;
        let actor = format!("user:{}", admin.id);
        for event in ["user.changed", "permission.changed", "data.erased", "data.exported"] {
            let found = world.audited(event).await;
            assert!(found.iter().any(|event| event["actor"] == actor.as_str()), "{event}: {found:?}");
        }
        let changed = world.audited("permission.changed").await;
        assert!(changed.iter().any(|event| event["details"]["before"] == "use" && event["details"]["after"] == "manage"), "{changed:?}");
        world.verify_audit().await;
    }

    /// What others hold: seen and ended.
    async fn sessions_and_keys_of_others(setup) {
        let world = setup.unlimited().start().await;
        let admin = world.admin().await;
        let ada = world.person("ada@example.org", false).await;
        let sessions = "/api/v1/admin/sessions";
        assert_eq!(everything(&admin.caller, &format!("{sessions}?limit=1")).await.len(), 2);
        let hers = everything(&admin.caller, &format!("{sessions}?user={}&limit=10", ada.id)).await;
        assert_eq!((hers.len(), &hers[0]["user_id"], &hers[0]["current"]), (1, &json!(ada.id), &json!(false)), "{hers:?}");
        let end = |id: &str| admin.caller.delete(&format!("{sessions}/{id}"));
        check([
            Case::new(admin.caller.get(&format!("{sessions}?user=1")), 400).code("invalid_id"),
            Case::new(end(RANDOM), 404).code("not_found"),
            Case::new(end("1"), 400).code("invalid_id"),
            Case::new(end(hers[0]["id"].as_str().unwrap()), 204),
            Case::new(ada.caller.get("/api/v1/me"), 401).code("unauthenticated"),
        ]).await;
        let again = world.bearer(&world.sign_in("ada@example.org").await);
        let key = again.post("/api/v1/keys").json(&json!({"name": "hers"})).send().await.json();
        let holder = world.anonymous().with("x-api-key", key["key"].as_str().unwrap());
        let keys = everything(&admin.caller, &format!("/api/v1/admin/keys?user={}&limit=10", ada.id)).await;
        assert_eq!((keys.len(), &keys[0]["name"]), (1, &json!("hers")), "{keys:?}");
        let revoke = |id: &str| admin.caller.delete(&format!("/api/v1/admin/keys/{id}"));
        check([
            Case::new(holder.get("/api/v1/apps"), 200),
            Case::new(revoke(RANDOM), 404).code("not_found"),
            Case::new(revoke(keys[0]["id"].as_str().unwrap()), 204),
            Case::new(holder.get("/api/v1/apps"), 401).code("unauthenticated"),
            Case::new(admin.caller.delete(&format!("/api/v1/admin/users/{}/sessions", ada.id)), 204),
            Case::new(again.get("/api/v1/me"), 401).code("unauthenticated"),
        ]).await;
        world.verify_audit().await;
    }

    /// The brake over HTTP, and back to exactly what was.
    async fn the_brake(setup) {
        let world = setup.unlimited().start().await;
        let admin = world.admin().await;
        let member = world.member().await;
        let lockdown = |body: Value| admin.caller.put("/api/v1/admin/lockdown").json(&body);
        let revoke = |body: Value| admin.caller.post("/api/v1/admin/revoke").json(&body);
        check([
            Case::new(lockdown(json!({"mode": "everybody"})), 400).code("invalid_input"),
            Case::new(lockdown(json!({})), 400).code("invalid_input"),
            Case::new(revoke(json!({"what": "everything"})), 400).code("invalid_input"),
            Case::new(revoke(json!({"what": "tokens", "sure": true})), 400).code("invalid_input"),
            Case::new(member.caller.get("/api/v1/me"), 200),
            Case::new(lockdown(json!({"mode": "users"})), 200).holds("users"),
            Case::new(member.caller.get("/api/v1/me"), 403).code("locked_down"),
            Case::new(world.key().get("/api/v1/apps"), 403).code("locked_down"),
            Case::new(world.anonymous().get("/api/v1/apps"), 200),
            Case::new(lockdown(json!({"mode": "admin-only"})), 200),
            Case::new(world.anonymous().get("/api/v1/apps"), 403).code("locked_down"),
            Case::new(admin.caller.get("/api/v1/admin/lockdown"), 200).holds("admin-only").holds(&admin.id),
            Case::new(lockdown(json!({"mode": "off"})), 200),
            Case::new(member.caller.get("/api/v1/apps"), 200).holds("workspace"),
            Case::new(world.key().get("/api/v1/apps"), 200),
        ]).await;
        let ended = revoke(json!({"what": "tokens"})).send().await;
        assert_eq!((ended.status, &ended.json()["tokens"]), (200, &json!(2)), "{ended:?}");
        check([
            Case::new(member.caller.get("/api/v1/me"), 401).code("unauthenticated"),
            Case::new(admin.caller.get("/api/v1/me"), 401).code("unauthenticated"),
        ]).await;
        world.verify_audit().await;
    }

    /// The audit log: read, filtered, and exported whole.
    async fn the_audit_log(setup) {
        let world = setup.unlimited().start().await;
        let admin = world.admin().await;
        for n in 0..130 {
            let answer = admin.caller.put("/api/v1/me").json(&json!({"name": format!("name {n}")})).send().await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let actor = format!("user:{}", admin.id);
        let hers = format!("event=user.changed&actor={actor}");
        let log = "/api/v1/admin/audit";
        let created = everything(&admin.caller, &format!("{log}?{hers}&limit=100")).await;
        assert_eq!(created.len(), 130);
        let get = |query: &str| admin.caller.get(&format!("{log}{query}"));
        check([
            Case::new(get("?severity=odd"), 400).code("invalid_input"),
            Case::new(get("?since=yesterday"), 400).code("invalid_input"),
            Case::new(get("?colour=red"), 400).code("invalid_input"),
            Case::new(get("?event=user.changed&severity=critical"), 200).lacks("user.changed"),
            Case::new(get(&format!("?{hers}")), 200).holds("user.changed"),
            Case::new(get(&format!("?actor=user:{RANDOM}")), 200).lacks("user.changed"),
            Case::new(get("?since=2099-01-01T00:00:00Z"), 200).lacks("user.changed"),
            Case::new(get("?ip=203.0.113.1"), 200).lacks("user.changed"),
            Case::new(get("/export?format=xml"), 400).code("invalid_input"),
        ]).await;
        let export = get(&format!("/export?{hers}")).send().await;
        assert_eq!((export.status, export.header("content-type")), (200, "application/json"), "{export:?}");
        assert!(export.header("content-disposition").contains("audit.json"));
        assert_eq!(export.json().as_array().unwrap(), &created);
        let export = get(&format!("/export?format=csv&{hers}")).send().await;
        assert!(export.header("content-type").starts_with("text/csv"), "{export:?}");
        assert_eq!(export.text().lines().count(), 131);
        let exported = world.audited("data.exported").await;
        assert_eq!(exported.len(), 2, "{exported:?}");
        let file = world.folder.path().join("audit.csv");
        let output = world.stoa(&["audit", "export", "--format", "csv", "--event", "user.changed", "--actor", &actor, "--out", file.to_str().unwrap()]).await;
        assert!(output.success(), "{output:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 131);
        let again = world.stoa(&["audit", "export", "--out", file.to_str().unwrap()]).await;
        assert_eq!(again.code, Some(1), "a file is never written over: {again:?}");
        let printed = world.told(&["audit", "export", "--event", "user.changed", "--actor", &actor]).await.remove(0);
        assert_eq!(printed.as_array().unwrap().len(), 130);
        assert_eq!(world.stoa(&["audit", "export", "--format", "xml"]).await.code, Some(1));
        world.verify_audit().await;
    }

    /// Blocks, usage, settings, alerts.
    async fn the_rest(setup) {
        let world = setup.unlimited().start().await;
        let admin = world.admin().await;
        let blocks = "/api/v1/admin/blocks";
        let block = |body: Value| admin.caller.post(blocks).json(&body);
        let made = block(json!({"net": "203.0.113.9/24", "for_seconds": 3600, "reason": "knocks"})).send().await;
        assert_eq!((made.status, &made.json()["net"]), (201, &json!("203.0.113.0/24")), "{made:?}");
        check([
            Case::new(block(json!({"net": "everywhere"})), 400).code("invalid_input"),
            Case::new(block(json!({"net": ""})), 400).code("invalid_input"),
            Case::new(block(json!({"net": "192.0.2.1", "for_seconds": 0})), 400).code("invalid_input"),
            Case::new(admin.caller.get(blocks), 200).holds("203.0.113.0/24").holds("knocks"),
            Case::new(admin.caller.delete(&format!("{blocks}/198.51.100.0%2F24")), 404).code("not_found"),
            Case::new(admin.caller.delete(&format!("{blocks}/203.0.113.0%2F24")), 204),
            Case::new(admin.caller.get(blocks), 200).lacks("203.0.113.0/24"),
        ]).await;
        let id = world.conversation(&admin.caller).await;
        world.say(&admin.caller, &id, "hello").await;
        let usage = admin.caller.get("/api/v1/admin/usage").send().await;
        assert_eq!(usage.status, 200, "{usage:?}");
        let usage = usage.json();
        assert_eq!((&usage["apps"][0]["name"], &usage["apps"][0]["requests"], &usage["apps"][0]["conversations"]), (&json!("assistant"), &json!(1), &json!(1)), "{usage}");
        assert_eq!(usage["principals"][0]["name"], format!("user:{}", admin.id));
        assert!(usage["apps"][0]["output_tokens"].as_u64().unwrap() > 0, "{usage}");
        check([
            Case::new(admin.caller.get("/api/v1/admin/usage?since=2099-01-01T00:00:00Z"), 400).code("invalid_input"),
            Case::new(admin.caller.get("/api/v1/admin/usage?until=2020-01-01T00:00:00Z"), 200).holds("\"apps\":[]"),
        ]).await;
        let settings = admin.caller.get("/api/v1/admin/settings").send().await;
        assert_eq!(settings.status, 200, "{settings:?}");
        let text = settings.text();
        assert!(text.contains("server.port") && text.contains("API_PORT"), "{text}");
        let all = settings.json();
        let of = |name: &str| all["items"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
        assert_eq!((&of("server.port")["secret"], &of("server.port")["chosen"]), (&json!(false), &json!(true)));
        assert_eq!((&of("identity.api_keys")["secret"], &of("identity.api_keys")["chosen"]), (&json!(true), &json!(true)));
        assert!(!text.contains(crate::world::KEY) && !text.contains(crate::world::MODEL_KEY), "secrets are fingerprints");
        let alerts = "/api/v1/admin/alerts";
        check([
            Case::new(admin.caller.get(alerts), 200).holds("items"),
            Case::new(admin.caller.get(&format!("{alerts}?state=open")), 200),
            Case::new(admin.caller.get(&format!("{alerts}?state=odd")), 400).code("invalid_input"),
            Case::new(admin.caller.post(&format!("{alerts}/{RANDOM}/acknowledge")), 404).code("not_found"),
            Case::new(admin.caller.post(&format!("{alerts}/1/acknowledge")), 400).code("invalid_id"),
        ]).await;
        world.verify_audit().await;
    }
}
