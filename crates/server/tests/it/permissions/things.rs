//! What operations work on: made for whoever shall own it, and looked at afterwards.

use serde_json::{Value, json};

use super::askers::{Askers, Holder};
use crate::world::{Caller, PASSWORD, World};

/// What an id in a path is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Thing {
    Conversation,
    /// A folder of conversations.
    Folder,
    /// A problem of the tutor: it belongs to the app.
    Problem,
    /// A document of support: it belongs to the app too.
    Document,
    File,
    Batch,
    Session,
    Key,
    /// A link to a conversation.
    Share,
    User,
    Net,
    Hold,
    Receipt,
    /// An alert, a passkey or a review: none can be made over HTTP alone.
    Unmade,
}

impl Thing {
    /// What the operation works on.
    pub fn of(operation: &str) -> Thing {
        let path = operation.split(' ').nth(1).unwrap();
        let has = |part: &str| path.contains(part);
        match () {
            () if has("/problems/{id}") => Thing::Problem,
            () if has("/documents/{id}") => Thing::Document,
            () if has("/users/{id}") => Thing::User,
            () if has("/sessions/") => Thing::Session,
            () if has("/keys/") => Thing::Key,
            () if has("/shares/") => Thing::Share,
            () if has("/blocks/") => Thing::Net,
            () if has("/holds/") => Thing::Hold,
            () if has("/erasures/") => Thing::Receipt,
            () if has("/alerts/") || has("/passkeys/") || has("/review/") => Thing::Unmade,
            () if has("/batches/") => Thing::Batch,
            () if has("/folders/") => Thing::Folder,
            () if has("/files/") => Thing::File,
            () if has("/conversations/") || has("/apps/") => Thing::Conversation,
            () => panic!("what does {operation} work on?"),
        }
    }

    /// Whether its ids are UUIDs, so that anything else is malformed.
    pub fn has_uuid(self) -> bool {
        self != Thing::Net
    }
}

/// Makes and looks.
pub struct Things {
    anonymous: Caller,
    warden: Caller,
    stranger: Caller,
    made: u32,
    visitor: Box<dyn Fn() -> Caller>,
}

impl Things {
    pub fn of(world: &World, askers: &Askers) -> Things {
        let visitor = world.visitor();
        Things {
            anonymous: world.anonymous(),
            warden: askers.warden.clone(),
            stranger: askers.stranger.clone(),
            made: 0,
            visitor: Box::new(move || Caller::new(visitor.address()).with_jar()),
        }
    }

    /// A new one for this holder, or for the stranger; its id. `None`: there cannot be one.
    pub async fn make(&mut self, thing: Thing, owner: Option<&Holder>) -> Option<String> {
        self.made += 1;
        let caller = owner.map_or_else(|| self.stranger.clone(), Holder::caller);
        let id = |answer: crate::world::Answer, status: u16| {
            assert_eq!(answer.status, status, "{answer:?}");
            answer.json()["id"].as_str().unwrap().to_owned()
        };
        Some(match thing {
            Thing::Conversation => conversation(&caller, owner.map_or("assistant", |owner| owner.app)).await,
            Thing::Folder => {
                let body = json!({"name": format!("untouched {}", self.made)});
                let made = caller.post("/api/v1/folders").json(&body).send().await;
                id(made, 201)
            }
            Thing::File => file(&caller, self.made).await,
            Thing::Batch => {
                let path = format!("/api/v1/files/{}", file(&caller, self.made).await);
                let trashed = caller.delete(&path).send().await;
                assert_eq!(trashed.status, 200, "{trashed:?}");
                trashed.json()["batch_id"].as_str().unwrap().to_owned()
            }
            Thing::Session => {
                // Another sign-in of the same account, which ends without ending the one that asks.
                let me = caller.get("/api/v1/me").send().await;
                assert_eq!(me.status, 200, "{me:?}");
                let me = me.json();
                let (way, body) = match owner.and_then(Holder::id_token) {
                    Some(token) => ("exchange", json!({"id_token": token})),
                    None => ("login", json!({"email": me["email"], "password": PASSWORD})),
                };
                let tokens =
                    self.anonymous.post(&format!("/api/v1/auth/{way}")).json(&body).send().await.json();
                let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
                let whoami =
                    self.anonymous.get("/api/v1/whoami").header("authorization", &bearer).send().await;
                whoami.json()["principal"]["session_id"].as_str().unwrap().to_owned()
            }
            Thing::Key => {
                id(caller.post("/api/v1/keys").json(&json!({"name": "untouched"})).send().await, 201)
            }
            Thing::Share => {
                let talk = conversation(&caller, "assistant").await;
                let path = format!("/api/v1/conversations/{talk}");
                let said =
                    caller.post(&format!("{path}/messages")).json(&json!({"content": "hello"})).send().await;
                assert_eq!(said.status, 201, "{said:?}");
                id(caller.post(&format!("{path}/shares")).json(&json!({})).send().await, 201)
            }
            Thing::Problem => {
                let body = json!({"title": "Sum", "statement": "What is 19 + 23?", "answer": "42", "visibility": "published"});
                id(self.warden.post("/api/v1/apps/tutor/problems").json(&body).send().await, 201)
            }
            Thing::Document => {
                let body = json!({"title": "Untouched", "text": format!("Text number {}.", self.made)});
                id(self.warden.post("/api/v1/apps/support/documents").json(&body).send().await, 201)
            }
            Thing::User => {
                let body = json!({"email": format!("made-{}@example.org", self.made), "password": PASSWORD});
                id(self.warden.post("/api/v1/admin/users").json(&body).send().await, 201)
            }
            Thing::Net => {
                let net = format!("198.51.100.{}", self.made % 250);
                let made = self.warden.post("/api/v1/admin/blocks").json(&json!({"net": net})).send().await;
                assert_eq!(made.status, 201, "{made:?}");
                net
            }
            Thing::Hold => {
                let target = format!("visitor:019aa2b8-6d1f-7e2c-8f7a-{:012x}", self.made);
                let body = json!({"target": target, "reason": "untouched"});
                id(self.warden.post("/api/v1/admin/holds").json(&body).send().await, 201)
            }
            Thing::Receipt => {
                let visitor = (self.visitor)();
                visitor.get("/").send().await;
                id(visitor.delete("/api/v1/me").send().await, 200)
            }
            Thing::Unmade => return None,
        })
    }

