//! Bedrock that answers well, badly and not at all: what is sent and signed, what is made of what comes back, what is
//! tried again, and that the connection closes when nobody wants the answer any more.

mod frames;

use kernel::Code;
use serde_json::json;

use super::mock::{self, Act, Mock};
use super::*;
use crate::{Finish, State, Usage};
use frames::{REGION, TOKEN, delta, error, exception, good, good_stream, head, metadata, signed, stop};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+secret";
const MODEL: &str = "anthropic.claude-3-5-sonnet-20240620-v1:0";
const HASTY: Timeouts = Timeouts {
    connect: Duration::from_secs(2),
    first_token: Duration::from_millis(150),
    idle: Duration::from_millis(150),
    total: Duration::from_millis(600),
};

fn keys(token: Option<&str>) -> aws::Config {
    let secret = |text: &str| Secret::new(text.to_owned());
    let keys = aws::Keys { id: secret(frames::ID), secret: secret(SECRET), token: token.map(secret) };
    aws::Config { keys: Some(keys), ..aws::Config::default() }
}

fn at(mock: &Mock, model: &str) -> Provider {
    let protocol = Protocol::Bedrock { region: REGION.to_owned(), endpoint: mock.url.join("/").unwrap() };
    Provider { name: "bedrock".to_owned(), model: model.to_owned(), protocol }
}

fn bedrock_with(mock: &Mock, timeouts: Timeouts) -> Models {
    models_of(Config { providers: vec![at(mock, MODEL)], ..config(&[], timeouts) }, keys(Some(TOKEN)))
}

fn bedrock(mock: &Mock) -> Models {
    bedrock_with(mock, PATIENT)
}

#[tokio::test]
async fn the_request_is_signed_and_holds_what_was_asked() {
    let mock = Mock::play(vec![good("Fine.")]).await;
    let request = ChatRequest {
        system: Some("Be brief.".into()),
        max_tokens: Some(9_000),
        temperature: Some(0.25),
        ..question()
    };
    let models = bedrock(&mock);
    let completion = models.complete(request, CancellationToken::new()).await.unwrap();
    assert_eq!((completion.text.as_str(), completion.finish), ("Fine.", Finish::Stop));
    assert_eq!((completion.model.as_str(), models.default_model().as_deref()), (MODEL, Some(MODEL)));
    assert_eq!(completion.usage, Usage { input_tokens: 9, output_tokens: 12 });
    let seen = &mock.seen()[0];
    assert_eq!(
        seen.body,
        json!({
            "messages": [{"role": "user", "content": [{"text": "How are you?"}]}],
            "system": [{"text": "Be brief."}],
            "inferenceConfig": {"maxTokens": 500, "temperature": 0.25}
        })
    );
    let path = signed(seen, SECRET).unwrap();
    assert_eq!(path, "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse");
    assert!(signed(seen, "another").is_err(), "the check can fail");
    assert!(seen.raw.contains(&format!("x-amz-security-token: {TOKEN}\r\n")));
    assert!(!seen.raw.contains(SECRET));
}

#[tokio::test]
async fn a_model_of_any_name_is_one_segment_and_its_account_stays_here() {
    for (model, path, name) in [
        ("eu.amazon.nova-lite-v1:0", "eu.amazon.nova-lite-v1%3A0", "eu.amazon.nova-lite-v1:0"),
        (
            "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3",
            "arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2c3",
            "a1b2c3",
        ),
        ("../odd name%2F?x#ü", "..%2Fodd%20name%252F%3Fx%23%C3%BC", "../odd name%2F?x#ü"),
    ] {
        for streamed in [false, true] {
            let script = if streamed { good_stream(&["a"]) } else { good("a") };
            let mock = Mock::play(vec![script]).await;
            let mut provider = at(&mock, model);
            if let Protocol::Bedrock { endpoint, .. } = &mut provider.protocol {
                endpoint.set_path("/vpc/");
            }
            let models = models_of(Config { providers: vec![provider], ..config(&[], PATIENT) }, keys(None));
            let answered = if streamed {
                read(stream(&models).await.unwrap()).await.1.unwrap().model
            } else {
                complete(&models).await.unwrap().model
            };
            let action = if streamed { "converse-stream" } else { "converse" };
            let seen = &mock.seen()[0];
            assert_eq!(signed(seen, SECRET).unwrap(), format!("/vpc/model/{path}/{action}"));
            assert!(!seen.head.contains("x-amz-security-token"));
            assert_eq!((answered.as_str(), models.default_model().as_deref()), (name, Some(name)));
        }
    }
}

