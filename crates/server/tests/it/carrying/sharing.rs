//! Links to conversations: what they show, to whom, and what ends them.

use serde_json::{Value, json};

use crate::world::{Answer, Caller, PASSWORD, Setup, World, on_both_engines};

/// A link to this conversation: its address without the server, and its id.
async fn link(caller: &Caller, id: &str, wish: Value) -> (String, String) {
    let made = caller.post(&format!("/api/v1/conversations/{id}/shares")).json(&wish).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let url = made["url"].as_str().unwrap();
    let path = url.find("/shared/").map(|at| url[at..].to_owned()).unwrap();
    (path, made["id"].as_str().unwrap().to_owned())
}

async fn open(world: &World, path: &str) -> Answer {
    world.anonymous().get(path).header("accept", "text/html").send().await
}

on_both_engines! {
    async fn a_link_shows_a_snapshot_to_whoever_has_it(setup) {
        let world = setup.start().await;
        let ann = world.member().await.caller;
        let id = world.conversation(&ann).await;
        world.say(&ann, &id, "<script>alert(1)</script> Write to ann@example.com").await;
        let (path, share) = link(&ann, &id, json!({"expires_in_days": 7})).await;
        let (masked, _) = link(&ann, &id, json!({"masked": true})).await;
        world.say(&ann, &id, "said later").await;

        let page = open(&world, &path).await;
        assert_eq!(page.status, 200, "{page:?}");
        let text = page.text();
        assert!(text.contains("ann@example.com") && text.contains("echo:") && !text.contains("said later"), "{text}");
        assert!(!text.contains("<script>alert"), "{text}");
        assert!(text.contains("name=\"robots\" content=\"noindex") && text.contains("name=\"referrer\" content=\"no-referrer\""));
        for (name, value) in [("cache-control", "no-store"), ("x-robots-tag", "noindex, nofollow, noarchive"),
            ("set-cookie", ""), ("referrer-policy", "strict-origin-when-cross-origin"), ("x-frame-options", "DENY")] {
            assert_eq!(page.header(name), value, "{name}");
        }
        let hidden = open(&world, &masked).await.text();
        assert!(!hidden.contains("ann@example.com") && hidden.contains("[EMAIL]"), "{hidden}");
        let opened = world.await_audit("data.read", |event| event["object"] == format!("share:{share}")).await;
        assert_eq!(opened["actor"], "anonymous");

        // Who is no owner sees, ends and makes nothing; what was never there and what has ended are the same.
        let bob = world.person("bob@example.org", false).await.caller;
        assert_eq!(bob.get("/api/v1/shares").send().await.json()["items"], json!([]));
        assert_eq!(bob.delete(&format!("/api/v1/shares/{share}")).send().await.status, 404);
        assert_eq!(bob.post(&format!("/api/v1/conversations/{id}/shares")).json(&json!({})).send().await.status, 404);
        let listed = ann.get("/api/v1/shares").send().await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 2);
        assert!(!listed.to_string().contains(path.trim_start_matches("/shared/")), "the address is shown once");
        assert_eq!(ann.delete(&format!("/api/v1/shares/{share}")).send().await.status, 204);
        let ended = open(&world, &path).await;
        let nothing = format!("/shared/{}", "x".repeat(43));
        let unknown = open(&world, &nothing).await;
        assert_eq!((ended.status, unknown.status), (404, 404));
        let plain = |answer: &Answer, path: &str| answer.text().replace(answer.header("x-request-id"), "").replace(path, "");
        assert_eq!(plain(&ended, &path), plain(&unknown, &nothing));
    }

    async fn a_link_ends_with_what_it_shows_and_by_the_brake(setup) {
        let world = setup.unlimited().start().await;
        let member = world.member().await;
        let ann = member.caller;
        let id = world.conversation(&ann).await;
        let said = world.say(&ann, &id, "first").await;
        for (wish, code) in [
            (json!({"expires_in_days": 0}), "out_of_range"),
            (json!({"expires_in_days": 1, "expires_at": "2030-01-01T00:00:00Z"}), "contradiction"),
            (json!({"expires_at": "2020-01-01T00:00:00Z"}), "out_of_range"),
            (json!({"password": "short"}), "wrong_length"),
        ] {
            let refused = ann.post(&format!("/api/v1/conversations/{id}/shares")).json(&wish).send().await;
            assert_eq!((refused.status, refused.json()["errors"][0]["code"].as_str()), (400, Some(code)), "{wish}");
        }
        let (path, _) = link(&ann, &id, json!({"password": "open sesame"})).await;
        let gate = open(&world, &path).await;
        assert!(gate.status == 200 && gate.text().contains("type=\"password\"") && !gate.text().contains("first"));
        let form = |word: &str| {
            let post = world.anonymous().post(&path).header("accept", "text/html");
            post.header("content-type", "application/x-www-form-urlencoded").body(format!("password={word}"))
        };
        assert_eq!(form("wrong").send().await.status, 403);
        let opened = form("open+sesame").send().await;
        assert!(opened.status == 200 && opened.text().contains("first"), "{opened:?}");
        // The brake stops every link; letting go brings them back.
        let admin = world.admin().await.caller;
        for (mode, status) in [("users", 403), ("off", 200)] {
            assert_eq!(admin.put("/api/v1/admin/lockdown").json(&json!({"mode": mode})).send().await.status, 200);
            assert_eq!(open(&world, &path).await.status, status, "{mode}");
        }
        // So does the end of the account; and other words end them for good.
        let user = format!("/api/v1/admin/users/{}", member.id);
        for (active, status) in [(false, 404), (true, 200)] {
            let changed = admin.put(&user).json(&json!({"active": active})).send().await;
            assert_eq!(changed.status, 200, "{changed:?}");
            assert_eq!(open(&world, &path).await.status, status);
        }
        let ann = world.bearer(&world.sign_in(&member.email).await);
        let words = format!("/api/v1/conversations/{id}/messages/{}", said["user_message"]["id"].as_str().unwrap());
        assert_eq!(ann.put(&words).json(&json!({"content": "second"})).send().await.status, 201);
        assert_eq!(open(&world, &path).await.status, 404);
    }
}

#[tokio::test]
async fn an_app_shares_in_production_when_it_is_told_to() {
    for (file, status) in [("", 403), ("[[apps]]\nid = \"assistant\"\nsharing = true\n", 201)] {
        let world = Setup::sqlite().production().file("stoa.toml", file).start().await;
        world.account("ann@example.org", false).await;
        let https = world.anonymous().with("x-forwarded-proto", "https").with("host", "chat.example.org");
        let login = json!({"email": "ann@example.org", "password": PASSWORD});
        let tokens = https.post("/api/v1/auth/login").json(&login).send().await.json();
        let ann =
            https.with("authorization", &format!("Bearer {}", tokens["access_token"].as_str().unwrap()));
        let id = world.conversation(&ann).await;
        world.say(&ann, &id, "hello").await;
        let made = ann.post(&format!("/api/v1/conversations/{id}/shares")).json(&json!({})).send().await;
        assert_eq!(made.status, status, "{made:?}");
        if status == 403 {
            assert!(made.text().contains("sharing"), "the refusal names the setting: {made:?}");
        }
    }
}
