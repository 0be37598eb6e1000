//! The way to Postgres goes silent: packets are taken and nothing comes back. Health says so in half a second,
//! callers are told in two, and when the way is open again everything works.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::world::{Setup, eventually, setting};

/// A way to a server that can be made silent.
struct Way {
    address: SocketAddr,
    silent: watch::Sender<bool>,
}

impl Way {
    async fn to(server: (String, u16)) -> Way {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = Way { address: listener.local_addr().unwrap(), silent: watch::Sender::new(false) };
        let silent = way.silent.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect((server.0.as_str(), server.1)).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(carry(near_in, far_out, silent.subscribe()));
                tokio::spawn(carry(far_in, near_out, silent.subscribe()));
            }
        });
        way
    }
}

/// Carries bytes, and holds them while the way is silent.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut silent: watch::Receiver<bool>) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if silent.wait_for(|silent| !silent).await.is_err() || to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_database_holds_nobody() {
    let Some(setup) = Setup::postgres() else { return };
    let server = url::Url::parse(&setting("STOA_TEST_POSTGRES").unwrap()).unwrap();
    let way = Way::to((server.host_str().unwrap().to_owned(), server.port().unwrap_or(5432))).await;
    let mut through = url::Url::parse(setup.variable("DATABASE_URL").unwrap()).unwrap();
    through.set_host(Some("127.0.0.1")).unwrap();
    through.set_port(Some(way.address.port())).unwrap();
    let world = setup.unlimited().set("DATABASE_URL", through).start().await;
    let key = world.key();
    let id = world.conversation(&key).await;
    world.say(&key, &id, "before").await;
    way.silent.send_replace(true);
    for _ in 0..5 {
        let asking = (0..4).map(|_| {
            let key = key.clone();
            tokio::spawn(async move {
                let began = Instant::now();
                let answer =
                    key.post("/api/v1/chat").json(&json!({"message": "x", "app": "assistant"})).send().await;
                (answer, began.elapsed())
            })
        });
        let asking: Vec<_> = asking.collect();
        let began = Instant::now();
        let health = key.get("/health").send().await;
        assert!(began.elapsed() < Duration::from_millis(500), "health took {:?}", began.elapsed());
        assert!(health.status == 503 || health.status == 200, "{health:?}");
        for asked in asking {
            let (answer, took) = asked.await.unwrap();
            assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{answer:?}");
            assert!(took < Duration::from_millis(2_500), "somebody waited {took:?}");
        }
    }
    let health = key.get("/health").send().await;
    assert_eq!((health.status, &health.json()["database"]), (503, &json!("down")));
    way.silent.send_replace(false);
    let path = format!("/api/v1/conversations/{id}/messages");
    eventually(Duration::from_secs(10), "everything works again", async || {
        key.get("/health").send().await.status == 200
            && key.post(&path).json(&json!({"content": "after"})).send().await.status == 201
    })
    .await;
    world.verify_audit().await;
}
