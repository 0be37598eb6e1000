//! Customer service on its pages without scripts: documents are added, found, cited, opened at the place, removed; a
//! customer asks for a person, who answers; answers are rated; what was asked in vain is resolved. Every step is a form
//! or a link, as a browser sends it.

use std::time::Duration;

use serde_json::json;

use crate::world::{Answer, Caller, World, eventually, on_both_engines};

const RETURNS: &str = "# How to send it back\n\nYou may send a blender back within 30 days of delivery, in the box it \
                       came in. The customer pays for the parcel unless the blender is broken.\n";

/// A browser of somebody with this level in support.
async fn browser(world: &World, email: &str, level: &str) -> Caller {
    world.account(email, false).await;
    let granted = world.stoa(&["grant", "add", email, "support", level]).await;
    assert!(granted.success(), "{granted:?}");
    let browser = world.browser(email).await;
    let may = async || browser.get("/apps/support").send().await.status == 200;
    eventually(Duration::from_secs(2), "the grant is known", may).await;
    browser
}

async fn send(browser: &Caller, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    browser.post(path).header("content-type", "application/x-www-form-urlencoded").body(form).send().await
}

/// Sends files as the plain form does.
async fn upload(browser: &Caller, visibility: &str, files: &[(&str, &[u8])]) -> Answer {
    let mut body =
        format!("--b\r\nContent-Disposition: form-data; name=\"visibility\"\r\n\r\n{visibility}\r\n")
            .into_bytes();
    for (name, content) in files {
        let head =
            format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    let request = browser.post("/apps/support/documents");
    request.header("content-type", "multipart/form-data; boundary=b").body(body).send().await
}

async fn read(browser: &Caller, path: &str) -> String {
    let answer = browser.get(path).send().await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.text()
}

/// The addresses of links on a page that begin so.
fn links(page: &str, begin: &str) -> Vec<String> {
    let found = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    found.filter(|href| href.starts_with(begin)).map(|href| href.replace("&#38;", "&")).collect()
}

/// A turn in a conversation of one's own; the conversation, and the answer.
async fn ask(browser: &Caller, conversation: Option<&str>, text: &str) -> (String, serde_json::Value) {
    let id = match conversation {
        Some(id) => id.to_owned(),
        None => {
            let made = browser.post("/api/v1/conversations").json(&json!({"app": "support"})).send().await;
            made.json()["id"].as_str().unwrap().to_owned()
        }
    };
    let path = format!("/api/v1/conversations/{id}/messages");
    let answer = browser.post(&path).json(&json!({"content": text})).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
    (id, answer.json()["message"].clone())
}

on_both_engines! {
    async fn documents_are_added_found_cited_and_removed(setup) {
        let world = setup.unlimited().without_model().start().await;
        let (agent, customer) = (browser(&world, "ann@example.org", "manage").await, browser(&world, "joe@example.org", "use").await);
        assert!(read(&agent, "/apps/support/documents").await.contains("No documents yet"));
        let refused = send(&agent, "/apps/support/documents/text", &[("title", ""), ("text", "x")]).await;
        assert!(refused.status == 400 && refused.text().contains("id=\"e-title\""), "{refused:?}");
        let fields = [("title", "Returns"), ("text", RETURNS), ("visibility", "everyone")];
        let written = send(&agent, "/apps/support/documents/text", &fields).await;
        assert_eq!((written.status, written.header("location")), (303, "/apps/support/documents?done=written"));
        let again = send(&agent, "/apps/support/documents/text", &fields).await;
        assert!(again.status == 409 && again.text().contains("here already") && again.text().contains("send a blender back"), "{again:?}");
        let added = upload(&agent, "staff", &[("prices.csv", b"item,price\nblender,19\n"), ("cut.pdf", b"%PDF-1.7\nnothing")]).await;
        assert_eq!(added.status, 201, "{added:?}");
        let told = added.text();
        assert!(told.contains("<strong>prices.csv</strong> is added: CSV"), "{told}");
        assert!(told.contains("<strong>cut.pdf</strong> The"), "{told}");
        assert!(upload(&agent, "staff", &[("p.csv", b"item,price\nblender,19\n")]).await.text().contains("is here already"));
        assert_eq!(upload(&agent, "everyone", &[("", b"")]).await.status, 400);
        let all = read(&agent, "/apps/support/documents").await;
        assert!(all.contains("prices") && all.contains("staff only") && all.contains("Not readable"), "{all}");
        let failed = read(&agent, "/apps/support/documents?state=failed").await;
        assert!(failed.contains("cut.pdf") && !failed.contains("prices.csv"), "{failed}");

        // The customer sees what is for everyone, and no way to change it.
        let theirs = read(&customer, "/apps/support/documents").await;
        assert!(theirs.contains("Returns") && !theirs.contains("prices") && !theirs.contains("cut.pdf"), "{theirs}");
        assert!(!theirs.contains("data-drop") && !theirs.contains("/remove"));
        assert_eq!(upload(&customer, "everyone", &[("x.txt", b"x")]).await.status, 403);
        let prices = links(&all, "/apps/support/documents/").into_iter().collect::<std::collections::BTreeSet<_>>();
        let seen = links(&theirs, "/apps/support/documents/");
        for path in prices.iter().filter(|path| !seen.contains(path)) {
            assert_eq!(customer.get(path).send().await.status, 404, "{path}");
        }
        let found = read(&agent, "/apps/support/documents?q=How+do+I+send+a+blender+back%3F").await;
        assert!(found.contains("<mark>blender</mark>") && found.contains("% sure"), "{found}");
        assert!(read(&agent, "/apps/support/documents?q=zeppelin").await.contains("comes close"));

        // A citation opens the document at the very words.
        let (id, message) = ask(&customer, None, "How do I send a blender back?").await;
        let quote = message["citations"][0]["quote"].as_str().unwrap();
        let page = read(&customer, &format!("/apps/support/{id}")).await;
        assert!(page.contains("Word for word from the documents") && page.contains("class=\"footnotes\""), "{page}");
        let place = links(&page, "/apps/support/documents/").into_iter().find(|href| href.contains("quote=")).unwrap();
        assert!(place.ends_with("#quote"), "{place}");
        let opened = read(&customer, place.trim_end_matches("#quote")).await;
        let marked = opened.split("<mark id=\"quote\" tabindex=\"-1\">").nth(1).and_then(|rest| rest.split("</mark>").next()).unwrap();
        assert_eq!(marked, quote);
        let moved = format!("{}quote=900000-900010", place.split("quote=").next().unwrap());
        assert!(read(&customer, &moved).await.contains("not in this document any more"));
        // What comes closest to a question without an answer is linked too.
        let (id, _) = ask(&customer, None, "Which zeppelin returns from the parcel moon?").await;
        let page = read(&customer, &format!("/apps/support/{id}")).await;
        let closest = page.split("<ul class=\"closest\">").nth(1).unwrap_or_default();
        assert!(links(closest, "/apps/support/documents/").iter().any(|href| href.contains("#passage-")), "{page}");

        // Removed after a question, for good.
        let document = seen.iter().find(|href| !href.contains('?')).unwrap();
        let asked = send(&agent, &format!("{document}/remove"), &[("sure", "")]).await;
        assert!(asked.status == 200 && asked.text().contains("Remove this document?"), "{asked:?}");
        assert_eq!(send(&agent, &format!("{document}/remove"), &[("sure", "yes")]).await.status, 303);
        assert_eq!(customer.get(document).send().await.status, 404);
        world.verify_audit().await;
    }

    async fn a_customer_and_a_person_talk(setup) {
        let world = setup.unlimited().without_model().start().await;
        let (ann, bob) = (browser(&world, "ann@example.org", "manage").await, browser(&world, "bob@example.org", "manage").await);
        let customer = browser(&world, "joe@example.org", "use").await;
        assert_eq!(send(&ann, "/account/profile", &[("name", "Ann Smith")]).await.status, 303);
        let (id, first) = ask(&customer, None, "Do you ship to Norway? I am joe@example.org").await;
        let talk = format!("/apps/support/{id}");
        assert!(read(&customer, &talk).await.contains("Talk to a person"));
        assert_eq!(send(&customer, &format!("{talk}/person"), &[]).await.header("location"), talk);
        assert!(read(&customer, &talk).await.contains("A person has been asked."));
        let beat = read(&ann, "/apps/support/desk/beat").await;
        let inbox = read(&ann, "/apps/support/desk").await;
        assert!(inbox.contains(&format!("data-beat=\"{beat}\"")), "{inbox}");
        let one = links(&inbox, "/apps/support/desk/").into_iter().find(|href| href.len() > 40).unwrap();
        let shown = read(&ann, &one).await;
        let (summary, transcript) = shown.split_once("Conversation</h2>").unwrap();
        assert!(!summary.contains("joe@example.org") && transcript.contains("joe@example.org"), "{shown}");
        assert!(!shown.contains("/reply"), "nobody answers before they have it: {shown}");
        let early = send(&ann, &format!("{one}/reply"), &[("content", "Hello")]).await;
        assert_eq!(early.status, 409, "{early:?}");
        let claimed = send(&ann, &format!("{one}/claim"), &[]).await;
        assert_eq!(claimed.status, 303, "{claimed:?}");
        let late = send(&bob, &format!("{one}/claim"), &[]).await;
        assert!(late.status == 409 && late.text().contains("Ann Smith has this conversation"), "{late:?}");
        assert!(read(&bob, "/apps/support/desk?tab=claimed").await.contains("With Ann Smith"));
        assert!(read(&customer, &talk).await.contains("Ann Smith is answering."));
        assert!(read(&ann, "/apps/support/desk?tab=mine").await.contains(&one));
        let before = read(&bob, &format!("{one}/beat")).await;
        let empty = send(&ann, &format!("{one}/reply"), &[("content", " ")]).await;
        assert!(empty.status == 400 && empty.text().contains("id=\"e-content\""), "{empty:?}");
        assert_eq!(send(&ann, &format!("{one}/reply"), &[("content", "Yes, in *6* days.")]).await.status, 303);
        assert_ne!(read(&bob, &format!("{one}/beat")).await, before, "who looks on sees that something was said");

        // What is new, and nothing else, comes by itself.
        let after = first["id"].as_str().unwrap();
        let news = read(&customer, &format!("/fragments/conversations/{id}/news?after={after}")).await;
        assert!(news.contains("from-staff") && news.contains("Ann Smith") && news.contains("<em>6</em>"), "{news}");
        assert!(!news.contains("Norway"), "{news}");
        let newest = news.split("data-message=\"").nth(1).unwrap().split('"').next().unwrap();
        let nothing = read(&customer, &format!("/fragments/conversations/{id}/news?after={newest}")).await;
        assert!(nothing.contains("is answering") && !nothing.contains("data-message"), "{nothing}");
        let foreign = bob.get(&format!("/fragments/conversations/{id}/news")).send().await;
        assert_eq!(foreign.status, 404);
        assert_eq!(send(&ann, &format!("{one}/return"), &[]).await.status, 303);
        assert!(read(&customer, &talk).await.contains("Talk to a person"));
        assert!(read(&ann, "/apps/support/desk?tab=closed").await.contains("Given back by Ann Smith"));

        // What is thought of the answer, and what was asked in vain.
        let rate = format!("{talk}/messages/{after}/feedback");
        let rated = send(&customer, &rate, &[("rating", "down"), ("comment", "ask joe@example.org, he knows")]).await;
        assert_eq!(rated.header("location"), format!("{talk}#m-{after}"));
        let page = read(&customer, &talk).await;
        assert!(page.contains("aria-pressed=\"true\"") && page.contains("he knows"), "{page}");
        let quality = read(&ann, "/apps/support/desk/quality?days=7").await;
        assert!(quality.contains("he knows") && !quality.contains("joe@example.org"), "{quality}");
        assert!(quality.contains("0 of 1 rated answer") && quality.contains("<svg class=\"chart\""), "{quality}");
        assert_eq!(send(&customer, &rate, &[("rating", "none")]).await.status, 303);
        assert!(!read(&ann, "/apps/support/desk/quality").await.contains("he knows"));
        assert_eq!(send(&customer, &rate, &[("rating", "sideways")]).await.status, 400);
        let questions = read(&ann, "/apps/support/desk/questions").await;
        assert!(questions.contains("Norway") && !questions.contains("joe@example.org"), "{questions}");
        let resolve = questions.split("action=\"").find(|rest| rest.contains("/resolve\"")).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!(send(&ann, &resolve, &[]).await.status, 303);
        assert!(read(&ann, "/apps/support/desk/questions").await.contains("Every question was answered"));
        // Menus show what one may do, and no more.
        let mine = read(&ann, "/").await;
        assert!(mine.contains("/apps/support/documents\"") && mine.contains("/apps/support/desk\""), "{mine}");
        let theirs = read(&customer, "/").await;
        assert!(theirs.contains("/apps/support/documents\"") && !theirs.contains("/desk"), "{theirs}");
        assert_eq!(customer.get("/apps/support/desk").send().await.status, 403);
        assert_eq!(ann.get("/apps/assistant/documents").send().await.status, 404);
        world.verify_audit().await;
    }
}
