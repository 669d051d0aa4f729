//! Charts as inline SVG: a few forms, drawn with as little ink as they need. Colours come from the style sheet.

use maud::{Markup, html};

use crate::bet::Arm;

/// A scale from data to pixels.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    from: (f64, f64),
    to: (f64, f64),
    log: bool,
}

impl Scale {
    pub(super) fn linear(from: (f64, f64), to: (f64, f64)) -> Scale {
        Scale { from: apart(from), to, log: false }
    }

    pub(super) fn log(from: (f64, f64), to: (f64, f64)) -> Scale {
        Scale { from: apart(from), to, log: true }
    }

    pub(super) fn at(&self, v: f64) -> f64 {
        let f = |x: f64| if self.log { x.ln() } else { x };
        self.to.0 + (f(v) - f(self.from.0)) / (f(self.from.1) - f(self.from.0)) * (self.to.1 - self.to.0)
    }

    /// Round values for about `n` ticks of a linear scale.
    pub(super) fn ticks(&self, n: usize) -> Vec<f64> {
        linear_ticks(self.from, n)
    }
}

fn apart(from: (f64, f64)) -> (f64, f64) {
    if from.1 > from.0 { from } else { (from.0, from.0 + from.0.abs().max(1e-9)) }
}

fn linear_ticks((low, high): (f64, f64), n: usize) -> Vec<f64> {
    let raw = (high - low) / n.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step =
        [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= raw).unwrap_or(10.0 * power);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// The smallest round range that holds all values, with some air.
pub(super) fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let air = 0.06 * (high - low).max(1e-9);
    (low - air, high + air)
}

fn class(arm: Arm) -> &'static str {
    match arm {
        Arm::Baseline => "baseline",
        Arm::Candidate => "candidate",
    }
}

/// One line of a forest: a difference with its interval.
pub(super) struct Effect {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) pairs: Vec<f64>,
    pub(super) words: String,
}

/// Differences with their intervals over a common axis with zero and the margin marked.
pub(super) fn forest(effects: &[Effect], margin: f64, tick: &dyn Fn(f64) -> String) -> Markup {
    let (left, right, row, top) = (70.0, 730.0, 44.0, 34.0);
    let bottom = top + row * effects.len() as f64;
    let all = effects
        .iter()
        .flat_map(|e| {
            let ends = e.interval.unwrap_or((e.value, e.value));
            e.pairs.iter().copied().chain([e.value, ends.0, ends.1])
        })
        .chain([0.0, margin, -margin]);
    let x = Scale::linear(range(all), (left, right));
    let close = (x.at(margin) - x.at(0.0)).abs() < 90.0;
    html! {
        svg viewBox=(format!("0 0 960 {}", bottom + 30.0)) role="img" aria-label="Improvement by size with intervals" {
            line.zero x1=(x.at(0.0)) x2=(x.at(0.0)) y1=(top - 8.0) y2=(bottom) {}
            line.margin x1=(x.at(margin)) x2=(x.at(margin)) y1=(top - 8.0) y2=(bottom) {}
            text x=(x.at(0.0) - if close { 6.0 } else { 0.0 }) y=(top - 16.0)
                text-anchor=(if close { "end" } else { "middle" }) { "no difference" }
            text x=(x.at(margin) + if close { 6.0 } else { 0.0 }) y=(top - 16.0)
                text-anchor=(if close { "start" } else { "middle" }) { "worth having" }
            @for t in x.ticks(6) {
                line.axis x1=(x.at(t)) x2=(x.at(t)) y1=(bottom) y2=(bottom + 5.0) {}
                text x=(x.at(t)) y=(bottom + 20.0) text-anchor="middle" { (tick(t)) }
            }
            line.axis x1=(left) x2=(right) y1=(bottom) y2=(bottom) {}
            @for (i, e) in effects.iter().enumerate() {
                @let y = top + row * (i as f64 + 0.5);
                g.candidate {
                    text.label x="0" y=(y + 4.0) { (e.name) }
                    @if let Some((low, high)) = e.interval {
                        line.bar x1=(x.at(low)) x2=(x.at(high)) y1=(y) y2=(y) {}
                    }
                    @for p in &e.pairs {
                        circle.hollow cx=(x.at(*p)) cy=(y + 11.0) r="2.5" {}
                    }
                    circle.dot cx=(x.at(e.value)) cy=(y) r="6" {}
                    text.label x="960" y=(y + 4.0) text-anchor="end" { (e.words) }
                }
            }
        }
    }
}

/// A share of each arm, with its interval; `None` where the arm has no attempts.
pub(super) struct Share {
    pub(super) name: String,
    pub(super) arms: [Option<(f64, f64, f64)>; 2],
    pub(super) n: usize,
    /// Starts a new group of rows, under this name.
    pub(super) group: Option<String>,
}

