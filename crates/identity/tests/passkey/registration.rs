//! A passkey is added.

use std::time::Duration;

use identity::passkey::{LIFETIME, Owner, Party, Refusal};
use kernel::{Secret, UserId};
use serde_json::{Value, json};
use url::Url;

use crate::authenticator::{
    ATTESTED, Algorithm, Authenticator, BACKED_UP, ELIGIBLE, EXTENDED, PRESENT, VERIFIED, bytes, int, map,
    text,
};
use crate::world::{ORIGIN, World};

#[test]
fn each_algorithm_registers() {
    let world = World::new();
    for algorithm in Algorithm::ALL {
        let mut device = Authenticator::new(algorithm);
        let registered = world.register_with(&mut device, |creation| creation.answer()).unwrap();
        assert_eq!(registered.credential, device.credential());
        assert_eq!(registered.public_key[2..], device.cose());
        assert_eq!(registered.sign_count, 0);
        assert_eq!(registered.transports, ["hybrid", "internal"]);
        assert!(!registered.backed_up);
        assert_eq!(registered.spent.digest.len(), 64);
        assert_eq!(registered.spent.until, world.now() + LIFETIME);
    }
}

#[test]
fn the_options_ask_for_what_is_verified_later() {
    let world = World::new();
    let existing = ["AAAAAAAAAAAAAAAAAAAAAA".to_owned()];
    let owner = Owner { user: world.user, name: "ada@example.com", display: "Ada" };
    let (options, _) = world.party.begin_registration(&owner, &existing, &world.ambient);
    assert_eq!(options["rp"], json!({"id": "chat.example.com", "name": "Stoa"}));
    assert_eq!(options["user"]["name"], "ada@example.com");
    assert_eq!(options["user"]["displayName"], "Ada");
    assert_eq!(options["user"]["id"].as_str().unwrap().len(), 22, "16 bytes");
    assert_eq!(options["challenge"].as_str().unwrap().len(), 43, "32 bytes");
    let algorithms: Vec<_> = options["pubKeyCredParams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["alg"].as_i64().unwrap())
        .collect();
    assert_eq!(algorithms, [-7, -8, -257]);
    assert_eq!(options["excludeCredentials"], json!([{"type": "public-key", "id": existing[0]}]));
    let selection = &options["authenticatorSelection"];
    assert_eq!(selection["residentKey"], "required");
    assert_eq!(selection["requireResidentKey"], true);
    assert_eq!(selection["userVerification"], "required");
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["extensions"]["credProps"], true);
    assert!(Duration::from_millis(options["timeout"].as_u64().unwrap()) < LIFETIME);
    let (again, _) = world.party.begin_registration(&owner, &existing, &world.ambient);
    assert_ne!(options["challenge"], again["challenge"]);
}

#[test]
fn the_state_counts_for_its_user_its_purpose_and_its_time() {
    let world = World::new();
    let mut device = Authenticator::new(Algorithm::Es256);
    let (options, state) = world.begin_registration();
    let answer = device.create(&options, ORIGIN).answer();
    let finish = |user, state: &str| world.party.finish_registration(user, state, &answer, world.now());

    let first = finish(world.user, &state).unwrap();
    assert_eq!(finish(world.user, &state).unwrap().spent, first.spent, "the digest shows that it came again");
    assert_eq!(finish(UserId::new(&world.ambient), &state), Err(Refusal::State));
    let altered = state.replacen(&state[20..21], if &state[20..21] == "A" { "B" } else { "A" }, 1);
    for forged in ["", "A", &altered, &state[1..], &"A".repeat(100_000)] {
        assert_eq!(finish(world.user, forged), Err(Refusal::State));
    }
    let (_, sign_in) = world.party.begin_sign_in(&world.ambient);
    let (_, proof) = world.party.begin_proof(world.user, &[], &world.ambient);
    assert_eq!(finish(world.user, &sign_in), Err(Refusal::State));
    assert_eq!(finish(world.user, &proof), Err(Refusal::State));
    let stranger = World::sealed_with(&["another secret"]);
    assert_eq!(
        stranger.party.finish_registration(world.user, &state, &answer, world.now()),
        Err(Refusal::State)
    );

    world.wait(LIFETIME - Duration::from_secs(1));
    assert!(finish(world.user, &state).is_ok());
    world.wait(Duration::from_secs(1));
    assert_eq!(finish(world.user, &state), Err(Refusal::Expired));
}

