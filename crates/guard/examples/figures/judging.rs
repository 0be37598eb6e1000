//! Moderation and injection: what is found, what is blocked wrongly, what hides from it.

use guard::content::moderate::{FOUND, PLAIN};
use guard::content::{Category, Judgement, Verdict, injection, moderate};
use serde_json::Value;

use crate::data::{Tally, csv, folder, held_out, json, read};
use crate::report::Report;

/// The labels of the set and the categories they stand for.
const LABELS: &[(&str, &str, &[Category])] = &[
    ("S", "sexual", &[Category::Sexual, Category::SexualMinors]),
    ("H", "hate", &[Category::Hate, Category::HateThreatening]),
    ("V", "violence", &[Category::Violence, Category::ViolenceGraphic]),
    ("HR", "harassment", &[Category::Harassment, Category::HarassmentThreatening]),
    ("SH", "self-harm", &[Category::SelfHarm, Category::SelfHarmIntent, Category::SelfHarmInstructions]),
    ("S3", "sexual/minors", &[Category::SexualMinors]),
    ("H2", "hate/threatening", &[Category::HateThreatening]),
    ("V2", "violence/graphic", &[Category::ViolenceGraphic]),
];

/// Below this average precision a category is called weak.
const WEAK: f64 = 0.75;

pub(crate) fn print(report: &mut Report, show: Option<&str>) {
    openai(report, show);
    davidson(report);
    over_blocking(report, show);
    orders(report);
    hidden(report);
}

/// The area under the curve of precision over recall, as the sum over the finds (average precision).
fn average_precision(mut scored: Vec<(f32, bool)>) -> f64 {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all = scored.iter().filter(|(_, gold)| *gold).count().max(1);
    let (mut sum, mut hit, mut seen, mut at) = (0.0, 0_usize, 0_usize, 0);
    // Texts with the same score stand at one place of the curve.
    while let Some((score, _)) = scored.get(at) {
        let same = scored.iter().skip(at).take_while(|(other, _)| other == score);
        let (count, gold) =
            same.fold((0, 0), |(count, gold), (_, right)| (count + 1, gold + usize::from(*right)));
        (at, seen, hit) = (at + count, seen + count, hit + gold);
        sum += gold as f64 * hit as f64 / seen as f64;
    }
    sum / all as f64
}

fn openai(report: &mut Report, show: Option<&str>) {
    for file in folder("openai-moderation", "jsonl") {
        let Some(text) = read(&file) else { continue };
        let rows: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let prompt = |row: &Value| row.get("prompt").and_then(Value::as_str).unwrap_or_default().to_owned();
        let judged: Vec<(Value, Judgement)> = rows
            .into_iter()
            .filter(|row| held_out(&prompt(row)))
            .map(|row| {
                let judgement = moderate(&prompt(&row));
                (row, judgement)
            })
            .collect();
        report.title(&format!("Moderation: {file}, the {} texts held out", judged.len()));
        report.say("Found: a score from 0.5 on. AP: average precision (area under precision over recall).\n");
        let mut table = Vec::new();
        for (label, name, categories) in LABELS {
            let (mut tally, mut scored) = (Tally::default(), Vec::new());
            for (row, judgement) in &judged {
                let Some(gold) = row.get(label).and_then(Value::as_i64).map(|gold| gold == 1) else {
                    continue;
                };
                let score = categories.iter().map(|c| judgement.scores.of(*c)).fold(0.0, f32::max);
                tally.add(gold, score >= FOUND);
                scored.push((score, gold));
                if show == Some(label) && gold != (score >= FOUND) {
                    println!("  {} {score:.2} {:.200}", if gold { "missed" } else { "wrong " }, prompt(row));
                }
            }
            let precision = average_precision(scored);
            let weak = if precision < WEAK { "weak: for review only" } else { "" };
            table.push(row(name, tally, Some(precision), weak));
        }
        let harmful =
            |row: &Value| LABELS.iter().any(|(label, ..)| row.get(label).and_then(Value::as_i64) == Some(1));
        let score = |judgement: &Judgement| judgement.scores.iter().map(|f| f.score).fold(0.0, f32::max);
        let any = |from: f32| {
            let mut tally = Tally::default();
            judged.iter().for_each(|(row, judgement)| tally.add(harmful(row), score(judgement) >= from));
            tally
        };
        let scored = judged.iter().map(|(row, judgement)| (score(judgement), harmful(row))).collect();
        table.push(row("any harm, found", any(FOUND), Some(average_precision(scored)), ""));
        table.push(row("any harm, blocked or helped", any(PLAIN), None, "lexicon alone"));
        report.table(&["category", "texts", "P", "R", "F1", "AP", "note"], &table);
    }
}

