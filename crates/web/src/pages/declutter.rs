//! The page of what can go: the report as a person reads it, what they pick from it, and what will happen then. What is
//! suggested is decided in `apps`; this room only chooses which boxes are ticked already, and ticks nothing that could
//! lose something.

use std::collections::HashSet;

use apps::clutter::{Advice, Evidence, Finding, FindingKind, Member, Relation, View};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use identity::{FilesDelete, FilesRead, FilesWrite};
use kernel::{Code, Fault};

use super::files::{Tab, around, line, store, ticked, told};
use super::form::{Fields, local, onward, page};
use super::person::Person;
use crate::Site;
use crate::failure::Outcome;
use crate::texts::{count, key, say};
use crate::ui::files::{Candidate, DeclutterPage, FindingView, KindLine, PreviewPage};
use crate::ui::frame::size;
use crate::ui::html;
use crate::ui::pieces::{Empty, FilterTab, Pair, Side};

/// Suggestions that one page shows.
const SHOWN: usize = 20;
/// Boxes that a page ticks at the most: what one request may name.
const TICKED: usize = 1_000;
/// Files that a preview names.
const NAMED: usize = 50;
/// So many may be said to belong beside each other.
const BESIDE: std::ops::RangeInclusive<usize> = 2..=50;
/// So many are carried by a redirect, to be taken back.
const CARRIED: usize = 10;
/// Pictures up to this size are shown beside each other.
const PICTURE: u64 = 20 << 20;
/// The endings of pictures that browsers show.
const PICTURES: [&str; 7] = ["png", "jpg", "jpeg", "gif", "webp", "bmp", "avif"];

/// The pages of what can go.
pub(super) fn routes() -> Router<Site> {
    Router::new().route("/files/declutter", get(report)).route("/files/declutter/ignore", post(ignore))
}

/// What throws files away, or looks at what that would do.
pub(super) fn deletions() -> Router<Site> {
    Router::new()
        .route("/files/declutter/preview", post(preview))
        .route("/files/declutter/apply", post(apply))
}

async fn report(State(site): State<Site>, person: Person) -> Outcome<Response> {
    show(&site, &person, None, StatusCode::OK).await
}

/// The address of a piece of the report.
fn address(kind: Option<FindingKind>, from: usize) -> String {
    match (kind, from) {
        (None, 0) => "/files/declutter".to_owned(),
        (None, from) => format!("/files/declutter?from={from}"),
        (Some(kind), 0) => format!("/files/declutter?kind={}", kind.as_str()),
        (Some(kind), from) => format!("/files/declutter?kind={}&from={from}", kind.as_str()),
    }
}

async fn show(site: &Site, person: &Person, failed: Option<String>, code: StatusCode) -> Outcome<Response> {
    let (mut around, _) = around(site, person, Tab::Declutter).await?;
    around.failed = failed;
    let may = person.may(site, FilesRead(store(site, person)?))?;
    let found = site.hall.declutter(&may).await?;
    let report = &found.report;
    // A kind of which nothing is left, or which never was, shows everything.
    let kind = FindingKind::parse(&person.asked("kind"))
        .filter(|kind| report.totals.iter().any(|total| total.kind == *kind));
    let from: usize = person.asked("from").parse().unwrap_or_default();
    let wanted: Vec<&Finding> =
        report.findings.iter().filter(|finding| kind.is_none_or(|kind| finding.kind == kind)).collect();
    let from = if from < wanted.len() { from } else { 0 };
    let mut picker = Picker::default();
    let findings = wanted.iter().skip(from).take(SHOWN).map(|finding| view(finding, &mut picker)).collect();
    let further = from.saturating_add(SHOWN);
    let all = u64::try_from(report.findings.len()).unwrap_or(u64::MAX);
    let tab = |name: &str, this: Option<FindingKind>, count| FilterTab {
        name: name.to_owned(),
        href: address(this, 0),
        count: Some(count),
        current: this == kind,
    };
    let mut kinds = vec![tab(key("All"), None, all)];
    kinds.extend(report.totals.iter().map(|total| tab(total.kind.label(), Some(total.kind), total.findings)));
    let totals = report.totals.iter().map(|total| KindLine {
        name: total.kind.label(),
        href: address(Some(total.kind), 0),
        findings: total.findings,
        files: total.amount.files,
        logical: total.amount.logical_bytes,
        physical: total.amount.physical_bytes,
    });
    let shown = DeclutterPage {
        around,
        made_at: found.made_at,
        pending: found.pending,
        seen: report.seen.files,
        totals: totals.collect(),
        together: (report.together.files, report.together.logical_bytes, report.together.physical_bytes),
        kinds,
        findings,
        empty: nothing(report.seen.files, found.pending),
        next: (further < wanted.len()).then(|| address(kind, further)),
        here: address(kind, from),
    };
    Ok(page(code, html(&shown)?))
}

