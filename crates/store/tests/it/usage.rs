//! What was used, what was erased, and the audit log by severity.

use std::time::Duration;

use kernel::{AuditEvent, Code, EventType, PageRequest, Severity, Subject};
use store::{AuditFilter, UsageFilter};
use uuid::Uuid;

use crate::people::by_operator;
use crate::world::{event, on_both_engines};

on_both_engines! {
    async fn usage_is_counted_by_app_and_by_who_asked(world) {
        let store = &world.store;
        let began = world.ambient.now();
        let (busy, idle) = (world.visitor(), world.visitor());
        let opening = world.opening(busy, "one");
        let id = opening.user.conversation_id;
        store.record_turn(opening, event(busy)).await.unwrap();
        store.record_turn(world.turn(busy, id, "two"), event(busy)).await.unwrap();
        store.record_turn(world.opening(idle, "three"), event(idle)).await.unwrap();
        let day = Duration::from_secs(86_400);
        let usage = store.usage(began - day, world.ambient.now() + day, &UsageFilter::default()).await.unwrap();
        assert_eq!(usage.apps.len(), 1, "{usage:?}");
        let app = &usage.apps[0];
        assert_eq!((app.requests, app.conversations), (3, 2), "{app:?}");
        let asked: Vec<_> = usage.principals.iter().map(|row| (row.name.clone(), row.requests)).collect();
        assert_eq!(asked, [(busy.to_string(), 2), (idle.to_string(), 1)]);
        assert_eq!(app.output_tokens, usage.principals.iter().map(|row| row.output_tokens).sum::<u64>());
        let before = store.usage(began - day, began - Duration::from_secs(3_600), &UsageFilter::default()).await.unwrap();
        assert!(before.apps.is_empty() && before.principals.is_empty());
        let after = store.usage(world.ambient.now() + day, world.ambient.now() + day + day, &UsageFilter::default()).await.unwrap();
        assert!(after.apps.is_empty());
    }

    async fn an_erasure_leaves_a_receipt_and_nothing_else(world) {
        let store = &world.store;
        let admin = world.admin("admin@example.com").await.id;
        let user = world.member("user@example.com").await.id;
        let subject = Subject::User(user);
        store.record_turn(world.opening(subject, "hello"), event(subject)).await.unwrap();
        let last = store.erase(&Subject::User(admin), vec![]).await;
        assert_eq!(last.unwrap_err().code(), Code::Conflict);
        assert!(store.user(admin).await.unwrap().disabled_at.is_none(), "what was refused changed nothing");
        let erased = store.erase(&subject, by_operator(EventType::DataErased)).await.unwrap();
        assert_eq!((erased.counts.get("users"), erased.counts.get("messages")), (Some(&1), Some(&2)), "{erased:?}");
        assert!(erased.counts.values().all(|count| *count > 0));
        assert_eq!(store.erasure(erased.id).await.unwrap(), erased);
        assert_eq!(store.erasure(Uuid::nil()).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.user(user).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.erase(&subject, vec![]).await.unwrap_err().code(), Code::NotFound);
        assert!(store.erase(&world.visitor(), vec![]).await.unwrap().counts.is_empty());
    }

    async fn the_log_is_read_by_severity(world) {
        let store = &world.store;
        let mut loud = AuditEvent::new(EventType::AuthFailure, kernel::Actor::Anonymous);
        loud.severity = Severity::High;
        let mut quiet = loud.clone();
        quiet.severity = Severity::Low;
        store.record(vec![loud, quiet]).await.unwrap();
        for event_type in [None, Some("auth.failure".to_owned())] {
            for severity in ["high", "low"] {
                let filter = AuditFilter { event_type: event_type.clone(), severity: Some(severity.into()), ..AuditFilter::default() };
                let found = store.audit_events(filter, PageRequest::first(10)).await.unwrap().items;
                assert_eq!((found.len(), found[0].severity.as_str()), (1, severity));
            }
        }
    }
}
