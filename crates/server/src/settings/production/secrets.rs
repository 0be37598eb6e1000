//! The rules about secrets, keys, cookies and tokens.

use std::os::unix::fs::PermissionsExt;

use kernel::Secret;

use super::Severity::{Violation, Warning};
use super::{Case, Rule};
use crate::settings::raw::Origin;
use crate::settings::strength::{LEAST_BYTES, Weakness, is_placeholder, weakness};
use crate::settings::table::identity::*;
use crate::settings::table::{self, Secrecy};

/// The rules of this file.
pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "signing-secret",
        severity: Violation,
        holds: "a signing secret is set",
        say: "there is no signing secret",
        fix: "set it to the output of `stoa secret session`",
        breaks: |case| {
            let set = case.values.is_explicit(&SESSION_SECRET) || case.values.is_explicit(&JWT_SECRET);
            case.place_if(&SESSION_SECRET, !set)
        },
    },
    Rule {
        id: "signing-secret-placeholder",
        severity: Violation,
        holds: "no signing secret is a placeholder",
        say: "the signing secret is the placeholder of a guide",
        fix: "set it to the output of `stoa secret session`",
        breaks: |case| signing(case, Weakness::Placeholder),
    },
    Rule {
        id: "signing-secret-length",
        severity: Violation,
        holds: "every signing secret has at least 32 bytes",
        say: "the signing secret has fewer than 32 bytes",
        fix: "set it to the output of `stoa secret session`",
        breaks: |case| signing(case, Weakness::Short),
    },
    Rule {
        id: "signing-secret-random",
        severity: Violation,
        holds: "no signing secret can be guessed",
        say: "the signing secret repeats itself, counts up or has too few different characters",
        fix: "set it to the output of `stoa secret session`",
        breaks: |case| signing(case, Weakness::Guessable),
    },
    Rule {
        id: "jwt-secret-length",
        severity: Warning,
        holds: "the secret for tokens has 64 characters, or there is none",
        say: "the secret for tokens has fewer than 64 characters",
        fix: "set it to the output of `stoa secret jwt`",
        breaks: |case| {
            let length = case.get(&JWT_SECRET).map(|secret| secret.expose().len());
            case.place_if(&JWT_SECRET, length.is_some_and(|length| (LEAST_BYTES..64).contains(&length)))
        },
    },
    Rule {
        id: "api-keys",
        severity: Violation,
        holds: "every API key of the environment has at least 32 characters and is no sample",
        say: "an API key is a sample, has fewer than 32 characters or can be guessed",
        fix: "replace it with the output of `stoa secret api-key`",
        breaks: |case| {
            let keys = case.get(&API_KEYS).unwrap_or_default();
            case.place_if(&API_KEYS, keys.iter().any(|key| weakness(key).is_some()))
        },
    },
    Rule {
        id: "placeholder",
        severity: Violation,
        holds: "no other secret is a placeholder",
        say: "the value is the placeholder of a guide",
        fix: "set the real one, or remove the variable",
        breaks: other_placeholders,
    },
    Rule {
        id: "secret-file-private",
        severity: Warning,
        holds: "nobody else can read the files that hold secrets",
        say: "others can read the file that holds this secret",
        fix: "run `chmod 600` on it",
        breaks: loose_files,
    },
    Rule {
        id: "env-file-private",
        severity: Warning,
        holds: "nobody else can read `.env`, or there is none",
        say: "others can read the file",
        fix: "run `chmod 600 .env`",
        breaks: |case| dotenv_if(case.facts.dotenv.as_ref().is_some_and(|file| !file.private)),
    },
    Rule {
        id: "env-file-tracked",
        severity: Warning,
        holds: "git does not track `.env`",
        say: "git tracks the file, and everybody with the repository has its secrets",
        fix: "run `git rm --cached .env`, add it to `.gitignore` and replace every secret in it",
        breaks: |case| dotenv_if(case.facts.dotenv.as_ref().is_some_and(|file| file.tracked)),
    },
    Rule {
        id: "env-file-secrets",
        severity: Warning,
        holds: "no secret comes from `.env`",
        say: "the secret comes from `.env`",
        fix: "prefer the platform's own store for secrets, or a file named by the variable with `_FILE` at its end",
        breaks: |case| {
            let secret = |name: &&str| {
                table::all()
                    .any(|entry| entry.setting().name == *name && entry.setting().secrecy == Secrecy::Secret)
            };
            let of_file =
                |(name, value): (&&'static str, &crate::settings::values::Effective)| match &value.origin {
                    Origin::DotEnv(variable) if secret(name) => Some(variable.clone()),
                    _ => None,
                };
            case.values.chosen.iter().filter_map(of_file).collect()
        },
    },
    Rule {
        id: "token-lifetime",
        severity: Warning,
        holds: "an access token lives for a day at most",
        say: "a stolen access token would stay valid for more than a day",
        fix: "set it to 30 and let the refresh token keep people signed in",
        breaks: |case| {
            case.place_if(&JWT_ACCESS_MINUTES, case.get(&JWT_ACCESS_MINUTES).is_some_and(|m| m > 1_440))
        },
    },
    Rule {
        id: "session-lifetime",
        severity: Warning,
        holds: "a session lives for a day at most",
        say: "a session lives for more than a day",
        fix: "set it to 480 minutes (8 hours) or less",
        breaks: |case| {
            let mut places = case.place_if(
                &SESSION_MINUTES,
                case.get(&SESSION_MINUTES).is_some_and(|minutes| minutes > 1_440),
            );
            places.extend(case.place_if(
                &VISITOR_SECONDS,
                case.get(&VISITOR_SECONDS).is_some_and(|seconds| seconds > 86_400),
            ));
            places
        },
    },
    Rule {
        id: "cookie-domain",
        severity: Warning,
        holds: "the session cookie belongs to one host",
        say: "every host below that domain can read and replace the session cookie",
        fix: "remove it unless you need one sign-in for several hosts",
        breaks: |case| case.place_if(&COOKIE_DOMAIN, case.get(&COOKIE_DOMAIN).is_some()),
    },
];

