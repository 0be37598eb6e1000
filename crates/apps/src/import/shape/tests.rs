//! Exports of other houses in miniature, and what nobody should send.

use kernel::Time;
use serde_json::{Value, json};
use store::Role;

use super::{Foreign, parse, read};

fn now() -> Time {
    Time::from_seconds(2_000_000_000)
}

fn taken(value: &Value) -> Foreign {
    read(value, now()).unwrap()
}

fn said(foreign: &Foreign) -> Vec<(Role, &str, Option<usize>)> {
    foreign.tree.messages.iter().map(|one| (one.words.role, one.words.content.as_str(), one.parent)).collect()
}

fn node(id: &str, parent: &str, role: &str, content: Value, more: Value) -> (String, Value) {
    let mut message =
        json!({"id": id, "author": {"role": role}, "create_time": 1_700_000_000.25, "content": content});
    for (name, value) in more.as_object().into_iter().flatten() {
        message[name] = value.clone();
    }
    (id.to_owned(), json!({"id": id, "parent": parent, "children": [], "message": message}))
}

fn text(words: &str) -> Value {
    json!({"content_type": "text", "parts": [words]})
}

#[test]
fn chatgpt_comes_with_its_branches_and_without_its_tools() {
    let mut mapping: serde_json::Map<String, Value> = [
        node("s", "root", "system", text("You are"), json!({"metadata": {"is_visually_hidden_from_conversation": true}})),
        node("q", "s", "user", json!({"content_type": "multimodal_text", "parts": [{"content_type": "image_asset_pointer"}, "Look"]}),
            json!({"metadata": {"attachments": [{"name": "a.png"}]}})),
        node("t", "q", "assistant", json!({"content_type": "code", "text": "search()"}), json!({"recipient": "browser"})),
        node("r", "t", "tool", text("found"), json!({})),
        node("a", "r", "assistant", text("First"), json!({"metadata": {"model_slug": "gpt-4o"}})),
        node("b", "q", "assistant", text("Second"), json!({"create_time": 1_700_000_009.0})),
        node("c", "b", "assistant", json!({"content_type": "thoughts", "thoughts": []}), json!({})),
        node("d", "c", "assistant", json!({"content_type": "code", "language": "python", "text": "1"}), json!({"create_time": 1_700_000_010})),
    ].into_iter().collect();
    mapping.insert("root".into(), json!({"id": "root", "parent": null, "message": null, "children": ["s"]}));
    let foreign = taken(&json!({
        "title": "A\nline", "create_time": 1_700_000_000.0, "update_time": 9_999_999_999_i64, "mapping": mapping,
        "current_node": "a", "conversation_id": "x1",
    }));
    assert_eq!(
        said(&foreign),
        [
            (Role::User, "Look", None),
            (Role::Assistant, "First", Some(0)),
            (Role::Assistant, "Second", Some(0)),
            (Role::Assistant, "```python\n1\n```", Some(2)),
        ]
    );
    assert_eq!(foreign.tree.head, Some(1), "what was open is open");
    assert_eq!((foreign.left_out, foreign.files), (4, 1));
    assert_eq!((foreign.key.as_str(), foreign.title.as_deref()), ("chatgpt x1", Some("A line")));
    assert_eq!(foreign.updated_at, Some(now()), "nothing comes from the future");
    assert_eq!(foreign.tree.messages[1].words.model.as_deref(), Some("gpt-4o"));
    assert_eq!(foreign.tree.messages[0].words.at, Some(Time::from_micros(1_700_000_000_250_000)));
}

