//! Operation over HTTP and at the command line: sinks of telemetry, service levels, reports, statements, `stoa doctor`
//! with planted faults, and debugging on the data of production.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Hook, Mode, SESSION_SECRET, Setup, command, eventually, on_both_engines, raw, run};

const LONG: Duration = Duration::from_secs(30);

/// What a sink took at this path.
fn taken(sink: &Hook, path: &str) -> Vec<String> {
    let all = sink.taken().into_iter();
    all.filter(|(head, _)| head.starts_with(&format!("POST {path} "))).map(|(_, body)| body).collect()
}

/// 001.22, 001.23, 001.50: a forced 500 arrives at the sinks without anything of the caller, and the caller gets the 500.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forced_500_is_reported_without_the_caller() {
    let Some(setup) = Setup::postgres() else { return };
    let (sentry, otlp) = (Hook::start().await, Hook::start().await);
    let world = setup
        .set("SENTRY_DSN", format!("http://publickey@{}/42", sentry.address))
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", otlp.address))
        .set("NEW_RELIC_LICENSE_KEY", "nr-8f2LqWz91xVbN4kQ")
        .set("OTEL_TRACES_SAMPLER_ARG", 1)
        .set("OTEL_METRIC_EXPORT_INTERVAL", 500)
        .set("TRACE_PROVIDERS", true)
        .start()
        .await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    world.say(&visitor, &id, "my diary says hello").await;
    assert!(raw(
        "psql",
        &[&world.database_url().unwrap(), "--quiet", "-c", "ALTER TABLE grants RENAME TO gone"]
    ));
    let member = visitor
        .get("/api/v1/conversations?q=secretdiary")
        .header("authorization", "Bearer hunter2hunter2")
        .send()
        .await;
    assert!(member.status == 401 || member.status == 500, "{member:?}");
    assert!(raw(
        "psql",
        &[&world.database_url().unwrap(), "--quiet", "-c", "ALTER TABLE conversations RENAME TO gone2"]
    ));
    let answer = visitor.get("/api/v1/conversations").header("x-note", "ada@example.org").send().await;
    assert_eq!(answer.status, 500, "{answer:?}");
    eventually(LONG, "everything arrives", async || {
        taken(&sentry, "/api/42/envelope/").iter().any(|body| body.contains("request failed"))
            && SPANS.iter().all(|span| taken(&otlp, "/v1/traces").iter().any(|body| body.contains(span)))
            && !taken(&otlp, "/v1/metrics").is_empty()
            && taken(&otlp, "/v1/logs").iter().any(|body| body.contains("request failed"))
    })
    .await;
    let event =
        taken(&sentry, "/api/42/envelope/").into_iter().find(|body| body.contains("request failed")).unwrap();
    let event: Value = serde_json::from_str(event.lines().nth(2).unwrap()).unwrap();
    assert_eq!(
        (&event["tags"]["route"], &event["tags"]["status"]),
        (&json!("/api/v1/conversations"), &json!("500"))
    );
    assert_eq!(event["environment"], "development");
    let everything: String = sentry.taken().into_iter().chain(otlp.taken()).map(|(_, body)| body).collect();
    for hidden in ["hunter2", "ada@", "diary", "stoa_visitor", "cookie", "nr-8f2", "publickey"] {
        assert!(!everything.contains(hidden), "{hidden}");
    }
    assert!(!world.process.log().contains("nr-8f2") && !world.process.log().contains("publickey"));
    let (head, _) = otlp.taken().remove(0);
    assert!(
        head.contains("api-key: nr-8f2LqWz91xVbN4kQ") && head.contains("application/x-protobuf"),
        "{head}"
    );
}

/// Parts of what a turn leaves in a trace. On several replicas they come at different times.
const SPANS: [&str; 5] =
    ["conversation.", "POST /api/v1/conversations/{id}/messages", "permission", "model ", "http.route"];

/// 001.26: a statement that really took more than a second stands in the log, with its plan and without its values.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_waits_is_logged_with_its_plan() {
    let Some(setup) = Setup::postgres() else { return };
    let world = setup.start().await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let list = async || visitor.get("/api/v1/conversations").send().await;
    assert_eq!(list().await.status, 200);
    let slow =
        |line: &Value| line["event_type"] == "database.slow" && line["operation"] == "conversation.list";
    assert!(!world.process.lines().iter().any(slow), "{}", world.process.log());
    // From now on whoever reads it waits: longer than is slow, shorter than is given up.
    let wait = "ALTER TABLE conversations RENAME TO kept; CREATE VIEW conversations AS \
                SELECT kept.* FROM kept, (SELECT pg_sleep(1.3)) AS wait";
    assert!(raw("psql", &[&world.database_url().unwrap(), "--quiet", "-c", wait]));
    let answer = list().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["items"][0]["id"].as_str().unwrap(), id);
    let line = world.process.line("the slow statement", slow).await;
    assert!(line["milliseconds"].as_u64().unwrap() >= 1_000 && line["level"] == "WARNING", "{line}");
    // Both hold places where the values were.
    assert!(line["plan"].as_str().unwrap().contains("owner = $1"), "{line}");
    assert!(line["statement"].as_str().unwrap().starts_with("SELECT id, "), "{line}");
    assert!(!line.to_string().contains("visitor:") && !line.to_string().contains(&id), "{line}");
    println!("{line}");
}

