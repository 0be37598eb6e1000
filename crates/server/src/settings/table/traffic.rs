//! The rows of what may pass: hosts, HTTPS, other origins, limits and sizes.

use guard::limits::Rule;
use http::{HeaderName, Method};
use ipnet::IpNet;

use super::{Default, Room, always, follows, per, settings};
use crate::settings::form;

/// The front of the server.
pub(crate) static HTTP: Room =
    Room { title: "HTTP", about: "HTTPS, host names, proxies and other origins.", settings: HTTP_ROWS };

settings! { @fields HTTP_ROWS;
    /// Plain HTTP is redirected or refused. Production refuses `false`.
    ENFORCE_HTTPS: bool = form::flag(), "http.enforce_https", ["ENFORCE_HTTPS", "FORCE_HTTPS"], per("false", "true", "true");
    /// Host names that are served; `*.example.com` stands for every name below it. Loopback names are added outside production.
    ALLOWED_HOSTS: Vec<String> = form::hosts(), "http.allowed_hosts", ["ALLOWED_HOSTS"], follows("the host of the public URL, else any");
    /// Proxies whose `X-Forwarded-*` headers count, as networks or addresses. Nobody else's do.
    TRUSTED_PROXIES: Vec<IpNet> = form::nets(), "http.trusted_proxies", ["TRUSTED_PROXIES"], Default::None;
    /// Other origins whose pages may call, each in full. Production refuses wildcards and plain HTTP.
    CORS_ORIGINS: Vec<String> = form::origins(), "http.cors_origins", ["CORS_ORIGINS", "ALLOWED_ORIGINS"], per("http://localhost:3000,http://localhost:5173,http://127.0.0.1:3000,http://127.0.0.1:5173", "", "");
    /// Methods that other origins may use.
    CORS_METHODS: Vec<Method> = form::methods(), "http.cors_methods", ["CORS_ALLOW_METHODS"], always("GET,POST,PUT,DELETE");
    /// Request headers that other origins may send.
    CORS_HEADERS: Vec<HeaderName> = form::headers(), "http.cors_headers", ["CORS_ALLOW_HEADERS"], always("Content-Type,Authorization,X-API-Key,Idempotency-Key,Last-Event-ID");
}

/// Limits.
pub(crate) static LIMITS: Room = Room {
    title: "Limits",
    about: "How often. Sliding windows: no span of that length ever sees more. A limit that is set holds exactly, in every profile.",
    settings: LIMITS_ROWS,
};

settings! { @fields LIMITS_ROWS;
    /// `false` lifts every limit. Production refuses it.
    LIMITS_ENABLED: bool = form::flag(), "limits.enabled", ["RATE_LIMIT_ENABLED"], always("true");
    /// Chat of one key or user: how many a minute.
    PER_MINUTE: u64 = form::whole::<1, 1_000_000>(), "limits.per_minute", ["RATE_LIMIT_PER_MINUTE"], per("300", "30", "30");
    /// Chat of one key or user: how many an hour.
    PER_HOUR: u64 = form::whole::<1, 10_000_000>(), "limits.per_hour", ["RATE_LIMIT_PER_HOUR"], per("5000", "500", "500");
    /// Chat of one anonymous visitor; three times that for all visitors of one address.
    VISITOR_LIMITS: Vec<Rule> = form::rates(), "limits.visitor", ["RATELIMIT_DEFAULT"], per("100 per minute; 1000 per hour", "10 per minute; 100 per hour", "10 per minute; 100 per hour");
    /// Sign-in, for each address and for each account.
    SIGN_IN_LIMITS: Vec<Rule> = form::rates(), "limits.sign_in", ["RATE_LIMIT_SIGN_IN"], per("50 per minute", "10 per minute", "5 per minute");
    /// Deletion of files, for each user: a request counts once, however many files it names.
    FILE_DELETE_LIMITS: Vec<Rule> = form::rates(), "limits.file_delete", ["RATE_LIMIT_FILE_DELETE"], per("200 per minute", "30 per minute", "20 per minute");
    /// Everything else, for each address.
    EVERYTHING_LIMITS: Vec<Rule> = form::rates(), "limits.everything", ["RATE_LIMIT_EVERYTHING"], per("3000 per minute", "300 per minute", "300 per minute");
}

/// Sizes.
pub(crate) static SIZES: Room = Room {
    title: "Sizes",
    about: "How large. Bodies are counted after decompression.",
    settings: SIZES_ROWS,
};

settings! { @fields SIZES_ROWS;
    /// The largest body in bytes, whatever its kind, files apart. Unset: 10 MiB for JSON and 16 MiB for other bodies.
    MAX_REQUEST: u64 = form::bytes(), "sizes.max_request_bytes", ["MAX_REQUEST_SIZE"], follows("10 MiB for JSON, 16 MiB for other bodies");
    /// The largest file. A bare number counts MiB; `512K`, `100MB` and `2GiB` say their unit.
    MAX_FILE: u64 = form::mebibytes(), "sizes.max_file_mib", ["MAX_FILE_SIZE"], always("100");
}
