//! Looks at the server that runs here: its health with every part, its memory limit, its log, whether it compresses. And
//! at the sinks of its telemetry and alerts. It changes nothing.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use guard::outbound::{Bounds, Outbound, Request};
use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;
use tokio::net::TcpStream;
use url::Url;

use super::super::knock::reachable;
use super::Probe;
use crate::settings::Settings;

/// A server needs this much to start, and a password hash as much again for each that runs beside another.
const LEAST_MEMORY: u64 = 256 << 20;

/// The end of the log that is looked at.
const TAIL: u64 = 512 * 1024;

/// Lines of the log that say what to do.
const KNOWN: [(&str, &str); 9] = [
    (
        "database unavailable",
        "check DATABASE_URL and the network; raise DB_POOL_SIZE when all connections are in use",
    ),
    (
        "the model provider failed",
        "check OPENAI_API_KEY, the quota and OPENAI_BASE_URL; `stoa check --upstream` asks it",
    ),
    (
        "rate limit exceeded",
        "look whom it hits in the audit log; check TRUSTED_PROXIES, then raise the limit",
    ),
    ("authentication failed", "`reason` in the line says why: missing, malformed, unknown or revoked"),
    ("a cross-origin request was refused", "`hint` in the line names the origin to add to CORS_ORIGINS"),
    ("slow query", "the line `the plan of a slow statement` shows how the database runs it"),
    ("slow request", "compare with the time of the model and of the database at /admin/slo"),
    ("a delivery failed and is tried again", "`cause` in the line says why; check SMTP_URL and the webhooks"),
    ("a telemetry sink does not take what it is sent", "check OTEL_EXPORTER_OTLP_ENDPOINT or SENTRY_DSN"),
];

/// What a running server said.
pub(crate) struct Running {
    /// The body of `/health`.
    pub(crate) health: Option<Value>,
    /// The text of `/metrics`.
    pub(crate) metrics: Option<String>,
    /// What was found.
    pub(crate) probes: Vec<Probe>,
}

/// Asks the server at the address of these settings, if there is one.
pub(crate) async fn running(settings: &Settings) -> Running {
    let mut found = Running { health: None, metrics: None, probes: Vec::new() };
    let listen = &settings.listen;
    if listen.certificate.is_some() && listen.plain.is_none() {
        let say = "it speaks TLS alone; with TLS_PLAIN_PORT it can be asked from here";
        found.probes.push(Probe::nothing("running server", say));
        return found;
    }
    let at = reachable(listen.plain.unwrap_or(listen.address));
    let Ok(outbound) = Outbound::new(Duration::from_secs(2)) else { return found };
    let bounds = Bounds {
        first_byte: Duration::from_secs(3),
        idle: Duration::from_secs(2),
        total: Duration::from_secs(5),
        bytes: 4 << 20,
    };
    let get = async |path: &str, headers: HeaderMap| {
        let url = Url::parse(&format!("http://{at}{path}")).ok()?;
        let answer = outbound.operator().send(Request::get(url, headers).within(bounds)).await.ok()?;
        let encoded = answer.headers.contains_key(header::CONTENT_ENCODING);
        let body = answer.body.collect().await.ok()?;
        Some((encoded, String::from_utf8_lossy(&body).into_owned()))
    };
    let Some((_, text)) = get("/health", HeaderMap::new()).await else {
        found.probes.push(Probe::nothing("running server", format!("none answers at {at}")));
        return found;
    };
    let Ok(health) = serde_json::from_str::<Value>(&text) else { return found };
    found.probes.push(judged(&health));
    found.health = Some(health);
    let mut packed = HeaderMap::new();
    packed.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    if let Some((encoded, _)) = get("/openapi.json", packed).await {
        found.probes.push(if encoded {
            Probe::good("compression", "large answers are compressed")
        } else {
            Probe::attention("compression", "a large answer came uncompressed", "check what stands between")
        });
    }
    if let Some(token) = &settings.web.metrics_token {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) {
            headers.insert(header::AUTHORIZATION, value);
        }
        found.metrics = get("/metrics", headers).await.map(|(_, text)| text);
    }
    found
}

