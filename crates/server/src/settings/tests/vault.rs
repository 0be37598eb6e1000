//! Secrets Manager as a layer: what it covers, what covers it, and two secrets during a rotation.

use super::*;
use crate::settings::vault::{Missing, Phase, Vault};

const OTHER: &str = "w4Kq8Zn2Xb6Vt0Lm5Rj9Hf3Gd7Sp1YaEuTiOcBxMvQ";

fn holding(pairs: &[(&str, &str)], vault: Vault) -> Sources {
    Sources { vault: Some(vault), ..variables(pairs) }
}

fn exposed(secrets: &[kernel::Secret<String>]) -> Vec<&str> {
    secrets.iter().map(|secret| secret.expose().as_str()).collect()
}

/// `sound`, with its secrets in Secrets Manager.
fn production(current: &[(&str, &str)], previous: &[(&str, &str)], phase: Phase) -> Sources {
    let mut pairs = sound();
    pairs.retain(|(name, _)| !["SESSION_SECRET", "ENCRYPTION_KEY"].contains(name));
    pairs.extend([
        ("ENABLE_SECRETS_MANAGER", "true"),
        ("SECRETS_MANAGER_REGION", "us-west-2"),
        ("SECRETS_MANAGER_SECRET_NAME", "customer-service-ai-prod-secrets"),
    ]);
    holding(&pairs, Vault::sample(current, previous, phase))
}

#[test]
fn it_stands_between_the_file_and_the_environment() {
    let vault = || Vault::sample(&[("API_PORT", "3000"), ("logs.level", "ERROR")], &[], Phase::Settled);
    let mut sources = holding(&[], vault());
    sources.file = toml("[server]\nport = 2000\n[logs]\nlevel = \"WARNING\"\n");
    let settings = load(&sources);
    assert_eq!(settings.listen.address.port(), 3000);
    let values = inspect(&sources).values;
    assert_eq!(values.place(&table::server::PORT), "API_PORT (Secrets Manager)");
    assert_eq!(values.place(&table::server::LOG_LEVEL), "logs.level (Secrets Manager)");
    sources.dotenv = dotenv("API_PORT=4000\n");
    assert_eq!(load(&sources).listen.address.port(), 4000);
    assert_eq!(inspect(&sources).values.shadowed, ["API_PORT"]);
    sources.dotenv = dotenv("API_PORT=3000\n");
    assert!(inspect(&sources).values.shadowed.is_empty(), "the same value twice is no trap");
}

#[test]
fn a_contradiction_inside_it_is_named_and_an_unknown_name_is_nobodys() {
    let vault = Vault::sample(
        &[
            ("SESSION_SECRET", SECRET),
            ("NEXTAUTH_SECRET", JWT),
            ("SOME_OTHER_SERVICE", "x"),
            ("API_KEYS", ""),
        ],
        &[],
        Phase::Settled,
    );
    let text = refusal(&holding(&[], vault));
    assert!(text.contains("SESSION_SECRET (Secrets Manager)") && text.contains("NEXTAUTH_SECRET"), "{text}");
    assert!(!text.contains("SOME_OTHER_SERVICE") && !text.contains(SECRET) && !text.contains(JWT), "{text}");
}

#[test]
fn the_profile_and_aws_itself_cannot_come_from_there() {
    let vault = Vault::sample(
        &[("ENVIRONMENT", "production"), ("AWS_ACCESS_KEY_ID", "AKIA"), ("ENABLE_SECRETS_MANAGER", "false")],
        &[],
        Phase::Settled,
    );
    let settings = load(&holding(&[], vault));
    assert_eq!(settings.profile, Profile::Development);
    assert!(settings.aws.keys.is_none());
}

