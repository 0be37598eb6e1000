//! The rows of the security monitor: where alerts and mails go, and how closely it watches.

use kernel::Secret;
use ops::post::Smtp;

use super::{Default, Room, always, follows, settings};
use crate::settings::form;

/// Alerts and mail.
pub(crate) static ALERTS: Room = Room {
    title: "Alerts and mail",
    about: "Where the security monitor tells what it found, and the server that mails leave by. Each sink is tried again until it takes what it is sent.",
    settings: ALERTS_ROWS,
};

settings! { @fields ALERTS_ROWS;
    /// Alerts are posted here as JSON, signed in `X-Stoa-Signature`. Production wants HTTPS.
    ALERT_WEBHOOK: Secret<String> = form::secret_url(), "alerts.webhook_url", ["ALERT_WEBHOOK_URL"], Default::None, secret, live;
    /// The key of that signature.
    ALERT_WEBHOOK_SECRET: Secret<String> = form::secret(), "alerts.webhook_secret", ["ALERT_WEBHOOK_SECRET"], follows("HMAC-SHA256 of `stoa alert webhook` under the signing secret, in hexadecimal"), secret, live;
    /// Alerts are posted here in Slack's form.
    SLACK_WEBHOOK: Secret<String> = form::secret_url(), "alerts.slack_webhook_url", ["SLACK_WEBHOOK_URL"], Default::None, secret, live;
    /// The mail server, for alerts and for mails to users: `smtp://user:password@host` with STARTTLS, which is required
    /// unless the server is on this machine, or `smtps://…`. Without it no mail is sent; whether accounts
    /// are verified by mail at all is decided at the start.
    SMTP_URL: Secret<String> = form::smtp(), "alerts.smtp_url", ["SMTP_URL"], Default::None, secret, live;
    /// The sender of every mail: an address, or `Name <address>`.
    SMTP_FROM: String = form::mailbox(), "alerts.smtp_from", ["SMTP_FROM"], follows("the user of `SMTP_URL` when it is a mail address, else `stoa` at the host of the public URL"), live;
    /// Who gets alerts by mail. Needs `SMTP_URL`.
    ALERT_EMAIL: String = form::email(), "alerts.email", ["ALERT_EMAIL"], Default::None, live;
    /// More requests than this refused by limits within a minute raise an alert.
    ALERT_RATE_LIMITS: u64 = form::whole::<1, 1_000_000>(), "alerts.rate_limits_per_minute", ["ALERT_RATE_LIMIT_PER_MINUTE"], always("100");
    /// Less free space than this, in percent, or less than 1 GiB for the data folder raises an alert. `0`: never.
    ALERT_DISK: u64 = form::whole::<0, 90>(), "alerts.disk_percent", ["ALERT_DISK_PERCENT"], always("10");
    /// How many milliseconds pass between two looks of the security monitor.
    ALERT_INTERVAL: u64 = form::whole::<50, 60_000>(), "alerts.interval_ms", ["ALERT_INTERVAL_MS"], always("5000");
    /// How many seconds pass between two checks of the server's own health. Two in a row that fail raise an alert.
    HEALTH_INTERVAL: u64 = form::whole::<1, 3_600>(), "alerts.health_seconds", ["ALERT_HEALTH_SECONDS"], always("30");
    /// Reports that are sent to where alerts go, at 06:00 UTC, on Mondays, on the first of the month: `daily`, `weekly`, `monthly`.
    SEND_REPORTS: Vec<String> = form::periods(), "alerts.reports", ["SEND_REPORTS"], Default::None;
}

/// The mail server as the post wants it. `from` is the sender when none is set.
pub(crate) fn smtp(url: &Secret<String>, from: Option<String>, host: &str) -> Option<Smtp> {
    let user = Smtp::parse(url.expose(), String::new()).ok()?.login.map(|(user, _)| user);
    let sender = user.filter(|user| form::is_mailbox(user)).unwrap_or_else(|| format!("stoa@{host}"));
    Smtp::parse(url.expose(), from.unwrap_or(sender)).ok()
}
