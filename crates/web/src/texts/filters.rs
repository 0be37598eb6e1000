//! What templates write: `{{ "Sign out"|t }}`, `{{ "{name} is back."|t|with("name", name) }}`,
//! `{{ "{count} file|{count} files"|n(files) }}`, and elements inside a sentence: `{{ "No account? {a}Create one{/a}"|t|link("a", "/sign-up") }}`.

#![expect(unreachable_pub, reason = "what the macro of filters makes")]

use askama::Values;

use super::sentence::{Line, Number, Value};
use super::{find, language};

type Result<T> = askama::Result<T>;

/// The text in the language of whoever reads.
#[askama::filter_fn]
pub(crate) fn t<'a, T: AsRef<str> + ?Sized>(text: &'a T, _: &dyn Values) -> Result<Line<'a>> {
    Ok(Line::new(find(text.as_ref())))
}

/// The form of the text for a number, which fills `{count}`.
#[askama::filter_fn]
pub(crate) fn n<'a, T: AsRef<str> + ?Sized, N: Number>(
    text: &'a T,
    _: &dyn Values,
    number: N,
) -> Result<Line<'a>> {
    let number = number.number();
    let form = language().form(find(text.as_ref()), number);
    Ok(Line::new(form).with("count", &crate::ui::frame::grouped(number)))
}

/// With this in the place of `{name}`: text, a number, another line, or a finished piece such as a moment.
#[askama::filter_fn]
pub(crate) fn with<'a, V: Value>(
    line: Line<'a>,
    _: &dyn Values,
    name: &'static str,
    value: V,
) -> Result<Line<'a>> {
    Ok(line.with(name, &value))
}

/// With `<strong>value</strong>` in the place of `{name}`.
#[askama::filter_fn]
pub(crate) fn strong<'a, V: Value>(
    line: Line<'a>,
    _: &dyn Values,
    name: &'static str,
    value: V,
) -> Result<Line<'a>> {
    Ok(line.with_html(name, format!("<strong>{}</strong>", value.html())))
}

/// With `<code>value</code>` in the place of `{name}`, which reads from left to right in every language.
#[askama::filter_fn]
pub(crate) fn code<'a, V: Value>(
    line: Line<'a>,
    _: &dyn Values,
    name: &'static str,
    value: V,
) -> Result<Line<'a>> {
    Ok(line.with_html(name, format!("<code dir=\"ltr\">{}</code>", value.html())))
}

/// With what stands between `{name}` and `{/name}` as a link.
#[askama::filter_fn]
pub(crate) fn link<'a, V: Value>(
    line: Line<'a>,
    _: &dyn Values,
    name: &'static str,
    href: V,
) -> Result<Line<'a>> {
    Ok(line.around(name, format!("<a href=\"{}\">", href.html()), "</a>"))
}

/// With what stands between `{name}` and `{/name}` as the element of this tag: `"strong"`, `"span class=\"hidden\""`.
#[askama::filter_fn]
pub(crate) fn tag<'a>(
    line: Line<'a>,
    _: &dyn Values,
    name: &'static str,
    element: &'static str,
) -> Result<Line<'a>> {
    let end = element.split(' ').next().unwrap_or_default();
    Ok(line.around(name, format!("<{element}>"), &format!("</{end}>")))
}
