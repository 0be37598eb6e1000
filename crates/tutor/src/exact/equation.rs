//! The sums and equations that a text holds: which are right, and what kind of slip made the others wrong.
//! It never says what would be right.

use serde::{Deserialize, Serialize};

use super::expression::{self, Expression};
use super::rational::Rational;
use super::scan::{Token, scan};

/// What went wrong in a sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slip {
    /// The sign is the other one.
    Sign,
    /// One too many or too few.
    OffByOne,
    /// Another operation than the one that was written.
    Operation,
    /// The decimal point stands elsewhere.
    DecimalPlace,
    /// Operations done in the order in which they stand.
    Order,
    /// Two digits have changed places.
    Digits,
    /// Something else.
    Arithmetic,
}

/// A sum with what it is said to come to.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Sum {
    /// What stands left of the sign.
    pub(crate) left: String,
    /// What it comes to.
    pub(crate) value: Rational,
    /// What the writer says.
    pub(crate) said: Rational,
    /// What is wrong, when something is.
    pub(crate) slip: Option<Slip>,
}

/// What a text holds of arithmetic.
#[derive(Clone, Default, Debug)]
pub(crate) struct Arithmetic {
    /// Sums with a result.
    pub(crate) sums: Vec<Sum>,
    /// Every expression with an operation and a value, as written and what it comes to.
    pub(crate) expressions: Vec<(String, Rational)>,
    /// What letters come to where an equation gives it, and whether the equation was more than `x = 4`.
    pub(crate) solved: Vec<(char, Rational, bool)>,
}

/// Finds the arithmetic of a folded text.
pub(crate) fn find(folded: &str) -> Arithmetic {
    let tokens = scan(folded);
    let mut found = Arithmetic::default();
    for run in runs(&tokens) {
        let sides: Vec<&[Token]> = run.split(|token| matches!(token, Token::Equal | Token::Is)).collect();
        let read: Vec<Option<Expression>> = sides.iter().map(|side| expression::read(side)).collect();
        for (side, expression) in sides.iter().zip(&read) {
            match expression {
                Some(Expression { linear, operations }) if *operations > 0 => {
                    if let Some(value) = linear.value() {
                        found.expressions.push((written(side), value));
                    }
                }
                Some(_) => {}
                None => parts(side, &mut found),
            }
        }
        for ((left, right), (left_read, right_read)) in
            sides.iter().zip(sides.iter().skip(1)).zip(read.iter().zip(read.iter().skip(1)))
        {
            let (Some(one), Some(another)) = (left_read, right_read) else { continue };
            pair(left, one, right, another, &mut found);
        }
    }
    found
}

/// Expressions inside of what is no whole one: "so 3 + 4 (see above".
fn parts(side: &[Token], found: &mut Arithmetic) {
    let best = (0..side.len()).find_map(|from| {
        (from + 3..=side.len()).rev().find_map(|to| {
            let part = side.get(from..to).filter(|part| part.len() <= 40)?;
            let read = expression::read(part).filter(|read| read.operations > 0)?;
            Some((written(part), read.linear.value()?))
        })
    });
    found.expressions.extend(best.filter(|_| side.len() <= 80));
}

fn pair(left: &[Token], one: &Expression, right: &[Token], another: &Expression, found: &mut Arithmetic) {
    match (one.linear.value(), another.linear.value()) {
        (Some(value), Some(said)) if one.operations > 0 => {
            let holds = value == said || rounded(value, said, right) || runs_on(value, another, right);
            let slip = (!holds).then(|| slip(left, value, said));
            // Of a right side with operations only what it comes to counts.
            found.sums.push(Sum { left: written(left), value, said, slip });
        }
        (Some(_), Some(_)) => {}
        _ => {
            let Some(difference) = one.linear.sub(another.linear) else { return };
            let Some(letter) = difference.letter.filter(|_| !difference.slope.is_zero()) else { return };
            let solution = difference.rest.div(difference.slope).and_then(Rational::neg);
            if let Some(solution) = solution {
                found.solved.push((letter, solution, one.operations + another.operations > 0));
            }
        }
    }
}

