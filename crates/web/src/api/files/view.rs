//! Files as the API shows them.

use kernel::Time;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Site;

/// A stored file.
#[derive(Serialize, ToSchema)]
#[schema(as = File)]
pub(crate) struct FileView {
    /// Its id.
    pub(crate) id: Uuid,
    /// The app it belongs to.
    #[schema(example = "files")]
    app: String,
    /// Its name: a label, cleaned of what could harm.
    #[schema(example = "report.pdf")]
    name: String,
    /// Its folder, parts joined by `/`; empty for none.
    #[schema(example = "Letters/2026")]
    folder: String,
    /// What it is, by its content.
    #[schema(example = "application/pdf")]
    media_type: String,
    /// How many bytes it has.
    size: u64,
    /// The BLAKE3 of its content as hexadecimal digits.
    digest: String,
    /// When it was stored.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it was changed last, where it came from.
    #[schema(value_type = Option<String>, format = DateTime)]
    modified_at: Option<Time>,
    /// Since when it is in the trash.
    #[schema(value_type = Option<String>, format = DateTime)]
    trashed_at: Option<Time>,
    /// When it goes for good unless it is taken out of the trash.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
    /// With which others it went to the trash.
    batch_id: Option<Uuid>,
}

impl FileView {
    pub(crate) fn of(site: &Site, file: apps::File) -> FileView {
        FileView {
            id: file.id.uuid(),
            app: file.app.to_string(),
            name: file.name,
            folder: file.folder,
            media_type: file.media_type,
            size: file.size,
            digest: file.digest,
            created_at: file.created_at,
            modified_at: file.modified_at,
            trashed_at: file.trashed_at,
            expires_at: file.trashed_at.map(|at| at + site.hall.file_rules().trash),
            batch_id: file.batch.map(|batch| batch.uuid()),
        }
    }
}

/// Several files.
#[derive(Serialize, ToSchema)]
#[schema(as = Files)]
pub(crate) struct FilesView {
    /// The files.
    pub(crate) items: Vec<FileView>,
}

/// A file that was stored just now.
#[derive(Serialize, ToSchema)]
#[schema(as = StoredFile)]
pub(crate) struct StoredView {
    /// The file.
    #[serde(flatten)]
    file: FileView,
    /// Files with the same content that were there already: it takes no more room than before.
    duplicate_of: Vec<TwinView>,
}

/// A file with the same content.
#[derive(Serialize, ToSchema)]
#[schema(as = Twin)]
pub(crate) struct TwinView {
    /// Its id.
    id: Uuid,
    /// Its name.
    name: String,
    /// Its folder.
    folder: String,
    /// When it was stored.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// It lies in the trash.
    trashed: bool,
}

impl StoredView {
    pub(super) fn of(site: &Site, stored: apps::Stored) -> StoredView {
        let twin = |file: apps::File| TwinView {
            id: file.id.uuid(),
            name: file.name,
            folder: file.folder,
            created_at: file.created_at,
            trashed: file.trashed_at.is_some(),
        };
        StoredView {
            file: FileView::of(site, stored.file),
            duplicate_of: stored.twins.into_iter().map(twin).collect(),
        }
    }
}

/// What an upload gives: the file, or all of them when several came.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Uploaded)]
pub(crate) enum UploadedView {
    /// One file came.
    One(Box<StoredView>),
    /// Several came.
    Several {
        /// They, in their order.
        items: Vec<StoredView>,
    },
}

impl UploadedView {
    pub(super) fn of(site: &Site, stored: Vec<apps::Stored>) -> UploadedView {
        let mut items: Vec<StoredView> = stored.into_iter().map(|one| StoredView::of(site, one)).collect();
        match items.pop() {
            Some(one) if items.is_empty() => UploadedView::One(Box::new(one)),
            last => {
                items.extend(last);
                UploadedView::Several { items }
            }
        }
    }
}

/// What one has and may have.
#[derive(Serialize, ToSchema)]
#[schema(as = FileUsage)]
pub(crate) struct UsageView {
    /// How many files are not in the trash.
    files: u64,
    /// Their sizes together.
    logical_bytes: u64,
    /// How many are in the trash.
    trashed_files: u64,
    /// Their sizes together.
    trashed_bytes: u64,
    /// What all of them take, each content counted once, the trash included: this counts against the quota.
    physical_bytes: u64,
    /// The most that they may take.
    quota_bytes: u64,
    /// The most bytes of one file.
    max_file_bytes: u64,
    /// How many days files stay in the trash.
    trash_days: u64,
}

impl UsageView {
    pub(super) fn of(usage: apps::Usage) -> UsageView {
        UsageView {
            files: usage.has.files,
            logical_bytes: usage.has.bytes,
            trashed_files: usage.has.trashed,
            trashed_bytes: usage.has.trashed_bytes,
            physical_bytes: usage.has.stored_bytes,
            quota_bytes: usage.quota,
            max_file_bytes: usage.most,
            trash_days: usage.trash.as_secs() / 86_400,
        }
    }
}
