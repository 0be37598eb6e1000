//! What the house says by itself in customer service, in the languages that it speaks. It owns the sentences and
//! never decides when one is said.

use knowledge::Language;

/// The sentences of one language.
pub(crate) struct Words {
    /// In front of quotes.
    pub(crate) quoted: &'static str,
    /// In front of quotes that differ from what the question takes for granted.
    pub(crate) differs: &'static str,
    /// The documents hold no answer.
    pub(crate) nothing: &'static str,
    /// In front of the titles of the closest passages.
    pub(crate) closest: &'static str,
    /// A person can be asked.
    pub(crate) offer: &'static str,
    /// A person has been asked.
    pub(crate) asked: &'static str,
    /// A person has the conversation.
    pub(crate) person: &'static str,
    /// The sign beside a sentence that the documents do not hold.
    pub(crate) unfounded: &'static str,
    /// To a greeting.
    pub(crate) hello: &'static str,
    /// To thanks.
    pub(crate) welcome: &'static str,
}

const ENGLISH: Words = Words {
    quoted: "Quoted from the documents:",
    differs: "The documents say something else. Quoted from them:",
    nothing: "I found no answer to this in the documents.",
    closest: "The closest passages are:",
    offer: "If you like, a person can help: just write “I want to talk to a person”.",
    asked: "I have asked a person to help you; they will answer here as soon as they can.",
    person: "A person is looking after this conversation and will read your message.",
    unfounded: "⚠ not found in the documents",
    hello: "Hello! I answer questions from the documents of this service. What would you like to know?",
    welcome: "You are welcome.",
};

const GERMAN: Words = Words {
    quoted: "Aus den Dokumenten zitiert:",
    differs: "In den Dokumenten steht etwas anderes. Daraus zitiert:",
    nothing: "Darauf habe ich in den Dokumenten keine Antwort gefunden.",
    closest: "Am nächsten kommen:",
    offer: "Auf Wunsch hilft ein Mensch weiter: Schreiben Sie einfach „Ich möchte mit einem Menschen sprechen“.",
    asked: "Ich habe einen Menschen um Hilfe gebeten; die Antwort kommt hier, sobald es geht.",
    person: "Ein Mensch kümmert sich um dieses Gespräch und wird Ihre Nachricht lesen.",
    unfounded: "⚠ in den Dokumenten nicht gefunden",
    hello: "Guten Tag! Ich beantworte Fragen aus den Dokumenten dieses Dienstes. Was möchten Sie wissen?",
    welcome: "Gern geschehen.",
};

const SPANISH: Words = Words {
    quoted: "Citado de los documentos:",
    differs: "Los documentos dicen otra cosa. Citado de ellos:",
    nothing: "No he encontrado respuesta a esto en los documentos.",
    closest: "Lo más cercano es:",
    offer: "Si lo desea, puede ayudarle una persona: escriba «Quiero hablar con una persona».",
    asked: "He pedido ayuda a una persona; le responderá aquí en cuanto pueda.",
    person: "Una persona atiende esta conversación y leerá su mensaje.",
    unfounded: "⚠ no se encuentra en los documentos",
    hello: "¡Hola! Respondo preguntas con los documentos de este servicio. ¿Qué desea saber?",
    welcome: "De nada.",
};

const FRENCH: Words = Words {
    quoted: "Cité des documents :",
    differs: "Les documents disent autre chose. Cité des documents :",
    nothing: "Je n'ai pas trouvé de réponse à cela dans les documents.",
    closest: "Le plus proche :",
    offer: "Si vous le souhaitez, une personne peut vous aider : écrivez « Je veux parler à une personne ».",
    asked: "J'ai demandé à une personne de vous aider ; elle répondra ici dès que possible.",
    person: "Une personne s'occupe de cette conversation et lira votre message.",
    unfounded: "⚠ introuvable dans les documents",
    hello: "Bonjour ! Je réponds aux questions à partir des documents de ce service. Que souhaitez-vous savoir ?",
    welcome: "Je vous en prie.",
};

