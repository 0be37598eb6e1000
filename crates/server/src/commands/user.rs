//! `stoa user …`: accounts, as the operator makes and changes them. Everything holds on running servers within a
//! second, and every change is audited as the operator's.

use std::fs::OpenOptions;
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use apps::{TakeoutForm, TakeoutParts};
use files::blob::Blobs;
use guard::outbound::Outbound;
use guard::outbound::aws::Aws;
use identity::email;
use identity::hasher::Hasher;
use identity::policy::Least;
use kernel::{Actor, Ambient, AuditEvent, EventType, PageRequest, Role, Secret, Subject, Time, UserId};
use serde_json::{Value, json};
use store::{NewUser, Store, User, UserFilter};

use super::data::{renew_keyring, told, with_settings};
use super::paper::{Mark, Paper, complain, print, print_json};
use super::prompt;
use crate::cli;
use crate::settings::Settings;

/// Runs the command. `false`: the operator said no.
pub(crate) fn run(global: &cli::Global, user: &cli::User, ambient: &Ambient) -> anyhow::Result<bool> {
    let done = with_settings(global, ambient, async |store, settings| {
        match user {
            cli::User::Create { email, admin, name, password_stdin, json } => {
                let role = if *admin { Role::Admin } else { Role::User };
                let new = New { email, name: name.as_deref().unwrap_or_default(), role };
                create(store, settings, new, *password_stdin, *json, ambient).await?;
            }
            cli::User::List { role, json } => list(store, role.as_deref(), *json).await?,
            cli::User::Show { email, json } => show(store, email, *json).await?,
            cli::User::Disable { email } => set_active(store, email, false).await?,
            cli::User::Enable { email } => set_active(store, email, true).await?,
            cli::User::Export { email, out, format } => {
                let form = if format == "zip" { TakeoutForm::Zip } else { TakeoutForm::Json };
                export(store, settings, email, out.as_deref(), form, ambient).await?;
            }
            cli::User::Erase { email, yes } => return erase(store, email, *yes).await,
            cli::User::Role { email, role } => set_role(store, email, role).await?,
            cli::User::Password { email, password_stdin, json } => {
                password(store, settings, email, *password_stdin, *json, ambient).await?;
            }
        }
        Ok(true)
    })?;
    if done && matches!(user, cli::User::Erase { .. }) {
        renew_keyring(global, ambient)?;
    }
    Ok(done)
}

/// The account with this address or id.
pub(crate) async fn find(store: &Store, name: &str) -> anyhow::Result<User> {
    if let Ok(id) = UserId::parse(name) {
        return store.user(id).await.map_err(told).with_context(|| format!("there is no account {id}"));
    }
    let address = email::normal(name).map_err(told)?;
    let found = store.user_by_email(&address).await.map_err(told)?;
    found.with_context(|| {
        format!("there is no account with the address {address}; `stoa user list` shows them")
    })
}

/// What the operator did to an account.
pub(crate) fn event(what: EventType, id: UserId) -> AuditEvent {
    AuditEvent::new(what, Actor::Operator).to(format_args!("user:{id}"))
}

struct New<'a> {
    email: &'a str,
    name: &'a str,
    role: Role,
}

async fn create(
    store: &Store,
    settings: &Settings,
    new: New<'_>,
    from_stdin: bool,
    as_json: bool,
    ambient: &Ambient,
) -> anyhow::Result<()> {
    let address = email::normal(new.email).map_err(told)?;
    if !new.name.is_empty() {
        guard::content::validate::name(new.name).map_err(told)?;
    }
    if store.user_by_email(&address).await.map_err(told)?.is_some() {
        anyhow::bail!("there is an account with the address {address} already");
    }
    let given = prompt::password(from_stdin, ambient.random())?;
    let hash = hashed(settings, ambient, &given, [&address, new.name], Least::Alone).await?;
    let id = UserId::new(ambient);
    let row = NewUser {
        id,
        email: address.clone(),
        name: new.name.to_owned(),
        role: new.role,
        verified: true,
        password: Some(hash),
    };
    let made = event(EventType::UserChanged, id).with("what", "created").with("role", new.role.as_str());
    store.create_user(row, vec![made]).await.map_err(told)?;
    tell(id, &given, as_json, &format!("{address} may sign in now, with the role {}.", new.role.as_str()))
}

/// The hash of a password, when it may be one. The rules hold for the operator too: a weak password is as weak when
/// somebody else chose it.
async fn hashed(
    settings: &Settings,
    ambient: &Ambient,
    given: &prompt::Password,
    about: [&str; 2],
    least: Least,
) -> anyhow::Result<Secret<String>> {
    let hasher = Hasher::new(&settings.identity.passwords, ambient.clone()).map_err(told)?;
    let [email, name] = about;
    hasher.admit(given.secret.clone(), email, name, least).await.map_err(told)
}