/// `10 / 3 = 3.33`
fn rounded(value: Rational, said: Rational, right: &[Token]) -> bool {
    let [.., Token::Num(number)] = right else { return false };
    if value.as_decimal(number.places).is_some() && number.places == 0 {
        return false;
    }
    let (Some(gap), Some(unit)) =
        (value.sub(said), Rational::whole(10).pow(Rational::whole(i64::from(number.places))))
    else {
        return false;
    };
    number.places > 0 && gap.abs().mul(unit).is_some_and(|gap| gap < Rational::ONE)
}

/// `3 + 4 = 7 * 2 = 14`: bad style, but no slip.
fn runs_on(value: Rational, another: &Expression, right: &[Token]) -> bool {
    another.operations > 0 && matches!(right.first(), Some(Token::Num(number)) if number.value == value)
}

fn slip(left: &[Token], value: Rational, said: Rational) -> Slip {
    if said.neg() == Some(value) && !value.is_zero() {
        return Slip::Sign;
    }
    if let [Token::Num(a), Token::Op(op), Token::Num(b)] = left {
        let others = [
            ('+', a.value.add(b.value)),
            ('-', a.value.sub(b.value)),
            ('-', b.value.sub(a.value)),
            ('*', a.value.mul(b.value)),
            ('/', a.value.div(b.value)),
            ('/', b.value.div(a.value)),
        ];
        if others.iter().any(|(other, result)| other != op && *result == Some(said)) {
            return Slip::Operation;
        }
    }
    if value.sub(said).is_some_and(|gap| gap.abs() == Rational::ONE) {
        return Slip::OffByOne;
    }
    let tens = [10, 100, 1_000].map(Rational::whole);
    if tens.iter().any(|ten| value.mul(*ten) == Some(said) || said.mul(*ten) == Some(value)) {
        return Slip::DecimalPlace;
    }
    if expression::read_in_line(left) == Some(said) {
        return Slip::Order;
    }
    let sorted = |number: Rational| {
        let mut digits: Vec<char> = number.to_string().chars().collect();
        digits.sort_unstable();
        digits
    };
    if sorted(value) == sorted(said) { Slip::Digits } else { Slip::Arithmetic }
}

/// Stretches of marks that may be arithmetic: a number may be followed by its noun ("15 cups + 25 cups").
fn runs(tokens: &[Token]) -> Vec<Vec<Token>> {
    let mut all = Vec::new();
    let mut run: Vec<Token> = Vec::new();
    let mut operated = false;
    for (at, token) in tokens.iter().enumerate() {
        let valued = matches!(run.last(), Some(Token::Num(_) | Token::Close | Token::Letter(_)));
        let keep = match token {
            Token::Num(_) => !valued,
            Token::Letter(_) => true,
            Token::Op(_) => {
                operated = true;
                valued || *token == Token::Op('-') || *token == Token::Op('+')
            }
            Token::Open => true,
            Token::Close => run.contains(&Token::Open),
            Token::Equal => valued,
            Token::Is => valued && operated,
            Token::Of => {
                operated = true;
                matches!(run.last(), Some(Token::Num(number)) if number.percent || number.value < Rational::ONE)
            }
            Token::Word(_) => {
                let next =
                    tokens.iter().skip(at).take(5).find(|token| !matches!(token, Token::Word(_) | Token::Of));
                if valued && matches!(next, Some(Token::Op(_) | Token::Equal | Token::Is | Token::Close)) {
                    continue;
                }
                false
            }
            Token::Break => false,
        };
        if keep {
            run.push(token.clone());
            continue;
        }
        finish(&mut run, &mut all);
        operated = false;
        if matches!(token, Token::Num(_) | Token::Open) {
            run.push(token.clone());
        }
    }
    finish(&mut run, &mut all);
    all
}

