//! Pages in five languages: the one that was chosen, else the one that the browser asks for, else English. What programs
//! read stays English.

use serde_json::json;

use crate::world::{Caller, Setup, World};

#[path = "../../../web/src/ui/samples/foreign_words.rs"]
mod foreign_words;

const LANGUAGES: [(&str, &str, &str); 5] = [
    ("en", "ltr", "Sign in"),
    ("de", "ltr", "Anmelden"),
    ("es", "ltr", "Iniciar sesión"),
    ("fr", "ltr", "Se connecter"),
    ("ar", "rtl", "تسجيل الدخول"),
];

fn begins(language: &str, direction: &str) -> String {
    format!("<html lang=\"{language}\" dir=\"{direction}\">")
}

#[tokio::test]
async fn pages_speak_the_language_of_whoever_reads() {
    let world = Setup::sqlite().start().await;
    let anyone = world.anonymous();
    for (language, direction, words) in LANGUAGES {
        let wish = format!("{language}-001, zz;q=0.9");
        let page = anyone.get("/sign-in").header("accept-language", &wish).send().await;
        assert!(page.text().contains(&begins(language, direction)), "{language}: {}", page.text());
        assert!(page.text().contains(words), "{language}: {}", page.text());
        assert_eq!(page.header("content-language"), language);
        assert!(format!("{page:?}").contains("\"vary\": \"accept-language, cookie\""), "{page:?}");
        assert_eq!(page.header("cache-control"), "no-store");
        // The script with what scripts say is there, and English needs none.
        let text = page.text();
        let script = text.split("/static/texts.").nth(1).and_then(|rest| rest.split('"').next());
        assert_eq!(script.is_some(), language != "en", "{language}");
        if let Some(script) = script {
            let script = anyone.get(&format!("/static/texts.{script}")).send().await;
            assert_eq!(script.status, 200);
            assert!(script.text().starts_with("globalThis.stoaTexts = {\""), "{}", script.text());
        }
    }
    for wish in ["", "zz", "*", ",;q=", "de;q=0"] {
        let page = anyone.get("/sign-in").header("accept-language", wish).send().await;
        assert!(page.text().contains(&begins("en", "ltr")), "{wish}");
    }
    let mischief = format!("{}de", "x\"><script>,".repeat(600));
    let page = anyone.get("/sign-in").header("accept-language", &mischief).send().await;
    assert!(page.text().contains(&begins("en", "ltr")) && !page.text().contains("x\"><script>"));
}

