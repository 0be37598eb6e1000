//! What is tried through the browser of somebody who is signed in: scripts in what people write, and forms of other
//! sites.

use serde_json::json;

use super::cheap;
use crate::permissions::operations;
use crate::world::{Caller, PASSWORD, Setup, World, signed_in};

const RANDOM: &str = "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d";
const SCRIPTS: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-'</title><svg/onload=alert(1)>",
    "{{7*7}}${7*7}<%= 7*7 %>",
];

/// Every page that an admin or an account sees without naming a thing.
const PAGES: [&str; 15] = [
    "/",
    "/apps/assistant",
    "/account",
    "/account/sessions",
    "/account/keys",
    "/account/security",
    "/admin",
    "/admin/users",
    "/admin/sessions",
    "/admin/keys",
    "/admin/audit",
    "/admin/alerts",
    "/admin/blocks",
    "/admin/lockdown",
    "/admin/settings",
];

/// V20: names, addresses, user agents and reasons are text, on the pages of admins most of all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_are_written_where_admins_look() {
    let world = cheap(Setup::sqlite().unlimited()).start().await;
    let warden = world.person("warden@example.org", true).await;
    let admin = world.browser("warden@example.org").await;
    let eve = world.person("eve@example.org", false).await;
    for (n, script) in SCRIPTS.into_iter().enumerate() {
        // What may be refused is refused; what is taken must be inert.
        let _ = eve.caller.put("/api/v1/me").json(&json!({"name": script})).send().await;
        let _ = eve.caller.post("/api/v1/keys").json(&json!({"name": script})).send().await;
        let _ = admin.post("/api/v1/keys").json(&json!({"name": script})).send().await;
        let body = json!({"email": format!("{script}{n}@example.org"), "password": PASSWORD, "name": script});
        let _ = world.anonymous().post("/api/v1/auth/register").json(&body).send().await;
        let body = json!({"email": format!("x{n}'&lt;script&gt;@example.org"), "password": PASSWORD, "name": script});
        let _ = world.anonymous().post("/api/v1/auth/register").json(&body).send().await;
        let agent = world.visitor().with("user-agent", script);
        let _ = signed_in(&agent, "eve@example.org", PASSWORD).await;
        let browser = world.visitor().with("user-agent", script);
        let _ = signed_in(&browser, "warden@example.org", PASSWORD).await;
        let block = json!({"net": format!("192.0.2.{n}"), "reason": script});
        let _ = admin.post("/api/v1/admin/blocks").json(&block).send().await;
        let talk = json!({"app": "assistant", "title": script});
        let made = admin.post("/api/v1/conversations").json(&talk).send().await;
        if made.status == 201 {
            world.say(&admin, made.json()["id"].as_str().unwrap(), script).await;
        }
        let _ = world
            .anonymous()
            .get("/api/v1/whoami")
            .header("x-api-key", &script.replace('\n', ""))
            .send()
            .await;
    }
    let users = warden.caller.get("/api/v1/admin/users?limit=100").send().await.json();
    let mut pages: Vec<String> = PAGES.map(str::to_owned).to_vec();
    pages.extend(
        users["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| format!("/admin/users/{}", user["id"].as_str().unwrap())),
    );
    let talks = admin.get("/api/v1/conversations?limit=100").send().await.json();
    pages.extend(
        talks["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|talk| format!("/apps/assistant/{}", talk["id"].as_str().unwrap())),
    );
    let mut escaped = 0;
    for page in pages {
        let answer = admin.get(&page).send().await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{page}"
        );
        let text = answer.text();
        for live in ["<script>alert", "<img src=x", "<svg/onload", "\"><img", "onerror=alert(1)>"] {
            assert!(!text.contains(live), "{page} holds {live}");
        }
        escaped += text.matches("alert(1)").count();
    }
    assert!(escaped > 20, "the scripts are shown as what they are: {escaped}");
    for list in ["users", "keys", "sessions", "audit", "blocks", "audit/export", "audit/export?format=csv"] {
        let answer = admin.get(&format!("/api/v1/admin/{list}")).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let kind = answer.header("content-type");
        assert!(kind.starts_with("application/json") || kind.starts_with("text/csv"), "{kind}");
    }
}

