//! Vectors from a provider: made after the document is found, missed when the provider is away, made anew when the model
//! changes.

use std::time::Duration;

use serde_json::{Value, json};

use super::{SEARCH, add, find, id_of};
use crate::world::{Caller, Mode, Setup, World, eventually};

fn vectors_asked(world: &World, model: &str) -> usize {
    let asked = world.upstream.asked();
    let of = asked.iter().filter(|asked| asked.line.contains("/embeddings") && asked.body["model"] == model);
    // Requests for documents hold a list of passages with their titles; those of questions hold the question alone.
    of.filter(|asked| asked.body["input"].to_string().contains("Title")).count()
}

async fn embedding(caller: &Caller, id: &str) -> Value {
    caller.get(&format!("{}/{id}", super::DOCUMENTS)).send().await.json()["embedding"].clone()
}

async fn vector_db(world: &World) -> Value {
    world.anonymous().get("/health").send().await.json()["services"]["vector_db"].clone()
}

#[tokio::test]
async fn meaning_finds_what_shares_no_word() {
    let world = Setup::sqlite().unlimited().set("OPENAI_EMBEDDING_MODEL", "small").start().await;
    let key = world.key();
    world.upstream.set(Mode::Meaning);
    let cats = id_of(&add(&key, "Title one", "A kitten needs milk.").await);
    let cars = id_of(&add(&key, "Title two", "An engine needs oil.").await);
    let done = async || embedding(&key, &cats).await == "small" && embedding(&key, &cars).await == "small";
    eventually(Duration::from_secs(10), "the vectors are there", done).await;
    // No word of these questions stands in a document; the mock knows what they mean.
    for (question, document) in [("feline?", &cats), ("automobile?", &cars)] {
        let found = find(&key, question).await;
        assert_eq!(found[0]["document_id"], json!(document), "{question}: {found:?}");
    }
    assert_eq!(vector_db(&world).await, "operational");
    assert!(
        world
            .upstream
            .asked()
            .iter()
            .filter(|asked| asked.line.contains("/embeddings"))
            .all(|asked| asked.body["model"] == "small")
    );
}

#[tokio::test]
async fn a_provider_that_is_away_delays_vectors_and_nothing_else() {
    let mut world = Setup::sqlite().unlimited().set("OPENAI_EMBEDDING_MODEL", "small").start().await;
    let key = world.key();
    world.upstream.set(Mode::Refuse(503));
    let id = id_of(&add(&key, "Title", "A kitten needs milk.").await);
    assert_eq!(find(&key, "kitten").await.len(), 1, "words find it meanwhile");
    eventually(Duration::from_secs(20), "health says so", async || vector_db(&world).await == "degraded")
        .await;
    assert_eq!(embedding(&key, &id).await, Value::Null);
    // What waits survives a restart.
    world.crash().await;
    world.upstream.set(Mode::Meaning);
    let key = world.key();
    // The lease of the process that was killed has to end first.
    eventually(Duration::from_secs(50), "the vectors come", async || embedding(&key, &id).await == "small")
        .await;
    eventually(Duration::from_secs(5), "health is well", async || vector_db(&world).await == "operational")
        .await;
    // A question whose vector does not come is one of words.
    world.upstream.set(Mode::Hang);
    let found = tokio::time::timeout(Duration::from_secs(10), find(&key, "kitten")).await.unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn another_model_makes_all_vectors_anew() {
    let mut world = Setup::sqlite().unlimited().set("OPENAI_EMBEDDING_MODEL", "small").start().await;
    world.upstream.set(Mode::Meaning);
    let key = world.key();
    let id = id_of(&add(&key, "Title", "A kitten needs milk.").await);
    eventually(Duration::from_secs(10), "the first vectors", async || embedding(&key, &id).await == "small")
        .await;
    world.restart_with("OPENAI_EMBEDDING_MODEL", "wide").await;
    let key = world.key();
    eventually(Duration::from_secs(10), "the second vectors", async || embedding(&key, &id).await == "wide")
        .await;
    assert_eq!((vectors_asked(&world, "small"), vectors_asked(&world, "wide")), (1, 1));
    assert_eq!(find(&key, "feline?").await[0]["document_id"], json!(id));
    let answer = key.post(SEARCH).json(&json!({"query": "feline?", "limit": 1})).send().await;
    assert_eq!(answer.status, 200);
}
