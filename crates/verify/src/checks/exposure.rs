//! What scanners look for first: files that were left lying, folders that list themselves, programs that tell their
//! version, pages of debuggers.

use crate::answer::Answer;
use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure};

/// Nothing of this is served by Stoa; a proxy in front, or a folder beside it, may.
const PATHS: [&str; 34] = [
    "/.env",
    "/.env.production",
    "/.git/config",
    "/.git/HEAD",
    "/.svn/entries",
    "/.aws/credentials",
    "/.ssh/id_rsa",
    "/.htpasswd",
    "/.DS_Store",
    "/stoa.toml",
    "/stoa.db",
    "/data/stoa.db",
    "/data/keyring",
    "/logs/stoa.log",
    "/config.json",
    "/docker-compose.yml",
    "/compose.yaml",
    "/Dockerfile",
    "/backup.sql",
    "/backup.zip",
    "/dump.sql.gz",
    "/database.sqlite",
    "/server-status",
    "/nginx_status",
    "/phpinfo.php",
    "/actuator/env",
    "/debug/pprof/",
    "/console",
    "/debug/default/view",
    "/_profiler",
    "/swagger-ui.html",
    "/graphql",
    "/static/",
    "/files/",
];
/// Headers that only tell how the server is made.
const TELLTALE: [&str; 7] = [
    "x-powered-by",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-generator",
    "x-runtime",
    "x-debug-token",
    "x-sourcemap",
];

/// Asks for each of them, and looks at what the answers tell.
pub(crate) async fn scan(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    for path in PATHS {
        let answer = client.get(path).send().await?;
        told(&answer)?;
        // A page that sends people to sign in is no file; a listing of a folder is.
        let given = (200..300).contains(&answer.status) && !(path == "/files/" && is_page(&answer));
        ensure(!given, || format!("GET {path} gave {}", answer.summary()))?;
        ensure(!lists(&answer), || format!("GET {path} lists a folder"))?;
    }
    for path in ["/", "/health", "/api/v1/apps"] {
        told(&client.get(path).send().await?)?;
    }
    Ok(format!(
        "{} paths that scanners try hold nothing, no answer names a program and its version",
        PATHS.len()
    ))
}

fn is_page(answer: &Answer) -> bool {
    answer.media_type() == "text/html"
}

fn lists(answer: &Answer) -> bool {
    answer.status < 300 && answer.text().contains("Index of /")
}

/// `Server: nginx` is harmless, `Server: nginx/1.22.1` is a list of holes.
fn told(answer: &Answer) -> Verdict<()> {
    let server = answer.header("server").unwrap_or_default();
    ensure(!server.bytes().any(|byte| byte.is_ascii_digit()), || {
        format!("{} tells `Server: {server}`", answer.what)
    })?;
    let name = TELLTALE.iter().find(|name| answer.headers.contains_key(**name));
    ensure(name.is_none(), || format!("{} tells {}", answer.what, name.unwrap_or(&"")))
}
