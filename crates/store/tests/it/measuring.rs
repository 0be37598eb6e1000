//! Rollups, the costs and plans of statements, and looks at the database as a whole.

use std::time::Duration;

use kernel::{EventType, Time};
use store::Measure;

use crate::world::on_both_engines;

fn measure(at: i64, what: &str, calls: u64) -> Measure {
    Measure {
        replica: "a:1/0001".into(),
        span: 60,
        at: Time::from_seconds(at),
        what: what.into(),
        calls,
        failed: 1,
        total: 2,
        longest: 3,
        detail: "4:5".into(),
    }
}

on_both_engines! {
    async fn rollups_are_written_over_and_forgotten(world) {
        let store = &world.store;
        let many: Vec<Measure> = (0..120).map(|n| measure(n * 60, "http:api", 1)).collect();
        store.keep_measures(many).await.unwrap();
        store.keep_measures(vec![measure(60, "http:api", 9), measure(60, "up", 7)]).await.unwrap();
        store.keep_measures(Vec::new()).await.unwrap();
        let read = store.measures(60, Time::from_seconds(60), "").await.unwrap();
        assert_eq!((read.len(), read[0].clone(), read[1].what.as_str()), (120, measure(60, "http:api", 9), "up"));
        assert_eq!(store.measures(60, Time::EPOCH, "up").await.unwrap().len(), 1);
        assert!(store.measures(3_600, Time::EPOCH, "").await.unwrap().is_empty());
        store.prune_measures(60, Time::from_seconds(7_000)).await.unwrap();
        assert_eq!(store.measures(60, Time::EPOCH, "").await.unwrap().len(), 3);
    }

    /// 001.26: a plan shows the index that is used and no value.
    async fn plans_are_given_without_values(world) {
        let sql = "SELECT id FROM conversations WHERE owner = $1 AND app = $2 ORDER BY updated_at DESC LIMIT $3";
        let plan = world.store.plan_of(sql, 3).await.unwrap();
        assert!(plan.contains("conversations"), "{plan}");
        let plan = world.store.plan_of("SELECT value FROM state WHERE name = $1", 1).await.unwrap();
        assert!(plan.to_lowercase().contains("state") && !plan.contains("One-Time Filter"), "{plan}");
        world.store.plan_of("SELECT 1", 0).await.unwrap();
        // The connection that was asked is none the worse for it.
        world.store.ping().await.unwrap();
        let costs = world.store.statement_costs();
        assert!(costs.iter().any(|cost| cost.operation == "ping" && cost.calls == 1), "{costs:?}");
        assert!(world.store.statement_sum().0 > 1);
        assert_eq!(world.store.server_statements(Duration::ZERO, 5).await.unwrap(), None);
    }

    async fn the_database_tells_about_itself(world) {
        let store = &world.store;
        assert!(store.ping_write().await.unwrap() < Duration::from_secs(30));
        assert!(store.database_size().await.unwrap() > 10_000);
        assert_eq!(store.files_size().await.unwrap(), 0);
        assert_eq!(store.outbox_backlog().await.unwrap().count, 0);
        assert_eq!(store.documents_with("failed").await.unwrap(), 0);
        let facts = store.server_facts().await.unwrap();
        assert_eq!(facts.is_some(), store.engine() == "postgres");
        assert_eq!(store.server_clock().await.unwrap().is_some(), store.engine() == "postgres");
        if let Some(facts) = facts {
            assert!(facts.max_connections > 0 && facts.connections > 0 && !facts.version.is_empty());
        }
        assert_eq!(store.account_counts(Time::EPOCH).await.unwrap().all, 0);
        assert_eq!(store.last_event(EventType::BackupCreated).await.unwrap(), None);
        let _ = store.event_counts(Time::EPOCH, Time::from_seconds(4_000_000_000)).await.unwrap();
    }
}
