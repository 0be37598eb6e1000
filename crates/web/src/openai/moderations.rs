//! `POST /v1/moderations`: judged in this process by the same rules that judge what is said to the apps. No text
//! leaves the server, and none is kept.

use std::collections::BTreeMap;

use axum::Json as Answer;
use axum::extract::State;
use guard::content::moderate::FOUND;
use guard::content::{Judgement, moderate};
use identity::AppsRead;
use kernel::{Fault, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Site;
use crate::api::problems::Compatible;
use crate::body::Json;
use crate::failure::Outcome;
use crate::who::Who;

/// Texts in one request at the most.
const TEXTS: usize = 256;
/// What judges, as answers name it.
const MODEL: &str = "stoa-content";

/// Texts to be judged. Fields that are not listed are ignored.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ModerationRequest {
    /// A text, a list of texts, or a list of parts of one text.
    input: Input,
    /// Any name; there is one judge.
    #[schema(example = "omni-moderation-latest")]
    #[allow(dead_code, reason = "taken as clients send it")]
    model: Option<String>,
}

/// A text, a list of texts, or a list of parts of one text.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ModerationInput)]
pub(crate) enum Input {
    /// One text.
    One(String),
    /// Several, each with a result of its own.
    Many(Vec<String>),
    /// Parts that are judged together.
    Parts(Vec<Part>),
}

/// A part of a text.
#[derive(Deserialize, ToSchema)]
#[schema(as = ModerationPart)]
pub(crate) struct Part {
    /// `text`: images are not judged here.
    #[schema(example = "text")]
    r#type: String,
    /// The text.
    text: Option<String>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct Moderation {
    /// A name of this answer; nothing is kept under it.
    #[schema(example = "modr-019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d")]
    id: String,
    /// What judged.
    model: &'static str,
    /// In the order of the texts.
    results: Vec<ModerationResult>,
}

/// What was found in one text.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModerationResult {
    /// Whether some category was found.
    flagged: bool,
    /// Which categories were found: those with a score from 0.5 on.
    categories: BTreeMap<&'static str, bool>,
    /// The score of each category, from 0 to 1.
    category_scores: BTreeMap<&'static str, f32>,
    /// What each score is about: always `text`.
    category_applied_input_types: BTreeMap<&'static str, Vec<&'static str>>,
}

impl ModerationResult {
    fn of(judged: &Judgement) -> ModerationResult {
        let each = || judged.scores.iter().map(|finding| (finding.category.as_str(), finding.score));
        ModerationResult {
            flagged: judged.flagged(),
            categories: each().map(|(name, score)| (name, score >= FOUND)).collect(),
            category_scores: each().collect(),
            category_applied_input_types: each().map(|(name, _)| (name, vec!["text"])).collect(),
        }
    }
}

/// Judges texts by category.
#[utoipa::path(post, path = "/v1/moderations", operation_id = "createModeration", tag = "openai", security(("key" = []), ("bearer" = [])), request_body = ModerationRequest, responses(
    (status = 200, description = "What was found", body = Moderation),
    Compatible,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Json(request): Json<ModerationRequest>,
) -> Outcome<Answer<Moderation>> {
    who.may(&site, AppsRead)?;
    let texts = texts(request.input)?;
    let id = format!("modr-{}", kernel::MessageId::new(&site.ambient));
    let judge = move || texts.iter().map(|text| ModerationResult::of(&moderate(text))).collect::<Vec<_>>();
    let results = tokio::task::spawn_blocking(judge)
        .await
        .map_err(|_| Fault::internal("a text could not be judged"))?;
    Ok(Answer(Moderation { id, model: MODEL, results }))
}

fn texts(input: Input) -> Result<Vec<String>> {
    let texts = match input {
        Input::One(text) => vec![text],
        Input::Many(texts) => texts,
        Input::Parts(parts) => {
            let text = |part: Part| match (part.r#type.as_str(), part.text) {
                ("text", Some(text)) => Ok(text),
                _ => Err(Fault::invalid("input", "unsupported", "only parts of type `text` are judged")),
            };
            vec![parts.into_iter().map(text).collect::<Result<Vec<_>>>()?.join("\n")]
        }
    };
    if texts.is_empty() || texts.len() > TEXTS {
        return Err(Fault::invalid("input", "out_of_range", "1 to 256 texts"));
    }
    Ok(texts)
}
