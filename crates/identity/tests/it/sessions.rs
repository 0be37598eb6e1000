//! Sessions and tokens: how long they live, how they end, that each ends at once everywhere.

use identity::{AccountRead, AccountWrite, Method};
use kernel::{PageRequest, Role};

use crate::world::{Caller, HOME, HOUR, MINUTE, OTHER, PASSWORD, World, code, secret};

#[tokio::test]
async fn a_session_lives_eight_hours_and_slides_after_one() {
    let world = World::open().await;
    world.user("ann@example.com", Role::User).await;
    let ann = world.browser("ann@example.com").await;
    let first = world.ask(&ann).await.unwrap();
    assert!(first.rides_on_cookie && first.cookie.is_none());
    assert_eq!(first.principal.method(), Method::Session);
    let session = first.principal.session().unwrap();
    let ends = async || world.store.session(session).await.unwrap().unwrap().expires_at;
    let before = ends().await;
    world.turn(59 * MINUTE);
    assert!(world.ask(&ann).await.unwrap().cookie.is_none());
    assert_eq!(ends().await, before);
    world.turn(2 * MINUTE);
    let extended = world.ask(&ann).await.unwrap();
    let cookie = extended.cookie.unwrap();
    assert!(cookie.starts_with("stoa_session=") && cookie.contains("Max-Age=28800"), "{cookie}");
    assert_eq!(extended.event.unwrap().event_type.as_str(), "session.access");
    assert!(ends().await >= before + HOUR);
    assert!(world.ask(&ann).await.unwrap().cookie.is_none());
    // Unused for eight hours it is over, and the browser is told to forget it.
    world.turn(8 * HOUR);
    let refusal = world.ask(&ann).await.unwrap_err();
    assert_eq!(refusal.fault.code().as_str(), "token_expired");
    assert!(refusal.cookie.unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn a_replica_that_did_not_see_the_extension_does_not_call_it_expired() {
    let world = World::open().await;
    let other = world.replica().await;
    world.user("ann@example.com", Role::User).await;
    let ann = world.browser("ann@example.com").await;
    other.ask(&ann).await.unwrap();
    world.turn(7 * HOUR);
    assert!(world.ask(&ann).await.unwrap().cookie.is_some());
    world.turn(2 * HOUR);
    other.ask(&ann).await.unwrap();
}

#[tokio::test]
async fn an_access_token_lives_half_an_hour_and_a_refresh_token_thirty_days() {
    let world = World::open().await;
    world.user("ann@example.com", Role::User).await;
    let tokens = world.tokens("ann@example.com").await;
    assert_eq!(tokens.expires_in, 1_800);
    let ann = Caller::bearer(tokens.access_token.expose());
    let resolved = world.ask(&ann).await.unwrap();
    assert!(!resolved.rides_on_cookie);
    assert_eq!(resolved.principal.method(), Method::Token);
    world.turn(30 * MINUTE);
    assert_eq!(world.refused(&ann).await, "token_expired");
    world.turn(28 * 24 * HOUR);
    let from = world.from(HOME);
    let next = world.accounts.refresh(&tokens.refresh_token, &from).await.unwrap();
    world.principal(&Caller::bearer(next.access_token.expose())).await;
    world.turn(31 * 24 * HOUR);
    let late = world.accounts.refresh(&next.refresh_token, &from).await;
    assert!(matches!(code(late), "token_expired" | "unauthenticated"));
}

#[tokio::test]
async fn a_refresh_token_that_comes_back_ends_the_family() {
    let world = World::open().await;
    world.user("ann@example.com", Role::User).await;
    let (tokens, from) = (world.tokens("ann@example.com").await, world.from(HOME));
    let elsewhere = world.program("ann@example.com").await;
    let next = world.accounts.refresh(&tokens.refresh_token, &from).await.unwrap();
    let access = Caller::bearer(next.access_token.expose());
    world.principal(&access).await;
    assert_eq!(code(world.accounts.refresh(&tokens.refresh_token, &from).await), "unauthenticated");
    assert_eq!(world.refused(&access).await, "unauthenticated");
    assert_eq!(code(world.accounts.refresh(&next.refresh_token, &from).await), "unauthenticated");
    assert_eq!(world.events("token.reuse").await.len(), 1);
    world.principal(&elsewhere).await;
    for forged in ["", "stoa_rt_", "stoa_rt_x_y", &"a".repeat(10_000), next.access_token.expose()] {
        assert_eq!(code(world.accounts.refresh(&secret(forged), &from).await), "unauthenticated");
    }
}

#[tokio::test]
async fn memory_answers_while_the_database_is_away_and_nobody_is_taken_for_a_stranger() {
    let world = World::open().await;
    world.user("ann@example.com", Role::User).await;
    let (ann, program) = (world.browser("ann@example.com").await, world.program("ann@example.com").await);
    let unseen = world.browser("ann@example.com").await;
    world.ask(&ann).await.unwrap();
    world.ask(&program).await.unwrap();
    world.store.close().await;
    // A second look makes no query: there is nobody to answer it.
    world.ask(&ann).await.unwrap();
    world.ask(&program).await.unwrap();
    let refusal = world.ask(&unseen).await.unwrap_err();
    assert_eq!(refusal.fault.code().kind(), kernel::Kind::Unavailable, "{refusal:?}");
    assert!(refusal.event.is_none() && refusal.cookie.is_none());
}

#[tokio::test]
async fn two_credentials_of_two_people_are_an_error() {
    let world = World::open().await;
    world.user("ann@example.com", Role::User).await;
    world.user("bob@example.com", Role::User).await;
    let (ann, bob) = (world.tokens("ann@example.com").await, world.browser("bob@example.com").await);
    let bearer = format!("Bearer {}", ann.access_token.expose());
    assert_eq!(world.refused(&bob.clone().with("authorization", &bearer)).await, "unauthenticated");
    assert_eq!(
        world.refused(&bob.clone().with("x-api-key", crate::world::ENVIRONMENT_KEY)).await,
        "unauthenticated"
    );
    let same = world.browser("ann@example.com").await.with("authorization", &bearer);
    assert!(!world.ask(&same).await.unwrap().rides_on_cookie);
    // A cookie that is good for nothing does not matter beside a credential that is.
    let dead = Caller::cookie(&format!("stoa_session={}", "x".repeat(43))).with("authorization", &bearer);
    world.ask(&dead).await.unwrap();
    // A wrong credential is not made up for by a right cookie.
    let wrong = bob.clone().with("x-api-key", "a key that nobody made, of some length");
    assert_eq!(world.refused(&wrong).await, "unauthenticated");
    // The cookie of a visitor is nothing beside a session.
    let visitor = world.ask(&Caller::nobody()).await.unwrap().cookie.unwrap();
    let both = bob.with("cookie", visitor.split(';').next().unwrap());
    assert!(world.principal(&both).await.user().is_some());
}

#[tokio::test]
async fn signing_in_again_ends_the_session_from_before() {
    let world = World::open().await;
    world.user("ann@example.com", Role::User).await;
    let planted = world.browser("ann@example.com").await;
    let from = identity::Context::read(&planted.0, HOME, false);
    let verified = world.sign_in("ann@example.com").await.unwrap();
    let browser = world.accounts.open_browser(verified, &from).await.unwrap();
    assert_eq!(world.refused(&planted).await, "unauthenticated");
    world.principal(&Caller::cookie(browser.cookies[0].split(';').next().unwrap())).await;
    assert!(browser.cookies[1].starts_with("stoa_device="));
}

/// Every event that ends a sign-in, for both kinds, here at once and at another replica after its next look.
#[tokio::test]
async fn whatever_ends_a_sign_in_ends_it_everywhere() {
    let world = World::open().await;
    let other = world.replica().await;
    world.user("root@example.com", Role::Admin).await;
    let root = world.principal(&world.browser("root@example.com").await).await;
    let admin = world.identity.may(&root, identity::Admin).unwrap();
    let from = world.from(HOME);
    for number in 0..8 {
        let email = format!("user{number}@example.com");
        let user = world.user(&email, Role::User).await;
        let callers = [world.browser(&email).await, world.program(&email).await];
        let mut owners = Vec::new();
        for caller in &callers {
            other.ask(caller).await.unwrap();
            owners.push(world.principal(caller).await);
        }
        let streams: Vec<_> = owners.clone();
        let may = |who: &identity::Principal| world.identity.may(who, AccountWrite).unwrap();
        let mut ended = 2;
        let mut wanted = "unauthenticated";
        match number {
            0 => {
                for owner in &owners {
                    world.accounts.sign_out(&may(owner), false).await.unwrap();
                }
            }
            1 => {
                assert_eq!(world.accounts.sign_out_everywhere(&may(&owners[0]), false).await.unwrap(), 2);
            }
            2 => {
                // The session that changes the password stays.
                let (old, new) = (secret(PASSWORD), secret(OTHER));
                world.accounts.change_password(&may(&owners[1]), &old, &new, None).await.unwrap();
                ended = 1;
            }
            3 => {
                world.administration.set_active(&admin, user.id, false).await.unwrap();
                wanted = "inactive";
            }
            4 => {
                world.administration.sign_out_user(&admin, user.id).await.unwrap();
            }
            5 => {
                for owner in &owners {
                    world.accounts.end_session(&may(&owners[0]), owner.session().unwrap()).await.unwrap();
                }
            }
            6 => {
                for owner in &owners {
                    world.administration.end_session(&admin, owner.session().unwrap()).await.unwrap();
                }
            }
            _ => {
                world.administration.set_lockdown(&admin, store::Mode::Users).await.unwrap();
                wanted = "locked_down";
            }
        }
        other.look().await;
        for (caller, stream) in callers.iter().zip(&streams).take(ended) {
            assert_eq!(world.refused(caller).await, wanted, "case {number}");
            assert_eq!(other.refused(caller).await, wanted, "case {number} at the other replica");
            assert!(!world.identity.stands(stream).await.unwrap(), "case {number}, stream");
            assert!(!other.identity.stands(stream).await.unwrap(), "case {number}, stream elsewhere");
        }
        for caller in callers.iter().skip(ended) {
            world.ask(caller).await.unwrap();
        }
        if number == 3 {
            // Active again, the sessions from before stay dead.
            world.administration.set_active(&admin, user.id, true).await.unwrap();
            assert_eq!(world.refused(&callers[0]).await, "unauthenticated");
            assert!(world.accounts.sign_in(&email, &secret(PASSWORD), None, &from).await.is_ok());
        }
    }
}

#[tokio::test]
async fn a_person_sees_and_ends_their_own_sessions_alone() {
    let world = World::open().await;
    world.user("ann@example.com", Role::User).await;
    world.user("bob@example.com", Role::User).await;
    let (ann, bob) = (world.browser("ann@example.com").await, world.browser("bob@example.com").await);
    let there = world.program("ann@example.com").await;
    let (who, foreign) = (world.principal(&ann).await, world.principal(&bob).await);
    let read = world.identity.may(&who, AccountRead).unwrap();
    let listed = world.accounts.sessions(&read, PageRequest::first(10)).await.unwrap().items;
    assert_eq!(listed.len(), 2);
    let write = world.identity.may(&who, AccountWrite).unwrap();
    let not_mine = world.accounts.end_session(&write, foreign.session().unwrap()).await;
    assert_eq!(code(not_mine), "not_found");
    let elsewhere = listed.iter().find(|session| Some(session.id) != who.session()).unwrap();
    world.accounts.end_session(&write, elsewhere.id).await.unwrap();
    assert_eq!(world.refused(&there).await, "unauthenticated");
    world.ask(&ann).await.unwrap();
    world.ask(&bob).await.unwrap();
}
