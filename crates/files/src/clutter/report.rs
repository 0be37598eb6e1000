//! What an analysis says: findings, each with its reason, its proof and its advice, and how much each kind would
//! free. It owns the words and the counting; how things are found is in the files beside it.

use kernel::Time;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Digest;

/// What can go, and why.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// In the order of [`FindingKind`], the most bytes first.
    pub findings: Vec<Finding>,
    /// One for each kind that was found, in the same order.
    pub totals: Vec<Total>,
    /// Everything that is advised to go, each file counted once.
    pub together: Amount,
    /// Everything that was looked at.
    pub seen: Amount,
}

/// Something that was found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// Why it is told of: one sentence.
    pub reason: String,
    /// The files or folders it is about; what is kept comes first.
    pub members: Vec<Member>,
    /// Bytes of the contents that are advised to go.
    pub logical_bytes: u64,
    /// Bytes of storage that would be free then: less, where it is shared with names that stay.
    pub physical_bytes: u64,
}

/// A file or a folder of a finding.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// The caller's name for it; `None` for a folder that is no entry of its own.
    pub id: Option<Uuid>,
    /// Where it is.
    pub path: String,
    /// Bytes; of a folder: of everything in it.
    pub size: u64,
    /// When it was last changed; of a folder: what was changed last in it.
    pub modified: Time,
    /// What to do with it.
    pub advice: Advice,
    /// Why: a sentence.
    pub why: String,
    /// What proves it, for whatever is advised to go: one for each file of a folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// What to do with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// It stays.
    Keep,
    /// It can go.
    Go,
    /// Somebody should look at it.
    Look,
}

/// A proof that a program can check: `file` has this content, and what stays has that.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// What can go.
    pub file: Uuid,
    /// Its content when it was looked at, where that is known.
    pub digest: Option<Digest>,
    /// What stays.
    pub other: Option<Uuid>,
    /// Its content when it was looked at.
    pub other_digest: Option<Digest>,
    /// How the two stand to each other.
    pub relation: Relation,
}

/// How two contents stand to each other.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Relation {
    /// The same bytes.
    Identical,
    /// Pictures that look alike: how many of 64 bits of their hashes differ.
    Looks {
        /// By frequencies.
        frequencies: u8,
        /// By gradients.
        gradients: u8,
        /// How the one was made from the other, as far as the hashes tell.
        view: View,
    },
    /// Texts that are nearly the same: hundredths of what they have together.
    Reads {
        /// Share of what either has, that both have.
        alike: u8,
    },
    /// A text that is a part of the other: hundredths of it that are in the other.
    PartOf {
        /// The share.
        share: u8,
    },
    /// Nothing is in it.
    Empty,
    /// It stands alone.
    Alone,
}

/// How one picture was made from another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The same picture, saved again, resized or retouched.
    Whole,
    /// Without a border.
    Trimmed,
    /// A part of it.
    Part,
    /// Turned or mirrored.
    Turned,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $word:literal $label:literal)*) => {
        /// The kinds of findings, in the order they are told in.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FindingKind {
            $($(#[$doc])* $name,)*
        }

        impl FindingKind {
            /// Every kind, in order.
            pub const ALL: &'static [FindingKind] = &[$(FindingKind::$name,)*];

            /// The kind as a word.
            pub fn as_str(self) -> &'static str {
                match self { $(FindingKind::$name => $word,)* }
            }

            /// The kind as a heading.
            pub fn label(self) -> &'static str {
                match self { $(FindingKind::$name => $label,)* }
            }
        }
    };
}

kinds! {
    /// Files with the same bytes.
    Duplicate "duplicate" "Duplicates"
    /// Folders with the same files.
    IdenticalFolder "identical_folder" "Identical folders"
    /// Folders of which every file is in another folder too.
    ContainedFolder "contained_folder" "Folders that another holds"
    /// Pictures that look alike.
    SimilarImage "similar_image" "Similar pictures"
    /// Texts that read alike, or are part of another.
    NearDocument "near_document" "Nearly the same documents"
    /// Names that tell versions of one document, with contents that are near.
    Version "version" "Versions"
    /// Files without a byte.
    EmptyFile "empty_file" "Empty files"
    /// Folders without a file.
    EmptyFolder "empty_folder" "Empty folders"
    /// Left by programs.
    Temporary "temporary" "Temporary files"
    /// Files that cannot be opened.
    Broken "broken" "Broken files"
    /// Names that say another format than the content.
    WrongExtension "wrong_extension" "Wrong endings"
    /// Large files.
    Big "big" "Big files"
    /// Files nobody has changed for long.
    Old "old" "Old files"
}

impl FindingKind {
    /// Whether nothing is lost when what is advised to go goes: every content is kept elsewhere, or there is none.
    pub fn loses_nothing(self) -> bool {
        matches!(
            self,
            FindingKind::Duplicate
                | FindingKind::IdenticalFolder
                | FindingKind::ContainedFolder
                | FindingKind::EmptyFile
                | FindingKind::EmptyFolder
        )
    }

    /// The kind with this name.
    pub fn parse(word: &str) -> Option<FindingKind> {
        FindingKind::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// How much something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Amount {
    /// Files.
    pub files: u64,
    /// Bytes of their contents.
    pub logical_bytes: u64,
    /// Bytes of storage.
    pub physical_bytes: u64,
}

/// What there is of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Total {
    /// The kind.
    pub kind: FindingKind,
    /// How many findings.
    pub findings: u64,
    /// What is advised to go, or to look at where nothing is advised to go; each file counted once.
    pub amount: Amount,
}
