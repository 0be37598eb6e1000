//! Bedrock in the settings: which provider comes first, in which region it is asked, what is refused.

use llm::Protocol;

use super::*;
use crate::settings::production;

const MODEL: &str = "eu.anthropic.claude-sonnet-4-20250514-v1:0";

fn providers(sources: &Sources) -> Vec<(String, String, String)> {
    let settings = load(sources);
    let told = |provider: &llm::Provider| {
        let place = match &provider.protocol {
            Protocol::OpenAi { base_url, .. } => base_url.to_string(),
            Protocol::Bedrock { region, endpoint } => format!("{region} {endpoint}"),
        };
        (provider.name.clone(), provider.model.clone(), place)
    };
    settings.models.providers.iter().map(told).collect()
}

fn names(sources: &Sources) -> Vec<String> {
    providers(sources).into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn a_model_and_a_region_connect_bedrock() {
    let (region, own) = (("AWS_REGION", "us-west-2"), "http://127.0.0.1:4566/");
    let arn = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0";
    let far = "https://bedrock-runtime.us-west-2.amazonaws.com/";
    for (pairs, model, place) in [
        (vec![("BEDROCK_MODEL", MODEL), region], MODEL, format!("us-west-2 {far}")),
        (vec![("BEDROCK_MODEL_ID", MODEL), region], MODEL, format!("us-west-2 {far}")),
        (
            vec![("BEDROCK_MODEL", arn), region],
            arn,
            "eu-west-1 https://bedrock-runtime.eu-west-1.amazonaws.com/".to_owned(),
        ),
        (vec![("BEDROCK_MODEL", arn), ("BEDROCK_REGION", "us-west-2")], arn, format!("us-west-2 {far}")),
        (
            vec![("BEDROCK_MODEL", MODEL), region, ("BEDROCK_ENDPOINT", own)],
            MODEL,
            format!("us-west-2 {own}"),
        ),
        (
            vec![("BEDROCK_MODEL", MODEL), region, ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", own)],
            MODEL,
            format!("us-west-2 {own}"),
        ),
        (
            vec![("BEDROCK_MODEL", MODEL), region, ("AWS_ENDPOINT_URL", own)],
            MODEL,
            format!("us-west-2 {own}"),
        ),
        (
            vec![("BEDROCK_MODEL", MODEL), ("AWS_REGION", "cn-north-1")],
            MODEL,
            "cn-north-1 https://bedrock-runtime.cn-north-1.amazonaws.com.cn/".to_owned(),
        ),
    ] {
        let found = providers(&variables(&pairs));
        assert_eq!(found, [("bedrock".to_owned(), model.to_owned(), place)], "{pairs:?}");
    }
    for (pairs, say) in [
        (vec![("BEDROCK_MODEL", MODEL)], "AWS_REGION"),
        (vec![("BEDROCK_MODEL", MODEL), ("AWS_REGION", "evil.example/")], "BEDROCK_MODEL"),
        (vec![("BEDROCK_MODEL", "a b?"), region], "BEDROCK_MODEL"),
        (vec![("BEDROCK_MODEL", MODEL), region, ("BEDROCK_ENDPOINT", "not an address")], "BEDROCK_ENDPOINT"),
        (vec![("BEDROCK_MODEL", MODEL), region, ("AWS_ACCESS_KEY_ID", "AKIA")], "AWS_SECRET_ACCESS_KEY"),
    ] {
        assert!(refusal(&variables(&pairs)).contains(say), "{pairs:?}: {}", refusal(&variables(&pairs)));
    }
}

#[test]
fn the_order_of_providers_is_a_setting() {
    let both =
        [("BEDROCK_MODEL", MODEL), ("AWS_REGION", "us-west-2"), ("OPENAI_API_KEY", "sk-8f2LqWz91xVbN4")];
    let spare = "[[providers]]\nname = \"spare\"\nbase_url = \"https://x.test/v1\"\nmodel = \"m\"\n\
         [[providers]]\nname = \"far\"\nprotocol = \"bedrock\"\nregion = \"eu-west-1\"\nmodel = \"amazon.nova-lite-v1:0\"\n";
    let ordered = |order: Option<&'static str>| {
        let mut pairs = both.to_vec();
        pairs.extend(order.map(|order| ("MODEL_ORDER", order)));
        Sources { file: toml(spare), ..variables(&pairs) }
    };
    for (order, wanted) in [
        (None, "openai bedrock spare far"),
        (Some("bedrock"), "bedrock openai spare far"),
        (Some("bedrock, openai"), "bedrock openai spare far"),
        (Some("far,spare,bedrock,openai"), "far spare bedrock openai"),
    ] {
        assert_eq!(names(&ordered(order)).join(" "), wanted);
    }
    assert_eq!(providers(&ordered(None))[3].2, "eu-west-1 https://bedrock-runtime.eu-west-1.amazonaws.com/");
    for order in ["nobody", "bedrock,bedrock", "Bedrock!"] {
        assert!(refusal(&ordered(Some(order))).contains("MODEL_ORDER"), "{order}");
    }
    let with_key = spare.replace("region = \"eu-west-1\"", "api_key_variable = \"OPENAI_API_KEY\"");
    assert!(refusal(&Sources { file: toml(&with_key), ..variables(&both) }).contains("remove the key"));
}

#[test]
fn production_takes_bedrock_for_a_provider_and_wants_credentials_for_it() {
    let mut pairs = sound();
    pairs.retain(|(name, _)| *name != "OPENAI_API_KEY");
    pairs.extend([("BEDROCK_MODEL", MODEL), ("AWS_REGION", "us-west-2")]);
    let (_, warnings) = Settings::load(&variables(&pairs)).unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!(warnings.iter().map(|finding| finding.id).collect::<Vec<_>>(), Vec::<&str>::new());
    let with = |name, value| {
        let mut pairs = pairs.clone();
        pairs.push((name, value));
        refusal(&variables(&pairs))
    };
    assert!(with("AWS_EC2_METADATA_DISABLED", "true").contains("bedrock-credentials"));
    assert!(with("BEDROCK_ENDPOINT", "http://10.0.0.5/").contains("aws-https"));
    let held = production::rules().filter(|rule| rule.id == "bedrock-credentials").count();
    assert_eq!(held, 1);
}
