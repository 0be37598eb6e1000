//! An identity provider of a test's own: publishes its keys, signs whatever the test wants it to say, and trades codes
//! for tokens. It keeps no people; the test is the person and the provider's page.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crypto::jws::SigningKey;
use kernel::Secret;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The audience of its bearer tokens, and the client that signs people in on the page.
pub const AUDIENCE: &str = "stoa";

/// The provider. It serves as long as the test's runtime lives.
#[derive(Clone)]
pub struct Issuer {
    pub name: &'static str,
    address: SocketAddr,
    key: Arc<SigningKey>,
    /// The ID tokens that codes are traded for.
    codes: Arc<Mutex<HashMap<String, String>>>,
    /// Who sits in front of its page; nobody declines.
    person: Arc<Mutex<Option<String>>>,
    /// What was sent to the token endpoint.
    pub traded: Arc<Mutex<Vec<String>>>,
}

impl Issuer {
    pub async fn start(name: &'static str) -> Issuer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let secret = Secret::new(format!("the key of the issuer {name} of tests, used nowhere else"));
        let issuer = Issuer {
            name,
            address: listener.local_addr().unwrap(),
            key: Arc::new(SigningKey::ed25519(&secret).unwrap()),
            codes: Arc::default(),
            person: Arc::default(),
            traded: Arc::default(),
        };
        let serving = issuer.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let issuer = serving.clone();
                tokio::spawn(async move { issuer.serve(socket).await });
            }
        });
        issuer
    }

    /// How its tokens name it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its entry in the configuration.
    pub fn entry(&self) -> String {
        format!(
            "[[identity.issuers]]\nname = \"{}\"\nissuer = \"{}\"\naudience = \"{AUDIENCE}\"\nclient_id = \"{AUDIENCE}\"\n",
            self.name,
            self.url()
        )
    }

    /// What it says of somebody who has just signed in.
    #[expect(clippy::disallowed_methods, reason = "the server under test has the machine's clock")]
    pub fn claims(&self, subject: &str) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        json!({"iss": self.url(), "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 600, "auth_time": now})
    }

    /// An ID token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.key.sign("JWT", claims.as_object().unwrap()).expose().clone()
    }

    /// An ID token of somebody who has just signed in.
    pub fn token(&self, subject: &str) -> String {
        self.sign(&self.claims(subject))
    }

    /// From now on this code is worth this token.
    #[allow(dead_code, reason = "for the tests of journeys to an issuer")]
    pub fn sell(&self, code: &str, token: String) {
        self.codes.lock().unwrap().insert(code.to_owned(), token);
    }

    /// From now on this person signs in on its page, or nobody does.
    #[allow(dead_code, reason = "for the tests with a browser")]
    pub fn seat(&self, subject: Option<&str>) {
        *self.person.lock().unwrap() = subject.map(str::to_owned);
    }

    async fn serve(&self, socket: TcpStream) -> Option<()> {
        let mut socket = BufReader::new(socket);
        let (mut path, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if tokio::time::timeout(Duration::from_secs(30), socket.read_line(&mut line)).await.ok()?.ok()?
                == 0
            {
                return None;
            }
            if path.is_empty() {
                line.split(' ').nth(1)?.clone_into(&mut path);
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        socket.read_exact(&mut body).await.ok()?;
        if let Some(query) = path.strip_prefix("/authorize?") {
            let answer = format!(
                "HTTP/1.1 302 x\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                self.send_back(query)?
            );
            return socket.get_mut().write_all(answer.as_bytes()).await.ok();
        }
        let (status, said) = self.answer(&path, &String::from_utf8(body).ok()?);
        let said = said.to_string();
        let answer = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncache-control: max-age=600\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{said}",
            said.len()
        );
        socket.get_mut().write_all(answer.as_bytes()).await.ok()
    }

    /// Where its page sends the browser, with a code for whoever sits there.
    fn send_back(&self, query: &str) -> Option<String> {
        let asked: HashMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut back = url::Url::parse(asked.get("redirect_uri")?).ok()?;
        let mut pairs = back.query_pairs_mut();
        pairs.append_pair("state", asked.get("state")?).append_pair("iss", &self.url());
        match self.person.lock().unwrap().as_deref() {
            Some(subject) => {
                let mut claims = self.claims(subject);
                claims["nonce"] = json!(asked.get("nonce")?);
                let code = format!("code-of-{subject}");
                self.sell(&code, self.sign(&claims));
                pairs.append_pair("code", &code);
            }
            None => {
                pairs.append_pair("error", "access_denied");
            }
        }
        drop(pairs);
        Some(back.into())
    }

    fn answer(&self, path: &str, body: &str) -> (u16, Value) {
        let at = |path: &str| format!("{}{path}", self.url());
        match path {
            "/.well-known/openid-configuration" => (
                200,
                json!({
                    "issuer": self.url(),
                    "jwks_uri": at("/keys"),
                    "authorization_endpoint": at("/authorize"),
                    "token_endpoint": at("/token"),
                    "authorization_response_iss_parameter_supported": true,
                }),
            ),
            "/keys" => {
                let mut key = self.key.key().jwk().unwrap();
                key["kid"] = json!(self.key.kid());
                (200, json!({"keys": [key]}))
            }
            "/token" => {
                self.traded.lock().unwrap().push(body.to_owned());
                let form: HashMap<String, String> =
                    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
                match form.get("code").and_then(|code| self.codes.lock().unwrap().remove(code)) {
                    Some(token) => {
                        (200, json!({"access_token": "a", "token_type": "Bearer", "id_token": token}))
                    }
                    None => (400, json!({"error": "invalid_grant"})),
                }
            }
            _ => (404, json!({})),
        }
    }
}
