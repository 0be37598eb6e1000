//! Patterns of names: `*` and `?` within a name, `**` over folders. A pattern without `/` is asked of each name, one
//! with it of the path from the root. It takes time in proportion to the pattern times the name, whatever both are.

/// A pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glob {
    signs: Vec<Sign>,
    path: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sign {
    Byte(u8),
    /// Any byte but `/`.
    One,
    /// Any number of them.
    Many,
    /// Any number of any bytes.
    Across,
}

impl Glob {
    /// Reads a pattern. Every text is one.
    pub fn new(pattern: &str) -> Glob {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        let mut signs = Vec::new();
        for byte in pattern.bytes() {
            match (byte, signs.last()) {
                (b'*', Some(Sign::Many | Sign::Across)) => {
                    signs.pop();
                    signs.push(Sign::Across);
                }
                (b'*', _) => signs.push(Sign::Many),
                (b'?', _) => signs.push(Sign::One),
                // `**/x` is also `x`.
                (b'/', Some(Sign::Across)) => {}
                (byte, _) => signs.push(Sign::Byte(byte)),
            }
        }
        let trimmed = if signs.first() == Some(&Sign::Byte(b'/')) { signs.split_off(1) } else { signs };
        Glob { signs: trimmed, path: pattern.contains('/') }
    }

    /// Whether the path, or the name where the pattern has no `/`, is one of those meant.
    pub fn matches(&self, path: &[u8], name: &[u8]) -> bool {
        let text = if self.path { path } else { name };
        // The set of places in the pattern that the text so far can have led to.
        let mut places = vec![false; self.signs.len() + 1];
        if let Some(first) = places.first_mut() {
            *first = true;
        }
        self.skip(&mut places);
        for byte in text {
            let mut next = vec![false; places.len()];
            for (at, sign) in self.signs.iter().enumerate() {
                if !places.get(at).copied().unwrap_or(false) {
                    continue;
                }
                let (stays, goes) = match sign {
                    Sign::Byte(wanted) => (false, wanted == byte),
                    Sign::One => (false, *byte != b'/'),
                    Sign::Many => (*byte != b'/', false),
                    Sign::Across => (true, false),
                };
                for (to, reached) in [(at, stays), (at + 1, goes)] {
                    if let Some(place) = next.get_mut(to) {
                        *place |= reached;
                    }
                }
            }
            self.skip(&mut next);
            places = next;
        }
        places.last().copied().unwrap_or(false)
    }

    /// What may stand for nothing is passed at once.
    fn skip(&self, places: &mut [bool]) {
        for (at, sign) in self.signs.iter().enumerate() {
            if matches!(sign, Sign::Many | Sign::Across)
                && places.get(at) == Some(&true)
                && let Some(next) = places.get_mut(at + 1)
            {
                *next = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(pattern: &str, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap();
        Glob::new(pattern).matches(path.as_bytes(), name.as_bytes())
    }

    #[test]
    fn names_and_paths_are_matched() {
        assert!(
            is("*.iso", "a/b/c.iso")
                && is("node_modules", "x/node_modules")
                && is("IMG_????.jpg", "IMG_1234.jpg")
        );
        assert!(is("a/*.txt", "a/x.txt") && !is("a/*.txt", "a/b/x.txt") && is("a/**/x.txt", "a/b/c/x.txt"));
        assert!(is("**/x.txt", "x.txt") && is("./a/b/", "a/b") && is("/a", "a"));
        assert!(!is("*.iso", "c.iso2") && !is("", "x") && !is("?", ""));
    }

    #[test]
    fn a_hostile_pattern_takes_no_longer_than_others() {
        let pattern = "*a".repeat(500) + "b";
        assert!(!is(&pattern, &"a".repeat(5_000)));
    }
}
