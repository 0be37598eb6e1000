//! The built-in answerer over Stoa's own manual: what people ask, and what they get.

use knowledge::{Manual, PAGES};

use super::*;
use crate::Passage;

async fn ask(manual: &Manual, question: &str) -> (Vec<Passage>, Completion) {
    let passages: Vec<Passage> = manual.search(question, 5).into_iter().map(Passage::from).collect();
    let request = ChatRequest {
        messages: vec![ChatMessage::new(Role::User, question)],
        passages: passages.clone(),
        ..ChatRequest::default()
    };
    (passages, models(&[]).complete(request, CancellationToken::new()).await.unwrap())
}

#[tokio::test]
async fn answers_quote_what_was_asked_for() {
    let manual = Manual::new(PAGES);
    for (question, words) in [
        ("How do I connect Ollama?", "OPENAI_BASE_URL=http://127.0.0.1:11434/v1"),
        ("How do I connect Amazon Bedrock?", "BEDROCK_MODEL=eu."),
        ("How do I create an API key?", "stoa key create shop"),
        ("What are the rate limits for visitors?", "10 messages a minute and 100 in any 60 minutes"),
        ("how do I stop a running answer", "/stop"),
        ("Is my data encrypted?", "sealed"),
        ("How do I generate a secret?", "stoa secret session"),
        ("What is the built-in answerer?", "not a language model"),
        ("How do I block an IP address?", "stoa block add"),
        ("what do the exit codes mean", "wrong usage"),
        ("Where does Stoa keep its data?", "stoa.db"),
    ] {
        let (passages, answer) = ask(&manual, question).await;
        println!("## {question}\n\n{}\n", answer.text);
        assert!(answer.text.contains(words), "{question}:\n{}", answer.text);
        for quote in &answer.quotes {
            let passage = &passages[quote.passage];
            let quoted = &passage.text[quote.range.clone()];
            let (_, page) = PAGES.iter().find(|(name, _)| *name == passage.source).unwrap();
            assert!(page.contains(quoted), "a quote stands byte for byte in its page");
        }
    }
}

#[tokio::test]
async fn what_is_foreign_is_refused_with_the_closest_headings() {
    let manual = Manual::new(PAGES);
    for question in ["What is the capital of France?", "Write a poem about the sea", "Who won the world cup?"]
    {
        let (_, answer) = ask(&manual, question).await;
        assert!(answer.text.starts_with("The manual holds no answer"), "{question}:\n{}", answer.text);
        assert!(answer.quotes.is_empty());
    }
}
