//! Megabytes a second on one core, and how time grows with hostile texts. Time is what the processor spent on this
//! thread, where the system tells it, so that a busy machine does not count.

use std::hint::black_box;
use std::time::{Duration, Instant};

use guard::content::{Masker, injection, mask_broadly, moderate, normal};

use crate::data::{csv, prose, read};
use crate::report::Report;

/// What the processor has spent on this thread. The system may count it in steps of some milliseconds.
fn spent(start: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = told.split_whitespace().next().and_then(|number| number.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// Long enough that the steps of the clock do not count.
const LONG: Duration = Duration::from_millis(120);

/// Seconds that the work takes: the best of some rounds, as other programs only ever slow one down, each of as many
/// runs as make it long.
fn seconds(rounds: u32, mut work: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let mut round = || {
        let (start, mut runs) = (spent(begin), 0_u32);
        loop {
            work();
            runs += 1;
            let span = spent(begin).saturating_sub(start);
            if span >= LONG {
                return span.as_secs_f64() / f64::from(runs);
            }
        }
    };
    (0..rounds).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn rate(name: &str, goal: &str, texts: &[String], mut work: impl FnMut(&str)) -> Vec<String> {
    let bytes: usize = texts.iter().map(String::len).sum();
    let span = seconds(4, || texts.iter().for_each(|text| work(text)));
    vec![name.to_owned(), format!("{:.0}", bytes as f64 / span / 1e6), goal.to_owned()]
}

fn log_lines() -> Vec<String> {
    (0..5_000_u64)
        .map(|n| {
            format!(
                r#"{{"@timestamp":"2026-11-21T01:02:03.{:06}Z","level":"INFO","target":"web::api","message":"request finished","request_id":"019aa2b8-6d1f-7e2c-8f7a-{:012x}","method":"POST","path":"/api/v1/apps/support/chat","status":200,"duration_ms":{}.{:03},"peer":"203.0.113.{}","user":"visitor:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d"}}"#,
                n % 1_000_000, n * 7_919, n % 90, n % 1000, n % 256
            )
        })
        .collect()
}

fn dense() -> Vec<String> {
    (0..5_000_u64)
        .map(|n| {
            format!(
                "ada{n}@example.com +44 20 7946 {:04} 4111 1111 1111 1111 GB82 WEST 1234 5698 7654 32 203.0.113.{} password=x{n} 460-89-{:04} ",
                n % 10_000, n % 256, 1 + n % 9_000
            )
        })
        .collect()
}

pub(crate) fn print(report: &mut Report) {
    let standard = Masker::standard();
    guard::content::warm();
    report.title("Speed, one core");
    let (logs, dense) = (log_lines(), dense());
    let mut table = Vec::new();
    let (english, german) = (prose("xquad/xquad.en.json"), prose("xquad/xquad.de.json"));
    let (english, german) = (english.unwrap_or_default(), german.unwrap_or_default());
    if !english.is_empty() {
        table
            .push(rate("mask, prose (English)", "50", &english, |text| drop(black_box(standard.mask(text)))));
        table.push(rate("mask, prose (German)", "50", &german, |text| drop(black_box(standard.mask(text)))));
    }
    table.push(rate("mask, log lines", "50", &logs, |text| drop(black_box(standard.mask(text)))));
    table.push(rate("mask, dense personal data", "25", &dense, |text| drop(black_box(standard.mask(text)))));
    if let Some(markdown) = read("xstest/README.md").or_else(|| read("xstest/readme.md")) {
        table.push(rate("mask, Markdown", "50", &[markdown.repeat(100)], |text| {
            drop(black_box(standard.mask(text)))
        }));
    }
    if !english.is_empty() {
        table.push(rate("broad mask, prose", "", &english, |text| drop(black_box(mask_broadly(text)))));
        table
            .push(rate("moderate, prose (English)", "100", &english, |text| drop(black_box(moderate(text)))));
        table.push(rate("moderate, prose (German)", "100", &german, |text| drop(black_box(moderate(text)))));
        table.push(rate("normalise, prose", "", &english, |text| drop(black_box(normal::normalise(text)))));
        table.push(rate("injection, prose", "100", &english, |text| {
            drop(black_box(injection::suspect(text)))
        }));
    }
    let mut pieces = 0;
    table.push(rate("stream of the mask, 5 bytes a piece", "", &logs, |line| {
        let mut stream = standard.stream();
        for piece in line.as_bytes().chunks(5).filter_map(|piece| std::str::from_utf8(piece).ok()) {
            pieces += stream.push(piece).len();
        }
        pieces += stream.finish().len();
    }));
    black_box(pieces);
    report.table(&["work", "MB/s", "goal"], &table);
    latency(report, &english);
    hostile(report);
}

/// How long one message of 5,000 characters takes.
fn latency(report: &mut Report, prose: &[String]) {
    let asked = csv("banking77/banking_data/test.csv");
    let mut text: String = prose.concat();
    asked.iter().filter_map(|row| row.first()).for_each(|row| text.push_str(row));
    let letters: Vec<char> = text.chars().collect();
    let messages: Vec<String> = letters.chunks_exact(5_000).map(|letters| letters.iter().collect()).collect();
    if messages.is_empty() {
        return;
    }
    let mut spans: Vec<Duration> = messages
        .iter()
        .map(|text| {
            // The quickest of some runs: what the machine does beside it is not meant.
            let run = |_| {
                let start = Instant::now();
                black_box((moderate(text), injection::suspect(text), standard_mask(text)));
                start.elapsed()
            };
            (0..15).map(run).min().unwrap_or_default()
        })
        .collect();
    spans.sort();
    let at = |share: usize| spans.get(spans.len() * share / 100).map_or(0.0, |span| span.as_secs_f64() * 1e3);
    report.say(&format!(
        "A message of 5,000 characters, judged, looked through for injection and masked: {:.2} ms in the middle, \
         {:.2} ms at the 99th of a hundred (goal: 1 ms).\n",
        at(50),
        at(99)
    ));
}

fn standard_mask(text: &str) -> usize {
    Masker::standard().mask(text).len()
}

/// Texts made of one piece again and again, each chosen to keep one rule busy.
const MASK: &[&str] = &[
    "a@",
    "a@a.",
    "11-",
    "1",
    "11-11-1111 ",
    "4111 ",
    "://",
    "a://b@",
    "\"",
    "\\",
    "\\\"password\\\":\\\"",
    "password=",
    "password = ",
    "(",
    "+1",
    "a.",
    "1.",
    "a:",
    "::",
    "é",
    "eyJ",
    "-----BEGIN PRIVATE KEY-----",
    "GB82",
    "GB82 1111 ",
    "Bearer ",
    "a-",
    "%40",
    "api key: ",
];
const JUDGE: &[&str] = &[
    "a ",
    "a",
    "kill ",
    "how do i make a ",
    "how to ",
    "i ",
    "\u{200b}",
    "к",
    ". ",
    "a.",
    "$",
    "1a ",
    "a\u{301}",
];
const ORDERS: &[&str] = &["ignore ", "ignore all ", "reveal your ", "<|im_start|>"];
const BROAD: &[&str] =
    &["A", "A ", "Ab ", "Ab de ", "1 Ab ", "12 ", "Apt 1 ", "a, ", "P.O. Box 1 ", "in 1999 ", "de "];

fn hostile(report: &mut Report) {
    report.title("Hostile texts");
    report.say("Time of 4 MB by time of 1 MB of one piece again and again; 4 is linear.\n");
    let mut table = Vec::new();
    let mut family = |what: &str, pieces: &[&str], work: &dyn Fn(&str)| {
        for piece in pieces {
            table.push(ratio(what, piece, work));
        }
    };
    family("mask", MASK, &|text| drop(black_box(Masker::standard().mask(text))));
    family("moderate", JUDGE, &|text| drop(black_box(moderate(text))));
    family("injection", ORDERS, &|text| drop(black_box(injection::suspect(text))));
    family("broad mask", BROAD, &|text| drop(black_box(mask_broadly(text))));
    report.table(&["work and piece", "ratio", "MB/s"], &table);
}

fn ratio(what: &str, piece: &str, work: &dyn Fn(&str)) -> Vec<String> {
    let time = |bytes: usize| {
        let text = piece.repeat(bytes / piece.len());
        seconds(2, || work(&text))
    };
    let (short, long) = (time(1_000_000), time(4_000_000));
    let shown =
        format!("{what} `{}`", piece.escape_default().to_string().replace('`', "'").replace('|', "¦"));
    vec![shown, format!("{:.1}", long / short), format!("{:.0}", 4.0 / long)]
}
