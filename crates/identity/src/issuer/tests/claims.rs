//! What the claims of an ID token must say: one table for issuers of OpenID Connect, one for Firebase.

use super::*;

/// The verdict about a token whose claims and header are changed (`null` removes a claim).
async fn judge(
    issuer: &Issuer,
    audience: &str,
    signer: &Signer,
    mut claims: Value,
    changes: Value,
) -> Result<(), Flaw> {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    issuer.verify(&signer.sign(&claims), audience).await.map(|_| ())
}

fn is_invalid(verdict: Result<(), Flaw>) -> bool {
    matches!(verdict, Err(Flaw::Invalid(_)))
}

#[tokio::test]
async fn openid_tokens_are_judged_by_every_claim() {
    let place = Place::new().await;
    let signer = Signer::es256("e");
    place.server.say(KEYS, "max-age=600", set(&[&signer]));
    let issuer = place.issuer(true);
    let judge = async |changes: Value| judge(&issuer, "stoa", &signer, place.claims(), changes).await;
    for good in [
        json!({}),
        json!({"aud": ["stoa"]}),
        json!({"aud": ["stoa", "other"], "azp": "stoa"}),
        json!({"aud": "stoa", "azp": "an-app-of-the-same-owner"}),
        json!({"sub": "x".repeat(255)}),
        json!({"iat": NOW + 60}),
        json!({"iat": NOW as f64 + 0.5}),
        json!({"nbf": NOW + 60}),
        json!({"email": 7, "name": ["x"], "email_verified": "perhaps"}),
    ] {
        assert_eq!(judge(good.clone()).await, Ok(()), "{good}");
    }
    for bad in [
        json!({"iss": null}),
        json!({"iss": format!("{}/", place.server.base)}),
        json!({"iss": place.server.base.to_uppercase()}),
        json!({"iss": [place.server.base]}),
        json!({"aud": null}),
        json!({"aud": ""}),
        json!({"aud": "other"}),
        json!({"aud": "stoa2"}),
        json!({"aud": []}),
        json!({"aud": ["other"]}),
        json!({"aud": ["stoa", 7], "azp": "stoa"}),
        json!({"aud": {"stoa": true}}),
        json!({"aud": ["stoa", "other"]}),
        json!({"aud": ["stoa", "other"], "azp": "other"}),
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": 7}),
        json!({"sub": "x".repeat(256)}),
        json!({"sub": "ann\n"}),
        json!({"iat": null}),
        json!({"iat": NOW + 61}),
        json!({"iat": "yesterday"}),
        json!({"iat": -1}),
        json!({"exp": null}),
        json!({"exp": "never"}),
        json!({"exp": 1e300}),
        json!({"exp": NOW}),
        json!({"nbf": NOW + 61}),
        json!({"auth_time": NOW + 61}),
        json!({"nonce": 7}),
    ] {
        assert!(is_invalid(judge(bad.clone()).await), "{bad}");
    }
    assert_eq!(judge(json!({"iat": NOW - 10, "exp": NOW})).await, Err(Flaw::Expired));
    assert!(is_invalid(judge(json!({"iat": NOW - 10, "exp": NOW, "aud": "other"})).await));
}

#[tokio::test]
async fn what_a_person_is_called_is_taken_over_with_care() {
    let place = Place::new().await;
    let signer = Signer::es256("e");
    place.server.say(KEYS, "max-age=600", set(&[&signer]));
    let issuer = place.issuer(true);
    let read = async |changes: Value| {
        let mut claims = place.claims();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let claims = issuer.verify(&signer.sign(&claims), "stoa").await.unwrap();
        (claims.email, claims.email_verified, claims.name)
    };
    assert_eq!(read(json!({})).await, (None, false, None));
    for verified in [json!(true), json!("true")] {
        assert!(read(json!({ "email_verified": verified })).await.1);
    }
    for unverified in [json!(false), json!("false"), json!(1), json!("yes"), json!(null), json!([true])] {
        assert!(!read(json!({ "email_verified": unverified })).await.1);
    }
    for email in [json!("no address"), json!(""), json!(7), json!(format!("{}@example.com", "x".repeat(300)))]
    {
        assert_eq!(read(json!({ "email": email })).await.0, None, "{email}");
    }
    assert_eq!(read(json!({"name": "x".repeat(900)})).await.2.unwrap().len(), 200);
    assert_eq!(read(json!({"name": "\u{0}\n"})).await.2, None);
}

