//! Documents and passages: claimed once, shown whole, seen by whom they are for, gone without a trace.

use std::time::Duration;

use kernel::{AppId, AuditEvent, Code, DocumentId, EventType, PageRequest, PassageId, Visibility};
use store::{ClaimedDocument, DocumentStatus, NewDocument, NewPassage, ReadDocument};

use crate::world::{World, on_both_engines};

const EVERYONE: Visibility = Visibility::Everyone;
const STAFF: Visibility = Visibility::Staff;

impl World {
    pub fn new_document(&self, digest: &str, visibility: Visibility) -> NewDocument {
        NewDocument {
            id: DocumentId::new(&self.ambient),
            app: self.app.clone(),
            visibility,
            title: "returns".into(),
            name: "returns.md".into(),
            bytes: 100,
            digest: digest.into(),
            added_by: "operator".into(),
            most: (1_000, 1 << 30),
        }
    }

    pub fn new_passages(&self, count: u32, text: &str) -> Vec<NewPassage> {
        let passage = |position| NewPassage {
            id: PassageId::new(&self.ambient),
            position,
            headings: vec!["Returns".into(), text.into()],
            span: (u64::from(position) * 10, u64::from(position) * 10 + 9),
            page: Some(position + 1),
            text: format!("{text} {position}"),
            words: format!("words of {position}").into_bytes(),
        };
        (0..count).map(passage).collect()
    }

    pub async fn put_document(
        &self,
        digest: &str,
        visibility: Visibility,
        count: u32,
    ) -> (DocumentId, Vec<PassageId>) {
        let new = self.new_document(digest, visibility);
        let id = new.id;
        assert_eq!(self.store.claim_document(new).await.unwrap(), ClaimedDocument::Fresh);
        let passages = self.new_passages(count, digest);
        let ids = passages.iter().map(|passage| passage.id).collect();
        self.store.add_passages(&self.app, id, visibility, passages).await.unwrap();
        let read = ReadDocument {
            title: format!("Title of {digest}"),
            kind: "markdown".into(),
            warnings: vec!["a page was empty".into()],
            passages: count,
        };
        let audit = vec![AuditEvent::new(EventType::DocumentAdded, kernel::Actor::Operator)];
        self.store.finish_document(&self.app, id, read, audit).await.unwrap();
        (id, ids)
    }
}

fn other() -> AppId {
    AppId::parse("other").unwrap()
}

