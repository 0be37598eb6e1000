//! Conversations in order: pinned, put away, in folders, tagged, many at once, and temporary ones.

use kernel::{Code, ConversationId, Fault, FolderId, PageRequest, Subject};
use store::{Arrangement, ConversationFilter, Folder, FolderChange, Lying, NewConversation, NewFolder};

use crate::world::{World, event, on_both_engines};

fn code(fault: Fault) -> Code {
    fault.code()
}

fn field(fault: Fault) -> (String, &'static str) {
    let field = fault.fields().first().unwrap().clone();
    (field.field.to_string(), field.code)
}

async fn said(world: &World, owner: Subject) -> ConversationId {
    world.store.record_turn(world.opening(owner, "hello"), vec![]).await.unwrap()
}

async fn arrange(
    world: &World,
    owner: Subject,
    ids: &[ConversationId],
    to: Arrangement,
) -> kernel::Result<()> {
    world.store.arrange(&owner, std::slice::from_ref(&world.app), ids, to, event(owner)).await
}

async fn listed(world: &World, owner: Subject, filter: ConversationFilter) -> Vec<ConversationId> {
    let page = world.store.conversations(&owner, filter, PageRequest::first(50)).await.unwrap();
    page.items.into_iter().map(|conversation| conversation.id).collect()
}

async fn make(world: &World, owner: Subject, name: &str, parent: Option<FolderId>) -> kernel::Result<Folder> {
    let new = NewFolder { id: FolderId::new(&world.ambient), parent, name: name.into() };
    world.store.create_folder(&owner, new, event(owner)).await
}

