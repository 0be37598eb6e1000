//! Access tokens under attack. The attacker holds valid tokens, the public keys, and every tool but the secrets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Clock, Random};
use ring::hmac;

use super::*;

/// A clock that tests turn.
#[derive(Default)]
pub(crate) struct Hands(pub(crate) AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Time {
        Time::from_micros(self.0.load(Ordering::SeqCst))
    }
}

struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        for (at, byte) in (0_u64..).zip(bytes) {
            *byte = (count.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(at * 0xff51_afd7) >> 24) as u8;
        }
    }
}

/// An ambient whose clock stands at this second, and its hands.
pub(crate) fn hands(seconds: i64) -> (Ambient, Arc<Hands>) {
    let hands = Arc::new(Hands(AtomicI64::new(seconds * 1_000_000)));
    (Ambient::new(hands.clone(), Arc::new(Counting(AtomicU64::new(1)))), hands)
}

/// An ambient whose clock stands at this second.
pub(crate) fn ambient(seconds: i64) -> Ambient {
    hands(seconds).0
}

const NOW: i64 = 1_795_222_923;
const SECRET: &str = "k7Qz0VfWm2Lr9XcNb4TgYh6JpS1dUeAoP3xZ";

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn config(algorithm: SigningAlgorithm, secrets: &[&str]) -> AccessTokens {
    AccessTokens {
        algorithm,
        secrets: secrets.iter().map(|text| secret(text)).collect(),
        issuer: "https://chat.example.com".to_owned(),
        lifetime: Duration::from_secs(1_800),
        refresh_lifetime: Duration::from_secs(86_400),
    }
}

fn ring(algorithm: SigningAlgorithm, secrets: &[&str]) -> Ring {
    Ring::new(&config(algorithm, secrets), &[secret("the secret of cookies, long enough")]).unwrap()
}

fn issue(ring: &Ring, seconds: i64) -> (Secret<String>, UserId, SessionId) {
    let ambient = ambient(seconds);
    let (user, session) = (UserId::new(&ambient), SessionId::new(&ambient));
    (ring.issue(user, session, &ambient), user, session)
}

fn at(seconds: i64) -> Time {
    Time::from_seconds(seconds)
}

/// The claims of a good token with some replaced (`null` removes), signed with the ring's own key.
fn with(ring: &Ring, changes: Value) -> String {
    let ambient = ambient(NOW);
    let mut claims = json!({
        "iss": "https://chat.example.com", "aud": "stoa", "sub": UserId::new(&ambient), "sid": SessionId::new(&ambient),
        "jti": Uuid::from_bytes(ambient.bytes()).to_string(), "iat": NOW, "exp": NOW + 60, "iat_us": 5,
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    ring.signer.sign(TYPE, claims.as_object().unwrap()).expose().clone()
}

/// A token signed by HS256 with any secret, under any header and payload.
fn forge(secret: &[u8], header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes())))
}

