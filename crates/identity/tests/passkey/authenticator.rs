//! An authenticator in software, together with the browser in front of it: makes credentials of each algorithm and
//! answers challenges. Every part of an answer can be altered before it is given.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

pub const PRESENT: u8 = 1;
pub const VERIFIED: u8 = 4;
pub const ELIGIBLE: u8 = 8;
pub const BACKED_UP: u8 = 16;
pub const ATTESTED: u8 = 64;
pub const EXTENDED: u8 = 128;

/// A key for these tests and nothing else: ring signs with RSA keys and makes none.
const RSA: &[u8] = include_bytes!("rsa.pk8");

#[derive(Clone, Copy, Debug)]
pub enum Algorithm {
    Es256,
    EdDsa,
    Rs256,
}

impl Algorithm {
    pub const ALL: [Algorithm; 3] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256];
}

enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// An authenticator that holds one credential.
pub struct Authenticator {
    key: Key,
    pub id: Vec<u8>,
    /// The user that the credential was made for.
    pub handle: Vec<u8>,
}

impl Authenticator {
    pub fn new(algorithm: Algorithm) -> Authenticator {
        let random = SystemRandom::new();
        let key = match algorithm {
            Algorithm::Es256 => {
                let scheme = &ECDSA_P256_SHA256_ASN1_SIGNING;
                let pkcs8 = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
                Key::Es256(EcdsaKeyPair::from_pkcs8(scheme, pkcs8.as_ref(), &random).unwrap())
            }
            Algorithm::EdDsa => {
                let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Key::EdDsa(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
            }
            Algorithm::Rs256 => Key::Rs256(RsaKeyPair::from_pkcs8(RSA).unwrap()),
        };
        let mut id = vec![0; 32];
        random.fill(&mut id).unwrap();
        Authenticator { key, id, handle: Vec::new() }
    }

    /// The credential's id as text.
    pub fn credential(&self) -> String {
        base64url(&self.id)
    }

    /// What a browser on `origin` gives for these options of `navigator.credentials.create`.
    pub fn create(&mut self, options: &Value, origin: &str) -> Creation {
        self.handle = URL_SAFE_NO_PAD.decode(options["user"]["id"].as_str().unwrap()).unwrap();
        Creation {
            client: client("webauthn.create", options, origin),
            rp_id: options["rp"]["id"].as_str().unwrap().to_owned(),
            flags: PRESENT | VERIFIED | ATTESTED,
            count: 0,
            id: self.id.clone(),
            cose: self.cose(),
            format: text("none"),
            statement: vec![0xa0],
            tail: Vec::new(),
        }
    }

    /// What a browser on `origin` gives for these options of `navigator.credentials.get`.
    pub fn get(&self, options: &Value, origin: &str) -> Request {
        Request {
            client: client("webauthn.get", options, origin),
            rp_id: options["rpId"].as_str().unwrap().to_owned(),
            flags: PRESENT | VERIFIED,
            count: 0,
            handle: Some(self.handle.clone()),
            tail: Vec::new(),
        }
    }

    /// The public key as COSE.
    pub fn cose(&self) -> Vec<u8> {
        match &self.key {
            Key::Es256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                map(&[(1, int(2)), (3, int(-7)), (-1, int(1)), (-2, bytes(x)), (-3, bytes(y))])
            }
            Key::EdDsa(key) => {
                map(&[(1, int(1)), (3, int(-8)), (-1, int(6)), (-2, bytes(key.public_key().as_ref()))])
            }
            Key::Rs256(key) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
                map(&[(1, int(3)), (3, int(-257)), (-1, bytes(&public.n)), (-2, bytes(&public.e))])
            }
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Es256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::EdDsa(key) => key.sign(message).as_ref().to_vec(),
            Key::Rs256(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// A credential that is being made.
pub struct Creation {
    pub client: Value,
    pub rp_id: String,
    pub flags: u8,
    pub count: u32,
    pub id: Vec<u8>,
    pub cose: Vec<u8>,
    /// The encoded `fmt`.
    pub format: Vec<u8>,
    /// The encoded `attStmt`.
    pub statement: Vec<u8>,
    /// What follows in the authenticator data: extensions.
    pub tail: Vec<u8>,
}

impl Creation {
    pub fn data(&self) -> Vec<u8> {
        let mut data = head(&self.rp_id, self.flags, self.count);
        if self.flags & ATTESTED != 0 {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
            data.extend(&self.id);
            data.extend(&self.cose);
        }
        data.extend(&self.tail);
        data
    }

    pub fn object(&self) -> Vec<u8> {
        [
            &[0xa3][..],
            &text("fmt"),
            &self.format,
            &text("attStmt"),
            &self.statement,
            &text("authData"),
            &bytes(&self.data()),
        ]
        .concat()
    }

    pub fn answer(&self) -> Value {
        self.answer_with(&self.object())
    }

    /// With another attestation object.
    pub fn answer_with(&self, object: &[u8]) -> Value {
        let id = base64url(&self.id);
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": base64url(self.client.to_string().as_bytes()),
                "attestationObject": base64url(object),
                "transports": ["internal", "hybrid"],
                "publicKeyAlgorithm": -7,
            },
            "clientExtensionResults": { "credProps": { "rk": true } },
        })
    }
}

