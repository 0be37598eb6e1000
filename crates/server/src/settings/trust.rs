//! Whose word counts: from the values to the typed configuration of tokens, passwords and identity providers.
//! It never asks a provider and never makes a key.

use std::time::Duration;

use apps::Catalog;
use crypto::password::Cost;
use identity::trust::{AccessTokens, Client, Firebase, PasswordRules, SigningAlgorithm, TrustedIssuer};
use kernel::Secret;
use url::Url;

use super::problem::Problem;
use super::sources::read_text;
use super::table::JwtAlgorithm;
use super::table::identity::*;
use super::table::issuers::*;
use super::table::server::PUBLIC_URL;
use super::table::traffic::ALLOWED_HOSTS;
use super::values::{Declared, Values};

/// How many sign-ins may wait for a place to be hashed, for each place: some seconds' worth.
const WAITING: usize = 32;
/// More hashes at once than this would take the memory of the machine.
const MOST_PARALLEL: usize = 8;

/// How access tokens are signed.
pub(super) fn tokens(values: &Values) -> Option<AccessTokens> {
    let previous = values.get(&JWT_SECRET_PREVIOUS).unwrap_or_default();
    // Earlier ones count while there is one in use; without it keys come from the secret of cookies.
    let secrets: Vec<Secret<String>> = match values.get(&JWT_SECRET) {
        Some(present) => std::iter::once(present).chain(previous).collect(),
        // The first signs: an earlier one must not.
        None => Vec::new(),
    };
    let issuer = values.get(&PUBLIC_URL).map(|url| url.as_str().trim_end_matches('/').to_owned());
    Some(AccessTokens {
        algorithm: match values.get(&JWT_ALGORITHM)? {
            JwtAlgorithm::Hs256 => SigningAlgorithm::Hs256,
            JwtAlgorithm::EdDsa => SigningAlgorithm::EdDsa,
        },
        secrets,
        issuer: issuer.unwrap_or_else(|| AccessTokens::default().issuer),
        lifetime: Duration::from_secs(values.get(&JWT_ACCESS_MINUTES)? * 60),
        refresh_lifetime: Duration::from_secs(values.get(&JWT_REFRESH_DAYS)? * 86_400),
    })
}

/// What passwords must be and what hashing one costs.
pub(super) fn passwords(values: &Values, catalog: &Catalog) -> Option<PasswordRules> {
    let mebibytes = u32::try_from(values.get(&PASSWORD_MEMORY)?).unwrap_or(u32::MAX);
    // Half of the cores: everybody else goes on being served.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let parallel = (cores / 2).clamp(1, MOST_PARALLEL);
    let mut words: Vec<String> =
        catalog.iter().flat_map(|app| [app.id.as_str().to_owned(), app.name.clone()]).collect();
    words.extend(values.get(&ALLOWED_HOSTS).unwrap_or_default());
    words.extend(values.get(&PUBLIC_URL).and_then(|url| url.host_str().map(str::to_owned)));
    Some(PasswordRules {
        cost: Cost::new(mebibytes.saturating_mul(1024), Cost::DEFAULT_PASSES),
        parallel,
        waiting: parallel * WAITING,
        words,
    })
}

/// The Firebase project.
pub(super) fn firebase(values: &Values) -> Option<Firebase> {
    let project = values.get(&FIREBASE_PROJECT)?;
    let jwks_url = values.get(&FIREBASE_JWKS).or_else(|| Url::parse(Firebase::JWKS_URL).ok())?;
    Some(Firebase { project, jwks_url })
}

/// Every entry of `[[identity.issuers]]`. `None` when something in one is wrong; then a problem says so.
pub(super) fn issuers(values: &Values, problems: &mut Vec<Problem>) -> Option<Vec<TrustedIssuer>> {
    let before = problems.len();
    let mut issuers: Vec<TrustedIssuer> = Vec::new();
    let mut sound = true;
    let firebase = firebase(values).map(|firebase| firebase.issuer());
    for entry in values.declared(ISSUERS.name) {
        sound &= entry.sound;
        if !entry.sound {
            continue;
        }
        match issuer(entry, values) {
            Ok(new) if issuers.iter().any(|other| other.name == new.name) => {
                problems.push(Problem::new(&entry.place, "two issuers have the same `name`"));
            }
            Ok(new)
                if issuers.iter().any(|other| other.issuer == new.issuer)
                    || firebase.as_ref() == Some(&new.issuer) =>
            {
                problems.push(Problem::new(
                    &entry.place,
                    "two entries trust the same `issuer`; keep one of them",
                ));
            }
            Ok(new) => issuers.push(new),
            Err(say) => problems.push(Problem::new(format!("{} identity.issuers", entry.place), say)),
        }
    }
    (sound && problems.len() == before).then_some(issuers)
}

fn issuer(entry: &Declared, values: &Values) -> Result<TrustedIssuer, String> {
    let name = entry.get(&ISSUER_NAME).ok_or("an issuer needs a `name`")?;
    let plain =
        name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if name.is_empty() || !plain || name == "firebase" {
        return Err("the `name` must be 1 to 32 of `a-z`, `0-9` and `-`, and not `firebase`".to_owned());
    }
    let issuer = entry.get(&ISSUER_URL).ok_or("an issuer needs its `issuer`")?;
    let secret = secret(entry, values)?;
    let client = match (entry.get(&ISSUER_CLIENT_ID), secret) {
        (Some(id), secret) => Some(Client { id, secret }),
        (None, None) => None,
        (None, Some(_)) => return Err("has a client secret and no `client_id`".to_owned()),
    };
    let audience = entry.get(&ISSUER_AUDIENCE).or_else(|| client.as_ref().map(|client| client.id.clone()));
    if audience.is_none() {
        return Err(
            "needs an `audience` (for tokens that come as bearer) or a `client_id` (for the page)".to_owned()
        );
    }
    Ok(TrustedIssuer { name, issuer, audience, jwks_url: entry.get(&ISSUER_JWKS), client })
}

fn secret(entry: &Declared, values: &Values) -> Result<Option<Secret<String>>, String> {
    let places = (
        entry.get(&ISSUER_CLIENT_SECRET),
        entry.get(&ISSUER_SECRET_VARIABLE),
        entry.get(&ISSUER_SECRET_FILE),
    );
    match places {
        (None, None, None) => Ok(None),
        (Some(secret), None, None) => Ok(Some(secret)),
        (None, Some(variable), None) => {
            let secret = values.variable(&variable);
            secret.map(Some).ok_or_else(|| "names a `client_secret_variable` that is not set".to_owned())
        }
        (None, None, Some(path)) => {
            let text = read_text(&path)
                .map_err(|error| format!("`client_secret_file` cannot be read ({})", error.kind()))?;
            Ok(Some(Secret::new(text.trim().to_owned())))
        }
        _ => Err("has its client secret in more than one place; keep one of them".to_owned()),
    }
}

#[cfg(test)]
mod tests;
