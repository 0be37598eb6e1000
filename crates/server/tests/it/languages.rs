//! Pages in five languages: the one that was chosen, else the one that the browser asks for, else English. What programs
//! read stays English.

use crate::world::Setup;

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
