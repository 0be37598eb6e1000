//! From effective values to the typed configuration of each room. It owns what follows from what.
//! It never decides whether production may start: that is `production.rs`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use files::blob::{Bucket, Keep};
use files::sniff::Allowed;
use guard::limits::Rule;
use kernel::Secret;
use store::{Database, Pool, PostgresTls};

use super::aged;
use super::amazon;
use super::catalog;
use super::database::{DatabaseUrl, SslMode};
use super::keys::KeySources;
use super::problem::Problem;
use super::profile::Profile;
use super::providers;
use super::table::Key;
use super::table::alerts::*;
use super::table::aws::AWS_REGION;
use super::table::backups::*;
use super::table::files::*;
use super::table::identity::*;
use super::table::knowledge::*;
use super::table::model::PROVIDERS;
use super::table::monitoring::METRICS_TOKEN;
use super::table::retention::{AUDIT_DAYS, REMOVED_APPS, SESSION_DAYS};
use super::table::server::*;
use super::table::tls::*;
use super::table::traffic::*;
use super::values::{Marks, Values};
use super::{CertificateSource, Listen, Settings, trust};
use crate::listen::{Authority, Files};

/// The largest JSON body and the largest other body when nobody says anything (row K4 of the requirements).
const BODIES: (u64, u64) = (10 * 1024 * 1024, 16 * 1024 * 1024);

/// Fills in what follows from other settings.
pub(super) fn follow(values: &mut Values, terminal: bool) {
    // A deployment that names one folder for its data, and no database, means that folder.
    let knowledge = values.get(&KNOWLEDGE_DIR).filter(|_| !values.is_explicit(&DATABASE_URL));
    let named = knowledge.is_some();
    match &knowledge {
        Some(folder) => {
            values.follow(&DATA_DIR, &folder.display().to_string(), "follows from knowledge.directory")
        }
        None => values.follow(&DATA_DIR, "data", "default"),
    }
    let data_dir = values.get(&DATA_DIR).unwrap_or_default();
    if values.profile != Profile::Production || named {
        let url = format!("sqlite:{}", data_dir.join("stoa.db").display());
        values.follow(&DATABASE_URL, &url, "in the data folder");
    }
    values.follow(&FILES_DIR, &data_dir.join("files").display().to_string(), "in the data folder");
    values.follow(&BACKUP_DIR, &data_dir.join("backups").display().to_string(), "in the data folder");
    values.follow(&LOG_FILE, &data_dir.join("logs/stoa.log").display().to_string(), "in the data folder");
    let level = if values.get(&DEBUG) == Some(true) { "DEBUG" } else { "INFO" };
    values.follow(&LOG_LEVEL, level, "follows from debug");
    let text = terminal && values.profile == Profile::Development;
    values.follow(&LOG_FORMAT, if text { "text" } else { "json" }, "follows from profile and terminal");
    if values.get(&TLS_CERT).is_some() || values.get(&ACME_DOMAINS).is_some_and(|names| !names.is_empty()) {
        values.follow_instead(&ENFORCE_HTTPS, "true", "TLS ends here");
    }
    let https = values.get(&ENFORCE_HTTPS).unwrap_or(true);
    values.follow(&SECURE_COOKIES, &https.to_string(), "follows from http.enforce_https");
    if let Some(host) = values.get(&PUBLIC_URL).and_then(|url| url.host_str().map(str::to_owned)) {
        values.follow(&ALLOWED_HOSTS, &host, "follows from server.public_url");
    }
}

