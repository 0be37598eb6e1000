//! The words of the pages in the language of whoever reads them. English stands in templates, code and scripts and is
//! the key; `crates/web/texts/*.toml` have the other languages. It owns which languages there are, which one a request
//! is answered in and how a sentence is filled. Answers of the API, logs and commands stay English and never ask here.

mod catalogue;
pub(crate) mod filters;
mod language;
mod patterned;
mod sentence;

use std::borrow::Cow;

pub(crate) use kernel::Language;
pub(crate) use language::{COOKIE, Reader, asked_for};
#[cfg(test)]
use sentence::Line;
pub(crate) use sentence::Sentence;

tokio::task_local! {
    /// Who reads what this task writes. A page is written by many small templates that would all carry it on.
    static READER: Reader;
}

/// Answers a request for this reader.
pub(crate) async fn reading<F: Future>(reader: Reader, answer: F) -> F::Output {
    READER.scope(reader, answer).await
}

/// Writes for a reader of this language.
#[cfg(test)]
pub(crate) fn in_language<T>(language: Language, write: impl FnOnce() -> T) -> T {
    READER.sync_scope(Reader { language: language.into(), path: String::new() }, write)
}

/// Speaks this language from here on to whoever reads: that of their account.
pub(crate) fn speak(language: Language) {
    // Where nobody reads there is nothing to do.
    let _ = READER.try_with(|reader| reader.language.set(language));
}

/// The language of whoever reads; English where nobody is known to.
pub(crate) fn language() -> Language {
    READER.try_with(|reader| reader.language.get()).unwrap_or_default()
}

/// The address that is being answered, to come back to; empty where there is none.
pub(crate) fn here() -> String {
    READER.try_with(|reader| reader.path.clone()).unwrap_or_default()
}

/// Names a text that is translated where it is shown. It changes nothing: the check of the catalogues reads it.
pub(crate) const fn key(text: &'static str) -> &'static str {
    text
}

/// This text in the language of whoever reads, by itself or by its pattern, else as it is.
pub(crate) fn told(text: &str) -> Cow<'_, str> {
    match catalogue::find(language(), text) {
        Some(found) => Cow::Borrowed(found),
        None => patterned::retold(text, 0).unwrap_or(Cow::Borrowed(text)),
    }
}

/// Whether the reader's language has this text.
pub(crate) fn knows(text: &str) -> bool {
    language() == Language::English || catalogue::find(language(), text).is_some()
}

/// A sentence in the language of whoever reads. Its values are filled in by name: `say("{name} is back.")`.
pub(crate) fn say(text: &str) -> Sentence<'_> {
    Sentence::new(find(text))
}

/// A sentence about a number: the English forms stand side by side, `"{count} file|{count} files"`.
pub(crate) fn count(forms: &str, number: u64) -> Sentence<'_> {
    let form = language().form(find(forms), number);
    Sentence::new(form).with("count", crate::ui::frame::grouped(number))
}

/// The translation of a text, for what speaks to people elsewhere than on pages.
pub fn translation(language: Language, text: &str) -> Option<&'static str> {
    catalogue::find(language, text)
}

fn find(text: &str) -> &str {
    catalogue::find(language(), text).unwrap_or(text)
}

/// What scripts look up: a script of its own for each language but English, since pages hold no inline script.
pub(crate) fn script(language: Language, scripts: &[&str]) -> String {
    catalogue::script(language, scripts)
}

#[cfg(test)]
mod tests;
