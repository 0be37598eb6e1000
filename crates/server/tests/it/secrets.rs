//! Where settings and secrets come from, and how they change while the server runs: Secrets Manager with every source
//! of credentials, rotation, outage; SIGHUP; and what is refused.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{
    Amazon, By, Caller, Case, KEY, MODEL_KEY, Mode, OTHER_KEY, SESSION_SECRET, Setup, World, check,
    eventually, run, text,
};

/// SIGHUP.
const HANGUP: i32 = 1;
/// A rotation is noticed within the second that passes between two questions, and the answers.
const SOON: Duration = Duration::from_secs(6);
const MASTER: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";
const NEW_SECRET: &str = "Kp4Wm9Xc2Rv7Tn1Lz6Hq8Jd5Gf3Sb0YaEuOiTwQx";
const NEW_KEY: &str = "it-key-3-Rw7Yb2Nc5Mv8Lk1Xz4Qp9Tg6Hj3Fd0Se";

/// A server whose settings come from this Amazon.
fn found_at(amazon: &Amazon, by: By) -> Setup {
    finding(Setup::sqlite(), amazon, by)
}

fn finding(setup: Setup, amazon: &Amazon, by: By) -> Setup {
    let setup = setup.unset("API_KEYS").unlimited();
    let variables = amazon.variables(by).into_iter();
    let setup = variables.fold(setup, |setup, (name, value)| setup.set(name, value));
    amazon.files().into_iter().fold(setup, |setup, (name, text)| setup.file(name, text))
}

fn secrets(session: &str, keys: &[&str]) -> Value {
    json!({"SESSION_SECRET": session, "ENCRYPTION_KEY": MASTER, "API_KEYS": keys, "SOMEBODY_ELSE": "x"})
}

async fn status(caller: &Caller) -> u16 {
    caller.get("/api/v1/apps").send().await.status
}

fn holder(world: &World, key: &str) -> Caller {
    world.anonymous().with("x-api-key", key)
}

