//! A passkey proves who somebody is.

use std::time::Duration;

use identity::passkey::{Known, LIFETIME, Proof, Refusal};
use kernel::UserId;
use serde_json::json;

use crate::authenticator::{
    ATTESTED, Algorithm, Authenticator, BACKED_UP, ELIGIBLE, EXTENDED, PRESENT, VERIFIED, base64url, int,
    text,
};
use crate::world::{ORIGIN, World};

#[test]
fn each_algorithm_signs_in() {
    let world = World::new();
    for algorithm in Algorithm::ALL {
        let (device, registered) = world.enrolled(algorithm);
        let proof = Proof { user: world.user, sign_count: 0, backed_up: false };
        assert_eq!(world.sign_in(&device, &registered, |_| ()), Ok(proof), "{algorithm:?}");
    }
}

#[test]
fn the_options_name_nobody() {
    let world = World::new();
    let (options, _) = world.party.begin_sign_in(&world.ambient);
    assert_eq!(options["rpId"], "chat.example.com");
    assert_eq!(options["allowCredentials"], json!([]));
    assert_eq!(options["userVerification"], "required");
    assert!(Duration::from_millis(options["timeout"].as_u64().unwrap()) < LIFETIME);
    assert_ne!(options["challenge"], world.party.begin_sign_in(&world.ambient).0["challenge"]);
}

#[test]
fn the_state_counts_for_its_purpose_and_its_time() {
    let world = World::new();
    let (device, _) = world.enrolled(Algorithm::EdDsa);
    let (options, state) = world.party.begin_sign_in(&world.ambient);
    let answer = device.get(&options, ORIGIN).answer(&device);
    let read =
        |state: &str| world.party.read_sign_in(state, &answer, world.now()).map(|read| read.spent().clone());
    let spent = read(&state).unwrap();
    assert_eq!(spent.until, world.now() + LIFETIME);
    assert_eq!(read(&state), Ok(spent), "the digest shows that it came again");
    assert_eq!(read(&world.begin_registration().1), Err(Refusal::State));
    assert_eq!(read(&world.party.begin_proof(world.user, &[], &world.ambient).1), Err(Refusal::State));
    assert_eq!(read(""), Err(Refusal::State));
    assert_eq!(read(&world.party.begin_sign_in(&world.ambient).1), Err(Refusal::Challenge));
    let proof = world.party.read_proof(world.user, &state, &answer, world.now());
    assert_eq!(proof.unwrap_err(), Refusal::State);
    world.wait(LIFETIME);
    assert_eq!(read(&state), Err(Refusal::Expired));
}

#[test]
fn the_page_the_site_and_the_flags_are_checked() {
    let world = World::new();
    let (device, registered) = world.enrolled(Algorithm::EdDsa);
    for (member, value, refusal) in [
        ("type", json!("webauthn.create"), Refusal::Type),
        ("type", json!("payment.get"), Refusal::Type),
        ("challenge", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Refusal::Challenge),
        ("origin", json!("https://evil.net"), Refusal::Origin),
        ("crossOrigin", json!(true), Refusal::CrossOrigin),
        ("topOrigin", json!("https://evil.net"), Refusal::CrossOrigin),
    ] {
        let refused = world.sign_in(&device, &registered, |request| request.client[member] = value.clone());
        assert_eq!(refused, Err(refusal), "{value}");
    }
    let elsewhere = world.sign_in(&device, &registered, |request| request.rp_id = "example.com".to_owned());
    assert_eq!(elsewhere, Err(Refusal::Party));
    for (flags, refusal) in [
        (VERIFIED, Refusal::Presence),
        (PRESENT, Refusal::Verification),
        (PRESENT | VERIFIED | BACKED_UP, Refusal::Backup),
        (PRESENT | VERIFIED | ELIGIBLE, Refusal::Eligibility),
    ] {
        let refused = world.sign_in(&device, &registered, |request| request.flags = flags);
        assert_eq!(refused, Err(refusal), "{flags:b}");
    }
}

