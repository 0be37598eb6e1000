//! The search over everything that was said: what is indexed and what is not yet, put together, forgotten.

use std::collections::BTreeSet;
use std::time::Duration;

use kernel::{Code, ConversationId, PageRequest, Subject};
use store::{Arrangement, Role, SearchTended, TalkQuery};

use crate::world::{World, event, on_both_engines};

/// Words as a plain index would write them: what a word is, is not the store's to know.
fn words(text: &str, take: &mut dyn FnMut(&str)) {
    for word in text.split_whitespace() {
        take(word);
    }
}

fn query(world: &World, text: &str) -> TalkQuery {
    let words = text.split_whitespace().map(|word| vec![word.to_owned()]).collect();
    TalkQuery { words, apps: vec![world.app.clone()], ..TalkQuery::default() }
}

/// Everything that is found, page by page; checks that it comes in order, and nothing twice.
async fn find(world: &World, owner: &Subject, query: &TalkQuery, limit: u32) -> Vec<String> {
    let read = |text: &str| {
        let held: BTreeSet<&str> = text.split_whitespace().collect();
        let met = query.words.iter().all(|forms| forms.iter().any(|form| held.contains(form.as_str())));
        met.then(|| text.to_owned())
    };
    let mut found = Vec::new();
    let mut page = PageRequest::first(limit);
    loop {
        let piece = world.store.search_talk(owner, query, &read, page).await.unwrap();
        assert!(piece.items.len() <= limit as usize);
        found.extend(piece.items.into_iter().map(|item| (item.at, item.message, item.mark)));
        match piece.next {
            Some(next) => page = PageRequest::parse(Some(limit), Some(&next)).unwrap(),
            None => break,
        }
    }
    assert!(
        found.windows(2).all(|pair| (pair[0].0, pair[0].1) > (pair[1].0, pair[1].1)),
        "newest first, each once"
    );
    found.into_iter().map(|(.., text)| text).collect()
}

/// Rounds of the one who holds the lease, until nothing is left to do.
async fn tend(world: &World) -> SearchTended {
    let mut all = SearchTended::default();
    loop {
        assert!(world.store.hold_lease("search", "me", Duration::from_secs(60)).await.unwrap());
        let tended = world.store.tend_search("search", "me", &words).await.unwrap();
        all.indexed += tended.indexed;
        all.rewritten += tended.rewritten;
        all.removed += tended.removed;
        if !tended.more {
            return all;
        }
    }
}

/// `talks` conversations of ten turns each; what is said is numbered.
async fn talk(world: &World, owner: Subject, talks: usize) -> Vec<ConversationId> {
    let mut ids = Vec::new();
    for talk in 0..talks {
        let id = world
            .store
            .record_turn(world.opening(owner, &format!("talk{talk} turn0 common")), vec![])
            .await
            .unwrap();
        let turns = (1..10).map(|turn| {
            let said = format!(
                "talk{talk} turn{turn} common {}",
                if (talk * 10 + turn) % 97 == 0 { "rare" } else { "" }
            );
            world.store.record_turn(world.turn(owner, id, &said), vec![])
        });
        futures_util::future::try_join_all(turns).await.unwrap();
        ids.push(id);
    }
    ids
}

