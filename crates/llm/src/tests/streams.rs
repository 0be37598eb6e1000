//! Streams: pieces, time-outs, cuts, and the connection that closes when nobody wants the answer any more.

use kernel::Code;

use super::mock::{self, Act, Mock};
use super::*;
use crate::{Finish, State, Usage};

const HASTY: Timeouts = Timeouts {
    connect: Duration::from_secs(2),
    first_token: Duration::from_millis(150),
    idle: Duration::from_millis(150),
    total: Duration::from_millis(600),
};

#[tokio::test]
async fn pieces_arrive_and_the_end_counts_them() {
    let mock = Mock::play(vec![mock::good_stream(&["Hel", "lo, ", "wörld"])]).await;
    let (text, done) = read(stream(&models(&[&mock])).await.unwrap()).await;
    let done = done.unwrap();
    assert_eq!(text, "Hello, wörld");
    assert_eq!((done.finish, done.model.as_str()), (Finish::Stop, "gpt-test-2026"));
    assert_eq!(done.usage, Usage { input_tokens: 9, output_tokens: 12 });
    let body = &mock.seen()[0].body;
    assert_eq!((&body["stream"], &body["stream_options"]["include_usage"]), (&true.into(), &true.into()));
}

#[tokio::test]
async fn a_piece_is_given_out_as_soon_as_it_is_there() {
    let mut script = vec![mock::stream_head(), mock::delta("first")];
    script.push(Act::Hang);
    let mock = Mock::play(vec![script]).await;
    let mut pieces = stream(&models(&[&mock])).await.unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), Piece::Text("first".into()));
}

#[tokio::test]
async fn characters_may_be_cut_between_packets() {
    let Act::Send(whole) = mock::delta("日本語 🧨") else { unreachable!() };
    let mut script = vec![mock::stream_head()];
    script.extend(
        whole.chunks(7).flat_map(|part| [Act::Send(part.into()), Act::Pause(Duration::from_millis(1))]),
    );
    script.extend([mock::finish("length"), mock::event("[DONE]")]);
    let mock = Mock::play(vec![script]).await;
    let (text, done) = read(stream(&models(&[&mock])).await.unwrap()).await;
    let done = done.unwrap();
    assert_eq!((text.as_str(), done.finish), ("日本語 🧨", Finish::Length));
    assert_eq!(done.usage, Usage { input_tokens: 3, output_tokens: 2 }, "estimated");
}

#[tokio::test]
async fn ends_of_every_kind() {
    let cases: [(Vec<Act>, Option<Finish>); 6] = [
        (vec![mock::finish("stop")], Some(Finish::Stop)),
        (vec![mock::event("[DONE]")], Some(Finish::Stop)),
        (vec![mock::finish("content_filter"), Act::Hang], Some(Finish::ContentFilter)),
        (vec![Act::Send(b"data: [DONE]".to_vec())], Some(Finish::Stop)),
        (vec![], None),
        (vec![Act::Send(b"data: {\"choices\":[{\"del".to_vec())], None),
    ];
    for (ending, finish) in cases {
        let mut script = vec![mock::stream_head(), mock::delta("partial")];
        script.extend(ending);
        let mock = Mock::play(vec![script]).await;
        let (text, done) = read(stream(&models(&[&mock])).await.unwrap()).await;
        assert_eq!(text, "partial");
        match (finish, done) {
            (Some(finish), Ok(done)) => assert_eq!(done.finish, finish),
            (None, Err(fault)) => assert_eq!(fault.code(), Code::ModelUnavailable),
            (expected, got) => panic!("{expected:?} {got:?}"),
        }
        assert_eq!(mock.seen().len(), 1, "never again after a piece was given out");
    }
}

#[tokio::test]
async fn a_chunked_answer_that_is_cut_keeps_its_text() {
    let script = vec![
        mock::head("200 OK", "text/event-stream", "transfer-encoding: chunked\r\n"),
        Act::Send(
            b"3c\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"kept\"}}]}\n\n\r\nff\r\n"
                .to_vec(),
        ),
    ];
    let mock = Mock::play(vec![script]).await;
    let (text, done) = read(stream(&models(&[&mock])).await.unwrap()).await;
    assert_eq!((text.as_str(), done.unwrap_err().code()), ("kept", Code::ModelUnavailable));
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_read_whole() {
    let mock = Mock::play(vec![mock::good("All at once.")]).await;
    let (text, done) = read(stream(&models(&[&mock])).await.unwrap()).await;
    assert_eq!((text.as_str(), done.unwrap().usage.output_tokens), ("All at once.", 12));
}

#[tokio::test]
async fn each_step_has_its_limit() {
    let comment = Act::Endless(b": still here\n\n".to_vec(), Duration::from_millis(10));
    let Act::Send(alive) = mock::delta("") else { unreachable!() };
    let begun = tokio::time::Instant::now();
    for before in
        [vec![Act::Hang], vec![mock::stream_head(), Act::Hang], vec![mock::stream_head(), comment.clone()]]
    {
        let mock = Mock::play(vec![before]).await;
        let fault = stream(&models_with(&[&mock], HASTY)).await.err().unwrap();
        assert_eq!(fault.code(), Code::ModelUnavailable, "no first piece in time");
        assert_eq!(mock.seen().len(), 1);
        mock.closed().await;
    }
    for (after, code) in [
        (Act::Hang, Code::ModelUnavailable),
        (comment, Code::ModelUnavailable),
        (Act::Endless(alive, Duration::from_millis(20)), Code::Timeout),
    ] {
        let mock = Mock::play(vec![vec![mock::stream_head(), mock::delta("partial"), after]]).await;
        let (text, done) = read(stream(&models_with(&[&mock], HASTY)).await.unwrap()).await;
        assert_eq!((text.as_str(), done.unwrap_err().code()), ("partial", code));
        mock.closed().await;
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn cancelling_closes_the_connection() {
    let script = vec![mock::stream_head(), mock::delta("partial"), Act::Hang];
    let mock = Mock::play(vec![script]).await;
    let models = models(&[&mock]);
    let cancel = CancellationToken::new();
    let mut pieces = models.stream(question(), cancel.clone()).await.unwrap();
    assert!(pieces.next().await.is_some());
    let reader = tokio::spawn(async move { pieces.next().await.is_none() });
    cancel.cancel();
    assert!(reader.await.unwrap(), "a cancelled stream just ends");
    mock.closed().await;

    drop(stream(&models).await.unwrap());
    mock.closed().await;
    assert_eq!(models.state(), State::Operational, "to be cancelled is no failure");
}

#[tokio::test]
async fn cancelling_before_the_first_piece_closes_too() {
    let mock = Mock::play(vec![vec![Act::Hang]]).await;
    let models = models(&[&mock]);
    for streamed in [true, false] {
        let cancel = CancellationToken::new();
        let (task, token) = (models.clone(), cancel.clone());
        let asked = tokio::spawn(async move {
            if streamed {
                task.stream(question(), token).await.err().map(|fault| fault.code())
            } else {
                task.complete(question(), token).await.err().map(|fault| fault.code())
            }
        });
        while mock.seen().len() < if streamed { 1 } else { 2 } {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
        assert_eq!(asked.await.unwrap(), Some(Code::ModelUnavailable));
        mock.closed().await;
    }
}