#[test]
fn whether_it_may_be_backed_up_never_changes_and_whether_it_is_may() {
    let world = World::new();
    let mut device = Authenticator::new(Algorithm::EdDsa);
    let registered = world
        .register_with(&mut device, |creation| {
            creation.flags |= ELIGIBLE;
            creation.answer()
        })
        .unwrap();
    assert!(!registered.backed_up);
    let flags =
        |flags: u8| world.sign_in(&device, &registered, |request| request.flags = PRESENT | VERIFIED | flags);
    assert!(!flags(ELIGIBLE).unwrap().backed_up);
    assert!(flags(ELIGIBLE | BACKED_UP).unwrap().backed_up);
    assert_eq!(flags(0), Err(Refusal::Eligibility));
}

#[test]
fn a_counter_that_does_not_grow_shows_a_copy() {
    let world = World::new();
    let (device, mut registered) = world.enrolled(Algorithm::EdDsa);
    for (kept, shown, good) in [
        (0, 0, true),
        (0, 1, true),
        (1, 2, true),
        (1, u32::MAX, true),
        (1, 1, false),
        (2, 1, false),
        (1, 0, false),
        (u32::MAX, 0, false),
    ] {
        registered.sign_count = kept;
        let proof = world.sign_in(&device, &registered, |request| request.count = shown);
        let expected = if good {
            Ok(Proof { user: world.user, sign_count: shown, backed_up: false })
        } else {
            Err(Refusal::Counter)
        };
        assert_eq!(proof, expected, "{kept} then {shown}");
    }
}

#[test]
fn only_the_key_that_is_kept_signs() {
    let world = World::new();
    for algorithm in Algorithm::ALL {
        let (device, registered) = world.enrolled(algorithm);
        let (options, state) = world.party.begin_sign_in(&world.ambient);
        let proper = device.get(&options, ORIGIN).answer(&device);
        let verify = |answer: &serde_json::Value| {
            let assertion = world.party.read_sign_in(&state, answer, world.now()).unwrap();
            assertion.verify(Some(world.known(&registered)))
        };
        assert!(verify(&proper).is_ok());
        // Another key under the same id.
        let mut other = Authenticator::new(if let Algorithm::EdDsa = algorithm {
            Algorithm::EdDsa
        } else {
            Algorithm::Es256
        });
        (other.id, other.handle) = (device.id.clone(), device.handle.clone());
        assert_eq!(
            verify(&other.get(&options, ORIGIN).answer(&other)),
            Err(Refusal::Signature),
            "{algorithm:?}"
        );
        // Data or client data that were not signed.
        let mut request = device.get(&options, ORIGIN);
        request.count = 9;
        let mut altered = proper.clone();
        altered["response"]["authenticatorData"] =
            request.answer(&device)["response"]["authenticatorData"].clone();
        assert_eq!(verify(&altered), Err(Refusal::Signature), "{algorithm:?}");
        request.client["more"] = json!(1);
        let mut altered = proper.clone();
        altered["response"]["clientDataJSON"] = request.answer(&device)["response"]["clientDataJSON"].clone();
        assert_eq!(verify(&altered), Err(Refusal::Signature), "{algorithm:?}");
        // No signature, and none of the right kind.
        for signature in ["", "AAAA", &"A".repeat(86), &"_".repeat(342)] {
            let mut altered = proper.clone();
            altered["response"]["signature"] = json!(signature);
            assert!(matches!(
                world
                    .party
                    .read_sign_in(&state, &altered, world.now())
                    .and_then(|read| read.verify(Some(world.known(&registered)))),
                Err(Refusal::Signature | Refusal::Form(_))
            ));
        }
    }
}

#[test]
fn a_point_that_is_on_no_curve_signs_nobody_in() {
    let world = World::new();
    let mut device = Authenticator::new(Algorithm::Es256);
    let registered = world
        .register_with(&mut device, |creation| {
            *creation.cose.last_mut().unwrap() ^= 1;
            creation.answer()
        })
        .unwrap();
    assert_eq!(world.sign_in(&device, &registered, |_| ()), Err(Refusal::Signature));
}

#[test]
fn the_passkey_says_whose_it_is() {
    let world = World::new();
    let (device, registered) = world.enrolled(Algorithm::EdDsa);
    let stranger = UserId::new(&world.ambient);
    let handle =
        |handle: Option<Vec<u8>>| world.sign_in(&device, &registered, |request| request.handle = handle);
    assert_eq!(handle(None), Err(Refusal::User));
    assert_eq!(handle(Some(Vec::new())), Err(Refusal::User));
    assert_eq!(handle(Some(vec![1; 15])), Err(Refusal::User));
    assert_eq!(handle(Some(stranger.uuid().as_bytes().to_vec())), Err(Refusal::User));
    assert!(matches!(handle(Some(vec![1; 65])), Err(Refusal::Form(_))));

    let (options, state) = world.party.begin_sign_in(&world.ambient);
    let read = || {
        let answer = device.get(&options, ORIGIN).answer(&device);
        world.party.read_sign_in(&state, &answer, world.now()).unwrap()
    };
    assert_eq!(read().verify(None), Err(Refusal::Unknown));
    let of_another = Known { user: stranger, ..world.known(&registered) };
    assert_eq!(read().verify(Some(of_another)), Err(Refusal::User));
}

