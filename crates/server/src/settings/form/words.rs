//! The forms that are closed lists of words: profiles, levels, formats, algorithms, kinds.
//! It never knows what a value is for.

use identity::Registration;
use kernel::{AppKind, UserEntry};
use ops::telemetry::{Format, Level};

use super::{Form, Shape};
use crate::settings::profile::Profile;
use crate::settings::providers::Speech;
use crate::settings::table::JwtAlgorithm;

/// A profile.
pub(crate) const fn choice_profile() -> Form<Profile> {
    Form {
        read: |raw| {
            let text = raw.text().to_ascii_lowercase();
            Profile::ALL
                .into_iter()
                .find(|profile| profile.as_str() == text)
                .ok_or_else(|| "must be `development`, `staging` or `production`".to_owned())
        },
        write: |profile| profile.as_str().to_owned(),
        shape: Shape::Choice(&["development", "staging", "production"]),
    }
}

/// A log level.
pub(crate) const fn choice_level() -> Form<Level> {
    Form {
        read: |raw| match raw.text().to_ascii_uppercase().as_str() {
            "DEBUG" => Ok(Level::Debug),
            "INFO" => Ok(Level::Info),
            "WARNING" | "WARN" => Ok(Level::Warning),
            "ERROR" | "CRITICAL" => Ok(Level::Error),
            _ => Err("must be `DEBUG`, `INFO`, `WARNING` or `ERROR`".to_owned()),
        },
        write: |level| {
            match level {
                Level::Debug => "DEBUG",
                Level::Info => "INFO",
                Level::Warning => "WARNING",
                Level::Error => "ERROR",
            }
            .to_owned()
        },
        shape: Shape::Choice(&["DEBUG", "INFO", "WARNING", "ERROR"]),
    }
}

/// The form of a log line.
pub(crate) const fn choice_format() -> Form<Format> {
    Form {
        read: |raw| match raw.text().to_ascii_lowercase().as_str() {
            "json" => Ok(Format::Json),
            "text" => Ok(Format::Text),
            _ => Err("must be `json` or `text`".to_owned()),
        },
        write: |format| if *format == Format::Json { "json" } else { "text" }.to_owned(),
        shape: Shape::Choice(&["json", "text"]),
    }
}

/// Reports.
pub(crate) const fn periods() -> Form<Vec<String>> {
    Form {
        read: |raw| {
            let known = |item: &str| {
                let word = item.to_ascii_lowercase();
                ops::report::Period::parse(&word).map(|_| word)
            };
            let read: Option<Vec<String>> = raw.items().into_iter().map(known).collect();
            read.ok_or_else(|| "must be a list of `daily`, `weekly` and `monthly`".to_owned())
        },
        write: |periods| periods.join(", "),
        shape: Shape::List("`daily`, `weekly`, `monthly`"),
    }
}

/// Whether a signal of telemetry is exported, in the words of OpenTelemetry.
pub(crate) const fn exporter() -> Form<String> {
    Form {
        read: |raw| match raw.text().to_ascii_lowercase().as_str() {
            word @ ("otlp" | "none") => Ok(word.to_owned()),
            _ => Err("must be `otlp` or `none`".to_owned()),
        },
        write: String::clone,
        shape: Shape::Choice(&["otlp", "none"]),
    }
}

/// How access tokens are signed. `none`, and everything that could be confused with it, is no choice.
pub(crate) const fn choice_jwt() -> Form<JwtAlgorithm> {
    Form {
        read: |raw| match raw.text().as_str() {
            "HS256" => Ok(JwtAlgorithm::Hs256),
            "EdDSA" => Ok(JwtAlgorithm::EdDsa),
            _ => Err("must be `HS256` or `EdDSA`; no other algorithm is safe here".to_owned()),
        },
        write: |algorithm| if *algorithm == JwtAlgorithm::Hs256 { "HS256" } else { "EdDSA" }.to_owned(),
        shape: Shape::Choice(&["HS256", "EdDSA"]),
    }
}