fn nothing(seen: u64, pending: u64) -> Empty {
    let (title, text) = match (seen, pending) {
        (0, _) => (
            key("No files, nothing to tidy"),
            key("Once you have stored files, what can go is suggested here."),
        ),
        (_, 0) => (
            key("Everything is tidy"),
            key("Nothing is there twice, empty, broken or left over. Come back when you have stored more."),
        ),
        _ => (
            key("Nothing found so far"),
            key("Some files are still being looked at. Look again in a minute."),
        ),
    };
    let action = Some((
        "/files".to_owned(),
        if seen == 0 { key("Add files") } else { key("To your files") }.to_owned(),
    ));
    Empty { icon: "check", title: title.to_owned(), text: text.to_owned(), action }
}

/// Which boxes are ticked already. What goes in one finding must not be what another keeps: all that is ticked can go
/// together.
#[derive(Default)]
struct Picker {
    going: HashSet<uuid::Uuid>,
    kept: HashSet<uuid::Uuid>,
}

impl Picker {
    fn ticks(&mut self, finding: &Finding, member: &Member) -> bool {
        let goes: Vec<_> = files(member);
        let stays = || member.evidence.iter().filter_map(|one| one.other);
        let safe = finding.kind.loses_nothing()
            && member.advice == Advice::Go
            && self.going.len().saturating_add(goes.len()) <= TICKED
            && goes.iter().all(|id| !self.kept.contains(id))
            && stays().all(|id| !self.going.contains(&id) && !goes.contains(&id));
        if safe {
            self.kept.extend(stays());
            self.going.extend(goes);
        }
        safe
    }
}

/// The files that go with a member: it, or what is in it.
fn files(member: &Member) -> Vec<uuid::Uuid> {
    match member.id {
        Some(id) => vec![id],
        None => member.evidence.iter().map(|one| one.file).collect(),
    }
}

fn view(finding: &Finding, picker: &mut Picker) -> FindingView {
    let members: Vec<Candidate> = finding
        .members
        .iter()
        .map(|member| {
            let stays = member.advice == Advice::Keep;
            let ids: Vec<String> = files(member).iter().map(ToString::to_string).collect();
            Candidate {
                path: member.path.clone(),
                bytes: member.size,
                at: member.modified,
                why: member.why.clone(),
                proof: proof(&member.evidence),
                // More than one request may name cannot be picked at once.
                value: if stays || ids.len() > TICKED { String::new() } else { ids.join(",") },
                ticked: picker.ticks(finding, member),
                stays,
                href: member.id.map(|id| format!("/api/v1/files/{id}/content")).unwrap_or_default(),
            }
        })
        .collect();
    let ids: Vec<String> = finding.members.iter().filter_map(|one| one.id).map(|id| id.to_string()).collect();
    let paired = ids.len() == finding.members.len() && BESIDE.contains(&ids.len());
    let alike =
        matches!(finding.kind, FindingKind::SimilarImage | FindingKind::NearDocument | FindingKind::Version);
    FindingView {
        kind: finding.kind.label(),
        reason: finding.reason.clone(),
        safe: finding.kind.loses_nothing(),
        pair: pair(finding).filter(|_| alike),
        members,
        logical: finding.logical_bytes,
        physical: finding.physical_bytes,
        ignore: if paired && (alike || finding.kind == FindingKind::Duplicate) { ids } else { Vec::new() },
        ignore_label: if alike {
            key("These are different, never ask again")
        } else {
            key("Keep them all, never ask again")
        },
    }
}

