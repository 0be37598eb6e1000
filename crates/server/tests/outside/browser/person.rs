//! A person in front of the browser: goes to pages, looks, types, clicks, waits. Also the witness: whatever a page
//! runs, reports or blocks that it should not is noted and fails the journey.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::place;

/// How long a person waits for something to happen.
const PATIENCE: Duration = Duration::from_secs(15);

/// Runs in every document before its own scripts: notes dialogs, errors and blocked content.
const WITNESS: &str = r#"
(() => {
  const noted = (window.__noted = []);
  for (const name of ["alert", "confirm", "prompt", "print", "open"]) {
    window[name] = (what) => { noted.push(`${name}(${what})`); };
  }
  addEventListener("error", (event) => noted.push(`error: ${event.message}`));
  addEventListener("unhandledrejection", (event) => noted.push(`rejection: ${event.reason}`));
  addEventListener("securitypolicyviolation", (event) =>
    noted.push(`blocked: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
})();
"#;

/// Asks the API as the page would, with the visitor's cookie.
const ASK: &str = r#"
const [method, path, body, done] = arguments;
const headers = body === null ? {} : { "Content-Type": "application/json" };
fetch(path, { method, headers, body: body === null ? undefined : JSON.stringify(body) })
  .then(async (answer) => done({
    status: answer.status, body: await answer.text(), type: answer.headers.get("content-type"),
    disposition: answer.headers.get("content-disposition"),
  }))
  .catch((error) => done({ status: 0, body: String(error) }));
"#;

/// The person.
pub struct Person {
    pub browser: WebDriver,
    pub base: String,
    journey: String,
}

/// What the API answered.
pub struct Answer {
    pub status: u64,
    pub body: Value,
    pub text: String,
    pub disposition: String,
}

impl Person {
    pub async fn new(browser: WebDriver, base: String, journey: &str) -> Person {
        browser.set_script_timeout(PATIENCE).await.unwrap();
        browser.set_page_load_timeout(PATIENCE).await.unwrap();
        let person = Person { browser, base, journey: journey.to_owned() };
        person.tool("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WITNESS })).await;
        person.desk().await;
        person
    }

    /// One command of the developer tools.
    pub async fn tool(&self, command: &str, with: Value) {
        self.browser.cdp().send_raw(command, with).await.unwrap();
    }

    /// A screen on a desk.
    pub async fn desk(&self) {
        self.screen(1280, 900, false).await;
    }

    /// A phone.
    pub async fn phone(&self) {
        self.screen(390, 844, true).await;
    }

    async fn screen(&self, width: u32, height: u32, mobile: bool) {
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.tool("Emulation.setDeviceMetricsOverride", screen).await;
        self.tool("Emulation.setTouchEmulationEnabled", json!({"enabled": mobile})).await;
    }

    /// What the person's system prefers: `light` or `dark`.
    pub async fn prefers(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.tool("Emulation.setEmulatedMedia", features).await;
        // Colours fade over; what is looked at in between is neither the one nor the other.
        self.until("document.getAnimations().every((one) => one.playState !== 'running')").await;
    }

    pub async fn open(&self, path: &str) {
        self.browser.goto(format!("{}{path}", self.base)).await.unwrap();
    }

    /// The path that the browser shows.
    pub async fn path(&self) -> String {
        self.browser.current_url().await.unwrap().path().to_owned()
    }

    /// The value of a JavaScript expression in the page.
    pub async fn value(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        match self.browser.execute(script, Vec::new()).await {
            Ok(found) => found.json().clone(),
            Err(error) => panic!("{}: `{expression}`: {error}", self.journey),
        }
    }

    pub async fn text(&self, css: &str) -> String {
        let found = self.value(&format!("document.querySelector({css:?})?.textContent")).await;
        found.as_str().unwrap_or_default().trim().to_owned()
    }

    pub async fn count(&self, css: &str) -> u64 {
        self.value(&format!("document.querySelectorAll({css:?}).length")).await.as_u64().unwrap()
    }

    /// Waits until a JavaScript expression holds. A page that is just being replaced counts as "not yet".
    pub async fn until(&self, expression: &str) {
        let begun = Instant::now();
        let script = format!("return Boolean({expression});");
        loop {
            let found = self.browser.execute(script.clone(), Vec::new()).await;
            if found.as_ref().is_ok_and(|found| found.json() == true) {
                return;
            }
            if begun.elapsed() > PATIENCE {
                panic!("{}: waited in vain for `{expression}`: {:?}", self.journey, found.err());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Waits until something is there and can be seen.
    pub async fn see(&self, css: &str) {
        self.until(&format!(
            "document.querySelector({css:?})?.checkVisibility({{visibilityProperty: true}})"
        ))
        .await;
    }

    /// Waits until nothing of the kind can be seen.
    pub async fn see_no(&self, css: &str) {
        let visible = format!("[...document.querySelectorAll({css:?})]");
        self.until(&format!("!{visible}.some((one) => one.checkVisibility({{visibilityProperty: true}}))"))
            .await;
    }

    pub async fn click(&self, css: &str) {
        self.see(css).await;
        // Into the middle, from under the bars at the top and the bottom.
        self.value(&format!(
            "document.querySelector({css:?}).scrollIntoView({{ block: 'center', behavior: 'instant' }})"
        ))
        .await;
        let element = self.browser.find(By::Css(css)).await.unwrap();
        if let Err(error) = element.click().await {
            panic!("{}: {css} cannot be clicked: {error}", self.journey);
        }
    }

    /// Types into whatever has the focus.
    pub async fn keys(&self, keys: impl Into<TypingData>) {
        self.browser.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Presses a key while another is held.
    pub async fn chord(&self, held: Key, key: Key) {
        let chain = self.browser.action_chain().key_down(held.value()).key_down(key.value());
        chain.key_up(key.value()).key_up(held.value()).perform().await.unwrap();
    }

    /// Opens the command palette with its keys.
    pub async fn palette(&self) {
        let chain = self.browser.action_chain().key_down(Key::Control.value()).key_down('k');
        chain.key_up('k').key_up(Key::Control.value()).perform().await.unwrap();
    }

    /// Presses Tab until `css` has the focus: everything has to be within reach of the keyboard.
    pub async fn tab_to(&self, css: &str) {
        for _ in 0..60 {
            if self.has_focus(css).await {
                return;
            }
            self.keys(Key::Tab).await;
        }
        panic!("{}: {css} cannot be reached by keyboard", self.journey);
    }

    pub async fn has_focus(&self, css: &str) -> bool {
        self.value(&format!("Boolean(document.activeElement?.matches({css:?}))")).await == true
    }

    /// Writes a message and sends it.
    pub async fn say(&self, text: &str) {
        self.browser.find(By::Css("#message")).await.unwrap().send_keys(text).await.unwrap();
        self.click("[data-send]").await;
    }

    /// Waits until the newest answer is complete, and gives its text.
    pub async fn answer(&self) -> String {
        self.until(
            "document.querySelector('.message:last-of-type .message-foot') && !document.querySelector('.writing')",
        )
        .await;
        self.text(".message:last-of-type .prose").await
    }

    pub async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let found = self.browser.execute_async(ASK, vec![method.into(), path.into(), body]).await.unwrap();
        let found = found.json();
        let text = found["body"].as_str().unwrap_or_default().to_owned();
        Answer {
            status: found["status"].as_u64().unwrap(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            disposition: found["disposition"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Takes a picture of what can be seen.
    pub async fn look(&self, name: &str) {
        let file = place::artefacts().join(format!("{name}.png"));
        if let Err(error) = self.browser.screenshot(&file).await {
            eprintln!("no picture {name}: {error}");
        }
    }

    /// What the witness has noted in this document.
    pub async fn noted(&self) -> Vec<String> {
        serde_json::from_value(self.value("window.__noted ?? ['there was no witness']").await).unwrap()
    }

    /// The page runs as it was written: no dialog, error or blocked content, no complaint on the console, nothing
    /// fetched from elsewhere.
    pub async fn nothing_amiss(&self) {
        assert!(self.browser.get_alert_text().await.is_err(), "{}: a dialog is open", self.journey);
        let noted = self.noted().await;
        assert!(noted.is_empty(), "{}: {noted:#?}", self.journey);
        let fetched = self.value("performance.getEntriesByType('resource').map((one) => one.name)").await;
        for url in fetched.as_array().unwrap().iter().filter_map(Value::as_str) {
            assert!(url.starts_with(&self.base), "{}: fetched {url}", self.journey);
        }
        let complaints: Vec<String> = self
            .browser
            .browser_log()
            .await
            .unwrap()
            .into_iter()
            .filter(|entry| matches!(entry.level.as_str(), "SEVERE" | "WARNING"))
            .map(|entry| entry.message)
            // The browser notes every answer that is not a success; which are expected, the journey checks.
            .filter(|message| !message.contains("Failed to load resource"))
            .collect();
        assert!(complaints.is_empty(), "{}: {complaints:#?}", self.journey);
    }
}
