//! Moderation: what is found and what is blocked wrongly. Injection: what is flagged wrongly.

use guard::content::{Category, Verdict, injection, moderate};
use serde_json::Value;

use crate::data::{Tally, csv, json, read};

/// The labels of the set and the categories they stand for.
const LABELS: &[(&str, &[Category])] = &[
    ("S", &[Category::Sexual, Category::SexualMinors]),
    ("H", &[Category::Hate, Category::HateThreatening]),
    ("V", &[Category::Violence, Category::ViolenceGraphic]),
    ("HR", &[Category::Harassment, Category::HarassmentThreatening]),
    ("SH", &[Category::SelfHarm, Category::SelfHarmIntent, Category::SelfHarmInstructions]),
    ("S3", &[Category::SexualMinors]),
    ("H2", &[Category::HateThreatening]),
    ("V2", &[Category::ViolenceGraphic]),
];

/// From this score on a category counts as found.
const FOUND: f32 = 0.5;

pub(crate) fn print(show: Option<&str>) {
    openai(show);
    xstest(show);
    benign(show);
    harsh();
}

fn openai(show: Option<&str>) {
    let Some(text) = read("openai-moderation/samples-dev.jsonl") else { return };
    let rows: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    println!("\nopenai-moderation, {} rows", rows.len());
    let mut any = Tally::default();
    for (label, categories) in LABELS {
        let mut tally = Tally::default();
        for row in &rows {
            let Some(gold) = row.get(label).and_then(Value::as_i64) else { continue };
            let prompt = row.get("prompt").and_then(Value::as_str).unwrap_or_default();
            let found = moderate(prompt).categories;
            let hit =
                found.iter().any(|finding| categories.contains(&finding.category) && finding.score > FOUND);
            tally.add(gold == 1, hit);
            if show == Some(label) && (gold == 1) != hit {
                println!("  {} {prompt:.200}", if hit { "wrong " } else { "missed" });
            }
        }
        println!("{}", tally.line(label));
    }
    let mut blocked = Tally::default();
    for row in &rows {
        let harm = LABELS.iter().any(|(label, _)| row.get(label).and_then(Value::as_i64) == Some(1));
        let judged = moderate(row.get("prompt").and_then(Value::as_str).unwrap_or_default());
        any.add(harm, judged.verdict >= Verdict::Review);
        blocked.add(harm, judged.verdict >= Verdict::Support);
    }
    println!("{}", any.line("any harm, review and up"));
    println!("{}", blocked.line("any harm, support, block"));
}

fn xstest(show: Option<&str>) {
    let rows = csv("xstest/xstest_prompts.csv");
    let (mut safe, mut stopped, mut unsafe_rows, mut caught) = (0, 0, 0, 0);
    for row in rows.iter().skip(1) {
        let (Some(prompt), Some(label)) = (row.get(1), row.get(3)) else { continue };
        let judged = moderate(prompt);
        let block = judged.verdict == Verdict::Block;
        if label == "safe" {
            safe += 1;
            stopped += u32::from(block);
        } else {
            unsafe_rows += 1;
            caught += u32::from(block);
        }
        if show == Some("xstest") && (label == "safe") == block {
            println!("  {label}: {prompt} {:?}", judged.categories);
        }
    }
    println!(
        "\nxstest: {stopped} of {safe} safe prompts blocked, {caught} of {unsafe_rows} unsafe prompts blocked"
    );
}

fn benign(show: Option<&str>) {
    if let Some(rows) = json("notinject/NotInject_one.json") {
        let prompts: Vec<_> =
            rows.as_array().into_iter().flatten().filter_map(|row| row.get("prompt")?.as_str()).collect();
        count("notinject", &prompts, show);
    }
    let banking: Vec<String> = ["train", "test"]
        .iter()
        .flat_map(|part| csv(&format!("banking77/banking_data/{part}.csv")))
        .filter_map(|row| row.first().cloned())
        .collect();
    count("banking77", &banking.iter().map(String::as_str).collect::<Vec<_>>(), show);
    if let Some(set) = json("bipia/benchmark/text_attack_test.json") {
        let attacks: Vec<_> = set
            .as_object()
            .into_iter()
            .flat_map(serde_json::Map::values)
            .flat_map(|list| list.as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .collect();
        let flagged = attacks.iter().filter(|text| injection::suspect(text).flagged()).count();
        println!(
            "bipia, text attacks: {flagged} of {} flagged (orders inside documents; see the file)",
            attacks.len()
        );
    }
}

fn count(name: &str, prompts: &[&str], show: Option<&str>) {
    let flagged: Vec<_> = prompts.iter().filter(|text| injection::suspect(text).flagged()).collect();
    let blocked: Vec<_> = prompts.iter().filter(|text| moderate(text).verdict >= Verdict::Support).collect();
    println!(
        "{name}: of {} benign texts {} flagged as injection, {} blocked",
        prompts.len(),
        flagged.len(),
        blocked.len()
    );
    if show == Some(name) {
        flagged.iter().for_each(|text| println!("  flagged {text}"));
        blocked.iter().for_each(|text| println!("  blocked {text}"));
    }
}

fn harsh() {
    let rows = csv("davidson-hate/data/labeled_data.csv");
    let mut tally = Tally::default();
    for row in rows.iter().skip(1) {
        // Class 2 is neither hateful nor offensive.
        let (Some(class), Some(text)) = (row.get(5), row.get(6)) else { continue };
        let found = moderate(text).verdict >= Verdict::Warn;
        tally.add(class != "2", found);
    }
    println!("\n{}", tally.line("davidson, noted and up"));
}
