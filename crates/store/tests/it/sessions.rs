//! Sessions and refresh tokens: opened, listed, prolonged, ended, forgotten; one use each.

use std::net::IpAddr;

use kernel::{Code, Cursor, EventType, PageRequest, SessionId};
use store::{NewSession, Refreshed, SessionKind};

use crate::people::{audited, by_operator, crowd};
use crate::world::{World, on_both_engines};

/// When another replica believes that somebody last signed in.
async fn other_sees(world: &World, user: kernel::UserId) -> Option<kernel::Time> {
    let other = world.second().await;
    let at = other.user(user).await.unwrap().last_sign_in_at;
    other.close().await;
    at
}

on_both_engines! {
    async fn a_session_reads_back(world) {
        let store = &world.store;
        let user = world.member("u@example.com").await;
        let before = store.epochs().await.unwrap();
        let opened = store.open_session(world.browser(&user, "d"), by_operator(EventType::AuthSuccess)).await.unwrap();
        assert_eq!(store.epochs().await.unwrap(), before, "nobody has a new session cached");
        assert_eq!(store.session_by_digest("d").await.unwrap(), Some(opened.clone()));
        assert_eq!(store.session(opened.id).await.unwrap(), Some(opened.clone()));
        assert_eq!((opened.kind, opened.agent.as_str()), (SessionKind::Browser, "Browser of d"));
        assert_eq!(other_sees(world, user.id).await, Some(opened.created_at), "at once, and on every replica");
        assert_eq!(store.session_by_digest("x").await.unwrap(), None);
        assert_eq!(store.session(SessionId::new(&world.ambient)).await.unwrap(), None);
        assert_eq!(store.open_session(world.browser(&user, "d"), vec![]).await.unwrap_err().code(), Code::Conflict);
        let v6 = NewSession { ip: "2001:db8::1".parse().unwrap(), ..world.program(&user, "r") };
        let program = store.open_session(v6, vec![]).await.unwrap();
        assert_eq!(store.session(program.id).await.unwrap().unwrap(), program);
        assert_eq!(store.known_addresses(user.id).await.unwrap(), ["2001:db8::1".parse::<IpAddr>().unwrap(), IpAddr::from([192, 0, 2, 9])]);
        assert_eq!(audited(store, EventType::AuthSuccess).await.len(), 1);
        // The sign-in and the uses are written when the store closes, at the latest.
        store.touch_session(opened.id, world.later(5));
        let second = world.second().await;
        store.close().await;
        assert!(second.user(user.id).await.unwrap().last_sign_in_at.is_some());
        assert!(second.session(opened.id).await.unwrap().unwrap().seen_at > opened.seen_at);
        second.close().await;
    }

    async fn who_may_not_sign_in_gets_no_session(world) {
        let store = &world.store;
        let user = world.member("u@example.com").await;
        let session = world.signed_in(&user, "before").await;
        store.set_active(user.id, false, by_operator(EventType::UserChanged)).await.unwrap();
        store.set_active(user.id, false, by_operator(EventType::UserChanged)).await.unwrap();
        assert_eq!(audited(store, EventType::UserChanged).await.len(), 1);
        assert_eq!(store.open_session(world.browser(&user, "d"), vec![]).await.unwrap_err().code(), Code::Inactive);
        assert!(store.session(session.id).await.unwrap().is_some(), "the cause of a refusal can still be told");
        store.set_active(user.id, true, vec![]).await.unwrap();
        assert_eq!(store.session(session.id).await.unwrap(), None, "old sessions do not wake up");
        assert_eq!(store.open_session(world.browser(&user, "d"), vec![]).await.unwrap_err().code(), Code::Unauthenticated);
        let active = store.user(user.id).await.unwrap();
        assert!(active.disabled_at.is_none());
        world.signed_in(&active, "d").await;
        store.erase_subject(&kernel::Subject::User(user.id), vec![]).await.unwrap();
        assert_eq!(store.open_session(world.browser(&active, "e"), vec![]).await.unwrap_err().code(), Code::Unauthenticated);
        assert_eq!(world.number("SELECT COUNT(*) FROM data_keys").await, 0);
    }

    async fn sign_ins_and_a_new_password_do_not_cross(world) {
        let (store, other) = (&world.store, world.second().await);
        let user = world.member("u@example.com").await;
        let sessions: Vec<NewSession> = (0..40).map(|n| world.browser(&user, &n.to_string())).collect();
        crowd([store, &other], 41, |store, number| {
            let (new, user) = (sessions.get(number).cloned(), user.clone());
            async move {
                match new {
                    Some(new) if number != 20 => drop(store.open_session(new, vec![]).await),
                    _ => store.set_password(user.id, kernel::Secret::new("new".into()), None, vec![]).await.unwrap(),
                }
            }
        }).await;
        // Whatever was opened with the old password has ended, whether it came before or after.
        assert_eq!(store.count_sessions().await.unwrap(), 0);
        other.close().await;
    }

    async fn sessions_are_listed_newest_first(world) {
        let store = &world.store;
        let (one, two) = (world.member("1@example.com").await, world.member("2@example.com").await);
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(world.signed_in(if n % 2 == 0 { &one } else { &two }, &n.to_string()).await.id);
        }
        let short = NewSession { expires_at: world.later(1), ..world.browser(&one, "short") };
        store.open_session(short, vec![]).await.unwrap();
        assert_eq!(store.count_sessions().await.unwrap(), 6);
        world.wait(2);
        assert_eq!(store.count_sessions().await.unwrap(), 5);
        ids.reverse();
        let first = store.sessions(None, PageRequest::first(3)).await.unwrap();
        let rest = PageRequest { limit: 3, after: Cursor::parse(&first.next.clone().unwrap()).ok() };
        let rest = store.sessions(None, rest).await.unwrap();
        let listed: Vec<_> = first.items.iter().chain(&rest.items).map(|session| session.id).collect();
        assert_eq!((listed, rest.next), (ids.clone(), None));
        let own = store.sessions(Some(two.id), PageRequest::first(10)).await.unwrap();
        assert_eq!(own.items.iter().map(|session| session.id).collect::<Vec<_>>(), [ids[1], ids[3]]);
        assert!(store.session_by_digest("short").await.unwrap().is_some(), "expired, and the caller can say so");
    }

    async fn a_session_is_prolonged_and_proven(world) {
        let store = &world.store;
        let user = world.member("u@example.com").await;
        let session = world.signed_in(&user, "d").await;
        let (later, sooner) = (world.later(9_000), world.later(10));
        let before = store.epochs().await.unwrap();
        store.extend_session(session.id, later).await.unwrap();
        assert_eq!(store.epochs().await.unwrap(), before);
        store.extend_session(session.id, sooner).await.unwrap();
        let extended = store.session(session.id).await.unwrap().unwrap();
        assert!(extended.expires_at == later && extended.extended_at > session.extended_at);
        assert_eq!(extended.proven_at, session.proven_at);
        store.prove_session(session.id).await.unwrap();
        assert!(store.session(session.id).await.unwrap().unwrap().proven_at > session.proven_at);
        assert!(store.epochs().await.unwrap().users > before.users);
        let gone = SessionId::new(&world.ambient);
        assert_eq!(store.extend_session(gone, later).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.prove_session(gone).await.unwrap_err().code(), Code::NotFound);
    }

    async fn sessions_end(world) {
        let store = &world.store;
        let (one, two) = (world.member("1@example.com").await, world.member("2@example.com").await);
        let session = world.signed_in(&one, "a").await;
        assert_eq!(store.end_session(Some(two.id), session.id, vec![]).await.unwrap_err().code(), Code::NotFound);
        let before = store.epochs().await.unwrap();
        store.end_session(Some(one.id), session.id, by_operator(EventType::SessionRevoked)).await.unwrap();
        assert!(store.epochs().await.unwrap().users > before.users);
        assert_eq!(store.end_session(None, session.id, vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(audited(store, EventType::SessionRevoked).await.len(), 1);

        let open = async || {
            for (user, name) in [(&one, "one"), (&two, "two")] {
                world.signed_in(user, name).await;
                store.open_session(world.program(user, &format!("refresh {name}")), vec![]).await.unwrap();
            }
        };
        open().await;
        assert_eq!(store.end_sessions(Some(SessionKind::Browser), vec![]).await.unwrap(), 2);
        let middle = store.epochs().await.unwrap();
        assert!(middle.sessions > before.sessions && middle.tokens == before.tokens);
        assert!(middle.sessions > one.created_at.micros(), "a floor is a moment");
        assert_eq!(store.end_sessions(Some(SessionKind::Token), vec![]).await.unwrap(), 2);
        assert!(store.epochs().await.unwrap().tokens > before.tokens);
        open().await;
        assert_eq!(store.end_sessions(None, vec![]).await.unwrap(), 4);
        assert_eq!(world.number("SELECT COUNT(*) FROM refresh_tokens").await, 0);
        let kept = world.signed_in(&one, "kept").await;
        world.signed_in(&one, "other").await;
        let foreign = world.signed_in(&two, "foreign").await;
        assert_eq!(store.sign_out_everywhere(one.id, Some(kept.id), vec![]).await.unwrap(), 1);
        assert!(store.session(kept.id).await.unwrap().is_some() && store.session(foreign.id).await.unwrap().is_some());
    }

    async fn a_floor_only_rises(world) {
        let store = &world.store;
        let mut seen = vec![store.epochs().await.unwrap().tokens];
        for back in [0, -86_400, 0] {
            world.wait(back);
            store.raise_floor(store::Scope::Tokens, by_operator(EventType::SessionRevoked)).await.unwrap();
            seen.push(store.epochs().await.unwrap().tokens);
        }
        assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
        assert_eq!(seen[2], seen[1] + 1, "the clock was behind the floor");
    }

    async fn a_refresh_token_gives_way_to_the_next(world) {
        let store = &world.store;
        let user = world.member("u@example.com").await;
        let session = store.open_session(world.program(&user, "r1"), vec![]).await.unwrap();
        let until = world.later(9_000);
        let Refreshed::Rotated(rotated) = store.rotate_refresh("r1", "r2", until, None).await.unwrap() else { panic!() };
        assert_eq!(store.session(session.id).await.unwrap(), Some(rotated.clone()));
        assert_eq!((rotated.id, rotated.expires_at), (session.id, until));
        assert!(matches!(store.rotate_refresh("r2", "r3", until, None).await.unwrap(), Refreshed::Rotated(_)));
        assert_eq!(store.rotate_refresh("unknown", "x", until, None).await.unwrap(), Refreshed::Unknown);
        let before = store.epochs().await.unwrap().users;
        let ip = IpAddr::from([198, 51, 100, 7]);
        let Refreshed::Reused(ended) = store.rotate_refresh("r1", "x", until, Some(ip)).await.unwrap() else { panic!() };
        assert_eq!(ended.id, session.id);
        assert_eq!(store.session(session.id).await.unwrap(), None);
        assert!(store.epochs().await.unwrap().users > before);
        for dead in ["r1", "r2", "r3", "x"] {
            assert_eq!(store.rotate_refresh(dead, "y", until, None).await.unwrap(), Refreshed::Unknown, "{dead}");
        }
        let events = audited(store, EventType::TokenReuse).await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].actor, format!("user:{}", user.id));
        assert_eq!(events[0].object, Some(format!("session:{}", session.id)));
        assert_eq!((events[0].ip.as_deref(), events[0].severity.as_str()), (Some("198.51.100.7"), "critical"));
    }

    async fn an_expired_refresh_token_is_no_reuse(world) {
        let store = &world.store;
        let user = world.member("u@example.com").await;
        store.open_session(world.program(&user, "r1"), vec![]).await.unwrap();
        store.rotate_refresh("r1", "r2", world.later(9_000), None).await.unwrap();
        world.wait(3_601);
        assert_eq!(store.rotate_refresh("r1", "x", world.later(1), None).await.unwrap(), Refreshed::Expired);
        assert!(matches!(store.rotate_refresh("r2", "r3", world.later(10), None).await.unwrap(), Refreshed::Rotated(_)));
        world.wait(11);
        assert_eq!(store.rotate_refresh("r3", "r4", world.later(10), None).await.unwrap(), Refreshed::Expired);
        assert!(audited(store, EventType::TokenReuse).await.is_empty());
    }

    async fn of_many_refreshes_one_succeeds_and_the_family_ends(world) {
        let (store, other) = (&world.store, world.second().await);
        let user = world.member("u@example.com").await;
        store.open_session(world.program(&user, "r"), vec![]).await.unwrap();
        let until = world.later(9_000);
        let outcomes = crowd([store, &other], 40, |store, number| async move {
            store.rotate_refresh("r", &format!("new {number}"), until, None).await.unwrap()
        }).await;
        let count = |wanted: fn(&Refreshed) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
        assert_eq!(count(|outcome| matches!(outcome, Refreshed::Rotated(_))), 1);
        assert_eq!(count(|outcome| matches!(outcome, Refreshed::Reused(_))), 1);
        assert_eq!(count(|outcome| matches!(outcome, Refreshed::Unknown)), 38);
        assert_eq!(store.count_sessions().await.unwrap(), 0);
        assert_eq!(world.number("SELECT COUNT(*) FROM refresh_tokens").await, 0);
        assert_eq!(audited(store, EventType::TokenReuse).await.len(), 1);
        assert_eq!(store.verify_audit().await.unwrap().fault, None);
        other.close().await;
    }

    async fn what_has_long_expired_is_forgotten(world) {
        let store = &world.store;
        let user = world.member("u@example.com").await;
        let day = 86_400;
        let old = world.signed_in(&user, "eight days").await;
        store.open_session(world.program(&user, "r1"), vec![]).await.unwrap();
        world.wait(2 * day);
        let newer = world.signed_in(&user, "six days").await;
        let family = store.open_session(world.program(&user, "s1"), vec![]).await.unwrap();
        store.rotate_refresh("s1", "s2", world.later(30 * day as u64), None).await.unwrap();
        world.wait(6 * day + 3_600);
        let week = std::time::Duration::from_secs(7 * day as u64);
        assert_eq!(store.purge_sessions(world.ambient.now() - week).await.unwrap(), 2);
        assert_eq!(store.session(old.id).await.unwrap(), None);
        assert!(store.session(newer.id).await.unwrap().is_some());
        assert_eq!(world.number("SELECT COUNT(*) FROM refresh_tokens").await, 2);
        assert_eq!(store.purge_sessions(world.ambient.now()).await.unwrap(), 1);
        assert_eq!(store.session(family.id).await.unwrap().map(|session| session.id), Some(family.id));
        assert_eq!(world.number("SELECT COUNT(*) FROM refresh_tokens").await, 1, "the used one has expired");
        assert_eq!(store.purge_sessions(world.ambient.now()).await.unwrap(), 0);
    }
}
