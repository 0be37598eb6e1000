//! Every operation of the OpenAPI document, and every page, by every caller, on its own things, on those of others
//! and on things that do not exist. A new operation without a row fails the test: no cell may stay empty.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{Caller, Setup, World, eventually};

/// What every caller gets, in the order of [`WHO`]; and on ids, in the order of [`IDS`].
enum Cells {
    /// An operation without an id in its path.
    Plain([u16; 8]),
    /// An operation on an id.
    ById([[u16; 3]; 8]),
}
use Cells::{ById, Plain};

const WHO: [&str; 8] =
    ["anonymous", "visitor", "key", "narrow key", "revoked key", "member", "member's key", "admin"];
const IDS: [&str; 3] = ["own", "foreign", "random"];

/// An id that nobody has.
const RANDOM: &str = "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d";

/// The caller keeps nothing, so it has nothing of its own.
const NONE: u16 = 0;

/// The usual cells of an operation on a conversation that answers with `done`.
const fn owners_alone(done: u16) -> Cells {
    let keeps = [done, 404, 404];
    ById([[NONE, 404, 404], keeps, keeps, keeps, [NONE, 401, 401], keeps, keeps, keeps])
}

struct Row {
    operation: &'static str,
    body: Option<Value>,
    cells: Cells,
}