#[test]
fn a_rotated_secret_still_opens_what_it_sealed() {
    let world = World::new();
    let (options, state) = world.begin_registration();
    let answer = Authenticator::new(Algorithm::EdDsa).create(&options, ORIGIN).answer();
    let rotated = World::sealed_with(&["new", "secret"]);
    assert!(rotated.party.finish_registration(world.user, &state, &answer, world.now()).is_ok());
}

#[test]
fn the_page_that_asked_has_to_be_ours() {
    let world = World::new();
    for (member, value, refusal) in [
        ("type", json!("webauthn.get"), Refusal::Type),
        ("type", json!("WEBAUTHN.CREATE"), Refusal::Type),
        ("challenge", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Refusal::Challenge),
        ("challenge", json!(""), Refusal::Challenge),
        ("origin", json!("https://chat.example.com.evil.net"), Refusal::Origin),
        ("origin", json!("http://chat.example.com"), Refusal::Origin),
        ("origin", json!("https://chat.example.com:8443"), Refusal::Origin),
        ("origin", json!("https://chat.example.com/"), Refusal::Origin),
        ("crossOrigin", json!(true), Refusal::CrossOrigin),
        ("topOrigin", json!("https://evil.net"), Refusal::CrossOrigin),
        ("topOrigin", json!(ORIGIN), Refusal::CrossOrigin),
    ] {
        assert_eq!(
            world.register(|creation| creation.client[member] = value.clone()),
            Err(refusal),
            "{value}"
        );
    }
    assert!(world.register(|creation| creation.client["other_keys_can_be_added_here"] = json!([1])).is_ok());
    assert!(
        world
            .register(|creation| drop(creation.client.as_object_mut().unwrap().remove("crossOrigin")))
            .is_ok()
    );
    for (member, value) in [
        ("type", json!(1)),
        ("challenge", Value::Null),
        ("origin", json!([])),
        ("crossOrigin", json!("false")),
    ] {
        let refused = world.register(|creation| creation.client[member] = value.clone());
        assert!(matches!(refused, Err(Refusal::Form(_))), "{member}: {value}");
    }
    let huge = world.register(|creation| creation.client["more"] = json!("x".repeat(9_000)));
    assert!(matches!(huge, Err(Refusal::Form(_))));
}

#[test]
fn further_origins_are_as_good_as_the_first() {
    let world = World::new();
    let more = [Url::parse("https://help.chat.example.com").unwrap()];
    let secrets = [Secret::new("s".to_owned())];
    let party = Party::new("Stoa", &Url::parse(ORIGIN).unwrap(), &more, &secrets).unwrap();
    let owner = Owner { user: world.user, name: "a", display: "A" };
    let (options, state) = party.begin_registration(&owner, &[], &world.ambient);
    for (origin, admitted) in
        [(ORIGIN, true), ("https://help.chat.example.com", true), ("https://x.example.com", false)]
    {
        let answer = Authenticator::new(Algorithm::EdDsa).create(&options, origin).answer();
        let finished = party.finish_registration(world.user, &state, &answer, world.now());
        assert_eq!(finished.is_ok(), admitted, "{origin}");
    }
}

