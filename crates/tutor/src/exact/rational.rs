//! Rational numbers of 128 bits. Every operation that would overflow gives `None`; nothing is ever rounded.

use std::cmp::Ordering;
use std::fmt;

/// A fraction in lowest terms; the denominator is positive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Rational {
    num: i128,
    den: i128,
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Rational {
    /// Zero.
    pub(crate) const ZERO: Rational = Rational { num: 0, den: 1 };
    /// One.
    pub(crate) const ONE: Rational = Rational { num: 1, den: 1 };

    /// A whole number.
    pub(crate) const fn whole(number: i64) -> Rational {
        Rational { num: number as i128, den: 1 }
    }

    /// `num / den`; `None` for a division by zero or a value that does not fit.
    pub(crate) fn new(num: i128, den: i128) -> Option<Rational> {
        if den == 0 {
            return None;
        }
        let common = gcd(num.unsigned_abs(), den.unsigned_abs());
        let common = i128::try_from(common).ok()?;
        let (num, den) = (num.checked_div(common)?, den.checked_div(common)?);
        if den < 0 {
            return Some(Rational { num: num.checked_neg()?, den: den.checked_neg()? });
        }
        Some(Rational { num, den })
    }

    /// From the digits before and after a decimal point.
    pub(crate) fn decimal(whole: &str, fraction: &str) -> Option<Rational> {
        if whole.len() + fraction.len() > 36 {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let num: i128 = if digits.is_empty() { return None } else { digits.parse().ok()? };
        Rational::new(num, 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?)
    }

    /// The sum.
    pub(crate) fn add(self, other: Rational) -> Option<Rational> {
        let left = self.num.checked_mul(other.den)?;
        let right = other.num.checked_mul(self.den)?;
        Rational::new(left.checked_add(right)?, self.den.checked_mul(other.den)?)
    }

    /// The difference.
    pub(crate) fn sub(self, other: Rational) -> Option<Rational> {
        self.add(other.neg()?)
    }

    /// The product.
    pub(crate) fn mul(self, other: Rational) -> Option<Rational> {
        Rational::new(self.num.checked_mul(other.num)?, self.den.checked_mul(other.den)?)
    }

    /// The quotient; `None` for a division by zero.
    pub(crate) fn div(self, other: Rational) -> Option<Rational> {
        Rational::new(self.num.checked_mul(other.den)?, self.den.checked_mul(other.num)?)
    }

    /// The negative.
    pub(crate) fn neg(self) -> Option<Rational> {
        Some(Rational { num: self.num.checked_neg()?, den: self.den })
    }

    /// The absolute value.
    pub(crate) fn abs(self) -> Rational {
        Rational { num: self.num.checked_abs().unwrap_or(i128::MAX), den: self.den }
    }

    /// A whole power between -64 and 64.
    pub(crate) fn pow(self, power: Rational) -> Option<Rational> {
        let power = power.as_whole().filter(|power| power.abs() <= 64)?;
        let mut result = Rational::ONE;
        for _ in 0..power.unsigned_abs() {
            result = result.mul(self)?;
        }
        if power < 0 { Rational::ONE.div(result) } else { Some(result) }
    }

    /// The value when it is whole.
    pub(crate) fn as_whole(self) -> Option<i64> {
        (self.den == 1).then(|| i64::try_from(self.num).ok()).flatten()
    }

    /// Numerator and denominator.
    pub(crate) const fn parts(self) -> (i128, i128) {
        (self.num, self.den)
    }

    /// Whether it is nothing.
    pub(crate) const fn is_zero(self) -> bool {
        self.num == 0
    }

    /// As a decimal fraction without a rest, with at most `places` places; `None` when it has more.
    pub(crate) fn as_decimal(self, places: u32) -> Option<String> {
        let scale = 10_i128.checked_pow(places)?;
        let scaled = self.num.checked_mul(scale)?;
        if scaled % self.den != 0 {
            return None;
        }
        let scaled = scaled / self.den;
        let (whole, rest) = (scaled.abs() / scale, scaled.abs() % scale);
        let sign = if scaled < 0 { "-" } else { "" };
        let rest = format!("{rest:0width$}", width = usize::try_from(places).ok()?);
        let rest = rest.trim_end_matches('0');
        Some(if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") })
    }
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Rational) -> Option<Ordering> {
        let left = self.num.checked_mul(other.den)?;
        Some(left.cmp(&other.num.checked_mul(self.den)?))
    }
}

impl fmt::Display for Rational {
    /// A whole number or decimal where it is one, else a fraction: `42`, `0.5`, `1/3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_decimal(6) {
            Some(text) => f.write_str(&text),
            None if self.den == 1 => write!(f, "{}", self.num),
            None => write!(f, "{}/{}", self.num, self.den),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn r(num: i128, den: i128) -> Rational {
        Rational::new(num, den).unwrap()
    }

    #[test]
    fn forms_of_one_value_are_equal_and_overflow_is_none() {
        assert_eq!(r(2, -4), r(-1, 2));
        assert_eq!(r(1, 3).add(r(1, 6)), Some(r(1, 2)));
        assert_eq!(r(1, 2).div(Rational::ZERO), None);
        assert_eq!(Rational::decimal("0", "50"), Some(r(1, 2)));
        assert_eq!(r(i128::MAX, 1).add(Rational::ONE), None);
        assert_eq!(Rational::new(i128::MIN, -1), None);
        assert_eq!(r(2, 1).pow(Rational::whole(-2)), Some(r(1, 4)));
        assert_eq!(r(10, 1).pow(Rational::whole(65)), None);
    }

    #[test]
    fn values_print_as_people_write_them() {
        let shown: Vec<String> =
            [r(84, 2), r(1, 2), r(1, 3), r(-5, 4)].iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["42", "0.5", "1/3", "-1.25"]);
    }
}
