//! The reports of operation: daily, weekly, monthly. It owns which questions each answers and their words. Every figure
//! is read from the data; where there is none, the report says so. No report names a person: accounts are counted, and
//! admins are told by id.

mod daily;
mod mailing;
mod monthly;
mod office;
mod weekly;

use std::path::PathBuf;
use std::time::Duration;

use kernel::{Result, Time};
use serde::Serialize;
use store::{ApiKey, Store};

pub use mailing::Mailing;
pub use office::{Ask, LogTail, Office, Queries, Query};

/// Which report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// Health, errors, backups, security, of 24 hours.
    Daily,
    /// The database, people, patches, capacity, of 7 days.
    Weekly,
    /// Audit, performance, recovery, documents, of 30 days.
    Monthly,
}

impl Period {
    /// Every period.
    pub const ALL: [Period; 3] = [Period::Daily, Period::Weekly, Period::Monthly];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Period::Daily => "daily",
            Period::Weekly => "weekly",
            Period::Monthly => "monthly",
        }
    }

    /// From the word.
    pub fn parse(text: &str) -> Option<Period> {
        Period::ALL.into_iter().find(|period| period.as_str() == text)
    }

    /// How long it is.
    pub const fn span(self) -> Duration {
        Duration::from_secs(
            86_400
                * match self {
                    Period::Daily => 1,
                    Period::Weekly => 7,
                    Period::Monthly => 30,
                },
        )
    }
}

/// How a line stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// As it should be, or a plain number.
    Ok,
    /// Worth a look.
    Look,
    /// Wrong.
    Wrong,
    /// There is no data yet.
    Nothing,
}

/// One answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Item {
    /// What was asked.
    pub name: String,
    /// What the data says.
    pub value: String,
    /// How it stands.
    pub tone: Tone,
}

/// Answers to one question of the guides.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Section {
    /// The question.
    pub title: &'static str,
    /// The answers.
    pub items: Vec<Item>,
}

/// A report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// Which.
    pub period: Period,
    /// From when.
    pub since: Time,
    /// Until when.
    pub until: Time,
    /// The answers.
    pub sections: Vec<Section>,
}

/// What only the server itself knows.
#[derive(Clone, Debug)]
pub struct Known {
    /// The version that runs or would run.
    pub version: String,
    /// When its file was made.
    pub built: Option<Time>,
    /// How many packages it is made of, and the versions of those that face the network.
    pub packages: (usize, Vec<String>),
    /// The folder whose disk must not fill up.
    pub data_dir: PathBuf,
    /// Production rules that do not hold: the name, and what is wrong.
    pub findings: Vec<(String, String)>,
    /// How many hold.
    pub holding: usize,
    /// Secrets and how many days each has been in use.
    pub secrets: Vec<(String, u64)>,
    /// Where backups go, when they go anywhere.
    pub backups: bool,
}

const NOTHING: &str = "no data yet";

impl Section {
    fn new(title: &'static str) -> Section {
        Section { title, items: Vec::new() }
    }

    fn say(&mut self, tone: Tone, name: impl Into<String>, value: impl Into<String>) {
        self.items.push(Item { name: name.into(), value: value.into(), tone });
    }

    fn ok(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.say(Tone::Ok, name, value);
    }

    fn nothing(&mut self, name: impl Into<String>) {
        self.say(Tone::Nothing, name, NOTHING);
    }

    /// A number that should be zero.
    fn count(&mut self, name: impl Into<String>, count: u64, above: Tone) {
        self.say(if count == 0 { Tone::Ok } else { above }, name, count.to_string());
    }
}

/// Reads everything that a report says.
pub async fn gather(store: &Store, period: Period, known: &Known, now: Time) -> Result<Report> {
    let since = now - period.span();
    let sections = match period {
        Period::Daily => daily::sections(store, known, since, now).await?,
        Period::Weekly => weekly::sections(store, known, since, now).await?,
        Period::Monthly => monthly::sections(store, known, since, now).await?,
    };
    Ok(Report { period, since, until: now, sections })
}

impl Report {
    /// The report as text for a terminal or a mail.
    pub fn text(&self) -> String {
        let mut text = format!(
            "Stoa {} report, {} to {}\n",
            self.period.as_str(),
            self.since.rfc3339_seconds(),
            self.until.rfc3339_seconds()
        );
        for section in &self.sections {
            text.push_str(&format!("\n{}\n", section.title));
            for item in &section.items {
                let sign = match item.tone {
                    Tone::Ok => "✓",
                    Tone::Look => "!",
                    Tone::Wrong => "✗",
                    Tone::Nothing => "–",
                };
                text.push_str(&format!("  {sign} {:<34} {}\n", item.name, item.value));
            }
        }
        text
    }

    /// How many lines are wrong, and how many are worth a look.
    pub fn counts(&self) -> (usize, usize) {
        let of =
            |tone| self.sections.iter().flat_map(|one| &one.items).filter(|item| item.tone == tone).count();
        (of(Tone::Wrong), of(Tone::Look))
    }
}

/// How long ago, in words.
fn ago(now: Time, then: Time) -> String {
    let seconds = now.since(then).as_secs();
    match seconds {
        0..=119 => format!("{seconds} seconds ago"),
        120..=7_199 => format!("{} minutes ago", seconds / 60),
        7_200..=172_799 => format!("{} hours ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// Bytes as people read them.
fn bytes(count: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (count as f64, 0);
    while value >= 1_024.0 && unit + 1 < units.len() {
        value /= 1_024.0;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or("B");
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {name}") }
}

/// Every API key that counts.
async fn keys(store: &Store, now: Time) -> Result<Vec<ApiKey>> {
    let mut page = kernel::PageRequest::first(kernel::PageRequest::MOST);
    let mut keys = Vec::new();
    loop {
        let piece = store.keys(None, page).await?;
        let counts = |key: &ApiKey| key.revoked_at.is_none() && key.expires_at.is_none_or(|at| now < at);
        keys.extend(piece.items.into_iter().filter(counts));
        match piece.next {
            Some(next) => page = kernel::PageRequest::parse(Some(kernel::PageRequest::MOST), Some(&next))?,
            None => return Ok(keys),
        }
    }
}
