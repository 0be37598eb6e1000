//! A page with every part of `pieces.html`, to be looked at: `cargo run -p web --example render_pages` writes it. It is
//! served to nobody.

use askama::Template;
use kernel::{Result, Time};

use super::fill;
use super::frame::Frame;
use super::pieces::{DropZone, Empty, FilterTab, Pair};
use crate::texts::filters;

/// The parts that pages of work share.
#[derive(Clone, Debug, Template)]
#[template(path = "samples/work.html")]
pub struct PiecesPage {
    /// The header.
    pub frame: Frame,
    /// A place to drop files on.
    pub zone: DropZone,
    /// Tabs that filter.
    pub tabs: Vec<FilterTab>,
    /// A table.
    pub rows: Vec<SampleRow>,
    /// What is said where nothing is.
    pub empty: Empty,
    /// Two pictures side by side.
    pub pair: Pair,
    /// Two texts side by side.
    pub texts: Pair,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct SampleRow {
    /// The name of a document.
    pub name: &'static str,
    /// Its size.
    pub bytes: u64,
    /// How many passages it has.
    pub passages: u64,
    /// When it came.
    pub at: Time,
    /// Its state.
    pub state: &'static str,
    /// The colour of the state.
    pub tone: &'static str,
}

impl PiecesPage {
    /// The page as HTML.
    ///
    /// # Errors
    /// When a value cannot be written, which is a defect.
    pub fn html(&self) -> Result<String> {
        fill(self)
    }
}
