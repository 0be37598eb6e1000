//! The files of the mock deployment, with the faults planted in them.

use hyper::{Method, Response};
use serde_json::json;

use crate::mock::{Asked, Body, Mock, full, json_answer, refuse};

/// The answer, when the path belongs here; the caller is the account.
pub(crate) fn route(mock: &Mock, asked: &Asked) -> Option<Response<Body>> {
    let rest = asked.path.strip_prefix("/api/v1/files")?;
    let missing = || refuse(mock, asked, 404, "not_found", json!([]));
    let mut state = mock.state.lock().unwrap();
    let parts = rest.trim_matches('/').split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>();
    Some(match (asked.method.as_str(), parts.as_slice()) {
        ("POST", []) => {
            let body = String::from_utf8_lossy(&asked.body).into_owned();
            let text = body.split("\r\n\r\n").nth(1).unwrap().split("\r\n--").next().unwrap().to_owned();
            let known = state.files.iter().filter(|(_, known)| **known == text && !mock.has("forgets-twins"));
            let twins = known.map(|(id, _)| json!({"id": id})).collect::<Vec<_>>();
            let id = format!("01900000-0000-7000-a000-{:012x}", state.files.len());
            state.files.insert(id.clone(), text);
            json_answer(201, &json!({"id": id, "duplicate_of": twins}))
        }
        ("GET", [id]) if state.files.contains_key(*id) => json_answer(200, &json!({"id": id})),
        ("GET", [id, "content"]) => match state.files.get(*id) {
            Some(text) => content(mock, asked, text),
            None => {
                drop(state);
                missing()
            }
        },
        ("DELETE", [id]) => {
            if !mock.has("keeps-files") {
                state.files.remove(*id);
            }
            Response::builder().status(204).body(full("")).unwrap()
        }
        _ => {
            drop(state);
            missing()
        }
    })
}

fn content(mock: &Mock, asked: &Asked, text: &str) -> Response<Body> {
    let ranged = asked.header("range") == "bytes=1-3" && !mock.has("no-ranges");
    let disposition = if mock.has("inline-files") { "inline" } else { "attachment; filename=\"a\"" };
    let media = if mock.has("believes-types") { "image/png" } else { "text/plain" };
    let bytes = match (ranged, mock.has("alters-files")) {
        (true, _) => text[1..4].to_owned(),
        (false, true) => text.to_lowercase(),
        (false, false) => text.to_owned(),
    };
    Response::builder()
        .status(if ranged { 206 } else { 200 })
        .header("content-disposition", disposition)
        .header("content-type", media)
        .body(full(bytes))
        .unwrap()
}

/// Whether a stranger may do this here.
pub(crate) fn open(mock: &Mock, asked: &Asked) -> bool {
    mock.has("open-files") && asked.method == Method::GET && asked.path == "/api/v1/files/declutter"
}
