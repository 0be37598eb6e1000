//! Alerts, the outbox, leases and the counts over the audit log, races included.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::{Actor, AlertId, AuditEvent, Code, EventType, PageRequest, Secret, Severity, Time};
use serde_json::{Map, json};
use store::{
    AlertFilter, AuditFilter, By, Mail, NewAlert, NewParcel, Raised, Sink, Tally, TallyQuery, Template,
};

use crate::world::{World, on_both_engines};

const HOUR: Duration = Duration::from_secs(3_600);

fn alert(world: &World, cause: &str, count: u64, last_at: Time) -> NewAlert {
    let details = json!({"address": "192.0.2.7", "count": count});
    NewAlert {
        id: AlertId::new(&world.ambient),
        cause: cause.into(),
        kind: "failed_sign_ins",
        severity: Severity::High,
        details: details.as_object().cloned().unwrap_or_else(Map::new),
        count,
        last_at,
    }
}

fn parcel(sink: Sink, text: &str) -> NewParcel {
    NewParcel { sink, user: None, payload: Secret::new(text.to_owned()) }
}

fn raised() -> Vec<AuditEvent> {
    vec![AuditEvent::new(EventType::AlertRaised, Actor::System)]
}

async fn audited(world: &World, event: EventType) -> usize {
    let filter = AuditFilter { event_type: Some(event.as_str().into()), ..AuditFilter::default() };
    world.store.audit_events(filter, PageRequest::first(100)).await.unwrap().items.len()
}

fn turn(world: &World, span: Duration) {
    world.clock.0.fetch_add(i64::try_from(span.as_micros()).unwrap(), Ordering::Relaxed);
}

async fn claimed(world: &World, sink: Sink) -> Vec<String> {
    let until = world.ambient.now() + Duration::from_secs(120);
    let parcels = world.store.claim_parcels(sink, 100, until).await.unwrap();
    parcels.into_iter().map(|parcel| parcel.payload.expose().clone()).collect()
}

fn failures(ip: [u8; 4], account: &str, count: usize) -> Vec<AuditEvent> {
    let event = AuditEvent::new(EventType::AuthFailure, Actor::Anonymous)
        .from(std::net::IpAddr::from(ip))
        .with("account", account);
    vec![event; count]
}