/// Shares of both arms on an axis from 0 to 100 %, one row each.
pub(super) fn shares(title: &str, rows: &[Share], width: f64, labels: [&str; 2]) -> Markup {
    let (left, right, row) = (118.0, width - 46.0, 30.0);
    let x = Scale::linear((0.0, 1.0), (left, right));
    let groups = rows.iter().filter(|r| r.group.is_some()).count() as f64;
    let top = 30.0;
    let bottom = top + row * rows.len() as f64 + 24.0 * groups;
    let mut y = top;
    let placed: Vec<(f64, Option<f64>, &Share)> = rows
        .iter()
        .map(|r| {
            let heading = r.group.as_ref().map(|_| {
                y += 24.0;
                y - 4.0
            });
            y += row;
            (y - row / 2.0, heading, r)
        })
        .collect();
    html! {
        svg viewBox=(format!("0 0 {width} {}", bottom + 24.0)) role="img" aria-label=(title) {
            text.title x="0" y="14" { (title) }
            @for (arm, label, x) in [(Arm::Baseline, labels[0], width - 176.0), (Arm::Candidate, labels[1], width - 84.0)] {
                g class=(class(arm)) {
                    circle.dot cx=(x) cy="10" r="4.5" {}
                    text.name x=(x + 10.0) y="14" { (label) }
                }
            }
            @for t in [0.0, 0.25, 0.5, 0.75, 1.0] {
                line.axis x1=(x.at(t)) x2=(x.at(t)) y1=(top) y2=(bottom) {}
                text x=(x.at(t)) y=(bottom + 18.0) text-anchor="middle" { (format!("{:.0} %", t * 100.0)) }
            }
            @for (y, heading, r) in &placed {
                @if let (Some(at), Some(group)) = (heading, &r.group) { text.title x="0" y=(at) { (group) } }
                text.label x="0" y=(y + 4.0) { (r.name) }
                @for (arm, share) in Arm::BOTH.into_iter().zip(&r.arms) {
                    @if let Some((value, low, high)) = share {
                        @let y = if arm == Arm::Baseline { y - 5.0 } else { y + 5.0 };
                        g class=(class(arm)) {
                            line.bar.fine x1=(x.at(*low)) x2=(x.at(*high)) y1=(y) y2=(y) {}
                            circle.dot cx=(x.at(*value)) cy=(y) r="4.5" {}
                        }
                    }
                }
                text x=(width) y=(y + 4.0) text-anchor="end" { "n " (r.n) }
            }
        }
    }
}

/// A line of a panel.
pub(super) struct Series {
    pub(super) arm: Arm,
    pub(super) points: Vec<(f64, f64)>,
    /// A single run behind a mean.
    pub(super) thin: bool,
}

/// A small chart of curves over tokens, the lines named at their ends.
pub(super) fn panel(
    title: &str,
    series: &[Series],
    labels: [&str; 2],
    x_tick: &dyn Fn(f64) -> String,
) -> Markup {
    let (width, height, left, right, top, bottom) = (300.0, 200.0, 36.0, 168.0, 30.0, 172.0);
    let points = || series.iter().flat_map(|s| s.points.iter().copied());
    let end = points().map(|p| p.0).fold(0.0, f64::max);
    // The first steps fall so steeply that they would flatten everything after them; the frame cuts them.
    let settled: Vec<f64> = points().filter(|p| p.0 >= 0.07 * end).map(|p| p.1).collect();
    let (low, high) = range(settled.iter().copied());
    // Where even the rest falls steeply, the last third is what arms differ in.
    let late = points().filter(|p| p.0 >= 0.67 * end).map(|p| p.1);
    let (_, late_high) = range(late);
    let high = if high - low > 4.0 * (late_high - low) { low + 3.0 * (late_high - low) } else { high };
    let x = Scale::linear((0.0, end), (left, right));
    let y = Scale::linear((low.max(0.0), high), (bottom, top));
    let mut ends: Vec<(Arm, f64, f64)> = series
        .iter()
        .filter(|s| !s.thin)
        .filter_map(|s| s.points.last().map(|p| (s.arm, y.at(p.1), p.1)))
        .collect();
    ends.sort_by(|a, b| a.1.total_cmp(&b.1));
    for i in 1..ends.len() {
        ends[i].1 = ends[i].1.max(ends[i - 1].1 + 15.0);
    }
    html! {
        svg viewBox=(format!("0 0 {width} {height}")) role="img" aria-label=(title) {
            text.title x="0" y="14" { (title) }
            @for t in y.ticks(3) {
                line.axis x1=(left) x2=(right) y1=(y.at(t)) y2=(y.at(t)) {}
                text x=(left - 6.0) y=(y.at(t) + 4.0) text-anchor="end" { (crate::figures::tick(t)) }
            }
            @for t in x.ticks(2) {
                text x=(x.at(t)) y=(bottom + 18.0) text-anchor="middle" { (x_tick(t)) }
            }
            @for s in series {
                polyline class=(format!("curve {}{}", class(s.arm), if s.thin { " thin" } else { "" }))
                    points=(polyline(&s.points, &x, &y, top)) {}
            }
            @for (arm, at, value) in &ends {
                g class=(class(*arm)) {
                    text.name x=(right + 6.0) y=(at + 4.0) {
                        (labels[usize::from(*arm == Arm::Candidate)]) " " (crate::figures::digits(*value))
                    }
                }
            }
        }
    }
}

