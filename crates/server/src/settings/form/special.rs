//! The forms with a grammar of their own: limits, schedules, media types, mail addresses, database addresses.
//! It never connects to anything.

use guard::limits::Rule;
use kernel::Secret;
use ops::post::Smtp;

use super::{Complaint, Form, Shape};
use crate::settings::database::{DatabaseUrl, RedisUrl, parse_database, parse_redis};
use crate::settings::raw::Raw;

/// Limits: `10 per minute`, `100/hour`, several joined by `;` or `,`.
pub(crate) const fn rates() -> Form<Vec<Rule>> {
    Form {
        read: |raw| guard::limits::parse(&raw.text()).map_err(|error| format!("is not understood: {error}")),
        write: |rules| rules.iter().map(write_rate).collect::<Vec<_>>().join("; "),
        shape: Shape::Text("limits such as `10 per minute; 100 per hour`"),
    }
}

fn write_rate(rule: &Rule) -> String {
    match rule.window.as_secs() {
        1 => format!("{} per second", rule.limit),
        60 => format!("{} per minute", rule.limit),
        3_600 => format!("{} per hour", rule.limit),
        86_400 => format!("{} per day", rule.limit),
        seconds => format!("{} per {seconds} seconds", rule.limit),
    }
}

/// A database address.
pub(crate) const fn database() -> Form<DatabaseUrl> {
    Form {
        read: |raw| parse_database(&raw.text()),
        write: |url| match url {
            DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.server.shown.clone(),
        },
        shape: Shape::Text("a URL that begins with `sqlite:` or `postgresql://`"),
    }
}

/// A Redis address.
pub(crate) const fn redis() -> Form<RedisUrl> {
    Form {
        read: |raw| parse_redis(&raw.text()),
        write: |url| url.server.shown.clone(),
        shape: Shape::Text("a URL that begins with `redis://` or `rediss://`"),
    }
}

/// A schedule of five fields: minute, hour, day, month, weekday.
pub(crate) const fn cron() -> Form<String> {
    Form { read: read_cron, write: String::clone, shape: Shape::Text("a schedule such as `0 2 * * *`") }
}

