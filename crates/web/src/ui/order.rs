//! What a page says about the order of conversations: pinned ones, folders, tags, whether one goes by itself.

use kernel::FolderId;

use super::ConversationView;

/// Where a conversation stands among the others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OrderView {
    /// It stands above the others.
    pub pinned: bool,
    /// It was put away.
    pub archived: bool,
    /// Its folder.
    pub folder: Option<FolderId>,
    /// Its tags.
    pub tags: Vec<String>,
    /// It goes by itself.
    pub temporary: bool,
}

/// A folder in the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderView {
    /// Its id.
    pub id: FolderId,
    /// Its name.
    pub name: String,
    /// How many folders lie around it.
    pub depth: usize,
    /// How many conversations lie in it, of every app.
    pub conversations: u32,
}

/// What stands above the list.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OrderedView {
    /// Pinned conversations, newest first.
    pub pinned: Vec<ConversationView>,
    /// Every folder, each after the one it lies in.
    pub folders: Vec<FolderView>,
}

impl FolderView {
    /// Folders as they lie in each other, each level in the order of the names.
    pub fn tree(folders: &[apps::Folder]) -> Vec<FolderView> {
        let mut paths: Vec<(Vec<String>, &apps::Folder)> = {
            let mut paths = apps::Folder::paths(folders);
            let path = |folder: &apps::Folder| paths.remove(&folder.id).unwrap_or_default();
            let small = |path: Vec<String>| path.iter().map(|name| name.to_lowercase()).collect();
            let mut path = path;
            folders.iter().map(|folder| (small(path(folder)), folder)).collect()
        };
        paths.sort_by(|(one, _), (other, _)| one.cmp(other));
        let view = |(path, folder): (Vec<String>, &apps::Folder)| FolderView {
            id: folder.id,
            name: folder.name.clone(),
            depth: path.len().saturating_sub(1),
            conversations: folder.conversations,
        };
        paths.into_iter().map(view).collect()
    }
}
