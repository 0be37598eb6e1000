//! Every operation of the OpenAPI document and every page, by every caller with every kind of credential that there is
//! for it, on its own things, on those of others and on things that do not exist. An operation or page without a row
//! fails the test, and a row that says nothing about one of the callers does not compile: no cell is empty.

mod askers;
mod table;
mod things;

use std::collections::BTreeSet;

use serde_json::Value;

use self::askers::{Askers, Holder};
use self::table::{Cells, NONE, Row, table};
use self::things::{Thing, Things};
use crate::world::{Answer, Issuer, World, on_both_engines, repository};

/// An id of nothing.
const RANDOM: &str = "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d";

/// What is held for each kind of caller. It is taken apart without `..`, so that a new kind needs a word everywhere.
#[derive(Clone, Copy, Debug)]
pub struct By<T> {
    /// Nobody: no cookie, no header.
    pub anonymous: T,
    /// A browser that has been here before, without an account.
    pub visitor: T,
    /// An account without any grant.
    pub plain: T,
    /// An account with a grant to use the workspace, support and the file store.
    pub member: T,
    /// An account that manages the workspace.
    pub manager: T,
    /// An account with the role of admin.
    pub admin: T,
    /// An account that has been deactivated; its key too.
    pub inactive: T,
    /// A key of the operator: of the environment, and of the command line.
    pub operators_key: T,
    /// A key that the member made, with all scopes.
    pub members_key: T,
    /// A key of the member's that may only read.
    pub reading_key: T,
    /// A key of the member's that may only talk, in support.
    pub talking_key: T,
    /// A key that was revoked, or never was one.
    pub dead_key: T,
}

impl<T> By<T> {
    /// All of them with their names.
    pub fn each(self) -> [(&'static str, T); 12] {
        let By { anonymous, visitor, plain, member, manager, admin, inactive, .. } = self;
        let By { operators_key, members_key, reading_key, talking_key, dead_key, .. } = self;
        [
            ("anonymous", anonymous),
            ("visitor", visitor),
            ("plain", plain),
            ("member", member),
            ("manager", manager),
            ("admin", admin),
            ("inactive", inactive),
            ("operator's key", operators_key),
            ("member's key", members_key),
            ("reading key", reading_key),
            ("talking key", talking_key),
            ("dead key", dead_key),
        ]
    }
}

/// What the table must have a row for.
pub(crate) async fn operations(world: &World) -> BTreeSet<String> {
    let document = world.anonymous().get("/openapi.json").send().await.json();
    let mut found = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        found.extend(
            methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())),
        );
    }
    found.extend(pages());
    found
}

/// The pages, which the document does not list, as the sources of the room `web` declare them.
fn pages() -> BTreeSet<String> {
    let folder = repository().join("crates/web/src/pages");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.chain([repository().join("crates/web/src/pages.rs")]);
    let mut found = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for route in text.split(".route(").skip(1) {
            let mut parts = route.splitn(3, '"');
            let path = parts.nth(1).unwrap();
            let handlers = parts.next().unwrap().split("\n        .").next().unwrap();
            for (word, method) in [("get(", "GET"), ("post(", "POST"), ("put(", "PUT"), ("delete(", "DELETE")]
            {
                if handlers
                    .lines()
                    .take(3)
                    .any(|line| line.contains(&format!(" {word}")) || line.contains(&format!(".{word}")))
                {
                    found.insert(format!("{method} {path}"));
                }
            }
        }
    }
    // Pictures, styles and scripts are the same bytes for everybody; no caller is looked at.
    found.retain(|operation| !operation.contains("/static/") && !operation.contains("/favicon"));
    assert!(found.len() > 40, "the routes of the pages are written in another way now: {found:?}");
    found
}

on_both_engines! {
    async fn everybody_has_what_is_theirs_and_nothing_else(setup) {
        let issuer = Issuer::start("company").await;
        let world = setup
            .unlimited()
            .file("stoa.toml", &issuer.entry())
            .set("PASSWORD_HASH_MEMORY_MIB", 19)
            .set("METRICS_TOKEN", "metrics-token-Rk2Vb9Xz")
            .set("MAX_CONVERSATIONS_PER_SESSION", 1000)
            .start()
            .await;
        let table = table();
        let wanted = operations(&world).await;
        let rows: BTreeSet<String> = table.iter().map(|row| row.operation.to_owned()).collect();
        let missing: Vec<_> = wanted.difference(&rows).collect();
        assert!(missing.is_empty(), "without a row: {missing:#?}");
        let stale: Vec<_> = rows.difference(&wanted).collect();
        assert!(stale.is_empty(), "rows of nothing: {stale:#?}");
        let askers = Askers::gather(&world, &issuer).await;
        let mut run = Run { things: Things::of(&world, &askers), world: &world, wrong: Vec::new(), cells: 0 };
        for row in &table {
            run.row(row, &askers).await;
        }
        println!("{} rows, {} cells", table.len(), run.cells);
        assert!(run.wrong.is_empty(), "{} cells are wrong:\n\n{}", run.wrong.len(), run.wrong.join("\n\n"));
        world.verify_audit().await;
    }
}

