//! Charts as SVG, drawn on the server: lines and areas over the last hour or the last days, with words for those who do not see them
//! and a table for those who want the numbers. It draws what it is given and knows nothing of what it means.

use std::fmt::Write as _;

use super::Markup;
use crate::texts::{key, told};

/// A chart over equal steps of time, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// A word for ids.
    pub(crate) slug: &'static str,
    pub(crate) title: &'static str,
    /// What the newest values say, in a sentence.
    pub(crate) summary: String,
    /// What a value is counted in: `ms`, or nothing.
    pub(crate) unit: &'static str,
    pub(crate) lines: Vec<Line>,
    /// The moment of each value: the minute as `HH:MM`, or the day, in UTC.
    pub(crate) labels: Vec<String>,
    pub(crate) pace: Pace,
}

/// The steps of a chart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The whole span in words.
    span: &'static str,
    /// Every how many steps the axis is labelled.
    ticks: usize,
    /// Every how many steps the numbers are listed.
    rows: usize,
}

impl Pace {
    /// The last hour, by minutes.
    pub(crate) const HOUR: Pace = Pace { span: key("the last hour"), ticks: 15, rows: 5 };

    /// The last day, by hours.
    pub(crate) const DAY: Pace = Pace { span: key("the last 24 hours"), ticks: 6, rows: 3 };

    /// So many days.
    pub(crate) const fn days(span: &'static str, days: usize) -> Pace {
        Pace { span, ticks: if days > 60 { 30 } else { 7 }, rows: if days > 60 { 7 } else { 1 } }
    }
}

/// One line of a chart.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// Which colour: `one`, `two`, `bad`.
    pub(crate) tone: &'static str,
    /// `None` where nothing was measured.
    pub(crate) values: Vec<Option<f64>>,
}

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 22.0;

impl Chart {
    /// The picture.
    pub(crate) fn picture(&self) -> Markup {
        let top =
            nice(self.lines.iter().flat_map(|line| &line.values).flatten().copied().fold(0.0, f64::max));
        let steps = self.labels.len().max(2);
        let x = |place: usize| LEFT + (WIDTH - LEFT - RIGHT) * whole(place) / whole(steps - 1);
        let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value / top);
        let mut svg = format!(
            r#"<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{0}-t {0}-d"><title id="{0}-t">{1}, {3}</title><desc id="{0}-d">{2}</desc>"#,
            self.slug,
            told(self.title),
            self.summary,
            told(self.pace.span)
        );
        for part in 0..=2 {
            let value = top * f64::from(part) / 2.0;
            let at = y(value);
            let _ = write!(
                svg,
                r#"<path class="grid" d="M{LEFT} {at:.1}H{:.1}"/><text class="tick" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
                WIDTH - RIGHT,
                LEFT - 6.0,
                at + 3.5,
                number(value)
            );
        }
        for (place, label) in self.labels.iter().enumerate() {
            let last = place + 1 == self.labels.len();
            if (self.labels.len() - 1 - place).is_multiple_of(self.pace.ticks) {
                let anchor = if last {
                    "end"
                } else if place == 0 {
                    "start"
                } else {
                    "middle"
                };
                let _ = write!(
                    svg,
                    r#"<text class="tick" x="{:.1}" y="{:.1}" text-anchor="{anchor}">{label}</text>"#,
                    x(place),
                    HEIGHT - 6.0
                );
            }
        }
        for line in &self.lines {
            for run in runs(&line.values) {
                svg.push_str(&stroke(line.tone, &run, &x, &y));
            }
        }
        for (place, label) in self.labels.iter().enumerate() {
            let width = (WIDTH - LEFT - RIGHT) / whole(steps - 1);
            let _ = write!(
                svg,
                r#"<rect class="spot" x="{:.1}" y="{TOP}" width="{width:.1}" height="{:.1}"><title>{label}"#,
                x(place) - width / 2.0,
                HEIGHT - TOP - BOTTOM
            );
            for line in &self.lines {
                let _ = write!(svg, " · {} {}", told(line.name), self.value(line, place));
            }
            svg.push_str("</title></rect>");
        }
        svg.push_str("</svg>");
        Markup(svg)
    }

    /// The newest value of a line.
    pub(crate) fn newest(&self, line: &Line) -> String {
        self.value(line, self.labels.len().saturating_sub(1))
    }

    fn value(&self, line: &Line, place: usize) -> String {
        match line.values.get(place).copied().flatten() {
            Some(value) if self.unit.is_empty() => number(value),
            Some(value) => format!("{} {}", number(value), self.unit),
            None => "–".to_owned(),
        }
    }

    /// The numbers, newest first, few enough to read aloud.
    pub(crate) fn rows(&self) -> Vec<(String, Vec<String>)> {
        let newest = self.labels.len().saturating_sub(1);
        (0..self.labels.len())
            .rev()
            .filter(|place| (newest - place).is_multiple_of(self.pace.rows))
            .filter_map(|place| {
                let values = self.lines.iter().map(|line| self.value(line, place)).collect();
                self.labels.get(place).map(|label| (label.clone(), values))
            })
            .collect()
    }

    /// Whether there is anything to draw.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.values.iter().all(Option::is_none))
    }
}

