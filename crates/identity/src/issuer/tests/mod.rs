//! Issuers against a server on loopback that rotates its keys, fails, lies and comes back.

pub(crate) mod forge;
pub(crate) mod server;

mod claims;

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::token::tests::{Hands, hands};
use forge::{Signer, set};
use server::Server;

pub(crate) const NOW: i64 = 1_795_222_923;
const KEYS: &str = "/keys";
const DOCUMENT: &str = "/.well-known/openid-configuration";

/// Two ways to the keys of the server, an issuer `firebase` too, and a clock.
pub(crate) struct Place {
    pub(crate) server: Server,
    pub(crate) hands: Arc<Hands>,
    pub(crate) ambient: Ambient,
    pub(crate) outbound: Outbound,
}

impl Place {
    pub(crate) async fn new() -> Place {
        let (ambient, hands) = hands(NOW);
        let outbound = Outbound::new(Duration::from_secs(2)).unwrap();
        Place { server: Server::start().await, hands, ambient, outbound }
    }

    pub(crate) fn trusted(&self, direct: bool) -> TrustedIssuer {
        TrustedIssuer {
            name: "company".to_owned(),
            issuer: self.server.base.clone(),
            audience: Some("stoa".to_owned()),
            jwks_url: direct.then(|| format!("{}{KEYS}", self.server.base).parse().unwrap()),
            client: None,
        }
    }

    fn issuer(&self, direct: bool) -> Arc<Issuer> {
        Arc::new(Issuer::new(&self.trusted(direct), &self.outbound, &self.ambient))
    }

    fn firebase(&self) -> Arc<Issuer> {
        let jwks_url = format!("{}{KEYS}", self.server.base).parse().unwrap();
        let firebase = Firebase { project: "tutor-1".to_owned(), jwks_url };
        Arc::new(Issuer::firebase(&firebase, &self.outbound, &self.ambient))
    }

