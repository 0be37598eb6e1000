//! Exports of other houses in miniature, and what nobody should send.

use kernel::Time;
use serde_json::{Value, json};
use store::Role;

use super::shape::{Foreign, read};

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
        let why = read(&value, now()).unwrap_err();
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