/// Values that follow each other without a gap, with their places.
fn runs(values: &[Option<f64>]) -> Vec<Vec<(usize, f64)>> {
    let mut runs = Vec::new();
    let mut run = Vec::new();
    for (place, value) in values.iter().enumerate() {
        match value {
            Some(value) => run.push((place, *value)),
            None if !run.is_empty() => runs.push(std::mem::take(&mut run)),
            None => {}
        }
    }
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

fn stroke(tone: &str, run: &[(usize, f64)], x: &impl Fn(usize) -> f64, y: &impl Fn(f64) -> f64) -> String {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return String::new() };
    let mut path = String::new();
    for (count, (place, value)) in run.iter().enumerate() {
        let _ = write!(path, "{}{:.1} {:.1}", if count == 0 { "M" } else { "L" }, x(*place), y(*value));
    }
    let mut drawn = format!(
        r#"<path class="area {tone}" d="{path}L{:.1} {:.1}L{:.1} {:.1}Z"/><path class="line {tone}" d="{path}"/>"#,
        x(last.0),
        y(0.0),
        x(first.0),
        y(0.0)
    );
    let _ =
        write!(drawn, r#"<circle class="end {tone}" cx="{:.1}" cy="{:.1}" r="2.5"/>"#, x(last.0), y(last.1));
    drawn
}

/// The next number that is easy to read: 1, 2 or 5 times a power of ten, at least 4.
fn nice(most: f64) -> f64 {
    if most <= 4.0 || !most.is_finite() {
        return 4.0;
    }
    let mut step = 1.0;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            if most <= factor * step {
                return factor * step;
            }
        }
        step *= 10.0;
    }
}

fn number(value: f64) -> String {
    let rounded = if value < 10.0 { (value * 10.0).round() / 10.0 } else { value.round() };
    if rounded >= 10_000.0 { format!("{:.0}k", rounded / 1_000.0) } else { rounded.to_string() }
}

fn whole(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: Vec<Option<f64>>) -> Chart {
        let labels = (0..values.len()).map(|n| format!("12:{n:02}")).collect();
        Chart {
            slug: "requests",
            title: "Requests",
            summary: "3 a minute.".to_owned(),
            unit: "ms",
            lines: vec![Line { name: "all", tone: "one", values }],
            labels,
            pace: Pace::HOUR,
        }
    }

    #[test]
    fn gaps_break_the_line_and_numbers_stay_inside() {
        let picture = chart(vec![Some(1.0), None, Some(3.0), Some(f64::from(2_000))]).picture().to_string();
        assert_eq!(picture.matches("class=\"line one\"").count(), 2);
        assert!(picture.contains("<title>12:01 · all –</title>") && picture.contains("<desc"));
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
    }

    #[test]
    fn nothing_measured_is_still_a_picture() {
        for values in [vec![], vec![None], vec![None; 60], vec![Some(0.0)]] {
            let chart = chart(values);
            assert!(!chart.picture().to_string().contains("NaN"));
            assert_eq!(chart.rows().len(), chart.labels.len().div_ceil(5));
        }
    }

    #[test]
    fn scales_are_easy_to_read() {
        for (most, top) in [
            (0.0, 4.0),
            (3.9, 4.0),
            (7.0, 10.0),
            (41.0, 50.0),
            (399.0, 500.0),
            (501.0, 1_000.0),
            (123_456.0, 200_000.0),
        ] {
            assert_eq!(nice(most), top, "{most}");
        }
        assert_eq!((number(0.25), number(12.4), number(15_400.0)), ("0.3".into(), "12".into(), "15k".into()));
    }
}