/// The signs beside sentences that the documents do not hold, in every language.
pub const UNFOUNDED: [&str; 4] = [ENGLISH.unfounded, GERMAN.unfounded, SPANISH.unfounded, FRENCH.unfounded];

/// The sentences of a language.
pub(crate) const fn words(language: Language) -> &'static Words {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
        Language::Spanish => &SPANISH,
        Language::French => &FRENCH,
    }
}

/// Phrases that ask for a person, without marks and in lower case.
const PERSON: &[&str] = &[
    "talk to a human",
    "talk to a person",
    "talk to someone",
    "talk to somebody",
    "speak to a human",
    "speak to a person",
    "speak with a human",
    "speak with a person",
    "talk with a human",
    "talk with a person",
    "speak to someone",
    "speak with someone",
    "talk to an agent",
    "speak to an agent",
    "speak with an agent",
    "talk to a real person",
    "speak to a real person",
    "human agent",
    "real human",
    "human please",
    "agent please",
    "talk to support staff",
    "speak to a representative",
    "talk to a representative",
    "connect me to a person",
    "connect me with a person",
    "connect me to a human",
    "connect me with a human",
    "hand me over to a person",
    "i need a human",
    "i want a human",
    "i want a person",
    "get me a human",
    "mit einem menschen sprechen",
    "mit einer person sprechen",
    "mit jemandem sprechen",
    "mit einem mitarbeiter sprechen",
    "mit einer mitarbeiterin sprechen",
    "einen menschen sprechen",
    "mit einem menschen reden",
    "mit jemandem reden",
    "mit einem mitarbeiter reden",
    "echten menschen",
    "menschlichen mitarbeiter",
    "mit einem berater sprechen",
    "mitarbeiter bitte",
    "mensch bitte",
    "hablar con una persona",
    "hablar con un humano",
    "hablar con alguien",
    "hablar con un agente",
    "hablar con un operador",
    "agente humano",
    "persona real",
    "atención humana",
    "una persona por favor",
    "parler à une personne",
    "parler à un humain",
    "parler à quelqu un",
    "parler avec quelqu un",
    "parler à un conseiller",
    "parler avec un conseiller",
    "parler à un agent",
    "parler avec une personne",
    "un vrai humain",
    "une vraie personne",
    "conseiller s il vous plaît",
];

/// Words in front of such a phrase that turn it round, or make it a question about something else.
const UNLESS: &[&str] = &[
    "don t want to",
    "do not want to",
    "not want to",
    "without having to",
    "nicht",
    "no quiero",
    "ne veux pas",
];

/// Whether somebody asks for a person.
pub(crate) fn asks_for_person(text: &str) -> bool {
    let said = plain(text);
    // In a long message such words are part of a story.
    said.split(' ').count() <= 40
        && PERSON.iter().any(|phrase| {
            said.find(phrase).is_some_and(|at| {
                let (before, after) =
                    (said.get(..at).unwrap_or(""), said.get(at + phrase.len()..).unwrap_or(""));
                (before.is_empty() || before.ends_with(' '))
                    && (after.is_empty() || after.starts_with(' '))
                    && !UNLESS.iter().any(|unless| before.trim_end().ends_with(unless))
            })
        })
}

const HELLO: &[&str] = &[
    "hello",
    "hi",
    "hey",
    "hello there",
    "hi there",
    "hey there",
    "good morning",
    "good afternoon",
    "good evening",
    "good day",
    "who are you",
    "what are you",
    "what can you do",
    "are you a bot",
    "are you human",
    "are you an ai",
    "hallo",
    "guten tag",
    "guten morgen",
    "guten abend",
    "moin",
    "servus",
    "grüß gott",
    "wer bist du",
    "wer sind sie",
    "hola",
    "buenos días",
    "buenas tardes",
    "buenas noches",
    "quién eres",
    "bonjour",
    "bonsoir",
    "salut",
    "qui êtes vous",
    "qui es tu",
];
const THANKS: &[&str] = &[
    "thanks",
    "thank you",
    "thank you very much",
    "thanks a lot",
    "many thanks",
    "great thanks",
    "ok thanks",
    "danke",
    "danke schön",
    "vielen dank",
    "danke sehr",
    "gracias",
    "muchas gracias",
    "merci",
    "merci beaucoup",
];

