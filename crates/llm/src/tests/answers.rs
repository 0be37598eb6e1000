//! Good answers: what is sent, and what is made of what comes back.

use serde_json::json;

use super::mock::{self, Mock};
use super::*;
use crate::{Finish, State, Usage};

#[tokio::test]
async fn the_request_holds_what_was_asked_and_the_key_as_bearer() {
    let mock = Mock::play(vec![mock::good("Fine.")]).await;
    let models = models(&[&mock]);
    let request = ChatRequest {
        system: Some("Be brief.".into()),
        max_tokens: Some(9_000),
        temperature: Some(0.25),
        model: Some("gpt-app".into()),
        ..question()
    };
    let completion = models.complete(request, CancellationToken::new()).await.unwrap();
    assert_eq!(completion.text, "Fine.");
    assert_eq!(completion.finish, Finish::Stop);
    assert_eq!(completion.model, "gpt-test-2026");
    assert_eq!(completion.usage, Usage { input_tokens: 9, output_tokens: 12 });
    let seen = &mock.seen()[0];
    assert!(seen.head.starts_with("post /v1/chat/completions http/1.1\r\n"), "{}", seen.head);
    assert!(seen.head.contains(&format!("authorization: bearer {KEY}")));
    assert_eq!(
        seen.body,
        json!({
            "model": "gpt-app",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How are you?"}],
            "max_tokens": 500, // the configured cap
            "temperature": 0.25
        })
    );
    assert_eq!(models.state(), State::Operational);
    assert!(!format!("{:?}", question()).contains("How are you"));
}

#[tokio::test]
async fn defaults_fill_what_the_request_leaves_open() {
    let mock = Mock::play(vec![mock::good("Fine.")]).await;
    complete(&models(&[&mock])).await.unwrap();
    let body = &mock.seen()[0].body;
    assert_eq!((&body["model"], &body["max_tokens"]), (&json!("default-0"), &json!(500)));
    assert_eq!(body["temperature"], json!(0.7));
    assert_eq!(body.get("stream"), None);
}

#[tokio::test]
async fn missing_or_impossible_numbers_are_estimated() {
    for usage in ["null", "{}", r#"{"prompt_tokens":-4,"completion_tokens":"many"}"#] {
        let body = format!(r#"{{"choices":[{{"message":{{"content":"eight ch"}}}}],"usage":{usage}}}"#);
        let mock = Mock::play(vec![mock::json(&body)]).await;
        let completion = complete(&models(&[&mock])).await.unwrap();
        assert_eq!(completion.usage, Usage { input_tokens: 3, output_tokens: 2 }, "{usage}");
        assert_eq!(completion.model, "default-0");
    }
}

#[tokio::test]
async fn odd_but_honest_answers_are_taken() {
    for (message, text) in [
        (r#"{"content":""}"#, ""),
        (r#"{"content":"a\u0000\ud83e\udde8<b>"}"#, "a\u{0}🧨<b>"),
        (r#"{"content":null,"refusal":"I will not."}"#, "I will not."),
        (r#"{"content":"x","tool_calls":null,"annotations":[]}"#, "x"),
    ] {
        let body = format!(r#"{{"choices":[{{"message":{message},"finish_reason":"eos_token"}}]}}"#);
        let mock = Mock::play(vec![mock::json(&body)]).await;
        assert_eq!(complete(&models(&[&mock])).await.unwrap().text, text);
    }
}

#[tokio::test]
async fn a_very_long_text_ends_at_the_limit() {
    let mock = Mock::play(vec![mock::good(&"ü".repeat(1 << 20))]).await;
    let completion = complete(&models(&[&mock])).await.unwrap();
    assert_eq!((completion.text.len(), completion.finish), (1 << 20, Finish::Length));
}

#[tokio::test]
async fn embeddings_come_in_the_order_of_the_texts() {
    let body = r#"{"data":[{"index":1,"embedding":[0.5,1]},{"index":0,"embedding":[-1,2e-3]}],"model":"e","usage":{"prompt_tokens":3}}"#;
    let mock = Mock::play(vec![mock::json(body)]).await;
    let found = models(&[&mock]).embed(vec!["a".into(), "b".into()], Some("e".into())).await.unwrap();
    assert_eq!(found.vectors, [[-1.0, 0.002], [0.5, 1.0]]);
    assert_eq!((found.model.as_str(), found.input_tokens), ("e", 3));
    let seen = &mock.seen()[0];
    assert!(seen.head.starts_with("post /v1/embeddings "));
    assert_eq!(seen.body, json!({"model": "e", "input": ["a", "b"], "encoding_format": "float"}));
    // One text more than vectors, and a vector that is shorter.
    for texts in [1, 3] {
        let texts = vec![String::from("a"); texts];
        assert!(models(&[&mock]).embed(texts, None).await.is_err());
    }
}

#[tokio::test]
async fn a_probe_tells_the_operator_what_to_change() {
    let list = r#"{"object":"list","data":[{"id":"default-0"},{"id":"other"}]}"#;
    for (script, ok, says) in [
        (mock::json(list), true, "has the model"),
        (mock::json(r#"{"data":[]}"#), false, "OPENAI_MODEL"),
        (mock::answer("401 Unauthorized", "application/json", LEAK), false, "401"),
        (mock::answer("404 Not Found", "text/plain", ""), true, "lists no models"),
        (mock::answer("200 OK", "text/html", "<html>"), false, "OPENAI_BASE_URL"),
    ] {
        let mock = Mock::play(vec![script]).await;
        let report = models(&[&mock]).probe().await;
        let probe = &report.providers[0];
        assert_eq!(probe.ok, ok, "{probe:?}");
        assert!(probe.say.contains(says) && !probe.say.contains(LEAK), "{probe:?}");
        assert!(mock.seen()[0].head.starts_with("get /v1/models "));
    }
}

#[tokio::test]
async fn without_a_provider_the_built_in_answerer_serves() {
    let models = models(&[]);
    assert!(!models.configured());
    assert_eq!(models.state(), State::NotConfigured);
    assert_eq!(models.probe().await.providers, []);
    let completion = complete(&models).await.unwrap();
    assert_eq!(completion.model, "builtin");
    let (text, done) = read(stream(&models).await.unwrap()).await;
    assert_eq!((text, done.unwrap().usage), (completion.text, completion.usage));
    assert!(models.embed(vec!["a".into()], None).await.is_err());
}

#[test]
fn futures_can_move_between_threads() {
    fn moves<T: Send>(_: T) {}
    let models = models(&[]);
    moves(models.complete(question(), CancellationToken::new()));
    moves(models.stream(question(), CancellationToken::new()));
    moves(models.embed(vec![], None));
    moves(models.probe());
}
