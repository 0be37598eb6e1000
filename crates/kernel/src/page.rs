//! Lists in pieces: what is asked for, what comes back, and the opaque cursor between the two.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::Fault;

/// A place in a list, opaque to callers. Holds the sort key of the last item they have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The numeric sort key (a time in microseconds, a sequence number).
    pub key: i64,
    /// Breaks ties: the id of the item.
    pub tie: String,
}

impl Cursor {
    /// The text form.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", self.key, self.tie))
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Cursor, Fault> {
        let fault = || Fault::invalid("after", "invalid_cursor", "this is no cursor that this server gave");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| fault())?;
        let plain = String::from_utf8(bytes).map_err(|_| fault())?;
        let (key, tie) = plain.split_once(':').ok_or_else(fault)?;
        let well_formed = tie.len() <= 64 && tie.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !well_formed {
            return Err(fault());
        }
        Ok(Cursor { key: key.parse().map_err(|_| fault())?, tie: tie.to_owned() })
    }
}

/// Which piece of a list is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageRequest {
    /// How many items at the most: 1 to 100.
    pub limit: u32,
    /// Where to go on.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// The largest piece given at once.
    pub const MOST: u32 = 100;

    /// From the words of a query; a limit outside of 1 to 100 or a foreign cursor is `invalid_input`.
    pub fn parse(limit: Option<u32>, after: Option<&str>) -> Result<PageRequest, Fault> {
        let limit = limit.unwrap_or(20);
        if !(1..=Self::MOST).contains(&limit) {
            return Err(Fault::invalid("limit", "out_of_range", "a page holds 1 to 100 items"));
        }
        let after = after.filter(|text| !text.is_empty()).map(Cursor::parse).transpose()?;
        Ok(PageRequest { limit, after })
    }

    /// The first `limit` items.
    pub fn first(limit: u32) -> PageRequest {
        PageRequest { limit: limit.clamp(1, Self::MOST), after: None }
    }
}

/// A piece of a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// The cursor of the next piece; `None` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts `items`, of which one more than `limit` were read, and makes the cursor of the rest.
    pub fn cut(mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> Cursor) -> Page<T> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(|item| cursor(item).encode()) } else { None };
        Page { items, next }
    }

    /// The same piece with every item translated.
    pub fn map<U>(self, translate: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(translate).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_reads_back_and_refuses_the_rest() {
        let cursor = Cursor { key: -3, tie: "019aa2b8-6d1f".into() };
        assert_eq!(Cursor::parse(&cursor.encode()).unwrap(), cursor);
        for bad in ["!", "YQ", &URL_SAFE_NO_PAD.encode("1:' or 1=1")] {
            assert!(Cursor::parse(bad).is_err());
        }
    }

    #[test]
    fn a_page_knows_whether_more_follows() {
        let cursor = |n: &i64| Cursor { key: *n, tie: String::new() };
        assert!(Page::cut(vec![1, 2], 2, cursor).next.is_none());
        let page = Page::cut(vec![1, 2, 3], 2, cursor);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(Cursor::parse(&page.next.unwrap()).unwrap().key, 2);
        assert!(PageRequest::parse(Some(0), None).is_err());
        assert!(PageRequest::parse(Some(101), None).is_err());
    }
}
