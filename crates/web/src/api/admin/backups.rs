//! Backups: what there is, how old it is, one more, one tried out. Restoring is done at the command line alone.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use identity::{Admin, May};
use kernel::{Actor, Fault, Result, Time};
use ops::backup::{Backups, Listed, Reason, silently};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::problems::{Changing, OnOne, Reading};
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::who::Who;

/// How long a caller waits for the end of what goes on without it too.
const PATIENCE: Duration = Duration::from_secs(20);

/// A backup.
#[derive(Serialize, ToSchema)]
#[schema(as = Backup)]
pub(crate) struct BackupView {
    /// Its name, by which `stoa restore` knows it.
    #[schema(example = "stoa_20261121_020000.stoa")]
    pub(crate) name: String,
    /// The moment that it shows.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Time,
    /// How many bytes it has.
    pub(crate) bytes: u64,
    /// It lies in the folder of the server that answers.
    pub(crate) local: bool,
    /// It lies in the bucket.
    pub(crate) bucket: bool,
    /// It can be read. Only a drill shows that it can be restored.
    pub(crate) readable: bool,
    /// `scheduled`, `manual`, `before_migration`, `before_restore`.
    pub(crate) reason: Option<&'static str>,
    /// How many rows it holds.
    pub(crate) rows: Option<u64>,
    /// How many contents of files.
    pub(crate) files: Option<u64>,
    /// The schema of its rows.
    pub(crate) schema: Option<u32>,
}

impl BackupView {
    pub(crate) fn of(listed: Listed) -> BackupView {
        let manifest = listed.manifest.as_ref();
        BackupView {
            at: listed.at,
            bytes: listed.bytes,
            local: listed.local,
            bucket: listed.bucket,
            readable: manifest.is_some(),
            reason: manifest.map(|manifest| manifest.reason.as_str()),
            rows: manifest.map(ops::backup::Manifest::rows),
            files: manifest.map(|manifest| manifest.files.count),
            schema: manifest.map(|manifest| manifest.schema),
            name: listed.name,
        }
    }
}

/// The backups, and how fresh they are.
#[derive(Serialize, ToSchema)]
#[schema(as = Backups)]
pub(crate) struct BackupsView {
    /// The newest first.
    items: Vec<BackupView>,
    /// Always `null`: all of them are here.
    next: Option<String>,
    /// `current`, `overdue`, or `none` where none was due yet.
    status: &'static str,
    /// The schedule, in UTC; absent when backups are made by hand.
    schedule: Option<String>,
    /// The moment that the newest shows.
    #[schema(value_type = Option<String>, format = DateTime)]
    last: Option<Time>,
    /// How old it is.
    age_seconds: Option<u64>,
    /// When one failed last.
    #[schema(value_type = Option<String>, format = DateTime)]
    failed: Option<Time>,
    /// When one was tried out last.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified: Option<Time>,
    /// `current`; `overdue`: over 30 days ago, or it failed; `none`.
    drill: &'static str,
}

/// What was asked for has begun and goes on.
#[derive(Serialize, ToSchema)]
#[schema(as = BackupRunning)]
pub(crate) struct RunningView {
    /// `running`; the list shows when it has ended.
    status: &'static str,
}

/// A backup that was tried out.
#[derive(Serialize, ToSchema)]
#[schema(as = BackupVerified)]
pub(crate) struct VerifiedView {
    /// Which.
    name: String,
    /// `verified`: it was restored into a scratch database, and is what it says.
    status: &'static str,
    /// How many rows were compared.
    rows: u64,
    /// How many contents of files.
    files: u64,
    /// How many subjects were erased since; they stay so.
    erased_subjects: u64,
    /// How long it took.
    milliseconds: u64,
}

/// The backups.
#[utoipa::path(get, path = "/api/v1/admin/backups", operation_id = "listBackups", tag = "admin", responses(
    (status = 200, description = "All backups", body = BackupsView),
    Reading,
))]
pub(crate) async fn list(State(site): State<Site>, who: Who) -> Outcome<axum::Json<BackupsView>> {
    let may = who.may(&site, Admin)?;
    Ok(axum::Json(all(&site, &may).await?))
}