/// Two files beside each other.
fn pair(finding: &Finding) -> Option<Pair> {
    let [left, right] = finding.members.as_slice() else { return None };
    let side = |member: &Member| {
        let id = member.id?;
        let href = format!("/api/v1/files/{id}/content");
        let ending = member.path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let seen = finding.kind == FindingKind::SimilarImage
            && member.size <= PICTURE
            && ending.is_some_and(|ending| PICTURES.contains(&ending.as_str()));
        Some(Side {
            title: member.path.rsplit('/').next().unwrap_or_default().to_owned(),
            picture: if seen { href.clone() } else { String::new() },
            href,
            excerpt: String::new(),
            tag: if member.advice == Advice::Keep { key("stays") } else { "" }.to_owned(),
            value: id.to_string(),
            chosen: false,
        })
    };
    let folder = |member: &Member| match member.path.rsplit_once('/') {
        Some((folder, _)) => folder.to_owned(),
        None => "none".to_owned(),
    };
    let day = |member: &Member| member.modified.rfc3339_seconds().get(..10).unwrap_or_default().to_owned();
    Some(Pair {
        title: finding.reason.clone(),
        left: side(left)?,
        right: side(right)?,
        rows: vec![
            (key("Folder").to_owned(), folder(left), folder(right)),
            (key("Size").to_owned(), size(left.size), size(right.size)),
            (key("Changed").to_owned(), day(left), day(right)),
        ],
        choice: "",
    })
}

/// What proves a suggestion, in words.
fn proof(evidence: &[Evidence]) -> String {
    let [one] = evidence else {
        return match evidence.len() {
            0 => String::new(),
            many => count("{count} file was compared.|{count} files were compared one by one.", many as u64)
                .to_string(),
        };
    };
    match one.relation {
        Relation::Identical => match one.digest {
            Some(digest) => {
                let digest = digest.to_string();
                say("Same bytes: BLAKE3 {digest}… on both.")
                    .with("digest", digest.get(..12).unwrap_or(&digest))
                    .to_string()
            }
            None => say("Same bytes.").to_string(),
        },
        Relation::Looks { frequencies, gradients, view } => {
            let how = match view {
                View::Whole => key("the same picture"),
                View::Trimmed => key("without its border"),
                View::Part => key("a part of it"),
                View::Turned => key("turned or mirrored"),
            };
            say("Fingerprints differ in {frequencies} and {gradients} of 64 bits: {how}.")
                .with("frequencies", frequencies)
                .with("gradients", gradients)
                .with("how", say(how))
                .to_string()
        }
        Relation::Reads { alike } => {
            say("{share} % of the text is in both.").with("share", alike).to_string()
        }
        Relation::PartOf { share } => {
            say("{share} % of its text is in the other.").with("share", share).to_string()
        }
        Relation::Empty => say("It has 0 bytes.").to_string(),
        Relation::Alone => String::new(),
    }
}

/// Where a form leads back to: a piece of the report, and nothing else.
fn back(fields: &Fields) -> String {
    let back = local(fields.text("back"));
    let ours = back == "/files/declutter" || back.starts_with("/files/declutter?");
    if ours { back } else { "/files/declutter" }.to_owned()
}

fn with(address: &str, query: &str) -> String {
    let mark = if address.contains('?') { '&' } else { '?' };
    format!("{address}{mark}{query}")
}

/// A refusal as the report of now with what is wrong above it.
async fn refused(site: &Site, person: &Person, fault: Fault) -> Outcome<Response> {
    let stale = fault.code() == Code::Conflict;
    let (code, words) = told(fault)?;
    let more =
        if stale { say("Nothing was moved; below is how it is now.") } else { say("Nothing was moved.") };
    show(site, person, Some(format!("{words} {more}")), code).await
}

