//! Signatures against those that Amazon publishes.

use bytes::Bytes;
use http::{HeaderMap, Method};

use super::*;

/// The token of the suite's `post-sts-header-before`.
const STS: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

fn credentials(token: Option<&str>) -> Credentials {
    Credentials {
        key_id: "AKIDEXAMPLE".to_owned(),
        secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
        token: token.map(|token| Secret::new(token.to_owned())),
        expires_at: None,
    }
}

fn signed(
    method: &str,
    url: &str,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
    token: Option<&str>,
    scope: Scope<'_>,
) -> String {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_static(value));
    }
    let method: Method = method.parse().unwrap();
    let mut request = Request::new(method, url.parse().unwrap(), map, Bytes::from_static(body.as_bytes()));
    let at = Time::parse_rfc3339("2015-08-30T12:36:00Z").unwrap();
    sign(&mut request, &credentials(token), &scope, at).unwrap();
    assert!(request.headers[AUTHORIZATION].is_sensitive());
    request.headers[AUTHORIZATION].to_str().unwrap().to_owned()
}

/// The cases of the suite that Amazon publishes, by their names, with the signatures it gives. It writes paths
/// that are not encoded yet where a `Url` always is; those cases stand in the next test.
#[test]
fn the_published_suite_is_signed_as_published() {
    const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];
    const TWICE: &[(&str, &str)] =
        &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")];
    const TRIM: &[(&str, &str)] = &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")];
    const SESSION: &str = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
    let plain = "host;x-amz-date";
    let with_token = "host;x-amz-date;x-amz-security-token";
    for (name, method, rest, headers, body, token, names, signature) in [
        (
            "get-vanilla",
            "GET",
            "",
            &[][..],
            "",
            None,
            plain,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-vanilla-query-order-key-case",
            "GET",
            "?Param2=value2&Param1=value1",
            &[],
            "",
            None,
            plain,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-query-order-encoded",
            "GET",
            "?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
            &[],
            "",
            None,
            plain,
            "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        ),
        (
            "get-vanilla-utf8-query",
            "GET",
            "?ሴ=bar",
            &[],
            "",
            None,
            plain,
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "get-unreserved",
            "GET",
            "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            &[],
            "",
            None,
            plain,
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-slashes-normalized",
            "GET",
            "/example//",
            &[],
            "",
            None,
            plain,
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        ),
        (
            "get-relative-normalized",
            "GET",
            "example/..",
            &[],
            "",
            None,
            plain,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-header-key-duplicate",
            "GET",
            "",
            TWICE,
            "",
            None,
            "host;my-header1;x-amz-date",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "get-header-value-trim",
            "GET",
            "",
            TRIM,
            "",
            None,
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "post-vanilla",
            "POST",
            "",
            &[],
            "",
            None,
            plain,
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-x-www-form-urlencoded",
            "POST",
            "",
            FORM,
            "Param1=value1",
            None,
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            "post-sts-header-before",
            "POST",
            "",
            &[],
            "",
            Some(STS),
            with_token,
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
        (
            "get-vanilla-with-session-token",
            "GET",
            "",
            &[],
            "",
            Some(SESSION),
            with_token,
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
    ] {
        let scope = Scope { service: "service", region: "us-east-1", paths: Paths::Tidied };
        let url = format!("https://example.amazonaws.com/{rest}");
        let line = signed(method, &url, headers, body, token, scope);
        let wanted = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, Signature={signature}"
        );
        assert_eq!(line, wanted, "{name}");
    }
}

/// `get-utf8` and `get-space` of the suite, whose canonical paths are encoded once; and what most services want,
/// the encoded path encoded again (a model's id with a colon, say).
#[test]
fn paths_are_encoded_as_the_service_reads_them() {
    for (rest, canonical) in
        [("ሴ", "/%E1%88%B4"), ("example space/", "/example%20space/"), ("a//b%2Fc", "/a//b%2Fc")]
    {
        let url: Url = format!("https://example.amazonaws.com/{rest}").parse().unwrap();
        assert_eq!(path(&url, Paths::Kept), canonical);
    }
    let url: Url = "https://bedrock.example/model/anthropic.claude-v1%3A0/invoke".parse().unwrap();
    assert_eq!(path(&url, Paths::Tidied), "/model/anthropic.claude-v1%253A0/invoke");
}

/// The worked example of the documentation.
#[test]
fn the_worked_example_is_signed_as_documented() {
    let scope = Scope { service: "iam", region: "us-east-1", paths: Paths::Tidied };
    let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08";
    let line = signed("GET", url, &headers, "", None, scope);
    assert!(
        line.ends_with("Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
        "{line}"
    );
}

#[test]
fn ports_are_part_of_the_host_and_old_signatures_are_replaced() {
    let url: Url = "http://127.0.0.1:4566/".parse().unwrap();
    assert_eq!(host(&url).unwrap(), "127.0.0.1:4566");
    assert_eq!(host(&"https://a.example:443/".parse().unwrap()).unwrap(), "a.example");
    let scope = Scope { service: "s", region: "r", paths: Paths::Tidied };
    let mut request = Request::get(url, HeaderMap::new());
    sign(&mut request, &credentials(Some("old")), &scope, Time::EPOCH).unwrap();
    let first = request.headers[AUTHORIZATION].clone();
    sign(&mut request, &credentials(None), &scope, Time::EPOCH).unwrap();
    assert_ne!(request.headers[AUTHORIZATION], first);
    assert!(!request.headers.contains_key(TOKEN));
    assert!(sign(&mut request, &credentials(Some("a\nb")), &scope, Time::EPOCH).is_err());
}