/// Builds the configuration of every room. `None` when a value that is needed could not be read, or something in a
/// list is wrong; then a problem says so.
pub(super) fn build(values: &Values, problems: &mut Vec<Problem>) -> Option<Settings> {
    let (aws, secret) = (amazon::config(values, problems), amazon::secret(values, problems));
    let catalog = catalog::build(values, problems);
    let models = providers::build(values, aws.as_ref(), problems);
    let issuers = trust::issuers(values, problems);
    let blobs = blobs(values, problems);
    let backups = backups(values, problems);
    // Where the secret is was needed earlier; here it counts that enough is said of it.
    let (catalog, models, aws, issuers, _) = (catalog?, models?, aws?, issuers?, secret?);
    let (blobs, backups) = (blobs?, backups?);
    let data_dir = values.get(&DATA_DIR)?;
    let cookie_secrets = cookie_secrets(values);
    Some(Settings {
        profile: values.profile,
        listen: listen(values, problems)?,
        store: store(values)?,
        http: http(values)?,
        limits: limits(values)?,
        identity: identity::Config {
            secure_cookies: values.get(&SECURE_COOKIES)?,
            cookie_domain: values.get(&COOKIE_DOMAIN).and_then(|domains| domains.into_iter().next()),
            session_lifetime: seconds(values.get(&SESSION_MINUTES)? * 60),
            session_slide: seconds(values.get(&SESSION_SLIDE_MINUTES)? * 60),
            registration: values.get(&REGISTRATION)?,
            mail: values.get(&SMTP_URL).is_some(),
            tokens: trust::tokens(values)?,
            passwords: trust::passwords(values, &catalog)?,
            firebase: trust::firebase(values),
            issuers,
            visitor_lifetime: seconds(values.get(&VISITOR_SECONDS)?),
            environment_keys: values.get(&API_KEYS).unwrap_or_default(),
            require_authentication: values.get(&REQUIRE_AUTHENTICATION).unwrap_or(false),
            entries: catalog.iter().map(|app| (app.id.clone(), app.entry)).collect(),
            cookie_secrets: cookie_secrets.clone(),
        },
        telemetry: telemetry(values)?,
        monitor: monitor(values)?,
        post: post(values)?,
        reports: values
            .get(&SEND_REPORTS)
            .unwrap_or_default()
            .iter()
            .filter_map(|word| ops::report::Period::parse(word))
            .collect(),
        web: web::Config {
            environment: values.profile.as_str(),
            metrics_token: values.get(&METRICS_TOKEN),
            deadline: seconds(values.get(&DEADLINE)?),
            slow_request: seconds(values.get(&SLOW_REQUEST)?),
        },
        keys: KeySources {
            explicit: values.get(&ENCRYPTION_KEY),
            previous: values.get(&ENCRYPTION_KEY_PREVIOUS).unwrap_or_default(),
            signing: cookie_secrets,
            // Where the keys are in a secret that cannot be read now, a fresh one would be the wrong one.
            may_make: values.profile != Profile::Production && values.vault_missing.is_none(),
            data_dir: data_dir.clone(),
        },
        marks: marks(values, &models),
        secrets: aged::marks(values),
        library: apps::LibraryConfig {
            most_bytes: values.get(&MAX_DOCUMENT)?,
            most_documents: values.get(&MAX_DOCUMENTS)?,
            most_total: values.get(&MAX_DOCUMENTS_TOTAL)?,
            embedding_model: values.get(&EMBEDDING_MODEL),
        },
        retention: retention(values, &catalog)?,
        session_retention: seconds(values.get(&SESSION_DAYS)?.saturating_mul(86_400)),
        models,
        catalog,
        data_dir,
        aws,
        blobs,
        backups,
        files: files(values)?,
    })
}

