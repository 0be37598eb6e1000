//! Whole configurations: the layers over each other, contradictions, and the environments that the guides print.

mod bedrock;
mod listen;
mod vault;

use std::collections::BTreeMap;
use std::path::PathBuf;

use guard::limits::Rule;
use store::{Database, PostgresTls};

use super::*;

pub(super) const SECRET: &str = "q7Qz0VfWm2Lr9XcNb4TgYh6JpS1dUeAoK3vR8tMxE5w";
const KEY_1: &str = "Vb3nM8xQ2zLk7RtYp0WcSj5HdFgA9eUiToX4v6B1mNq";
const KEY_2: &str = "h2Jk9LmNp4QrSt6UvWx8YzAb3CdEf5GhIj7KlMn0OpQ";
pub(super) const JWT: &str =
    "Zx81mPq0Rk5Vt2Yw7Ls4Hn9Jc6Bf3Gd8Xa1Qe5Ui0Oy2Tr7Wm4Sv9Kz6Np3Lb8Hj1Fc5Dg0Aq7Xw2Er";
const MASTER: &str = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg";

/// Sources of these variables alone.
pub(super) fn variables(pairs: &[(&str, &str)]) -> Sources {
    let environment: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { environment, ..Sources::default() }
}

pub(super) fn toml(text: &str) -> Option<Document> {
    Some(Document { path: PathBuf::from("stoa.toml"), text: text.to_owned() })
}

fn dotenv(text: &str) -> Option<Document> {
    Some(Document { path: PathBuf::from(".env"), text: text.to_owned() })
}

pub(super) fn load(sources: &Sources) -> Settings {
    Settings::load(sources).map(|(settings, _)| settings).unwrap_or_else(|refusal| panic!("{refusal}"))
}

pub(super) fn refusal(sources: &Sources) -> String {
    match Settings::load(sources) {
        Ok(_) => panic!("it was not refused"),
        Err(refusal) => refusal.to_string(),
    }
}

/// A production environment that passes, to be broken in one place.
pub(super) fn sound() -> Vec<(&'static str, &'static str)> {
    vec![
        ("ENVIRONMENT", "production"),
        ("DATABASE_URL", "postgresql://stoa:tR8-wq2-Lm5-zX9@db.internal:5432/stoa"),
        ("SESSION_SECRET", SECRET),
        ("ENCRYPTION_KEY", MASTER),
        ("PUBLIC_URL", "https://chat.acme.test"),
        ("TRUSTED_PROXIES", "10.0.0.0/8"),
        ("OPENAI_API_KEY", "sk-proj-8f2LqWz91xVbN4"),
    ]
}

pub(super) fn broken(name: &'static str, value: &'static str) -> Sources {
    let mut pairs = sound();
    pairs.retain(|(other, _)| *other != name);
    pairs.push((name, value));
    variables(&pairs)
}

#[test]
fn nothing_at_all_is_a_development_server() {
    let settings = load(&Sources::default());
    assert_eq!(settings.profile, Profile::Development);
    assert_eq!(settings.listen.address.to_string(), "127.0.0.1:8080");
    assert!(matches!(&settings.store.database, Database::Sqlite { path } if path == "data/stoa.db"));
    assert!(settings.models.providers.is_empty() && !settings.http.enforce_https);
    assert_eq!(settings.limits.rules.chat_principal[0].limit, 300);
    assert_eq!((settings.store.pool.size, settings.store.pool.overflow), (5, 10));
    assert!(!settings.identity.secure_cookies && settings.telemetry.mask);
    assert_eq!(settings.catalog.iter().count(), settings.identity.entries.len());
}

#[test]
fn a_sound_production_passes_without_warnings() {
    let (settings, warnings) = Settings::load(&variables(&sound())).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(settings.http.allowed_hosts.as_deref(), Some(&["chat.acme.test".to_owned()][..]));
    assert!(settings.http.enforce_https && settings.identity.secure_cookies && settings.limits.enabled);
    assert!(settings.http.cors.origins.is_empty());
    assert_eq!((settings.store.pool.size, settings.store.pool.overflow), (20, 30));
    assert!(matches!(
        settings.store.database,
        Database::Postgres { tls: PostgresTls::VerifyFull { .. }, .. }
    ));
    assert_eq!(settings.listen.address.to_string(), "0.0.0.0:8080");
}