fn row(name: &str, tally: Tally, average: Option<f64>, note: &str) -> Vec<String> {
    let mut cells = tally.cells(name);
    cells.push(average.map_or_else(String::new, |average| format!("{average:.3}")));
    cells.push(note.to_owned());
    cells
}

fn davidson(report: &mut Report) {
    let rows = csv("davidson-hate/data/labeled_data.csv");
    let (mut rude, mut plain) = (Tally::default(), Tally::default());
    for row in rows.iter().skip(1) {
        // Class 2 is neither hateful nor offensive.
        let (Some(class), Some(text)) = (row.get(5), row.get(6)) else { continue };
        if held_out(text) {
            let found = moderate(text).verdict >= Verdict::Warn;
            rude.add(class != "2", found);
            plain.add(class == "2", !found);
        }
    }
    report.title("Rough language: davidson-hate, the texts held out");
    report.say(
        "Noted (a warning or more) against labelled hateful or offensive. Nothing is blocked by this.\n",
    );
    report.table(
        &["class", "texts", "P", "R", "F1"],
        &[rude.cells("hateful or offensive"), plain.cells("neither")],
    );
    report.say(&format!("Macro F1: {:.3}", (rude.f1() + plain.f1()) / 2.0));
}

/// The benign sets: name and texts.
fn benign() -> Vec<(String, Vec<String>)> {
    let mut sets = Vec::new();
    let prompts = csv("xstest/xstest_prompts.csv");
    let of = |wanted: bool| {
        let rows = prompts.iter().skip(1).filter(|row| row.get(3).is_some_and(|l| (l == "safe") == wanted));
        rows.filter_map(|row| row.get(1).cloned()).collect::<Vec<_>>()
    };
    sets.push(("xstest, safe".to_owned(), of(true)));
    for file in folder("notinject", "json") {
        let rows = json(&file).unwrap_or_default();
        let texts = rows.as_array().into_iter().flatten();
        let texts = texts.filter_map(|row| row.get("prompt")?.as_str().map(str::to_owned)).collect();
        sets.push((file, texts));
    }
    let banking = csv("banking77/banking_data/test.csv");
    let texts = banking.iter().skip(1).filter_map(|row| row.first().cloned());
    sets.push(("banking77, test, held out".to_owned(), texts.filter(|text| held_out(text)).collect()));
    sets.push(("(xstest, unsafe: what is caught)".to_owned(), of(false)));
    sets
}

fn over_blocking(report: &mut Report, show: Option<&str>) {
    report.title("Over-blocking");
    report.say(
        "Texts that harm nobody and look as if. Passed: not blocked and not met with the text for people in danger. \
         The last row is no benign set: it says how many harmful ones are caught.\n",
    );
    let mut table = Vec::new();
    for (name, texts) in benign() {
        let judged: Vec<_> = texts.iter().map(|text| (moderate(text), injection::suspect(text))).collect();
        let count = |test: &dyn Fn(&Judgement) -> bool| judged.iter().filter(|(j, _)| test(j)).count();
        let stopped = count(&|j| j.verdict >= Verdict::Block);
        let review = count(&|j| j.verdict == Verdict::Review);
        let suspected = judged.iter().filter(|(_, suspicion)| suspicion.flagged()).count();
        let share = |n: usize| format!("{:.1} %", 100.0 * n as f64 / texts.len().max(1) as f64);
        table.push(vec![
            name.clone(),
            texts.len().to_string(),
            share(texts.len() - stopped),
            stopped.to_string(),
            review.to_string(),
            suspected.to_string(),
        ]);
        if show.is_some_and(|show| name.contains(show)) {
            for ((judgement, suspicion), text) in judged.iter().zip(&texts) {
                if judgement.flagged() || suspicion.flagged() {
                    println!(
                        "  {} {:?} {suspicion:?} {text:.200}",
                        judgement.verdict.as_str(),
                        judgement.categories
                    );
                }
            }
        }
    }
    report.table(&["set", "texts", "passed", "stopped", "for review", "taken for injection"], &table);
}