fn read_cron(raw: &Raw) -> Result<String, Complaint> {
    let text = raw.text();
    if text.trim().eq_ignore_ascii_case("off") {
        return Ok("off".to_owned());
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
    let valid = fields.len() == bounds.len()
        && fields
            .iter()
            .zip(bounds)
            .all(|(field, bounds)| field.split(',').all(|part| cron_part(part, bounds)));
    if valid {
        Ok(fields.join(" "))
    } else {
        Err("must be five fields (minute, hour, day, month, weekday), such as `0 2 * * *`, or `off`"
            .to_owned())
    }
}

fn cron_part(part: &str, (min, max): (u32, u32)) -> bool {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    let within = |text: &str| text.parse::<u32>().is_ok_and(|n| (min..=max).contains(&n));
    let range_valid = match range.split_once('-') {
        Some((from, to)) => within(from) && within(to) && from.parse::<u32>().ok() <= to.parse::<u32>().ok(),
        None => range == "*" || within(range),
    };
    range_valid && step.is_none_or(|step| step.parse::<u32>().is_ok_and(|n| n >= 1 && n <= max))
}

/// Media types, with `image/*` for every subtype.
pub(crate) const fn media_types() -> Form<Vec<String>> {
    Form {
        read: |raw| {
            let word = |text: &str| {
                !text.is_empty()
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
            };
            let media = |item: &str| match item.split_once('/') {
                Some((kind, sub)) if word(kind) && (sub == "*" || word(sub)) => Ok(item.to_ascii_lowercase()),
                _ => Err("must be media types such as `image/*,application/pdf,text/*`".to_owned()),
            };
            raw.items().into_iter().map(media).collect()
        },
        write: |types| types.join(", "),
        shape: Shape::List("media types"),
    }
}

/// Short names such as those of providers.
pub(crate) const fn names() -> Form<Vec<String>> {
    Form {
        read: |raw| {
            let name = |item: &str| {
                let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
                if !item.is_empty() && item.len() <= 32 && item.bytes().all(plain) {
                    Ok(item.to_owned())
                } else {
                    Err("must be names of `a-z`, `0-9` and `-`, separated by commas".to_owned())
                }
            };
            raw.items().into_iter().map(name).collect()
        },
        write: |names| names.join(", "),
        shape: Shape::List("names"),
    }
}

/// Rules of moderation: `category=action`.
pub(crate) const fn policy() -> Form<Vec<String>> {
    Form {
        read: |raw| {
            let rule = |item: &str| match guard::content::Policy::default().add(item) {
                Ok(()) => Ok(item.to_owned()),
                Err(say) => Err(format!("must be rules of moderation: {say}")),
            };
            raw.items().into_iter().map(rule).collect()
        },
        write: |rules| rules.join(", "),
        shape: Shape::List("rules such as `hate=block`"),
    }
}

/// Hosts that may be linked to.
pub(crate) const fn link_hosts() -> Form<Vec<String>> {
    Form {
        read: |raw| {
            let host = |item: &str| match apps::LinkHosts::default().add(item) {
                Ok(()) => Ok(item.to_owned()),
                Err(say) => Err(format!("must be hosts: {say}")),
            };
            raw.items().into_iter().map(host).collect()
        },
        write: |hosts| hosts.join(", "),
        shape: Shape::List("hosts such as `*.example.com`"),
    }
}

/// The id of a model at Bedrock, or its ARN: the letters of its documents, and 2,048 of them at the most.
pub(crate) const fn model_id() -> Form<String> {
    Form {
        read: |raw| {
            let text = raw.text();
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:/".contains(&b);
            if (1..=2_048).contains(&text.len()) && text.bytes().all(plain) {
                Ok(text)
            } else {
                Err("must be the id of a model or inference profile, or its ARN".to_owned())
            }
        },
        write: String::clone,
        shape: Shape::Text("a model's id or ARN"),
    }
}

/// The id of a Firebase project. It becomes part of an address, so it holds nothing that could lead elsewhere.
pub(crate) const fn project_id() -> Form<String> {
    Form {
        read: |raw| {
            let text = raw.text();
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:".contains(&b);
            let valid = (4..=60).contains(&text.len())
                && text.bytes().all(plain)
                && text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
            if valid { Ok(text) } else { Err("must be a project id such as `tutor-1a2b3`".to_owned()) }
        },
        write: String::clone,
        shape: Shape::Text("a project id"),
    }
}

/// One mail address.
pub(crate) const fn email() -> Form<String> {
    Form {
        read: |raw| {
            let text = raw.text();
            let valid = text
                .split_once('@')
                .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
                && !text.contains(|c: char| c.is_whitespace() || c.is_control());
            if valid { Ok(text) } else { Err("must be a mail address".to_owned()) }
        },
        write: String::clone,
        shape: Shape::Text("a mail address"),
    }
}

/// A sender of mails: an address, or `Name <address>`.
pub(crate) const fn mailbox() -> Form<String> {
    Form {
        read: |raw| {
            let text = raw.text();
            let complaint = "must be a mail address, alone or as in `Stoa <stoa@example.com>`";
            if is_mailbox(&text) { Ok(text) } else { Err(complaint.to_owned()) }
        },
        write: String::clone,
        shape: Shape::Text("a mail address, or a name and a mail address"),
    }
}

/// Whether mails can come from this.
pub(crate) fn is_mailbox(text: &str) -> bool {
    ops::post::is_mailbox(text)
}

/// The address of a mail server.
pub(crate) const fn smtp() -> Form<Secret<String>> {
    Form {
        read: |raw| {
            let text = raw.text();
            Smtp::parse(&text, String::new()).map_err(str::to_owned).map(|_| Secret::new(text))
        },
        write: |url| url.expose().clone(),
        shape: Shape::Text("a URL that begins with `smtp://` or `smtps://`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_as_they_are_read() {
        for text in ["10 per minute", "5 per second; 100 per hour", "10 per 300 seconds", "1 per day"] {
            let rules = (rates().read)(&Raw::one(text)).unwrap();
            assert_eq!((rates().write)(&rules), text);
        }
        assert!((rates().read)(&Raw::one("10 per fortnight")).is_err());
    }

    #[test]
    fn schedules_keep_their_bounds() {
        for text in ["0 2 * * *", "*/15 0-6 1,15 * 1-5"] {
            assert!(read_cron(&Raw::one(text)).is_ok(), "{text}");
        }
        for text in ["", "daily", "60 2 * * *", "0 24 * * *", "0 2 * *", "5-1 * * * *", "*/0 * * * *"] {
            assert!(read_cron(&Raw::one(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn media_types_and_mail() {
        assert!((media_types().read)(&Raw::one("image/*,application/pdf,text/*")).is_ok());
        assert!((media_types().read)(&Raw::one("png")).is_err());
        assert!((email().read)(&Raw::one("ops@example.com")).is_ok());
        assert!((email().read)(&Raw::one("ops@localhost\n")).is_err());
        for sender in ["stoa@example.com", "Stoa <stoa@example.com>", "\"Stoa, Inc.\" <stoa@localhost>"] {
            assert!((mailbox().read)(&Raw::one(sender)).is_ok(), "{sender}");
        }
        for bad in ["stoa", "Stoa <stoa@example.com", "a@b.test\r\nBcc: c@d.test", "a@b.test, c@d.test"] {
            assert!((mailbox().read)(&Raw::one(bad)).is_err(), "{bad}");
        }
        assert!((smtp().read)(&Raw::one("smtps://u:p@mail.example.com")).is_ok());
        let refused = (smtp().read)(&Raw::one("http://u:hunter2@mail.example.com")).unwrap_err();
        assert!(!refused.contains("hunter2"), "{refused}");
        for id in ["tutor-1a2b3", "example.com:tutor"] {
            assert!((project_id().read)(&Raw::one(id)).is_ok(), "{id}");
        }
        for id in ["", "abc", "Tutor", "../../evil", "a/b/c/d", "tutor 1", "1234", "your-project-id\u{e9}"] {
            assert!((project_id().read)(&Raw::one(id)).is_err(), "{id}");
        }
    }
}
