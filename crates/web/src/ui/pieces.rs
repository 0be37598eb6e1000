//! The parts that every page of work is built from: documents, inboxes, files, reports, problems, transcripts. It owns
//! their shape and what they say; it never knows what a page lists.
//!
//! A page that uses them imports `pieces.html` and names `work.css` and the scripts it needs in its block `scripts`;
//! `templates/samples/work.html` shows each of them, and `cargo run -p web --example render_pages` writes that page.
//!
//! | part | in a template | script | without a script |
//! |---|---|---|---|
//! | drop zone | `pieces::drop_zone(zone)` with a [`DropZone`] | `upload.js` | a form with a file field and a button |
//! | filter tabs | `pieces::tabs(label, tabs)` with [`FilterTab`]s | none | the same: they are links |
//! | nothing yet | `pieces::nothing(empty)` with an [`Empty`] | none | the same |
//! | table | `<div class="table"><table class="sheet">`, each cell with `data-label` | none | the same; cards on a phone |
//! | side by side | `pieces::compare(pair)` with a [`Pair`] | none | the same |
//! | question before | `data-ask="Title?"` and `data-ask-text` on a submit button | `forms.js` | the form is sent at once |
//! | undo after | `data-later="Said in the toast."` on a form inside an element with `data-row` | `toast.js` | sent at once |
//! | a part that follows | `data-fresh="name"` on an element with an id: read again after uploads | `upload.js` | a reload |
//!
//! Undo costs the server nothing: the row is hidden at once, and the form is sent when the toast has gone, or with the
//! page. What cannot be undone by waiting is asked before instead. `data-when-empty` on a hidden element beside the
//! rows (inside an element with `data-rows`) is shown when the last of them is gone.
//!
//! Sizes are [`super::frame::size`], moments [`super::frame::moment`], days [`super::frame::day`], numbers
//! [`super::frame::grouped`]; templates give them values (`size(*row.bytes)`). Icons are [`super::icon`].

use super::frame::{grouped, size};
use crate::texts::say;

/// A place to drop files on.
#[derive(Clone, Debug)]
pub struct DropZone {
    /// Tells it from others on the page: letters and `-`.
    pub id: &'static str,
    /// What it is for: "Add documents".
    pub title: String,
    /// Where the plain form goes (`multipart/form-data`, several files).
    pub action: String,
    /// Where a script sends each file by itself, with an `Idempotency-Key`; it expects JSON, or a problem.
    pub send: String,
    /// The name of the field that holds the file, in both.
    pub field: &'static str,
    /// Other fields that go along.
    pub carried: Vec<(String, String)>,
    /// The endings that are taken, such as `.pdf`; empty for any.
    pub accept: Vec<&'static str>,
    /// The most bytes of a file.
    pub most_bytes: u64,
    /// The most files at once.
    pub most_files: u32,
    /// Where a finished file is found; `{id}` stands for the `id` of the answer. Empty for nowhere.
    pub link: String,
    /// The names of the parts of the page that are read again when files have arrived, separated by blanks.
    pub fresh: &'static str,
}

impl DropZone {
    /// The endings as a file field names them.
    pub fn accepted(&self) -> String {
        self.accept.join(",")
    }

    /// What is taken, in words.
    pub fn limits(&self) -> String {
        let most = size(self.most_bytes);
        let names: Vec<String> =
            self.accept.iter().map(|ending| ending.trim_start_matches('.').to_uppercase()).collect();
        match names.split_last() {
            None => say("Any file, up to {size} each.").with("size", most).to_string(),
            Some((one, [])) => {
                say("{kind}, up to {size} each.").with("kind", one).with("size", most).to_string()
            }
            Some((last, others)) => say("{kinds} or {kind}, up to {size} each.")
                .with("kinds", others.join(", "))
                .with("kind", last)
                .with("size", most)
                .to_string(),
        }
    }
}

/// One of the tabs that filter a list.
#[derive(Clone, Debug)]
pub struct FilterTab {
    /// What it shows.
    pub name: String,
    /// Its address.
    pub href: String,
    /// How many there are; left out where nobody has counted.
    pub count: Option<u64>,
    /// It is the one that is shown.
    pub current: bool,
}

impl FilterTab {
    /// How many there are, as it is printed.
    pub fn counted(&self) -> String {
        self.count.map(grouped).unwrap_or_default()
    }
}

/// What a page says where there is nothing yet: why, and the one thing to do about it.
#[derive(Clone, Debug)]
pub struct Empty {
    /// The icon.
    pub icon: &'static str,
    /// "No documents yet".
    pub title: String,
    /// What would be here, and what it is good for.
    pub text: String,
    /// Where to go, and what the button says. `#id` of a drop zone leads to its field.
    pub action: Option<(String, String)>,
}

/// Two things beside each other.
#[derive(Clone, Debug)]
pub struct Pair {
    /// What is compared, for those who listen.
    pub title: String,
    /// The first.
    pub left: Side,
    /// The second.
    pub right: Side,
    /// A name, and the value on both sides.
    pub rows: Vec<(String, String, String)>,
    /// The field that says which one is kept; empty where nothing is chosen. The page puts a form around.
    pub choice: &'static str,
}

/// One of a [`Pair`].
#[derive(Clone, Debug)]
pub struct Side {
    /// What it is called.
    pub title: String,
    /// Where it is found; empty for nowhere.
    pub href: String,
    /// The address of a picture of it on this server; empty for none.
    pub picture: String,
    /// A part of its text, where it has no picture.
    pub excerpt: String,
    /// What makes it special: "newest", "keep".
    pub tag: String,
    /// The value of the field that chooses it.
    pub value: String,
    /// It is chosen unless somebody chooses the other.
    pub chosen: bool,
}

impl Pair {
    /// Both, in their order.
    pub fn sides(&self) -> [&Side; 2] {
        [&self.left, &self.right]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(accept: Vec<&'static str>) -> DropZone {
        DropZone {
            id: "files",
            title: String::new(),
            action: String::new(),
            send: String::new(),
            field: "file",
            carried: Vec::new(),
            accept,
            most_bytes: 20_000_000,
            most_files: 50,
            link: String::new(),
            fresh: "",
        }
    }

    #[test]
    fn limits_are_words() {
        assert_eq!(zone(vec![]).limits(), "Any file, up to 20\u{a0}MB each.");
        assert_eq!(zone(vec![".pdf"]).limits(), "PDF, up to 20\u{a0}MB each.");
        let three = zone(vec![".pdf", ".docx", ".txt"]);
        assert_eq!(three.limits(), "PDF, DOCX or TXT, up to 20\u{a0}MB each.");
        assert_eq!(three.accepted(), ".pdf,.docx,.txt");
    }
}
