//! What the tutor says in German.
//! It knows no learner and no problem.

use super::{Lead, Phrase, Use};
use crate::state::QuestionType::{Assumptions, Clarification, Consequences, Evidence, Question, Viewpoints};

macro_rules! phrases {
    ($($for_use:expr => { $($kind:ident: $text:literal,)* })*) => {
        &[$($(Phrase { for_use: $for_use, kind: $kind, text: $text },)*)*]
    };
}

/// The sentences.
pub(super) static PHRASES: &[Phrase] = phrases! {
    Use::Open => {
        Clarification: "Was sollst du bei „{goal}“ herausfinden, in deinen eigenen Worten?",
        Clarification: "Was weißt du schon, und was ist noch unbekannt?",
        Assumptions: "Welche Angaben im Text nimmst du als gegeben?",
        Viewpoints: "Wie würdest du die Lage zeichnen?",
        Evidence: "Welche Stelle im Text sagt dir, womit du anfängst?",
        Consequences: "Was erwartest du von einer sinnvollen Antwort?",
        Question: "Warum könnte die Aufgabe schwerer sein, als sie aussieht?",
    }
    Use::Probe => {
        Clarification: "Wofür steht {q} in deiner Überlegung?",
        Clarification: "Was hast du gerade ausgerechnet, und in welcher Einheit?",
        Clarification: "Wie lautet dein letzter Schritt in einem einfachen Satz?",
        Assumptions: "Was nimmst du über {q} an?",
        Assumptions: "Welche Bedingung der Aufgabe hast du noch nicht benutzt?",
        Evidence: "Welche Worte der Aufgabe stützen diesen Schritt?",
        Evidence: "Wie könntest du den letzten Schritt anders nachprüfen?",
        Viewpoints: "Wie würde es jemand erklären, der mit {q} anfängt?",
        Viewpoints: "Welchen anderen Ansatz könntest du versuchen?",
        Consequences: "Was sagt dir das über „{goal}“?",
        Consequences: "Was kannst du jetzt als Nächstes herausfinden?",
        Consequences: "Was würde sich ändern, wenn {q} doppelt so viel wäre?",
        Question: "Warum erwähnt die Aufgabe {q}?",
        Question: "Welche kleinere Frage würde am meisten helfen?",
    }
    Use::Claim => {
        Clarification: "Was meinst du genau mit „{claim}“?",
        Clarification: "Welches Beispiel hast du für „{claim}“?",
        Assumptions: "Was setzt du voraus, wenn du sagst „{claim}“?",
        Assumptions: "Unter welchen Bedingungen gilt „{claim}“ nicht mehr?",
        Evidence: "Woher weißt du, dass „{claim}“?",
        Evidence: "Was könnte gegen „{claim}“ sprechen?",
        Viewpoints: "Wer könnte „{claim}“ widersprechen, und wie?",
        Viewpoints: "Welche andere Erklärung passt so gut wie „{claim}“?",
        Consequences: "Was folgt daraus, wenn „{claim}“ stimmt?",
        Consequences: "Was wäre, wenn „{claim}“ falsch ist?",
        Question: "Warum ist es wichtig, ob „{claim}“?",
        Question: "Welche Frage müsste vor „{claim}“ geklärt sein?",
    }
    Use::Topic => {
        Clarification: "Was verstehst du unter {topic}?",
        Clarification: "Wie würdest du {topic} in zwei Sätzen erklären?",
        Assumptions: "Was halten die meisten bei {topic} für selbstverständlich?",
        Evidence: "Was hast du gesehen oder gelesen, das deine Sicht auf {topic} stützt?",
        Viewpoints: "Wie würde jemand mit der Gegenmeinung {topic} beschreiben?",
        Consequences: "Was folgt aus deiner Idee von {topic} für den Alltag?",
        Question: "Was möchtest du an {topic} am liebsten verstehen, und warum?",
    }
    Use::Wrong => {
        Evidence: "Wie kommst du auf {attempt}, Schritt für Schritt?",
        Evidence: "Welche Rechnung führt dich zu {attempt}?",
        Consequences: "Wenn es {attempt} wäre, würde dann jeder Satz der Aufgabe stimmen?",
        Assumptions: "Was hast du auf dem Weg zu {attempt} angenommen?",
        Viewpoints: "Welche grobe Schätzung machst du, und liegt {attempt} in der Nähe?",
        Clarification: "Was zählt {attempt}: welche Sache, in welcher Einheit?",
        Question: "Beantwortet {attempt} schon die Frage, oder etwas davor?",
    }
    Use::Slip => {
        Evidence: "Kannst du {sum} noch einmal langsam rechnen?",
        Evidence: "Wie prüfst du {sum} mit der Umkehraufgabe?",
        Clarification: "Welche Rechenart verlangt {sum}, in Worten?",
        Viewpoints: "Wie würdest du {sum} überschlagen?",
        Consequences: "Wenn {sum} wirklich {said} ergäbe, was ergäbe die Umkehraufgabe?",
        Question: "Warum brauchst du hier {sum}?",
        Assumptions: "Was hast du unter {sum} verstanden, als du {said} geschrieben hast?",
    }
    Use::Hint(0) => {
        Question: "Noch einmal das Ziel: Was will „{goal}“ wissen?",
        Clarification: "Was sagt dir die Antwort: wie viele wovon?",
        Assumptions: "Welche Angaben brauchst du dafür?",
        Consequences: "Woran merkst du, dass du am Ziel bist?",
        Evidence: "In welchem Satz steht die eigentliche Frage?",
        Viewpoints: "Wie würdest du die Aufgabe kurz nacherzählen?",
    }
    Use::Hint(1) => {
        Assumptions: "Was verbindet {q} und {q2}?",
        Evidence: "Welche Angabe muss zuerst benutzt werden, und warum?",
        Clarification: "Was beschreibt {q}: ein Stück, eine Gruppe oder alles?",
        Question: "Welche Idee steckt dahinter: teilen, wiederholen, zusammenlegen oder vergleichen?",
        Viewpoints: "Was geschieht in der Geschichte zwischen Anfang und Ende?",
        Consequences: "Was wird möglich, sobald du {q} verstanden hast?",
    }
    Use::Hint(2) => {
        Clarification: "Schau nur auf {q}: Was kannst du daraus ausrechnen?",
        Consequences: "Nimm nur {q} und {q2}: Was sagen sie dir zusammen?",
        Evidence: "Welchen einzelnen Schritt kannst du jetzt schon tun?",
        Question: "Welche kleine Frage kommt direkt vor „{goal}“?",
        Assumptions: "Wenn es nur {q} gäbe, worum ginge es dann?",
        Viewpoints: "Wie sähe eine Tabelle mit einer Zeile für {q} aus?",
    }
    Use::Hint(3) => {
        Viewpoints: "{example} Wie ginge derselbe Schritt hier?",
        Clarification: "{example} Welche Zahlen stehen hier an diesen Stellen?",
        Consequences: "{example} Was ergäbe der passende Schritt bei dir?",
        Assumptions: "{example} Was ist bei dir gleich, was anders?",
        Evidence: "{example} Warum geht der Schritt dort, und geht er hier?",
        Question: "{example} Welche Frage beantwortet dieser Schritt?",
    }
    Use::Hint(4) => {
        Consequences: "Ein Schritt für dich: {step}. Was kommt danach?",
        Clarification: "Ein Schritt für dich: {step}. Was zählt diese Zahl?",
        Evidence: "Ein Schritt für dich: {step}. Warum ist das so?",
        Assumptions: "Ein Schritt für dich: {step}. Welche Angabe fehlt noch?",
        Viewpoints: "{example} Welche deiner Zahlen gehören an dieselben Stellen?",
        Consequences: "Schreib jede Angabe in eine eigene Zeile: Welche zwei passen zuerst zusammen?",
        Question: "{example} Welcher Schritt fehlt bei dir noch?",
    }
    Use::Transfer => {
        Consequences: "Prüfen wir die Idee: Welche Schritte ändern sich, wenn {q} anders wäre, und warum?",
        Viewpoints: "Wie würdest du vorgehen, wenn {q} doppelt so viel wäre?",
        Assumptions: "Bei welcher ähnlichen Aufgabe ginge dein Weg nicht, und warum?",
    }
    Use::TransferAgain => {
        Evidence: "Welcher Schritt bleibt im neuen Fall gleich, und warum?",
        Clarification: "Was genau ist im neuen Fall anders?",
        Consequences: "Was tust du im neuen Fall zuerst, was danach?",
        Question: "Warum könnte der neue Fall einen Schritt mehr brauchen?",
    }
    Use::Summary => {
        Clarification: "Wie fasst du zusammen, was du getan hast und warum es stimmt?",
        Question: "Wenn du das morgen erklären müsstest, welche zwei, drei Sätze würdest du sagen?",
        Evidence: "Welche Schritte führten zum Ergebnis, und was ist der Grund für jeden?",
        Viewpoints: "Wie erklärst du den ganzen Weg jemandem, der nicht dabei war?",
    }
    Use::Close => {
        Question: "Welchen Gedanken würdest du bei der nächsten Aufgabe wieder benutzen?",
        Consequences: "Wo könnte dieselbe Idee noch helfen?",
        Viewpoints: "Was würdest du nächstes Mal anders machen?",
        Clarification: "In welchem Augenblick wurde es dir klar?",
    }
    Use::Commit => {
        Clarification: "Für welche davon entscheidest du dich, und warum?",
        Evidence: "Du nennst mehrere: Was spricht für eine davon?",
        Consequences: "Welche davon passt zu jedem Satz der Aufgabe?",
        Question: "Was würde dir helfen, dich zu entscheiden?",
    }
    Use::Return => {
        Clarification: "Das ist ein anderes Thema. Was sollst du hier herausfinden?",
        Consequences: "Zurück zur Sache: Was ist dein nächster Schritt?",
        Question: "Zurück zu unserer Frage: Was hat dich aufgehalten?",
        Evidence: "Zurück zur Sache: Welche Angabe hast du schon benutzt?",
    }
    Use::Clarify => {
        Clarification: "Kannst du das in einem ganzen Satz sagen?",
        Clarification: "Was genau hast du im Sinn?",
        Evidence: "Warum denkst du das?",
        Assumptions: "Worauf stützt du dich dabei?",
        Consequences: "Was wäre dann dein nächster Schritt?",
        Viewpoints: "Wie würdest du es anders sagen?",
        Question: "Was ist für dich daran noch offen?",
    }
    Use::Explain => {
        Evidence: "Wie hast du das gefunden, Schritt für Schritt?",
        Assumptions: "Welche Angaben hast du benutzt, und welche nicht?",
        Clarification: "Wofür steht diese Zahl?",
        Consequences: "Wie könntest du prüfen, ob sie zur ganzen Aufgabe passt?",
        Viewpoints: "Auf welchem anderen Weg kämst du dorthin?",
        Question: "Warum diese Zahl und nicht ihre Nachbarin?",
    }
    Use::Reveal => {
        Evidence: "Welche Schritte führen dorthin, in deinen Worten?",
        Consequences: "Was hat bei deinen Versuchen gefehlt?",
        Assumptions: "Welche Annahme hat dich aufgehalten?",
    }
};

/// The beginnings.
pub(super) fn leads(lead: Lead) -> &'static [&'static str] {
    match lead {
        Lead::Refusal => &[
            "Ich verrate die Lösung nicht, aber ich helfe dir.",
            "Die Lösung findest du selbst.",
            "Du bist näher dran, als du denkst.",
            "Gehen wir Schritt für Schritt.",
            "Selbst gefunden bleibt sie hängen.",
        ],
        Lead::Help => &[
            "Kein Problem, schauen wir zusammen.",
            "Machen wir es kleiner.",
            "Eins nach dem anderen.",
            "Da bleiben viele hängen.",
        ],
        Lead::Doubt => &[
            "Schauen wir uns das noch einmal an.",
            "Da lohnt sich ein zweiter Blick.",
            "Prüfen wir das.",
            "Langsam.",
        ],
        Lead::Praise => {
            &["Dieser Schritt stimmt.", "Gut, du kommst voran.", "Das ist ein nützlicher Schritt."]
        }
        Lead::Right => &["Das passt.", "Ja, das passt zur ganzen Aufgabe.", "Das hast du selbst gefunden."],
        Lead::Plain => &["", "Danke.", "Ich kann dir folgen.", "Denken wir darüber nach.", "In Ordnung."],
    }
}
