//! The table: what each operation answers to whom. Groups of operations with the same expectations share a constructor;
//! a cell that differs is written where it differs.

mod carried;
mod holding;
mod kept;
mod operation;
mod reviewing;
mod service;
mod tutors;

use serde_json::{Value, json};

use super::By;

/// The caller keeps nothing of this kind, so it has nothing of its own; or nothing of it can be made over HTTP.
pub const NONE: u16 = 0;

/// What is expected of an operation.
#[derive(Clone)]
pub enum Cells {
    /// An operation without an id in its path.
    Plain(By<u16>),
    /// An operation on an id: of a thing of one's own, of somebody else's, of nothing.
    Ids { own: By<u16>, foreign: By<u16>, random: By<u16> },
}
use Cells::{Ids, Plain};

/// A row.
pub struct Row {
    /// Method and path, as the document or the router writes them.
    pub operation: &'static str,
    pub cells: Cells,
    pub json: Option<Value>,
    pub form: Option<String>,
    /// What stands for the names in the path, but for the id.
    pub values: Vec<(&'static str, &'static str)>,
    /// What an account without a password gets, where that is another thing.
    pub introduced: Option<u16>,
    /// Whoever succeeds has ended what they came with.
    pub ends: bool,
}

impl Row {
    fn json(self, body: Value) -> Row {
        Row { json: Some(body), ..self }
    }

    pub(super) fn form(self, form: &str) -> Row {
        Row { form: Some(form.to_owned()), ..self }
    }

    pub(super) fn with(mut self, name: &'static str, value: &'static str) -> Row {
        self.values.insert(0, (name, value));
        self
    }

    fn introduced(self, status: u16) -> Row {
        Row { introduced: Some(status), ..self }
    }

    fn ends(self) -> Row {
        Row { ends: true, ..self }
    }
}

pub(super) fn row(operation: &'static str, cells: Cells) -> Row {
    let values = vec![("app", "workspace"), ("model", "assistant"), ("message", super::RANDOM)];
    Row { operation, cells, json: None, form: None, values, introduced: None, ends: false }
}

/// The same for everybody, whatever they show.
pub(super) const fn open(status: u16) -> By<u16> {
    By {
        anonymous: status,
        visitor: status,
        plain: status,
        member: status,
        manager: status,
        admin: status,
        inactive: status,
        operators_key: status,
        members_key: status,
        reading_key: status,
        talking_key: status,
        dead_key: status,
    }
}

/// For everybody whose credential counts.
const fn everybody(status: u16) -> By<u16> {
    By { inactive: 403, dead_key: 401, ..open(status) }
}

/// For accounts, and for nobody else.
const fn accounts(status: u16) -> By<u16> {
    By { plain: status, member: status, manager: status, admin: status, ..nobody() }
}

/// For admins alone.
const fn admins(status: u16) -> By<u16> {
    By { admin: status, ..nobody() }
}

/// Nobody who is known: visitors are asked who they are, all others are told no.
pub(super) const fn nobody() -> By<u16> {
    By { anonymous: 401, visitor: 401, dead_key: 401, ..open(403) }
}

/// The pages of admins do not exist for others.
const fn hidden(status: u16) -> By<u16> {
    By { anonymous: 401, visitor: 401, inactive: 403, dead_key: 401, admin: status, ..open(404) }
}

/// For programs and people, not for visitors.
pub(super) const fn known(status: u16) -> By<u16> {
    By { anonymous: 401, visitor: 401, ..everybody(status) }
}

/// What somebody without anything of their own cannot be asked about.
const fn kept(own: By<u16>) -> By<u16> {
    By { anonymous: NONE, inactive: NONE, dead_key: NONE, ..own }
}

/// An operation on one's own conversation: `reads` and `talks` are what the bound keys get on their own.
pub(super) const fn owners(done: u16, reads: bool, talks: bool) -> Cells {
    let reading = if reads { 404 } else { 403 };
    let talking = if talks { 404 } else { 403 };
    let others = By { reading_key: reading, talking_key: talking, ..everybody(404) };
    // A key that may only read can make nothing, and has nothing to read.
    let own = By { reading_key: NONE, talking_key: if talks { done } else { 403 }, ..kept(open(done)) };
    Ids { own, foreign: others, random: others }
}

