//! Starting, refused and allowed; and the commands of the operator before the start.

use crate::world::{Case, KEY, Process, SESSION_SECRET, Setup, check, run};

/// The server does not start; what it complains of.
async fn refused(setup: Setup) -> String {
    let (folder, variables, _upstream) = setup.prepare().await;
    let began = std::time::Instant::now();
    let output = run(folder.path(), &variables, &["serve"]).await;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
    assert!(!output.out.contains("Stoa is ready"), "a refused server opens no port: {output:?}");
    output.complaint
}

/// Every violation at once, each with its variable, none with its value.
#[tokio::test]
async fn production_refuses_and_lists_everything() {
    let bad = [
        ("SESSION_SECRET", "your-secure-random-session-secret"),
        ("DATABASE_URL", "postgresql://app:hunter2marker@host:port/dbname"),
        ("ENFORCE_HTTPS", "false"),
        ("SESSION_COOKIE_SECURE", "false"),
        ("REQUIRE_AUTHENTICATION", "false"),
        ("RATE_LIMIT_ENABLED", "false"),
        ("MASK_PII_IN_LOGS", "false"),
        ("ENABLE_ENCRYPTION_AT_REST", "false"),
        ("LOG_LEVEL", "DEBUG"),
        ("CORS_ORIGINS", "*"),
        ("ALLOWED_HOSTS", "*"),
        ("PUBLIC_URL", "http://chat.example.org"),
        ("API_KEYS", "changeme"),
    ];
    let setup = bad.iter().fold(Setup::sqlite().production(), |setup, (name, value)| setup.set(name, value));
    let complaint = refused(setup.without_model()).await;
    let missing: Vec<_> =
        bad.iter().filter(|(name, _)| !complaint.contains(name) && *name != "DATABASE_URL").collect();
    assert!(missing.is_empty(), "not named: {missing:?}\n{complaint}");
    for value in ["hunter2marker", "your-secure-random-session-secret", "changeme"] {
        assert!(!complaint.contains(value), "a value is printed: {complaint}");
    }
}

#[tokio::test]
async fn each_violation_alone_refuses() {
    for (name, value) in [
        ("SESSION_SECRET", None),
        ("SESSION_SECRET", Some("short")),
        ("DATABASE_URL", Some("postgresql://app:password@db.example.org/app")),
        ("ENFORCE_HTTPS", Some("false")),
        ("DEBUG", Some("true")),
        ("RATELIMIT_DEFAULT", Some("many per moment")),
        ("OPENAI_TEMPERATURE", Some("9")),
        ("LOG_LEVEL", Some("LOUD")),
    ] {
        let setup = Setup::sqlite().production();
        let complaint = refused(match value {
            Some(value) => setup.set(name, value),
            None => setup.unset(name),
        })
        .await;
        assert!(complaint.contains(name), "{name}={value:?}: {complaint}");
    }
    assert!(refused(Setup::sqlite().set("ENVIRONMENT", "prodution")).await.contains("ENVIRONMENT"));
    let two = refused(
        Setup::sqlite()
            .set("SESSION_SECRET", SESSION_SECRET)
            .set("SECRET_KEY", "another-Secret_0123456789abcdefghij"),
    )
    .await;
    assert!(
        two.contains("SESSION_SECRET") && two.contains("SECRET_KEY") && !two.contains("another-Secret"),
        "{two}"
    );
}

#[tokio::test]
async fn a_sound_production_starts_and_says_so() {
    let world = Setup::sqlite().production().start().await;
    let lines = world.process.complaint();
    assert!(lines.lines().any(|line| line == "✓ Production validation passed"), "{lines}");
    let secure = world.anonymous().with("x-forwarded-proto", "https").with("host", "chat.example.org");
    let health = secure.get("/health").send().await.json();
    assert_eq!(health["environment"], "production");
    let security = &health["security"];
    assert!(
        security["https_enforced"] == true
            && security["rate_limiting_enabled"] == true
            && security["pii_masking_enabled"] == true
    );
    let page = secure.get("/").send().await;
    assert!(page.header("set-cookie").ends_with("; Secure"), "{page:?}");
    check([
        Case::new(secure.get("/api/v1/apps").header("x-api-key", KEY), 200),
        Case::new(secure.get("/").header("host", "evil.example.org"), 421).code("unknown_host"),
        Case::new(world.anonymous().get("/api/v1/apps").header("host", "chat.example.org"), 301),
    ])
    .await;
    assert!(!world.process.log().contains(SESSION_SECRET));
}

/// A port that is taken is named before anything else is done.
#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let world = Setup::sqlite().start().await;
    let complaint = refused(Setup::sqlite().set("API_PORT", world.address().port())).await;
    assert!(complaint.contains("API_PORT") && complaint.contains("in use"), "{complaint}");
}

/// With nothing configured at all the server runs (CONTRACT section 2).
#[tokio::test]
async fn nothing_configured_is_a_server() {
    let setup = Setup::sqlite().without_model().unset("API_KEYS").unset("STOA_DATA_DIR");
    let (folder, mut variables, _upstream) = setup.prepare().await;
    variables.remove("STOA_DATA_DIR");
    let process = Process::start(folder.path(), &variables).await;
    assert_eq!(process.anonymous().get("/ready").send().await.status, 200);
    let data = folder.path().join("data");
    assert!(data.join("stoa.db").exists());
    use std::os::unix::fs::PermissionsExt as _;
    for (path, mode) in [(data.clone(), 0o700), (data.join("stoa.db"), 0o600), (data.join("keyring"), 0o600)]
    {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
}

/// The wrong key for the data is refused, and named by fingerprint alone.
#[tokio::test]
async fn another_encryption_key_is_refused() {
    let mut world =
        Setup::sqlite().set("ENCRYPTION_KEY", "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=").start().await;
    assert_eq!(world.process.terminate().await, Some(0));
    let other = world.with("ENCRYPTION_KEY", "EjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8=");
    let output = run(world.folder.path(), &other, &["serve"]).await;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output.complaint.contains("encryption key") && !output.complaint.contains("EjRWeJ"),
        "{output:?}"
    );
    let listed = run(world.folder.path(), &other, &["audit", "verify"]).await;
    assert_eq!(listed.code, Some(1), "{listed:?}");
}