#[test]
fn the_site_and_the_flags_are_checked() {
    let world = World::new();
    let elsewhere = world.register(|creation| creation.rp_id = "example.com".to_owned());
    assert_eq!(elsewhere, Err(Refusal::Party));
    for (flags, refusal) in [
        (VERIFIED, Some(Refusal::Presence)),
        (PRESENT, Some(Refusal::Verification)),
        (PRESENT | VERIFIED | BACKED_UP, Some(Refusal::Backup)),
        (PRESENT | VERIFIED | ELIGIBLE, None),
        (PRESENT | VERIFIED | ELIGIBLE | BACKED_UP, None),
        (PRESENT | VERIFIED | 0b0010_0010, None), // reserved
    ] {
        let registered = world.register(|creation| creation.flags = flags | ATTESTED);
        assert_eq!(registered.as_ref().err(), refusal.as_ref(), "{flags:b}");
        if let Ok(registered) = registered {
            assert_eq!(registered.backed_up, flags & BACKED_UP != 0);
        }
    }
    assert_eq!(
        world.register(|creation| creation.flags = PRESENT | VERIFIED),
        Err(Refusal::AuthenticatorData)
    );
    assert_eq!(world.register(|creation| creation.count = 7).unwrap().sign_count, 7);
}

#[test]
fn the_credential_has_one_name_of_16_to_1023_bytes() {
    let world = World::new();
    for (length, good) in [(15, false), (16, true), (1_023, true), (1_024, false), (0, false)] {
        let registered = world.register(|creation| creation.id = vec![7; length]);
        assert_eq!(registered.is_ok(), good, "{length}");
        assert!(good || registered == Err(Refusal::CredentialId), "{length}");
    }
    for member in ["id", "rawId"] {
        let mut device = Authenticator::new(Algorithm::Es256);
        let refused = world.register_with(&mut device, |creation| {
            let mut answer = creation.answer();
            answer[member] = json!("AAAAAAAAAAAAAAAAAAAAAA");
            answer
        });
        assert_eq!(refused, Err(Refusal::CredentialId), "{member}");
    }
    // The browser names another credential than the authenticator made.
    let mut device = Authenticator::new(Algorithm::Es256);
    let refused = world.register_with(&mut device, |creation| {
        let object = creation.object();
        creation.id = vec![9; 32];
        creation.answer_with(&object)
    });
    assert_eq!(refused, Err(Refusal::CredentialId));
    // The authenticator names one that is too short, and the browser a good one.
    for (length, refusal) in [(15, Refusal::CredentialId), (1_024, Refusal::CredentialId)] {
        let refused = world.register_with(&mut device, |creation| {
            let good = creation.id.clone();
            creation.id = vec![7; length];
            let object = creation.object();
            creation.id = good;
            creation.answer_with(&object)
        });
        assert_eq!(refused, Err(refusal), "{length}");
    }
}

