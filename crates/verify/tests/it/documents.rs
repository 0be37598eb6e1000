//! The documents of the mock deployment, with the faults planted in them.

use hyper::{Method, Response};
use serde_json::{Value, json};

use crate::mock::{Asked, Body, Mock, full, json_answer, refuse};

/// The answer, when the path belongs here.
pub(crate) fn route(mock: &Mock, asked: &Asked, body: &Value) -> Option<Response<Body>> {
    let rest = asked.path.strip_prefix("/api/v1/apps/")?;
    let (app, rest) = rest.split_once('/')?;
    let mut state = mock.state.lock().unwrap();
    Some(match (asked.method.as_str(), rest.split_once('/')) {
        ("POST", None) if rest == "search" => {
            let hidden = mock.has("finds-nothing");
            let found = state.documents.iter().filter(|_| !hidden).map(|(id, text)| {
                let text = if mock.has("alters-documents") { text.to_lowercase() } else { text.clone() };
                json!({"document_id": id, "text": text})
            });
            json_answer(200, &json!({"items": found.collect::<Vec<_>>()}))
        }
        ("POST", None) => {
            let id = format!("01900000-0000-7000-9000-{:012x}", state.documents.len());
            state.documents.insert(id.clone(), body["text"].as_str().unwrap_or_default().to_owned());
            json_answer(201, &json!({"id": id, "status": "ready"}))
        }
        ("GET", Some((_, id)))
            if state.documents.contains_key(id) && (app == "support" || mock.has("documents-everywhere")) =>
        {
            json_answer(200, &json!({"id": id}))
        }
        ("DELETE", Some((_, id))) => {
            let text = state.documents.remove(id).unwrap_or_default();
            if mock.has("keeps-documents") {
                state.documents.insert("kept".to_owned(), text);
            }
            Response::builder().status(204).body(full("")).unwrap()
        }
        _ => {
            drop(state);
            refuse(mock, asked, 404, "not_found", json!([]))
        }
    })
}

/// Whether a stranger may do this here.
pub(crate) fn open(mock: &Mock, asked: &Asked) -> bool {
    mock.has("open-documents") && asked.method == Method::POST && asked.path.ends_with("/documents")
}

/// The answer from a document that holds the marker of the question.
pub(crate) fn quoting(mock: &Mock, question: &str) -> Option<Response<Body>> {
    let marker = question.split(' ').find(|word| word.starts_with("stoa-verify-"))?;
    let state = mock.state.lock().unwrap();
    let (id, text) = state.documents.iter().find(|(_, text)| text.contains(marker))?;
    let quote = if mock.has("misquotes") { "Nobody wrote this." } else { text.lines().last()? };
    let citation = json!({"number": 1, "document_id": id, "quote": quote, "title": "A document"});
    let cited = if mock.has("cites-nothing") { vec![] } else { vec![citation] };
    let said = if mock.has("hides-citations") { "It says so." } else { "It says so [1]." };
    Some(json_answer(200, &json!({"message": {"role": "assistant", "content": said, "citations": cited}})))
}
