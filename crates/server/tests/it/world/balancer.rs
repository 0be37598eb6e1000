//! What stands in front of several replicas: it hands each connection to the next one, without looking at it, and
//! remembers nobody.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Hands connections out in turn.
pub struct Balancer {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Balancer {
    pub async fn before(replicas: Vec<SocketAddr>) -> Balancer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (replicas, turn) = (Arc::new(Mutex::new(replicas)), Arc::new(AtomicUsize::new(0)));
        let task = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (replicas, turn) = (Arc::clone(&replicas), Arc::clone(&turn));
                tokio::spawn(async move {
                    let all = replicas.lock().unwrap().clone();
                    for _ in 0..all.len() {
                        let next = all[turn.fetch_add(1, Ordering::Relaxed) % all.len()];
                        if let Ok(mut far) = TcpStream::connect(next).await {
                            let _ = (near.set_nodelay(true), far.set_nodelay(true));
                            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                            return;
                        }
                    }
                });
            }
        });
        Balancer { address, task }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
