//! The built-in answerer, for when there is no model provider: quotes the sentences of the passages that answer the
//! question, word for word, and says so; says plainly when none does. It never pretends to be a language model,
//! and the same question over the same passages always gets the same answer.

mod quote;

use std::fmt::Write as _;

use crate::chat::{
    ChatRequest, Completion, Finish, Finished, Passage, Piece, Quote, Role, Usage, estimate, estimate_input,
};

/// How answers name it in `model` and metrics.
pub(crate) const NAME: &str = "builtin";

/// How many headings a refusal names.
const CLOSEST: usize = 3;

const WHO: &str = "I am Stoa's built-in answerer. I am not a language model: I look your question up in the manual \
    of this server and quote the sentences that fit.";
const CONNECT: &str = "For free conversation, connect a language model: set `OPENAI_API_KEY` for OpenAI, \
    `OPENAI_BASE_URL` for any server that speaks the same protocol, or `BEDROCK_MODEL` for Amazon Bedrock, and start the server again.";

/// The whole answer.
pub(crate) fn answer(request: &ChatRequest) -> Completion {
    let question = question(request);
    let (text, quotes) = match greeting(question) {
        Some(text) => (text, Vec::new()),
        None => {
            let quotes = quote::pick(question, &request.passages);
            let text = if quotes.is_empty() {
                nothing_found(&request.passages)
            } else {
                quoted(&quotes, &request.passages, if request.from_files { "file" } else { "manual" })
            };
            (text, quotes)
        }
    };
    let usage = Usage { input_tokens: estimate_input(request), output_tokens: estimate(&text) };
    Completion { text, finish: Finish::Stop, usage, model: NAME.to_owned(), quotes }
}

/// The same answer, a paragraph at a time.
pub(crate) fn pieces(request: &ChatRequest) -> Vec<Piece> {
    let Completion { text, finish, usage, model, quotes } = answer(request);
    let mut pieces: Vec<Piece> =
        text.split_inclusive("\n\n").map(|paragraph| Piece::Text(paragraph.to_owned())).collect();
    pieces.push(Piece::Done(Finished { finish, usage, model, quotes }));
    pieces
}

fn question(request: &ChatRequest) -> &str {
    let last = request.messages.iter().rfind(|message| message.role == Role::User);
    last.map_or("", |message| message.content.as_str())
}

/// The answer to words that ask for nothing in the manual.
fn greeting(question: &str) -> Option<String> {
    let plain: String = question.chars().filter(|c| c.is_alphanumeric() || *c == ' ').collect();
    let plain = plain.to_lowercase();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let said = words.join(" ");
    let hello = match said.as_str() {
        "thanks" | "thank you" | "thank you very much" | "thanks a lot" => {
            return Some("You are welcome.".to_owned());
        }
        "hello" | "hi" | "hey" | "hello there" | "hi there" | "hey there" | "good morning"
        | "good afternoon" | "good evening" | "good day" => "Hello. ",
        "who are you"
        | "what are you"
        | "what is this"
        | "who is this"
        | "are you a bot"
        | "are you an ai"
        | "are you human"
        | "are you chatgpt"
        | "what can you do"
        | "what do you do"
        | "help"
        | "help me"
        | "can you help me"
        | "what model are you"
        | "which model are you"
        | "are you a language model" => "",
        _ => return None,
    };
    Some(format!(
        "{hello}{WHO} Ask me, for example, how to connect a model or how to go to production.\n\n{CONNECT}"
    ))
}

fn nothing_found(passages: &[Passage]) -> String {
    let mut text =
        "The manual holds no answer to this. I am Stoa's built-in answerer, not a language model, and \
        can only quote the manual."
            .to_owned();
    let mut titles: Vec<&str> = Vec::new();
    for passage in passages {
        if !titles.contains(&passage.title.as_str()) && titles.len() < CLOSEST {
            titles.push(&passage.title);
        }
    }
    if !titles.is_empty() {
        text.push_str("\n\nThe closest headings are:\n");
        for title in titles {
            let _ = write!(text, "\n- {title}");
        }
    }
    let _ = write!(text, "\n\n{CONNECT}");
    text
}

