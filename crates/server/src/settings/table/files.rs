//! The rows of the file store: where files lie, which are taken, how many, how long.

use std::path::PathBuf;

use super::{Default, Room, always, follows, settings};
use crate::settings::form;

/// The file store.
pub(crate) static FILES: Room = Room {
    title: "Files",
    about: "Where the files of people lie, sealed, and what may be stored. `MAX_FILE_SIZE` stands under Sizes.",
    settings: FILES_ROWS,
};

settings! { @fields FILES_ROWS;
    /// Which files are taken, judged by their content. `image/*`, `text/*` and their like stand for a fixed list of formats that nothing runs: SVG, HTML, XML and programs are taken only when they are named in full.
    FILE_TYPES: Vec<String> = form::media_types(), "files.allowed_types", ["ALLOWED_FILE_TYPES"], always("image/*,application/pdf,text/*");
    /// How much one account may store, each content counted once and the trash included. A bare number counts MiB.
    FILES_QUOTA: u64 = form::mebibytes(), "files.quota", ["FILES_QUOTA"], always("10240");
    /// How many days files stay in the trash before they go for good.
    FILES_TRASH_DAYS: u64 = form::whole::<1, 3_650>(), "files.trash_days", ["FILES_TRASH_DAYS"], always("30");
    /// The folder of files on this machine. With a bucket, only what is being written lies here. Replicas without a bucket share it.
    FILES_DIR: PathBuf = form::path(), "files.directory", ["FILES_DIR"], follows("`files` in the data folder");
    /// The bucket where files lie instead: `s3://bucket` or `s3://bucket/prefix`, in the region and with the credentials of AWS. Its lifecycle should end uploads that broke off (`AbortIncompleteMultipartUpload`).
    FILES_S3: String = form::text("an `s3://` URL"), "files.s3_url", ["FILES_S3_URL"], Default::None;
}
