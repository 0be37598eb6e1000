//! Sign-in at an issuer on loopback, and every way to bend it.

use std::collections::HashMap;

use kernel::Secret;
use serde_json::{Value, json};

use super::*;
use crate::issuer::tests::forge::{Signer, set};
use crate::issuer::tests::{NOW, Place};
use crate::trust::{AccessTokens, Client, PasswordRules, TrustedIssuer};

const DOCUMENT: &str = "/.well-known/openid-configuration";

struct Scene {
    place: Place,
    signer: Signer,
    sign_in: SignIn,
}

/// A sign-in that has begun: what the issuer saw in its address, and the cookie.
struct Begun {
    asked: HashMap<String, String>,
    cookie: String,
}

impl Scene {
    async fn new() -> Scene {
        Scene::with(Some("s3cret/+&"), json!({}), "http://127.0.0.1:8080").await
    }

    async fn with(secret: Option<&str>, document: Value, base_url: &str) -> Scene {
        let place = Place::new().await;
        let signer = Signer::es256("e");
        let base = place.server.base.clone();
        let mut whole = json!({
            "issuer": base, "jwks_uri": format!("{base}/keys"),
            "authorization_endpoint": format!("{base}/authorize?tenant=1"), "token_endpoint": format!("{base}/token"),
        });
        whole.as_object_mut().unwrap().extend(document.as_object().unwrap().clone());
        place.server.say(DOCUMENT, "max-age=600", whole.to_string());
        place.server.say("/keys", "max-age=600", set(&[&signer]));
        let client =
            Client { id: "client 1".to_owned(), secret: secret.map(|text| Secret::new(text.to_owned())) };
        let trusted = TrustedIssuer { client: Some(client), audience: None, ..place.trusted(false) };
        let other = TrustedIssuer {
            name: "other".to_owned(),
            issuer: "https://other.example".to_owned(),
            ..trusted.clone()
        };
        let bearer_only = TrustedIssuer { name: "bearer".to_owned(), client: None, ..other.clone() };
        let config = Config {
            cookie_secrets: vec![Secret::new("a signing secret".to_owned())],
            secure_cookies: false,
            cookie_domain: None,
            session_lifetime: std::time::Duration::from_secs(1),
            session_slide: std::time::Duration::from_secs(1),
            registration: crate::Registration::Off,
            mail: false,
            visitor_lifetime: std::time::Duration::from_secs(1),
            environment_keys: Vec::new(),
            tokens: AccessTokens::default(),
            passwords: PasswordRules::default(),
            firebase: None,
            issuers: vec![trusted, other, bearer_only],
            require_authentication: false,
            entries: Vec::new(),
        };
        let issuers = Arc::new(Issuers::new(&config, &place.outbound, &place.ambient));
        let sign_in = SignIn::new(&config, issuers, base_url, &place.outbound, &place.ambient);
        Scene { place, signer, sign_in }
    }

    async fn begin(&self, return_to: &str) -> Begun {
        let departure = self.sign_in.start("company", return_to).await.unwrap();
        let cookie = departure.cookie.split_once('=').unwrap().1.split_once(';').unwrap().0.to_owned();
        Begun { asked: departure.url.query_pairs().into_owned().collect(), cookie }
    }

    /// The claims that the issuer would make for this sign-in.
    fn claims(&self, begun: &Begun) -> Value {
        let mut claims = self.place.claims();
        claims["aud"] = "client 1".into();
        claims["nonce"] = begun.asked["nonce"].clone().into();
        claims
    }

    /// The issuer exchanges codes for this ID token from now on.
    fn give(&self, claims: &Value) {
        let answer =
            json!({"id_token": self.signer.sign(claims), "access_token": "at-1", "token_type": "Bearer"});
        self.place.server.say("/token", "no-store", answer.to_string());
    }

    async fn finish(&self, begun: &Begun, query: &str) -> Result<Arrival> {
        self.sign_in.finish("company", query, Some(&begun.cookie)).await
    }
}

fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn good(begun: &Begun) -> String {
    query(&[("code", "c0de"), ("state", &begun.asked["state"])])
}

fn code_of<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code()
}