fn quoted(quotes: &[Quote], passages: &[Passage], from: &str) -> String {
    let mut text = format!("From the {from} (quoted by the built-in answerer, without a language model):");
    for (number, quote) in quotes.iter().enumerate() {
        let Some(passage) = passages.get(quote.passage) else { continue };
        text.push_str("\n\n");
        for line in unwrapped(passage.text.get(quote.range.clone()).unwrap_or("")) {
            let _ = writeln!(text, "> {line}");
        }
        let _ = write!(text, "\n[{}] {}", number + 1, passage.title);
    }
    text
}

/// The lines of a quote with those of one paragraph joined: where a source was wrapped says nothing to the reader.
/// Lists, tables, quotes and code keep their lines. Only white space changes; the citation holds the very bytes.
fn unwrapped(quote: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut code = false;
    for line in quote.lines() {
        let words = line.trim();
        let fence = words.starts_with("```");
        let item = words.starts_with(['-', '*', '+', '|', '>', '#'])
            || words.starts_with(|c: char| c.is_ascii_digit());
        match lines.last_mut() {
            Some(last) if !code && !fence && !item && !words.is_empty() && !last.trim().is_empty() => {
                last.push(' ');
                last.push_str(words);
            }
            _ => lines.push(line.to_owned()),
        }
        code ^= fence;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ChatMessage;

    #[test]
    fn wrapped_paragraphs_are_joined_and_the_rest_keeps_its_lines() {
        let quote = "One sentence that\nwas wrapped.\n\n- a list\n  goes on\n- second\n\n```sh\na\nb\n```";
        let lines = [
            "One sentence that was wrapped.",
            "",
            "- a list goes on",
            "- second",
            "",
            "```sh",
            "a",
            "b",
            "```",
        ];
        assert_eq!(unwrapped(quote), lines);
    }

    fn ask(question: &str, passages: Vec<Passage>) -> ChatRequest {
        let message = ChatMessage::new(Role::User, question);
        ChatRequest { messages: vec![message], passages, ..ChatRequest::default() }
    }

    fn passage(confidence: f32) -> Passage {
        Passage {
            title: "Keys › How do I revoke a key?".into(),
            source: "keys.md".into(),
            text: "Keys belong to programs. Run `stoa key revoke ID`; the key ends at once.\n\n- It stays listed."
                .into(),
            confidence,
        }
    }

    #[test]
    fn quotes_are_the_very_words_with_their_place() {
        let request = ask("How do I revoke a key?", vec![passage(0.9)]);
        let answer = answer(&request);
        let quote = &answer.quotes[0];
        let words = &request.passages[quote.passage].text[quote.range.clone()];
        assert!(words.contains("stoa key revoke ID"));
        assert!(words.lines().all(|line| answer.text.contains(&format!("> {line}\n"))), "{}", answer.text);
        assert!(answer.text.contains("[1] Keys › How do I revoke a key?"));
        assert!(answer.text.contains("without a language model"));
        assert_eq!(answer, super::answer(&request), "the same question gets the same answer");
    }

    #[test]
    fn what_the_manual_does_not_hold_is_refused() {
        for passages in [vec![], vec![passage(0.1)]] {
            let answer = answer(&ask("What is the capital of France?", passages.clone()));
            assert!(answer.quotes.is_empty());
            assert!(answer.text.starts_with("The manual holds no answer"));
            assert!(answer.text.contains("OPENAI_API_KEY") && answer.text.contains("OPENAI_BASE_URL"));
            assert_eq!(answer.text.contains("- Keys"), !passages.is_empty());
        }
    }

    #[test]
    fn greetings_are_honest() {
        for question in ["Hello!", "who are you?", "Are you ChatGPT?", "  HI  "] {
            assert!(answer(&ask(question, vec![])).text.contains("not a language model"), "{question}");
        }
        assert_eq!(answer(&ask("Thanks!", vec![])).text, "You are welcome.");
        assert!(answer(&ChatRequest::default()).text.starts_with("The manual holds no answer"));
    }

    #[test]
    fn pieces_make_the_answer() {
        let request = ask("revoke a key", vec![passage(0.9)]);
        let pieces = pieces(&request);
        let joined: String = pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Text(text) => Some(text.as_str()),
                Piece::Done(_) => None,
            })
            .collect();
        assert_eq!(joined, answer(&request).text);
        assert!(pieces.len() > 2 && matches!(pieces.last(), Some(Piece::Done(_))));
    }
}
