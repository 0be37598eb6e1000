//! Guessing: one address at many accounts, many addresses at one account, codes of a second factor. The owner gets in
//! all the while.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use kernel::Secret;
use serde_json::{Value, json};

use super::{limited, post};
use crate::world::{Answer, Caller, PASSWORD, Setup, World, signed_in};

const WRONG: &str = "wrong but long enough 4711";

fn from(caller: &Caller, address: &str, email: &str, password: &str) -> crate::world::Request {
    let body = json!({"email": email, "password": password});
    post(caller, "login", &body).header("x-forwarded-for", address)
}

fn counted(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_default() += 1;
    }
    counts
}

/// Not all thousand at the same moment: no machine has so many sockets to spare.
async fn in_bunches(requests: Vec<crate::world::Request>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for bunch in requests.chunks(100) {
        answers.extend(super::all_at_once(bunch.to_vec()).await);
    }
    answers
}

/// V12: one address that tries a thousand accounts has five guesses, whichever accounts those are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_tries_a_thousand_accounts() {
    let world = limited(Setup::sqlite()).start().await;
    world.account("owner@example.org", false).await;
    let caller = world.anonymous();
    let tries = (0..1000).map(|n| from(&caller, "203.0.113.66", &format!("person{n}@example.org"), WRONG));
    let counts = counted(&in_bunches(tries.collect()).await);
    assert_eq!(counts, BTreeMap::from([(401, 5), (429, 995)]));
    // A header of the attacker's own in front of the proxy's changes nothing.
    let forged = from(&caller, "198.51.100.1, 203.0.113.66", "owner@example.org", PASSWORD).send().await;
    assert_eq!(forged.status, 429, "{forged:?}");
    // A neighbour in the same /64 is the same.
    for n in 0..5 {
        let one =
            from(&caller, &format!("2001:db8:1:2::{n}"), &format!("six{n}@example.org"), WRONG).send().await;
        assert_eq!(one.status, 401, "{one:?}");
    }
    let neighbour = from(&caller, "2001:db8:1:2:ffff::1", "owner@example.org", PASSWORD).send().await;
    assert_eq!(neighbour.status, 429, "{neighbour:?}");
    // Everybody else gets in.
    assert_eq!(from(&caller, "203.0.113.67", "owner@example.org", PASSWORD).send().await.status, 200);
}

/// V12: a thousand addresses that try one account have five guesses together, and the owner gets in from the browser
/// and from the address that the account knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_addresses_try_one_account() {
    let world = limited(Setup::sqlite()).start().await;
    let email = "owner@example.org";
    world.account(email, false).await;
    let caller = world.anonymous();
    // The owner has been here: with a program from one address, with a browser from another.
    assert_eq!(from(&caller, "198.51.100.7", email, PASSWORD).send().await.status, 200);
    let browser = world.visitor().with("x-forwarded-for", "198.51.100.99");
    assert_eq!(signed_in(&browser, email, PASSWORD).await.status, 303);
    let device = browser.cookie("stoa_device").unwrap();
    let tries =
        (0..1000).map(|n| from(&caller, &format!("203.0.{}.{}", 100 + n / 250, n % 250), email, WRONG));
    let counts = counted(&in_bunches(tries.collect()).await);
    let guesses = counts.get(&401).copied().unwrap_or_default();
    assert!((1..=5).contains(&guesses) && counts.values().sum::<usize>() == 1000, "{counts:?}");
    assert_eq!(counts.len(), 2, "{counts:?}");
    // Not even the right password helps a stranger now, so that nothing is learnt from trying on.
    let stranger = from(&caller, "192.0.2.200", email, PASSWORD).send().await;
    assert_eq!((stranger.status, stranger.code().as_str()), (429, "rate_limited"), "{stranger:?}");
    let unknown =
        from(&caller, "192.0.2.201", email, PASSWORD).header("cookie", "stoa_device=forged").send().await;
    assert_eq!(unknown.status, 429, "{unknown:?}");
    // The owner is not locked out.
    let known = from(&caller, "198.51.100.7", email, PASSWORD).send().await;
    assert_eq!(known.status, 200, "from the address of before: {known:?}");
    let traveller = world.visitor().with("x-forwarded-for", "192.0.2.44");
    traveller.set_cookie("stoa_device", &device);
    let again = signed_in(&traveller, email, PASSWORD).await;
    assert_eq!(again.status, 303, "from the browser of before, elsewhere: {again:?}");
}

