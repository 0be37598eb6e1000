//! Answers that no browser gives: cut off, altered, of another shape. Each is refused, and none ends the process.

use identity::passkey::Refusal;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::authenticator::{Algorithm, Authenticator, base64url, bytes, text};
use crate::world::{ORIGIN, World};

/// An attestation object with this as its authenticator data.
fn around(data: &[u8]) -> Vec<u8> {
    [&[0xa3][..], &text("fmt"), &text("none"), &text("attStmt"), &[0xa0], &text("authData"), &bytes(data)]
        .concat()
}

#[test]
fn every_cut_is_refused() {
    let world = World::new();
    for algorithm in Algorithm::ALL {
        let mut device = Authenticator::new(algorithm);
        let (options, state) = world.begin_registration();
        let creation = device.create(&options, ORIGIN);
        let finish = |object: &[u8]| {
            world.party.finish_registration(world.user, &state, &creation.answer_with(object), world.now())
        };
        let (object, data) = (creation.object(), creation.data());
        assert!(finish(&object).is_ok() && finish(&around(&data)).is_ok());
        for at in 0..object.len() {
            assert!(finish(&object[..at]).is_err(), "object, {at}");
        }
        for at in 0..data.len() {
            assert!(finish(&around(&data[..at])).is_err(), "data, {at}");
        }
    }
}

#[test]
fn another_shape_is_refused() {
    let world = World::new();
    let (device, registered) = world.enrolled(Algorithm::Es256);
    let (options, state) = world.party.begin_sign_in(&world.ambient);
    let proper = device.get(&options, ORIGIN).answer(&device);
    let (creation, created_state) = world.begin_registration();
    let created = Authenticator::new(Algorithm::Es256).create(&creation, ORIGIN).answer();
    let sign_in = |answer: &Value| {
        world
            .party
            .read_sign_in(&state, answer, world.now())
            .and_then(|read| read.verify(Some(world.known(&registered))))
    };
    let register =
        |answer: &Value| world.party.finish_registration(world.user, &created_state, answer, world.now());
    assert!(sign_in(&proper).is_ok() && register(&created).is_ok());
    assert!(sign_in(&created).is_err() && register(&proper).is_err());

    let wrong = [
        Value::Null,
        json!(1),
        json!(true),
        json!("="),
        json!("a+b/"),
        json!("ééé"),
        json!([]),
        json!({}),
        json!("A"),
    ];
    for value in &wrong {
        assert!(sign_in(value).is_err() && register(value).is_err(), "{value}");
        for member in ["id", "rawId", "type", "response"] {
            let (mut one, mut two) = (proper.clone(), created.clone());
            one[member] = value.clone();
            two[member] = value.clone();
            assert!(sign_in(&one).is_err(), "{member}: {value}");
            assert!(register(&two).is_err(), "{member}: {value}");
        }
        for member in ["clientDataJSON", "authenticatorData", "signature"] {
            let mut one = proper.clone();
            one["response"][member] = value.clone();
            assert!(sign_in(&one).is_err(), "{member}: {value}");
        }
        for member in ["clientDataJSON", "attestationObject"] {
            let mut two = created.clone();
            two["response"][member] = value.clone();
            assert!(register(&two).is_err(), "{member}: {value}");
        }
    }
    for (kind, padded) in [("password", false), ("PUBLIC-KEY", false), ("public-key", true)] {
        let (mut one, mut two) = (proper.clone(), created.clone());
        for answer in [&mut one, &mut two] {
            answer["type"] = json!(kind);
            if padded {
                let client = format!("{}==", answer["response"]["clientDataJSON"].as_str().unwrap());
                answer["response"]["clientDataJSON"] = json!(client);
            }
        }
        assert!(matches!(sign_in(&one), Err(Refusal::Form(_))), "{kind}");
        assert!(matches!(register(&two), Err(Refusal::Form(_))), "{kind}");
    }
}

