//! The talk with an authority (RFC 8555): directory, nonces, account, order, proof, certificate. What it answers is
//! data; what goes wrong is a sentence for the operator.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use guard::outbound::{Bounds, Outbound, Request};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::challenge::Challenges;
use super::jws::Signer;

const BOUNDS: Bounds = Bounds {
    first_byte: Duration::from_secs(30),
    idle: Duration::from_secs(10),
    total: Duration::from_secs(60),
    bytes: 256 * 1024,
};
/// How often an authority is asked whether it has looked, and how long in between.
const LOOKS: u32 = 60;
const BETWEEN: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(5);
/// A nonce may be too old by the time it is used; a fresh one is then tried, so often.
const NONCES: u32 = 4;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Directory {
    new_nonce: Url,
    new_account: Url,
    new_order: Url,
}

#[derive(Deserialize)]
struct Order {
    status: String,
    #[serde(default)]
    authorizations: Vec<Url>,
    finalize: Url,
    certificate: Option<Url>,
}

#[derive(Deserialize)]
struct Authorization {
    status: String,
    identifier: Identifier,
    #[serde(default)]
    challenges: Vec<Challenge>,
}

#[derive(Deserialize)]
struct Identifier {
    value: String,
}

#[derive(Deserialize)]
struct Challenge {
    #[serde(rename = "type")]
    kind: String,
    url: Url,
    #[serde(default)]
    token: String,
    error: Option<Value>,
}

/// An answer that is no error.
struct Answer {
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body)
            .map_err(|_| "the authority answers something else than ACME".to_owned())
    }

    fn place(&self) -> Result<Url, String> {
        let place = self.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        let place = place.and_then(|text| Url::parse(text).ok());
        place.ok_or_else(|| "the authority does not say where its answer lies".to_owned())
    }
}

/// A talk with an authority.
pub(super) struct Client<'a> {
    outbound: &'a Outbound,
    directory: Directory,
    signer: Signer,
    account: Option<String>,
    nonce: Option<String>,
}

