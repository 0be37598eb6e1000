//! Every kind of credential, held by one person (and by a visitor, and by the operator), at the other replica.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::world::{Caller, Issuer, KEY, PASSWORD, Process, World, everything, signed_in};

/// One value for each kind of credential. Taken apart without `..`: a new kind needs a word in every row.
#[derive(Clone, Copy, Debug)]
pub struct Of<T> {
    pub session: T,
    pub access: T,
    pub refresh: T,
    pub id_token: T,
    pub users_key: T,
    pub operators_key: T,
    pub environment_key: T,
    pub visitor: T,
}

impl<T> Of<T> {
    /// All of them with their names.
    pub fn each(self) -> [(&'static str, T); 8] {
        let Of { session, access, refresh, id_token, users_key, operators_key, environment_key, visitor } =
            self;
        [
            ("session", session),
            ("access token", access),
            ("refresh token", refresh),
            ("ID token", id_token),
            ("user's key", users_key),
            ("operator's key", operators_key),
            ("environment's key", environment_key),
            ("visitor", visitor),
        ]
    }
}

/// What the credential is tried at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Probe {
    /// Something that belongs to whoever asks.
    Own,
    /// What only admins may.
    Admin,
    /// An app for which a grant is needed.
    Lab,
}

/// A caller, and the app that it talks in.
struct Holder {
    name: &'static str,
    caller: Caller,
    app: &'static str,
    own: String,
    stream: Option<JoinHandle<()>>,
}

/// All of them.
pub struct Held {
    holders: Vec<Holder>,
    refresh: String,
    /// The person's account; the account that an ID token made.
    pub user: String,
    pub introduced: String,
    pub email: String,
    /// Where the events happen: another browser of the same person, and an admin.
    pub elsewhere: Caller,
    pub admin: Caller,
    pub token: Caller,
    pub session: Caller,
    pub id_token: Caller,
    pub users_key: String,
    pub operators_key: String,
    there: Caller,
}

impl Held {
    /// A person with everything, at the other replica; what happens to them happens at the first.
    pub async fn prepare(
        world: &World,
        replica: &Process,
        issuer: &Issuer,
        number: usize,
        admin: bool,
    ) -> Held {
        let there = replica.anonymous();
        let warden = warden(world).await;
        let email = format!("person-{number}@example.org");
        let body =
            json!({"email": email, "password": PASSWORD, "role": if admin { "admin" } else { "user" }});
        let made = warden.post("/api/v1/admin/users").json(&body).send().await;
        assert_eq!(made.status, 201, "{made:?}");
        let user = id(&made.json());
        let session = there.clone().with_jar();
        assert_eq!(signed_in(&session, &email, PASSWORD).await.status, 303);
        let login = json!({"email": email, "password": PASSWORD});
        let tokens = there.post("/api/v1/auth/login").json(&login).send().await.json();
        let access = bearer(&there, tokens["access_token"].as_str().unwrap());
        let elsewhere = world.visitor();
        assert_eq!(signed_in(&elsewhere, &email, PASSWORD).await.status, 303);
        let id_token = bearer(&there, &issuer.token(&format!("subject-{number}")));
        let known = id_token.get("/api/v1/me").send().await;
        assert_eq!(known.status, 200, "{known:?}");
        let introduced = id(&known.json());
        if admin {
            let path = format!("/api/v1/admin/users/{introduced}");
            assert_eq!(warden.put(&path).json(&json!({"role": "admin"})).send().await.status, 200);
        } else {
            for account in [&user, &introduced] {
                let path = format!("/api/v1/admin/users/{account}/grants/lab");
                assert_eq!(warden.put(&path).json(&json!({"level": "use"})).send().await.status, 200);
            }
        }
        let key = elsewhere.post("/api/v1/keys").json(&json!({"name": "hers"})).send().await;
        assert_eq!(key.status, 201, "{key:?}");
        let key = key.json();
        let operators = world.told(&["key", "create", "operator", "--json"]).await.remove(0);
        let holder = |made: &Value| there.clone().with("x-api-key", made["key"].as_str().unwrap());
        let visitor = there.clone().with_jar();
        visitor.get("/").send().await;
        let lab = "lab";
        let mut holders = Vec::new();
        for (name, caller, app) in [
            ("session", session.copied(), lab),
            ("access token", access.clone(), lab),
            ("ID token", id_token.clone(), lab),
            ("user's key", holder(&key), lab),
            ("operator's key", holder(&operators), "assistant"),
            ("environment's key", there.clone().with("x-api-key", KEY), "assistant"),
            ("visitor", visitor, "assistant"),
        ] {
            let own = conversation(&caller, app).await;
            holders.push(Holder { name, caller, app, own, stream: None });
        }
        Held {
            holders,
            refresh: tokens["refresh_token"].as_str().unwrap().to_owned(),
            user,
            introduced,
            email,
            elsewhere,
            admin: warden,
            token: access.at(world.address()),
            session: session.at(world.address()),
            id_token: id_token.at(world.address()),
            users_key: id(&key),
            operators_key: id(&operators),
            there,
        }
    }

