//! What a word says about its neighbours, for the broad mask. It owns the word lists; it knows no names.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a word is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// Nothing is known about it.
    Unknown,
    /// A word of English that is no name.
    Common,
    /// `Mr`, `Dr`.
    Title,
    /// A month.
    Month,
    /// A day of the week.
    Weekday,
    /// A part of a building or a box of mail, with a number behind it.
    Unit,
    /// A word for a road.
    Road,
    /// A small word that stands within names.
    Particle,
    /// A word that leads to a code of a place or a licence.
    Code,
}

const LISTS: &[(Meaning, &str)] = &[
    (
        Meaning::Title,
        "mr mrs ms miss mx dr prof sir madam dame herr frau monsieur madame mme signor signora señor señora rev",
    ),
    (
        Meaning::Month,
        "january february march april may june july august september october november december jan feb mar apr jun jul \
         aug sep sept oct nov dec januar februar märz mai juni juli oktober dezember janvier février avril juin juillet \
         août septembre octobre novembre décembre enero febrero marzo mayo junio julio agosto septiembre octubre \
         noviembre diciembre",
    ),
    (
        Meaning::Weekday,
        "monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag \
         sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes sábado domingo",
    ),
    (Meaning::Unit, "apt apartment suite unit flat floor room box building bldg ste"),
    (
        Meaning::Road,
        "street st road rd avenue ave lane ln drive dr boulevard blvd court ct place pl square sq terrace way highway hwy \
         parkway pkwy circle crescent close alley row path trail straße strasse str weg allee gasse platz ring rue avenue \
         chemin allée impasse quai cours calle avenida plaza paseo carrera camino via viale piazza corso vicolo rua \
         travessa praça ulica ul utca út tér ulice gade vej gata gatan vägen väg katu tie straat laan plein",
    ),
    (
        Meaning::Particle,
        "de del della dello der den di da do dos das du des la le les el los las van von vom zu zum zur ter ten af av \
         bin ibn al of nad pod pri na sur sous",
    ),
    (Meaning::Code, "zip zipcode postcode postal plz license licence licenses passport"),
];

static MEANINGS: LazyLock<HashMap<&'static str, Meaning>> = LazyLock::new(|| {
    let mut meanings = HashMap::new();
    let lines = include_str!("common.txt").lines().filter(|line| !line.starts_with('#'));
    for word in lines.flat_map(str::split_whitespace) {
        meanings.insert(word, Meaning::Common);
    }
    // Later lists win: `the` and `of` are small words within names before they are anything else.
    for (meaning, list) in LISTS.iter().rev() {
        for word in list.split_whitespace() {
            meanings.insert(word, *meaning);
        }
    }
    meanings
});

/// What the word is; capitals do not matter.
pub(super) fn meaning(word: &str) -> Meaning {
    let lower;
    let key = if word.chars().any(char::is_uppercase) {
        lower = word.to_lowercase();
        lower.as_str()
    } else {
        word
    };
    MEANINGS.get(key).copied().unwrap_or(Meaning::Unknown)
}
