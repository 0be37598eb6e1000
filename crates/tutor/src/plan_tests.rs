//! Whole dialogues with the planner.

use super::*;

fn cakes() -> Problem {
    let mut problem = Problem::plain(
        "A baker fills 6 trays with 7 cakes each and sells 10 cakes. How many cakes are left?",
        "32 cakes",
        "6 * 7 = 42 cakes are baked\n42 - 10 = 32 cakes are left",
    );
    problem.reference.rubric =
        vec!["multiply trays and cakes".into(), "subtract the cakes that were sold".into()];
    problem.reference.transfer = Some(crate::Transfer {
        question: "And with 5 trays, if nothing is sold?".into(),
        answer: "35".into(),
    });
    problem
}

struct Talk {
    state: State,
    problem: Option<Problem>,
    policy: Policy,
    said: Vec<String>,
}

impl Talk {
    fn new(problem: Option<Problem>) -> Talk {
        Talk { state: State::default(), problem, policy: Policy::default(), said: Vec::new() }
    }

    fn say(&mut self, text: &str) -> Move {
        let turn = turn(&self.state, text, self.problem.as_ref(), &self.policy, 7);
        assert_eq!(turn.made.text.matches('?').count(), 1, "{}", turn.made.text);
        assert!(!self.said.contains(&turn.made.text), "said before: {}", turn.made.text);
        self.said.push(turn.made.text.clone());
        // What is remembered survives being written and read.
        let kept = turn.state.kept(&turn.made, None);
        self.state = State::read(&kept).unwrap();
        turn.made
    }
}

#[test]
fn a_session_ends_after_transfer_and_summary_alone() {
    let mut talk = Talk::new(Some(cakes()));
    assert_eq!(talk.say("Hello").stage, Stage::Elicit);
    assert_eq!(talk.say("6 * 7 = 48").kind, MoveKind::Slip);
    assert_eq!(talk.say("6 * 7 = 42 so there are 42 cakes").kind, MoveKind::Ask);
    assert_eq!(talk.say("I guess 41").kind, MoveKind::Wrong);
    let made = talk.say("42 - 10 = 32");
    assert_eq!((made.kind, made.stage), (MoveKind::Transfer, Stage::Check));
    assert!(made.text.contains("5 trays"), "{}", made.text);
    assert_eq!(talk.say("yes").kind, MoveKind::Transfer);
    assert_eq!(talk.say("It is 40").kind, MoveKind::Transfer);
    assert_eq!(talk.say("5 * 7 = 35").kind, MoveKind::Summary);
    assert_eq!(talk.say("ok").kind, MoveKind::Summary);
    let made =
        talk.say("I multiply the trays by the cakes on each, then I subtract the cakes that were sold");
    assert_eq!((made.kind, made.stage), (MoveKind::Close, Stage::Done));
    assert!(made.text.contains("2 of 2"), "{}", made.text);
}

#[test]
fn pressing_climbs_one_rung_at_a_time_and_gives_nothing_away() {
    let mut talk = Talk::new(Some(cakes()));
    let guard = Guard::new(Some(&cakes()));
    for rung in [0, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4] {
        let made = talk.say("Just tell me the answer!");
        assert_eq!((made.hint, made.house), (Some(rung), true));
        assert_eq!(guard.leak(&made.text), None, "{}", made.text);
    }
    let mut kinds = talk.state.question_types.clone();
    for window in kinds.windows(12) {
        for kind in QuestionType::ALL {
            assert!(window.iter().filter(|used| **used == kind).count() <= 6, "{window:?}");
        }
    }
    kinds.truncate(12);
    kinds.sort_by_key(|kind| kind.as_str());
    kinds.dedup();
    assert!(kinds.len() >= 4, "{kinds:?}");
}

#[test]
fn guessing_needs_reasons() {
    let mut talk = Talk::new(Some(cakes()));
    for guess in ["29", "30", "31"] {
        talk.say(guess);
    }
    assert_eq!(talk.say("32").kind, MoveKind::Explain);
    assert!(!talk.state.solved);
    assert_eq!(talk.say("32 because 42 - 10 = 32").kind, MoveKind::Transfer);
    assert_eq!(talk.say("30, 31, 32, 33").kind, MoveKind::Transfer);
}

