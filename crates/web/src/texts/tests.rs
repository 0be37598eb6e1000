//! Languages, sentences, plural forms and how a language is chosen.

use http::header::{ACCEPT_LANGUAGE, COOKIE as COOKIES};
use http::{HeaderMap, HeaderValue, Method, Uri};

use super::*;

fn asked(wish: &str, cookie: &str) -> Language {
    let mut headers = HeaderMap::new();
    for (name, value) in [(ACCEPT_LANGUAGE, wish), (COOKIES, cookie)] {
        if !value.is_empty() {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
    }
    Reader::of(&Method::GET, &Uri::from_static("/account?x=1"), &headers).language.get()
}

#[test]
fn a_language_is_found_in_what_is_asked_for() {
    use Language::{Arabic, English, French, German, Spanish};
    for (wish, language) in [
        ("", English),
        ("de", German),
        ("de-AT, en;q=0.5", German),
        ("en;q=0.5, FR-ca", French),
        ("zh, ja;q=0.9, es;q=0.1", Spanish),
        ("zh-Hant", English),
        ("*", English),
        ("ar-EG;q=0.9, de;q=0.8", Arabic),
        ("fr;q=0, de;q=0.001", German),
        ("de;q=0.5, fr;q=0.5", German),
        (";;;,,=,de;q=,fr;q=2,es;q=NaN,ar;q=-1", English),
        ("\"><script>,de;level=1", English),
    ] {
        assert_eq!(asked(wish, ""), language, "{wish}");
    }
}

#[test]
fn the_cookie_wins_and_garbage_is_nothing() {
    assert_eq!(asked("de", "a=b; stoa_language=ar; c=d"), Language::Arabic);
    assert_eq!(asked("de", "stoa_language=xx"), Language::German);
    assert_eq!(asked("de", "xstoa_language=ar"), Language::German);
    let long = "x-".repeat(5_000);
    assert_eq!(asked(&long, ""), Language::English);
    assert_eq!(asked(&"de-de,".repeat(2_000), ""), Language::German);
    assert_eq!(
        asked(&format!("{}de", "zz,".repeat(3_000)), &"stoa_language=;".repeat(900)),
        Language::English
    );
    let odd = HeaderValue::from_bytes(b"de\xff").unwrap();
    let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, odd)]);
    assert_eq!(Reader::of(&Method::GET, &Uri::from_static("/"), &headers).language.get(), Language::English);
}

#[test]
fn forms_follow_the_rules_of_each_language() {
    let arabic = "zero|one|two|few|many|other";
    for (number, form) in [
        (0, "zero"),
        (1, "one"),
        (2, "two"),
        (3, "few"),
        (10, "few"),
        (11, "many"),
        (99, "many"),
        (100, "other"),
        (102, "other"),
        (103, "few"),
        (111, "many"),
        (1_000_002, "other"),
    ] {
        assert_eq!(Language::Arabic.form(arabic, number), form, "{number}");
    }
    for (language, of_none, of_one, of_two) in [
        (Language::English, "b", "a", "b"),
        (Language::German, "b", "a", "b"),
        (Language::Spanish, "b", "a", "b"),
        (Language::French, "a", "a", "b"),
    ] {
        let forms = [0, 1, 2].map(|number| language.form("a|b", number));
        assert_eq!(forms, [of_none, of_one, of_two], "{language:?}");
    }
    // A text that has no translation yet.
    assert_eq!(Language::Arabic.form("{count} thing|{count} things", 3), "{count} things");
}

#[test]
fn sentences_are_filled_by_name_and_in_one_pass() {
    let told = say("{a} and {b} and {unknown}").with("a", "{b}").with("b", 7).to_string();
    assert_eq!(told, "{b} and 7 and {unknown}");
    assert_eq!(say("new{@secret}").to_string(), "new");
    assert_eq!(count("{count} file|{count} files", 1_234).to_string(), "1\u{202f}234 files");
    let told = |language| in_language(language, || count("{count} file|{count} files", 3).to_string());
    assert_eq!(told(Language::German), "3 Dateien");
    assert_eq!(told(Language::Arabic), "3 ملفات");
    assert_eq!(told(Language::French), "3 fichiers");
}

#[test]
fn lines_are_safe_html() {
    let line = Line::new("<{a}> {link}x{/link}").with("a", &"<script>\"{link}");
    let line = line.around("link", "<a href=\"/\">".to_owned(), "</a>");
    assert_eq!(line.to_string(), "&#60;&#60;script&#62;&#34;{link}&#62; <a href=\"/\">x</a>");
}

#[test]
fn a_catalogue_holds_every_language_and_no_markup() {
    for language in Language::ALL {
        let told = in_language(language, || say("Sign out").to_string());
        assert_eq!(told == "Sign out", language == Language::English, "{told}");
        let script = script(language, &["say(\"Nothing is ticked.\"); this.say(\"x\")"]);
        assert!(script.starts_with("globalThis.stoaTexts = {"), "{script}");
        assert_eq!(script.contains("Nothing is ticked."), language != Language::English, "{script}");
    }
    assert_eq!(in_language(Language::German, || told("said by nobody").into_owned()), "said by nobody");
}
