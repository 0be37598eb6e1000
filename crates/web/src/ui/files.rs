//! The pages of the file store: files, trash, what can go. Names and folders are text that somebody else may have
//! chosen: nothing here prints them as anything else.

use askama::Template;
use kernel::Time;

use super::frame::Frame;
use super::pieces::{DropZone, Empty, FilterTab, Pair};
use crate::texts::{filters, key, say};

/// What has just been done, and how it is taken back.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) text: String,
    /// Where the way back is posted to, with its fields; empty for none.
    pub(crate) undo: String,
    pub(crate) fields: Vec<(&'static str, String)>,
}

/// What stands on every page of the file store.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    pub(crate) frame: Frame,
    pub(crate) tabs: Vec<FilterTab>,
    pub(crate) done: Option<Notice>,
    pub(crate) failed: Option<String>,
    /// Files may be stored and taken out of the trash.
    pub(crate) writes: bool,
    /// Files may be thrown away.
    pub(crate) deletes: bool,
}

/// What one has and may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) logical: u64,
    pub(crate) physical: u64,
    pub(crate) trashed: u64,
    pub(crate) quota: u64,
}

impl Room {
    /// Hundredths of the quota, rounded up: something is never nothing.
    pub(crate) fn share(&self) -> u64 {
        let share = (u128::from(self.physical) * 100).div_ceil(u128::from(self.quota.max(1)));
        u64::try_from(share.min(100)).unwrap_or(100)
    }

    pub(crate) fn tone(&self) -> &'static str {
        match self.share() {
            0..80 => "",
            80..95 => "warn",
            _ => "bad",
        }
    }
}

/// A file in a list.
#[derive(Clone, Debug)]
pub(crate) struct FileLine {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) folder: String,
    pub(crate) kind: String,
    pub(crate) bytes: u64,
    pub(crate) at: Time,
    /// When it goes for good; of files in the trash.
    pub(crate) goes: Option<Time>,
    /// The batch that it begins on this page, and how many of it are on the page, when there are several.
    pub(crate) batch: Option<(String, usize)>,
}

/// `/files`.
#[derive(Clone, Debug, Template)]
#[template(path = "files/list.html")]
pub(crate) struct FilesPage {
    pub(crate) around: Around,
    pub(crate) zone: DropZone,
    pub(crate) room: Room,
    pub(crate) q: String,
    pub(crate) files: Vec<FileLine>,
    pub(crate) empty: Empty,
    /// The address of the rest of the list.
    pub(crate) next: Option<String>,
    /// The list does not begin here.
    pub(crate) later: bool,
}

/// `/files/trash`.
#[derive(Clone, Debug, Template)]
#[template(path = "files/trash.html")]
pub(crate) struct TrashPage {
    pub(crate) around: Around,
    pub(crate) files: Vec<FileLine>,
    pub(crate) empty: Empty,
    pub(crate) next: Option<String>,
    /// How many there are, and their sizes together.
    pub(crate) all: (u64, u64),
    pub(crate) days: u64,
}

/// What is asked before something goes for good.
#[derive(Clone, Debug, Template)]
#[template(path = "files/sure.html")]
pub(crate) struct SurePage {
    pub(crate) around: Around,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) action: &'static str,
    pub(crate) ids: Vec<String>,
    pub(crate) label: &'static str,
}

/// What can go of one kind.
#[derive(Clone, Debug)]
pub(crate) struct KindLine {
    pub(crate) name: &'static str,
    pub(crate) href: String,
    pub(crate) findings: u64,
    pub(crate) files: u64,
    pub(crate) logical: u64,
    pub(crate) physical: u64,
}

/// A file or a folder of a finding.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) at: Time,
    pub(crate) why: String,
    /// What proves it, in words.
    pub(crate) proof: String,
    /// The ids of its files with commas between; empty for what stays.
    pub(crate) value: String,
    pub(crate) ticked: bool,
    /// It stays.
    pub(crate) stays: bool,
    /// Where it is downloaded; empty for a folder.
    pub(crate) href: String,
}

