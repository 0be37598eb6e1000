//! What people do with their accounts: claim the server, join, sign in, protect themselves, sign out elsewhere, make
//! keys. Each journey begins on a server that nobody runs yet.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::authenticator::Authenticator;
use super::person::Person;
use super::scene::{Scene, walk, walk_under};

pub const ADMIN: &str = "ada@example.com";
pub const PASSWORD: &str = "quiet river under seven bridges";
const OTHER: &str = "another lantern over the harbour";

/// The limits of signing in are judged elsewhere.
pub const ROOM: [(&str, &str); 1] = [("RATE_LIMIT_ENABLED", "false")];

impl Person {
    /// Types into a field that is empty.
    pub async fn fill(&self, css: &str, text: &str) {
        self.see(css).await;
        let field = self.browser.find(By::Css(css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Sends the form that holds this field, and waits for another document.
    pub async fn send(&self, css: &str) {
        self.value("window.__before = true").await;
        self.click(css).await;
        self.until("!window.__before && document.readyState === 'complete'").await;
    }

    pub async fn sign_in(&self, email: &str, password: &str) {
        self.open("/sign-in").await;
        self.fill("#f-email", email).await;
        self.fill("#f-password", password).await;
        self.click(".form button[type=submit]").await;
    }

    pub async fn at(&self, path: &str) {
        self.until(&format!("location.pathname === {path:?} && document.readyState === 'complete'")).await;
    }
}

/// The first person claims the server and is its admin.
pub async fn claim(scene: &Scene) {
    let person = &scene.person;
    let token = scene.server.lock().await.setup_token().await;
    person.open(&format!("/setup#token={token}")).await;
    person.until("location.hash === ''").await;
    person.see_no("#f-setup").await;
    person.fill("#f-email", ADMIN).await;
    person.fill("#f-password", PASSWORD).await;
    person.click(".form button[type=submit]").await;
    person.at("/admin").await;
}

/// The code that an authenticator app shows for this secret in base32, `ahead` steps from now.
pub fn code(secret: &str, ahead: i64) -> String {
    let mut bits = String::new();
    for letter in secret.chars().filter(char::is_ascii_alphanumeric) {
        let place = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("base32");
        bits.push_str(&format!("{place:05b}"));
    }
    let bytes = bits.as_bytes().chunks_exact(8);
    let bytes =
        bytes.map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let step = i64::try_from(now / 30).unwrap() + ahead;
    crypto::totp::code(&kernel::Secret::new(bytes), step).expose().clone()
}

#[tokio::test]
async fn the_server_is_claimed_once() {
    walk("claim", &ROOM, async |scene| {
        let person = &scene.person;
        person.open("/setup").await;
        person.look("setup-desk").await;
        person.fill("#f-setup", "not-the-token").await;
        person.fill("#f-email", ADMIN).await;
        person.fill("#f-password", "short").await;
        person
            .until("document.querySelector('[data-meter-text]').textContent.includes('5 of at least 15')")
            .await;
        person.fill("#f-password", PASSWORD).await;
        person.send(".form button[type=submit]").await;
        assert_eq!(person.path().await, "/setup");
        person.see("#e-setup").await;
        assert!(person.has_focus("#f-setup").await, "one goes on where it was wrong");
        assert_eq!(person.value("document.querySelector('#f-email').value").await, ADMIN);
        claim(scene).await;
        person.see("[data-live-state].on").await;
        person.click(".person-menu > summary").await;
        person.look("admin-menu-desk").await;
        assert!(person.text(".menu-head").await.contains(ADMIN));
        let stranger = scene.another("claim-stranger").await;
        stranger.open("/setup").await;
        assert_eq!(stranger.path().await, "/sign-in", "nobody claims it twice");
        person.click(".person-menu button").await;
        person.at("/sign-in").await;
        assert!(person.text("[role=status]").await.contains("signed out"));
        person.open("/admin").await;
        assert_eq!(person.path().await, "/sign-in");
        person.sign_in(ADMIN, "not the password at all").await;
        person.see("#problem").await;
        assert!(person.text("#problem").await.contains("not right"));
        person.look("wrong-password-desk").await;
        person.fill("#f-email", "nobody@example.com").await;
        person.fill("#f-password", "not the password at all").await;
        person.click(".form button[type=submit]").await;
        person.until("document.querySelector('#problem')").await;
        assert!(person.text("#problem").await.contains("not right"), "the same words for everybody");
        // Foreign ways back lead home.
        person.open("/sign-in?return_to=//evil.example/x").await;
        person.fill("#f-email", ADMIN).await;
        person.fill("#f-password", PASSWORD).await;
        person.click(".form button[type=submit]").await;
        person.at("/").await;
        person.see(".person-menu").await;
    })
    .await;
}

#[tokio::test]
async fn somebody_joins_and_is_let_into_the_workspace() {
    walk("join", &ROOM, async |scene| {
        let admin = &scene.person;
        claim(scene).await;
        let grace = scene.another("join-grace").await;
        grace.open("/apps/workspace").await;
        grace.at("/sign-in").await;
        grace.click(".aside a").await;
        grace.at("/sign-up").await;
        grace.look("sign-up-desk").await;
        grace.fill("#f-name", "Grace \"<b>\" Hopper").await;
        grace.fill("#f-email", "grace@example.com").await;
        grace.fill("#f-password", "grace@example.com").await;
        grace.send(".form button[type=submit]").await;
        grace.see("#e-password").await;
        grace.fill("#f-password", OTHER).await;
        grace.send(".form button[type=submit]").await;
        grace.at("/sign-in").await;
        grace.sign_in("grace@example.com", OTHER).await;
        grace.at("/").await;
        grace.open("/apps/workspace").await;
        assert_eq!(grace.text(".failure-status").await, "403");
        grace.look("not-granted-desk").await;
        grace.open("/admin").await;
        assert_eq!(grace.text(".failure-status").await, "404", "to others the administration does not exist");

        admin.open("/admin/users").await;
        admin.until("document.querySelectorAll('.lines > li').length === 2").await;
        admin.look("admin-users-desk").await;
        admin.fill("#f-q", "grace@example.com").await;
        admin.send(".filters button[type=submit]").await;
        assert_eq!(admin.count(".lines > li").await, 1);
        admin.send(".lines .line-link").await;
        let granted = "[action$='/grants/workspace'] button[value=use]";
        admin.send(granted).await;
        admin.until("document.querySelector(\"[action$='/grants/workspace'] [value=use]\").getAttribute('aria-pressed') === 'true'").await;
        admin.look("admin-user-desk").await;

        grace.open("/apps/workspace").await;
        grace.say("Hello workspace").await;
        assert_eq!(grace.answer().await, "You said 15 characters. Good.");
        admin.send("[action$='/grants/workspace'] button[value=none]").await;
        let refused = grace.ask("POST", "/api/v1/conversations", json!({"app": "workspace"})).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
        grace.open("/apps/workspace").await;
        assert_eq!(grace.text(".failure-status").await, "403");
        grace.nothing_amiss().await;
    })
    .await;
}

#[tokio::test]
async fn a_second_factor_is_set_up_and_asked_for() {
    walk("second-factor", &ROOM, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.open("/account/security").await;
        person.send("[action='/account/totp'] button").await;
        person.see(".qr svg").await;
        person.look("totp-desk").await;
        let secret = person.text("[data-copy-source]").await;
        person.fill("#f-code", &code(&secret, 0)).await;
        person.send("[action='/account/totp/confirm'] button").await;
        person.see(".codes-grid").await;
        person.look("recovery-desk").await;
        let recovery = person.text(".codes-grid code").await;
        assert_eq!(person.path().await, "/account/security", "a reload shows them no more");
        person.open("/account/security").await;
        assert!(person.text("#second-factor").await.contains("10 recovery codes"));

        let phone = scene.another("second-factor-phone").await;
        phone.sign_in(ADMIN, PASSWORD).await;
        phone.see("[name=code]").await;
        phone.look("code-desk").await;
        assert!(phone.has_focus("[name=code]").await);
        phone.see_no("#f-password").await;
        phone.keys("000000").await;
        phone.keys(Key::Enter).await;
        phone.see("#e-code").await;
        phone.fill("[name=code]", &code(&secret, 1)).await;
        phone.keys(Key::Enter).await;
        phone.at("/").await;
        phone.see(".person-menu").await;

        let lost = scene.another("second-factor-lost").await;
        lost.sign_in(ADMIN, PASSWORD).await;
        lost.fill("[name=code]", &recovery).await;
        lost.keys(Key::Enter).await;
        lost.at("/").await;
        lost.open("/account/security").await;
        assert!(lost.text("#second-factor").await.contains("9 recovery codes"));
        lost.open("/account/sessions").await;
        lost.until("document.querySelectorAll('.lines > li').length === 3").await;
        lost.look("sessions-desk").await;
        lost.click("[action='/account/sessions/end-others'] button").await;
        lost.see("dialog[open]").await;
        lost.send("dialog[open] [value=yes]").await;
        lost.until("document.querySelectorAll('.lines > li').length === 1").await;
        person.open("/account").await;
        assert_eq!(person.path().await, "/sign-in");
    })
    .await;
}

#[tokio::test]
async fn signing_out_elsewhere_works_at_once() {
    walk("elsewhere", &ROOM, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        let other = scene.another("elsewhere-other").await;
        other.sign_in(ADMIN, PASSWORD).await;
        other.at("/").await;
        person.open("/account/sessions").await;
        assert_eq!(person.count(".lines > li").await, 2);
        assert_eq!(person.count(".tag.good").await, 1, "one is this one");
        person.send(".lines form button").await;
        assert_eq!(person.count(".lines > li").await, 1);
        other.open("/account").await;
        assert_eq!(other.path().await, "/sign-in");
        person.open("/account").await;
        assert_eq!(person.path().await, "/account");
        person.open("/account/security").await;
        person.click(".unfold summary").await;
        person.fill("#f-password", PASSWORD).await;
        person.fill("#f-new_password", OTHER).await;
        person.send("[action='/account/password'] button[type=submit]").await;
        assert!(person.text("[role=status]").await.contains("changed"));
        other.sign_in(ADMIN, PASSWORD).await;
        other.see("#problem").await;
        other.sign_in(ADMIN, OTHER).await;
        other.at("/").await;
    })
    .await;
}

#[tokio::test]
async fn a_key_is_made_used_and_revoked() {
    walk("keys", &ROOM, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.open("/account/keys").await;
        person.fill("#f-name", "Nightly <script>alert(1)</script>").await;
        person.click("[name=scope][value=chat]").await;
        person.send(".form .button.primary").await;
        person.see("[data-fresh-key]").await;
        person.look("key-desk").await;
        let key = person.text("[data-fresh-key]").await;
        assert!(key.starts_with("stoa_"), "{key}");
        assert_eq!(person.count("li.faded").await, 0);
        let chat = |text: &str| json!({"message": text, "app": "support"});
        let used = with_key(scene, &key, chat("Hello")).await;
        assert_eq!(used, 200);
        person.browser.refresh().await.unwrap();
        person.see_no("[data-fresh-key]").await;
        assert!(person.text(".lines strong").await.contains("<script>"), "as text");
        person.click("[action$='/revoke'] button").await;
        person.see("dialog[open]").await;
        person.look("ask-desk").await;
        person.send("dialog[open] .danger-button").await;
        assert_eq!(with_key(scene, &key, chat("Hello")).await, 401);
    })
    .await;
}

