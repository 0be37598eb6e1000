//! The rows of the assistant's limits and of the model providers.

use kernel::Secret;
use url::Url;

use super::{Default, Group, Room, always, follows, settings};
use crate::settings::form;
use crate::settings::providers::Speech;

/// The assistant.
pub(crate) static ASSISTANT: Room = Room {
    title: "Assistant",
    about: "The limits of the app `assistant`, which anonymous visitors use. `[[apps]]` sets those of the others.",
    settings: ASSISTANT_ROWS,
};

settings! { @fields ASSISTANT_ROWS;
    /// The longest message in characters.
    MAX_INPUT_LENGTH: u64 = form::whole::<1, 1_000_000>(), "assistant.max_input_length", ["MAX_INPUT_LENGTH"], always("5000");
    /// The most messages that a person may write in one conversation.
    MAX_CONVERSATION_LENGTH: u64 = form::whole::<1, 1_000_000>(), "assistant.max_conversation_length", ["MAX_CONVERSATION_LENGTH"], always("10");
    /// The most conversations of one visitor.
    MAX_CONVERSATIONS: u64 = form::whole::<1, 1_000_000>(), "assistant.max_conversations_per_session", ["MAX_CONVERSATIONS_PER_SESSION"], always("50");
}

/// The model.
pub(crate) static MODEL: Room = Room {
    title: "Model",
    about: "Who answers: any server that speaks the OpenAI protocol, or Amazon Bedrock, below. With none the built-in answerer serves, from documents alone.",
    settings: MODEL_ROWS,
};

settings! { @fields MODEL_ROWS;
    /// The key for the provider. It is sent to the provider's host alone.
    MODEL_KEY: Secret<String> = form::secret(), "model.api_key", ["OPENAI_API_KEY"], Default::None, secret, live;
    /// The provider's address. Set it alone for a server that needs no key, such as one on your own machine. In production only this machine may be reached over plain HTTP.
    MODEL_URL: Url = form::url(), "model.base_url", ["OPENAI_BASE_URL"], always("https://api.openai.com/v1"), live;
    /// The model to ask for when the app names none.
    MODEL_NAME: String = form::text("a model name"), "model.name", ["OPENAI_MODEL"], always("gpt-3.5-turbo"), live;
    /// The most tokens of an answer; no caller can raise it.
    MODEL_MAX_TOKENS: u64 = form::whole::<1, 1_000_000>(), "model.max_tokens", ["OPENAI_MAX_TOKENS"], always("500"), live;
    /// Sampling temperature when the app names none.
    MODEL_TEMPERATURE: f32 = form::decimal::<2>(), "model.temperature", ["OPENAI_TEMPERATURE"], always("0.7"), live;
    /// The names of the providers in the order in which they are tried: `openai` for the one above, `bedrock`, and those of `[[providers]]`. Those that are not named follow in their usual order.
    MODEL_ORDER: Vec<String> = form::names(), "model.order", ["MODEL_ORDER"], follows("`openai`, `bedrock`, then `[[providers]]` in the order of the file"), live;
    /// How many seconds connecting to the provider may take.
    MODEL_CONNECT: u64 = form::whole::<1, 120>(), "model.connect_seconds", ["MODEL_CONNECT_SECONDS"], always("5");
    /// How many seconds the provider has for the first piece of an answer.
    MODEL_FIRST: u64 = form::whole::<1, 600>(), "model.first_token_seconds", ["MODEL_FIRST_TOKEN_SECONDS"], always("60"), live;
    /// How many seconds may pass between two pieces.
    MODEL_IDLE: u64 = form::whole::<1, 600>(), "model.idle_seconds", ["MODEL_IDLE_SECONDS"], always("30"), live;
    /// How many seconds a whole answer may take.
    MODEL_TOTAL: u64 = form::whole::<1, 86_400>(), "model.total_seconds", ["MODEL_TOTAL_SECONDS"], always("600"), live;
}

/// Amazon Bedrock.
pub(crate) static BEDROCK: Room = Room {
    title: "Amazon Bedrock",
    about: "A model of Amazon Bedrock, asked over Converse with the credentials of `aws` (keys, a web identity, the container's role, the instance's role). The length and the temperature of answers and the time-outs are those of `model`.",
    settings: BEDROCK_ROWS,
};

settings! { @fields BEDROCK_ROWS;
    /// The model to ask for when the app names none: a model's id, the id of an inference profile, or the ARN of either. Setting it is what connects Bedrock.
    BEDROCK_MODEL: String = form::model_id(), "bedrock.model", ["BEDROCK_MODEL", "BEDROCK_MODEL_ID"], Default::None, live;
    /// The region that is asked.
    BEDROCK_REGION: String = form::text("a region"), "bedrock.region", ["BEDROCK_REGION"], follows("the region in the model's ARN, else `AWS_REGION`"), live;
    /// The address of Bedrock, for an endpoint of your own network or a test. Production wants HTTPS or this machine.
    BEDROCK_ENDPOINT: Url = form::url(), "bedrock.endpoint_url", ["BEDROCK_ENDPOINT", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"], follows("Bedrock's address in the region"), live;
}

/// More providers.
pub(crate) static PROVIDERS: Group = Group {
    name: "providers",
    about: "More providers, tried in this order after those above when they fail.",
    fields: PROVIDER_FIELDS,
    example: "name = \"spare\"\nbase_url = \"http://127.0.0.1:11434/v1\"\nmodel = \"llama3.2\"",
};

settings! { @fields PROVIDER_FIELDS;
    /// A short name for logs and metrics.
    PROVIDER_NAME: String = form::text("a short name"), "name", [], Default::None;
    /// What it speaks. `bedrock` is asked with the credentials of `aws`.
    PROVIDER_PROTOCOL: Speech = form::choice_speech(), "protocol", [], always("openai");
    /// The provider's address. Bedrock has one of its own in each region.
    PROVIDER_URL: Url = form::url(), "base_url", [], Default::None;
    /// The region of Bedrock, else that of the model's ARN, else `AWS_REGION`.
    PROVIDER_REGION: String = form::text("a region"), "region", [], Default::None;
    /// The variable that holds the key.
    PROVIDER_KEY_VARIABLE: String = form::text("the name of a variable"), "api_key_variable", [], Default::None;
    /// The file that holds the key.
    PROVIDER_KEY_FILE: std::path::PathBuf = form::path(), "api_key_file", [], Default::None;
    /// The model to ask for when the app names none.
    PROVIDER_MODEL: String = form::text("a model name"), "model", [], Default::None;
}
