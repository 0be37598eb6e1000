//! Visitors and refusals: what anonymous callers are, and how little anybody is told.

use std::collections::HashSet;

use identity::{AccountRead, Admin, Converse, Credentials, News};
use kernel::EventType;
use store::Epochs;

use crate::world::{Caller, ENVIRONMENT_KEY, HOME, Setup, World, app, code};

fn pair(cookie: &str) -> Caller {
    Caller::cookie(cookie.split(';').next().unwrap())
}

#[tokio::test]
async fn a_browser_becomes_a_visitor_and_stays_one() {
    let world = World::open().await;
    let first = world.ask(&Caller::nobody()).await.unwrap();
    assert!(!first.rides_on_cookie);
    let again = world.ask(&pair(&first.cookie.unwrap())).await.unwrap();
    assert_eq!(first.principal.subject(), again.principal.subject());
    assert!(again.cookie.is_none() && again.event.is_none() && again.rides_on_cookie);
    let may = |app| world.identity.may(&again.principal, Converse(app));
    assert!(may(app("assistant")).is_ok());
    assert_eq!(code(may(app("support"))), "unauthenticated");
    assert_eq!(code(world.identity.may(&again.principal, AccountRead)), "unauthenticated");
    assert_eq!(code(world.identity.may(&again.principal, Admin)), "unauthenticated");
}

#[tokio::test]
async fn a_forged_cookie_gives_a_new_visitor_and_an_event() {
    let world = World::open().await;
    let resolved = world.ask(&Caller::cookie("stoa_visitor=AAAA")).await.unwrap();
    assert!(resolved.cookie.is_some());
    assert_eq!(resolved.event.unwrap().event_type, EventType::SecurityViolation);
}

#[tokio::test]
async fn an_epoch_ends_every_visitor_from_before_and_a_revocation_one() {
    let world = World::open().await;
    let identity = &world.identity;
    let first = world.principal(&Caller::nobody()).await;
    let other = world.principal(&Caller::nobody()).await;
    let revoked = HashSet::from([first.subject()]);
    let mut changes = identity.changes();
    identity.refresh(identity.mark(), News { revoked, ..News::default() });
    assert!(!identity.stands(&first).await.unwrap() && identity.stands(&other).await.unwrap());
    let epochs = Epochs { visitors: 1, ..Epochs::default() };
    identity.refresh(identity.mark(), News { epochs, ..News::default() });
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert!(!identity.stands(&other).await.unwrap());
    let new = world.principal(&Caller::nobody()).await;
    assert!(identity.stands(&new).await.unwrap());
}

#[tokio::test]
async fn the_caller_is_told_less_than_the_log() {
    let world = World::with(Setup { require_authentication: true, ..Setup::default() }).await;
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.";
    for (caller, reason) in [
        (Caller::nobody(), "missing credential"),
        (Caller::key("").with("x-api-key", "a"), "malformed credential"),
        (Caller::key("unknown"), "unknown key"),
        (Caller::cookie(&format!("stoa_session={}", "a".repeat(43))), "unknown session"),
        (Caller::cookie("stoa_session=short"), "unknown session"),
        (Caller::bearer(unsigned), "invalid token"),
    ] {
        let refusal = world.ask(&caller).await.unwrap_err();
        assert_eq!(refusal.fault.code().as_str(), "unauthenticated");
        assert_eq!(refusal.fault.message(), kernel::Code::Unauthenticated.title());
        assert_eq!(refusal.reason, reason);
        assert_eq!(refusal.event.unwrap().details["reason"], reason);
    }
    assert!(world.ask(&Caller::key(ENVIRONMENT_KEY)).await.is_ok());
    // Over HTTPS the plain cookie counts for nothing.
    let planted = Caller::cookie(&format!("stoa_session={}", "a".repeat(43)));
    let refusal = world.identity.resolve(Credentials::read(&planted.0), HOME, true).await.unwrap_err();
    assert_eq!(refusal.reason, "missing credential");
}
