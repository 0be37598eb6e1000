//! Conversations read and listed beside so much else.

use std::time::{Duration, Instant};

use kernel::{ConversationId, PageRequest};
use store::{ConversationFilter, Lying};

use crate::corpus::{Corpus, Dice};
use crate::fill::{LONG, World};
use crate::report::Report;

pub(crate) async fn measure(world: &World, corpus: &Corpus, rounds: usize, report: &mut Report) {
    let store = &world.store;
    let mut dice = Dice(11);
    let mut ids: Vec<(usize, ConversationId)> = Vec::new();
    for owner in (0..corpus.owners).step_by(corpus.owners.div_ceil(50)) {
        let mut next = None;
        for _ in 0..(1_200 / corpus.owners).max(2) {
            let page = world.list(owner, ConversationFilter::default(), next.as_deref()).await;
            ids.extend(page.0.into_iter().map(|talk| (owner, talk.id)));
            next = page.1;
            if next.is_none() {
                break;
            }
        }
    }
    report.head("reading", "rows");
    let (mut times, mut rows) = (Vec::new(), 0);
    for _ in 0..rounds * 10 {
        let (owner, id) = ids[dice.below(ids.len())];
        let since = Instant::now();
        let page = store.messages(&world.owners[owner], id, PageRequest::first(100)).await.unwrap();
        times.push(since.elapsed());
        rows += page.items.len();
    }
    report.row("a conversation of 20 messages", &mut times, rows);
    long(world, rounds, report).await;

    let folders = store.folders(&world.owners[0]).await.unwrap();
    let folder = |name: &str| folders.iter().find(|folder| folder.name == name).map(|one| Lying::In(one.id));
    let plain = ConversationFilter::default;
    let app = Some(world.app.clone());
    let rare = corpus.word(17_000).to_owned();
    let lists: [(&str, ConversationFilter); 11] = [
        ("conversations", plain()),
        ("conversations of an app, not pinned", ConversationFilter { app, pinned: Some(false), ..plain() }),
        ("pinned", ConversationFilter { pinned: Some(true), ..plain() }),
        ("put away", ConversationFilter { archived: true, ..plain() }),
        ("folder with 1 %", ConversationFilter { folder: folder("few"), ..plain() }),
        ("folder with half", ConversationFilter { folder: folder("half"), ..plain() }),
        ("in no folder", ConversationFilter { folder: Some(Lying::Loose), ..plain() }),
        ("tag on 1 %", ConversationFilter { tag: Some("few".into()), ..plain() }),
        ("tag on 90 %", ConversationFilter { tag: Some("most".into()), ..plain() }),
        ("title with a rare word", ConversationFilter { q: Some(rare), ..plain() }),
        ("title that is not there", ConversationFilter { q: Some("quux".into()), ..plain() }),
    ];
    report.head("lists, any page", "rows");
    for (name, filter) in lists {
        let (mut times, mut rows) = (Vec::new(), 0);
        let mut next: Option<String> = None;
        let heavy = filter.q.is_some();
        for _ in 0..if heavy { rounds.min(20) } else { rounds } {
            let owner = dice.below(if filter.folder.is_some() { 1 } else { corpus.owners });
            let since = Instant::now();
            let page = world.list(owner, filter.clone(), next.as_deref()).await;
            times.push(since.elapsed());
            rows += page.0.len();
            // On to the next page, of this owner.
            next = page.1.filter(|_| corpus.owners == 1);
        }
        report.row(name, &mut times, rows);
    }
    let mut both: [Vec<Duration>; 2] = Default::default();
    let mut rows = [0, 0];
    for _ in 0..rounds {
        let owner = &world.owners[dice.below(corpus.owners)];
        let since = Instant::now();
        rows[0] += store.tags(owner).await.unwrap().len();
        both[0].push(since.elapsed());
        let since = Instant::now();
        rows[1] += store.folders(owner).await.unwrap().len();
        both[1].push(since.elapsed());
    }
    report.row("all tags with their numbers", &mut both[0], rows[0]);
    report.row("all folders with their numbers", &mut both[1], rows[1]);
}

/// The conversation that is long by itself.
async fn long(world: &World, rounds: usize, report: &mut Report) {
    let (store, owner) = (&world.store, &world.owners[0]);
    let newest = world.list(0, ConversationFilter::default(), None).await.0;
    let id = newest.iter().find(|talk| talk.messages as usize == LONG).unwrap().id;
    let mut kinds: [(&str, Vec<Duration>, usize); 3] = [
        ("the newest 40 of 2,000", Vec::new(), 0),
        ("40 before those", Vec::new(), 0),
        ("any 100 of 2,000", Vec::new(), 0),
    ];
    let mut next: Option<String> = None;
    for _ in 0..rounds {
        let since = Instant::now();
        let recent = store.recent_messages(owner, id, 40).await.unwrap();
        kinds[0].1.push(since.elapsed());
        kinds[0].2 += recent.len();
        let since = Instant::now();
        let before = store.messages_before(owner, id, recent[0].id, 40).await.unwrap();
        kinds[1].1.push(since.elapsed());
        kinds[1].2 += before.len();
        let page = PageRequest::parse(Some(100), next.as_deref()).unwrap();
        let since = Instant::now();
        let page = store.messages(owner, id, page).await.unwrap();
        kinds[2].1.push(since.elapsed());
        kinds[2].2 += page.items.len();
        next = page.next;
    }
    for (name, mut times, rows) in kinds {
        report.row(name, &mut times, rows);
    }
}
