//! The languages that people are spoken to in: their names, their direction, their plural forms. It holds no words but
//! those; what is said in them stands with the pages.

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// The language in which everything is written first.
    #[default]
    English,
    /// German.
    German,
    /// Spanish.
    Spanish,
    /// French.
    French,
    /// Arabic, from right to left.
    Arabic,
}

/// Where lines begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// On the left.
    LeftToRight,
    /// On the right.
    RightToLeft,
}

impl Direction {
    /// The value of `dir`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::LeftToRight => "ltr",
            Direction::RightToLeft => "rtl",
        }
    }
}

impl Language {
    /// All of them, as the menu lists them.
    pub const ALL: [Language; 5] =
        [Language::English, Language::German, Language::Spanish, Language::French, Language::Arabic];

    /// The tag of BCP 47.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::Spanish => "es",
            Language::French => "fr",
            Language::Arabic => "ar",
        }
    }

    /// What its speakers call it.
    pub const fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::German => "Deutsch",
            Language::Spanish => "Español",
            Language::French => "Français",
            Language::Arabic => "العربية",
        }
    }

    /// Where its lines begin.
    pub const fn direction(self) -> Direction {
        match self {
            Language::Arabic => Direction::RightToLeft,
            _ => Direction::LeftToRight,
        }
    }

    /// What stands before the decimals of a number.
    pub const fn decimal_mark(self) -> char {
        match self {
            Language::English | Language::Arabic => '.',
            _ => ',',
        }
    }

    /// The language of a tag, whatever country follows: `de-AT` is German.
    pub fn parse(tag: &str) -> Option<Language> {
        let primary = tag.trim().split('-').next().unwrap_or_default();
        Language::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The form for this number, of forms that stand side by side. The rules are those of CLDR 45 for whole numbers
    /// in digits; the "many" of Spanish and French, for a million in words, reads like "other" there.
    pub fn form(self, forms: &str, number: u64) -> &str {
        let place = match self {
            Language::English | Language::German | Language::Spanish => usize::from(number != 1),
            Language::French => usize::from(number > 1),
            Language::Arabic => match (number, number % 100) {
                (0..=2, rest) => usize::try_from(rest).unwrap_or(5),
                (_, 3..=10) => 3,
                (_, 11..=99) => 4,
                _ => 5,
            },
        };
        // A text without a translation has the two forms of English.
        let several = forms.split('|').count();
        let place = if several == 2 && self == Language::Arabic { usize::from(number != 1) } else { place };
        forms.split('|').nth(place).unwrap_or(forms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_whatever_country_follows() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.tag()), Some(language));
        }
        assert_eq!(Language::parse(" DE-at"), Some(Language::German));
        assert_eq!(Language::parse("xx"), None);
    }
}
