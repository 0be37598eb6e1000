//! Accounts: made, found, listed, changed; the first admin and the last.

use kernel::{Code, Cursor, EventType, PageRequest, Role, UserId};
use store::{NewTicket, NewUser, Purpose, UserFilter};

use crate::people::{audited, by_operator, crowd};
use crate::world::on_both_engines;

on_both_engines! {
    async fn an_account_reads_back(world) {
        let store = &world.store;
        let before = store.epochs().await.unwrap();
        let new = NewUser { verified: true, name: "Zoë 世界".into(), ..world.person("zoe@example.com") };
        let made = store.create_user(new.clone(), by_operator(EventType::UserChanged)).await.unwrap();
        assert_eq!((made.id, made.email.as_str(), made.name.as_str()), (new.id, "zoe@example.com", "Zoë 世界"));
        assert_eq!((made.role, made.has_password, made.passkeys), (Role::User, true, 0));
        assert!(made.verified_at.is_some() && made.password_at.is_some());
        assert!(made.disabled_at.is_none() && made.totp_at.is_none() && made.last_sign_in_at.is_none());
        assert_eq!(store.user(made.id).await.unwrap(), made);
        assert_eq!(store.user_by_email("zoe@example.com").await.unwrap(), Some(made.clone()));
        assert_eq!(store.user_by_email("zoe@example.org").await.unwrap(), None);
        assert_eq!(store.user(UserId::new(&world.ambient)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.password(made.id).await.unwrap().unwrap().expose(), "$argon2id$hash of zoe@example.com");
        assert!(store.epochs().await.unwrap().users > before.users);
        assert_eq!(audited(store, EventType::UserChanged).await.len(), 1);

        let other = world.second().await;
        assert_eq!(other.user(made.id).await.unwrap(), made);
        other.close().await;
    }

    async fn an_address_has_one_account(world) {
        let (store, other) = (&world.store, world.second().await);
        let people: Vec<NewUser> = (0..20).map(|_| world.person("same@example.com")).collect();
        let made = crowd([store, &other], 20, |store, number| {
            let new = people[number].clone();
            async move { store.create_user(new, by_operator(EventType::UserChanged)).await }
        }).await;
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
        assert!(made.iter().flat_map(|made| made.as_ref().err()).all(|fault| fault.code() == Code::Conflict));
        assert_eq!(audited(store, EventType::UserChanged).await.len(), 1, "what failed left no event");
        assert_eq!(world.number("SELECT COUNT(*) FROM data_keys").await, 1, "nor a key");
        // Any number of accounts may have no address.
        for _ in 0..2 {
            let nobody = store.create_user(NewUser { verified: true, ..world.person("") }, vec![]).await.unwrap();
            assert_eq!((nobody.email.as_str(), nobody.verified_at), ("", None));
        }
        assert_eq!(store.user_by_email("").await.unwrap(), None);
        other.close().await;
    }

    async fn accounts_are_listed_newest_first(world) {
        let store = &world.store;
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(world.member(&format!("user{n}@example.com")).await.id);
        }
        let admin = world.admin("admin@example.com").await.id;
        ids.push(admin);
        ids.reverse();
        let mut listed = Vec::new();
        let mut page = PageRequest::first(4);
        loop {
            let piece = store.users(UserFilter::default(), page).await.unwrap();
            listed.extend(piece.items.iter().map(|user| user.id));
            let Some(next) = piece.next else { break };
            page = PageRequest { limit: 4, after: Cursor::parse(&next).ok() };
        }
        assert_eq!(listed, ids);
        let find = |filter: UserFilter| async move {
            let page = store.users(filter, PageRequest::first(10)).await.unwrap();
            page.items.iter().map(|user| user.id).collect::<Vec<_>>()
        };
        assert_eq!(find(UserFilter { role: Some(Role::Admin), ..UserFilter::default() }).await, [admin]);
        assert_eq!(find(UserFilter { role: Some(Role::User), ..UserFilter::default() }).await.len(), 5);
        assert_eq!(find(UserFilter { q: Some("user3@example.com".into()), ..UserFilter::default() }).await, [ids[2]]);
        assert!(find(UserFilter { role: Some(Role::Admin), q: Some("user3@example.com".into()), ..UserFilter::default() }).await.is_empty());
        for nothing in ["", "user3", "%"] {
            assert!(find(UserFilter { q: Some(nothing.into()), ..UserFilter::default() }).await.is_empty(), "{nothing}");
        }
        assert_eq!(store.count_users().await.unwrap(), (6, 1));
        store.set_active(ids[2], false, vec![]).await.unwrap();
        let active = |active| UserFilter { active: Some(active), ..UserFilter::default() };
        assert_eq!((find(active(false)).await, find(active(true)).await.len()), (vec![ids[2]], 5));
        let both = UserFilter { q: Some("user3@example.com".into()), ..active(true) };
        assert!(find(both).await.is_empty());
    }

    async fn names_and_addresses_change(world) {
        let store = &world.store;
        let user = store.create_user(NewUser { verified: true, ..world.person("old@example.com") }, vec![]).await.unwrap();
        world.member("taken@example.com").await;
        let ticket = NewTicket {
            digest: "t".into(), purpose: Purpose::Reset, user: Some(user.id), email: "old@example.com".into(), role: None,
            expires_at: world.later(60),
        };
        store.issue_ticket(ticket, false, vec![]).await.unwrap();
        assert_eq!(store.set_email(user.id, "taken@example.com", false, vec![]).await.unwrap_err().code(), Code::Conflict);
        assert!(store.ticket("t", Purpose::Reset).await.unwrap().is_some(), "a refused change changes nothing");
        store.set_email(user.id, "new@example.com", false, by_operator(EventType::UserChanged)).await.unwrap();
        store.set_name(user.id, "New", vec![]).await.unwrap();
        let changed = store.user_by_email("new@example.com").await.unwrap().unwrap();
        assert_eq!((changed.id, changed.name.as_str(), changed.verified_at), (user.id, "New", None));
        assert_eq!(store.user_by_email("old@example.com").await.unwrap(), None);
        assert_eq!(store.ticket("t", Purpose::Reset).await.unwrap(), None, "it went to the old address");
        store.verify_email(user.id, vec![]).await.unwrap();
        let first = store.user(user.id).await.unwrap().verified_at;
        store.verify_email(user.id, vec![]).await.unwrap();
        assert!(first.is_some() && store.user(user.id).await.unwrap().verified_at == first);
        store.set_email(user.id, "newer@example.com", true, vec![]).await.unwrap();
        assert!(store.user(user.id).await.unwrap().verified_at.is_some(), "the link went there");
        let ticket = NewTicket { digest: "c".into(), purpose: Purpose::Change, user: Some(user.id), email: "x@example.com".into(), role: None, expires_at: world.later(60) };
        store.issue_ticket(ticket, true, vec![]).await.unwrap();
        store.set_password(user.id, kernel::Secret::new("$argon2id$other".into()), None, vec![]).await.unwrap();
        assert_eq!(store.ticket("c", Purpose::Change).await.unwrap(), None, "whoever got in may have asked for it");
        store.set_email(user.id, "", true, vec![]).await.unwrap();
        assert_eq!(store.user(user.id).await.unwrap().email, "");
        assert_eq!(store.verify_email(user.id, vec![]).await.unwrap_err().code(), Code::Conflict);
        // The address is free again.
        store.create_user(world.person("new@example.com"), vec![]).await.unwrap();
        let nobody = UserId::new(&world.ambient);
        for outcome in [
            store.set_email(nobody, "x@example.com", false, vec![]).await, store.set_name(nobody, "x", vec![]).await,
            store.verify_email(nobody, vec![]).await, store.set_role(nobody, Role::Admin, vec![]).await,
            store.set_active(nobody, false, vec![]).await, store.sign_out_everywhere(nobody, None, vec![]).await.map(drop),
        ] {
            assert_eq!(outcome.unwrap_err().code(), Code::NotFound);
        }
        assert_eq!(world.number("SELECT COUNT(*) FROM data_keys").await, 3, "nobody got no key");
    }

    async fn roles_are_audited_with_before_and_after(world) {
        let store = &world.store;
        let user = world.member("u@example.com").await;
        world.admin("a@example.com").await;
        let change = |role| store.set_role(user.id, role, by_operator(EventType::PermissionChanged));
        let before = store.epochs().await.unwrap().users;
        change(Role::User).await.unwrap();
        assert_eq!(store.epochs().await.unwrap().users, before, "nothing changed");
        change(Role::Admin).await.unwrap();
        change(Role::User).await.unwrap();
        let events = audited(store, EventType::PermissionChanged).await;
        let told: Vec<_> = events.iter().map(|event| (event.details["before"].clone(), event.details["after"].clone())).collect();
        assert_eq!(told, [("user".into(), "admin".into()), ("admin".into(), "user".into())]);
        assert!(events.iter().all(|event| event.actor == "operator"));
        assert_eq!(store.verify_audit().await.unwrap().fault, None);
    }

    async fn the_last_active_admin_stays(world) {
        let store = &world.store;
        let (one, other) = (world.admin("one@example.com").await.id, world.admin("other@example.com").await.id);
        store.set_active(other, false, vec![]).await.unwrap();
        for outcome in [
            store.set_active(one, false, vec![]).await,
            store.set_role(one, Role::User, by_operator(EventType::PermissionChanged)).await,
            store.erase_subject(&kernel::Subject::User(one), vec![]).await.map(drop),
        ] {
            assert_eq!(outcome.unwrap_err().code(), Code::Conflict);
        }
        let kept = store.user(one).await.unwrap();
        assert_eq!((kept.role, kept.disabled_at), (Role::Admin, None));
        assert!(audited(store, EventType::PermissionChanged).await.is_empty());
        // The inactive one may go: it is not what keeps the server governable.
        store.set_role(other, Role::User, vec![]).await.unwrap();
        store.set_active(other, true, vec![]).await.unwrap();
        store.set_role(other, Role::Admin, vec![]).await.unwrap();
        store.erase_subject(&kernel::Subject::User(one), vec![]).await.unwrap();
        assert_eq!(store.count_users().await.unwrap(), (1, 1));
    }

    async fn of_two_admins_who_remove_each_other_one_stays(world) {
        let elsewhere = world.second().await;
        for round in 0..6 {
            let mut admins = Vec::new();
            for n in 0..2 {
                admins.push(world.admin(&format!("{round}-{n}@example.com")).await.id);
            }
            let outcomes = crowd([&world.store, &elsewhere], 2, |store, number| {
                let target = admins[1 - number];
                async move {
                    match round % 3 {
                        0 => store.set_role(target, Role::User, vec![]).await,
                        1 => store.set_active(target, false, vec![]).await,
                        _ => store.erase_subject(&kernel::Subject::User(target), vec![]).await.map(drop),
                    }
                }
            }).await;
            let active = "SELECT COUNT(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL";
            assert_eq!(world.number(active).await, 1, "round {round}");
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
            world.tamper("UPDATE users SET role = 'user'").await;
        }
        elsewhere.close().await;
    }

    async fn one_claim_of_many_makes_the_admin(world) {
        let (store, other) = (&world.store, world.second().await);
        let ticket = |digest: &str| NewTicket {
            digest: digest.into(), purpose: Purpose::Setup, user: None, email: String::new(), role: None, expires_at: world.later(60),
        };
        store.issue_ticket(ticket("setup"), true, vec![]).await.unwrap();
        world.member("member@example.com").await;
        assert_eq!(store.claim_server(world.person("x@example.com"), "wrong", vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.claim_server(world.person("member@example.com"), "setup", vec![]).await.unwrap_err().code(), Code::Conflict);
        assert!(store.ticket("setup", Purpose::Setup).await.unwrap().is_some(), "a refused claim keeps the ticket");
        let people: Vec<NewUser> = (0..200).map(|n| world.person(&format!("claim{n}@example.com"))).collect();
        let claims = crowd([store, &other], 200, |store, number| {
            let new = people[number].clone();
            async move { store.claim_server(new, "setup", by_operator(EventType::UserChanged)).await }
        }).await;
        let made: Vec<_> = claims.iter().flatten().collect();
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].role, Role::Admin);
        assert!(claims.iter().flat_map(|claim| claim.as_ref().err()).all(|fault| fault.code() == Code::Conflict));
        assert_eq!(store.count_users().await.unwrap(), (2, 1));
        assert_eq!(audited(store, EventType::UserChanged).await.len(), 1);
        // Never again, even with a new ticket, even when the admin is inactive.
        store.issue_ticket(ticket("second"), true, vec![]).await.unwrap();
        world.tamper("UPDATE users SET disabled_at = 1 WHERE role = 'admin'").await;
        assert_eq!(store.claim_server(world.person("y@example.com"), "second", vec![]).await.unwrap_err().code(), Code::Conflict);
        other.close().await;
    }

    async fn an_expired_set_up_ticket_claims_nothing(world) {
        let ticket = NewTicket {
            digest: "setup".into(), purpose: Purpose::Setup, user: None, email: String::new(), role: None, expires_at: world.later(60),
        };
        world.store.issue_ticket(ticket.clone(), true, vec![]).await.unwrap();
        world.wait(61);
        assert_eq!(world.store.claim_server(world.person("x@example.com"), "setup", vec![]).await.unwrap_err().code(), Code::NotFound);
        // A ticket of another purpose claims nothing either.
        let reset = NewTicket { digest: "reset".into(), purpose: Purpose::Invite, expires_at: world.later(60), ..ticket };
        world.store.issue_ticket(reset, true, vec![]).await.unwrap();
        assert_eq!(world.store.claim_server(world.person("x@example.com"), "reset", vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(world.store.count_users().await.unwrap(), (0, 0));
    }
}
