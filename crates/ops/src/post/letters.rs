//! What mails say: one letter for each template and for alerts, as plain text and as simple HTML. It owns the words. It
//! never decides who gets a letter.

use std::fmt::Write as _;

use store::{Mail, Template};

use super::Lost;
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
    Go(&'static str, String),
}

use Part::{Go, Say};

fn say(text: &str) -> Part {
    Say(text.to_owned())
}

/// The letter to a person. `base` is the public address of the server.
pub(super) fn to_person(mail: &Mail, base: &str) -> Result<Letter, Lost> {
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
    let valid = || {
        say(&format!("The link works once, for {}.", value("valid").map_or("a short time", String::as_str)))
    };
    let at = || value("at").map_or_else(String::new, |at| format!(" at {at}"));
    let help = |parts: &mut Vec<Part>, label: &'static str| -> Result<(), Lost> {
        if mail.values.contains_key("path") {
            parts.push(Go(label, path("path")?));
        }
        Ok(())
    };
    let (subject, parts) = match mail.template {
        Template::VerifyAddress => (
            "Confirm your e-mail address",
            vec![
                say("Please confirm that this e-mail address is yours. After that you can sign in."),
                Go("Confirm the address", path("path")?),
                valid(),
                say("If you did not ask for an account, you need not do anything."),
            ],
        ),
        Template::ConfirmNewAddress => (
            "Confirm your new e-mail address",
            vec![
                say("Please confirm that this e-mail address is yours. From then on your account has it."),
                Go("Confirm the address", path("path")?),
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
            help(&mut parts, "Change your password")?;
            ("Your account is about to have another e-mail address", parts)
        }
        Template::AddressChanged => {
            let mut parts = vec![
                say("The e-mail address of your account was changed. This address leads to it no longer."),
                say("If it was not you, tell the people who run the server at once."),
            ];
            help(&mut parts, "Sign in with the new address")?;
            ("Your account has another e-mail address", parts)
        }
        Template::ResetPassword => (
            "Choose a new password",
            vec![
                say("Somebody, probably you, asked to reset the password of your account."),
                Go("Choose a new password", path("path")?),
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
                Go("Sign in", path("path")?),
            ];
            if mail.values.contains_key("reset_path") {
                parts.push(Go("Choose a new password, if you have forgotten yours", path("reset_path")?));
            }
            parts.push(say("If it was not you, you need not do anything."));
            ("You already have an account", parts)
        }
        Template::Invitation => (
            "You are invited",
            vec![
                say("You have been invited to make an account."),
                Go("Accept the invitation", path("path")?),
                valid(),
            ],
        ),
        Template::PasswordChanged => {
            let mut parts = vec![
                Say(format!(
                    "The password of your account was changed{}. All other sessions were ended.",
                    at()
                )),
                say("If it was not you, choose a new password at once."),
            ];
            help(&mut parts, "Choose a new password")?;
            ("Your password was changed", parts)
        }
        Template::SignInMethodAdded => {
            let method = value("method").map_or("A new way to sign in", String::as_str);
            let mut parts = vec![
                Say(format!("{method} was added to your account{}.", at())),
                say("If it was not you, change your password at once and remove what you do not know."),
            ];
            help(&mut parts, "Look at your account")?;
            ("A new way to sign in was added", parts)
        }
    };
    Ok(write(subject.to_owned(), &parts, base))
}

/// The letter about an alert.
pub(super) fn about(notice: &Notice) -> Letter {
    if notice.event == Event::Report {
        let mut parts: Vec<Part> = notice.text.split("\n\n").map(say).collect();
        parts.push(Go("Look at it as it is now", notice.page()));
        return write(notice.headline(), &parts, &notice.server);
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
        parts.push(Go("Look at it and acknowledge it", notice.page()));
    }
    write(notice.headline(), &parts, &notice.server)
}

fn write(subject: String, parts: &[Part], base: &str) -> Letter {
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
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body style=\"font-family: sans-serif; line-height: 1.5; max-width: 36em\">\n<h1 style=\"font-size: 1.2em\">{title}</h1>\n\
         {rows}<p style=\"color: #666\">Stoa, {base}</p>\n</body>\n</html>\n",
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
        Mail { to: "ada@example.org".into(), template, values: values.collect(), until: None }
    }

    #[test]
    fn every_letter_has_its_link_in_both_forms() {
        let values = [("path", "/do/it?token=a&b=c"), ("valid", "30 minutes"), ("method", "A passkey")];
        let mut subjects = std::collections::HashSet::new();
        for template in ALL {
            let letter = to_person(&mail(template, &values), "https://chat.example.org").unwrap();
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
            let refused =
                to_person(&mail(Template::ResetPassword, &[("path", bad)]), "https://chat.example.org");
            assert!(refused.unwrap_err().for_good, "{bad}");
        }
        let method = "<script>alert(1)</script>";
        let letter =
            to_person(&mail(Template::SignInMethodAdded, &[("method", method)]), "https://x.test").unwrap();
        assert!(!letter.html.contains("<script>") && letter.html.contains("&lt;script&gt;"));
        let none = Mail { values: BTreeMap::new(), ..mail(Template::Invitation, &[]) };
        assert!(to_person(&none, "https://x.test").is_err());
        assert!(to_person(&mail(Template::PasswordChanged, &[]), "https://x.test").is_ok());
    }
}