on_both_engines! {
    async fn what_was_just_said_is_found(world) {
        let (owner, stranger) = (world.visitor(), world.visitor());
        world.store.record_turn(world.opening(owner, "a green parrot"), event(owner)).await.unwrap();
        assert_eq!(find(world, &owner, &query(world, "parrot green"), 10).await, ["answer to a green parrot", "a green parrot"]);
        assert!(find(world, &owner, &query(world, "parro"), 10).await.is_empty());
        assert!(find(world, &stranger, &query(world, "parrot"), 10).await.is_empty());
        let elsewhere = TalkQuery { apps: vec![], ..query(world, "parrot") };
        assert!(find(world, &owner, &elsewhere, 10).await.is_empty());
        let mine = TalkQuery { from: Some(Role::User), ..query(world, "parrot") };
        assert_eq!(find(world, &owner, &mine, 10).await, ["a green parrot"]);
    }

    async fn the_index_finds_what_reading_finds(world) {
        let (store, owner, small) = (&world.store, world.visitor(), world.visitor());
        store.record_turn(world.opening(small, "common rare"), vec![]).await.unwrap();
        let ids = talk(world, owner, 100).await;
        let texts = ["rare", "common", "talk7 turn3", "talk99 turn9", "nothing", ""];
        let mut before = Vec::new();
        for text in texts {
            before.push(find(world, &owner, &query(world, text), 100).await);
        }
        assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [18, 2_000, 2, 2, 0, 2_000]);
        assert_eq!(tend(world).await, SearchTended::default(), "what is young may still change");
        world.wait(601);
        let tended = tend(world).await;
        let (indexed, waiting, bytes) = store.search_size(&owner).await.unwrap();
        assert_eq!((tended.indexed as u64, indexed + waiting), (indexed, 2_000));
        assert!(indexed >= 1_700 && bytes > 0, "{indexed} {bytes}");
        assert_eq!(store.search_size(&small).await.unwrap().0, 0, "few messages need no index");
        store.record_turn(world.turn(owner, ids[0], "rare and new"), vec![]).await.unwrap();
        for (text, mut was) in texts.into_iter().zip(before) {
            for limit in [7, 100] {
                let mut now = find(world, &owner, &query(world, text), limit).await;
                now.retain(|text| !text.contains("rare and new"));
                now.sort();
                was.sort();
                assert_eq!(now, was, "{text}");
            }
        }
        // Times narrow it without reading the rest.
        let times = TalkQuery { before: Some(world.ambient.now() - Duration::from_secs(600)), ..query(world, "rare") };
        assert_eq!(find(world, &owner, &times, 100).await.len(), 18);
        let times = TalkQuery { after: times.before, ..query(world, "rare") };
        assert_eq!(find(world, &owner, &times, 100).await.len(), 2);
        // So do the conversations that are meant.
        let pin = Arrangement { pinned: Some(true), tags: Some(vec!["Kept".into()]), ..Default::default() };
        store.arrange(&owner, std::slice::from_ref(&world.app), &ids[7..8], pin, vec![]).await.unwrap();
        for query in [
            TalkQuery { pinned: Some(true), ..query(world, "turn3") },
            TalkQuery { tags: vec!["kept".into()], ..query(world, "turn3") },
            TalkQuery { conversation: Some(ids[7]), ..query(world, "turn3") },
        ] {
            assert_eq!(find(world, &owner, &query, 10).await.len(), 2);
        }
        assert!(find(world, &owner, &TalkQuery { archived: Some(true), ..query(world, "turn3") }, 10).await.is_empty());
    }

    async fn what_is_deleted_is_forgotten(world) {
        let (store, owner) = (&world.store, world.visitor());
        let ids = talk(world, owner, 40).await;
        world.wait(601);
        tend(world).await;
        let indexed = store.search_size(&owner).await.unwrap().0;
        store.delete_conversation(&owner, ids[3], event(owner)).await.unwrap();
        store.delete_conversations(&owner, std::slice::from_ref(&world.app), &ids[10..12], event(owner)).await.unwrap();
        assert!(find(world, &owner, &query(world, "talk3"), 10).await.is_empty(), "found no more from that moment on");
        assert_eq!(find(world, &owner, &query(world, "common"), 100).await.len(), 37 * 20);
        let tended = tend(world).await;
        assert!(tended.rewritten > 0, "{tended:?}");
        assert_eq!(store.search_size(&owner).await.unwrap().0, indexed - 60, "and out of the index soon");
        assert_eq!(world.number("SELECT COUNT(*) FROM search_gone").await, 0);
        assert_eq!(find(world, &owner, &query(world, "common"), 100).await.len(), 37 * 20);
        assert_eq!(find(world, &owner, &query(world, "talk4 turn4"), 10).await.len(), 2);
        // All of it goes with its owner.
        store.erase(&owner, event(owner)).await.unwrap();
        for table in ["search_runs", "search_parts", "search_gone", "folders", "conversation_tags"] {
            assert_eq!(world.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
    }

    async fn small_runs_become_a_large_one(world) {
        let (store, owner) = (&world.store, world.visitor());
        // What is said by many turns at once: nine thousand messages.
        let id = store.record_turn(world.opening(owner, "first"), vec![]).await.unwrap();
        for start in (0..4_500).step_by(500) {
            let turns = (start..start + 500).map(|n| store.record_turn(world.turn(owner, id, &format!("word{n} all")), vec![]));
            futures_util::future::try_join_all(turns).await.unwrap();
        }
        world.wait(601);
        let tended = tend(world).await;
        assert!(tended.rewritten == 1 && tended.removed == 16, "{tended:?}");
        assert_eq!(world.number("SELECT COUNT(*) FROM search_runs WHERE level = 1 AND ready = 1").await, 1);
        for n in [0, 1_234, 4_499] {
            assert_eq!(find(world, &owner, &query(world, &format!("word{n}")), 10).await.len(), 2, "{n}");
        }
        assert_eq!(find(world, &owner, &query(world, "all"), 100).await.len(), 9_000);
    }

    /// However much an owner has, a search asks little: its statements do not grow with the runs and their pages, and none of
    /// them goes through all that an owner has.
    async fn a_search_costs_as_little_when_there_is_much(world) {
        let (store, owner) = (&world.store, world.visitor());
        let apps = std::slice::from_ref(&world.app);
        let id = store.record_turn(world.opening(owner, "first"), vec![]).await.unwrap();
        for start in (0..2_400).step_by(400) {
            let say = |n: u32| format!("word{n} all {}", if n % 200 == 7 { "rare" } else { "" });
            let turns = (start..start + 400).map(|n| store.record_turn(world.turn(owner, id, &say(n)), vec![]));
            futures_util::future::try_join_all(turns).await.unwrap();
        }
        let folder = store::NewFolder { id: kernel::FolderId::new(&world.ambient), parent: None, name: "A".into() };
        let folder = store.create_folder(&owner, folder, vec![]).await.unwrap().id;
        let into = Arrangement { folder: Some(Some(folder)), tags: Some(vec!["t".into()]), ..Default::default() };
        store.arrange(&owner, apps, &[id], into, vec![]).await.unwrap();
        world.wait(601);
        tend(world).await;
        let runs = world.number("SELECT COUNT(*) FROM search_runs WHERE ready = 1").await;
        assert!(runs >= 8, "{runs} runs");
        let plain = |text: &str| query(world, text);
        let queries = [
            plain("rare"),
            plain("all"),
            plain("all nothing"),
            plain("word7 rare"),
            TalkQuery { folders: Some(vec![folder]), ..plain("all") },
            TalkQuery { tags: vec!["t".into()], ..plain("rare") },
            TalkQuery { archived: Some(false), ..plain("rare") },
        ];
        for query in queries {
            let read = |text: &str| query.words.iter().all(|forms| text.contains(&forms[0])).then_some(());
            let before = store.statement_sum().0;
            let page = store.search_talk(&owner, &query, &read, PageRequest::first(10)).await.unwrap();
            let asked = store.statement_sum().0 - before;
            // What waits, the runs, words, some pages, two times the messages, their conversations.
            assert!(asked <= 12, "{asked} statements of {query:?}, which found {}", page.items.len());
        }
        let filters = [
            store::ConversationFilter { folder: Some(store::Lying::In(folder)), ..Default::default() },
            store::ConversationFilter { tag: Some("t".into()), ..Default::default() },
        ];
        for filter in filters {
            let page = store.conversations(&owner, filter, PageRequest::first(10)).await.unwrap();
            assert_eq!(page.items.len(), 1);
        }
        // Postgres plans by what it knows of the rows, which are few here.
        if store.engine() != "sqlite" {
            return;
        }
        let mut plans = Vec::new();
        let asked = ["tail", "known", "runs", "parts", "fetch", "meant", "judge"].map(|name| format!("search.{name}"));
        let listed = ["several", "list", "arrange"].map(|name| format!("conversation.{name}"));
        for operations in asked.iter().chain(&listed) {
            plans.extend(store.plans_of(operations).await.unwrap());
        }
        assert!(plans.len() > 8, "{plans:?}");
        for (text, plan) in plans {
            for step in plan.lines().filter(|step| step.starts_with("SCAN ")) {
                // The lists that a statement brings, and what is kept for a moment.
                assert!(["SCAN v", "SCAN c", "SCAN counted"].contains(&step) || step.contains(" CONSTANT ROW"), "{plan}\n{text}");
            }
            let named = text.contains("id IN") || text.contains("CROSS JOIN");
            let all = plan.lines().filter(|step| step.contains("INDEX conversations_by_owner (owner=?"));
            assert!(!named || all.count() == 0, "all conversations of the owner are gone through: {plan}\n{text}");
        }
    }

    /// A kill between two commits leaves a run that does not count; the next round removes it and begins again.
    async fn an_interrupted_round_is_begun_again(world) {
        let (store, owner) = (&world.store, world.visitor());
        talk(world, owner, 30).await;
        world.wait(601);
        world.tamper(&format!("INSERT INTO search_runs (id, owner, level, messages, first_at, last_at, ready) VALUES ('debris', '{owner}', 0, 1, 1, 1, 0)")).await;
        let bytes = if store.engine() == "sqlite" { "x'00'" } else { r"'\x00'::bytea" };
        world.tamper(&format!("INSERT INTO search_parts (run, part, content) VALUES ('debris', 1, {bytes})")).await;
        let tended = tend(world).await;
        assert!(tended.removed == 1 && tended.indexed >= 256, "{tended:?}");
        assert_eq!(find(world, &owner, &query(world, "common"), 100).await.len(), 600);
        // Whoever has lost the lease writes nothing that counts.
        talk(world, owner, 30).await;
        world.wait(601);
        assert!(store.hold_lease("search", "other", Duration::from_secs(60)).await.unwrap());
        let lost = store.tend_search("search", "me", &words).await;
        assert_eq!(lost.map_err(|fault| fault.code()), Err(Code::Conflict));
        assert_eq!(find(world, &owner, &query(world, "common"), 100).await.len(), 1_200);
    }

    /// An answer that is written anew after it was indexed is found by its new words.
    async fn a_late_end_is_indexed_again(world) {
        let (store, owner) = (&world.store, world.visitor());
        let id = store.record_turn(world.opening(owner, "opening"), vec![]).await.unwrap();
        let turn = world.turn(owner, id, "question");
        let answer = turn.assistant.id;
        store.begin_turn(turn, vec![]).await.unwrap();
        world.wait(601);
        tend(world).await;
        assert_eq!(store.search_size(&owner).await.unwrap().0, 0, "an open answer is waited for");
        store.interrupt_every().await.unwrap();
        let turns = (0..400).map(|n| store.record_turn(world.turn(owner, id, &format!("filling {n}")), vec![]));
        futures_util::future::try_join_all(turns).await.unwrap();
        world.wait(601);
        assert!(tend(world).await.indexed > 256);
        let done = store::FinishedMessage {
            owner, conversation_id: id, message_id: answer, content: "late words".into(), citations: serde_json::Value::Null,
            finish_reason: Some(store::FinishReason::Stop), model: None, input_tokens: None, output_tokens: None,
            details: serde_json::Value::Null,
        };
        store.finish_turn(done, vec![]).await.unwrap();
        assert_eq!(find(world, &owner, &query(world, "late"), 10).await, ["late words"]);
        assert_eq!(find(world, &owner, &query(world, "filling 7"), 10).await.len(), 2, "each once");
    }
}