#[tokio::test]
async fn a_choice_is_kept_and_what_programs_read_stays_english() {
    let world = Setup::sqlite().start().await;
    let anyone = world.anonymous();
    let home = format!("http://{}", world.address());
    let choose = |fields: &str, origin: &str| {
        anyone
            .post("/language")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", origin)
            .body(fields.to_owned())
    };
    let chosen = choose("language=ar&return_to=%2Fsign-in%3Fdone%3Dout", &home).send().await;
    assert_eq!((chosen.status, chosen.header("location")), (303, "/sign-in?done=out"), "{chosen:?}");
    let cookie = chosen.header("set-cookie");
    assert!(
        cookie.starts_with("stoa_language=ar; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    for (fields, status, to) in [
        ("language=de&return_to=https%3A%2F%2Fevil.example", 303, "/"),
        ("language=de&return_to=%2F%2Fevil.example", 303, "/"),
        ("language=xx", 404, ""),
        ("", 404, ""),
    ] {
        let answer = choose(fields, &home).send().await;
        assert_eq!(answer.status, status, "{fields}");
        if !to.is_empty() {
            assert_eq!(answer.header("location"), to, "{fields}");
        }
    }
    assert_eq!(choose("language=de", "https://evil.example").send().await.status, 403);

    let reader = anyone.with("cookie", "stoa_language=ar").with("accept-language", "de");
    let page = reader.get("/sign-in?done=out").send().await;
    assert!(
        page.text().contains(&begins("ar", "rtl")) && page.text().contains("سُجّل خروجك."),
        "{}",
        page.text()
    );
    // The menu leads back to where one is, and marks what is chosen.
    assert!(page.text().contains("name=\"return_to\" value=\"/sign-in?done=out\""), "{}", page.text());
    assert!(page.text().contains("lang=\"ar\" dir=\"rtl\" aria-current=\"true\""), "{}", page.text());
    let lost = reader.get("/nothing").header("accept", "text/html").send().await;
    assert!(lost.text().contains("غير موجود"), "{}", lost.text());
    let problem = reader.get("/api/v1/nothing").send().await;
    assert_eq!(problem.json()["title"], "Not found", "{problem:?}");
    assert!(!problem.headers.contains_key("content-language"));
}

/// Chooses a language by the menu, as the page does.
async fn choose(world: &World, caller: &Caller, fields: &str) {
    let request = caller.post("/language").header("content-type", "application/x-www-form-urlencoded");
    let home = format!("http://{}", world.address());
    let chosen = request.header("origin", &home).body(fields.to_owned()).send().await;
    assert_eq!(chosen.status, 303, "{chosen:?}");
}

#[tokio::test]
async fn the_language_belongs_to_the_account_on_every_device() {
    let world = Setup::sqlite().start().await;
    let ann = world.member().await;
    let (one, other) = (world.browser(&ann.email).await, world.browser(&ann.email).await);
    let speaks = async |who: &Caller, wish: &str| {
        let page =
            who.get("/account").header("accept", "text/html").header("accept-language", wish).send().await;
        assert_eq!(page.status, 200, "{page:?}");
        page.header("content-language").to_owned()
    };
    assert_eq!(speaks(&one, "fr").await, "fr", "nothing is chosen: the browser is asked");
    choose(&world, &one, "language=ar&return_to=%2Faccount").await;
    assert_eq!((speaks(&one, "fr").await.as_str(), speaks(&other, "fr").await.as_str()), ("ar", "ar"));
    let me = one.get("/api/v1/me").send().await.json();
    assert_eq!(me["language"], "ar");
    // By the API too, in one step with the name or alone; nonsense changes nothing.
    let changed = ann.caller.put("/api/v1/me").json(&json!({"language": "de", "name": "Ann"})).send().await;
    assert_eq!((changed.status, &changed.json()["language"]), (200, &json!("de")), "{changed:?}");
    assert_eq!(speaks(&other, "fr").await, "de");
    for bad in [json!({}), json!({"language": "xx"}), json!({"language": 7})] {
        let refused = ann.caller.put("/api/v1/me").json(&bad).send().await;
        assert!([400, 422].contains(&refused.status), "{refused:?}");
    }
    // Whoever leaves it to the browsers again is asked by them.
    choose(&world, &one, "language=&return_to=%2Faccount").await;
    assert_eq!(speaks(&other, "fr").await, "fr");
    // An error of a page is said in the same language.
    assert_eq!(ann.caller.put("/api/v1/me").json(&json!({"language": "ar"})).send().await.status, 200);
    let lost = other.get("/account/nothing").header("accept", "text/html").send().await;
    assert!(lost.text().contains("غير موجود"), "{}", lost.text());
}

/// Pages of a running server in Arabic: words in Latin letters that are ours and not translated.
#[tokio::test]
async fn live_pages_hold_no_words_beside_the_catalogues() {
    let world = Setup::sqlite().start().await;
    let admin = world.admin().await;
    let root = world.browser(&admin.email).await;
    let spoken = admin.caller.put("/api/v1/me").json(&json!({"language": "ar", "name": "آدا"})).send().await;
    assert_eq!(spoken.status, 200, "{spoken:?}");
    let talk = world.conversation(&admin.caller).await;
    assert!(world.say(&admin.caller, &talk, "مرحبا").await["message"].is_object());
    let titled = admin.caller.put(&format!("/api/v1/conversations/{talk}")).json(&json!({"title": "سؤال"}));
    assert_eq!(titled.send().await.status, 200);
    admin.caller.post("/api/v1/keys").json(&json!({"name": "مفتاح"})).send().await;
    admin.caller.post("/api/v1/admin/blocks").json(&json!({"net": "198.51.100.0/24"})).send().await;
    let conversation = format!("/apps/assistant/{talk}");
    let print = format!("{conversation}/print");
    let pages = [
        "/",
        "/apps/assistant",
        &conversation,
        &print,
        "/nothing",
        "/offline",
        "/account",
        "/account/conversations",
        "/account/email",
        "/account/erase",
        "/account/security",
        "/account/sessions",
        "/account/keys",
        "/files",
        "/files/trash",
        "/files/declutter",
        "/apps/tutor",
        "/apps/tutor/problems",
        "/apps/tutor/problems/new",
        "/apps/support",
        "/apps/support/documents",
        "/apps/support/desk",
        "/apps/support/desk/questions",
        "/apps/support/desk/quality",
        "/admin/users/new",
        "/admin/lockdown/users",
        "/admin/revoke/all",
        "/docs/errors",
    ];
    // What people and their configuration put there: names of apps, addresses, answers of the model.
    let given = [
        admin.email.as_str(),
        "Assistant",
        "Workspace",
        "Support",
        "Tutor",
        "Files",
        "echo",
        "development",
        "mock-model",
        "يتبع model",
        "يتبع debug",
    ];
    // And whatever the administration leads to, so that a page that comes is read too.
    let hub = root.get("/admin").header("accept", "text/html").send().await.text();
    let tabs = hub.split("class=\"tabs\"").nth(1).unwrap().split("</nav>").next().unwrap();
    let tabs: Vec<&str> = tabs.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(tabs.len() > 10 && tabs.contains(&"/admin/review"), "{tabs:?}");
    let mut found = Vec::new();
    for path in pages.into_iter().chain(tabs) {
        let page = root.get(path).header("accept", "text/html").send().await;
        assert!([200, 404].contains(&page.status), "{path}: {page:?}");
        let words = foreign_words::foreign(&page.text(), &given).into_iter();
        found.extend(words.map(|words| format!("{path} ({}): {words}", page.status)));
    }
    assert!(found.is_empty(), "in English:\n{}", found.join("\n"));
}
