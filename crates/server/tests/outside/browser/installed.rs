//! What a first visit costs, whom it asks, and whether the site can be installed. The installed app has a page for when
//! there is no network and keeps nothing else.

use serde_json::{Value, json};

use super::scene::walk;

/// The whole first visit may weigh this much, as it goes over the wire.
const MOST: u64 = 150 * 1024;

#[tokio::test]
async fn a_first_visit_is_light_and_asks_nobody_else() {
    walk("first-load", &[], async |scene| {
        let person = &scene.person;
        person.open("/").await;
        for path in ["/", "/apps/assistant", "/sign-in"] {
            person.tool("Network.clearBrowserCache", json!({})).await;
            person.open(path).await;
            person.until("document.readyState === 'complete'").await;
            let sizes = person
                .value(
                    "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
                      .map(({ name, transferSize }) => [name, transferSize])",
                )
                .await;
            let sizes = sizes.as_array().unwrap();
            let whole: u64 = sizes.iter().map(|one| one[1].as_u64().unwrap()).sum();
            println!("a first visit of {path}: {} answers, {whole} bytes over the wire", sizes.len());
            assert!(whole > 5_000, "it was loaded: {sizes:?}");
            assert!(whole < MOST, "{path}: {whole} bytes: {sizes:#?}");
            for one in sizes {
                assert!(one[0].as_str().unwrap().starts_with(&person.base), "{one} comes from elsewhere");
            }
            person.nothing_amiss().await;
        }
    })
    .await;
}

#[tokio::test]
async fn it_can_be_installed_and_says_so_when_there_is_no_network() {
    walk("install", &[], async |scene| {
        let person = &scene.person;
        person.open("/").await;
        let manifest = person
            .browser
            .execute_async(
                "const [done] = arguments;
                 (async () => {
                   const address = document.querySelector('link[rel=manifest]').href;
                   const answer = await fetch(address);
                   const manifest = await answer.json();
                   const sizes = [];
                   for (const { src, sizes: said, type, purpose } of manifest.icons) {
                     const picture = new Image();
                     picture.src = new URL(src, address);
                     await picture.decode();
                     sizes.push([type, said, purpose, picture.naturalWidth, picture.naturalHeight]);
                   }
                   return { type: answer.headers.get('content-type'), manifest, sizes };
                 })().then(done, (error) => done(String(error)));",
                Vec::new(),
            )
            .await
            .unwrap();
        let found = manifest.json();
        let manifest = &found["manifest"];
        assert_eq!(found["type"], "application/manifest+json", "{found}");
        for (field, wanted) in [("display", "standalone"), ("start_url", "/"), ("scope", "/"), ("id", "/")] {
            assert_eq!(manifest[field], wanted);
        }
        for field in ["name", "short_name", "background_color", "theme_color", "description"] {
            assert!(manifest[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
        }
        let icons = found["sizes"].as_array().unwrap();
        for (size, purpose) in [(192, "any"), (512, "any"), (512, "maskable")] {
            let said = format!("{size}x{size}");
            let icon = json!(["image/png", said, purpose, size, size]);
            assert!(icons.contains(&icon), "{icon} is not among {icons:?}");
        }
        assert_eq!(person.count("meta[name=theme-color]").await, 2);
        assert!(person.value("document.querySelector('meta[name=viewport]').content").await.as_str().unwrap().contains("viewport-fit=cover"));
        assert_eq!(person.value("navigator.serviceWorker.controller").await, Value::Null, "a tab needs no worker");

        // As the installed app does it.
        person.open("/apps/assistant").await;
        person.say("Words that nobody may keep").await;
        person.answer().await;
        let ready = "const [done] = arguments; navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready).then(() => caches.open('stoa-offline')).then((store) => store.keys()).then((all) => done(all.map(({ url }) => new URL(url).pathname)), (error) => done([String(error)]));";
        let kept = person.browser.execute_async(ready, Vec::new()).await.unwrap();
        let kept: Vec<String> = serde_json::from_value(kept.json().clone()).unwrap();
        assert!(kept.contains(&"/offline".to_owned()) && kept.len() == 5, "{kept:?}");
        person.until("navigator.serviceWorker.controller").await;
        person.open("/apps/assistant").await;
        person.see("#message").await;
        scene.server.lock().await.kill().await;
        let _ = person.browser.goto(format!("{}/apps/assistant", person.base)).await;
        person.until("document.querySelector('h1')?.textContent.includes('no connection')").await;
        person.look("offline-desk").await;
        let all = "const [done] = arguments; caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name)))).then((stores) => Promise.all(stores.map((store) => store.keys()))).then((keys) => done(keys.flat().length), (error) => done(String(error)));";
        let all = person.browser.execute_async(all, Vec::new()).await.unwrap();
        assert_eq!(*all.json(), json!(5), "nothing of a conversation is kept");
        // The browser says of a page without a server what it likes; that is no finding.
        let _ = person.browser.browser_log().await;
    })
    .await;
}
