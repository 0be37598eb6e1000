//! The models against a provider that behaves well, badly and not at all. The provider is a socket on loopback
//! that plays a script, so what reaches us is exactly what the test says.

mod answers;
mod bedrock;
mod builtin;
mod chain;
mod garbage;
mod mock;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use guard::outbound::Outbound;
use guard::outbound::aws::{self, Aws};
use kernel::{Ambient, Clock, Fault, Random, Secret, Time};
use tokio_util::sync::CancellationToken;

use crate::{
    ChatMessage, ChatRequest, Completion, Config, Models, Piece, Pieces, Protocol, Provider, Role, Timeouts,
};
use mock::Mock;

/// The key of every provider; it must never show anywhere but in the request to its host.
const KEY: &str = "sk-canary-0123456789";
/// What the bad providers say; it must never reach a caller.
const LEAK: &str = "provider-text-canary";

struct Still;
impl Clock for Still {
    fn now(&self) -> Time {
        Time::EPOCH
    }
}
impl Random for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn config(mocks: &[&Mock], timeouts: Timeouts) -> Config {
    let provider = |(at, mock): (usize, &&Mock)| Provider {
        name: format!("p{at}"),
        model: format!("default-{at}"),
        protocol: open_ai(mock, KEY),
    };
    Config {
        providers: mocks.iter().enumerate().map(provider).collect(),
        max_tokens: 500,
        temperature: 0.7,
        timeouts,
    }
}

fn open_ai(mock: &Mock, key: &str) -> Protocol {
    Protocol::OpenAi { base_url: mock.url.clone(), api_key: Some(Secret::new(key.to_owned())) }
}

fn models_of(config: Config, amazon: aws::Config) -> Models {
    let ambient = Ambient::new(Arc::new(Still), Arc::new(Still));
    let outbound = Outbound::new(config.timeouts.connect).unwrap();
    let aws = Aws::new(amazon, outbound.operator().clone(), ambient.clone());
    Models::new(config, outbound, aws, ambient)
}

fn models_with(mocks: &[&Mock], timeouts: Timeouts) -> Models {
    models_of(config(mocks, timeouts), aws::Config::default())
}

fn models(mocks: &[&Mock]) -> Models {
    models_with(mocks, PATIENT)
}

/// Limits that no test reaches.
const PATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    first_token: Duration::from_secs(10),
    idle: Duration::from_secs(10),
    total: Duration::from_secs(20),
};

fn question() -> ChatRequest {
    ChatRequest { messages: vec![ChatMessage::new(Role::User, "How are you?")], ..ChatRequest::default() }
}

async fn complete(models: &Models) -> Result<Completion, Fault> {
    models.complete(question(), CancellationToken::new()).await
}

async fn stream(models: &Models) -> Result<Pieces, Fault> {
    models.stream(question(), CancellationToken::new()).await
}

/// The text of a stream, and how it ended.
async fn read(mut pieces: Pieces) -> (String, Result<crate::Finished, Fault>) {
    let mut text = String::new();
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(Piece::Text(more)) => text.push_str(&more),
            Ok(Piece::Done(done)) => {
                assert!(pieces.next().await.is_none(), "nothing follows the end");
                return (text, Ok(done));
            }
            Err(fault) => {
                assert!(pieces.next().await.is_none(), "nothing follows a failure");
                return (text, Err(fault));
            }
        }
    }
    panic!("the stream ended without an end")
}

/// A fault holds nothing that the provider or the operator wants kept.
fn assert_tight(fault: &Fault) {
    for secret in [LEAK, KEY] {
        assert!(!format!("{fault:?}").contains(secret), "{fault:?}");
    }
}
