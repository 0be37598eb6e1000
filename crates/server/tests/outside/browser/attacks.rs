//! Script injection: hostile text as message, as what the model says, as title, in the address. The browser must run,
//! load and block nothing: first under the policy of the pages, then without it, so that cleaning alone must hold.

use serde_json::{Value, json};

use super::person::Person;
use super::scene::{Scene, walk};
use crate::place;

/// Vectors of our own: markup, Markdown, addresses, broken nesting, the words of the pages' own scripts.
pub const VECTORS: [&str; 31] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "<svg onload=alert(3)></svg>",
    "<svg><script>alert(4)</script></svg>",
    "<math><mtext></p><style><img src=x onerror=alert(5)></style></mtext></math>",
    "<iframe srcdoc=\"<script>parent.alert(6)</script>\"></iframe>",
    "<a href=\"javascript:alert(7)\" autofocus onfocus=alert(7)>x</a>",
    "<details open ontoggle=alert(8)><summary>x</summary></details>",
    "<body onload=alert(9) onpageshow=alert(9)>",
    "<input autofocus onfocus=alert(10)>",
    "<style>@import 'http://127.0.0.1:9/x.css'; body { display: none }</style>",
    "<link rel=stylesheet href=//127.0.0.1:9/x.css><base href=//127.0.0.1:9/>",
    "<meta http-equiv=refresh content=\"0;url=javascript:alert(12)\">",
    "<form action=//127.0.0.1:9/><button formaction=javascript:alert(13)>x</button></form>",
    "<object data=\"data:text/html,<script>alert(14)</script>\"></object><embed src=javascript:alert(14)>",
    "[x](javascript:alert(15)) [x](JaVaScRiPt:alert(15)) [x](java\u{0a}script:alert(15)) [x](data:text/html,<script>alert(15)</script>)",
    "![x](javascript:alert(16)) ![x](http://127.0.0.1:9/x.png) ![x\" onerror=\"alert(16)](x)",
    "<http://127.0.0.1:9/\"onmouseover=alert(17)//> <javascript:alert(17)>",
    "```\"><script>alert(18)</script>\n</code></pre><script>alert(18)</script>\n```",
    "| <script>alert(19)</script> | [x](javascript:alert(19)) |\n|---|---|\n| <img src=x onerror=alert(19)> | x |",
    "</div></article></main><script>alert(20)</script><!--",
    "</template><script>alert(21)</script>",
    "\"><script>alert(22)</script> '><script>alert(22)</script> `${alert(22)}` {{alert(22)}}",
    "&lt;script&gt;alert(23)&lt;/script&gt; &#60;script&#62;alert(23)&#60;/script&#62;",
    "<scr<script>ipt>alert(24)</scr</script>ipt> <<script>alert(24)//<</script>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(25)>\"></noscript>",
    "<x id=message name=message data-send data-stop popover onbeforetoggle=alert(26)>x</x>",
    "```js\nconst x = '</span></code><script>alert(28)</script>';\n```\n```html\n<img src=x onerror=\"alert(28)\">\n```",
    "$\\text{<img src=x onerror=alert(29)>}$ $$\\href{javascript:alert(29)}{x}$$ $x\" onmouseover=\"alert(29)$",
    "\\(\\style{background:url(//127.0.0.1:9/)}{x}\\) <math><mtext></math><img src=x onerror=alert(30)></mtext></math>",
    "[^1] [1] <a id=main name=__noted href=#>x</a>\n\n[^1]: <img src=x onerror=alert(27)>",
];

/// Characters of one message.
const MESSAGE: usize = 4_500;
/// Characters of a title.
const TITLE: usize = 200;

