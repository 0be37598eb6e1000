//! Answers that arrive while they are written: the order of events, nothing held back, and stop.

use std::time::Duration;

use serde_json::{Value, json};

use super::talk::{last_answer, messages};
use crate::answer::text_at;
use crate::deployment::{Caller, Deployment};
use crate::policy;
use crate::stream::{Event, Live};
use crate::verdict::{Verdict, ensure, fail};

/// Below this the network's own delays hide whether something was held back.
const WORTH_JUDGING: Duration = Duration::from_millis(1000);
/// A stopped stream ends within a second upstream; the way back and a slow network get the rest.
const STOPPED_WITHIN: Duration = Duration::from_secs(5);

/// `message`, then `delta`s, then `done`, then the end; what arrived is what was kept.
pub(crate) async fn stream(deployment: &Deployment) -> Verdict {
    let (caller, app) = deployment.talker().await?;
    let id = deployment.converse(&caller, &app, &deployment.marker).await?;
    let question = format!("Describe in three sentences what you can do. ({}-stream)", deployment.marker);
    let mut live = open(deployment, &caller, &id, &question).await?;
    let faults = policy::faults(live.headers(), deployment.https());
    ensure(faults.is_empty(), || format!("the stream lacks headers: {}", faults.join(", ")))?;
    let mut events = Vec::new();
    while let Some(event) = live.next().await? {
        events.push(event);
    }
    let text = read(&events)?;
    not_held_back(&events)?;
    let said = messages(deployment, &caller, &id).await?;
    let kept = last_answer(&said)?;
    ensure(kept.content == text, || {
        let (kept, arrived) = (kept.content.chars().count(), text.chars().count());
        format!("what was kept ({kept} characters) is not what arrived ({arrived})")
    })?;
    let at = |event: Option<&Event>| event.map_or(0, |event| event.at.as_millis());
    let deltas = events.iter().filter(|event| event.name == "delta").count();
    Ok(format!(
        "message, {deltas} delta, done; first event after {} ms, end after {} ms",
        at(events.first()),
        at(events.last())
    ))
}

/// Opens a streamed turn.
async fn open(deployment: &Deployment, caller: &Caller, id: &str, text: &str) -> Verdict<Live> {
    let path = format!("/api/v1/conversations/{id}/messages");
    let ask = deployment.client.post(&path).by(caller).json(&json!({"content": text})).slow();
    // As a browser asks; compression of a stream would hold pieces back.
    let ask = ask.header("accept", "text/event-stream").header("accept-encoding", "gzip, br, zstd");
    match ask.open().await? {
        Ok(live) => {
            live.expect_events()?;
            Ok(live)
        }
        Err(answer) => Err(fail(format!("{} gave {}", answer.what, answer.summary()))),
    }
}

/// Checks the order and gives the text.
fn read(events: &[Event]) -> Verdict<String> {
    let names = events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>();
    ensure(names.first() == Some(&"message"), || {
        format!("the first event is `{}`, not `message`", names.first().unwrap_or(&"none"))
    })?;
    let mut text = String::new();
    for (place, event) in events.iter().enumerate() {
        let data = serde_json::from_str::<Value>(&event.data)
            .map_err(|_| fail(format!("the data of a `{}` event is no JSON", event.name)))?;
        let last = place + 1 == events.len();
        match event.name.as_str() {
            "message" => ensure(place == 0, || "`message` comes more than once")?,
            "delta" => text.push_str(text_at(&data, "/text", "a `delta` event")?),
            "citation" => {}
            "done" => {
                ensure(last, || "events come after `done`")?;
                let finish = text_at(&data, "/finish_reason", "the `done` event")?;
                ensure(matches!(finish, "stop" | "length"), || format!("the stream ended with `{finish}`"))?;
                ensure(
                    data.get("usage").is_some_and(Value::is_object),
                    || "the `done` event has no `usage`",
                )?;
            }
            "error" => {
                let code = data.get("code").and_then(Value::as_str).unwrap_or("no code");
                return Err(fail(format!("the stream ended with an error ({code})")));
            }
            name => return Err(fail(format!("an unknown event `{name}`"))),
        }
    }
    ensure(names.last() == Some(&"done"), || "the stream ended without `done`")?;
    ensure(!text.is_empty(), || "the stream held no `delta`")?;
    Ok(text)
}

