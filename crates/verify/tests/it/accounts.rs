//! Sign-in, tokens and what a key may not do, on the mock deployment, with the faults planted in them.

use hyper::{Method, Response};
use serde_json::{Value, json};

use crate::mock::{Asked, Body, Mock, full, json_answer, refuse};

/// Tries of a minute.
const TRIES: u64 = 12;

/// The answer, when the path belongs here.
pub(crate) fn route(mock: &Mock, asked: &Asked) -> Option<Response<Body>> {
    match (&asked.method, asked.path.as_str()) {
        (&Method::GET, "/sign-in") => Some(page(mock)),
        (&Method::POST, "/sign-in") => Some(form(mock, asked)),
        (&Method::POST, "/api/v1/auth/login") => Some(unkept(mock, login(mock, asked))),
        (&Method::POST, "/api/v1/auth/refresh") => Some(refuse(
            mock,
            asked,
            if mock.has("odd-refresh") { 500 } else { 401 },
            "unauthenticated",
            json!([]),
        )),
        (_, "/api/v1/me") if mock.has("takes-no-algorithm") && unsigned(asked.header("authorization")) => {
            Some(json_answer(200, &json!({"role": "admin"})))
        }
        _ => None,
    }
}

/// What a key is told there.
pub(crate) fn closed_to_keys(mock: &Mock, asked: &Asked) -> Option<Response<Body>> {
    let closed =
        ["/api/v1/admin/", "/api/v1/keys", "/api/v1/me"].iter().any(|start| asked.path.starts_with(start));
    let refused = || match mock.has("strong-key") {
        true => json_answer(200, &json!({"items": []})),
        false => refuse(mock, asked, 403, "forbidden", json!([])),
    };
    closed.then(refused)
}

/// A bearer token whose header begins `{"alg":"none"`.
fn unsigned(header: &str) -> bool {
    header.starts_with("Bearer eyJhbGciOiJub25lIi")
}

fn page(mock: &Mock) -> Response<Body> {
    let method = if mock.has("sign-in-by-get") { "get" } else { "post" };
    let html = format!("<form method=\"{method}\"><input name=\"password\" type=\"password\"></form>");
    Response::builder().header("content-type", "text/html; charset=utf-8").body(full(html)).unwrap()
}

fn form(mock: &Mock, asked: &Asked) -> Response<Body> {
    if asked.header("sec-fetch-site") == "cross-site" && !mock.has("sign-in-from-anywhere") {
        return refuse(mock, asked, 403, "csrf", json!([]));
    }
    Response::builder().status(303).header("location", "/").body(full("")).unwrap()
}

fn login(mock: &Mock, asked: &Asked) -> Response<Body> {
    let tries = {
        let mut state = mock.state.lock().unwrap();
        let tries = state.counts.entry("sign-in".to_owned()).or_default();
        *tries += 1;
        *tries
    };
    if tries > TRIES && !mock.has("endless-tries") {
        let mut refused = refuse(mock, asked, 429, "rate_limited", json!([]));
        refused.headers_mut().insert("retry-after", "1".parse().unwrap());
        return refused;
    }
    let Ok(body) = serde_json::from_slice::<Value>(&asked.body) else {
        return refuse(mock, asked, 400, "invalid_json", json!([]));
    };
    let extra = body.as_object().is_some_and(|fields| fields.len() > 2);
    if extra && !mock.has("takes-roles") {
        return refuse(mock, asked, 400, "invalid_json", json!([]));
    }
    for field in ["email", "password"] {
        if body[field].as_str().is_none_or(str::is_empty) && !mock.has("takes-empty-passwords") {
            let errors = json!([{"field": field, "code": "missing", "detail": "Say it"}]);
            return refuse(mock, asked, 400, "invalid_input", errors);
        }
    }
    let told = if mock.has("tells-accounts") { json!([{"field": body["email"]}]) } else { json!([]) };
    refuse(mock, asked, 401, "unauthenticated", told)
}

fn unkept(mock: &Mock, mut response: Response<Body>) -> Response<Body> {
    if !mock.has("kept-sign-in") {
        response.headers_mut().insert("cache-control", "no-store".parse().unwrap());
    }
    response
}
