//! Providers that send what is no answer. Nothing of it harms, and nothing of it reaches the caller.

use kernel::Code;

use super::mock::{self, Act, Mock};
use super::*;

/// Whole bodies that are no answer.
fn bodies() -> Vec<String> {
    let message = |rest: &str| format!(r#"{{"choices":[{{"message":{{"content":"{LEAK}"}}{rest}}}]}}"#);
    vec![
        String::new(),
        LEAK.to_owned(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        r#"{"choices":[]}"#.into(),
        r#"{"choices":[{}]}"#.into(),
        r#"{"choices":[{"message":{"content":7}}]}"#.into(),
        r#"{"choices":[{"message":{"content":["a"]}}]}"#.into(),
        r#"{"choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"rm"}}]}}]}"#.into(),
        format!(r#"{{"error":{{"message":"{LEAK}"}}}}"#),
        message(r#","finish_reason":"tool_calls""#),
        message(r#","finish_reason":"because""#),
        message(r#","finish_reason":{"a":1}"#),
        format!(r#"{{"choices":{}"#, "[".repeat(500_000)),
        format!(r#"{{"x":{}"#, r#"{"x":"#.repeat(500_000)),
        "{\"choices\":[{\"message\":{\"content\":\"\u{1}\"}}]}".into(),
    ]
}

#[tokio::test]
async fn answers_that_are_none() {
    for body in bodies() {
        let mock = Mock::play(vec![mock::json(&body)]).await;
        let models = models(&[&mock]);
        let fault = complete(&models).await.unwrap_err();
        assert_eq!(fault.code(), Code::ModelUnavailable, "{:.80}", body);
        assert_tight(&fault);
        assert_tight(&stream(&models).await.err().unwrap());
        assert_eq!(mock.seen().len(), 2, "garbage is not asked for again");
    }
}

#[tokio::test]
async fn wrong_types_and_statuses() {
    let page = format!("<html>{LEAK}</html>");
    for (status, kind, code) in [
        ("200 OK", "text/html", Code::ModelUnavailable),
        ("200 OK", "application/octet-stream", Code::ModelUnavailable),
        ("204 No Content", "application/json", Code::ModelUnavailable),
        ("302 Found", "text/html", Code::ModelUnavailable),
        ("400 Bad Request", "application/json", Code::ModelUnavailable),
        ("401 Unauthorized", "application/json", Code::ModelUnavailable),
        ("418 I'm a teapot", "text/html", Code::ModelUnavailable),
        ("599 Odd", "text/html", Code::ModelUnavailable),
    ] {
        let mock = Mock::play(vec![mock::answer(status, kind, &page)]).await;
        let models = models(&[&mock]);
        for fault in [complete(&models).await.unwrap_err(), stream(&models).await.err().unwrap()] {
            assert_eq!(fault.code(), code, "{status}");
            assert_tight(&fault);
        }
        assert_eq!(mock.seen().len(), 2, "{status} is not tried again");
    }
}

#[tokio::test]
async fn no_http_at_all() {
    for bytes in [
        "",
        LEAK,
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    ] {
        let mock = Mock::play(vec![vec![Act::Send(bytes.into())]]).await;
        let fault = complete(&models(&[&mock])).await.unwrap_err();
        assert_eq!(fault.code(), Code::ModelUnavailable, "{bytes}");
        assert_tight(&fault);
    }
}

#[tokio::test]
async fn events_that_are_none_end_the_stream_after_its_text() {
    for data in [
        LEAK.to_owned(),
        "<html>".into(),
        "[".repeat(100_000),
        "7".into(),
        r#"{"choices":[{"delta":{"content":{"a":1}}}]}"#.into(),
        r#"{"choices":[{"index":-1,"delta":{"content":"a"}}]}"#.into(),
        r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#.into(),
        r#"{"choices":[{"delta":{},"finish_reason":"because"}]}"#.into(),
        format!(r#"{{"error":{{"message":"{LEAK}"}}}}"#),
    ] {
        let script = vec![mock::stream_head(), mock::delta("partial"), mock::event(&data), Act::Hang];
        let mock = Mock::play(vec![script]).await;
        let (text, done) = read(stream(&models(&[&mock])).await.unwrap()).await;
        let fault = done.unwrap_err();
        assert_eq!((text.as_str(), fault.code()), ("partial", Code::ModelUnavailable), "{:.60}", data);
        assert_tight(&fault);
        mock.closed().await;
    }
}

#[tokio::test]
async fn event_names_and_unknown_fields_do_nothing() {
    let script = vec![
        mock::stream_head(),
        Act::Send(
            b"event: execute\nid: 1\nretry: 1\ndata: {\"type\":\"execute\",\"code\":\"x\"}\n\n".to_vec(),
        ),
        mock::event(r#"{"choices":[{"index":1,"delta":{"content":"other choice"}}]}"#),
        mock::event(r#"{"choices":[{"index":0,"delta":{"reasoning_content":"hidden","content":null}}]}"#),
        mock::delta("shown"),
        mock::event("[DONE]"),
    ];
    let mock = Mock::play(vec![script]).await;
    assert_eq!(read(stream(&models(&[&mock])).await.unwrap()).await.0, "shown");
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let part = vec![b'x'; 1 << 16];
    let gigabyte = format!("content-length: {}\r\n", 1 << 30);
    let quoted = Act::Send(br#"{"choices":[{"message":{"content":""#.to_vec());
    let line = Act::Send(b"data: ".to_vec());
    for start in [
        vec![mock::head("200 OK", "application/json", &gigabyte)],
        vec![mock::head("200 OK", "application/json", ""), quoted],
        vec![mock::stream_head(), line],
        vec![mock::stream_head()],
    ] {
        let mut script = start;
        script.push(Act::Endless(part.clone(), Duration::ZERO));
        let mock = Mock::play(vec![script]).await;
        let models = models(&[&mock]);
        let fault = stream(&models).await.err().unwrap();
        assert_eq!(fault.code(), Code::ModelUnavailable);
        mock.closed().await;
        assert!(mock.sent() < 64 << 20, "{} bytes were read", mock.sent());
        assert_eq!(complete(&models).await.unwrap_err().code(), Code::ModelUnavailable);
    }
}

#[tokio::test]
async fn text_without_end_ends_at_the_limit() {
    let Act::Send(part) = mock::delta(&"x".repeat(1 << 14)) else { unreachable!() };
    let mock = Mock::play(vec![vec![mock::stream_head(), Act::Endless(part, Duration::ZERO)]]).await;
    let (text, done) = read(stream(&models(&[&mock])).await.unwrap()).await;
    assert_eq!((text.len(), done.unwrap().finish), (1 << 20, crate::Finish::Length));
    mock.closed().await;
}
