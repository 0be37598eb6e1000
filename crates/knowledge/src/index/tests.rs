//! The index as a whole: what is found, by whom, and that what is removed is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crypto::Blind;
use kernel::{Ambient, Clock, Random, Time};

use super::*;

struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> Time {
        Time::from_micros(1_795_222_923_000_000 + self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl Random for Ticks {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed) as u8);
    }
}

struct World {
    ambient: Ambient,
    blind: Blind,
    index: Index,
}

impl World {
    fn new() -> World {
        let ticks = Arc::new(Ticks(AtomicI64::new(0)));
        World {
            ambient: Ambient::new(ticks.clone(), ticks),
            blind: Blind::new([3; 32]),
            index: Index::default(),
        }
    }

    fn put(&mut self, visibility: Visibility, texts: &[&str]) -> (DocumentId, Vec<PassageId>) {
        let document = DocumentId::new(&self.ambient);
        let mut scribe = Scribe::new(&self.blind);
        let cards: Vec<(PassageId, Card)> =
            texts.iter().map(|text| (PassageId::new(&self.ambient), scribe.card(&[(text, 1)]))).collect();
        self.index.begin(document, visibility);
        assert!(self.index.add(document, &cards));
        self.index.finish(document);
        (document, cards.into_iter().map(|(id, _)| id).collect())
    }

    fn find(&self, sees: Visibility, question: &str) -> Vec<PassageId> {
        let weighed = self.index.weigh(&Query::new(question, &self.blind), sees);
        self.index.search(&weighed, sees, 10).into_iter().map(|hit| hit.passage).collect()
    }
}

#[test]
fn everyone_neither_finds_nor_is_ranked_by_what_the_staff_has() {
    let mut world = World::new();
    let (_, open) = world.put(Visibility::Everyone, &["Refunds take ten days.", "Parcels are tracked."]);
    let before = world.index.search(
        &world.index.weigh(&Query::new("refund", &world.blind), Visibility::Everyone),
        Visibility::Everyone,
        5,
    );
    let (_, hidden) = world.put(Visibility::Staff, &["Refunds above 500 need a manager's refund code."; 40]);
    let after = world.index.search(
        &world.index.weigh(&Query::new("refund", &world.blind), Visibility::Everyone),
        Visibility::Everyone,
        5,
    );
    assert_eq!(before, after);
    assert_eq!(world.find(Visibility::Everyone, "refund code"), [open[0]]);
    assert!(world.find(Visibility::Staff, "refund code").contains(&hidden[0]));
    assert_eq!(world.index.passages(Visibility::Everyone), 2);
}

#[test]
fn what_is_removed_is_gone_and_the_others_stay() {
    let mut world = World::new();
    let (one, _) = world.put(Visibility::Everyone, &["alpha beta", "gamma delta"]);
    let (_, kept) = world.put(Visibility::Everyone, &["alpha gamma", "epsilon"]);
    let (two, _) = world.put(Visibility::Everyone, &["alpha omega"]);
    world.index.set_vectors(two, &[]);
    world.index.remove(&HashSet::from([one, two]));
    assert_eq!(world.find(Visibility::Everyone, "alpha gamma"), [kept[0]]);
    assert_eq!(world.find(Visibility::Everyone, "epsilon"), [kept[1]]);
    assert!(world.find(Visibility::Everyone, "omega beta").is_empty());
    let (_, again) = world.put(Visibility::Everyone, &["omega"]);
    assert_eq!(world.find(Visibility::Everyone, "omega"), again);
    assert_eq!(world.index.documents().count(), 2);
}

#[test]
fn a_document_is_found_as_a_whole_or_not_at_all() {
    let mut world = World::new();
    let document = DocumentId::new(&world.ambient);
    let card = |text: &str| Scribe::new(&world.blind).card(&[(text, 1)]);
    let passage = PassageId::new(&world.ambient);
    let cards = [(passage, card("half a document"))];
    world.index.begin(document, Visibility::Everyone);
    world.index.add(document, &cards);
    world.index.set_vectors(document, &[(passage, vec![1.0, 0.0])]);
    assert!(world.find(Visibility::Everyone, "document").is_empty());
    assert!(world.index.nearest(&[1.0, 0.0], Visibility::Everyone, 3).is_empty());
    world.index.finish(document);
    assert_eq!(world.find(Visibility::Everyone, "document"), [passage]);
    assert_eq!(world.index.nearest(&[1.0, 0.0], Visibility::Everyone, 3)[0].passage, passage);
    world.index.remove(&HashSet::from([document]));
    assert_eq!(world.index.width(Visibility::Staff), None);
}

#[test]
fn vectors_follow_their_passages_and_their_audience() {
    let mut world = World::new();
    let (gone, a) = world.put(Visibility::Everyone, &["one"]);
    let (open, b) = world.put(Visibility::Everyone, &["two"]);
    let (closed, c) = world.put(Visibility::Staff, &["three"]);
    world.index.set_vectors(gone, &[(a[0], vec![1.0, 0.0])]);
    world.index.set_vectors(open, &[(b[0], vec![0.8, 0.6])]);
    world.index.set_vectors(closed, &[(c[0], vec![1.0, 0.1])]);
    world.index.remove(&HashSet::from([gone]));
    let near = |sees| -> Vec<PassageId> {
        world.index.nearest(&[1.0, 0.0], sees, 5).into_iter().map(|hit| hit.passage).collect()
    };
    assert_eq!(near(Visibility::Everyone), b);
    assert_eq!(near(Visibility::Staff), [c[0], b[0]]);
}

#[test]
fn two_replicas_rank_alike() {
    let (mut one, mut two) = (World::new(), Index::default());
    let texts: Vec<String> = (0..50).map(|n| format!("the same words in passage {}", n % 7)).collect();
    for text in &texts {
        one.put(Visibility::Everyone, &[text]);
    }
    // The other one reads the documents in another order.
    let mut all: Vec<(DocumentId, PassageId, Card)> = Vec::new();
    let hits = |index: &Index, blind: &Blind| {
        let weighed = index.weigh(&Query::new("same passage 3", blind), Visibility::Everyone);
        index.search(&weighed, Visibility::Everyone, 50)
    };
    let listed = hits(&one.index, &one.blind);
    for hit in &listed {
        let text = texts[listed.iter().filter(|other| other.passage < hit.passage).count()].as_str();
        all.push((hit.document, hit.passage, Scribe::new(&one.blind).card(&[(text, 1)])));
    }
    for (document, passage, card) in all {
        two.begin(document, Visibility::Everyone);
        two.add(document, &[(passage, card)]);
        two.finish(document);
    }
    assert_eq!(listed, hits(&two, &one.blind));
}