#[test]
fn what_is_far_too_long_is_not_even_decoded() {
    let world = World::new();
    let (options, state) = world.begin_registration();
    let mut device = Authenticator::new(Algorithm::Es256);
    let with = |device: &mut Authenticator, length: usize| {
        let mut creation = device.create(&options, ORIGIN);
        creation.statement = [&[0xa1][..], &text("x5c"), &bytes(&vec![1; length])].concat();
        world.party.finish_registration(world.user, &state, &creation.answer(), world.now())
    };
    assert!(with(&mut device, 30_000).is_ok());
    assert!(matches!(with(&mut device, 33_000), Err(Refusal::Form(_))));

    let (options, state) = world.party.begin_sign_in(&world.ambient);
    let proper = device.get(&options, ORIGIN).answer(&device);
    for (member, length) in
        [("authenticatorData", 5_000), ("signature", 600), ("clientDataJSON", 9_000), ("userHandle", 70)]
    {
        let mut answer = proper.clone();
        answer["response"][member] = json!(base64url(&vec![0; length]));
        assert!(
            matches!(world.party.read_sign_in(&state, &answer, world.now()), Err(Refusal::Form(_))),
            "{member}"
        );
    }
    let mut answer = proper;
    answer["rawId"] = json!("A".repeat(1 << 20));
    answer["id"] = answer["rawId"].clone();
    assert_eq!(world.party.read_sign_in(&state, &answer, world.now()).unwrap_err(), Refusal::CredentialId);
}

#[test]
fn client_data_that_say_a_thing_twice_are_refused() {
    let world = World::new();
    let (options, state) = world.begin_registration();
    let creation = Authenticator::new(Algorithm::Es256).create(&options, ORIGIN);
    let client = creation.client.to_string();
    for twice in [
        client.replacen('{', "{\"origin\":\"https://evil.net\",", 1),
        client.replacen('{', "{\"type\":\"webauthn.create\",", 1),
        format!("{client}{client}"),
        format!("\u{feff}{client}"),
        "[".repeat(5_000),
        String::new(),
    ] {
        let mut answer = creation.answer();
        answer["response"]["clientDataJSON"] = json!(base64url(twice.as_bytes()));
        let refused = world.party.finish_registration(world.user, &state, &answer, world.now());
        assert!(matches!(refused, Err(Refusal::Form(_))), "{twice}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..120).prop_map(|bytes| Value::from(base64url(&bytes))),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("id|rawId|type|response|signature|userHandle", inner, 0..5)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_panics(answer in values(), state in ".{0,80}") {
        let world = World::new();
        let (_, registration) = world.begin_registration();
        let (_, sign_in) = world.party.begin_sign_in(&world.ambient);
        for state in [&state, &registration, &sign_in] {
            prop_assert!(world.party.finish_registration(world.user, state, &answer, world.now()).is_err());
            prop_assert!(world.party.read_sign_in(state, &answer, world.now()).is_err());
        }
    }

    #[test]
    fn no_authenticator_data_panic(data in proptest::collection::vec(any::<u8>(), 0..300), proper_head in any::<bool>()) {
        let world = World::new();
        let (options, state) = world.begin_registration();
        let creation = Authenticator::new(Algorithm::EdDsa).create(&options, ORIGIN);
        let data = if proper_head { [&creation.data()[..55], &data].concat() } else { data };
        for object in [around(&data), data] {
            let answer = creation.answer_with(&object);
            prop_assert!(world.party.finish_registration(world.user, &state, &answer, world.now()).is_err());
        }
    }

    #[test]
    fn one_altered_bit_never_signs_in(part in 0_usize..3, at in any::<proptest::sample::Index>(), bit in 0_u32..8) {
        let world = World::new();
        let (device, registered) = world.enrolled(Algorithm::Es256);
        let (options, state) = world.party.begin_sign_in(&world.ambient);
        let mut answer = device.get(&options, ORIGIN).answer(&device);
        let member = ["clientDataJSON", "authenticatorData", "signature"][part];
        let mut bytes = base64::Engine::decode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            answer["response"][member].as_str().unwrap(),
        ).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        answer["response"][member] = json!(base64url(&bytes));
        let outcome = world.party.read_sign_in(&state, &answer, world.now())
            .and_then(|read| read.verify(Some(world.known(&registered))));
        prop_assert!(outcome.is_err());
    }
}