#[tokio::test]
async fn pieces_arrive_however_they_are_cut() {
    let whole: Vec<u8> = good_stream(&["Hel", "lo, ", "日本語 🧨"])
        .into_iter()
        .skip(1)
        .flat_map(|act| match act {
            Act::Send(bytes) => bytes,
            _ => unreachable!(),
        })
        .collect();
    for size in [1, 7, 64, whole.len()] {
        let mut script = vec![head()];
        script.extend(whole.chunks(size).map(|part| Act::Send(part.into())));
        let mock = Mock::play(vec![script]).await;
        let (text, done) = read(stream(&bedrock(&mock)).await.unwrap()).await;
        let done = done.unwrap();
        assert_eq!(
            (text.as_str(), done.finish, done.model.as_str()),
            ("Hello, 日本語 🧨", Finish::Stop, MODEL)
        );
        assert_eq!(done.usage, Usage { input_tokens: 9, output_tokens: 12 });
        assert!(signed(&mock.seen()[0], SECRET).unwrap().ends_with("/converse-stream"));
    }
}

#[tokio::test]
async fn ends_of_every_kind() {
    for (reason, finish) in [
        ("end_turn", Some(Finish::Stop)),
        ("stop_sequence", Some(Finish::Stop)),
        ("max_tokens", Some(Finish::Length)),
        ("model_context_window_exceeded", Some(Finish::Length)),
        ("guardrail_intervened", Some(Finish::ContentFilter)),
        ("content_filtered", Some(Finish::ContentFilter)),
        ("tool_use", None),
        ("malformed_model_output", None),
        ("because", None),
    ] {
        let streamed = vec![head(), delta("partial"), stop(reason), metadata()];
        let at_once = mock::json(&frames::answer(&json!([{"text": "partial"}]), reason).to_string());
        let mock = Mock::play(vec![streamed, at_once]).await;
        let models = bedrock(&mock);
        let (text, done) = read(stream(&models).await.unwrap()).await;
        assert_eq!((text.as_str(), done.ok().map(|done| done.finish)), ("partial", finish), "{reason}");
        assert_eq!(complete(&models).await.ok().map(|done| done.finish), finish, "{reason}");
    }
    // The numbers may be missing, and what follows them does not matter.
    for (ending, output) in [
        (vec![stop("end_turn")], 2),
        (vec![stop("end_turn"), Act::Hang], 2),
        (vec![stop("end_turn"), Act::Send(vec![0, 0])], 2),
        (vec![stop("end_turn"), metadata(), Act::Hang], 12),
    ] {
        let mut script = vec![head(), delta("partial")];
        script.extend(ending);
        let mock = Mock::play(vec![script]).await;
        let (_, done) = read(stream(&bedrock(&mock)).await.unwrap()).await;
        assert_eq!(done.unwrap().usage.output_tokens, output);
    }
}

#[tokio::test]
async fn what_a_model_thinks_and_what_is_new_does_nothing() {
    let reasoning = json!({"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hidden"}}});
    let script = vec![
        head(),
        frames::event("messageStart", &json!({"role": "assistant"})),
        frames::event("contentBlockStart", &json!({"contentBlockIndex": 0, "start": {}})),
        frames::event("contentBlockDelta", &reasoning),
        frames::event("somethingNew", &json!({"delta": {"text": "execute"}})),
        delta("shown"),
        stop("end_turn"),
        delta("after the end"),
        metadata(),
    ];
    let blocks =
        json!([{"reasoningContent": {"reasoningText": {"text": "hidden"}}}, {"text": "sh"}, {"text": "own"}]);
    let mock = Mock::play(vec![script, mock::json(&frames::answer(&blocks, "end_turn").to_string())]).await;
    let models = bedrock(&mock);
    assert_eq!(read(stream(&models).await.unwrap()).await.0, "shown");
    assert_eq!(complete(&models).await.unwrap().text, "shown");
}