fn payload(token: &str) -> String {
    let part = token.split('.').nth(1).unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn a_token_says_whose_it_is_until_its_second_ends() {
    for algorithm in [SigningAlgorithm::Hs256, SigningAlgorithm::EdDsa] {
        let ring = ring(algorithm, &[SECRET]);
        let (token, user, session) = issue(&ring, NOW);
        let access = ring.verify(token.expose(), at(NOW)).unwrap();
        assert_eq!((access.user, access.session), (user, session));
        assert_eq!((access.issued_at, access.expires_at), (at(NOW), at(NOW + 1_800)));
        assert!(ring.verify(token.expose(), Time::from_micros((NOW + 1_800) * 1_000_000 - 1)).is_ok());
        assert_eq!(ring.verify(token.expose(), at(NOW + 1_800)), Err(Flaw::Expired));
        assert_eq!(Shape::of(token.expose()), Shape::Access);
        assert!(token.expose().len() < 700);
    }
}

#[test]
fn the_moment_of_issue_is_exact() {
    let ring = ring(SigningAlgorithm::Hs256, &[SECRET]);
    let (ambient, hands) = hands(NOW);
    hands.0.store(NOW * 1_000_000 + 123_456, Ordering::SeqCst);
    let token = ring.issue(UserId::new(&ambient), SessionId::new(&ambient), &ambient);
    let access = ring.verify(token.expose(), ambient.now()).unwrap();
    assert_eq!(access.issued_at, Time::from_micros(NOW * 1_000_000 + 123_456));
}

#[test]
fn secrets_rotate_and_unknown_keys_are_refused() {
    for algorithm in [SigningAlgorithm::Hs256, SigningAlgorithm::EdDsa] {
        let (old, new) = ("an old secret of more than 32 bytes", "a new secret of more than 32 bytes!");
        let (token, ..) = issue(&ring(algorithm, &[old]), NOW);
        assert!(ring(algorithm, &[new, old]).verify(token.expose(), at(NOW)).is_ok());
        assert_eq!(
            ring(algorithm, &[new]).verify(token.expose(), at(NOW)),
            Err(Flaw::Invalid("the token names an unknown key"))
        );
        // Without a secret of its own the ring derives one from that of cookies, and accepts it ever after.
        let (token, ..) = issue(&ring(algorithm, &[]), NOW);
        assert!(ring(algorithm, &[new]).verify(token.expose(), at(NOW)).is_ok());
    }
    assert!(Ring::new(&config(SigningAlgorithm::Hs256, &[]), &[]).is_err());
}

#[test]
fn another_algorithm_is_another_key() {
    let (hs, ed) = (ring(SigningAlgorithm::Hs256, &[SECRET]), ring(SigningAlgorithm::EdDsa, &[SECRET]));
    let (token, ..) = issue(&hs, NOW);
    assert!(ed.verify(token.expose(), at(NOW)).is_err());
    let (token, ..) = issue(&ed, NOW);
    assert!(hs.verify(token.expose(), at(NOW)).is_err());
}

#[test]
fn the_document_holds_public_keys_alone() {
    assert!(ring(SigningAlgorithm::Hs256, &[SECRET]).jwks().is_none());
    let ring = ring(SigningAlgorithm::EdDsa, &[SECRET, "an old secret of more than 32 bytes", SECRET]);
    let document = ring.jwks().unwrap();
    assert_eq!(document["keys"].as_array().unwrap().len(), 3);
    assert!(!document.to_string().contains("\"d\""));
    let set = crypto::jws::KeySet::parse_public(document.to_string().as_bytes()).unwrap();
    let (token, ..) = issue(&ring, NOW);
    let token = Unverified::read(token.expose()).unwrap();
    let key = set.find(token.header().kid.as_deref()).unwrap().clone();
    assert!(token.verify(&key).is_ok());
}

#[test]
fn public_keys_are_no_secrets() {
    let ring = ring(SigningAlgorithm::EdDsa, &[SECRET]);
    let (token, ..) = issue(&ring, NOW);
    let payload = payload(token.expose());
    let kid = ring.signer.kid();
    let document = ring.jwks().unwrap();
    let x = document["keys"][0]["x"].as_str().unwrap();
    for secret in
        [x.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(x).unwrap(), document.to_string().into_bytes()]
    {
        for alg in ["HS256", "HS512", "EdDSA"] {
            let header = format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}"}}"#);
            assert!(ring.verify(&forge(&secret, &header, &payload), at(NOW)).is_err());
        }
    }
}

#[test]
fn headers_cannot_talk_their_way_in() {
    let ring = ring(SigningAlgorithm::Hs256, &[SECRET]);
    let (token, ..) = issue(&ring, NOW);
    let payload = payload(token.expose());
    let kid = ring.signer.kid().to_owned();
    let attempt =
        |header: Value| ring.verify(&forge(SECRET.as_bytes(), &header.to_string(), &payload), at(NOW));
    let good = json!({"alg": "HS256", "typ": "at+jwt", "kid": kid});
    assert!(attempt(good.clone()).is_ok());
    let changed = |name: &str, value: Value| {
        let mut header = good.clone();
        header[name] = value;
        header
    };
    for alg in ["none", "None", "NONE", "nOnE", "HS384", "HS512", "RS256", "EdDSA", "hs256", ""] {
        assert!(attempt(changed("alg", alg.into())).is_err(), "{alg}");
    }
    for typ in ["JWT", "rt+jwt", "AT+JWT", "at+jwt ", ""] {
        assert!(attempt(changed("typ", typ.into())).is_err(), "{typ}");
    }
    for kid in ["", "x", "../../etc/passwd", "' or 1=1 --", &kid[..15], &format!("{kid}a")] {
        assert!(attempt(changed("kid", kid.into())).is_err(), "{kid}");
    }
    assert!(attempt(changed("crit", json!(["exp"]))).is_err());
    assert!(attempt(json!({"alg": "HS256", "kid": kid})).is_err());
    assert!(attempt(json!({"alg": "HS256", "typ": "at+jwt"})).is_err());
    // A key that the token brings along is not looked at.
    let own = SigningKey::ed25519(&secret("attacker")).unwrap();
    let brought = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": own.kid(), "jwk": own.key().jwk(), "jku": "http://127.0.0.1/"});
    let signed = own.sign(TYPE, serde_json::from_str::<Value>(&payload).unwrap().as_object().unwrap());
    assert!(ring.verify(signed.expose(), at(NOW)).is_err());
    assert!(attempt(brought).is_err());
}