async fn all(site: &Site, _may: &May<Admin>) -> Result<BackupsView> {
    let (now, status) = (site.ambient.now(), site.backups.status().await?);
    let items = site.backups.list().await?.into_iter().map(BackupView::of).collect();
    Ok(BackupsView {
        items,
        next: None,
        status: status.backups(now).as_str(),
        schedule: status.schedule.as_ref().map(|schedule| schedule.as_str().to_owned()),
        age_seconds: status.age(now).map(|age| age.as_secs()),
        drill: status.drills(now).as_str(),
        last: status.last.map(|last| last.at),
        failed: status.failed.map(|failed| failed.at),
        verified: status.verified.map(|drill| drill.at),
    })
}

/// Makes a backup now. It goes on when the caller does not wait.
#[utoipa::path(post, path = "/api/v1/admin/backups", operation_id = "createBackup", tag = "admin", responses(
    (status = 201, description = "It was made", body = BackupView),
    (status = 202, description = "It is being made; ask the list", body = RunningView),
    Changing,
))]
pub(crate) async fn create(State(site): State<Site>, who: Who) -> Outcome<Response> {
    let may = who.may(&site, Admin)?;
    Ok(match begin(&site.backups, &may).await? {
        Some(made) => (StatusCode::CREATED, axum::Json(made)).into_response(),
        None => (StatusCode::ACCEPTED, axum::Json(RunningView { status: "running" })).into_response(),
    })
}

/// Makes a backup, and waits for a while.
pub(crate) async fn begin(backups: &Backups, may: &May<Admin>) -> Result<Option<BackupView>> {
    let (backups, actor) = (backups.clone(), Actor::from(may.owner()));
    let work = tokio::spawn(async move {
        let made = backups.create(Reason::Manual, actor, &silently()).await?;
        backups.prune().await?;
        let listed = backups.list().await?;
        let own = listed.into_iter().find(|listed| listed.name == made.name);
        own.map(BackupView::of).ok_or_else(|| Fault::internal("a backup vanished"))
    });
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(ended) => ended.map_err(Fault::internal)?.map(Some),
        Err(_) => Ok(None),
    }
}

/// Tries a backup out: every byte is read, every row restored into a scratch database and compared.
#[utoipa::path(post, path = "/api/v1/admin/backups/{name}/verify", operation_id = "verifyBackup", tag = "admin",
    params(("name" = String, Path, description = "The backup")), responses(
    (status = 200, description = "It can be restored", body = VerifiedView),
    (status = 202, description = "It is being tried out; ask the list", body = RunningView),
    OnOne,
))]
pub(crate) async fn verify(
    State(site): State<Site>,
    who: Who,
    Path(name): Path<String>,
) -> Outcome<Response> {
    let may = who.may(&site, Admin)?;
    Ok(match attempt(&site.backups, &may, &name).await? {
        Some(verified) => axum::Json(verified).into_response(),
        None => (StatusCode::ACCEPTED, axum::Json(RunningView { status: "running" })).into_response(),
    })
}

/// Tries a backup of the list out, and waits for a while. Names of files are for the command line.
pub(crate) async fn attempt(backups: &Backups, may: &May<Admin>, name: &str) -> Result<Option<VerifiedView>> {
    let (backups, actor) = (backups.clone(), Actor::from(may.owner()));
    if !backups.list().await?.iter().any(|listed| listed.name == name) {
        return Err(kernel::Code::NotFound.into());
    }
    let name = name.to_owned();
    let work = tokio::spawn(async move {
        let found = backups.find(&name).await?;
        backups.verify(&found, actor, &silently()).await
    });
    let verified = match tokio::time::timeout(PATIENCE, work).await {
        Ok(ended) => ended.map_err(Fault::internal)??,
        Err(_) => return Ok(None),
    };
    Ok(Some(VerifiedView {
        status: "verified",
        rows: verified.rows,
        files: verified.files,
        erased_subjects: verified.erased,
        milliseconds: u64::try_from(verified.took.as_millis()).unwrap_or(u64::MAX),
        name: verified.name,
    }))
}