fn finish(run: &mut Vec<Token>, all: &mut Vec<Vec<Token>>) {
    while matches!(run.last(), Some(Token::Op(_) | Token::Equal | Token::Is | Token::Of | Token::Open)) {
        run.pop();
    }
    let run = std::mem::take(run);
    let start = run.iter().position(|token| {
        !matches!(token, Token::Op('*' | '/' | '^') | Token::Equal | Token::Is | Token::Close)
    });
    if let Some(run) = start.and_then(|start| run.get(start..)).filter(|run| run.len() >= 3) {
        all.push(run.to_vec());
    }
}

/// Marks as they are shown: `3 + 4`.
pub(crate) fn written(tokens: &[Token]) -> String {
    let mut out = String::new();
    for token in tokens {
        match token {
            Token::Num(number) if number.percent => {
                let many = number.others.last().copied().unwrap_or(number.value);
                out.push_str(&format!("{many}%"));
            }
            Token::Num(number) => out.push_str(&number.value.to_string()),
            Token::Op('*') => out.push_str(" × "),
            Token::Op('/') => out.push_str(" ÷ "),
            Token::Op('^') => out.push('^'),
            Token::Op(op) => out.push_str(&format!(" {op} ")),
            Token::Open => out.push('('),
            Token::Close => out.push(')'),
            Token::Letter(letter) => out.push(*letter),
            Token::Of => out.push_str(" of "),
            Token::Equal | Token::Is => out.push_str(" = "),
            Token::Word(_) | Token::Break => {}
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(text: &str) -> Vec<(String, bool)> {
        let found = find(&crate::fold::fold(text));
        found.sums.iter().map(|sum| (sum.left.clone(), sum.slip.is_none())).collect()
    }

    fn slip_of(text: &str) -> Option<Slip> {
        find(&crate::fold::fold(text)).sums.first().and_then(|sum| sum.slip)
    }

    #[test]
    fn sums_in_prose_are_found_and_checked() {
        assert_eq!(
            sums("So 12 divided by 2 is 6, and $1200 + $240 + $1200 = $1540 in total."),
            [("12 ÷ 2".to_owned(), true), ("1200 + 240 + 1200".to_owned(), false)]
        );
        assert_eq!(
            sums("15 cups + 25 cups = 40 cups, 2(40+9)=98"),
            [("15 + 25".to_owned(), true), ("2(40 + 9)".to_owned(), true)]
        );
        assert_eq!(sums("3 yards x 3 feet/yard = 9 feet"), [("3 × 3".to_owned(), true)]);
        assert_eq!(
            sums("10/3 = 3.33 and 3 + 4 = 7 * 2 = 14"),
            [("10 ÷ 3".to_owned(), true), ("3 + 4".to_owned(), true), ("7 × 2".to_owned(), true)]
        );
        assert!(sums("There are 4 of them in 3 rooms.").is_empty());
    }

    #[test]
    fn slips_have_a_kind() {
        assert_eq!(slip_of("5 - 8 = 3"), Some(Slip::Sign));
        assert_eq!(slip_of("7 * 8 = 57"), Some(Slip::OffByOne));
        assert_eq!(slip_of("7 + 8 = 56"), Some(Slip::Operation));
        assert_eq!(slip_of("12 * 20 = 2400"), Some(Slip::DecimalPlace));
        assert_eq!(slip_of("2 + 3 * 4 = 20"), Some(Slip::Order));
        assert_eq!(slip_of("30 + 42 = 27"), Some(Slip::Digits));
        assert_eq!(slip_of("30 + 42 = 99"), Some(Slip::Arithmetic));
        assert_eq!(slip_of("30 + 42 = 72"), None);
    }

    #[test]
    fn equations_with_one_letter_are_solved() {
        let solved = |text: &str| find(&crate::fold::fold(text)).solved;
        assert_eq!(solved("2x + 3 = 11"), [('x', Rational::whole(4), true)]);
        assert_eq!(solved("x = 4"), [('x', Rational::whole(4), false)]);
        assert_eq!(solved("3(n - 2) = n + 10"), [('n', Rational::whole(8), true)]);
        assert!(solved("x * x = 9").is_empty());
        assert!(solved("x = x").is_empty());
    }
}