#[tokio::test]
async fn what_may_pass_is_tried_once_more() {
    for (status, code) in [
        ("429 X", "ThrottlingException"),
        ("429 X", "ModelNotReadyException"),
        ("400 X", "ServiceQuotaExceededException"),
        ("424 X", "ModelErrorException"),
        ("500 X", "InternalServerException"),
        ("503 X", "ServiceUnavailableException"),
        ("503 X", ""),
        ("403 X", "ExpiredTokenException"),
    ] {
        let mock = Mock::play(vec![error(status, code), good("Now.")]).await;
        assert_eq!(complete(&bedrock(&mock)).await.unwrap().text, "Now.", "{status} {code}");
        let mock = Mock::play(vec![error(status, code), good_stream(&["Now."])]).await;
        assert_eq!(read(stream(&bedrock(&mock)).await.unwrap()).await.0, "Now.", "{status} {code}");
        let mock = Mock::play(vec![error(status, code)]).await;
        assert_tight(&complete(&bedrock(&mock)).await.unwrap_err());
        assert_eq!(mock.seen().len(), 2, "one retry");
    }
    for (status, code) in [
        ("400 X", "ValidationException"),
        ("403 X", "AccessDeniedException"),
        ("403 X", "UnrecognizedClientException"),
        ("403 X", "InvalidSignatureException"),
        ("404 X", "ResourceNotFoundException"),
        ("408 X", "ModelTimeoutException"),
        ("418 X", "NobodyKnowsException"),
        ("302 X", ""),
    ] {
        let mock = Mock::play(vec![error(status, code)]).await;
        let fault = complete(&bedrock(&mock)).await.unwrap_err();
        assert_eq!((fault.code(), mock.seen().len()), (Code::ModelUnavailable, 1), "{status} {code}");
        assert_tight(&fault);
    }
}

#[tokio::test]
async fn exceptions_before_the_first_piece_are_tried_again_and_later_ones_end_the_stream() {
    for (name, tries) in [
        ("throttlingException", 2),
        ("modelStreamErrorException", 2),
        ("internalServerException", 2),
        ("serviceUnavailableException", 2),
        ("validationException", 1),
        ("nobodyKnowsException", 1),
    ] {
        let early = vec![head(), exception(name, LEAK), Act::Hang];
        let mock = Mock::play(vec![early]).await;
        let models = bedrock(&mock);
        let fault = stream(&models).await.err().unwrap();
        assert_eq!((fault.code(), mock.seen().len()), (Code::ModelUnavailable, tries), "{name}");
        assert_tight(&fault);
        let failed = models.state() != State::Operational;
        assert_eq!(failed, name != "validationException", "{name}: one bad request says nothing of Bedrock");

        let late = vec![head(), delta("partial"), exception(name, LEAK), Act::Hang];
        let mock = Mock::play(vec![late]).await;
        let (text, done) = read(stream(&bedrock(&mock)).await.unwrap()).await;
        let fault = done.unwrap_err();
        assert_eq!((text.as_str(), fault.code()), ("partial", Code::ModelUnavailable), "{name}");
        assert_tight(&fault);
        assert_eq!(mock.seen().len(), 1, "never again after a piece was given out");
        mock.closed().await;
    }
}

