//! The manual against questions that people ask: each finds its heading, and what the manual does not hold is seen
//! to be missing.

use knowledge::{Manual, PAGES, SUPPORTED};

/// A question, and words of the heading below which its answer stands.
const ASKED: &[(&str, &str)] = &[
    ("What is Stoa?", "What Stoa is"),
    ("What do I need to run it?", "What do I need to run"),
    ("is this a language model", "language model"),
    ("Which license is it under?", "licence"),
    ("How do I start the server?", "How do I start the server"),
    ("how to install stoa", "How do I install"),
    ("change the port", "port"),
    ("where is the data stored", "data"),
    ("How can I connect OpenAI?", "connect OpenAI"),
    ("How do I connect a model?", "model"),
    ("can I use ollama", "Ollama"),
    ("use vllm", "vLLM"),
    ("OPENAI_BASE_URL", "vLLM"),
    ("How do I connect Bedrock?", "connect Amazon Bedrock"),
    ("use Claude on AWS Bedrock", "Bedrock"),
    ("BEDROCK_MODEL", "Bedrock"),
    ("Bedrock and OpenAI together", "Bedrock and OpenAI together"),
    ("How do I set the temperature?", "temperature"),
    ("what if the model provider is down?", "model provider fails"),
    ("add a fallback provider", "fallback"),
    ("how long does stoa wait for the model", "wait for the model"),
    ("What is the built-in answerer?", "built-in answerer"),
    ("what does stoa.toml look like", "stoa.toml"),
    ("what is the difference between staging and production", "profiles"),
    ("How do I use Postgres?", "Postgres"),
    ("how to run multiple replicas", "replicas"),
    ("How do I go to production?", "Going to production"),
    ("why does production refuse to start", "refuse to start"),
    ("set up nginx reverse proxy with https", "reverse proxy"),
    ("health check for the load balancer", "health checks"),
    ("how do I update to a new version", "update"),
    ("How do I add an app?", "add an app"),
    ("how can I change the system prompt", "system prompt"),
    ("What does moderation do?", "moderation"),
    ("send a message with curl", "curl"),
    ("Can I use the OpenAI Python client?", "Python"),
    ("how to stream answers", "stream"),
    ("how do I stop a running answer", "stop a running answer"),
    ("what is an idempotency key", "Idempotency-Key"),
    ("list of error codes", "error codes"),
    ("How do I create an API key?", "API key"),
    ("revoke a key", "revoke"),
    ("do visitors need an account", "visitor"),
    ("what are the rate limits", "rate limits"),
    ("I get 429 rate_limited", "429"),
    ("block an ip address", "block an IP"),
    ("Is my data encrypted?", "encrypted"),
    ("what happens if I lose the encryption key", "lose it"),
    ("are logs masked", "masked"),
    ("delete a conversation", "delete a conversation"),
    ("audit log", "audit log"),
    ("where are the logs", "Where are the logs"),
    ("prometheus metrics", "metrics"),
    ("generate a secret", "generate a secret"),
    ("exit codes", "exit codes"),
    ("CORS error in the browser", "CORS"),
    ("redirect loop https", "redirect to HTTPS"),
    ("database connection error", "database cannot be reached"),
    ("why is it slow", "slow"),
    ("security headers", "security headers"),
    ("prompt injection", "prompt injection"),
    ("report a vulnerability", "vulnerability"),
];

/// Questions that the manual says nothing about.
const FOREIGN: &[&str] = &[
    "What is the capital of France?",
    "Write a poem about autumn",
    "How many legs does a spider have?",
    "Who won the world cup in 2014?",
    "what's the weather like in Berlin tomorrow",
    "Give me a recipe for apple pie",
    "How do I train for a marathon?",
    "Explain quantum entanglement",
    "translate good night into Spanish",
    "What is the meaning of life?",
    "how tall is Mount Everest",
    "recommend a good book about the Roman Empire",
    "When was the French Revolution?",
    "Who is the president of the United States?",
    "solve x^2 + 3x = 10",
    "What is the best way to learn the piano?",
    "tell me a joke",
    "How does photosynthesis work?",
    "Which vitamins are in oranges?",
    "Should I buy bitcoin?",
    "How do I fix a flat tire on my bike?",
    "what time is it in Tokyo",
    "My stomach hurts, what should I do?",
    "Plan a three day trip to Lisbon",
    "what is the difference between a crocodile and an alligator",
    "Wie wird das Wetter morgen?",
    "write a python function that sorts a list",
    "how do I cancel my Netflix subscription",
    "Who wrote Pride and Prejudice?",
    "asdfgh qwertz",
];

#[test]
fn people_find_what_they_ask_for() {
    let manual = Manual::new(PAGES);
    let mut missed = Vec::new();
    for (question, heading) in ASKED {
        let hits = manual.search(question, 5);
        let best = hits.iter().map(|hit| hit.confidence).fold(0.0, f32::max);
        let at = hits.iter().position(|hit| hit.heading_path.join(" > ").contains(heading));
        if at.is_none_or(|at| at > 2) || best < SUPPORTED {
            let first = hits.first().map(|hit| hit.heading_path.join(" > "));
            missed.push(format!("{question}: {at:?}, confidence {best:.2}, first {first:?}"));
        }
    }
    assert!(missed.len() <= ASKED.len() / 20, "{} of {}:\n{}", missed.len(), ASKED.len(), missed.join("\n"));
}

#[test]
fn foreign_questions_are_seen_to_be_foreign() {
    let manual = Manual::new(PAGES);
    let mut taken = Vec::new();
    for question in FOREIGN {
        if let Some(hit) = manual.search(question, 5).into_iter().find(|hit| hit.confidence >= SUPPORTED) {
            taken.push(format!("{question}: {:.2} {:?}", hit.confidence, hit.heading_path));
        }
    }
    assert!(taken.len() <= FOREIGN.len() / 20, "{} of {}:\n{}", taken.len(), FOREIGN.len(), taken.join("\n"));
}

#[test]
fn pages_keep_their_form() {
    for (name, text) in PAGES {
        assert!(text.starts_with("# ") && text.ends_with('\n'), "{name} begins with its title");
        let long = text.lines().find(|line| line.chars().count() > 120 && !line.starts_with('|'));
        assert_eq!(long, None, "{name}");
    }
}
