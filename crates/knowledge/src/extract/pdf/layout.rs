//! From pieces of text on pages to lines, and from lines to headings, paragraphs and items, in the order of reading.
//! It follows the order in which a page was drawn, as most makers draw in reading order, columns included; pages
//! that were drawn all over are sorted from top to bottom.

use std::collections::{HashMap, HashSet};

use super::content::Piece;
use crate::extract::BlockKind;
use crate::extract::budget::{Meter, Reason};
use crate::extract::draft::Draft;
use crate::sentence::begins_item;

/// Signs that begin an item of a list.
const BULLETS: [char; 14] = ['\u{f0b7}', '•', '◦', '▪', '‣', '●', '○', '■', '□', '∙', '·', '⁃', '➢', '✓'];
/// Longest heading, in characters.
const HEADING: usize = 200;

#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) page: u32,
    from: f64,
    to: f64,
    base: f64,
    size: f64,
    bold: bool,
    turn: u8,
    pub(super) text: String,
}

/// The lines of a page.
pub(super) fn lines(mut pieces: Vec<Piece>, page: u32, meter: &Meter) -> Result<Vec<Line>, Reason> {
    let drawn = join(&pieces, page, meter)?;
    let ups = drawn.windows(2).filter(|pair| {
        matches!(pair, [above, below] if below.base > above.base + above.size && below.turn == above.turn)
    });
    if ups.count() <= (drawn.len() / 8).max(3) {
        return Ok(drawn);
    }
    // Rows of the same height first, then along the row.
    pieces.sort_by(|a, b| a.turn.cmp(&b.turn).then(b.base.total_cmp(&a.base)));
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    for piece in pieces {
        match rows.last_mut() {
            Some(row)
                if row.first().is_some_and(|first| {
                    first.turn == piece.turn
                        && (first.base - piece.base).abs() < 0.4 * first.size.max(piece.size)
                }) =>
            {
                row.push(piece);
            }
            _ => rows.push(vec![piece]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.from.total_cmp(&b.from));
    }
    join(&rows.concat(), page, meter)
}

/// Joins pieces that follow one another on one line.
fn join(pieces: &[Piece], page: u32, meter: &Meter) -> Result<Vec<Line>, Reason> {
    let mut lines: Vec<Line> = Vec::new();
    for piece in pieces {
        meter.element()?;
        if piece.text.trim().is_empty() {
            if let Some(line) = lines.last_mut()
                && !line.text.ends_with(' ')
            {
                line.text.push(' ');
            }
            continue;
        }
        if let Some(line) = lines.last_mut()
            && line.turn == piece.turn
            && piece.from > line.to - 0.6 * line.size
        {
            let (off, most) = ((line.base - piece.base).abs(), line.size.max(piece.size));
            // Small signs above and below the line belong to it.
            let raised = piece.size < 0.85 * line.size && off < 0.6 * line.size;
            let dropped =
                line.size < 0.85 * piece.size && off < 0.6 * piece.size && line.text.chars().count() < 4;
            if off < 0.3 * most || raised || dropped {
                let gap = piece.from - line.to;
                if gap > 0.15 * most && !line.text.ends_with(' ') && !piece.text.starts_with(' ') {
                    line.text.push(' ');
                }
                line.text.push_str(&piece.text);
                line.to = line.to.max(piece.to);
                line.bold &= piece.bold;
                if dropped {
                    (line.base, line.size) = (piece.base, piece.size);
                }
                continue;
            }
        }
        lines.push(Line {
            page,
            from: piece.from,
            to: piece.to,
            base: piece.base,
            size: piece.size,
            bold: piece.bold,
            turn: piece.turn,
            text: piece.text.clone(),
        });
    }
    Ok(lines)
}

/// Leaves out what stands at the top or bottom of most pages: running titles and page numbers.
pub(super) fn without_running_titles(lines: Vec<Line>) -> Vec<Line> {
    let mut edges: HashMap<u32, (usize, usize)> = HashMap::new();
    for (number, line) in lines.iter().enumerate() {
        let (top, bottom) = edges.entry(line.page).or_insert((number, number));
        let base = |at: usize| lines.get(at).map_or(0.0, |line| line.base);
        if line.base > base(*top) {
            *top = number;
        }
        if line.base < base(*bottom) {
            *bottom = number;
        }
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    let candidates: HashSet<usize> = edges.values().flat_map(|(top, bottom)| [*top, *bottom]).collect();
    for line in candidates.iter().filter_map(|number| lines.get(*number)) {
        for shape in shapes(line) {
            *seen.entry(shape).or_default() += 1;
        }
    }
    let often = (edges.len() / 3).max(3);
    let is_running = |line: &Line| {
        // A number alone at the edge is the page's, on whatever few pages.
        let most = if line.text.trim().chars().all(char::is_numeric) { 2 } else { often };
        shapes(line).iter().any(|shape| seen.get(shape).is_some_and(|seen| *seen >= most))
    };
    lines
        .into_iter()
        .enumerate()
        .filter(|(number, line)| !(candidates.contains(number) && is_running(line)))
        .map(|(_, line)| line)
        .collect()
}

/// What running titles have in common from page to page: the very words, or the words around a number that grows
/// with the pages.
fn shapes(line: &Line) -> Vec<String> {
    let text = line.text.trim();
    let mut numbers: Vec<i64> = Vec::new();
    let mut words = String::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
        if let Ok(number) = digits.parse::<i64>() {
            numbers.push(number);
            words.push('#');
        }
        words.push_str(part.get(digits.len()..).unwrap_or(""));
    }
    let mut shapes = vec![text.to_owned()];
    for number in [numbers.first(), numbers.last()].into_iter().flatten() {
        let shape = format!("{words} {}", number - i64::from(line.page));
        if !shapes.contains(&shape) {
            shapes.push(shape);
        }
    }
    shapes
}

/// Writes lines as blocks.
pub(super) fn write(lines: &[Line], draft: &mut Draft<'_>) -> Result<(), Reason> {
    let body = body_size(lines);
    let leading = leading(lines);
    let sizes = heading_sizes(lines, body);
    let compounds = compounds(lines);
    let mut previous: Option<&Line> = None;
    let mut open: Option<BlockKind> = None;
    let mut indent = 0.0_f64;
    for line in lines {
        let text = line.text.trim();
        if text.is_empty() {
            continue;
        }
        let (mark, words) = item(text);
        let kind = if is_heading(line, body) {
            let rank = sizes.iter().position(|size| (line.size - size).abs() < 0.05 * size);
            let level = rank.map_or(sizes.len() + 1, |rank| rank + 1);
            BlockKind::Heading(u8::try_from(level).unwrap_or(6).min(6))
        } else if mark.is_some() {
            BlockKind::ListItem
        } else {
            BlockKind::Paragraph
        };
        let continues = mark.is_none()
            && previous.is_some_and(|previous| goes_on(previous, line, open, kind, leading, indent));
        if let (Some(previous), true) = (previous, continues) {
            glue(&previous.text, words, &compounds, draft)?;
        } else {
            draft.end();
            draft.page = Some(line.page);
            match (kind, mark) {
                (BlockKind::ListItem, Some(mark)) => draft.begin_item(&mark)?,
                _ => draft.begin(kind)?,
            }
            open = Some(kind);
            indent = line.from;
            put(words, draft)?;
        }
        previous = Some(line);
    }
    draft.end();
    Ok(())
}

/// Whether a line continues the block of the line before.
fn goes_on(
    previous: &Line,
    line: &Line,
    open: Option<BlockKind>,
    kind: BlockKind,
    leading: f64,
    indent: f64,
) -> bool {
    let same_size = (previous.size - line.size).abs() < 0.08 * previous.size;
    match (open, kind) {
        (Some(BlockKind::Heading(a)), BlockKind::Heading(b)) if a == b => {
            let down = previous.base - line.base;
            return previous.page == line.page && down > 0.0 && down < 1.7 * line.size;
        }
        (Some(BlockKind::Heading(_)), _) | (_, BlockKind::Heading(_)) => return false,
        _ => {}
    }
    let unended = !previous.text.trim_end().ends_with(['.', '!', '?', ':', '。', '”', '"']);
    let down = previous.base - line.base;
    if previous.page != line.page || down < -0.5 * line.size {
        // The next page or column: a sentence that did not end goes on there.
        return same_size && unended && line.text.trim_start().starts_with(char::is_lowercase);
    }
    let indented = line.from > indent + 0.8 * line.size && line.from > previous.from + 0.8 * line.size;
    same_size
        && down < 1.35 * leading * line.size
        && !(open == Some(BlockKind::Paragraph) && indented && !unended)
        && !(open == Some(BlockKind::ListItem) && line.from < indent - 0.2 * line.size)
}

/// Joins a line to the one before: with a space, or without the hyphen that a word was parted with.
fn glue(
    previous: &str,
    next: &str,
    compounds: &HashSet<String>,
    draft: &mut Draft<'_>,
) -> Result<(), Reason> {
    let before = previous.trim_end();
    let hyphen = before.chars().next_back().filter(|c| matches!(c, '-' | '\u{ad}' | '‐'));
    let letter = before.chars().rev().nth(1).is_some_and(char::is_alphabetic);
    if let (Some(hyphen), true, true) = (hyphen, letter, next.starts_with(char::is_lowercase)) {
        let word = |text: &str| text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let head = before.trim_end_matches(hyphen).rsplit(char::is_whitespace).next().unwrap_or("");
        let tail = next.split_whitespace().next().unwrap_or("");
        // A word that is written with its hyphen elsewhere keeps it.
        let kept = hyphen != '\u{ad}'
            && (head.contains('-') || compounds.contains(&format!("{}-{}", word(head), word(tail))));
        if !kept {
            draft.take_back(hyphen);
        }
        return put(next, draft);
    }
    draft.words(" ")?;
    put(next, draft)
}

/// Words of lines with a hyphen inside.
fn compounds(lines: &[Line]) -> HashSet<String> {
    let words = lines.iter().flat_map(|line| line.text.split_whitespace());
    words
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.len() < 64 && word.contains('-'))
        .map(str::to_lowercase)
        .collect()
}

