//! Questions that the documents did not answer, those that ask nearly the same together: the list of what to write
//! next. It never shows who asked.

use std::collections::HashSet;

use identity::{Desk, May};
use kernel::{AppId, Code, EventType, Fault, MessageId, Result, Time};
use knowledge::Language;
use store::Gap;

use super::at_desk;
use crate::Hall;

/// So many open questions are looked at, the newest.
const MOST: u32 = 1_000;
/// Two questions are nearly the same when they share this much of their content words.
const ALIKE: f32 = 0.6;

/// A question without an answer, with those that ask nearly the same.
#[derive(Clone, PartialEq, Debug)]
pub struct OpenQuestion {
    /// The newest of them, by which the group is resolved.
    pub id: MessageId,
    /// The question as it was put last, masked.
    pub question: String,
    /// How often it was asked.
    pub count: usize,
    /// How sure the search was of what came closest, 0 to 1, at best.
    pub closest: f32,
    /// When it was asked first.
    pub first_at: Time,
    /// When it was asked last.
    pub last_at: Time,
}

struct Group {
    newest: Gap,
    terms: HashSet<String>,
    all: Vec<Gap>,
}

impl Hall {
    /// The questions without an answer in this app, newest first.
    pub async fn open_questions(&self, may: &May<Desk>) -> Result<Vec<OpenQuestion>> {
        let app = self.desk_of(may)?;
        self.rooms.audit.note(at_desk(may, EventType::DataRead).with("what", "gaps"));
        let groups = self.groups(&app).await?;
        Ok(groups.into_iter().map(open).collect())
    }

    /// Marks a question, and those that ask nearly the same, as answered by now. Gives how many.
    pub async fn resolve(&self, may: &May<Desk>, id: MessageId) -> Result<u64> {
        let app = self.desk_of(may)?;
        let groups = self.groups(&app).await?;
        let group = groups.into_iter().find(|group| group.all.iter().any(|gap| gap.id == id));
        let ids =
            group.ok_or_else(|| Fault::new(Code::NotFound))?.all.into_iter().map(|gap| gap.id).collect();
        let audit = vec![at_desk(may, EventType::DataWritten).with("what", "gap_resolved")];
        self.rooms.store.resolve_gaps(&app, ids, may.owner(), audit).await
    }

    async fn groups(&self, app: &AppId) -> Result<Vec<Group>> {
        Ok(together(self.rooms.store.gaps(app, MOST).await?))
    }
}

/// Each question joins the first group whose newest asks nearly the same.
fn together(gaps: Vec<Gap>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for gap in gaps {
        let terms: HashSet<String> = Language::of(&gap.question).content(&gap.question).into_iter().collect();
        match groups.iter_mut().find(|group| alike(&group.terms, &terms)) {
            Some(group) => group.all.push(gap),
            None => groups.push(Group { newest: gap.clone(), terms, all: vec![gap] }),
        }
    }
    groups
}

fn alike(one: &HashSet<String>, other: &HashSet<String>) -> bool {
    let both = one.intersection(other).count() as f32;
    let either = one.union(other).count() as f32;
    if either > 0.0 { both / either >= ALIKE } else { true }
}

fn open(group: Group) -> OpenQuestion {
    let first_at = group.all.iter().map(|gap| gap.created_at).min().unwrap_or(group.newest.created_at);
    OpenQuestion {
        id: group.newest.id,
        question: group.newest.question,
        count: group.all.len(),
        closest: group.all.iter().map(|gap| gap.confidence).fold(0.0, f32::max),
        first_at,
        last_at: group.newest.created_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(number: u128, question: &str) -> Gap {
        Gap {
            id: MessageId::from_uuid(uuid::Uuid::from_u128(number)),
            question: question.into(),
            confidence: 0.1,
            created_at: Time::from_micros(1_000 - i64::try_from(number).unwrap()),
        }
    }

    #[test]
    fn nearly_the_same_questions_are_one() {
        let found = together(vec![
            gap(1, "Do you ship blenders to Norway?"),
            gap(2, "Is there a student discount?"),
            gap(3, "do you ship a blender to norway"),
            gap(4, "Students discount?"),
            gap(5, "Who are your investors?"),
        ]);
        let found: Vec<OpenQuestion> = found.into_iter().map(open).collect();
        let counts: Vec<usize> = found.iter().map(|one| one.count).collect();
        assert_eq!(counts, [2, 2, 1]);
        assert!(found[0].first_at < found[0].last_at);
    }
}
