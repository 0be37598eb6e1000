//! Keys, blocks, epochs, idempotency, values of the server, the pool.

use std::time::Duration;

use kernel::{AppId, Code, KeyId, PageRequest, Time};
use store::{Block, Idempotent, NewKey, Scope, StoredAnswer};

use crate::world::{event, on_both_engines};

on_both_engines! {
    async fn keys_live_and_end(world) {
        let store = &world.store;
        let before = store.epochs().await.unwrap();
        let new = |digest: &str| NewKey {
            id: KeyId::new(&world.ambient), user: None, name: "the shop's key".into(), digest: digest.into(),
            scopes: vec![], per_minute: None, per_hour: None, apps: vec![world.app.clone(), AppId::parse("support").unwrap()], expires_at: Some(Time::from_seconds(2_000_000_000)),
        };
        let key = store.create_key(new("d1"), event(world.visitor())).await.unwrap();
        assert_eq!(store.key_by_digest("d1").await.unwrap(), Some(key.clone()));
        assert_eq!(store.create_key(new("d1"), vec![]).await.unwrap_err().code(), Code::Conflict);
        assert_eq!(store.key_by_digest("unknown").await.unwrap(), None);
        let open = NewKey { apps: vec![], ..new("d2") };
        assert!(store.create_key(open, vec![]).await.unwrap().apps.is_empty());
        assert!(store.key_by_digest("d2").await.unwrap().unwrap().apps.is_empty());
        let page = store.keys(None, PageRequest::first(1)).await.unwrap();
        assert_eq!(page.items, std::slice::from_ref(&key));
        let after = kernel::Cursor::parse(&page.next.unwrap()).ok();
        assert_eq!(store.keys(None, PageRequest { limit: 5, after }).await.unwrap().items.len(), 1);

        let rotated = store.rotate_key(None, key.id, "d3", vec![]).await.unwrap();
        assert_eq!(rotated.digest, "d3");
        assert_eq!(store.key_by_digest("d1").await.unwrap(), None);
        store.revoke_key(None, key.id, event(world.visitor())).await.unwrap();
        store.revoke_key(None, key.id, vec![]).await.unwrap();
        assert!(store.key_by_digest("d3").await.unwrap().unwrap().revoked_at.is_some());
        assert_eq!(store.rotate_key(None, key.id, "d4", vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.revoke_key(None, KeyId::new(&world.ambient), vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.revoke_all_keys(vec![]).await.unwrap(), 1);
        let after = store.epochs().await.unwrap();
        assert_eq!(after.keys, before.keys + 6, "every change moves the epoch, no failure does");
        assert_eq!((after.server, after.blocks), (before.server, before.blocks));
    }

    async fn uses_of_keys_are_written_together(world) {
        let new = NewKey { id: KeyId::new(&world.ambient), user: None, name: "k".into(), digest: "d".into(), apps: vec![], scopes: vec![], per_minute: None, per_hour: None, expires_at: None };
        let key = world.store.create_key(new, vec![]).await.unwrap();
        world.store.touch_key(key.id, Time::from_seconds(7));
        world.store.touch_key(key.id, Time::from_seconds(5));
        let second = world.second().await;
        world.store.close().await;
        assert_eq!(second.key(key.id).await.unwrap().last_used_at, Some(Time::from_seconds(7)));
        second.close().await;
    }

    async fn blocks_hold_until_they_expire(world) {
        let store = &world.store;
        let block = |net: &str, expires: Option<i64>| Block {
            net: net.into(), reason: "scanner".into(), created_at: Time::from_seconds(1), expires_at: expires.map(Time::from_seconds),
        };
        store.add_block(block("192.0.2.0/24", None), event(world.visitor())).await.unwrap();
        store.add_block(block("2001:db8::/32", Some(100)), vec![]).await.unwrap();
        assert_eq!(store.blocks(Time::from_seconds(50)).await.unwrap().len(), 2);
        assert_eq!(store.blocks(Time::from_seconds(100)).await.unwrap(), [block("192.0.2.0/24", None)]);
        store.add_block(block("192.0.2.0/24", Some(99)), vec![]).await.unwrap();
        assert!(store.blocks(Time::from_seconds(100)).await.unwrap().is_empty());
        store.remove_block("192.0.2.0/24", vec![]).await.unwrap();
        assert_eq!(store.remove_block("192.0.2.0/24", vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.epochs().await.unwrap().blocks, 4);
    }

    async fn epochs_reach_other_processes(world) {
        let other = world.second().await;
        for scope in Scope::ALL {
            world.store.bump_epoch(scope, vec![]).await.unwrap();
        }
        world.store.bump_epoch(Scope::Server, event(world.visitor())).await.unwrap();
        let seen = other.epochs().await.unwrap();
        assert_eq!((seen.server, seen.visitors, seen.keys, seen.blocks, seen.subjects), (2, 1, 1, 1, 1));
        let visitor = world.visitor();
        let since = world.ambient.now();
        world.store.revoke_subject(&visitor, vec![]).await.unwrap();
        world.store.revoke_subject(&visitor, vec![]).await.unwrap();
        let revoked = other.revoked_subjects(since).await.unwrap();
        assert_eq!(revoked.iter().map(|(subject, _)| *subject).collect::<Vec<_>>(), [visitor]);
        assert!(other.epochs().await.unwrap().subjects > seen.subjects);
        assert!(other.revoked_subjects(world.ambient.now()).await.unwrap().is_empty());
        assert_eq!(other.prune_revoked(world.ambient.now()).await.unwrap(), 1);
        other.close().await;
    }

    async fn a_request_runs_once(world) {
        let (store, owner, other) = (&world.store, world.visitor(), world.visitor());
        let expires = world.ambient.now() + Duration::from_secs(86_400);
        let begin = |owner, fingerprint: &'static str| async move { store.begin_idempotent(&owner, "key-1", fingerprint, expires).await.unwrap() };
        let crowd = futures_util::future::join_all((0..20).map(|_| begin(owner, "body"))).await;
        assert_eq!(crowd.iter().filter(|found| **found == Idempotent::Fresh).count(), 1);
        assert_eq!(crowd.iter().filter(|found| **found == Idempotent::Running).count(), 19);
        assert_eq!(begin(owner, "another body").await, Idempotent::Conflict);
        assert_eq!(begin(other, "body").await, Idempotent::Fresh, "keys of two callers have nothing to do with each other");
        let answer = StoredAnswer { status: 201, body: b"{\"id\":1}\xff".to_vec(), content_type: "application/json".into() };
        store.finish_idempotent(&owner, "key-1", answer.clone()).await.unwrap();
        assert_eq!(begin(owner, "body").await, Idempotent::Done(answer));
        assert_eq!(begin(owner, "another body").await, Idempotent::Conflict);
        store.release_idempotent(&other, "key-1").await.unwrap();
        assert_eq!(begin(other, "body").await, Idempotent::Fresh);
        // A finished one is not released.
        store.release_idempotent(&owner, "key-1").await.unwrap();
        assert!(matches!(begin(owner, "body").await, Idempotent::Done(_)));
        // The one whose process died is free again after five minutes, the finished one after a day.
        world.clock.0.fetch_add(301_000_000, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(begin(other, "body").await, Idempotent::Fresh);
        assert_eq!(store.purge_idempotent(expires).await.unwrap(), 2);
        assert_eq!(begin(owner, "another body").await, Idempotent::Fresh);
    }

    async fn values_of_the_server_are_kept(world) {
        assert_eq!(world.store.get_state("config").await.unwrap(), None);
        world.store.set_state("config", "hash 1", vec![]).await.unwrap();
        world.store.set_state("config", "hash 2", event(world.visitor())).await.unwrap();
        assert_eq!(world.store.get_state("config").await.unwrap().as_deref(), Some("hash 2"));
    }

    async fn settings_of_the_server_are_told(world) {
        let most = world.store.server_setting("max_connections").await.unwrap();
        assert_eq!(most.is_some(), world.store.engine() == "postgres");
        assert_eq!(world.store.server_setting("no.such_setting").await.unwrap(), None);
    }

    async fn a_closed_store_says_so(world) {
        world.store.ping().await.unwrap();
        assert!(world.store.pool_state().open >= 1);
        world.store.close().await;
        let fault = world.store.set_state("a", "b", vec![]).await.unwrap_err();
        assert_eq!(fault.code(), Code::Unavailable);
        assert!(fault.retry().is_some());
    }
}

/// Every future of the store can be sent to another thread: handlers and jobs spawn them.
#[test]
fn futures_are_send() {
    fn check<F: Future + Send>(make: impl Fn(&'static store::Store, kernel::Subject) -> F) {
        let _ = make;
    }
    let id = || kernel::ConversationId::parse("019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d").unwrap();
    check(|store, owner| async move { store.conversation(&owner, id()).await });
    check(|store, owner| async move {
        store.conversations(&owner, Default::default(), PageRequest::first(1)).await
    });
    check(
        |store, owner| async move { store.update_conversation(&owner, id(), Default::default(), vec![]).await },
    );
    check(|store, owner| async move { store.delete_conversation(&owner, id(), vec![]).await });
    check(|store, owner| async move { store.messages(&owner, id(), PageRequest::first(1)).await });
    check(|store, owner| async move { store.export_subject(&owner).await });
    check(|store, owner| async move { store.erase_subject(&owner, vec![]).await });
    check(|store, owner| async move { store.begin_idempotent(&owner, "", "", Time::EPOCH).await });
    check(|store, owner| async move {
        store
            .finish_idempotent(
                &owner,
                "",
                StoredAnswer { status: 200, body: vec![], content_type: String::new() },
            )
            .await
    });
    check(|store, _| async move { store.verify_audit().await });
    check(|store, _| async move { store.audit_events(Default::default(), PageRequest::first(1)).await });
    check(
        |store, _| async move { (store.migrate().await, store.migrations().await, store.check_key().await) },
    );
    check(|store, _| async move {
        (store.rewrap_keys().await, store.epochs().await, store.keys(None, PageRequest::first(1)).await)
    });
    let user = || kernel::UserId::parse("019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d").unwrap();
    check(|store, _| async move {
        (store.user(user()).await, store.account(user()).await, store.identities(user()).await)
    });
    check(|store, _| async move { store.users(Default::default(), PageRequest::first(1)).await });
    check(|store, _| async move { store.set_role(user(), kernel::Role::User, vec![]).await });
    check(|store, _| async move { store.set_email(user(), "", false, vec![]).await });
    check(|store, _| async move { store.link_identity(user(), "", "", vec![]).await });
    check(|store, _| async move { store.rotate_refresh("", "", Time::EPOCH, None).await });
    check(|store, _| async move { store.take_ticket("", store::Purpose::Reset).await });
    check(
        |store, _| async move { (store.set_lockdown(store::Mode::Off, vec![]).await, store.orphans().await) },
    );
    check(|store, _| async move { store.purge_sessions(Time::EPOCH).await });
}