#[tokio::test]
async fn hostile_text_runs_nothing() {
    // Judged here is how texts are shown; how many may be sent is judged elsewhere.
    let settings = [
        ("RATE_LIMIT_ENABLED", "false"),
        ("MAX_CONVERSATION_LENGTH", "100"),
        ("MAX_CONVERSATIONS_PER_SESSION", "1000"),
    ];
    walk("attacks", &settings, async |scene| {
        let person = &scene.person;
        person.open("/apps/assistant").await;
        let mut texts: Vec<String> = VECTORS.iter().map(|vector| (*vector).to_owned()).collect();
        texts.extend(published());
        let talk = converse(scene, &texts).await;
        for (number, text) in texts.iter().enumerate() {
            entitle(person, number, text).await;
        }
        for (number, text) in texts.iter().enumerate().take(20) {
            let name: String = text.chars().filter(|c| !c.is_control() && *c != '/').take(60).collect();
            let made = person.ask("POST", "/api/v1/folders", json!({"name": format!("{number} {name}")})).await;
            // Names of folders have rules of their own; what they let through must be harmless.
            assert!([201, 400, 422].contains(&made.status), "{name}: {}", made.text);
        }
        for bypass in [false, true] {
            person.tool("Page.setBypassCSP", json!({"enabled": bypass})).await;
            for path in ["/apps/assistant", &talk] {
                person.open(path).await;
                assert!(person.count(".conversation").await > 10, "the titles are there");
                person.value(POKE).await;
                // Whatever is queued has run once two frames have been painted.
                person.until("(window.__frames ??= (requestAnimationFrame(() => requestAnimationFrame(() => window.__frames = 2)), 1)) === 2").await;
                assert_eq!(person.value(FOREIGN).await, json!([]), "{path}, bypass {bypass}");
                assert_eq!(person.path().await, path);
                person.nothing_amiss().await;
            }
            person.look(&format!("attacks-{bypass}")).await;
            // And as a search finds them.
            person.open("/apps/assistant").await;
            person.fill("#seek", "alert script").await;
            person.until("document.querySelector('[data-found] .hit')").await;
            assert_eq!(person.value(FOUND).await, json!([]), "found, bypass {bypass}");
            person.nothing_amiss().await;
            searched(person).await;
        }
        person.open("/apps/assistant/%3Cscript%3Ealert(1)%3C%2Fscript%3E?q=%3Cscript%3Ealert(1)%3C/script%3E#<img src=x onerror=alert(1)>")
            .await;
        person.nothing_amiss().await;

        // And as it happens: typed by a person, streamed by a model, shown while it is being written.
        person.open("/apps/assistant").await;
        for text in VECTORS.iter().take(12) {
            let sent = person.count(".from-person").await;
            person.say(&format!("Repeat: {}", text.replace('\n', " "))).await;
            person.until(&format!("document.querySelectorAll('.from-person').length > {sent} || document.querySelector('.notice-box')")).await;
            person.until("!document.querySelector('.writing')").await;
            person.value("document.querySelector('[data-dismiss]')?.click()").await;
            person.value("document.querySelector('#message').value = ''").await;
        }
        assert_eq!(person.value(FOREIGN).await, json!([]));
    })
    .await;
}

/// The titles in the palette, where they are marked letter by letter.
async fn searched(person: &Person) {
    for words in ["", "<script", "onerror", "alert(1"] {
        person.open("/").await;
        person.palette().await;
        person.see("#palette[open] [role=option]").await;
        person.keys(words).await;
        if !words.is_empty() {
            person.until("document.querySelector('#palette mark')").await;
        }
        person.until("document.querySelectorAll('#palette [role=option]').length > 0").await;
        let foreign = person
            .value("[...document.querySelectorAll('#palette-list *')].filter((one) => !/^(div|span|mark|small|kbd|svg|path|circle|rect|ellipse)$/.test(one.localName) || [...one.attributes].some((a) => /^on|^src|^href/.test(a.name))).map((one) => one.outerHTML.slice(0, 120))")
            .await;
        assert_eq!(foreign, json!([]), "{words}");
        person.nothing_amiss().await;
    }
}

/// A test of the test: what runs is noted, and without the policy it runs.
#[tokio::test]
async fn the_witness_sees_what_runs() {
    walk("witness", &[], async |scene| {
        let person = &scene.person;
        let attack = "document.body.insertAdjacentHTML('beforeend', '<img src=/nothing onerror=alert(1)>')";
        person.open("/").await;
        person.value(attack).await;
        person.until("window.__noted.some((what) => what.startsWith('blocked: script-src'))").await;
        person.tool("Page.setBypassCSP", json!({"enabled": true})).await;
        person.open("/").await;
        person.value(attack).await;
        person.until("window.__noted.includes('alert(1)')").await;
        let complaints = person.browser.browser_log().await.unwrap();
        assert!(complaints.iter().any(|entry| entry.message.contains("Content Security Policy")));
        person.open("/").await;
    })
    .await;
}