#[test]
fn production_holds_its_secrets_to_the_same_rules() {
    let good = [("SESSION_SECRET", SECRET), ("ENCRYPTION_KEY", MASTER)];
    let (_, warnings) = Settings::load(&production(&good, &[], Phase::Settled)).unwrap();
    assert_eq!(warnings, []);
    for (current, rule) in [
        (&[("SESSION_SECRET", "short"), ("ENCRYPTION_KEY", MASTER)][..], "signing-secret-length"),
        (&[("SESSION_SECRET", SECRET)], "secrets-manager-master-key"),
        (&[("ENCRYPTION_KEY", MASTER)], "signing-secret"),
    ] {
        let text = refusal(&production(current, &[], Phase::Settled));
        assert!(text.contains(rule), "{rule}: {text}");
    }
    let mut shadowed = production(&good, &[], Phase::Settled);
    shadowed.environment.insert("SESSION_SECRET".to_owned(), JWT.to_owned());
    let (_, warnings) = Settings::load(&shadowed).unwrap();
    assert_eq!(warnings.iter().map(|finding| finding.id).collect::<Vec<_>>(), ["secrets-manager-shadowed"]);
}

#[test]
fn two_secrets_count_during_a_rotation() {
    let current = [("SESSION_SECRET", SECRET), ("ENCRYPTION_KEY", MASTER)];
    let previous =
        [("NEXTAUTH_SECRET", OTHER), ("ENCRYPTION_KEY", "EjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8=")];
    let of = |phase| load(&production(&current, &previous, phase));
    assert_eq!(
        exposed(&of(Phase::Fresh).identity.cookie_secrets),
        [OTHER, SECRET],
        "the new one signs later"
    );
    assert_eq!(exposed(&of(Phase::Settled).identity.cookie_secrets), [SECRET, OTHER]);
    assert_eq!(exposed(&of(Phase::Over).identity.cookie_secrets), [SECRET]);
    assert_eq!(of(Phase::Over).keys.previous.len(), 1, "data stays sealed under the key of its time");
    // With one in the environment as well, all of them count.
    let mut sources = production(&current, &previous, Phase::Settled);
    sources.environment.insert("SESSION_SECRET_PREVIOUS".to_owned(), KEY_1.to_owned());
    assert_eq!(exposed(&load(&sources).identity.cookie_secrets), [SECRET, OTHER, KEY_1]);
    // A secret of the environment is not rotated by Secrets Manager.
    sources.environment.insert("SESSION_SECRET".to_owned(), KEY_2.to_owned());
    assert_eq!(exposed(&load(&sources).identity.cookie_secrets), [KEY_2, KEY_1]);
}

#[test]
fn a_placeholder_from_before_is_accepted_for_nothing() {
    let current = [("SESSION_SECRET", SECRET), ("ENCRYPTION_KEY", MASTER)];
    for before in ["changeme", "your-secure-random-session-secret", "short", SECRET] {
        for phase in [Phase::Fresh, Phase::Settled] {
            let previous = [("SESSION_SECRET", before), ("ENCRYPTION_KEY", "changeme")];
            let settings = load(&production(&current, &previous, phase));
            assert_eq!(exposed(&settings.identity.cookie_secrets), [SECRET], "{before}");
            assert!(settings.keys.previous.is_empty(), "{before}");
        }
    }
}

#[test]
fn without_an_answer_a_start_needs_everything_from_elsewhere() {
    let missing = || Some(Missing::Answer(guard::outbound::aws::Failure::NoCredentials));
    let mut sources = production(&[], &[], Phase::Settled);
    sources.vault = None;
    sources.vault_missing = missing();
    let text = refusal(&sources);
    assert!(text.contains("SECRETS_MANAGER_SECRET_NAME") && text.contains("no AWS credentials"), "{text}");
    // In development there is no rule; there no key is made that would be the wrong one.
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let mut sources = variables(&[("STOA_DATA_DIR", data.as_str())]);
    sources.vault_missing = missing();
    let mut settings = load(&sources);
    assert!(
        settings.open_keys(crate::nature::ambient().random()).is_err()
            && !folder.path().join("data").exists()
    );
    let mut sources = variables(&sound());
    sources.vault_missing = missing();
    let (_, warnings) = Settings::load(&sources).unwrap();
    assert_eq!(warnings.iter().map(|finding| finding.id).collect::<Vec<_>>(), ["secrets-manager-answers"]);
}

