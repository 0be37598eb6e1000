//! Words a move: picks a sentence whose places can be filled, that was not said before, that gives nothing away, and
//! that keeps the types of questions in balance.

use crate::exact::equation;
use crate::exact::rational::Rational;
use crate::fold;
use crate::guard::Guard;
use crate::phrases::{self, Lead, Phrase, Use};
use crate::policy::Language;
use crate::problem::Problem;
use crate::state::{QuestionType, State};

/// What a sentence is made from.
pub(crate) struct Brief<'a> {
    pub(crate) state: &'a State,
    pub(crate) problem: Option<&'a Problem>,
    pub(crate) language: Language,
    pub(crate) seed: u64,
    pub(crate) use_for: Use,
    pub(crate) lead: Lead,
    pub(crate) prefer: &'a [QuestionType],
    pub(crate) claim: Option<String>,
    pub(crate) attempt: Option<String>,
    pub(crate) sum: Option<(String, String)>,
    /// A sentence of the maker, which comes first when it gives nothing away.
    pub(crate) own: Option<String>,
    /// Stands before the sentence, whatever it is.
    pub(crate) before: Option<String>,
}

/// A worded move.
pub(crate) struct Worded {
    pub(crate) text: String,
    pub(crate) kind: QuestionType,
    pub(crate) hashes: Vec<u32>,
}

/// A hash that is the same everywhere and always (FNV-1a).
pub(crate) fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The next number of a stream that a seed begins (SplitMix64).
pub(crate) fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn pick<'a, T>(seed: &mut u64, list: &'a [T]) -> Option<&'a T> {
    let len = u64::try_from(list.len()).ok().filter(|len| *len > 0)?;
    list.get(usize::try_from(next(seed) % len).ok()?)
}

struct Candidate {
    score: u64,
    text: String,
    core: u32,
    kind: QuestionType,
}

/// Words the move. Every sentence has passed the guard; when none can, one that holds nothing of the problem is said.
pub(crate) fn word(brief: &Brief<'_>, guard: &Guard) -> Worded {
    let mut seed = brief.seed ^ u64::from(brief.state.turns).wrapping_mul(0x2545_f491_4f6c_dd1d);
    let mut best: Option<Candidate> = None;
    let mut consider = |candidate: Candidate| {
        if best.as_ref().is_none_or(|best| candidate.score < best.score) {
            best = Some(candidate);
        }
    };
    if let Some(own) = &brief.own {
        let text = if crate::hold::asks(own) {
            once(own)
        } else {
            let ask = own_question(brief, &mut seed);
            format!("{} {ask}", own.trim())
        };
        let kind = brief.prefer.first().copied().unwrap_or(QuestionType::Clarification);
        let core = hash(own);
        if !brief.state.asked.contains(&core) && guard.leak(&text).is_none() {
            consider(Candidate { score: 0, text, core, kind });
        }
    }
    let slots = Slots::new(brief, guard, &mut seed);
    for round in [&[brief.use_for][..], &[Use::Probe, Use::Clarify, Use::Explain, Use::Hint(0), Use::Hint(1)]]
    {
        for phrase in phrases::phrases(brief.language).iter().filter(|phrase| round.contains(&phrase.for_use))
        {
            for (pass, leads) in
                [phrases::leads(brief.language, brief.lead), phrases::leads(brief.language, Lead::Plain)]
                    .iter()
                    .enumerate()
            {
                let Some(candidate) = candidate(brief, phrase, &slots, leads, &mut seed, guard) else {
                    continue;
                };
                let far = if round.len() > 1 { 12 } else { 0 };
                consider(Candidate { score: candidate.score + far + 2 * pass as u64, ..candidate });
            }
        }
    }
    let chosen = best.unwrap_or_else(|| last_resort(brief));
    let text = match &brief.before {
        Some(before) => format!("{before} {}", chosen.text),
        None => chosen.text,
    };
    Worded { hashes: vec![chosen.core, hash(&text)], text, kind: chosen.kind }
}

fn candidate(
    brief: &Brief<'_>,
    phrase: &Phrase,
    slots: &Slots,
    leads: &[&str],
    seed: &mut u64,
    guard: &Guard,
) -> Option<Candidate> {
    let core = slots.fill(phrase.text)?;
    let lead = pick(seed, leads).copied().unwrap_or_default();
    let text =
        if lead.is_empty() || brief.before.is_some() { core.clone() } else { format!("{lead} {core}") };
    if brief.state.asked.contains(&hash(&text)) || guard.leak(&text).is_some() {
        return None;
    }
    let core = hash(&core);
    let state = brief.state;
    let repeated = u64::from(state.asked.contains(&core)) * 20;
    let used = 3 * state.used(phrase.kind) as u64;
    let last = if state.question_types.last() == Some(&phrase.kind) { 4 } else { 0 };
    // Never more than half of the questions are of one type.
    let most = if 2 * (state.used(phrase.kind) + 1) > state.question_types.len().min(11) + 1
        && state.question_types.len() > 1
    {
        9
    } else {
        0
    };
    let preferred = brief.prefer.iter().position(|kind| *kind == phrase.kind).map_or(4, |at| at as u64);
    let missing =
        if phrase.text.contains("{step}") { 0 } else { u64::from(brief.use_for == Use::Hint(4)) * 2 };
    Some(Candidate {
        score: 1 + repeated + used + last + most + preferred + missing,
        text,
        core,
        kind: phrase.kind,
    })
}