#[test]
fn a_key_has_one_form_for_its_algorithm() {
    let world = World::new();
    let (p, q, n) = (bytes(&[1; 32]), bytes(&[2; 32]), bytes(&[0xff; 256]));
    let good = [(1, int(2)), (3, int(-7)), (-1, int(1)), (-2, p.clone()), (-3, q.clone())];
    let with = |at: usize, value: Vec<u8>| {
        let mut fields = good.clone();
        fields[at].1 = value;
        map(&fields)
    };
    let okp = |curve: i32, x: &[u8]| map(&[(1, int(1)), (3, int(-8)), (-1, int(curve)), (-2, bytes(x))]);
    let rsa = |n: &[u8], e: &[u8]| map(&[(1, int(3)), (3, int(-257)), (-1, bytes(n)), (-2, bytes(e))]);
    let mut big = vec![0xff; 512];
    for (cose, refusal) in [
        (map(&good), None),
        (with(0, int(1)), Some(Refusal::Key)),
        (with(0, int(3)), Some(Refusal::Key)),
        (with(1, int(-8)), Some(Refusal::Key)),
        (with(1, int(-35)), Some(Refusal::Algorithm)),
        (with(1, int(-47)), Some(Refusal::Algorithm)),
        (with(1, int(5)), Some(Refusal::Algorithm)),
        (with(2, int(2)), Some(Refusal::Key)),
        (with(2, int(6)), Some(Refusal::Key)),
        (with(3, bytes(&[1; 31])), Some(Refusal::Key)),
        (with(3, bytes(&[1; 33])), Some(Refusal::Key)),
        (with(4, bytes(&[1; 31])), Some(Refusal::Key)),
        (
            map(&[(3, int(-7)), (1, int(2)), (-1, int(1)), (-2, p.clone()), (-3, q.clone())]),
            Some(Refusal::Key),
        ),
        (
            map(&[(1, int(2)), (3, int(-7)), (-1, int(1)), (-3, q.clone()), (-2, p.clone())]),
            Some(Refusal::Key),
        ),
        (map(&[(1, int(2)), (1, int(2)), (3, int(-7)), (-1, int(1)), (-2, p.clone())]), Some(Refusal::Key)),
        (okp(6, &[1; 32]), None),
        (okp(7, &[1; 32]), Some(Refusal::Key)),
        (okp(1, &[1; 32]), Some(Refusal::Key)),
        (okp(6, &[1; 31]), Some(Refusal::Key)),
        (map(&[(1, int(2)), (3, int(-8)), (-1, int(6)), (-2, p.clone())]), Some(Refusal::Key)),
        (rsa(&[0xff; 256], &[1, 0, 1]), None),
        (rsa(&big, &[1, 0, 1]), None),
        (rsa(&[0xff; 255], &[1, 0, 1]), Some(Refusal::Key)),
        (rsa(&[&[0][..], &[0xff; 256]].concat(), &[1, 0, 1]), Some(Refusal::Key)),
        (rsa(&[0xff; 256], &[3]), Some(Refusal::Key)),
        (rsa(&[0xff; 256], &[1]), Some(Refusal::Key)),
        (rsa(&[0xff; 256], &[0, 1, 0, 1]), Some(Refusal::Key)),
        (map(&[(1, int(2)), (3, int(-257)), (-1, n.clone()), (-2, bytes(&[1, 0, 1]))]), Some(Refusal::Key)),
    ] {
        let registered = world.register(|creation| creation.cose = cose.clone());
        assert_eq!(registered.err(), refusal, "{cose:?}");
    }
    big.push(0xff);
    assert_eq!(world.register(|creation| creation.cose = rsa(&big, &[1, 0, 1])).err(), Some(Refusal::Key));
    // One member more than the algorithm has, and a number of members that is not true.
    let mut more = good.to_vec();
    more.push((-4, int(0)));
    assert!(world.register(|creation| creation.cose = map(&more)).is_err());
    let untrue = world.register(|creation| creation.cose[0] = 0xa4);
    assert_eq!(untrue, Err(Refusal::Key));
    // Where a member is of another kind.
    for at in 0..good.len() {
        assert!(world.register(|creation| creation.cose = with(at, text("x"))).is_err(), "{at}");
    }
}

#[test]
fn a_passkey_that_could_not_be_found_is_refused() {
    let world = World::new();
    let with = |results: Value| {
        world.register_with(&mut Authenticator::new(Algorithm::Es256), |creation| {
            let mut answer = creation.answer();
            answer["clientExtensionResults"] = results;
            answer
        })
    };
    assert_eq!(with(json!({"credProps": {"rk": false}})), Err(Refusal::Discoverable));
    assert!(with(json!({"credProps": {"rk": true}})).is_ok());
    // Some browsers do not say.
    assert!(with(json!({"credProps": {}})).is_ok());
    assert!(with(json!({})).is_ok());
}

#[test]
fn attestation_is_read_past() {
    let world = World::new();
    // {"alg": -7, "sig": h'…', "x5c": [h'…']}
    let packed = [
        &[0xa3][..],
        &text("alg"),
        &int(-7),
        &text("sig"),
        &bytes(&[1; 70]),
        &text("x5c"),
        &[0x81],
        &bytes(&[2; 900]),
    ]
    .concat();
    let registered = world.register(|creation| {
        creation.format = text("packed");
        creation.statement = packed.clone();
    });
    assert!(registered.is_ok());
    assert!(world.register(|creation| creation.statement = vec![0xa1, 0x61, b'a', 0x81, 0x80]).is_ok());
    for (format, statement) in [
        (text("none"), int(1)),
        (text("none"), vec![0x80]),
        (int(1), vec![0xa0]),
        (text("none"), vec![0xa1, 0x61, b'a', 0x81, 0x81, 0x80]), // too deep, with the object around it
        (text("none"), vec![0xa2, 1, 0, 1, 0]),                   // a key twice
        (text("none"), vec![0xbf, 0xff]),                         // without a length
    ] {
        let refused = world.register(|creation| {
            creation.format = format.clone();
            creation.statement = statement.clone();
        });
        assert!(matches!(refused, Err(Refusal::Cbor(_))), "{statement:?}: {refused:?}");
    }
}

