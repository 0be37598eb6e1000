//! Customer service in the browser: files are dropped, a citation opens the document at the sentence, a customer and a
//! person talk without a reload, answers are rated. How the pages look, and that nothing in a document runs.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::accounts::{ROOM, claim};
use super::attacks::{VECTORS, published};
use super::looks::{ILLEGIBLE, SMALL};
use super::person::Person;
use super::scene::{Scene, walk};

const CUSTOMER: &str = "joe@example.com";
const SECRET: &str = "another lantern over the harbour";
const RETURNS: &str = "# How to send it back\n\nEvery return is easy.\n\nYou may send a blender back within 30 days of \
                       delivery, in the box it came in. The customer pays for the parcel unless the blender is broken.\n";

/// The admin of a claimed server, and a customer who may use support, each at a browser.
async fn people(scene: &Scene) -> Person {
    claim(scene).await;
    let admin = &scene.person;
    let new = json!({"email": CUSTOMER, "password": SECRET});
    let made = admin.ask("POST", "/api/v1/admin/users", new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("/api/v1/admin/users/{}/grants/support", made.body["id"].as_str().unwrap());
    assert_eq!(admin.ask("PUT", &path, json!({"level": "use"})).await.status, 200);
    let named = admin.ask("PUT", "/api/v1/me", json!({"name": "Ada"})).await;
    assert_eq!(named.status, 200, "{}", named.text);
    let customer = scene.another("service-customer").await;
    customer.sign_in(CUSTOMER, SECRET).await;
    customer.at("/").await;
    customer
}

async fn write(person: &Person, title: &str, text: &str) -> Value {
    let body = json!({"title": title, "text": text});
    let added = person.ask("POST", "/api/v1/apps/support/documents", body).await;
    assert_eq!(added.status, 201, "{title}: {}", added.text);
    added.body
}

#[tokio::test]
async fn files_are_added_and_a_citation_opens_the_sentence() {
    walk("service", &ROOM, async |scene| {
        let customer = people(scene).await;
        let admin = &scene.person;
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("returns.md", RETURNS), ("cut.pdf", "%PDF-1.7 nothing"), ("again.md", RETURNS)] {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        admin.open("/").await;
        admin.click(".apps-menu > summary").await;
        admin.click(".menu-tools a[href='/apps/support/documents']").await;
        admin.at("/apps/support/documents").await;
        admin.see(".nothing").await;
        admin.look("documents-none").await;
        let field = admin.browser.find(By::Css("#documents-field")).await.unwrap();
        let put = async |name: &str| field.send_keys(folder.path().join(name).display().to_string()).await.unwrap();
        put("returns.md").await;
        admin.until("document.querySelector('.upload.done small')?.textContent.includes('passage')").await;
        // The list follows without a reload.
        admin.until("document.querySelector('.sheet tbody tr')").await;
        put("cut.pdf").await;
        admin.until("document.querySelector('.upload.failed small')?.textContent.length > 10").await;
        put("again.md").await;
        admin.until("[...document.querySelectorAll('.upload.done small')].some((one) => one.textContent.includes('here already'))").await;
        admin.look("documents-added").await;
        admin.fill("#f-q", "How do I send a blender back?").await;
        admin.keys(Key::Enter).await;
        admin.until("document.querySelector('.found mark')").await;
        assert_eq!(admin.value("location.search.includes('q=How')").await, true);
        admin.look("documents-found").await;

        customer.open("/apps/support").await;
        customer.say("How do I send a blender back?").await;
        customer.answer().await;
        customer.see(".footnotes").await;
        customer.look("answer-cited").await;
        customer.click(".cite").await;
        customer.see("#passage a").await;
        customer.look("answer-card").await;
        let quote = customer.text("#passage blockquote").await;
        customer.click("#passage a").await;
        customer.see("#quote").await;
        assert_eq!(customer.text("#quote").await, quote);
        customer.until("(({ top, bottom }) => top >= 0 && bottom <= innerHeight)(document.querySelector('#quote').getBoundingClientRect())").await;
        customer.look("citation-open").await;
        assert_eq!(customer.count("[action$='/remove']").await, 0);

        // Removed after a question, in place.
        admin.click("tr:has([href*='/documents/']):first-child [action$='/remove'] button").await;
        admin.see("dialog[open]").await;
        admin.keys(Key::Escape).await;
        admin.see_no("dialog[open]").await;
        let before = admin.count(".sheet tbody tr").await;
        admin.click("tr:first-child [action$='/remove'] button").await;
        admin.value("window.__before = true").await;
        admin.click("dialog[open] button[value=yes]").await;
        admin.until("!window.__before && document.readyState === 'complete'").await;
        assert_eq!(admin.count(".sheet tbody tr").await, before - 1);
        customer.nothing_amiss().await;
    })
    .await;
}

#[tokio::test]
async fn a_person_takes_over_and_answers_without_a_reload() {
    walk("person", &ROOM, async |scene| {
        let customer = people(scene).await;
        let admin = &scene.person;
        write(admin, "Returns", RETURNS).await;
        admin.open("/apps/support/desk").await;
        admin.see(".nothing").await;
        customer.open("/apps/support").await;
        customer.say("Do you ship to Norway?").await;
        customer.answer().await;
        customer.click("[data-ask-person] button").await;
        customer.until("document.querySelector('[data-desk=waiting]')").await;
        customer.look("person-asked").await;
        // The inbox follows by itself.
        admin.until("document.querySelector('[data-fresh=inbox] .line-link')").await;
        admin.look("inbox-one").await;
        admin.send("[action$='/claim'] button").await;
        customer.until("document.querySelector('[data-desk=claimed]')?.textContent.includes('Ada is answering')").await;
        admin.fill("#f-content", "We do: it takes *6* days.").await;
        admin.look("hand-off-mine").await;
        admin.send("[action$='/reply'] button").await;
        customer.until("document.querySelector('.from-staff .prose em')").await;
        assert!(customer.text(".from-staff .staff-name").await.starts_with("Ada"));
        customer.look("person-answered").await;
        // What the customer writes arrives at the desk, while a reply is being written there.
        admin.fill("#f-content", "One more").await;
        customer.say("And to Sweden?").await;
        customer.answer().await;
        admin.until("document.querySelector('[data-fresh=talk]').textContent.includes('And to Sweden?')").await;
        assert_eq!(admin.value("document.querySelector('#f-content').value").await, "One more");
        admin.send("[action$='/return'] button").await;
        customer.until("document.querySelector('[data-ask-person] button')").await;
        let before = customer.value("document.querySelectorAll('.message').length").await;
        customer.browser.refresh().await.unwrap();
        assert_eq!(customer.value("document.querySelectorAll('.message').length").await, before, "nothing twice, nothing lost");

        // Whether an answer helped.
        customer.click(".message:nth-of-type(2) [data-rating=down]").await;
        customer.until("document.querySelector('.message:nth-of-type(2) [data-rating=down]').getAttribute('aria-pressed') === 'true'").await;
        customer.see(".opinion-words textarea").await;
        customer.keys("It is wrong").await;
        customer.look("opinion").await;
        customer.click(".message:nth-of-type(2) [data-rating=same]").await;
        customer.until("document.querySelector('.opinion-why summary').textContent.includes('Change')").await;
        customer.browser.refresh().await.unwrap();
        assert_eq!(customer.count(".message:nth-of-type(2) [data-rating=down][aria-pressed=true]").await, 1);
        admin.open("/apps/support/desk/quality").await;
        assert!(admin.text("main").await.contains("It is wrong"));
        admin.open("/apps/support/desk/questions").await;
        admin.see(".questions").await;
        admin.send("[action$='/resolve'] button").await;
        customer.nothing_amiss().await;
    })
    .await;
}

/// The pages with something on them, as the admin sees them.
async fn furnished(scene: &Scene) -> Vec<(&'static str, String)> {
    let customer = people(scene).await;
    let admin = &scene.person;
    let document = write(admin, "Returns", RETURNS).await["id"].as_str().unwrap().to_owned();
    customer.open("/apps/support").await;
    for text in [
        "How do I send a blender back?",
        "Which moon returns a parcel to Norway?",
        "I want to talk to a person",
    ] {
        customer.say(text).await;
        customer.answer().await;
    }
    let inbox = admin.ask("GET", "/api/v1/apps/support/inbox", Value::Null).await;
    let hand_off = inbox.body["items"][0]["id"].as_str().unwrap().to_owned();
    let claimed =
        admin.ask("POST", &format!("/api/v1/apps/support/inbox/{hand_off}/claim"), Value::Null).await;
    assert_eq!(claimed.status, 200, "{}", claimed.text);
    vec![
        ("documents", "/apps/support/documents?q=blender&title=x".to_owned()),
        ("document", format!("/apps/support/documents/{document}")),
        ("inbox", "/apps/support/desk?tab=mine".to_owned()),
        ("hand-off", format!("/apps/support/desk/{hand_off}")),
        ("questions", "/apps/support/desk/questions".to_owned()),
        ("quality", "/apps/support/desk/quality".to_owned()),
    ]
}

#[tokio::test]
async fn the_pages_of_service_by_day_and_by_night_on_a_desk_and_on_a_phone() {
    walk("service-looks", &ROOM, async |scene| {
        let pages = furnished(scene).await;
        let person = &scene.person;
        for scheme in ["light", "dark"] {
            person.prefers(scheme).await;
            for phone in [false, true] {
                if phone {
                    person.phone().await
                } else {
                    person.desk().await
                }
                let size = if phone { "phone" } else { "desk" };
                for (name, path) in &pages {
                    person.open(path).await;
                    person.look(&format!("service-{name}-{scheme}-{size}")).await;
                    let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
                    assert_eq!(person.value(wide).await, json!(0), "{name} on a {size} is too wide");
                    assert_eq!(person.value(ILLEGIBLE).await, json!([]), "{name} {scheme} {size}");
                    if phone {
                        assert_eq!(person.value(SMALL).await, json!([]), "{name}: too small for a finger");
                    }
                    person.nothing_amiss().await;
                }
            }
        }
        let Some(axe) = crate::place::shared("axe/axe.min.js") else {
            eprintln!("axe does not lie beside the project: the pages are not checked with it");
            return;
        };
        let axe = std::fs::read_to_string(axe).expect("a script");
        person.tool("Page.setBypassCSP", json!({"enabled": true})).await;
        person.desk().await;
        for (name, path) in &pages {
            person.open(path).await;
            person.browser.execute(axe.as_str(), Vec::new()).await.unwrap();
            const RUN: &str = "const [done] = arguments; axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((found) => done(found.violations.map((one) => `${one.id} ${one.nodes[0].html.slice(0, 150)}`)));";
            let found = person.browser.execute_async(RUN, Vec::new()).await.unwrap();
            assert_eq!(found.json(), &json!([]), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_in_a_document_runs() {
    walk("service-attacks", &ROOM, async |scene| {
        let customer = people(scene).await;
        let admin = &scene.person;
        let mut texts: Vec<String> = VECTORS.iter().map(|vector| (*vector).to_owned()).collect();
        texts.extend(published().into_iter().take(60));
        let mut pages = vec![
            "/apps/support/documents".to_owned(),
            "/apps/support/documents?q=alert%20script%20%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&title=%22%3E%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
            "/apps/support/desk/questions".to_owned(),
        ];
        for (number, text) in texts.iter().enumerate() {
            let title: String = text.chars().filter(|c| !c.is_control()).take(180).collect();
            let body = format!("# {title}\n\nThe zeppelin number {number} says {text}");
            let added = admin.ask("POST", "/api/v1/apps/support/documents", json!({"title": title, "text": body})).await;
            if added.status == 201 && number % 5 == 0 {
                pages.push(format!("/apps/support/documents/{}", added.body["id"].as_str().unwrap()));
            }
        }
        assert!(pages.len() > 5, "documents were taken");
        let made = customer.ask("POST", "/api/v1/conversations", json!({"app": "support"})).await;
        let id = made.body["id"].as_str().unwrap().to_owned();
        for text in ["What does the zeppelin number 7 say?", "Who says <img src=x onerror=alert(1)> [1] in Norway?"] {
            customer.ask("POST", &format!("/api/v1/conversations/{id}/messages"), json!({"content": text})).await;
        }
        let wish = json!({"reason": "\"><script>alert(1)</script><img src=x onerror=alert(2)>"});
        assert_eq!(customer.ask("POST", &format!("/api/v1/conversations/{id}/hand-off"), wish).await.status, 200);
        let inbox = admin.ask("GET", "/api/v1/apps/support/inbox", Value::Null).await;
        pages.push("/apps/support/desk".to_owned());
        pages.push(format!("/apps/support/desk/{}", inbox.body["items"][0]["id"].as_str().unwrap()));
        for bypass in [false, true] {
            let bypass = json!({"enabled": bypass});
            admin.tool("Page.setBypassCSP", bypass.clone()).await;
            customer.tool("Page.setBypassCSP", bypass).await;
            for path in &pages {
                admin.open(path).await;
                admin.nothing_amiss().await;
            }
            customer.open(&format!("/apps/support/{id}")).await;
            customer.see(".message").await;
            customer.nothing_amiss().await;
        }
        admin.look("service-attacks").await;
    })
    .await;
}