#[test]
fn every_claim_must_be_there_and_right() {
    let ring = ring(SigningAlgorithm::EdDsa, &[SECRET]);
    let attempt = |changes: Value| ring.verify(&with(&ring, changes), at(NOW)).map(|_| ());
    assert_eq!(attempt(json!({})), Ok(()));
    for claim in ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "iat_us"] {
        assert!(matches!(attempt(json!({ claim: null })), Err(Flaw::Invalid(_))), "{claim}");
        for wrong in [json!(""), json!("x"), json!(true), json!({}), json!([]), json!(-1), json!(1e300)] {
            assert!(matches!(attempt(json!({ claim: wrong })), Err(Flaw::Invalid(_))), "{claim}: {wrong}");
        }
    }
    for (claim, wrong) in [
        ("iss", json!("https://chat.example.com/")),
        ("iss", json!("stoa")),
        ("aud", json!(["stoa"])),
        ("aud", json!("Stoa")),
        ("sub", json!("00000000000000000000000000000000")),
        ("iat", json!(NOW + 61)),
        ("exp", json!(NOW)),
        ("exp", json!(NOW.to_string())),
        ("nbf", json!(NOW + 61)),
        ("nbf", json!("now")),
    ] {
        assert!(matches!(attempt(json!({ claim: wrong })), Err(Flaw::Invalid(_))), "{claim}: {wrong}");
    }
    // A clock that is a minute ahead, and no more.
    assert_eq!(attempt(json!({"iat": NOW + 60, "exp": NOW + 120})), Ok(()));
    assert_eq!(attempt(json!({"iat": NOW - 60, "exp": NOW})), Err(Flaw::Expired));
    // Expired and wrong is wrong: expiry must not tell that the rest was right.
    assert!(matches!(attempt(json!({"iat": NOW - 60, "exp": NOW, "aud": "other"})), Err(Flaw::Invalid(_))));
}

#[test]
fn repeated_claims_and_trailing_data_are_refused() {
    let ring = ring(SigningAlgorithm::Hs256, &[SECRET]);
    let good = payload(&with(&ring, json!({})));
    let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": ring.signer.kid()}).to_string();
    let attempt = |payload: &str| ring.verify(&forge(SECRET.as_bytes(), &header, payload), at(NOW));
    assert!(attempt(&good).is_ok());
    let other = UserId::new(&ambient(NOW));
    for payload in [
        good.replacen('{', &format!(r#"{{"sub":"{other}","#), 1),
        good.replacen('{', &format!(r#"{{"\u0073ub":"{other}","#), 1),
        format!("{good}{good}"),
        format!("{good} x"),
        format!("[{good}]"),
        String::new(),
        "null".to_owned(),
    ] {
        assert!(matches!(attempt(&payload), Err(Flaw::Invalid(_))), "{payload}");
    }
}

#[test]
fn one_changed_character_is_refused() {
    for algorithm in [SigningAlgorithm::Hs256, SigningAlgorithm::EdDsa] {
        let ring = ring(algorithm, &[SECRET]);
        let (token, ..) = issue(&ring, NOW);
        let token = token.expose();
        for index in 0..token.len() {
            let swap = if &token[index..=index] == "A" { "B" } else { "A" };
            let altered = format!("{}{swap}{}", &token[..index], &token[index + 1..]);
            assert!(ring.verify(&altered, at(NOW)).is_err(), "character {index}");
            assert!(ring.verify(&token[..index], at(NOW)).is_err(), "cut at {index}");
        }
    }
}

#[test]
fn faults_tell_expired_from_everything_else() {
    assert_eq!(Fault::from(Flaw::Expired).code(), Code::TokenExpired);
    let fault = Fault::from(Flaw::Invalid("the token is of another issuer"));
    assert_eq!(fault.code(), Code::Unauthenticated);
    assert!(!fault.to_string().contains("issuer"));
    let fault = Fault::from(Flaw::Unavailable);
    assert!(fault.code() == Code::Unavailable && fault.retry().is_some());
}

#[test]
fn bearer_values_are_told_apart() {
    let other = SigningKey::ed25519(&secret("x")).unwrap().sign("JWT", &Map::new());
    assert_eq!(Shape::of(other.expose()), Shape::Identity);
    for opaque in ["stoa_0123456789", "a.b", "a.b.c.d", "", "..", "sk-live.12.34"] {
        assert_eq!(Shape::of(opaque), Shape::Opaque, "{opaque}");
    }
    // What wants to be a signed token is judged as one, never as a key.
    assert_eq!(Shape::of("eyJhbGciOiJub25lIn0.e30."), Shape::Identity);
}