#[tokio::test]
async fn somebody_signs_in() {
    let scene = Scene::new().await;
    assert_eq!(scene.sign_in.names(), ["company", "other"]);
    let begun = scene.begin("/apps/tutor?x=1").await;
    for (name, value) in [
        ("tenant", "1"),
        ("response_type", "code"),
        ("client_id", "client 1"),
        ("redirect_uri", "http://127.0.0.1:8080/api/v1/auth/oidc/company/callback"),
        ("scope", "openid email profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(begun.asked[name], value, "{name}");
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(begun.asked[name].len(), 43, "{name}");
    }
    scene.give(&scene.claims(&begun));
    let arrival = scene.finish(&begun, &good(&begun)).await.unwrap();
    assert_eq!((arrival.claims.subject.as_str(), arrival.return_to.as_str()), ("ann-1", "/apps/tutor?x=1"));
    assert_eq!(arrival.claims.issuer, scene.place.server.base);
    assert!(scene.sign_in.forget().starts_with("stoa_oidc=; Path=/; Max-Age=0; "));
    // What was shown for the code: the secret in a header, encoded before Basic, and the verifier of the challenge.
    let asked = scene.place.server.last("/token");
    let form: HashMap<String, String> =
        url::form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
    assert_eq!((form["grant_type"].as_str(), form["code"].as_str()), ("authorization_code", "c0de"));
    assert_eq!(form["redirect_uri"], begun.asked["redirect_uri"]);
    assert!(!form.contains_key("client_secret") && !form.contains_key("client_id"));
    let challenge = ring::digest::digest(&ring::digest::SHA256, form["code_verifier"].as_bytes());
    assert_eq!(crate::issuer::tests::forge::encode(challenge), begun.asked["code_challenge"]);
    // "client+1:s3cret%2F%2B%26"
    assert!(asked.head.contains("Basic Y2xpZW50KzE6czNjcmV0JTJGJTJCJTI2"), "{}", asked.head);
}

#[tokio::test]
async fn every_sign_in_has_secrets_of_its_own() {
    let scene = Scene::new().await;
    let (one, two) = (scene.begin("/").await, scene.begin("/").await);
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(one.asked[name], two.asked[name]);
    }
    // The answer to one sign-in does not end the other.
    scene.give(&scene.claims(&two));
    assert_eq!(code_of(scene.finish(&one, &good(&two)).await), Code::Unauthenticated);
    assert_eq!(scene.place.server.count("/token"), 0);
    // A token that was made for the other one is not taken either: its nonce is another.
    assert_eq!(code_of(scene.finish(&one, &good(&one)).await), Code::Unauthenticated);
    assert!(scene.finish(&two, &good(&two)).await.is_ok());
}

#[tokio::test]
async fn without_the_right_memory_nothing_is_exchanged() {
    let scene = Scene::new().await;
    let begun = scene.begin("/").await;
    scene.give(&scene.claims(&begun));
    let answer = good(&begun);
    let altered =
        begun.cookie.replacen(&begun.cookie[9..10], if &begun.cookie[9..10] == "A" { "B" } else { "A" }, 1);
    for cookie in [None, Some(""), Some("x"), Some(altered.as_str())] {
        assert_eq!(code_of(scene.sign_in.finish("company", &answer, cookie).await), Code::Unauthenticated);
    }
    // Begun at one issuer, answered at the address of another.
    assert_eq!(
        code_of(scene.sign_in.finish("other", &answer, Some(&begun.cookie)).await),
        Code::Unauthenticated
    );
    for name in ["nobody", "bearer", "", "../company"] {
        assert_eq!(code_of(scene.sign_in.finish(name, &answer, Some(&begun.cookie)).await), Code::NotFound);
        assert_eq!(code_of(scene.sign_in.start(name, "/").await), Code::NotFound);
    }
    let state = begun.asked["state"].clone();
    for query in [
        String::new(),
        "code=c0de".to_owned(),
        query(&[("code", "c0de"), ("state", "")]),
        query(&[("code", "c0de"), ("state", &state[..42])]),
        query(&[("code", "c0de"), ("state", &state), ("state", &state)]),
        query(&[("code", "a"), ("code", "b"), ("state", &state)]),
        query(&[("state", &state)]),
        query(&[("code", ""), ("state", &state)]),
        query(&[("code", &"x".repeat(5_000)), ("state", &state)]),
        query(&[("code", "c"), ("state", &state), ("x", &"y".repeat(9_000))]),
    ] {
        assert_eq!(code_of(scene.finish(&begun, &query).await), Code::Unauthenticated, "{query}");
    }
    assert_eq!(scene.place.server.count("/token"), 0);
    // Ten minutes, and not a moment longer.
    scene.place.wait(599);
    assert!(scene.finish(&begun, &answer).await.is_ok());
    scene.place.wait(1);
    assert_eq!(code_of(scene.finish(&begun, &answer).await), Code::Unauthenticated);
}