fn concrete(path: &str) -> String {
    let path = path.replace("{app}", "workspace").replace("{mode}", "users").replace("{what}", "keys");
    let path = path.replace("{net}", "192.0.2.1").replace("{name}", "company").replace("{message}", RANDOM);
    path.replace("{id}", RANDOM).replace("{conversation}", RANDOM)
}

async fn crossed(world: &World, caller: &Caller, operation: &str, wrong: &mut Vec<String>) {
    let (method, path) = operation.split_once(' ').unwrap();
    let path = concrete(path);
    let host = format!("http://{}", world.address());
    let request = || caller.request(method, &path).without("origin");
    let json = |request: crate::world::Request| request.header("content-type", "application/json").body("{}");
    for (how, request) in [
        ("another origin", json(request().header("origin", "https://evil.example"))),
        ("a sandbox", json(request().header("origin", "null"))),
        ("another port", json(request().header("origin", "http://127.0.0.1:1"))),
        ("another scheme", json(request().header("origin", &host.replace("http:", "https:")))),
        ("a name that begins alike", json(request().header("origin", &format!("{host}.evil.example")))),
        ("a link", json(request().header("sec-fetch-site", "cross-site"))),
        ("a neighbour", json(request().header("sec-fetch-site", "same-site"))),
        (
            "a form",
            request()
                .header("origin", "https://evil.example")
                .header("content-type", "text/plain")
                .body("a=b"),
        ),
    ] {
        let answer = request.send().await;
        if answer.status != 403 || !(answer.code() == "csrf" || answer.text().contains("csrf")) {
            wrong.push(format!("{operation} from {how}: {answer:?}"));
        }
    }
}

/// V22: no other site changes anything with the cookie of somebody who is signed in here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_sends_forms_with_the_cookie() {
    let world = cheap(Setup::sqlite().unlimited()).start().await;
    world.account("warden@example.org", true).await;
    let admin = world.browser("warden@example.org").await;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for operation in operations(&world).await {
        if operation.starts_with("GET ") {
            continue;
        }
        count += 1;
        crossed(&world, &admin, &operation, &mut wrong).await;
    }
    assert!(count > 80, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    // Still signed in, and nothing was done.
    assert_eq!(admin.get("/api/v1/me").send().await.status, 200);
    let lockdown = admin.get("/api/v1/admin/lockdown").send().await.json();
    assert_eq!(lockdown["mode"], "off");
    // Nor is a browser signed in as somebody else, cookie or no cookie.
    let form = "email=warden%40example.org&password=quiet+lantern+7+harbour+mist";
    for caller in [world.anonymous(), world.visitor()] {
        let request = caller.post("/sign-in").header("origin", "https://evil.example");
        let answer =
            request.header("content-type", "application/x-www-form-urlencoded").body(form).send().await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(!answer.headers.contains_key("set-cookie"), "{answer:?}");
    }
    world.await_audit("security.violation", |_| true).await;
}

/// V22: no other site reads answers with the cookie either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_asks_for_leave_to_read() {
    let world = cheap(Setup::sqlite().unlimited()).start().await;
    world.account("ada@example.org", false).await;
    let ada = world.browser("ada@example.org").await;
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let answer = ada.get("/api/v1/me").header("origin", origin).send().await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{answer:?}");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{answer:?}");
        let preflight = ada.request("OPTIONS", "/api/v1/me").header("origin", origin);
        let preflight = preflight.header("access-control-request-method", "PUT").send().await;
        assert!(!preflight.headers.contains_key("access-control-allow-origin"), "{preflight:?}");
    }
}