/// 002.19: each source of credentials gives a signed call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_source_of_credentials_signs() {
    for by in By::ALL {
        let amazon = Amazon::start(secrets(SESSION_SECRET, &[KEY])).await;
        let world = found_at(&amazon, by).start().await;
        assert_eq!((status(&world.key()).await, status(&world.stranger()).await), (200, 401), "{by:?}");
        let asked = amazon.asked();
        assert_eq!(asked[0], (by, "AWSCURRENT".to_owned()));
        assert!(asked.contains(&(by, "AWSPREVIOUS".to_owned())), "{by:?}: {asked:?}");
        assert_eq!(amazon.refused(), Vec::<String>::new(), "{by:?}");
        let checked = world.stoa(&["check", "--upstream", "--json"]).await;
        let document: Value = serde_json::from_str(&checked.out).unwrap();
        let found = |name: &str| {
            document["connections"]
                .as_array()
                .unwrap()
                .iter()
                .find(|probe| probe["name"] == name)
                .cloned()
                .unwrap()
        };
        let (aws, vault) = (found("aws"), found("secrets manager"));
        assert_eq!((&aws["outcome"], &vault["outcome"]), (&json!("ok"), &json!("ok")), "{document}");
        assert!(aws["say"].as_str().unwrap().ends_with(&format!("{by:?}")), "{aws}");
        assert!(vault["say"].as_str().unwrap().contains("3 settings, 1 other"), "{vault}");
        assert!(!checked.out.contains(KEY) && !checked.out.contains(SESSION_SECRET));
        assert!(!world.process.log().contains(KEY) && !world.process.log().contains("+secret"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_end_are_replaced_while_the_server_runs() {
    let amazon = Amazon::start(secrets(SESSION_SECRET, &[KEY])).await;
    amazon.set_life(Duration::from_secs(2));
    let _world = found_at(&amazon, By::Instance).start().await;
    eventually(SOON, "three sets of credentials were given", async || amazon.given(By::Instance) >= 3).await;
    assert_eq!(amazon.refused(), Vec::<String>::new());
}

/// 002.20: a rotated value is in use without a restart, nothing in flight is dropped, the secret before still opens
/// what it signed, for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_is_picked_up_without_a_restart() {
    let amazon = Amazon::start(secrets(SESSION_SECRET, &[KEY, OTHER_KEY])).await;
    let world = found_at(&amazon, By::Instance).set("SECRETS_MANAGER_PREVIOUS_SECONDS", 4).start().await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let path = format!("/api/v1/conversations/{id}");
    world.upstream.set(Mode::Gated);
    let mut stream = world
        .stranger()
        .post("/api/v1/chat")
        .json(&json!({"message": "a", "stream": true, "app": "assistant"}))
        .stream()
        .await;
    stream.until("delta").await;

    let mut rotated = secrets(NEW_SECRET, &[OTHER_KEY, NEW_KEY]);
    rotated["METRICS_TOKEN"] = json!("metrics-0f4b6a8c2e9d7531");
    amazon.rotate(rotated);
    eventually(SOON, "the new key works", async || status(&holder(&world, NEW_KEY)).await == 200).await;
    assert_eq!((status(&world.key()).await, status(&world.stranger()).await), (401, 200));
    let metrics =
        world.anonymous().get("/metrics").header("authorization", "Bearer metrics-0f4b6a8c2e9d7531");
    check([Case::new(metrics, 200).holds("stoa_config_reloads_total")]).await;
    assert_eq!(visitor.get(&path).send().await.status, 200, "the secret before still opens");
    let late = world.visitor();
    let made_since = world.conversation(&late).await;
    world.upstream.release();
    assert_eq!(text(&stream.rest().await), "second", "what was in flight ends well");

    let keeper = visitor.cookie("stoa_visitor").unwrap();
    eventually(SOON, "the secret before has had its time", async || {
        let once = world.visitor();
        once.set_cookie("stoa_visitor", &keeper);
        once.get(&path).send().await.status == 404
    })
    .await;
    assert_eq!(late.get(&format!("/api/v1/conversations/{made_since}")).send().await.status, 200);

    let wanted = json!([
        "identity.api_keys",
        "identity.previous_session_secrets",
        "identity.session_secret",
        "monitoring.metrics_token"
    ]);
    let event = world.await_audit("config.changed", |event| event["details"]["settings"] == wanted).await;
    assert_eq!(event["details"]["cause"], "Secrets Manager");
    assert!(!event.to_string().contains(NEW_KEY) && !world.process.log().contains(NEW_SECRET));
    world.verify_audit().await;
}

/// With replicas, the new secret signs only when all of them have had the time to hear of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_accept_a_new_secret_before_any_of_them_signs_with_it() {
    let Some(setup) = Setup::postgres() else { return };
    let amazon = Amazon::start(secrets(SESSION_SECRET, &[KEY])).await;
    let world = finding(setup.set("REPLICAS", 2), &amazon, By::Container).start().await;
    let replica = world.replica().await;
    amazon.rotate(secrets(NEW_SECRET, &[KEY, NEW_KEY]));
    // Visitors of either replica are known to the other at every moment of the rotation.
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        for (here, there) in [(world.address(), replica.address), (replica.address, world.address())] {
            let visitor = world.visitor().at(here);
            let id = world.conversation(&visitor).await;
            let answer = visitor.at(there).get(&format!("/api/v1/conversations/{id}")).send().await;
            assert_eq!(answer.status, 200, "after {:?}: {answer:?}", began.elapsed());
        }
    }
    assert_eq!(status(&holder(&world, NEW_KEY)).await, 200);
}

/// 002.20: while Secrets Manager is away the last values stay, the operator is told once, and what was rotated
/// meanwhile comes afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_keeps_the_last_values() {
    let amazon = Amazon::start(secrets(SESSION_SECRET, &[KEY])).await;
    let world = found_at(&amazon, By::StaticKeys).start().await;
    amazon.set_down(true);
    let about = |line: &Value| {
        line["message"].as_str().is_some_and(|text| text.contains("the last values stay in use"))
    };
    let line = world.process.line("the outage", about).await;
    assert_eq!(line["level"], "WARNING", "{line}");
    let alert = |line: &Value| line["event_type"] == "alert.raised" && line["kind"] == "secrets_manager";
    world.process.line("the alert", alert).await;
    amazon.rotate(secrets(NEW_SECRET, &[NEW_KEY]));
    for _ in 0..3 {
        world.process.signal(HANGUP);
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!((status(&world.key()).await, status(&holder(&world, NEW_KEY)).await), (200, 401));
    }
    assert_eq!(world.process.lines().iter().filter(|line| about(line)).count(), 1, "{}", world.process.log());
    amazon.set_down(false);
    eventually(SOON, "the new key works", async || status(&holder(&world, NEW_KEY)).await == 200).await;
    assert_eq!(status(&world.key()).await, 401);
    world
        .process
        .line("the end of the outage", |line| line["message"] == "Secrets Manager answers again")
        .await;
}

