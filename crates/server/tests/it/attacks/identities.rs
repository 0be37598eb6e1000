//! Identities of other issuers: whose account they are, and the way of a browser there and back (V14).

use serde_json::{Value, json};

use super::{cheap, post};
use crate::world::{Answer, Caller, Case, Issuer, PASSWORD, Setup, World, check, on_both_engines};

async fn introduced(world: &World, issuer: &Issuer, subject: &str, extra: Value) -> Value {
    let mut claims = issuer.claims(subject);
    claims.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let bearer = format!("Bearer {}", issuer.sign(&claims));
    let answer = world.anonymous().get("/api/v1/me").header("authorization", &bearer).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

on_both_engines! {
    /// An address in a token finds no account, proven or not, whichever issuer says so.
    async fn an_account_is_taken_over_by_its_address(setup) {
        let (one, two) = (Issuer::start("one").await, Issuer::start("two").await);
        let world = cheap(setup.unlimited()).file("stoa.toml", &one.entry()).file("stoa.toml", &two.entry()).start().await;
        let victim = world.person("victim@example.org", true).await;
        let mut seen = vec![victim.id.clone()];
        for (issuer, subject, verified) in [(&one, "a", json!(true)), (&one, "b", json!(false)), (&one, "c", json!("true")), (&two, "a", json!(true)), (&two, victim.id.as_str(), json!(true))] {
            let claims = json!({"email": "Victim@Example.org", "email_verified": verified, "name": "Victim", "role": "admin", "admin": true});
            let me = introduced(&world, issuer, subject, claims).await;
            let id = me["id"].as_str().unwrap().to_owned();
            assert!(!seen.contains(&id), "an identity is issuer and subject: {me}");
            assert_eq!((&me["role"], &me["has_password"]), (&json!("user"), &json!(false)), "{me}");
            assert_ne!(me["email"], "victim@example.org", "{me}");
            seen.push(id);
        }
        // The same identity with another address is the same account.
        let again = introduced(&world, &one, "a", json!({"email": "other@example.org", "email_verified": true})).await;
        assert_eq!(again["id"], seen[1].as_str());
        let login = post(&world.anonymous(), "login", &json!({"email": "victim@example.org", "password": PASSWORD}));
        check([Case::new(login, 200), Case::new(victim.caller.get("/api/v1/me"), 200)]).await;
    }

    /// Whoever registered with somebody's address first has nothing of the account that its owner gets by the issuer.
    async fn an_account_is_laid_in_wait_for(setup) {
        let issuer = Issuer::start("company").await;
        let world = cheap(setup.unlimited()).file("stoa.toml", &issuer.entry()).start().await;
        let email = "owner@example.org";
        let attacker = json!({"email": email, "password": PASSWORD});
        assert_eq!(post(&world.anonymous(), "register", &attacker).send().await.status, 202);
        let planted = world.bearer(&world.sign_in(email).await);
        let owner = introduced(&world, &issuer, "owner", json!({"email": email, "email_verified": true})).await;
        assert_ne!(owner["id"], planted.get("/api/v1/me").send().await.json()["id"]);
        assert_eq!(owner["has_password"], false);
    }
}

/// A token for another audience, of another issuer, of another time, or that names nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_are_not_for_us_are_shown() {
    let (ours, others) = (Issuer::start("company").await, Issuer::start("others").await);
    let world = cheap(Setup::sqlite().unlimited()).file("stoa.toml", &ours.entry()).start().await;
    let with = |name: &str, value: Value| {
        let mut claims = ours.claims("ada");
        claims[name] = value;
        ours.sign(&claims)
    };
    let without = |name: &str| {
        let mut claims = ours.claims("ada");
        claims.as_object_mut().unwrap().remove(name);
        ours.sign(&claims)
    };
    let mut pretending = others.claims("ada");
    pretending["iss"] = json!(ours.url());
    let now = ours.claims("ada")["iat"].as_u64().unwrap();
    let refused = [
        others.token("ada"),
        others.sign(&pretending),
        with("iss", json!(format!("{}/", ours.url()))),
        with("aud", json!("another")),
        with("aud", json!([])),
        with("sub", json!("")),
        with("sub", json!(7)),
        with("iat", json!(now + 3600)),
        with("exp", json!(now + 3600).to_string().into()),
        with("nbf", json!(now + 3600)),
        without("iss"),
        without("aud"),
        without("sub"),
        without("exp"),
        without("iat"),
    ];
    let bearer = |token: &str| world.anonymous().with("authorization", &format!("Bearer {token}"));
    let mut cases = Vec::new();
    for token in &refused {
        cases.push(Case::new(bearer(token).get("/api/v1/me"), 401).code("unauthenticated"));
        cases.push(
            Case::new(post(&world.anonymous(), "exchange", &json!({"id_token": token})), 401)
                .code("unauthenticated"),
        );
    }
    let mut old = ours.claims("ada");
    for (name, seconds) in [("iat", 7200), ("auth_time", 7200), ("exp", 3600)] {
        old[name] = json!(now - seconds);
    }
    cases.push(Case::new(bearer(&ours.sign(&old)).get("/api/v1/me"), 401).code("token_expired"));
    check(cases).await;
    assert_eq!(
        world.stoa(&["user", "list", "--json"]).await.out.matches("\"id\"").count(),
        0,
        "nobody was made"
    );
}

/// A journey to an issuer: what the browser is sent with.
struct Journey {
    state: String,
    nonce: String,
}