/// What the house says to words that ask for nothing.
pub(crate) fn small_talk(text: &str) -> Option<&'static str> {
    let said = plain(text);
    let list = |list: &[&str]| list.iter().position(|phrase| *phrase == said);
    if list(HELLO).is_some() {
        return Some(words(spoken(&said)).hello);
    }
    list(THANKS).map(|_| words(spoken(&said)).welcome)
}

/// The language of a greeting, which has hardly a small word in it.
fn spoken(said: &str) -> Language {
    let begins = |list: &[&str]| list.iter().any(|word| said.starts_with(word));
    if begins(&["hallo", "guten", "moin", "servus", "grüß", "wer ", "danke", "vielen"]) {
        Language::German
    } else if begins(&["hola", "buen", "quién", "gracias", "muchas"]) {
        Language::Spanish
    } else if begins(&["bonj", "bons", "salut", "qui ", "merci"]) {
        Language::French
    } else {
        Language::English
    }
}

fn plain(text: &str) -> String {
    let letters: String =
        text.chars().take(2_000).map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    letters.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Words that answers are put together with and that state nothing: a sentence of these alone needs no source.
const TALK: &str = "hello hi sure course certainly happy glad help helps helped hope answer answers question questions know let \
    welcome sorry thank thanks please information document documents passage passages according here following \
    further more contact find found could would like ask feel free anything else provide provided based above below \
    details unfortunately apologize apologies understand need look looking see yes okay ok great good summary short \
    summarize mention mentioned say says said described explain explained tell exactly available \
    gern gerne hilfe helfen helfe frage fragen antwort antworten hallo guten tag dokument dokumente dokumenten laut \
    weitere weiter folgende folgendes leider information informationen finden gefunden wissen sagen steht stehen \
    hoffe entschuldigung tut leid danke bitte ja \
    hola ayudar ayuda pregunta preguntas respuesta responder documentos información según siguiente lamento siento \
    gracias favor encontrado encontrar \
    bonjour aider aide question réponse répondre documents selon suivant suivante désolé désolée regrette merci \
    trouvé trouver voici information informations";

/// Whether a sentence only holds an answer together. A number or a name is never only that.
pub(crate) fn is_talk(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let language = Language::of(sentence);
    let plain = |word: &str| {
        TALK.split_whitespace().any(|talk| talk == word)
            || language.content(word).is_empty()
            || Language::English.content(word).is_empty()
    };
    !lower.contains(|c: char| c.is_numeric()) && words.all(plain) && sentence.chars().count() <= 240
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_a_person_is_heard() {
        for text in [
            "I want to talk to a human!",
            "Can I please speak with a person?",
            "human please",
            "Ich möchte mit einem Menschen sprechen.",
            "Quiero hablar con una persona",
            "Je veux parler à quelqu'un.",
        ] {
            assert!(asks_for_person(text), "{text}");
        }
        for text in [
            "I don't want to talk to a human.",
            "How many humans work here?",
            "Can a person of 70 return a blender?",
            "Menschen",
            "",
        ] {
            assert!(!asks_for_person(text), "{text}");
        }
    }

    #[test]
    fn talk_states_nothing() {
        for text in [
            "Sure!",
            "I hope this helps.",
            "Here is what the documents say:",
            "Gerne helfe ich Ihnen weiter.",
        ] {
            assert!(is_talk(text), "{text}");
        }
        for text in ["You get 100 %.", "Refunds are easy.", "Paris is lovely.", "Please send your password."]
        {
            assert!(!is_talk(text), "{text}");
        }
    }

    #[test]
    fn greetings_are_answered_in_their_language() {
        assert_eq!(small_talk("Hallo!"), Some(GERMAN.hello));
        assert_eq!(small_talk("¡Muchas gracias!"), Some(SPANISH.welcome));
        assert_eq!(small_talk("hi, how do I return it?"), None);
    }
}