    /// Turns the clock forward.
    pub(crate) fn wait(&self, seconds: i64) {
        self.hands.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// The claims of a token that ends long after every test.
    pub(crate) fn claims(&self) -> Value {
        let now = self.ambient.now().seconds();
        json!({"iss": self.server.base, "aud": "stoa", "sub": "ann-1", "iat": now, "exp": now + 1_000_000})
    }
}

async fn verdict(issuer: &Issuer, token: &str) -> Result<(), Flaw> {
    issuer.verify(token, "stoa").await.map(|_| ())
}

const UNKNOWN_KEY: Result<(), Flaw> = Err(Flaw::Invalid("the token names an unknown key"));

#[tokio::test]
async fn tokens_of_every_algorithm_verify() {
    let place = Place::new().await;
    let signers = [Signer::rs256("r"), Signer::es256("e"), Signer::eddsa("d", 1)];
    let all: Vec<&Signer> = signers.iter().collect();
    place.server.say(KEYS, "max-age=600", set(&all));
    let issuer = place.issuer(true);
    for signer in &signers {
        let mut claims = place.claims();
        claims["email"] = "ann@example.com".into();
        claims["email_verified"] = true.into();
        claims["name"] = " Ann\u{7} Example ".into();
        claims["auth_time"] = (NOW - 5).into();
        claims["nonce"] = "n".into();
        let claims = issuer.verify(&signer.sign(&claims), "stoa").await.unwrap();
        assert_eq!((claims.issuer.as_str(), claims.subject.as_str()), (place.server.base.as_str(), "ann-1"));
        assert_eq!((claims.email.as_deref(), claims.email_verified), (Some("ann@example.com"), true));
        assert_eq!((claims.name.as_deref(), claims.nonce.as_deref()), (Some("Ann Example"), Some("n")));
        assert_eq!(claims.auth_time, Some(Time::from_seconds(NOW - 5)));
        assert_eq!(claims.expires_at, Time::from_seconds(NOW + 1_000_000));
        assert!(!format!("{claims:?}").contains("nn"), "{claims:?}");
    }
    assert_eq!(place.server.count(KEYS), 1);
}

#[tokio::test]
async fn keys_are_found_by_discovery() {
    let place = Place::new().await;
    let signer = Signer::es256("e");
    let document = json!({"issuer": place.server.base, "jwks_uri": format!("{}{KEYS}", place.server.base)});
    place.server.say(DOCUMENT, "max-age=86400", document.to_string());
    place.server.say(KEYS, "max-age=600", set(&[&signer]));
    let issuer = place.issuer(false);
    let token = signer.sign(&place.claims());
    assert_eq!(verdict(&issuer, &token).await, Ok(()));
    place.wait(700);
    assert_eq!(verdict(&issuer, &token).await, Ok(()));
    // The document is kept for as long as it says, the keys for as long as they say.
    assert_eq!((place.server.count(DOCUMENT), place.server.count(KEYS)), (1, 2));
}

#[tokio::test]
async fn a_document_of_somebody_else_is_not_believed() {
    let place = Place::new().await;
    let signer = Signer::es256("e");
    let document = json!({"issuer": format!("{}/", place.server.base), "jwks_uri": format!("{}{KEYS}", place.server.base)});
    place.server.say(DOCUMENT, "max-age=600", document.to_string());
    place.server.say(KEYS, "max-age=600", set(&[&signer]));
    assert_eq!(verdict(&place.issuer(false), &signer.sign(&place.claims())).await, Err(Flaw::Unavailable));
    assert_eq!(place.server.count(KEYS), 0);
}

#[tokio::test]
async fn new_keys_are_found_within_half_a_minute_and_old_ones_forgotten() {
    let place = Place::new().await;
    let (old, new) = (Signer::eddsa("old", 1), Signer::eddsa("new", 2));
    place.server.say(KEYS, "max-age=3600", set(&[&old]));
    let issuer = place.issuer(true);
    let (by_old, by_new) = (old.sign(&place.claims()), new.sign(&place.claims()));
    assert_eq!(verdict(&issuer, &by_old).await, Ok(()));
    place.server.say(KEYS, "max-age=3600", set(&[&new]));
    // The set was read just now; anybody can name a key that does not exist.
    assert_eq!(verdict(&issuer, &by_new).await, UNKNOWN_KEY);
    assert_eq!(place.server.count(KEYS), 1);
    place.wait(30);
    assert_eq!(verdict(&issuer, &by_new).await, Ok(()));
    assert_eq!(verdict(&issuer, &by_old).await, UNKNOWN_KEY);
    assert_eq!(place.server.count(KEYS), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_once_in_half_a_minute() {
    let place = Place::new().await;
    let known = Signer::eddsa("known", 1);
    place.server.say(KEYS, "max-age=86400", set(&[&known]));
    let issuer = place.issuer(true);
    let good = known.sign(&place.claims());
    assert_eq!(verdict(&issuer, &good).await, Ok(()));
    for round in 1..=3 {
        place.wait(30);
        let mut flood = tokio::task::JoinSet::new();
        for at in 0..100 {
            let token = Signer::eddsa(&format!("k{round}-{at}"), 7).sign(&place.claims());
            let issuer = Arc::clone(&issuer);
            flood.spawn(async move { verdict(&issuer, &token).await });
        }
        while let Some(result) = flood.join_next().await {
            assert_eq!(result.unwrap(), UNKNOWN_KEY);
        }
        assert_eq!(verdict(&issuer, &good).await, Ok(()));
        assert_eq!(place.server.count(KEYS), 1 + round);
    }
}

#[tokio::test]
async fn however_many_ask_one_reads() {
    let place = Place::new().await;
    let signer = Signer::eddsa("a", 1);
    place.server.say(KEYS, "max-age=60", set(&[&signer]));
    place.server.hold(true);
    let issuer = place.issuer(true);
    let ask = |count: usize| {
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..count {
            let (issuer, token) = (Arc::clone(&issuer), signer.sign(&place.claims()));
            asking.spawn(async move { verdict(&issuer, &token).await });
        }
        asking
    };
    let asking = ask(50);
    while place.server.count(KEYS) == 0 {
        tokio::task::yield_now().await;
    }
    place.server.hold(false);
    assert!(asking.join_all().await.into_iter().all(|result| result == Ok(())));
    assert_eq!(place.server.count(KEYS), 1);
    // When the time of the set is over one reads, and nobody else waits for that.
    place.wait(61);
    place.server.hold(true);
    let mut first = ask(1);
    while place.server.count(KEYS) == 1 {
        tokio::task::yield_now().await;
    }
    assert!(ask(50).join_all().await.into_iter().all(|result| result == Ok(())));
    assert!(first.try_join_next().is_none(), "the answer is still held back");
    place.server.hold(false);
    assert_eq!(first.join_next().await.unwrap().unwrap(), Ok(()));
    assert_eq!(place.server.count(KEYS), 2);
}

#[tokio::test]
async fn who_goes_away_does_not_take_the_answer_along() {
    let place = Place::new().await;
    let signer = Signer::eddsa("a", 1);
    place.server.say(KEYS, "max-age=600", set(&[&signer]));
    place.server.hold(true);
    let issuer = place.issuer(true);
    let (asking, token) = (Arc::clone(&issuer), signer.sign(&place.claims()));
    let gone = tokio::spawn(async move { verdict(&asking, &token).await });
    while place.server.count(KEYS) == 0 {
        tokio::task::yield_now().await;
    }
    gone.abort();
    place.server.hold(false);
    assert_eq!(verdict(&issuer, &signer.sign(&place.claims())).await, Ok(()));
    assert_eq!(place.server.count(KEYS), 1);
}

#[tokio::test]
async fn sets_are_kept_for_a_minute_to_a_day() {
    for (said, kept) in [
        ("max-age=600", 600),
        ("max-age=1", 60),
        ("no-store", 60),
        ("max-age=99999999", 86_400),
        ("public", 600),
    ] {
        let place = Place::new().await;
        let signer = Signer::eddsa("a", 1);
        place.server.say(KEYS, said, set(&[&signer]));
        let issuer = place.issuer(true);
        let token = signer.sign(&place.claims());
        assert_eq!(verdict(&issuer, &token).await, Ok(()));
        place.wait(kept - 1);
        assert_eq!(verdict(&issuer, &token).await, Ok(()));
        assert_eq!(place.server.count(KEYS), 1, "{said}");
        place.wait(1);
        assert_eq!(verdict(&issuer, &token).await, Ok(()));
        assert_eq!(place.server.count(KEYS), 2, "{said}");
    }
}

#[tokio::test]
async fn known_keys_serve_through_an_outage_and_then_the_door_closes() {
    let place = Place::new().await;
    let signer = Signer::eddsa("a", 1);
    place.server.say(KEYS, "max-age=600", set(&[&signer]));
    let issuer = place.issuer(true);
    let token = signer.sign(&place.claims());
    assert_eq!(verdict(&issuer, &token).await, Ok(()));
    place.server.down(true);
    place.wait(600);
    // The first tries and fails, the others do not try again for a while.
    for _ in 0..5 {
        assert_eq!(verdict(&issuer, &token).await, Ok(()));
    }
    let tried = place.server.count(KEYS);
    assert!(tried <= 3, "{tried}");
    place.wait(599);
    assert_eq!(verdict(&issuer, &token).await, Ok(()));
    place.wait(1);
    assert_eq!(verdict(&issuer, &token).await, Err(Flaw::Unavailable));
    // A key nobody has heard of cannot be judged while its issuer is away.
    let other = Signer::eddsa("b", 2).sign(&place.claims());
    assert_eq!(verdict(&issuer, &other).await, Err(Flaw::Unavailable));
    place.server.down(false);
    assert_eq!(verdict(&issuer, &token).await, Err(Flaw::Unavailable));
    place.wait(5);
    assert_eq!(verdict(&issuer, &token).await, Ok(()));
}

#[tokio::test]
async fn an_issuer_that_never_answered_is_away_and_not_wrong() {
    let place = Place::new().await;
    let signer = Signer::eddsa("a", 1);
    let token = signer.sign(&place.claims());
    let issuer = place.issuer(true);
    let big = format!("{{\"keys\":[],\"x\":\"{}\"}}", "y".repeat(600 * 1024));
    let oct = json!({"keys": [{"kty": "oct", "alg": "HS256", "kid": "a", "k": forge::encode([7; 32])}]})
        .to_string();
    for (status, headers, body) in [
        (500, "", set(&[&signer])),
        (404, "", String::new()),
        (302, "location: /elsewhere\r\n", String::new()),
        (200, "", "<html>".to_owned()),
        (200, "", "{\"keys\":[]}".to_owned()),
        (200, "", oct),
        (200, "", big),
    ] {
        place.server.answer(KEYS, status, headers, body);
        assert_eq!(verdict(&issuer, &token).await, Err(Flaw::Unavailable), "{status}");
        place.wait(5);
    }
    assert_eq!(place.server.count("/elsewhere"), 0);
    place.server.say(KEYS, "max-age=600", set(&[&signer]));
    assert_eq!(verdict(&issuer, &token).await, Ok(()));
    // A set that is broken later throws nothing good away.
    place.server.say(KEYS, "max-age=600", "{\"keys\":[]}");
    place.wait(600);
    assert_eq!(verdict(&issuer, &token).await, Ok(()));
}

#[tokio::test]
async fn a_clock_that_is_set_back_asks_again_and_goes_on() {
    let place = Place::new().await;
    let signer = Signer::eddsa("a", 1);
    place.server.say(KEYS, "max-age=600", set(&[&signer]));
    let issuer = place.issuer(true);
    assert_eq!(verdict(&issuer, &signer.sign(&place.claims())).await, Ok(()));
    place.wait(-1_000_000);
    assert_eq!(verdict(&issuer, &signer.sign(&place.claims())).await, Ok(()));
    assert_eq!(place.server.count(KEYS), 2);
}

#[tokio::test]
async fn tokens_go_to_the_issuer_that_they_name() {
    let place = Place::new().await;
    let signer = Signer::rs256("r");
    place.server.say(KEYS, "max-age=600", set(&[&signer]));
    let mut silent = place.trusted(true);
    silent.issuer = "https://silent.example".to_owned();
    silent.audience = None;
    let firebase = Issuer::firebase(
        &Firebase {
            project: "tutor-1".into(),
            jwks_url: format!("{}{KEYS}", place.server.base).parse().unwrap(),
        },
        &place.outbound,
        &place.ambient,
    );
    let issuers = Issuers(vec![
        Arc::new(firebase),
        place.issuer(true),
        Arc::new(Issuer::new(&silent, &place.outbound, &place.ambient)),
    ]);
    let verdict =
        async |claims: &Value| issuers.verify(&signer.sign(claims)).await.map(|claims| claims.issuer);
    assert_eq!(verdict(&place.claims()).await, Ok(place.server.base.clone()));
    let mut claims = place.claims();
    claims["iss"] = "https://securetoken.google.com/tutor-1".into();
    claims["aud"] = "tutor-1".into();
    claims["auth_time"] = NOW.into();
    assert_eq!(verdict(&claims).await, Ok("https://securetoken.google.com/tutor-1".to_owned()));
    for iss in
        [json!("https://silent.example"), json!("https://evil.example"), json!(""), json!(7), Value::Null]
    {
        let mut claims = place.claims();
        claims["iss"] = iss.clone();
        assert!(matches!(verdict(&claims).await, Err(Flaw::Invalid(_))), "{iss}");
    }
    assert!(matches!(issuers.verify("stoa_not-a-token").await, Err(Flaw::Invalid(_))));
}
