//! Exact numbers: rationals, numbers in words, expressions, equations, units.
//! It never rounds: what does not fit is "cannot check".

pub(crate) mod equation;
pub(crate) mod expression;
pub(crate) mod number;
pub(crate) mod rational;
pub(crate) mod scan;
pub(crate) mod spell;
pub(crate) mod spoken;
pub(crate) mod unit;
pub(crate) mod words;
