//! Languages, sentences, plural forms and how a language is chosen.