fn table() -> Vec<Row> {
    let row = |operation, body, cells| Row { operation, body, cells };
    let everybody = |status| Plain([status, status, status, status, 401, status, status, status]);
    let programs = |status| Plain([401, 401, status, status, 401, status, status, status]);
    let open = |status| Plain([status; 8]);
    // People with accounts, and nobody else: a key is none, whoever made it.
    let accounts = |status| Plain([401, 401, 403, 403, 401, status, 403, status]);
    let admins = |status| Plain([401, 401, 403, 403, 401, 403, 403, status]);
    let wrong = json!({"password": "not the password"});
    let message = json!({"content": "hello"});
    let completion = json!({"model": "assistant", "messages": [{"role": "user", "content": "hello"}]});
    vec![
        row("GET /live", None, open(200)),
        row("GET /ready", None, open(200)),
        row("GET /health", None, open(200)),
        // Nobody of these holds the token of metrics.
        row("GET /metrics", None, open(401)),
        row("GET /api/v1/whoami", None, everybody(200)),
        row("GET /api/v1/apps", None, everybody(200)),
        row("POST /api/v1/chat", Some(json!({"message": "hello"})), everybody(200)),
        row("GET /api/v1/conversations", None, everybody(200)),
        row(
            "POST /api/v1/conversations",
            Some(json!({"app": "assistant"})),
            Plain([201, 201, 201, 403, 401, 201, 201, 201]),
        ),
        row("GET /api/v1/conversations/{id}", None, owners_alone(200)),
        row("PUT /api/v1/conversations/{id}", Some(json!({"title": "taken"})), owners_alone(200)),
        row("DELETE /api/v1/conversations/{id}", None, owners_alone(204)),
        row("GET /api/v1/conversations/{id}/export", None, owners_alone(200)),
        row("POST /api/v1/conversations/{id}/stop", None, owners_alone(200)),
        row("GET /api/v1/conversations/{id}/messages", None, owners_alone(200)),
        row("POST /api/v1/conversations/{id}/messages", Some(message), owners_alone(201)),
        row("POST /v1/chat/completions", Some(completion), Plain([401, 401, 200, 403, 401, 200, 200, 200])),
        row("POST /v1/embeddings", Some(json!({"model": "m", "input": "a"})), programs(200)),
        row("GET /v1/models", None, programs(200)),
        row("GET /v1/models/{model}", None, Plain([401, 401, 200, 404, 401, 200, 200, 200])),
        row("GET /.well-known/jwks.json", None, open(404)),
        row(
            "POST /api/v1/auth/register",
            Some(json!({"email": "new@example.org", "password": "violet engine turns 21 wheels"})),
            open(202),
        ),
        row(
            "POST /api/v1/auth/login",
            Some(json!({"email": "nobody@example.org", "password": "not the password"})),
            open(401),
        ),
        row("POST /api/v1/auth/refresh", Some(json!({"refresh_token": "nothing"})), open(401)),
        row("POST /api/v1/auth/exchange", Some(json!({"id_token": "nothing"})), open(401)),
        row(
            "POST /api/v1/auth/setup",
            Some(
                json!({"token": "nothing", "email": "a@example.org", "password": "violet engine turns 21 wheels"}),
            ),
            open(400),
        ),
        row("POST /api/v1/auth/password/forgot", Some(json!({"email": "nobody@example.org"})), open(202)),
        row(
            "POST /api/v1/auth/password/reset",
            Some(json!({"token": "nothing", "password": "violet engine turns 21 wheels"})),
            open(400),
        ),
        row("POST /api/v1/auth/verify", Some(json!({"token": "nothing"})), open(400)),
        row("POST /api/v1/auth/passkey/begin", None, open(200)),
        row("POST /api/v1/auth/passkey/finish", Some(json!({"state": "nothing", "answer": {}})), open(401)),
        row("GET /api/v1/erasures/{id}", None, open(404)),
        row("POST /api/v1/auth/logout", Some(json!({"refresh_token": "nothing"})), everybody(204)),
        row("GET /api/v1/me", None, accounts(200)),
        row("PUT /api/v1/me", Some(json!({"name": "somebody"})), accounts(200)),
        row(
            "PUT /api/v1/me/password",
            Some(
                json!({"current_password": "not the password", "new_password": "violet engine turns 21 wheels"}),
            ),
            accounts(400),
        ),
        row("GET /api/v1/me/sessions", None, accounts(200)),
        row("DELETE /api/v1/me/sessions/{id}", None, accounts(404)),
        row("POST /api/v1/me/totp", None, accounts(200)),
        row("PUT /api/v1/me/totp", Some(json!({"code": "00000x"})), accounts(400)),
        row("DELETE /api/v1/me/totp", Some(wrong.clone()), accounts(400)),
        row("POST /api/v1/me/totp/recovery-codes", Some(wrong.clone()), accounts(400)),
        row("GET /api/v1/me/passkeys", None, accounts(200)),
        row("POST /api/v1/me/passkeys/begin", None, accounts(200)),
        row(
            "POST /api/v1/me/passkeys/finish",
            Some(json!({"state": "nothing", "answer": {}, "name": "a"})),
            accounts(400),
        ),
        row("DELETE /api/v1/me/passkeys/{id}", None, accounts(404)),
        row("GET /api/v1/keys", None, accounts(200)),
        row("POST /api/v1/keys", Some(json!({"name": "another"})), accounts(201)),
        row("DELETE /api/v1/keys/{id}", None, accounts(404)),
        row("POST /api/v1/keys/{id}/rotate", None, accounts(404)),
        row("GET /api/v1/admin/users", None, admins(200)),
        row("POST /api/v1/admin/users", Some(json!({})), admins(400)),
        row("POST /api/v1/admin/invitations", Some(json!({})), admins(400)),
        row("GET /api/v1/admin/users/{id}", None, admins(404)),
        row("PUT /api/v1/admin/users/{id}", Some(json!({"active": false})), admins(404)),
        row("DELETE /api/v1/admin/users/{id}", None, admins(404)),
        row("GET /api/v1/admin/users/{id}/export", None, admins(404)),
        row("DELETE /api/v1/admin/users/{id}/sessions", None, admins(404)),
        row("GET /api/v1/admin/users/{id}/grants", None, admins(404)),
        row("PUT /api/v1/admin/users/{id}/grants/{app}", Some(json!({"level": "use"})), admins(404)),
        row("DELETE /api/v1/admin/users/{id}/grants/{app}", None, admins(404)),
        row("GET /api/v1/admin/sessions", None, admins(200)),
        row("DELETE /api/v1/admin/sessions/{id}", None, admins(404)),
        row("GET /api/v1/admin/keys", None, admins(200)),
        row("DELETE /api/v1/admin/keys/{id}", None, admins(404)),
        row("GET /api/v1/admin/audit", None, admins(200)),
        row("GET /api/v1/admin/audit/export", None, admins(200)),
        row("GET /api/v1/admin/alerts", None, admins(200)),
        row("POST /api/v1/admin/alerts/{id}/acknowledge", None, admins(404)),
        row("GET /api/v1/admin/lockdown", None, admins(200)),
        row("PUT /api/v1/admin/lockdown", Some(json!({"mode": "nothing"})), admins(400)),
        row("POST /api/v1/admin/revoke", Some(json!({"what": "nothing"})), admins(400)),
        row("GET /api/v1/admin/blocks", None, admins(200)),
        row("POST /api/v1/admin/blocks", Some(json!({"net": "nothing"})), admins(400)),
        row("DELETE /api/v1/admin/blocks/{net}", None, admins(404)),
        row("GET /api/v1/admin/usage", None, admins(200)),
        row("GET /api/v1/admin/settings", None, admins(200)),
        row("GET /api/v1/me/export", None, Plain([401, 200, 403, 403, 401, 200, 403, 200])),
        // Pages, which the document does not list.
        row("GET /", None, everybody(200)),
        row("GET /docs", None, everybody(200)),
        row("GET /apps/assistant", None, Plain([200, 200, 200, 403, 401, 200, 200, 200])),
        row("GET /apps/support", None, Plain([401, 401, 200, 200, 401, 403, 403, 200])),
        row("GET /apps/workspace", None, Plain([401, 401, 403, 403, 401, 403, 403, 200])),
        row(
            "GET /apps/assistant/{id}",
            None,
            ById([
                [NONE, 404, 404],
                [200, 404, 404],
                [200, 404, 404],
                [NONE, 403, 403],
                [NONE, 401, 401],
                [200, 404, 404],
                [200, 404, 404],
                [200, 404, 404],
            ]),
        ),
        row(
            "GET /fragments/conversations/{id}/messages/019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d",
            None,
            owners_alone(404),
        ),
        // Last, for what they end: the visitor's data and the tokens of accounts.
        row("DELETE /api/v1/me", Some(wrong), Plain([401, 200, 403, 403, 401, 400, 403, 400])),
        row("POST /api/v1/auth/logout-all", None, accounts(204)),
    ]
}

