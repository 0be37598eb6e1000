//! The table of checks: what each is called, what it costs in time, and what to say when it fails.
//! The checks themselves are one file a promise.

mod admin;
mod assets;
mod authentication;
mod chat;
mod compression;
mod conversation;
mod cookies;
mod cors;
mod csrf;
mod desk;
mod documents;
mod door;
mod errors;
mod exposure;
mod files;
mod headers;
mod host;
mod idempotency;
mod injection;
mod input;
mod isolation;
mod leaks;
mod limit;
mod load;
mod methods;
mod metrics;
mod openai;
mod openapi;
mod probes;
mod roles;
mod scheme;
mod sign_in;
mod streams;
mod talk;
mod tls;
mod tokens;
mod tutor;
mod xss;

use std::pin::Pin;
use std::time::Duration;

use crate::deployment::Deployment;
use crate::verdict::Verdict;

/// The check that must pass before any other makes sense.
pub(crate) const REACH: &str = "reach";

type Work<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// A row of the table.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// Why a failure matters, unless the failure says more.
    pub(crate) why: &'static str,
    /// What to do, unless the failure says more.
    pub(crate) fix: &'static str,
    pub(crate) limit: Duration,
    /// Runs over plain HTTP too where the server enforces HTTPS.
    pub(crate) plain: bool,
    /// Runs whatever `--only` says.
    pub(crate) always: bool,
    pub(crate) run: for<'a> fn(&'a Deployment) -> Work<'a>,
}

macro_rules! check {
    ($name:expr, $seconds:literal s, $kind:ident, $run:path, $why:literal, $fix:literal) => {
        Check {
            name: $name,
            why: $why,
            fix: $fix,
            limit: Duration::from_secs($seconds),
            plain: matches!(stringify!($kind).as_bytes(), b"plain"),
            always: matches!(stringify!($kind).as_bytes(), b"always"),
            run: |deployment| Box::pin($run(deployment)),
        }
    };
}