/// A start without Secrets Manager is refused when something is missing, and goes well when nothing is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_an_answer_needs_everything_from_elsewhere() {
    let amazon = Amazon::start(secrets(SESSION_SECRET, &[KEY])).await;
    amazon.set_down(true);
    for production in [true, false] {
        let setup = found_at(&amazon, By::TemporaryKeys).set("RATE_LIMIT_ENABLED", "true");
        let setup = if production { setup.production().unset("SESSION_SECRET") } else { setup };
        let (folder, variables, _upstream) = setup.prepare().await;
        let output = run(folder.path(), &variables, &["serve"]).await;
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.complaint.contains("SESSION_SECRET"), "{output:?}");
        assert!(
            !production || output.complaint.contains("SECRETS_MANAGER_SECRET_NAME: cannot be read"),
            "{output:?}"
        );
        let checked = run(folder.path(), &variables, &["check"]).await;
        assert!(checked.code == Some(1) && checked.out.contains("InternalServiceError"), "{checked:?}");
    }
    let world = found_at(&amazon, By::TemporaryKeys)
        .set("SESSION_SECRET", SESSION_SECRET)
        .set("ENCRYPTION_KEY", MASTER)
        .start()
        .await;
    assert_eq!(status(&world.key()).await, 401);
    amazon.set_down(false);
    eventually(SOON, "the keys come later", async || status(&world.key()).await == 200).await;
}

/// Commands work on the same settings as the server, which are at Amazon.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_find_the_same_settings() {
    let amazon = Amazon::start(secrets(SESSION_SECRET, &[KEY])).await;
    let world = found_at(&amazon, By::WebIdentity).start().await;
    let made = world.told(&["key", "create", "shop", "--json"]).await.remove(0);
    let caller = holder(&world, made["key"].as_str().unwrap());
    eventually(SOON, "the key is known", async || status(&caller).await == 200).await;
    let shown = world.told(&["config", "show", "secret", "--json"]).await.remove(0);
    let found =
        shown["settings"].as_array().unwrap().iter().find(|row| row["name"] == "identity.session_secret");
    assert_eq!(found.unwrap()["origin"], "Secrets Manager SESSION_SECRET", "{shown}");
    assert!(!shown.to_string().contains(SESSION_SECRET));
}

/// A server with `.env`, a file of a secret and a `stoa.toml`.
fn with_files() -> Setup {
    Setup::sqlite()
        .unset("API_KEYS")
        .unlimited()
        .file(".env", &format!("API_KEYS={KEY},{OTHER_KEY}\nMETRICS_TOKEN=metrics-one-4d7a1c\n"))
        .file("model-key", MODEL_KEY)
        .file("stoa.toml", "[server]\nslow_request_seconds = 5\n")
        .set("OPENAI_API_KEY", "")
        .set("OPENAI_API_KEY_FILE", "model-key")
}

fn write(world: &World, name: &str, text: &str) {
    std::fs::write(world.folder.path().join(name), text).unwrap();
}

