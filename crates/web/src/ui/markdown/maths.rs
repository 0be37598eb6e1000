//! Formulas as MathML: what a text writes between `$`, `\(` or `\[` becomes elements that the browser sets by itself,
//! without a font or a script. It never lets a formula define words of its own, and gives up on what it does not
//! understand: then the formula is shown as it was written.

use std::panic::catch_unwind;

use pulldown_latex::config::DisplayMode;
use pulldown_latex::{Event, Parser, RenderConfig, Storage, push_mathml};

/// Formulas longer than this many bytes are shown as they are.
const LONGEST: usize = 4_000;
/// Formulas with more groups inside each other than this are shown as they are.
const DEEPEST: usize = 32;
/// Commands that stack up without braces (`\sqrt\sqrt …`) count as depth too: no formula of people has so many.
const MOST_COMMANDS: usize = 800;
/// MathML may be this many times as long as its formula, and a little.
const MOST_GROWTH: usize = 60;
/// Definitions can multiply what is written, and the reader of formulas stops on odd numbers of characters; no answer needs either.
const REFUSED: [&str; 8] =
    ["\\char", "\\def", "\\gdef", "\\edef", "\\let", "\\futurelet", "newcommand", "renewcommand"];

/// Elements of MathML that a formula may become.
pub(super) const TAGS: [&str; 22] = [
    "math",
    "menclose",
    "mfrac",
    "mi",
    "mmultiscripts",
    "mn",
    "mo",
    "mover",
    "mpadded",
    "mphantom",
    "mprescripts",
    "mroot",
    "mrow",
    "mspace",
    "msqrt",
    "mstyle",
    "msub",
    "msubsup",
    "msup",
    "mtable",
    "mtd",
    "mtext",
];
/// The rest of them.
pub(super) const MORE_TAGS: [&str; 3] = ["mtr", "munder", "munderover"];
/// What they may say about themselves. No style, no address.
pub(super) const ATTRIBUTES: [&str; 26] = [
    "accent",
    "accentunder",
    "alttext",
    "class",
    "columnalign",
    "depth",
    "display",
    "displaystyle",
    "fence",
    "form",
    "height",
    "largeop",
    "linethickness",
    "lspace",
    "mathvariant",
    "maxsize",
    "minsize",
    "movablelimits",
    "notation",
    "rspace",
    "scriptlevel",
    "separator",
    "stretchy",
    "symmetric",
    "voffset",
    "width",
];

/// The formula as MathML; `None` when it is not understood or would be too much.
pub(super) fn mathml(formula: &str, display: bool) -> Option<String> {
    let formula = formula.trim();
    if formula.is_empty() || formula.len() > LONGEST || unfit(formula) {
        return None;
    }
    // What reads formulas says of itself that it may stop the run on odd ones; here that is one formula less.
    let drawn = catch_unwind(|| draw(formula, display)).ok().flatten()?;
    if drawn.len() > formula.len() * MOST_GROWTH + 2_048 {
        return None;
    }
    let open = drawn.find("<math")? + "<math".len();
    let (head, rest) = drawn.split_at_checked(open)?;
    let mut alternative = String::with_capacity(formula.len());
    for c in formula.chars() {
        match c {
            '"' => alternative.push_str("&quot;"),
            '<' => alternative.push_str("&lt;"),
            '>' => alternative.push_str("&gt;"),
            '&' => alternative.push_str("&amp;"),
            c if c.is_control() => alternative.push(' '),
            c => alternative.push(c),
        }
    }
    Some(format!(r#"{head} alttext="{alternative}"{rest}"#))
}

/// How many formulas a text begins with a backslash; many of them are none.
pub(super) fn begun(text: &str) -> usize {
    text.matches("\\(").count() + text.matches("\\[").count()
}

fn unfit(formula: &str) -> bool {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for byte in formula.bytes() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest > DEEPEST
        || formula.matches('\\').count() > MOST_COMMANDS
        || REFUSED.iter().any(|word| formula.contains(word))
}

fn draw(formula: &str, display: bool) -> Option<String> {
    let storage = Storage::new();
    let events: Vec<Event<'_>> = Parser::new(formula, &storage).collect::<Result<_, _>>().ok()?;
    let display_mode = if display { DisplayMode::Block } else { DisplayMode::Inline };
    let mut drawn = String::with_capacity(formula.len() * 12);
    let events = events.into_iter().map(Ok::<_, std::convert::Infallible>);
    push_mathml(&mut drawn, events, RenderConfig { display_mode, ..RenderConfig::default() }).ok()?;
    (!drawn.contains("<merror")).then_some(drawn)
}

#[cfg(test)]
mod tests {
    use super::super::render;

    #[test]
    fn formulas_become_elements() {
        let html = render("It is $x^2$ and so\n\n$$\\frac{a}{b} = \\sqrt{c}$$\n");
        assert_eq!(html.matches("<math").count(), 2, "{html}");
        for wanted in ["<msup>", "<mfrac>", "<msqrt>", "display=\"block\"", "alttext=\"x^2\""] {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
        for written in
            ["\\( x + y \\)", "\\[\\sum_{i=1}^n i\\]", "$$\\begin{pmatrix}1 & 2\\\\3 & 4\\end{pmatrix}$$"]
        {
            assert_eq!(render(written).matches("<math").count(), 1, "{written} → {}", render(written));
        }
    }

    #[test]
    fn money_and_code_are_no_formulas() {
        for text in ["It costs $5 and $10.", "`$x$`", "```\n$x$\n```", "US$ 5, CA$ 6", "$", "$$", "\\$x\\$"] {
            assert!(!render(text).contains("<math"), "{text} → {}", render(text));
        }
    }

    #[test]
    fn what_is_not_understood_is_shown_as_written() {
        let deep = format!("${}x{}$", "{".repeat(200), "}".repeat(200));
        let roots = format!("${}x$", "\\sqrt".repeat(790));
        let many = format!("${}x$", "\\sqrt".repeat(900));
        for text in [
            "$\\nosuchthing{x}$",
            "$\\def\\a{\\a\\a}\\a$",
            "$\\frac{1$",
            "$\\newcommand{\\x}{y}\\x$",
            &deep,
            &many,
        ] {
            let html = render(text);
            assert!(!html.contains("<math") && html.contains("<code>"), "{text} → {html}");
        }
        assert!(!render(&roots).is_empty());
    }

    #[test]
    fn formulas_carry_nothing_that_runs_or_loads() {
        for text in [
            "$\\text{<script>alert(1)</script>}$",
            "$\\href{javascript:alert(1)}{x}$",
            "$\\style{color:red}{x}$",
            "$\\class{x\" onclick=\"alert(1)}{x}$",
            "$\\color{red}x$",
            "$\\includegraphics{https://example.com/x.png}$",
            "$x\"><img src=x onerror=alert(1)>$",
            "$\\unicode{x3c}script$",
        ] {
            let html = render(text);
            // What is no formula is shown as it was written, and there these are words.
            let words = html.starts_with("<p><code>");
            for never in ["<script", "<img", " href=", "style=\"", "onclick=\""] {
                if words && !never.starts_with('<') {
                    continue;
                }
                assert!(!html.contains(never), "{text} → {html}");
            }
        }
    }
}
