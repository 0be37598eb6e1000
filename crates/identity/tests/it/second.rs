//! The second factor: asked for after the password alone, each code once, and never removed under a short password.

use crypto::totp;
use identity::AccountWrite;
use kernel::{Role, Secret};

use crate::world::{Caller, HOME, MINUTE, OTHER, PASSWORD, World, code, secret};

/// The secret as it is typed into an app.
fn typed(base32: &str) -> Secret<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for letter in base32.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        bits = (bits << 5) | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Secret::new(bytes)
}

#[tokio::test]
async fn a_code_is_asked_for_and_counts_once() {
    let world = World::open().await;
    world.user("ann@example.com", Role::User).await;
    let ann = world.browser("ann@example.com").await;
    let may = world.identity.may(&world.principal(&ann).await, AccountWrite).unwrap();
    let enrolment = world.accounts.begin_totp(&may, None).await.unwrap();
    assert!(enrolment.address.expose().starts_with("otpauth://totp/Stoa"));
    // Not confirmed, it changes nothing.
    world.sign_in("ann@example.com").await.unwrap();
    let key = typed(enrolment.secret.expose());
    let now = || totp::code(&key, totp::step(world.ambient().now())).expose().clone();
    assert_eq!(code(world.accounts.confirm_totp(&may, "000000").await), "invalid_input");
    let used = now();
    let recovery = world.accounts.confirm_totp(&may, &used).await.unwrap().0;
    assert_eq!(recovery.len(), 10);
    let from = world.from(HOME);
    let sign_in = async |password: &str, typed: Option<&str>| {
        world.accounts.sign_in("ann@example.com", &secret(password), typed, &from).await
    };
    assert_eq!(code(sign_in(PASSWORD, None).await), "second_factor_required");
    // A wrong password never learns that there is a second factor.
    assert_eq!(code(sign_in(OTHER, None).await), "unauthenticated");
    assert_eq!(code(sign_in(PASSWORD, Some(&used)).await), "unauthenticated");
    world.turn(MINUTE);
    let fresh = now();
    assert_eq!(sign_in(PASSWORD, Some(&fresh)).await.unwrap().method(), "totp");
    assert_eq!(code(sign_in(PASSWORD, Some(&fresh)).await), "unauthenticated");
    assert_eq!(sign_in(PASSWORD, Some(recovery[0].expose())).await.unwrap().method(), "recovery");
    assert_eq!(code(sign_in(PASSWORD, Some(recovery[0].expose())).await), "unauthenticated");
    for wrong in ["", "0", "abcdef", "12345678901234567890", "' or 1=1"] {
        assert_ne!(code(sign_in(PASSWORD, Some(wrong)).await), "ok", "{wrong}");
    }
    // A short password is enough now, and then the second factor cannot go.
    let short = "mauve-ibex";
    world.accounts.change_password(&may, &secret(PASSWORD), &secret(short), None).await.unwrap();
    assert_eq!(code(world.accounts.remove_totp(&may, &secret(short)).await), "invalid_input");
    world.accounts.change_password(&may, &secret(short), &secret(PASSWORD), None).await.unwrap();
    assert_eq!(code(world.accounts.remove_totp(&may, &secret(OTHER)).await), "invalid_input");
    world.accounts.remove_totp(&may, &secret(PASSWORD)).await.unwrap();
    world.sign_in("ann@example.com").await.unwrap();
    assert_eq!(code(sign_in(PASSWORD, Some(recovery[1].expose())).await), "ok");
    world.ask(&ann).await.unwrap();
    assert_eq!(world.refused(&Caller::key("x")).await, "unauthenticated");
}