#[test]
fn each_layer_covers_the_one_below() {
    let mut sources = variables(&[("API_PORT", "4000")]);
    sources.file = toml("[server]\nport = 2000\nhost = \"127.0.0.2\"\n");
    sources.dotenv = dotenv("API_PORT=3000\nAPI_HOST=127.0.0.3\n");
    assert_eq!(load(&sources).listen.address.to_string(), "127.0.0.3:4000");
    sources.flags.push(Flag { setting: "server.port", flag: "--port", text: "5000".to_owned() });
    assert_eq!(load(&sources).listen.address.port(), 5000);
    let values = inspect(&sources).values;
    assert_eq!(values.place(&table::server::PORT), "--port");
    assert_eq!(values.place(&table::server::HOST), "API_HOST");
    let empty = variables(&[("API_PORT", ""), ("ENFORCE_HTTPS", " ")]);
    assert_eq!(load(&empty).listen.address.port(), 8080);
}

#[test]
fn two_names_with_two_values_are_refused_by_name() {
    for (one, other) in [
        (("ENVIRONMENT", "production"), ("NODE_ENV", "development")),
        (("FLASK_ENV", "staging"), ("ENVIRONMENT", "development")),
        (("SESSION_SECRET", SECRET), ("NEXTAUTH_SECRET", JWT)),
        (("API_PORT", "1"), ("PORT", "2")),
        (("CORS_ORIGINS", "https://a.test"), ("ALLOWED_ORIGINS", "https://b.test")),
    ] {
        let text = refusal(&variables(&[one, other]));
        assert!(text.contains(one.0) && text.contains(other.0), "{text}");
        assert!(one.1.len() < 4 || !text.contains(one.1) && !text.contains(other.1), "{text}");
    }
    // The same value in two spellings is no contradiction.
    load(&variables(&[
        ("DEBUG", "false"),
        ("FLASK_DEBUG", "False"),
        ("CORS_ORIGINS", "https://a.test/, https://b.test"),
        ("ALLOWED_ORIGINS", "https://b.test,https://a.test"),
    ]));
}

#[test]
fn every_unreadable_value_is_named_at_once_in_every_profile() {
    for profile in ["development", "staging", "production"] {
        let text = refusal(&variables(&[
            ("ENVIRONMENT", profile),
            ("LOG_LEVEL", "hunter2"),
            ("RATELIMIT_DEFAULT", "hunter2"),
            ("OPENAI_TEMPERATURE", "2.5"),
            ("JWT_ALGORITHM", "none"),
            ("DATABASE_URL", "postgresql://user:hunter2@host:port/dbname"),
            ("ENCRYPTION_KEY", "hunter2"),
            ("API_PORT", "70000"),
            ("MAX_REQUEST_SIZE", "-1"),
            ("CORS_ORIGINS", "app.example.com"),
            ("TRUSTED_PROXIES", "everybody"),
        ]));
        for name in [
            "LOG_LEVEL",
            "RATELIMIT_DEFAULT",
            "OPENAI_TEMPERATURE",
            "JWT_ALGORITHM",
            "DATABASE_URL",
            "ENCRYPTION_KEY",
            "API_PORT",
            "MAX_REQUEST_SIZE",
            "CORS_ORIGINS",
            "TRUSTED_PROXIES",
        ] {
            assert_eq!(
                text.lines().filter(|line| line.contains(&format!(" {name}: "))).count(),
                1,
                "{name}: {text}"
            );
        }
        assert!(!text.contains("hunter2"));
        assert!(text.lines().all(|line| line.contains("validation")), "{text}");
    }
}

#[test]
fn an_unknown_profile_refuses() {
    for name in ["ENVIRONMENT", "FLASK_ENV", "NODE_ENV"] {
        for value in ["prod", "test", "live", "", " "] {
            assert!(refusal(&variables(&[(name, value)])).contains(name));
        }
    }
    for name in ["ENVIRONMENT", "FLASK_ENV", "NODE_ENV"] {
        assert_eq!(inspect(&variables(&[(name, "production")])).profile, Profile::Production);
    }
}

