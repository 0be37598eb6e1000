//! The inbox as the people of the desk look at it, and a conversation with a person as its customer looks at it: parts,
//! counts, names, and whether anything is new. Colleagues see each other's addresses where there is no name; customers
//! see names alone.

use std::collections::HashMap;
use std::time::Duration;

use guard::content::Masker;
use identity::{ConversationRead, Desk, May};
use kernel::{ConversationId, EventType, HandOffId, MessageId, Page, PageRequest, Result, Subject};
use serde_json::Value;
use store::{DayCount, HandOff, HandOffState, InboxCounts, InboxPart, Message, Opinion, User};

use super::{at_desk, masked};
use crate::Hall;

/// The newest messages that somebody is shown who has not looked for a while.
const NEWEST: u32 = 100;
/// Words that came with ratings and are shown.
const REMARKS: u32 = 30;

/// A part of the inbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InboxTab {
    /// Nobody has come yet.
    Waiting,
    /// The person who looks has them.
    Mine,
    /// Somebody has them.
    Claimed,
    /// Given back or closed.
    Over,
}

/// A part of the inbox with what stands around it.
#[derive(Clone, Debug)]
pub struct Inbox {
    /// The hand-offs: what is open the oldest first, what is over the newest first.
    pub page: Page<HandOff>,
    /// How many there are of each part.
    pub counts: InboxCounts,
    /// What those are called who have them, by `claimed_by`.
    pub names: HashMap<String, String>,
}

/// How a conversation stands with the people of the desk, as its customer sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeskState {
    /// `Waiting` or `Claimed`.
    pub state: HandOffState,
    /// What the person who has it is called, where that is known.
    pub by: Option<String>,
}

/// What has happened in a conversation.
#[derive(Clone, Debug)]
pub struct News {
    /// Whether a person has been asked for, or has it.
    pub desk: Option<DeskState>,
    /// The messages behind the one that was named, oldest first.
    pub messages: Vec<Message>,
}

impl Hall {
    /// A part of the inbox of this app, with counts and names.
    pub async fn inbox_tab(&self, may: &May<Desk>, tab: InboxTab, page: PageRequest) -> Result<Inbox> {
        let app = self.desk_of(may)?;
        self.rooms.audit.note(at_desk(may, EventType::DataRead).with("what", "inbox"));
        let part = match tab {
            InboxTab::Waiting => InboxPart::Waiting,
            InboxTab::Mine => InboxPart::Of(may.owner()),
            InboxTab::Claimed => InboxPart::Claimed,
            InboxTab::Over => InboxPart::Over,
        };
        let page = self.rooms.store.inbox(&app, part, page).await?.map(masked);
        let counts = self.rooms.store.inbox_counts(&app, may.owner()).await?;
        let held = page.items.iter().filter_map(|one| one.claimed_by.as_deref());
        let names = self.called(held, colleague).await;
        Ok(Inbox { page, counts, names })
    }

    /// How many customers of this app wait for a person.
    pub async fn waiting(&self, may: &May<Desk>) -> Result<u64> {
        let app = self.desk_of(may)?;
        Ok(self.rooms.store.inbox_counts(&app, may.owner()).await?.waiting)
    }

    /// A word that changes whenever the inbox of this app looks different. It shows nothing of anybody.
    pub async fn inbox_beat(&self, may: &May<Desk>) -> Result<String> {
        let app = self.desk_of(may)?;
        let InboxCounts { waiting, mine, claimed, over } =
            self.rooms.store.inbox_counts(&app, may.owner()).await?;
        Ok(format!("{waiting}.{mine}.{claimed}.{over}"))
    }

    /// A word that changes whenever a conversation that was handed over looks different.
    pub async fn handed_beat(&self, may: &May<Desk>, id: HandOffId) -> Result<String> {
        let app = self.desk_of(may)?;
        let hand_off = self.rooms.store.hand_off(&app, id).await?;
        let conversation = self.rooms.store.conversation(&hand_off.owner, hand_off.conversation_id).await?;
        let (state, changed) = (hand_off.state.as_str(), hand_off.updated_at.micros());
        Ok(format!("{state}.{changed}.{}", conversation.messages))
    }

    /// What the person of the desk is called to colleagues.
    pub async fn colleague(&self, _: &May<Desk>, who: &str) -> Option<String> {
        self.called([who].into_iter(), colleague).await.remove(who)
    }

