//! Attacks that other servers of this kind have fallen to (the rows V1 to V32 of the notes on safety), tried on the
//! running product. Each test is named after what the attacker tries. What whole tables try already is not repeated
//! here: rows of others and rights that are gone (V1 to V4, V6, V9) are in `permissions` and `revocation`, keys and
//! refresh tokens that come back in `keys` and `tokens`, an open production in `production`.

mod browser;
mod identities;
mod limits;
mod names;
mod proofs;
mod timing;
mod tokens;

use serde_json::Value;

use crate::world::{Answer, Caller, Setup, World};

/// Passwords cost as little as they may, where a test is not about that.
fn cheap(setup: Setup) -> Setup {
    setup.set("PASSWORD_HASH_MEMORY_MIB", 19)
}

/// Behind a proxy that tells addresses, with the limits of production.
fn limited(setup: Setup) -> Setup {
    cheap(setup)
        .set("TRUSTED_PROXIES", "127.0.0.1")
        .set("RATE_LIMIT_SIGN_IN", "5 per minute")
        .set("RATE_LIMIT_EVERYTHING", "100000 per minute")
}

/// Asks the same of many at once, again where the server is busy, and gives every other answer.
async fn all_at_once(requests: Vec<crate::world::Request>) -> Vec<Answer> {
    let patient = requests.into_iter().map(|request| async move {
        loop {
            let answer = request.clone().send().await;
            if answer.status != 503 {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
    futures_util::future::join_all(patient).await
}

fn post(caller: &Caller, what: &str, body: &Value) -> crate::world::Request {
    caller.post(&format!("/api/v1/auth/{what}")).json(body)
}

/// The holder of a bearer token.
fn holder(world: &World, token: &str) -> Caller {
    world.anonymous().with("authorization", &format!("Bearer {token}"))
}
