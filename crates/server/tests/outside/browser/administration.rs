//! What an admin does in the browser: looks, invites, pulls the brake, blocks, reads the log. And what nobody else may.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::accounts::{ADMIN, PASSWORD, ROOM, claim};
use super::looks::{ILLEGIBLE, SMALL};
use super::scene::walk;

const PAGES: [(&str, &str); 22] = [
    ("files", "/files"),
    ("trash", "/files/trash"),
    ("declutter", "/files/declutter"),
    ("account", "/account"),
    ("security", "/account/security"),
    ("sessions", "/account/sessions"),
    ("keys", "/account/keys"),
    ("email", "/account/email"),
    ("overview", "/admin"),
    ("users", "/admin/users"),
    ("new-user", "/admin/users/new"),
    ("all-sessions", "/admin/sessions"),
    ("all-keys", "/admin/keys"),
    ("audit", "/admin/audit"),
    ("alerts", "/admin/alerts"),
    ("backups", "/admin/backups"),
    ("blocks", "/admin/blocks"),
    ("lockdown", "/admin/lockdown"),
    ("confirm", "/admin/revoke/all"),
    ("review", "/admin/review"),
    ("settings", "/admin/settings"),
    ("admin-lost", "/admin/nothing"),
];

#[tokio::test]
async fn every_page_by_day_and_by_night_on_a_desk_and_on_a_phone() {
    walk("admin-looks", &ROOM, async |scene| {
        let person = &scene.person;
        let signs =
            [("sign-in", "/sign-in"), ("sign-up", "/sign-up"), ("forgot", "/forgot"), ("reset", "/reset")];
        let seen = async |pages: &[(&str, &str)]| {
            for scheme in ["light", "dark"] {
                person.prefers(scheme).await;
                for phone in [false, true] {
                    if phone {
                        person.phone().await
                    } else {
                        person.desk().await
                    }
                    for (name, path) in pages {
                        person.open(path).await;
                        let size = if phone { "phone" } else { "desk" };
                        person.look(&format!("page-{name}-{scheme}-{size}")).await;
                        let wide =
                            "document.documentElement.scrollWidth - document.documentElement.clientWidth";
                        assert_eq!(person.value(wide).await, json!(0), "{name} on a {size} is too wide");
                        assert_eq!(person.value(ILLEGIBLE).await, json!([]), "{name} {scheme} {size}");
                        if phone {
                            assert_eq!(
                                person.value(SMALL).await,
                                json!([]),
                                "{name}: too small for a finger"
                            );
                        }
                        person.nothing_amiss().await;
                    }
                }
            }
        };
        seen(&signs).await;
        person.desk().await;
        claim(scene).await;
        seen(&PAGES).await;
    })
    .await;
}

#[tokio::test]
async fn somebody_is_invited() {
    walk("invite", &[ROOM[0], ("REGISTRATION", "invite")], async |scene| {
        let admin = &scene.person;
        claim(scene).await;
        admin.open("/admin/users/new").await;
        admin.fill("#f-email", "grace@example.com").await;
        admin.send(".form .button.primary").await;
        admin.see("[data-invitation]").await;
        admin.look("invitation-desk").await;
        let link = admin.text("[data-invitation]").await;
        let grace = scene.another("invite-grace").await;
        grace.open("/sign-up").await;
        grace.see("#f-invitation").await;
        let path = &link[link.find("/sign-up").expect("a link to the page")..];
        grace.open(path).await;
        grace.see_no("#f-invitation").await;
        grace.until("location.hash === ''").await;
        grace.fill("#f-email", "grace@example.com").await;
        grace.fill("#f-password", "another lantern over the harbour").await;
        grace.send(".form button[type=submit]").await;
        grace.at("/sign-in").await;
        grace.sign_in("grace@example.com", "another lantern over the harbour").await;
        grace.at("/").await;
        grace.see(".person-menu").await;
    })
    .await;
}

#[tokio::test]
async fn the_brake_needs_its_word_and_holds_at_once() {
    walk("brake", &ROOM, async |scene| {
        let admin = &scene.person;
        claim(scene).await;
        let grace = scene.another("brake-grace").await;
        let made = grace_joins(&grace).await;
        assert_eq!(made, 202);
        grace.sign_in("grace@example.com", "another lantern over the harbour").await;
        grace.at("/").await;
        admin.open("/admin/lockdown").await;
        admin.send("a[href='/admin/lockdown/users']").await;
        assert_eq!(admin.value("document.querySelector('.danger-button').disabled").await, true);
        admin.fill("#f-word", "user").await;
        assert_eq!(admin.value("document.querySelector('.danger-button').disabled").await, true);
        admin.fill("#f-word", "users").await;
        admin.look("brake-confirm-desk").await;
        admin.send(".danger-button").await;
        admin.see(".alarm.brake").await;
        admin.look("brake-on-desk").await;
        let asked = grace.ask("GET", "/api/v1/apps", Value::Null).await;
        assert_eq!((asked.status, asked.body["code"].as_str()), (403, Some("locked_down")));
        grace.open("/account").await;
        assert_eq!(grace.text(".failure-status").await, "403");
        grace.look("locked-down-desk").await;
        admin.open("/admin/users").await;
        admin.see(".alarm.brake").await;
        admin.send(".alarm.brake a").await;
        admin.send("a[href='/admin/lockdown/off']").await;
        admin.fill("#f-word", "off").await;
        admin.send(".danger-button").await;
        admin.see_no(".alarm.brake").await;
        grace.open("/account").await;
        assert_eq!(grace.path().await, "/account", "the session is as it was");
        admin.open("/admin/revoke/sessions").await;
        admin.fill("#f-word", "sessions").await;
        admin.keys(Key::Enter).await;
        admin.at("/sign-in").await;
        grace.open("/account").await;
        assert_eq!(grace.path().await, "/sign-in");
    })
    .await;
}

