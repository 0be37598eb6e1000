//! The person's authenticator: a device that keeps passkeys and recognises its owner, played by the browser's own
//! developer tools. Passkeys are bound to a name, so such a journey is walked under `localhost` (`scene::walk_under`).

use serde_json::{Value, json};
use thirtyfour::WebDriver;

use super::person::Person;

/// A device that is plugged in until the browser ends.
pub struct Authenticator {
    browser: WebDriver,
    id: String,
}

impl Authenticator {
    /// A device like the one in a laptop: it is always there, keeps passkeys and recognises its owner at once.
    pub async fn plug_in(person: &Person) -> Authenticator {
        let browser = person.browser.clone();
        browser.cdp().send_raw("WebAuthn.enable", json!({ "enableUI": false })).await.unwrap();
        let options = json!({
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserVerified": true,
            "automaticPresenceSimulation": true,
        });
        let added =
            browser.cdp().send_raw("WebAuthn.addVirtualAuthenticator", json!({ "options": options })).await;
        let id = added.unwrap()["authenticatorId"].as_str().expect("an id").to_owned();
        Authenticator { browser, id }
    }

    /// Whether the device recognises its owner from now on. Where it does not, every request is refused.
    pub async fn recognises(&self, owner: bool) {
        self.tool("WebAuthn.setUserVerified", json!({ "isUserVerified": owner })).await;
    }

    /// Whether somebody touches the device when it asks for it. Where nobody does, a request stays open.
    pub async fn touched(&self, touched: bool) {
        self.tool("WebAuthn.setAutomaticPresenceSimulation", json!({ "enabled": touched })).await;
    }

    /// The passkeys that the device holds: `credentialId`, `rpId`, `userHandle`, `signCount`, …
    pub async fn passkeys(&self) -> Vec<Value> {
        let found = self.tool("WebAuthn.getCredentials", json!({})).await;
        found["credentials"].as_array().cloned().unwrap_or_default()
    }

    /// Another device takes the place of this one: it holds no passkeys.
    pub async fn empty(&self) {
        self.tool("WebAuthn.clearCredentials", json!({})).await;
    }

    async fn tool(&self, command: &str, mut with: Value) -> Value {
        with["authenticatorId"] = json!(self.id);
        self.browser.cdp().send_raw(command, with).await.unwrap()
    }
}
