//! Words that people use for the same thing when they speak of servers, programs and chats: who asks how to wipe
//! something means what the manual calls deleting. It owns the groups. They were written from the vocabulary of the field,
//! not from the questions that are measured. It never ranks.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::tokens::{Stemming, each_term};

/// Words of one line stand for each other. A word may stand in several lines.
const GROUPS: &[&str] = &[
    // What one does.
    "delete remove erase wipe purge discard trash drop",
    "stop halt abort cancel terminate quit end kill shut interrupt",
    "start launch boot begin run execute spin",
    "install deploy setup download",
    "make create generate produce issue mint new",
    "add register attach include",
    "change alter modify edit adjust tweak switch set",
    "replace rotate swap exchange renew substitute",
    "revoke withdraw invalidate disable deactivate kill leaked stolen",
    "raise increase lift higher bump",
    "block ban deny blacklist lock forbid",
    "refuse reject decline denied rejected disallow",
    "allow permit enter access restrict",
    "connect attach hook link integrate plug",
    "send post submit transmit pass",
    "see show view display look inspect read check",
    "find search locate detect discover",
    "test try verify prove validate check confirm",
    "fix repair solve mend remedy",
    "keep store hold save persist retain remember kept",
    "export download dump extract transcript",
    "update upgrade release version newer newest",
    "copy backup snapshot archive duplicate",
    "retry repeat again twice double",
    "wait timeout seconds patience takes",
    "scale replicas several multiple nodes instances cluster horizontal",
    "reload restart downtime sighup",
    "choose select pick",
    "limit throttle quota cap restrict throttling limiter",
    "hide mask redact conceal anonymise obfuscate",
    "alter tamper manipulate forge falsify tampering",
    "train teach learn learning",
    "log write record written note",
    "moderate moderation filter classify judge screening censor",
    "monitor watch observe surveil",
    // What things are called.
    "folder directory path location",
    "file document files",
    "setting settings option options configuration config parameter preference configure",
    "variable variables environment env",
    "server service daemon process machine host node instance box",
    "database sql db postgres sqlite",
    "model llm ai gpt chatgpt llama",
    "provider vendor supplier upstream openai",
    "fallback failover secondary second standby takeover",
    "app application bot assistant chatbot agent",
    "prompt instructions persona personality system character",
    "answer reply response completion output generation",
    "stream streaming incremental progressively words typing",
    "conversation chat talk dialog dialogue thread history chats",
    "message text prompt input",
    "person people user human employee somebody others other",
    "visitor anonymous guest stranger",
    "account login signup register profile sign",
    "session logged logout login cookie",
    "key token credential apikey",
    "secret password passphrase credentials secrets",
    "encryption encrypted sealed unlock cipher",
    "lose misplace lost forgot gone disappear vanish missing",
    "personal private phone email pii sensitive",
    "proxy reverse balancer nginx caddy traefik",
    "https tls ssl certificate encrypted",
    "origin domain cors site frontend",
    "address ip network",
    "port occupied listen",
    "request call query requests",
    "client sdk library code",
    "audit trail journal",
    "log logs journal logfile",
    "line fields format",
    "level verbose verbosity debug debugging",
    "metrics telemetry statistics dashboard dashboards prometheus grafana scrape",
    "alert alarm notify page wake alarms",
    "trace traces sentry datadog relic elsewhere ship",
    "health liveness readiness poll probe kubernetes",
    "error failure fault exception fail failed problem",
    "code codes identifier identifiers status",
    "down outage unavailable broken crash offline away",
    "slow sluggish lag latency ages delay",
    "production prod live deployment",
    "development dev local",
    "example sample template",
    "large big biggest size payload maximum huge",
    "old earlier previous past back",
    "temperature random randomness deterministic creative creativity",
    "length tokens long",
    "attack abuse abusive hammered flood ddos malicious",
    "injection jailbreak",
    "hate hateful nasty toxic abuse harassment offensive",
    "free cost price pay charge money paid licence license",
    "exit succeeded status return",
    "image picture photo photos pictures",
    "duplicates duplicate identical clutter clean",
    "offline local own gpu hardware",
    "amazon aws bedrock cloud",
    "vault file mount files manager",
    "precedence wins priority order overrides contradict",
    "unsafe insecure violation dangerous complaints",
    "start boot",
    "wrong incorrect bad",
    "command cli terminal shell type",
];

/// Stems that stand for a stem.
static ALIKE: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut alike: HashMap<String, Vec<String>> = HashMap::new();
    for group in GROUPS {
        let mut stems: Vec<String> = Vec::new();
        each_term(group, Stemming::English, |term| stems.push(term.text.to_owned()));
        stems.sort_unstable();
        stems.dedup();
        for stem in &stems {
            let others = alike.entry(stem.clone()).or_default();
            others.extend(stems.iter().filter(|other| *other != stem).cloned());
        }
    }
    for others in alike.values_mut() {
        others.sort_unstable();
        others.dedup();
    }
    alike
});

/// The stems that may stand for this one.
pub(crate) fn alike(stem: &str) -> &'static [String] {
    ALIKE.get(stem).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_meaning_stand_for_each_other() {
        let stands = |one: &str, other: &str| alike(one).iter().any(|stem| stem == other);
        assert!(stands("wipe", "delet") && stands("delet", "wipe"));
        assert!(!stands("delet", "delet"), "a word is not its own other");
        assert!(alike("zebra").is_empty());
    }
}