#[tokio::test]
async fn headers_of_id_tokens_cannot_choose() {
    let place = Place::new().await;
    let (signer, other) = (Signer::rs256("r"), Signer::eddsa("d", 1));
    place.server.say(KEYS, "max-age=600", set(&[&signer, &other]));
    let issuer = place.issuer(true);
    let claims = place.claims();
    let under = async |signer: &Signer, header: Value| {
        issuer.verify(&signer.sign_under(&header, &claims), "stoa").await.map(|_| ())
    };
    assert_eq!(under(&signer, json!({"alg": "RS256", "kid": "r"})).await, Ok(()));
    assert_eq!(under(&signer, json!({"alg": "RS256", "kid": "r", "typ": "jwt"})).await, Ok(()));
    for header in [
        // The key of another algorithm under this name, and this key under another algorithm.
        json!({"alg": "RS256", "kid": "d"}),
        json!({"alg": "EdDSA", "kid": "r"}),
        json!({"alg": "HS256", "kid": "r"}),
        json!({"alg": "none", "kid": "r"}),
        json!({"alg": "RS512", "kid": "r"}),
        json!({"alg": "PS256", "kid": "r"}),
        // Two keys, so a token must say which.
        json!({"alg": "RS256"}),
        json!({"alg": "RS256", "kid": "r", "typ": "at+jwt"}),
        json!({"alg": "RS256", "kid": "r", "typ": "logout+jwt"}),
        json!({"alg": "RS256", "kid": "r", "crit": ["x"]}),
        json!({"alg": "EdDSA", "kid": "x", "jwk": Signer::eddsa("x", 9).jwk()}),
    ] {
        assert!(is_invalid(under(&signer, header.clone()).await), "{header}");
    }
    // RS256 → HS256: the public key, in every spelling, as a shared secret.
    let jwk = signer.jwk();
    let modulus = jwk["n"].as_str().unwrap();
    for secret in [modulus.to_owned(), jwk.to_string(), set(&[&signer])] {
        let signed = format!(
            "{}.{}",
            forge::encode(json!({"alg": "HS256", "kid": "r"}).to_string()),
            forge::encode(claims.to_string())
        );
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        let token = format!("{signed}.{}", forge::encode(ring::hmac::sign(&key, signed.as_bytes())));
        assert!(is_invalid(issuer.verify(&token, "stoa").await.map(|_| ())));
    }
}

#[tokio::test]
async fn firebase_tokens_are_judged_by_its_own_rules() {
    let place = Place::new().await;
    let (signer, ec) = (Signer::rs256("r"), Signer::es256("e"));
    place.server.say(KEYS, "public, max-age=21600, must-revalidate", set(&[&signer, &ec]));
    let issuer = place.firebase();
    let claims = json!({
        "iss": "https://securetoken.google.com/tutor-1", "aud": "tutor-1", "sub": "u1", "user_id": "u1",
        "auth_time": NOW - 100, "iat": NOW - 50, "exp": NOW + 3_550, "email": "ann@example.com", "email_verified": false,
        "firebase": {"identities": {"email": ["ann@example.com"]}, "sign_in_provider": "password"},
    });
    let judge = async |changes: Value| judge(&issuer, "tutor-1", &signer, claims.clone(), changes).await;
    for good in
        [json!({}), json!({"sub": "x".repeat(128)}), json!({"iat": NOW + 60}), json!({"auth_time": NOW})]
    {
        assert_eq!(judge(good.clone()).await, Ok(()), "{good}");
    }
    for bad in [
        json!({"iss": "https://securetoken.google.com/other"}),
        json!({"iss": "https://securetoken.google.com/tutor-1/"}),
        json!({"iss": "https://session.firebase.google.com/tutor-1"}),
        json!({"aud": "other"}),
        json!({"aud": ["tutor-1", "other"], "azp": "tutor-1"}),
        json!({"aud": null}),
        json!({"sub": ""}),
        json!({"sub": null}),
        json!({"sub": "x".repeat(129)}),
        json!({"auth_time": null}),
        json!({"auth_time": NOW + 61}),
        json!({"auth_time": "before"}),
        json!({"iat": NOW + 61}),
        json!({"iat": null}),
        json!({"exp": null}),
    ] {
        assert!(is_invalid(judge(bad.clone()).await), "{bad}");
    }
    assert_eq!(judge(json!({"exp": NOW})).await, Err(Flaw::Expired));
    // Another key of the set, another algorithm, no name of a key, and what the emulator makes.
    assert!(is_invalid(issuer.verify(&ec.sign(&claims), "tutor-1").await.map(|_| ())));
    let nameless = signer.sign_under(&json!({"alg": "RS256", "typ": "JWT"}), &claims);
    assert!(is_invalid(issuer.verify(&nameless, "tutor-1").await.map(|_| ())));
    let emulator = format!(
        "{}.{}.",
        forge::encode(json!({"alg": "none", "typ": "JWT"}).to_string()),
        forge::encode(claims.to_string())
    );
    assert!(is_invalid(issuer.verify(&emulator, "tutor-1").await.map(|_| ())));
    assert_eq!(Url::parse(Firebase::JWKS_URL).unwrap().host_str(), Some("www.googleapis.com"));
}
