//! What one file may cost, and the reasons a file can fail for. It owns the counting: every extractor reports what
//! it unpacks, makes and visits to one [`Meter`], which ends the work once something is used up.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::{Duration, Instant};

/// What the reading of one file may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Bytes of the file itself.
    pub input: usize,
    /// Bytes that all its compressed parts may unpack to, together.
    pub decompressed: usize,
    /// How many times larger than packed a part may be, once it has passed [`Budget::FREE`] bytes.
    pub ratio: usize,
    /// Characters of text.
    pub text: usize,
    /// Objects, elements, rows, operators: whatever the format is made of.
    pub elements: usize,
    /// How deep they may lie inside one another.
    pub depth: usize,
    /// Pages.
    pub pages: usize,
    /// When to give up. The caller knows the time it can spare; none means after [`Budget::PATIENCE`].
    pub deadline: Option<Instant>,
}

impl Budget {
    /// Unpacked bytes of a part that no ratio is asked for: small parts of blanks are packed a thousandfold.
    pub const FREE: usize = 1 << 20;
    /// Blocks of text of one file.
    pub const BLOCKS: usize = 1 << 20;
    /// How long a file is read when the caller sets no deadline: no library below is trusted to be fast on
    /// everything.
    pub const PATIENCE: Duration = Duration::from_secs(60);
}

impl Default for Budget {
    /// Room for the largest handbooks people have: 32 MiB, 128 MiB unpacked, 16 million characters.
    fn default() -> Budget {
        Budget {
            input: 32 << 20,
            decompressed: 128 << 20,
            ratio: 200,
            text: 16_000_000,
            elements: 32_000_000,
            depth: 128,
            pages: 5_000,
            deadline: None,
        }
    }
}

/// Why a file gave no text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// For programs.
    pub kind: ReasonKind,
    /// For the person who added the file: one sentence.
    pub sentence: String,
}

/// The kinds of [`Reason`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ReasonKind {
    /// Of a format that is not read.
    Unsupported,
    /// Nothing in it.
    Empty,
    /// Pictures of text, without text.
    NoText,
    /// Locked with a password.
    Encrypted,
    /// Damaged or cut off.
    Broken,
    /// More than the budget allows: size, pages, elements.
    TooLarge,
    /// Unpacks to far more than it is.
    Bomb,
    /// Nested deeper than any real file.
    TooDeep,
    /// Took longer than the caller could wait.
    TooSlow,
    /// The reader itself failed on it.
    Failed,
}

impl ReasonKind {
    /// The kind as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            ReasonKind::Unsupported => "unsupported",
            ReasonKind::Empty => "empty",
            ReasonKind::NoText => "no_text",
            ReasonKind::Encrypted => "encrypted",
            ReasonKind::Broken => "broken",
            ReasonKind::TooLarge => "too_large",
            ReasonKind::Bomb => "bomb",
            ReasonKind::TooDeep => "too_deep",
            ReasonKind::TooSlow => "too_slow",
            ReasonKind::Failed => "failed",
        }
    }
}

impl Reason {
    /// A reason of this kind in these words.
    pub fn new(kind: ReasonKind, sentence: impl Into<String>) -> Reason {
        Reason { kind, sentence: sentence.into() }
    }

    /// Damaged, with what is wrong.
    pub(crate) fn broken(sentence: impl Into<String>) -> Reason {
        Reason::new(ReasonKind::Broken, sentence)
    }