/// The checks in the order they run. What fills budgets stands last; `clean-up` stands before it, because it
/// could not delete anything afterwards.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(REACH, 20 s, always, door::reach,
            "nothing else was checked", "start the server, or correct the address, port, DNS or certificate"),
        check!("health", 20 s, plain, probes::health,
            "load balancers and people rely on it", "see `stoa doctor` on the server"),
        check!("ready", 20 s, plain, probes::ready,
            "no traffic should be sent to it", "wait for the start to end, or see `stoa doctor`"),
        check!("live", 20 s, plain, probes::live,
            "an orchestrator would restart it", "let the probe path reach the server"),
        check!("health-time", 20 s, plain, load::health,
            "monitors take a slow answer for none and raise an alarm, or take it out of service",
            "look at `stoa doctor`, at the database, and at what stands in between"),
        check!("headers", 40 s, plain, headers::sweep,
            "browsers rely on these headers on every answer",
            "let no proxy strip or replace them, and serve every path through the server"),
        check!("request-id", 20 s, plain, headers::request_id,
            "a failure cannot be found in the log without it", "let no proxy strip or replace X-Request-Id"),
        check!("https-redirect", 30 s, plain, scheme::redirect,
            "what people send could be read on the way",
            "set ENFORCE_HTTPS=true and PUBLIC_URL, and let no proxy answer in the server's place"),
        check!("tls", 40 s, plain, tls::versions,
            "what people send could be read or altered on the way",
            "allow TLS 1.2 and 1.3 with modern ciphers alone where TLS ends, and let certificates renew by themselves"),
        check!("host", 20 s, plain, host::foreign,
            "a foreign name can poison links and caches", "set ALLOWED_HOSTS or PUBLIC_URL"),
        check!("cors", 30 s, open, cors::origins,
            "other sites could read answers in the name of your users",
            "list exact origins in CORS_ORIGINS and let no proxy add CORS headers"),
        check!("methods", 40 s, open, methods::tampering,
            "rules for one method could be gone round with another",
            "let no proxy answer TRACE or rewrite methods; report it otherwise"),
        check!("exposure", 60 s, open, exposure::scan,
            "it hands out secrets, or tells which holes to try",
            "serve nothing but Stoa under this name, and let the proxy hide its version"),
        check!("injection", 60 s, open, injection::addresses,
            "a link to you could lead people to somebody else, or run in their browsers",
            "take the proxy's redirects out; report it otherwise"),
        check!("static-files", 40 s, open, assets::caching,
            "pages would be slow, or show yesterday's, or give one person's to another",
            "let proxy and CDN keep the server's Cache-Control, and add no scripts of others"),
        check!("openapi", 20 s, open, openapi::document,
            "clients and the next checks are made from it", "serve the document that `stoa openapi` prints"),
        check!("authentication", 90 s, open, authentication::required,
            "anybody could use it", "require authentication for it; let no proxy add credentials"),
        check!("tokens", 60 s, open, tokens::forged,
            "anybody could write himself a token", "take the server off the network and report this"),
        check!("sign-in", 60 s, open, sign_in::refusals,
            "accounts could be found out, guessed or taken over",
            "let no proxy change answers, cache them or strip Origin and Sec-Fetch-Site"),
        check!("roles", 30 s, open, roles::key,
            "a leaked key would open the administration", "take the server off the network and report this"),
        check!("metrics", 20 s, open, metrics::closed,
            "numbers about your users are public", "set METRICS_TOKEN, or leave it unset to close the page"),
        check!("pool", 20 s, open, metrics::pool,
            "requests wait for the database and then fail",
            "look for slow queries, then raise DB_POOL_SIZE within the database's max_connections"),
        check!("errors", 90 s, open, errors::shapes,
            "programs cannot tell what went wrong", "let no proxy replace the server's own errors"),
        check!("input", 60 s, open, input::validation,
            "what nobody has looked at reaches the model and the database",
            "report it; let no proxy change bodies"),
        check!("cookies", 30 s, open, cookies::attributes,
            "a cookie could be stolen or forged", "let no proxy rewrite Set-Cookie; set SESSION_COOKIE_SECURE"),
        check!("csrf", 30 s, open, csrf::foreign,
            "another site could act in the name of a visitor", "let no proxy set or strip Origin and Sec-Fetch-Site"),
        check!("isolation", 40 s, open, isolation::two,
            "people could read each other's conversations", "take the server off the network and report this"),
        check!("conversation", 120 s, open, conversation::life,
            "the main job does not work", "see the log under the request id, and `stoa check --upstream`"),
        check!("stream", 90 s, open, streams::stream,
            "people would wait before a blank page",
            "switch off buffering and compression of text/event-stream in the proxy"),
        check!("stop", 90 s, open, streams::stop,
            "a stopped answer would go on costing money", "see `stoa check --upstream` and the log"),
        check!("idempotency", 30 s, open, idempotency::once,
            "a retry after a lost answer would be done twice", "let the proxy pass the header Idempotency-Key"),
        check!("chat", 150 s, open, chat::context,
            "programs that talk to the assistant would break", "see the log and `stoa check --upstream`"),
        check!("openai", 150 s, open, openai::compatible,
            "the official OpenAI clients would break", "let no proxy change /v1; see `stoa check --upstream`"),
        check!("documents", 60 s, open, documents::life,
            "customers would be answered from documents that are not yours, or no longer",
            "take the server off the network and report this; see `stoa docs list` for what is there"),
        check!("citations", 90 s, open, desk::citations,
            "customers could be told what no document says",
            "see the log and `stoa check --upstream`; let no prompt of the app forbid citations"),
        check!("desk", 60 s, open, desk::hand_over,
            "a customer who needs a person would wait in vain", "see the log, and `stoa grant list` for who works there"),
        check!("files", 60 s, open, files::life,
            "files of people could be lost, read by others or run as programs",
            "take the server off the network and report this; see `stoa doctor`"),
        check!("tutor", 150 s, open, tutor::withholds,
            "learners would copy answers in place of thinking",
            "see the log; let no prompt of the app ask for solutions"),
        check!("xss-markers", 90 s, open, xss::markers,
            "a message could run as a program in somebody's browser", "take the server off the network and report this"),
        check!("compression", 30 s, open, compression::codings,
            "pages would be slow on a phone", "let the proxy pass Accept-Encoding and Content-Encoding"),
        check!("settings", 30 s, open, admin::settings,
            "the server runs unlike the documents ask of production", "see `stoa check`; it names each variable and the fix"),
        check!("accounts", 30 s, open, admin::people,
            "one guessed password would open the administration", "let every admin add a second factor under /account"),
        check!("keys", 30 s, open, admin::keys,
            "an old key is known to more people than you think", "`stoa key rotate ID`, or `stoa key revoke ID`"),
        check!("audit", 40 s, open, admin::log,
            "after a break-in nobody could tell what happened", "see `stoa audit verify` and the log of the server"),
        check!("alerts", 30 s, open, admin::alerts,
            "something has been wrong for a while and nobody has looked", "look at /admin/alerts and acknowledge what is dealt with"),
        check!("brake", 20 s, open, admin::brake,
            "people are refused", "`stoa lockdown off` when the incident is over"),
        check!("backups", 200 s, open, admin::backups,
            "what is lost would stay lost", "see `stoa backup list`, and the log for why none was made"),
        check!("load", 60 s, open, load::burst,
            "people would wait or be refused on the first busy day",
            "look at `stoa doctor`, the database, and the processors the server may use"),
        check!("no-leaks", 60 s, open, leaks::none,
            "it helps whoever wants to break in", "let no proxy add its own error pages; report it otherwise"),
        check!("clean-up", 60 s, always, door::clean_up,
            "conversations of this run stay behind", "delete them by hand"),
        check!("sign-in-limit", 60 s, open, sign_in::limited,
            "passwords could be guessed at speed", "set RATE_LIMIT_ENABLED=true, and TRUSTED_PROXIES behind a proxy"),
        check!("rate-limit", 60 s, open, limit::refuses,
            "one caller could use up the server and the model budget",
            "set RATE_LIMIT_ENABLED=true and the limits, and REDIS_URL with more than one replica"),
    ]
}

/// The names of all checks, in order.
pub(crate) fn names() -> Vec<&'static str> {
    table().iter().map(|check| check.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_the_ends_are_where_they_belong() {
        let names = names();
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
        assert_eq!((names[0], names[names.len() - 1]), (REACH, "rate-limit"));
        assert!(table()[0].always && !table()[1].always && table()[1].plain);
    }
}