fn own_question(brief: &Brief<'_>, seed: &mut u64) -> &'static str {
    let asked: Vec<&str> = phrases::phrases(brief.language)
        .iter()
        .filter(|phrase| phrase.for_use == Use::Clarify || phrase.for_use == Use::Probe)
        .map(|phrase| phrase.text)
        .filter(|text| !text.contains('{'))
        .collect();
    pick(seed, &asked).copied().unwrap_or("What is your next step?")
}

/// Up to the first question mark: the maker may have asked two things.
fn once(text: &str) -> String {
    match text.find('?') {
        Some(at) => text.get(..=at).unwrap_or(text).trim().to_owned(),
        None => text.trim().to_owned(),
    }
}

/// Holds no number, no word of the problem, and a count that makes it new.
fn last_resort(brief: &Brief<'_>) -> Candidate {
    let mut seed = brief.seed;
    let ask = own_question(brief, &mut seed);
    Candidate { score: u64::MAX, text: ask.to_owned(), core: hash(ask), kind: QuestionType::Clarification }
}

/// What fills the places.
struct Slots {
    all: Vec<(&'static str, Option<String>)>,
}

impl Slots {
    fn new(brief: &Brief<'_>, guard: &Guard, seed: &mut u64) -> Slots {
        let quantities: Vec<String> = brief
            .problem
            .map(Problem::quantities)
            .unwrap_or_default()
            .into_iter()
            .filter(|quantity| guard.leak(quantity).is_none())
            .collect();
        let first = pick(seed, &quantities).cloned();
        let rest: Vec<String> =
            quantities.into_iter().filter(|quantity| Some(quantity) != first.as_ref()).collect();
        let goal = brief.problem.map(Problem::goal).filter(|goal| !goal.is_empty());
        let topic = brief
            .state
            .topic
            .as_deref()
            .map(|topic| fold::quote(topic, 10))
            .filter(|topic| !topic.is_empty());
        let all = vec![
            ("{goal}", goal),
            ("{q}", first),
            ("{q2}", pick(seed, &rest).cloned()),
            ("{claim}", brief.claim.clone()),
            ("{attempt}", brief.attempt.clone()),
            ("{sum}", brief.sum.as_ref().map(|(sum, _)| sum.clone())),
            ("{said}", brief.sum.as_ref().map(|(_, said)| said.clone())),
            ("{topic}", topic.map(|topic| format!("“{topic}”"))),
            ("{example}", example(brief, guard, seed)),
            ("{step}", step(brief, guard)),
        ];
        Slots { all }
    }

    /// The sentence with its places filled; `None` when one cannot be.
    fn fill(&self, text: &str) -> Option<String> {
        let mut filled = String::with_capacity(text.len() + 40);
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, from) = rest.split_at(at);
            let end = from.find('}')? + 1;
            let (name, after) = from.split_at(end);
            filled.push_str(before);
            filled.push_str(self.all.iter().find(|(slot, _)| *slot == name)?.1.as_deref()?);
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }
}

/// The sums of the reference's steps: as written, what they come to.
fn steps(problem: &Problem) -> Vec<(String, Rational)> {
    let sums = problem.reference.steps.iter().flat_map(|step| equation::find(&fold::shown(step)).sums);
    sums.filter(|sum| sum.slip.is_none()).map(|sum| (sum.left, sum.said)).collect()
}

/// The first step that the learner has not come to and that gives nothing away.
fn step(brief: &Brief<'_>, guard: &Guard) -> Option<String> {
    let said: Vec<Rational> = brief.state.values().collect();
    let steps = steps(brief.problem?);
    let open = steps.into_iter().filter(|(_, value)| !said.contains(value));
    open.map(|(left, value)| format!("{left} = {value}")).find(|step| guard.leak(step).is_none())
}

/// A step of the same kind with other numbers.
fn example(brief: &Brief<'_>, guard: &Guard, seed: &mut u64) -> Option<String> {
    let steps = steps(brief.problem?);
    let written = steps.first().map(|(left, _)| left.as_str()).unwrap_or(" × ");
    for _ in 0..12 {
        let (a, b) = (2 + next(seed) % 8, 2 + next(seed) % 8);
        let (left, value) = if written.contains('×') {
            (format!("{a} × {b}"), a * b)
        } else if written.contains('÷') {
            (format!("{} ÷ {b}", a * b), a)
        } else if written.contains(" - ") {
            (format!("{} - {b}", a + b), a)
        } else {
            (format!("{a} + {b}"), a + b)
        };
        let text = match brief.language {
            Language::En => format!("In another problem, {left} = {value} was one step."),
            Language::De => format!("In einer anderen Aufgabe war {left} = {value} ein Schritt."),
        };
        if guard.leak(&text).is_none() {
            return Some(text);
        }
    }
    None
}
