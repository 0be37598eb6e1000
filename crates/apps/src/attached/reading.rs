//! A file of the store on its way into a message: read whole within a bound, its words taken out within a budget. An image
//! is only looked at: its bytes stay where they are.

use std::time::{Duration, Instant};

use identity::{FilesRead, May};
use kernel::{Fault, Result};
use knowledge::extract::{Budget, extract};
use store::File;

use super::{Attached, AttachedKind, IMAGE, image_kind};
use crate::Hall;
use crate::files::Part;

/// Bytes of a text file or document at the most.
const DOCUMENT: u64 = 16 << 20;
/// How long a file may take to be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is said of an image that is too large.
pub(super) fn large_image() -> Fault {
    let say = format!("an image may have {} KB here; make it smaller", IMAGE / 1_000);
    Fault::invalid("file_ids", "too_large", say)
}

impl Hall {
    /// Reads a file, of its words at most `left` characters.
    pub(super) async fn read_attached(
        &self,
        may: &May<FilesRead>,
        file: File,
        left: usize,
    ) -> Result<Attached> {
        let mut attached = Attached {
            file_id: Some(file.id),
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            size: file.size,
            kind: AttachedKind::Image,
            read: 0,
            characters: 0,
            text: String::new(),
        };
        if image_kind(&file.media_type).is_some() {
            return if file.size > IMAGE { Err(large_image()) } else { Ok(attached) };
        }
        if file.media_type.starts_with("image/") {
            return Err(Fault::invalid(
                "file_ids",
                "unsupported",
                "models take PNG, JPEG, GIF and WebP images; save the image as one of them",
            ));
        }
        if file.size > DOCUMENT {
            let say = format!("a file of a message may have {} MiB", DOCUMENT >> 20);
            return Err(Fault::invalid("file_ids", "too_large", say));
        }
        let bytes = self.bytes_of(may, &file).await?;
        let budget = Budget { deadline: Some(Instant::now() + PATIENCE), ..Budget::default() };
        let name = file.name.clone();
        let found = tokio::task::spawn_blocking(move || extract(&bytes, &name, &budget)).await;
        let text = match found.map_err(Fault::internal)? {
            Ok(found) => found.text,
            Err(reason) => return Err(Fault::invalid("file_ids", "unreadable", reason.to_string())),
        };
        attached.kind = AttachedKind::Text;
        attached.characters = text.chars().count() as u64;
        attached.text = match text.char_indices().nth(left) {
            Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
            None => text,
        };
        attached.read = attached.characters.min(left as u64);
        Ok(attached)
    }

    /// The whole content of a file.
    pub(super) async fn bytes_of(&self, may: &May<FilesRead>, file: &File) -> Result<Vec<u8>> {
        let mut content = self.content(may, file, Part::Whole).await?;
        let mut bytes = Vec::with_capacity(usize::try_from(file.size).unwrap_or(0));
        while let Some(piece) = content.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}