    /// How it is, as its owner or an admin sees it.
    pub async fn look(&self, thing: Thing, id: &str) -> Value {
        let get = async |caller: &Caller, path: String| {
            let answer = caller.get(&path).send().await;
            if answer.status == 200 { answer.json() } else { json!(answer.status) }
        };
        let among = |list: Value| {
            let items = list["items"].as_array().unwrap().iter();
            let found = items
                .into_iter()
                .find(|one| one["id"] == id || one["net"].as_str().is_some_and(|net| net.starts_with(id)));
            let mut found = found.cloned().unwrap_or_default();
            // Only looking at it moves these.
            for moving in ["last_used_at", "seen_at", "last_seen_at"] {
                if let Some(object) = found.as_object_mut() {
                    object.remove(moving);
                }
            }
            found
        };
        match thing {
            Thing::Conversation => get(&self.stranger, format!("/api/v1/conversations/{id}")).await,
            Thing::Folder => among(get(&self.stranger, "/api/v1/folders".to_owned()).await),
            Thing::File => get(&self.stranger, format!("/api/v1/files/{id}")).await,
            Thing::Batch => get(&self.stranger, "/api/v1/files?trashed=true".to_owned()).await,
            Thing::Session => among(get(&self.stranger, "/api/v1/me/sessions?limit=100".to_owned()).await),
            Thing::Key => among(get(&self.stranger, "/api/v1/keys?limit=100".to_owned()).await),
            Thing::Share => among(get(&self.stranger, "/api/v1/shares?limit=100".to_owned()).await),
            Thing::Problem => get(&self.warden, format!("/api/v1/apps/tutor/problems/{id}")).await,
            Thing::Document => get(&self.warden, format!("/api/v1/apps/support/documents/{id}")).await,
            Thing::User => get(&self.warden, format!("/api/v1/admin/users/{id}")).await,
            Thing::Net => among(get(&self.warden, "/api/v1/admin/blocks".to_owned()).await),
            Thing::Hold => among(get(&self.warden, "/api/v1/admin/holds".to_owned()).await),
            Thing::Receipt | Thing::Unmade => Value::Null,
        }
    }
}

/// A file of this caller's; each has a content of its own.
async fn file(caller: &Caller, number: u32) -> String {
    let part = "--b\r\ncontent-disposition: form-data; name=file; filename=untouched.txt\r\n\r\n";
    let body = format!("{part}content {number}\r\n--b--");
    let upload = caller.post("/api/v1/files").header("content-type", "multipart/form-data; boundary=b");
    let made = upload.body(body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().unwrap().to_owned()
}

/// A conversation of this caller's. Who may not make one empty may talk one into being.
async fn conversation(caller: &Caller, app: &str) -> String {
    let body = json!({"app": app, "title": "untouched"});
    let made = caller.post("/api/v1/conversations").json(&body).send().await;
    if made.status == 201 {
        return made.json()["id"].as_str().unwrap().to_owned();
    }
    let said = caller.post("/api/v1/chat").json(&json!({"app": app, "message": "hello"})).send().await;
    assert_eq!(said.status, 200, "{made:?}\n{said:?}");
    said.json()["conversation_id"].as_str().unwrap().to_owned()
}
