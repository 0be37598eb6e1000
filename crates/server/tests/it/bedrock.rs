//! Amazon Bedrock through the whole product: each source of credentials, answers at once and in pieces, stopping,
//! what goes wrong, and each kind of provider standing in for the other. The stub looks at every signature itself.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{Amazon, By, Caller, Does, MODEL_KEY, Mode, Setup, World, eventually, text};

const HANGUP: i32 = 1;
const SOON: Duration = Duration::from_secs(6);
/// The secrets of every source in the stub end with it.
const SECRETS: [&str; 2] = ["+secret", "token=="];

fn asking(amazon: &Amazon, by: By) -> Setup {
    let variables = amazon.bedrock(by).into_iter();
    let setup = variables.fold(Setup::sqlite().unlimited(), |setup, (name, value)| setup.set(name, value));
    amazon.files().into_iter().fold(setup, |setup, (name, text)| setup.file(name, text))
}

async fn alone(by: By) -> (Amazon, World) {
    let amazon = Amazon::start(json!({})).await;
    let world = asking(&amazon, by).without_model().start().await;
    (amazon, world)
}

fn chat(caller: &Caller, stream: bool) -> crate::world::Request {
    caller.post("/api/v1/chat").json(&json!({"message": "hello", "stream": stream, "app": "assistant"}))
}

