//! Many at once: one address is one account, one token one admin, one link one password.

use std::sync::Arc;

use kernel::{PageRequest, Role};
use store::UserFilter;

use crate::world::{HOME, PASSWORD, Setup, World, secret};

const MANY: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_sign_ups_with_ways_of_writing_one_address_make_one_account() {
    let world = Arc::new(World::open().await);
    let ways = [
        "ann.smith@example.com",
        "Ann.Smith@Example.com",
        " ANN.SMITH@EXAMPLE.COM ",
        "ann.smith@example.com.",
        "\u{ff41}nn.smith@example.com",
        "ann.smith\u{ff20}example.com",
        "ann.smith@example\u{3002}com",
        "ann.\u{17f}mith@example.com",
    ];
    let tasks: Vec<_> = (0..MANY)
        .map(|number| {
            let (world, email) = (Arc::clone(&world), ways[number % ways.len()]);
            tokio::spawn(async move {
                let password = secret(&format!("{PASSWORD} {number}"));
                world.accounts.register(email, &password, "", None, &world.from(HOME)).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let users = world.store.users(UserFilter::default(), PageRequest::first(100)).await.unwrap().items;
    assert_eq!(users.len(), 1);
    assert_eq!(users[0].email, "ann.smith@example.com");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_claims_make_one_admin() {
    let world = Arc::new(World::open().await);
    let (token, _) = world.accounts.open_setup().await.unwrap().unwrap();
    let tasks: Vec<_> = (0..MANY)
        .map(|number| {
            let (world, token) = (Arc::clone(&world), token.clone());
            tokio::spawn(async move {
                let email = format!("root{number}@example.com");
                let password = secret(PASSWORD);
                world.accounts.claim(token.expose(), &email, &password, &world.from(HOME)).await.is_ok()
            })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap());
    }
    assert_eq!((winners, world.store.count_users().await.unwrap()), (1, (1, 1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_refresh_token_gives_tokens_once_however_many_ask() {
    let world = Arc::new(World::with(Setup::default()).await);
    world.user("ann@example.com", Role::User).await;
    let tokens = world.tokens("ann@example.com").await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (world, token) = (Arc::clone(&world), tokens.refresh_token.clone());
            tokio::spawn(async move { world.accounts.refresh(&token, &world.from(HOME)).await.is_ok() })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
    // And the others have ended the family.
    assert!(world.store.session(tokens.session).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_used_by_many_requests_at_once_is_extended_once() {
    let world = Arc::new(World::open().await);
    world.user("ann@example.com", Role::User).await;
    let ann = world.browser("ann@example.com").await;
    world.turn(2 * crate::world::HOUR);
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (world, ann) = (Arc::clone(&world), ann.clone());
            tokio::spawn(async move { world.ask(&ann).await.unwrap().event.is_some() })
        })
        .collect();
    let mut extended = 0;
    for task in tasks {
        extended += usize::from(task.await.unwrap());
    }
    assert!((1..=4).contains(&extended), "{extended}");
}
