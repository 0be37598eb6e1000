//! Proofs that are forged, stretched, guessed, used twice, or used after they ended.

use std::time::Duration;

use serde_json::{Value, json};

use super::{all_at_once, cheap, holder, post};
use crate::world::{
    Caller, Case, Issuer, PASSWORD, Setup, Smtp, check, eventually, on_both_engines, signed_in,
};

const NEW: &str = "violet engine turns 21 wheels";

/// The secret behind the `#` of the newest link to this page among the mails; empty while there is none.
fn linked(smtp: &Smtp, page: &str) -> String {
    let text = smtp.told().replace("=\r\n", "").replace("=3D", "=");
    let found = text.rsplit_once(&format!("{page}#token=")).map(|(_, rest)| rest.to_owned());
    found.unwrap_or_default().chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
}

/// V11: the secret of a new password goes to the mailbox and nowhere else, counts once, and nothing stands for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_password_is_reset() {
    let smtp = Smtp::start().await;
    let url = format!("smtp://{}", smtp.address);
    let world = cheap(Setup::sqlite().unlimited())
        .set("SMTP_URL", url)
        .set("SMTP_FROM", "stoa@example.org")
        .start()
        .await;
    let ada = world.person("ada@example.org", false).await;
    let caller = world.anonymous();
    for email in ["ada@example.org", "nobody@example.org"] {
        let answer = post(&caller, "password/forgot", &json!({"email": email})).send().await;
        assert_eq!((answer.status, answer.json()), (202, json!({"status": "accepted"})), "{answer:?}");
    }
    let mut token = String::new();
    eventually(Duration::from_secs(15), "the mail comes", async || {
        token = linked(&smtp, "/reset");
        !token.is_empty()
    })
    .await;
    assert!(token.len() >= 43, "256 bits: {token}");
    assert!(!smtp.told().contains("nobody@example.org"));
    assert!(!world.process.log().contains(&token), "the log holds no secret");
    let reset = |token: Value| post(&caller, "password/reset", &json!({"token": token, "password": NEW}));
    let without = post(&caller, "password/reset", &json!({"password": NEW}));
    let mut cases = vec![Case::new(without, 400).code("invalid_input")];
    // Six digits, nothing, less, more, another: none is the token, and none uses it up.
    let wrong = [
        json!(null),
        json!(""),
        json!(" "),
        json!("0"),
        json!("000000"),
        json!([]),
        json!({"$ne": null}),
        json!(0),
        json!(true),
    ];
    let near = [
        json!(token[1..]),
        json!(format!("{token}A")),
        json!(token.to_uppercase()),
        json!(format!("{token}\u{0}")),
    ];
    cases.extend(
        wrong.into_iter().chain(near).map(|token| Case::new(reset(token), 400).code("invalid_input")),
    );
    // What may not be a password costs no link.
    cases.push(
        Case::new(post(&caller, "password/reset", &json!({"token": token, "password": "short"})), 400)
            .code("invalid_input"),
    );
    cases.push(Case::new(ada.caller.get("/api/v1/me"), 200));
    check(cases).await;
    let at_once = (0..20).map(|_| reset(json!(token))).collect();
    let answers = all_at_once(at_once).await;
    let won = answers.iter().filter(|answer| answer.status < 300).count();
    assert_eq!(won, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    let login =
        |password: &str| post(&caller, "login", &json!({"email": "ada@example.org", "password": password}));
    check([
        Case::new(reset(json!(token)), 400).code("invalid_input"),
        Case::new(ada.caller.get("/api/v1/me"), 401).code("unauthenticated"),
        Case::new(login(PASSWORD), 401).code("unauthenticated"),
        Case::new(login(NEW), 200),
    ])
    .await;
    world.verify_audit().await;
}

/// V11: a link that was asked for before another one is void.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_link_is_kept_for_later() {
    let smtp = Smtp::start().await;
    let url = format!("smtp://{}", smtp.address);
    let world = cheap(Setup::sqlite().unlimited())
        .set("SMTP_URL", url)
        .set("SMTP_FROM", "stoa@example.org")
        .start()
        .await;
    world.account("ada@example.org", false).await;
    let caller = world.anonymous();
    let mut tokens: Vec<String> = Vec::new();
    for _ in 0..2 {
        assert_eq!(
            post(&caller, "password/forgot", &json!({"email": "ada@example.org"})).send().await.status,
            202
        );
        eventually(Duration::from_secs(15), "the mail comes", async || {
            let token = linked(&smtp, "/reset");
            let fresh = !token.is_empty() && !tokens.contains(&token);
            if fresh {
                tokens.push(token);
            }
            fresh
        })
        .await;
    }
    let reset = |token: &str| post(&caller, "password/reset", &json!({"token": token, "password": NEW}));
    check([Case::new(reset(&tokens[0]), 400).code("invalid_input"), Case::new(reset(&tokens[1]), 204)]).await;
}

