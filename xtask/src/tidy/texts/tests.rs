//! Each rule about texts is given a small house with one fault and must find it.

use super::*;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

/// A page, a script and a sentence of the code, in two languages.
fn sound_house() -> House {
    let page = r#"<p title="{{ "Close"|t }}">{{ "{count} file|{count} files"|n(files) }}</p><code>stoa serve</code>Stoa"#;
    let german = "# A note.\n\"Close\" = \"Schließen\"\n\"Saved.\" = \"Gespeichert.\"\n\"{count} file|{count} files\" = \"Eine Datei|{count} Dateien\"\n\"{name} is back.\" = \"{name} ist zurück.\"\n";
    let arabic = "\"Close\" = \"إغلاق\"\n\"Saved.\" = \"تم.\"\n\"{count} file|{count} files\" = \"a|b|c|d|e|{count} f\"\n\"{name} is back.\" = \"{name} عاد.\"\n";
    House {
        members: Vec::new(),
        locked: Vec::new(),
        licences: Vec::new(),
        files: vec![
            file("crates/web/templates/a.html", page),
            file("crates/web/static/a.js", "this.say(\"no key\"); say(\"{name} is back.\", { name });"),
            file(
                "crates/web/src/pages/a.rs",
                "say(\n    \"Saved.\")\n#[cfg(test)]\nmod tests { say(\"No key.\") }",
            ),
            file("crates/web/texts/de.toml", german),
            file("crates/web/texts/ar.toml", arabic),
        ],
    }
}

fn findings(house: &House) -> Vec<Finding> {
    [complete, needed, sound, visible].into_iter().flat_map(|rule| rule(house)).collect()
}

/// With this in the place of that in the file there is exactly one finding, with these words.
#[track_caller]
fn finds(place: usize, that: &str, this: &str, words: &str) {
    let mut house = sound_house();
    let text = &mut house.files[place].text;
    assert!(text.contains(that), "{that}");
    *text = text.replace(that, this);
    let found = findings(&house);
    assert!(found.len() == 1 && found[0].to_string().contains(words), "{found:?}");
}

#[test]
fn a_sound_house_has_no_findings() {
    assert_eq!(findings(&sound_house()), []);
}

#[test]
fn a_text_that_a_language_lacks_is_found() {
    finds(3, "\"Saved.\" = \"Gespeichert.\"\n", "", "translate `Saved.`");
    finds(4, "\"Close\" = \"إغلاق\"\n", "", "translate `Close`");
    finds(3, "\"{name} is back.\" = \"{name} ist zurück.\"\n", "", "translate `{name} is back.`");
}

#[test]
fn a_text_that_nobody_says_is_found() {
    finds(3, "\"Saved.\"", "\"Safe.\" = \"Sicher.\"\n\"Saved.\"", "remove `Safe.`");
}

#[test]
fn places_and_forms_must_agree() {
    finds(3, "{name} ist", "Er ist", "lacks {name}");
    finds(3, "{name} ist", "{name} {wer} ist", "{wer}");
    finds(3, "Eine Datei|{count} Dateien", "{count} Dateien", "1 forms and wants 2");
    finds(3, "|{count} Dateien", "|Dateien", "lacks {count}");
    finds(4, "a|b|c", "a|c", "5 forms and wants 6");
    finds(3, "\"Gespeichert.\"", "\"\"", "no translation");
}

#[test]
fn catalogues_are_sorted_and_readable() {
    finds(3, "# A note.\n", "# A note.\n\"Saved.\" = \"Gespeichert.\"\n", "out of order");
    finds(3, "# A note.\n", "# A note.\nwhat is this\n", "write");
    let sorted = catalogue::sorted("# Head\n\"b\" = \"2\"\n\"a\" = \"1\"\n");
    assert_eq!(sorted, "# Head\n\"a\" = \"1\"\n\"b\" = \"2\"\n");
}

#[test]
fn words_of_a_template_are_found() {
    for (shown, word) in [
        ("Stoa</p>", "Sign in"),
        ("<i title=\"Sign in\">", "Sign in"),
        ("<i aria-label=\"{% if a > b %}Sign in{% endif %}\">", "Sign in"),
        ("{% call fields::text(form, \"email\", \"Sign in\", \"x=1\") %}", "Sign in"),
    ] {
        let text = if shown.contains("Sign in") { shown.to_owned() } else { format!("<p>{word} {shown}") };
        finds(0, "Stoa", &text, "templates show");
    }
    for fine in
        ["<code>ls -l</code>", "<i class=\"a b\" data-x=\"Sign in\">", "{# Sign in #}", "·", "&nbsp;", "JSON"]
    {
        assert_eq!(visible::words(fine), Vec::<String>::new(), "{fine}");
    }
}
