//! The spellings of the numbers that keep bounds, as an automaton.

use std::cmp::Ordering;

use groundwork_trace::{Bounds, Number};

use crate::automaton::{Automaton, MOST_STATES, TooLarge};

/// The digits that a bound may have when it is written without exponent.
const MOST_DIGITS: i64 = 200;

/// The spellings of the `int`s or `float`s that keep `bounds`.
///
/// Those of a `float` have no exponent, as no automaton knows the value of a number with one; where only the sign
/// matters, they may have one.
///
/// # Errors
/// Says why there is no automaton.
pub(crate) fn spellings(bounds: &Bounds, float: bool) -> Result<Option<Automaton>, String> {
    let kept = Kept::of(bounds, float)?;
    // Nothing is a multiple of zero.
    if kept.step.as_ref().is_some_and(|step| step.modulus == 0) {
        return Ok(None);
    }
    let built = Automaton::build(
        Reading::START,
        |byte| match byte {
            b'0'..=b'9' | b'-' | b'+' | b'.' => byte.into(),
            b'e' | b'E' => b'e'.into(),
            _ => 0,
        },
        |at, byte| kept.step(at, byte),
        |at| kept.ends(at),
    );
    built.map_err(|TooLarge| {
        format!("the multiples of its step take more than {MOST_STATES} states; ask for a rounder `step`")
    })
}

/// What a number is held to.
struct Kept {
    float: bool,
    exponents: bool,
    limits: Vec<Limit>,
    step: Option<Step>,
    /// The places behind the point that matter.
    places: usize,
}

/// A number that others are compared with, as its sign (0 for zero) and its digits without zeros at the ends.
struct Limit {
    sign: i8,
    whole: Vec<u8>,
    fraction: Vec<u8>,
    holds: fn(Ordering) -> bool,
}

/// `modulus` times ten to the power `zeros`, or divided by ten to the power `places`; one of the two is zero.
struct Step {
    modulus: u64,
    zeros: u32,
    places: usize,
}

/// A number in the course of being read.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Reading {
    part: Part,
    negative: bool,
    /// Whether all digits so far are zeros.
    zero: bool,
    /// The digits of the part as far as they matter.
    count: usize,
    /// How the digits so far compare with as many of each limit; behind the point, how the numbers so far compare.
    orders: [Ordering; 4],
    /// The rest that the digits so far leave when they are divided by the step, less the zeros at their end; none
    /// where no multiple of it begins like that.
    rest: Option<u64>,
    /// The zeros at the end, as far as they matter.
    zeros: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Start,
    Sign,
    /// A zero before the point.
    Zero,
    Whole,
    Point,
    Fraction,
    E,
    ExponentSign,
    Exponent,
}

impl Reading {
    const START: Reading = Reading {
        part: Part::Start,
        negative: false,
        zero: true,
        count: 0,
        orders: [Ordering::Equal; 4],
        rest: Some(0),
        zeros: 0,
    };
}

impl Kept {
    fn of(bounds: &Bounds, float: bool) -> Result<Kept, String> {
        let limit = |number: &Option<Number>, holds| number.as_ref().map(|n| limit(n, holds)).transpose();
        let limits = [
            limit(&bounds.min, Ordering::is_ge)?,
            limit(&bounds.max, Ordering::is_le)?,
            limit(&bounds.above, Ordering::is_gt)?,
            limit(&bounds.below, Ordering::is_lt)?,
        ];
        let limits: Vec<Limit> = limits.into_iter().flatten().collect();
        let step = bounds.step.as_ref().map(step).transpose()?;
        let places = limits.iter().map(|l| l.fraction.len()).chain(step.iter().map(|s| s.places)).max();
        let exponents = float && step.is_none() && limits.iter().all(|l| l.sign == 0);
        Ok(Kept { float, exponents, limits, step, places: places.unwrap_or(0) })
    }

