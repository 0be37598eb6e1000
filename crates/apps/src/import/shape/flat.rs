//! JSON from bytes, however deep messages are nested in each other: what stands in arrays named `children` is lifted beside
//! the conversation before it is parsed, so that a talk of a thousand turns is as deep as one of two. What is deep otherwise is
//! refused. It runs over the bytes once and never recurses.

use serde_json::Value;

use super::Refused;

/// How deep a conversation may be nested otherwise.
const DEEP: usize = 100;

/// Parses a conversation.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Refused> {
    let not_json = |_| Refused::new("not_json", "it is not JSON");
    if depth(bytes) <= DEEP {
        return serde_json::from_slice(bytes).map_err(not_json);
    }
    let (top, lifted) = lift(bytes);
    let pieces = lifted.iter().chain(std::iter::once(&top));
    if lifted.is_empty() || pieces.clone().any(|piece| depth(piece) > DEEP) {
        return Err(Refused::new("too_deep", "it is nested too deep"));
    }
    let mut value: Value = serde_json::from_slice(&top).map_err(not_json)?;
    let messages = ["messages", "messagesTree"].into_iter().find(|name| value.get(name).is_some());
    let messages = messages.and_then(|name| value.get_mut(name)?.as_array_mut());
    let Some(messages) = messages else { return Err(Refused::new("too_deep", "it is nested too deep")) };
    for piece in &lifted {
        messages.push(serde_json::from_slice(piece).map_err(not_json)?);
    }
    Ok(value)
}

/// How deep it is nested.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut most, mut text, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'[' | b'{' if !text => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' if !text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[derive(Clone, Copy, PartialEq)]
enum Frame {
    Plain,
    /// The array of messages below one.
    Children,
    /// One of them.
    Lifted,
}

/// The document with all arrays named `children` emptied of their objects, and those objects, each emptied likewise.
fn lift(bytes: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut open, mut done) = (vec![Vec::new()], Vec::new());
    let mut frames: Vec<Frame> = Vec::new();
    let (mut text, mut escaped) = (false, false);
    // Where in the piece being written the newest text begins, and whether a colon came behind one named `children`.
    let (mut begin, mut named) = (0, false);
    for byte in bytes {
        let here = frames.last().copied();
        let Some(piece) = open.last_mut() else { break };
        if text {
            piece.push(*byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => {
                (text, begin) = (true, piece.len());
                piece.push(*byte);
            }
            b':' => {
                named = piece.get(begin..) == Some(b"\"children\"");
                piece.push(*byte);
            }
            b'[' | b'{' => {
                let lifted = here == Some(Frame::Children) && *byte == b'{';
                let children = named && *byte == b'[';
                named = false;
                frames.push(match (lifted, children) {
                    (true, _) => Frame::Lifted,
                    (_, true) => Frame::Children,
                    _ => Frame::Plain,
                });
                if lifted { open.push(vec![*byte]) } else { piece.push(*byte) }
            }
            b']' | b'}' => {
                piece.push(*byte);
                if frames.pop() == Some(Frame::Lifted) && open.len() > 1 {
                    done.extend(open.pop());
                }
            }
            b',' if here == Some(Frame::Children) => {}
            _ if byte.is_ascii_whitespace() => {}
            _ => {
                named = false;
                piece.push(*byte);
            }
        }
    }
    (open.into_iter().next().unwrap_or_default(), done)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_messages_are_lifted_and_all_else_stays() {
        let mut inner = "{\"id\":999,\"children\":[]}".to_owned();
        for number in (0..999).rev() {
            inner = format!(
                "{{\"id\": {number}, \"x\": \"children\\\":[{{\", \"children\" : [ {inner}, {{\"id\": -{number}}} ]}}"
            );
        }
        let value = parse(format!("{{\"messages\": [{inner}], \"tags\": [\"a\", \"children\"]}}").as_bytes())
            .unwrap();
        let messages = value["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 1 + 999 + 999);
        assert_eq!((&messages[0]["id"], &messages[0]["x"]), (&json!(0), &json!("children\":[{")));
        assert_eq!(value["tags"], json!(["a", "children"]));
        assert!(messages.iter().all(|one| one["children"].as_array().is_none_or(Vec::is_empty)));
    }

    #[test]
    fn what_is_deep_otherwise_or_broken_is_refused() {
        let deep = |open: &str, close: &str| format!("{}{}", open.repeat(5_000), close.repeat(5_000));
        for (text, code) in [
            (deep("[", "]"), "too_deep"),
            (deep("{\"children\":[", "]}"), "too_deep"),
            (deep("{\"messages\":[", "]}"), "too_deep"),
            (format!("{{\"messages\":[{}]}}", deep("{\"children\":[{\"a\":[[]],\"children\":[", "]}]}")), ""),
            (format!("{{\"messages\":[{}]", deep("{\"children\":[", "]}")), "not_json"),
            ("{".to_owned(), "not_json"),
        ] {
            assert_eq!(parse(text.as_bytes()).err().map_or("", |why| why.code), code);
        }
    }
}