on_both_engines! {
    /// V7: a key never opens what its maker may not, when it is made and when it is used.
    async fn a_key_is_made_stronger_than_its_maker(setup) {
        let lab = "[[apps]]\nid = \"lab\"\nkind = \"chat\"\nusers = \"granted\"\nkeys = true\n";
        let world = cheap(setup.unlimited()).file("stoa.toml", lab).start().await;
        let (admin, ada) = (world.admin().await, world.person("ada@example.org", false).await);
        let second = world.person("second@example.org", true).await;
        let make = |caller: &Caller, body: Value| caller.post("/api/v1/keys").json(&body);
        check([
            Case::new(make(&ada.caller, json!({"name": "k", "apps": ["lab"]})), 403).code("forbidden"),
            Case::new(make(&ada.caller, json!({"name": "k", "apps": ["*"]})), 400).code("invalid_id"),
            Case::new(make(&ada.caller, json!({"name": "k", "apps": ["/*"]})), 400).code("invalid_id"),
            Case::new(make(&ada.caller, json!({"name": "k", "scopes": ["*"]})), 400).code("invalid_input"),
            Case::new(make(&ada.caller, json!({"name": "k", "scopes": ["admin"]})), 400).code("invalid_input"),
            Case::new(make(&ada.caller, json!({"name": "k", "role": "admin"})), 400).code("invalid_input"),
            Case::new(make(&ada.caller, json!({"name": "k", "user_id": admin.id})), 400).code("invalid_input"),
        ]).await;
        let key = |made: Value| world.anonymous().with("x-api-key", made["key"].as_str().unwrap());
        // One that names no app has those of its maker, also those that come later, and loses them with the maker.
        let all = key(make(&ada.caller, json!({"name": "all"})).send().await.json());
        let strong = key(make(&second.caller, json!({"name": "strong", "apps": ["lab"]})).send().await.json());
        let grant = format!("/api/v1/admin/users/{}/grants/lab", ada.id);
        let role = admin.caller.put(&format!("/api/v1/admin/users/{}", second.id)).json(&json!({"role": "user"}));
        let talk = |caller: &Caller| caller.post("/api/v1/chat").json(&json!({"message": "hello", "app": "lab"}));
        check([
            Case::new(talk(&all), 403).code("forbidden"),
            Case::new(admin.caller.put(&grant).json(&json!({"level": "use"})), 200),
            Case::new(talk(&all), 200),
            Case::new(admin.caller.delete(&grant), 204),
            Case::new(talk(&all), 403).code("forbidden"),
            Case::new(talk(&strong), 200),
            Case::new(strong.get("/api/v1/admin/users"), 403).code("forbidden"),
            Case::new(role, 200),
            Case::new(talk(&strong), 403).code("forbidden"),
        ]).await;
    }

    /// V32: a refresh token that is used by many at once is of use to one at most, and betrays all that came of it.
    async fn a_refresh_token_is_raced(setup) {
        let world = cheap(setup.unlimited()).start().await;
        let ada = world.person("ada@example.org", false).await;
        let body = json!({"refresh_token": ada.tokens["refresh_token"]});
        let answers = all_at_once((0..20).map(|_| post(&world.anonymous(), "refresh", &body)).collect()).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert!(won.len() <= 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
        check([Case::new(ada.caller.get("/api/v1/me"), 401).code("unauthenticated")]).await;
        for answer in won {
            let next = json!({"refresh_token": answer.json()["refresh_token"]});
            check([
                Case::new(world.bearer(&answer.json()).get("/api/v1/me"), 401).code("unauthenticated"),
                Case::new(post(&world.anonymous(), "refresh", &next), 401).code("unauthenticated"),
            ]).await;
        }
        world.await_audit("token.reuse", |_| true).await;
    }

    /// V5: every other way in knows that the account is suspended; the wrong password does not tell.
    async fn a_suspended_account_tries_every_door(setup) {
        let issuer = Issuer::start("company").await;
        let world = cheap(setup.unlimited()).file("stoa.toml", &issuer.entry()).start().await;
        let admin = world.admin().await;
        let id_token = issuer.token("ada");
        let introduced = holder(&world, &id_token);
        let me = introduced.get("/api/v1/me").send().await.json();
        let ada = world.person("ada@example.org", false).await;
        let browser = world.browser("ada@example.org").await;
        let key = ada.caller.post("/api/v1/keys").json(&json!({"name": "extension"})).send().await.json();
        let key = world.anonymous().with("x-api-key", key["key"].as_str().unwrap());
        for id in [&ada.id, me["id"].as_str().unwrap()] {
            let off = admin.caller.put(&format!("/api/v1/admin/users/{id}")).json(&json!({"active": false}));
            check([Case::new(off, 200)]).await;
        }
        let caller = world.anonymous();
        let login = |password: &str| post(&caller, "login", &json!({"email": "ada@example.org", "password": password}));
        let refresh = json!({"refresh_token": ada.tokens["refresh_token"]});
        let completion = json!({"model": "assistant", "messages": [{"role": "user", "content": "hello"}]});
        check([
            Case::new(login(PASSWORD), 403).code("inactive"),
            Case::new(login("wrong but long enough"), 401).code("unauthenticated"),
            Case::new(post(&caller, "refresh", &refresh), 403).code("inactive"),
            Case::new(post(&caller, "exchange", &json!({"id_token": id_token})), 403).code("inactive"),
            Case::new(post(&caller, "exchange", &json!({"id_token": issuer.token("ada")})), 403).code("inactive"),
            Case::new(introduced.get("/api/v1/apps"), 403).code("inactive"),
            Case::new(holder(&world, &issuer.token("ada")).get("/api/v1/apps"), 403).code("inactive"),
            Case::new(ada.caller.get("/api/v1/apps"), 403).code("inactive"),
            Case::new(browser.get("/api/v1/apps"), 403).code("inactive"),
            Case::new(key.get("/api/v1/apps"), 403).code("inactive"),
            Case::new(key.post("/v1/chat/completions").json(&completion), 403).code("inactive"),
        ]).await;
        assert_eq!(signed_in(&world.visitor(), "ada@example.org", PASSWORD).await.status, 403);
    }
}

/// V8: what a row has and a caller may not say is refused by its name, in every body there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_of_rows_are_slipped_into_bodies() {
    let world = cheap(Setup::sqlite().unlimited()).start().await;
    let admin = world.admin().await;
    let document = world.anonymous().get("/openapi.json").send().await.json();
    let conversation = world.conversation(&admin.caller).await;
    let (mut cases, mut bodies) = (Vec::new(), 0);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            // Clients of OpenAI send fields that no server knows all of; they are not looked at.
            if schema.is_null() || path.starts_with("/v1/") {
                continue;
            }
            bodies += 1;
            let path =
                path.replace("{id}", if path.contains("conversations") { &conversation } else { &admin.id });
            let path = path.replace("{app}", "workspace");
            let known = schema.to_string() + &document["components"]["schemas"].to_string();
            assert!(!known.is_empty());
            for field in [
                "owner",
                "user",
                "password_hash",
                "digest",
                "is_admin",
                "tenant",
                "verified_at",
                "created_at",
                "epoch",
                "__proto__",
            ] {
                let body = json!({field: "admin"});
                let request = admin.caller.request(&method.to_uppercase(), &path).json(&body);
                cases.push(Case::new(request, 400).code("invalid_input").holds(field));
            }
        }
    }
    assert!(bodies > 25, "{bodies}");
    check(cases).await;
    // And where the field has a name that another operation knows.
    let ada = world.person("ada@example.org", false).await;
    let me = |body: Value| ada.caller.put("/api/v1/me").json(&body);
    let register = |extra: Value| {
        let mut body = json!({"email": "eve@example.org", "password": PASSWORD});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        post(&world.anonymous(), "register", &body)
    };
    check([
        Case::new(me(json!({"name": "A", "role": "admin"})), 400).code("invalid_input").holds("role"),
        Case::new(me(json!({"name": "A", "active": true})), 400).code("invalid_input").holds("active"),
        Case::new(me(json!({"name": "A", "id": admin.id})), 400).code("invalid_input").holds("id"),
        Case::new(register(json!({"role": "admin"})), 400).code("invalid_input").holds("role"),
        Case::new(register(json!({"verified": true})), 400).code("invalid_input").holds("verified"),
        Case::new(register(json!({"id": admin.id})), 400).code("invalid_input").holds("id"),
    ])
    .await;
    assert_eq!(ada.caller.get("/api/v1/me").send().await.json()["role"], "user");
    assert_eq!(world.told(&["user", "list", "--json"]).await[0].as_array().unwrap().len(), 2);
}