async fn depart(browser: &Caller, issuer: &Issuer) -> Journey {
    let answer =
        browser.get(&format!("/api/v1/auth/oidc/{}/start?return_to=/account", issuer.name)).send().await;
    assert!([302, 303].contains(&answer.status), "{answer:?}");
    let url = url::Url::parse(answer.header("location")).unwrap();
    assert!(url.as_str().starts_with(&format!("{}/authorize?", issuer.url())), "{url}");
    let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(
        (value("response_type"), value("code_challenge_method")),
        ("code".to_owned(), "S256".to_owned())
    );
    assert!(value("redirect_uri").ends_with(&format!("/api/v1/auth/oidc/{}/callback", issuer.name)));
    Journey { state: value("state"), nonce: value("nonce") }
}

async fn arrive(browser: &Caller, at: &Issuer, parameters: &[(&str, &str)]) -> Answer {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    browser.get(&format!("/api/v1/auth/oidc/{}/callback?{query}", at.name)).send().await
}

/// A code that is worth a token with this nonce.
fn sell(issuer: &Issuer, code: &str, nonce: &str) {
    let mut claims = issuer.claims("person");
    claims["nonce"] = json!(nonce);
    issuer.sell(code, issuer.sign(&claims));
}

/// State, nonce and the issuer's own name: each missing, another's, or used before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_issuers_are_mixed_up() {
    let (one, two) = (Issuer::start("one").await, Issuer::start("two").await);
    let world = cheap(Setup::sqlite().unlimited())
        .file("stoa.toml", &one.entry())
        .file("stoa.toml", &two.entry())
        .start()
        .await;
    let browser = world.visitor();
    let refused = |answer: Answer, why: &str| {
        assert_eq!(answer.status, 401, "{why}: {answer:?}");
        let signs_in = answer.headers.get_all("set-cookie").iter().any(|line| {
            line.to_str().unwrap().starts_with("stoa_session=")
                && !line.to_str().unwrap().contains("Max-Age=0")
        });
        assert!(!signs_in, "{why}: {answer:?}");
    };
    let iss = one.url();
    let journey = depart(&browser, &one).await;
    sell(&one, "good", &journey.nonce);
    let state = journey.state.as_str();
    refused(arrive(&browser, &one, &[("code", "good"), ("iss", &iss)]).await, "no state");
    refused(
        arrive(&browser, &one, &[("code", "good"), ("state", "x"), ("iss", &iss)]).await,
        "another state",
    );
    refused(
        arrive(&browser, &one, &[("code", "good"), ("state", ""), ("iss", &iss)]).await,
        "an empty state",
    );
    let stranger = world.visitor();
    let theirs = depart(&stranger, &one).await;
    refused(
        arrive(&world.visitor(), &one, &[("code", "good"), ("state", state), ("iss", &iss)]).await,
        "a browser that began nothing",
    );
    refused(
        arrive(&stranger, &one, &[("code", "good"), ("state", state), ("iss", &iss)]).await,
        "another browser",
    );
    refused(
        arrive(&browser, &one, &[("code", "good"), ("state", &theirs.state), ("iss", &iss)]).await,
        "the state of another browser",
    );
    let other = two.url();
    refused(
        arrive(&browser, &one, &[("code", "good"), ("state", state), ("iss", &other)]).await,
        "another issuer's name",
    );
    refused(arrive(&browser, &one, &[("code", "good"), ("state", state)]).await, "no issuer's name");
    refused(
        arrive(&browser, &two, &[("code", "good"), ("state", state), ("iss", &other)]).await,
        "another issuer's address",
    );
    refused(arrive(&browser, &one, &[("state", state), ("iss", &iss)]).await, "no code");
    refused(
        arrive(&browser, &one, &[("state", state), ("iss", &iss), ("error", "access_denied")]).await,
        "declined",
    );
    assert!(
        one.traded.lock().unwrap().is_empty() && two.traded.lock().unwrap().is_empty(),
        "no code was shown to anybody"
    );
    // A code that somebody else got: its token carries another nonce.
    sell(&one, "stolen", &theirs.nonce);
    let journey = depart(&browser, &one).await;
    refused(
        arrive(&browser, &one, &[("code", "stolen"), ("state", &journey.state), ("iss", &iss)]).await,
        "another nonce",
    );
    // And the honest way.
    let journey = depart(&browser, &one).await;
    sell(&one, "honest", &journey.nonce);
    let honest = [("code", "honest"), ("state", journey.state.as_str()), ("iss", &iss)];
    let done = arrive(&browser, &one, &honest).await;
    assert_eq!((done.status, done.header("location")), (303, "/account"), "{done:?}");
    let me = browser.get("/api/v1/me").send().await;
    assert_eq!(me.status, 200, "{me:?}");
    assert!(one.traded.lock().unwrap().last().unwrap().contains("code_verifier="));
    refused(arrive(&browser.copied(), &one, &honest).await, "the same answer again");
}

/// After signing in elsewhere nobody is led to another place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_leads_elsewhere() {
    let issuer = Issuer::start("company").await;
    let world = cheap(Setup::sqlite().unlimited()).file("stoa.toml", &issuer.entry()).start().await;
    for back in [
        "https://evil.example/",
        "//evil.example/",
        "/%5Cevil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "%2F%2Fevil.example",
    ] {
        let browser = world.visitor();
        let path = format!("/api/v1/auth/oidc/company/start?return_to={}", back.replace('\\', "%5C"));
        let answer = browser.get(&path).send().await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let url = url::Url::parse(answer.header("location")).unwrap();
        let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        sell(&issuer, back, &value("nonce"));
        let iss = issuer.url();
        let done =
            arrive(&browser, &issuer, &[("code", back), ("state", &value("state")), ("iss", &iss)]).await;
        assert_eq!(done.status, 303, "{back}: {done:?}");
        let to = done.header("location");
        assert!(to.starts_with('/') && !to.starts_with("//") && !to.contains('\\'), "{back}: {to}");
    }
}
