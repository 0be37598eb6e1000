//! A way to a server that can be made silent, or cut.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a way does with what is sent on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passage {
    /// It carries everything.
    Open,
    /// It takes everything and carries nothing.
    Silent,
    /// It ends every connection.
    Cut,
}

/// The way.
pub struct Way {
    pub address: SocketAddr,
    passage: watch::Sender<Passage>,
}

impl Way {
    /// A way to where this URL leads.
    pub async fn to(url: &str, port: u16) -> Way {
        let url = url::Url::parse(url).unwrap();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(port));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = Way { address: listener.local_addr().unwrap(), passage: watch::Sender::new(Passage::Open) };
        let passage = way.passage.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if *passage.borrow() == Passage::Cut {
                    continue;
                }
                let Ok(far) = TcpStream::connect((server.0.as_str(), server.1)).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(carry(near_in, far_out, passage.subscribe()));
                tokio::spawn(carry(far_in, near_out, passage.subscribe()));
            }
        });
        way
    }

    /// The same URL on this way.
    pub fn through(&self, url: &str) -> String {
        let mut url = url::Url::parse(url).unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.into()
    }

    pub fn set(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }
}

/// Carries bytes, holds them while the way is silent, and ends when it is cut.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut passage: watch::Receiver<Passage>) {
    let mut cut = passage.clone();
    let carrying = async {
        let mut bytes = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            let open = passage.wait_for(|now| *now == Passage::Open).await.is_ok();
            if !open || to.write_all(&bytes[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = carrying => {}
        _ = cut.wait_for(|now| *now == Passage::Cut) => {}
    }
}
