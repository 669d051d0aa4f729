//! How numbers are written in verdicts and reports.

use crate::score::unit_of;

/// A value of a metric: shares as per cent, everything else with three digits that count.
pub(crate) fn value(metric: &str, v: f64) -> String {
    if unit_of(metric) == "share" { format!("{} %", fixed(v * 100.0, 1)) } else { digits(v) }
}

/// A difference in a metric, with its sign: shares in percentage points.
pub(crate) fn difference(metric: &str, v: f64) -> String {
    if v.is_nan() {
        return "–".into();
    }
    let sign = if v < 0.0 { "−" } else { "+" };
    if unit_of(metric) == "share" {
        format!("{sign}{} pp", fixed(v.abs() * 100.0, 1))
    } else {
        format!("{sign}{}", digits(v.abs()))
    }
}

/// An interval of differences.
pub(crate) fn interval(metric: &str, ends: Option<(f64, f64)>) -> String {
    match ends {
        Some((low, high)) => format!("{} to {}", difference(metric, low), difference(metric, high)),
        None => "no interval".into(),
    }
}

/// The unit of a difference, with a space before it; nothing where the difference carries it.
pub(crate) fn unit(metric: &str) -> String {
    match unit_of(metric) {
        "share" | "" => String::new(),
        unit => format!(" {unit}"),
    }
}

/// An e-value.
pub(crate) fn evidence(e: f64) -> String {
    if e > 9999.0 { "> 9999".into() } else { digits(e) }
}

/// Three digits that count: 12.3, 0.0456, 1230.
pub(crate) fn digits(v: f64) -> String {
    if !v.is_finite() {
        return "not a number".into();
    }
    if v == 0.0 {
        return "0".into();
    }
    let places = (2 - v.abs().log10().floor() as i32).clamp(0, 6) as usize;
    fixed(v, places)
}

/// Four digits that count, for multipliers close to one: 1.031, 0.9872.
pub(crate) fn precise(v: f64) -> String {
    if !v.is_finite() || v == 0.0 {
        return digits(v);
    }
    let places = (3 - v.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let text = fixed(v, places);
    if v.abs() < 1.0 { fixed(v, places.min(3)) } else { text }
}

/// Two values of a metric with digits enough to tell them apart; dashes where there are none, as of a size without pairs.
pub(crate) fn both(metric: &str, values: [f64; 2]) -> [String; 2] {
    if values.iter().all(|v| v.is_nan()) {
        return ["–", "–"].map(str::to_owned);
    }
    let apart = (values[0] - values[1]).abs();
    if unit_of(metric) == "share" || !apart.is_finite() || apart == 0.0 {
        return values.map(|v| value(metric, v));
    }
    let needed = 1 - apart.log10().floor() as i32;
    let usual = 2 - values[0].abs().max(1e-9).log10().floor() as i32;
    let places = needed.max(usual).clamp(0, 6) as usize;
    values.map(|v| fixed(v, places))
}

/// A probability or share: 87 %, 4.2 %, below 0.1 %.
pub(crate) fn share(p: f64) -> String {
    match p * 100.0 {
        p if !p.is_finite() => "not a number".into(),
        p if p.abs() < 0.1 && p != 0.0 => "below 0.1 %".into(),
        p if p.abs() < 10.0 => format!("{} %", fixed(p, 1)),
        p if p > 99.5 && p < 100.0 => "above 99 %".into(),
        p => format!("{} %", fixed(p, 0)),
    }
}

fn fixed(v: f64, places: usize) -> String {
    if v.is_finite() { format!("{v:.places$}").replace('-', "−") } else { "not a number".into() }
}

/// A large count with a unit of thousands: 850, 12.4 k, 3.10 M, 2.20 G.
pub(crate) fn count(v: f64) -> String {
    scaled(v, &["", " k", " M", " G", " T", " P", " E"])
}

/// FLOPs: 3.20 TFLOPs.
pub(crate) fn flops(v: f64) -> String {
    scaled(v, &[" FLOPs", " kFLOPs", " MFLOPs", " GFLOPs", " TFLOPs", " PFLOPs", " EFLOPs", " ZFLOPs"])
}

fn scaled(v: f64, units: &[&str]) -> String {
    let mut v = v;
    let mut unit = 0;
    while v >= 999.5 && unit + 1 < units.len() {
        v /= 1000.0;
        unit += 1;
    }
    format!("{}{}", if unit == 0 { format!("{v:.0}") } else { digits(v) }, units[unit])
}

/// A span of time: 42 s, 3 min 20 s, 2 h 05 min.
pub(crate) fn time(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

/// Bytes: 310 MiB.
pub(crate) fn bytes(v: u64) -> String {
    if v == 0 {
        // A trainer that is not ours need not say.
        return "–".into();
    }
    let mib = v as f64 / f64::from(1 << 20);
    if mib < 1024.0 { format!("{mib:.0} MiB") } else { format!("{:.1} GiB", mib / 1024.0) }
}

/// A multiplier: 1.83×.
pub(crate) fn times(v: f64) -> String {
    match v {
        v if v > 100.0 => "> 100×".to_owned(),
        v if v < 0.01 => "< 0.01×".to_owned(),
        v => format!("{}×", digits(v)),
    }
}

/// A value on an axis, without digits that say nothing.
pub(crate) fn tick(v: f64) -> String {
    let text = format!("{v:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.replace('-', "−") }
}

/// A value of a metric on an axis.
pub(crate) fn tick_of(metric: &str, v: f64) -> String {
    if unit_of(metric) == "share" { format!("{} %", tick(v * 100.0)) } else { tick(v) }
}

/// A margin, as the bet states it.
pub(crate) fn margin(metric: &str, v: f64) -> String {
    if unit_of(metric) == "share" { format!("{} pp", tick(v * 100.0)) } else { tick(v) }
}

/// A count on an axis: 3 M.
pub(crate) fn count_tick(v: f64) -> String {
    let (mut v, mut unit) = (v, 0);
    let units = ["", " k", " M", " G", " T", " P", " E"];
    while v >= 999.5 && unit + 1 < units.len() {
        v /= 1000.0;
        unit += 1;
    }
    format!("{}{}", tick((v * 100.0).round() / 100.0), units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(value("success_rate", 0.4213), "42.1 %");
        assert_eq!(value("bits_per_action_byte", 1.23456), "1.23");
        assert_eq!(difference("success_rate", -0.05), "−5.0 pp");
        assert_eq!(difference("bits_per_action_byte", 0.04567), "+0.0457");
        assert_eq!(interval("excess_steps", Some((-0.1, 2.0))), "−0.100 to +2.00");
        assert_eq!(
            (count(850.0), count(12_400.0), count(3.1e6)),
            ("850".into(), "12.4 k".into(), "3.10 M".into())
        );
        assert_eq!(flops(3.2e12), "3.20 TFLOPs");
        assert_eq!(
            (time(42.0), time(200.0), time(7500.0)),
            ("42 s".into(), "3 min 20 s".into(), "2 h 05 min".into())
        );
        assert_eq!((bytes(325_058_560), bytes(3 << 30)), ("310 MiB".into(), "3.0 GiB".into()));
        assert_eq!(digits(f64::NAN), "not a number");
    }
}
