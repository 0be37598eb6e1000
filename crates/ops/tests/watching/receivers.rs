//! Receivers of alerts: a webhook that says yes or no, and a mail server without TLS.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A webhook: remembers heads and bodies, answers with a status.
#[derive(Clone)]
pub struct Hook {
    pub address: SocketAddr,
    pub status: Arc<AtomicU16>,
    pub taken: Arc<Mutex<Vec<(String, String)>>>,
}

impl Hook {
    pub async fn start() -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook = Hook {
            address: listener.local_addr().unwrap(),
            status: Arc::new(AtomicU16::new(204)),
            taken: Arc::default(),
        };
        let serving = hook.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let hook = serving.clone();
                tokio::spawn(async move { hook.serve(socket).await });
            }
        });
        hook
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks/T0/secret", self.address)
    }

    /// What was taken with a yes.
    pub fn taken(&self) -> Vec<(String, String)> {
        self.taken.lock().unwrap().clone()
    }

    async fn serve(&self, socket: TcpStream) -> Option<()> {
        let mut socket = BufReader::new(socket);
        loop {
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if socket.read_line(&mut line).await.ok()? == 0 {
                    return None;
                }
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            socket.read_exact(&mut body).await.ok()?;
            let status = self.status.load(Ordering::Relaxed);
            if (200..300).contains(&status) {
                self.taken.lock().unwrap().push((head, String::from_utf8_lossy(&body).into_owned()));
            }
            let answer =
                format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nlocation: http://127.0.0.1:1/\r\n\r\n");
            socket.get_mut().write_all(answer.as_bytes()).await.ok()?;
        }
    }
}

/// A mail server without TLS: remembers what it was told.
#[derive(Clone)]
pub struct Smtp {
    pub address: SocketAddr,
    /// One entry for each connection: letters that come at the same time do not mix.
    told: Arc<Mutex<Vec<String>>>,
    /// What it answers to `RCPT`.
    pub mailbox: Arc<AtomicU16>,
}

impl Smtp {
    pub async fn start() -> Smtp {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let smtp = Smtp {
            address: listener.local_addr().unwrap(),
            told: Arc::default(),
            mailbox: Arc::new(AtomicU16::new(250)),
        };
        let serving = smtp.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let smtp = serving.clone();
                tokio::spawn(async move { smtp.serve(socket).await });
            }
        });
        smtp
    }

    /// Everything that was said to it, connection by connection.
    pub fn told(&self) -> String {
        self.told.lock().unwrap().join("")
    }

    async fn serve(&self, socket: TcpStream) -> Option<()> {
        let mut socket = BufReader::new(socket);
        socket.get_mut().write_all(b"220 test ESMTP\r\n").await.ok()?;
        let place = {
            let mut told = self.told.lock().unwrap();
            told.push(String::new());
            told.len() - 1
        };
        let mut in_data = false;
        loop {
            let mut line = String::new();
            if socket.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            self.told.lock().unwrap()[place].push_str(&line);
            let answer = match line.trim_end() {
                "." if in_data => {
                    in_data = false;
                    "250 taken\r\n".to_owned()
                }
                _ if in_data => continue,
                "DATA" => {
                    in_data = true;
                    "354 go on\r\n".to_owned()
                }
                "QUIT" => "221 bye\r\n".to_owned(),
                text if text.starts_with("EHLO") => "250-test\r\n250 AUTH PLAIN LOGIN\r\n".to_owned(),
                text if text.starts_with("AUTH") => "235 in\r\n".to_owned(),
                text if text.starts_with("RCPT") => {
                    format!("{} box\r\n", self.mailbox.load(Ordering::Relaxed))
                }
                _ => "250 ok\r\n".to_owned(),
            };
            socket.get_mut().write_all(answer.as_bytes()).await.ok()?;
        }
    }
}