/// Who may make an account.
pub(crate) const fn choice_registration() -> Form<Registration> {
    Form {
        read: |raw| match raw.text().as_str() {
            "off" => Ok(Registration::Off),
            "invite" => Ok(Registration::Invite),
            "open" => Ok(Registration::Open),
            _ => Err("must be `off`, `invite` or `open`".to_owned()),
        },
        write: |registration| {
            match registration {
                Registration::Off => "off",
                Registration::Invite => "invite",
                Registration::Open => "open",
            }
            .to_owned()
        },
        shape: Shape::Choice(&["off", "invite", "open"]),
    }
}

/// What a provider speaks.
pub(crate) const fn choice_speech() -> Form<Speech> {
    Form {
        read: |raw| match raw.text().as_str() {
            "openai" => Ok(Speech::OpenAi),
            "bedrock" => Ok(Speech::Bedrock),
            _ => Err("must be `openai` or `bedrock`".to_owned()),
        },
        write: |speech| if *speech == Speech::OpenAi { "openai" } else { "bedrock" }.to_owned(),
        shape: Shape::Choice(&["openai", "bedrock"]),
    }
}

/// What an app does. `files` joins when its room is built.
pub(crate) const fn app_kind() -> Form<AppKind> {
    Form {
        read: |raw| match raw.text().as_str() {
            "chat" => Ok(AppKind::Chat),
            "support" => Ok(AppKind::Support),
            "tutor" => Ok(AppKind::Tutor),
            _ => Err("must be `chat`, `support` or `tutor`".to_owned()),
        },
        write: |kind| kind.as_str().to_owned(),
        shape: Shape::Choice(&["chat", "support", "tutor"]),
    }
}

/// Which accounts may enter.
pub(crate) const fn user_entry() -> Form<UserEntry> {
    Form {
        read: |raw| match raw.text().as_str() {
            "nobody" => Ok(UserEntry::Nobody),
            "granted" => Ok(UserEntry::Granted),
            "everybody" => Ok(UserEntry::Everybody),
            _ => Err("must be `nobody`, `granted` or `everybody`".to_owned()),
        },
        write: |entry| {
            match entry {
                UserEntry::Nobody => "nobody",
                UserEntry::Granted => "granted",
                UserEntry::Everybody => "everybody",
            }
            .to_owned()
        },
        shape: Shape::Choice(&["nobody", "granted", "everybody"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::raw::Raw;

    fn accepts<T>(form: &Form<T>, text: &str) -> bool {
        (form.read)(&Raw::one(text)).is_ok()
    }

    #[test]
    fn words_outside_the_list_are_refused() {
        assert!(accepts(&choice_profile(), "production") && accepts(&choice_profile(), "Staging"));
        assert!(!accepts(&choice_profile(), "prod") && !accepts(&choice_profile(), ""));
        assert!(accepts(&choice_level(), "warning") && !accepts(&choice_level(), "LOUD"));
        assert!(accepts(&choice_jwt(), "HS256") && accepts(&choice_jwt(), "EdDSA"));
        for bad in ["none", "None", "RS256", "HS512", "hs256"] {
            assert!(!accepts(&choice_jwt(), bad), "{bad}");
        }
    }

    #[test]
    fn shapes_list_exactly_the_words() {
        fn whole_list<T>(form: &Form<T>) {
            let Shape::Choice(words) = form.shape else { panic!("no list") };
            for word in words {
                let value = (form.read)(&Raw::one(*word)).unwrap_or_else(|say| panic!("{word} {say}"));
                assert_eq!((form.write)(&value), *word);
            }
        }
        whole_list(&choice_profile());
        whole_list(&choice_level());
        whole_list(&choice_format());
        whole_list(&choice_jwt());
        whole_list(&choice_registration());
        whole_list(&app_kind());
        whole_list(&user_entry());
    }
}