    /// How one's own conversation stands with the people of the desk; `None` when nobody has been asked for.
    pub async fn desk_state(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
    ) -> Result<Option<DeskState>> {
        self.conversation(may, id).await?;
        self.standing_with_desk(may.owner(), id).await
    }

    async fn standing_with_desk(&self, owner: Subject, id: ConversationId) -> Result<Option<DeskState>> {
        let Some(open) = self.rooms.store.open_hand_off(&owner, id).await? else { return Ok(None) };
        let by = match &open.claimed_by {
            Some(who) => self.called([who.as_str()].into_iter(), known_as).await.remove(who),
            None => None,
        };
        Ok(Some(DeskState { state: open.state, by }))
    }

    /// What has happened in one's own conversation since this message. Where nothing has, nobody's words are read.
    pub async fn news(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
        since: Option<MessageId>,
    ) -> Result<News> {
        self.conversation(may, id).await?;
        let desk = self.standing_with_desk(may.owner(), id).await?;
        let newest = self.rooms.store.recent_messages(&may.owner(), id, 1).await?;
        if newest.last().map(|message| message.id) == since {
            return Ok(News { desk, messages: Vec::new() });
        }
        let mut messages = self.newest_messages(may, id, NEWEST).await?;
        if let Some(at) = messages.iter().position(|message| Some(message.id) == since) {
            messages.drain(..=at);
        }
        Ok(News { desk, messages })
    }

    /// What the people are called who wrote messages of these, as customers see them; empty for those without a name.
    pub async fn authors(&self, messages: &[Message]) -> HashMap<MessageId, String> {
        let by = |message: &Message| {
            let details = message.details.as_object()?;
            details.get("author").filter(|author| *author == "person")?;
            Some(details.get("by").and_then(Value::as_str).unwrap_or_default().to_owned())
        };
        let wrote: Vec<(MessageId, String)> =
            messages.iter().filter_map(|message| Some((message.id, by(message)?))).collect();
        let names = self.called(wrote.iter().map(|(_, who)| who.as_str()), known_as).await;
        wrote.into_iter().map(|(id, who)| (id, names.get(&who).cloned().unwrap_or_default())).collect()
    }

    /// What one thinks of the answers in one's own conversation.
    pub async fn opinions(&self, may: &May<ConversationRead>, id: ConversationId) -> Result<Vec<Opinion>> {
        self.conversation(may, id).await?;
        self.rooms.store.opinions(&may.owner(), id).await
    }

    /// What customers wrote about answers of this app, newest first, without personal data.
    pub async fn remarks(&self, may: &May<Desk>) -> Result<Vec<Opinion>> {
        let app = self.desk_of(may)?;
        self.rooms.audit.note(at_desk(may, EventType::DataRead).with("what", "remarks"));
        let mask = |remark: Opinion| {
            let comment = remark.comment.map(|text| Masker::everything().mask(&text).into_owned());
            Opinion { comment, ..remark }
        };
        Ok(self.rooms.store.remarks(&app, REMARKS).await?.into_iter().map(mask).collect())
    }

    /// What came of the questions of this app in the latest span of this length, day by day.
    pub async fn quality_by_day(&self, may: &May<Desk>, span: Duration) -> Result<Vec<DayCount>> {
        let app = self.desk_of(may)?;
        self.rooms.store.quality_by_day(&app, self.rooms.ambient.now() - span).await
    }

    /// What accounts are called. Whoever is no account, or is gone, has no name.
    async fn called<'a>(
        &self,
        who: impl Iterator<Item = &'a str>,
        name: fn(User) -> String,
    ) -> HashMap<String, String> {
        let mut names = HashMap::new();
        for who in who {
            if names.contains_key(who) {
                continue;
            }
            if let Ok(Subject::User(id)) = Subject::parse(who)
                && let Ok(user) = self.rooms.store.user(id).await
            {
                let name = name(user);
                if !name.is_empty() {
                    names.insert(who.to_owned(), name);
                }
            }
        }
        names
    }
}

fn known_as(user: User) -> String {
    user.name.trim().to_owned()
}

fn colleague(user: User) -> String {
    let name = user.name.trim();
    if name.is_empty() { user.email } else { name.to_owned() }
}