async fn grace_joins(grace: &super::person::Person) -> u64 {
    grace.open("/sign-up").await;
    let body = json!({"email": "grace@example.com", "password": "another lantern over the harbour"});
    grace.ask("POST", "/api/v1/auth/register", body).await.status
}

#[tokio::test]
async fn the_log_is_filtered_and_shows_hostile_words_as_text() {
    walk("log", &ROOM, async |scene| {
        let admin = &scene.person;
        claim(scene).await;
        let evil = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>";
        let stranger = scene.another("log-stranger").await;
        stranger.tool("Network.setUserAgentOverride", json!({"userAgent": evil})).await;
        stranger.sign_in(ADMIN, "certainly not the password").await;
        stranger.see("#problem").await;
        stranger.sign_in(ADMIN, PASSWORD).await;
        stranger.at("/").await;
        admin.open("/account/keys").await;
        admin.fill("#f-name", &evil[..50]).await;
        admin.send(".form .button.primary").await;
        admin.open("/admin/blocks").await;
        admin.fill("#f-net", "203.0.113.0/24").await;
        admin.fill("#f-reason", evil).await;
        admin.send(".form .danger-button").await;
        admin.look("blocked-desk").await;
        admin.fill("#f-net", "127.0.0.0/8").await;
        admin.send(".form .danger-button").await;
        admin.see("#e-net").await;
        for path in ["/account/sessions", "/admin/sessions", "/admin/keys", "/admin/blocks", "/admin/audit", "/admin"] {
            admin.open(path).await;
            admin.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })").await;
            let foreign = "[...document.querySelectorAll('main img, main script')].length";
            assert_eq!(admin.value(foreign).await, json!(0), "{path}");
            admin.nothing_amiss().await;
        }
        admin.open("/admin/audit").await;
        admin.browser.find(By::Css("#f-type")).await.unwrap().send_keys("auth.failure").await.unwrap();
        admin.until("location.search.includes('auth.failure') && [...document.querySelectorAll('.event-type')].every((one) => one.firstChild.textContent === 'auth.failure') && document.querySelector('.event')").await;
        admin.click(".event summary").await;
        assert!(admin.text(".event .facts").await.contains("wrong password"));
        admin.look("audit-filter-desk").await;
        let export = admin.value("document.querySelector('.page-head a[download]').getAttribute('href')").await;
        let export = admin.ask("GET", export.as_str().unwrap(), Value::Null).await;
        assert_eq!(export.status, 200);
        assert!(export.disposition.contains("attachment"), "{}", export.disposition);
        assert!(export.text.lines().skip(1).all(|line| line.contains("auth.failure")), "{}", export.text);
    })
    .await;
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    walk("admin-keyboard", &ROOM, async |scene| {
        let person = &scene.person;
        let token = scene.server.lock().await.setup_token().await;
        person.open("/setup").await;
        assert!(person.has_focus("#f-setup").await);
        person.keys(token.as_str()).await;
        person.tab_to("#f-email").await;
        person.keys(ADMIN).await;
        person.tab_to("#f-password").await;
        person.keys(PASSWORD).await;
        person.keys(Key::Enter).await;
        person.at("/admin").await;
        person.tab_to(".person-menu > summary").await;
        person.keys(Key::Enter).await;
        person.tab_to(".person-menu a[href='/account']").await;
        person.keys(Key::Enter).await;
        person.at("/account").await;
        person.tab_to(".tabs a[href='/account/keys']").await;
        person.keys(Key::Enter).await;
        person.at("/account/keys").await;
        person.tab_to("#f-name").await;
        person.keys("By keyboard").await;
        person.keys(Key::Enter).await;
        person.see("[data-fresh-key]").await;
        person.tab_to("[action$='/revoke'] button").await;
        person.keys(Key::Enter).await;
        person.see("dialog[open]").await;
        person.keys(Key::Escape).await;
        person.see_no("dialog[open]").await;
        assert!(person.has_focus("[action$='/revoke'] button").await, "back to where one was");
    })
    .await;
}

/// The checks of axe, when they lie beside the project.
#[tokio::test]
async fn every_page_passes_the_checks_of_axe() {
    let Some(axe) = crate::place::shared("axe/axe.min.js") else {
        eprintln!("axe does not lie beside the project: the pages are not checked with it");
        return;
    };
    let axe = std::fs::read_to_string(axe).expect("a script");
    walk("axe", &ROOM, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.tool("Page.setBypassCSP", json!({"enabled": true})).await;
        for (name, path) in PAGES {
            person.open(path).await;
            person.browser.execute(axe.as_str(), Vec::new()).await.unwrap();
            const RUN: &str = "const [done] = arguments; axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((found) => done(found.violations.map((one) => `${one.id} ${one.nodes[0].html.slice(0, 150)}`)));";
            let found = person.browser.execute_async(RUN, Vec::new()).await.unwrap();
            assert_eq!(found.json(), &json!([]), "{name}");
        }
    })
    .await;
}
