//! Tokens that are altered, swapped, or choose how they are verified.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{cheap, holder, post};
use crate::world::{Case, Issuer, Setup, check};

/// V15: tokens that begin alike are not taken for each other, and a good one in memory vouches for nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_begin_alike_are_mistaken_for_each_other() {
    let issuer = Issuer::start("company").await;
    let world = cheap(Setup::sqlite().unlimited()).file("stoa.toml", &issuer.entry()).start().await;
    let (one, two) = (issuer.token("subject-one"), issuer.token("subject-two"));
    let alike = one.bytes().zip(two.bytes()).take_while(|(a, b)| a == b).count();
    assert!(alike >= 40, "{alike}");
    let id = async |token: &str| holder(&world, token).get("/api/v1/me").send().await.json()["id"].clone();
    let (first, second) = (id(&one).await, id(&two).await);
    assert!(first.is_string() && second.is_string() && first != second);
    assert_eq!((id(&two).await, id(&one).await), (second, first), "also when both are remembered");
    let (ada, eve) =
        (world.person("ada@example.org", false).await, world.person("eve@example.org", false).await);
    let mut forged = Vec::new();
    for token in [&one, ada.tokens["access_token"].as_str().unwrap()] {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = signed.split_once('.').unwrap();
        let other = eve.tokens["access_token"].as_str().unwrap();
        forged.push(format!("{signed}.{}", signature.chars().rev().collect::<String>()));
        forged.push(format!("{header}.{}.{signature}", other.split('.').nth(1).unwrap()));
        forged.push(token[..token.len() - 1].to_owned());
        forged.push(format!("{token}A"));
        forged.push(format!("{token}."));
    }
    check(
        forged
            .iter()
            .map(|token| Case::new(holder(&world, token).get("/api/v1/me"), 401).code("unauthenticated")),
    )
    .await;
}

/// RFC 8725: the key names the algorithm, whatever a token says of itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_chooses_its_algorithm() {
    let world = cheap(Setup::sqlite().unlimited()).set("JWT_ALGORITHM", "EdDSA").start().await;
    let ada = world.person("ada@example.org", false).await;
    let token = ada.tokens["access_token"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    let set = world.anonymous().get("/.well-known/jwks.json").send().await;
    let jwk = set.json()["keys"][0].clone();
    let kid = jwk["kid"].as_str().unwrap();
    let mut forged = Vec::new();
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let header = base64(json!({"alg": algorithm, "typ": "at+jwt", "kid": kid}).to_string().as_bytes());
        forged.extend([format!("{header}.{claims}."), format!("{header}.{claims}.e30")]);
    }
    // The public key, in every form that it is known in, as the secret of HMAC.
    let raw = jwk["x"].as_str().unwrap();
    let secrets =
        [raw.as_bytes().to_vec(), unbase64(raw), jwk.to_string().into_bytes(), set.body.to_vec(), Vec::new()];
    for secret in &secrets {
        for header in
            [json!({"alg": "HS256", "typ": "at+jwt", "kid": kid}), json!({"alg": "HS256", "typ": "at+jwt"})]
        {
            forged.push(hs256(&header, claims, secret));
        }
    }
    // A key that the token brings itself, or says where to find.
    let own =
        crypto::jws::SigningKey::ed25519(&kernel::Secret::new("the attacker's own".to_owned())).unwrap();
    let mine = own.key().jwk().unwrap();
    let object: Value = serde_json::from_slice(&unbase64(claims)).unwrap();
    forged.push(own.sign("at+jwt", object.as_object().unwrap()).expose().clone());
    for extra in [
        json!({"jwk": mine}),
        json!({"jku": "http://127.0.0.1:1/"}),
        json!({"x5u": "http://127.0.0.1:1/"}),
        json!({"kid": "../../dev/null"}),
        json!({"kid": "' OR 1=1 --"}),
        json!({"crit": ["exp"]}),
    ] {
        let mut header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid});
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let signature = own.sign("at+jwt", object.as_object().unwrap());
        let signature = signature.expose().rsplit('.').next().unwrap().to_owned();
        forged.push(format!("{}.{claims}.{signature}", base64(header.to_string().as_bytes())));
    }
    // An access token is no ID token and no refresh token, and the other way round.
    let refresh = ada.tokens["refresh_token"].as_str().unwrap();
    forged.push(refresh.to_owned());
    let mut cases: Vec<Case> = forged
        .iter()
        .map(|token| Case::new(holder(&world, token).get("/api/v1/me"), 401).code("unauthenticated"))
        .collect();
    let caller = world.anonymous();
    cases
        .push(Case::new(post(&caller, "exchange", &json!({"id_token": token})), 401).code("unauthenticated"));
    cases.push(
        Case::new(post(&caller, "refresh", &json!({"refresh_token": token})), 401).code("unauthenticated"),
    );
    cases.push(Case::new(holder(&world, token).get("/api/v1/me"), 200));
    check(cases).await;
    // V32: what can be stolen lives for minutes.
    assert!(ada.tokens["expires_in"].as_u64().unwrap() <= 1800, "{}", ada.tokens);
}

fn hs256(header: &Value, claims: &str, secret: &[u8]) -> String {
    let signed = format!("{}.{claims}", base64(header.to_string().as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", base64(&mac.finalize().into_bytes()))
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(LETTERS[(number >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

fn unbase64(text: &str) -> Vec<u8> {
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let value = LETTERS.iter().position(|one| *one == letter).unwrap();
        buffer = buffer << 6 | u32::try_from(value).unwrap();
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits & 0xff) as u8);
        }
    }
    bytes
}