/// `message` is known before the model speaks, so it must not arrive together with the end.
fn not_held_back(events: &[Event]) -> Verdict<()> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
    ensure(last.at < WORTH_JUDGING || first.at.as_secs_f64() < 0.9 * last.at.as_secs_f64(), || {
        let (first, last) = (first.at.as_millis(), last.at.as_millis());
        format!("the stream was held back: its first event came after {first} ms, its last after {last} ms")
    })
}

/// `stop` ends a running stream soon, and what was generated is kept and marked.
pub(crate) async fn stop(deployment: &Deployment) -> Verdict {
    let (caller, app) = deployment.talker().await?;
    let id = deployment.converse(&caller, &app, &deployment.marker).await?;
    let question = format!("Count from one to five hundred in words. ({}-stop)", deployment.marker);
    let mut live = open(deployment, &caller, &id, &question).await?;
    loop {
        match live.next().await? {
            Some(event) if event.name == "delta" => break,
            Some(event) if event.name != "done" => {}
            _ => return ended_before(deployment, &caller, &id).await,
        }
    }
    let path = format!("/api/v1/conversations/{id}/stop");
    let asked = tokio::time::Instant::now();
    let answer = deployment.client.post(&path).by(&caller).json(&json!({})).send().await?;
    answer.expect(&[200, 202, 204, 409])?;
    let rest = async {
        let mut finish = None;
        while let Some(event) = live.next().await? {
            if event.name == "done" {
                let data = serde_json::from_str::<Value>(&event.data).unwrap_or_default();
                finish = data.get("finish_reason").and_then(Value::as_str).map(str::to_owned);
            }
        }
        Ok(finish)
    };
    let finish = match tokio::time::timeout(STOPPED_WITHIN, rest).await {
        Ok(finish) => finish?,
        Err(_) => {
            return Err(fail(format!("the stream went on for {} s after stop", STOPPED_WITHIN.as_secs())));
        }
    };
    let took = asked.elapsed();
    if matches!(finish.as_deref(), Some("stop" | "length")) {
        return ended_before(deployment, &caller, &id).await;
    }
    let said = messages(deployment, &caller, &id).await?;
    let kept = last_answer(&said)?;
    ensure(!kept.content.is_empty(), || "what was generated before stop was not kept")?;
    ensure(kept.finish_reason.as_deref() == Some("cancelled"), || {
        format!(
            "the stopped answer is marked {:?}, not cancelled",
            kept.finish_reason.as_deref().unwrap_or("null")
        )
    })?;
    Ok(format!(
        "the stream ended {} ms after stop, the answer is kept and marked cancelled",
        took.as_millis()
    ))
}

/// A quick model has ended before anybody can stop it; then only the mark can be looked at.
async fn ended_before(deployment: &Deployment, caller: &Caller, id: &str) -> Verdict {
    let said = messages(deployment, caller, id).await?;
    let kept = last_answer(&said)?;
    ensure(matches!(kept.finish_reason.as_deref(), Some("stop" | "length" | "cancelled")), || {
        format!("the answer is marked {:?}", kept.finish_reason.as_deref().unwrap_or("null"))
    })?;
    Ok("the answer was complete before stop could reach it; it is kept".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(list: &[(&str, &str, u64)]) -> Vec<Event> {
        let event = |(name, data, at): &(&str, &str, u64)| Event {
            name: (*name).into(),
            data: (*data).into(),
            at: Duration::from_millis(*at),
        };
        list.iter().map(event).collect()
    }

    #[test]
    fn the_order_is_kept() {
        const START: (&str, &str, u64) = ("message", "{}", 1);
        const DELTA: (&str, &str, u64) = ("delta", r#"{"text":"a"}"#, 2);
        const DONE: (&str, &str, u64) = ("done", r#"{"finish_reason":"stop","usage":{}}"#, 3);
        assert_eq!(read(&events(&[START, DELTA, DELTA, DONE])).unwrap(), "aa");
        for wrong in [
            vec![],
            vec![DELTA, DONE],
            vec![START, DONE],
            vec![START, DELTA],
            vec![START, DELTA, DONE, DELTA],
            vec![START, DELTA, ("error", r#"{"code":"timeout"}"#, 3)],
            vec![START, ("delta", "rubbish", 2), DONE],
        ] {
            assert!(read(&events(&wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_late_first_event_is_told_from_a_quick_answer() {
        assert!(not_held_back(&events(&[("message", "", 90), ("done", "", 91)])).is_ok());
        assert!(not_held_back(&events(&[("message", "", 90), ("done", "", 2000)])).is_ok());
        assert!(not_held_back(&events(&[("message", "", 1999), ("done", "", 2000)])).is_err());
    }
}