/// Points as SVG wants them; what lies above the frame is left out.
fn polyline(points: &[(f64, f64)], x: &Scale, y: &Scale, top: f64) -> String {
    let inside =
        points.iter().map(|p| (x.at(p.0), y.at(p.1))).filter(|p| p.1 >= top - 1.0 && p.1.is_finite());
    inside.map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

/// A size in the chart of score against compute.
pub(super) struct Dot {
    pub(super) flops: f64,
    pub(super) value: f64,
    /// The value of every seed.
    pub(super) seeds: Vec<f64>,
    /// Two lines under the axis.
    pub(super) names: [String; 2],
}

/// An arm in the chart of score against compute.
pub(super) struct Against {
    pub(super) arm: Arm,
    pub(super) label: String,
    pub(super) rungs: Vec<Dot>,
    /// The fitted curve, sampled.
    pub(super) fit: Vec<(f64, f64)>,
}

/// Score against compute, compute on a logarithmic axis that is marked where the sizes stand.
pub(super) fn against_compute(arms: &[Against], y_name: &str, y_tick: &dyn Fn(f64) -> String) -> Markup {
    let (left, right, top, bottom) = (56.0, 770.0, 36.0, 360.0);
    let dots = || arms.iter().flat_map(|a| &a.rungs);
    let low = dots().map(|d| d.flops).fold(f64::INFINITY, f64::min);
    let high = dots().map(|d| d.flops).fold(0.0, f64::max);
    let x = Scale::log((low / 1.25, high * 1.25), (left, right));
    let values = dots().flat_map(|d| d.seeds.iter().copied().chain([d.value]));
    let y = Scale::linear(
        range(values.chain(arms.iter().flat_map(|a| a.fit.iter().map(|p| p.1)))),
        (bottom, top),
    );
    let mut names: Vec<(Arm, &str, f64)> =
        arms.iter().filter_map(|a| Some((a.arm, a.label.as_str(), y.at(a.rungs.last()?.value)))).collect();
    names.sort_by(|a, b| a.2.total_cmp(&b.2));
    for i in 1..names.len() {
        names[i].2 = names[i].2.max(names[i - 1].2 + 18.0);
    }
    html! {
        svg viewBox="0 0 960 404" role="img" aria-label="Score against compute" {
            text x="0" y="14" { (y_name) }
            @for t in y.ticks(5) {
                line.axis x1=(left) x2=(right) y1=(y.at(t)) y2=(y.at(t)) {}
                text x=(left - 10.0) y=(y.at(t) + 4.0) text-anchor="end" { (y_tick(t)) }
            }
            @for d in arms.first().map_or(&[][..], |a| &a.rungs) {
                line.axis x1=(x.at(d.flops)) x2=(x.at(d.flops)) y1=(bottom) y2=(bottom + 6.0) {}
                text.label x=(x.at(d.flops)) y=(bottom + 22.0) text-anchor="middle" { (d.names[0]) }
                text x=(x.at(d.flops)) y=(bottom + 39.0) text-anchor="middle" { (d.names[1]) }
            }
            @for a in arms {
                g class=(class(a.arm)) {
                    polyline.fit points=(polyline(&a.fit, &x, &y, top)) {}
                    @for d in &a.rungs {
                        @for s in &d.seeds { circle.hollow cx=(x.at(d.flops) + 11.0) cy=(y.at(*s)) r="2.5" {} }
                        circle.dot cx=(x.at(d.flops)) cy=(y.at(d.value)) r="5.5" {}
                    }
                }
            }
            @for (arm, name, at) in &names {
                g class=(class(*arm)) { text.name x=(right) y=(at + 4.0) { (name) } }
            }
        }
    }
}

/// A bar of parts that add up, with the parts named beneath it by the caller.
pub(super) fn parts(shares: &[f64], arm: Arm) -> Markup {
    let total: f64 = shares.iter().sum();
    let mut at = 0.0;
    let blocks: Vec<(f64, f64, f64)> = shares
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let width = 960.0 * s / total.max(1e-12);
            at += width;
            (at - width, width, 1.0 - 0.8 * i as f64 / shares.len().max(2) as f64)
        })
        .collect();
    html! {
        svg viewBox="0 0 960 16" preserveAspectRatio="none" role="img" aria-label="Shares of tokens by source" {
            g class=(class(arm)) {
                @for (x, width, opacity) in &blocks {
                    rect.block x=(x) y="0" width=((width - 2.0).max(0.5)) height="14" opacity=(format!("{opacity:.2}")) {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(linear_ticks((0.0, 1.0), 4), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(linear_ticks((-0.13, 0.42), 4), [0.0, 0.2, 0.4]);
    }

    #[test]
    fn a_scale_without_extent_still_has_one() {
        assert!(Scale::linear((2.0, 2.0), (0.0, 10.0)).at(2.0).is_finite());
        assert_eq!(range([f64::NAN].into_iter()), (0.0, 1.0));
    }
}
