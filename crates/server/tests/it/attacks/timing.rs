//! The one place where time is compared: as a ratio within one run, robustly and generously.

use std::time::{Duration, Instant};

use serde_json::json;

use super::post;
use crate::world::{Answer, Setup};

/// Pairs of sign-ins; the median of so many is not moved by what else the machine does.
const PAIRS: usize = 40;
/// An answer for an account that does not exist may be so much faster or slower, and no more. Hashing is all but the
/// whole of the time: leaving it out would make a factor of ten and more.
const CLEAR: f64 = 1.25;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

fn told(answer: &Answer) -> (u16, serde_json::Value) {
    let mut body = answer.json();
    body["request_id"].take();
    (answer.status, body)
}

/// V13: neither what is answered nor how long it takes tells whether there is an account, or whether it has a password.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_are_looked_for_by_the_time_of_the_answer() {
    let world = Setup::sqlite().unlimited().start().await;
    world.account("there@example.org", false).await;
    world.account("gone@example.org", false).await;
    assert!(world.stoa(&["user", "disable", "gone@example.org"]).await.success());
    let caller = world.anonymous();
    let sign_in = async |email: &str| {
        let body = json!({"email": email, "password": "wrong but long enough"});
        let began = Instant::now();
        let answer = post(&caller, "login", &body).send().await;
        (began.elapsed(), told(&answer))
    };
    let mut times: [Vec<Duration>; 3] = Default::default();
    let mut answers = Vec::new();
    for round in 0..PAIRS {
        // In turn, each time in another order, so that no kind is always asked after the same other.
        for which in [0, 1, 2].map(|which| (which + round) % 3) {
            let (time, answer) = match which {
                0 => sign_in("there@example.org").await,
                1 => sign_in(&format!("nobody{round}@example.org")).await,
                _ => sign_in("gone@example.org").await,
            };
            times[which].push(time);
            answers.push(answer);
        }
    }
    assert_eq!(answers[0].0, 401);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "one answer for all: {answers:?}");
    let [there, nobody, inactive] = times.map(median);
    for (name, other) in [("missing", nobody), ("inactive", inactive)] {
        let ratio = if there > other { there / other } else { other / there };
        println!("existing {there:.4} s, {name} {other:.4} s, ratio {ratio:.3}");
        assert!(ratio < CLEAR, "existing {there:.4} s, {name} {other:.4} s: ratio {ratio:.3}");
    }
}

/// V13: nor do registration and the request for a new password.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_are_looked_for_by_registering_and_forgetting() {
    let world = super::cheap(Setup::sqlite().unlimited()).start().await;
    world.account("there@example.org", false).await;
    let caller = world.anonymous();
    for (what, body) in [
        ("register", json!({"email": "", "password": "amber otter plays 9 cellos"})),
        ("password/forgot", json!({"email": ""})),
    ] {
        let ask = async |email: &str| {
            let mut body = body.clone();
            body["email"] = json!(email);
            told(&post(&caller, what, &body).send().await)
        };
        let (there, nobody) =
            (ask("there@example.org").await, ask(&format!("nobody@{}.example", what.len())).await);
        assert_eq!(there.0, 202, "{there:?}");
        assert_eq!(there, nobody);
    }
}