fn orders(report: &mut Report) {
    let mut table = Vec::new();
    for file in folder("bipia", "json") {
        let set = json(&file).unwrap_or_default();
        let lists = set.as_object().into_iter().flat_map(serde_json::Map::values);
        let texts: Vec<&str> =
            lists.flat_map(|list| list.as_array().into_iter().flatten()).filter_map(Value::as_str).collect();
        let flagged = |from| {
            texts.iter().filter(|text| injection::suspect_from(text, from).flagged()).count().to_string()
        };
        table.push(vec![
            file,
            texts.len().to_string(),
            flagged(injection::Source::Person),
            flagged(injection::Source::Document),
        ]);
    }
    if !table.is_empty() {
        report.title("Orders in documents");
        report.say(
            "An order in a document can be a sentence like any other: no reading of the text alone finds it, and \
             nothing is promised here. What holds is structure: documents are fenced, secrets are never in prompts, \
             answers are checked on their way out.\n",
        );
        report.table(&["set", "texts", "flagged as a person's", "flagged as a document's"], &table);
    }
}

/// Ways to hide a phrase.
const DISGUISES: &[(&str, fn(&str) -> String)] = &[
    ("upper case", |text| text.to_uppercase()),
    ("digits for letters", |text| {
        swap(text, &[('o', '0'), ('i', '1'), ('e', '3'), ('a', '4'), ('s', '5'), ('t', '7')])
    }),
    ("signs for letters", |text| swap(text, &[('a', '@'), ('s', '$'), ('i', '!')])),
    ("letters of other alphabets", |text| {
        swap(text, &[('a', 'а'), ('e', 'е'), ('o', 'о'), ('p', 'р'), ('c', 'с'), ('x', 'х'), ('i', 'і')])
    }),
    ("full width", |text| {
        let wide = |c: char| match c {
            '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c),
            other => other,
        };
        text.chars().map(wide).collect()
    }),
    ("characters without width", |text| text.chars().flat_map(|c| [c, '\u{200b}']).collect()),
    ("soft hyphens", |text| text.chars().flat_map(|c| [c, '\u{ad}']).collect()),
    ("accents", |text| text.chars().flat_map(|c| [c, '\u{301}']).collect()),
    ("stretched letters", |text| {
        text.chars().flat_map(|c| std::iter::repeat_n(c, if "aeiou".contains(c) { 4 } else { 1 })).collect()
    }),
    ("spaced out words", |text| {
        format!(" {} ", text.chars().map(String::from).collect::<Vec<_>>().join(" "))
    }),
    ("dots between letters", |text| text.chars().map(String::from).collect::<Vec<_>>().join(".")),
];

fn swap(text: &str, pairs: &[(char, char)]) -> String {
    text.chars().map(|c| pairs.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to)).collect()
}

/// What is still found of the harmful prompts of xstest when they are disguised.
fn hidden(report: &mut Report) {
    let rows = csv("xstest/xstest_prompts.csv");
    let caught: Vec<&String> = rows
        .iter()
        .skip(1)
        .filter_map(|row| row.get(1))
        .filter(|text| moderate(text).verdict >= Verdict::Block)
        .collect();
    if caught.is_empty() {
        return;
    }
    report.title("Disguises");
    report.say(&format!("Of {} prompts of xstest that are stopped as they are, stopped when their words of more than three letters are disguised:\n", caught.len()));
    let table: Vec<_> = DISGUISES
        .iter()
        .map(|(name, disguise)| {
            // Short words are not what somebody hides.
            let hide = |word: &str| if word.len() > 3 { disguise(word) } else { word.to_owned() };
            let lower = |text: &str| text.to_lowercase().split(' ').map(hide).collect::<Vec<_>>().join(" ");
            let still = caught.iter().filter(|text| moderate(&lower(text)).verdict >= Verdict::Block).count();
            vec![(*name).to_owned(), format!("{:.1} %", 100.0 * still as f64 / caught.len() as f64)]
        })
        .collect();
    report.table(&["disguise", "still stopped"], &table);
}