/// A sink that is away fails no request and is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_is_away_fails_no_request() {
    let world = Setup::sqlite()
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .set("SENTRY_DSN", "http://k@127.0.0.1:9/1")
        .start()
        .await;
    for _ in 0..20 {
        assert_eq!(world.anonymous().get("/api/v1/whoami").send().await.status, 200);
    }
    world
        .process
        .line("the sink", |line| line["message"] == "a telemetry sink does not take what it is sent")
        .await;
}

on_both_engines! {
    /// 001.54, 001.78 to 001.80, 001.91: what was measured outlives a restart, and every report has its sections.
    async fn service_levels_and_reports(setup) {
        let mut world = setup.unlimited().start().await;
        let admin = world.admin().await.caller;
        for _ in 0..30 {
            assert_eq!(admin.get("/api/v1/me").send().await.status, 200);
        }
        let requests = async |caller: &crate::world::Caller| {
            let slo = caller.get("/api/v1/admin/slo").send().await.json();
            let hour = slo["windows"].as_array().unwrap().iter().find(|one| one["name"] == "1h").unwrap().clone();
            assert_eq!(hour["errors"]["met"], true, "{hour}");
            hour["routes"][0]["requests"].as_u64().unwrap()
        };
        // What other replicas have counted comes when they have written it, every ten seconds.
        eventually(LONG, "all are counted", async || requests(&admin).await >= 30).await;
        let before = requests(&admin).await;
        world.restart_with("LOG_LEVEL", "INFO").await;
        let admin = admin.at(world.address());
        assert!(requests(&admin).await >= before, "nothing is lost by a restart");
        for (period, sections) in [
            ("daily", ["System health", "Error rates", "Backups", "Security log"]),
            ("weekly", ["Database performance", "User activity", "Patches", "Capacity"]),
            ("monthly", ["Security audit", "Performance", "Disaster recovery", "Documentation"]),
        ] {
            let report = admin.get(&format!("/api/v1/admin/reports/{period}")).send().await.json();
            let titles: Vec<&str> =
                report["sections"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap()).collect();
            assert_eq!(titles, sections);
            let told = world.told(&["report", period, "--json"]).await.remove(0);
            assert_eq!(told["sections"].as_array().unwrap().len(), 4);
            let text = world.stoa(&["report", period]).await;
            assert!(text.success() && sections.iter().all(|title| text.out.contains(title)), "{text:?}");
        }
        let all = admin.get("/api/v1/admin/queries?over_ms=0").send().await.json();
        assert!(all["items"][0]["calls"].as_u64().unwrap() > 0 && all["mean_ms"].as_f64().unwrap() > 0.0, "{all}");
        assert!(admin.get("/api/v1/admin/logs").send().await.json()["warnings"].is_u64());
        assert_eq!(admin.get("/api/v1/admin/reports/yearly").send().await.status, 404);
    }

    /// Every part is looked at, with the age of what was found.
    async fn health_tells_of_every_part(setup) {
        let world = setup.start().await;
        eventually(LONG, "the parts are looked at", async || {
            let health = world.anonymous().get("/health").send().await.json();
            let checks = &health["checks"];
            let good = |name: &str| checks[name]["status"] == "operational" && checks[name]["age_seconds"].is_u64();
            ["database_read", "database_write", "files", "knowledge", "outbox"].into_iter().all(good)
                && health["status"] == "healthy"
        })
        .await;
    }
}

/// 003.44: debugging on the data of production is refused, unless the operator says that they know; then it is audited.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debugging_on_production_data_is_refused() {
    let mut world = Setup::sqlite().production().set("OPENAI_MODEL", "gpt-test").start().await;
    assert_eq!(world.process.terminate().await, Some(0));
    let variables = world.with("ENVIRONMENT", "development");
    let refused = run(world.folder.path(), &variables, &["serve"]).await;
    assert!(!refused.success(), "{refused:?}");
    let said = format!("{refused:?}");
    assert!(said.contains("production deployment") && said.contains("--i-know"), "{said}");
    let mut serving = command(world.folder.path(), &variables, &["serve", "--i-know"]);
    let mut serving = serving.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let told = |event: &Value| event["details"]["what"] == "debugging on the data of production";
    let mut found = None;
    eventually(LONG, "it is written down", async || {
        found = world.audited("config.changed").await.into_iter().find(told);
        found.is_some()
    })
    .await;
    let _ = serving.kill();
    let _ = serving.wait();
    assert_eq!(found.unwrap()["details"]["environment"], "development");
}

