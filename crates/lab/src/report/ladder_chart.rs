//! The charts of the judgement: the extrapolation with its fan, and the effect pair by pair with its boundaries.

use maud::{Markup, html};

use super::chart::{Scale, range};

/// A rung in the chart of the extrapolation.
pub(super) struct RungMark {
    pub(super) name: String,
    pub(super) flops: f64,
    pub(super) mean: f64,
    pub(super) interval: Option<(f64, f64)>,
}

/// What the chart of the extrapolation draws.
pub(super) struct Fan<'a> {
    pub(super) rungs: Vec<RungMark>,
    /// FLOPs, mean, low, high.
    pub(super) fan: &'a [[f64; 4]],
    /// The largest rung as the smaller ones predict it: predicted, low, high.
    pub(super) back_test: Option<[f64; 3]>,
    pub(super) target: f64,
    pub(super) margin: f64,
}

/// Effect against compute, with the prediction and its interval up to the target.
pub(super) fn fan(f: &Fan<'_>, tick: &dyn Fn(f64) -> String) -> Markup {
    let (left, right, top, bottom) = (70.0, 860.0, 24.0, 330.0);
    let first = f.rungs.first().map_or(1.0, |r| r.flops);
    let x = Scale::log((first / 1.4, f.target * 1.4), (left, right));
    let ends = f.rungs.iter().flat_map(|r| {
        let (low, high) = r.interval.unwrap_or((r.mean, r.mean));
        [r.mean, low, high]
    });
    let band = f.fan.iter().flat_map(|p| [p[2], p[3]]);
    let y = Scale::linear(
        range(ends.chain(band).chain([0.0, f.margin]).chain(f.back_test.into_iter().flatten())),
        (bottom, top),
    );
    let point = |flops: f64, v: f64| format!("{:.1},{:.1}", x.at(flops), y.at(v));
    let outline: Vec<String> = f
        .fan
        .iter()
        .map(|p| point(p[0], p[3]))
        .chain(f.fan.iter().rev().map(|p| point(p[0], p[2])))
        .collect();
    let line: Vec<String> = f.fan.iter().map(|p| point(p[0], p[1])).collect();
    let last = f.rungs.last();
    html! {
        svg viewBox="0 0 960 378" role="img" aria-label="Effect against compute, with the prediction at the target" {
            @for t in y.ticks(6) {
                line.axis x1=(left) x2=(right) y1=(y.at(t)) y2=(y.at(t)) {}
                text x=(left - 10.0) y=(y.at(t) + 4.0) text-anchor="end" { (tick(t)) }
            }
            line.zero x1=(left) x2=(right) y1=(y.at(0.0)) y2=(y.at(0.0)) {}
            text x=(right + 8.0) y=(y.at(0.0) + 4.0) { "no effect" }
            @if f.margin > 0.0 {
                line.margin x1=(left) x2=(right) y1=(y.at(f.margin)) y2=(y.at(f.margin)) {}
                @if (y.at(f.margin) - y.at(0.0)).abs() > 14.0 {
                    text x=(right + 8.0) y=(y.at(f.margin) + 4.0) { "worth having" }
                }
            }
            g.candidate {
                @if !outline.is_empty() { polygon.band points=(outline.join(" ")) {} }
                polyline.fit points=(line.join(" ")) {}
                @if let (Some([predicted, low, high]), Some(top_rung)) = (f.back_test, last) {
                    @let at = x.at(top_rung.flops) - 14.0;
                    line.bar.dashed x1=(at) x2=(at) y1=(y.at(low)) y2=(y.at(high)) {}
                    rect.hollow x=(at - 4.0) y=(y.at(predicted) - 4.0) width="8" height="8"
                        transform=(format!("rotate(45 {at:.1} {:.1})", y.at(predicted))) {}
                }
                @for r in &f.rungs {
                    @if let Some((low, high)) = r.interval {
                        line.bar x1=(x.at(r.flops)) x2=(x.at(r.flops)) y1=(y.at(low)) y2=(y.at(high)) {}
                    }
                    circle.dot cx=(x.at(r.flops)) cy=(y.at(r.mean)) r="5.5" {}
                }
            }
            @for r in &f.rungs {
                line.axis x1=(x.at(r.flops)) x2=(x.at(r.flops)) y1=(bottom) y2=(bottom + 6.0) {}
                text.label x=(x.at(r.flops)) y=(bottom + 22.0) text-anchor="middle" { (r.name) }
                text x=(x.at(r.flops)) y=(bottom + 39.0) text-anchor="middle" { (crate::figures::flops(r.flops)) }
            }
            line.margin x1=(x.at(f.target)) x2=(x.at(f.target)) y1=(top) y2=(bottom + 6.0) {}
            text.label x=(x.at(f.target)) y=(bottom + 22.0) text-anchor="middle" { "target" }
            text x=(x.at(f.target)) y=(bottom + 39.0) text-anchor="middle" { (crate::figures::flops(f.target)) }
        }
    }
}

