//! Amazon as far as the server knows it: Secrets Manager, STS, Bedrock, the metadata of an instance, the agent of a
//! container, all at one address. It checks every signature with a reading of the rules of its own, and nobody but
//! who signed well is told anything.

mod model;
mod signature;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub use model::{Does, Model};
use signature::{rfc3339, verify};

/// Where a server gets its credentials from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    StaticKeys,
    TemporaryKeys,
    WebIdentity,
    Container,
    Instance,
}

impl By {
    pub const ALL: [By; 5] =
        [By::StaticKeys, By::TemporaryKeys, By::WebIdentity, By::Container, By::Instance];

    /// The id, secret and token of the credentials.
    fn credentials(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            By::StaticKeys => ("AKIASTATIC", "it/static+secret", None),
            By::TemporaryKeys => ("ASIATEMPORARY", "it/temporary+secret", Some("temporary//token==")),
            By::WebIdentity => ("ASIAWEB", "it/web+secret", Some("web//token==")),
            By::Container => ("ASIACONTAINER", "it/container+secret", Some("container//token==")),
            By::Instance => ("ASIAINSTANCE", "it/instance+secret", Some("instance//token==")),
        }
    }
}

/// A version of the secret.
#[derive(Clone)]
struct Version {
    id: String,
    made_at: f64,
    values: Value,
}

#[derive(Default)]
struct Shared {
    versions: Mutex<Vec<Version>>,
    /// Answers 500 to everything.
    down: Mutex<bool>,
    /// Who asked for the secret, and for which of its versions.
    asked: Mutex<Vec<(By, String)>>,
    /// What was wrong with requests that were refused.
    refused: Mutex<Vec<String>>,
    /// How long temporary credentials live.
    life: Mutex<Option<Duration>>,
    given: Mutex<BTreeMap<String, usize>>,
    /// Credentials that were given out carry this number, and those with another one have ended.
    round: Mutex<usize>,
    bedrock: model::Shared,
}

/// Amazon. It serves as long as the test's runtime lives.
#[derive(Clone)]
pub struct Amazon {
    address: SocketAddr,
    shared: Arc<Shared>,
}

const SECRET: &str = "customer-service-ai-prod-secrets";
const REGION: &str = "us-west-2";
const WEB_TOKEN: &str = "eyJ.web-identity+token/.sig=";
const AGENT_TOKEN: &str = "agent-token-1";
const ROLE: &str = "arn:aws:iam::123456789012:role/stoa";

