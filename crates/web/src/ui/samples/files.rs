//! The pages of the file store with sample data and with hostile data.

use super::super::files::*;
use super::super::pieces::{DropZone, Empty, FilterTab, Pair, Side};
use super::{Words, ago, text};
use crate::ui::asset_url;

impl Words {
    fn around(self, current: usize) -> Around {
        let tab = |at: usize, name: &str, count| FilterTab {
            name: self.say(name),
            href: "/files".to_owned(),
            count,
            current: at == current,
        };
        Around {
            frame: self.frame(),
            tabs: vec![tab(0, "Files", Some(1_204)), tab(1, "Trash", Some(17)), tab(2, "What can go", None)],
            done: None,
            failed: None,
            writes: true,
            deletes: true,
        }
    }

    fn line(self, n: i64, name: &str, folder: &str, bytes: u64) -> FileLine {
        FileLine {
            id: format!("01939f2e-7c4a-7b31-9d55-{n:012}"),
            name: self.say(name),
            folder: if folder.is_empty() { String::new() } else { self.say(folder) },
            kind: self.say(&kind("application/pdf")),
            bytes,
            at: ago(n * 90_000),
            goes: None,
            batch: None,
        }
    }

    fn lines(self) -> Vec<FileLine> {
        vec![
            self.line(1, "Rental agreement 2026.pdf", "Letters/2026", 482_113),
            self.line(
                2,
                "a-very-long-name-of-a-file-that-somebody-exported-from-somewhere-with-everything-in-it.pdf",
                "",
                20_000_000,
            ),
            self.line(3, "مستند.pdf", "Scans", 12),
        ]
    }

    fn candidate(self, path: &str, why: &str, stays: bool, ticked: bool) -> Candidate {
        Candidate {
            path: self.say(path),
            bytes: 2_400_000,
            at: ago(800_000),
            why: self.say(why),
            proof: if stays {
                String::new()
            } else {
                self.say("Same bytes: BLAKE3 9f2c1e8b470a… on both.")
            },
            value: if stays { String::new() } else { self.say("01939f2e-7c4a-7b31-9d55-000000000001") },
            ticked,
            stays,
            href: "/api/v1/files/01939f2e-7c4a-7b31-9d55-000000000001/content".to_owned(),
        }
    }

    fn side(self, title: &str, tag: &str) -> Side {
        Side {
            title: self.say(title),
            href: "/api/v1/files/1/content".to_owned(),
            picture: if self == Words::Hostile { String::new() } else { asset_url("icon.svg").to_string() },
            excerpt: String::new(),
            tag: self.say(tag),
            value: String::new(),
            chosen: false,
        }
    }

    fn finding(self, kind: &'static str, reason: &str, safe: bool, pair: Option<Pair>) -> FindingView {
        FindingView {
            kind,
            reason: self.say(reason),
            safe,
            members: vec![
                self.candidate("Photos/2026/IMG_0012.jpg", "Kept because it was there first.", true, false),
                self.candidate(
                    "Downloads/IMG_0012 (1).jpg",
                    "The same 2400000 bytes as “Photos/2026/IMG_0012.jpg”.",
                    false,
                    safe,
                ),
            ],
            pair,
            logical: 2_400_000,
            physical: 0,
            ignore: vec!["1".to_owned(), "2".to_owned()],
            ignore_label: "These are different, never ask again",
        }
    }
}

