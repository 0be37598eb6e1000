//! The callers of the table: each kind of person with each kind of credential that a person can have. Every credential
//! is of an account of its own, so that one that ends takes no other with it.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::By;
use crate::world::{Caller, Issuer, World, eventually};

/// What a caller proves itself with.
#[derive(Clone)]
enum Proof {
    Nothing,
    Visit,
    Browser(String),
    Token(String),
    /// A subject of the issuer of this world.
    Introduced(Issuer, String),
    Key(String),
}

/// A caller with one credential.
pub struct Holder {
    /// The kind of credential.
    pub kind: &'static str,
    /// An app where it may talk.
    pub app: &'static str,
    /// The account, where it is one's own.
    pub account: Option<String>,
    proof: Proof,
    caller: Mutex<Caller>,
}

impl Holder {
    /// With what it holds now.
    pub fn caller(&self) -> Caller {
        self.caller.lock().unwrap().clone()
    }

    /// Where it asks.
    pub fn address(&self) -> SocketAddr {
        self.caller().address()
    }

    async fn new(world: &World, proof: Proof, account: Option<String>) -> Holder {
        let kind = match &proof {
            Proof::Nothing => "nothing",
            Proof::Visit => "cookie",
            Proof::Browser(_) => "session",
            Proof::Token(_) => "token",
            Proof::Introduced(..) => "ID token",
            Proof::Key(_) => "key",
        };
        let holder = Holder { kind, app: "assistant", account, proof, caller: Mutex::new(world.anonymous()) };
        holder.renew(world).await;
        holder
    }

    /// A token of the issuer, where it comes with those.
    pub fn id_token(&self) -> Option<String> {
        match &self.proof {
            Proof::Introduced(issuer, subject) => Some(issuer.token(subject)),
            _ => None,
        }
    }

    /// Whether it is still known as somebody.
    pub async fn counts(&self) -> bool {
        self.kind == "nothing" || self.caller().get("/api/v1/me").send().await.status != 401
    }

    /// Proves itself anew.
    pub async fn renew(&self, world: &World) {
        let caller = match &self.proof {
            Proof::Nothing => world.anonymous(),
            Proof::Visit => {
                let visitor = world.visitor();
                assert_eq!(visitor.get("/").send().await.status, 200);
                visitor
            }
            Proof::Browser(email) => world.browser(email).await,
            Proof::Token(email) => world.bearer(&world.sign_in(email).await),
            Proof::Introduced(issuer, subject) => introduced(world, issuer, subject).await,
            Proof::Key(key) => world.anonymous().with("x-api-key", key),
        };
        *self.caller.lock().unwrap() = caller;
    }

    fn talking_in(self, app: &'static str) -> Holder {
        Holder { app, ..self }
    }
}

/// All of them.
pub struct Askers {
    holders: By<Vec<Holder>>,
    /// An admin who takes no part and looks after the others.
    pub warden: Caller,
    /// Somebody to whom the things of others belong.
    pub stranger: Caller,
}

