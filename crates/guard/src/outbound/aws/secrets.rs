//! Secrets Manager: a secret whose text is a JSON object, in its present and its previous version.
//! It never writes, and never keeps what it has read.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use kernel::{Secret, Time};
use serde::Deserialize;
use serde_json::Value;

use super::chain::{Aws, SMALL};
use super::failure::Failure;
use super::sign::{Paths, Scope};
use crate::outbound::{Bounds, Request};

const SERVICE: &str = "Secrets Manager";

/// Which version of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// The one in use.
    Current,
    /// The one before it, which rotation leaves behind.
    Previous,
}

/// A version of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretValue {
    /// The id of the version.
    pub version: String,
    /// When the version was made.
    pub made_at: Option<Time>,
    /// The fields of the JSON object as texts; a list of texts is joined by commas.
    pub values: BTreeMap<String, Secret<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    version_id: Option<String>,
    created_date: Option<f64>,
    secret_string: Option<Wiped>,
}

/// Text that is wiped after it has been read.
struct Wiped(Secret<String>);

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Wiped, D::Error> {
        String::deserialize(deserializer).map(|text| Wiped(Secret::new(text)))
    }
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(rename = "__type")]
    code: Option<String>,
}

impl Aws {
    /// Reads a version of a secret by its name or ARN. `None`: there is no such secret, or no such version of it.
    pub async fn secret(
        &self,
        region: &str,
        name: &str,
        stage: Stage,
    ) -> Result<Option<SecretValue>, Failure> {
        let url = self
            .config()
            .endpoint("secretsmanager", region)
            .ok_or(Failure::Request("the region of Secrets Manager cannot be read"))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
        headers.insert("x-amz-target", HeaderValue::from_static("secretsmanager.GetSecretValue"));
        let stage = match stage {
            Stage::Current => "AWSCURRENT",
            Stage::Previous => "AWSPREVIOUS",
        };
        let body = serde_json::json!({ "SecretId": name, "VersionStage": stage }).to_string();
        // The text of a secret has 64 KiB at most, and JSON writes it longer.
        let bounds = Bounds { bytes: 512 << 10, ..SMALL };
        let request = Request::new(Method::POST, url, headers, Bytes::from(body)).within(bounds);
        let scope = Scope { service: "secretsmanager", region, paths: Paths::Tidied };
        let answer = self.call(SERVICE, request, &scope).await?;
        let status = answer.status.as_u16();
        let named =
            answer.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = answer.body.collect().await.map_err(|failure| Failure::Call(SERVICE, failure))?;
        if status == 200 {
            return read(&body).map(Some);
        }
        let written = || serde_json::from_slice::<Complaint>(&body).ok().and_then(|complaint| complaint.code);
        let failure = Failure::refused(SERVICE, status, &named.or_else(written).unwrap_or_default());
        match &failure {
            Failure::Refused { code, .. } if code == "ResourceNotFoundException" => Ok(None),
            _ => {
                self.forget(&failure);
                Err(failure)
            }
        }
    }
}

fn read(body: &[u8]) -> Result<SecretValue, Failure> {
    let garbage = |what| Failure::Garbage(SERVICE, what);
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| garbage("the answer is not of the expected form"))?;
    let text = answer.secret_string.ok_or(garbage("the secret is no text; store a JSON object"))?;
    let object: BTreeMap<String, Value> = serde_json::from_str(text.0.expose())
        .map_err(|_| garbage("the secret is no JSON object of names and values"))?;
    let mut values = BTreeMap::new();
    for (name, value) in object {
        if let Some(text) = written(value).map_err(garbage)? {
            values.insert(name, Secret::new(text));
        }
    }
    Ok(SecretValue {
        version: answer.version_id.unwrap_or_default(),
        made_at: answer
            .created_date
            .filter(|at| at.is_finite())
            .map(|at| Time::from_micros((at * 1e6) as i64)),
        values,
    })
}

/// A value as a variable would hold it.
fn written(value: Value) -> Result<Option<String>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Bool(flag) => Ok(Some(flag.to_string())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            texts.map(|texts| Some(texts.join(","))).ok_or("a list in the secret holds what is no text")
        }
        Value::Object(_) => Err("a value in the secret is an object; write texts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Result<SecretValue, Failure> {
        let body = serde_json::json!({
            "ARN": "arn:x", "Name": "n", "VersionId": "v1", "CreatedDate": 1_523_477_145.713, "SecretString": text,
        });
        read(body.to_string().as_bytes())
    }

    #[test]
    fn values_are_written_as_variables_are() {
        let read = answer(r#"{"A":"text","B":true,"C":12,"D":["k1","k2"],"E":null}"#).unwrap();
        let values: Vec<(&str, &str)> =
            read.values.iter().map(|(name, value)| (name.as_str(), value.expose().as_str())).collect();
        assert_eq!(values, [("A", "text"), ("B", "true"), ("C", "12"), ("D", "k1,k2")]);
        assert_eq!((read.version.as_str(), read.made_at.unwrap().seconds()), ("v1", 1_523_477_145));
        assert!(!format!("{read:?}").contains("text"));
    }

    #[test]
    fn what_is_no_object_of_texts_is_refused_without_a_quote() {
        for text in ["hunter2", "[\"hunter2\"]", "{\"A\":{\"hunter2\":1}}", "{\"A\":[1,\"hunter2\"]}", ""] {
            let failure = answer(text).unwrap_err();
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
        assert!(read(b"{}").is_err() && read(b"<html>").is_err());
    }
}
