//! Forms of pages: what a browser sends, and how a refusal comes back into the form. It knows no form in particular.

use axum::extract::{FromRequest, Request};
use axum::response::{Html, IntoResponse as _, Response};
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use kernel::{Code, Fault, Kind, Secret};
use url::form_urlencoded;

use crate::Site;
use crate::body;
use crate::failure::{Failure, Outcome, status};
use crate::texts::{key, told};
use crate::ui::form::FormView;

/// The fields of a form, in the order in which they came.
pub(crate) struct Fields(Vec<(String, String)>);

/// So many fields are read; the longest form of ours ticks a thousand files.
const MOST: usize = 2_000;

impl FromRequest<Site> for Fields {
    type Rejection = Failure;

    async fn from_request(request: Request, site: &Site) -> Outcome<Fields> {
        let kind =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        // A form without fields is sent without a body and, by some browsers, without a type.
        if !essence.is_empty() && !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Fault::new(Code::UnsupportedType).say(key("this takes a form")).into());
        }
        let bytes = body::read(request, site.front.body_limits().json).await?;
        Ok(Fields::parse(&bytes))
    }
}

impl Fields {
    fn parse(bytes: &[u8]) -> Fields {
        Fields(
            form_urlencoded::parse(bytes).take(MOST).map(|(k, v)| (k.into_owned(), v.into_owned())).collect(),
        )
    }

    /// The fields of a query.
    pub(crate) fn of_query(query: Option<&str>) -> Fields {
        Fields::parse(query.unwrap_or_default().as_bytes())
    }

    /// The value of a field without blanks around it; empty when it is missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The value as it was typed: passwords may begin with a blank.
    pub(crate) fn secret(&self, name: &str) -> Secret<String> {
        Secret::new(self.raw(name).to_owned())
    }

    /// Every value of a field that may come several times.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
    }

    /// A whole number, or nothing; anything else is a fault of the field.
    pub(crate) fn number(&self, name: &'static str) -> Result<Option<u32>, Fault> {
        match self.text(name) {
            "" => Ok(None),
            text => match text.parse() {
                Ok(number) if number > 0 => Ok(Some(number)),
                _ => Err(Fault::invalid(name, "malformed", key("This is not a whole number."))),
            },
        }
    }

    /// The form as it is shown again; secrets are left out.
    pub(crate) fn view(&self) -> FormView {
        self.0.iter().fold(FormView::new(), |form, (name, value)| form.with(name, value))
    }

    /// What a waiting request carries on: everything but proofs and secrets.
    pub(crate) fn carried(&self) -> Vec<(String, String)> {
        self.0
            .iter()
            .filter(|(name, _)| !["password", "code", "proof"].iter().any(|secret| name.contains(secret)))
            .filter(|(name, _)| name != "email")
            .cloned()
            .collect()
    }

    fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }
}

/// A refusal that belongs into the form: the form with what is wrong, and the status. Anything else goes on its way.
pub(crate) fn refused(form: FormView, fault: Fault) -> Outcome<(StatusCode, FormView)> {
    let shown = matches!(
        fault.kind(),
        Kind::Invalid
            | Kind::Refused
            | Kind::Unauthenticated
            | Kind::Forbidden
            | Kind::Conflict
            | Kind::Limited
    );
    if !shown || matches!(fault.code(), Code::Csrf | Code::HttpsRequired) {
        return Err(fault.into());
    }
    let code = status(fault.code());
    if fault.fields().is_empty() {
        return Ok((code, form.say(&sentence(fault.message()))));
    }
    let form = fault.fields().iter().fold(form, |form, field| {
        let words = sentence(&field.detail);
        // What is said about a field that is not on the page is said about the whole.
        if form.holds(&field.field) { form.wrong(&field.field, &words) } else { form.say(&words) }
    });
    Ok((code, form))
}

/// A fault's words as a sentence: they are written to stand after a colon.
pub(crate) fn sentence(words: &str) -> String {
    let words = &*told(words);
    let mut letters = words.chars();
    let mut text: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    text.push_str(letters.as_str());
    if !text.ends_with(['.', '!', '?', '؟']) {
        text.push('.');
    }
    text
}

/// The page, with this status and the headers that HTTP asks of it (RFC 9110 section 15.5.2, RFC 6585 section 4).
pub(crate) fn page(code: StatusCode, html: String) -> Response {
    let mut response = (code, Html(html)).into_response();
    let header = match code {
        StatusCode::UNAUTHORIZED => {
            Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"stoa\"")))
        }
        // Every limit of a form is one of minutes; who counted knows better and writes over it.
        StatusCode::TOO_MANY_REQUESTS => Some((RETRY_AFTER, HeaderValue::from_static("60"))),
        _ => None,
    };
    if let Some((name, value)) = header {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Where the browser goes on, with a GET.
pub(crate) fn onward(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, to);
    response
}

/// A path on this server, or nothing: another place must not be where signing in leads (an open redirect).
pub(crate) fn local(path: &str) -> &str {
    let plain = path.len() <= 2_000
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    if plain { path } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_send_them() {
        let fields = Fields::parse(b"name=Ada+L%C3%B6w&app=a&app=b&password=+x+&days=7&bad=-1&proof_code=1");
        assert_eq!(fields.text("name"), "Ada L\u{f6}w");
        assert_eq!(fields.all("app"), ["a", "b"]);
        assert_eq!(fields.secret("password").expose(), " x ");
        assert_eq!(fields.number("days").unwrap(), Some(7));
        assert_eq!(fields.number("none").unwrap(), None);
        assert!(fields.number("bad").is_err());
        assert!(!format!("{:?}", fields.carried()).contains("proof"));
        assert!(fields.carried().iter().all(|(name, _)| name != "password"));
    }

    #[test]
    fn ways_back_stay_on_this_server() {
        for good in ["/", "/apps/a?x=1#y", "/admin/users"] {
            assert_eq!(local(good), good);
        }
        for bad in [
            "",
            "//evil",
            "https://evil",
            "/\\evil",
            "javascript:1",
            "/a\r\nSet-Cookie: x",
            "/a b",
            "/\u{e9}",
        ] {
            assert_eq!(local(bad), "", "{bad}");
        }
    }

    #[test]
    fn words_become_sentences() {
        assert_eq!(sentence("the password is missing"), "The password is missing.");
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(sentence(""), ".");
    }
}
