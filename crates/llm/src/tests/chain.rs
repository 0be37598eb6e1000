//! Which provider is asked, how often, and what the operator is told.

use std::io::Write;

use kernel::Code;
use parking_lot::Mutex;
use tracing_subscriber::fmt::MakeWriter;

use super::mock::{self, Act, Mock};
use super::*;
use crate::State;

fn status(line: &str) -> mock::Script {
    mock::answer(line, "application/json", &format!(r#"{{"error":{{"message":"{LEAK}"}}}}"#))
}

#[tokio::test]
async fn what_may_pass_is_tried_once_more() {
    for line in ["500 Oops", "502 Bad", "503 Busy", "504 Late", "429 Many"] {
        let mock = Mock::play(vec![status(line), mock::good("Now.")]).await;
        assert_eq!(complete(&models(&[&mock])).await.unwrap().text, "Now.", "{line}");
        let mock = Mock::play(vec![status(line), mock::good_stream(&["Now."])]).await;
        assert_eq!(read(stream(&models(&[&mock])).await.unwrap()).await.0, "Now.", "{line}");
        let mock = Mock::play(vec![status(line)]).await;
        assert_tight(&complete(&models(&[&mock])).await.unwrap_err());
        assert_eq!(mock.seen().len(), 2, "one retry");
    }
    let closes_first = Mock::play(vec![vec![], mock::good("Now.")]).await;
    assert_eq!(complete(&models(&[&closes_first])).await.unwrap().text, "Now.");
}

#[tokio::test]
async fn a_short_wait_is_waited_and_a_long_one_is_not() {
    let busy = |wait: &str| {
        vec![mock::head(
            "429 Many",
            "application/json",
            &format!("content-length: 0\r\nretry-after: {wait}\r\n"),
        )]
    };
    let mock = Mock::play(vec![busy("1"), mock::good("Now.")]).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(complete(&models(&[&mock])).await.unwrap().text, "Now.");
    assert!(begun.elapsed() >= Duration::from_secs(1));

    let mock = Mock::play(vec![busy("86400")]).await;
    let models = models(&[&mock]);
    let fault = complete(&models).await.unwrap_err();
    assert_eq!((fault.code(), fault.retry()), (Code::ModelUnavailable, Some(Duration::from_secs(30))));
    let fault = complete(&models).await.unwrap_err();
    assert!(fault.retry().is_some());
    assert_eq!(mock.seen().len(), 1, "it asked to be left alone");
}

#[tokio::test]
async fn the_next_provider_answers_when_the_first_does_not() {
    let nobody = Mock::play(vec![mock::good("unused")]).await;
    let mut bad: Vec<(Mock, usize)> = Vec::new();
    for (script, asked) in [
        (status("500 Oops"), 2),
        (status("401 Unauthorized"), 1),
        (status("400 Bad"), 1),
        (mock::answer("200 OK", "text/html", "<html>"), 1),
        (vec![mock::stream_head()], 1),
    ] {
        bad.push((Mock::play(vec![script]).await, asked));
    }
    for (first, asked) in &bad {
        let second = Mock::play(vec![mock::good_stream(&["Second."])]).await;
        let models = models(&[first, &second, &nobody]);
        let request = ChatRequest { model: Some("gpt-app".into()), ..question() };
        let pieces = models.stream(request, CancellationToken::new()).await.unwrap();
        assert_eq!(read(pieces).await.0, "Second.");
        assert_eq!((first.seen().len(), second.seen().len()), (*asked, 1));
        assert_eq!(first.seen()[0].body["model"], "gpt-app");
        assert_eq!(second.seen()[0].body["model"], "default-1", "the app's model belongs to the first");
        assert_eq!(models.provider_names().join(" "), "p0 p1 p2");
    }
    assert!(nobody.seen().is_empty());
}

#[tokio::test]
async fn a_provider_that_hangs_leaves_time_for_the_next() {
    let hangs = Mock::play(vec![vec![Act::Hang]]).await;
    let second = Mock::play(vec![mock::good("Second.")]).await;
    let timeouts = Timeouts { total: Duration::from_millis(500), ..PATIENT };
    assert_eq!(complete(&models_with(&[&hangs, &second], timeouts)).await.unwrap().text, "Second.");
    hangs.closed().await;
    let hasty = ChatRequest { limit: Some(Duration::from_millis(200)), ..question() };
    let fault = models(&[&hangs]).complete(hasty, CancellationToken::new()).await.unwrap_err();
    assert_eq!(fault.code(), Code::Timeout);
    hangs.closed().await;
}

#[tokio::test]
async fn a_dead_provider_is_skipped() {
    let dead = Mock::play(vec![status("401 Unauthorized")]).await;
    let second = Mock::play(vec![mock::good("Second.")]).await;
    let models = models(&[&dead, &second]);
    for _ in 0..8 {
        assert_eq!(complete(&models).await.unwrap().text, "Second.");
    }
    assert_eq!((dead.seen().len(), second.seen().len()), (5, 8));
    assert_eq!(models.state(), State::Degraded);
    let alone = super::models(&[&dead]);
    for _ in 0..6 {
        complete(&alone).await.unwrap_err();
    }
    assert_eq!(alone.state(), State::Down);
    assert_eq!(dead.seen().len(), 10);
}

#[tokio::test]
async fn one_callers_bad_request_does_not_close_the_way_for_others() {
    let mock =
        Mock::play(vec![status("400 Bad"); 9].into_iter().chain([mock::good("Fine.")]).collect()).await;
    let models = models(&[&mock]);
    for _ in 0..9 {
        complete(&models).await.unwrap_err();
    }
    assert_eq!(complete(&models).await.unwrap().text, "Fine.");
}

#[tokio::test]
async fn nobody_listens() {
    let mut refused = Mock::play(vec![]).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    refused.url.set_port(Some(free)).unwrap();
    let fault = complete(&models(&[&refused])).await.unwrap_err();
    assert_eq!(fault.code(), Code::ModelUnavailable);
    assert!(!fault.to_string().contains("127.0.0.1"));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);
impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
impl MakeWriter<'_> for Log {
    type Writer = Log;
    fn make_writer(&self) -> Log {
        self.clone()
    }
}

#[tokio::test]
async fn a_refused_key_is_an_error_for_the_operator() {
    let log = Log::default();
    // For the whole process: what one thread alone hears of is lost when another thread logs it first.
    tracing_subscriber::fmt().with_writer(log.clone()).init();
    for line in ["401 Unauthorized", "500 Oops"] {
        let mock = Mock::play(vec![status(line)]).await;
        complete(&models(&[&mock])).await.unwrap_err();
    }
    let log = String::from_utf8(log.0.lock().clone()).unwrap();
    let told = |level: &str, word: &str| log.lines().any(|line| line.contains(level) && line.contains(word));
    assert!(told("ERROR", "OPENAI_API_KEY") && told("WARN", "500"), "{log}");
    assert!(!log.contains(KEY) && !log.contains(LEAK) && !log.contains("How are you"), "{log}");
}

/// Another key counts from the next request on; what has begun goes on with the old one to its end.
#[tokio::test]
async fn another_configuration_drops_nothing_in_flight() {
    let slow = vec![mock::stream_head(), mock::delta("Old "), Act::Pause(Duration::from_millis(300))];
    let end = vec![mock::finish("stop"), mock::event("[DONE]")];
    let first = Mock::play(vec![[slow, end].concat(), mock::good("New.")]).await;
    let models = models(&[&first]);
    let mut pieces = stream(&models).await.unwrap();
    assert!(matches!(pieces.next().await, Some(Ok(Piece::Text(_)))));
    let second = Mock::play(vec![mock::good("Elsewhere.")]).await;
    let mut config = config(&[&first], PATIENT);
    config.providers[0].protocol = open_ai(&first, "sk-renewed");
    models.renew(config);
    assert_eq!(complete(&models).await.unwrap().text, "New.");
    assert!(first.seen()[0].head.contains(KEY) && first.seen()[1].head.contains("bearer sk-renewed"));
    assert!(read(pieces).await.1.is_ok(), "the stream from before ends well");
    models.renew(super::config(&[&second], PATIENT));
    assert_eq!(complete(&models).await.unwrap().text, "Elsewhere.");
    models.renew(super::config(&[], PATIENT));
    assert!(!models.configured() && models.default_model().is_none());
}

/// A provider that stays the same keeps its record; one with another key is tried at once.
#[tokio::test]
async fn another_key_is_tried_afresh() {
    let mock = Mock::play(vec![status("401 Unauthorized")]).await;
    let models = models(&[&mock]);
    for _ in 0..6 {
        complete(&models).await.unwrap_err();
    }
    assert_eq!((models.state(), mock.seen().len()), (State::Down, 5));
    models.renew(config(&[&mock], PATIENT));
    complete(&models).await.unwrap_err();
    assert_eq!((models.state(), mock.seen().len()), (State::Down, 5), "still left alone");
    let mut other = config(&[&mock], PATIENT);
    other.providers[0].protocol = open_ai(&mock, "sk-renewed");
    models.renew(other);
    complete(&models).await.unwrap_err();
    assert_eq!(mock.seen().len(), 6);
}
