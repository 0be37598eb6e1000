//! The applications: what each is, and the one path that every message travels.
//! It never speaks HTTP and holds no SQL.

mod admit;
mod anew;
mod archive;
mod attached;
mod catalog;
mod chat;
mod cite;
mod conversation;
mod desk;
mod files;
mod follow;
mod further;
mod hall;
mod hosts;
mod import;
mod kind;
mod library;
mod live;
mod once;
mod order;
mod pen;
mod plan;
mod prompt;
mod review;
mod seek;
mod sharing;
mod standing;
mod stream;
mod support;
mod takeout;
mod title;
mod turn;
mod tutor;
mod watch;

pub use ::files::clutter;
pub use ::files::name::attachment;
pub use anew::Said;
pub use attached::{Attached, AttachedKind, Brought, of as attached_to};
pub use catalog::{App, Catalog, Retention};
pub use conversation::{ConversationEdit, Export, NewConversation};
pub use desk::{DeskState, Handed, Inbox, InboxTab, News, OpenQuestion};
pub use files::{
    Applied, Content, Declutter, Emptied, FileRules, Part, Reconciled, Removed, Shelves, Stored, Tended,
    Upload, Usage, reconcile,
};
pub use hall::{Hall, Rooms};
pub use hosts::LinkHosts;
pub use import::{Import, ImportProblem, ImportReport};
pub use library::{
    Added, Adder, Config as LibraryConfig, Found, Library, LibraryState, NewDocument, Offered, OpenAt,
    OpenDocument, Parts as LibraryParts, SUPPORTED, meant, takes_documents,
};
pub use live::{Numbered, StreamEvent, Subscription};
pub use llm::{ChatMessage, Image, ImageKind, Role as ChatRole};
pub use once::{Claim, Once};
pub use order::{MOST_AT_ONCE, TEMPORARY};
pub use review::ReviewExport;
pub use seek::{FoundTalk, Snippet};
pub use sharing::{ShareWish, Shared, SharedTalk, Snapshot, SnapshotMessage};
pub use store::Share;
pub use store::{Appealed, Decision, Review, ReviewFilter, ReviewReason, ReviewSource, Weight};
pub use store::{Arrangement, ConversationFilter, Folder, Lying, SearchTended, TagCount};
pub use store::{
    Conversation, File, FileUsage, FinishReason, HandOff, HandOffState, Message, Quality, Rating, Role,
    StoredAnswer, Tree,
};
pub use store::{DayCount, InboxCounts, Opinion};
pub use store::{Document, DocumentStatus, Passage};
pub use support::UNFOUNDED;
pub use takeout::{Takeout, TakeoutForm, TakeoutParts};
pub use turn::{Anew, Answer, Ask, Options, Target};
pub use tutor::{ProblemChange, ProblemSheet, ProblemView, Progress, Transcript, TranscriptLine};
