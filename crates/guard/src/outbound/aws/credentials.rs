//! Credentials, and the document in which the agents of containers and instances write them.

use kernel::{Secret, Time};
use serde::Deserialize;

use super::failure::Failure;

/// What requests are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The access key's id, which is no secret.
    pub key_id: String,
    /// The secret.
    pub secret: Secret<String>,
    /// Goes along with temporary credentials.
    pub token: Option<Secret<String>>,
    /// When they end; `None` for those that last.
    pub expires_at: Option<Time>,
}

/// The document of an agent.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    code: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    token: Option<String>,
    expiration: Option<String>,
}

impl Credentials {
    /// Reads the document of this agent.
    pub(super) fn read(agent: &'static str, document: &[u8]) -> Result<Credentials, Failure> {
        let none = || Failure::Garbage(agent, "the answer holds no credentials");
        let document: Document = serde_json::from_slice(document).map_err(|_| none())?;
        if document.code.as_deref().is_some_and(|code| code != "Success") {
            return Err(Failure::refused(agent, 200, document.code.as_deref().unwrap_or_default()));
        }
        let expires_at = match document.expiration {
            Some(text) => Some(
                Time::parse_rfc3339(&text)
                    .ok_or(Failure::Garbage(agent, "the credentials end at a time that cannot be read"))?,
            ),
            None => None,
        };
        Ok(Credentials {
            key_id: document.access_key_id.filter(|id| !id.is_empty()).ok_or_else(none)?,
            secret: Secret::new(
                document.secret_access_key.filter(|secret| !secret.is_empty()).ok_or_else(none)?,
            ),
            token: document.token.map(Secret::new),
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_agents_are_read() {
        let good =
            br#"{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIA1","SecretAccessKey":"s","Token":"t",
            "LastUpdated":"2026-11-21T00:00:00Z","Expiration":"2026-11-21T06:00:00Z","RoleArn":"arn:x"}"#;
        let read = Credentials::read("agent", good).unwrap();
        assert_eq!((read.key_id.as_str(), read.secret.expose().as_str()), ("ASIA1", "s"));
        assert_eq!(read.expires_at, Time::parse_rfc3339("2026-11-21T06:00:00Z"));
        for bad in [
            "",
            "<html>",
            "{}",
            r#"{"AccessKeyId":"A"}"#,
            r#"{"AccessKeyId":"","SecretAccessKey":"s"}"#,
            r#"{"Code":"AssumeRoleUnauthorizedAccess","AccessKeyId":"A","SecretAccessKey":"s"}"#,
            r#"{"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"soon"}"#,
        ] {
            assert!(Credentials::read("agent", bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(!format!("{read:?}").contains("\"s\""));
    }
}
