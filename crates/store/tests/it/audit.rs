//! The audit log: filters, and every way of tampering with it.

use kernel::{Actor, AuditEvent, EventType, PageRequest, Time};
use store::AuditFilter;

use crate::world::{World, event, on_both_engines};

async fn fill(world: &World, count: usize) {
    let events = (0..count).map(|n| {
        let event = AuditEvent::new(EventType::AuthFailure, Actor::Anonymous);
        event.from(std::net::IpAddr::from([192, 0, 2, 1])).to(format!("attempt:{n}")).with("n", n as u64)
    });
    world.store.record(events.collect()).await.unwrap();
}

async fn fault(world: &World) -> String {
    let fault = world.store.verify_audit().await.unwrap().fault.expect("a fault");
    format!("{} {}", fault.seq, fault.what)
}

on_both_engines! {
    async fn events_are_found(world) {
        let (store, owner) = (&world.store, world.visitor());
        fill(world, 5).await;
        let between = world.ambient.now();
        store.record(event(owner)).await.unwrap();
        store.record(vec![]).await.unwrap();
        let page = PageRequest::first(3);
        let all = store.audit_events(AuditFilter::default(), page.clone()).await.unwrap();
        assert_eq!(all.items.iter().map(|event| event.seq).collect::<Vec<_>>(), [6, 5, 4]);
        let after = kernel::Cursor::parse(&all.next.unwrap()).ok();
        let rest = store.audit_events(AuditFilter::default(), PageRequest { limit: 9, after }).await.unwrap();
        assert_eq!(rest.items.iter().map(|event| event.seq).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(rest.items[0].details["n"], 2);
        let count = |filter: AuditFilter| async { store.audit_events(filter, PageRequest::first(9)).await.unwrap().items.len() };
        let any = AuditFilter::default;
        assert_eq!(count(AuditFilter { event_type: Some("auth.failure".into()), ..any() }).await, 5);
        assert_eq!(count(AuditFilter { event_type: Some("x' OR 1=1 --".into()), ..any() }).await, 0);
        assert_eq!(count(AuditFilter { actor: Some(owner.to_string()), ..any() }).await, 1);
        assert_eq!(count(AuditFilter { ip: Some("192.0.2.1".into()), ..any() }).await, 5);
        assert_eq!(count(AuditFilter { object: Some("attempt:3".into()), ..any() }).await, 1);
        assert_eq!(count(AuditFilter { since: Some(between), ..any() }).await, 1);
        assert_eq!(count(AuditFilter { until: Some(between), ..any() }).await, 5);
        assert_eq!(count(AuditFilter { until: Some(Time::EPOCH), ..any() }).await, 0);
    }

    async fn a_whole_log_verifies(world) {
        assert_eq!(world.store.verify_audit().await.unwrap(), store::AuditVerdict { events: 0, removed: 0, fault: None });
        fill(world, 2_500).await;
        assert_eq!(world.store.verify_audit().await.unwrap(), store::AuditVerdict { events: 2_500, removed: 0, fault: None });
    }

    async fn an_altered_event_is_named(world) {
        for column in ["at = at + 1", "ip = '192.0.2.9'", "actor = 'x'", "details = '{}'", "severity = 'low'", "object = NULL", "id = 'x'", "event_type = 'x'"] {
            fill(world, 5).await;
            let seq = world.number("SELECT MAX(seq) FROM audit_events").await - 2;
            world.tamper(&format!("CREATE TABLE kept AS SELECT * FROM audit_events WHERE seq = {seq}")).await;
            world.tamper(&format!("UPDATE audit_events SET {column} WHERE seq = {seq}")).await;
            assert_eq!(fault(world).await, format!("{seq} altered: the event {seq} is not the one that was written"));
            world.tamper(&format!("DELETE FROM audit_events WHERE seq = {seq}; INSERT INTO audit_events SELECT * FROM kept; DROP TABLE kept")).await;
            assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
        }
    }

    async fn a_removed_event_is_named(world) {
        fill(world, 1_200).await;
        world.tamper("DELETE FROM audit_events WHERE seq = 1100").await;
        assert_eq!(fault(world).await, "1100 missing: the event 1100 was removed; the next one is 1101");
        world.tamper("DELETE FROM audit_events WHERE seq = 1").await;
        assert!(fault(world).await.starts_with("1 missing"));
    }

    async fn a_cut_tail_is_named(world) {
        fill(world, 10).await;
        world.tamper("DELETE FROM audit_events WHERE seq > 7").await;
        assert_eq!(fault(world).await, "8 missing: the log ends at 7, the head names 10");
        // Moving the head as well does not help: the seal cannot be made without the key.
        world.tamper("UPDATE audit_head SET seq = 7, hash = (SELECT hash FROM audit_events WHERE seq = 7)").await;
        assert_eq!(fault(world).await, "7 altered: the head of the log does not carry its seal");
        // Nor does it heal when the server writes on.
        fill(world, 3).await;
        assert!(fault(world).await.contains("seal"));
    }

    async fn an_emptied_log_is_named(world) {
        fill(world, 3).await;
        world.tamper("DELETE FROM audit_events").await;
        assert!(fault(world).await.contains("missing: the log ends at 0, the head names 3"));
        world.tamper("DELETE FROM audit_head").await;
        assert!(fault(world).await.contains("the head of the log was removed"));
    }

    async fn reordered_events_are_named(world) {
        fill(world, 6).await;
        world.tamper("UPDATE audit_events SET seq = -1 WHERE seq = 3; UPDATE audit_events SET seq = 3 WHERE seq = 5; UPDATE audit_events SET seq = 5 WHERE seq = -1").await;
        assert_eq!(fault(world).await, "3 reordered: the event 3 was moved to the place 5");
    }

    async fn an_event_from_elsewhere_is_named(world) {
        fill(world, 3).await;
        world.tamper("INSERT INTO audit_events SELECT 4, id, at, event_type, severity, ip, actor, object, details, hash FROM audit_events WHERE seq = 3").await;
        assert!(fault(world).await.contains("events go on to 4"));
        world.tamper("UPDATE audit_head SET seq = 4").await;
        assert!(fault(world).await.starts_with("4 altered"));
    }

    async fn two_processes_share_one_chain(world) {
        let other = world.second().await;
        let mut writes = Vec::new();
        for n in 0..60 {
            let store = if n % 2 == 0 { world.store.clone() } else { other.clone() };
            let owner = world.visitor();
            writes.push(tokio::spawn(async move { store.record(event(owner)).await }));
        }
        for write in writes {
            write.await.unwrap().unwrap();
        }
        assert_eq!(other.verify_audit().await.unwrap(), store::AuditVerdict { events: 60, removed: 0, fault: None });
        other.close().await;
    }
}
