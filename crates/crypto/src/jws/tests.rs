//! Attacks on the reader, with keys made here.

use kernel::Secret;
use serde_json::json;

use super::*;

fn key(text: &str) -> SigningKey {
    SigningKey::hs256(&Secret::new(text.to_owned())).unwrap()
}

fn pair(text: &str) -> SigningKey {
    SigningKey::ed25519(&Secret::new(text.to_owned())).unwrap()
}

fn claims() -> Map<String, Value> {
    json!({"sub": "ann"}).as_object().unwrap().clone()
}

fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A token with this header, signed properly with this secret by HS256.
fn forged(secret: &[u8], header: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(r#"{"sub":"ann"}"#));
    let hmac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    format!("{signed}.{}", encode(ring::hmac::sign(&hmac, signed.as_bytes())))
}

fn verify(token: &str, key: &Key) -> Result<Vec<u8>, Flaw> {
    Unverified::read(token)?.verify(key)
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn what_is_signed_verifies_with_its_key_alone() {
    for (one, other) in
        [(key(SECRET), key("another secret of thirty-two bytes")), (pair(SECRET), pair("other"))]
    {
        let token = one.sign("at+jwt", &claims());
        let read = Unverified::read(token.expose()).unwrap();
        let header = read.header().clone();
        assert_eq!((header.kid.as_deref(), header.typ.as_deref()), (Some(one.kid()), Some("at+jwt")));
        assert_eq!(read.verify(one.key()).unwrap(), br#"{"sub":"ann"}"#);
        assert!(verify(token.expose(), other.key()).is_err());
        assert_ne!(one.kid(), other.kid());
    }
}

#[test]
fn none_is_refused_in_every_case() {
    for bits in 0..16 {
        let name: String = "none"
            .chars()
            .enumerate()
            .map(|(at, c)| if bits >> at & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        let header = format!(r#"{{"alg":"{name}"}}"#);
        let unsigned = format!("{}.{}.", encode(&header), encode("{}"));
        assert!(Unverified::read(&unsigned).is_err(), "{name}");
        assert!(verify(&forged(SECRET.as_bytes(), &header), key(SECRET).key()).is_err(), "{name}");
    }
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"HS256"}"#), encode("{}"));
    assert!(Unverified::read(&unsigned).is_err());
}

#[test]
fn a_public_key_is_no_secret() {
    let pair = pair(SECRET);
    let jwk = pair.key().jwk().unwrap();
    let x = jwk["x"].as_str().unwrap();
    // The attacker knows the public key in every spelling and signs with it as if it were a shared secret.
    for secret in [URL_SAFE_NO_PAD.decode(x).unwrap(), x.as_bytes().to_vec(), jwk.to_string().into_bytes()] {
        for alg in ["HS256", "EdDSA"] {
            let header = format!(r#"{{"alg":"{alg}","kid":"{}"}}"#, pair.kid());
            assert!(verify(&forged(&secret, &header), pair.key()).is_err());
        }
    }
}

#[test]
fn other_algorithms_are_refused() {
    for alg in [
        "HS384", "HS512", "hs256", "HS256 ", "RS512", "PS256", "ES384", "ES256K", "eddsa", "", "RSA-OAEP",
        "dir",
    ] {
        let header = json!({"alg": alg}).to_string();
        assert!(verify(&forged(SECRET.as_bytes(), &header), key(SECRET).key()).is_err(), "{alg}");
    }
    for header in
        [r#"{"typ":"JWT"}"#, r#"{"alg":null}"#, r#"{"alg":["HS256"]}"#, r#"{"alg":1}"#, "{}", "[]", ""]
    {
        assert!(verify(&forged(SECRET.as_bytes(), header), key(SECRET).key()).is_err(), "{header}");
    }
    assert!(verify(&forged(SECRET.as_bytes(), r#"{"alg":"HS256"}"#), key(SECRET).key()).is_ok());
}

#[test]
fn extensions_and_repeated_names_are_refused() {
    for header in [
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","b64":false}"#,
        r#"{"alg":"HS256","zip":"DEF"}"#,
        r#"{"alg":"HS256","enc":"A256GCM"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"HS256"}"#,
        r#"{"alg":"HS256","kid":7}"#,
        r#"{"alg":"HS256","kid":""}"#,
        r#"{"alg":"HS256","typ":null}"#,
        r#"{"alg":"HS256"} "x""#,
    ] {
        assert!(verify(&forged(SECRET.as_bytes(), header), key(SECRET).key()).is_err(), "{header}");
    }
}

#[test]
fn keys_inside_of_a_token_are_not_looked_at() {
    let attacker = pair("attacker");
    let jwk = attacker.key().jwk().unwrap();
    for extra in [
        json!({"jwk": jwk}),
        json!({"jku": "http://127.0.0.1/keys"}),
        json!({"x5u": "http://127.0.0.1/"}),
        json!({"x5c": ["AAAA"]}),
    ] {
        let mut header = extra.as_object().unwrap().clone();
        header.insert("alg".to_owned(), "HS256".into());
        let header = Value::Object(header).to_string();
        // Ignored when the signature is right, and no help when it is not.
        assert!(verify(&forged(SECRET.as_bytes(), &header), key(SECRET).key()).is_ok());
        assert!(verify(&forged(&[1; 32], &header), key(SECRET).key()).is_err());
    }
}

#[test]
fn only_the_canonical_compact_form_is_read() {
    let key = key(SECRET);
    let token = key.sign("at+jwt", &claims());
    let token = token.expose();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!() };
    for other in [
        format!("{token}."),
        format!("{token}.x"),
        format!(".{token}"),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}==.{signature}"),
        format!("{header}.{payload}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}.{signature}.{signature}.{signature}"),
        token.replace('-', "+").replace('_', "/") + "+",
        json!({"protected": header, "payload": payload, "signature": signature}).to_string(),
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "....".to_owned(),
        "ü.ü.ü".to_owned(),
    ] {
        assert!(verify(&other, key.key()).is_err(), "{other}");
    }
    // Two characters that differ in spare bits alone decode to the same bytes elsewhere.
    let last = signature.chars().last().unwrap();
    for other in
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars().filter(|c| *c != last)
    {
        let altered = format!("{header}.{payload}.{}{other}", &signature[..signature.len() - 1]);
        assert!(verify(&altered, key.key()).is_err());
    }
}

#[test]
fn long_tokens_are_refused_unread() {
    let key = key(SECRET);
    let mut claims = claims();
    claims.insert("x".to_owned(), "y".repeat(LONGEST).into());
    let token = key.sign("at+jwt", &claims);
    assert_eq!(verify(token.expose(), key.key()), Err(Flaw("the token is too long")));
    let header = json!({"alg": "HS256", "x": "y".repeat(LONGEST_HEADER)}).to_string();
    assert_eq!(verify(&forged(SECRET.as_bytes(), &header), key.key()), Err(Flaw("the header is too long")));
}

#[test]
fn the_thumbprint_is_that_of_the_rfc() {
    // RFC 8037, appendix A.3.
    let x = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    let jwk = Key::ed25519(x.try_into().unwrap()).jwk().unwrap();
    assert_eq!(jwk["kid"], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert!(key(SECRET).key().jwk().is_none());
    let set = KeySet::parse_public(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
    assert_eq!(set.find(jwk["kid"].as_str()).unwrap().algorithm(), Algorithm::EdDsa);
    assert!(set.find(None).is_some() && set.find(Some("other")).is_none());
}

#[test]
fn short_secrets_are_stretched_and_never_used_as_they_are() {
    assert!(Key::hmac(&[7; 31]).is_err() && Key::hmac(&[7; 32]).is_ok());
    let short = key("short");
    let token = short.sign("at+jwt", &claims());
    assert!(verify(token.expose(), short.key()).is_ok());
    assert!(verify(&forged(b"short", r#"{"alg":"HS256"}"#), short.key()).is_err());
    // One that is long enough is taken as it is, so that other services of the operator can verify.
    assert!(verify(&forged(SECRET.as_bytes(), r#"{"alg":"HS256"}"#), key(SECRET).key()).is_ok());
}

#[test]
fn rsa_keys_are_sound_or_refused() {
    let modulus = |bits: usize| {
        let mut n = vec![0xab; bits.div_ceil(8)];
        n[0] = 0xff >> (n.len() * 8 - bits);
        n
    };
    let exponent = [1, 0, 1];
    for bits in [2_048, 2_049, 4_096, 8_192] {
        assert!(Key::rsa(&modulus(bits), &exponent).is_ok(), "{bits}");
        let padded = [vec![0], modulus(bits)].concat();
        assert!(Key::rsa(&padded, &[0, 1, 0, 1]).is_ok(), "{bits}");
    }
    for bits in [8, 1_024, 2_040, 2_047, 8_193, 16_384] {
        assert!(Key::rsa(&modulus(bits), &exponent).is_err(), "{bits}");
    }
    let even = |mut n: Vec<u8>| {
        n.pop();
        n.push(2);
        n
    };
    assert!(Key::rsa(&even(modulus(2_048)), &exponent).is_err());
    for e in [&[][..], &[0], &[1], &[3], &[17], &[1, 0, 0], &[1, 0, 2], &[2, 0, 0, 0, 1], &[0xff; 9]] {
        assert!(Key::rsa(&modulus(2_048), e).is_err(), "{e:?}");
    }
    assert!(Key::rsa(&[], &exponent).is_err());
}

#[test]
fn key_sets_leave_out_what_is_not_ours() {
    let jwk = pair("a").key().jwk().unwrap();
    let with = |name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    let found = |keys: Value| {
        let set = KeySet::parse_public(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
        set.find(jwk["kid"].as_str()).is_some()
    };
    assert!(found(json!([jwk])));
    assert!(found(json!([jwk, {"kty": "EC", "crv": "secp256k1"}, {"kty": "new"}, {}, 7, null])));
    for broken in [
        with("use", "enc".into()),
        with("use", Value::Null),
        with("key_ops", json!(["sign"])),
        with("key_ops", "verify".into()),
        with("alg", "ES256".into()),
        with("alg", Value::Null),
        with("crv", "X25519".into()),
        with("kty", "EC".into()),
        with("x", "AAAA".into()),
        with("x", format!("{}=", jwk["x"].as_str().unwrap()).into()),
        with("d", "AAAA".into()),
    ] {
        assert!(!found(json!([broken])), "{broken}");
    }
    // Two keys under one name: neither is meant.
    assert!(!found(json!([jwk, with("x", pair("b").key().jwk().unwrap()["x"].clone())])));
    // Not even when one of them is broken. A key for something else may share the name.
    assert!(!found(json!([jwk, with("x", "AAAA".into())])));
    assert!(found(json!([jwk, with("use", "enc".into())])));
    // A token without a name finds the key only where there is no choice.
    let two = json!({"keys": [jwk, with("kid", "b".into())]}).to_string();
    assert!(KeySet::parse_public(two.as_bytes()).unwrap().find(None).is_none());
}

#[test]
fn key_sets_that_cannot_be_meant_well_are_refused() {
    let jwk = pair("a").key().jwk().unwrap();
    let oct = json!({"kty": "oct", "alg": "HS256", "kid": "s", "k": encode([7; 32])});
    for set in [
        json!({"keys": [oct]}),
        json!({"keys": [oct, jwk]}),
        json!({"keys": {}}),
        json!({}),
        json!([jwk]),
        json!({"keys": vec![jwk.clone(); MOST_KEYS_AND_ONE]}),
    ] {
        assert!(KeySet::parse_public(set.to_string().as_bytes()).is_err(), "{set}");
    }
    assert!(KeySet::parse(json!({"keys": [oct]}).to_string().as_bytes()).unwrap().find(Some("s")).is_some());
    assert!(KeySet::parse(json!({"keys": [oct, jwk]}).to_string().as_bytes()).is_err());
    assert!(KeySet::parse_public(b"{\"keys\":[],\"keys\":[]}").is_err());
    assert!(KeySet::parse_public(b"{\"keys\":[]}").unwrap().is_empty());
}

const MOST_KEYS_AND_ONE: usize = 129;