impl Amazon {
    /// Amazon with a secret of these values.
    pub async fn start(values: Value) -> Amazon {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let amazon = Amazon { address: listener.local_addr().unwrap(), shared: Arc::default() };
        amazon.rotate(values);
        let shared = Arc::clone(&amazon.shared);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let _ = serve(socket, &shared).await;
                });
            }
        });
        amazon
    }

    /// A new version of the secret.
    pub fn rotate(&self, values: Value) {
        let mut versions = self.shared.versions.lock().unwrap();
        let id = format!("version-{}", versions.len() + 1);
        versions.push(Version { id, made_at: now().as_secs_f64(), values });
    }

    /// From now on the credentials that were given out count no more; those that are given out next do.
    pub fn end_credentials(&self) {
        *self.shared.round.lock().unwrap() += 1;
    }

    /// The models of Bedrock.
    pub fn model(&self) -> Model<'_> {
        Model(&self.shared.bedrock)
    }

    pub fn set_down(&self, down: bool) {
        *self.shared.down.lock().unwrap() = down;
    }

    /// Temporary credentials live this long.
    pub fn set_life(&self, life: Duration) {
        *self.shared.life.lock().unwrap() = Some(life);
    }

    /// Who asked for the secret so far, and for which version.
    pub fn asked(&self) -> Vec<(By, String)> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// What was wrong with requests that were refused.
    pub fn refused(&self) -> Vec<String> {
        self.shared.refused.lock().unwrap().clone()
    }

    /// How often a source gave credentials out.
    pub fn given(&self, by: By) -> usize {
        self.shared.given.lock().unwrap().get(&format!("{by:?}")).copied().unwrap_or(0)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The variables of a server that asks Bedrock here with credentials of this source, and nobody for settings.
    pub fn bedrock(&self, by: By) -> Vec<(&'static str, String)> {
        let mut variables = self.variables(by);
        variables.retain(|(name, _)| !name.contains("SECRETS_MANAGER"));
        variables.retain(|(name, _)| *name != "AWS_ENDPOINT_URL");
        variables.push(("AWS_ENDPOINT_URL_STS", self.url()));
        variables.push(("AWS_REGION", REGION.to_owned()));
        variables.push(("BEDROCK_ENDPOINT", self.url()));
        variables.push(("BEDROCK_MODEL", model::ID.to_owned()));
        variables.dedup_by(|later, earlier| later.0 == earlier.0);
        variables
    }

    /// The files that a server needs which finds its settings here.
    pub fn files(&self) -> [(&'static str, &'static str); 2] {
        [("web-token", WEB_TOKEN), ("agent-token", AGENT_TOKEN)]
    }

    /// The variables of a server that finds its settings here with credentials of this source.
    pub fn variables(&self, by: By) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("ENABLE_SECRETS_MANAGER", "true".to_owned()),
            ("SECRETS_MANAGER_REGION", REGION.to_owned()),
            ("SECRETS_MANAGER_SECRET_NAME", SECRET.to_owned()),
            ("SECRETS_MANAGER_REFRESH_SECONDS", "1".to_owned()),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.url()),
        ];
        let (id, secret, token) = by.credentials();
        match by {
            By::StaticKeys | By::TemporaryKeys => {
                variables.push(("AWS_ACCESS_KEY_ID", id.to_owned()));
                variables.push(("AWS_SECRET_ACCESS_KEY", secret.to_owned()));
                variables.extend(token.map(|token| ("AWS_SESSION_TOKEN", token.to_owned())));
                variables.push(("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.url()));
                variables.push(("AWS_ENDPOINT_URL_STS", self.url()));
            }
            By::WebIdentity => {
                variables.push(("AWS_WEB_IDENTITY_TOKEN_FILE", "web-token".to_owned()));
                variables.push(("AWS_ROLE_ARN", ROLE.to_owned()));
                variables.push(("AWS_ENDPOINT_URL", self.url()));
            }
            By::Container => {
                let url = format!("{}/v1/credentials", self.url());
                variables.push(("AWS_CONTAINER_CREDENTIALS_FULL_URI", url));
                variables.push(("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "agent-token".to_owned()));
                variables.push(("AWS_ENDPOINT_URL", self.url()));
            }
            By::Instance => variables.push(("AWS_ENDPOINT_URL", self.url())),
        }
        variables
    }
}

#[expect(clippy::disallowed_methods, reason = "a service outside has a clock of its own")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// A request in pieces.
struct Asked {
    method: String,
    path: String,
    /// Names in lower case, in the order in which they came.
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }
}

async fn serve(mut socket: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let asked = read(&mut socket).await?;
    if asked.path.starts_with("/model/") {
        return model::serve(&mut socket, &asked, shared).await;
    }
    let (status, body) = if *shared.down.lock().unwrap() {
        (500, "{\"__type\":\"InternalServiceError\"}".to_owned())
    } else {
        answer(&asked, shared).unwrap_or_else(|why| {
            shared.refused.lock().unwrap().push(why.clone());
            let code = if asked.path == "/" { "InvalidSignatureException" } else { "Unauthorized" };
            (403, json!({ "__type": code, "message": why }).to_string())
        })
    };
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body.as_bytes()).await
}

async fn read(socket: &mut TcpStream) -> std::io::Result<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let (method, path) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, length)| length.parse().unwrap());
    while bytes.len() < end + length {
        socket.read_buf(&mut bytes).await?;
    }
    Ok(Asked { method, path, headers, body: bytes[end..].to_vec() })
}