    fn step(&self, at: &Reading, byte: u8) -> Option<Reading> {
        let mut to = *at;
        match (at.part, byte) {
            (Part::Start, b'-') => {
                to.negative = true;
                to.part = Part::Sign;
            }
            (Part::Start | Part::Sign, b'0') => {
                self.count_zero(&mut to);
                to.part = Part::Zero;
            }
            (Part::Start | Part::Sign, b'1'..=b'9') | (Part::Whole, b'0'..=b'9') => {
                to.part = Part::Whole;
                to.zero = false;
                self.whole(&mut to, byte - b'0');
            }
            (Part::Zero | Part::Whole, b'.') if self.float => {
                to.part = Part::Point;
                to.orders = self.compared(at);
                to.count = 0;
            }
            (Part::Point | Part::Fraction, b'0'..=b'9') => {
                to.part = Part::Fraction;
                to.zero &= byte == b'0';
                self.fraction(&mut to, byte - b'0');
            }
            (Part::Zero | Part::Whole | Part::Fraction, b'e' | b'E') if self.exponents => {
                // Only the sign matters.
                to = Reading { part: Part::E, negative: at.negative, zero: at.zero, ..Reading::START };
            }
            (Part::E, b'+' | b'-') => to.part = Part::ExponentSign,
            (Part::E | Part::ExponentSign | Part::Exponent, b'0'..=b'9') => to.part = Part::Exponent,
            _ => return None,
        }
        Some(to)
    }

    /// A digit before the point.
    fn whole(&self, to: &mut Reading, digit: u8) {
        for (limit, order) in self.limits.iter().zip(&mut to.orders) {
            if let Some(theirs) = limit.whole.get(to.count) {
                *order = order.then(digit.cmp(theirs));
            }
        }
        let most = self.limits.iter().map(|l| l.whole.len() + 1).max().unwrap_or(0);
        to.count = (to.count + 1).min(most);
        if digit == 0 {
            self.count_zero(to);
        } else if let (Some(step), Some(rest)) = (&self.step, &mut to.rest) {
            for _ in 0..to.zeros {
                *rest = *rest * 10 % step.modulus;
            }
            *rest = (*rest * 10 + u64::from(digit)) % step.modulus;
            to.zeros = 0;
        }
    }

    /// A zero at the end of the whole number.
    fn count_zero(&self, to: &mut Reading) {
        let Some(step) = &self.step else { return };
        if to.zeros < step.zeros {
            to.zeros += 1;
        } else {
            to.rest = to.rest.map(|rest| rest * 10 % step.modulus);
        }
    }

    /// A digit behind the point.
    fn fraction(&self, to: &mut Reading, digit: u8) {
        for (limit, order) in self.limits.iter().zip(&mut to.orders) {
            *order = order.then(digit.cmp(limit.fraction.get(to.count).unwrap_or(&0)));
        }
        if let Some(step) = &self.step {
            to.rest = match to.rest {
                Some(rest) if to.count < step.places => Some((rest * 10 + u64::from(digit)) % step.modulus),
                rest => rest.filter(|_| digit == 0),
            };
        }
        to.count = (to.count + 1).min(self.places);
    }

    /// How the whole number compares with those of the limits.
    fn compared(&self, at: &Reading) -> [Ordering; 4] {
        let mut orders = at.orders;
        for (limit, order) in self.limits.iter().zip(&mut orders) {
            *order = at.count.cmp(&limit.whole.len()).then(*order);
        }
        orders
    }

