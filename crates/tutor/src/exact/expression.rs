//! Expressions over exact numbers with at most one letter: read from marks, as `a·x + b`.
//! What is not linear, or does not fit, cannot be checked and gives `None`.

use super::rational::Rational;
use super::scan::Token;

/// How deep brackets may be nested.
const DEPTH: usize = 24;

/// `slope · letter + rest`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Linear {
    /// The letter; absent while the slope is zero.
    pub(crate) letter: Option<char>,
    /// What the letter is multiplied with.
    pub(crate) slope: Rational,
    /// What is added.
    pub(crate) rest: Rational,
}

impl Linear {
    const fn number(rest: Rational) -> Linear {
        Linear { letter: None, slope: Rational::ZERO, rest }
    }

    /// The value when no letter is in it.
    pub(crate) fn value(self) -> Option<Rational> {
        self.slope.is_zero().then_some(self.rest)
    }

    fn common(self, other: Linear) -> Option<Option<char>> {
        match (self.letter, other.letter) {
            (Some(one), Some(another)) if one != another => None,
            (one, another) => Some(one.or(another)),
        }
    }

    fn add(self, other: Linear) -> Option<Linear> {
        let letter = self.common(other)?;
        Some(Linear { letter, slope: self.slope.add(other.slope)?, rest: self.rest.add(other.rest)? })
    }

    fn scale(self, by: Rational) -> Option<Linear> {
        Some(Linear { letter: self.letter, slope: self.slope.mul(by)?, rest: self.rest.mul(by)? })
    }

    pub(crate) fn sub(self, other: Linear) -> Option<Linear> {
        self.add(other.scale(Rational::whole(-1))?)
    }

    fn mul(self, other: Linear) -> Option<Linear> {
        match (self.value(), other.value()) {
            (Some(by), _) => other.scale(by),
            (_, Some(by)) => self.scale(by),
            _ => None,
        }
    }

    fn div(self, other: Linear) -> Option<Linear> {
        self.scale(Rational::ONE.div(other.value()?)?)
    }
}

/// An expression that was read.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Expression {
    /// What it comes to.
    pub(crate) linear: Linear,
    /// How many operations it holds.
    pub(crate) operations: usize,
}

/// Reads all of the marks as one expression.
pub(crate) fn read(tokens: &[Token]) -> Option<Expression> {
    let mut reader = Reader { tokens, at: 0, operations: 0, ranked: true };
    let linear = reader.sum(0)?;
    (reader.at == tokens.len()).then_some(Expression { linear, operations: reader.operations })
}

/// Reads them from left to right, as if no operation came before another: a slip that learners make.
pub(crate) fn read_in_line(tokens: &[Token]) -> Option<Rational> {
    let mut reader = Reader { tokens, at: 0, operations: 0, ranked: false };
    let linear = reader.sum(0)?;
    if reader.at == tokens.len() { linear.value() } else { None }
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    operations: usize,
    ranked: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn sum(&mut self, depth: usize) -> Option<Linear> {
        let mut left = self.product(depth)?;
        while let Some(Token::Op(op @ ('+' | '-' | '*' | '/'))) = self.peek() {
            let op = *op;
            self.at += 1;
            self.operations += 1;
            // "100 + 20 %" may mean two things.
            let percent = matches!(self.peek(), Some(Token::Num(number)) if number.percent);
            if percent && matches!(op, '+' | '-') {
                return None;
            }
            let right = self.product(depth)?;
            left = match op {
                '+' => left.add(right)?,
                '-' => left.sub(right)?,
                '*' => left.mul(right)?,
                _ => left.div(right)?,
            };
        }
        Some(left)
    }

    fn product(&mut self, depth: usize) -> Option<Linear> {
        let mut left = self.power(depth)?;
        loop {
            match self.peek() {
                Some(Token::Op('*')) if self.ranked => {
                    self.at += 1;
                    self.operations += 1;
                    left = left.mul(self.power(depth)?)?;
                }
                Some(Token::Op('/')) if self.ranked => {
                    self.at += 1;
                    self.operations += 1;
                    left = left.div(self.power(depth)?)?;
                }
                Some(Token::Of | Token::Open | Token::Letter(_)) => {
                    if matches!(self.peek(), Some(Token::Of)) {
                        self.at += 1;
                    }
                    self.operations += 1;
                    left = left.mul(self.power(depth)?)?;
                }
                _ => return Some(left),
            }
        }
    }

    fn power(&mut self, depth: usize) -> Option<Linear> {
        let base = self.value(depth)?;
        if self.peek() != Some(&Token::Op('^')) {
            return Some(base);
        }
        self.at += 1;
        self.operations += 1;
        let power = self.value(depth)?.value()?;
        Some(Linear::number(base.value()?.pow(power)?))
    }

    fn value(&mut self, depth: usize) -> Option<Linear> {
        if depth > DEPTH {
            return None;
        }
        let token = self.peek()?.clone();
        self.at += 1;
        match token {
            Token::Num(number) if !number.ordinal => Some(Linear::number(number.value)),
            Token::Letter(letter) => {
                Some(Linear { letter: Some(letter), slope: Rational::ONE, rest: Rational::ZERO })
            }
            Token::Op('-') => self.power(depth + 1)?.scale(Rational::whole(-1)),
            Token::Op('+') => self.power(depth + 1),
            Token::Open => {
                let inside = self.sum(depth + 1)?;
                if self.peek() != Some(&Token::Close) {
                    return None;
                }
                self.at += 1;
                Some(inside)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::scan::scan;

    fn value(text: &str) -> Option<String> {
        read(&scan(&crate::fold::fold(text)))?.linear.value().map(|value| value.to_string())
    }

    #[test]
    fn expressions_are_exact() {
        let table = [
            ("2(40+9)", "98"),
            ("1/3 + 1/6", "0.5"),
            ("0,1 + 0,2", "0.3"),
            ("2^10 - 4 * 6", "1000"),
            ("half of 84", "42"),
            ("50 % of 84", "42"),
            ("twelve plus thirty times 1", "42"),
            ("100 x 12", "1200"),
            ("-(3 - 5)", "2"),
            ("84 geteilt durch zwei", "42"),
        ];
        for (text, result) in table {
            assert_eq!(value(text).as_deref(), Some(result), "{text}");
        }
        for bad in ["1/0", "2^99999", "100 + 20%", "((((", "x * y", "", "+", "9^60"] {
            assert_eq!(value(bad), None, "{bad}");
        }
        assert_eq!(value(&"(".repeat(100_000)), None);
        assert_eq!(value(&format!("{}1", "-".repeat(100_000))), None);
    }
}
