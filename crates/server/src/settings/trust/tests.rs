//! Configurations of tokens, passwords and identity providers, good and bad.

use crate::settings::Sources;
use crate::settings::tests::{JWT, SECRET, broken, load, refusal, sound, toml, variables};

const ISSUERS: &str = "
[[identity.issuers]]
name = \"company\"
issuer = \"https://id.acme.test/\"
client_id = \"stoa\"
client_secret_variable = \"COMPANY_SECRET\"

[[identity.issuers]]
name = \"partner\"
issuer = \"https://partner.test\"
audience = \"stoa-api\"
jwks_url = \"https://partner.test/keys\"
";

#[test]
fn issuers_are_taken_exactly_as_they_are_written() {
    let mut sources = variables(&[("COMPANY_SECRET", "s3cret"), ("FIREBASE_PROJECT_ID", "tutor-1a2b3")]);
    sources.file = toml(ISSUERS);
    let identity = load(&sources).identity;
    let [company, partner] = &identity.issuers[..] else { panic!() };
    assert_eq!((company.name.as_str(), company.issuer.as_str()), ("company", "https://id.acme.test/"));
    let client = company.client.as_ref().unwrap();
    assert_eq!((client.id.as_str(), client.secret.as_ref().unwrap().expose().as_str()), ("stoa", "s3cret"));
    // Tokens that the issuer makes for us as its client are taken as bearer too.
    assert_eq!((company.audience.as_deref(), company.jwks_url.is_none()), (Some("stoa"), true));
    assert_eq!((partner.audience.as_deref(), partner.client.is_none()), (Some("stoa-api"), true));
    let firebase = identity.firebase.unwrap();
    assert_eq!(firebase.issuer(), "https://securetoken.google.com/tutor-1a2b3");
    assert_eq!(firebase.jwks_url.as_str(), identity::trust::Firebase::JWKS_URL);
    sources.file = toml("[identity.firebase]\njwks_url = \"http://127.0.0.1:9/keys\"\n");
    assert_eq!(load(&sources).identity.firebase.unwrap().jwks_url.as_str(), "http://127.0.0.1:9/keys");
}

#[test]
fn issuers_that_cannot_be_meant_are_refused() {
    let of = |fields: &str| format!("[[identity.issuers]]\n{fields}\n");
    let good = "name = \"a\"\nissuer = \"https://a.test\"\naudience = \"x\"";
    for (text, word) in [
        (of("issuer = \"https://a.test\"\naudience = \"x\""), "`name`"),
        (of("name = \"A b\"\nissuer = \"https://a.test\"\naudience = \"x\""), "`name`"),
        (of("name = \"firebase\"\nissuer = \"https://a.test\"\naudience = \"x\""), "`firebase`"),
        (of("name = \"a\"\naudience = \"x\""), "`issuer`"),
        (of("name = \"a\"\nissuer = \"https://a.test\""), "`audience`"),
        (of("name = \"a\"\nissuer = \"a.test\"\naudience = \"x\""), "URL"),
        (of(&format!("{good}\nclient_secret = \"s\"")), "`client_id`"),
        (of(&format!("{good}\nclient_id = \"c\"\nclient_secret_variable = \"NOT_SET\"")), "not set"),
        (
            of(&format!("{good}\nclient_id = \"c\"\nclient_secret = \"s\"\nclient_secret_file = \"/s\"")),
            "more than one place",
        ),
        (of(good) + &of(&good.replace("https://a.test", "https://b.test")), "same `name`"),
        (of(good) + &of(&good.replace("\"a\"", "\"b\"")), "same `issuer`"),
        (of(&format!("{good}\nsecret = \"s\"")), "secret"),
    ] {
        let mut sources = Sources { file: toml(&text), ..Sources::default() };
        let refused = refusal(&sources);
        assert!(refused.contains(word), "{text}\n{refused}");
        sources.file = toml(&of(good));
        load(&sources);
    }
    let mut sources = variables(&[("FIREBASE_PROJECT_ID", "tutor-1a2b3")]);
    sources.file = toml(&of(&good.replace("https://a.test", "https://securetoken.google.com/tutor-1a2b3")));
    assert!(refusal(&sources).contains("same `issuer`"));
}

#[test]
fn production_asks_issuers_over_https_alone() {
    let mut sources = variables(&sound());
    sources.environment.insert("COMPANY_SECRET".to_owned(), "tR8-wq2-Lm5-zX9".to_owned());
    sources.file = toml(ISSUERS);
    load(&sources);
    sources.file = toml(&ISSUERS.replace("https://partner.test\"", "http://127.0.0.1:9\""));
    load(&sources);
    for address in ["https://partner.test\"", "https://partner.test/keys"] {
        sources.file = toml(&ISSUERS.replace(address, &address.replace("https", "http")));
        assert!(refusal(&sources).contains("issuer-https"), "{address}");
    }
}

#[test]
fn tokens_are_signed_as_the_operator_says() {
    let settings = load(&Sources::default());
    let tokens = settings.identity.tokens;
    assert!(tokens.secrets.is_empty() && tokens.issuer == "stoa");
    assert_eq!((tokens.lifetime.as_secs(), tokens.refresh_lifetime.as_secs()), (1_800, 2_592_000));
    assert_eq!(settings.identity.passwords.cost, crypto::password::Cost::DEFAULT);
    assert!(settings.identity.passwords.words.iter().any(|word| word == "assistant"));
    let settings = load(&variables(&[
        ("JWT_SECRET_KEY", JWT),
        ("JWT_SECRET_KEY_PREVIOUS", SECRET),
        ("JWT_ALGORITHM", "EdDSA"),
        ("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "15"),
        ("PUBLIC_URL", "https://chat.acme.test/"),
        ("PASSWORD_HASH_MEMORY_MIB", "19"),
    ]));
    let tokens = settings.identity.tokens;
    assert_eq!(tokens.algorithm, identity::trust::SigningAlgorithm::EdDsa);
    let secrets: Vec<&str> = tokens.secrets.iter().map(|secret| secret.expose().as_str()).collect();
    assert_eq!((secrets, tokens.issuer.as_str()), (vec![JWT, SECRET], "https://chat.acme.test"));
    assert_eq!(tokens.lifetime.as_secs(), 900);
    assert_eq!(settings.identity.passwords.cost.memory_kib(), 19 * 1024);
    assert!(settings.identity.passwords.words.iter().any(|word| word == "chat.acme.test"));
    let alone = load(&variables(&[("JWT_SECRET_KEY_PREVIOUS", SECRET)])).identity.tokens;
    assert!(alone.secrets.is_empty(), "an earlier secret signs nothing");
    assert!(refusal(&broken("JWT_SECRET_KEY_PREVIOUS", "short")).contains("JWT_SECRET_KEY_PREVIOUS"));
}