/// The status that a program with this key gets.
async fn with_key(scene: &Scene, key: &str, body: Value) -> u64 {
    const CALL: &str = "const [key, body, done] = arguments; fetch('/api/v1/chat', { method: 'POST', credentials: 'omit', headers: { 'X-API-Key': key, 'Content-Type': 'application/json' }, body: JSON.stringify(body) }).then((answer) => done(answer.status));";
    let found = scene.person.browser.execute_async(CALL, vec![key.into(), body]).await.unwrap();
    found.json().as_u64().unwrap()
}

#[tokio::test]
async fn a_passkey_signs_in() {
    walk_under("localhost", "passkey-pages", &ROOM, async |scene| {
        let person = &scene.person;
        let device = Authenticator::plug_in(person).await;
        claim(scene).await;
        person.open("/account/security").await;
        person.fill("#passkey-name", "My laptop").await;
        person.send("[data-passkey-add] button").await;
        person.until("document.querySelector('#passkeys .lines')?.textContent.includes('My laptop')").await;
        assert_eq!(device.passkeys().await.len(), 1);
        person.look("passkey-desk").await;
        person.click(".person-menu > summary").await;
        // A device that does not recognise its owner: nothing happens by itself.
        device.recognises(false).await;
        person.send(".person-menu button").await;
        person.see("[data-passkey-button]").await;
        device.recognises(true).await;
        person.click("[data-passkey-button]").await;
        person.at("/").await;
        person.see(".person-menu").await;
        person.open("/account/sessions").await;
        assert!(person.text(".lines").await.contains("passkey"));
    })
    .await;
}
