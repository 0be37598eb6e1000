//! The mask against values of every kind, and against texts that only look like them.
use proptest::prelude::*;

use super::*;

fn masked(text: &str) -> String {
    Masker::standard().mask(text).into_owned()
}

/// Text and what is left of it.
fn table(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(&masked(text), expected, "of {text:?}");
    }
}

#[test]
fn every_kind_is_taken_out() {
    table(&[
        ("mail ada.l+x@example.co.uk, thanks", "mail [EMAIL], thanks"),
        ("“ada@example.com”", "“[EMAIL]”"),
        ("jürgen@müller.example", "[EMAIL]"),
        ("联系ada@example.com。", "联系[EMAIL]。"),
        ("?to=ada%40example.com&x=1", "?to=[EMAIL]&x=1"),
        ("call +44 (0)20 7946 0958 now", "call [PHONE] now"),
        ("555-123-4567 x89", "[PHONE]"),
        ("(579)888-3058", "[PHONE]"),
        ("03.93.92.16.85", "[PHONE]"),
        ("phone 2025550143", "phone [PHONE]"),
        ("card 4111 1111 1111 1111 ok", "card [CARD] ok"),
        ("4111-1111-1111-1111", "[CARD]"),
        ("378282246310005", "[CARD]"),
        ("4131034282458809939", "[CARD]"),
        ("GB82 WEST 1234 5698 7654 32.", "[IBAN]."),
        ("de89370400440532013000", "[IBAN]"),
        ("460-89-9847", "[SSN]"),
        ("my ssn is 460899847", "my ssn is [SSN]"),
        ("from 203.0.113.9:443", "from [IP]:443"),
        ("203.0.113.9,198.51.100.7", "[IP],[IP]"),
        ("[2001:db8::8a2e:370:7334]:80", "[[IP]]:80"),
        ("::ffff:203.0.113.9", "[IP]"),
        ("fe80::1%eth0", "[IP]%eth0"),
        ("00:1b:44:11:3a:b7", "[MAC]"),
        ("00-1B-44-11-3A-B7", "[MAC]"),
        ("Bearer abcdefgh12345678", "Bearer [SECRET]"),
        ("Authorization: Basic YWRhOmxvdmU=", "Authorization: [SECRET]"),
        ("basic YWRhOmxvdmU=", "basic [SECRET]"),
        ("key sk-abcdEFGH1234567890abcd!", "key [SECRET]!"),
        ("AKIAIOSFODNN7EXAMPLE", "[SECRET]"),
        (concat!("gh", "p_0123456789abcdefghij0123456789abcdef"), "[SECRET]"),
        ("xoxb-123456789012-abcdef", "[SECRET]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[SECRET]"),
        ("password=hunter2&x=1", "password=[SECRET]&x=1"),
        ("?code=4f9&state=ab", "?code=[SECRET]&state=[SECRET]"),
        ("password: hunter2", "password: [SECRET]"),
        ("postgres://stoa:p@ss@db.internal:5432/stoa", "postgres://[URL_CREDENTIALS]@db.internal:5432/stoa"),
        ("X-API-Key: abcdef", "X-API-Key: abcdef"),
        ("X-API-Key: abc123def", "X-API-Key: [SECRET]"),
        ("Cookie: a=b; c=d\nnext", "Cookie: [SECRET]\nnext"),
    ]);
    let pem = "x -----BEGIN RSA PRIVATE KEY-----\nMIIB+/=\nAAAA\n-----END RSA PRIVATE KEY----- y";
    assert_eq!(masked(pem), "x [SECRET] y");
}

