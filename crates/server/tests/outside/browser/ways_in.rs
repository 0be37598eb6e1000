//! Ways in that lead elsewhere first: the page of another issuer, and links that go out by mail.

use std::time::Duration;

use serde_json::Value;

use super::accounts::{ADMIN, PASSWORD, ROOM, claim};
use super::scene::walk;
use crate::issuer::Issuer;
use crate::receivers::Smtp;

const OTHER: &str = "another lantern over the harbour";

/// Mail goes to this receiver.
fn mail(url: &str) -> [(&str, &str); 3] {
    [ROOM[0], ("SMTP_URL", url), ("SMTP_FROM", "stoa@example.com")]
}

/// The page and the token of the newest link that went to this address.
async fn link(smtp: &Smtp, to: &str, page: &str) -> String {
    for _ in 0..400 {
        let told = smtp.told().replace("=\r\n", "").replace("=3D", "=");
        let letters = told.split("MAIL FROM").filter(|letter| letter.contains(&format!("<{to}>")));
        let start = format!("{page}#token=");
        let found = letters.filter_map(|letter| letter.split(&start).nth(1)).last();
        if let Some(rest) = found {
            let token: String =
                rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
            return format!("{start}{token}");
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no mail to {to} with a link to {page}");
}

#[tokio::test]
async fn somebody_signs_in_at_another_issuer() {
    let issuer = Issuer::start("company").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stoa.toml");
    std::fs::write(&file, issuer.entry()).unwrap();
    let file = file.display().to_string();
    walk("issuer", &[ROOM[0], ("STOA_CONFIG", &file)], async |scene| {
        let person = &scene.person;
        // Nobody sits in front of the issuer's page: it sends the browser back with a no.
        person.open("/sign-in?return_to=/account").await;
        person.look("issuer-sign-in-desk").await;
        person.send("a[href^='/api/v1/auth/oidc/company/start']").await;
        person.see("#problem").await;
        assert!(person.text("#problem").await.contains("Try again"), "{}", person.text("#problem").await);
        person.look("issuer-declined-desk").await;
        let journey = async || {
            let cookies = person.browser.get_all_cookies().await.unwrap();
            cookies.iter().any(|cookie| cookie.name.contains("oidc"))
        };
        assert!(!journey().await, "a journey that failed is forgotten");
        issuer.seat(Some("ann-1"));
        person.open("/sign-in?return_to=/account").await;
        person.send("a[href^='/api/v1/auth/oidc/company/start']").await;
        person.at("/account").await;
        assert!(!journey().await, "one that came to its end, too");
        let shown = person.text(".shell-content").await;
        assert!(shown.contains(&issuer.url()), "the profile says how one signs in: {shown}");
        person.look("issuer-account-desk").await;
        person.open("/account/sessions").await;
        assert!(person.text(".lines").await.contains("another account"));
        person.open("/account/security").await;
        assert!(person.text("main").await.contains("no password"));
        // Signing in again is the same account.
        let me = person.ask("GET", "/api/v1/me", Value::Null).await.body["id"].clone();
        person.click(".person-menu > summary").await;
        person.send(".person-menu button").await;
        person.at("/sign-in").await;
        person.send("a[href^='/api/v1/auth/oidc/company/start']").await;
        person.at("/").await;
        assert_eq!(person.ask("GET", "/api/v1/me", Value::Null).await.body["id"], me);
        // The answer of one journey is not good for another.
        assert!(
            person.ask("GET", "/api/v1/auth/oidc/company/callback?code=x&state=y", Value::Null).await.status
                >= 400
        );
    })
    .await;
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_link() {
    let smtp = Smtp::start().await;
    let url = format!("smtp://ops:mail-password@{}", smtp.address);
    walk("reset", &mail(&url), async |scene| {
        let person = &scene.person;
        claim(scene).await;
        let forgetful = scene.another("reset-forgetful").await;
        for address in ["nobody@example.com", ADMIN] {
            forgetful.open("/sign-in").await;
            forgetful.send("a[href^='/forgot']").await;
            forgetful.fill("#f-email", address).await;
            forgetful.send(".form button[type=submit]").await;
            assert!(
                forgetful.text("main").await.contains("If this address has an account"),
                "the same for both"
            );
        }
        forgetful.look("forgot-sent-desk").await;
        let link = link(&smtp, ADMIN, "/reset").await;
        assert!(!smtp.told().contains("nobody@example.com"));
        forgetful.open(&link).await;
        forgetful.until("location.hash === ''").await;
        forgetful.see_no("#f-reset").await;
        forgetful.fill("#f-password", "too short").await;
        forgetful
            .browser
            .execute("document.querySelector('form.form').noValidate = true", vec![])
            .await
            .unwrap();
        forgetful.send(".form button[type=submit]").await;
        forgetful.see("#e-password").await;
        forgetful.open(&link).await;
        forgetful.fill("#f-password", OTHER).await;
        forgetful.send(".form button[type=submit]").await;
        forgetful.at("/sign-in").await;
        assert!(forgetful.text("[role=status]").await.contains("Sign in with it"));
        person.open("/account").await;
        assert_eq!(person.path().await, "/sign-in", "whoever was signed in is so no more");
        forgetful.sign_in(ADMIN, PASSWORD).await;
        forgetful.see("#problem").await;
        forgetful.sign_in(ADMIN, OTHER).await;
        forgetful.at("/").await;
        // The link was good once.
        let late = scene.another("reset-late").await;
        late.open(&link).await;
        late.fill("#f-password", PASSWORD).await;
        late.send(".form button[type=submit]").await;
        late.see("#e-reset").await;
        assert!(late.text("#e-reset").await.contains("has been used"));
    })
    .await;
}

#[tokio::test]
async fn another_address_is_taken_by_a_link() {
    let smtp = Smtp::start().await;
    let url = format!("smtp://ops:mail-password@{}", smtp.address);
    walk("address", &mail(&url), async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.open("/account").await;
        person.send("a[href='/account/email']").await;
        person.look("email-desk").await;
        person.fill("#f-address", "ada@").await;
        person
            .browser
            .execute("document.querySelector('form.form').noValidate = true", vec![])
            .await
            .unwrap();
        person.send(".form .button.primary").await;
        person.see("#e-address").await;
        person.fill("#f-address", "countess@example.com").await;
        person.send(".form .button.primary").await;
        person.at("/account").await;
        assert!(person.text("[role=status]").await.contains("on its way"));
        assert!(person.text(".page-head").await.contains(ADMIN), "nothing has changed yet");
        let link = link(&smtp, "countess@example.com", "/verify").await;
        person.open(&link).await;
        person.send(".form button[type=submit]").await;
        person.open("/account").await;
        assert!(person.text(".page-head").await.contains("countess@example.com"), "still signed in");
        person.look("email-changed-desk").await;
        let other = scene.another("address-other").await;
        other.sign_in(ADMIN, PASSWORD).await;
        other.see("#problem").await;
        other.sign_in("countess@example.com", PASSWORD).await;
        other.at("/").await;
        let told = smtp.told();
        assert!(told.contains("RCPT TO:<ada@example.com>"), "the old address is told: {told}");
    })
    .await;
}
