//! Forged, altered and oversized tokens are refused, whatever they claim: no algorithm, another algorithm, a key of
//! their own, an end long past. They are shown as bearer tokens and as refresh tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::chance;
use crate::deployment::Deployment;
use crate::problem::expect_problem;
use crate::verdict::{Verdict, ensure};

/// What a closed path says to whoever is nobody.
const REFUSED: &[&str] = &["unauthenticated", "token_expired"];
/// Larger than any token that a server should read.
const HUGE: usize = 24 << 10;

/// Shows each of them at a path that needs an account.
pub(crate) async fn forged(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let tokens = forgeries();
    for (what, token) in &tokens {
        let ask = client.get("/api/v1/me").header("authorization", &format!("Bearer {token}"));
        let answer = ask.send().await?;
        ensure(answer.status == 401, || {
            format!("a token with {what} gave {} for GET /api/v1/me, not 401", answer.summary())
        })?;
        expect_problem(&answer, &[401], REFUSED)?;
        ensure(answer.headers.contains_key("www-authenticate"), || {
            format!("a token with {what} gave 401 without WWW-Authenticate")
        })?;
    }
    let huge = format!("Bearer eyJhbGciOiJIUzI1NiJ9.{}.AAAA", "A".repeat(HUGE));
    let answer = client.get("/api/v1/me").header("authorization", &huge).send().await?;
    // Whoever reads the headers first may refuse them for their size.
    answer.expect(&[400, 401, 413, 431])?;
    for token in [tokens.first().map_or("", |(_, token)| token.as_str()), "stoa_rt_not-a-token"] {
        let ask = client.post("/api/v1/auth/refresh").json(&json!({"refresh_token": token}));
        expect_problem(&ask.send().await?, &[401], REFUSED)?;
    }
    Ok(format!("{} forged tokens and 2 made-up refresh tokens are refused", tokens.len() + 1))
}

fn forgeries() -> Vec<(&'static str, String)> {
    let claims = |exp: u64| {
        json!({"iss": "stoa", "aud": "stoa", "sub": chance::unknown_id(), "sid": chance::unknown_id(),
            "jti": chance::unknown_id(), "role": "admin", "iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": exp})
    };
    let (late, long_past) = (claims(4_102_444_800), claims(1_700_000_060));
    let header = |alg: &str| json!({"alg": alg, "typ": "at+jwt"});
    let own_key = json!({"alg": "EdDSA", "typ": "at+jwt", "jwk": {"kty": "OKP", "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}});
    let far_key = json!({"alg": "RS256", "typ": "at+jwt", "jku": "https://verify.invalid/keys"});
    vec![
        ("`alg: none`", token(&header("none"), &late, "")),
        ("`alg: None`", token(&header("None"), &late, "")),
        ("`alg: nOnE` and a signature", token(&header("nOnE"), &late, "AAAA")),
        ("a made-up HS256 signature", token(&header("HS256"), &late, MADE_UP)),
        ("no HS256 signature", token(&header("HS256"), &late, "")),
        ("HS512", token(&header("HS512"), &late, MADE_UP)),
        ("a made-up EdDSA signature", token(&header("EdDSA"), &late, MADE_UP)),
        ("a key in its own header", token(&own_key, &late, MADE_UP)),
        ("a key at an address of its own", token(&far_key, &late, MADE_UP)),
        ("an end long past", token(&header("HS256"), &long_past, MADE_UP)),
        ("five parts, as encrypted ones have", format!("{}.AA.AA", token(&header("HS256"), &late, MADE_UP))),
    ]
}

/// 64 bytes, the length of the longest signature that is taken.
const MADE_UP: &str =
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn token(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgeries_are_tokens_by_their_form() {
        for (what, token) in forgeries() {
            let head = token.split('.').next().unwrap();
            let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap();
            assert!(head["alg"].is_string() && head["typ"] == "at+jwt", "{what}");
        }
        assert_eq!(URL_SAFE_NO_PAD.decode(MADE_UP).unwrap().len(), 64);
    }
}