#[test]
fn what_is_not_personal_stays() {
    for text in [
        "",
        "2026-11-21T01:02:03.000004Z",
        "2026-11-21 01:02:03,123 INFO started in 12.345678 ms",
        "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d",
        "12345678-1234-4123-8123-123456789012",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "at 1763688000 and 1763688000000 and 1763688000000000 and 1763688000000000000",
        "version 1.2.3.4, v10.0.19041.1, 1.2.3.4-beta",
        "127.0.0.1:8080 and 0.0.0.0 and [::1]:80 and [::]",
        "std::fmt::Display, a::b, cafe::bad",
        "11/21/2026, 21.11.2026, 1-2-1999",
        "10:22:33 and 10:22:33.123",
        "max_tokens=4096, total tokens: 12",
        "the password is required; token: the smallest unit",
        "password=***",
        "bearer of news, basic information",
        "sk-learn-compatible-estimators-package",
        "serde@1.0.2 and user@localhost",
        "1,234,567,890 and 1 234 567",
        "part 123-45-6789",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "https://example.com/a/b?c=d#e",
        "took 1234 5678 ns",
    ] {
        assert_eq!(masked(text), text);
        assert!(matches!(Masker::standard().mask(text), Cow::Borrowed(_)));
    }
}

#[test]
fn a_log_line_stays_json() {
    let line = r#"{"@timestamp":"2026-11-21T01:02:03.000004Z","level":"INFO","target":"web","request_id":"019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","message":"mail to ada@example.com\nfrom C:\\temp\nbob@example.com","phone":2025550143,"card": 4111111111111111,"cards":[4111111111111111,378282246310005],"password":"hun\"ter2\\","token":12345,"nested":"{\"password\":\"hu\\\"nter\",\"ip\":\"203.0.113.9\"}","peer":"203.0.113.9","ms":1234567.25,"sha":"e3b0c44298fc1c149afbf4c8996fb924","authorization":"Bearer abc.def","pid":1763688000}"#;
    let masked = masked(line);
    let value: serde_json::Value = serde_json::from_str(&masked).expect(&masked);
    assert_eq!(value["message"], "mail to [EMAIL]\nfrom C:\\temp\n[EMAIL]");
    assert_eq!(value["phone"], 0);
    assert_eq!(value["card"], 0);
    assert_eq!(value["cards"], serde_json::json!([0, 0]));
    assert_eq!(value["password"], "[SECRET]");
    assert_eq!(value["token"], 12345);
    assert_eq!(value["nested"], r#"{"password":"[SECRET]","ip":"[IP]"}"#);
    assert_eq!(value["peer"], "[IP]");
    assert_eq!(value["ms"], 1_234_567.25);
    assert_eq!(value["authorization"], "[SECRET]");
    assert_eq!(value["pid"], 1_763_688_000);
    for kept in ["@timestamp", "request_id", "trace_id", "sha"] {
        let before: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value[kept], before[kept]);
    }
}

#[test]
fn masking_twice_changes_nothing_more() {
    for text in ["password=hunter2", "a@b.co 203.0.113.9", r#"{"token":"abc","card":4111111111111111}"#] {
        let once = masked(text);
        assert_eq!(masked(&once), once);
    }
}

#[test]
fn whole_urls_go_only_where_it_is_asked_for() {
    let text = "see https://ada:x@example.com/a?b=c, or www.example.com.";
    assert_eq!(masked(text), "see https://[URL_CREDENTIALS]@example.com/a?b=c, or www.example.com.");
    assert_eq!(Masker::everything().mask(text), "see [URL], or [URL].");
}

#[test]
fn a_stream_lets_go_the_same_at_every_split() {
    let text = concat!(
        "Hi, mail ada.l+x@example.co.uk or jürgen@müller.example; call +44 (0)20 7946 0958 x12, 555-123-4567. ",
        "Karte 4111 1111 1111 1111, IBAN GB82 WEST 1234 5698 7654 32, ssn 460-89-9847; “203.0.113.9” 2001:db8::1 ",
        r#"{"a":"x\nbob@example.com","password":"h\"x","n":4111111111111111} 2026-11-21T01:02:03.004Z "#,
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY----- Bearer abcdefgh12345678 password=hunter2 ",
        "https://u:p@h.example/?token=abc&x=联系 019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d eyJhbGciOiJI.eyJzdWIi.c2ln 😀",
    );
    for masker in [Masker::standard(), Masker::everything()] {
        let whole = masker.mask(text);
        for split in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            let mut stream = masker.stream();
            let mut out = stream.push(&text[..split]);
            out.push_str(&stream.push(&text[split..]));
            out.push_str(&stream.finish());
            assert_eq!(out, whole, "split at {split}");
        }
        let mut stream = masker.stream();
        let mut out = String::new();
        for c in text.chars() {
            out.push_str(&stream.push(c.encode_utf8(&mut [0; 4])));
        }
        out.push_str(&stream.finish());
        assert_eq!(out, whole);
    }
}

