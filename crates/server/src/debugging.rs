//! Debugging on the data of production (row 003.44 of the requirements): refused, unless the operator says that they know;
//! then it is written down and ends by itself. It owns the mark that production leaves in its database.

use std::time::Duration;

use anyhow::anyhow;
use kernel::{Actor, Ambient, AuditEvent, EventType};
use ops::telemetry::Level;
use store::Store;

use crate::commands::data::told;
use crate::settings::{Profile, Settings};

/// The name under which the store keeps what the data is for.
const DEPLOYMENT: &str = "deployment";

/// How long it may last.
const SPAN: Duration = Duration::from_secs(3_600);

/// Marks the data of production, and refuses to debug on it. `Some`: the server has to end after that time.
pub(crate) async fn admit(
    settings: &Settings,
    i_know: bool,
    store: &Store,
    ambient: &Ambient,
) -> anyhow::Result<Option<Duration>> {
    let production = Profile::Production.as_str();
    let known = store.get_state(DEPLOYMENT).await.map_err(told)?;
    if settings.profile == Profile::Production {
        if known.as_deref() != Some(production) {
            store.set_state(DEPLOYMENT, production, Vec::new()).await.map_err(told)?;
        }
        return Ok(None);
    }
    let debugging = settings.profile == Profile::Development || settings.telemetry.level == Level::Debug;
    if known.as_deref() != Some(production) || !debugging {
        return Ok(None);
    }
    if !i_know {
        return Err(anyhow!(
            "ENVIRONMENT={}, DEBUG: this data belongs to a production deployment, and debugging on it is refused; \
             set ENVIRONMENT=production, use other data, or start with --i-know for one hour, which is written into the audit log",
            settings.profile.as_str()
        ));
    }
    let until = ambient.now() + SPAN;
    let event = AuditEvent::new(EventType::ConfigChanged, Actor::Operator)
        .with("what", "debugging on the data of production")
        .with("environment", settings.profile.as_str())
        .with("until", until.rfc3339_seconds());
    store.set_state("debugging", &until.rfc3339_seconds(), vec![event]).await.map_err(told)?;
    tracing::error!(
        until = until.rfc3339_seconds(),
        "debugging on the data of production: the server ends by itself"
    );
    Ok(Some(SPAN))
}

/// Waits until debugging is over; for ever where nobody debugs.
pub(crate) async fn over(span: Option<Duration>) {
    match span {
        Some(span) => {
            tokio::time::sleep(span).await;
            tracing::error!("debugging on the data of production is over: the server ends");
        }
        None => std::future::pending().await,
    }
}
