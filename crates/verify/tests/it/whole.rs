//! Whole runs: a right server passes with and without a key and is left tidy; a server that is away, slow or
//! speaks rubbish ends in clear lines.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use verify::{Options, Outcome, Report, run};

use crate::mock::{Mock, Quiet, options, with_key, with_token};

async fn all(options: Options) -> Report {
    run(options, &mut Quiet).await
}

fn lines(report: &Report) -> String {
    report.checks.iter().map(|line| line.text() + "\n").collect()
}

#[tokio::test]
async fn a_right_server_passes_and_is_left_tidy() {
    let (mock, address) = Mock::start(&[]).await;
    let report = all(options(address, &[])).await;
    assert!(report.passed, "{}", lines(&report));
    let skipped = report.checks.iter().filter(|line| matches!(line.outcome, Outcome::Skipped { .. }));
    assert_eq!(
        skipped.map(|line| line.name).collect::<Vec<_>>(),
        [
            "https-redirect",
            "tls",
            "roles",
            "pool",
            "documents",
            "citations",
            "desk",
            "files",
            "tutor",
            "settings",
            "accounts",
            "keys",
            "audit",
            "alerts",
            "brake",
            "backups"
        ],
        "{}",
        lines(&report)
    );
    assert_eq!(mock.state.lock().unwrap().talks.len(), 0);
}

#[tokio::test]
async fn a_key_opens_what_takes_no_visitors() {
    let (mock, address) = Mock::start(&["no-visitors"]).await;
    let report = all(with_token(with_key(options(address, &[])))).await;
    assert!(report.passed, "{}", lines(&report));
    for name in [
        "documents",
        "citations",
        "desk",
        "files",
        "tutor",
        "settings",
        "accounts",
        "keys",
        "audit",
        "alerts",
        "brake",
        "backups",
        "conversation",
        "stream",
        "stop",
        "chat",
        "openai",
        "isolation",
        "rate-limit",
        "errors",
    ] {
        let line = report.line(name).unwrap();
        assert!(matches!(line.outcome, Outcome::Passed { .. }), "{}", line.text());
    }
    assert_eq!(mock.state.lock().unwrap().talks.len(), 0);
}

#[tokio::test]
async fn the_token_of_somebody_else_opens_no_administration() {
    let (_, address) = Mock::start(&["plain-account"]).await;
    let mut options = with_token(options(address, &["settings", "alerts"]));
    options.json = true;
    let report = all(options).await;
    assert!(report.line("settings").unwrap().text().contains("not that of an admin"), "{}", lines(&report));
    let (_, address) = Mock::start(&["slow-backups"]).await;
    let report = all(with_token(crate::mock::options(address, &["backups"]))).await;
    assert!(report.passed, "{}", lines(&report));
    let (_, address) = Mock::start(&["no-backups"]).await;
    let report = all(with_token(crate::mock::options(address, &["backups"]))).await;
    assert!(
        report.line("backups").unwrap().text().contains("has no /api/v1/admin/backups"),
        "{}",
        lines(&report)
    );
}

#[tokio::test]
async fn without_key_and_visitors_the_rest_is_skipped_with_the_reason() {
    let (_, address) = Mock::start(&["no-visitors"]).await;
    let report = all(options(address, &[])).await;
    assert!(report.passed, "{}", lines(&report));
    assert!(report.line("conversation").unwrap().text().contains("there is no --api-key"));
}

#[tokio::test]
async fn plain_http_where_https_is_enforced_checks_the_redirect_and_skips_the_rest() {
    let (_, address) = Mock::start(&["enforces-https"]).await;
    let report = all(options(address, &[])).await;
    assert_eq!(report.counts.failed, 0, "{}", lines(&report));
    assert!(
        matches!(report.line("https-redirect").unwrap().outcome, Outcome::Passed { .. }),
        "{}",
        lines(&report)
    );
    assert!(report.line("conversation").unwrap().text().contains("verify its https address"));
}

#[tokio::test]
async fn nobody_there_is_one_line() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let report = all(options(address, &[])).await;
    assert!(!report.passed);
    assert_eq!(report.checks.len(), 1);
    let text = report.checks[0].text();
    assert!(text.starts_with("✗ reach") && text.contains("no connection"), "{text}");
}

#[tokio::test]
async fn a_slow_server_is_not_waited_for() {
    let (_, address) = Mock::start(&["slow"]).await;
    let mut options = options(address, &[]);
    options.timeout = Duration::from_millis(200);
    let started = Instant::now();
    let report = all(options).await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(report.checks.len(), 1);
    assert!(report.checks[0].text().contains("no answer within"), "{}", lines(&report));
}

/// A server that says the same bytes to everybody.
async fn parrot(bytes: &'static [u8]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                let _ = socket.read(&mut buffer).await;
                let _ = socket.write_all(bytes).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn rubbish_is_named_as_such() {
    for bytes in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"", b"\x16\x03\x01\x00\x00", b"HTTP/1.1 banana\r\n\r\n"] {
        let report = all(options(parrot(bytes).await, &[])).await;
        assert!(!report.passed);
        assert_eq!(report.checks.len(), 1, "{}", lines(&report));
    }
    let ssh = all(options(parrot(b"SSH-2.0-OpenSSH_9.2\r\n").await, &[])).await;
    assert!(ssh.checks[0].text().contains("not HTTP"), "{}", lines(&ssh));
}

#[tokio::test]
async fn a_foreign_web_server_fails_check_by_check() {
    let page =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
    let report = all(options(parrot(page).await, &[])).await;
    assert!(!report.passed);
    assert!(report.counts.failed > 8, "{}", lines(&report));
    assert!(report.checks.iter().all(|line| !line.text().contains("not finished")), "{}", lines(&report));
}