/// An operation on one's own folder: a key that may not write has none.
const fn folders(done: u16) -> Cells {
    let others = By { reading_key: 403, talking_key: 403, ..everybody(404) };
    let own = By { reading_key: NONE, talking_key: NONE, ..kept(open(done)) };
    Ids { own, foreign: others, random: others }
}

/// An operation on something of one's own account.
const fn accounts_own(done: u16) -> Cells {
    let own = By { plain: done, member: done, manager: done, admin: done, ..open(NONE) };
    Ids { own, foreign: accounts(404), random: accounts(404) }
}

/// An operation of admins on anybody's things.
const fn admins_any(done: u16) -> Cells {
    Ids { own: open(NONE), foreign: admins(done), random: admins(404) }
}

/// The same on a page.
const fn hidden_any(done: u16, nothing: u16) -> Cells {
    Ids { own: open(NONE), foreign: hidden(done), random: hidden(nothing) }
}

/// Every row.
pub fn table() -> Vec<Row> {
    [
        public(),
        talk(),
        carried::rows(),
        teaching(),
        service::desks(),
        service::documents(),
        holding::rows(),
        kept::files(),
        kept::pages(),
        account(),
        keys(),
        users(),
        administration(),
        pages(),
        super::service::rows(),
        operation::rows(),
        reviewing::rows(),
        tutors::pages(),
        pages_of_accounts(),
        pages_of_admins(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn public() -> Vec<Row> {
    let password = crate::world::PASSWORD;
    let unknown = "nobody@example.org";
    let entrance = |operation, status, body: Value| row(operation, Plain(open(status))).json(body);
    vec![
        row("GET /live", Plain(open(200))),
        row("GET /ready", Plain(open(200))),
        row("GET /health", Plain(open(200))),
        // Nobody of these holds the token of metrics.
        row("GET /metrics", Plain(open(401))),
        // Tokens are signed with a shared secret here.
        row("GET /.well-known/jwks.json", Plain(open(404))),
        // Nobody has proven anything yet, and nothing that they hold counts.
        entrance("POST /api/v1/auth/register", 400, json!({"email": "new@example.org", "password": "short"})),
        entrance("POST /api/v1/auth/login", 401, json!({"email": unknown, "password": password})),
        entrance("POST /api/v1/auth/refresh", 401, json!({"refresh_token": "nothing"})),
        entrance("POST /api/v1/auth/exchange", 401, json!({"id_token": "nothing"})),
        entrance(
            "POST /api/v1/auth/setup",
            400,
            json!({"token": "x", "email": unknown, "password": password}),
        ),
        row("POST /api/v1/auth/passkey/begin", Plain(open(200))),
        entrance("POST /api/v1/auth/passkey/finish", 401, json!({"state": "nothing", "answer": {}})),
        entrance("POST /api/v1/auth/password/forgot", 202, json!({"email": unknown})),
        entrance("POST /api/v1/auth/password/reset", 400, json!({"token": "x", "password": password})),
        entrance("POST /api/v1/auth/verify", 400, json!({"token": "nothing"})),
        row("GET /api/v1/erasures/{id}", Ids { own: open(NONE), foreign: open(200), random: open(404) }),
    ]
}

fn talk() -> Vec<Row> {
    let message = json!({"content": "hello"});
    let completion = json!({"model": "assistant", "messages": [{"role": "user", "content": "hello"}]});
    let bound = |cells: By<u16>| By { reading_key: 403, talking_key: 403, ..cells };
    vec![
        row("GET /api/v1/whoami", Plain(everybody(200))),
        row("GET /api/v1/apps", Plain(everybody(200))),
        row("POST /api/v1/chat", Plain(bound(everybody(200))))
            .json(json!({"message": "hello", "app": "assistant"})),
        row("GET /api/v1/conversations", Plain(By { talking_key: 403, ..everybody(200) })),
        row("POST /api/v1/conversations", Plain(bound(everybody(201)))).json(json!({"app": "assistant"})),
        row("POST /api/v1/conversations/bulk", Plain(bound(everybody(400)))).json(json!({"ids": []})),
        row("GET /api/v1/conversations/search", Plain(By { talking_key: 403, ..everybody(400) })),
        row("GET /api/v1/folders", Plain(By { talking_key: 403, ..everybody(200) })),
        row("POST /api/v1/folders", Plain(bound(everybody(400)))).json(json!({"name": "a/b"})),
        row("PUT /api/v1/folders/{id}", folders(200)).json(json!({"name": "taken"})),
        row("DELETE /api/v1/folders/{id}", folders(204)),
        row("GET /api/v1/tags", Plain(By { talking_key: 403, ..everybody(200) })),
        row("GET /api/v1/conversations/{id}", owners(200, true, false)),
        row("PUT /api/v1/conversations/{id}", owners(200, false, false)).json(json!({"title": "taken"})),
        row("DELETE /api/v1/conversations/{id}", owners(204, false, false)),
        row("GET /api/v1/conversations/{id}/export", owners(200, true, false)),
        row("POST /api/v1/conversations/{id}/stop", owners(200, false, true)),
        row("GET /api/v1/conversations/{id}/messages", owners(200, true, false)),
        row("POST /api/v1/conversations/{id}/messages", owners(201, true, true)).json(message),
        row("POST /api/v1/conversations/{id}/messages/{message}/regenerate", owners(404, true, true)),
        row("POST /api/v1/conversations/{id}/messages/{message}/continue", owners(404, true, true)),
        row("PUT /api/v1/conversations/{id}/messages/{message}", owners(404, true, true))
            .json(json!({"content": "hello"})),
        row("POST /v1/chat/completions", Plain(bound(known(200)))).json(completion),
        row("POST /v1/embeddings", Plain(known(200))).json(json!({"model": "m", "input": "a"})),
        row("POST /v1/moderations", Plain(known(200))).json(json!({"input": "a"})),
        row("GET /v1/models", Plain(known(200))),
        row("GET /v1/models/{model}", Plain(By { talking_key: 404, ..known(200) })),
    ]
}

fn teaching() -> Vec<Row> {
    let body = || json!({"title": "Sum", "statement": "What is 19 + 23?", "answer": "42", "visibility": "published"});
    let learned = || Ids { own: open(NONE), foreign: accounts(200), random: accounts(404) };
    let rows = vec![
        row("GET /api/v1/apps/{app}/problems", Plain(accounts(200))),
        row("POST /api/v1/apps/{app}/problems", Plain(admins(201))).json(body()),
        row("GET /api/v1/apps/{app}/problems/{id}", learned()),
        row("PUT /api/v1/apps/{app}/problems/{id}", admins_any(200)).json(body()),
        row("DELETE /api/v1/apps/{app}/problems/{id}", admins_any(204)),
        row("GET /api/v1/apps/{app}/problems/{id}/progress", admins_any(200)),
        // A problem is no conversation about it: that one is not there for anybody.
        row("GET /api/v1/apps/{app}/problems/{id}/transcripts/{conversation}", admins_any(404)),
        row("GET /api/v1/apps/{app}/progress", Plain(accounts(200))),
    ];
    rows.into_iter().map(|row| row.with("app", "tutor")).collect()
}

/// A person can be asked for where customers are served; the others have their conversation in the assistant.
fn wish() -> Cells {
    let Ids { own, foreign, random } = owners(400, false, true) else { return Plain(open(NONE)) };
    Ids { own: By { talking_key: 200, ..own }, foreign, random }
}

fn account() -> Vec<Row> {
    let wrong = json!({"password": "wrong but long enough"});
    let passkey = Ids { own: open(NONE), foreign: open(NONE), random: accounts(404) };
    let change =
        json!({"current_password": "wrong but long enough", "new_password": "violet engine turns 21 wheels"});
    let people = By { anonymous: 401, visitor: 200, ..accounts(200) };
    vec![
        row("GET /api/v1/me", Plain(accounts(200))),
        row("PUT /api/v1/me", Plain(accounts(200))).json(json!({"name": "Ada"})),
        // The password is asked for, whoever is signed in.
        // Who has none yet sets one, and is signed out by it as everybody is.
        row("PUT /api/v1/me/password", Plain(accounts(400))).json(change).introduced(204).ends(),
        row("PUT /api/v1/me/email", Plain(accounts(400))).json(json!({"email": "no address"})),
        row("GET /api/v1/me/sessions", Plain(accounts(200))),
        row("DELETE /api/v1/me/sessions/{id}", accounts_own(204)),
        row("POST /api/v1/me/totp", Plain(accounts(200))),
        row("PUT /api/v1/me/totp", Plain(accounts(400))).json(json!({"code": "000000"})),
        row("DELETE /api/v1/me/totp", Plain(accounts(400))).json(wrong.clone()),
        row("POST /api/v1/me/totp/recovery-codes", Plain(accounts(400))).json(wrong),
        row("GET /api/v1/me/passkeys", Plain(accounts(200))),
        row("POST /api/v1/me/passkeys/begin", Plain(accounts(200))),
        row("POST /api/v1/me/passkeys/finish", Plain(accounts(400)))
            .json(json!({"state": "nothing", "answer": {}, "name": "key"})),
        row("DELETE /api/v1/me/passkeys/{id}", passkey),
        row("GET /api/v1/me/export", Plain(people)),
        row("POST /api/v1/auth/logout", Plain(accounts(204))).ends(),
        row("POST /api/v1/auth/logout-all", Plain(accounts(204))).ends(),
    ]
}

fn keys() -> Vec<Row> {
    vec![
        row("GET /api/v1/keys", Plain(accounts(200))),
        row("POST /api/v1/keys", Plain(accounts(201))).json(json!({"name": "one"})),
        row("DELETE /api/v1/keys/{id}", accounts_own(204)),
        row("POST /api/v1/keys/{id}/rotate", accounts_own(200)),
    ]
}

fn users() -> Vec<Row> {
    let grants = "PUT /api/v1/admin/users/{id}/grants/{app}";
    vec![
        row("GET /api/v1/admin/users", Plain(admins(200))),
        row("POST /api/v1/admin/users", Plain(admins(400))).json(json!({"email": "x", "password": "short"})),
        row("POST /api/v1/admin/invitations", Plain(admins(201))).json(json!({"email": "guest@example.org"})),
        row("GET /api/v1/admin/users/{id}", admins_any(200)),
        row("PUT /api/v1/admin/users/{id}", admins_any(200)).json(json!({"role": "admin", "name": "Taken"})),
        row("DELETE /api/v1/admin/users/{id}", admins_any(200)),
        row("GET /api/v1/admin/users/{id}/export", admins_any(200)),
        row("DELETE /api/v1/admin/users/{id}/sessions", admins_any(204)),
        row("GET /api/v1/admin/users/{id}/grants", admins_any(200)),
        row(grants, admins_any(200)).json(json!({"level": "use"})),
        // Nobody has a grant for this one.
        row("DELETE /api/v1/admin/users/{id}/grants/{app}", admins_any(404)).with("app", "tutor"),
    ]
}

fn administration() -> Vec<Row> {
    let alert = Ids { own: open(NONE), foreign: open(NONE), random: admins(404) };
    vec![
        row("GET /api/v1/admin/sessions", Plain(admins(200))),
        row("DELETE /api/v1/admin/sessions/{id}", admins_any(204)),
        row("GET /api/v1/admin/keys", Plain(admins(200))),
        row("DELETE /api/v1/admin/keys/{id}", admins_any(204)),
        row("GET /api/v1/admin/audit", Plain(admins(200))),
        row("GET /api/v1/admin/audit/export", Plain(admins(200))),
        row("GET /api/v1/admin/alerts", Plain(admins(200))),
        row("GET /api/v1/admin/backups", Plain(admins(200))),
        row("POST /api/v1/admin/backups", Plain(admins(201))),
        row("POST /api/v1/admin/backups/{name}/verify", Plain(admins(404))).with("name", "nothing"),
        row("POST /api/v1/admin/alerts/{id}/acknowledge", alert),
        row("GET /api/v1/admin/lockdown", Plain(admins(200))),
        row("PUT /api/v1/admin/lockdown", Plain(admins(200))).json(json!({"mode": "off"})),
        // What it ends would end the table; `revocation.rs` does it.
        row("POST /api/v1/admin/revoke", Plain(admins(400))).json(json!({"what": "nothing"})),
        row("GET /api/v1/admin/blocks", Plain(admins(200))),
        row("POST /api/v1/admin/blocks", Plain(admins(201))).json(json!({"net": "203.0.113.7"})),
        row(
            "DELETE /api/v1/admin/blocks/{net}",
            Ids { own: open(NONE), foreign: admins(204), random: admins(400) },
        ),
        row("GET /api/v1/admin/usage", Plain(admins(200))),
        row("GET /api/v1/admin/settings", Plain(admins(200))),
        // The last one: what it ends is whoever asks.
        row("DELETE /api/v1/me", Plain(By { visitor: 200, ..accounts(400) }))
            .json(json!({"password": "wrong but long enough"}))
            .ends(),
    ]
}

fn pages() -> Vec<Row> {
    let form = "email=nobody%40example.org&password=quiet+lantern+7+harbour+mist";
    // Whoever is signed in is led away from the page where one signs in.
    let away = By { plain: 303, member: 303, manager: 303, admin: 303, ..open(200) };
    let chat = Ids {
        own: By { reading_key: NONE, talking_key: NONE, ..kept(open(200)) },
        foreign: By { reading_key: 403, talking_key: 403, ..everybody(404) },
        random: By { reading_key: 403, talking_key: 403, ..everybody(404) },
    };
    let found = owners(404, true, false);
    vec![
        row("GET /", Plain(everybody(200))),
        row("GET /docs", Plain(everybody(200))),
        row("GET /docs/errors", Plain(everybody(200))),
        row("GET /sw.js", Plain(open(200))),
        row("GET /offline", Plain(open(200))),
        row("POST /language", Plain(open(303))).form("language=en&return_to=%2F"),
        row("GET /fragments/places", Plain(everybody(200))),
        row(
            "GET /apps/{app}",
            Plain(By { anonymous: 200, visitor: 200, reading_key: 403, talking_key: 403, ..everybody(200) }),
        )
        .with("app", "assistant"),
        row("GET /apps/{app}", Plain(By { member: 200, manager: 200, admin: 200, ..nobody() })),
        row(
            "GET /apps/{app}",
            Plain(By { member: 200, admin: 200, operators_key: 200, members_key: 200, ..nobody() }),
        )
        .with("app", "support"),
        // The message of the path is one of nothing.
        row("GET /apps/{app}/{conversation}/messages/{message}", found).with("app", "assistant"),
        row("GET /apps/{app}/{conversation}", chat).with("app", "assistant"),
        row("GET /fragments/conversations/{conversation}/messages/{message}", owners(404, true, false)),
        // It is asked for what was said before no message.
        row("GET /fragments/conversations/{conversation}/earlier", owners(404, true, false)),
        row("GET /sign-in", Plain(away)),
        row("POST /sign-in", Plain(open(401))).form(form),
        row("POST /sign-in/passkey/begin", Plain(open(200))),
        row("POST /sign-in/passkey", Plain(open(401))).json(json!({"state": "nothing", "answer": {}})),
        row("GET /sign-up", Plain(open(200))),
        row("POST /sign-up", Plain(open(400))).form("email=x&password=short"),
        row("GET /forgot", Plain(open(200))),
        row("POST /forgot", Plain(open(200))).form(form),
        row("GET /reset", Plain(open(200))),
        row("POST /reset", Plain(open(422))).form("reset=x&password=quiet+lantern+7+harbour+mist"),
        row("GET /verify", Plain(open(200))),
        row("POST /verify", Plain(open(422))).form("verify=x"),
        // There is an admin: nobody can claim the server any more.
        row("GET /setup", Plain(open(303))),
        row("POST /setup", Plain(open(422)))
            .form("setup=x&email=a%40example.org&password=quiet+lantern+7+harbour+mist"),
        row("POST /sign-out", Plain(open(303))).ends(),
        // There is no such issuer; in `attacks` there is.
        row("GET /api/v1/auth/oidc/{name}/start", Plain(open(404))).with("name", "nobody"),
        row("GET /api/v1/auth/oidc/{name}/callback", Plain(open(404))).with("name", "nobody"),
    ]
}

fn pages_of_accounts() -> Vec<Row> {
    let wrong = "password=wrong+but+long+enough&proof_password=wrong+but+long+enough";
    let passkey = Ids { own: open(NONE), foreign: open(NONE), random: accounts(404) };
    vec![
        row("GET /account", Plain(accounts(200))),
        row("POST /account/profile", Plain(accounts(303))).form("name=Ada"),
        row("GET /account/email", Plain(accounts(200))),
        row("POST /account/email", Plain(accounts(400))).form("address=none"),
        row("GET /account/sessions", Plain(accounts(200))),
        // An ID token has no session that could be kept.
        row("POST /account/sessions/end-others", Plain(accounts(303))).ends(),
        row("POST /account/sessions/{id}/end", accounts_own(303)),
        row("GET /account/keys", Plain(accounts(200))),
        row("POST /account/keys", Plain(accounts(201))).form("name=one"),
        row("POST /account/keys/{id}/rotate", accounts_own(200)),
        row("POST /account/keys/{id}/revoke", accounts_own(303)),
        row("GET /account/security", Plain(accounts(200))),
        row("GET /account/prove", Plain(accounts(303))),
        row("POST /account/prove", Plain(accounts(303))).form(wrong),
        row("POST /account/password", Plain(accounts(400)))
            .form("password=wrong+but+long+enough&new_password=violet+engine+turns+21+wheels"),
        row("POST /account/totp", Plain(accounts(200))),
        row("POST /account/totp/confirm", Plain(accounts(422))).form("code=000000"),
        row("POST /account/totp/remove", Plain(accounts(400))).form(wrong),
        row("POST /account/totp/recovery", Plain(accounts(400))).form(wrong),
        row("POST /account/passkeys/{id}/remove", passkey),
    ]
}

fn pages_of_admins() -> Vec<Row> {
    let page = |operation| row(operation, Plain(hidden(200)));
    let alert = Ids { own: open(NONE), foreign: open(NONE), random: hidden(404) };
    vec![
        page("GET /admin"),
        page("GET /admin/fragments/pulse"),
        page("GET /admin/users"),
        page("GET /admin/users/new"),
        row("POST /admin/users", Plain(hidden(400))).form("email=x&how=password&password=short"),
        row("GET /admin/users/{id}", hidden_any(200, 404)),
        row("POST /admin/users/{id}/role", hidden_any(303, 404)).form("role=admin"),
        row("POST /admin/users/{id}/state", hidden_any(303, 404)).form("active=false"),
        row("POST /admin/users/{id}/grants/{app}", hidden_any(303, 404)).form("level=manage"),
        row("GET /admin/users/{id}/erase", hidden_any(200, 404)),
        row("POST /admin/users/{id}/erase", hidden_any(422, 404)).form("word=wrong"),
        page("GET /admin/sessions"),
        row("POST /admin/sessions/{id}/end", hidden_any(303, 404)),
        page("GET /admin/keys"),
        row("POST /admin/keys/{id}/revoke", hidden_any(303, 404)),
        page("GET /admin/audit"),
        page("GET /admin/alerts"),
        page("GET /admin/backups"),
        row("POST /admin/backups", Plain(hidden(303))),
        row("POST /admin/backups/{name}/verify", Plain(hidden(404))).with("name", "nothing"),
        row("POST /admin/alerts/{id}/acknowledge", alert),
        page("GET /admin/blocks"),
        row("POST /admin/blocks", Plain(hidden(303))).form("net=203.0.113.8"),
        row("POST /admin/blocks/remove", Plain(hidden(404))).form("net=203.0.113.99"),
        page("GET /admin/lockdown"),
        page("GET /admin/lockdown/{mode}").with("mode", "users"),
        row("POST /admin/lockdown/{mode}", Plain(hidden(422))).with("mode", "users").form("word=wrong"),
        page("GET /admin/revoke/{what}").with("what", "keys"),
        row("POST /admin/revoke/{what}", Plain(hidden(422))).with("what", "keys").form("word=wrong"),
        page("GET /admin/settings"),
    ]
}
