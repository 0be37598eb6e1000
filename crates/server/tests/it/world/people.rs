//! People with accounts: made at the command line beside the running server, signed in over HTTP.

use serde_json::{Value, json};

use super::{Caller, World};

/// A password that nobody tries first.
pub const PASSWORD: &str = "quiet lantern 7 harbour mist";

/// Somebody with an account, and what a program of theirs signs in with.
#[derive(Clone)]
pub struct Person {
    pub id: String,
    pub email: String,
    /// The holder of the access token.
    pub caller: Caller,
    pub tokens: Value,
}

impl World {
    /// An account with the role of admin.
    pub async fn admin(&self) -> Person {
        self.person("admin@example.org", true).await
    }

    /// An account that may enter the workspace.
    pub async fn member(&self) -> Person {
        let member = self.person("member@example.org", false).await;
        let granted = self.stoa(&["grant", "add", &member.email, "workspace"]).await;
        assert!(granted.success(), "{granted:?}");
        let may = async || {
            let apps = member.caller.get("/api/v1/apps").send().await;
            apps.status == 200 && apps.text().contains("workspace")
        };
        super::eventually(std::time::Duration::from_secs(2), "the grant is known", may).await;
        member
    }

    /// An account with this address, made by the operator.
    pub async fn account(&self, email: &str, admin: bool) -> String {
        let mut arguments = vec!["user", "create", email, "--password-stdin", "--json"];
        if admin {
            arguments.push("--admin");
        }
        let output = self.stoa_with(&arguments, &format!("{PASSWORD}\n")).await;
        assert!(output.success(), "{output:?}");
        let told: Value = serde_json::from_str(&output.out).unwrap();
        assert!(told["password"].is_null(), "{told}");
        told["id"].as_str().unwrap().to_owned()
    }

    /// An account with this address, signed in.
    pub async fn person(&self, email: &str, admin: bool) -> Person {
        let id = self.account(email, admin).await;
        let tokens = self.sign_in(email).await;
        Person { id, email: email.to_owned(), caller: self.bearer(&tokens), tokens }
    }

    /// Signs in; the tokens.
    pub async fn sign_in(&self, email: &str) -> Value {
        let body = json!({"email": email, "password": PASSWORD});
        let answer = self.anonymous().post("/api/v1/auth/login").json(&body).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// A browser in which this person has signed in on the page.
    pub async fn browser(&self, email: &str) -> Caller {
        let browser = self.visitor();
        let answer = super::signed_in(&browser, email, PASSWORD).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        browser
    }

    /// The holder of the access token among these.
    pub fn bearer(&self, tokens: &Value) -> Caller {
        let token = tokens["access_token"].as_str().unwrap();
        self.anonymous().with("authorization", &format!("Bearer {token}"))
    }
}

/// Signs in on the page; the answer.
pub async fn signed_in(browser: &Caller, email: &str, password: &str) -> super::Answer {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("email", email)
        .append_pair("password", password)
        .finish();
    let request = browser.post("/sign-in").header("origin", &format!("http://{}", browser.address()));
    request.header("content-type", "application/x-www-form-urlencoded").body(form).send().await
}
