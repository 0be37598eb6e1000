//! Nothing that anybody typed is found in the files of the database.

use kernel::{PasskeyId, Secret};
use serde_json::json;
use store::{
    Block, ConversationChange, FinishReason, FinishedMessage, NewKey, NewPasskey, NewSession, NewTicket,
    NewUser, Opening, Purpose, StoredAnswer,
};

use crate::world::{World, event};

const MARKER: &str = "xylophone-marker-7f3a";

fn search(folder: &std::path::Path) -> Vec<String> {
    let marker = MARKER.as_bytes();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if bytes.windows(marker.len()).any(|window| window == marker) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// An account whose person typed the marker wherever something can be typed.
async fn account(world: &World) {
    let store = &world.store;
    let typed = |text: &str| format!("{text} {MARKER}");
    let new = NewUser {
        name: typed("name"),
        password: Some(Secret::new(typed("hash"))),
        ..world.person(&format!("{MARKER}@example.com"))
    };
    let user = store.create_user(new, vec![]).await.unwrap();
    store.set_email(user.id, &format!("new-{MARKER}@example.com"), false, vec![]).await.unwrap();
    store.set_name(user.id, &typed("new name"), vec![]).await.unwrap();
    store.begin_totp(user.id, Secret::new(MARKER.into())).await.unwrap();
    store.link_identity(user.id, "https://issuer.example", MARKER, vec![]).await.unwrap();
    let passkey = NewPasskey {
        id: PasskeyId::new(&world.ambient),
        user: user.id,
        credential: "c".into(),
        name: typed("phone"),
        public_key: MARKER.into(),
        sign_count: 0,
    };
    store.add_passkey(passkey, vec![]).await.unwrap();
    let session = NewSession { agent: typed("agent"), ..world.browser(&user, "s") };
    store.open_session(session, vec![]).await.unwrap();
    let ticket = NewTicket {
        digest: "1".into(),
        purpose: Purpose::Verify,
        user: Some(user.id),
        email: MARKER.into(),
        role: None,
        expires_at: world.later(60),
    };
    let invitation = NewTicket { digest: "2".into(), purpose: Purpose::Invite, user: None, ..ticket.clone() };
    store.issue_ticket(ticket, false, vec![]).await.unwrap();
    store.issue_ticket(invitation, false, vec![]).await.unwrap();
    let key = NewKey { user: Some(user.id), ..world.key(MARKER) };
    store.create_key(NewKey { digest: "own".into(), ..key }, vec![]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_holds_what_was_typed() {
    let world = World::sqlite().await;
    let (store, owner) = (&world.store, world.visitor());
    let (document, _) = world.put_document(MARKER, kernel::Visibility::Everyone, 3).await;
    store.set_vectors(Vec::new()).await.unwrap();
    assert!(
        store.document(&world.app, kernel::Visibility::Staff, document).await.unwrap().title.contains(MARKER)
    );
    let broken = store::NewDocument {
        name: MARKER.into(),
        title: MARKER.into(),
        ..world.new_document("broken", kernel::Visibility::Everyone)
    };
    store.claim_document(broken.clone()).await.unwrap();
    store.fail_document(&world.app, broken.id, MARKER, vec![]).await.unwrap();
    let typed = |text: &str| format!("{text} {MARKER}");
    let mut turn = world.opening(owner, &typed("question"));
    turn.assistant.content = typed("answer");
    turn.assistant.citations = json!([{"title": MARKER}]);
    turn.opening = Opening::New {
        id: turn.user.conversation_id,
        title: Some(typed("title")),
        topic: Some(typed("topic")),
        session: Some(MARKER.into()),
    };
    let id = store.record_turn(turn, event(owner)).await.unwrap();
    let streamed = world.turn(owner, id, &typed("second"));
    store.begin_turn(streamed.clone(), vec![]).await.unwrap();
    let done = FinishedMessage {
        owner,
        conversation_id: id,
        message_id: streamed.assistant.id,
        content: typed("streamed"),
        citations: json!([MARKER]),
        finish_reason: Some(FinishReason::Stop),
        model: None,
        input_tokens: None,
        output_tokens: None,
        details: serde_json::Value::Null,
    };
    store.finish_turn(done, vec![]).await.unwrap();
    let change = ConversationChange { title: Some(typed("renamed")), topic: Some(typed("topic")) };
    store.update_conversation(&owner, id, change, vec![]).await.unwrap();
    let expires = world.ambient.now() + std::time::Duration::from_secs(100);
    store.begin_idempotent(&owner, MARKER, MARKER, expires).await.unwrap();
    let answer = StoredAnswer { status: 200, body: MARKER.into(), content_type: "text/plain".into() };
    store.finish_idempotent(&owner, MARKER, answer).await.unwrap();
    store.set_state("name", MARKER, vec![]).await.unwrap();
    store.create_key(NewKey { digest: "d".into(), ..world.key(MARKER) }, vec![]).await.unwrap();
    account(&world).await;
    let block = Block {
        net: "192.0.2.0/24".into(),
        reason: MARKER.into(),
        created_at: world.ambient.now(),
        expires_at: None,
    };
    store.add_block(block, vec![]).await.unwrap();
    // A file that does hold it proves that the search finds what is there.
    std::fs::write(world.folder().join("control"), MARKER).unwrap();
    assert_eq!(search(&world.folder()).len(), 1, "beside the control, in the open database and its log");
    store.erase_subject(&owner, vec![]).await.unwrap();
    store.close().await;
    assert_eq!(search(&world.folder()).len(), 1, "after closing");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_is_overwritten() {
    let world = World::sqlite().await;
    let (store, owner) = (&world.store, world.visitor());
    let id = store.record_turn(world.opening(owner, "x"), vec![]).await.unwrap();
    store.close().await;
    let file = world.folder().join("stoa.db");
    let holds = |needle: &str| {
        std::fs::read(&file).unwrap().windows(needle.len()).any(|window| window == needle.as_bytes())
    };
    assert!(holds(&id.to_string()));
    let again = world.second().await;
    again.delete_conversation(&owner, id, vec![]).await.unwrap();
    again.close().await;
    assert!(!holds(&id.to_string()), "secure_delete clears the pages");
    world.end().await;
}