/// Enrols an authenticator; its secret.
async fn enrol(caller: &Caller) -> Secret<Vec<u8>> {
    let begun = caller.post("/api/v1/me/totp").send().await;
    assert_eq!(begun.status, 200, "{begun:?}");
    let text = begun.json()["secret"].as_str().unwrap().to_owned();
    let secret = Secret::new(base32(&text));
    let code = crypto::totp::code(&secret, step()).expose().clone();
    let confirmed = caller.put("/api/v1/me/totp").json(&json!({"code": code})).send().await;
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    secret
}

#[expect(clippy::disallowed_methods, reason = "the server under test has the machine's clock")]
fn step() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30).unwrap()
}

fn base32(text: &str) -> Vec<u8> {
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(|letter| letter.is_ascii_alphanumeric()) {
        let value =
            if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter.to_ascii_uppercase() - b'A' };
        buffer = (buffer << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits & 0xff) as u8);
        }
    }
    bytes
}

fn with_code(world: &World, address: &str, email: &str, code: &str) -> crate::world::Request {
    let body: Value = json!({"email": email, "password": PASSWORD, "code": code});
    post(&world.anonymous(), "login", &body).header("x-forwarded-for", address)
}

/// V12: whoever knows the password guesses codes from ever new addresses; new codes and a new authenticator give no new
/// guesses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_of_a_second_factor_are_guessed() {
    let world = limited(Setup::sqlite()).set("RATE_LIMIT_SIGN_IN", "10 per minute").start().await;
    let email = "owner@example.org";
    world.account(email, false).await;
    let home = "198.51.100.7";
    let tokens = from(&world.anonymous(), home, email, PASSWORD).send().await;
    let owner = world.bearer(&tokens.json()).with("x-forwarded-for", home);
    let secret = enrol(&owner).await;
    let wrong = |n: usize| format!("{:06}", (n * 7919 + 13) % 1_000_000);
    let guess = async |from: usize, count: usize| {
        let tries = (from..from + count)
            .map(|n| with_code(&world, &format!("203.0.{}.{}", 100 + n / 250, n % 250), email, &wrong(n)));
        counted(&super::all_at_once(tries.collect()).await)
    };
    let counts = guess(0, 40).await;
    assert!((1..=10).contains(&counts.get(&401).copied().unwrap_or_default()), "{counts:?}");
    assert!(!counts.contains_key(&200), "{counts:?}");
    // New recovery codes, and the authenticator enrolled anew: the count is of the account, not of what was issued.
    let renewed =
        owner.post("/api/v1/me/totp/recovery-codes").json(&json!({"password": PASSWORD})).send().await;
    assert_eq!(renewed.status, 200, "{renewed:?}");
    assert_eq!(guess(40, 20).await, BTreeMap::from([(429, 20)]));
    // The owner's own code counts once, and only after the password.
    let code = crypto::totp::code(&secret, step() + 1).expose().clone();
    let without = from(&world.anonymous(), home, email, PASSWORD).send().await;
    assert_eq!((without.status, without.code().as_str()), (401, "second_factor_required"), "{without:?}");
    assert_eq!(with_code(&world, home, email, &code).send().await.status, 200);
    let replayed = with_code(&world, home, email, &code).send().await;
    assert_eq!((replayed.status, replayed.code().as_str()), (401, "unauthenticated"), "{replayed:?}");
}