/// Something that was found.
#[derive(Clone, Debug)]
pub(crate) struct FindingView {
    pub(crate) kind: &'static str,
    pub(crate) reason: String,
    pub(crate) safe: bool,
    pub(crate) members: Vec<Candidate>,
    pub(crate) pair: Option<Pair>,
    pub(crate) logical: u64,
    pub(crate) physical: u64,
    /// The files that can be said to belong beside each other, and what the button says.
    pub(crate) ignore: Vec<String>,
    pub(crate) ignore_label: &'static str,
}

/// `/files/declutter`.
#[derive(Clone, Debug, Template)]
#[template(path = "files/declutter.html")]
pub(crate) struct DeclutterPage {
    pub(crate) around: Around,
    pub(crate) made_at: Time,
    /// Contents that nobody has looked at yet, and how many files there are.
    pub(crate) pending: u64,
    pub(crate) seen: u64,
    pub(crate) totals: Vec<KindLine>,
    /// All of them together.
    pub(crate) together: (u64, u64, u64),
    pub(crate) kinds: Vec<FilterTab>,
    pub(crate) findings: Vec<FindingView>,
    pub(crate) empty: Empty,
    pub(crate) next: Option<String>,
    /// Where this page is found again.
    pub(crate) here: String,
}

impl DeclutterPage {
    pub(crate) fn looked(&self) -> u64 {
        self.seen.saturating_sub(self.pending)
    }

    /// Whether anything on this page can be picked.
    pub(crate) fn picks(&self) -> bool {
        self.around.deletes
            && self.findings.iter().flat_map(|one| &one.members).any(|one| !one.value.is_empty())
    }
}

/// What will happen.
#[derive(Clone, Debug, Template)]
#[template(path = "files/preview.html")]
pub(crate) struct PreviewPage {
    pub(crate) around: Around,
    pub(crate) files: Vec<FileLine>,
    pub(crate) more: u64,
    pub(crate) ids: Vec<String>,
    pub(crate) logical: u64,
    pub(crate) physical: u64,
    pub(crate) verified: u64,
    pub(crate) days: u64,
    pub(crate) back: String,
}

impl PreviewPage {
    pub(crate) fn going(&self) -> u64 {
        u64::try_from(self.ids.len()).unwrap_or(u64::MAX)
    }
}

/// A media type as people call it.
pub(crate) fn kind(media_type: &str) -> String {
    let words = match media_type {
        "application/pdf" => "PDF",
        "application/zip" => key("ZIP archive"),
        "application/json" => "JSON",
        "text/plain" => key("Text"),
        "text/markdown" => "Markdown",
        "text/csv" => key("Table (CSV)"),
        "text/html" => key("Web page"),
        "application/octet-stream" => key("Data"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => key("Word document"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => key("Excel sheet"),
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => key("Slides"),
        other => {
            return match other.split_once('/') {
                Some(("image", form)) => say("Picture ({form})").with("form", plain(form)).to_string(),
                Some(("audio", form)) => say("Sound ({form})").with("form", plain(form)).to_string(),
                Some(("video", form)) => say("Video ({form})").with("form", plain(form)).to_string(),
                Some(("text", form)) => say("Text ({form})").with("form", plain(form)).to_string(),
                _ => other.to_owned(),
            };
        }
    };
    say(words).to_string()
}

fn plain(form: &str) -> String {
    form.trim_start_matches("x-").split('+').next().unwrap_or_default().to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_never_fuller_than_full() {
        let room = |physical, quota| Room { logical: 0, physical, trashed: 0, quota };
        assert_eq!([room(0, 10).share(), room(1, 1_000).share(), room(11, 10).share()], [0, 1, 100]);
        assert_eq!([room(0, 0).share(), room(u64::MAX, 1).share()], [0, 100]);
        assert_eq!([room(1, 10).tone(), room(8, 10).tone(), room(96, 100).tone()], ["", "warn", "bad"]);
    }

    #[test]
    fn types_have_names() {
        assert_eq!(kind("image/svg+xml"), "Picture (SVG)");
        assert_eq!(kind("application/pdf"), "PDF");
        assert_eq!(kind("application/x-thing"), "application/x-thing");
    }
}
