//! Every line is valid JSON and bounded, whatever the values and whatever the mask does to them.

use kernel::Time;
use serde_json::Value;

use super::*;

fn head(level: Level) -> Head {
    Head::new(level, Time::from_seconds(1_795_222_923))
}

fn json(mask: Option<Mask>, rows: &str) -> Value {
    let mut out = String::new();
    Lines::new(mask).write(head(Level::Info), "web::api", rows, &mut out, None);
    assert!(out.len() <= MAX_LINE, "{} bytes", out.len());
    assert!(out.ends_with("}\n") && out.matches('\n').count() == 1);
    assert!(!out.trim_end().chars().any(char::is_control));
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// Masks `ann@example.org` and everything behind `password=`, to the end of the text and over rows.
fn greedy(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    if text.contains("ann@example.org") {
        text = Cow::Owned(text.replace("ann@example.org", "[EMAIL]"));
    }
    if let Some(at) = text.find("password=") {
        text = Cow::Owned(format!("{}[SECRET]", &text[..at]));
    }
    text
}

#[test]
fn the_parts_of_a_line() {
    let line = json(
        None,
        "n:=-12\nrequest_id=r1\nok:=true\nmessage=hello\nratio:=0.25\nhuge=18446744073709551616\n",
    );
    assert_eq!(
        line,
        serde_json::json!({
            "@timestamp": "2026-11-21T01:02:03.000000Z", "level": "INFO", "target": "web::api", "message": "hello",
            "request_id": "r1", "n": -12, "ok": true, "ratio": 0.25, "huge": "18446744073709551616",
        })
    );
    assert_eq!(json(None, "")["message"], "");
}

#[test]
fn a_field_cannot_stand_for_the_lines_own_parts_nor_come_twice() {
    let line = json(None, "message=one\nlevel=ERROR\n@timestamp=never\ntarget=x\nn:=1\nn:=2\nmessage=two\n");
    assert_eq!((&line["level"], &line["field.level"]), (&"INFO".into(), &"ERROR".into()));
    assert_eq!((&line["message"], &line["n"]), (&"one".into(), &1.into()));
    assert_eq!(line["field.@timestamp"], "never");
}

#[test]
fn the_mask_never_breaks_a_line() {
    for value in [
        "ann@example.org",
        "\u{b}ann@example.org",
        "\\ann@example.org",
        "\"ann@example.org\"",
        "\u{1b}[1mann@example.org\u{1b}",
    ] {
        let line = json(Some(greedy), &format!("message={value}\nn:=1\n"));
        assert!(line["message"].as_str().unwrap().contains("[EMAIL]"), "{value:?}");
        assert_eq!(line["n"], 1);
    }
    // It ate the rest of the rows: each is masked alone, and the others are still there.
    let line = json(Some(greedy), "message=sign-in\npassword=hunter2 ann@example.org\nrequest_id=r1\nn:=1\n");
    assert_eq!(line["message"], "sign-in");
    assert_eq!(
        (&line["password"], &line["request_id"], &line["n"]),
        (&"[SECRET]".into(), &"r1".into(), &1.into())
    );
    assert!(!line.to_string().contains("hunter2"));
    // It replaced a number by a text.
    fn cards(text: &str) -> Cow<'_, str> {
        text.replace("4111111111111111", "[CARD]").into()
    }
    assert_eq!(json(Some(cards), "message=m\ncard:=4111111111111111\n")["card"], "[CARD]");
    // It broke into two what was one.
    fn splits(text: &str) -> Cow<'_, str> {
        text.replace('x', "\n").into()
    }
    assert_eq!(json(Some(splits), "message=axb\nn:=1\n")["message"], "ab");
}

#[test]
fn nothing_that_a_terminal_obeys_gets_through() {
    let hostile: String =
        ('\u{0}'..='\u{a0}').chain('\u{2020}'..='\u{2070}').filter(|c| *c != '\n').collect();
    for rows in [format!("message={hostile}\n"), format!("message=m\n{}=x\n", hostile.replace('=', ""))] {
        let line = json(None, &rows);
        let mut out = String::new();
        Lines::new(None).write(head(Level::Error), "t", &rows, &mut String::new(), Some((&mut out, false)));
        let bad = |c: char| {
            c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
        };
        assert!(!line.to_string().is_empty() && !out.trim_end_matches('\n').contains(bad), "{out:?}");
    }
    // Values come back as they were, but for the vertical tab, which stands for a line break.
    let read = json(None, &format!("message={hostile}\n"));
    assert_eq!(read["message"].as_str().unwrap(), hostile.replace('\u{b}', "\n"));
}

#[test]
fn a_line_is_bounded_and_says_that_it_was_cut() {
    for filler in ["x", "\"", "\u{1}", "é", "\u{202e}", "🙂"] {
        let long = filler.repeat(20_000 / filler.len());
        let line = json(None, &format!("message={long}\nrequest_id=r1\na={long}\nb={long}\n"));
        assert_eq!((&line["truncated"], &line["request_id"]), (&true.into(), &"r1".into()), "{filler}");
        assert!(line["message"].as_str().unwrap().ends_with('…'));
    }
    let many: String = (0..2000).map(|n| format!("field{n}=x\n")).collect();
    assert!(json(None, &many).as_object().unwrap().len() <= MAX_FIELDS + 4);
    let wide: String = (0..60).map(|n| format!("{}{n}={}\n", "n".repeat(100), "v".repeat(300))).collect();
    assert_eq!(json(None, &wide)["truncated"], true);
}

#[test]
fn text_is_for_people() {
    let write = |colour| {
        let mut out = String::new();
        let rows = "request_id=r1\nmessage=slow\nms:=5001\n";
        Lines::new(None).write(
            head(Level::Warning),
            "web::api",
            rows,
            &mut String::new(),
            Some((&mut out, colour)),
        );
        out
    };
    assert_eq!(write(false), "01:02:03.000 WARNING slow  request_id=r1  ms=5001  web::api\n");
    assert!(write(true).contains("\u{1b}[33mWARNING\u{1b}[0m"));
}
