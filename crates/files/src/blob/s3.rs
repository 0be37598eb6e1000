//! Contents in a bucket of S3, or of what speaks like it. Requests go through the one client of the house, signed with
//! the credentials that the house already has; nothing here reads an environment or keeps a secret.
//!
//! What is large goes in parts. An upload that breaks off is abandoned in the bucket, where a lifecycle rule
//! (`AbortIncompleteMultipartUpload`) removes the parts of those whose abandonment did not arrive.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use guard::outbound::aws::{Aws, Paths, Scope};
use guard::outbound::{Body, Client, Request, Response};
use http::header::{CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, RANGE};
use http::{Method, StatusCode};
use kernel::{Code, Fault, Result};
use url::Url;

use super::aside::broken;
use super::config::Bucket;
use super::folder::blocking;
use super::is_name;

/// The least that a part holds (but for the last); smaller contents go in one request.
const PART: u64 = 8 << 20;
/// An upload has at most 10,000 parts.
const MOST_PARTS: u64 = 10_000;
/// How often a request is sent before its failure counts.
const TRIES: u32 = 3;

/// Contents in a bucket.
#[derive(Clone)]
pub(super) struct S3 {
    bucket: Arc<Bucket>,
    client: Client,
    aws: Aws,
}

impl S3 {
    pub(super) fn new(bucket: Bucket, client: Client, aws: Aws) -> S3 {
        S3 { bucket: Arc::new(bucket), client, aws }
    }

    pub(super) async fn keep(&self, aside: &Path, id: &str, sealed: u64) -> Result<()> {
        let path = aside.to_owned();
        let file = Arc::new(blocking(move || File::open(path).map_err(broken)).await?);
        if sealed <= PART {
            let body = piece(&file, 0..sealed).await?;
            let request = self.request(Method::PUT, id, &[], HeaderMap::new(), body)?;
            return expect(self.send(request).await?, StatusCode::OK).await.map(drop);
        }
        let begun = self.request(Method::POST, id, &[("uploads", "")], HeaderMap::new(), Bytes::new())?;
        let begun = expect(self.send(begun).await?, StatusCode::OK).await?;
        let upload = text(begun).await?;
        let upload = inside(&upload, "UploadId").next().ok_or_else(|| garbage("an upload has no id"))?;
        let sent = self.parts(&file, id, sealed, &upload).await;
        if sent.is_err() {
            let parts = [("uploadId", upload.as_str())];
            let abandon = self.request(Method::DELETE, id, &parts, HeaderMap::new(), Bytes::new())?;
            if let Err(fault) = self.send(abandon).await {
                tracing::warn!(?fault, "an upload to the bucket could not be abandoned");
            }
        }
        sent
    }

    async fn parts(&self, file: &Arc<File>, id: &str, sealed: u64, upload: &str) -> Result<()> {
        let size = PART.max(sealed.div_ceil(MOST_PARTS));
        let mut list = String::from("<CompleteMultipartUpload>");
        for (number, begin) in
            (1_u32..).zip((0..sealed).step_by(usize::try_from(size).map_err(Fault::internal)?))
        {
            let body = piece(file, begin..(begin + size).min(sealed)).await?;
            let query = [("partNumber", number.to_string()), ("uploadId", upload.to_owned())];
            let query: Vec<(&str, &str)> =
                query.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let request = self.request(Method::PUT, id, &query, HeaderMap::new(), body)?;
            let answer = expect(self.send(request).await?, StatusCode::OK).await?;
            let tag = answer.headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(escape);
            let tag = tag.ok_or_else(|| garbage("a part has no tag"))?;
            list.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"));
        }
        list.push_str("</CompleteMultipartUpload>");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        let request = self.request(Method::POST, id, &[("uploadId", upload)], headers, list.into())?;
        let answer = text(expect(self.send(request).await?, StatusCode::OK).await?).await?;
        // The status is sent before the parts are joined; how that went stands in the body.
        match inside(&answer, "Code").next() {
            Some(code) => Err(refused(200, &code)),
            None => Ok(()),
        }
    }

