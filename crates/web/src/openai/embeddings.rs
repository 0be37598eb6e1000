//! `POST /v1/embeddings`: passed to the configured provider; without one there is nothing to embed with.

use axum::Json as Answer;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identity::AppsRead;
use kernel::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::Site;
use crate::api::problems::Compatible;
use crate::body::Json;
use crate::failure::Outcome;
use crate::who::Who;

/// Texts in one request at the most.
const TEXTS: usize = 256;

/// Texts to be embedded. Fields that are not listed are ignored.
#[derive(Deserialize, ToSchema)]
pub(crate) struct EmbeddingRequest {
    /// The provider's model.
    #[schema(example = "text-embedding-3-small")]
    model: String,
    /// A text, or a list of texts.
    input: Input,
    /// `float` or `base64`.
    #[schema(pattern = "^(float|base64)$")]
    encoding_format: Option<String>,
}

/// A text, or a list of texts.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Input {
    /// One text.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// The embeddings.
#[derive(Serialize, ToSchema)]
pub(crate) struct EmbeddingList {
    /// `list`.
    object: &'static str,
    /// In the order of the texts.
    #[schema(value_type = Vec<Object>)]
    data: Vec<Value>,
    /// The model that embedded.
    model: String,
    /// What it cost.
    #[schema(value_type = Object)]
    usage: Value,
}

/// Embeds texts with the configured provider.
#[utoipa::path(post, path = "/v1/embeddings", operation_id = "createEmbeddings", tag = "openai", security(("key" = []), ("bearer" = [])), request_body = EmbeddingRequest, responses(
    (status = 200, description = "The embeddings", body = EmbeddingList),
    Compatible,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Json(request): Json<EmbeddingRequest>,
) -> Outcome<Answer<EmbeddingList>> {
    who.may(&site, AppsRead)?;
    let texts = match request.input {
        Input::One(text) => vec![text],
        Input::Many(texts) => texts,
    };
    if texts.is_empty() || texts.len() > TEXTS || texts.iter().any(String::is_empty) {
        return Err(Fault::invalid("input", "out_of_range", "1 to 256 texts, none of them empty").into());
    }
    let base64 = match request.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(Fault::invalid("encoding_format", "unknown", "`float` or `base64`").into()),
    };
    let embedded = site.models.embed(texts, Some(request.model)).await?;
    let data = embedded.vectors.iter().enumerate();
    let data = data.map(|(index, vector)| {
        let embedding = if base64 { packed(vector).into() } else { json!(vector) };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    });
    let tokens = embedded.input_tokens;
    Ok(Answer(EmbeddingList {
        object: "list",
        data: data.collect(),
        model: embedded.model,
        usage: json!({"prompt_tokens": tokens, "total_tokens": tokens}),
    }))
}

/// Little-endian floats in base64, as the official clients ask for.
fn packed(vector: &[f32]) -> String {
    STANDARD.encode(vector.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}