/// Every page of the file store.
pub(super) fn pages(words: Words) -> Vec<(&'static str, String)> {
    let empty = |icon, title: &str, action: Option<&str>| {
        Empty {
        icon,
        title: words.say(title),
        text: words.say(
            "What you store here is yours alone, sealed where it lies, and kept once however often you have it.",
        ),
        action: action.map(|label| ("#files".to_owned(), words.say(label))),
    }
    };
    let list = FilesPage {
        around: words.around(0),
        zone: DropZone {
            id: "files",
            title: words.say("Add files"),
            action: "/files".to_owned(),
            send: "/api/v1/files".to_owned(),
            field: "file",
            carried: vec![("folder".to_owned(), String::new())],
            accept: vec![],
            most_bytes: 1_000_000_000,
            most_files: 500,
            link: String::new(),
            fresh: "tabs quota list",
        },
        room: Room {
            logical: 7_900_000_000,
            physical: 6_100_000_000,
            trashed: 240_000_000,
            quota: 10_000_000_000,
        },
        q: String::new(),
        files: words.lines(),
        empty: empty("files", "No files yet", Some("Choose files")),
        next: Some("/files?after=x".to_owned()),
        later: true,
    };
    let mut undone = list.clone();
    undone.around.done = Some(Notice {
        text: words.say("3 files are in the trash."),
        undo: "/files/batches/1/restore".to_owned(),
        fields: vec![("id", words.say("1"))],
    });
    undone.room.physical = 9_800_000_000;
    undone.q = words.say("invoice");
    let nothing = FilesPage { files: vec![], next: None, later: false, ..list.clone() };
    let mut thrown = words.lines();
    for (at, line) in thrown.iter_mut().enumerate() {
        line.goes = Some(ago(-2_000_000));
        line.batch = (at == 0).then(|| ("01939f2e-7c4a-7b31-9d55-000000000009".to_owned(), 3));
    }
    let trash = TrashPage {
        around: words.around(1),
        files: thrown,
        empty: empty("trash", "The trash is empty", None),
        next: None,
        all: (17, 240_000_000),
        days: 30,
    };
    let mut stale = words.around(2);
    stale.failed = Some(words.say("A file that was picked is not, or no longer, suggested to go; look at the report again. Nothing was moved; below is how it is now."));
    let pair = Pair {
        title: words.say("2 pictures look alike."),
        left: words.side("IMG_0012.jpg", "stays"),
        right: words.side("IMG_0012-small.jpg", ""),
        rows: vec![
            ("Folder".to_owned(), words.say("Photos/2026"), words.say("Web")),
            ("Size".to_owned(), "2.4 MB".to_owned(), "180 kB".to_owned()),
        ],
        choice: "",
    };
    let total = |name, findings, files, logical, physical| KindLine {
        name,
        href: "/files/declutter?kind=duplicate".to_owned(),
        findings,
        files,
        logical,
        physical,
    };
    let declutter = DeclutterPage {
        around: words.around(2),
        made_at: ago(3),
        pending: 0,
        seen: 1_204,
        totals: vec![
            total("Duplicates", 41, 63, 812_000_000, 0),
            total("Similar pictures", 7, 9, 31_000_000, 31_000_000),
        ],
        together: (72, 843_000_000, 31_000_000),
        kinds: words.around(0).tabs,
        findings: vec![
            words.finding("Duplicates", "2 files have the same 2400000 bytes.", true, None),
            words.finding("Similar pictures", "2 pictures look alike.", false, Some(pair)),
        ],
        empty: empty("check", "Everything is tidy", Some("To your files")),
        next: Some("/files/declutter?from=20".to_owned()),
        here: "/files/declutter".to_owned(),
    };
    let preview = PreviewPage {
        around: Around { tabs: vec![], ..words.around(0) },
        files: words.lines(),
        more: 12,
        ids: vec![words.say("1"), words.say("2")],
        logical: 812_000_000,
        physical: 31_000_000,
        verified: 3,
        days: 30,
        back: words.say("/files/declutter"),
    };
    let sure = SurePage {
        around: Around { tabs: vec![], ..words.around(0) },
        title: words.say("Delete 2 files for ever?"),
        text: words.say("Nobody can bring them back."),
        action: "/files/destroy",
        ids: vec![words.say("1"), words.say("2")],
        label: "Delete for ever",
    };
    let mut reader = words.around(0);
    (reader.writes, reader.deletes) = (false, false);
    vec![
        ("files", text(&list)),
        ("files-undo", text(&undone)),
        ("files-empty", text(&nothing)),
        ("files-reader", text(&FilesPage { around: reader, ..list })),
        ("files-trash", text(&trash)),
        ("files-trash-empty", text(&TrashPage { files: vec![], all: (0, 0), ..trash })),
        ("files-sure", text(&sure)),
        ("declutter", text(&declutter)),
        ("declutter-stale", text(&DeclutterPage { around: stale, pending: 311, ..declutter.clone() })),
        (
            "declutter-tidy",
            text(&DeclutterPage { totals: vec![], findings: vec![], next: None, ..declutter }),
        ),
        ("declutter-preview", text(&preview)),
    ]
}

#[test]
fn who_may_not_sees_no_buttons() {
    let pages: std::collections::BTreeMap<_, _> = pages(Words::Sample).into_iter().collect();
    let (all, reads) = (&pages["files"], &pages["files-reader"]);
    for button in ["data-drop", "/files/delete", "data-pick"] {
        assert!(all.contains(button) && !reads.contains(button), "{button}");
    }
}
