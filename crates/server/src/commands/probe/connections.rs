//! Looks at the database, Redis, the model providers and the server's own public address. It changes nothing.

use std::time::Duration;

use crypto::{Keyring, MasterKey};
use guard::limits::Limiter;
use guard::outbound::{Bounds, Outbound, Request};
use http::HeaderMap;
use kernel::{Ambient, Fault};
use llm::Models;
use store::{Database, PostgresTls, Store};
use url::Url;

use super::Probe;
use crate::settings::Settings;

/// Opens the database, asks the smallest question, reads the state of the schema.
pub(crate) async fn database(settings: &Settings, ambient: &Ambient) -> Vec<Probe> {
    let name = "database";
    if let Database::Sqlite { path } = &settings.store.database
        && !path.exists()
    {
        return vec![Probe::nothing(name, format!("SQLite: `{}` is made on first start", path.display()))];
    }
    // Nothing is opened that is sealed, so any key will do; a key of the deployment is neither needed nor made.
    let keyring = Keyring::new(MasterKey::generate(ambient.random()), Vec::new());
    let patience = settings.store.pool.connect + Duration::from_secs(5);
    let open = Store::open(settings.store.clone(), keyring, ambient.clone());
    let store = match tokio::time::timeout(patience, open).await {
        Ok(Ok(store)) => store,
        Ok(Err(fault)) => return vec![unreachable(name, &because(&fault))],
        Err(_) => return vec![unreachable(name, "it does not answer")],
    };
    let mut probes = vec![match store.ping().await {
        Ok(latency) => {
            let millis = latency.as_secs_f64() * 1_000.0;
            Probe::good(name, format!("{}: answers in {millis:.1} ms", protection(&settings.store.database)))
        }
        Err(fault) => unreachable(name, &because(&fault)),
    }];
    probes.push(schema(&store).await);
    store.close().await;
    probes
}

async fn schema(store: &Store) -> Probe {
    let name = "database schema";
    match store.migrations().await {
        Ok(steps) => {
            let missing = steps.iter().filter(|step| step.applied_at.is_none()).count();
            let all = steps.len();
            if missing == 0 {
                Probe::good(name, format!("all {all} migrations are applied"))
            } else {
                Probe::attention(
                    name,
                    format!("{missing} of {all} migrations are not applied yet"),
                    "run `stoa migrate up`, or let `stoa serve` do it",
                )
            }
        }
        Err(fault) => Probe::bad(name, because(&fault), "run the version of stoa that made this database"),
    }
}

fn unreachable(name: &str, why: &str) -> Probe {
    Probe::bad(
        name,
        format!("cannot be reached: {why}"),
        "check DATABASE_URL, the server, and the network between",
    )
}

fn protection(database: &Database) -> String {
    match database {
        Database::Sqlite { path } => format!("SQLite at `{}`", path.display()),
        Database::Postgres { tls: PostgresTls::VerifyFull { .. }, .. } => {
            "Postgres over TLS, certificate verified".to_owned()
        }
        Database::Postgres { tls: PostgresTls::Prefer, .. } => "Postgres, TLS when it offers it".to_owned(),
    }
}

/// The cause of a fault, which is meant for the operator.
fn because(fault: &Fault) -> String {
    fault.cause().map_or_else(|| fault.message().to_owned(), ToString::to_string)
}

/// Connects to Redis as the limits do.
pub(crate) async fn redis(settings: &Settings, ambient: &Ambient) -> Probe {
    let name = "redis";
    if settings.limits.redis.is_none() {
        return Probe::nothing(name, "not set: this process counts the limits alone");
    }
    let limiter = Limiter::new(settings.limits.clone(), ambient.clone());
    for _ in 0..30 {
        if limiter.backend() == "redis" {
            return Probe::good(name, "counts the limits");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Probe::bad(
        name,
        "does not answer or refuses the password; each replica counts its share of the limits",
        "check REDIS_URL, REDIS_TOKEN and the network between",
    )
}

/// Asks every model provider whether it is there and takes the key.
pub(crate) async fn models(settings: &Settings, ambient: &Ambient) -> Vec<Probe> {
    if settings.models.providers.is_empty() {
        return vec![Probe::nothing("model", "no provider is set: the built-in answerer serves")];
    }
    let outbound = match Outbound::new(settings.models.timeouts.connect) {
        Ok(outbound) => outbound,
        Err(fault) => return vec![Probe::bad("model", because(&fault), "install `ca-certificates`")],
    };
    let report = Models::new(settings.models.clone(), outbound, ambient.clone()).probe().await;
    let probe = |provider: llm::ProviderProbe| {
        let name = format!("model {}", provider.name);
        if provider.ok { Probe::good(&name, provider.say) } else { Probe::bad(&name, provider.say, "") }
    };
    report.providers.into_iter().map(probe).collect()
}

/// Goes the way that people go, through the proxy, and looks whether the server sees HTTPS there.
pub(crate) async fn public_url(settings: &Settings) -> Probe {
    let name = "public URL";
    let Some(base) = &settings.http.public_url else {
        return Probe::nothing(name, "not set");
    };
    let answer = async {
        let outbound = Outbound::new(Duration::from_secs(3)).map_err(|fault| because(&fault))?;
        let url = |path: &str| base.join(path).map_err(|error| error.to_string());
        let bounds = Bounds {
            first_byte: Duration::from_secs(4),
            idle: Duration::from_secs(2),
            total: Duration::from_secs(6),
            bytes: 64 * 1024,
        };
        let get = |url: Url| outbound.operator().send(Request::get(url, HeaderMap::new()).within(bounds));
        get(url("/api/v1/whoami")?).await.map_err(|failure| failure.to_string())
    };
    match answer.await {
        Err(why) => Probe::attention(
            name,
            format!("cannot be reached from here: {why}"),
            "check DNS and the load balancer",
        ),
        Ok(answer) if answer.status.is_redirection() => Probe::bad(
            name,
            "redirects to itself: the server does not learn that the request came over HTTPS",
            "let the proxy send X-Forwarded-Proto, and name its address in TRUSTED_PROXIES",
        ),
        Ok(answer) if answer.status == http::StatusCode::MISDIRECTED_REQUEST => {
            Probe::bad(name, "the server does not serve this host name", "add it to ALLOWED_HOSTS")
        }
        Ok(answer) if answer.status.is_server_error() => {
            Probe::bad(name, format!("answers {}", answer.status.as_u16()), "look at the server's log")
        }
        Ok(answer) => Probe::good(name, format!("answers {}", answer.status.as_u16())),
    }
}
