//! What mails say: one letter for each template and for alerts, as plain text and as simple HTML. It owns the words, in
//! English; the catalogues of the pages have the others. It never decides who gets a letter.

use std::fmt::Write as _;

use kernel::Language;
use store::{Mail, Template};

use super::{Lost, Words};
use crate::alerts::{Event, Notice};

/// A letter, ready for an envelope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) plain: String,
    pub(super) html: String,
}

/// A part of a letter.
enum Part {
    /// A paragraph.
    Say(String),
    /// An address to go to, with what it is.
    Go(String, String),
}

use Part::{Go, Say};

/// Names a text that is said in the language of whoever reads. It changes nothing: the check of the catalogues reads it.
const fn key(text: &'static str) -> &'static str {
    text
}

/// Units of time as mails of this server name them, and how they are said.
const UNITS: [(&str, &str); 3] = [
    ("minutes", key("{count} minute|{count} minutes")),
    ("hours", key("{count} hour|{count} hours")),
    ("days", key("{count} day|{count} days")),
];

/// Ways of signing in that have a name in every language.
const METHODS: [&str; 2] = [key("an authenticator app"), key("a passkey")];

/// Who speaks to a reader: their language, and where its words are.
pub(super) struct Voice {
    pub(super) language: Language,
    pub(super) words: Words,
}

impl Voice {
    /// English, whoever reads.
    const fn english() -> Voice {
        Voice { language: Language::English, words: |_, _| None }
    }

    fn tell(&self, text: &str) -> String {
        (self.words)(self.language, text).unwrap_or(text).to_owned()
    }

    fn say(&self, text: &str) -> Part {
        Say(self.tell(text))
    }

    fn go(&self, label: &str, path: String) -> Part {
        Go(self.tell(label), path)
    }

    /// A sentence with a value in it.
    fn fill(&self, text: &str, place: &str, value: &str) -> Part {
        Say(self.tell(text).replacen(place, value, 1))
    }

    /// `30 minutes` as it is said.
    fn span(&self, text: &str) -> String {
        let read = || {
            let (number, unit) = text.split_once(' ')?;
            let (_, forms) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
            Some((number.parse().ok()?, forms))
        };
        let Some((number, forms)): Option<(u64, &str)> = read() else { return text.to_owned() };
        self.language.form(&self.tell(forms), number).replace("{count}", &number.to_string())
    }
}

/// The letter to a person. `base` is the public address of the server.
pub(super) fn to_person(mail: &Mail, base: &str, words: Words) -> Result<Letter, Lost> {
    let language = mail.language.as_deref().and_then(Language::parse).unwrap_or_default();
    let voice = Voice { language, words };
    let say = |text: &str| voice.say(text);
    let go = |label: &str, path: String| voice.go(label, path);
    let path = |name: &str| -> Result<String, Lost> {
        let path = mail.values.get(name).ok_or_else(|| Lost::for_good("a mail lacks its link"))?;
        // A link leads to this server and nowhere else, whatever the values say.
        let ours = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
        if !ours || path.contains(|sign: char| sign.is_whitespace() || sign.is_control()) {
            return Err(Lost::for_good("the link of a mail does not lead to this server"));
        }
        Ok(format!("{base}{path}"))
    };
    let value = |name: &str| mail.values.get(name).filter(|value| !value.is_empty());
    let valid = || match value("valid") {
        Some(span) => voice.fill(key("The link works once, for {span}."), "{span}", &voice.span(span)),
        None => say("The link works once, for a short time."),
    };
    let help = |parts: &mut Vec<Part>, label: &'static str| -> Result<(), Lost> {
        if mail.values.contains_key("path") {
            parts.push(go(label, path("path")?));
        }
        Ok(())
    };
    let (subject, parts) = match mail.template {
        Template::VerifyAddress => (
            key("Confirm your e-mail address"),
            vec![
                say("Please confirm that this e-mail address is yours. After that you can sign in."),
                go(key("Confirm the address"), path("path")?),
                valid(),
                say("If you did not ask for an account, you need not do anything."),
            ],
        ),
        Template::ConfirmNewAddress => (
            key("Confirm your new e-mail address"),
            vec![
                say("Please confirm that this e-mail address is yours. From then on your account has it."),
                go(key("Confirm the address"), path("path")?),
                valid(),
                say("If you did not ask for it, you need not do anything: nothing is changed."),
            ],
        ),
        Template::AddressChangeAsked => {
            let mut parts = vec![
                say(
                    "Somebody, probably you, asked to change the e-mail address of your account. A link to confirm it \
                     has gone to the new address.",
                ),
                say("If it was not you, change your password at once: that makes the link worthless."),
            ];
            help(&mut parts, key("Change your password"))?;
            (key("Your account is about to have another e-mail address"), parts)
        }
        Template::AddressChanged => {
            let mut parts = vec![
                say("The e-mail address of your account was changed. This address leads to it no longer."),
                say("If it was not you, tell the people who run the server at once."),
            ];
            help(&mut parts, key("Sign in with the new address"))?;
            (key("Your account has another e-mail address"), parts)
        }
        Template::ResetPassword => (
            key("Choose a new password"),
            vec![
                say("Somebody, probably you, asked to reset the password of your account."),
                go(key("Choose a new password"), path("path")?),
                valid(),
                say("If it was not you, you need not do anything: your password stays as it is."),
            ],
        ),
        Template::AccountExists => {
            let mut parts = vec![
                say(
                    "Somebody, probably you, wanted to use this e-mail address for a new account or another one. It has an account already, so \
                     nothing was changed.",
                ),
                go(key("Sign in"), path("path")?),
            ];
            if mail.values.contains_key("reset_path") {
                parts
                    .push(go(key("Choose a new password, if you have forgotten yours"), path("reset_path")?));
            }
            parts.push(say("If it was not you, you need not do anything."));
            (key("You already have an account"), parts)
        }
        Template::Invitation => (
            key("You are invited"),
            vec![
                say("You have been invited to make an account."),
                go(key("Accept the invitation"), path("path")?),
                valid(),
            ],
        ),
        Template::PasswordChanged => {
            let mut parts = vec![
                say("The password of your account was changed. All other sessions were ended."),
                say("If it was not you, choose a new password at once."),
            ];
            help(&mut parts, key("Choose a new password"))?;
            (key("Your password was changed"), parts)
        }
        Template::SignInMethodAdded => {
            let method = value("method").map_or("", String::as_str);
            // An issuer is called by its address in every language.
            let method = if METHODS.contains(&method) { voice.tell(method) } else { method.to_owned() };
            let mut parts = vec![
                voice.fill(
                    key("Your account can be signed in to in a new way: {method}."),
                    "{method}",
                    &method,
                ),
                say("If it was not you, change your password at once and remove what you do not know."),
            ];
            help(&mut parts, key("Look at your account"))?;
            (key("A new way to sign in was added"), parts)
        }
    };
    Ok(write(voice.tell(subject), &parts, base, &voice))
}

