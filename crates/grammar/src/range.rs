//! What bounds mean for a spelling: the integers between two bounds, and lengths.

use std::str::FromStr;

use groundwork_trace::{Bounds, Number};

/// Bytes one after the other, each out of a range; more digits may follow where `more`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spelling {
    pub(crate) bytes: Vec<(u8, u8)>,
    pub(crate) more: bool,
}

/// How many characters or items there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
    min: u32,
    max: Option<u32>,
}

impl Lengths {
    /// Any number of them.
    pub(crate) const ANY: Lengths = Lengths { min: 0, max: None };

    /// What the bounds say of lengths; nothing where that is more than can be counted.
    pub(crate) fn of(bounds: &Bounds) -> Option<Lengths> {
        Some(Lengths { min: whole(&bounds.min)?.unwrap_or(0), max: whole(&bounds.max)? })
    }

    /// Whether anything is so long.
    pub(crate) fn exist(self) -> bool {
        self.max.is_none_or(|max| self.min <= max)
    }

    pub(crate) fn at_most(self, most: u32) -> bool {
        self.max.is_some_and(|max| max <= most)
    }

    pub(crate) fn allow_end(self, count: u32) -> bool {
        count >= self.min
    }

    pub(crate) fn allow_more(self, count: u32) -> bool {
        self.max.is_none_or(|max| count < max)
    }

    /// One more, as far as it matters: lengths that allow the same stand for each other.
    pub(crate) fn next(self, count: u32) -> u32 {
        (count + 1).min(self.max.unwrap_or(self.min.max(1)))
    }

    /// As a repetition of `what`, in a regular expression or in Lark.
    pub(crate) fn times(self, what: &str) -> String {
        match (self.min, self.max) {
            (0, None) => format!("{what}*"),
            (min, None) => format!("{what}{{{min},}}"),
            (min, Some(max)) => format!("{what}{{{min},{max}}}"),
        }
    }

    /// Of what comes after the first.
    pub(crate) fn after_first(self) -> Lengths {
        Lengths { min: self.min.saturating_sub(1), max: self.max.map(|max| max.saturating_sub(1)) }
    }
}

/// A bound as a whole number; nothing where it is none, or too large.
fn whole<N: FromStr>(bound: &Option<Number>) -> Option<Option<N>> {
    bound.as_ref().map_or(Some(None), |n| n.as_str().parse().ok().map(Some))
}

const DIGIT: (u8, u8) = (b'0', b'9');
const MINUS: (u8, u8) = (b'-', b'-');

/// The spellings of the integers that keep `bounds`; nothing where these say more than a range, or are no integers of
/// 38 digits at most.
pub(crate) fn spellings(bounds: &Bounds) -> Option<Vec<Spelling>> {
    if bounds.step.is_some() {
        return None;
    }
    let beside = |n: Option<i128>, by: i128| n.map_or(Some(None), |n| n.checked_add(by).map(Some));
    let low = whole(&bounds.min)?.max(beside(whole(&bounds.above)?, 1)?);
    let highs = [whole(&bounds.max)?, beside(whole(&bounds.below)?, -1)?];
    let high: Option<i128> = highs.into_iter().flatten().min();
    let mut out = Vec::new();
    if low.is_none_or(|l| l <= -1) {
        // The numbers below zero, without their sign: -high … -low.
        let from = high.filter(|h| *h < 0).map_or(1, i128::unsigned_abs);
        let mut below = Vec::new();
        cover(from, low.map(i128::unsigned_abs), &mut below)?;
        out.extend(below.into_iter().map(|mut s| {
            s.bytes.insert(0, MINUS);
            s
        }));
    }
    if low.is_none_or(|l| l <= 0) && high.is_none_or(|h| h >= 0) {
        // `-0` is a spelling of an integer too.
        out.push(Spelling { bytes: vec![MINUS, (b'0', b'0')], more: false });
    }
    if high.is_none_or(|h| h >= 0) {
        cover(low.map_or(0, |l| l.max(0).unsigned_abs()), high.map(i128::unsigned_abs), &mut out)?;
    }
    Some(out)
}

