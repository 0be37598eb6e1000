//! Contents in a folder: `objects/ab/abcd…`, readable by the owner of the process alone. A content gets its name by a
//! rename within one file system, and the folders are synced, so that it is there whole or not at all.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crypto::stream::HEADER;
use kernel::{Fault, Result};

use super::aside::broken;
use super::is_name;

/// Contents in a folder.
pub(super) struct Folder {
    objects: PathBuf,
}

/// Makes a folder for its owner alone; one that is there is made private.
pub(super) fn make(folder: &Path) -> Result<()> {
    let say = |error: io::Error| {
        Fault::internal(format!("the folder {} cannot be used for files: {error}", folder.display()))
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(say)?;
    let mode = fs::metadata(folder).map_err(say)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(say)?;
    }
    Ok(())
}

/// What a folder says about its entries survives a loss of power when this returns.
pub(super) fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(broken)
}

/// Does something with the disk where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Fault::internal)?
}

impl Folder {
    pub(super) fn open(root: &Path) -> Result<Folder> {
        let objects = root.join("objects");
        make(&objects)?;
        sync(root)?;
        Ok(Folder { objects })
    }

    /// The shelf and the file of a name; names are checked before.
    fn place(&self, id: &str) -> (PathBuf, PathBuf) {
        let shelf = self.objects.join(id.get(..2).unwrap_or("00"));
        let file = shelf.join(id);
        (shelf, file)
    }

    pub(super) async fn keep(&self, aside: &Path, id: &str) -> Result<()> {
        let ((shelf, file), aside, objects) = (self.place(id), aside.to_owned(), self.objects.clone());
        blocking(move || {
            if !shelf.is_dir() {
                make(&shelf)?;
                sync(&objects)?;
            }
            match fs::rename(&aside, &file) {
                // Another try after one whose end was not heard of.
                Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_file() => {}
                moved => moved.map_err(broken)?,
            }
            sync(&shelf)
        })
        .await
    }

    /// The open file of a content and its header. A file of another size is not what was stored.
    pub(super) async fn open_blob(&self, id: &str, size: u64) -> Result<(File, [u8; HEADER])> {
        let (_, path) = self.place(id);
        blocking(move || {
            let mut file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(Fault::internal("the bytes of a stored file are not there"));
                }
                opened => opened.map_err(broken)?,
            };
            if file.metadata().map_err(broken)?.size() != size {
                return Err(Fault::internal("the bytes of a stored file were cut off or extended"));
            }
            let mut header = [0; HEADER];
            file.read_exact(&mut header).map_err(broken)?;
            Ok((file, header))
        })
        .await
    }

    pub(super) async fn destroy(&self, id: &str) -> Result<()> {
        let (shelf, file) = self.place(id);
        blocking(move || match fs::remove_file(&file) {
            Ok(()) => sync(&shelf),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(broken(error)),
        })
        .await
    }

    pub(super) async fn exists(&self, id: &str) -> Result<bool> {
        let (_, file) = self.place(id);
        blocking(move || Ok(file.is_file())).await
    }

    /// One shelf at a time.
    pub(super) async fn list(&self, after: Option<String>) -> Result<(Vec<String>, Option<String>)> {
        let objects = self.objects.clone();
        blocking(move || {
            let mut shelves: Vec<String> = fs::read_dir(&objects)
                .map_err(broken)?
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok())
                .filter(|name| after.as_ref().is_none_or(|after| name > after))
                .collect();
            shelves.sort_unstable();
            let Some(shelf) = shelves.first() else { return Ok((Vec::new(), None)) };
            let names = fs::read_dir(objects.join(shelf)).map_err(broken)?.flatten();
            let names = names.filter_map(|entry| entry.file_name().into_string().ok());
            let next = (shelves.len() > 1).then(|| shelf.clone());
            Ok((names.filter(|name| is_name(name)).collect(), next))
        })
        .await
    }
}