/// A challenge that is being answered.
pub struct Request {
    pub client: Value,
    pub rp_id: String,
    pub flags: u8,
    pub count: u32,
    pub handle: Option<Vec<u8>>,
    /// What follows in the authenticator data: extensions.
    pub tail: Vec<u8>,
}

impl Request {
    pub fn answer(&self, by: &Authenticator) -> Value {
        let mut data = head(&self.rp_id, self.flags, self.count);
        data.extend(&self.tail);
        let client = self.client.to_string();
        let signature = by.sign(&[&data, digest(&SHA256, client.as_bytes()).as_ref()].concat());
        json!({
            "id": by.credential(),
            "rawId": by.credential(),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": base64url(client.as_bytes()),
                "authenticatorData": base64url(&data),
                "signature": base64url(&signature),
                "userHandle": self.handle.as_deref().map(base64url),
            },
            "clientExtensionResults": {},
        })
    }
}

pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn client(kind: &str, options: &Value, origin: &str) -> Value {
    json!({ "type": kind, "challenge": options["challenge"], "origin": origin, "crossOrigin": false })
}

fn head(rp_id: &str, flags: u8, count: u32) -> Vec<u8> {
    [digest(&SHA256, rp_id.as_bytes()).as_ref(), &[flags], &count.to_be_bytes()].concat()
}

/// A kind of value and the number that comes with it, in the shortest form.
fn number(major: u8, argument: usize) -> Vec<u8> {
    let major = major << 5;
    match argument {
        0..24 => vec![major | u8::try_from(argument).unwrap()],
        24..256 => vec![major | 24, u8::try_from(argument).unwrap()],
        _ => [&[major | 25][..], &u16::try_from(argument).unwrap().to_be_bytes()].concat(),
    }
}

pub fn int(value: i32) -> Vec<u8> {
    match usize::try_from(value) {
        Ok(value) => number(0, value),
        Err(_) => number(1, usize::try_from(!value).unwrap()),
    }
}

pub fn bytes(value: &[u8]) -> Vec<u8> {
    [number(2, value.len()).as_slice(), value].concat()
}

pub fn text(value: &str) -> Vec<u8> {
    [number(3, value.len()).as_slice(), value.as_bytes()].concat()
}

/// A map of encoded values, in the order given.
pub fn map(entries: &[(i32, Vec<u8>)]) -> Vec<u8> {
    entries
        .iter()
        .fold(number(5, entries.len()), |map, (key, value)| [map, int(*key), value.clone()].concat())
}