/// The effect after so many pairs: mean, interval, and whether it could decide.
pub(super) struct PathPoint {
    pub(super) n: u32,
    pub(super) mean: f64,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) decides: bool,
}

/// The effect pair by pair, with the interval of each time; `cap` is where the confidence sequence takes over.
pub(super) fn path(points: &[PathPoint], margin: f64, cap: u32, tick: &dyn Fn(f64) -> String) -> Markup {
    let (left, right, top, bottom) = (70.0, 860.0, 24.0, 250.0);
    let end = points.last().map_or(2, |p| p.n).max(cap).max(3);
    let x = Scale::linear((1.5, f64::from(end) + 0.5), (left, right));
    let mut ends: Vec<f64> = points.iter().filter_map(|p| p.interval).flat_map(|(l, h)| [l, h]).collect();
    // The first interval may be so wide that it would flatten all others; the frame cuts it.
    ends.sort_by(f64::total_cmp);
    let inner = |at: f64| ends.get((at * ends.len().saturating_sub(1) as f64) as usize).copied();
    let (first, last) = if ends.len() > 4 { (0.1, 0.9) } else { (0.0, 1.0) };
    let shown = [inner(first), inner(last)].into_iter().flatten();
    let (low, high) = range(points.iter().map(|p| p.mean).chain([0.0, margin]).chain(shown));
    let y = Scale::linear((low, high), (bottom, top));
    let within = |v: f64| y.at(v.clamp(low, high));
    let line: Vec<String> =
        points.iter().map(|p| format!("{:.1},{:.1}", x.at(f64::from(p.n)), y.at(p.mean))).collect();
    html! {
        svg viewBox="0 0 960 292" role="img" aria-label="The effect pair by pair, with its boundaries" {
            @for t in y.ticks(5) {
                line.axis x1=(left) x2=(right) y1=(y.at(t)) y2=(y.at(t)) {}
                text x=(left - 10.0) y=(y.at(t) + 4.0) text-anchor="end" { (tick(t)) }
            }
            line.zero x1=(left) x2=(right) y1=(y.at(0.0)) y2=(y.at(0.0)) {}
            text x=(right + 8.0) y=(y.at(0.0) + 4.0) { "no effect" }
            @if margin > 0.0 {
                line.margin x1=(left) x2=(right) y1=(y.at(margin)) y2=(y.at(margin)) {}
                @if (y.at(margin) - y.at(0.0)).abs() > 14.0 {
                    text x=(right + 8.0) y=(y.at(margin) + 4.0) { "worth having" }
                }
            }
            @if points.last().is_some_and(|p| p.n > cap) {
                line.margin x1=(x.at(f64::from(cap) + 0.5)) x2=(x.at(f64::from(cap) + 0.5)) y1=(top) y2=(bottom) {}
                text x=(x.at(f64::from(cap) + 0.5) + 6.0) y=(top + 4.0) { "extension" }
            }
            g.candidate {
                polyline.fit points=(line.join(" ")) {}
                @for p in points {
                    @let at = x.at(f64::from(p.n));
                    @if let Some((l, h)) = p.interval {
                        line.bar x1=(at) x2=(at) y1=(within(l)) y2=(within(h)) {}
                        @for v in [l, h] {
                            @if v >= low && v <= high {
                                line.bar x1=(at - 7.0) x2=(at + 7.0) y1=(y.at(v)) y2=(y.at(v)) {}
                            }
                        }
                    }
                    @if p.decides {
                        circle.dot cx=(at) cy=(y.at(p.mean)) r="5.5" {}
                    } @else {
                        circle.hollow cx=(at) cy=(y.at(p.mean)) r="5" {}
                    }
                }
            }
            @for n in 2..=end {
                @if end <= 24 || n % 5 == 0 {
                    text x=(x.at(f64::from(n))) y=(bottom + 20.0) text-anchor="middle" { (n) }
                }
            }
            text x=(right) y=(bottom + 38.0) text-anchor="end" { "pairs" }
        }
    }
}