/// 002.26 and 002.64: a key leaves with a signal, and nothing in flight is dropped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_takes_over_what_the_files_say() {
    let world = with_files().start().await;
    assert_eq!((status(&world.key()).await, status(&world.stranger()).await), (200, 200));
    world.upstream.set(Mode::Gated);
    let chat = |caller: Caller| {
        caller.post("/api/v1/chat").json(&json!({"message": "a", "stream": true, "app": "assistant"}))
    };
    let mut kept = chat(world.stranger()).stream().await;
    kept.until("delta").await;
    let mut cut = chat(world.key()).stream().await;
    cut.until("delta").await;

    write(&world, ".env", &format!("API_KEYS={OTHER_KEY}\nMETRICS_TOKEN=metrics-two-8b3e5f\n"));
    write(&world, "model-key", "sk-it-upstream-renewed-9Wq3Zx7Lc1Vb5Nm");
    write(&world, "stoa.toml", "[server]\nslow_request_seconds = 6\n");
    world.process.signal(HANGUP);
    eventually(SOON, "the key is gone", async || status(&world.key()).await == 401).await;
    assert_eq!(status(&world.stranger()).await, 200);
    let token =
        |token: &str| world.anonymous().get("/metrics").header("authorization", &format!("Bearer {token}"));
    check([
        Case::new(token("metrics-two-8b3e5f"), 200),
        Case::new(token("metrics-one-4d7a1c"), 401).code("unauthenticated"),
    ])
    .await;
    let rest = cut.rest().await;
    assert_eq!(
        rest.last().unwrap().data["finish_reason"],
        "cancelled",
        "the streams of a key that is gone end"
    );
    world.upstream.release();
    assert_eq!(text(&kept.rest().await), "second", "those of others go on");
    world.upstream.set(Mode::Echo);
    let answer =
        world.stranger().post("/api/v1/chat").json(&json!({"message": "b", "app": "assistant"})).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let asked = world.upstream.completions();
    assert!(asked[0].headers.contains(MODEL_KEY), "{asked:?}");
    assert!(asked.last().unwrap().headers.contains("sk-it-upstream-renewed-9Wq3Zx7Lc1Vb5Nm"), "{asked:?}");

    let event = world.await_audit("config.changed", |event| event["details"]["cause"] == "SIGHUP").await;
    let details = &event["details"];
    let wanted = json!(["identity.api_keys", "model.api_key", "monitoring.metrics_token"]);
    assert_eq!(
        (&details["settings"], &details["need_restart"]),
        (&wanted, &json!(["server.slow_request_seconds"]))
    );
    let line = world
        .process
        .line("the restart", |line| line["message"].as_str().is_some_and(|m| m.contains("need a restart")))
        .await;
    assert!(line.to_string().contains("server.slow_request_seconds"), "{line}");
    world.verify_audit().await;
}

