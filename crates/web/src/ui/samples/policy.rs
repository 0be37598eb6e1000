//! The sample pages with hostile data: they obey the content security policy and escape what others chose.

use super::{Words, every};

#[test]
fn pages_obey_the_policy_and_escape_everything() {
    for (name, html) in every(Words::Hostile) {
        for never in ["<img", "<style", "javascript:", "<script>", " style="] {
            assert!(!html.contains(never), "{name} holds {never}");
        }
        for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            if tag.starts_with("script") {
                assert!(tag.contains("src=\"/static/"), "{name}: <{tag}>");
            }
            for outside in tag.split('"').step_by(2) {
                let handler =
                    outside.split_whitespace().any(|word| word.starts_with("on") && word.ends_with('='));
                assert!(!handler, "{name}: <{tag}>");
            }
        }
    }
}
