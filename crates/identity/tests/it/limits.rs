//! Limits of sign-in: one address on many accounts, many addresses on one account, and the owner who still gets in.

use std::net::{IpAddr, Ipv4Addr};

use identity::Context;
use kernel::Role;

use crate::world::{HOME, MINUTE, OTHER, PASSWORD, Setup, World, code, secret};

fn known(device: &str, ip: IpAddr) -> Context {
    let mut from = Context::new(ip, false);
    from.device = Some(device.to_owned());
    from
}

fn address(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number))
}

#[tokio::test]
async fn the_sixth_in_a_minute_is_refused_even_when_it_is_right() {
    let world = World::with(Setup { sign_in: 5, ..Setup::default() }).await;
    world.user("ann@example.com", Role::User).await;
    let from = world.from(HOME);
    for _ in 0..5 {
        let wrong = world.accounts.sign_in("ann@example.com", &secret(OTHER), None, &from).await;
        assert_eq!(code(wrong), "unauthenticated");
    }
    let from = world.from(HOME);
    let refused =
        world.accounts.sign_in("ann@example.com", &secret(PASSWORD), None, &from).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "rate_limited");
    assert!(refused.retry().is_some() && !from.limits().unwrap().allowed);
    world.turn(MINUTE + MINUTE / 30);
    world.sign_in("ann@example.com").await.unwrap();
}

#[tokio::test]
async fn one_address_tries_five_of_a_thousand_accounts() {
    let world = World::with(Setup { sign_in: 5, ..Setup::default() }).await;
    let mut tried = 0;
    for number in 0..1_000 {
        let email = format!("user{number}@example.com");
        let answer = world.accounts.sign_in(&email, &secret(OTHER), None, &world.from(address(1))).await;
        tried += usize::from(code(answer) == "unauthenticated");
    }
    assert_eq!(tried, 5);
}

#[tokio::test]
async fn a_thousand_addresses_try_one_account_five_times_and_its_owner_still_gets_in() {
    let world = World::with(Setup { sign_in: 5, ..Setup::default() }).await;
    world.user("ann@example.com", Role::User).await;
    let verified = world.sign_in("ann@example.com").await.unwrap();
    let browser = world.accounts.open_browser(verified, &world.from(HOME)).await.unwrap();
    let device = browser.cookies[1].split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
    let mut tried = 0;
    for number in 0..1_000 {
        let from = world.from(address(number));
        let answer = world.accounts.sign_in("ann@example.com", &secret(OTHER), None, &from).await;
        tried += usize::from(code(answer) == "unauthenticated");
    }
    assert!(tried <= 5, "{tried}");
    // From the address that she has signed in from, and from anywhere with the browser that she has used.
    world.sign_in("ann@example.com").await.unwrap();
    let away = || known(&device, address(5_000_000));
    world.accounts.sign_in("ann@example.com", &secret(PASSWORD), None, &away()).await.unwrap();
    // The memory of a browser opens no account but its own, and no endless count.
    world.user("bob@example.com", Role::User).await;
    let mut tried = 0;
    for number in 0..20 {
        let from = known(&device, address(6_000_000 + number));
        let answer = world.accounts.sign_in("bob@example.com", &secret(OTHER), None, &from).await;
        tried += usize::from(code(answer) == "unauthenticated");
    }
    assert_eq!(tried, 5);
    let mut own = 0;
    for number in 0..20 {
        let from = known(&device, address(7_000_000 + number));
        let answer = world.accounts.sign_in("ann@example.com", &secret(OTHER), None, &from).await;
        own += usize::from(code(answer) == "unauthenticated");
    }
    assert!(own <= 5, "{own}");
}