#[test]
fn open_webui_comes_as_a_tree_or_as_a_list() {
    let tree = taken(
        &json!({"id": "w1", "title": "T", "created_at": 1_700_000_000, "updated_at": 1_700_000_100_000_i64, "chat": {
        "history": {"currentId": "3", "messages": {
            "1": {"id": "1", "parentId": null, "role": "user", "content": "Hi", "timestamp": 1_700_000_001, "files": [{}]},
            "2": {"id": "2", "parentId": "1", "role": "assistant", "content": "A", "timestamp": 1_700_000_002, "model": "llama"},
            "3": {"id": "3", "parentId": "1", "role": "assistant", "content": [{"type": "text", "text": "B"}], "timestamp": 1_700_000_003},
        }}}}),
    );
    assert_eq!(
        said(&tree),
        [(Role::User, "Hi", None), (Role::Assistant, "A", Some(0)), (Role::Assistant, "B", Some(0))]
    );
    assert_eq!((tree.tree.head, tree.files), (Some(2), 1));
    assert_eq!(tree.updated_at, Some(Time::from_seconds(1_700_000_100)), "milliseconds are seen as such");
    let list = taken(&json!({"chat": {"title": "L", "messages": [
        {"role": "system", "content": "no"}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"},
    ]}}));
    assert_eq!(said(&list), [(Role::User, "Hi", None), (Role::Assistant, "Yes", Some(0))]);
    assert_eq!((list.title.as_deref(), list.left_out, list.key.is_empty()), (Some("L"), 1, false));
}

#[test]
fn what_is_hostile_or_unknown_is_refused_with_words() {
    let mapping = |content: Value| json!({"mapping": {"a": {"message": {"author": {"role": "user"}, "content": content}}}});
    for (value, words) in [
        (json!(7), "no conversation"),
        (json!({"hello": 1}), "shape"),
        (json!({"mapping": {}}), "no words"),
        (mapping(text("a\0b")), "NUL"),
        (mapping(text(&"x".repeat(400_001))), "400000"),
        (json!({"chat": {"messages": vec![json!({}); 10_001]}}), "10000"),
        (
            json!({"mapping": {"a": {"parent": "b", "message": {"author": {"role": "user"}, "content": text("x")}}, "b": {"parent": "a"}}}),
            "no words",
        ),
    ] {
        let why = read(&value, now()).unwrap_err().detail;
        assert!(why.contains(words), "{why}");
    }
    // Types that are not what they should be cost a message at the most.
    for odd in [
        json!(null),
        json!("x"),
        json!([]),
        json!({"content_type": 7}),
        json!({"content_type": "text", "parts": 3}),
    ] {
        let value = json!({"mapping": {
            "a": {"message": {"author": {"role": "user"}, "content": text("fine")}},
            "b": {"parent": "a", "message": {"author": {"role": "assistant"}, "content": odd}},
            "c": {"parent": 7, "message": 7}, "d": 7,
        }, "title": 7, "create_time": "soon", "current_node": []});
        assert_eq!(said(&taken(&value)), [(Role::User, "fine", None)]);
    }
}

