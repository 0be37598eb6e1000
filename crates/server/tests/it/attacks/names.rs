//! One person, one account; one server, one first admin: however many ask at once and however they write it.

use serde_json::json;

use super::{all_at_once, cheap, post};
use crate::world::{Issuer, PASSWORD, eventually, on_both_engines};

/// Every way of writing one address.
const VARIANTS: [&str; 10] = [
    "ada.low@b\u{fc}cher.example",
    "ADA.LOW@B\u{dc}CHER.EXAMPLE",
    "  ada.low@b\u{fc}cher.example  ",
    "Ada.Low@xn--bcher-kva.example",
    "ada.low@bu\u{308}cher.example",
    "\u{ff41}\u{ff44}\u{ff41}.low@b\u{fc}cher.example",
    "ada.low\u{ff20}b\u{fc}cher.example",
    "ada.low@b\u{fc}cher.example.",
    "ada.low@b\u{fc}cher\u{3002}example",
    "\tADA.low@XN--BCHER-KVA.example\n",
];

on_both_engines! {
    /// V31: the check for an account and its making are one step.
    async fn two_hundred_sign_ups_with_one_address_make_one_account(setup) {
        let world = cheap(setup.unlimited()).start().await;
        let caller = world.anonymous();
        let sign_ups = (0..200).map(|n: usize| {
            let email = VARIANTS[n % VARIANTS.len()];
            post(&caller, "register", &json!({"email": email, "password": format!("{PASSWORD} {n}")}))
        });
        let answers = all_at_once(sign_ups.collect()).await;
        assert!(answers.iter().all(|answer| answer.status == 202), "{:?}", answers.iter().find(|a| a.status != 202));
        let users = world.told(&["user", "list", "--json"]).await.remove(0);
        assert_eq!(users.as_array().unwrap().len(), 1, "{users}");
        assert_eq!(users[0]["email"], "ada.low@xn--bcher-kva.example");
        world.verify_audit().await;
    }

    /// V31, V14: somebody new who comes two hundred times at once with one identity is one account.
    async fn two_hundred_introductions_of_one_person_make_one_account(setup) {
        let issuer = Issuer::start("company").await;
        let world = cheap(setup.unlimited()).file("stoa.toml", &issuer.entry()).start().await;
        let mut claims = issuer.claims("new");
        claims["email"] = json!("new@example.org");
        claims["email_verified"] = json!(true);
        let asks = (0..200).map(|n| {
            claims["jti"] = json!(n);
            world.anonymous().get("/api/v1/me").header("authorization", &format!("Bearer {}", issuer.sign(&claims)))
        });
        let answers = all_at_once(asks.collect()).await;
        let first = answers[0].json()["id"].clone();
        for answer in &answers {
            assert_eq!((answer.status, &answer.json()["id"]), (200, &first), "{answer:?}");
        }
        assert_eq!(world.told(&["user", "list", "--json"]).await[0].as_array().unwrap().len(), 1);
        world.verify_audit().await;
    }

    /// V10: the first user is nobody; the one who holds the token is, once.
    async fn two_hundred_claims_of_a_new_server_make_one_admin(setup) {
        let world = cheap(setup.unlimited()).start().await;
        // What the server prints is read beside the test, and may come a moment after it answers.
        let told = async || world.process.complaint().contains("set-up token");
        eventually(std::time::Duration::from_secs(5), "the token is printed", told).await;
        let complaint = world.process.complaint();
        let line = complaint.lines().find(|line| line.contains("set-up token")).unwrap_or_else(|| panic!("{complaint}"));
        let token = line.split_whitespace().last().unwrap();
        let caller = world.anonymous();
        let registered = post(&caller, "register", &json!({"email": "first@example.org", "password": PASSWORD}));
        assert_eq!(registered.send().await.status, 202);
        let claims = (0..200).map(|n| {
            let body = json!({"token": token, "email": format!("admin{n}@example.org"), "password": PASSWORD});
            post(&caller, "setup", &body)
        });
        let answers = all_at_once(claims.collect()).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
        assert!(answers.iter().all(|answer| [200, 400, 404, 409].contains(&answer.status)));
        let users = world.told(&["user", "list", "--json"]).await.remove(0);
        let roles: Vec<&str> = users.as_array().unwrap().iter().map(|user| user["role"].as_str().unwrap()).collect();
        assert_eq!(roles.len(), 2, "whoever lost made no account either: {users}");
        assert_eq!(roles.iter().filter(|role| **role == "admin").count(), 1, "{users}");
        world.verify_audit().await;
    }
}