fn listen(values: &Values, problems: &mut Vec<Problem>) -> Option<Listen> {
    let host = values.get(&HOST)?;
    let at = |port: u64| Some(SocketAddr::new(host, u16::try_from(port).ok()?));
    let files = (values.get(&TLS_CERT), values.get(&TLS_KEY));
    let domains = values.get(&ACME_DOMAINS).unwrap_or_default();
    let mut wrong = |place: String, say: &str| problems.push(Problem::new(place, say.to_owned()));
    let certificate = match (files, domains) {
        ((Some(_), None), _) => {
            wrong(values.place(&TLS_CERT), "needs the key that belongs to it; set TLS_KEY_FILE");
            return None;
        }
        ((None, Some(_)), _) => {
            wrong(values.place(&TLS_KEY), "needs the certificate that it belongs to; set TLS_CERT_FILE");
            return None;
        }
        ((Some(_), Some(_)), domains) if !domains.is_empty() => {
            wrong(
                values.place(&ACME_DOMAINS),
                "a certificate comes from files or from an authority; set one of both",
            );
            return None;
        }
        ((Some(certificate), Some(key)), _) => Some(CertificateSource::Files(Files { certificate, key })),
        ((None, None), domains) if !domains.is_empty() => {
            if domains.iter().any(|name| name.contains('*') || name.parse::<std::net::IpAddr>().is_ok()) {
                wrong(values.place(&ACME_DOMAINS), "only whole host names can be proved by TLS-ALPN-01");
                return None;
            }
            let (directory, email) = (values.get(&ACME_DIRECTORY)?, values.get(&ACME_EMAIL));
            Some(CertificateSource::Authority(Authority { directory, email, domains }))
        }
        ((None, None), _) => None,
    };
    let plain = values.get(&TLS_PLAIN_PORT);
    if plain.is_some() && certificate.is_none() {
        wrong(
            values.place(&TLS_PLAIN_PORT),
            "only with TLS; set TLS_CERT_FILE and TLS_KEY_FILE, or ACME_DOMAINS",
        );
        return None;
    }
    let plain = match plain {
        Some(port) => Some(at(port)?),
        None => None,
    };
    let large = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Some(Listen {
        address: at(values.get(&PORT)?)?,
        plain,
        certificate,
        connections: large(values.get(&MAX_CONNECTIONS)?),
        workers: values.get(&WORKERS).map(large),
        drain: seconds(values.get(&DRAIN)?),
    })
}

/// Where files lie. `None` when the bucket is not named well; then a problem says so.
fn blobs(values: &Values, problems: &mut Vec<Problem>) -> Option<files::blob::Config> {
    let folder = values.get(&FILES_DIR)?;
    let keep = match values.get(&FILES_S3) {
        None => Keep::Folder,
        Some(url) => Keep::S3(bucket(values, &FILES_S3, &url, problems)?),
    };
    Some(files::blob::Config { folder, keep })
}

/// The bucket that a setting names. `None` when it is not named well; then a problem says so.
fn bucket(values: &Values, key: &Key<String>, url: &str, problems: &mut Vec<Problem>) -> Option<Bucket> {
    let region = values.get(&AWS_REGION).unwrap_or_default();
    let bucket = match region.as_str() {
        "" => Err("needs a region; set AWS_REGION".to_owned()),
        region => Bucket::parse(url, region),
    };
    bucket.map_err(|say| problems.push(Problem::new(values.place(key), say))).ok()
}

