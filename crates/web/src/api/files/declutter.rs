//! What can go: the report, what somebody picks from it, and what is to be left alone.

use apps::clutter::{Advice, Amount, Evidence, Finding, FindingKind, Member, Relation, Report, Total};
use axum::extract::State;
use http::StatusCode;
use identity::{FilesDelete, FilesRead, FilesWrite};
use kernel::{Fault, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::problems::{Changing, OnOne};
use super::{app_of, ids};
use crate::Site;
use crate::body::{Json, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// How many findings are shown unless said.
const SHOWN: usize = 200;

/// What of the report is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The app; the first file store that the caller may enter unless said.
    #[param(pattern = "^[a-z][a-z0-9-]{0,31}$")]
    app: Option<String>,
    /// Only findings of this kind: `duplicate`, `identical_folder`, `contained_folder`, `similar_image`,
    /// `near_document`, `version`, `empty_file`, `empty_folder`, `temporary`, `broken`, `wrong_extension`, `big`, `old`.
    kind: Option<String>,
    /// How many findings, 1 to 1000; 200 unless said. The totals count all.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// How much something is.
#[derive(Serialize, ToSchema)]
#[schema(as = ClutterAmount)]
pub(crate) struct AmountView {
    /// Files.
    files: u64,
    /// Their sizes together.
    logical_bytes: u64,
    /// What would be free: contents that other files keep free nothing.
    physical_bytes: u64,
}

impl AmountView {
    fn of(amount: Amount) -> AmountView {
        let Amount { files, logical_bytes, physical_bytes } = amount;
        AmountView { files, logical_bytes, physical_bytes }
    }
}

/// What there is of one kind.
#[derive(Serialize, ToSchema)]
#[schema(as = ClutterTotal)]
pub(crate) struct TotalView {
    /// The kind.
    #[schema(example = "duplicate")]
    kind: &'static str,
    /// It as a heading.
    label: &'static str,
    /// How many findings.
    findings: u64,
    /// What can go, each file counted once.
    amount: AmountView,
}

/// A proof that a program can check.
#[derive(Serialize, ToSchema)]
#[schema(as = ClutterEvidence)]
pub(crate) struct EvidenceView {
    /// What can go.
    file_id: Uuid,
    /// The BLAKE3 of its content.
    digest: Option<String>,
    /// What stays.
    other_id: Option<Uuid>,
    /// The BLAKE3 of its content.
    other_digest: Option<String>,
    /// `identical`, `looks`, `reads`, `part_of`, `empty` or `alone`, with how near they are.
    #[schema(value_type = Object)]
    relation: Relation,
}

impl EvidenceView {
    fn of(evidence: &Evidence) -> EvidenceView {
        EvidenceView {
            file_id: evidence.file,
            digest: evidence.digest.map(|digest| digest.to_string()),
            other_id: evidence.other,
            other_digest: evidence.other_digest.map(|digest| digest.to_string()),
            relation: evidence.relation,
        }
    }
}

/// A file or a folder of a finding.
#[derive(Serialize, ToSchema)]
#[schema(as = ClutterMember)]
pub(crate) struct MemberView {
    /// The file; `null` for a folder.
    file_id: Option<Uuid>,
    /// Folder and name.
    path: String,
    /// How many bytes; of a folder: of everything in it.
    size: u64,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    modified_at: Time,
    /// `keep`, `go` or `look`.
    advice: &'static str,
    /// Why.
    why: String,
    /// What proves it.
    evidence: Vec<EvidenceView>,
}

impl MemberView {
    fn of(member: &Member) -> MemberView {
        MemberView {
            file_id: member.id,
            path: member.path.clone(),
            size: member.size,
            modified_at: member.modified,
            advice: match member.advice {
                Advice::Keep => "keep",
                Advice::Go => "go",
                Advice::Look => "look",
            },
            why: member.why.clone(),
            evidence: member.evidence.iter().map(EvidenceView::of).collect(),
        }
    }
}

/// Something that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = ClutterFinding)]
pub(crate) struct FindingView {
    /// What it is.
    #[schema(example = "duplicate")]
    kind: &'static str,
    /// Why it is told of.
    reason: String,
    /// Nothing is lost when what is advised to go goes.
    loses_nothing: bool,
    /// The files or folders, what is kept first.
    members: Vec<MemberView>,
    /// The sizes of what is advised to go.
    logical_bytes: u64,
    /// What would be free then.
    physical_bytes: u64,
}

impl FindingView {
    fn of(finding: &Finding) -> FindingView {
        FindingView {
            kind: finding.kind.as_str(),
            reason: finding.reason.clone(),
            loses_nothing: finding.kind.loses_nothing(),
            members: finding.members.iter().map(MemberView::of).collect(),
            logical_bytes: finding.logical_bytes,
            physical_bytes: finding.physical_bytes,
        }
    }
}

/// What can go, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = Declutter)]
pub(crate) struct DeclutterView {
    /// When the report was made.
    #[schema(value_type = String, format = DateTime)]
    made_at: Time,
    /// Contents that have not been looked at yet: pictures and documents among them are not compared so far.
    pending: u64,
    /// What was found.
    findings: Vec<FindingView>,
    /// There are more findings than are shown.
    more: bool,
    /// For each kind, how much.
    totals: Vec<TotalView>,
    /// Everything that is advised to go, each file counted once.
    together: AmountView,
    /// Everything that was looked at.
    seen: AmountView,
}

impl DeclutterView {
    fn of(declutter: &apps::Declutter, kind: Option<FindingKind>, limit: usize) -> DeclutterView {
        let Report { findings, totals, together, seen } = &declutter.report;
        let mut wanted = findings.iter().filter(|finding| kind.is_none_or(|kind| finding.kind == kind));
        let total = |total: &Total| TotalView {
            kind: total.kind.as_str(),
            label: total.kind.label(),
            findings: total.findings,
            amount: AmountView::of(total.amount),
        };
        DeclutterView {
            made_at: declutter.made_at,
            pending: declutter.pending,
            findings: wanted.by_ref().take(limit).map(FindingView::of).collect(),
            more: wanted.next().is_some(),
            totals: totals.iter().map(total).collect(),
            together: AmountView::of(*together),
            seen: AmountView::of(*seen),
        }
    }
}

/// What of one's files can go, and why: groups with the reason, what to keep, and the bytes to gain. Nothing is read
/// again for it: what a content holds was found when it came in.
#[utoipa::path(get, path = "/api/v1/files/declutter", operation_id = "declutterFiles", tag = "files", params(Wanted), responses(
    (status = 200, description = "The report", body = DeclutterView),
    OnOne,
))]
pub(crate) async fn report(
    State(site): State<Site>,
    who: Who,
    Query(wanted): Query<Wanted>,
) -> Outcome<axum::Json<DeclutterView>> {
    let may = who.may(&site, FilesRead(app_of(&site, &who, wanted.app.as_deref())?))?;
    let unknown = || Fault::invalid("kind", "unknown", "there is no such kind of finding");
    let kind = wanted.kind.as_deref().map(|word| FindingKind::parse(word).ok_or_else(unknown)).transpose()?;
    let limit = wanted.limit.unwrap_or(SHOWN);
    if !(1..=1_000).contains(&limit) {
        return Err(Fault::invalid("limit", "out_of_range", "1 to 1000 findings").into());
    }
    let found = site.hall.declutter(&may).await?;
    Ok(axum::Json(DeclutterView::of(&found, kind, limit)))
}