on_both_engines! {
    async fn documents_live_and_end(world) {
        let (store, app) = (&world.store, &world.app);
        let before = store.epochs().await.unwrap().documents;
        let (id, ids) = world.put_document("one", EVERYONE, 900).await;
        assert_eq!(store.epochs().await.unwrap().documents, before + 1);
        let document = store.document(app, EVERYONE, id).await.unwrap();
        assert_eq!((document.title.as_str(), document.name.as_str()), ("Title of one", "returns.md"));
        assert_eq!((document.status, document.passages), (DocumentStatus::Ready, 900));
        assert_eq!(document.warnings, ["a page was empty"]);
        let found = store.passages(app, EVERYONE, &ids[3..6]).await.unwrap();
        let mut texts: Vec<&str> = found.iter().map(|passage| passage.text.as_str()).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["one 3", "one 4", "one 5"]);
        assert_eq!((found[0].title.as_str(), found[0].headings.len(), found[0].document), ("Title of one", 2, id));
        let page = store.document_passages(app, EVERYONE, id, PageRequest::first(2)).await.unwrap();
        assert_eq!(page.items.iter().map(|passage| passage.position).collect::<Vec<_>>(), [0, 1]);
        let next = PageRequest::parse(Some(100), page.next.as_deref()).unwrap();
        assert_eq!(store.document_passages(app, EVERYONE, id, next).await.unwrap().items[0].position, 2);
        let pieces = store.indexed_passages(id, Some(498), false).await.unwrap();
        assert_eq!((pieces.len(), pieces[0].0, pieces[0].1.words.as_slice()), (401, 499, &b"words of 499"[..]));

        store.remove_document(app, id, vec![]).await.unwrap();
        assert_eq!(store.document(app, STAFF, id).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.remove_document(app, id, vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(world.number("SELECT COUNT(*) FROM passages").await, 0);
        assert_eq!(world.number("SELECT COUNT(*) FROM documents").await, 0);
        assert_eq!(store.epochs().await.unwrap().documents, before + 2);
        world.put_document("one", EVERYONE, 1).await;
    }

    async fn a_content_is_in_an_app_once(world) {
        let (store, app) = (&world.store, &world.app);
        let (id, _) = world.put_document("one", EVERYONE, 1).await;
        let again = store.claim_document(world.new_document("one", STAFF)).await.unwrap();
        assert_eq!(again, ClaimedDocument::Known(id));
        let elsewhere = NewDocument { app: other(), ..world.new_document("one", EVERYONE) };
        assert_eq!(store.claim_document(elsewhere).await.unwrap(), ClaimedDocument::Fresh);
        // Of a crowd that adds the same, one does.
        let crowd = (0..8).map(|_| store.claim_document(world.new_document("two", EVERYONE)));
        let crowd = futures_util::future::join_all(crowd).await;
        assert_eq!(crowd.into_iter().filter(|claim| claim.as_ref().unwrap() == &ClaimedDocument::Fresh).count(), 1);
        // One that failed makes room.
        let broken = world.new_document("three", EVERYONE);
        store.claim_document(broken.clone()).await.unwrap();
        store.add_passages(app, broken.id, EVERYONE, world.new_passages(3, "x")).await.unwrap();
        store.fail_document(app, broken.id, "The file is damaged.", vec![]).await.unwrap();
        let failed = store.document(app, STAFF, broken.id).await.unwrap();
        assert_eq!((failed.status, failed.reason.as_deref()), (DocumentStatus::Failed, Some("The file is damaged.")));
        assert_eq!(store.document(app, EVERYONE, broken.id).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(world.number("SELECT COUNT(*) FROM passages").await, 1);
        assert_eq!(store.claim_document(world.new_document("three", EVERYONE)).await.unwrap(), ClaimedDocument::Fresh);
        assert_eq!(store.document(app, STAFF, broken.id).await.unwrap_err().code(), Code::NotFound);
    }

    async fn limits_of_an_app_hold(world) {
        let full = |most| NewDocument { most, ..world.new_document("two", EVERYONE) };
        world.put_document("one", EVERYONE, 1).await;
        for most in [(1, 1 << 30), (10, 150)] {
            let fault = world.store.claim_document(full(most)).await.unwrap_err();
            assert_eq!(fault.code(), Code::Conflict);
        }
        assert_eq!(world.store.claim_document(full((2, 200))).await.unwrap(), ClaimedDocument::Fresh);
    }

    async fn each_sees_what_is_meant_for_them(world) {
        let (store, app) = (&world.store, &world.app);
        let (open, opened) = world.put_document("open", EVERYONE, 1).await;
        let (closed, hidden) = world.put_document("closed", STAFF, 1).await;
        let pending = world.new_document("pending", EVERYONE);
        store.claim_document(pending.clone()).await.unwrap();
        let ids = [opened[0], hidden[0]];
        let list = async |app: &AppId, sees| {
            let page = store.documents(app, sees, PageRequest::first(10)).await.unwrap();
            page.items.iter().map(|document| document.id).collect::<Vec<_>>()
        };
        assert_eq!(list(app, EVERYONE).await, [open]);
        assert_eq!(list(app, STAFF).await, [pending.id, closed, open]);
        assert!(list(&other(), STAFF).await.is_empty());
        assert_eq!(store.document(app, EVERYONE, closed).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.document(&other(), STAFF, open).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.remove_document(&other(), open, vec![]).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(store.passages(app, EVERYONE, &ids).await.unwrap().len(), 1);
        assert_eq!(store.passages(app, STAFF, &ids).await.unwrap().len(), 2);
        assert!(store.passages(&other(), STAFF, &ids).await.unwrap().is_empty());
        assert!(store.document_passages(app, EVERYONE, closed, PageRequest::first(5)).await.unwrap().items.is_empty());
        assert!(store.document_passages(&other(), STAFF, open, PageRequest::first(5)).await.unwrap().items.is_empty());
        let shelved = store.shelved_documents().await.unwrap();
        assert_eq!(shelved.iter().map(|one| (one.id, one.visibility)).collect::<Vec<_>>(), [(open, EVERYONE), (closed, STAFF)]);
        // Pieces of the list meet without a gap.
        let first = store.documents(app, STAFF, PageRequest::first(1)).await.unwrap();
        let rest = PageRequest::parse(Some(10), first.next.as_deref()).unwrap();
        assert_eq!(store.documents(app, STAFF, rest).await.unwrap().items.len(), 2);
    }

    async fn what_a_dead_process_left_is_settled(world) {
        let (store, app) = (&world.store, &world.app);
        let (half, gone) = (world.new_document("half", EVERYONE), world.put_document("gone", EVERYONE, 2).await.0);
        store.claim_document(half.clone()).await.unwrap();
        store.add_passages(app, half.id, EVERYONE, world.new_passages(5, "x")).await.unwrap();
        world.tamper(&format!("UPDATE documents SET status = 'removing', content = id WHERE id = '{gone}'")).await;
        let soon = world.ambient.now();
        assert_eq!(store.settle_documents(soon - Duration::from_secs(60), "stopped").await.unwrap(), 0);
        assert_eq!(store.settle_documents(world.ambient.now(), "The server stopped.").await.unwrap(), 2);
        let settled = store.document(app, STAFF, half.id).await.unwrap();
        assert_eq!((settled.status, settled.reason.as_deref()), (DocumentStatus::Failed, Some("The server stopped.")));
        assert_eq!(world.number("SELECT COUNT(*) FROM passages").await, 0);
        assert_eq!(world.number("SELECT COUNT(*) FROM documents").await, 1);
        // Whoever was only slow is told.
        let late = store.add_passages(app, half.id, EVERYONE, world.new_passages(1, "x")).await;
        assert_eq!(late.unwrap_err().code(), Code::Conflict);
        let read = ReadDocument { title: String::new(), kind: String::new(), warnings: vec![], passages: 6 };
        assert_eq!(store.finish_document(app, half.id, read, vec![]).await.unwrap_err().code(), Code::Conflict);
    }

    async fn vectors_come_later_and_change_with_the_model(world) {
        let (store, app) = (&world.store, &world.app);
        let (id, ids) = world.put_document("one", EVERYONE, 3).await;
        assert_eq!(store.unembedded_document("small").await.unwrap(), Some((app.clone(), id)));
        let vectors = |first: f32| ids.iter().map(|id| (*id, vec![first, 0.5])).collect::<Vec<_>>();
        store.set_vectors(vectors(1.0)).await.unwrap();
        store.finish_embedding(app, id, "small").await.unwrap();
        assert_eq!((store.unembedded_document("small").await.unwrap(), store.count_unembedded("large").await.unwrap()), (None, 1));
        let read = store.indexed_passages(id, None, true).await.unwrap();
        assert_eq!(read[2].1.vector.as_deref(), Some(&[1.0, 0.5][..]));
        assert_eq!(store.indexed_passages(id, None, false).await.unwrap()[0].1.vector, None);
        assert_eq!(store.shelved_documents().await.unwrap()[0].embedding.as_deref(), Some("small"));
        store.set_vectors(vectors(2.0)).await.unwrap();
        assert_eq!(store.indexed_passages(id, None, true).await.unwrap()[0].1.vector.as_deref(), Some(&[2.0, 0.5][..]));
        store.remove_document(app, id, vec![]).await.unwrap();
        assert_eq!(store.finish_embedding(app, id, "large").await.unwrap_err().code(), Code::NotFound);
        store.set_vectors(vectors(3.0)).await.unwrap();
        assert_eq!(world.number("SELECT COUNT(*) FROM passages").await, 0);
    }

    async fn words_are_hashed_under_a_key_of_each_app(world) {
        let one = world.store.word_key(&world.app).await.unwrap();
        let second = world.second().await;
        assert_eq!(one.number("refund"), second.word_key(&world.app).await.unwrap().number("refund"));
        assert_ne!(one.number("refund"), second.word_key(&other()).await.unwrap().number("refund"));
        second.close().await;
    }
}
