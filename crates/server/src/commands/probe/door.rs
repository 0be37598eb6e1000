//! Looks at what keeps people out by mistake: origins, cookies, signing secrets, keys, redirects. It changes nothing and
//! asks nobody.

use std::collections::BTreeMap;

use url::Url;

use super::Probe;
use crate::settings::{Profile, Settings};

/// Everything.
pub(crate) fn doors(settings: &Settings, environment: &BTreeMap<String, String>) -> Vec<Probe> {
    vec![cors(settings), cookies(settings), sessions(settings), keys(settings), debug(settings, environment)]
}

/// Whether the allowed origins fit the address under which people come.
fn cors(settings: &Settings) -> Probe {
    let name = "cors";
    let http = &settings.http;
    let origins = &http.cors.origins;
    if origins.is_empty() {
        return Probe::good(name, "no other origin may call; pages of this server need none");
    }
    let fix = "write the origin in CORS_ORIGINS as the browser's address bar has it: scheme, host and port";
    for origin in origins {
        let Ok(url) = Url::parse(origin) else { continue };
        let here = url.host_str().is_some_and(crate::settings::form_is_loopback);
        let Some(public) = &http.public_url else { continue };
        if url.host_str() == public.host_str() && url.scheme() != public.scheme() {
            let say = format!("{origin} is allowed, and people come over {}", public.scheme());
            return Probe::bad(name, say, fix);
        }
        if url.scheme() == "http" && public.scheme() == "https" && !here {
            let say = format!("{origin} is a page over plain HTTP that calls a server over HTTPS");
            return Probe::attention(name, say, fix);
        }
    }
    Probe::good(name, format!("{} origins may call: {}", origins.len(), origins.join(", ")))
}

/// Whether a browser sends the cookies back.
fn cookies(settings: &Settings) -> Probe {
    let name = "cookies";
    let (secure, https) = (settings.identity.secure_cookies, settings.http.enforce_https);
    let public = settings.http.public_url.as_ref().map(Url::scheme);
    match (secure, public) {
        (true, Some("http")) => Probe::bad(
            name,
            "cookies are marked Secure and the public URL is http://: browsers never send them back, so nobody stays signed in",
            "serve HTTPS and write PUBLIC_URL with https://, or set SESSION_COOKIE_SECURE=false for development",
        ),
        (true, None) if !https => Probe::attention(
            name,
            "cookies are marked Secure and HTTPS is not enforced: over plain HTTP nobody stays signed in",
            "set ENFORCE_HTTPS=true, or SESSION_COOKIE_SECURE=false for development",
        ),
        (false, Some("https")) => Probe::bad(
            name,
            "the public URL is https:// and cookies are not marked Secure: they travel over plain HTTP too",
            "set SESSION_COOKIE_SECURE=true",
        ),
        _ => Probe::good(name, if secure { "marked Secure" } else { "for plain HTTP, as in development" }),
    }
}

/// Whether what one replica signs another accepts, and whether it is signed well.
fn sessions(settings: &Settings) -> Probe {
    let name = "sessions";
    let replicas = settings.limits.replicas;
    let Some(secret) = settings.keys.signing.first() else {
        if replicas > 1 {
            return Probe::bad(
                name,
                format!(
                    "{replicas} replicas and no SESSION_SECRET: each signs with a secret of its own, so people are signed out at every other request"
                ),
                "set the same SESSION_SECRET for all of them: `stoa secret session` makes one",
            );
        }
        return Probe::attention(
            name,
            "no SESSION_SECRET is set: the one in the data folder is used, and is lost with the folder",
            "set SESSION_SECRET to the output of `stoa secret session`",
        );
    };
    match crate::settings::strength::weakness(secret) {
        Some(_) => Probe::bad(
            name,
            "SESSION_SECRET is short, a placeholder or easy to guess: whoever guesses it signs in as anybody",
            "set it to the output of `stoa secret session`",
        ),
        None => Probe::good(name, "signed with a strong secret"),
    }
}

/// Keys of the environment in a form that callers can send.
fn keys(settings: &Settings) -> Probe {
    let name = "api keys";
    let keys = &settings.identity.environment_keys;
    let odd = keys.iter().filter(|key| {
        let key = key.expose();
        key.len() < 16
            || key.chars().any(|sign| sign.is_whitespace() || matches!(sign, '"' | '\'' | '<' | '>'))
    });
    match odd.count() {
        0 if keys.is_empty() => Probe::nothing(name, "none in API_KEYS; those made here are in the database"),
        0 => Probe::good(name, format!("{} in API_KEYS", keys.len())),
        odd => Probe::bad(
            name,
            format!(
                "{odd} of {} keys in API_KEYS are short, hold spaces or quotes, or are placeholders: callers get 401",
                keys.len()
            ),
            "write them separated by commas, without quotes: `stoa secret api-key` makes one",
        ),
    }
}

/// Debugging that was left on.
fn debug(settings: &Settings, environment: &BTreeMap<String, String>) -> Probe {
    let name = "debug";
    let debugging = settings.telemetry.level == ops::telemetry::Level::Debug;
    let wanted = environment.get("ENVIRONMENT").map_or("development", String::as_str);
    match (debugging, settings.profile) {
        (true, Profile::Production) => {
            Probe::bad(name, "the log is at DEBUG in production", "set LOG_LEVEL=INFO and DEBUG=false")
        }
        (true, _) => Probe::attention(
            name,
            format!("the log is at DEBUG (profile {wanted})"),
            "set DEBUG=false when you have seen what you looked for",
        ),
        (false, _) => Probe::good(name, format!("off (profile {})", settings.profile.as_str())),
    }
}