#[tokio::test]
async fn the_issuer_that_answers_is_the_one_that_was_asked() {
    let scene = Scene::with(
        None,
        json!({"authorization_response_iss_parameter_supported": true}),
        "http://127.0.0.1",
    )
    .await;
    let begun = scene.begin("/").await;
    scene.give(&scene.claims(&begun));
    let state = begun.asked["state"].clone();
    let with = |iss: &str| query(&[("code", "c0de"), ("state", &state), ("iss", iss)]);
    let base = scene.place.server.base.clone();
    for query in [good(&begun), with("https://other.example"), with(""), with(&format!("{base}/"))] {
        assert_eq!(code_of(scene.finish(&begun, &query).await), Code::Unauthenticated, "{query}");
    }
    assert_eq!(scene.place.server.count("/token"), 0);
    assert!(scene.finish(&begun, &with(&base)).await.is_ok());
    // A public client shows its name in the form, and PKCE.
    let asked = scene.place.server.last("/token");
    assert!(
        asked.body.contains("client_id=client+1") && !asked.head.to_lowercase().contains("authorization")
    );
    // An issuer that does not promise to name itself is still held to the name when it gives one.
    let scene = Scene::new().await;
    let begun = scene.begin("/").await;
    let wrong = query(&[("code", "c"), ("state", &begun.asked["state"]), ("iss", "https://other.example")]);
    assert_eq!(code_of(scene.finish(&begun, &wrong).await), Code::Unauthenticated);
}

#[tokio::test]
async fn an_issuer_that_says_no_is_not_repeated() {
    let scene = Scene::new().await;
    let begun = scene.begin("/").await;
    for (error, word) in [("access_denied", "access_denied"), ("<script>alert(1)</script>", "another error")]
    {
        let query =
            query(&[("error", error), ("error_description", "<b>x</b>"), ("state", &begun.asked["state"])]);
        let fault = scene.finish(&begun, &query).await.unwrap_err();
        assert_eq!(fault.code(), Code::Unauthenticated);
        assert!(!fault.message().contains('<') && fault.cause().unwrap().to_string().contains(word));
    }
    // Without the state it is not even looked at.
    let fault = scene.finish(&begun, "error=access_denied").await.unwrap_err();
    assert!(fault.cause().unwrap().to_string().contains("state"));
}

#[tokio::test]
async fn id_tokens_are_held_to_this_sign_in() {
    let scene = Scene::new().await;
    let begun = scene.begin("/").await;
    let hash = |token: &str| {
        let hash = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
        crate::issuer::tests::forge::encode(&hash.as_ref()[..16])
    };
    for (changes, accepted) in [
        (json!({}), true),
        (json!({"at_hash": hash("at-1")}), true),
        (json!({"at_hash": hash("at-2")}), false),
        (json!({"at_hash": "x"}), false),
        (json!({"nonce": "x"}), false),
        (json!({"nonce": null}), false),
        // The audience of bearer tokens is not ours here.
        (json!({"aud": "stoa"}), false),
        (json!({"aud": ["client 1", "other"]}), false),
        (json!({"iss": "https://other.example"}), false),
        (json!({"iat": NOW - 100, "exp": NOW}), false),
        (json!({"sub": ""}), false),
    ] {
        let mut claims = scene.claims(&begun);
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        if claims["nonce"].is_null() {
            claims.as_object_mut().unwrap().remove("nonce");
        }
        scene.give(&claims);
        let result = scene.finish(&begun, &good(&begun)).await;
        assert_eq!(result.is_ok(), accepted, "{changes}");
        if !accepted {
            assert_eq!(code_of(result), Code::Unauthenticated);
        }
    }
    // A token that somebody else signed.
    let forged = Signer::es256("e").sign(&scene.claims(&begun));
    scene.place.server.say("/token", "no-store", json!({"id_token": forged}).to_string());
    assert_eq!(code_of(scene.finish(&begun, &good(&begun)).await), Code::Unauthenticated);
    // `at_hash` without the token that it is the hash of.
    let mut claims = scene.claims(&begun);
    claims["at_hash"] = hash("at-1").into();
    let answer = json!({"id_token": scene.signer.sign(&claims)});
    scene.place.server.say("/token", "no-store", answer.to_string());
    assert_eq!(code_of(scene.finish(&begun, &good(&begun)).await), Code::Unauthenticated);
}

