//! Tickets: issued, replaced, taken once.

use kernel::{Code, EventType, Role, UserId};
use store::{NewTicket, Purpose};

use crate::people::{audited, by_operator, crowd};
use crate::world::{World, on_both_engines};

fn ticket(world: &World, digest: &str, purpose: Purpose, user: Option<UserId>, email: &str) -> NewTicket {
    NewTicket {
        digest: digest.into(),
        purpose,
        user,
        email: email.into(),
        role: None,
        expires_at: world.later(60),
    }
}

on_both_engines! {
    async fn a_ticket_reads_back_and_is_taken_once(world) {
        let (store, other) = (&world.store, world.second().await);
        let user = world.member("u@example.com").await.id;
        let new = NewTicket { role: Some(Role::Admin), ..ticket(world, "i", Purpose::Invite, None, "new@example.com") };
        store.issue_ticket(new, false, by_operator(EventType::UserChanged)).await.unwrap();
        store.issue_ticket(ticket(world, "r", Purpose::Reset, Some(user), "u@example.com"), false, vec![]).await.unwrap();
        store.issue_ticket(ticket(world, "l", Purpose::Link, Some(user), ""), false, vec![]).await.unwrap();
        assert_eq!(audited(store, EventType::UserChanged).await.len(), 1);
        let invite = other.ticket("i", Purpose::Invite).await.unwrap().unwrap();
        assert_eq!((invite.user, invite.email.as_str(), invite.role), (None, "new@example.com", Some(Role::Admin)));
        let reset = other.ticket("r", Purpose::Reset).await.unwrap().unwrap();
        assert_eq!((reset.user, reset.email.as_str(), reset.role), (Some(user), "u@example.com", None));
        assert_eq!(other.ticket("l", Purpose::Link).await.unwrap().unwrap().email, "");
        assert_eq!(store.ticket("r", Purpose::Verify).await.unwrap(), None);
        assert_eq!(store.take_ticket("r", Purpose::Verify).await.unwrap(), None);
        assert_eq!(store.take_ticket("", Purpose::Reset).await.unwrap(), None);
        let taken = crowd([store, &other], 40, |store, _| async move { store.take_ticket("r", Purpose::Reset).await.unwrap() }).await;
        assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), [reset]);
        assert_eq!(store.ticket("r", Purpose::Reset).await.unwrap(), None);
        assert_eq!(store.take_ticket("i", Purpose::Invite).await.unwrap(), Some(invite));
        let nobody = ticket(world, "n", Purpose::Reset, Some(UserId::new(&world.ambient)), "x@example.com");
        assert_eq!(store.issue_ticket(nobody, false, vec![]).await.unwrap_err().code(), Code::NotFound);
        let twice = ticket(world, "l", Purpose::Invite, None, "x@example.com");
        assert_eq!(store.issue_ticket(twice, false, vec![]).await.unwrap_err().code(), Code::Conflict);
        other.close().await;
    }

    async fn a_newer_ticket_replaces_those_of_its_kind(world) {
        let store = &world.store;
        let (one, two) = (world.member("1@example.com").await.id, world.member("2@example.com").await.id);
        let all = [
            ticket(world, "reset one", Purpose::Reset, Some(one), ""),
            ticket(world, "verify one", Purpose::Verify, Some(one), ""),
            ticket(world, "reset two", Purpose::Reset, Some(two), ""),
            ticket(world, "setup", Purpose::Setup, None, ""),
            ticket(world, "invite a", Purpose::Invite, None, "a@example.com"),
            ticket(world, "invite b", Purpose::Invite, None, "b@example.com"),
        ];
        for new in &all {
            store.issue_ticket(new.clone(), true, vec![]).await.unwrap();
        }
        for new in &all {
            assert!(store.ticket(&new.digest, new.purpose).await.unwrap().is_some(), "{}", new.digest);
        }
        for (number, new) in all.iter().enumerate() {
            store.issue_ticket(NewTicket { digest: format!("new {number}"), ..new.clone() }, true, vec![]).await.unwrap();
            assert_eq!(store.ticket(&new.digest, new.purpose).await.unwrap(), None);
        }
        assert_eq!(world.number("SELECT COUNT(*) FROM tickets").await, 6);
        store.issue_ticket(all[0].clone(), false, vec![]).await.unwrap();
        assert!(store.ticket("new 0", Purpose::Reset).await.unwrap().is_some(), "not asked to replace");
        assert_eq!(store.void_tickets(Purpose::Reset).await.unwrap(), 3);
        assert_eq!(world.number("SELECT COUNT(*) FROM tickets").await, 4);
    }

    async fn a_ticket_ends(world) {
        let store = &world.store;
        store.issue_ticket(ticket(world, "t", Purpose::Invite, None, "a@example.com"), false, vec![]).await.unwrap();
        let expires = store.ticket("t", Purpose::Invite).await.unwrap().unwrap().expires_at;
        world.clock.0.store(expires.micros(), std::sync::atomic::Ordering::Relaxed);
        assert_eq!(store.ticket("t", Purpose::Invite).await.unwrap(), None);
        assert_eq!(store.take_ticket("t", Purpose::Invite).await.unwrap(), None);
        assert_eq!(store.purge_tickets(expires).await.unwrap(), 0);
        assert_eq!(store.purge_tickets(world.ambient.now()).await.unwrap(), 1);
        assert_eq!(store.purge_tickets(world.ambient.now()).await.unwrap(), 0);
    }
}
