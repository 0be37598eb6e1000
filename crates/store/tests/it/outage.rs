//! Postgres stopped, frozen and started again; connections cut; the pool exhausted; SQLite locked and full.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use kernel::{Code, PageRequest, Secret};
use store::{Config, Database, PostgresTls, Store};

use crate::server::{Server, proxy};
use crate::world::{World, event, pool, postgres_url, with_database};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_goes_and_comes_back() {
    let Some(world) = World::postgres().await else { return };
    let Some(server) = Server::start() else { return world.end().await };
    let store = Store::open(server.config(), crate::world::keyring(), world.ambient.clone()).await.unwrap();
    store.migrate().await.unwrap();
    let owner = world.visitor();
    let id = store.record_turn(world.opening(owner, "before"), event(owner)).await.unwrap();

    server.down();
    for _ in 0..3 {
        let calls = (0..20).map(|n| {
            let (store, turn) = (&store, world.turn(owner, id, "while away"));
            async move {
                let since = Instant::now();
                let code = match n % 3 {
                    0 => store.record_turn(turn, event(owner)).await.map(drop),
                    1 => store.messages(&owner, id, PageRequest::first(5)).await.map(drop),
                    _ => store.ping().await.map(drop),
                }
                .unwrap_err();
                assert_eq!(code.code(), Code::Unavailable, "{code:?}");
                assert!(code.retry().is_some());
                assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
            }
        });
        futures_util::future::join_all(calls).await;
    }

    server.up();
    // No sleep: the store recovers with the first attempts after the pause between two of them.
    let since = Instant::now();
    while store.ping().await.is_err() {
        assert!(since.elapsed() < Duration::from_secs(2));
        tokio::task::yield_now().await;
    }
    store.record_turn(world.turn(owner, id, "after"), event(owner)).await.unwrap();
    let messages = store.recent_messages(&owner, id, 10).await.unwrap();
    assert_eq!(
        messages.iter().map(|message| message.content.as_str()).collect::<Vec<_>>(),
        ["before", "answer to before", "after", "answer to after"]
    );
    assert_eq!(store.verify_audit().await.unwrap().fault, None);
    store.close().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_holds_nobody_up() {
    let Some(world) = World::postgres().await else { return };
    // A listener that takes connections and never says a word.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", silent.local_addr().unwrap().port());
    let database = Database::Postgres { url: Secret::new(url), tls: PostgresTls::Prefer };
    let config = Config { database, ..world.config.clone() };
    let since = Instant::now();
    let fault = Store::open(config, crate::world::keyring(), world.ambient.clone()).await.err().unwrap();
    assert_eq!(fault.code(), Code::Unavailable);
    assert!(since.elapsed() < Duration::from_secs(2));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_black_hole_costs_two_seconds_at_the_most() {
    let Some(world) = World::postgres().await else { return };
    let Database::Postgres { url, .. } = &world.config.database else { return };
    let (port, freeze) = proxy(url.expose()).await;
    let mut through = url::Url::parse(url.expose()).unwrap();
    through.set_port(Some(port)).unwrap();
    let database = Database::Postgres { url: Secret::new(through.to_string()), tls: PostgresTls::Prefer };
    let config = Config { database, ..world.config.clone() };
    let store = Store::open(config, crate::world::keyring(), world.ambient.clone()).await.unwrap();
    let owner = world.visitor();
    let id = store.record_turn(world.opening(owner, "before"), event(owner)).await.unwrap();
    freeze.send_replace(true);
    // Twice: first the connections that are open go silent, then no new one comes about.
    for _ in 0..2 {
        let calls = (0..30).map(|n| {
            let (store, turn) = (&store, world.turn(owner, id, "while away"));
            async move {
                let since = Instant::now();
                let outcome = match n % 2 {
                    0 => store.record_turn(turn, event(owner)).await.map(drop),
                    _ => store.messages(&owner, id, PageRequest::first(5)).await.map(drop),
                };
                (outcome.unwrap_err().code(), since.elapsed())
            }
        });
        for (code, elapsed) in futures_util::future::join_all(calls).await {
            assert_eq!(code, Code::Unavailable);
            assert!(elapsed < Duration::from_millis(2_200), "{elapsed:?}");
        }
    }
    freeze.send_replace(false);
    let since = Instant::now();
    while store.record_turn(world.turn(owner, id, "after"), event(owner)).await.is_err() {
        assert!(since.elapsed() < Duration::from_secs(4));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(store.verify_audit().await.unwrap().fault, None);
    store.close().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_cost_nobody_an_error() {
    let Some(world) = World::postgres().await else { return };
    let (store, owner) = (&world.store, world.visitor());
    let id = store.record_turn(world.opening(owner, "x"), event(owner)).await.unwrap();
    for _ in 0..5 {
        futures_util::future::join_all((0..6).map(|_| store.ping())).await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stoa' AND datname = current_database()";
        world.tamper(cut).await;
        store.messages(&owner, id, PageRequest::first(5)).await.unwrap();
        world.tamper(cut).await;
        store.record_turn(world.turn(owner, id, "again"), event(owner)).await.unwrap();
    }
    assert_eq!(store.conversation(&owner, id).await.unwrap().user_messages, 6);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_stay_within_their_number_and_age() {
    let Some(world) = World::postgres().await else { return };
    let pool = store::Pool {
        size: 2,
        overflow: 1,
        wait: Duration::from_secs(1),
        recycle: Duration::from_millis(400),
        ..pool()
    };
    let config = Config { pool, ..world.config.clone() };
    let store = Store::open(config, crate::world::keyring(), world.ambient.clone()).await.unwrap();
    store.check_key().await.unwrap();
    // Nobody may write while this lock is held, and it is held for longer than anybody waits.
    let Database::Postgres { url, .. } = &world.config.database else { return };
    let mut locker = <sqlx::PgConnection as sqlx::Connection>::connect(url.expose()).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE conversations IN ACCESS EXCLUSIVE MODE")
        .execute(&mut locker)
        .await
        .unwrap();
    let owner = world.visitor();
    let calls = (0..40).map(|_| {
        let store = &store;
        async move {
            let since = Instant::now();
            let fault = store
                .conversation(
                    &owner,
                    kernel::ConversationId::parse("019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d").unwrap(),
                )
                .await
                .unwrap_err();
            (fault.code(), since.elapsed())
        }
    });
    let watched = async {
        let count = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'stoa' AND datname = current_database()";
        // The store of the world has connections of its own: at most four more.
        assert!(world.number(count).await <= 3 + 8);
        assert!(store.pool_state().open <= 3);
    };
    let (outcomes, ()) = tokio::join!(futures_util::future::join_all(calls), watched);
    for (code, elapsed) in outcomes {
        assert_eq!(code, Code::Unavailable);
        assert!(elapsed < Duration::from_secs(4), "{elapsed:?}");
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut locker).await.unwrap();
    store.ping().await.unwrap();
    // Whatever rests is closed when its time is over.
    let since = Instant::now();
    while store.pool_state().open > 0 {
        assert!(since.elapsed() < Duration::from_secs(3));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    store.close().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verified_connection_wants_the_right_authority_and_name() {
    let Some(world) = World::postgres().await else { return };
    let Some(server) = Server::start() else { return world.end().await };
    let file = |name: &str| format!("{}/{name}", server.data());
    // Made by the user that runs the server: it reads its key only when nobody else can.
    let certificate = format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
         -addext basicConstraints=critical,CA:FALSE -keyout {0} -out {1} && chmod 600 {0} && cp {1} {2}",
        file("server.key"),
        file("server.crt"),
        file("authority.pem")
    );
    if !server.run(&certificate) {
        println!("skipped: no openssl program");
        return world.end().await;
    }
    server.down();
    let settings = std::fs::read_to_string(file("postgresql.conf")).unwrap() + "ssl=on\n";
    std::fs::write(file("postgresql.conf"), settings).unwrap();
    server.up();
    let authority = Some(PathBuf::from(file("authority.pem")));
    let open = async |host: &str, tls: PostgresTls| {
        let url = Secret::new(format!("postgres://postgres@{host}:{}/postgres", server.port));
        let config = Config { database: Database::Postgres { url, tls }, ..server.config() };
        Store::open(config, crate::world::keyring(), world.ambient.clone()).await
    };
    let store = open("localhost", PostgresTls::VerifyFull { authority: authority.clone() }).await.unwrap();
    store.ping().await.unwrap();
    let encrypted = "SELECT COUNT(*) FROM pg_stat_ssl s JOIN pg_stat_activity a ON a.pid = s.pid \
                     WHERE s.ssl AND a.application_name = 'stoa'";
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port);
    let mut raw = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let count: i64 = sqlx::query_scalar(encrypted).fetch_one(&mut raw).await.unwrap();
    assert!(count >= 1);
    store.close().await;
    let wrong_name = open("127.0.0.1", PostgresTls::VerifyFull { authority }).await;
    assert_eq!(wrong_name.err().unwrap().code(), Code::Unavailable);
    let unknown_authority = open("localhost", PostgresTls::VerifyFull { authority: None }).await;
    assert_eq!(unknown_authority.err().unwrap().code(), Code::Unavailable);
    open("localhost", PostgresTls::Prefer).await.unwrap().close().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_tls_is_refused() {
    let Some(world) = World::postgres().await else { return };
    let url = with_database(&postgres_url().unwrap(), "postgres");
    // Whether the server of the tests speaks no TLS or shows a certificate of its own: nobody vouches for it.
    let database =
        Database::Postgres { url: Secret::new(url), tls: PostgresTls::VerifyFull { authority: None } };
    let config = Config { database, ..world.config.clone() };
    let fault = Store::open(config, crate::world::keyring(), world.ambient.clone()).await.err().unwrap();
    assert_eq!(fault.code(), Code::Unavailable);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_may_write_between() {
    let world = World::sqlite().await;
    let owner = world.visitor();
    let other = world.second().await;
    let id = world.store.record_turn(world.opening(owner, "x"), event(owner)).await.unwrap();
    let busy = (0..400).map(|n| world.store.record_turn(world.turn(owner, id, &n.to_string()), event(owner)));
    let beside = async {
        for n in 0..20 {
            other.set_state("n", &n.to_string(), event(owner)).await.unwrap();
        }
    };
    let (outcomes, ()) = tokio::join!(futures_util::future::join_all(busy), beside);
    assert!(outcomes.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!(world.store.verify_audit().await.unwrap().events, 421);
    other.close().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_unavailable_and_passes() {
    let world = World::sqlite().await;
    let (store, owner) = (&world.store, world.visitor());
    let id = store.record_turn(world.opening(owner, "x"), event(owner)).await.unwrap();
    // The writer's own connection is told that the file may not grow: what a full disk looks like to SQLite.
    store.limit_pages(1).await.unwrap();
    let big = "y".repeat(3_000_000);
    let fault = store.record_turn(world.turn(owner, id, &big), event(owner)).await.unwrap_err();
    assert_eq!(fault.code(), Code::Unavailable, "{fault:?}");
    assert_eq!(store.recent_messages(&owner, id, 9).await.unwrap().len(), 2, "reading goes on");
    store.limit_pages(1_000_000).await.unwrap();
    store.record_turn(world.turn(owner, id, &big), event(owner)).await.unwrap();
    assert_eq!(
        store.verify_audit().await.unwrap(),
        store::AuditVerdict { events: 2, removed: 0, fault: None }
    );
    world.end().await;
}
