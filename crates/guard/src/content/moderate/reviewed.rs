//! What people decided about finds, as lines of a file that an admin has taken out (`GET /api/v1/admin/review/export`):
//! labels to train the linear judge with. It never trains.

use serde_json::Value;

use super::Category;

/// A text that people have looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reviewed {
    /// The words.
    pub text: String,
    /// What had been found in it.
    pub categories: Vec<Category>,
    /// The rules were right.
    pub rightly: bool,
}

/// Reads a line. What is no decision about a text with a category that is known here gives `None`: an empty line, a find
/// of spam, a line that was cut off.
pub fn read(line: &str) -> Option<Reviewed> {
    let row: Value = serde_json::from_str(line).ok()?;
    let rightly = match row.get("label")?.as_str()? {
        "rightly_flagged" => true,
        "wrongly_flagged" => false,
        _ => return None,
    };
    let text = row.get("text")?.as_str().filter(|text| !text.trim().is_empty())?.to_owned();
    let names = row.get("categories")?.as_array()?.iter().filter_map(Value::as_str);
    let categories: Vec<Category> = names.filter_map(Category::parse).collect();
    (!categories.is_empty()).then_some(Reviewed { text, categories, rightly })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_read_and_anything_else_is_passed_by() {
        let line =
            r#"{"label":"wrongly_flagged","categories":["hate","spam"],"text":"a quotation","app":"x"}"#;
        let reviewed = read(line).unwrap();
        assert_eq!((reviewed.text.as_str(), reviewed.rightly), ("a quotation", false));
        assert_eq!(reviewed.categories, [Category::Hate]);
        for other in [
            "",
            "{",
            "[]",
            r#"{"label":"maybe","categories":["hate"],"text":"x"}"#,
            r#"{"label":"rightly_flagged","categories":["spam"],"text":"x"}"#,
            r#"{"label":"rightly_flagged","categories":["hate"],"text":" "}"#,
            r#"{"label":"rightly_flagged","text":"x"}"#,
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
