//! Alerts over HTTP: the signed webhook and Slack's form. It owns the two bodies and the signature. It follows no
//! redirect, so no alert travels to an address that the operator did not write.

use std::time::Duration;

use bytes::Bytes;
use guard::outbound::{Bounds, Outbound, Request};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{ParcelId, Secret, Time};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use super::Lost;
use super::config::Webhook;
use crate::alerts::Notice;

/// `t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>" in hexadecimal>`.
const SIGNATURE: HeaderName = HeaderName::from_static("x-stoa-signature");
/// The same for every attempt to deliver one notice.
const DELIVERY: HeaderName = HeaderName::from_static("x-stoa-delivery");

/// A receiver of alerts answers quickly or is tried again.
const BOUNDS: Bounds = Bounds {
    first_byte: Duration::from_secs(10),
    idle: Duration::from_secs(5),
    total: Duration::from_secs(15),
    bytes: 64 << 10,
};

/// HMAC-SHA256 in hexadecimal (RFC 2104).
pub(super) fn hmac_hex(secret: &Secret<String>, parts: &[&[u8]]) -> String {
    // A key of any length is taken, so there is always one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        return String::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The secret of the webhook when the operator has set none: derived from the signing secret in a way that the
/// receiver can repeat: `HMAC-SHA256(signing secret, "stoa alert webhook")` in hexadecimal.
pub fn derived_secret(signing: &Secret<String>) -> Secret<String> {
    Secret::new(hmac_hex(signing, &[b"stoa alert webhook"]))
}

/// The value of the signature header.
pub(super) fn signature(secret: &Secret<String>, now: Time, body: &[u8]) -> String {
    let at = now.seconds();
    let hex = hmac_hex(secret, &[at.to_string().as_bytes(), b".", body]);
    format!("t={at},v1={hex}")
}

/// Posts a notice as signed JSON.
pub(super) async fn send(
    outbound: &Outbound,
    webhook: &Webhook,
    id: ParcelId,
    notice: &Notice,
    now: Time,
) -> Result<(), Lost> {
    let body = serde_json::to_vec(notice).map_err(|_| Lost::for_good("the notice cannot be written"))?;
    let mut headers = HeaderMap::new();
    for (name, value) in [(SIGNATURE, signature(&webhook.secret, now, &body)), (DELIVERY, id.to_string())] {
        let value =
            HeaderValue::from_str(&value).map_err(|_| Lost::for_good("a header cannot be written"))?;
        headers.insert(name, value);
    }
    post(outbound, &webhook.url, headers, body).await
}

/// Posts a notice in Slack's form.
pub(super) async fn send_slack(
    outbound: &Outbound,
    url: &Secret<String>,
    notice: &Notice,
) -> Result<(), Lost> {
    post(outbound, url, HeaderMap::new(), slack(notice).to_string().into_bytes()).await
}

async fn post(
    outbound: &Outbound,
    url: &Secret<String>,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<(), Lost> {
    let url = Url::parse(url.expose()).map_err(|_| Lost::for_now("the address cannot be read"))?;
    let request = Request::post_json(url, headers, Bytes::from(body)).within(BOUNDS);
    let answer =
        outbound.operator().send(request).await.map_err(|failure| Lost::for_now(failure.to_string()))?;
    if answer.status.is_success() {
        return Ok(());
    }
    Err(Lost::for_now(format!("the receiver answered {}", answer.status.as_u16())))
}

/// Text as Slack wants it (`api.slack.com/reference/surfaces/formatting`).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn slack(notice: &Notice) -> Value {
    let (headline, text) = (notice.headline(), escaped(&notice.text));
    let about = format!(
        "severity *{}* · {} · {} · <{}|acknowledge>",
        escaped(&notice.severity),
        notice.timestamp.rfc3339_seconds(),
        escaped(&notice.environment),
        notice.page(),
    );
    // Slack takes 150 characters in a header.
    let header: String = headline.chars().take(150).collect();
    json!({
        "text": format!("{}: {text}", escaped(&headline)),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": header}},
            {"type": "section", "text": {"type": "mrkdwn", "text": text}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": about}]},
        ],
    })
}

#[cfg(test)]
mod tests {
    use kernel::AlertId;

    use super::*;
    use crate::alerts::Event;

    #[test]
    fn the_signature_is_hmac_over_time_and_body() {
        // RFC 4231, test case 2.
        let key = Secret::new("Jefe".to_owned());
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hmac_hex(&key, &[b"what do ya want ", b"for nothing?"]), expected);
        let signed = signature(&key, Time::from_seconds(1_700_000_000), b"{}");
        assert_eq!(signed, format!("t=1700000000,v1={}", hmac_hex(&key, &[b"1700000000.{}"])));
        assert_ne!(derived_secret(&key).expose(), key.expose());
    }

    #[test]
    fn slack_gets_text_and_blocks_without_markup_from_outside() {
        let notice = Notice {
            event: Event::Raised,
            id: AlertId::parse("019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d").unwrap(),
            kind: "failed_sign_ins".into(),
            severity: "high".into(),
            title: "Multiple failed login attempts".into(),
            text: "11 from <!channel> & co".into(),
            timestamp: Time::from_seconds(1_700_000_000),
            details: serde_json::Map::new(),
            server: "https://chat.example.org".into(),
            environment: "production".into(),
        };
        let body = slack(&notice);
        let text = body["text"].as_str().unwrap();
        assert!(text.starts_with("Security Alert: Multiple failed login attempts"), "{text}");
        assert!(!body.to_string().contains("<!channel>"), "{body}");
        assert!(body["blocks"][2].to_string().contains("https://chat.example.org/admin/alerts"));
    }
}