#[test]
fn little_waits_in_a_stream() {
    let mut stream = Masker::standard().stream();
    assert_eq!(stream.push("The answer is"), "The answer ");
    assert_eq!(stream.push(" forty"), "is ");
    assert_eq!(stream.push(" two, and mail ada@exa"), "forty two, and mail ");
    assert_eq!(stream.waiting(), 7);
    assert_eq!(stream.push("mple.com is gone."), "[EMAIL] is ");
    assert_eq!(stream.finish(), "gone.");
}

#[test]
fn hostile_texts_do_not_break_it() {
    let long = "x".repeat(100_000);
    for unit in [
        "a@",
        "11-",
        "1",
        "://",
        "\"",
        "\\",
        "\\\"password\\\":\\\"",
        "(",
        "+1",
        "a.",
        "1.",
        "::",
        "é",
        "-----BEGIN PRIVATE KEY-----",
        "password=",
        "eyJ",
        "GB82",
        "Bearer ",
    ] {
        let text = unit.repeat(3_000);
        let _ = masked(&text);
        let _ = masked(&format!("{text}{long}"));
        let _ = Masker::everything().mask(&text);
    }
}

/// Pieces of what the recognisers look for, so that random texts come near to their edges.
const PIECES: &[&str] = &[
    "a",
    "ada",
    "@",
    ".",
    "com",
    "example.com",
    " ",
    "\\",
    "\\n",
    "\\\\",
    "\"",
    "\\\"",
    ":",
    "=",
    "://",
    "//",
    "?",
    "&",
    "-",
    "+",
    "(",
    ")",
    "0",
    "1",
    "555",
    "4111",
    "1111",
    "4111111111111111",
    "44",
    "GB82",
    "WEST",
    "2001:db8::",
    "::",
    "203.0.113.9",
    "00:1b:",
    "password",
    "token",
    "api-key",
    "Bearer",
    "Basic",
    "sk-",
    "eyJ",
    "-----BEGIN ",
    "PRIVATE KEY-----",
    "-----END ",
    "\n",
    "é",
    "联",
    "😀",
    "x",
    "ext. ",
    "version",
    "www",
    "%40",
    ",",
    "}",
    "]",
    "[",
    "phone",
    "2026-11-21T01:02:03",
    "019aa2b8-",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_in_any_pieces_comes_out_the_same(
        words in prop::collection::vec(prop::sample::select(PIECES), 0..40),
        cuts in prop::collection::vec(1_usize..9, 1..40),
        whole_urls in any::<bool>(),
    ) {
        let masker = if whole_urls { Masker::everything() } else { Masker::standard() };
        let text = words.concat();
        let chars: Vec<char> = text.chars().collect();
        let mut stream = masker.stream();
        let (mut out, mut rest, mut cut) = (String::new(), chars.as_slice(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(*cut.next().unwrap()));
            out.push_str(&stream.push(&piece.iter().collect::<String>()));
            rest = after;
        }
        out.push_str(&stream.finish());
        prop_assert_eq!(out, masker.mask(&text));
    }

    #[test]
    fn masked_json_is_json(words in prop::collection::vec(prop::sample::select(PIECES), 0..30), number in any::<u64>()) {
        let inner = serde_json::json!({ "text": words.concat(), "password": words.concat(), "phone": number }).to_string();
        let line = serde_json::json!({ "message": words.concat(), "token": inner, "nested": inner, "card": [number] });
        let masked = masked(&line.to_string());
        prop_assert!(serde_json::from_str::<serde_json::Value>(&masked).is_ok(), "{}", masked);
    }
}