/// The vectors of the HTML5 Security Cheatsheet, when they lie beside the project.
pub fn published() -> Vec<String> {
    let Some(file) = place::shared("h5sc-xss/vectors.txt") else {
        eprintln!("the published vectors do not lie beside the project: only the built-in ones are tried");
        return Vec::new();
    };
    let text = std::fs::read_to_string(file).expect("the vectors are text");
    text.split("<div id=\"").skip(1).map(|vector| format!("<div id=\"{vector}")).collect()
}

/// Sends the texts as messages; the model says each of them back. Gives the path of the page.
async fn converse(scene: &Scene, texts: &[String]) -> String {
    let person = &scene.person;
    let made = person.ask("POST", "/api/v1/conversations", json!({"app": "assistant"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.body["id"].as_str().unwrap().to_owned();
    let mut bundle = String::from("Repeat: ");
    let mut taken = 0;
    for (index, text) in texts.iter().enumerate() {
        bundle.push_str(
            &text.chars().filter(|c| !c.is_control() || *c == '\n').take(MESSAGE - 100).collect::<String>(),
        );
        bundle.push_str("\n\n");
        let next = texts.get(index + 1).map_or(usize::MAX, |next| next.chars().count());
        if bundle.chars().count().saturating_add(next) > MESSAGE {
            let path = format!("/api/v1/conversations/{id}/messages");
            let answer = person.ask("POST", &path, json!({ "content": bundle })).await;
            // Content rules may refuse a text; what they let through must be harmless.
            assert!([201, 422].contains(&answer.status), "{}", answer.text);
            if answer.status == 201 {
                assert_eq!(
                    answer.body["message"]["content"],
                    bundle["Repeat: ".len()..],
                    "texts are kept as they are"
                );
                taken += 1;
            }
            bundle = String::from("Repeat: ");
        }
    }
    assert!(taken > 0, "no text was taken");
    format!("/apps/assistant/{id}")
}

/// A conversation with the text as its title.
async fn entitle(person: &Person, number: usize, text: &str) {
    if number >= 60 {
        return;
    }
    let title: String = text.chars().filter(|c| !c.is_control()).take(TITLE).collect();
    let made = person.ask("POST", "/api/v1/conversations", json!({"app": "assistant", "title": title})).await;
    assert_eq!(made.status, 201, "{title}: {}", made.text);
    let id = made.body["id"].as_str().unwrap();
    let read = person.ask("GET", &format!("/api/v1/conversations/{id}"), Value::Null).await;
    assert_eq!(read.body["title"], title);
}

/// Elements among what a search found that are not its own.
const FOUND: &str = r#"[...document.querySelectorAll("[data-found]:not(dialog) *")]
  .filter((one) => /^(script|iframe|style|img|object|embed|form|math|x)$/.test(one.localName) || [...one.attributes].some((a) => /^on|^style$|^src/.test(a.name)))
  .map((one) => one.outerHTML.slice(0, 120))"#;

/// Touches everything, as a person would by accident.
const POKE: &str = r#"(() => {
  for (const one of document.querySelectorAll(".prose *, .bubble, .conversation a")) {
    for (const kind of ["mouseover", "mouseenter", "focus", "blur", "toggle", "scroll", "error", "load"]) one.dispatchEvent(new Event(kind));
  }
  return true;
})()"#;

/// Elements and attributes in shown texts that no text can ask for.
const FOREIGN: &str = r#"[...document.querySelectorAll(".prose *, .bubble *, .conversation a *, [data-title] *")]
  .filter((one) =>
    [...one.attributes].some((a) => /^on|^style$|^src|^formaction$|^action$|^srcdoc$/i.test(a.name)) ||
    (one.href && !/^(https?|mailto):/.test(one.href)) ||
    /^(script|iframe|style|link|meta|base|object|embed|form|input|img|svg|math|x)$/i.test(one.localName) && !one.closest(".code-head, svg.icon") && !one.matches(".prose math[alttext]") && !(one.localName === "input" && one.type === "checkbox"))
  .map((one) => one.outerHTML.slice(0, 120))"#;