/// The caller with its app; only a caller that keeps something has a conversation of its own.
struct Asker {
    caller: Caller,
    app: &'static str,
    keeps: bool,
}

async fn askers(world: &World) -> Vec<Asker> {
    let mut keys = Vec::new();
    for app in ["support", "assistant"] {
        keys.push(world.told(&["key", "create", app, "--app", app, "--json"]).await.remove(0));
    }
    let holder = |key: &Value| world.anonymous().with("x-api-key", key["key"].as_str().unwrap());
    assert!(world.stoa(&["key", "revoke", keys[1]["id"].as_str().unwrap()]).await.success());
    let (narrow, revoked) = (holder(&keys[0]), holder(&keys[1]));
    eventually(std::time::Duration::from_secs(2), "the key is known", async || {
        narrow.get("/api/v1/apps").send().await.status == 200
    })
    .await;
    let visitor = world.visitor();
    visitor.get("/").send().await;
    let member = world.person("member@example.org", false).await;
    let made = member.caller.post("/api/v1/keys").json(&json!({"name": "made by a member"})).send().await;
    let made = holder(&made.json());
    let asker = |caller, app, keeps| Asker { caller, app, keeps };
    vec![
        asker(world.anonymous(), "assistant", false),
        asker(visitor, "assistant", true),
        asker(world.key(), "assistant", true),
        asker(narrow, "support", true),
        asker(revoked, "assistant", false),
        asker(member.caller, "assistant", true),
        asker(made, "assistant", true),
        asker(world.admin().await.caller, "assistant", true),
    ]
}