/// What is picked from a report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Picked {
    /// The files that shall go, at most 1,000; each must be suggested by the report of now.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 1000)]
    file_ids: Vec<String>,
    /// `true`: only says what would happen.
    #[serde(default)]
    preview: bool,
}

/// What was done.
#[derive(Serialize, ToSchema)]
#[schema(as = Decluttered)]
pub(crate) struct AppliedView {
    /// Under this id all of it comes back; `null` for a preview.
    batch_id: Option<Uuid>,
    /// The files that went, or would go.
    file_ids: Vec<Uuid>,
    /// Their sizes together.
    logical_bytes: u64,
    /// What will be free when they have left the trash.
    physical_bytes: u64,
    /// How many contents that stay were read to the end and compared with what they shall be.
    verified: u64,
}

/// Moves what was picked to the trash, all of it or nothing: one operation, which one call takes back. A suggestion that
/// does not stand any more is refused with 409. What is kept in the place of a file is read to the end before.
#[utoipa::path(post, path = "/api/v1/files/declutter/apply", operation_id = "applyDeclutter", tag = "files", request_body = Picked, responses(
    (status = 200, description = "They are in the trash", body = AppliedView),
    Changing,
))]
pub(crate) async fn apply(
    State(site): State<Site>,
    who: Who,
    Json(picked): Json<Picked>,
) -> Outcome<axum::Json<AppliedView>> {
    let may = who.may(&site, FilesDelete(app_of(&site, &who, None)?))?;
    let applied = site.hall.apply_declutter(&may, &ids(&picked.file_ids)?, picked.preview).await?;
    Ok(axum::Json(AppliedView {
        batch_id: applied.batch.map(|batch| batch.uuid()),
        file_ids: applied.files.iter().map(|id| id.uuid()).collect(),
        logical_bytes: applied.logical_bytes,
        physical_bytes: applied.physical_bytes,
        verified: applied.verified,
    }))
}

/// Files that are wanted beside each other.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ignored {
    /// 2 to 50 files.
    #[schema(value_type = Vec<Uuid>, min_items = 2, max_items = 50)]
    file_ids: Vec<String>,
    /// `false` takes it back.
    #[serde(default = "yes")]
    ignored: bool,
}

const fn yes() -> bool {
    true
}

/// Says that files are all wanted: no report puts them to one another again.
#[utoipa::path(post, path = "/api/v1/files/declutter/ignore", operation_id = "ignoreFiles", tag = "files", request_body = Ignored, responses(
    (status = 204, description = "It is kept in mind"),
    Changing,
))]
pub(crate) async fn ignore(
    State(site): State<Site>,
    who: Who,
    Json(pair): Json<Ignored>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, FilesWrite(app_of(&site, &who, None)?))?;
    site.hall.ignore_files(&may, &ids(&pair.file_ids)?, pair.ignored).await?;
    Ok(StatusCode::NO_CONTENT)
}