async fn preview(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let app = store(&site, &person)?;
    let may = person.may(&site, FilesDelete(app.clone()))?;
    let applied = match ticked(&fields, "go") {
        Ok(ids) if ids.is_empty() => Err(Fault::invalid("go", "missing", key("tick at least one file"))),
        Ok(ids) => site.hall.apply_declutter(&may, &ids, true).await,
        Err(fault) => Err(fault),
    };
    let applied = match applied {
        Ok(applied) => applied,
        Err(fault) => return refused(&site, &person, fault).await,
    };
    let (around, usage) = around(&site, &person, Tab::None).await?;
    let reads = person.may(&site, FilesRead(app))?;
    let mut files = Vec::new();
    for id in applied.files.iter().take(NAMED) {
        files.push(line(site.hall.file(&reads, *id).await?, usage.trash));
    }
    let shown = PreviewPage {
        around,
        more: u64::try_from(applied.files.len().saturating_sub(files.len())).unwrap_or(u64::MAX),
        files,
        ids: applied.files.iter().map(ToString::to_string).collect(),
        logical: applied.logical_bytes,
        physical: applied.physical_bytes,
        verified: applied.verified,
        days: usage.trash.as_secs() / 86_400,
        back: back(&fields),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

async fn apply(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let may = person.may(&site, FilesDelete(store(&site, &person)?))?;
    let applied = match ticked(&fields, "go") {
        Ok(ids) => site.hall.apply_declutter(&may, &ids, false).await,
        Err(fault) => Err(fault),
    };
    match applied {
        Ok(applied) => {
            let batch = applied.batch.map(|batch| batch.to_string()).unwrap_or_default();
            let done = format!("done=trashed&n={}&batch={batch}", applied.files.len());
            Ok(onward(&with(&back(&fields), &done)))
        }
        Err(fault) => refused(&site, &person, fault).await,
    }
}

async fn ignore(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let may = person.may(&site, FilesWrite(store(&site, &person)?))?;
    let undo = fields.text("undo") == "yes";
    let ids = match ticked(&fields, "id") {
        Ok(ids) => ids,
        Err(fault) => return refused(&site, &person, fault).await,
    };
    if let Err(fault) = site.hall.ignore_files(&may, &ids, !undo).await {
        return refused(&site, &person, fault).await;
    }
    if undo {
        return Ok(onward(&with(&back(&fields), "done=unignored")));
    }
    let carried: Vec<String> = ids.iter().take(CARRIED + 1).map(ToString::to_string).collect();
    // Half of them taken back would be a third thing.
    let carried = if carried.len() > CARRIED { String::new() } else { carried.join(".") };
    Ok(onward(&with(&back(&fields), &format!("done=ignored&ids={carried}"))))
}

#[cfg(test)]
mod tests {
    use apps::clutter::Finding;
    use kernel::Time;
    use uuid::Uuid;

    use super::*;

    fn member(n: u128, advice: Advice, stays: Option<u128>) -> Member {
        let evidence = stays.map(|other| Evidence {
            file: Uuid::from_u128(n),
            digest: None,
            other: Some(Uuid::from_u128(other)),
            other_digest: None,
            relation: Relation::Identical,
        });
        Member {
            id: Some(Uuid::from_u128(n)),
            path: format!("a/{n}.png"),
            size: 10,
            modified: Time::EPOCH,
            advice,
            why: String::new(),
            evidence: evidence.into_iter().collect(),
        }
    }

    fn finding(kind: FindingKind, members: Vec<Member>) -> Finding {
        Finding { kind, reason: "Twice.".to_owned(), members, logical_bytes: 10, physical_bytes: 0 }
    }

    #[test]
    fn only_what_loses_nothing_is_ticked_and_never_what_another_keeps() {
        let mut picker = Picker::default();
        let keep = |n| member(n, Advice::Keep, None);
        let first = finding(FindingKind::Duplicate, vec![keep(1), member(2, Advice::Go, Some(1))]);
        let second = finding(FindingKind::Duplicate, vec![keep(2), member(1, Advice::Go, Some(2))]);
        let looks = finding(FindingKind::SimilarImage, vec![keep(3), member(4, Advice::Go, Some(3))]);
        let ticks = |one: &Finding, picker: &mut Picker| -> Vec<bool> {
            view(one, picker).members.iter().map(|member| member.ticked).collect()
        };
        assert_eq!(ticks(&first, &mut picker), [false, true]);
        assert_eq!(ticks(&second, &mut picker), [false, false]);
        assert_eq!(ticks(&looks, &mut picker), [false, false]);
        assert_eq!(ticks(&first, &mut picker), [false, true], "the same again stands");
    }

    #[test]
    fn pictures_stand_beside_each_other_and_what_stays_cannot_be_picked() {
        let looks = finding(
            FindingKind::SimilarImage,
            vec![member(1, Advice::Keep, None), member(2, Advice::Look, Some(1))],
        );
        let shown = view(&looks, &mut Picker::default());
        let pair = shown.pair.unwrap();
        assert!(pair.left.picture.ends_with("/content") && pair.left.tag == "stays");
        assert!(shown.members.first().unwrap().value.is_empty());
        assert_eq!(shown.ignore.len(), 2);
    }

    #[test]
    fn forms_lead_back_to_the_report_alone() {
        for (typed, led) in [
            ("/files/declutter?kind=duplicate", "/files/declutter?kind=duplicate"),
            ("/files/declutterx", "/files/declutter"),
            ("//evil", "/files/declutter"),
            ("", "/files/declutter"),
        ] {
            let query = format!("back={}", crate::ui::frame::encode(typed));
            assert_eq!(back(&Fields::of_query(Some(&query))), led, "{typed}");
        }
        assert_eq!(with("/files/declutter?from=20", "n=1"), "/files/declutter?from=20&n=1");
    }
}