    fn ends(&self, at: &Reading) -> bool {
        let orders = match at.part {
            Part::Zero | Part::Whole => self.compared(at),
            Part::Fraction | Part::Exponent => at.orders,
            _ => return false,
        };
        let behind = if at.part == Part::Fraction { at.count } else { 0 };
        let sign = match (at.zero, at.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let within = self.limits.iter().zip(orders).all(|(limit, order)| {
            let more = if limit.fraction.len() > behind { Ordering::Less } else { Ordering::Equal };
            let size = if limit.sign == 0 { Ordering::Equal } else { order.then(more) };
            let size = if sign < 0 { size.reverse() } else { size };
            (limit.holds)(sign.cmp(&limit.sign).then(size))
        });
        let multiple = self.step.as_ref().is_none_or(|step| {
            let missing = step.places.saturating_sub(behind);
            let rest = at.rest.map(|rest| (0..missing).fold(rest, |rest, _| rest * 10 % step.modulus));
            at.zero || (rest == Some(0) && at.zeros == step.zeros)
        });
        within && multiple
    }
}

fn limit(number: &Number, holds: fn(Ordering) -> bool) -> Result<Limit, String> {
    let (negative, digits, point) = decimal(number);
    if point.abs() > MOST_DIGITS || digits.len() as i64 > MOST_DIGITS {
        return Err(format!(
            "its bound {number} takes more than {MOST_DIGITS} digits; ask for a smaller one"
        ));
    }
    let sign = if digits.is_empty() {
        0
    } else if negative {
        -1
    } else {
        1
    };
    let before = point.max(0) as usize;
    let (mut whole, mut fraction) = (digits, Vec::new());
    if whole.len() > before {
        fraction = whole.split_off(before);
    }
    if sign != 0 {
        whole.resize(before, 0);
        let zeros = vec![0; (-point).max(0) as usize];
        fraction.splice(0..0, zeros);
    }
    Ok(Limit { sign, whole, fraction, holds })
}

fn step(number: &Number) -> Result<Step, String> {
    let (_, digits, point) = decimal(number);
    let place = point - digits.len() as i64;
    let modulus = digits.iter().try_fold(0, |n: u64, d| n.checked_mul(10)?.checked_add((*d).into()));
    let modulus = modulus.filter(|m| *m <= MOST_STATES as u64);
    match modulus {
        Some(_) if digits.is_empty() => Ok(Step { modulus: 0, zeros: 0, places: 0 }),
        Some(modulus) if place.abs() <= MOST_DIGITS => {
            Ok(Step { modulus, zeros: place.max(0) as u32, places: (-place).max(0) as usize })
        }
        _ => Err(format!("its step {number} has too many digits to count with; ask for a rounder `step`")),
    }
}

/// Whether a number is negative, its digits without zeros at the ends, and the place of its point in them.
fn decimal(number: &Number) -> (bool, Vec<u8>, i64) {
    let text = number.as_str();
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |rest| (true, rest));
    let whole = digits.find('.').unwrap_or(digits.len()) as i64;
    let mut digits: Vec<u8> = digits.bytes().filter(|d| *d != b'.').map(|d| d - b'0').collect();
    let zeros = digits.iter().take_while(|d| **d == 0).count();
    digits.drain(..zeros);
    digits.truncate(digits.iter().rposition(|d| *d != 0).map_or(0, |last| last + 1));
    if digits.is_empty() {
        return (negative, digits, 0);
    }
    // An exponent that does not fit is out of every range anyway.
    let far = if exponent.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
    let exponent = exponent.parse::<i64>().unwrap_or(far).clamp(i64::MIN / 4, i64::MAX / 4);
    (negative, digits, whole - zeros as i64 + exponent)
}

#[cfg(test)]
mod tests {
    use groundwork_trace::{Type, Value};

    use super::*;

    fn automaton(ty: &Type) -> Option<Automaton> {
        let Type::Bounded(inner, bounds) = ty else { panic!("{ty}") };
        spellings(bounds, **inner == Type::Float).unwrap()
    }

    fn spells(automaton: &Option<Automaton>, text: &str) -> bool {
        automaton.as_ref().is_some_and(|a| a.accepts(text))
    }