#[tokio::test]
async fn an_issuer_that_fails_is_away_and_one_that_refuses_the_code_is_not() {
    let scene = Scene::new().await;
    let begun = scene.begin("/").await;
    for (status, body, code) in [
        (400, r#"{"error":"invalid_grant"}"#, Code::Unauthenticated),
        (401, r#"{"error":"invalid_client"}"#, Code::Unavailable),
        (500, "", Code::Unavailable),
        (302, "", Code::Unavailable),
        (200, "<html>", Code::Unavailable),
        (200, r#"{"access_token":"x"}"#, Code::Unavailable),
        (200, r#"{"id_token":"a","id_token":"b"}"#, Code::Unavailable),
    ] {
        scene.place.server.answer("/token", status, "location: /elsewhere\r\n", body);
        let fault = scene.finish(&begun, &good(&begun)).await.unwrap_err();
        assert_eq!(fault.code(), code, "{status} {body}");
        assert!(!format!("{fault:?}").contains("invalid_"));
    }
    scene.place.server.down(true);
    assert_eq!(code_of(scene.finish(&begun, &good(&begun)).await), Code::Unavailable);
    // One that cannot be found has no page to go to.
    assert_eq!(code_of(scene.sign_in.start("other", "/").await), Code::Unavailable);
}

#[tokio::test]
async fn a_secret_goes_where_the_issuer_wants_it() {
    let scene = Scene::with(
        Some("s"),
        json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}),
        "http://127.0.0.1",
    )
    .await;
    let begun = scene.begin("/").await;
    scene.give(&scene.claims(&begun));
    assert!(scene.finish(&begun, &good(&begun)).await.is_ok());
    let asked = scene.place.server.last("/token");
    assert!(asked.body.contains("client_secret=s") && !asked.head.to_lowercase().contains("authorization"));
}

#[tokio::test]
async fn cookies_over_https_belong_to_one_host() {
    let scene = Scene::with(None, json!({}), "https://chat.example.com/").await;
    assert_eq!(scene.sign_in.cookie_name(), "__Host-stoa_oidc");
    let departure = scene.sign_in.start("company", &format!("/{}", "x".repeat(1_023))).await.unwrap();
    assert!(departure.cookie.starts_with("__Host-stoa_oidc="));
    assert!(departure.cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"));
    assert!(departure.cookie.len() < 4_000, "{}", departure.cookie.len());
    assert!(
        departure
            .url
            .as_str()
            .contains("https%3A%2F%2Fchat.example.com%2Fapi%2Fv1%2Fauth%2Foidc%2Fcompany%2Fcallback")
    );
    for secret in ["state", "nonce"] {
        let value = departure.url.query_pairs().find(|(name, _)| name == secret).unwrap().1.into_owned();
        assert!(!departure.cookie.contains(&value), "the cookie is sealed");
    }
}

#[test]
fn only_paths_of_this_server_are_returned_to() {
    for path in ["/", "/apps/tutor", "/apps/tutor?x=%0a&y=//z#a", "/ä"] {
        assert_eq!(local_path(path), Some(path));
    }
    for other in [
        "",
        "apps",
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        " /",
        "/x\r\nSet-Cookie: a=b",
        "/\u{a0}",
        "javascript:alert(1)",
        &format!("/{}", "x".repeat(1_024)),
    ] {
        assert_eq!(local_path(other), None, "{other:?}");
    }
}

#[tokio::test]
async fn what_is_no_path_of_this_server_leads_to_the_first_page() {
    let scene = Scene::new().await;
    let begun = scene.begin("//evil.example").await;
    scene.give(&scene.claims(&begun));
    assert_eq!(scene.finish(&begun, &good(&begun)).await.unwrap().return_to, "/");
}