/// The letter about an alert.
pub(super) fn about(notice: &Notice) -> Letter {
    if notice.event == Event::Report {
        let mut parts: Vec<Part> = notice.text.split("\n\n").map(|text| Say(text.to_owned())).collect();
        parts.push(Go("Look at it as it is now".to_owned(), notice.page()));
        return write(notice.headline(), &parts, &notice.server, &Voice::english());
    }
    let mut parts = vec![
        Say(notice.text.clone()),
        Say(format!(
            "Severity: {}. Time: {}. Environment: {}. Alert: {}.",
            notice.severity,
            notice.timestamp.rfc3339_seconds(),
            notice.environment,
            notice.id
        )),
    ];
    let facts: Vec<String> = notice.details.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    if !facts.is_empty() {
        parts.push(Say(facts.join(", ")));
    }
    if notice.event == Event::Raised {
        parts.push(Go("Look at it and acknowledge it".to_owned(), notice.page()));
    }
    write(notice.headline(), &parts, &notice.server, &Voice::english())
}

fn write(subject: String, parts: &[Part], base: &str, voice: &Voice) -> Letter {
    let (mut plain, mut rows) = (String::new(), String::new());
    for part in parts {
        // Writing into a string cannot fail.
        let _ = match part {
            Say(text) => {
                let style = if text.contains('\n') { " style=\"white-space: pre-wrap\"" } else { "" };
                write!(plain, "{text}\n\n").and_then(|()| writeln!(rows, "<p{style}>{}</p>", escaped(text)))
            }
            Go(label, link) => write!(plain, "{label}:\n{link}\n\n")
                .and_then(|()| writeln!(rows, "<p><a href=\"{}\">{}</a></p>", escaped(link), escaped(label))),
        };
    }
    let _ = write!(plain, "-- \nStoa, {base}\n");
    let html = format!(
        "<!doctype html>\n<html lang=\"{tag}\" dir=\"{direction}\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body style=\"font-family: sans-serif; line-height: 1.5; max-width: 36em\">\n<h1 style=\"font-size: 1.2em\">{title}</h1>\n\
         {rows}<p style=\"color: #666\">Stoa, {base}</p>\n</body>\n</html>\n",
        tag = voice.language.tag(),
        direction = voice.language.direction().as_str(),
        title = escaped(&subject),
        base = escaped(base),
    );
    Letter { subject, plain, html }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ALL: [Template; 9] = [
        Template::ConfirmNewAddress,
        Template::AddressChangeAsked,
        Template::AddressChanged,
        Template::VerifyAddress,
        Template::ResetPassword,
        Template::AccountExists,
        Template::Invitation,
        Template::PasswordChanged,
        Template::SignInMethodAdded,
    ];

    fn mail(template: Template, values: &[(&str, &str)]) -> Mail {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Mail { to: "ada@example.org".into(), template, values: values.collect(), until: None, language: None }
    }

    #[test]
    fn every_letter_has_its_link_in_both_forms() {
        let values = [("path", "/do/it?token=a&b=c"), ("valid", "30 minutes"), ("method", "A passkey")];
        let mut subjects = std::collections::HashSet::new();
        for template in ALL {
            let letter =
                to_person(&mail(template, &values), "https://chat.example.org", |_, _| None).unwrap();
            assert!(letter.plain.contains("https://chat.example.org/do/it?token=a&b=c"), "{letter:?}");
            assert!(
                letter.html.contains("href=\"https://chat.example.org/do/it?token=a&amp;b=c\""),
                "{letter:?}"
            );
            assert!(subjects.insert(letter.subject));
        }
    }

    #[test]
    fn no_letter_leads_elsewhere_or_carries_markup() {
        for bad in [
            "https://evil.test/",
            "//evil.test",
            "/a b",
            "/a\r\nBcc: x",
            "",
            "javascript:alert(1)",
            "/\\evil.test",
        ] {
            let refused = to_person(
                &mail(Template::ResetPassword, &[("path", bad)]),
                "https://chat.example.org",
                |_, _| None,
            );
            assert!(refused.unwrap_err().for_good, "{bad}");
        }
        let method = "<script>alert(1)</script>";
        let letter =
            to_person(&mail(Template::SignInMethodAdded, &[("method", method)]), "https://x.test", |_, _| {
                None
            })
            .unwrap();
        assert!(!letter.html.contains("<script>") && letter.html.contains("&lt;script&gt;"));
        let none = Mail { values: BTreeMap::new(), ..mail(Template::Invitation, &[]) };
        assert!(to_person(&none, "https://x.test", |_, _| None).is_err());
        assert!(to_person(&mail(Template::PasswordChanged, &[]), "https://x.test", |_, _| None).is_ok());
    }
}