#[test]
fn a_kept_key_that_cannot_be_read_is_our_fault() {
    let world = World::new();
    let (device, registered) = world.enrolled(Algorithm::EdDsa);
    let kept = &registered.public_key;
    let mut spoilt: Vec<Vec<u8>> = (0..kept.len()).map(|at| kept[..at].to_vec()).collect();
    spoilt.push([kept, &[0][..]].concat());
    spoilt.push([&[2][..], &kept[1..]].concat());
    spoilt.push([&kept[..1], &[2], &kept[2..]].concat());
    for public_key in spoilt {
        let refused = world.sign_in(
            &device,
            &identity::passkey::Registered { public_key, ..registered.clone() },
            |_| (),
        );
        assert_eq!(refused, Err(Refusal::Kept));
    }
}

#[test]
fn a_sign_in_makes_no_credential() {
    let world = World::new();
    let (device, registered) = world.enrolled(Algorithm::EdDsa);
    let mut maker = Authenticator::new(Algorithm::EdDsa);
    let attested = maker.create(&world.begin_registration().0, ORIGIN).data()[37..].to_vec();
    let refused = world.sign_in(&device, &registered, |request| {
        request.flags |= ATTESTED;
        request.tail = attested;
    });
    assert_eq!(refused, Err(Refusal::AuthenticatorData));
    let with = |flags: u8, tail: &[u8]| {
        world.sign_in(&device, &registered, |request| {
            request.flags |= flags;
            request.tail = tail.to_vec();
        })
    };
    let extension = [&[0xa1][..], &text("appid"), &int(0)].concat();
    assert!(with(EXTENDED, &extension).is_ok());
    assert!(matches!(with(0, &extension), Err(Refusal::Cbor(_))));
    assert!(matches!(with(EXTENDED, &[]), Err(Refusal::Cbor(_))));
    assert!(matches!(with(EXTENDED, &[0xa0, 0xa0]), Err(Refusal::Cbor(_))));
}

#[test]
fn who_is_signed_in_proves_that_it_is_still_they() {
    let world = World::new();
    let (device, registered) = world.enrolled(Algorithm::Es256);
    let credentials = [registered.credential.clone()];
    let (options, state) = world.party.begin_proof(world.user, &credentials, &world.ambient);
    assert_eq!(options["allowCredentials"], json!([{"type": "public-key", "id": credentials[0]}]));
    let read = |user: UserId, handle: Option<Vec<u8>>| {
        let mut request = device.get(&options, ORIGIN);
        request.handle = handle;
        let read = world.party.read_proof(user, &state, &request.answer(&device), world.now())?;
        assert_eq!(read.credential(), base64url(&device.id));
        read.verify(Some(world.known(&registered))).map(|proof| proof.user)
    };
    assert_eq!(read(world.user, Some(device.handle.clone())), Ok(world.user));
    // A passkey that was named may leave its user out.
    assert_eq!(read(world.user, None), Ok(world.user));
    let stranger = UserId::new(&world.ambient);
    assert_eq!(read(world.user, Some(stranger.uuid().as_bytes().to_vec())), Err(Refusal::User));
    assert_eq!(read(stranger, Some(device.handle.clone())), Err(Refusal::State));
}

#[test]
fn somebody_elses_passkey_does_not_prove_who_is_signed_in() {
    let (world, other) = (World::new(), World::new());
    let (device, registered) = other.enrolled(Algorithm::Es256);
    let (options, state) = world.party.begin_proof(world.user, &[], &world.ambient);
    let mut request = device.get(&options, ORIGIN);
    request.handle = None;
    let read = world.party.read_proof(world.user, &state, &request.answer(&device), world.now()).unwrap();
    assert_eq!(read.verify(Some(other.known(&registered))), Err(Refusal::User));
}