/// The spellings of the numbers from `from` to `to`, both included: each covers as many as go on with all digits.
fn cover(from: u128, to: Option<u128>, out: &mut Vec<Spelling>) -> Option<()> {
    let Some(to) = to else {
        let digits = from.to_string().len() as u32;
        cover(from, Some(10_u128.checked_pow(digits)? - 1), out)?;
        let mut bytes = vec![(b'1', b'9')];
        bytes.extend((0..digits).map(|_| DIGIT));
        out.push(Spelling { bytes, more: true });
        return Some(());
    };
    let mut at = from;
    while at <= to {
        // As many of the last digits may be anything.
        let mut size: u128 = 1;
        while let Some(next) = size.checked_mul(10)
            && at > 0
            && at.is_multiple_of(next)
            && at.checked_add(next - 1).is_some_and(|end| end <= to)
        {
            size = next;
        }
        // The digit before them, as far as it goes.
        let digit = at / size % 10;
        let further = ((to - at + 1) / size).min(10 - digit);
        let head = (at / size).to_string();
        let mut bytes: Vec<(u8, u8)> = head.bytes().map(|b| (b, b)).collect();
        bytes.last_mut()?.1 += (further - 1) as u8;
        bytes.extend((0..size.ilog10()).map(|_| DIGIT));
        out.push(Spelling { bytes, more: false });
        match at.checked_add(further * size) {
            Some(next) => at = next,
            None => break,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use groundwork_trace::Type;

    use super::*;

    fn spells(spellings: &[Spelling], text: &str) -> bool {
        spellings.iter().any(|s| {
            let fits = |(byte, (from, to)): (u8, &(u8, u8))| (*from..=*to).contains(&byte);
            let more = &text.as_bytes()[s.bytes.len().min(text.len())..];
            text.len() >= s.bytes.len()
                && text.bytes().zip(&s.bytes).all(fits)
                && (more.is_empty() || (s.more && more.iter().all(u8::is_ascii_digit)))
        })
    }

    #[test]
    fn exactly_the_integers_between_the_bounds() {
        let ends =
            [-1005, -1000, -999, -100, -57, -10, -9, -1, 0, 1, 7, 9, 10, 19, 99, 100, 101, 999, 1000, 1234];
        for low in ends {
            for high in ends {
                for written in [
                    format!("int(min={low}, max={high})"),
                    format!("int(above={low}, below={high})"),
                    format!("int(min={low})"),
                    format!("int(max={high})"),
                ] {
                    let ty = Type::parse(&written).unwrap();
                    let Type::Bounded(_, bounds) = &ty else { panic!("{written}") };
                    let found = spellings(bounds).unwrap();
                    for n in (-1300..1300).chain([-99_999, 99_999, 1_000_000, -1_000_000]) {
                        let value = groundwork_trace::Value::int(n);
                        assert_eq!(
                            spells(&found, &n.to_string()),
                            ty.accepts(&value).is_ok(),
                            "{written} {n}"
                        );
                    }
                    let zero = groundwork_trace::Value::parse("-0").unwrap();
                    assert_eq!(spells(&found, "-0"), ty.accepts(&zero).is_ok(), "{written} -0");
                    assert!(!spells(&found, "") && !spells(&found, "-") && !spells(&found, "01"));
                }
            }
        }
    }

    #[test]
    fn large_bounds_end() {
        for written in [
            format!("int(min={}, max={})", i128::MIN, i128::MAX),
            format!("int(max={})", i128::MAX),
            "int(min=-9223372036854775808, max=9223372036854775807)".to_owned(),
        ] {
            let Type::Bounded(_, bounds) = Type::parse(&written).unwrap() else { panic!("{written}") };
            assert!(spellings(&bounds).is_none_or(|s| s.len() < 700), "{written}");
        }
    }
}
