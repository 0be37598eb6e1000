//! What proves an account: passwords, authenticators, recovery codes, passkeys, identities elsewhere.

use kernel::{Code, EventType, PasskeyId, Secret, UserId};
use store::{LinkedIdentity, NewPasskey, NewTicket, NewUser, Purpose};

use crate::people::{audited, by_operator, crowd};
use crate::world::on_both_engines;

on_both_engines! {
    async fn a_new_password_ends_what_was_before(world) {
        let store = &world.store;
        let (user, other) = (world.member("u@example.com").await, world.member("o@example.com").await);
        let kept = world.signed_in(&user, "kept").await;
        let ended = world.signed_in(&user, "ended").await;
        let program = store.open_session(world.program(&user, "r1"), vec![]).await.unwrap();
        let foreign = world.signed_in(&other, "foreign").await;
        let ticket = |digest: &str, purpose| NewTicket {
            digest: digest.into(), purpose, user: Some(user.id), email: String::new(), role: None, expires_at: world.later(60),
        };
        store.issue_ticket(ticket("reset", Purpose::Reset), false, vec![]).await.unwrap();
        store.issue_ticket(ticket("verify", Purpose::Verify), false, vec![]).await.unwrap();
        let before = store.epochs().await.unwrap().users;
        store.set_password(user.id, Secret::new("second".into()), Some(kept.id), by_operator(EventType::UserChanged)).await.unwrap();
        assert!(store.session(kept.id).await.unwrap().is_some());
        assert!(store.session(foreign.id).await.unwrap().is_some());
        assert_eq!(store.session(ended.id).await.unwrap(), None);
        assert_eq!(store.session(program.id).await.unwrap(), None);
        assert_eq!(world.number("SELECT COUNT(*) FROM refresh_tokens").await, 0);
        assert_eq!(store.ticket("reset", Purpose::Reset).await.unwrap(), None);
        assert!(store.ticket("verify", Purpose::Verify).await.unwrap().is_some());
        assert_eq!(store.password(user.id).await.unwrap().unwrap().expose(), "second");
        let now = store.user(user.id).await.unwrap();
        assert!(now.valid_from > user.valid_from && now.password_at > user.password_at);
        assert!(store.epochs().await.unwrap().users > before);
        // A sign-in whose password was checked before the change comes too late.
        assert_eq!(store.open_session(world.browser(&user, "late"), vec![]).await.unwrap_err().code(), Code::Unauthenticated);
        store.set_password(user.id, Secret::new("third".into()), None, vec![]).await.unwrap();
        assert_eq!(store.session(kept.id).await.unwrap(), None);
        let nobody = UserId::new(&world.ambient);
        assert_eq!(store.set_password(nobody, Secret::new("x".into()), None, vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.password(nobody).await.unwrap(), None);
    }

    async fn the_moment_of_validity_always_moves(world) {
        let user = world.member("u@example.com").await;
        // The clock is set back by a day: what was read before must not look valid again.
        world.wait(-86_400);
        let mut seen = vec![user.valid_from];
        for _ in 0..3 {
            world.store.sign_out_everywhere(user.id, None, vec![]).await.unwrap();
            seen.push(world.store.user(user.id).await.unwrap().valid_from);
        }
        assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
    }

    async fn a_hash_grows_without_ending_anything(world) {
        let store = &world.store;
        let user = world.member("u@example.com").await;
        let session = world.signed_in(&user, "s").await;
        let old = store.password(user.id).await.unwrap().unwrap();
        store.rehash_password(user.id, &old, Secret::new("stronger".into())).await.unwrap();
        assert_eq!(store.password(user.id).await.unwrap().unwrap().expose(), "stronger");
        // The password was changed in between: the hash of the old one must not come back.
        store.rehash_password(user.id, &old, Secret::new("of the old password".into())).await.unwrap();
        assert_eq!(store.password(user.id).await.unwrap().unwrap().expose(), "stronger");
        assert_eq!(store.user(user.id).await.unwrap().valid_from, user.valid_from);
        assert!(store.session(session.id).await.unwrap().is_some());
        let without = store.create_user(NewUser { password: None, ..world.person("") }, vec![]).await.unwrap();
        assert!(!without.has_password && store.password(without.id).await.unwrap().is_none());
        store.rehash_password(without.id, &old, Secret::new("x".into())).await.unwrap();
        assert!(!store.user(without.id).await.unwrap().has_password);
    }

    async fn an_authenticator_is_confirmed_and_removed(world) {
        let store = &world.store;
        let id = world.member("u@example.com").await.id;
        assert_eq!(store.totp_secret(id).await.unwrap(), None);
        assert_eq!(store.confirm_totp(id, 1, vec![], vec![]).await.unwrap_err().code(), Code::Conflict);
        store.begin_totp(id, Secret::new(vec![1, 2, 3])).await.unwrap();
        store.begin_totp(id, Secret::new(vec![0, 255])).await.unwrap();
        assert_eq!(store.totp_secret(id).await.unwrap(), Some((Secret::new(vec![0, 255]), false)));
        assert!(store.user(id).await.unwrap().totp_at.is_none());
        assert!(!store.use_totp_step(id, 50).await.unwrap(), "not confirmed yet");
        assert_eq!(store.set_recovery_codes(id, vec!["x".into()], vec![]).await.unwrap_err().code(), Code::Conflict);
        let codes = ["a", "b", "b"].map(String::from).to_vec();
        store.confirm_totp(id, 100, codes, by_operator(EventType::UserChanged)).await.unwrap();
        assert!(store.totp_secret(id).await.unwrap().unwrap().1);
        assert!(store.user(id).await.unwrap().totp_at.is_some());
        assert_eq!(store.begin_totp(id, Secret::new(vec![9])).await.unwrap_err().code(), Code::Conflict);
        assert!(!store.use_totp_step(id, 100).await.unwrap(), "the confirming code has been used");
        assert!(store.use_totp_step(id, 101).await.unwrap());
        assert!(!store.use_totp_step(id, 100).await.unwrap());
        assert_eq!(store.recovery_left(id).await.unwrap(), 2);
        store.set_recovery_codes(id, vec!["c".into()], vec![]).await.unwrap();
        assert!(!store.use_recovery_code(id, "a", by_operator(EventType::AuthSuccess)).await.unwrap());
        assert!(store.use_recovery_code(id, "c", by_operator(EventType::AuthSuccess)).await.unwrap());
        assert_eq!(audited(store, EventType::AuthSuccess).await.len(), 1, "a code that did not count is no success");
        store.remove_totp(id, vec![]).await.unwrap();
        store.remove_totp(id, vec![]).await.unwrap();
        assert_eq!((store.totp_secret(id).await.unwrap(), store.recovery_left(id).await.unwrap()), (None, 0));
        // A code that was used before does not confirm the next secret.
        store.begin_totp(id, Secret::new(vec![0, 255])).await.unwrap();
        assert_eq!(store.confirm_totp(id, 101, vec![], vec![]).await.unwrap_err().code(), Code::Conflict);
        store.confirm_totp(id, 102, vec![], vec![]).await.unwrap();
    }

    async fn a_step_and_a_code_count_once(world) {
        let (store, other) = (&world.store, world.second().await);
        let id = world.member("u@example.com").await.id;
        let stranger = world.member("s@example.com").await.id;
        store.begin_totp(id, Secret::new(vec![1])).await.unwrap();
        store.confirm_totp(id, 1, vec!["code".into()], vec![]).await.unwrap();
        let steps = crowd([store, &other], 40, |store, _| async move { store.use_totp_step(id, 7).await.unwrap() }).await;
        assert_eq!(steps.iter().filter(|counted| **counted).count(), 1);
        assert!(!store.use_recovery_code(stranger, "code", vec![]).await.unwrap(), "it is somebody else's");
        let codes = crowd([store, &other], 40, |store, _| async move {
            store.use_recovery_code(id, "code", by_operator(EventType::AuthSuccess)).await.unwrap()
        }).await;
        assert_eq!(codes.iter().filter(|counted| **counted).count(), 1);
        assert_eq!(audited(store, EventType::AuthSuccess).await.len(), 1);
        assert_eq!(store.recovery_left(id).await.unwrap(), 0);
        other.close().await;
    }

    async fn passkeys_are_kept_used_and_removed(world) {
        let store = &world.store;
        let (user, other) = (world.member("u@example.com").await, world.member("o@example.com").await);
        let new = |credential: &str, sign_count| NewPasskey {
            id: PasskeyId::new(&world.ambient), user: user.id, credential: credential.into(), name: "my phone".into(),
            public_key: vec![4, 0, 255], sign_count,
        };
        let made = store.add_passkey(new("c1", 5), by_operator(EventType::UserChanged)).await.unwrap();
        let silent = store.add_passkey(new("c2", 0), vec![]).await.unwrap();
        assert_eq!(store.add_passkey(NewPasskey { user: other.id, ..new("c1", 0) }, vec![]).await.unwrap_err().code(), Code::Conflict);
        let nobody = NewPasskey { user: UserId::new(&world.ambient), ..new("c3", 0) };
        assert_eq!(store.add_passkey(nobody, vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.passkeys(user.id).await.unwrap(), [made.clone(), silent.clone()]);
        assert_eq!(store.passkey_by_credential("c1").await.unwrap(), Some(made.clone()));
        assert_eq!(store.passkey_by_credential("c9").await.unwrap(), None);
        assert_eq!(store.user(user.id).await.unwrap().passkeys, 2);
        assert!(store.use_passkey(made.id, 6).await.unwrap());
        assert!(!store.use_passkey(made.id, 6).await.unwrap(), "a counter that stands still shows a copy");
        assert!(!store.use_passkey(made.id, 0).await.unwrap());
        for _ in 0..2 {
            assert!(store.use_passkey(silent.id, 0).await.unwrap(), "one that never counts");
        }
        let used = store.passkey_by_credential("c1").await.unwrap().unwrap();
        assert!(used.sign_count == 6 && used.last_used_at.is_some());
        let second = world.second().await;
        let uses = crowd([store, &second], 20, |store, _| async move { store.use_passkey(made.id, 7).await.unwrap() }).await;
        assert_eq!(uses.iter().filter(|counted| **counted).count(), 1);
        assert_eq!(store.remove_passkey(other.id, made.id, vec![]).await.unwrap_err().code(), Code::NotFound);
        store.remove_passkey(user.id, made.id, vec![]).await.unwrap();
        assert!(!store.use_passkey(made.id, 99).await.unwrap());
        assert_eq!(store.passkeys(user.id).await.unwrap().len(), 1);
        second.close().await;
    }

    async fn identities_are_linked_and_unlinked(world) {
        let store = &world.store;
        let (user, other) = (world.member("u@example.com").await.id, world.member("o@example.com").await.id);
        store.link_identity(user, "https://issuer.example", "sub-1", by_operator(EventType::UserChanged)).await.unwrap();
        store.link_identity(user, "https://issuer.example", "sub-1", by_operator(EventType::UserChanged)).await.unwrap();
        assert_eq!(audited(store, EventType::UserChanged).await.len(), 1);
        assert_eq!(store.link_identity(other, "https://issuer.example", "sub-1", vec![]).await.unwrap_err().code(), Code::Conflict);
        store.link_identity(other, "https://issuer.example", "sub-2", vec![]).await.unwrap();
        assert_eq!(store.identity("https://issuer.example", "sub-1").await.unwrap(), Some(user));
        assert_eq!(store.identity("https://issuer.example", "sub-2").await.unwrap(), Some(other));
        assert_eq!(store.identity("https://issuer.example\n", "sub-1").await.unwrap(), None);
        assert_eq!(store.identity("https://other.example", "sub-1").await.unwrap(), None);
        let linked = store.identities(user).await.unwrap();
        assert!(matches!(&linked[..], [LinkedIdentity { issuer, subject, .. }] if issuer == "https://issuer.example" && subject == "sub-1"));
        assert_eq!(store.unlink_identity(other, "https://issuer.example", "sub-1", vec![]).await.unwrap_err().code(), Code::NotFound);
        store.unlink_identity(user, "https://issuer.example", "sub-1", vec![]).await.unwrap();
        assert!(store.identities(user).await.unwrap().is_empty());
        let nobody = UserId::new(&world.ambient);
        assert_eq!(store.link_identity(nobody, "i", "s", vec![]).await.unwrap_err().code(), Code::NotFound);
    }

    async fn an_identity_makes_one_account(world) {
        let (store, other) = (&world.store, world.second().await);
        let people: Vec<NewUser> = (0..40)
            .map(|_| NewUser { password: None, verified: true, ..world.person("p@example.com") })
            .collect();
        let made = crowd([store, &other], 40, |store, number| {
            let new = people[number].clone();
            async move { store.provision(new, "https://issuer.example", "sub", by_operator(EventType::UserChanged)).await.unwrap() }
        }).await;
        assert!(made.iter().all(|user| user == &made[0]));
        assert_eq!((made[0].email.as_str(), made[0].has_password), ("p@example.com", false));
        assert_eq!(store.count_users().await.unwrap(), (1, 0));
        assert_eq!(audited(store, EventType::UserChanged).await.len(), 1);
        assert_eq!(world.number("SELECT COUNT(*) FROM data_keys").await, 1, "no key is left of those who came second");
        // Another identity with the same address is somebody else, and does not get the address.
        let another = store.provision(NewUser { id: UserId::new(&world.ambient), ..people[1].clone() }, "https://issuer.example", "sub2", vec![]).await.unwrap();
        assert_ne!(another.id, made[0].id);
        assert_eq!((another.email.as_str(), another.verified_at), ("", None));
        assert_eq!(store.user_by_email("p@example.com").await.unwrap().unwrap().id, made[0].id);
        assert_eq!(store.identity("https://issuer.example", "sub2").await.unwrap(), Some(another.id));
        other.close().await;
    }
}