/// Where backups lie, when they are made and how long they are kept.
fn backups(values: &Values, problems: &mut Vec<Problem>) -> Option<ops::backup::Config> {
    let days = |days: u64| seconds(days.saturating_mul(86_400));
    let bucket = match values.get(&BACKUP_S3) {
        Some(url) => Some(bucket(values, &BACKUP_S3, &url, problems)?),
        None => None,
    };
    Some(ops::backup::Config {
        folder: values.get(&BACKUP_DIR)?,
        bucket,
        schedule: ops::backup::Schedule::parse(&values.get(&BACKUP_SCHEDULE)?),
        keep: days(values.get(&BACKUP_KEEP)?),
        keep_local: days(values.get(&BACKUP_KEEP_LOCAL)?),
        scratch: values.get(&DATA_DIR)?.join("scratch"),
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// How long what is kept. What belongs to an app follows from the catalogue.
fn retention(values: &Values, catalog: &apps::Catalog) -> Option<ops::retention::Config> {
    let rule = |app: &apps::App| {
        let content = app.retention.span();
        let files = app.kind == kernel::AppKind::Files;
        ops::retention::AppRule {
            app: app.id.clone(),
            talk: content.filter(|_| !files),
            quality: app.quality_retention.unwrap_or(app.retention).span().filter(|_| !files),
            files: content.filter(|_| files),
        }
    };
    Some(ops::retention::Config {
        apps: catalog.iter().map(rule).collect(),
        audit: seconds(values.get(&AUDIT_DAYS)?.saturating_mul(86_400)),
        removed: values.get(&REMOVED_APPS)?,
    })
}

fn files(values: &Values) -> Option<apps::FileRules> {
    Some(apps::FileRules {
        most: values.get(&MAX_FILE)?,
        quota: values.get(&FILES_QUOTA)?,
        allowed: Arc::new(Allowed::new(&values.get(&FILE_TYPES)?)),
        trash: seconds(values.get(&FILES_TRASH_DAYS)?.saturating_mul(86_400)),
    })
}

/// What changed is told by these. The keys of `[[providers]]` lie in variables and files that their list only names.
fn marks(values: &Values, models: &llm::Config) -> Marks {
    let mut marks = values.marks();
    if values.declared(PROVIDERS.name).next().is_some() {
        for key in models.providers.iter().filter_map(llm::Provider::api_key) {
            marks.add(PROVIDERS.name, key.expose());
        }
    }
    marks
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The secret for cookies, or the one for tokens when it is the only one, and then those they replaced.
fn cookie_secrets(values: &Values) -> Vec<Secret<String>> {
    let mut previous = values.get(&SESSION_SECRET_PREVIOUS).unwrap_or_default();
    let own = values.get(&SESSION_SECRET);
    if own.is_none() {
        previous.extend(values.get(&JWT_SECRET_PREVIOUS).unwrap_or_default());
    }
    let current = own.or_else(|| values.get(&JWT_SECRET));
    current.map_or_else(Vec::new, |current| std::iter::once(current).chain(previous).collect())
}

fn store(values: &Values) -> Option<store::Config> {
    Some(store::Config {
        database: database(values)?,
        pool: Pool {
            size: small(values.get(&POOL_SIZE)?),
            overflow: small(values.get(&POOL_OVERFLOW)?),
            wait: seconds(values.get(&POOL_WAIT)?),
            connect: seconds(values.get(&POOL_CONNECT)?),
            idle: seconds(values.get(&POOL_IDLE)?),
            recycle: seconds(values.get(&POOL_RECYCLE)?),
        },
        slow_query: Duration::from_millis(values.get(&SLOW_QUERY)?),
    })
}

fn database(values: &Values) -> Option<Database> {
    match values.get(&DATABASE_URL) {
        Some(DatabaseUrl::Sqlite(path)) => Some(Database::Sqlite { path }),
        Some(DatabaseUrl::Postgres(url)) => {
            let authority = values.get(&DATABASE_CA).or_else(|| url.authority.clone());
            // Unsaid, TLS is optional on this machine and in development, and verified everywhere else.
            let optional = match url.sslmode {
                Some(SslMode::Verified) => false,
                Some(SslMode::Open) => true,
                None => url.server.local || values.profile == Profile::Development,
            };
            let tls = match (optional, authority) {
                (true, None) => PostgresTls::Prefer,
                (_, authority) => PostgresTls::VerifyFull { authority },
            };
            Some(Database::Postgres { url: url.url, tls })
        }
        // Production without a database is refused by a rule; what the other commands would use stands here.
        None if values.invalid.contains(&DATABASE_URL.setting.name) => None,
        None => Some(Database::Sqlite { path: values.get(&DATA_DIR)?.join("stoa.db") }),
    }
}

/// Served besides those that are named, outside production: whoever develops asks from the same machine.
const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

fn http(values: &Values) -> Option<guard::http::Config> {
    let mut named = values.get(&ALLOWED_HOSTS).filter(|hosts| !hosts.iter().any(|host| host == "*"));
    if let Some(hosts) = named.as_mut().filter(|_| values.profile != Profile::Production) {
        hosts.extend(LOOPBACK_HOSTS.map(str::to_owned));
    }
    let explicit = values.get(&MAX_REQUEST);
    if explicit.is_none() && values.is_explicit(&MAX_REQUEST) {
        return None;
    }
    Some(guard::http::Config {
        allowed_hosts: named,
        trusted_proxies: values.get(&TRUSTED_PROXIES).unwrap_or_default(),
        enforce_https: values.get(&ENFORCE_HTTPS)?,
        public_url: values.get(&PUBLIC_URL),
        cors: guard::http::Cors {
            origins: values.get(&CORS_ORIGINS).unwrap_or_default(),
            methods: values.get(&CORS_METHODS)?,
            headers: values.get(&CORS_HEADERS)?,
        },
        bodies: guard::http::BodyLimits {
            json: explicit.unwrap_or(BODIES.0),
            other: explicit.unwrap_or(BODIES.1),
            file: values.get(&MAX_FILE)?,
        },
    })
}

fn limits(values: &Values) -> Option<guard::limits::Config> {
    let visitor = values.get(&VISITOR_LIMITS)?;
    let principal = vec![
        Rule { limit: small(values.get(&PER_MINUTE)?), window: seconds(60) },
        Rule { limit: small(values.get(&PER_HOUR)?), window: seconds(3_600) },
    ];
    let tripled = |rule: &Rule| Rule { limit: rule.limit.saturating_mul(3), window: rule.window };
    Some(guard::limits::Config {
        enabled: values.get(&LIMITS_ENABLED)?,
        redis: redis(values),
        replicas: small(values.get(&REPLICAS)?),
        rules: guard::limits::Rules {
            sign_in: values.get(&SIGN_IN_LIMITS)?,
            file_delete: values.get(&FILE_DELETE_LIMITS)?,
            chat_address: visitor.iter().map(tripled).collect(),
            chat_visitor: visitor,
            chat_principal: principal,
            everything: values.get(&EVERYTHING_LIMITS)?,
        },
    })
}

fn redis(values: &Values) -> Option<guard::limits::Redis> {
    let mut redis = values.get(&REDIS_URL)?;
    if redis.server.password.is_none()
        && let Some(token) = values.get(&REDIS_TOKEN)
    {
        // An address that takes no password has no place for a token either; it stays as it is.
        let _ = redis.url.set_password(Some(token.expose()));
    }
    Some(guard::limits::Redis { url: Secret::new(redis.url.into()) })
}

fn telemetry(values: &Values) -> Option<ops::telemetry::Config> {
    let file = values.get(&LOG_TO_FILE)?.then_some(());
    let path: PathBuf = values.get(&LOG_FILE)?;
    let (max_bytes, keep) = (values.get(&LOG_MAX_BYTES)?, small(values.get(&LOG_KEEP)?));
    Some(ops::telemetry::Config {
        level: values.get(&LOG_LEVEL)?,
        format: values.get(&LOG_FORMAT)?,
        mask: values.get(&MASK_PII)?,
        file: file.map(|()| ops::telemetry::LogFile { path, max_bytes, keep }),
        shipping: super::shipping::config(values),
    })
}

fn monitor(values: &Values) -> Option<ops::monitor::Config> {
    Some(ops::monitor::Config {
        pace: Duration::from_millis(values.get(&ALERT_INTERVAL)?),
        health: seconds(values.get(&HEALTH_INTERVAL)?),
        rate_limits_per_minute: values.get(&ALERT_RATE_LIMITS)?,
        disk_percent: values.get(&ALERT_DISK)?,
        data_dir: values.get(&DATA_DIR)?,
    })
}

/// How often the outbox is looked at. Alerts do not wait for it, mails to people do.
const OUTBOX: Duration = Duration::from_secs(1);

fn post(values: &Values) -> Option<ops::post::Config> {
    let public = values.get(&PUBLIC_URL);
    let host = public.as_ref().and_then(|url| url.host_str()).unwrap_or("localhost");
    let smtp = values.get(&SMTP_URL).and_then(|url| smtp(&url, values.get(&SMTP_FROM), host));
    // The signing secret of a file is not known yet: see `Settings::open_keys`.
    let secret = values.get(&ALERT_WEBHOOK_SECRET).unwrap_or_else(|| Secret::new(String::new()));
    Some(ops::post::Config {
        webhook: values.get(&ALERT_WEBHOOK).map(|url| ops::post::Webhook { url, secret }),
        slack: values.get(&SLACK_WEBHOOK),
        smtp,
        alert_email: values.get(&ALERT_EMAIL),
        pace: OUTBOX,
    })
}

/// The forms bound these numbers well below `u32`; a bound that is lost one day must not wrap.
pub(super) fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