#[test]
fn half_a_configuration_of_aws_is_refused_by_name() {
    for (pairs, named) in [
        (&[("ENABLE_SECRETS_MANAGER", "true")][..], "SECRETS_MANAGER_SECRET_NAME"),
        (
            &[("ENABLE_SECRETS_MANAGER", "true"), ("SECRETS_MANAGER_SECRET_NAME", "n")],
            "SECRETS_MANAGER_REGION",
        ),
        (&[("AWS_ACCESS_KEY_ID", "AKIA")], "AWS_SECRET_ACCESS_KEY"),
        (&[("AWS_SECRET_ACCESS_KEY", "s")], "AWS_ACCESS_KEY_ID"),
        (&[("AWS_SESSION_TOKEN", "t")], "AWS_ACCESS_KEY_ID"),
        (&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")], "AWS_ROLE_ARN"),
        (
            &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://agent.example/c")],
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ),
        (
            &[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.example/")],
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        ),
    ] {
        assert!(refusal(&variables(pairs)).contains(named), "{named}");
    }
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x";
    load(&variables(&[("ENABLE_SECRETS_MANAGER", "true"), ("SECRETS_MANAGER_SECRET_NAME", arn)]));
    let text = refusal(&broken("AWS_ENDPOINT_URL", "http://aws.example"));
    assert!(text.contains("aws-https"), "{text}");
}

#[test]
fn a_token_file_of_its_own_is_no_file_of_another_setting() {
    let pairs = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/run/secrets/pods.eks.amazonaws.com/token"),
    ];
    let container = load(&variables(&pairs)).aws.container.unwrap();
    let file = "/var/run/secrets/pods.eks.amazonaws.com/token".into();
    assert_eq!(container.token, Some(guard::outbound::aws::ContainerToken::File(file)));
}

#[test]
fn the_keys_of_more_providers_come_from_there_too_and_their_change_is_noticed() {
    let mut sources = holding(&[], Vault::sample(&[("SPARE_KEY", "one")], &[], Phase::Settled));
    sources.file = toml(
        "[[providers]]\nname = \"spare\"\nbase_url = \"http://127.0.0.1:1/v1\"\nmodel = \"m\"\napi_key_variable = \"SPARE_KEY\"\n",
    );
    let first = load(&sources);
    assert_eq!(first.models.providers[0].api_key().unwrap().expose(), "one");
    sources.vault = Some(Vault::sample(&[("SPARE_KEY", "two")], &[], Phase::Settled));
    assert_eq!(first.marks.changed(&load(&sources).marks), ["providers"]);
    assert!(
        table::is_live("providers") && table::is_live("identity.api_keys") && !table::is_live("server.port")
    );
}

#[test]
fn every_secret_that_was_set_has_an_age_and_tells_nothing() {
    let keys = format!("{KEY_1},{KEY_2}");
    let mut pairs = sound();
    pairs.extend([("API_KEYS", keys.as_str()), ("ENCRYPTION_KEY_PREVIOUS", MASTER)]);
    let secrets = load(&variables(&pairs)).secrets;
    let places: Vec<&str> = secrets.iter().map(|secret| secret.place.as_str()).collect();
    assert_eq!(
        places,
        ["DATABASE_URL", "SESSION_SECRET", "API_KEYS", "API_KEYS", "ENCRYPTION_KEY", "OPENAI_API_KEY"]
    );
    let text = format!("{secrets:?}");
    assert!([SECRET, KEY_1, MASTER, "tR8-wq2"].iter().all(|secret| !text.contains(secret)), "{text}");
    assert!(load(&Sources::default()).secrets.is_empty());
}