async fn conversation(caller: &Caller, app: &str) -> String {
    let body = json!({"app": app, "title": "untouched"});
    let made = caller.post("/api/v1/conversations").json(&body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn everybody_has_what_is_theirs_and_nothing_else() {
    let world = Setup::sqlite()
        .unlimited()
        .set("METRICS_TOKEN", "metrics-token-Rk2Vb9Xz")
        .set("MAX_CONVERSATIONS_PER_SESSION", 1000)
        .start()
        .await;
    let table = table();
    let document = world.anonymous().get("/openapi.json").send().await.json();
    let mut operations = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        operations.extend(
            methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())),
        );
    }
    let rows: BTreeSet<String> = table.iter().map(|row| row.operation.to_owned()).collect();
    let missing: Vec<_> = operations.difference(&rows).collect();
    assert!(missing.is_empty(), "operations without a row: {missing:?}");
    let pages = ["/", "/docs", "/apps", "/fragments"];
    let stale: Vec<_> = rows
        .difference(&operations)
        .filter(|row| {
            !pages.iter().any(|page| {
                row.split(' ')
                    .nth(1)
                    .is_some_and(|path| path == *page || path.starts_with(&format!("{page}/")))
            })
        })
        .collect();
    assert!(stale.is_empty(), "rows without an operation: {stale:?}");

    let askers = askers(&world).await;
    let owner = world.stranger();
    let mut wrong = Vec::new();
    for row in &table {
        let (method, path) = row.operation.split_once(' ').unwrap();
        for (who, asker) in askers.iter().enumerate() {
            let ask = async |id: &str| {
                // What has no owner's cells is asked for by an id that nobody has.
                let id = if id.is_empty() { RANDOM } else { id };
                let path = path.replace("{id}", id).replace("{model}", "assistant");
                let path = path.replace("{app}", "workspace").replace("{net}", "198.51.100.1");
                let request = asker.caller.request(method, &path);
                match &row.body {
                    Some(body) => request.json(body).send().await,
                    None => request.send().await,
                }
            };
            let mut compare = |wanted: u16, answer: &crate::world::Answer, id: &str| {
                if answer.status != wanted {
                    wrong.push(format!(
                        "{} by {} on {id}: wanted {wanted}, got {answer:?}",
                        row.operation, WHO[who]
                    ));
                }
            };
            let cells = match &row.cells {
                Plain(cells) => {
                    compare(cells[who], &ask("").await, "nothing");
                    continue;
                }
                ById(cells) => cells[who],
            };
            if cells[0] != NONE {
                assert!(asker.keeps, "{} by {}", row.operation, WHO[who]);
                let own = conversation(&asker.caller, asker.app).await;
                compare(cells[0], &ask(&own).await, IDS[0]);
            }
            let id = conversation(&owner, "assistant").await;
            let foreign = ask(&id).await;
            compare(cells[1], &foreign, IDS[1]);
            let random = ask(RANDOM).await;
            compare(cells[2], &random, IDS[2]);
            // Nobody can tell what belongs to somebody else from what does not exist.
            if foreign.header("content-type").contains("json") {
                let told = |answer: &crate::world::Answer| (answer.code(), answer.json()["detail"].clone());
                assert_eq!(told(&foreign), told(&random), "{} by {}", row.operation, WHO[who]);
            }
            let after = owner.get(&format!("/api/v1/conversations/{id}")).send().await;
            assert_eq!(after.status, 200, "{} by {} took it away", row.operation, WHO[who]);
            let after = after.json();
            assert_eq!(
                (&after["title"], &after["message_count"]),
                (&json!("untouched"), &json!(0)),
                "{} by {}",
                row.operation,
                WHO[who]
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
