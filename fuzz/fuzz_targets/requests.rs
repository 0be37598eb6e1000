//! The words of a request that name something: ids, apps, subjects, cursors, times. What reads is written back the
//! same. The JSON bodies are types of `web` alone; the tests over HTTP send hostile ones.

#![no_main]

use kernel::{AppId, ConversationId, Cursor, MessageId, PageRequest, RequestId, Subject, Time};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    if let Ok(app) = AppId::parse(text) {
        assert_eq!(app.to_string(), text);
    }
    // Ids are read in either case and written in lower case.
    for id in [
        ConversationId::parse(text).ok().map(|id| id.to_string()),
        MessageId::parse(text).ok().map(|id| id.to_string()),
        RequestId::parse(text).ok().map(|id| id.to_string()),
    ]
    .into_iter()
    .flatten()
    {
        assert_eq!(id, text.to_ascii_lowercase());
    }
    if let Ok(subject) = Subject::parse(text) {
        assert_eq!(subject.to_string(), text.to_ascii_lowercase());
        assert_eq!(Subject::parse(&subject.to_string()).ok(), Some(subject));
    }
    if let Ok(cursor) = Cursor::parse(text) {
        assert_eq!(Cursor::parse(&cursor.encode()).ok(), Some(cursor));
    }
    if let Ok(page) = PageRequest::parse(Some(u32::from(data.first().copied().unwrap_or(1))), Some(text)) {
        assert!((1..=PageRequest::MOST).contains(&page.limit));
    }
    if let Some(time) = Time::parse_rfc3339(text) {
        assert_eq!(Time::parse_rfc3339(&time.rfc3339()), Some(time), "{time}");
    }
    let cursor = Cursor { key: i64::from(data.len() as u32), tie: text.to_owned() };
    if let Ok(read) = Cursor::parse(&cursor.encode()) {
        assert_eq!(read, cursor);
    }
});