/// Ligatures are taken apart, so that words are found.
fn put(text: &str, draft: &mut Draft<'_>) -> Result<(), Reason> {
    let mut rest = text;
    while let Some(at) = rest.find(|c| matches!(c, '\u{fb00}'..='\u{fb06}')) {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        draft.words(before)?;
        let mut chars = after.chars();
        draft.words(match chars.next() {
            Some('\u{fb00}') => "ff",
            Some('\u{fb01}') => "fi",
            Some('\u{fb02}') => "fl",
            Some('\u{fb03}') => "ffi",
            Some('\u{fb04}') => "ffl",
            _ => "st",
        })?;
        rest = chars.as_str();
    }
    draft.words(rest)
}

/// The mark of an item and the words behind it.
fn item(text: &str) -> (Option<String>, &str) {
    if let Some(words) = text.strip_prefix(BULLETS).or_else(|| text.strip_prefix("– ")) {
        return (Some("- ".to_owned()), words.trim_start());
    }
    if begins_item(text)
        && let Some((mark, words)) = text.split_once(' ')
    {
        return (Some(format!("{mark} ")), words);
    }
    (None, text)
}

fn is_heading(line: &Line, body: f64) -> bool {
    let text = line.text.trim();
    if text.chars().count() > HEADING || !text.chars().any(char::is_alphabetic) {
        return false;
    }
    let sentence = text.ends_with(['.', ',', ';', ':']) && text.contains(' ');
    line.size > 1.12 * body || (line.bold && line.size > 0.95 * body && !sentence && item(text).0.is_none())
}