    /// The refresh token of now.
    pub fn refresh_token(&self) -> &str {
        &self.refresh
    }

    /// Tries a credential at the other replica; the status. A refresh token is used by this.
    pub async fn ask(&mut self, name: &str, probe: Probe) -> u16 {
        if name == "refresh token" {
            let body = json!({"refresh_token": self.refresh});
            let answer = self.there.post("/api/v1/auth/refresh").json(&body).send().await;
            if answer.status == 200 {
                answer.json()["refresh_token"].as_str().unwrap().clone_into(&mut self.refresh);
            }
            return answer.status;
        }
        let holder = self.holders.iter().find(|holder| holder.name == name).unwrap();
        let caller = &holder.caller;
        let own = format!("/api/v1/conversations/{}", holder.own);
        match (probe, name) {
            (Probe::Admin, "session" | "access token" | "ID token") => {
                caller.get("/api/v1/admin/usage").send().await.status
            }
            (Probe::Lab, _) if holder.app == "lab" => caller.get("/apps/lab").send().await.status,
            _ => caller.get(&own).send().await.status,
        }
    }

    /// Opens a stream with every credential; the provider says one word and then nothing.
    pub async fn open_streams(&mut self, _: &World) {
        for holder in &mut self.holders {
            let path = format!("/api/v1/conversations/{}/messages", holder.own);
            let request = holder.caller.post(&path).json(&json!({"content": "go on and on"}));
            let mut events = request.header("accept", "text/event-stream").stream().await;
            events.until("delta").await;
            holder.stream = Some(tokio::spawn(async move { while events.next().await.is_some() {} }));
        }
    }

    /// Whether the stream of this credential has ended, or ends within this time.
    pub async fn stream_ends(&mut self, name: &str, within: Duration) -> bool {
        let holder = self.holders.iter_mut().find(|holder| holder.name == name).unwrap();
        let stream = holder.stream.as_mut().unwrap();
        stream.is_finished() || tokio::time::timeout(within, stream).await.is_ok()
    }

    /// Everything that admins can see of people, but for what moves by being looked at.
    pub async fn exports(&self) -> Value {
        let mut seen = json!({});
        for list in ["users", "keys", "sessions"] {
            seen[list] = json!(everything(&self.admin, &format!("/api/v1/admin/{list}?limit=100")).await);
        }
        for user in [&self.user, &self.introduced] {
            let export = self.admin.get(&format!("/api/v1/admin/users/{user}/export")).send().await;
            assert_eq!(export.status, 200, "{export:?}");
            let mut export = export.json()["tables"].take();
            // The log of events only grows; the looking itself is in it. A stream that was cut is an answer that ended.
            for moving in ["audit_events", "messages", "conversations"] {
                export.as_object_mut().unwrap().remove(moving);
            }
            seen[user] = export;
        }
        still(&mut seen);
        seen
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for holder in &self.holders {
            if let Some(stream) = &holder.stream {
                stream.abort();
            }
        }
    }
}

/// Takes out what moves by being looked at.
fn still(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for moving in ["last_used_at", "seen_at", "last_seen_at", "last_sign_in_at"] {
                object.remove(moving);
            }
            object.values_mut().for_each(still);
        }
        Value::Array(items) => items.iter_mut().for_each(still),
        _ => {}
    }
}

/// An admin, signed in anew: the events before may have ended everything.
async fn warden(world: &World) -> Caller {
    let email = "warden@example.org";
    let login = json!({"email": email, "password": PASSWORD});
    let answer = world.anonymous().post("/api/v1/auth/login").json(&login).send().await;
    if answer.status == 200 {
        return world.bearer(&answer.json());
    }
    world.person(email, true).await.caller
}

fn bearer(there: &Caller, token: &str) -> Caller {
    there.clone().with("authorization", &format!("Bearer {token}"))
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// A conversation of this caller's, once the replica knows that the caller may have one.
async fn conversation(caller: &Caller, app: &str) -> String {
    let began = std::time::Instant::now();
    loop {
        let made = caller.post("/api/v1/conversations").json(&json!({"app": app})).send().await;
        if made.status == 201 {
            return id(&made.json());
        }
        assert!(began.elapsed() < Duration::from_secs(3), "{made:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
