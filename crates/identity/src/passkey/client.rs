//! What the browser says of the page that asked (`clientDataJSON`). The browser vouches for it, so every word counts.

use serde::Deserialize;

use super::{Party, Refusal};

/// Members beyond these may come, and mean nothing to us (Web Authentication, section 5.8.1).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<String>,
}

/// The type of a registration.
pub(super) const CREATE: &str = "webauthn.create";
/// The type of a sign-in.
pub(super) const GET: &str = "webauthn.get";

/// The page did what it was asked (`kind`), answered this challenge, and is one of ours, in no frame of another site.
pub(super) fn check(json: &[u8], kind: &str, challenge: &str, party: &Party) -> Result<(), Refusal> {
    let data: ClientData = serde_json::from_slice(json)
        .map_err(|_| Refusal::Form("the client data are not what they have to be"))?;
    if data.kind != kind {
        return Err(Refusal::Type);
    }
    if data.challenge != challenge {
        return Err(Refusal::Challenge);
    }
    if !party.admits(&data.origin) {
        return Err(Refusal::Origin);
    }
    if data.cross_origin || data.top_origin.is_some() {
        return Err(Refusal::CrossOrigin);
    }
    Ok(())
}
