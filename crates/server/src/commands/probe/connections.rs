//! Looks at the database, Redis, the model providers and the server's own public address. It changes nothing.

use std::time::Duration;

use crypto::{Keyring, MasterKey};
use guard::limits::Limiter;
use guard::outbound::aws::Aws;
use guard::outbound::{Bounds, Outbound, Request};
use http::HeaderMap;
use kernel::{Ambient, Fault, Secret};
use llm::Models;
use store::{Database, PostgresTls, Store};
use tokio::net::TcpStream;
use url::Url;

use super::super::paper::Mark;
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
    if let Database::Postgres { url, .. } = &settings.store.database
        && let Err(why) = reach(url, settings.store.pool.connect).await
    {
        return vec![unreachable(name, &why)];
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
    let schema = schema(&store).await;
    let there = schema.mark == Mark::Good || schema.fix.starts_with("create it again");
    probes.push(schema);
    if there {
        probes.extend(super::inside::looks(&store, settings, ambient).await);
    }
    probes.extend(room(settings, &store).await);
    probes.extend(super::keeping::keeping(&store, settings, ambient).await);
    store.close().await;
    probes
}

/// Whether the replicas together may open more connections than Postgres takes; `None` on SQLite.
pub(crate) async fn room(settings: &Settings, store: &Store) -> Option<Probe> {
    let name = "database connections";
    let number =
        async |setting: &str| -> Option<u64> { store.server_setting(setting).await.ok()??.parse().ok() };
    let most = number("max_connections").await?;
    // Those that only superusers and those with a right of their own may use; the second since Postgres 16.
    let kept = number("superuser_reserved_connections").await.unwrap_or(3)
        + number("reserved_connections").await.unwrap_or(0);
    let (pool, replicas) = (&settings.store.pool, u64::from(settings.limits.replicas));
    let wanted = replicas * (u64::from(pool.size) + u64::from(pool.overflow));
    let say = format!(
        "{replicas} x ({} + {}) = {wanted} connections at most; the server takes {most} and keeps {kept} of them back",
        pool.size, pool.overflow
    );
    if wanted > most.saturating_sub(kept) {
        let fix = "lower DB_POOL_SIZE and DB_MAX_OVERFLOW, say the true number in REPLICAS, or raise `max_connections`";
        return Some(Probe::attention(name, say, fix));
    }
    Some(Probe::good(name, say))
}

/// Resolves and connects without a word, to tell a wrong name from a closed port and a closed port from a refusal.
async fn reach(url: &Secret<String>, patience: Duration) -> Result<(), String> {
    let parsed = Url::parse(url.expose()).ok();
    if parsed.as_ref().is_some_and(|url| url.query_pairs().any(|(name, _)| name == "host")) {
        return Ok(());
    }
    let server = parsed.as_ref().and_then(|url| Some((url.host_str()?, url.port().unwrap_or(5432))));
    // A socket of this machine has no name to look up.
    let Some((host, port)) = server.filter(|(host, _)| !host.is_empty() && !host.contains('%')) else {
        return Ok(());
    };
    let bare = host.trim_matches(['[', ']']);
    let found = tokio::time::timeout(Duration::from_secs(5), tokio::net::lookup_host((bare, port))).await;
    let addresses: Vec<_> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) => return Err(format!("the host `{host}` is not found")),
        Err(_) => return Err(format!("nobody says where the host `{host}` is")),
    };
    match tokio::time::timeout(patience, TcpStream::connect(addresses.as_slice())).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("`{host}` port {port}: {}", error.kind())),
        Err(_) => Err(format!("`{host}` port {port} does not answer within {} s", patience.as_secs())),
    }
}

/// A complete schema, with the indexes of the frequent queries.
async fn indexes(store: &Store, name: &'static str, migrations: usize) -> Probe {
    match store.missing_indexes().await {
        Ok(missing) if missing.is_empty() => Probe::good(
            name,
            format!("all {migrations} migrations are applied, the frequent queries have their indexes"),
        ),
        Ok(missing) => Probe::bad(
            name,
            format!("an index of a frequent query is missing: {}", missing.join(", ")),
            "create it again as `migrations/` has it",
        ),
        Err(fault) => Probe::bad(name, fault.to_string(), "see the line of the database"),
    }
}

async fn schema(store: &Store) -> Probe {
    let name = "database schema";
    match store.migrations().await {
        Ok(steps) => {
            let missing = steps.iter().filter(|step| step.applied_at.is_none()).count();
            let all = steps.len();
            if missing == 0 {
                indexes(store, name, all).await
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

/// The cause of a fault, which is meant for the operator, in words where it is a number.
fn because(fault: &Fault) -> String {
    let cause = fault.cause().map_or_else(|| fault.message().to_owned(), ToString::to_string);
    // SQLSTATE codes of Postgres, appendix A of its manual; the last two are what a failed TLS handshake looks like.
    let known = [
        ("28P01", "it refuses the password"),
        ("28000", "it refuses the user"),
        ("3D000", "it has no database of that name"),
        ("42501", "the user may not do that"),
        ("53300", "it has no connection left; raise `max_connections` or lower DB_POOL_SIZE"),
        ("57P03", "it is still starting"),
        (
            "invalid data",
            "its certificate is not trusted, or not for this host; name its authority in DATABASE_CA_FILE",
        ),
        ("entity not found", "the file of DATABASE_CA_FILE or `sslrootcert` is not there"),
    ];
    let words = known.into_iter().find(|(mark, _)| cause.contains(mark)).map(|(_, words)| words.to_owned());
    words.unwrap_or(cause)
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
    let aws = Aws::new(settings.aws.clone(), outbound.operator().clone(), ambient.clone());
    let report = Models::new(settings.models.clone(), outbound, aws, ambient.clone()).probe().await;
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