#[test]
fn claude_comes_with_its_files_and_drafts() {
    let talk = json!({
        "uuid": "c1", "name": "Plan", "created_at": "2024-05-01T10:00:00.123456Z", "updated_at": "2024-05-02T10:00:00Z",
        "account": {"uuid": "x"}, "chat_messages": [
        {"uuid": "1", "sender": "human", "text": "Read this", "content": [{"type": "text", "text": "Read this"}],
         "created_at": "2024-05-01T10:00:00Z", "attachments": [
            {"file_name": "notes.txt", "file_size": 12, "file_type": "txt", "extracted_content": "The word: heron"}],
         "files": [{"file_name": "photo.png"}]},
        {"uuid": "2", "sender": "assistant", "text": "Heron.", "created_at": "2024-05-01T10:00:05Z", "content": [
            {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Heron."},
            {"type": "tool_use", "name": "artifacts", "input": {"content": "let a = \"```\";", "language": "rust"}},
            {"type": "tool_result", "content": []}]},
        {"uuid": "3", "sender": "human", "text": "", "content": [], "attachments": [
            {"file_name": "", "extracted_content": "pasted"}], "files": []},
    ]});
    let foreign = taken(&talk);
    let fence = "````rust\nlet a = \"```\";\n````";
    assert_eq!(
        said(&foreign),
        [
            (Role::User, "Read this", None),
            (Role::Assistant, format!("Heron.\n\n{fence}").as_str(), Some(0)),
            (Role::User, "unnamed", Some(1)),
        ]
    );
    let file = &foreign.tree.messages[0].words.attached[0];
    assert_eq!(
        (file.name.as_str(), file.text.as_str(), file.read, file.size),
        ("notes.txt", "The word: heron", 15, 12)
    );
    assert_eq!(
        (foreign.key.as_str(), foreign.files, foreign.title.as_deref()),
        ("claude c1", 1, Some("Plan"))
    );
    assert_eq!(foreign.created_at, Some(Time::from_micros(1_714_557_600_123_456)));

    // Newer exports are trees.
    let nothing = "00000000-0000-4000-8000-000000000000";
    let node = |id: &str, parent: &str, sender: &str| json!({"uuid": id, "parent_message_uuid": parent, "sender": sender, "text": id});
    let tree = taken(&json!({"uuid": "c2", "name": "", "current_leaf_message_uuid": "b", "chat_messages": [
        node("q", nothing, "human"), node("a", "q", "assistant"), node("b", "q", "assistant"), node("x", "x", "human"),
    ]}));
    assert_eq!(
        said(&tree),
        [(Role::User, "q", None), (Role::Assistant, "a", Some(0)), (Role::Assistant, "b", Some(0))]
    );
    assert_eq!((tree.tree.head, tree.left_out), (Some(2), 1));
}

#[test]
fn librechat_comes_flat_and_nested() {
    let nothing = "00000000-0000-0000-0000-000000000000";
    let message = |id: &str, parent: &str, mine: bool, second: u32| {
        json!({"messageId": id, "parentMessageId": parent, "isCreatedByUser": mine, "sender": "x", "text": format!("say {id}"),
            "model": "gpt-4o", "createdAt": format!("2024-05-01T10:00:{second:02}.000Z")})
    };
    let mut answer = message("b", "a", false, 2);
    answer["feedback"] = json!({"rating": "thumbsDown", "tag": "other", "text": "wrong"});
    answer["content"] =
        json!([{"type": "think", "think": "hm"}, {"type": "text", "text": {"value": "say b"}}]);
    let mut question = message("a", nothing, true, 1);
    question["files"] = json!([{"filename": "n.md", "type": "text/markdown", "bytes": 3, "text": "abc"}]);
    let mut error = message("d", "a", false, 4);
    error["error"] = json!(true);
    let flat = vec![question.clone(), answer.clone(), message("c", "a", false, 3), error.clone()];
    let head = json!({"conversationId": "l1", "title": "T", "endpoint": "openAI", "tags": ["One", "one", "a,b"], "branches": true});
    let mut listed = head.clone();
    listed["messages"] = json!(flat);
    let listed = taken(&listed);
    let wanted = [
        (Role::User, "say a", None),
        (Role::Assistant, "say b", Some(0)),
        (Role::Assistant, "say c", Some(0)),
    ];
    assert_eq!(
        (said(&listed), listed.left_out, listed.tags.as_slice()),
        (wanted.to_vec(), 1, &["One".to_owned()][..])
    );
    let words = &listed.tree.messages[1].words;
    assert_eq!(words.opinion.as_ref().and_then(|one| one.comment.as_deref()), Some("wrong"));
    assert_eq!(
        (words.model.as_deref(), listed.tree.messages[0].words.attached[0].text.as_str()),
        (Some("gpt-4o"), "abc")
    );
    question["children"] = json!([answer, message("c", "a", false, 3), error]);
    let mut nested = head;
    nested["messagesTree"] = json!([question]);
    assert_eq!(said(&taken(&nested)), wanted);

    // A long talk, each message in the one before, parsed from its bytes.
    let mut inner = String::from("[]");
    for number in (0..2_000).rev() {
        let parent = if number == 0 { nothing.to_owned() } else { format!("m{}", number - 1) };
        inner = format!(
            "[{{\"messageId\":\"m{number}\",\"parentMessageId\":\"{parent}\",\"isCreatedByUser\":{},\"text\":\"t{number}\",\"children\":{inner}}}]",
            number % 2 == 0
        );
    }
    let deep = format!("{{\"conversationId\":\"l2\",\"recursive\":true,\"messages\":{inner}}}");
    let deep = parse(deep.as_bytes(), now()).unwrap();
    assert_eq!((deep.tree.messages.len(), deep.tree.messages[1_999].parent), (2_000, Some(1_998)));
    // And one that never ends.
    let cycle = json!({"conversationId": "l3", "messages": [message("a", "b", true, 1), message("b", "a", false, 2)]});
    assert_eq!(read(&cycle, now()).unwrap_err().code, "empty");
}

#[test]
fn files_of_chatgpt_come_with_what_was_quoted_of_them() {
    let mapping: serde_json::Map<String, Value> = [
        node("q", "", "user", text("Look"), json!({"metadata": {"attachments": [
            {"id": "file-1", "name": "a.txt", "mime_type": "text/plain", "size": 9}, {"id": "file-2", "name": "b.png", "mimeType": "image/png"}]}})),
        node("r", "q", "tool", json!({"content_type": "tether_quote", "url": "file-1", "domain": "a.txt", "text": "quoted words"}), json!({})),
        node("a", "r", "assistant", text("Yes"), json!({})),
    ].into_iter().collect();
    let foreign = taken(&json!({"mapping": mapping, "is_archived": true, "title": "T"}));
    assert_eq!(said(&foreign), [(Role::User, "Look", None), (Role::Assistant, "Yes", Some(0))]);
    let files = &foreign.tree.messages[0].words.attached;
    assert_eq!((files[0].text.as_str(), files[0].size, files[1].text.as_str()), ("quoted words", 9, ""));
    assert_eq!((foreign.files, foreign.archived, foreign.left_out), (1, true, 1));
}

#[test]
fn our_own_comes_as_it_was() {
    let foreign = taken(
        &json!({"conversation": {"id": "01939f2e-7c4a-7b31-9d55-0a6f2c1e8b47", "title": null, "pinned": true, "tags": ["x"]},
            "folder": ["Work", "a/b", ""], "said": ["a", "b"], "messages": [
            {"id": "a", "role": "user", "content": "q", "attachments": [
                {"file_id": "01939f2e-7c4a-7b31-9d55-0a6f2c1e8b48", "name": "n", "kind": "image"},
                {"file_id": "01939f2e-7c4a-7b31-9d55-0a6f2c1e8b49", "name": "gone", "deleted": true, "text": "kept words"}]},
            {"id": "b", "parent_id": "a", "role": "assistant", "content": "", "finish_reason": "cancelled",
             "feedback": {"rating": "up", "comment": " fine ", "updated_at": "2099-01-01T00:00:00Z"}},
            {"id": "c", "parent_id": "a", "role": "assistant", "content": "half", "finish_reason": null},
        ]}),
    );
    assert_eq!(
        (foreign.title.as_deref(), foreign.pinned, foreign.folder.as_slice()),
        (None, true, &["Work".to_owned()][..])
    );
    assert_eq!(
        said(&foreign),
        [(Role::User, "q", None), (Role::Assistant, "", Some(0)), (Role::Assistant, "half", Some(0))]
    );
    let [image, gone] = &foreign.tree.messages[0].words.attached[..] else { panic!() };
    assert!(image.file_id.is_some() && gone.file_id.is_none() && gone.text == "kept words");
    let words = &foreign.tree.messages[1].words;
    let opinion = words.opinion.as_ref().unwrap();
    assert_eq!((opinion.comment.as_deref(), opinion.at), (Some("fine"), Some(now())));
    assert_eq!(foreign.tree.messages[2].words.finish, store::FinishReason::Interrupted);
}