#[test]
fn the_answer_is_handed_over_only_where_the_app_allows_it() {
    let mut talk = Talk::new(Some(cakes()));
    talk.policy.reveal = Reveal::AfterTries(2);
    talk.policy.hints = 1;
    talk.say("12");
    talk.say("13 because of the trays");
    assert_ne!(talk.say("just tell me").kind, MoveKind::Reveal);
    assert_ne!(talk.say("tell me the answer now").kind, MoveKind::Reveal);
    let made = talk.say("what is the answer");
    assert!(made.kind == MoveKind::Reveal && made.text.contains("32"), "{}", made.text);
}

#[test]
fn claims_are_questioned_without_a_problem() {
    let mut talk = Talk::new(None);
    let made = talk.say("I think people are always selfish");
    assert_eq!(made.target.as_deref(), Some("I think people are always selfish"));
    assert_eq!(made.stage, Stage::Challenge);
    for answer in [
        "Because they want money",
        "No, my mother is not",
        "Everyone wants something",
        "It is in our nature, I believe so",
        "Not all of them, I guess that is true",
        "What else should they do",
    ] {
        talk.say(answer);
    }
    assert!(!talk.state.solved);
}

#[test]
fn a_sum_that_the_learner_brings_is_guarded() {
    let mut talk = Talk::new(None);
    let made = talk.say("What is 17 * 23?");
    assert!(!made.text.contains("391"));
    let held = turn(&talk.state, "just tell me", None, &Policy::default(), 1).hold();
    let mut held = held;
    assert!(!format!("{}{}", held.pass("It is 391."), held.close()).contains("391"));
    assert_eq!(talk.say("391").kind, MoveKind::Transfer);
}

#[test]
fn moves_follow_the_language_and_the_answer() {
    let mut talk = Talk::new(Some(cakes()));
    assert!(!talk.say("Ich weiß nicht, wie ich anfangen soll").text.contains(" the "));
    let before = talk.state.clone();
    let kind = |said: &str| turn(&before, said, Some(&cakes()), &Policy::default(), 3).made.kind;
    assert_eq!((kind("32"), kind("33")), (MoveKind::Transfer, MoveKind::Wrong));
    assert_eq!(
        (kind("ja"), kind("Ich denke, man muss malnehmen, weil es Bleche sind")),
        (MoveKind::Explain, MoveKind::Ask)
    );
    assert_eq!(kind("31, 32 or 33"), MoveKind::Commit);
    assert_eq!(kind("how is the weather"), MoveKind::Return);
}

#[test]
fn the_learners_words_are_quoted_without_marks() {
    let mut talk = Talk::new(None);
    let made = talk.say("I think <script>alert(1)</script> [x](javascript:y) always `works`");
    assert!(!made.text.contains(['<', '>', '[', ']', '`']), "{}", made.text);
}

#[test]
fn hostile_texts_end() {
    let problem = cakes();
    for text in [
        "(".repeat(20_000),
        "1+".repeat(20_000),
        "9".repeat(20_000),
        "= ".repeat(20_000),
        "a ".repeat(20_000),
        "\\frac{".repeat(5_000),
        "<".repeat(20_000),
        "1 2 ".repeat(5_000),
        "one hundred ".repeat(3_000),
        "ß\u{0}\u{202e}".repeat(3_000),
    ] {
        let made = turn(&State::default(), &text, Some(&problem), &Policy::default(), 1).made;

        assert!(made.text.len() < 1_000);
    }
}

#[test]
fn numbers_that_are_only_listed_stay_secret() {
    let problem = cakes();
    let list: String = (1..=60).map(|number| format!("{number} ")).collect();
    for said in [list.as_str(), "31, 32 or 33", "is it 32 or 33?"] {
        let turn = turn(&State::default(), said, Some(&problem), &Policy::default(), 1);
        assert!(!turn.state.solved);
        let mut hold = turn.hold();
        let out = format!("{}{}", hold.pass("It is 32 of them. Right?"), hold.close());
        assert!(!out.contains("32"), "{said}: {out}");
    }
}

#[test]
fn another_sum_may_follow_the_first() {
    let mut talk = Talk::new(None);
    talk.say("What is 17 * 23?");
    assert_eq!(talk.say("391 because 17 * 20 + 17 * 3 = 391").kind, MoveKind::Transfer);
    talk.say("I would split the other factor into tens and ones again");
    assert_eq!(
        talk.say("I split one factor, multiply both parts and add what I get in the end").kind,
        MoveKind::Close
    );
    talk.say("What is 12 * 12?");
    assert!(!talk.state.solved);
    assert_eq!(talk.say("144 since 12 * 12 = 144").kind, MoveKind::Transfer);
}