/// What was done; a password that was made here is told once, alone on standard output.
fn tell(id: UserId, given: &prompt::Password, as_json: bool, say: &str) -> anyhow::Result<()> {
    if as_json {
        let shown = given.made.then(|| given.secret.expose().clone());
        return print_json(&json!({ "id": id, "password": shown }));
    }
    complain(say);
    if given.made {
        print(&format!("{}\n", given.secret.expose()))?;
        complain("That is the password. Keep it now: it is not shown again.");
    }
    Ok(())
}

async fn password(
    store: &Store,
    settings: &Settings,
    name: &str,
    from_stdin: bool,
    as_json: bool,
    ambient: &Ambient,
) -> anyhow::Result<()> {
    let user = find(store, name).await?;
    let given = prompt::password(from_stdin, ambient.random())?;
    let least = if user.totp_at.is_some() { Least::WithSecondFactor } else { Least::Alone };
    let hash = hashed(settings, ambient, &given, [&user.email, &user.name], least).await?;
    let changed = event(EventType::UserChanged, user.id).with("what", "password");
    store.set_password(user.id, hash, None, vec![changed]).await.map_err(told)?;
    tell(user.id, &given, as_json, "The password is set; the account is signed out everywhere.")
}

/// Every account that the filter wants.
async fn every(store: &Store, filter: UserFilter) -> anyhow::Result<Vec<User>> {
    let mut page = PageRequest::first(PageRequest::MOST);
    let mut users = Vec::new();
    loop {
        let piece = store.users(filter.clone(), page).await.map_err(told)?;
        users.extend(piece.items);
        match piece.next {
            Some(next) => page = PageRequest::parse(Some(PageRequest::MOST), Some(&next)).map_err(told)?,
            None => return Ok(users),
        }
    }
}

async fn list(store: &Store, role: Option<&str>, as_json: bool) -> anyhow::Result<()> {
    let role = role.map(Role::parse).transpose().map_err(told)?;
    let users = every(store, UserFilter { role, ..UserFilter::default() }).await?;
    if as_json {
        return print_json(&Value::Array(users.iter().map(document).collect()));
    }
    let mut paper = Paper::standard();
    for user in &users {
        entry(&mut paper, user)?;
    }
    if users.is_empty() {
        paper.line("There are no accounts. `stoa user create EMAIL --admin` makes the first.")?;
    }
    Ok(())
}

fn entry(paper: &mut Paper<std::io::Stdout>, user: &User) -> anyhow::Result<()> {
    let (mark, state) = match user.disabled_at {
        Some(at) => (Mark::Nothing, format!("inactive since {}", at.rfc3339_seconds())),
        None => (Mark::Good, "active".to_owned()),
    };
    let seen = user.last_sign_in_at.map_or_else(|| "never".to_owned(), Time::rfc3339_seconds);
    let name = if user.email.is_empty() { "(no address)" } else { &user.email };
    paper.entry(
        mark,
        name,
        &format!("{}  {}, {state}; last sign-in {seen}", user.id, user.role.as_str()),
        "",
    )?;
    Ok(())
}

fn document(user: &User) -> Value {
    json!({
        "id": user.id, "email": user.email, "name": user.name, "role": user.role.as_str(),
        "active": user.disabled_at.is_none(), "disabled_at": user.disabled_at, "verified_at": user.verified_at,
        "has_password": user.has_password, "totp_at": user.totp_at, "passkeys": user.passkeys,
        "created_at": user.created_at, "last_sign_in_at": user.last_sign_in_at,
    })
}

async fn show(store: &Store, name: &str, as_json: bool) -> anyhow::Result<()> {
    let user = find(store, name).await?;
    let grants = store.grants(user.id).await.map_err(told)?;
    let sessions =
        store.sessions(Some(user.id), PageRequest::first(PageRequest::MOST)).await.map_err(told)?;
    if as_json {
        let mut shown = document(&user);
        let rows = grants.iter().map(|(app, level)| json!({ "app": app, "level": level.as_str() }));
        let open = sessions.items.iter().map(|one| {
            json!({
                "id": one.id, "kind": one.kind.as_str(), "method": one.method, "ip": one.ip, "agent": one.agent,
                "created_at": one.created_at, "last_used_at": one.seen_at, "expires_at": one.expires_at,
            })
        });
        if let Some(object) = shown.as_object_mut() {
            object.insert("grants".to_owned(), rows.collect());
            object.insert("sessions".to_owned(), open.collect());
        }
        return print_json(&shown);
    }
    let mut paper = Paper::standard();
    entry(&mut paper, &user)?;
    let factor = match (user.totp_at, user.passkeys) {
        (None, 0) => "none".to_owned(),
        (Some(_), 0) => "authenticator".to_owned(),
        (None, passkeys) => format!("{passkeys} passkeys"),
        (Some(_), passkeys) => format!("authenticator, {passkeys} passkeys"),
    };
    paper.entry(Mark::Nothing, "second factor", &factor, "")?;
    for (app, level) in &grants {
        paper.entry(Mark::Good, app.as_str(), &format!("may {} it", level.as_str()), "")?;
    }
    for one in &sessions.items {
        let what = format!(
            "{} by {} from {}, last used {}  {}",
            one.kind.as_str(),
            one.method,
            one.ip,
            one.seen_at.rfc3339_seconds(),
            one.agent
        );
        paper.entry(Mark::Good, "session", &what, "")?;
    }
    Ok(())
}