    /// A part of the sealed bytes, of which there are `sealed` in all.
    pub(super) async fn get(&self, id: &str, range: Range<u64>, sealed: u64) -> Result<Body> {
        let mut headers = HeaderMap::new();
        let last = range.end.saturating_sub(1);
        let value =
            HeaderValue::from_str(&format!("bytes={}-{last}", range.start)).map_err(Fault::internal)?;
        headers.insert(RANGE, value);
        let answer = self.send(self.request(Method::GET, id, &[], headers, Bytes::new())?).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Err(Fault::internal("the bytes of a stored file are not in the bucket"));
        }
        let answer = expect(answer, StatusCode::PARTIAL_CONTENT).await?;
        let whole = answer.headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
        let whole = whole.and_then(|value| value.rsplit_once('/')).map(|(_, whole)| whole);
        if whole.and_then(|whole| whole.parse().ok()) != Some(sealed) {
            return Err(Fault::internal("the bytes of a stored file were cut off or extended"));
        }
        Ok(answer.body)
    }

    pub(super) fn reads(&self, id: &str, sealed: u64) -> Reads {
        Reads { s3: self.clone(), id: id.to_owned(), sealed }
    }

    pub(super) async fn destroy(&self, id: &str) -> Result<()> {
        let answer =
            self.send(self.request(Method::DELETE, id, &[], HeaderMap::new(), Bytes::new())?).await?;
        match answer.status {
            StatusCode::NO_CONTENT | StatusCode::OK | StatusCode::NOT_FOUND => Ok(()),
            _ => expect(answer, StatusCode::NO_CONTENT).await.map(drop),
        }
    }

    pub(super) async fn exists(&self, id: &str) -> Result<bool> {
        let answer = self.send(self.request(Method::HEAD, id, &[], HeaderMap::new(), Bytes::new())?).await?;
        match answer.status {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => expect(answer, StatusCode::OK).await.map(|_| true),
        }
    }

    pub(super) async fn list(&self, after: Option<String>) -> Result<(Vec<String>, Option<String>)> {
        let prefix = &self.bucket.prefix;
        let mut query = vec![("list-type", "2"), ("prefix", prefix.as_str())];
        query.extend(after.as_ref().map(|after| ("continuation-token", after.as_str())));
        let request = self.request(Method::GET, "", &query, HeaderMap::new(), Bytes::new())?;
        let answer = text(expect(self.send(request).await?, StatusCode::OK).await?).await?;
        let names =
            inside(&answer, "Key").filter_map(|key| key.strip_prefix(prefix.as_str()).map(str::to_owned));
        let next = inside(&answer, "NextContinuationToken").next();
        Ok((names.filter(|name| is_name(name)).collect(), next))
    }

    /// Names and sizes of all objects below the prefix, piece by piece.
    pub(super) async fn list_sizes(
        &self,
        after: Option<String>,
    ) -> Result<(Vec<(String, u64)>, Option<String>)> {
        let prefix = &self.bucket.prefix;
        let mut query = vec![("list-type", "2"), ("prefix", prefix.as_str())];
        query.extend(after.as_ref().map(|after| ("continuation-token", after.as_str())));
        let request = self.request(Method::GET, "", &query, HeaderMap::new(), Bytes::new())?;
        let answer = text(expect(self.send(request).await?, StatusCode::OK).await?).await?;
        let mut objects = Vec::new();
        for object in inside(&answer, "Contents") {
            let key = inside(&object, "Key").next().ok_or_else(|| garbage("an object has no name"))?;
            let size = inside(&object, "Size").next().and_then(|size| size.parse().ok());
            if let Some(name) = key.strip_prefix(prefix.as_str()) {
                objects.push((name.to_owned(), size.ok_or_else(|| garbage("an object has no size"))?));
            }
        }
        Ok((objects, inside(&answer, "NextContinuationToken").next()))
    }

    /// A request about an object, or about the bucket when `id` is empty.
    fn request(
        &self,
        method: Method,
        id: &str,
        query: &[(&str, &str)],
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Request> {
        let mut url = self.address(id)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
            // In the way that signatures are made over.
            let written = url.query().unwrap_or_default().replace('+', "%20");
            url.set_query(Some(&written));
        }
        Ok(Request::new(method, url, headers, body))
    }

    fn address(&self, id: &str) -> Result<Url> {
        let Bucket { name, prefix, region } = self.bucket.as_ref();
        let config = self.aws.config();
        let own = config.endpoint.is_some() || config.endpoints.iter().any(|(service, _)| *service == "s3");
        let endpoint = config
            .endpoint("s3", region)
            .ok_or_else(|| Fault::internal("the region of the bucket is not known"))?;
        let key = if id.is_empty() { String::new() } else { format!("{prefix}{id}") };
        let mut url = endpoint.clone();
        // Certificates of Amazon hold for one label before the service; other services know paths for sure.
        if own || name.contains('.') {
            let base = endpoint.path().trim_end_matches('/');
            url.set_path(&format!("{base}/{name}/{key}"));
        } else {
            let host = format!("{name}.{}", endpoint.host_str().unwrap_or_default());
            url.set_host(Some(&host)).map_err(Fault::internal)?;
            url.set_path(&format!("/{key}"));
        }
        Ok(url)
    }

    /// Signs and sends; once more after what may pass, because every request here may be sent twice.
    async fn send(&self, request: Request) -> Result<Response> {
        let scope = Scope { service: "s3", region: &self.bucket.region, paths: Paths::Kept };
        let mut tried = 0;
        loop {
            tried += 1;
            let signed = self.aws.sign(request.clone(), &scope).await;
            let signed = signed.map_err(|failure| Fault::new(Code::Unavailable).because(failure))?;
            let failure = match self.client.send(signed).await {
                Ok(answer) if !answer.status.is_server_error() || tried == TRIES => return Ok(answer),
                Ok(answer) => {
                    Fault::new(Code::Unavailable).because(format!("the bucket says {}", answer.status))
                }
                Err(failure) => Fault::new(Code::Unavailable).because(failure),
            };
            if tried == TRIES {
                return Err(failure);
            }
            tracing::debug!(cause = ?failure, tried, "a call to the bucket is repeated");
            tokio::time::sleep(Duration::from_millis(100) * tried * tried).await;
        }
    }
}

