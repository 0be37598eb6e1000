//! What cannot be undone is asked for twice: the proof that it is still the same person, and the word before an erasure.

use serde_json::Value;

use super::accounts::{PASSWORD, ROOM, claim, code};
use super::scene::walk;

const OTHER: &str = "another lantern over the harbour";

#[tokio::test]
async fn a_second_factor_is_turned_off_by_who_proves_to_be_its_owner() {
    walk("prove", &ROOM, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.open("/account/security").await;
        person.send("form[action='/account/totp'] button").await;
        let secret = person.text("[data-copy-source]").await;
        person.fill("[name=code]", &code(&secret, 0)).await;
        person.send("form[action='/account/totp/confirm'] button[type=submit]").await;
        person.open("/account/security").await;
        person.send("form[action='/account/totp/remove'] button").await;
        // However fresh the sign-in: this takes the password.
        person.see("[name=proof_password]").await;
        person.look("prove-desk").await;
        assert!(person.text("main").await.contains("turn the second factor off"));
        assert_eq!(person.count("[name=proof_code]").await, 0, "nothing is asked for that is not looked at");
        person.fill("[name=proof_password]", "certainly not the password").await;
        person.send("main form button[type=submit]").await;
        let me = person.ask("GET", "/api/v1/me", Value::Null).await;
        assert_eq!(me.body["second_factor"]["totp"], true, "a wrong password changes nothing: {}", me.text);
        person.open("/account/security").await;
        person.send("form[action='/account/totp/remove'] button").await;
        person.fill("[name=proof_password]", PASSWORD).await;
        person.send("main form button[type=submit]").await;
        person.at("/account/security").await;
        assert!(person.text("[role=status]").await.contains("is off"));
        let me = person.ask("GET", "/api/v1/me", Value::Null).await;
        assert_eq!(me.body["second_factor"]["totp"], false, "{}", me.text);
    })
    .await;
}

#[tokio::test]
async fn an_account_is_erased_to_its_end() {
    walk("erase", &ROOM, async |scene| {
        let admin = &scene.person;
        claim(scene).await;
        let grace = scene.another("erase-grace").await;
        grace.open("/sign-up").await;
        grace.fill("#f-email", "grace@example.com").await;
        grace.fill("#f-password", OTHER).await;
        grace.send(".form button[type=submit]").await;
        grace.sign_in("grace@example.com", OTHER).await;
        grace.at("/").await;
        grace.open("/apps/assistant").await;
        grace.say("Remember the harbour").await;
        grace.answer().await;
        let me = grace.ask("GET", "/api/v1/me", Value::Null).await.body["id"].as_str().unwrap().to_owned();
        admin.open("/admin/users").await;
        admin.send(&format!(".line-link[href='/admin/users/{me}']")).await;
        admin.send(&format!("a[href='/admin/users/{me}/erase']")).await;
        admin.see("#f-word").await;
        admin.look("erase-desk").await;
        assert_eq!(admin.value("document.querySelector('.danger-button').disabled").await, true);
        admin.fill("#f-word", "grace@example.co").await;
        assert_eq!(admin.value("document.querySelector('.danger-button').disabled").await, true);
        admin.fill("#f-word", "grace@example.com").await;
        admin.send(".danger-button").await;
        admin.at("/admin/users").await;
        assert!(admin.text("[role=status]").await.contains("erased"));
        assert!(!admin.text(".lines").await.contains("grace@example.com"));
        admin.open(&format!("/admin/users/{me}")).await;
        assert_eq!(admin.text(".failure-status").await, "404");
        admin.open("/admin/audit?type=data.erased").await;
        assert_eq!(admin.count(".event").await, 1);
        // Her browser is signed out, and what she wrote is nobody's.
        grace.open("/account").await;
        assert_eq!(grace.path().await, "/sign-in");
        let listed = grace.ask("GET", "/api/v1/conversations", Value::Null).await;
        assert!(!listed.text.contains("harbour"), "{}", listed.text);
        grace.sign_in("grace@example.com", OTHER).await;
        grace.see("#problem").await;
        // The address is free again.
        grace.open("/sign-up").await;
        grace.fill("#f-email", "grace@example.com").await;
        grace.fill("#f-password", OTHER).await;
        grace.send(".form button[type=submit]").await;
        grace.sign_in("grace@example.com", OTHER).await;
        grace.at("/").await;
        let fresh = grace.ask("GET", "/api/v1/conversations", Value::Null).await;
        assert!(!fresh.text.contains("harbour"), "{}", fresh.text);
    })
    .await;
}