#[test]
fn each_broken_rule_is_named_with_its_variable() {
    for (name, value, rule) in [
        ("REQUIRE_AUTHENTICATION", "false", "authentication"),
        ("ENFORCE_HTTPS", "false", "https"),
        ("FORCE_HTTPS", "False", "https"),
        ("SESSION_COOKIE_SECURE", "false", "secure-cookies"),
        ("MASK_PII_IN_LOGS", "false", "masking"),
        ("RATE_LIMIT_ENABLED", "false", "limits"),
        ("ENABLE_ENCRYPTION_AT_REST", "false", "encryption"),
        ("DEBUG", "true", "debug"),
        ("FLASK_DEBUG", "True", "debug"),
        ("LOG_LEVEL", "DEBUG", "log-level"),
        ("CORS_ORIGINS", "*", "cors-wildcard"),
        ("CORS_ORIGINS", "https://*.acme.test", "cors-wildcard"),
        ("ALLOWED_ORIGINS", "http://acme.test", "cors-https"),
        ("PUBLIC_URL", "http://chat.acme.test", "public-url-https"),
        ("ALLOWED_HOSTS", "*", "hosts"),
        ("SESSION_SECRET", "", "signing-secret"),
        ("SESSION_SECRET", "k7Qz0VfWm2Lr9XcNb4TgYh6JpS1dUeA", "signing-secret-length"),
        ("SESSION_SECRET", "your-secure-random-session-secret", "signing-secret-placeholder"),
        ("SESSION_SECRET", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "signing-secret-random"),
        ("JWT_SECRET_KEY", "k7Qz0VfWm2Lr9XcNb4TgYh6JpS1dUeA", "signing-secret-length"),
        ("API_KEYS", "short", "api-keys"),
        ("DATABASE_URL", "", "database"),
        ("DATABASE_URL", "postgresql://stoa:postgres@db.internal/stoa", "database-password"),
        ("DATABASE_URL", "postgresql://stoa@db.internal/stoa", "database-password"),
        ("DATABASE_URL", "postgresql://stoa:tR8-wq2-Lm5@host/stoa", "database-sample"),
        ("DATABASE_URL", "postgresql://stoa:tR8-wq2-Lm5@db.internal/stoa?sslmode=disable", "database-tls"),
        ("DATABASE_URL", "postgresql://stoa:tR8-wq2-Lm5@db.internal/stoa?sslmode=prefer", "database-tls"),
        ("DATABASE_CA_FILE", "/nowhere/ca.pem", "database-authority"),
        ("REDIS_URL", "redis://user:password@host:6379", "redis-sample"),
        ("OPENAI_API_KEY", "sk-your-openai-api-key-here", "placeholder"),
        ("OPENAI_BASE_URL", "http://10.0.0.5:8000/v1", "model-https"),
        ("STOA_DATA_DIR", "/proc/nowhere", "data-folder"),
    ] {
        let mut sources = broken(name, value);
        if rule == "data-folder" {
            sources.environment.insert("DATABASE_URL".to_owned(), "sqlite:/proc/nowhere/stoa.db".to_owned());
        }
        let text = refusal(&sources);
        let line = text.lines().find(|line| line.contains(&format!("validation error: {rule}: ")));
        assert!(line.is_some_and(|line| line.contains(name)), "{name} {rule}: {text}");
        assert!(
            value.len() < 8 || value.starts_with("http") || value.starts_with('/') || !text.contains(value),
            "{text}"
        );
    }
}

