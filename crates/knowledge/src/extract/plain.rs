//! Plain text: paragraphs at blank lines, items of lists, lines kept as they are. It sees no headings: what looks
//! like one may be a shout.

use super::budget::{Meter, Reason};
use super::draft::Draft;
use super::{BlockKind, Found};
use crate::sentence::begins_item;

pub(crate) fn read(source: &str, meter: &Meter) -> Result<Found, Reason> {
    let mut draft = Draft::new(meter);
    for line in source.split(['\n', '\u{c}', '\u{2028}', '\u{2029}']) {
        meter.element()?;
        let line = line.trim_end_matches('\r');
        let bare = line.trim();
        if bare.is_empty() {
            draft.end();
        } else if begins_item(bare) {
            draft.begin(BlockKind::ListItem)?;
            draft.words(bare)?;
        } else {
            // Old line ends of a Macintosh stand inside a line.
            for (number, piece) in bare.split('\r').enumerate() {
                if number > 0 || !draft.is_blank() {
                    draft.line();
                }
                draft.words(piece)?;
            }
        }
    }
    let (text, blocks) = draft.finish();
    Ok(Found { text, blocks, ..Found::default() })
}