/// Reads parts of one object.
pub(super) struct Reads {
    s3: S3,
    id: String,
    sealed: u64,
}

impl Reads {
    pub(super) async fn read(&self, range: Range<u64>) -> Result<Vec<u8>> {
        let length = range.end.saturating_sub(range.start);
        let body = self.s3.get(&self.id, range, self.sealed).await?.collect().await?;
        if body.len() as u64 == length {
            Ok(body.to_vec())
        } else {
            Err(Fault::internal("the bytes of a stored file were cut off or extended"))
        }
    }
}

async fn piece(file: &Arc<File>, range: Range<u64>) -> Result<Bytes> {
    let file = Arc::clone(file);
    blocking(move || {
        let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(Fault::internal)?];
        file.read_exact_at(&mut bytes, range.start).map_err(broken)?;
        Ok(bytes.into())
    })
    .await
}

/// The answer when it has this status; else Amazon's own code of the error, never its message.
async fn expect(answer: Response, status: StatusCode) -> Result<Response> {
    if answer.status == status {
        return Ok(answer);
    }
    let number = answer.status.as_u16();
    let body = text(answer).await.unwrap_or_default();
    let code: String = inside(&body, "Code").next().unwrap_or_default();
    Err(refused(number, &code))
}

fn refused(status: u16, code: &str) -> Fault {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    Fault::new(Code::Unavailable).because(format!("the bucket refuses with {status} {code}"))
}

fn garbage(what: &'static str) -> Fault {
    Fault::new(Code::Unavailable).because(format!("the bucket answers strangely: {what}"))
}

async fn text(answer: Response) -> Result<String> {
    let body = answer.body.collect().await?;
    String::from_utf8(body.to_vec()).map_err(|_| garbage("no text"))
}

/// What stands in every element with this name. Answers of S3 are flat where it matters, and what is read here are
/// names and tokens of its own making.
fn inside<'a>(xml: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(open.as_str())?;
        let (value, later) = after.split_once(close.as_str())?;
        rest = later;
        Some(value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let xml = "<R><Contents><Key>p/aa</Key></Contents><Contents><Key>p/b&amp;b</Key></Contents><N>x";
        assert_eq!(inside(xml, "Key").collect::<Vec<_>>(), ["p/aa", "p/b&b"]);
        assert_eq!(inside(xml, "N").count(), 0);
        assert_eq!(escape("\"abc\""), "&quot;abc&quot;");
    }
}
