//! What the tutor says in English.
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
        Clarification: "In your own words, what is “{goal}” asking you to find?",
        Clarification: "What do you already know here, and what is still unknown?",
        Question: "Before we start: why might “{goal}” be harder than it looks?",
        Assumptions: "Which facts in the problem do you take as given?",
        Viewpoints: "How would you draw or picture the situation?",
        Evidence: "Which part of the text tells you where to begin?",
        Consequences: "What would you expect to be true of a sensible answer?",
    }
    Use::Probe => {
        Clarification: "What does {q} stand for in your thinking?",
        Clarification: "Which quantity did you just work out, and what is its unit?",
        Clarification: "How would you say your last step in one plain sentence?",
        Assumptions: "What are you assuming about {q} here?",
        Assumptions: "Which condition of the problem have you not used yet?",
        Assumptions: "What would have to be true for your step to work?",
        Evidence: "Which words in the problem support that step?",
        Evidence: "How could you check that last step by another way?",
        Evidence: "What makes you sure that {q} and {q2} belong together?",
        Viewpoints: "How would somebody explain this who started from {q} instead?",
        Viewpoints: "What other way of setting this up could you try?",
        Viewpoints: "How would you show this with a picture or a table?",
        Consequences: "What does that tell you about “{goal}”?",
        Consequences: "What can you work out next from what you have now?",
        Consequences: "If {q} were twice as much, what would change?",
        Question: "Why does the problem mention {q}?",
        Question: "Which smaller question would help most to answer “{goal}”?",
        Question: "What does “{goal}” really want: a total, a part, or a difference?",
    }
    Use::Claim => {
        Clarification: "What exactly do you mean by “{claim}”?",
        Clarification: "Can you give one concrete example of “{claim}”?",
        Clarification: "Which word in “{claim}” matters most, and how would you define it?",
        Assumptions: "What are you taking for granted when you say “{claim}”?",
        Assumptions: "When you say “{claim}”, does it hold in every case?",
        Assumptions: "Under which conditions would “{claim}” stop being true?",
        Evidence: "What evidence would convince a doubter of “{claim}”?",
        Evidence: "How do you know that “{claim}”?",
        Evidence: "What could you observe or test that would speak against “{claim}”?",
        Viewpoints: "Who might disagree with “{claim}”, and what would they say?",
        Viewpoints: "How would “{claim}” look from the opposite point of view?",
        Viewpoints: "Which other explanation could fit the same facts as “{claim}”?",
        Consequences: "If “{claim}” is right, what else has to be right?",
        Consequences: "What would follow if “{claim}” turned out to be wrong?",
        Consequences: "Where would “{claim}” lead in an extreme case?",
        Question: "Why does it matter whether “{claim}”?",
        Question: "What question would have to be settled first to decide “{claim}”?",
    }
    Use::Topic => {
        Clarification: "What do you mean when you speak of {topic}?",
        Clarification: "How would you explain {topic} to a friend in two sentences?",
        Clarification: "Which example of {topic} do you know best?",
        Assumptions: "What do most people take for granted about {topic}?",
        Assumptions: "What are you assuming about {topic} that could be checked?",
        Evidence: "What have you seen or read that supports your view of {topic}?",
        Evidence: "How could you find out whether your idea of {topic} is right?",
        Viewpoints: "How would somebody with the opposite view describe {topic}?",
        Viewpoints: "Which other field looks at {topic}, and what would it ask?",
        Consequences: "What follows from your idea of {topic} for everyday life?",
        Consequences: "If you are right about {topic}, what should we be able to observe?",
        Question: "What do you most want to understand about {topic}, and why?",
        Question: "Which smaller question about {topic} could we settle first?",
    }
    Use::Wrong => {
        Evidence: "How did you get {attempt}, step by step?",
        Evidence: "Which sum led you to {attempt}?",
        Consequences: "If it were {attempt}, would every sentence of the problem still hold?",
        Consequences: "Put {attempt} back into the story: what happens?",
        Assumptions: "What did you assume about {q} on the way to {attempt}?",
        Assumptions: "Which condition might {attempt} leave out?",
        Viewpoints: "How else could you get there, to compare with {attempt}?",
        Viewpoints: "What rough estimate would you make, and is {attempt} near it?",
        Clarification: "What does {attempt} count: which thing, in which unit?",
        Question: "Does {attempt} answer “{goal}”, or something before it?",
        Question: "Which part of the problem are you least sure about with {attempt}?",
    }
    Use::Slip => {
        Evidence: "Could you work out {sum} again, slowly, and say each step?",
        Evidence: "How would you check {sum} by the reverse operation?",
        Clarification: "Which operation does {sum} ask for, in words?",
        Clarification: "What does each number in {sum} stand for?",
        Assumptions: "What did you take {sum} to mean when you wrote {said}?",
        Viewpoints: "How would you estimate {sum} without working it out exactly?",
        Consequences: "If {sum} gave {said}, what would the reverse operation give?",
        Question: "Why is {sum} the sum you need here?",
    }
    Use::Hint(0) => {
        Question: "Let us restate the goal: what does “{goal}” ask for?",
        Clarification: "What would the answer tell you: how many of what?",
        Assumptions: "Which of the given facts do you need for “{goal}”?",
        Viewpoints: "How would you retell the problem as a short story?",
        Consequences: "How will you notice that you have reached the goal?",
        Evidence: "Which sentence in the problem holds the real question?",
    }
    Use::Hint(1) => {
        Assumptions: "What connects {q} and {q2}?",
        Evidence: "Which fact has to be used first, and why?",
        Clarification: "What does {q} describe: one thing, a group, or all of it?",
        Viewpoints: "What happens in the story between the beginning and the end?",
        Consequences: "Once you know what {q} leads to, what becomes possible?",
        Question: "Which idea is behind this: sharing, repeating, joining, or comparing?",
    }
    Use::Hint(2) => {
        Clarification: "Look only at {q}: what can you work out from it?",
        Consequences: "Take just {q} and {q2}: what would putting them together tell you?",
        Assumptions: "If there were only {q}, what would the answer be about?",
        Evidence: "Which single step could you do now without the rest?",
        Viewpoints: "What would a table with one row for {q} look like?",
        Question: "Which small question comes right before “{goal}”?",
    }
    Use::Hint(3) => {
        Viewpoints: "{example} How would you do the same kind of step here?",
        Clarification: "{example} Which numbers here play those parts?",
        Consequences: "{example} What would the matching step give in your problem?",
        Assumptions: "{example} What is alike in your problem, and what is not?",
        Evidence: "{example} Why does that step work there, and does it here?",
        Question: "{example} Which question did that step answer?",
    }
    Use::Hint(4) => {
        Consequences: "One step for you: {step}. What comes next?",
        Clarification: "One step for you: {step}. What does that number count?",
        Evidence: "One step for you: {step}. Why is that so?",
        Assumptions: "One step for you: {step}. Which fact is still unused?",
        Viewpoints: "{example} Which of your numbers go into the same places?",
        Question: "{example} Which step is still missing in yours?",
        Consequences: "Write down every fact on its own line: which two fit together first?",
    }
    Use::Transfer => {
        Consequences: "Now test the idea: if {q} were different, which steps would change, and why?",
        Viewpoints: "How would you solve it if {q} were doubled, in your own words?",
        Assumptions: "In which similar problem would your way not work, and why?",
    }
    Use::TransferAgain => {
        Evidence: "Which step of your way stays the same in the new case, and why?",
        Clarification: "What exactly is different in the new case?",
        Consequences: "What would you do first in the new case, and what after it?",
        Question: "Why might the new case need another step?",
    }
    Use::Summary => {
        Clarification: "How would you sum up, in your own words, what you did and why it works?",
        Question: "If you had to teach this tomorrow, which two or three sentences would you say?",
        Evidence: "Which steps led you to the result, and what is the reason for each?",
        Viewpoints: "How would you explain the whole way to somebody who missed it?",
    }
    Use::Close => {
        Question: "Which part of your thinking would you use again on the next problem?",
        Consequences: "Where else could the same idea help you?",
        Viewpoints: "What would you do differently next time?",
        Clarification: "Which moment made the idea clear to you?",
        Assumptions: "Which assumption will you check first next time?",
        Evidence: "What shows you most clearly that you understood it?",
    }
    Use::Commit => {
        Clarification: "Which one of these do you choose, and why?",
        Evidence: "You name several: what speaks for one of them?",
        Consequences: "Which of them would fit every sentence of the problem?",
        Question: "What would help you to decide between them?",
    }
    Use::Return => {
        Clarification: "That is for another time. What does “{goal}” ask you to find?",
        Consequences: "Let us come back: what is your next step with {q}?",
        Question: "Back to our question: what made you stop where you were?",
        Evidence: "Back to the matter: which fact have you used so far?",
        Assumptions: "Back to the matter: what are you still unsure about?",
    }
    Use::Clarify => {
        Clarification: "Can you say that in a full sentence?",
        Clarification: "What exactly do you have in mind?",
        Evidence: "What makes you think so?",
        Assumptions: "What are you relying on there?",
        Consequences: "What would your next step be, then?",
        Viewpoints: "How would you say it differently?",
        Question: "Which part of it is still open for you?",
    }
    Use::Explain => {
        Evidence: "How did you find that, step by step?",
        Evidence: "Which sums led you there?",
        Assumptions: "Which facts did you use, and which not?",
        Clarification: "What does that number stand for?",
        Consequences: "How could you test whether it fits the whole problem?",
        Viewpoints: "By which other way could you reach it?",
        Question: "Why should one believe that number rather than its neighbour?",
    }
    Use::Reveal => {
        Evidence: "Which steps lead there, in your own words?",
        Consequences: "What was missing in your tries?",
        Assumptions: "Which assumption kept you from it?",
    }
};

/// The beginnings.
pub(super) fn leads(lead: Lead) -> &'static [&'static str] {
    match lead {
        Lead::Refusal => &[
            "I will not hand over the answer, but I will help.",
            "The answer stays yours to find.",
            "You are closer than you think.",
            "Let us take it one step at a time.",
            "I keep the answer to myself; here is a nudge.",
            "Finding it yourself is what makes it stick.",
        ],
        Lead::Help => &[
            "No problem, let us look together.",
            "Let us make it smaller.",
            "That is a good place to slow down.",
            "One thing at a time.",
            "Everybody gets stuck there.",
        ],
        Lead::Doubt => &[
            "Let us look at that again.",
            "Something there deserves a second look.",
            "Hold on to that for a moment.",
            "Interesting; let us test it.",
            "Not so fast.",
        ],
        Lead::Praise => {
            &["That step holds.", "Good, you are getting on.", "That is a useful step.", "Nicely reasoned."]
        }
        Lead::Right => &["That holds up.", "Yes, that fits the whole problem.", "You found it yourself."],
        Lead::Plain => {
            &["", "Thank you.", "I follow you.", "Go on.", "Let us think about that.", "All right."]
        }
    }
}
