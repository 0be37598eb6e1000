//! Megabytes a second on one core, and how time grows with hostile texts.

use std::hint::black_box;
use std::time::{Duration, Instant};

use guard::content::{Masker, injection, moderate, normal};

use crate::data::{prose, read};

/// The fastest of some runs: other programs only ever slow one down.
fn fastest(runs: u32, mut work: impl FnMut()) -> Duration {
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn rate(name: &str, texts: &[String], mut work: impl FnMut(&str)) {
    let bytes: usize = texts.iter().map(String::len).sum();
    let span = fastest(7, || texts.iter().for_each(|text| work(text)));
    println!("{name:<28} {:>8.1} MB/s", bytes as f64 / span.as_secs_f64() / 1e6);
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

pub(crate) fn print() {
    let standard = Masker::standard();
    let start = Instant::now();
    guard::content::warm();
    println!("\nwarm (lexicon and rules are built): {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    println!("\nspeed, one core");
    let logs = log_lines();
    let dense = dense();
    for (name, path) in [("English", "xquad/xquad.en.json"), ("German", "xquad/xquad.de.json")] {
        if let Some(prose) = prose(path) {
            rate(&format!("mask, prose ({name})"), &prose, |text| drop(black_box(standard.mask(text))));
        }
    }
    if let Some(prose) = prose("xquad/xquad.en.json") {
        rate("moderate, prose", &prose, |text| drop(black_box(moderate(text))));
        rate("normalise, prose", &prose, |text| drop(black_box(normal::normalise(text))));
        rate("injection, prose", &prose, |text| drop(black_box(injection::suspect(text))));
    }
    if let Some(prose) = prose("xquad/xquad.de.json") {
        rate("moderate, prose (German)", &prose, |text| drop(black_box(moderate(text))));
    }
    rate("mask, log lines", &logs, |text| drop(black_box(standard.mask(text))));
    rate("mask, dense", &dense, |text| drop(black_box(standard.mask(text))));
    if let Some(code) = read("xstest/readme.md") {
        rate("mask, markdown", &[code.repeat(200)], |text| drop(black_box(standard.mask(text))));
    }
    println!("\ntime of 4 MB by time of 1 MB");
    let units = [
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
    for unit in units {
        ratio("mask", unit, |text| drop(black_box(standard.mask(text))));
    }
    for unit in
        ["a ", "a", "kill ", "how do i make a ", "how to ", "i ", "\u{200b}", "к", ". ", "a.", "$", "1a "]
    {
        ratio("moderate", unit, |text| drop(black_box(moderate(text))));
    }
    for unit in ["ignore ", "ignore all ", "reveal your ", "<|im_start|>"] {
        ratio("injection", unit, |text| drop(black_box(injection::suspect(text))));
    }
    let start = Instant::now();
    let lines = logs.iter().map(|line| line.len()).sum::<usize>();
    let mut stream = standard.stream();
    let let_go: usize = logs
        .iter()
        .flat_map(|line| line.as_bytes().chunks(5))
        .filter_map(|piece| std::str::from_utf8(piece).ok())
        .map(|piece| stream.push(piece).len())
        .sum();
    println!(
        "stream in pieces of 5 bytes: {:.1} MB/s ({let_go} of {lines} bytes let go)",
        lines as f64 / start.elapsed().as_secs_f64() / 1e6
    );
}

/// Prints the time of 4 MB by the time of 1 MB.
fn ratio(what: &str, unit: &str, work: impl Fn(&str)) {
    let one = unit.repeat(1_000_000 / unit.len());
    let four = unit.repeat(4_000_000 / unit.len());
    let time = |text: &str| fastest(7, || work(text)).as_secs_f64();
    let (short, long) = (time(&one), time(&four));
    println!("{what:<10} {:<32} {:.2}  ({:.1} MB/s)", format!("{unit:?}"), long / short, 4.0 / long);
}
