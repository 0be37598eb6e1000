//! Clients that send slowly or never: they hold a connection each, and nobody else up.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{KEY, Setup};

/// How many, as far as the descriptors of a test process go.
const CLIENTS: usize = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_hold_nobody_up() {
    let world = Setup::sqlite().unlimited().start().await;
    let before = world.process.memory();
    let head = format!(
        "POST /api/v1/chat HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{{\"mess"
    );
    let pieces = ["", "G", "GET /api/v1/apps HTTP/1.1\r\nhost: a\r\nx-sl", &head];
    let began = Instant::now();
    let mut slow = Vec::new();
    for number in 0..CLIENTS {
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        stream.write_all(pieces[number % pieces.len()].as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let held = began.elapsed();
    let mut worst = Duration::ZERO;
    for _ in 0..50 {
        let began = Instant::now();
        assert_eq!(world.key().get("/api/v1/apps").send().await.status, 200);
        worst = worst.max(began.elapsed());
    }
    assert!(worst < Duration::from_secs(1), "somebody waited {worst:?} beside {CLIENTS} slow ones");
    let each = world.process.memory().saturating_sub(before) / CLIENTS as u64;
    assert!(each < 64 * 1024, "a slow client costs {each} bytes");
    println!("{CLIENTS} slow clients in {held:?}: the worst wait was {worst:?}, {each} bytes each");
    // A head that does not come is not waited for.
    let mut unfinished = slow.swap_remove(2);
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(15), unfinished.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "a head may take ten seconds");
}