    /// Whether the file asks for more than the budget holds, so that going on is no use.
    pub fn is_exhaustion(&self) -> bool {
        matches!(
            self.kind,
            ReasonKind::TooLarge | ReasonKind::Bomb | ReasonKind::TooDeep | ReasonKind::TooSlow
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Reason {}

/// Counts what one file has cost so far. Shared by reference through all its readers.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) budget: Budget,
    unpacked: Cell<usize>,
    text: Cell<usize>,
    elements: Cell<usize>,
    /// The first limit that was passed. Libraries wrap errors; this one is reported unwrapped.
    over: RefCell<Option<Reason>>,
}

impl Meter {
    pub(crate) fn new(mut budget: Budget) -> Meter {
        budget.deadline = budget.deadline.or_else(|| Instant::now().checked_add(Budget::PATIENCE));
        Meter {
            budget,
            unpacked: Cell::new(0),
            text: Cell::new(0),
            elements: Cell::new(0),
            over: RefCell::new(None),
        }
    }

    /// Counts one thing the format is made of. Looks at the time every so often.
    pub(crate) fn element(&self) -> Result<(), Reason> {
        self.elements(1)
    }

    /// Counts several at once.
    pub(crate) fn elements(&self, count: usize) -> Result<(), Reason> {
        let before = self.elements.get();
        let now = before.saturating_add(count);
        self.elements.set(now);
        if now > self.budget.elements {
            return self.refuse(ReasonKind::TooLarge, "The file consists of more pieces than are read.");
        }
        if before / 256 != now / 256 { self.time() } else { Ok(()) }
    }

    /// Whether there is time left.
    pub(crate) fn time(&self) -> Result<(), Reason> {
        match self.budget.deadline {
            Some(deadline) if Instant::now() >= deadline => {
                self.refuse(ReasonKind::TooSlow, "Reading the file took longer than it may.")
            }
            _ => Ok(()),
        }
    }

    /// Counts characters of text.
    pub(crate) fn text(&self, characters: usize) -> Result<(), Reason> {
        self.text.set(self.text.get().saturating_add(characters));
        if self.text.get() > self.budget.text {
            return self.refuse(ReasonKind::TooLarge, "The file has more text than is read.");
        }
        Ok(())
    }

    /// Counts `bytes` more out of a part that is `packed` bytes large and has given `so_far` bytes with these.
    pub(crate) fn unpack(&self, bytes: usize, packed: usize, so_far: usize) -> Result<(), Reason> {
        self.unpacked.set(self.unpacked.get().saturating_add(bytes));
        if so_far > Budget::FREE && so_far / self.budget.ratio.max(1) > packed {
            return self.refuse(
                ReasonKind::Bomb,
                "The file unpacks to far more than it is, as files do that are made to do harm.",
            );
        }
        if self.unpacked.get() > self.budget.decompressed {
            return self.refuse(ReasonKind::TooLarge, "The file unpacks to more than is read.");
        }
        self.time()
    }

    /// Whether something may lie this deep.
    pub(crate) fn depth(&self, depth: usize) -> Result<(), Reason> {
        if depth > self.budget.depth {
            return self.refuse(
                ReasonKind::TooDeep,
                "Parts of the file are nested deeper than in any real document.",
            );
        }
        Ok(())
    }

    /// Whether there may be this many pages.
    pub(crate) fn pages(&self, pages: usize) -> Result<(), Reason> {
        if pages > self.budget.pages {
            let most = self.budget.pages;
            return self.refuse(ReasonKind::TooLarge, &format!("The file has more than {most} pages."));
        }
        Ok(())
    }

    /// Whether there may be this many blocks of text; each costs more than the character it may hold.
    pub(crate) fn blocks(&self, blocks: usize) -> Result<(), Reason> {
        if blocks > Budget::BLOCKS {
            return self.refuse(ReasonKind::TooLarge, "The file has more paragraphs or rows than are read.");
        }
        Ok(())
    }

    /// The limit that was passed, if one was.
    pub(crate) fn over(&self) -> Option<Reason> {
        self.over.borrow().clone()
    }

    fn refuse(&self, kind: ReasonKind, sentence: &str) -> Result<(), Reason> {
        let reason = Reason::new(kind, sentence);
        self.over.borrow_mut().get_or_insert_with(|| reason.clone());
        Err(reason)
    }
}