/// 002.19 and 002.24: with Bedrock alone the server starts, and each source of credentials signs what it sends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_source_of_credentials_asks_bedrock() {
    for by in By::ALL {
        let (amazon, world) = alone(by).await;
        let answer = chat(&world.key(), false).send().await;
        assert_eq!(answer.status, 200, "{by:?}: {answer:?} {:?}", amazon.refused());
        assert!(answer.text().contains("bedrock: hello"), "{by:?}: {answer:?}");
        let events = chat(&world.key(), true).stream().await.rest().await;
        assert_eq!(text(&events), "bedrock: hello", "{by:?}");
        let asked = amazon.model().asked();
        let seen: Vec<(By, &str)> = asked.iter().map(|(by, action, _)| (*by, action.as_str())).collect();
        assert_eq!(seen, [(by, "converse"), (by, "converse-stream")], "{by:?}");
        assert_eq!(amazon.refused(), Vec::<String>::new(), "{by:?}");

        let checked = world.stoa(&["check", "--upstream", "--json"]).await;
        let document: Value = serde_json::from_str(&checked.out).unwrap();
        let probes = document["connections"].as_array().unwrap();
        let found = |name: &str| probes.iter().find(|probe| probe["name"] == name).cloned().unwrap();
        for name in ["bedrock credentials", "model bedrock", "aws"] {
            assert_eq!(found(name)["outcome"], "ok", "{by:?}: {document}");
        }
        assert!(found("aws")["say"].as_str().unwrap().ends_with(&format!("{by:?}")), "{document}");
        let shown = world.stoa(&["config", "show", "bedrock", "--json"]).await;
        assert!(shown.success() && shown.out.contains("eu.anthropic.claude-test"), "{shown:?}");
        let shown = world.stoa(&["config", "show", "aws", "--json"]).await;
        for secret in SECRETS {
            for told in [&checked.out, &shown.out, &world.process.log()] {
                assert!(!told.contains(secret), "{by:?}: {told}");
            }
        }
        assert!(
            !checked.out.contains("AKIASTATIC") && !checked.out.contains("ASIATEMPORARY"),
            "fingerprints"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_keeps_its_order_and_its_counts() {
    let (amazon, world) = alone(By::Instance).await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    world.say(&visitor, &id, "one").await;
    world.say(&visitor, &id, "two").await;
    let stored = world.messages(&visitor, &id).await;
    let texts: Vec<&str> = stored.iter().map(|message| message["content"].as_str().unwrap()).collect();
    assert_eq!(texts, ["one", "bedrock: one", "two", "bedrock: two"]);
    let sent = &amazon.model().asked()[1].2["messages"];
    let said: Vec<(&str, &str)> = sent
        .as_array()
        .unwrap()
        .iter()
        .map(|message| (message["role"].as_str().unwrap(), message["content"][0]["text"].as_str().unwrap()))
        .collect();
    assert_eq!(said, [("user", "one"), ("assistant", "bedrock: one"), ("user", "two")]);
    let answer = world
        .key()
        .post("/v1/chat/completions")
        .json(&json!({"model": "assistant", "messages": [{"role": "assistant", "content": "Hi."},
            {"role": "user", "content": "a"}, {"role": "user", "content": "b"}]}))
        .send()
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.json()["usage"],
        json!({"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16})
    );
    assert_eq!(amazon.refused(), Vec::<String>::new(), "the rules of Converse hold");
    let embedded = world.key().post("/v1/embeddings").json(&json!({"model": "x", "input": "a"})).send().await;
    assert_eq!(embedded.status, 503, "{embedded:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_closes_the_connection_to_bedrock() {
    let (amazon, world) = alone(By::Instance).await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let path = format!("/api/v1/conversations/{id}");
    amazon.model().set(Does::Stall);
    let ask = visitor.post(&format!("{path}/messages")).json(&json!({"content": "go on"}));
    let mut stream = ask.header("accept", "text/event-stream").stream().await;
    stream.until("delta").await;
    let stopped = visitor.post(&format!("{path}/stop")).send().await;
    assert!(stopped.status < 300, "{stopped:?}");
    assert!(amazon.model().idle().await < Duration::from_secs(1));
    let rest = stream.rest().await;
    assert_eq!(rest.last().unwrap().data["finish_reason"], "cancelled", "{rest:?}");
    assert_eq!(world.messages(&visitor, &id).await[1]["content"], "half");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_and_failures_never_harm() {
    let amazon = Amazon::start(json!({})).await;
    let setup = asking(&amazon, By::TemporaryKeys).without_model();
    let setup = setup.set("MODEL_FIRST_TOKEN_SECONDS", 1).set("MODEL_IDLE_SECONDS", 1);
    let world = setup.set("REQUEST_TIMEOUT_SECONDS", 3).start().await;
    let key = world.key();
    for (does, half) in [
        (Does::Hang, ""),
        (Does::Stall, "half"),
        (Does::Cut, "half"),
        (Does::Flip, "half"),
        (Does::Fail("throttlingException"), "half"),
        (Does::Fail("modelStreamErrorException"), "half"),
        (Does::Refuse(400, "ValidationException"), ""),
        (Does::Refuse(403, "AccessDeniedException"), ""),
        (Does::Refuse(403, "ExpiredTokenException"), ""),
        (Does::Refuse(404, "ResourceNotFoundException"), ""),
        (Does::Refuse(429, "ThrottlingException"), ""),
        (Does::Refuse(503, "ServiceUnavailableException"), ""),
    ] {
        amazon.model().set(does.clone());
        let id = world.conversation(&key).await;
        let path = format!("/api/v1/conversations/{id}/messages");
        let ask = || key.post(&path).json(&json!({"content": "hello"}));
        let began = Instant::now();
        let answer = ask().send().await;
        assert!(answer.status == 503 || answer.status == 504, "{does:?}: {answer:?}");
        assert!(["model_unavailable", "timeout"].contains(&answer.code().as_str()), "{does:?}: {answer:?}");
        let events = ask().header("accept", "text/event-stream").stream().await.rest().await;
        assert!(began.elapsed() < Duration::from_secs(9), "{does:?}: {:?}", began.elapsed());
        assert_eq!(text(&events), half, "{does:?}");
        assert_eq!(events.last().unwrap().data["finish_reason"], "error", "{does:?}: {events:?}");
        for told in [format!("{answer:?}"), format!("{events:?}")] {
            assert!(!told.contains("upstream") && !told.contains("123456789012"), "{does:?}: {told}");
        }
        amazon.model().set(Does::Echo);
        let again = ask().send().await;
        assert_eq!(again.status, 201, "{does:?} lasts: {again:?}");
    }
    assert!(!world.process.log().contains("upstream-marker"), "{}", world.process.log());
    let denied = |line: &Value| line["level"] == "ERROR" && line.to_string().contains("bedrock:InvokeModel");
    world.process.line("what the operator can do", denied).await;
    amazon.model().idle().await;
}

/// Bedrock first and a provider of the other protocol behind it, then the other way round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_provider_stands_in_for_the_other() {
    let amazon = Amazon::start(json!({})).await;
    let world = asking(&amazon, By::Container).set("MODEL_ORDER", "bedrock,openai").start().await;
    let key = world.key();
    let model = async || world.anonymous().get("/health").send().await.json()["services"]["model"].clone();
    let said = async || {
        let whole = chat(&key, false).send().await;
        assert_eq!(whole.status, 200, "{whole:?}");
        let pieces = text(&chat(&key, true).stream().await.rest().await);
        assert!(whole.text().contains(&pieces), "{whole:?} {pieces}");
        pieces
    };
    assert_eq!(said().await, "bedrock: hello");
    assert_eq!(world.upstream.completions().len(), 0);
    amazon.model().set(Does::Refuse(503, "ServiceUnavailableException"));
    assert_eq!(said().await, "echo: hello");
    assert!(world.upstream.completions()[0].headers.contains(MODEL_KEY));
    eventually(SOON, "health tells", async || model().await == "degraded").await;
    amazon.model().set(Does::Echo);
    assert_eq!(said().await, "bedrock: hello", "it is asked again");
    eventually(SOON, "health notices", async || model().await == "operational").await;

    let amazon = Amazon::start(json!({})).await;
    let world = asking(&amazon, By::Instance).start().await;
    let key = world.key();
    assert!(
        chat(&key, false).send().await.text().contains("echo: hello"),
        "OpenAI is first unless said otherwise"
    );
    assert!(amazon.model().asked().is_empty());
    world.upstream.set(Mode::Refuse(401));
    assert!(chat(&key, false).send().await.text().contains("bedrock: hello"));
    assert_eq!(amazon.refused(), Vec::<String>::new());
    let checked = world.stoa(&["check", "--upstream"]).await;
    assert!(checked.out.contains("model bedrock"), "{checked:?}");
}

/// A role whose credentials are taken back is asked for new ones; what is in flight goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_end_are_replaced_without_a_word() {
    let (amazon, world) = alone(By::Instance).await;
    let key = world.key();
    amazon.model().set(Does::Gated);
    let mut stream = chat(&key, true).stream().await;
    stream.until("delta").await;
    assert_eq!(amazon.given(By::Instance), 1);
    amazon.end_credentials();
    amazon.model().set(Does::Echo);
    for _ in 0..3 {
        assert_eq!(chat(&key, false).send().await.status, 200);
    }
    assert_eq!(amazon.given(By::Instance), 2);
    amazon.model().release();
    assert_eq!(text(&stream.rest().await), "second");

    // Before their end they are replaced without Bedrock noticing anything.
    amazon.set_life(Duration::from_secs(4));
    amazon.end_credentials();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(7) {
        assert_eq!(chat(&key, false).send().await.status, 200);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(amazon.given(By::Instance) >= 4, "{}", amazon.given(By::Instance));
    assert_eq!(amazon.refused(), Vec::<String>::new());
}

/// Keys in a file are replaced with a signal; Bedrock is then tried at once, however often it has refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_rotate_with_a_signal() {
    let amazon = Amazon::start(json!({})).await;
    let (old, new) = (amazon.bedrock(By::StaticKeys), amazon.bedrock(By::TemporaryKeys));
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let file = |variables: &[(&str, String)]| -> String {
        let keys = variables.iter().filter(|(name, _)| keys.contains(name));
        keys.map(|(name, value)| format!("{name}={value}\n")).collect()
    };
    let setup = old.iter().fold(Setup::sqlite().unlimited().without_model(), |setup, (name, value)| {
        if keys.contains(name) { setup } else { setup.set(name, value) }
    });
    let world = setup.file(".env", &file(&old)).start().await;
    let key = world.key();
    assert_eq!(chat(&key, false).send().await.status, 200);
    amazon.model().set(Does::Refuse(403, "UnrecognizedClientException"));
    for _ in 0..6 {
        assert_eq!(chat(&key, false).send().await.code(), "model_unavailable");
    }
    assert_eq!(amazon.model().asked().len(), 6, "after five refusals it is left alone");
    amazon.model().set(Does::Echo);
    std::fs::write(world.folder.path().join(".env"), file(&new)).unwrap();
    world.process.signal(HANGUP);
    eventually(SOON, "the new keys are used", async || {
        chat(&key, false).send().await;
        amazon.model().asked().last().unwrap().0 == By::TemporaryKeys
    })
    .await;
    assert_eq!(chat(&key, false).send().await.status, 200);
    let wanted = json!(["aws.access_key_id", "aws.secret_access_key", "aws.session_token"]);
    let event = world.await_audit("config.changed", |event| event["details"]["settings"] == wanted).await;
    assert!(!event.to_string().contains("+secret") && !world.process.log().contains("+secret"));
}

/// A configuration that could never ask is refused in words.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_said() {
    let amazon = Amazon::start(json!({})).await;
    for (setup, wanted) in [
        (asking(&amazon, By::Instance).unset("AWS_REGION"), "AWS_REGION"),
        (asking(&amazon, By::Instance).set("MODEL_ORDER", "nobody"), "MODEL_ORDER"),
        (
            asking(&amazon, By::Instance).production().set("AWS_EC2_METADATA_DISABLED", "true"),
            "bedrock-credentials",
        ),
        (
            asking(&amazon, By::Instance).production().set("BEDROCK_ENDPOINT", "http://bedrock.example"),
            "aws-https",
        ),
    ] {
        let (folder, variables, _upstream) = setup.prepare().await;
        let output = crate::world::run(folder.path(), &variables, &["serve"]).await;
        assert_eq!(output.code, Some(1), "{wanted}: {output:?}");
        assert!(output.complaint.contains(wanted), "{wanted}: {output:?}");
    }
}