/// Variables that plant a fault, and words that name it and its fix.
type Fault<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

/// Each planted fault is named by `stoa doctor`, with its fix.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_names_each_planted_fault() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = taken.accept() {
            let _ = std::io::Write::write_all(&mut socket, b"SSH-2.0-x\r\n");
        }
    });
    let faults: &[Fault<'_>] = &[
        (&[("API_PORT", &port)], &["in use by another program", "API_PORT"]),
        (&[("DATABASE_URL", "postgresql://stoa:x@127.0.0.1:9/stoa")], &["cannot be reached", "DATABASE_URL"]),
        (&[("REDIS_URL", "redis://127.0.0.1:9/0")], &["refuses the password", "REDIS_URL"]),
        (&[("OPENAI_API_KEY", "sk-wrong-key-of-nobody")], &["refuses the key", "OPENAI_API_KEY"]),
        (
            &[("CORS_ORIGINS", "http://chat.example.org"), ("PUBLIC_URL", "https://chat.example.org")],
            &["is allowed, and people come over https", "CORS_ORIGINS"],
        ),
        (
            &[("SESSION_COOKIE_SECURE", "true"), ("PUBLIC_URL", "http://chat.example.org")],
            &["nobody stays signed in", "PUBLIC_URL"],
        ),
        (&[("ENFORCE_HTTPS", "true"), ("TRUSTED_PROXIES", "")], &["no proxy is trusted", "TRUSTED_PROXIES"]),
        (
            &[("REPLICAS", "3"), ("SESSION_SECRET", "")],
            &["signed out at every other request", "SESSION_SECRET"],
        ),
        (&[("SESSION_SECRET", "secret")], &["easy to guess", "stoa secret session"]),
        (&[("API_KEYS", "<generated-key-1>,\"quoted key\"")], &["callers get 401", "API_KEYS"]),
        (&[("DEBUG", "true")], &["the log is at DEBUG", "DEBUG=false"]),
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")],
            &["otlp collector", "OTEL_EXPORTER_OTLP_ENDPOINT"],
        ),
        (&[("SMTP_URL", "smtp://127.0.0.1:9")], &["mail server", "SMTP_URL"]),
        (&[("RATE_LIMIT_PER_MINUTE", "many")], &["RATE_LIMIT_PER_MINUTE", "whole number"]),
    ];
    let (folder, variables, upstream) = Setup::sqlite().set("SESSION_SECRET", SESSION_SECRET).prepare().await;
    for (planted, expected) in faults {
        let refuses = planted.iter().any(|(name, _)| *name == "OPENAI_API_KEY");
        upstream.set(if refuses { Mode::Refuse(401) } else { Mode::Echo });
        let mut variables = variables.clone();
        for (name, value) in *planted {
            variables.insert((*name).to_owned(), (*value).to_owned());
        }
        let output = run(folder.path(), &variables, &["doctor"]).await;
        let said = output.out.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in *expected {
            assert!(said.contains(words), "{planted:?}: {words}\n{}", output.out);
        }
    }
    drop(upstream);
}

/// The faults of a Postgres: a superuser, too many connections, an index that is gone, a wrong password.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_looks_inside_of_postgres() {
    let Some(setup) = Setup::postgres() else { return };
    let world =
        setup.set("DB_POOL_SIZE", 90).set("REPLICAS", 9).set("SESSION_SECRET", SESSION_SECRET).start().await;
    let url = world.database_url().unwrap();
    assert!(raw("psql", &[&url, "--quiet", "-c", "DROP INDEX conversations_by_owner"]));
    let variables = world.with("API_PORT", &world.process.address.port().to_string());
    let output = run(world.folder.path(), &variables, &["doctor", "--bundle", "bundle.tar.gz"]).await;
    let said = output.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in
        ["max_connections", "conversations_by_owner", "a server answers at", "healthy, every part of it"]
    {
        assert!(said.contains(words), "{words}\n{}", output.out);
    }
    let packed = std::fs::read(world.folder.path().join("bundle.tar.gz")).unwrap();
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut plain).unwrap();
    let text = String::from_utf8_lossy(&plain);
    for held in [
        "doctor.json",
        "health.json",
        "errors.jsonl",
        "metrics.txt",
        "migrations.json",
        "conversations_keys_audit",
    ] {
        assert!(text.contains(held), "{held}");
    }
    for secret in [SESSION_SECRET, crate::world::KEY, crate::world::MODEL_KEY] {
        assert!(!text.contains(secret), "{secret}");
    }
}
