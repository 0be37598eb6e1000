//! Searches of every kind, first pages and those after them, and whether what is known is found.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use kernel::{Page, PageRequest, Time};
use knowledge::Sought;
use store::{FoundMessage, Role, TalkQuery};

use crate::corpus::{Corpus, Dice};
use crate::fill::World;
use crate::report::Report;

/// Pages after the first that are measured.
const MORE: usize = 3;

/// Phrases that are compared with a plain scan, and pages of each that are looked at.
const SAMPLE: usize = 40;
const PAGES: usize = 400;

const KINDS: [&str; 21] = [
    "phrase of 4 words",
    "two words of a message",
    "a common word",
    "a rare word",
    "beginning of a word",
    "phrase of 3 common words",
    "phrase of 5 common words, no hit",
    "word that is not there",
    "two rare words, no hit",
    "word, from:me",
    "common word, folder with 1 %",
    "common word, folder with half",
    "rare word, folder with half",
    "common word, tag on 1 %",
    "word, tag on 90 %",
    "common word, is:pinned",
    "word, is:archived",
    "common word, last month",
    "common word, eleven months ago",
    "common word, has:file",
    "tag on 1 % alone",
];

struct Asked {
    sought: Sought,
    query: TalkQuery,
    /// What must be found.
    must: Option<String>,
}

/// What everybody has who is asked for.
struct Own {
    few: kernel::FolderId,
    half: kernel::FolderId,
}

pub(crate) async fn measure(world: &World, corpus: &Corpus, rounds: usize, report: &mut Report) {
    let mut dice = Dice(7);
    let mut kinds: Vec<(Vec<Duration>, usize)> = KINDS.map(|_| (Vec::new(), 0)).into();
    let (mut first, mut next, mut all) = (Vec::new(), Vec::new(), 0);
    for round in 0..=rounds {
        for (kind, (times, found)) in kinds.iter_mut().enumerate() {
            let owner = dice.below(corpus.owners);
            let asked = ask(world, corpus, kind, owner, &mut dice).await;
            let (mut page, took) = search(world, owner, &asked, None).await;
            // The first round warms up.
            if round > 0 {
                times.push(took);
                first.push(took);
                *found += page.items.len();
            }
            for _ in 0..MORE {
                let Some(after) = page.next.clone() else { break };
                let took;
                (page, took) = search(world, owner, &asked, Some(&after)).await;
                if round > 0 {
                    next.push(took);
                    all += page.items.len();
                }
            }
            if let Some(must) = &asked.must {
                assert!(holds(world, owner, &asked, must).await, "a message that is known is not found");
            }
        }
    }
    report.head("first page", "found");
    let mut sum = 0;
    for (name, (mut times, found)) in KINDS.iter().zip(kinds) {
        report.row(name, &mut times, found);
        sum += found;
    }
    report.row("all of these", &mut first, sum);
    if !next.is_empty() {
        report.row("pages 2 to 4 of all", &mut next, all);
    }
    compare(world, corpus, &mut dice, report).await;
}

/// Whether a search finds this text, on whatever page.
async fn holds(world: &World, owner: usize, asked: &Asked, text: &str) -> bool {
    let (mut page, _) = search(world, owner, asked, None).await;
    loop {
        if page.items.iter().any(|found| found.mark == *text) {
            return true;
        }
        let Some(next) = page.next.clone() else { return false };
        page = search(world, owner, asked, Some(&next)).await.0;
    }
}

