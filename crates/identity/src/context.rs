//! Where a sign-in comes from. It also tells afterwards what the limits of sign-in said, for the headers of the answer.

use std::net::IpAddr;
use std::sync::OnceLock;

use guard::limits::Verdict;
use http::HeaderMap;
use http::header::USER_AGENT;
use kernel::{Actor, AuditEvent, EventType, Language};

use crate::credential::{Credentials, DEVICE_COOKIE, one_cookie};

/// So much of `User-Agent` is kept, in characters: enough to recognise one's own browser in a list.
const AGENT: usize = 200;

/// Where a sign-in comes from.
#[derive(Debug)]
pub struct Context {
    /// The address, found through trusted proxies.
    pub peer_ip: IpAddr,
    /// What the browser or program calls itself; never trusted, only shown.
    pub agent: String,
    /// The request came over HTTPS.
    pub https: bool,
    /// The value of the cookie by which a browser that has signed in before is known.
    pub device: Option<String>,
    /// The values of the session cookies that came along: signing in ends what they stand for.
    pub sessions: [Option<String>; 3],
    /// The language that was asked for, as far as it is known.
    pub language: Option<Language>,
    verdict: OnceLock<Verdict>,
}

impl Context {
    /// From this address, with nothing else known.
    pub fn new(peer_ip: IpAddr, https: bool) -> Context {
        Context {
            peer_ip,
            agent: String::new(),
            https,
            device: None,
            sessions: [None, None, None],
            language: None,
            verdict: OnceLock::new(),
        }
    }

    /// From this address, with what the headers tell.
    pub fn read(headers: &HeaderMap, peer_ip: IpAddr, https: bool) -> Context {
        let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let device = one_cookie(headers, DEVICE_COOKIE).ok().flatten();
        Context {
            agent: agent.chars().filter(|c| !c.is_control()).take(AGENT).collect(),
            device: device.map(str::to_owned),
            sessions: Credentials::read(headers).sessions.map(|value| value.map(str::to_owned)),
            ..Context::new(peer_ip, https)
        }
    }

    /// What the limits of sign-in said while this context was used; `None` when nothing was counted. It describes
    /// the rule that binds and belongs into the headers of the answer, of a success as of a 429.
    pub fn limits(&self) -> Option<&Verdict> {
        self.verdict.get()
    }

    pub(crate) fn note_limits(&self, verdict: Verdict) {
        // One attempt is counted per request; a second count of the same request says nothing new.
        let _ = self.verdict.set(verdict);
    }

    pub(crate) fn event(&self, what: EventType, actor: impl Into<Actor>) -> AuditEvent {
        AuditEvent::new(what, actor).from(self.peer_ip)
    }
}
