//! Styles name the sides of a line by its beginning and its end: `margin-inline-start` and not `margin-left`, so that a
//! page turns around where lines begin at the right.

use super::super::Finding;
use super::super::house::House;
use super::SCRIPTS;

/// What has a logical name.
const PHYSICAL: &[&str] = &[
    "margin-left",
    "margin-right",
    "padding-left",
    "padding-right",
    "border-left",
    "border-right",
    "left:",
    "right:",
    "text-align: left",
    "text-align: right",
    "float: left",
    "float: right",
];
/// Shorthands whose second and fourth values are the right and the left.
const SHORTHANDS: &[&str] = &["margin", "padding", "inset"];

/// No style names a physical side where the logical one exists.
pub(in super::super) fn logical(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in
        house.files.iter().filter(|file| file.path.starts_with(SCRIPTS) && file.path.ends_with(".css"))
    {
        for (number, line) in (1..).zip(file.text.lines()) {
            for declaration in line.split(['{', ';']).map(str::trim) {
                if is_physical(declaration) {
                    let fix = format!("line {number}: `{declaration}`: say start and end, `…-inline`");
                    findings.push(Finding::new(&file.path, "styles know no left and right", fix));
                }
            }
        }
    }
    findings
}

fn is_physical(declaration: &str) -> bool {
    if PHYSICAL.iter().any(|name| declaration.starts_with(name)) {
        return true;
    }
    let Some((name, value)) = declaration.split_once(':') else { return false };
    let values = values(value);
    SHORTHANDS.contains(&name) && values.len() == 4 && values.get(1) != values.get(3)
}

/// The values of a shorthand; blanks in parentheses part none.
fn values(text: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let mut values = vec![String::new()];
    for sign in text.trim().trim_end_matches("!important").trim().chars() {
        depth += i32::from(sign == '(') - i32::from(sign == ')');
        match values.last_mut() {
            Some(last) if !(sign == ' ' && depth == 0) => last.push(sign),
            _ => values.push(String::new()),
        }
    }
    values
}
