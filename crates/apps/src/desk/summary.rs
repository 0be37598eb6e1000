//! A conversation in a few lines for the person who takes it over, made by rules: what was asked, what was answered
//! from which documents, what was not. Personal data is masked. It never asks a model.

use guard::content::Masker;
use store::{HandOff, Message, Role};

/// Characters of one line, and customer's messages that are shown.
const LINE: usize = 240;
const LATEST: usize = 3;

/// The lines.
pub(super) fn of(hand_off: &HandOff, messages: &[Message]) -> String {
    let customer: Vec<&Message> = messages.iter().filter(|message| message.role == Role::User).collect();
    let mut lines = Vec::new();
    if let Some(reason) = &hand_off.reason {
        lines.push(format!("Reason: {}", line(reason)));
    }
    if let Some(first) = customer.first() {
        lines.push(format!("First message: {}", line(&first.content)));
    }
    for message in customer.iter().skip(1.max(customer.len().saturating_sub(LATEST))) {
        lines.push(format!("Later: {}", line(&message.content)));
    }
    let mut titles: Vec<&str> = Vec::new();
    for citation in messages.iter().filter_map(|message| message.citations.as_array()).flatten() {
        if let Some(title) = citation.get("title").and_then(serde_json::Value::as_str)
            && !titles.contains(&title)
        {
            titles.push(title);
        }
    }
    if !titles.is_empty() {
        lines.push(format!("Answered from: {}", line(&titles.join(", "))));
    }
    let unanswered = messages
        .iter()
        .filter(|message| message.details.get("outcome").is_some_and(|outcome| outcome == "none"))
        .count();
    if unanswered > 0 {
        lines.push(format!("Without an answer in the documents: {unanswered}"));
    }
    lines.join("\n")
}

fn line(text: &str) -> String {
    let masked = Masker::everything().mask(text);
    let flat = masked.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= LINE {
        flat
    } else {
        format!("{}…", flat.chars().take(LINE).collect::<String>())
    }
}
