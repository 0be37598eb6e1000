//! The kinds of alerts: their names, titles, weights and sentences. The only place where an alert gets words.

use std::time::Duration;

use kernel::Severity;
use serde_json::{Map, Value};

/// A minute.
const MINUTE: Duration = Duration::from_secs(60);
/// An hour.
const HOUR: Duration = Duration::from_secs(3_600);

macro_rules! kinds {
    ($($name:ident = $text:literal, $severity:ident, $quiet:expr, $title:literal, $sentence:literal;)*) => {
        /// What sort of alert it is.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum Kind { $(#[doc = $title] $name,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Kind::$name => $text,)* }
            }

            /// How much it matters.
            pub const fn severity(self) -> Severity {
                match self { $(Kind::$name => Severity::$severity,)* }
            }

            /// An alert that has not happened again for this long is closed.
            pub const fn quiet(self) -> Duration {
                match self { $(Kind::$name => $quiet,)* }
            }

            /// The title, as people know it.
            pub const fn title(self) -> &'static str {
                match self { $(Kind::$name => $title,)* }
            }

            /// The sentence, with `{name}` for what the details say.
            const fn sentence(self) -> &'static str {
                match self { $(Kind::$name => $sentence,)* }
            }
        }
    };
}

kinds! {
    FailedSignIns = "failed_sign_ins", High, HOUR, "Multiple failed login attempts", "{count} failed sign-ins from {address} within an hour.";
    AccountGuessing = "account_guessing", High, HOUR, "One account is guessed at from many addresses", "{count} failed sign-ins to the account {account} from {addresses} addresses within an hour.";
    PermissionChanges = "permission_changes", High, HOUR, "Unusual permission activity", "{count} permission changes within an hour.";
    TokenReuse = "token_reuse", Critical, HOUR, "A refresh token was used twice", "A refresh token of {actor} came back after it had been replaced. Its sessions were ended: somebody may have stolen it.";
    RateLimits = "rate_limits", Medium, Duration::from_secs(900), "Many requests over the limits", "{count} requests were refused by a limit within a minute.";
    ErrorRate = "error_rate", High, HOUR, "Many requests fail", "{failed} of {requests} requests failed within five minutes on {replica}.";
    PoolExhausted = "pool_exhausted", Critical, HOUR, "Database connections are exhausted", "All {connections} connections are in use on {replica}; {refused} callers waited in vain.";
    Health = "health", Critical, HOUR, "Health checks fail", "{checks} health checks in a row found {replica} {status}.";
    Part = "part", High, HOUR, "A part of the server does not work", "{part} is {status} on {replica}: {reason}.";
    Disk = "disk", Critical, HOUR, "The disk is nearly full", "{free_mib} MiB ({free_percent} %) are free for the data of {replica}.";
    BackupFailed = "backup_failed", Critical, HOUR, "A backup failed", "{count} backups failed within an hour.";
    SecretsManager = "secrets_manager", High, HOUR, "Secrets Manager does not answer", "{replica} cannot read its secret: {reason}. The last values stay in use.";
    Configuration = "configuration", High, HOUR, "A new configuration was refused", "{replica} goes on with the configuration that it has. There are {reasons} reasons against the new one, the first: {first}.";
    Certificate = "certificate", High, Duration::from_secs(2 * 86_400), "The TLS certificate needs attention", "{replica}: {reason}.";
    BackupOverdue = "backup_overdue", Critical, HOUR, "A backup is overdue", "The newest good backup is {hours} hours old.";
}

impl Kind {
    /// Measured by each process for itself, and possibly about the database being away: it is told even when it cannot
    /// be stored.
    pub const fn is_local(self) -> bool {
        matches!(
            self,
            Kind::ErrorRate
                | Kind::PoolExhausted
                | Kind::Health
                | Kind::Part
                | Kind::Disk
                | Kind::SecretsManager
                | Kind::Configuration
                | Kind::Certificate
                | Kind::BackupOverdue
        )
    }

    /// The longest time in which the kind looks back, for those that count events.
    pub(crate) const fn window(self) -> Duration {
        match self {
            Kind::RateLimits => MINUTE,
            _ => HOUR,
        }
    }

    /// What has happened, in a sentence.
    pub fn say(self, details: &Map<String, Value>) -> String {
        if let (Some(count), Some(Value::Bool(true))) = (details.get("causes"), details.get("many")) {
            return format!("{count} more causes of this kind at once; the audit log names them.");
        }
        let mut said = String::new();
        let mut rest = self.sentence();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            said.push_str(before);
            match details.get(name) {
                Some(Value::String(text)) => said.push_str(text),
                Some(value) => said.push_str(&value.to_string()),
                None => said.push('?'),
            }
            rest = after;
        }
        said.push_str(rest);
        said
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sentences_are_filled_in() {
        let details = json!({"count": 11, "address": "192.0.2.1"});
        assert_eq!(
            Kind::FailedSignIns.say(details.as_object().unwrap()),
            "11 failed sign-ins from 192.0.2.1 within an hour."
        );
        assert_eq!(
            Kind::PermissionChanges.say(&Map::new()),
            "? permission changes within an hour.",
            "a missing detail does no harm"
        );
        let many = json!({"causes": 40, "many": true});
        assert!(Kind::FailedSignIns.say(many.as_object().unwrap()).starts_with("40 more causes"));
        for kind in Kind::ALL {
            assert!(!kind.title().ends_with('.') && kind.sentence().ends_with('.'), "{kind:?}");
            assert!(kind.quiet() >= kind.window(), "{kind:?}: an event would be counted for two alerts");
        }
    }
}
