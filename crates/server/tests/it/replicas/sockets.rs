//! One server on SQLite whose socket belongs to whoever starts it, as systemd does: while it is replaced, callers wait a
//! moment in the queue of the socket, and nobody is turned away.

use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::world::{Caller, KEY, Setup, eventually};

/// Starts a server that gets this socket.
fn start(
    folder: &std::path::Path,
    variables: &std::collections::BTreeMap<String, String>,
    socket: &std::net::TcpListener,
) -> std::process::Child {
    // The shell has the number of the process that it will become.
    let line = format!("LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" serve 3<&{}", socket.as_raw_fd());
    #[expect(clippy::disallowed_methods, reason = "the test owns the server")]
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &line, env!("CARGO_BIN_EXE_stoa")]).env_clear().envs(variables).current_dir(folder);
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    command.stderr(std::process::Stdio::null()).spawn().unwrap()
}

async fn ready(caller: &Caller) {
    let answers =
        async || matches!(caller.get("/ready").try_send().await, Ok(answer) if answer.status == 200);
    eventually(Duration::from_secs(30), "it is ready", answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_on_a_socket_that_was_handed_over_fails_no_request() {
    let (folder, variables, _upstream) = Setup::alone().unlimited().prepare().await;
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::empty()).unwrap();
    let address = socket.local_addr().unwrap();
    let mut server = start(folder.path(), &variables, &socket);
    let caller = Caller::new(address).with("x-api-key", KEY);
    ready(&caller).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..4 {
        let (caller, stop) = (caller.clone(), Arc::clone(&stop));
        callers.spawn(async move {
            let (mut good, mut bad) = (0, Vec::new());
            while !stop.load(Ordering::Relaxed) {
                let body = json!({"message": "hello", "app": "assistant", "session_id": format!("s{number}-{good}")});
                match caller.post("/api/v1/chat").json(&body).try_send().await {
                    Ok(answer) if answer.status == 200 => good += 1,
                    other => bad.push(format!("{other:?}")),
                }
            }
            (good, bad)
        });
    }
    for _ in 0..3 {
        // One that is only starting has not learned to stop yet.
        ready(&caller).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let pid = rustix::process::Pid::from_child(&server);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let ended = tokio::task::spawn_blocking(move || server.wait().unwrap()).await.unwrap();
        assert_eq!(ended.code(), Some(0));
        server = start(folder.path(), &variables, &socket);
    }
    ready(&caller).await;
    stop.store(true, Ordering::Relaxed);
    let (mut good, mut bad) = (0, Vec::new());
    while let Some(done) = callers.join_next().await {
        let (some, wrong) = done.unwrap();
        good += some;
        bad.extend(wrong);
    }
    let _ = server.kill();
    let _ = server.wait();
    println!("3 restarts on one socket: {good} answers, {} failures", bad.len());
    assert!(bad.is_empty(), "{bad:?}");
    assert!(good > 20);
}
