//! A person who keeps order: searches, pins, files away, tags, takes several at once, talks without leaving a trace.

use thirtyfour::prelude::*;

use super::person::Person;
use super::scene::walk;

/// Picks an entry of the menu of the conversation with these words.
async fn choose(person: &Person, title: &str, action: &str) {
    let opened = format!(
        "(() => {{ const item = [...document.querySelectorAll('.conversation')].find((one) => one.textContent.includes('{title}')); \
         item.querySelector('[data-conversation-menu]').click(); return true; }})()"
    );
    person.until(&opened).await;
    person.click(&format!("#conversation-menu [data-action='{action}']")).await;
}

async fn fill(person: &Person, css: &str, text: &str) {
    person.see(css).await;
    person
        .value(&format!(
            "(document.querySelector('{css}').value = '', document.querySelector('{css}').focus())"
        ))
        .await;
    person.keys(text).await;
}

#[tokio::test]
async fn order_is_kept() {
    walk("order", &[], async |scene| {
        let person = &scene.person;
        for words in ["Where do penguins sleep", "How tall are giraffes"] {
            person.open("/apps/assistant").await;
            person.say(words).await;
            person.answer().await;
        }
        person.until("document.querySelectorAll('.conversation').length === 2").await;

        // Searching as one types, by keyboard alone.
        fill(person, "#seek", "pengu").await;
        person.until("document.querySelector('.hit mark')?.textContent === 'penguins'").await;
        person.look("search-desk").await;
        person.keys(Key::Down).await;
        assert!(person.has_focus(".hit").await);
        person.keys(Key::Enter).await;
        person.until("document.querySelector('.message.sought')?.textContent.includes('penguins')").await;
        fill(person, "#seek", "is:starred").await;
        person.until("document.querySelector('.found-line.wrong')?.textContent.includes('is:archived')").await;
        person.keys(Key::Escape).await;
        person.see(".shelves").await;

        choose(person, "giraffes", "pin").await;
        person.until("document.querySelector('[data-pinned-shelf] .conversation')?.textContent.includes('giraffes')").await;
        choose(person, "penguins", "tags").await;
        fill(person, "#tags-input", "birds, cold places").await;
        person.keys(Key::Enter).await;
        person.until("document.querySelectorAll('.conversation .chip').length === 2").await;
        choose(person, "penguins", "move").await;
        fill(person, "#move-new", "Animals").await;
        person.keys(Key::Enter).await;
        person.until("document.querySelector('.folder details[open] .conversation')?.textContent.includes('penguins')").await;
        person.look("order-desk").await;
        person.browser.refresh().await.unwrap();
        person.until("document.querySelector('.folder details[open] .conversation')?.textContent.includes('penguins')").await;
        fill(person, "#seek", "tag:\"cold places\" folder:animals penguins").await;
        person.until("document.querySelector('.hit')").await;
        person.keys(Key::Escape).await;

        // Several at once.
        person.click("[data-pick-begin]").await;
        person.value("document.querySelectorAll('.conversation [data-pick]').forEach((box) => box.click())").await;
        person.until("document.querySelector('[data-pick-count]').textContent === '2 selected'").await;
        person.look("picking-desk").await;
        person.click("[data-bulk='archive']").await;
        person.until("document.querySelectorAll('.conversation').length === 0").await;
        person.click("[data-show-archive]").await;
        person.until("document.querySelectorAll('[data-archive] .conversation').length === 2").await;

        // Between us.
        person.open("/apps/assistant").await;
        person.click("[data-make-temporary]").await;
        person.see("[data-temporary-note]").await;
        person.look("temporary-desk").await;
        person.say("Between us").await;
        person.answer().await;
        assert_eq!(person.count(".shelves .conversation").await, 0);
        person.browser.refresh().await.unwrap();
        person.see("[data-temporary-note]").await;
        person.click("[data-keep]").await;
        person.until("document.querySelector('.shelves .conversation')?.textContent.includes('Between us')").await;

        person.phone().await;
        person.open("/apps/assistant").await;
        person.look("empty-phone").await;
        person.click("[data-open-side]").await;
        person.see("#seek").await;
        fill(person, "#seek", "giraffes").await;
        person.until("document.querySelector('.hit')").await;
        person.look("search-phone").await;
        person.prefers("dark").await;
        person.look("search-dark-phone").await;
        person.nothing_amiss().await;
    })
    .await;
}
