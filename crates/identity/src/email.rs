//! One form for every way of writing an e-mail address, so that an address has one account (SAFETY V31).
//! It decides what is an address for this server; it never sends anything there.

use kernel::{Fault, Result};
use unicode_normalization::UnicodeNormalization as _;

/// The longest address (RFC 5321 with erratum 1690), in bytes.
const LONGEST: usize = 254;
/// The longest part before the `@` (RFC 5321, section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;

/// The address in its one form: no blanks around, compatibility forms folded, lower case, the domain as DNS knows
/// it. `invalid_input` for what is no address.
///
/// The part before the `@` is lower-cased too: no provider of today tells `Ann` from `ann`, and a server that did
/// would let two people have what mail readers show as one address. Dots and `+tags` are kept: they do differ.
pub fn normal(text: &str) -> Result<String> {
    let wrong = || Fault::invalid("email", "invalid", "this is no e-mail address");
    // Bounded before the work: a form can make text at most eighteen times as long.
    if text.len() > 4 * LONGEST {
        return Err(wrong());
    }
    let folded: String = text.trim().nfkc().collect::<String>().to_lowercase().nfkc().collect();
    let (local, domain) = folded.trim().rsplit_once('@').ok_or_else(wrong)?;
    let plain =
        |c: char| !c.is_control() && !c.is_whitespace() && !is_invisible(c) && !"\"(),:;<>@[\\]".contains(c);
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    if local.is_empty() || local.len() > LONGEST_LOCAL || dots || !local.chars().all(plain) {
        return Err(wrong());
    }
    let domain = host(domain).ok_or_else(wrong)?;
    let address = format!("{local}@{domain}");
    if address.len() > LONGEST { Err(wrong()) } else { Ok(address) }
}

/// The domain as DNS knows it; an address literal or a single label is none that strangers can have mail at.
fn host(domain: &str) -> Option<String> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let url::Host::Domain(ascii) = url::Host::parse(domain).ok()? else { return None };
    let labels = ascii.split('.');
    let well_formed = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (ascii.len() <= 253 && labels.clone().count() > 1 && labels.clone().all(well_formed)).then_some(ascii)
}

/// What is not seen on a screen: two addresses that look the same would be two accounts.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_is_one_address() {
        for text in [
            "ann.smith@example.com",
            " Ann.Smith@Example.COM ",
            "ANN.SMITH@EXAMPLE.COM.",
            "\u{ff41}nn.smith@example.com",
            "ann.smith\u{ff20}example.com",
            "ann.smith@ex\u{ff41}mple.com",
            "ann.smith@example\u{3002}com",
            "\tann.\u{17f}mith@example.com\n",
        ] {
            assert_eq!(normal(text).unwrap(), "ann.smith@example.com", "{text:?}");
        }
        assert_eq!(normal("j@B\u{fc}cher.de").unwrap(), "j@xn--bcher-kva.de");
        assert_eq!(normal("J\u{f6}rg@x.de").unwrap(), normal("jo\u{308}rg@X.DE").unwrap());
        assert_ne!(normal("ann+a@x.de").unwrap(), normal("ann@x.de").unwrap());
        let once = normal("\u{1e9e}tra\u{df}e@x.de").unwrap();
        assert_eq!(normal(&once).unwrap(), once);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}com", "abcdefghi.".repeat(30));
        for text in [
            "",
            "@",
            "ann",
            "ann@",
            "@example.com",
            "ann@localhost",
            "ann@127.0.0.1",
            "ann@[::1]",
            "ann smith@example.com",
            "ann@exa mple.com",
            "a..b@example.com",
            ".a@example.com",
            "ann@example.com,bob@example.com",
            "a@b@example.com",
            "a\0b@example.com",
            "a\r\nBcc:x@example.com",
            "<ann@example.com>",
            "an\u{200b}n@example.com",
            "ann@-x.com",
            "ann@x..com",
            &long,
            &longer,
        ] {
            assert!(normal(text).is_err(), "{text:?}");
        }
    }
}
