//! Sums said as orders, "add 1/2 and 1/3", "divide 84 by 7", English and German. It never reads what somebody claims.

use super::expression;
use super::rational::Rational;
use super::scan::{Token, scan};

/// An order: words that begin it, words between its two numbers, the operation, and whether the second comes first.
struct Order {
    begins: &'static [&'static str],
    between: &'static [&'static str],
    operation: char,
    turned: bool,
}

const fn order(
    begins: &'static [&'static str],
    between: &'static [&'static str],
    operation: char,
    turned: bool,
) -> Order {
    Order { begins, between, operation, turned }
}

const ORDERS: &[Order] = &[
    order(&["add", "adding", "sum", "addiere", "addieren", "summe"], &["and", "to", "und", "zu"], '+', false),
    order(&["subtract", "subtracting", "subtrahiere", "subtrahieren", "ziehe"], &["from", "von"], '-', true),
    order(&["difference", "differenz"], &["and", "und"], '-', false),
    order(
        &["multiply", "multiplying", "product", "multipliziere", "multiplizieren", "produkt"],
        &["by", "with", "and", "mit", "und"],
        '*',
        false,
    ),
    order(&["divide", "dividing", "dividiere", "dividieren", "teile"], &["by", "durch"], '/', false),
];

/// What the first order of a folded text comes to.
pub(crate) fn ordered(folded: &str) -> Option<Rational> {
    let tokens = scan(folded);
    (0..tokens.len()).find_map(|at| {
        let (first, rest) = tokens.get(at..)?.split_first()?;
        ORDERS
            .iter()
            .filter(|order| is_one_of(first, order.begins))
            .find_map(|order| carried_out(order, rest))
    })
}

fn is_one_of(token: &Token, words: &[&str]) -> bool {
    match token {
        Token::Word(word) => words.contains(&word.as_str()),
        Token::Of => words.contains(&"von"),
        _ => false,
    }
}

fn carried_out(order: &Order, rest: &[Token]) -> Option<Rational> {
    let joint = rest.iter().position(|token| is_one_of(token, order.between))?;
    let (one, other) = (numbers(rest.get(..joint)?)?, numbers(rest.get(joint + 1..)?)?);
    let (left, right) = if order.turned { (other, one) } else { (one, other) };
    let mut sum = vec![Token::Open];
    sum.extend_from_slice(left);
    sum.extend([Token::Close, Token::Op(order.operation), Token::Open]);
    sum.extend_from_slice(right);
    sum.push(Token::Close);
    expression::read(&sum)?.linear.value()
}

/// The number or sum at the beginning, behind at most two small words ("of", "the numbers").
fn numbers(tokens: &[Token]) -> Option<&[Token]> {
    let part = |token: &Token| matches!(token, Token::Num(_) | Token::Op(_) | Token::Open | Token::Close);
    let from = tokens.iter().take(3).position(part)?;
    let whole = tokens.get(from..)?;
    let end = whole.iter().position(|token| !part(token)).unwrap_or(whole.len());
    whole.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_come_to_what_they_say() {
        for (said, value) in [
            ("i want to add 1/2 and 1/3", Some("5/6")),
            ("subtract 4 from 10", Some("6")),
            ("what is the difference between 10 and 4", Some("6")),
            ("multiply 12 by 12 please", Some("144")),
            ("divide 84 by 7", Some("12")),
            ("addiere 3 und 4", Some("7")),
            ("teile 20 durch 8", Some("2.5")),
            ("ziehe 4 von 10 ab", Some("6")),
            ("the product of 3 and 5", Some("15")),
            ("divide 3 by 0", None),
            ("add some salt and pepper", None),
            ("i add 5", None),
        ] {
            assert_eq!(ordered(said).map(|value| value.to_string()).as_deref(), value, "{said}");
        }
    }
}