/// The table being asked, row by row.
struct Run<'a> {
    world: &'a World,
    things: Things,
    wrong: Vec<String>,
    cells: usize,
}

impl Run<'_> {
    async fn row(&mut self, row: &Row, askers: &Askers) {
        match &row.cells {
            Cells::Plain(statuses) => self.plain(row, statuses, askers).await,
            Cells::Ids { own, foreign, random } => self.ids(row, [own, foreign, random], askers).await,
        }
    }

    async fn plain(&mut self, row: &Row, statuses: &By<u16>, askers: &Askers) {
        let columns = statuses.each().into_iter().zip(askers.holders());
        let asked = columns.flat_map(|((name, status), (_, kinds))| {
            kinds.iter().map(move |holder| async move { (name, holder, status, ask(row, holder, "").await) })
        });
        for (name, holder, status, answer) in futures_util::future::join_all(asked).await {
            self.compare(row, (name, holder), status, &answer, "nothing");
            self.renewed(row, holder, &answer).await;
        }
    }

    async fn ids(&mut self, row: &Row, [own, foreign, random]: [&By<u16>; 3], askers: &Askers) {
        let thing = Thing::of(row.operation);
        let mut theirs: Option<(String, Value)> = None;
        let columns = own.each().into_iter().zip(foreign.each()).zip(random.each()).zip(askers.holders());
        for ((((name, own), (_, foreign)), (_, random)), (_, kinds)) in columns {
            for holder in kinds {
                let who = (name, holder);
                if own != NONE {
                    let id = self.things.make(thing, Some(holder)).await.expect("a thing of one's own");
                    let answer = ask(row, holder, &id).await;
                    self.compare(row, who, own, &answer, "own");
                }
                let nothing = ask(row, holder, RANDOM).await;
                self.compare(row, who, random, &nothing, "random");
                if foreign != NONE {
                    if theirs.is_none() {
                        let id = self.things.make(thing, None).await.expect("a thing of somebody else");
                        theirs = Some((id.clone(), self.things.look(thing, &id).await));
                    }
                    let answer = ask(row, holder, &theirs.as_ref().unwrap().0).await;
                    self.compare(row, who, foreign, &answer, "foreign");
                    self.alike(row, who, (foreign, random), [&answer, &nothing]);
                    if answer.status < 400 && !row.operation.starts_with("GET ") {
                        theirs = None;
                    }
                }
                if random == 404 && thing.has_uuid() {
                    // To whom the page does not exist, no id of it is malformed.
                    let hidden = row.operation.contains(" /admin/") && name != "admin";
                    let answer = ask(row, holder, "1").await;
                    self.compare(row, who, if hidden { 404 } else { 400 }, &answer, "malformed");
                }
            }
        }
        if let Some((id, before)) = theirs {
            let after = self.things.look(thing, &id).await;
            if after != before {
                self.wrong.push(format!("{}: who may not changed {before} to {after}", row.operation));
            }
        }
    }

    fn compare(
        &mut self,
        row: &Row,
        (name, holder): (&str, &Holder),
        status: u16,
        answer: &Answer,
        id: &str,
    ) {
        self.cells += 1;
        // An account that another issuer introduces has no password to be asked for.
        let person = ["plain", "member", "manager", "admin"].contains(&name);
        let status = row.introduced.filter(|_| person && holder.kind == "ID token").unwrap_or(status);
        if answer.status != status {
            let kind = holder.kind;
            self.wrong.push(format!(
                "{} by {name} ({kind}) on {id}: wanted {status}, got {answer:?}",
                row.operation
            ));
        }
    }

    /// Nobody can tell what belongs to somebody else from what does not exist.
    fn alike(&mut self, row: &Row, (name, _): (&str, &Holder), wanted: (u16, u16), answers: [&Answer; 2]) {
        let [foreign, nothing] = answers;
        if wanted.0 == 404 && wanted.1 == 404 && foreign.header("content-type").contains("json") {
            let told = |answer: &Answer| (answer.status, answer.code(), answer.json()["detail"].clone());
            if told(foreign) != told(nothing) {
                self.wrong.push(format!("{} by {name}: {foreign:?} is not {nothing:?}", row.operation));
            }
        }
    }

    /// Whoever has signed out comes back for the next row.
    async fn renewed(&self, row: &Row, holder: &Holder, answer: &Answer) {
        if row.ends && answer.status < 400 && (holder.kind == "cookie" || !holder.counts().await) {
            holder.renew(self.world).await;
        }
    }
}

async fn ask(row: &Row, holder: &Holder, id: &str) -> Answer {
    let (method, template) = row.operation.split_once(' ').unwrap();
    let mut path = template.to_owned();
    for (name, value) in &row.values {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    let path = path.replace("{id}", id).replace("{conversation}", id).replace("{net}", id);
    let caller = holder.caller();
    let request = caller.request(method, &path);
    let request = match method {
        "GET" => request,
        // A form comes from our own pages, whatever else comes with it.
        _ => request.header("origin", &format!("http://{}", holder.address())),
    };
    match (&row.json, &row.form) {
        (Some(body), _) => request.json(body).send().await,
        (None, Some(form)) => {
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.clone())
                .send()
                .await
        }
        (None, None) => request.send().await,
    }
}
