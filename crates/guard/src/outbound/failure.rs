//! How a call to the outside can fail: a closed list. Hosts and addresses go into the log, never to a caller.

use std::error::Error;
use std::fmt;

use kernel::{Code, Fault};

/// Why a call to the outside failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// No connection: name, network, TLS. The text is for the log alone.
    Connect(String),
    /// A step took too long.
    Timeout(Step),
    /// The answer holds more bytes than were allowed.
    TooLarge,
    /// The address is not one that may be called.
    Refused(Rule),
    /// The other side broke off or spoke no HTTP. The text is for the log alone.
    Broken(String),
}

/// A step of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Until connected.
    Connect,
    /// Until the head of the answer.
    FirstByte,
    /// Between two pieces of the answer.
    Idle,
    /// The whole call.
    Total,
}

/// The rule that refused an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Only http and https.
    Scheme,
    /// No user name or password in the address.
    Credentials,
    /// Only 80, 443, and 1024 and above.
    Port,
    /// Every address of the host must be public.
    Address,
}

impl Error for Rule {}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::Scheme => "only http and https are fetched",
            Rule::Credentials => "an address with a user name or password is not fetched",
            Rule::Port => "only the ports 80, 443, and 1024 and above are fetched",
            Rule::Address => "only public addresses are fetched",
        })
    }
}

impl Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Connect(why) => write!(f, "no connection: {why}"),
            Failure::Timeout(Step::Connect) => f.write_str("no connection in time"),
            Failure::Timeout(Step::FirstByte) => f.write_str("no answer in time"),
            Failure::Timeout(Step::Idle) => f.write_str("the answer stopped"),
            Failure::Timeout(Step::Total) => f.write_str("the answer took too long"),
            Failure::TooLarge => f.write_str("the answer is too large"),
            Failure::Refused(rule) => fmt::Display::fmt(rule, f),
            Failure::Broken(why) => write!(f, "the answer broke off: {why}"),
        }
    }
}

impl Failure {
    /// Reads the error of a call, without its URL.
    pub(super) fn of(error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let mut innermost: &dyn Error = &error;
        loop {
            if let Some(rule) = innermost.downcast_ref::<Rule>() {
                return Failure::Refused(*rule);
            }
            match innermost.source() {
                Some(source) => innermost = source,
                None => break,
            }
        }
        if error.is_timeout() {
            return Failure::Timeout(if error.is_connect() { Step::Connect } else { Step::FirstByte });
        }
        let why = innermost.to_string();
        if error.is_connect() { Failure::Connect(why) } else { Failure::Broken(why) }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Fault {
        match failure {
            Failure::Refused(rule) => Fault::new(Code::InvalidInput).say(rule.to_string()),
            Failure::Timeout(_) => Fault::new(Code::Timeout).because(failure),
            Failure::Connect(_) | Failure::TooLarge | Failure::Broken(_) => {
                Fault::new(Code::Unavailable).because(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_never_see_the_cause() {
        for failure in [
            Failure::Connect("10.0.0.3 refused".into()),
            Failure::Broken("10.0.0.3 reset".into()),
            Failure::Timeout(Step::Idle),
            Failure::TooLarge,
            Failure::Refused(Rule::Address),
        ] {
            assert!(!Fault::from(failure).to_string().contains("10.0.0.3"));
        }
    }
}
