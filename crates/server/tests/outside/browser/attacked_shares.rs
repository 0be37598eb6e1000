//! Hostile text on pages that anybody opens: as title, question, answer, name of a file and citation of a conversation that is
//! shown by a link, plain, masked and behind a password. The browser must run, load and block nothing, under the policy of the
//! pages and without it.

use serde_json::{Value, json};

use super::accounts::{ROOM, claim};
use super::attacks::{VECTORS, published};
use super::person::Person;
use super::scene::walk;

/// Vectors of one conversation.
const TOGETHER: usize = 9;
const PASSWORD: &str = "open sesame please";

/// Sends an export as the page of the account does.
const BRING: &str = r#"
const [text, done] = arguments;
const form = new FormData();
form.append("app", "workspace");
form.append("file", new Blob([text]), "export.json");
fetch("/api/v1/conversations/import", { method: "POST", body: form }).then((answer) => answer.json()).then(done, (error) => done(String(error)));
"#;

/// Elements and attributes of a shared page that no text can ask for.
const FOREIGN: &str = r#"[...document.querySelectorAll("main *, title *")]
  .filter((one) =>
    [...one.attributes].some((a) => /^on|^style$|^src|^formaction$|^action$|^srcdoc$|^autofocus$/i.test(a.name)) ||
    (one.href && !/^(https?|mailto):/.test(one.href)) ||
    /^(script|iframe|style|link|meta|base|object|embed|form|input|img|svg|math|x)$/i.test(one.localName) && !one.closest("svg.icon") && !one.matches(".prose math[alttext]") && !(one.localName === "input" && one.type === "checkbox"))
  .map((one) => one.outerHTML.slice(0, 120))"#;

fn conversation(number: usize, vectors: &[String]) -> Value {
    let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
    let mut messages = Vec::new();
    for (at, vector) in vectors.iter().enumerate() {
        let said = vector.replace('\0', "");
        let parent = at.checked_sub(1).map(|before| format!("a{before}"));
        messages.push(json!({"id": format!("q{at}"), "parent_id": parent, "role": "user", "content": said,
            "attachments": [{"name": short(vector), "kind": "text", "text": said}]}));
        messages.push(json!({"id": format!("a{at}"), "parent_id": format!("q{at}"), "role": "assistant", "content": said,
            "model": short(vector), "citations": [{"number": 1, "title": said, "source": said, "quote": said, "heading_path": [said]}]}));
    }
    let last = format!("a{}", vectors.len() - 1);
    json!({"conversation": {"id": format!("01939f2e-7c4a-7b31-9d55-{number:012x}"), "title": short(&vectors[number % vectors.len()])},
        "messages": messages, "said": [last]})
}

/// The address of a new link, without the server.
async fn link(person: &Person, id: &str, wish: Value) -> String {
    let made = person.ask("POST", &format!("/api/v1/conversations/{id}/shares"), wish).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let url = made.body["url"].as_str().unwrap();
    url[url.find("/shared/").unwrap()..].to_owned()
}

/// What is on the page is text, and nothing has run.
async fn harmless(person: &Person, path: &str, least: u64) {
    assert!(person.count(".paper-message").await >= least, "{path}: the messages are there");
    let poke = "(() => { for (const one of document.querySelectorAll('main *')) for (const kind of ['mouseover', 'focus', 'toggle', 'error', 'load']) one.dispatchEvent(new Event(kind)); return true; })()";
    person.value(poke).await;
    person.until("(window.__frames ??= (requestAnimationFrame(() => requestAnimationFrame(() => window.__frames = 2)), 1)) === 2").await;
    assert_eq!(person.value(FOREIGN).await, json!([]), "{path}");
    assert_eq!(person.path().await, path);
    person.nothing_amiss().await;
}

async fn unlock(person: &Person, path: &str) {
    person.open(path).await;
    person.fill("[name=password]", PASSWORD).await;
    person.send("main [type=submit]").await;
    person.see(".paper").await;
}

#[tokio::test]
async fn hostile_text_runs_nothing_on_shared_pages() {
    let settings: Vec<(&str, &str)> = ROOM.iter().copied().chain([("RATE_LIMIT_ENABLED", "false")]).collect();
    walk("attacked-shares", &settings, async |scene| {
        let person = &scene.person;
        claim(scene).await;
        person.open("/account/conversations").await;
        let mut texts: Vec<String> = VECTORS.iter().map(|vector| (*vector).to_owned()).collect();
        texts.extend(published());
        let talks: Vec<Value> =
            (1..).zip(texts.chunks(TOGETHER)).map(|(n, chunk)| conversation(n, chunk)).collect();
        let text = Value::from(talks.clone()).to_string();
        person.browser.set_script_timeout(std::time::Duration::from_secs(60)).await.unwrap();
        let report = person.browser.execute_async(BRING, vec![json!(text)]).await.unwrap().json().clone();
        assert_eq!((&report["imported"], &report["refused"]), (&json!(talks.len()), &json!(0)), "{report}");
        let listed = person.ask("GET", "/api/v1/conversations?limit=100", Value::Null).await.body;
        let ids: Vec<String> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids.len(), talks.len());
        let reader = scene.another("reader").await;
        for (number, id) in ids.iter().enumerate() {
            let plain = link(person, id, json!({})).await;
            for bypass in [false, true] {
                reader.tool("Page.setBypassCSP", json!({"enabled": bypass})).await;
                reader.open(&plain).await;
                harmless(&reader, &plain, 2).await;
            }
            let masked = link(person, id, json!({"masked": true})).await;
            reader.open(&masked).await;
            harmless(&reader, &masked, 2).await;
            let locked = link(person, id, json!({"password": PASSWORD, "masked": number % 2 == 0})).await;
            unlock(&reader, &locked).await;
            harmless(&reader, &locked, 2).await;
            if number == 0 {
                reader.look("attacked-share-desk").await;
            }
        }
        // And on the pages of whoever shares: titles of links, and conversations for the printer.
        for bypass in [false, true] {
            person.tool("Page.setBypassCSP", json!({"enabled": bypass})).await;
            person.open("/account/conversations").await;
            assert!(person.count(".lines li").await > 10);
            person.nothing_amiss().await;
            person.open(&format!("/apps/workspace/{}/print", ids[0])).await;
            person.nothing_amiss().await;
        }
    })
    .await;
}