impl<'a> Client<'a> {
    pub(super) async fn new(
        outbound: &'a Outbound,
        directory: Url,
        key: &[u8],
    ) -> Result<Client<'a>, String> {
        let (status, answer) = send(outbound, Request::get(directory, HeaderMap::new())).await?;
        if !status.is_success() {
            return Err(format!("the directory of the authority answers {}", status.as_u16()));
        }
        let (directory, signer) = (answer.json()?, Signer::new(key)?);
        Ok(Client { outbound, directory, signer, account: None, nonce: None })
    }

    /// Goes on as an account that exists.
    pub(super) fn be(&mut self, account: String) {
        self.account = Some(account);
    }

    /// Makes an account, or finds the one of this key; its address.
    pub(super) async fn register(&mut self, email: Option<&str>) -> Result<String, String> {
        let mut wanted = json!({"termsOfServiceAgreed": true});
        if let Some(email) = email {
            wanted["contact"] = json!([format!("mailto:{email}")]);
        }
        let url = self.directory.new_account.clone();
        let account: String = self.post(&url, Some(&wanted)).await?.place()?.into();
        self.account = Some(account.clone());
        Ok(account)
    }

    /// Orders a certificate for these names, proves that they are ours, and gives the chain in PEM.
    pub(super) async fn order(
        &mut self,
        names: &[String],
        request: &[u8],
        challenges: &Challenges,
    ) -> Result<String, String> {
        let names: Vec<Value> = names.iter().map(|name| json!({"type": "dns", "value": name})).collect();
        let url = self.directory.new_order.clone();
        let answer = self.post(&url, Some(&json!({"identifiers": names}))).await?;
        let (place, order): (Url, Order) = (answer.place()?, answer.json()?);
        for authorization in &order.authorizations {
            self.prove(authorization, challenges).await?;
        }
        let ready = self.wait(&place, "the order", |order: &Order| order.status != "pending").await?;
        if ready.status == "ready" {
            let request = json!({"csr": BASE64.encode(request)});
            self.post(&ready.finalize, Some(&request)).await?;
        }
        let done = |order: &Order| !["pending", "ready", "processing"].contains(&order.status.as_str());
        let done = self.wait(&place, "the order", done).await?;
        let Some(certificate) = done.certificate.filter(|_| done.status == "valid") else {
            return Err(format!("the order became {}", word(&done.status)));
        };
        let chain = self.post(&certificate, None).await?.body;
        String::from_utf8(chain.to_vec()).map_err(|_| "the certificate is no text".to_owned())
    }

    /// Lets the authority look whether a name is ours.
    async fn prove(&mut self, url: &Url, challenges: &Challenges) -> Result<(), String> {
        let authorization: Authorization = self.post(url, None).await?.json()?;
        if authorization.status == "valid" {
            return Ok(());
        }
        let name = authorization.identifier.value;
        let offered = authorization.challenges.into_iter().find(|challenge| challenge.kind == "tls-alpn-01");
        let offered = offered.ok_or("the authority does not offer TLS-ALPN-01")?;
        let said = |fault: kernel::Fault| fault.to_string();
        challenges.expect(&name, &self.signer.proof(&offered.token)).await.map_err(said)?;
        let outcome = self.looked(url, &offered.url, &name).await;
        challenges.forget(&name).await.map_err(said)?;
        outcome
    }

    async fn looked(&mut self, url: &Url, challenge: &Url, name: &str) -> Result<(), String> {
        self.post(challenge, Some(&json!({}))).await?;
        let done = |seen: &Authorization| !["pending", "processing"].contains(&seen.status.as_str());
        let seen = self.wait(url, "the proof", done).await?;
        if seen.status == "valid" {
            return Ok(());
        }
        let why = seen.challenges.iter().find_map(|challenge| challenge.error.as_ref()).map(reason);
        let why = why.unwrap_or_else(|| word(&seen.status).to_owned());
        Err(format!(
            "the authority could not see that {name} is this server ({why}); port 443 of it must lead here"
        ))
    }

    /// Asks until it is so.
    async fn wait<T: serde::de::DeserializeOwned>(
        &mut self,
        url: &Url,
        what: &str,
        done: impl Fn(&T) -> bool,
    ) -> Result<T, String> {
        let mut pause = BETWEEN;
        for _ in 0..LOOKS {
            let seen: T = self.post(url, None).await?.json()?;
            if done(&seen) {
                return Ok(seen);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST);
        }
        Err(format!("{what} takes the authority too long"))
    }

    /// Posts, or reads where there is nothing to post (RFC 8555 section 6.3).
    async fn post(&mut self, url: &Url, payload: Option<&Value>) -> Result<Answer, String> {
        for _ in 0..NONCES {
            let nonce = match self.nonce.take() {
                Some(nonce) => nonce,
                None => self.fresh().await?,
            };
            let body = self.signer.sign(url.as_str(), &nonce, self.account.as_deref(), payload)?;
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jose+json"));
            let request = Request::new(Method::POST, url.clone(), headers, body.into());
            let (status, answer) = send(self.outbound, request).await?;
            self.nonce = nonce_of(&answer.headers);
            if status.is_success() {
                return Ok(answer);
            }
            let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if problem["type"] != "urn:ietf:params:acme:error:badNonce" {
                return Err(format!("the authority answers {} ({})", status.as_u16(), reason(&problem)));
            }
        }
        Err("the authority takes none of its own nonces".to_owned())
    }

    async fn fresh(&self) -> Result<String, String> {
        let url = self.directory.new_nonce.clone();
        let (_, answer) =
            send(self.outbound, Request::new(Method::HEAD, url, HeaderMap::new(), Bytes::new())).await?;
        nonce_of(&answer.headers).ok_or_else(|| "the authority gives no nonce".to_owned())
    }
}

async fn send(outbound: &Outbound, request: Request) -> Result<(StatusCode, Answer), String> {
    let answer = outbound.operator().send(request.within(BOUNDS)).await;
    let answer = answer.map_err(|failure| format!("the authority cannot be reached: {failure}"))?;
    let (status, headers) = (answer.status, answer.headers);
    let body = answer.body.collect().await;
    let body = body.map_err(|failure| format!("the authority does not finish its answer: {failure}"))?;
    Ok((status, Answer { headers, body }))
}

fn nonce_of(headers: &HeaderMap) -> Option<String> {
    Some(headers.get("replay-nonce")?.to_str().ok()?.to_owned())
}

/// The kind of a problem and what is said of it, short and without anything that a log must not hold.
fn reason(problem: &Value) -> String {
    let kind = problem["type"].as_str().and_then(|kind| kind.rsplit(':').next()).unwrap_or("unknown");
    let detail = problem["detail"].as_str().unwrap_or_default();
    let detail: String = detail.chars().filter(|c| !c.is_control()).take(200).collect();
    if detail.is_empty() { word(kind).to_owned() } else { format!("{}: {detail}", word(kind)) }
}

/// A status as a word of the log.
fn word(status: &str) -> &str {
    match status.len() {
        0..=40 => status,
        _ => "something that is no status",
    }
}