/// V16: nothing is no password, wherever it is said, and neither where an account has none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_password_is_tried() {
    let issuer = Issuer::start("company").await;
    let world = cheap(Setup::sqlite().unlimited()).file("stoa.toml", &issuer.entry()).start().await;
    world.account("ada@example.org", false).await;
    let mut claims = issuer.claims("sam");
    claims["email"] = json!("sam@example.org");
    claims["email_verified"] = json!(true);
    let sam = holder(&world, &issuer.sign(&claims)).get("/api/v1/me").send().await.json();
    assert_eq!((&sam["email"], &sam["has_password"]), (&json!("sam@example.org"), &json!(false)), "{sam}");
    let caller = world.anonymous();
    for email in ["ada@example.org", "sam@example.org", "nobody@example.org"] {
        let login = |password: Value| post(&caller, "login", &json!({"email": email, "password": password}));
        let mut cases: Vec<Case> = [json!(""), json!(null), json!(0), json!(false), json!([]), json!({})]
            .into_iter()
            .map(|password| Case::new(login(password), 400).code("invalid_input"))
            .collect();
        cases.push(Case::new(post(&caller, "login", &json!({"email": email})), 400).code("invalid_input"));
        // Characters, but no password of anybody.
        for password in ["\u{0}", "null", "undefined", "\u{feff}"] {
            cases.push(Case::new(login(json!(password)), 401).code("unauthenticated"));
        }
        check(cases).await;
        let form = signed_in(&world.visitor(), email, "").await;
        assert!([400, 401].contains(&form.status), "{form:?}");
    }
}
