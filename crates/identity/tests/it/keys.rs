//! Keys are never stronger than their makers: when they are made, and whenever they are used.

use std::time::Duration;

use identity::{
    AccountRead, Admin, ConversationFind, ConversationRead, ConversationWrite, Converse, KeysManage,
    NewApiKey,
};
use kernel::{KeyId, Level, PageRequest, Role};

use crate::world::{Caller, ENVIRONMENT_KEY, World, app, code};

fn named(apps: &[&str], scopes: &[&str]) -> NewApiKey {
    NewApiKey {
        name: "test".to_owned(),
        apps: apps.iter().map(|id| app(id)).collect(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..NewApiKey::default()
    }
}

#[tokio::test]
async fn a_key_never_outgrows_its_maker() {
    let world = World::open().await;
    let other = world.replica().await;
    let root = world.user("root@example.com", Role::Admin).await;
    let ann = world.user("ann@example.com", Role::User).await;
    let admin = world.principal(&world.browser("root@example.com").await).await;
    let admin = world.identity.may(&admin, Admin).unwrap();
    let browser = world.browser("ann@example.com").await;
    let may = async || world.identity.may(&world.principal(&browser).await, KeysManage).unwrap();
    // Not granted yet, and an app that takes no keys at all.
    for outside in ["support", "workspace", "nothing"] {
        assert_eq!(code(world.keys.create(&may().await, named(&[outside], &[])).await), "forbidden");
    }
    world.administration.set_grant(&admin, ann.id, &app("support"), Level::Use).await.unwrap();
    let (wide, all) = world.keys.create(&may().await, named(&[], &[])).await.unwrap();
    let (_, narrow) = world.keys.create(&may().await, named(&["support"], &["chat"])).await.unwrap();
    let (all, narrow) = (Caller::key(all.expose()), Caller::key(narrow.expose()));
    let apps = async |caller: &Caller| {
        let principal = world.principal(caller).await;
        principal.apps().iter().map(|app| app.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(apps(&all).await, ["assistant", "support"]);
    assert_eq!(apps(&narrow).await, ["support"]);
    let principal = world.principal(&narrow).await;
    assert!(principal.is_key() && principal.role().is_none() && principal.user().is_none());
    world.identity.may(&principal, Converse(app("support"))).unwrap();
    world.identity.may(&principal, ConversationFind).unwrap();
    assert_eq!(code(world.identity.may(&principal, ConversationRead)), "forbidden");
    assert_eq!(code(world.identity.may(&principal, ConversationWrite)), "forbidden");
    for (refused, wanted) in [
        (code(world.identity.may(&principal, AccountRead)), "forbidden"),
        (code(world.identity.may(&principal, KeysManage)), "forbidden"),
        (code(world.identity.may(&principal, Admin)), "forbidden"),
    ] {
        assert_eq!(refused, wanted);
    }
    // The maker loses the grant: so does the key, and its stream ends.
    assert!(world.identity.enters(&principal, &app("support")).await.unwrap());
    world.administration.remove_grant(&admin, ann.id, &app("support")).await.unwrap();
    assert!(apps(&narrow).await.is_empty());
    assert!(!world.identity.enters(&principal, &app("support")).await.unwrap());
    other.look().await;
    assert!(!other.identity.enters(&principal, &app("support")).await.unwrap());
    assert_eq!(apps(&all).await, ["assistant"]);
    // The maker is deactivated: the key is not unknown, it is inactive.
    world.administration.set_active(&admin, ann.id, false).await.unwrap();
    assert_eq!(world.refused(&all).await, "inactive");
    world.administration.set_active(&admin, ann.id, true).await.unwrap();
    world.principal(&all).await;
    // An admin's key is no admin.
    let admin_browser = world.browser("root@example.com").await;
    let makes = world.identity.may(&world.principal(&admin_browser).await, KeysManage).unwrap();
    let (_, strong) = world.keys.create(&makes, named(&[], &[])).await.unwrap();
    let strong = world.principal(&Caller::key(strong.expose())).await;
    assert_eq!(code(world.identity.may(&strong, Admin)), "forbidden");
    assert_ne!(root.id, ann.id);
    // Somebody else's key is nobody's.
    assert_eq!(code(world.keys.revoke(&makes, wide.id).await), "not_found");
    assert_eq!(code(world.keys.rotate(&makes, wide.id).await), "not_found");
    let unknown = KeyId::new(&world.ambient());
    let owner = world.browser("ann@example.com").await;
    let owner = world.identity.may(&world.principal(&owner).await, KeysManage).unwrap();
    assert_eq!(code(world.keys.revoke(&owner, unknown).await), "not_found");
    assert_eq!(world.keys.list(&owner, PageRequest::first(10)).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn what_is_made_replaced_and_revoked_counts_at_once_and_elsewhere_after_a_look() {
    let world = World::open().await;
    let other = world.replica().await;
    world.user("ann@example.com", Role::User).await;
    let may = world
        .identity
        .may(&world.principal(&world.browser("ann@example.com").await).await, KeysManage)
        .unwrap();
    // Read before the key is made, brought afterwards: it must not undo it.
    let mark = world.identity.mark();
    let (key, first) = world.keys.create(&may, named(&[], &[])).await.unwrap();
    assert!(!world.identity.refresh(mark, identity::News::default()));
    let first = Caller::key(first.expose());
    let stream = world.principal(&first).await;
    assert_eq!(other.refused(&first).await, "unauthenticated");
    assert!(other.look().await);
    other.principal(&first).await;
    let (_, second) = world.keys.rotate(&may, key.id).await.unwrap();
    let second = Caller::key(second.expose());
    assert_eq!(world.refused(&first).await, "unauthenticated");
    world.principal(&second).await;
    other.look().await;
    assert_eq!(other.refused(&first).await, "unauthenticated");
    other.principal(&second).await;
    world.keys.revoke(&may, key.id).await.unwrap();
    other.look().await;
    for place in [&world, &other] {
        assert_eq!(place.refused(&second).await, "unauthenticated");
        assert!(!place.identity.stands(&stream).await.unwrap());
    }
}

#[tokio::test]
async fn limits_scopes_and_expiry_of_a_key_are_its_own() {
    let world = World::open().await;
    world.user("ann@example.com", Role::User).await;
    let may = world
        .identity
        .may(&world.principal(&world.browser("ann@example.com").await).await, KeysManage)
        .unwrap();
    let expires_at = Some(world.ambient().now() + Duration::from_secs(60));
    let new = NewApiKey { per_minute: Some(3), expires_at, ..named(&[], &["read"]) };
    let (_, secret) = world.keys.create(&may, new.clone()).await.unwrap();
    let key = Caller::key(secret.expose());
    let principal = world.principal(&key).await;
    assert_eq!((principal.limits().per_minute, principal.limits().per_hour), (Some(3), None));
    assert_eq!(principal.scopes().words(), ["read"]);
    assert_eq!(code(world.identity.may(&principal, Converse(app("assistant")))), "forbidden");
    world.turn(Duration::from_secs(61));
    assert_eq!(world.refused(&key).await, "token_expired");
    assert!(!world.identity.stands(&principal).await.unwrap());
    for wrong in [
        NewApiKey { name: " ".to_owned(), ..named(&[], &[]) },
        NewApiKey { per_hour: Some(0), ..named(&[], &[]) },
        named(&[], &["admin"]),
        named(&[], &["*"]),
        new,
    ] {
        assert_eq!(code(world.keys.create(&may, wrong).await), "invalid_input");
    }
    let environment = world.principal(&Caller::bearer(ENVIRONMENT_KEY)).await;
    assert_eq!(environment.apps().iter().count(), 2);
}
