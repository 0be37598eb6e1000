//! Every JWS, JWK and JWE vector of Project Wycheproof against the reader of tokens. The vectors are not part of the
//! project: `STOA_DATA` names the folder with the public test sets, or `shared/data` lies beside the project. Without
//! them the tests say that they were skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

use std::path::{Path, PathBuf};

use crypto::jws::{Algorithm, KeySet, Unverified};
use serde_json::{Value, json};

/// Vectors whose label cannot be met, all of `json_web_signature_test.json`. 367 and 370 are byte for byte the token of
/// 357, which is `valid` (issue 236 of Wycheproof); the test proves that they are. 372 and 373 are labelled `valid` and
/// hold a `?` inside of the base64url, which RFC 7515 (section 2 and appendix C) does not know; 361, 362, 366 and 371
/// of the same group are `invalid` for just such a character.
const TWINS_OF_VALID: [u64; 2] = [367, 370];
const VALID_WITH_FOREIGN_CHARACTERS: [u64; 2] = [372, 373];

fn folder() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = || here.ancestors().map(|folder| folder.join("shared/data")).find(|folder| folder.is_dir());
    let named = std::env::var_os("STOA_DATA").map(PathBuf::from);
    let vectors = |folder: PathBuf| folder.join("wycheproof/testvectors_v1");
    let found = named.or_else(beside).map(vectors).filter(|folder| folder.is_dir());
    if found.is_none() {
        println!(
            "skipped: there is no wycheproof in the folder that STOA_DATA names, nor beside the project"
        );
    }
    found
}

/// What became of the vectors of a file.
#[derive(Default, Debug, PartialEq)]
struct Tally {
    vectors: usize,
    /// Of an algorithm that we verify, accepted as they should be.
    accepted: usize,
    /// Of an algorithm that we verify, refused as they should be.
    refused: usize,
    /// Refused because the algorithm, or the whole kind, is not one of ours.
    outside: usize,
    /// Whose label cannot be met.
    contradictory: usize,
}

/// Whether every key is one for an algorithm of ours. One that names none must be judged by what it is.
fn in_list(key: &Value) -> bool {
    let ours = |key: &Value| key["alg"].as_str().is_none_or(|name| Algorithm::parse(name).is_some());
    key["keys"].as_array().map_or_else(|| ours(key), |keys| keys.iter().all(ours))
}

fn accepts(key: &Value, token: &str) -> bool {
    let set = if key["keys"].is_array() { key.clone() } else { json!({ "keys": [key] }) };
    let Ok(set) = KeySet::parse(set.to_string().as_bytes()) else { return false };
    let Ok(token) = Unverified::read(token) else { return false };
    let Some(key) = set.find(token.header().kid.as_deref()).cloned() else { return false };
    token.verify(&key).is_ok()
}

fn run(name: &str) -> Option<Tally> {
    let file: Value = serde_json::from_slice(&std::fs::read(folder()?.join(name)).unwrap()).unwrap();
    let mut tally = Tally::default();
    for group in file["testGroups"].as_array().unwrap() {
        let key = if group["public"].is_null() { &group["private"] } else { &group["public"] };
        let tests = group["tests"].as_array().unwrap();
        for test in tests {
            tally.vectors += 1;
            let id = test["tcId"].as_u64().unwrap();
            let what = format!("{id} of {name}: {}", test["comment"]);
            // The general (JSON) form of some vectors is an object; as text it is no compact token.
            let (token, is_jws) = match (&test["jws"], &test["jwe"]) {
                (Value::Null, jwe) => (jwe, false),
                (jws, _) => (jws, true),
            };
            let token = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
            let accepted = accepts(key, &token);
            let valid = match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                other => panic!("{what}: a result {other}"),
            };
            let labels = name == "json_web_signature_test.json";
            if !is_jws || !in_list(key) {
                assert!(!accepted, "{what}: outside of the list, and accepted");
                tally.outside += 1;
            } else if labels && TWINS_OF_VALID.contains(&id) {
                let twin = tests.iter().find(|test| test["tcId"] == 357).unwrap();
                assert_eq!((&twin["jws"], &twin["result"]), (&test["jws"], &json!("valid")), "{what}");
                assert!(!valid && accepted, "{what}");
                tally.contradictory += 1;
            } else if labels && VALID_WITH_FOREIGN_CHARACTERS.contains(&id) {
                assert!(token.contains('?') && valid && !accepted, "{what}");
                tally.contradictory += 1;
            } else {
                assert_eq!(accepted, valid, "{what}");
                tally.accepted += usize::from(accepted);
                tally.refused += usize::from(!accepted);
            }
        }
    }
    println!("{name}: {tally:?}");
    assert!(tally.vectors > 0, "{name} holds no vector");
    assert_eq!(file["numberOfTests"], tally.vectors, "{name}");
    Some(tally)
}

#[test]
fn signatures() {
    if let Some(tally) = run("json_web_signature_test.json") {
        assert!(tally.accepted > 0 && tally.refused > 0);
        assert_eq!(tally.contradictory, 4);
    }
}

#[test]
fn keys() {
    if let Some(tally) = run("json_web_key_test.json") {
        assert!(tally.accepted > 0 && tally.refused > 0);
    }
}

#[test]
fn the_older_mix_of_signatures_and_encryption() {
    if let Some(tally) = run("json_web_crypto_test.json") {
        assert!(tally.accepted > 0 && tally.refused > 0 && tally.outside > 0);
    }
}

#[test]
fn nothing_encrypted_is_ever_accepted() {
    if let Some(tally) = run("json_web_encryption_test.json") {
        assert_eq!(tally.outside, tally.vectors);
    }
}
