//! The deployment under test as the checks see it: who can ask, what it says about itself, what the run has
//! created in it. It never judges beyond "this could not be had".

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::Method;
use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::answer::{list_at, text_at};
use crate::client::Client;
use crate::verdict::{Stop, Verdict, fail, skip};
use crate::{Options, chance};

/// Who asks.
#[derive(Clone)]
pub(crate) enum Caller {
    /// Without any credential.
    Nobody,
    /// With the cookies of an anonymous visitor, as a browser on the deployment's own pages.
    Visitor(Arc<Visitor>),
    /// With the API key of the options.
    Key,
    /// With the access token of the options.
    Account,
}

/// The cookies of an anonymous visitor.
#[derive(Default)]
pub(crate) struct Visitor(Mutex<Vec<(String, String)>>);

impl Visitor {
    /// A visitor with these cookies.
    pub(crate) fn with(cookies: Vec<(String, String)>) -> Visitor {
        Visitor(Mutex::new(cookies))
    }

    /// Takes what the server sets, as a browser does; an empty value deletes.
    pub(crate) fn absorb(&self, headers: &HeaderMap) {
        let mut jar = self.jar();
        for cookie in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            let (name, value) = (name.trim(), value.trim());
            jar.retain(|(known, _)| known != name);
            if !value.is_empty() {
                jar.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// The `Cookie` header.
    pub(crate) fn cookies(&self) -> String {
        let pairs = self.jar().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        pairs.join("; ")
    }

    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        self.jar().clone()
    }

    fn jar(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The deployment under test.
pub(crate) struct Deployment {
    pub(crate) client: Client,
    pub(crate) options: Options,
    /// A word that this run alone uses.
    pub(crate) marker: String,
    health: OnceCell<Value>,
    document: OnceCell<Value>,
    no_visitors: OnceCell<Stop>,
    visitors: Mutex<Vec<Arc<Visitor>>>,
    created: Mutex<Vec<(Caller, String)>>,
}

impl Deployment {
    pub(crate) fn new(options: Options) -> Verdict<Deployment> {
        Ok(Deployment {
            client: Client::new(&options)?,
            options,
            marker: chance::marker(),
            health: OnceCell::new(),
            document: OnceCell::new(),
            no_visitors: OnceCell::new(),
            visitors: Mutex::default(),
            created: Mutex::default(),
        })
    }

    /// `true` when the deployment is asked over HTTPS.
    pub(crate) fn https(&self) -> bool {
        self.options.url.scheme() == "https"
    }

    /// What `/health` says, whatever its status.
    pub(crate) async fn health(&self) -> Verdict<&Value> {
        self.health.get_or_try_init(|| async { self.client.get("/health").send().await?.json() }).await
    }

    /// A boolean of `security` in `/health`; `None` when it is not said.
    pub(crate) async fn secured(&self, name: &str) -> Option<bool> {
        self.health().await.ok()?.get("security")?.get(name)?.as_bool()
    }

    /// The environment that `/health` names.
    pub(crate) async fn environment(&self) -> String {
        let health = self.health().await.ok();
        health.and_then(|health| health.get("environment")?.as_str()).unwrap_or("unknown").to_owned()
    }

    /// The OpenAPI document.
    pub(crate) async fn document(&self) -> Verdict<&Value> {
        let load = || async {
            let answer = self.client.get("/openapi.json").send().await?;
            answer.expect(&[200])?;
            answer.json()
        };
        self.document.get_or_try_init(load).await
    }

    /// A visitor who has never been here. Skips the check where visitors are not taken.
    pub(crate) async fn visitor(&self) -> Verdict<Caller> {
        if let Some(stop) = self.no_visitors.get() {
            return Err(stop.clone());
        }
        let visitor = Arc::new(Visitor::default());
        for path in ["/api/v1/whoami", "/"] {
            let answer = self.client.get(path).send().await?;
            if answer.status < 400 {
                visitor.absorb(&answer.headers);
            }
            if !visitor.pairs().is_empty() {
                break;
            }
        }
        let caller = Caller::Visitor(Arc::clone(&visitor));
        if visitor.pairs().is_empty() {
            let stop = skip("no cookie for visitors is given out");
            return Err(self.no_visitors.get_or_init(|| async { stop }).await.clone());
        }
        lock(&self.visitors).push(visitor);
        if self.rooms(&caller).await?.is_empty() {
            let stop = skip("visitors may enter no app here");
            return Err(self.no_visitors.get_or_init(|| async { stop }).await.clone());
        }
        Ok(caller)
    }

    /// Somebody who may talk, and the app to talk in: a fresh visitor, else the key.
    pub(crate) async fn talker(&self) -> Verdict<(Caller, String)> {
        let caller = match (self.visitor().await, &self.options.api_key) {
            (Ok(visitor), _) => visitor,
            (Err(Stop::Skip(_)), Some(_)) => Caller::Key,
            (Err(Stop::Skip(why)), None) => return Err(skip(format!("{why}, and there is no --api-key"))),
            (Err(stop), _) => return Err(stop),
        };
        let rooms = self.rooms(&caller).await?;
        match rooms.iter().find(|app| *app == "assistant").or_else(|| rooms.first()) {
            Some(app) => Ok((caller, app.clone())),
            None => Err(skip("the key may enter no app for conversations")),
        }
    }

    /// The key when there is one, else a fresh visitor.
    pub(crate) async fn integrator(&self) -> Verdict<Caller> {
        if self.options.api_key.is_some() {
            return Ok(Caller::Key);
        }
        match self.visitor().await {
            Err(Stop::Skip(why)) => Err(skip(format!("{why}, and there is no --api-key"))),
            other => other,
        }
    }

    /// The apps in which the caller may hold conversations.
    async fn rooms(&self, caller: &Caller) -> Verdict<Vec<String>> {
        let apps = self.apps(caller).await?.into_iter();
        Ok(apps.filter(|(_, kind)| kind != "files").map(|(id, _)| id).collect())
    }

    /// The first app of this kind that the caller may enter.
    pub(crate) async fn app(&self, caller: &Caller, kind: &str) -> Verdict<Option<String>> {
        let apps = self.apps(caller).await?.into_iter();
        Ok(apps.filter(|app| app.1 == kind).map(|(id, _)| id).next())
    }

    /// The apps that the caller may enter, with their kinds.
    async fn apps(&self, caller: &Caller) -> Verdict<Vec<(String, String)>> {
        let answer = self.client.get("/api/v1/apps").by(caller).send().await?;
        if matches!((answer.status, caller), (401 | 403, Caller::Visitor(_))) {
            return Ok(Vec::new());
        }
        answer.expect(&[200])?;
        let apps = answer.json()?;
        let apps = list_at(&apps, "/items", &answer.what)?.iter().filter_map(|app| {
            let kind = app.get("kind").and_then(Value::as_str).unwrap_or("chat");
            Some((app.get("id")?.as_str()?.to_owned(), kind.to_owned()))
        });
        Ok(apps.collect())
    }

    /// Creates a conversation and remembers to delete it.
    pub(crate) async fn converse(&self, caller: &Caller, app: &str, title: &str) -> Verdict<String> {
        let body = json!({"app": app, "title": title});
        let answer = self.client.post("/api/v1/conversations").by(caller).json(&body).send().await?;
        answer.expect(&[200, 201])?;
        let document = answer.json()?;
        let id = text_at(&document, "/id", &answer.what)?.to_owned();
        self.remember(caller, &id);
        Ok(id)
    }

    /// Remembers that this run made a conversation.
    pub(crate) fn remember(&self, caller: &Caller, id: &str) {
        lock(&self.created).push((caller.clone(), id.to_owned()));
    }

    /// The ids of the caller's newest conversations.
    pub(crate) async fn newest(&self, caller: &Caller) -> Verdict<BTreeSet<String>> {
        let answer = self.client.get("/api/v1/conversations?limit=50").by(caller).send().await?;
        answer.expect(&[200])?;
        let page = answer.json()?;
        let items = list_at(&page, "/items", &answer.what)?;
        Ok(items.iter().filter_map(|item| item.get("id")?.as_str().map(str::to_owned)).collect())
    }

    /// Remembers the conversations that have appeared since `before` and hold this run's word. Others that use
    /// the same key at the same time keep theirs.
    pub(crate) async fn adopt(&self, caller: &Caller, before: &BTreeSet<String>) -> Verdict<()> {
        for id in self.newest(caller).await?.difference(before).take(10) {
            let path = format!("/api/v1/conversations/{id}/messages?limit=5");
            let answer = self.client.get(&path).by(caller).send().await?;
            if answer.status == 200 && answer.text().contains(&self.marker) {
                self.remember(caller, id);
            }
        }
        Ok(())
    }

    /// Deletes what the run has created. Gives how many conversations that were.
    pub(crate) async fn clean_up(&self) -> Verdict<usize> {
        let visitors = std::mem::take(&mut *lock(&self.visitors));
        for visitor in visitors {
            // A visitor of ours is nobody else's: everything they have is ours.
            let caller = Caller::Visitor(visitor);
            if let Ok(ids) = self.newest(&caller).await {
                ids.iter().for_each(|id| self.remember(&caller, id));
            }
        }
        let created = std::mem::take(&mut *lock(&self.created));
        let (mut seen, mut deleted, mut left) = (BTreeSet::new(), 0, Vec::new());
        for (caller, id) in created {
            if !seen.insert(id.clone()) {
                continue;
            }
            let path = format!("/api/v1/conversations/{id}");
            match self.client.ask(Method::DELETE, &path).by(&caller).send().await {
                Ok(answer) if matches!(answer.status, 200 | 202 | 204) => deleted += 1,
                Ok(answer) if answer.status == 404 => {}
                Ok(answer) => left.push(format!("{id} ({})", answer.summary())),
                Err(_) => left.push(id),
            }
        }
        if left.is_empty() { Ok(deleted) } else { Err(fail(format!("not deleted: {}", left.join(", ")))) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