fn tags(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

on_both_engines! {
    async fn lists_follow_the_order(world) {
        let (store, owner) = (&world.store, world.visitor());
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(said(world, owner).await);
        }
        ids.reverse();
        let folder = make(world, owner, "Work", None).await.unwrap();
        let before = store.conversation(&owner, ids[1]).await.unwrap();
        arrange(world, owner, &ids[..1], Arrangement { archived: Some(true), ..Default::default() }).await.unwrap();
        let to = Arrangement { pinned: Some(true), folder: Some(Some(folder.id)), tags: Some(tags(&["Blue", "two words"])), ..Default::default() };
        arrange(world, owner, &ids[1..2], to).await.unwrap();
        let after = store.conversation(&owner, ids[1]).await.unwrap();
        assert_eq!((after.pinned, after.archived, after.folder), (true, false, Some(folder.id)));
        assert_eq!(after.tags, ["Blue", "two words"]);
        assert_eq!(after.updated_at, before.updated_at, "to put in order is not to talk");
        let none = ConversationFilter::default();
        assert_eq!(listed(world, owner, none.clone()).await, ids[1..]);
        assert_eq!(listed(world, owner, ConversationFilter { archived: true, ..none.clone() }).await, ids[..1]);
        assert_eq!(listed(world, owner, ConversationFilter { pinned: Some(true), ..none.clone() }).await, ids[1..2]);
        assert_eq!(listed(world, owner, ConversationFilter { pinned: Some(false), ..none.clone() }).await, ids[2..]);
        assert_eq!(listed(world, owner, ConversationFilter { folder: Some(Lying::In(folder.id)), ..none.clone() }).await, ids[1..2]);
        assert_eq!(listed(world, owner, ConversationFilter { folder: Some(Lying::Loose), ..none.clone() }).await, ids[2..]);
        assert_eq!(listed(world, owner, ConversationFilter { tag: Some("bLUE".into()), ..none.clone() }).await, ids[1..2]);
        assert!(listed(world, owner, ConversationFilter { tag: Some("red".into()), ..none.clone() }).await.is_empty());
        assert!(listed(world, world.visitor(), ConversationFilter { tag: Some("blue".into()), ..none }).await.is_empty());
        assert_eq!(store.folders(&owner).await.unwrap()[0].conversations, 1);
        let known: Vec<_> = store.tags(&owner).await.unwrap().into_iter().map(|tag| (tag.tag, tag.conversations)).collect();
        assert_eq!(known, [("Blue".to_owned(), 1), ("two words".to_owned(), 1)]);
    }

    async fn many_are_changed_or_none(world) {
        let (store, owner, stranger) = (&world.store, world.visitor(), world.visitor());
        let (one, two, foreign) = (said(world, owner).await, said(world, owner).await, said(world, stranger).await);
        let away = Arrangement { archived: Some(true), add_tags: tags(&["x", "X"]), ..Default::default() };
        for wrong in [foreign, ConversationId::new(&world.ambient)] {
            let refused = arrange(world, owner, &[one, two, wrong], away.clone()).await;
            assert_eq!(refused.map_err(code), Err(Code::NotFound));
            let refused = store.delete_conversations(&owner, std::slice::from_ref(&world.app), &[one, wrong], vec![]).await;
            assert_eq!(refused.map_err(code), Err(Code::NotFound));
        }
        let other_app = kernel::AppId::parse("tutor").unwrap();
        let refused = store.arrange(&owner, &[other_app], &[one], away.clone(), vec![]).await;
        assert_eq!(refused.map_err(code), Err(Code::NotFound));
        assert!(!store.conversation(&owner, one).await.unwrap().archived, "nothing was done");
        arrange(world, owner, &[one, two, one], away).await.unwrap();
        for id in [one, two] {
            let now = store.conversation(&owner, id).await.unwrap();
            assert_eq!((now.archived, now.tags), (true, tags(&["x"])));
        }
        let back = Arrangement { archived: Some(false), add_tags: tags(&["y"]), remove_tags: tags(&["X"]), ..Default::default() };
        arrange(world, owner, &[one], back).await.unwrap();
        let now = store.conversation(&owner, one).await.unwrap();
        assert_eq!((now.archived, now.tags), (false, tags(&["y"])));
        store.delete_conversations(&owner, std::slice::from_ref(&world.app), &[one, two], event(owner)).await.unwrap();
        assert_eq!(store.conversation(&owner, two).await.map_err(code).unwrap_err(), Code::NotFound);
        assert!(store.tags(&owner).await.unwrap().is_empty());
        assert!(store.conversation(&stranger, foreign).await.is_ok());
    }

    async fn limits_are_told(world) {
        let owner = world.visitor();
        let id = said(world, owner).await;
        let many: Vec<String> = (0..21).map(|n| format!("tag {n}")).collect();
        let refused = arrange(world, owner, &[id], Arrangement { tags: Some(many), ..Default::default() }).await;
        assert_eq!(field(refused.unwrap_err()), ("tags".into(), "too_many"));
        let nowhere = Arrangement { folder: Some(Some(FolderId::new(&world.ambient))), ..Default::default() };
        assert_eq!(field(arrange(world, owner, &[id], nowhere).await.unwrap_err()), ("folder_id".into(), "unknown"));
        let mut parent = None;
        for level in 0..store::Store::DEEPEST_FOLDER {
            parent = Some(make(world, owner, &format!("level {level}"), parent).await.unwrap().id);
        }
        assert_eq!(field(make(world, owner, "deeper", parent).await.unwrap_err()), ("parent_id".into(), "too_deep"));
        assert_eq!(make(world, owner, "LEVEL 0", None).await.map_err(code).unwrap_err(), Code::Conflict);
        assert_eq!(make(world, owner, "x", Some(FolderId::new(&world.ambient))).await.map_err(code).unwrap_err(), Code::NotFound);
    }

    async fn folders_are_moved_and_deleted(world) {
        let (store, owner) = (&world.store, world.visitor());
        let work = make(world, owner, "Work", None).await.unwrap();
        let client = make(world, owner, "Client", Some(work.id)).await.unwrap();
        let id = said(world, owner).await;
        arrange(world, owner, &[id], Arrangement { folder: Some(Some(client.id)), ..Default::default() }).await.unwrap();
        let change = |name: Option<&str>, parent| FolderChange { name: name.map(str::to_owned), parent };
        let into_itself = store.change_folder(&owner, work.id, change(None, Some(Some(client.id))), vec![]).await;
        assert_eq!(field(into_itself.unwrap_err()), ("parent_id".into(), "circle"));
        let renamed = store.change_folder(&owner, work.id, change(Some("Büro"), None), vec![]).await.unwrap();
        assert_eq!((renamed.name.as_str(), renamed.id), ("Büro", work.id));
        let folders = store.folders(&owner).await.unwrap();
        assert_eq!(Folder::paths(&folders)[&client.id], ["Büro", "Client"]);
        let stranger = world.visitor();
        assert_eq!(store.change_folder(&stranger, work.id, change(Some("x"), None), vec![]).await.map_err(code).unwrap_err(), Code::NotFound);
        assert_eq!(store.delete_folder(&stranger, work.id, vec![]).await.map_err(code).unwrap_err(), Code::NotFound);
        store.delete_folder(&owner, work.id, event(owner)).await.unwrap();
        let folders = store.folders(&owner).await.unwrap();
        assert_eq!((folders.len(), folders[0].id, folders[0].parent), (1, client.id, None), "what lay in it lies where it lay");
        store.delete_folder(&owner, client.id, event(owner)).await.unwrap();
        assert_eq!(store.conversation(&owner, id).await.unwrap().folder, None);
    }

    async fn temporary_ones_are_nowhere_and_go(world) {
        let (store, owner) = (&world.store, world.visitor());
        let mut ids = Vec::new();
        for _ in 0..2 {
            let new = NewConversation {
                id: ConversationId::new(&world.ambient), owner, app: world.app.clone(), title: None, topic: None,
                session: None, max_per_owner: None, problem: None, temporary: true,
            };
            let made = store.create_conversation(new, vec![]).await.unwrap();
            store.record_turn(world.turn(owner, made.id, "between us"), vec![]).await.unwrap();
            ids.push(made.id);
        }
        assert!(listed(world, owner, ConversationFilter::default()).await.is_empty());
        assert!(store.conversation(&owner, ids[0]).await.unwrap().temporary);
        assert_eq!(store.sweep_temporary(world.ambient.now() - std::time::Duration::from_secs(3_600)).await.unwrap(), 0);
        arrange(world, owner, &ids[1..], Arrangement { keep: true, ..Default::default() }).await.unwrap();
        world.wait(3_601);
        // Something that is being written is waited for.
        let mut turn = world.turn(owner, ids[0], "wait");
        turn.user.created_at = store.conversation(&owner, ids[0]).await.unwrap().updated_at;
        let answer = turn.assistant.id;
        turn.assistant.created_at = turn.user.created_at;
        store.begin_turn(turn, vec![]).await.unwrap();
        let before = || world.ambient.now() - std::time::Duration::from_secs(3_600);
        assert_eq!(store.sweep_temporary(before()).await.unwrap(), 0);
        store.interrupt_every().await.unwrap();
        assert_eq!(store.sweep_temporary(before()).await.unwrap(), 1);
        assert_eq!(store.message(&owner, ids[0], answer).await.map_err(code).unwrap_err(), Code::NotFound);
        assert_eq!(listed(world, owner, ConversationFilter::default()).await, ids[1..]);
    }
}