fn answer(asked: &Asked, shared: &Shared) -> Result<(u16, String), String> {
    let give = |by: By| {
        *shared.given.lock().unwrap().entry(format!("{by:?}")).or_default() += 1;
        let life = shared.life.lock().unwrap().unwrap_or(Duration::from_secs(3_600));
        let (id, secret, token) = by.credentials();
        let token = format!("{}{}", token.unwrap(), "=".repeat(*shared.round.lock().unwrap()));
        (id, secret, token, rfc3339((now() + life).as_secs()))
    };
    let document = |by: By| {
        let (id, secret, token, end) = give(by);
        json!({"Code": "Success", "AccessKeyId": id, "SecretAccessKey": secret, "Token": token, "Expiration": end})
            .to_string()
    };
    let require = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    match (asked.method.as_str(), asked.path.as_str()) {
        ("PUT", "/latest/api/token") => {
            let ttl = asked.header("x-aws-ec2-metadata-token-ttl-seconds");
            require(ttl.parse::<u32>().is_ok(), "no time to live")?;
            Ok((200, "metadata-token".to_owned()))
        }
        ("GET", path) if path.starts_with("/latest/meta-data/iam/security-credentials/") => {
            require(
                asked.header("x-aws-ec2-metadata-token") == "metadata-token",
                "version 1 of the metadata",
            )?;
            let name = path.rsplit('/').next().unwrap();
            Ok((200, if name.is_empty() { "stoa-role".to_owned() } else { document(By::Instance) }))
        }
        ("GET", "/v1/credentials") => {
            require(asked.header("authorization") == AGENT_TOKEN, "no token for the agent")?;
            Ok((200, document(By::Container)))
        }
        ("POST", "/") if asked.header("x-amz-target") == "secretsmanager.GetSecretValue" => {
            let by = verify(asked, "secretsmanager")?;
            let body: Value = serde_json::from_slice(&asked.body).map_err(|error| error.to_string())?;
            require(body["SecretId"] == SECRET, "another secret")?;
            let stage = body["VersionStage"].as_str().unwrap_or_default().to_owned();
            let versions = shared.versions.lock().unwrap();
            let version = match stage.as_str() {
                "AWSPREVIOUS" => versions.iter().rev().nth(1),
                _ => versions.last(),
            };
            shared.asked.lock().unwrap().push((by, stage));
            Ok(match version {
                Some(Version { id, made_at, values }) => (
                    200,
                    json!({"Name": SECRET, "VersionId": id, "CreatedDate": made_at, "SecretString": values.to_string()})
                        .to_string(),
                ),
                None => (400, "{\"__type\":\"ResourceNotFoundException\"}".to_owned()),
            })
        }
        ("POST", "/") => {
            let form: BTreeMap<String, String> =
                url::form_urlencoded::parse(&asked.body).into_owned().collect();
            match form.get("Action").map(String::as_str) {
                Some("AssumeRoleWithWebIdentity") => {
                    require(
                        form["WebIdentityToken"] == WEB_TOKEN && form["RoleArn"] == ROLE,
                        "no such identity",
                    )?;
                    let (id, secret, token, end) = give(By::WebIdentity);
                    Ok((
                        200,
                        format!(
                            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                             <AssumeRoleWithWebIdentityResult><Credentials><SessionToken>{token}</SessionToken>\
                             <SecretAccessKey>{secret}</SecretAccessKey><Expiration>{end}</Expiration>\
                             <AccessKeyId>{id}</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>\
                             </AssumeRoleWithWebIdentityResponse>"
                        ),
                    ))
                }
                Some("GetCallerIdentity") => {
                    let by = verify(asked, "sts")?;
                    let arn = format!("arn:aws:sts::123456789012:assumed-role/stoa/{by:?}");
                    Ok((
                        200,
                        format!(
                            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn><UserId>x</UserId>\
                             <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
                        ),
                    ))
                }
                other => Err(format!("no such action: {other:?}")),
            }
        }
        (method, path) => Err(format!("nothing at {method} {path}")),
    }
}