    #[test]
    fn exactly_the_integers_between_the_bounds() {
        let ends =
            [-1005, -1000, -999, -100, -57, -10, -9, -1, 0, 1, 7, 9, 10, 19, 99, 100, 101, 999, 1000, 1234];
        for low in ends {
            for high in ends {
                for written in [
                    format!("int(min={low}, max={high})"),
                    format!("int(above={low}, below={high}, step=7)"),
                    format!("int(min={low}, step=100)"),
                    format!("int(max={high}, step=15e1)"),
                ] {
                    let ty = Type::parse(&written).unwrap();
                    let found = automaton(&ty);
                    for n in (-1300..1300).chain([-99_999, 99_999, 1_000_000, -1_000_000]) {
                        let fits = ty.accepts(&Value::int(n)).is_ok();
                        assert_eq!(spells(&found, &n.to_string()), fits, "{written} {n}");
                    }
                    let zero = Value::parse("-0").unwrap();
                    assert_eq!(spells(&found, "-0"), ty.accepts(&zero).is_ok(), "{written} -0");
                    assert!(!spells(&found, "") && !spells(&found, "-") && !spells(&found, "01"));
                    assert!(!spells(&found, "1.0") && !spells(&found, "1e1"));
                }
            }
        }
    }

    #[test]
    fn exactly_the_decimals_that_keep_the_bounds() {
        let ends = ["-10.05", "-10", "-1e-2", "0", "-0.0", "0.009", "0.5", "1", "9.99", "1e1", "12.5", "1e2"];
        let steps = ["", ", step=0.25", ", step=0.1", ", step=5", ", step=1e1", ", step=1.5"];
        let mut numbers = Vec::new();
        for whole in ["0", "1", "3", "9", "10", "11", "12", "15", "25", "99", "100", "101", "1000"] {
            for fraction in [
                "", ".0", ".00", ".5", ".25", ".250", ".009", ".01", ".05", ".050", ".0500001", ".99", ".999",
            ] {
                numbers.push(format!("{whole}{fraction}"));
                numbers.push(format!("-{whole}{fraction}"));
            }
        }
        for low in ends {
            for high in ends {
                for step in steps {
                    for written in [
                        format!("float(min={low}, max={high}{step})"),
                        format!("float(above={low}, below={high}{step})"),
                    ] {
                        let ty = Type::parse(&written).unwrap();
                        let found = automaton(&ty);
                        for number in &numbers {
                            let fits = ty.accepts(&Value::parse(number).unwrap()).is_ok();
                            assert_eq!(spells(&found, number), fits, "{written} {number}");
                        }
                        assert!(!spells(&found, "1.") && !spells(&found, ".5") && !spells(&found, "1e"));
                    }
                }
            }
        }
    }

    #[test]
    fn exponents_are_written_where_only_the_sign_matters() {
        for written in
            ["float(min=0)", "float(above=0)", "float(max=0.0)", "float(below=-0)", "float(min=0, max=0e5)"]
        {
            let ty = Type::parse(written).unwrap();
            let found = automaton(&ty);
            for number in ["1e5", "-1E-5", "0e7", "-0.0e+1", "1.25e300", "-3", "0.5"] {
                let fits = ty.accepts(&Value::parse(number).unwrap()).is_ok();
                assert_eq!(spells(&found, number), fits, "{written} {number}");
            }
        }
        let found = automaton(&Type::parse("float(min=1)").unwrap());
        assert!(spells(&found, "10") && !spells(&found, "1e1"));
    }

    #[test]
    fn large_bounds_and_steps_have_few_states() {
        for written in [
            format!("int(min={}, max={})", i128::MIN, i128::MAX),
            "int(min=-9223372036854775808, max=9223372036854775807)".to_owned(),
            "int(step=1000000)".to_owned(),
            "float(min=1e-30, max=1e30, step=1e-30)".to_owned(),
        ] {
            let found = automaton(&Type::parse(&written).unwrap()).unwrap();
            assert!(found.states() < 2000, "{written}: {}", found.states());
        }
        for (written, why) in [
            ("int(max=1e300)", "more than 200 digits"),
            ("float(min=1e-300)", "more than 200 digits"),
            ("int(step=12345678)", "too many digits"),
            ("int(step=9973, min=0, max=1e9)", "more than 65536 states"),
        ] {
            let Type::Bounded(inner, bounds) = Type::parse(written).unwrap() else { panic!("{written}") };
            let refused = spellings(&bounds, *inner == Type::Float).unwrap_err();
            assert!(refused.contains(why), "{written}: {refused}");
        }
    }
}
