//! How the server listens: TLS from files or an authority, plain HTTP beside it, threads, connections, leaving.

use std::time::Duration;

use super::super::*;
use super::{broken, load, sound, variables};

#[test]
fn how_many_threads_and_connections_there_are_and_how_long_leaving_takes() {
    let listen = load(&Sources::default()).listen;
    assert_eq!((listen.workers, listen.connections, listen.drain), (None, 10_000, Duration::ZERO));
    let listen = load(&variables(&sound())).listen;
    assert_eq!(listen.drain, Duration::from_secs(5));
    for name in ["WORKERS", "WEB_CONCURRENCY"] {
        assert_eq!(load(&variables(&[(name, "9")])).listen.workers, Some(9));
    }
}

#[test]
fn tls_ends_here_with_both_files_or_an_authority() {
    let files = [("TLS_CERT_FILE", "c.pem"), ("TLS_KEY_FILE", "k.pem")];
    let settings = load(&variables(&[files[0], files[1], ("TLS_PLAIN_PORT", "8081")]));
    assert!(matches!(settings.listen.certificate, Some(CertificateSource::Files(_))));
    assert_eq!(settings.listen.plain.unwrap().port(), 8081);
    assert!(settings.http.enforce_https && settings.identity.secure_cookies, "TLS ends here");
    let open = load(&variables(&[files[0], files[1], ("ENFORCE_HTTPS", "false")]));
    assert!(!open.http.enforce_https, "what is said counts");
    let settings = load(&variables(&[("ACME_DOMAINS", "a.example.org, b.example.org")]));
    let Some(CertificateSource::Authority(authority)) = settings.listen.certificate else { panic!() };
    assert_eq!(authority.domains, ["a.example.org", "b.example.org"]);
    assert_eq!(authority.directory.scheme(), "https");
}

#[test]
fn what_does_not_go_together_is_refused() {
    for (pairs, place) in [
        (&[("TLS_CERT_FILE", "c.pem")][..], "TLS_CERT_FILE"),
        (&[("TLS_KEY_FILE", "k.pem")], "TLS_KEY_FILE"),
        (&[("TLS_PLAIN_PORT", "8081")], "TLS_PLAIN_PORT"),
        (&[("ACME_DOMAINS", "*.example.org")], "ACME_DOMAINS"),
        (&[("ACME_DOMAINS", "192.0.2.1")], "ACME_DOMAINS"),
        (&[("TLS_CERT_FILE", "c"), ("TLS_KEY_FILE", "k"), ("ACME_DOMAINS", "a.example.org")], "ACME_DOMAINS"),
        (&[("WORKERS", "0")], "WORKERS"),
    ] {
        let problems = inspect(&variables(pairs)).problems;
        assert!(problems.iter().any(|problem| problem.place == place), "{pairs:?}: {problems:?}");
    }
}

#[test]
fn production_knows_where_tls_ends() {
    let warned = |sources: &Sources| {
        let findings = inspect(sources).findings;
        findings.into_iter().filter(|finding| !finding.holds()).map(|finding| finding.id).collect::<Vec<_>>()
    };
    let mut pairs = sound();
    pairs.retain(|(name, _)| *name != "TRUSTED_PROXIES");
    assert_eq!(warned(&variables(&pairs)), ["trusted-proxies"]);
    pairs.push(("ACME_DOMAINS", "chat.acme.test"));
    assert_eq!(warned(&variables(&pairs)), Vec::<&str>::new());
    pairs.push(("ACME_DIRECTORY_URL", "http://ca.acme.test/directory"));
    assert_eq!(warned(&variables(&pairs)), ["acme-https"]);
    let other = broken("ACME_DOMAINS", "www.acme.test");
    assert_eq!(warned(&other), ["acme-public-url"]);
}