on_both_engines! {
    async fn a_cause_is_raised_once_until_it_is_acknowledged_or_quiet(world) {
        let store = &world.store;
        let raise = async |cause: &str, count: u64| {
            let new = alert(world, cause, count, world.ambient.now());
            store.raise_alert(new, HOUR, vec![parcel(Sink::Webhook, cause)], raised()).await.unwrap()
        };
        let Raised::New(first) = raise("one", 11).await else { panic!("not new") };
        assert_eq!((first.count, &first.details["address"]), (11, &json!("192.0.2.7")));
        let Raised::Counted(again) = raise("one", 2).await else { panic!("not counted") };
        assert_eq!((again.id, again.count), (first.id, 13));
        assert!(again.last_at > first.last_at);
        assert!(matches!(raise("other", 1).await, Raised::New(_)));
        assert_eq!(claimed(world, Sink::Webhook).await, ["one", "other"]);
        assert_eq!(audited(world, EventType::AlertRaised).await, 2);

        let noted = || vec![AuditEvent::new(EventType::AlertAcknowledged, Actor::Operator)];
        let closed = store.acknowledge_alert(first.id, Actor::Operator, noted()).await.unwrap();
        assert_eq!(closed.acknowledged_by.as_deref(), Some("operator"));
        assert!(closed.closed_at.is_some() && closed.acknowledged_at == closed.closed_at);
        let twice = store.acknowledge_alert(first.id, Actor::System, noted()).await.unwrap();
        assert_eq!(twice, closed);
        assert_eq!(audited(world, EventType::AlertAcknowledged).await, 1);
        let unknown = store.acknowledge_alert(AlertId::new(&world.ambient), Actor::Operator, noted()).await;
        assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.last_acknowledged("one", first.raised_at).await.unwrap(), closed.acknowledged_at);
        assert_eq!(store.last_acknowledged("one", world.ambient.now()).await.unwrap(), None);
        assert_eq!(store.last_acknowledged("other", first.raised_at).await.unwrap(), None);
        assert!(matches!(raise("one", 1).await, Raised::New(_)), "after an acknowledgement it is a new one");

        turn(world, HOUR * 2);
        let Raised::New(later) = raise("one", 1).await else { panic!("it had been quiet") };
        assert_eq!(store.open_alert("one").await.unwrap(), Some(later));
        assert_eq!(store.close_quiet_alerts("failed_sign_ins", world.ambient.now() - HOUR).await.unwrap(), 1);
        assert_eq!(store.close_quiet_alerts("failed_sign_ins", world.ambient.now() - HOUR).await.unwrap(), 0);
        assert_eq!(store.close_quiet_alerts("else", world.ambient.now()).await.unwrap(), 0);
        assert_eq!(store.open_alert("other").await.unwrap(), None);
        assert_eq!(store.verify_audit().await.unwrap().fault, None);
    }

    async fn alerts_are_listed_newest_first(world) {
        let store = &world.store;
        let mut ids = Vec::new();
        for n in 0..5 {
            let new = alert(world, &format!("c{n}"), 1, world.ambient.now());
            ids.push(new.id);
            store.raise_alert(new, HOUR, vec![], vec![]).await.unwrap();
        }
        store.acknowledge_alert(ids[1], Actor::Operator, vec![]).await.unwrap();
        let over = store.close_alert("c3", vec![parcel(Sink::Slack, "over")]).await.unwrap().unwrap();
        assert!(over.id == ids[3] && over.closed_at.is_some() && over.acknowledged_at.is_none());
        assert_eq!(store.close_alert("c3", vec![parcel(Sink::Slack, "twice")]).await.unwrap(), None);
        assert_eq!(claimed(world, Sink::Slack).await, ["over"]);
        let page = store.alerts(AlertFilter::default(), PageRequest::first(3)).await.unwrap();
        assert_eq!(page.items.iter().map(|a| a.id).collect::<Vec<_>>(), [ids[4], ids[3], ids[2]]);
        let after = kernel::Cursor::parse(&page.next.unwrap()).ok();
        let rest = store.alerts(AlertFilter::default(), PageRequest { limit: 3, after }).await.unwrap();
        assert_eq!(rest.items.iter().map(|a| a.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
        let count = async |open, acknowledged, kind: Option<&str>| {
            let filter = AlertFilter { open, acknowledged, kind: kind.map(str::to_owned) };
            store.alerts(filter, PageRequest::first(9)).await.unwrap().items.len()
        };
        assert_eq!(count(Some(true), None, None).await, 3);
        assert_eq!(count(Some(false), None, None).await, 2);
        assert_eq!(count(None, Some(true), None).await, 1);
        assert_eq!(count(Some(false), Some(false), Some("failed_sign_ins")).await, 1);
        assert_eq!(count(None, None, Some("x' OR 1=1 --")).await, 0);
        assert_eq!(store.count_open_alerts(None).await.unwrap(), 3);
        assert_eq!(store.count_open_alerts(Some("else")).await.unwrap(), 0);
        assert_eq!(store.alert(ids[0]).await.unwrap().cause, "c0");
        assert_eq!(store.alert(AlertId::new(&world.ambient)).await.unwrap_err().code(), Code::NotFound);
        let minutes = store.alert_minutes(Time::EPOCH).await.unwrap();
        assert_eq!(minutes.iter().map(|(_, count)| count).sum::<u64>(), 5);
    }

    async fn replicas_raise_exactly_one(world) {
        let stores = [world.store.clone(), world.second().await, world.second().await];
        let mut raising = Vec::new();
        for n in 0..30 {
            let (store, new) = (stores[n % 3].clone(), alert(world, "one", 1, world.ambient.now()));
            raising.push(tokio::spawn(async move {
                let outgoing = vec![parcel(Sink::Webhook, "w"), parcel(Sink::MailAlert, "m")];
                matches!(store.raise_alert(new, HOUR, outgoing, raised()).await.unwrap(), Raised::New(_))
            }));
        }
        let mut fresh = 0;
        for one in raising {
            fresh += usize::from(one.await.unwrap());
        }
        assert_eq!(fresh, 1);
        assert_eq!(world.store.open_alert("one").await.unwrap().unwrap().count, 30);
        assert_eq!(audited(world, EventType::AlertRaised).await, 1);
        assert_eq!(world.store.parcels_waiting().await.unwrap().0, 2);
    }

    async fn a_parcel_is_carried_by_one_and_comes_back_when_its_carrier_died(world) {
        let store = &world.store;
        store.send(vec![]).await.unwrap();
        store.send((0..20).map(|n| parcel(Sink::Webhook, &n.to_string())).collect()).await.unwrap();
        store.send(vec![parcel(Sink::Slack, "slack")]).await.unwrap();
        let stores = [world.store.clone(), world.second().await];
        let until = world.ambient.now() + Duration::from_secs(60);
        let claims = (0..10).map(|n| {
            let store = stores[n % 2].clone();
            tokio::spawn(async move { store.claim_parcels(Sink::Webhook, 5, until).await.unwrap() })
        });
        let mut parcels = Vec::new();
        for claim in claims.collect::<Vec<_>>() {
            parcels.extend(claim.await.unwrap());
        }
        let texts: HashSet<&str> = parcels.iter().map(|parcel| parcel.payload.expose().as_str()).collect();
        assert_eq!((parcels.len(), texts.len()), (20, 20), "each of them once");
        assert!(parcels.iter().all(|parcel| parcel.attempts == 1 && parcel.sink == Sink::Webhook));
        assert!(claimed(world, Sink::Webhook).await.is_empty());
        for parcel in &parcels[..18] {
            store.delivered(parcel.id).await.unwrap();
        }
        store.postponed(parcels[18].id, world.ambient.now() + HOUR).await.unwrap();
        turn(world, Duration::from_secs(61));
        let back = store.claim_parcels(Sink::Webhook, 5, world.ambient.now() + HOUR * 5).await.unwrap();
        assert_eq!((back.len(), back[0].id, back[0].attempts), (1, parcels[19].id, 2));
        turn(world, HOUR);
        assert_eq!(claimed(world, Sink::Webhook).await, [parcels[18].payload.expose().as_str()]);
        assert_eq!(store.parcels_waiting().await.unwrap().0, 3);
        assert_eq!(store.purge_parcels(Time::EPOCH).await.unwrap(), 0);
        assert_eq!(store.purge_parcels(world.ambient.now()).await.unwrap(), 3);
        assert_eq!(store.parcels_waiting().await.unwrap(), (0, None));
    }

    async fn what_is_carried_is_sealed(world) {
        let mail = Mail {
            to: "ada@example.org".into(), template: Template::ResetPassword,
            values: BTreeMap::from([("path".into(), "/reset?token=quetzal".into())]), until: None, language: None,
        };
        world.store.send(vec![NewParcel::mail(None, &mail).unwrap()]).await.unwrap();
        let read: Mail = serde_json::from_str(&claimed(world, Sink::Mail).await[0]).unwrap();
        assert_eq!(read, mail);
        // Postgres shows bytes as hexadecimal digits, in which the words would stand as such too.
        let plain = "SELECT COUNT(*) FROM outbox WHERE CAST(payload AS text) LIKE '%quetzal%' \
                     OR CAST(payload AS text) LIKE '%ada@%' OR CAST(payload AS text) LIKE '%7175657a616c%' \
                     OR CAST(payload AS text) LIKE '%61646140%'";
        assert_eq!(world.number(plain).await, 0);
    }

    async fn a_lease_has_one_holder_until_it_ends(world) {
        let (store, span) = (&world.store, Duration::from_secs(20));
        let holds = async |holder: &str| store.hold_lease("monitor", holder, span).await.unwrap();
        assert!(holds("a").await && holds("a").await && !holds("b").await);
        turn(world, Duration::from_secs(15));
        assert!(holds("a").await, "prolonged");
        turn(world, Duration::from_secs(15));
        assert!(!holds("b").await);
        turn(world, Duration::from_secs(6));
        assert!(holds("b").await && !holds("a").await, "the holder had died");
        store.drop_lease("monitor", "a").await.unwrap();
        assert!(!holds("a").await);
        store.drop_lease("monitor", "b").await.unwrap();
        assert!(holds("a").await);
        assert!(store.hold_lease("other", "b", span).await.unwrap());
        let stores = [world.store.clone(), world.second().await];
        let races = (0..20).map(|n| {
            let store = stores[n % 2].clone();
            tokio::spawn(async move { store.hold_lease("race", &format!("h{n}"), HOUR).await.unwrap() })
        });
        let mut winners = 0;
        for race in races.collect::<Vec<_>>() {
            winners += usize::from(race.await.unwrap());
        }
        assert_eq!(winners, 1);
    }

    async fn events_are_counted_in_groups(world) {
        let store = &world.store;
        let old = world.ambient.now();
        store.record(failures([192, 0, 2, 1], "old", 30)).await.unwrap();
        turn(world, HOUR);
        let since = world.ambient.now();
        store.record(failures([192, 0, 2, 1], "aaaa", 11)).await.unwrap();
        store.record(failures([192, 0, 2, 2], "aaaa", 3)).await.unwrap();
        let mild = failures([192, 0, 2, 2], "bbbb", 40).into_iter().map(|event| AuditEvent { severity: Severity::Low, ..event });
        store.record(mild.collect()).await.unwrap();
        let unnamed = AuditEvent::new(EventType::AuthFailure, Actor::Anonymous);
        store.record(vec![unnamed; 5]).await.unwrap();
        let query = |by: By, more_than: u64| TallyQuery {
            event_type: EventType::AuthFailure, severity: Some(Severity::High), since, by, only: None, more_than,
        };
        let short = |tallies: Vec<Tally>| -> Vec<(String, u64, u64)> {
            tallies.into_iter().map(|tally| (tally.group, tally.count, tally.addresses)).collect()
        };
        let tally = async |query: TallyQuery| short(store.tally(query).await.unwrap());
        assert_eq!(tally(query(By::Address, 10)).await, [("192.0.2.1".into(), 11, 1)]);
        assert!(tally(query(By::Address, 11)).await.is_empty());
        assert_eq!(tally(query(By::Account, 10)).await, [("aaaa".into(), 14, 2)]);
        assert_eq!(tally(query(By::Everything, 0)).await, [(String::new(), 19, 2)]);
        assert_eq!(tally(query(By::Actor, 0)).await, [("anonymous".into(), 19, 2)]);
        let only = TallyQuery { only: Some("192.0.2.2".into()), ..query(By::Address, 0) };
        assert_eq!(tally(only).await, [("192.0.2.2".into(), 3, 1)]);
        let all = TallyQuery { severity: None, since: old, ..query(By::Address, 0) };
        assert_eq!(tally(all).await, [("192.0.2.2".into(), 43, 1), ("192.0.2.1".into(), 41, 1)]);
        let minutes = store.audit_minutes(EventType::AuthFailure, Severity::High, old).await.unwrap();
        assert_eq!(minutes.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [30, 19]);
        assert_eq!(minutes[0].0.seconds() % 60, 0);
    }
}