async fn set_active(store: &Store, name: &str, active: bool) -> anyhow::Result<()> {
    let user = find(store, name).await?;
    let what = if active { "activated" } else { "deactivated" };
    let changed = event(EventType::UserChanged, user.id).with("what", what);
    store.set_active(user.id, active, vec![changed]).await.map_err(told)?;
    let say = if active { "may sign in again" } else { "is refused by running servers within a second" };
    print(&format!("{} {say}.\n", called(&user)))?;
    Ok(())
}

async fn set_role(store: &Store, name: &str, role: &str) -> anyhow::Result<()> {
    let role = Role::parse(role).map_err(told)?;
    let user = find(store, name).await?;
    let changed = event(EventType::PermissionChanged, user.id).with("what", "role");
    store.set_role(user.id, role, vec![changed]).await.map_err(told)?;
    print(&format!("{} has the role {} now.\n", called(&user), role.as_str()))?;
    Ok(())
}

async fn export(
    store: &Store,
    settings: &Settings,
    name: &str,
    out: Option<&Path>,
    form: TakeoutForm,
    ambient: &Ambient,
) -> anyhow::Result<()> {
    let user = find(store, name).await?;
    let subject = Subject::User(user.id);
    let outbound = Outbound::new(settings.models.timeouts.connect).map_err(told)?;
    let aws = Aws::new(settings.aws.clone(), outbound.operator().clone(), ambient.clone());
    let blobs = Blobs::open(&settings.blobs, outbound.operator(), &aws, ambient).map_err(told)?;
    let mut file = match out {
        None if form == TakeoutForm::Zip && std::io::stdout().is_terminal() => {
            anyhow::bail!("an archive is nothing to read; write it into a file with --out")
        }
        None => None,
        Some(path) => {
            let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            Some(opened.with_context(|| format!("{} cannot be written", path.display()))?)
        }
    };
    let pages = store.export_pages(&subject).await.map_err(told)?;
    store.record(vec![event(EventType::DataExported, user.id)]).await.map_err(told)?;
    let parts = TakeoutParts { store: store.clone(), blobs, subject, pages, at: ambient.now(), form };
    let mut takeout = parts.begin();
    let mut written = Ok(());
    while let Some(piece) = takeout.next().await {
        written = match (piece, &mut file) {
            (Err(fault), _) => Err(told(fault)),
            (Ok(piece), None) => std::io::stdout().lock().write_all(&piece).map_err(Into::into),
            (Ok(piece), Some(file)) => file.write_all(&piece).map_err(Into::into),
        };
        if written.is_err() {
            break;
        }
    }
    if let (Err(_), Some(path)) = (&written, out) {
        // What is not whole must not look as if it were.
        let _ = std::fs::remove_file(path);
    }
    written?;
    if let (Some(file), Some(path)) = (file, out) {
        file.sync_all()?;
        complain(&format!("The data of {} is in {}.", called(&user), path.display()));
    }
    Ok(())
}

async fn erase(store: &Store, name: &str, yes: bool) -> anyhow::Result<bool> {
    let user = find(store, name).await?;
    if let Some(hold) = store.hold_on(&Subject::User(user.id)).await.map_err(told)? {
        anyhow::bail!(
            "the legal hold {} keeps the data of {}: {}; `stoa hold remove {}` ends it",
            hold.id,
            called(&user),
            hold.reason,
            hold.id
        );
    }
    let question = format!("Erase {} with everything in it, for good? [y/N] ", called(&user));
    if !yes && !prompt::confirm(&question)? {
        complain("Nothing was changed.");
        return Ok(false);
    }
    let erased = store
        .erase(&Subject::User(user.id), vec![event(EventType::DataErased, user.id)])
        .await
        .map_err(told)?;
    print_json(&serde_json::to_value(&erased)?)?;
    Ok(true)
}

fn called(user: &User) -> String {
    if user.email.is_empty() { format!("user:{}", user.id) } else { user.email.clone() }
}
