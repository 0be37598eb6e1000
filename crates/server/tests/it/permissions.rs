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

/// The caller keeps nothing, so it has nothing of its own.
const NONE: u16 = 0;

/// The usual cells of an operation on a conversation that answers with `done`.
const fn owners_alone(done: u16) -> Cells {
    ById([[NONE, 404, 404], [done, 404, 404], [done, 404, 404], [done, 404, 404], [NONE, 401, 401]])
}

struct Row {
    operation: &'static str,
    body: Option<Value>,
    cells: Cells,
}

fn table() -> Vec<Row> {
    let row = |operation, body, cells| Row { operation, body, cells };
    let everybody = |status| Plain([status, status, status, status, 401]);
    let programs = |status| Plain([401, 401, status, status, 401]);
    let open = |status| Plain([status; 5]);
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
            Plain([201, 201, 201, 403, 401]),
        ),
        row("GET /api/v1/conversations/{id}", None, owners_alone(200)),
        row("PUT /api/v1/conversations/{id}", Some(json!({"title": "taken"})), owners_alone(200)),
        row("DELETE /api/v1/conversations/{id}", None, owners_alone(204)),
        row("GET /api/v1/conversations/{id}/export", None, owners_alone(200)),
        row("POST /api/v1/conversations/{id}/stop", None, owners_alone(200)),
        row("GET /api/v1/conversations/{id}/messages", None, owners_alone(200)),
        row("POST /api/v1/conversations/{id}/messages", Some(message), owners_alone(201)),
        row("POST /v1/chat/completions", Some(completion), Plain([401, 401, 200, 403, 401])),
        row("POST /v1/embeddings", Some(json!({"model": "m", "input": "a"})), programs(200)),
        row("GET /v1/models", None, programs(200)),
        row("GET /v1/models/{model}", None, Plain([401, 401, 200, 404, 401])),
        // Pages, which the document does not list.
        row("GET /", None, everybody(200)),
        row("GET /docs", None, everybody(200)),
        row("GET /apps/assistant", None, Plain([200, 200, 200, 403, 401])),
        row("GET /apps/support", None, Plain([401, 401, 200, 200, 401])),
        row("GET /apps/workspace", None, Plain([401, 401, 403, 403, 401])),
        row(
            "GET /apps/assistant/{id}",
            None,
            ById([[NONE, 404, 404], [200, 404, 404], [200, 404, 404], [NONE, 403, 403], [NONE, 401, 401]]),
        ),
        row(
            "GET /fragments/conversations/{id}/messages/019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d",
            None,
            ById([[NONE, 404, 404], [404, 404, 404], [404, 404, 404], [404, 404, 404], [NONE, 401, 401]]),
        ),
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
    let asker = |caller, app, keeps| Asker { caller, app, keeps };
    vec![
        asker(world.anonymous(), "assistant", false),
        asker(visitor, "assistant", true),
        asker(world.key(), "assistant", true),
        asker(narrow, "support", true),
        asker(revoked, "assistant", false),
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
                let path = path.replace("{id}", id).replace("{model}", "assistant");
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
            let random = ask("019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d").await;
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
