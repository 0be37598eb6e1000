//! What an account may: grants, what caches hold, keys of accounts, the brake; and that an account goes as a whole.

use kernel::{
    Actor, AppId, AuditEvent, Code, Cursor, EventType, Level, PageRequest, PasskeyId, Role, Subject, UserId,
};
use serde_json::json;
use store::{Lockdown, Mode, NewKey, NewPasskey, NewTicket, Purpose, TABLES};

use crate::people::{audited, by_operator, crowd};
use crate::world::{World, on_both_engines};

fn app(name: &str) -> AppId {
    AppId::parse(name).unwrap()
}

fn key(world: &World, user: Option<UserId>, digest: &str) -> NewKey {
    let scopes = vec!["chat".into(), "read".into()];
    NewKey { user, digest: digest.into(), scopes, per_minute: Some(5), ..world.key(&format!("key {digest}")) }
}

on_both_engines! {
    async fn grants_are_given_changed_and_taken(world) {
        let store = &world.store;
        let (one, two) = (world.member("1@example.com").await.id, world.member("2@example.com").await.id);
        let set = |user, name: &'static str, level| async move {
            store.set_grant(user, &app(name), level, by_operator(EventType::PermissionChanged)).await
        };
        let before = store.epochs().await.unwrap().users;
        set(one, "workspace", Level::Use).await.unwrap();
        set(one, "workspace", Level::Use).await.unwrap();
        set(one, "workspace", Level::Manage).await.unwrap();
        set(one, "files", Level::Use).await.unwrap();
        set(two, "files", Level::Use).await.unwrap();
        assert_eq!(store.epochs().await.unwrap().users, before + 4, "what changed nothing moved nothing");
        assert_eq!(store.grants(one).await.unwrap(), [(app("files"), Level::Use), (app("workspace"), Level::Manage)]);
        store.remove_grant(one, &app("files"), by_operator(EventType::PermissionChanged)).await.unwrap();
        assert_eq!(store.remove_grant(one, &app("files"), vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(set(UserId::new(&world.ambient), "files", Level::Use).await.unwrap_err().code(), Code::NotFound);
        let events = audited(store, EventType::PermissionChanged).await;
        let told: Vec<_> = events.iter().map(|event| [event.details["before"].clone(), event.details["after"].clone()]).collect();
        assert_eq!(told, [
            [json!(null), json!("use")], [json!("use"), json!("manage")], [json!(null), json!("use")],
            [json!(null), json!("use")], [json!("use"), json!(null)],
        ]);
        let account = store.account(one).await.unwrap().unwrap();
        assert_eq!((account.role, account.disabled_at), (Role::User, None));
        assert_eq!(account.grants, [(app("workspace"), Level::Manage)]);
        assert_eq!(account.valid_from, store.user(one).await.unwrap().valid_from);
        assert_eq!(store.account(UserId::new(&world.ambient)).await.unwrap(), None);
    }

    async fn grants_are_listed_in_pieces(world) {
        let store = &world.store;
        let users = [world.member("1@example.com").await.id, world.member("2@example.com").await.id];
        let longest = "a".repeat(32);
        for user in users {
            for name in ["x", longest.as_str(), "files"] {
                store.set_grant(user, &app(name), Level::Use, vec![]).await.unwrap();
            }
        }
        // All at one moment: the order must still be one, and no row may be lost between two pieces.
        world.tamper("UPDATE grants SET created_at = 5").await;
        let mut listed = Vec::new();
        let mut page = PageRequest::first(1);
        loop {
            let piece = store.grants_page(page).await.unwrap();
            listed.extend(piece.items.into_iter().map(|grant| (grant.user, grant.app)));
            let Some(next) = piece.next else { break };
            page = PageRequest { limit: 1, after: Some(Cursor::parse(&next).unwrap()) };
        }
        assert_eq!(listed.len(), 6);
        assert!(listed.windows(2).all(|pair| pair[0] > pair[1]), "{listed:?}");
        let foreign = PageRequest { limit: 1, after: Some(Cursor { key: 1, tie: "short".into() }) };
        assert_eq!(store.grants_page(foreign).await.unwrap_err().code(), Code::InvalidInput);
    }

    async fn a_grant_that_many_give_is_one(world) {
        let (store, other) = (&world.store, world.second().await);
        let user = world.member("u@example.com").await.id;
        crowd([store, &other], 20, |store, _| async move {
            store.set_grant(user, &app("files"), Level::Manage, by_operator(EventType::PermissionChanged)).await.unwrap();
        }).await;
        assert_eq!(store.grants(user).await.unwrap().len(), 1);
        assert_eq!(audited(store, EventType::PermissionChanged).await.len(), 1);
        other.close().await;
    }

    async fn keys_belong_to_accounts(world) {
        let store = &world.store;
        let (one, two) = (world.member("1@example.com").await.id, world.member("2@example.com").await.id);
        let own = store.create_key(key(world, Some(one), "d1"), vec![]).await.unwrap();
        let operators = store.create_key(NewKey { scopes: vec![], per_minute: None, ..key(world, None, "d2") }, vec![]).await.unwrap();
        assert_eq!(store.key_by_digest("d1").await.unwrap(), Some(own.clone()));
        assert_eq!(store.key(operators.id).await.unwrap(), operators);
        assert_eq!((own.user, own.per_minute, own.scopes.len()), (Some(one), Some(5), 2));
        assert_eq!(store.keys(None, PageRequest::first(10)).await.unwrap().items, [own.clone(), operators.clone()]);
        assert_eq!(store.keys(Some(one), PageRequest::first(10)).await.unwrap().items, std::slice::from_ref(&own));
        assert!(store.keys(Some(two), PageRequest::first(10)).await.unwrap().items.is_empty());
        for (user, id) in [(two, own.id), (one, operators.id)] {
            assert_eq!(store.revoke_key(Some(user), id, vec![]).await.unwrap_err().code(), Code::NotFound);
            assert_eq!(store.rotate_key(Some(user), id, "d9", vec![]).await.unwrap_err().code(), Code::NotFound);
        }
        let rotated = store.rotate_key(Some(one), own.id, "d3", vec![]).await.unwrap();
        assert_eq!((rotated.digest.as_str(), rotated.rotated_at, own.rotated_at), ("d3", Some(rotated.since()), None));
        store.revoke_key(Some(one), own.id, vec![]).await.unwrap();
        assert!(store.key(own.id).await.unwrap().revoked_at.is_some());
        let nobody = key(world, Some(UserId::new(&world.ambient)), "d4");
        assert_eq!(store.create_key(nobody, vec![]).await.unwrap_err().code(), Code::NotFound);
        let odd = NewKey { scopes: vec!["chat,admin".into()], ..key(world, None, "d5") };
        assert_eq!(store.create_key(odd, vec![]).await.unwrap_err().code(), Code::InvalidInput);
        // A restored database may hold the key of an account whose data key is destroyed: the others must work on.
        world.tamper("DELETE FROM data_keys").await;
        assert_eq!(store.keys(None, PageRequest::first(10)).await.unwrap().items, [operators]);
        assert_eq!(store.key_by_digest("d3").await.unwrap(), None);
    }

    async fn the_brake_is_pulled_and_released(world) {
        let (store, other) = (&world.store, world.second().await);
        let admin = Subject::User(world.admin("a@example.com").await.id);
        assert_eq!(store.lockdown().await.unwrap(), Lockdown::default());
        let by = |event_type| vec![AuditEvent::new(event_type, Actor::Subject(admin))];
        let before = store.epochs().await.unwrap().lockdown;
        assert_eq!(store.set_lockdown(Mode::Users, by(EventType::LockdownOn)).await.unwrap().mode, Mode::Off);
        let on = other.lockdown().await.unwrap();
        assert_eq!((on.mode, on.by.as_deref()), (Mode::Users, Some(admin.to_string().as_str())));
        assert_eq!(store.set_lockdown(Mode::Users, by_operator(EventType::LockdownOn)).await.unwrap(), on);
        assert_eq!(other.lockdown().await.unwrap(), on, "what holds already keeps its time");
        store.set_lockdown(Mode::AdminOnly, by_operator(EventType::LockdownOn)).await.unwrap();
        store.set_lockdown(Mode::Off, by_operator(EventType::LockdownOff)).await.unwrap();
        let off = other.lockdown().await.unwrap();
        assert_eq!((off.mode, off.by.as_deref()), (Mode::Off, Some("operator")));
        assert!(off.since > on.since);
        assert_eq!(store.epochs().await.unwrap().lockdown, before + 4);
        let told: Vec<_> = audited(store, EventType::LockdownOn).await.iter()
            .map(|event| [event.details["before"].clone(), event.details["after"].clone()]).collect();
        assert_eq!(told, [[json!("off"), json!("users")], [json!("users"), json!("users")], [json!("users"), json!("admin-only")]]);
        other.close().await;
    }

    async fn an_account_goes_as_a_whole(world) {
        let store = &world.store;
        let mut subjects = Vec::new();
        for name in ["gone", "stays"] {
            let user = world.admin(&format!("{name}@example.com")).await;
            let (id, subject) = (user.id, Subject::User(user.id));
            world.signed_in(&user, name).await;
            store.open_session(world.program(&user, &format!("refresh {name}")), vec![]).await.unwrap();
            store.set_grant(id, &app("files"), Level::Use, vec![]).await.unwrap();
            store.link_identity(id, "https://issuer.example", &format!("sub of {name}"), vec![]).await.unwrap();
            let passkey = NewPasskey {
                id: PasskeyId::new(&world.ambient), user: id, credential: format!("c {name}"), name: format!("phone of {name}"),
                public_key: vec![1], sign_count: 0,
            };
            store.add_passkey(passkey, vec![]).await.unwrap();
            store.begin_totp(id, kernel::Secret::new(vec![7])).await.unwrap();
            store.confirm_totp(id, 1, vec![format!("code {name}")], vec![]).await.unwrap();
            for (digest, user, email) in [("reset", Some(id), String::new()), ("invite", None, format!("{name}@example.com"))] {
                let purpose = if user.is_some() { Purpose::Reset } else { Purpose::Invite };
                let ticket = NewTicket { digest: format!("{digest} {name}"), purpose, user, email, role: None, expires_at: world.later(60) };
                store.issue_ticket(ticket, false, vec![]).await.unwrap();
            }
            world.tamper(&format!(
                "INSERT INTO outbox (id, sink, user_id, payload, attempts, created_at, next_at) VALUES ('{name}', 'mail', '{id}', '', 0, 0, 0)"
            )).await;
            let key = store.create_key(key(world, Some(id), &format!("digest {name}")), vec![]).await.unwrap();
            for owner in [subject, Subject::Key(key.id)] {
                store.record_turn(world.opening(owner, &format!("said by {name}")), vec![]).await.unwrap();
            }
            subjects.push((subject, Subject::Key(key.id)));
        }
        let operators = store.create_key(key(world, None, "operators"), vec![]).await.unwrap();
        let (gone, stays) = (subjects[0], subjects[1]);
        let export = store.export_subject(&gone.0).await.unwrap();
        let column = |table: &str, name: &str| {
            export.tables[table].iter().map(|row| row[name].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!((column("users", "email"), column("users", "role")), (vec!["gone@example.com".into()], vec!["admin".into()]));
        assert_eq!(column("users", "name"), ["Name of gone@example.com"]);
        assert_eq!(column("grants", "app"), ["files"]);
        assert_eq!(column("user_identities", "subject"), ["sub of gone"]);
        assert_eq!(column("passkeys", "name"), ["phone of gone"]);
        assert_eq!(column("api_keys", "name"), ["key digest gone"]);
        assert_eq!(column("sessions", "agent").len(), 2);
        assert_eq!(column("messages", "content").iter().filter(|text| *text == "said by gone").count(), 2, "its key's too");
        let text = serde_json::to_string(&export.tables).unwrap();
        for secret in ["digest", "argon2id", "totp_step", "public_key", "\"tag\"", "stays"] {
            assert!(!text.replace("key digest gone", "").contains(secret), "{secret}");
        }

        let before = store.epochs().await.unwrap();
        let counts = store.erase_subject(&gone.0, by_operator(EventType::DataErased)).await.unwrap();
        let count = |table: &str| counts.iter().find(|(name, _)| *name == table).unwrap().1;
        for (table, rows) in [
            ("users", 1), ("sessions", 2), ("refresh_tokens", 1), ("grants", 1), ("user_identities", 1), ("passkeys", 1),
            ("recovery_codes", 1), ("tickets", 2), ("outbox", 1), ("api_keys", 1), ("conversations", 2), ("messages", 4), ("data_keys", 2),
        ] {
            assert_eq!(count(table), rows, "{table}");
        }
        for subject in [gone.0, gone.1] {
            for table in TABLES {
                if let store::Rule::Subject { condition, erase: true, .. } = table.rule {
                    let condition = condition.replace("$1", &format!("'{subject}'"));
                    assert_eq!(world.number(&format!("SELECT COUNT(*) FROM {} WHERE {condition}", table.name)).await, 0, "{}", table.name);
                }
            }
        }
        let after = store.epochs().await.unwrap();
        assert!(after.users > before.users && after.keys > before.keys && after.subjects > before.subjects);
        assert!(store.export_subject(&gone.0).await.unwrap().tables.values().all(Vec::is_empty));
        assert_eq!(store.user_by_email("gone@example.com").await.unwrap(), None);
        assert_eq!(store.key_by_digest("digest gone").await.unwrap(), None);
        // Everybody else has what they had.
        let other = store.export_subject(&stays.0).await.unwrap();
        assert_eq!((other.tables["messages"].len(), other.tables["sessions"].len(), other.tables["api_keys"].len()), (4, 2, 1));
        assert_eq!(store.key(operators.id).await.unwrap(), operators);
        assert!(store.orphans().await.unwrap().iter().all(|(_, count)| *count == 0));
        assert_eq!(store.verify_audit().await.unwrap().fault, None);
    }

    async fn orphans_are_counted(world) {
        let store = &world.store;
        let kept = world.member("kept@example.com").await;
        world.signed_in(&kept, "kept").await;
        store.record_turn(world.opening(world.visitor(), "a visitor has no account"), vec![]).await.unwrap();
        assert!(store.orphans().await.unwrap().iter().all(|(_, count)| *count == 0));
        // What a database without its rules may hold: grants of nobody, a session's token without the session.
        let off = if store.engine() == "sqlite" { "PRAGMA foreign_keys = OFF" } else { "SET session_replication_role = replica" };
        world.tamper(&format!(
            "{off}; INSERT INTO grants (user_id, app, level, created_at) VALUES ('nobody', 'a', 'use', 1), ('nobody', 'b', 'use', 1); \
             INSERT INTO refresh_tokens (digest, session_id, created_at, expires_at) VALUES ('d', 'none', 1, 1)"
        )).await;
        let found: Vec<_> = store.orphans().await.unwrap().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(found, [("grants.user_id".to_owned(), 2), ("refresh_tokens.session_id".to_owned(), 1)]);
    }
}