#[test]
fn extensions_are_read_past_and_nothing_follows_them() {
    let world = World::new();
    let with = |flags: u8, tail: &[u8]| {
        world.register(|creation| {
            creation.flags |= flags;
            creation.tail = tail.to_vec();
        })
    };
    // {"credProtect": 2}
    let extension = [&[0xa1][..], &text("credProtect"), &int(2)].concat();
    assert!(with(EXTENDED, &extension).is_ok());
    assert!(with(EXTENDED, &[0xa0]).is_ok());
    for (flags, tail) in [
        (0, &extension[..]),
        (0, &[0]),
        (EXTENDED, &[]),
        (EXTENDED, &[0x80]),
        (EXTENDED, &[0xa0, 0]),
        (EXTENDED, &extension[..extension.len() - 1]),
    ] {
        assert!(matches!(with(flags, tail), Err(Refusal::Cbor(_))), "{tail:?}");
    }
}

#[test]
fn the_attestation_object_has_three_members_in_any_order() {
    let world = World::new();
    let with = |members: &[&str], tail: &[u8]| {
        world.register_with(&mut Authenticator::new(Algorithm::Es256), |creation| {
            let mut object = vec![0xa0 | u8::try_from(members.len()).unwrap()];
            for member in members {
                object.extend(text(member));
                object.extend(match *member {
                    "fmt" => text("none"),
                    "attStmt" => vec![0xa0],
                    "authData" => bytes(&creation.data()),
                    _ => int(0),
                });
            }
            object.extend(tail);
            creation.answer_with(&object)
        })
    };
    assert!(with(&["fmt", "attStmt", "authData"], &[]).is_ok());
    assert!(with(&["authData", "fmt", "attStmt"], &[]).is_ok());
    for members in [
        &["fmt", "attStmt"][..],
        &["attStmt", "authData"],
        &["fmt", "fmt", "authData"],
        &["fmt", "attStmt", "attStmt"],
        &["fmt", "authData", "authData"],
        &["attStmt", "authData", "authData"],
        &["attStmt", "attStmt", "authData"],
        &["fmt", "attStmt", "authData", "authData"],
        &["fmt", "attStmt", "other"],
        &["fmt", "attStmt", "authData", "other"],
        &[],
    ] {
        assert!(matches!(with(members, &[]), Err(Refusal::Cbor(_))), "{members:?}");
    }
    assert!(matches!(with(&["fmt", "attStmt", "authData"], &[0]), Err(Refusal::Cbor(_))));
    for untrue in [0xa2, 0xa4, 0x83] {
        let refused = world.register_with(&mut Authenticator::new(Algorithm::Es256), |creation| {
            let mut object = creation.object();
            object[0] = untrue;
            creation.answer_with(&object)
        });
        assert!(matches!(refused, Err(Refusal::Cbor(_))), "{untrue:x}");
    }
}

#[test]
fn transports_are_those_that_browsers_know() {
    let world = World::new();
    let with = |transports: Value| {
        world.register_with(&mut Authenticator::new(Algorithm::Es256), |creation| {
            let mut answer = creation.answer();
            answer["response"]["transports"] = transports;
            answer
        })
    };
    assert_eq!(with(json!(["usb", "usb", "<script>", "nfc"])).unwrap().transports, ["nfc", "usb"]);
    assert!(with(json!([])).unwrap().transports.is_empty());
    assert!(matches!(with(json!("usb")), Err(Refusal::Form(_))));
}