/// What `/health` says, part by part.
fn judged(health: &Value) -> Probe {
    let name = "running server";
    let status = health["status"].as_str().unwrap_or("unknown");
    let of = |group: &str, state: &dyn Fn(&Value) -> Option<String>| {
        let parts = health[group].as_object().into_iter().flatten();
        let bad = parts.filter_map(|(part, value)| {
            let state = state(value)?;
            matches!(state.as_str(), "degraded" | "down").then(|| format!("{part} is {state}"))
        });
        bad.collect::<Vec<_>>()
    };
    let mut bad = of("services", &|value| value.as_str().map(str::to_owned));
    bad.extend(of("checks", &|value| value["status"].as_str().map(str::to_owned)));
    if bad.is_empty() && status == "healthy" {
        return Probe::good(name, "healthy, every part of it");
    }
    let say = format!("{status}: {}", bad.join(", "));
    let fix = "the lines here about these parts say more; so do /admin/alerts and the log";
    if status == "unhealthy" { Probe::bad(name, say, fix) } else { Probe::attention(name, say, fix) }
}

/// The memory that the container may use, against what the server needs.
pub(crate) fn memory(settings: &Settings) -> Probe {
    let name = "memory";
    let read = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let limit =
        read("/sys/fs/cgroup/memory.max").or_else(|| read("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    // Version 1 writes a number near 2^63 for no limit.
    let limit = limit.filter(|limit| *limit < 1 << 60);
    judge_memory(name, limit, need(settings))
}

fn need(settings: &Settings) -> u64 {
    let pool = u64::from(settings.store.pool.size) + u64::from(settings.store.pool.overflow);
    // A connection of Postgres holds its cache of statements; an upload or a document its buffers.
    LEAST_MEMORY + pool * (2 << 20)
}

fn judge_memory(name: &str, limit: Option<u64>, need: u64) -> Probe {
    let mib = |bytes: u64| bytes >> 20;
    match limit {
        None => Probe::good(name, format!("no limit of a container; about {} MiB are needed", mib(need))),
        Some(limit) if limit < need => Probe::bad(
            name,
            format!(
                "the container may use {} MiB, and about {} MiB are needed: the system will end the server",
                mib(limit),
                mib(need)
            ),
            "raise the memory limit, or lower DB_POOL_SIZE",
        ),
        Some(limit) => Probe::good(name, format!("{} of {} MiB are needed", mib(need), mib(limit))),
    }
}

/// The end of the log file, by what its lines say; `None` when there is no file.
pub(crate) fn log(settings: &Settings) -> Option<(Probe, Vec<String>)> {
    let name = "log";
    let plan = settings.telemetry.file.as_ref()?;
    let mut file = match fs::File::open(&plan.path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Some((Probe::nothing(name, "no line was written yet"), Vec::new()));
        }
        Err(error) => {
            let say = format!("`{}` cannot be read ({error})", plan.path.display());
            return Some((
                Probe::bad(name, say, "change its owner, or name another in LOG_FILE"),
                Vec::new(),
            ));
        }
    };
    let length = file.metadata().map(|about| about.len()).unwrap_or(0);
    let _ = file.seek(SeekFrom::Start(length.saturating_sub(TAIL)));
    let mut bytes = Vec::new();
    let _ = file.take(TAIL).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let bad = |line: &&str| line.contains("\"level\":\"ERROR\"") || line.contains("\"level\":\"WARNING\"");
    let lines: Vec<&str> = text.lines().filter(bad).collect();
    let errors = lines.iter().filter(|line| line.contains("\"level\":\"ERROR\"")).count();
    let mut most: Option<(usize, &str, &str)> = None;
    for (message, fix) in KNOWN {
        let needle = format!("\"message\":\"{message}");
        let count = lines.iter().filter(|line| line.contains(&needle)).count();
        if count > 0 && most.is_none_or(|(before, ..)| count > before) {
            most = Some((count, message, fix));
        }
    }
    let say = format!("{errors} lines at ERROR and {} at WARNING near its end", lines.len() - errors);
    let probe = match most {
        Some((count, message, fix)) => {
            Probe::attention(name, format!("{say}; {count} times `{message}`"), fix)
        }
        None if errors > 0 => Probe::attention(name, say, "read them: `cause` says what was behind"),
        None => Probe::good(name, say),
    };
    let newest = lines.iter().rev().take(100).map(|line| (*line).to_owned()).collect();
    Some((probe, newest))
}

/// Whether the sinks of telemetry and alerts can be reached.
pub(crate) async fn sinks(settings: &Settings) -> Vec<Probe> {
    let mut sinks: Vec<(&str, &str, Url)> = Vec::new();
    if let Some(shipping) = &settings.telemetry.shipping {
        if let Some(otlp) = &shipping.otlp {
            sinks.push(("otlp collector", "OTEL_EXPORTER_OTLP_ENDPOINT", otlp.endpoint.clone()));
        }
        if let Some(dsn) = &shipping.sentry {
            sinks.push(("sentry", "SENTRY_DSN", dsn.address().clone()));
        }
    }
    let webhook = settings.post.webhook.as_ref().map(|hook| hook.url.expose());
    for (name, variable, url) in [
        ("alert webhook", "ALERT_WEBHOOK_URL", webhook),
        ("slack webhook", "SLACK_WEBHOOK_URL", settings.post.slack.as_ref().map(|url| url.expose())),
    ] {
        if let Some(url) = url.and_then(|url| Url::parse(url).ok()) {
            sinks.push((name, variable, url));
        }
    }
    let mut places: Vec<(&str, &str, String, u16)> = sinks
        .into_iter()
        .filter_map(|(name, variable, url)| {
            let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
            Some((name, variable, host, url.port_or_known_default()?))
        })
        .collect();
    if let Some(smtp) = &settings.post.smtp {
        places.push(("mail server", "SMTP_URL", smtp.host.clone(), smtp.port));
    }
    let mut probes = Vec::new();
    for (name, variable, host, port) in places {
        let connect = TcpStream::connect((host.as_str(), port));
        let reached = tokio::time::timeout(Duration::from_secs(3), connect).await;
        probes.push(match reached {
            Ok(Ok(_)) => Probe::good(name, "can be reached"),
            Ok(Err(error)) => Probe::attention(
                name,
                format!("cannot be reached: {}", error.kind()),
                format!("check {variable} and the network between"),
            ),
            Err(_) => Probe::attention(
                name,
                "does not answer within 3 s",
                format!("check {variable} and the network between"),
            ),
        });
    }
    probes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::paper::Mark;

    #[test]
    fn a_container_that_is_too_small_is_named() {
        assert_eq!(judge_memory("memory", Some(128 << 20), 300 << 20).mark, Mark::Bad);
        assert_eq!(judge_memory("memory", Some(512 << 20), 300 << 20).mark, Mark::Good);
        assert_eq!(judge_memory("memory", None, 300 << 20).mark, Mark::Good);
    }

    #[test]
    fn a_sick_server_names_its_parts() {
        let good = json!({"status": "healthy", "services": {"cache": "not_configured"}, "checks": {}});
        assert_eq!(judged(&good).mark, Mark::Good);
        let sick = json!({
            "status": "degraded", "services": {"cache": "degraded"},
            "checks": {"files": {"status": "down", "age_seconds": 3}, "clock": {"status": "operational"}}
        });
        let probe = judged(&sick);
        assert_eq!(probe.mark, Mark::Attention);
        assert!(
            probe.say.contains("cache is degraded") && probe.say.contains("files is down"),
            "{}",
            probe.say
        );
    }
}