/// The variables of the signing secrets that are weak in this way.
fn signing(case: &Case<'_>, weak: Weakness) -> Vec<String> {
    let is_weak = |secret: Option<Secret<String>>| secret.and_then(|secret| weakness(&secret)) == Some(weak);
    let mut places = case.place_if(&SESSION_SECRET, is_weak(case.get(&SESSION_SECRET)));
    places.extend(case.place_if(&JWT_SECRET, is_weak(case.get(&JWT_SECRET))));
    let previous = case.get(&SESSION_SECRET_PREVIOUS).unwrap_or_default();
    let any = previous.iter().any(|secret| weakness(secret) == Some(weak));
    places.extend(case.place_if(&SESSION_SECRET_PREVIOUS, any));
    let previous = case.get(&JWT_SECRET_PREVIOUS).unwrap_or_default();
    let any = previous.iter().any(|secret| weakness(secret) == Some(weak));
    places.extend(case.place_if(&JWT_SECRET_PREVIOUS, any));
    places
}

/// `NAME_FILE` variables, and lines of `stoa.toml` with a secret, whose file others can read.
fn loose_files(case: &Case<'_>) -> Vec<String> {
    let mut places = case.values.loose.clone();
    for entry in table::all().filter(|entry| entry.setting().secrecy == Secrecy::Secret) {
        let origin = case.values.chosen.get(entry.setting().name).map(|value| &value.origin);
        if let Some(origin @ Origin::File { path, .. }) = origin
            && std::fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o027 != 0)
        {
            places.extend(origin.place());
        }
    }
    places
}

fn dotenv_if(broken: bool) -> Vec<String> {
    if broken { vec![".env".to_owned()] } else { Vec::new() }
}

/// Every secret that has no rule of its own.
fn other_placeholders(case: &Case<'_>) -> Vec<String> {
    let own = [
        SESSION_SECRET.setting.name,
        SESSION_SECRET_PREVIOUS.setting.name,
        JWT_SECRET.setting.name,
        JWT_SECRET_PREVIOUS.setting.name,
        API_KEYS.setting.name,
    ];
    let others = table::all().filter(|entry| {
        let setting = entry.setting();
        setting.secrecy == Secrecy::Secret && !own.contains(&setting.name)
    });
    others
        .filter_map(|entry| {
            let value = case.values.chosen.get(entry.setting().name)?;
            let sample = is_placeholder(&value.raw.text());
            sample.then(|| value.origin.place()).flatten()
        })
        .collect()
}