#[test]
fn what_only_warns_does_not_stop() {
    for (name, value, rule) in [
        ("JWT_SECRET_KEY", SECRET, "jwt-secret-length"),
        ("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "10080", "token-lifetime"),
        ("OPENAI_API_KEY", "", "model-provider"),
        ("PUBLIC_URL", "", "hosts-named"),
        ("TRUSTED_PROXIES", "", "trusted-proxies"),
        ("ENCRYPTION_KEY", "", "encryption-key"),
        ("REDIS_URL", "redis://:tR8-wq2-Lm5-zX9@cache.internal:6379", "redis-tls"),
        ("FRONTEND_URL", "https://chat.acme.test", "frontend-origin"),
        ("COOKIE_DOMAIN", "acme.test", "cookie-domain"),
        ("SENTRY_DSN", "https://sentry.acme.test/1", "sentry-dsn"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization Bearer x", "otlp-headers"),
    ] {
        let (_, warnings) =
            Settings::load(&broken(name, value)).unwrap_or_else(|refusal| panic!("{name} {refusal}"));
        assert!(warnings.iter().any(|finding| finding.id == rule), "{name}: {warnings:?}");
    }
    let mut pairs = sound();
    pairs.extend([("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7ABCDEFG"), ("AWS_SECRET_ACCESS_KEY", SECRET)]);
    let ids = |pairs: &[(&str, &str)]| -> Vec<&str> {
        Settings::load(&variables(pairs)).unwrap().1.iter().map(|finding| finding.id).collect()
    };
    assert_eq!(ids(&pairs), ["aws-static-keys"]);
    pairs.push(("AWS_SESSION_TOKEN", JWT));
    assert!(ids(&pairs).is_empty());
}

#[test]
fn outside_production_the_same_choices_stand() {
    let settings = load(&variables(&[
        ("ENVIRONMENT", "staging"),
        ("ENFORCE_HTTPS", "false"),
        ("RATE_LIMIT_ENABLED", "false"),
        ("MASK_PII_IN_LOGS", "false"),
        ("LOG_LEVEL", "DEBUG"),
        ("SESSION_SECRET", "short"),
    ]));
    assert!(!settings.http.enforce_https && !settings.limits.enabled && !settings.telemetry.mask);
    assert_eq!(settings.limits.rules.sign_in[0].limit, 10);
    assert_eq!(settings.limits.rules.file_delete[0].limit, 30);
}

#[test]
fn explicit_limits_hold_exactly_in_every_profile() {
    let rule = |limit, seconds| Rule { limit, window: std::time::Duration::from_secs(seconds) };
    for profile in ["development", "staging"] {
        let settings = load(&variables(&[
            ("ENVIRONMENT", profile),
            ("RATELIMIT_DEFAULT", "7 per minute"),
            ("RATE_LIMIT_PER_MINUTE", "31"),
            ("RATE_LIMIT_PER_HOUR", "501"),
            ("MAX_REQUEST_SIZE", "1048576"),
            ("MAX_FILE_SIZE", "3"),
            ("MAX_INPUT_LENGTH", "77"),
            ("MAX_CONVERSATION_LENGTH", "3"),
            ("MAX_CONVERSATIONS_PER_SESSION", "2"),
        ]));
        assert_eq!(settings.limits.rules.chat_visitor, [rule(7, 60)]);
        assert_eq!(settings.limits.rules.chat_address, [rule(21, 60)]);
        assert_eq!(settings.limits.rules.chat_principal, [rule(31, 60), rule(501, 3_600)]);
        assert_eq!((settings.http.bodies.json, settings.http.bodies.other), (1_048_576, 1_048_576));
        assert_eq!(settings.http.bodies.file, 3 * 1_048_576);
        let assistant = settings.catalog.iter().find(|app| app.id.as_str() == "assistant").unwrap();
        assert_eq!(assistant.max_input_chars, 77);
        assert_eq!((assistant.max_user_messages, assistant.max_conversations), (Some(3), Some(2)));
    }
}

#[test]
fn apps_are_changed_removed_and_added() {
    let mut sources = variables(&[("ONE_KEY", "sk-8f2LqWz91xVbN4")]);
    sources.file = toml(
        "[[apps]]\nid = \"assistant\"\nmax_input_chars = 9\nvisitors = false\n\
         [[apps]]\nid = \"tutor\"\nremove = true\n\
         [[apps]]\nid = \"handbook\"\nkind = \"support\"\nname = \"Handbook\"\nretention_hours = 0\nmax_conversations = 0\n\
         [[providers]]\nname = \"one\"\nbase_url = \"https://one.test/v1\"\nmodel = \"m\"\napi_key_variable = \"ONE_KEY\"\n",
    );
    let settings = load(&sources);
    let ids: Vec<_> = settings.catalog.iter().map(|app| app.id.as_str().to_owned()).collect();
    assert_eq!(ids, ["assistant", "workspace", "support", "files", "handbook"]);
    let assistant = settings.catalog.iter().next().unwrap();
    assert_eq!((assistant.max_input_chars, assistant.entry.visitors), (9, false));
    assert_eq!(assistant.max_user_messages, Some(10));
    assert_eq!(settings.models.providers[0].api_key().unwrap().expose(), "sk-8f2LqWz91xVbN4");

    sources.environment.insert("MAX_INPUT_LENGTH".to_owned(), "12".to_owned());
    assert_eq!(load(&sources).catalog.iter().next().unwrap().max_input_chars, 12);

    sources.file = toml(
        "[[apps]]\nname = \"x\"\n[[apps]]\nid = \"A b\"\n[[apps]]\nid = \"new\"\n[[apps]]\nid = \"new\"\nkind = \"chat\"\n\
         [[apps]]\nid = \"gone\"\nremove = true\n[[providers]]\nname = \"one\"\n[[providers]]\nname = \"X\"\nbase_url = \"https://x.test\"\nmodel = \"m\"\n",
    );
    assert_eq!(refusal(&sources).lines().count(), 8, "{}", refusal(&sources));
}

#[test]
fn a_secret_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    let mut sources = variables(&[("SESSION_SECRET_FILE", path.to_str().unwrap())]);
    let settings = load(&sources);
    assert_eq!(settings.identity.cookie_secrets[0].expose(), SECRET);
    sources.environment.insert("NEXTAUTH_SECRET".to_owned(), JWT.to_owned());
    assert!(refusal(&sources).contains("SESSION_SECRET_FILE"));
    let missing = variables(&[("SESSION_SECRET_FILE", "/nowhere/secret")]);
    assert!(refusal(&missing).contains("SESSION_SECRET_FILE"));
    let open = variables(&[("LOG_LEVEL_FILE", "/nowhere"), ("API_KEYS_FILE", path.to_str().unwrap())]);
    assert_eq!(load(&open).identity.environment_keys.len(), 1);
}

/// The five environments that the guides print: as printed, and with the placeholders replaced.
#[test]
fn the_printed_environments_are_refused_and_pass_once_they_are_filled_in() {
    let url = "postgresql://stoa:tR8-wq2-Lm5-zX9@db.acme.test:5432/stoa";
    let assistant = "DATABASE_URL=postgresql://user:password@host:port/dbname\n\
        OPENAI_API_KEY=sk-your-openai-api-key-here\nSESSION_SECRET=your-secure-random-session-secret\n\
        FLASK_ENV=production\nLOG_LEVEL=INFO\nOPENAI_MODEL=gpt-3.5-turbo\nOPENAI_MAX_TOKENS=500\n\
        OPENAI_TEMPERATURE=0.7\nRATELIMIT_DEFAULT=10 per minute\n\
        REDIS_URL=redis://localhost:6379/0  # For distributed rate limiting\nSESSION_COOKIE_SECURE=true\n\
        LOG_TO_FILE=true\nMAX_CONVERSATION_LENGTH=10\nMAX_INPUT_LENGTH=5000\nMAX_CONVERSATIONS_PER_SESSION=50\n";
    let workspace = "NODE_ENV=production\nNEXTAUTH_URL=https://yourdomain.com\nPORT=3000\n\
        NEXTAUTH_SECRET=your-cryptographically-secure-secret-here\n\
        DATABASE_URL=postgresql://user:password@host:5432/database?sslmode=require\n\
        OPENAI_API_KEY=sk-your-production-api-key\nREDIS_URL=redis://user:password@host:6379\n\
        SENTRY_DSN=https://your-sentry-dsn\nNEW_RELIC_LICENSE_KEY=your-new-relic-key\n";
    let support = "ENVIRONMENT=production\nLOG_LEVEL=INFO\nAWS_REGION=us-west-2\n\
        OPENAI_API_KEY=sk-your-actual-openai-key\nAPI_HOST=0.0.0.0\nAPI_PORT=8000\nREQUIRE_AUTHENTICATION=true\n\
        API_KEYS=<generated-key-1>,<generated-key-2>\nJWT_SECRET_KEY=<generated-jwt-secret>\nJWT_ALGORITHM=HS256\n\
        JWT_ACCESS_TOKEN_EXPIRE_MINUTES=30\nENFORCE_HTTPS=true\nALLOWED_HOSTS=yourdomain.com,www.yourdomain.com\n\
        MASK_PII_IN_LOGS=true\nENABLE_ENCRYPTION_AT_REST=true\nENCRYPTION_KEY=<generated-encryption-key>\n\
        CORS_ORIGINS=https://yourdomain.com\nCORS_ALLOW_METHODS=GET,POST,PUT,DELETE\n\
        CORS_ALLOW_HEADERS=Content-Type,Authorization,X-API-Key\nRATE_LIMIT_ENABLED=true\nRATE_LIMIT_PER_MINUTE=30\n\
        RATE_LIMIT_PER_HOUR=500\nMAX_REQUEST_SIZE=10485760\n\
        CHROMA_PERSIST_DIRECTORY=/var/lib/customer-service-ai/chroma_db\n";
    let folder = tempfile::tempdir().unwrap();
    let files = "SECRET_KEY=your-secure-secret-key\nDATABASE_URL=postgresql://user:pass@host:port/db\n\
        ENVIRONMENT=production\nJWT_ACCESS_TOKEN_EXPIRE_MINUTES=10080\nJWT_REFRESH_TOKEN_EXPIRE_DAYS=30\n\
        MAX_FILE_SIZE=100\nALLOWED_FILE_TYPES=image/*,application/pdf,text/*\n";
    let tutor = "SECRET_KEY=changeme\nDATABASE_URL=postgresql://user:password@host/db\nOPENAI_API_KEY=sk-your-key\n\
        ALLOWED_ORIGINS=https://tutor.acme.test\nFLASK_ENV=production\nFLASK_DEBUG=False\nFORCE_HTTPS=True\n\
        SESSION_COOKIE_SECURE=True\n";
    for (name, printed) in [
        ("assistant", assistant),
        ("workspace", workspace),
        ("support", support),
        ("files", files),
        ("tutor", tutor),
    ] {
        let mut sources = Sources { dotenv: dotenv(printed), ..Sources::default() };
        let text = refusal(&sources);
        assert!(text.lines().all(|line| line.contains("validation")), "{text}");

        let filled = printed
            .replace("postgresql://user:password@host:port/dbname", url)
            .replace("postgresql://user:password@host:5432/database", url)
            .replace("postgresql://user:password@host/db", url)
            .replace("postgresql://user:pass@host:port/db", url)
            .replace("redis://user:password@host:6379", "redis://stoa:tR8-wq2-Lm5-zX9@cache.acme.test:6379")
            .replace("sk-your-openai-api-key-here", "sk-proj-8f2LqWz91xVbN4")
            .replace("sk-your-production-api-key", "sk-proj-8f2LqWz91xVbN4")
            .replace("sk-your-actual-openai-key", "sk-proj-8f2LqWz91xVbN4")
            .replace("sk-your-key", "sk-proj-8f2LqWz91xVbN4")
            .replace("your-secure-random-session-secret", SECRET)
            .replace("your-cryptographically-secure-secret-here", SECRET)
            .replace("your-secure-secret-key", SECRET)
            .replace("changeme", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
            .replace("https://your-sentry-dsn", "https://abc@sentry.acme.test/1")
            .replace("your-new-relic-key", "8f2LqWz91xVbN4NRAL")
            .replace("<generated-key-1>", KEY_1)
            .replace("<generated-key-2>", KEY_2)
            .replace("<generated-jwt-secret>", JWT)
            .replace("<generated-encryption-key>", MASTER)
            .replace("/var/lib/customer-service-ai", folder.path().to_str().unwrap());
        sources.dotenv = dotenv(&filled);
        let settings = load(&sources);
        assert_eq!(settings.profile, Profile::Production, "{name}");
        assert!(!settings.identity.cookie_secrets.is_empty(), "{name}");
        if name == "support" {
            // This guide names a folder for its data and no database: the data lies there.
            assert_eq!(settings.data_dir, folder.path().join("chroma_db"));
            assert!(
                matches!(&settings.store.database, Database::Sqlite { path } if path.starts_with(folder.path()))
            );
        }
    }
}

#[test]
fn warnings_name_an_env_file_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut sources = variables(&sound());
    sources.dotenv = Some(Document { path: path.clone(), text: String::new() });
    let (_, warnings) = Settings::load(&sources).unwrap();
    assert_eq!(warnings.iter().map(|finding| finding.id).collect::<Vec<_>>(), ["env-file-private"]);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(Settings::load(&sources).unwrap().1, []);
}

#[test]
fn the_digest_follows_every_value() {
    let digest = |pairs: &[(&str, &str)]| load(&variables(pairs)).marks.digest();
    assert_eq!(digest(&[]), digest(&[("API_PORT", "8080")]));
    assert_ne!(digest(&[]), digest(&[("API_PORT", "8081")]));
    assert_ne!(digest(&[("SESSION_SECRET", SECRET)]), digest(&[("SESSION_SECRET", JWT)]));
}

#[test]
fn a_secret_in_a_file_that_others_can_read_is_noticed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoa.toml");
    std::fs::write(&path, "").unwrap();
    let mut sources = variables(&sound());
    sources.environment.remove("SESSION_SECRET");
    sources.file =
        Some(Document { path: path.clone(), text: format!("[identity]\nsession_secret = \"{SECRET}\"\n") });
    for (mode, warned) in [(0o644, &["secret-file-private"][..]), (0o600, &[]), (0o440, &[])] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let (_, warnings) = Settings::load(&sources).unwrap();
        assert_eq!(warnings.iter().map(|finding| finding.id).collect::<Vec<_>>(), warned);
    }
}