/// A sample of phrases against a plain scan of all messages.
async fn compare(world: &World, corpus: &Corpus, dice: &mut Dice, report: &mut Report) {
    let owner = dice.below(corpus.owners);
    let mut phrases = Vec::new();
    for length in (2..6).cycle().take(SAMPLE) {
        let text = corpus.text(corpus.one_of(owner, dice));
        let words: Vec<&str> = text.split(' ').collect();
        let at = dice.below(words.len() - length);
        phrases.push(words[at..at + length].join(" "));
    }
    let scanned = corpus.scan(owner, &phrases);
    let (mut known, mut met, mut whole) = (0, 0, 0);
    for (phrase, numbers) in phrases.iter().zip(scanned) {
        let mut sought = Sought::default();
        sought.phrase(phrase);
        let asked = asked(world, sought);
        let mut found = HashSet::new();
        let mut next: Option<String> = None;
        for _ in 0..PAGES {
            let page = search(world, owner, &asked, next.as_deref()).await.0;
            found.extend(page.items.into_iter().map(|found| found.mark));
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        if next.is_some() {
            // Too many to look at all of them.
            continue;
        }
        whole += 1;
        known += numbers.len();
        met += numbers.iter().filter(|number| found.contains(&corpus.text(**number))).count();
    }
    report.say("");
    report.say(&format!(
        "Against a plain scan of all messages: {met} of {known} messages that hold one of {whole} phrases are found."
    ));
    assert_eq!(met, known, "the search finds what a scan finds");
}

async fn search(
    world: &World,
    owner: usize,
    asked: &Asked,
    next: Option<&str>,
) -> (Page<FoundMessage<String>>, Duration) {
    let read = |text: &str| asked.sought.read(text).map(|_| text.to_owned());
    let page = PageRequest::parse(Some(20), next).unwrap();
    let since = Instant::now();
    let page = world.store.search_talk(&world.owners[owner], &asked.query, &read, page).await.unwrap();
    (page, since.elapsed())
}

fn asked(world: &World, sought: Sought) -> Asked {
    let words = sought.needs().to_vec();
    Asked {
        sought,
        query: TalkQuery { words, apps: vec![world.app.clone()], ..TalkQuery::default() },
        must: None,
    }
}

async fn own(world: &World, owner: usize) -> Own {
    let folders = world.store.folders(&world.owners[owner]).await.unwrap();
    let named = |name: &str| folders.iter().find(|folder| folder.name == name).unwrap().id;
    Own { few: named("few"), half: named("half") }
}

async fn ask(world: &World, corpus: &Corpus, kind: usize, owner: usize, dice: &mut Dice) -> Asked {
    let text = corpus.text(corpus.one_of(owner, dice));
    let words: Vec<&str> = text.split(' ').collect();
    let at = dice.below(words.len() - 4);
    let common = corpus.word(dice.below(20)).to_owned();
    let rare = corpus.word(20_000 + dice.below(30_000)).to_owned();
    let commons: Vec<&str> = (0..5).map(|_| corpus.word(dice.below(40))).collect();
    let mut sought = Sought::default();
    match kind {
        0 => sought.phrase(&words[at..at + 4].join(" ")),
        1 => {
            sought.word(words[at]);
            sought.word(words[at + 2]);
        }
        2 | 10 | 11 | 13 | 15 | 17 | 18 | 19 => sought.word(&common),
        3 | 12 => sought.word(&rare),
        4 => sought.beginning(&corpus.word(500 + dice.below(20_000))[..5]),
        5 => sought.phrase(&commons[..3].join(" ")),
        6 => sought.phrase(&commons.join(" ")),
        7 => sought.word(&format!("quux{}", dice.roll())),
        8 => {
            sought.word(&rare);
            sought.word(corpus.word(50_000 + dice.below(5_000)));
        }
        20 => {}
        _ => sought.word(words[at]),
    }
    let must = (kind == 0).then(|| text.clone());
    let own = own(world, owner).await;
    let mut asked = asked(world, sought);
    asked.must = must;
    let query = &mut asked.query;
    let ago = |days: i64| Time::from_seconds(world.ambient.now().micros() / 1_000_000 - days * 86_400);
    match kind {
        9 => query.from = Some(Role::User),
        10 => query.folders = Some(vec![own.few]),
        11 | 12 => query.folders = Some(vec![own.half]),
        13 | 20 => query.tags = vec!["few".into()],
        14 => query.tags = vec!["most".into()],
        15 => query.pinned = Some(true),
        16 => query.archived = Some(true),
        17 => query.after = Some(ago(30)),
        18 => query.before = Some(ago(330)),
        19 => query.has_file = true,
        _ => {}
    }
    asked
}