/// A hundred requests a second apart from each other while the configuration changes back and forth: all succeed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_fails_while_the_configuration_changes() {
    let world = with_files().start().await;
    let asking = (0..8).map(|_| {
        let caller = world.stranger();
        tokio::spawn(async move {
            for _ in 0..40 {
                let answer = caller
                    .post("/api/v1/chat")
                    .json(&json!({"message": "a", "app": "assistant"}))
                    .send()
                    .await;
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        })
    });
    let asking = futures_util::future::join_all(asking);
    let changing = async {
        for round in 0..20 {
            let keys = if round % 2 == 0 { OTHER_KEY.to_owned() } else { format!("{OTHER_KEY},{KEY}") };
            write(&world, ".env", &format!("API_KEYS={keys}\n"));
            world.process.signal(HANGUP);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let (asked, ()) = futures_util::future::join(asking, changing).await;
    asked.into_iter().for_each(|task| task.unwrap());
    let taken = |line: &Value| line["message"] == "the configuration was taken over";
    assert!(world.process.lines().iter().filter(|line| taken(line)).count() >= 2);
}

/// A configuration that the server would not start with changes nothing; every reason is told, no value is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_configuration_keeps_the_old_one() {
    let world = with_files()
        .set("ENVIRONMENT", "production")
        .set("RATE_LIMIT_ENABLED", "true")
        .set("SESSION_SECRET", SESSION_SECRET)
        .set("PUBLIC_URL", "https://chat.example.org")
        .set("ALLOWED_HOSTS", "127.0.0.1")
        .set("TRUSTED_PROXIES", "127.0.0.1")
        .set("API_HOST", "127.0.0.1")
        .start()
        .await;
    let secure = |key: &str| holder(&world, key).with("x-forwarded-proto", "https");
    assert_eq!(status(&secure(KEY)).await, 200);
    write(&world, ".env", &format!("API_KEYS={NEW_KEY},hunter2marker\nMETRICS_TOKEN=changeme\nnonsense\n"));
    write(&world, "stoa.toml", "[server]\nprot = 1\n");
    world.process.signal(HANGUP);
    let refused = |line: &Value| {
        line["message"].as_str().is_some_and(|text| text.contains("the new configuration is refused"))
    };
    world.process.line("the refusal", refused).await;
    for reason in ["api-keys", "placeholder", ".env:3", "stoa.toml:2"] {
        let told = |line: &Value| line["level"] == "ERROR" && line.to_string().contains(reason);
        world.process.line(reason, told).await;
    }
    assert_eq!((status(&secure(KEY)).await, status(&secure(NEW_KEY)).await), (200, 401));
    assert!(!world.process.log().contains("hunter2marker"));
    let alert = |line: &Value| line["event_type"] == "alert.raised" && line["kind"] == "configuration";
    world.process.line("the alert", alert).await;
    write(&world, ".env", &format!("API_KEYS={NEW_KEY}\n"));
    write(&world, "stoa.toml", "");
    world.process.signal(HANGUP);
    eventually(SOON, "the repaired configuration counts", async || status(&secure(NEW_KEY)).await == 200)
        .await;
    assert_eq!(status(&secure(KEY)).await, 401);
}

/// Access tokens: signed by the new secret at once, accepted under the earlier one as long as it is named, and dead
/// afterwards, whichever secret they come from.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_tokens_follow_their_secret() {
    const JWT: [&str; 2] = [
        "Zx81mPq0Rk5Vt2Yw7Ls4Hn9Jc6Bf3Gd8Xa1Qe5Ui0Oy2Tr7Wm4Sv9Kz6Np3Lb8Hj1Fc5Dg0Aq",
        "Qm4Vb7Nc0Xz3Lk6Jh9Gf2Ds5Aq8Pw1Oe4Iu7Yt0Rr3Ww6Ee9Tt2Yy5Uu8Ii1Oo4Pp7Aa0Ss3Dd",
    ];
    let world =
        Setup::sqlite().unlimited().file(".env", &format!("JWT_SECRET_KEY={}\n", JWT[0])).start().await;
    let ada = world.person("ada@example.org", false).await;
    let me = |caller: &Caller| caller.get("/api/v1/me");
    check([Case::new(me(&ada.caller), 200)]).await;
    write(&world, ".env", &format!("JWT_SECRET_KEY={}\nJWT_SECRET_KEY_PREVIOUS={}\n", JWT[1], JWT[0]));
    world.process.signal(HANGUP);
    let kid = |tokens: &Value| tokens["access_token"].as_str().unwrap().split('.').next().unwrap().to_owned();
    let before = kid(&ada.tokens);
    let mut fresh = ada.tokens.clone();
    eventually(SOON, "the new secret signs", async || {
        fresh = world.sign_in("ada@example.org").await;
        kid(&fresh) != before
    })
    .await;
    check([Case::new(me(&ada.caller), 200), Case::new(me(&world.bearer(&fresh)), 200)]).await;
    write(&world, ".env", &format!("JWT_SECRET_KEY={}\n", JWT[1]));
    world.process.signal(HANGUP);
    eventually(SOON, "the earlier secret counts no more", async || {
        me(&ada.caller).send().await.status == 401
    })
    .await;
    check([Case::new(me(&world.bearer(&fresh)), 200)]).await;
    let refreshed = world
        .anonymous()
        .post("/api/v1/auth/refresh")
        .json(&json!({"refresh_token": ada.tokens["refresh_token"]}));
    check([Case::new(refreshed, 200)]).await;
}

/// 001.08 and K21: what lives how long, and how old the secrets are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_tells_lifetimes_and_ages() {
    let world = with_files().start().await;
    world.told(&["key", "create", "shop", "--json"]).await;
    let checked = world.stoa(&["check", "--json"]).await;
    let document: Value = serde_json::from_str(&checked.out).unwrap();
    let say = |name: &str| -> String {
        let probes = document["connections"].as_array().unwrap();
        probes.iter().find(|probe| probe["name"] == name).unwrap()["say"].as_str().unwrap().to_owned()
    };
    assert!(say("lifetimes").starts_with("a session 8 h, extended when used 1 h after"), "{document}");
    assert_eq!(say("age of secrets"), "the oldest of 4 is 0 days old");
    assert_eq!(say("age of API keys"), "the oldest of 1 is 0 days old");
}