#[tokio::test]
async fn garbage_ends_the_stream_after_its_text() {
    let Act::Send(good) = delta("lost") else { unreachable!() };
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut longer = good.clone();
    longer[3] += 1;
    let odd = [(":message-type", "event"), (":event-type", "contentBlockDelta")];
    for bytes in [
        flipped,
        longer,
        good[..good.len() - 1].to_vec(),
        b"data: {\"choices\":[]}\n\n".to_vec(),
        frames::frame(&odd, b"{\"delta\":{\"text\":7}}"),
        frames::frame(&odd, LEAK.as_bytes()),
        frames::frame(&odd, "[".repeat(100_000).as_bytes()),
        frames::frame(&[(":message-type", "command")], b"{}"),
        frames::frame(&[], b"{}"),
        vec![],
    ] {
        let mock = Mock::play(vec![vec![head(), delta("partial"), Act::Send(bytes)]]).await;
        let (text, done) = read(stream(&bedrock(&mock)).await.unwrap()).await;
        let fault = done.unwrap_err();
        assert_eq!((text.as_str(), fault.code()), ("partial", Code::ModelUnavailable));
        assert_tight(&fault);
    }
    for script in [
        mock::json("{}"),
        mock::json(LEAK),
        mock::json(r#"{"output":{"message":{"content":[{"text":7}]}},"stopReason":"end_turn"}"#),
        mock::json(&format!(r#"{{"output":{}"#, "[".repeat(500_000))),
        mock::answer("200 OK", "text/html", LEAK),
        vec![Act::Send(LEAK.into())],
        vec![],
    ] {
        let mock = Mock::play(vec![script]).await;
        let models = bedrock(&mock);
        for fault in [complete(&models).await.unwrap_err(), stream(&models).await.err().unwrap()] {
            assert_eq!(fault.code(), Code::ModelUnavailable);
            assert_tight(&fault);
        }
    }
}

#[tokio::test]
async fn a_stream_without_end_is_cut_off() {
    let Act::Send(part) = delta(&"x".repeat(1 << 14)) else { unreachable!() };
    let mock = Mock::play(vec![vec![head(), Act::Endless(part, Duration::ZERO)]]).await;
    let (text, done) = read(stream(&bedrock(&mock)).await.unwrap()).await;
    assert_eq!((text.len(), done.unwrap().finish), (1 << 20, Finish::Length));
    mock.closed().await;
}

#[tokio::test]
async fn each_step_has_its_limit() {
    let ping = frames::event("messageStart", &json!({"role": "assistant"}));
    let Act::Send(alive) = ping.clone() else { unreachable!() };
    for before in [vec![Act::Hang], vec![head(), Act::Hang], vec![head(), ping, Act::Hang]] {
        let mock = Mock::play(vec![before]).await;
        let fault = stream(&bedrock_with(&mock, HASTY)).await.err().unwrap();
        assert_eq!((fault.code(), mock.seen().len()), (Code::ModelUnavailable, 1));
        mock.closed().await;
    }
    for (after, code) in
        [(Act::Hang, Code::ModelUnavailable), (Act::Endless(alive, Duration::from_millis(20)), Code::Timeout)]
    {
        let mock = Mock::play(vec![vec![head(), delta("partial"), after]]).await;
        let (text, done) = read(stream(&bedrock_with(&mock, HASTY)).await.unwrap()).await;
        assert_eq!((text.as_str(), done.unwrap_err().code()), ("partial", code));
        mock.closed().await;
    }
}

#[tokio::test]
async fn cancelling_closes_the_connection() {
    let mock = Mock::play(vec![vec![head(), delta("partial"), Act::Hang]]).await;
    let models = bedrock(&mock);
    let cancel = CancellationToken::new();
    let mut pieces = models.stream(question(), cancel.clone()).await.unwrap();
    assert!(pieces.next().await.is_some());
    cancel.cancel();
    assert!(pieces.next().await.is_none(), "a cancelled stream just ends");
    mock.closed().await;
    drop(stream(&models).await.unwrap());
    mock.closed().await;
    assert_eq!(models.state(), State::Operational, "to be cancelled is no failure");
    let mock = Mock::play(vec![vec![Act::Hang]]).await;
    let (models, cancel) = (bedrock(&mock), CancellationToken::new());
    let (task, token) = (models.clone(), cancel.clone());
    let asked = tokio::spawn(async move { task.complete(question(), token).await.unwrap_err().code() });
    while mock.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    cancel.cancel();
    assert_eq!(asked.await.unwrap(), Code::ModelUnavailable);
    mock.closed().await;
}

#[tokio::test]
async fn each_kind_of_provider_stands_in_for_the_other() {
    let dead = Mock::play(vec![error("503 X", "ServiceUnavailableException")]).await;
    let spare = Mock::play(vec![mock::good("Spare.")]).await;
    let both = |bedrock_first: bool| {
        let mut providers = vec![at(&dead, MODEL), config(&[&spare], PATIENT).providers.remove(0)];
        if !bedrock_first {
            providers.reverse();
        }
        models_of(Config { providers, ..config(&[], PATIENT) }, keys(None))
    };
    let request = ChatRequest { model: Some("eu.app-model".into()), ..question() };
    let answered = both(true).complete(request, CancellationToken::new()).await.unwrap();
    assert_eq!((answered.text.as_str(), dead.seen().len()), ("Spare.", 2));
    assert!(dead.seen()[0].raw.contains("/model/eu.app-model/"), "the app's model belongs to the first");
    assert_eq!(spare.seen()[0].body["model"], "default-0");
    assert_eq!(complete(&both(false)).await.unwrap().text, "Spare.");
    assert_eq!(dead.seen().len(), 2);

    let dead = Mock::play(vec![mock::answer("500 Oops", "text/plain", "")]).await;
    let spare = Mock::play(vec![good_stream(&["Bedrock."])]).await;
    let providers = vec![config(&[&dead], PATIENT).providers.remove(0), at(&spare, MODEL)];
    let models = models_of(Config { providers, ..config(&[], PATIENT) }, keys(None));
    assert_eq!(read(stream(&models).await.unwrap()).await.0, "Bedrock.");
    assert_eq!(models.state(), State::Degraded);
}

#[tokio::test]
async fn vectors_come_from_a_provider_that_makes_them() {
    let (bedrock, other) = (Mock::play(vec![good("a")]).await, r#"{"data":[{"index":0,"embedding":[1]}]}"#);
    let other = Mock::play(vec![mock::json(other)]).await;
    let fault = super::bedrock::bedrock(&bedrock).embed(vec!["a".into()], None).await.unwrap_err();
    assert_eq!(fault.code(), Code::Unavailable);
    let providers = vec![at(&bedrock, MODEL), config(&[&other], PATIENT).providers.remove(0)];
    let models = models_of(Config { providers, ..config(&[], PATIENT) }, keys(None));
    assert_eq!(models.embed(vec!["a".into()], None).await.unwrap().vectors, [[1.0]]);
    assert!(bedrock.seen().is_empty());
}

/// Credentials of the metadata service that end too early are asked for anew; without any, nothing is sent.
#[tokio::test]
async fn credentials_that_have_ended_are_replaced() {
    let document = |id: &str| {
        mock::json(&json!({"AccessKeyId": id, "SecretAccessKey": SECRET, "Token": TOKEN}).to_string())
    };
    let agent = Mock::play(vec![document("ASIAOLD"), document(frames::ID)]).await;
    let container = aws::Container { url: agent.url.clone(), token: None };
    let amazon = aws::Config { container: Some(container), ..aws::Config::default() };
    let mock = Mock::play(vec![error("403 X", "ExpiredTokenException"), good("Now.")]).await;
    let models = models_of(Config { providers: vec![at(&mock, MODEL)], ..config(&[], PATIENT) }, amazon);
    assert_eq!(complete(&models).await.unwrap().text, "Now.");
    let seen = mock.seen();
    assert!(signed(&seen[0], SECRET).is_err() && signed(&seen[1], SECRET).is_ok());
    assert_eq!(agent.seen().len(), 2);

    let nobody = models_of(
        Config { providers: vec![at(&mock, MODEL)], ..config(&[], PATIENT) },
        aws::Config::default(),
    );
    let fault = complete(&nobody).await.unwrap_err();
    assert_eq!((fault.code(), mock.seen().len()), (Code::ModelUnavailable, 2));
    assert_eq!(nobody.state(), State::Degraded);
}

#[tokio::test]
async fn a_probe_tells_the_operator_what_to_change() {
    for (script, ok, says) in [
        (good("p"), true, "asked with temporary keys"),
        (error("403 X", "AccessDeniedException"), false, "bedrock:InvokeModel"),
        (error("403 X", "ExpiredTokenException"), false, "AWS_SESSION_TOKEN"),
        (error("403 X", "UnrecognizedClientException"), false, "AWS_ACCESS_KEY_ID"),
        (error("403 X", "InvalidSignatureException"), false, "clock"),
        (error("404 X", "ResourceNotFoundException"), false, "AWS_REGION"),
        (error("400 X", "ValidationException"), false, "BEDROCK_MODEL"),
        (error("429 X", "ThrottlingException"), false, "429"),
        (mock::answer("200 OK", "text/html", LEAK), false, "BEDROCK_ENDPOINT"),
    ] {
        let mock = Mock::play(vec![script]).await;
        let report = bedrock(&mock).probe().await;
        let probe = &report.providers[0];
        assert_eq!(probe.ok, ok, "{probe:?}");
        assert!(probe.say.contains(says) && !probe.say.contains(LEAK), "{probe:?}");
        for kept in [SECRET, TOKEN, frames::ID] {
            assert!(!probe.say.contains(kept), "{probe:?}");
        }
        assert_eq!(mock.seen()[0].body["inferenceConfig"]["maxTokens"], 1, "it costs one token");
    }
}