/// The size that most characters have.
fn body_size(lines: &[Line]) -> f64 {
    let mut sizes: HashMap<i64, usize> = HashMap::new();
    for line in lines {
        *sizes.entry((line.size * 2.0).round() as i64).or_default() += line.text.len();
    }
    let most = sizes.into_iter().max_by_key(|(size, count)| (*count, -size));
    most.map_or(1.0, |(size, _)| size as f64 / 2.0)
}

/// The different sizes above that of the body, largest first.
fn heading_sizes(lines: &[Line], body: f64) -> Vec<f64> {
    let mut sizes: Vec<f64> =
        lines.iter().filter(|line| is_heading(line, body)).map(|line| line.size).collect();
    sizes.retain(|size| *size > 1.12 * body);
    sizes.sort_by(|a, b| b.total_cmp(a));
    sizes.dedup_by(|a, b| (*a - *b).abs() < 0.05 * *b);
    sizes.truncate(5);
    sizes
}

/// How far lines stand apart, as a share of their size: the middle one.
fn leading(lines: &[Line]) -> f64 {
    let mut steps: Vec<f64> = lines
        .windows(2)
        .filter_map(|pair| match pair {
            [above, below] if above.page == below.page && above.size > 0.0 => {
                Some((above.base - below.base) / above.size)
            }
            _ => None,
        })
        .filter(|step| (0.8..2.5).contains(step))
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(1.2)
}
