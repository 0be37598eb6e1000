//! The form in which browsers hand over a credential (`PublicKeyCredential.toJSON`). It checks sizes and spelling, and
//! judges nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Refusal;

/// Far above what browsers send, far below what would cost anything.
const MAX_CLIENT_DATA: usize = 8 * 1024;
/// Attestations of a TPM with their certificates take about 6 KiB.
const MAX_ATTESTATION_OBJECT: usize = 32 * 1024;
const MAX_AUTHENTICATOR_DATA: usize = 4 * 1024;
/// RSA with 4096 bits.
const MAX_SIGNATURE: usize = 512;
/// Web Authentication, section 5.4.3.
const MAX_USER_HANDLE: usize = 64;
/// Web Authentication, section 4, "Credential ID": at least 16 bytes, at most 1023.
const CREDENTIAL_ID: std::ops::RangeInclusive<usize> = 16..=1023;

/// How authenticators are reached (Web Authentication, section 5.8.4). Others mean nothing to a browser.
const TRANSPORTS: &[&str] = &["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential<R> {
    id: String,
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: R,
    #[serde(default)]
    client_extension_results: Extensions,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    #[serde(default)]
    cred_props: Option<Properties>,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(default)]
    rk: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreatedResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: String,
    #[serde(default)]
    transports: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssertedResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    #[serde(default)]
    user_handle: Option<String>,
}

/// What `navigator.credentials.create` gave.
pub(super) struct Created {
    pub(super) id: Vec<u8>,
    pub(super) client_data: Vec<u8>,
    pub(super) attestation_object: Vec<u8>,
    pub(super) transports: Vec<&'static str>,
    /// What the browser says of whether the passkey can be found without being named.
    pub(super) discoverable: Option<bool>,
}

/// What `navigator.credentials.get` gave.
pub(super) struct Asserted {
    pub(super) id: Vec<u8>,
    pub(super) client_data: Vec<u8>,
    pub(super) authenticator_data: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) user_handle: Option<Vec<u8>>,
}

impl Created {
    pub(super) fn read(answer: &Value) -> Result<Created, Refusal> {
        let (id, credential) = credential::<CreatedResponse>(answer)?;
        let response = credential.response;
        Ok(Created {
            id,
            client_data: bytes(&response.client_data, MAX_CLIENT_DATA)?,
            attestation_object: bytes(&response.attestation_object, MAX_ATTESTATION_OBJECT)?,
            transports: transports(&response.transports),
            discoverable: credential.client_extension_results.cred_props.and_then(|found| found.rk),
        })
    }
}

impl Asserted {
    pub(super) fn read(answer: &Value) -> Result<Asserted, Refusal> {
        let (id, credential) = credential::<AssertedResponse>(answer)?;
        let response = credential.response;
        Ok(Asserted {
            id,
            client_data: bytes(&response.client_data, MAX_CLIENT_DATA)?,
            authenticator_data: bytes(&response.authenticator_data, MAX_AUTHENTICATOR_DATA)?,
            signature: bytes(&response.signature, MAX_SIGNATURE)?,
            user_handle: response.user_handle.map(|text| bytes(&text, MAX_USER_HANDLE)).transpose()?,
        })
    }
}

/// Bytes as text, the way browsers and this server write them.
pub(super) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn credential<R: DeserializeOwned>(answer: &Value) -> Result<(Vec<u8>, Credential<R>), Refusal> {
    let credential = Credential::<R>::deserialize(answer)
        .map_err(|_| Refusal::Form("a field is missing or of another kind"))?;
    if credential.kind != "public-key" {
        return Err(Refusal::Form("the type is not public-key"));
    }
    let id = bytes(&credential.raw_id, *CREDENTIAL_ID.end()).map_err(|_| Refusal::CredentialId)?;
    if credential.id != credential.raw_id || !CREDENTIAL_ID.contains(&id.len()) {
        return Err(Refusal::CredentialId);
    }
    Ok((id, credential))
}

fn bytes(text: &str, max: usize) -> Result<Vec<u8>, Refusal> {
    // Four characters stand for three bytes.
    if text.len() > max.saturating_mul(4).div_ceil(3) {
        return Err(Refusal::Form("a field is too long"));
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Form("a field is not base64url without padding"))
}

fn transports(named: &[String]) -> Vec<&'static str> {
    TRANSPORTS.iter().copied().filter(|known| named.iter().any(|name| name == known)).collect()
}