impl Askers {
    /// The callers in the order of the table.
    pub fn holders(&self) -> [(&'static str, &Vec<Holder>); 12] {
        let By { anonymous, visitor, plain, member, manager, admin, inactive, .. } = &self.holders;
        let By { operators_key, members_key, reading_key, talking_key, dead_key, .. } = &self.holders;
        By {
            anonymous,
            visitor,
            plain,
            member,
            manager,
            admin,
            inactive,
            operators_key,
            members_key,
            reading_key,
            talking_key,
            dead_key,
        }
        .each()
    }

    /// Makes them.
    pub async fn gather(world: &World, issuer: &Issuer) -> Askers {
        let warden = world.person("warden@example.org", true).await.caller;
        let stranger = world.person("stranger@example.org", false).await;
        let grant_files = format!("/api/v1/admin/users/{}/grants/files", stranger.id);
        assert_eq!(warden.put(&grant_files).json(&json!({"level": "use"})).send().await.status, 200);
        let stranger = stranger.caller;
        let mut member = people(world, &warden, issuer, "member", false).await;
        grant(&warden, &member, &[("workspace", "use"), ("support", "use"), ("files", "use")]).await;
        let manager = people(world, &warden, issuer, "manager", false).await;
        grant(&warden, &manager, &[("workspace", "manage")]).await;
        let inactive = inactive(world, &warden, issuer).await;
        let maker = member.remove(member.len() - 1);
        let members_key = made(world, &maker, json!({"name": "all"})).await;
        let reading_key = made(world, &maker, json!({"name": "reads", "scopes": ["read"]})).await;
        let talking_key =
            made(world, &maker, json!({"name": "talks", "scopes": ["chat"], "apps": ["support"]})).await;
        let mut dead = made(world, &maker, json!({"name": "dead"})).await;
        let id = dead.account.take().unwrap();
        let ended = maker.caller().delete(&format!("/api/v1/keys/{id}")).send().await;
        assert_eq!(ended.status, 204, "{ended:?}");
        member.push(maker);
        let operators = world.told(&["key", "create", "operator", "--json"]).await.remove(0);
        let operators =
            Holder::new(world, Proof::Key(operators["key"].as_str().unwrap().to_owned()), None).await;
        eventually(Duration::from_secs(2), "the key is known", async || {
            operators.caller().get("/api/v1/apps").send().await.status == 200
        })
        .await;
        let never = Proof::Key("stoa_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG".to_owned());
        let holders = By {
            anonymous: vec![Holder::new(world, Proof::Nothing, None).await],
            visitor: vec![Holder::new(world, Proof::Visit, None).await],
            plain: people(world, &warden, issuer, "plain", false).await,
            member,
            manager,
            admin: people(world, &warden, issuer, "admin", true).await,
            inactive,
            operators_key: vec![
                Holder::new(world, Proof::Key(crate::world::KEY.to_owned()), None).await,
                operators,
            ],
            members_key: vec![members_key],
            reading_key: vec![reading_key],
            talking_key: vec![talking_key.talking_in("support")],
            dead_key: vec![dead, Holder::new(world, never, None).await],
        };
        Askers { holders, warden, stranger }
    }
}

/// An account for each kind of credential of an account.
async fn people(world: &World, warden: &Caller, issuer: &Issuer, name: &str, admin: bool) -> Vec<Holder> {
    let mut holders = Vec::new();
    for kind in ["session", "token"] {
        let email = format!("{name}-{kind}@example.org");
        let body = json!({
            "email": email,
            "password": crate::world::PASSWORD,
            "role": if admin { "admin" } else { "user" },
        });
        let made = warden.post("/api/v1/admin/users").json(&body).send().await;
        assert_eq!(made.status, 201, "{made:?}");
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let proof = if kind == "session" { Proof::Browser(email) } else { Proof::Token(email) };
        holders.push(Holder::new(world, proof, Some(id)).await);
    }
    let proof = Proof::Introduced(issuer.clone(), name.to_owned());
    let mut introduced = Holder::new(world, proof, None).await;
    let me = introduced.caller().get("/api/v1/me").send().await.json();
    let id = me["id"].as_str().unwrap().to_owned();
    if admin {
        let path = format!("/api/v1/admin/users/{id}");
        let raised = warden.put(&path).json(&json!({"role": "admin"})).send().await;
        assert_eq!(raised.status, 200, "{raised:?}");
    }
    introduced.account = Some(id);
    holders.insert(0, introduced);
    holders
}

/// The holder of a token that the issuer signs now. Its moment is a second; one that the server ended is waited out.
async fn introduced(world: &World, issuer: &Issuer, subject: &str) -> Caller {
    let mut caller = world.anonymous();
    eventually(Duration::from_secs(3), "a new token counts", async || {
        let bearer = format!("Bearer {}", issuer.token(subject));
        caller = world.anonymous().with("authorization", &bearer);
        caller.get("/api/v1/me").send().await.status != 401
    })
    .await;
    caller
}

async fn grant(warden: &Caller, people: &[Holder], grants: &[(&str, &str)]) {
    for one in people {
        let user = one.account.as_deref().unwrap();
        for (app, level) in grants {
            let path = format!("/api/v1/admin/users/{user}/grants/{app}");
            let granted = warden.put(&path).json(&json!({"level": level})).send().await;
            assert_eq!(granted.status, 200, "{granted:?}");
        }
    }
}

async fn inactive(world: &World, warden: &Caller, issuer: &Issuer) -> Vec<Holder> {
    let mut inactive = people(world, warden, issuer, "inactive", false).await;
    let key = made(world, &inactive[1], json!({"name": "of an inactive account"})).await;
    for one in &inactive {
        let path = format!("/api/v1/admin/users/{}", one.account.as_deref().unwrap());
        let body: Value = json!({"active": false});
        let changed = warden.put(&path).json(&body).send().await;
        assert_eq!(changed.status, 200, "{changed:?}");
    }
    inactive.push(key);
    inactive
}

/// A key that somebody makes; its id stands where the account of others does.
async fn made(world: &World, maker: &Holder, body: Value) -> Holder {
    let made = maker.caller().post("/api/v1/keys").json(&body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let id = made["id"].as_str().unwrap().to_owned();
    Holder::new(world, Proof::Key(made["key"].as_str().unwrap().to_owned()), Some(id)).await
}
