//! Numbers of any size, compared without rounding.

use std::cmp::Ordering;

use crate::Number;

/// A number as sign, digits without zeros at either end, and the power of ten of the digit behind the last.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl Number {
    fn decimal(&self) -> Decimal<'_> {
        let text = self.as_str();
        let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (negative, digits) = match digits.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, digits),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        // An exponent that does not fit is beyond every number of a finite text.
        let far = if exponent.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
        let exponent = exponent.parse::<i64>().unwrap_or(far).clamp(i64::MIN / 4, i64::MAX / 4);
        Decimal { negative, whole, fraction, exponent }
    }

    /// Which of the two is greater, exactly.
    pub(crate) fn compare(&self, other: &Number) -> Ordering {
        let (a, b) = (self.decimal(), other.decimal());
        let (zero_a, zero_b) = (a.is_zero(), b.is_zero());
        match (zero_a, zero_b) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if b.negative { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if a.negative { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        match (a.negative, b.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => a.size(&b),
            (true, true) => b.size(&a),
        }
    }

    /// Whether this is a whole multiple of `step`. Where `step` has more digits than can be counted with, whether the
    /// nearest doubles say so.
    pub(crate) fn is_multiple_of(&self, step: &Number) -> bool {
        let (a, b) = (self.decimal(), step.decimal());
        if a.is_zero() || b.is_zero() {
            return !b.is_zero();
        }
        let (a_digits, a_place) = a.without_zeros();
        let (mut b_digits, b_place) = b.without_zeros();
        let Some(step_digits) = b_digits.try_fold(0u64, |n, d| n.checked_mul(10)?.checked_add(d.into()))
        else {
            let quotient = self.as_f64() / step.as_f64();
            return quotient.is_finite() && quotient.fract() == 0.0;
        };
        // What ends behind the last place of the step is no multiple of it.
        let Ok(zeros) = u64::try_from(a_place - b_place) else { return false };
        let modulus = u128::from(step_digits);
        let rest = a_digits.fold(0, |rest, d| (rest * 10 + u128::from(d)) % modulus);
        (rest * power_of_ten(zeros, modulus)).is_multiple_of(modulus)
    }
}

/// `10` to the power `exponent`, modulo a number of 64 bits.
fn power_of_ten(mut exponent: u64, modulus: u128) -> u128 {
    let (mut power, mut square) = (1 % modulus, 10 % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power * square % modulus;
        }
        square = square * square % modulus;
        exponent >>= 1;
    }
    power
}

impl Decimal<'_> {
    fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    fn is_zero(&self) -> bool {
        self.digits().all(|d| d == b'0')
    }

    /// The power of ten of the last digit written.
    fn last_place(&self) -> i64 {
        self.exponent - self.fraction.len() as i64
    }

    /// How this compares in size with another that is not zero either.
    fn size(&self, other: &Self) -> Ordering {
        let lead = |d: &Self| d.digits().take_while(|&d| d == b'0').count();
        let (skip_a, skip_b) = (lead(self), lead(other));
        let first = |d: &Self, skip: usize| d.exponent + d.whole.len() as i64 - skip as i64;
        first(self, skip_a).cmp(&first(other, skip_b)).then_with(|| {
            let (mut a, mut b) = (self.digits().skip(skip_a), other.digits().skip(skip_b));
            loop {
                match (a.next(), b.next()) {
                    (None, None) => return Ordering::Equal,
                    (a, b) => match a.unwrap_or(b'0').cmp(&b.unwrap_or(b'0')) {
                        Ordering::Equal => {}
                        unequal => return unequal,
                    },
                }
            }
        })
    }

    /// The digits without zeros at the end, and the power of ten of the last one; of a number that is not zero.
    fn without_zeros(&self) -> (impl Iterator<Item = u8> + '_, i64) {
        let count = self.whole.len() + self.fraction.len();
        let zeros =
            self.fraction.bytes().rev().chain(self.whole.bytes().rev()).take_while(|d| *d == b'0').count();
        (self.digits().take(count - zeros).map(|d| d - b'0'), self.last_place() + zeros as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).expect("a number")
    }

    #[test]
    fn order_is_exact() {
        let rising = [
            "-1e400",
            "-123456789012345678901234567891",
            "-123456789012345678901234567890",
            "-10.5",
            "-2",
            "-0.1",
            "-1e-400",
            "0",
            "1e-400",
            "0.10000000000000000001",
            "0.2",
            "1",
            "1.5",
            "9e0",
            "1e1",
            "99.99",
            "100",
            "9007199254740993",
            "9007199254740993.5",
            "1e99999999999999999999",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(number(a).compare(&number(b)), i.cmp(&j), "{a} {b}");
            }
        }
        for (a, b) in
            [("0", "-0"), ("0", "0e9"), ("1", "1.0"), ("100", "1e2"), ("0.010", "1e-2"), ("-1E+1", "-10")]
        {
            assert_eq!(number(a).compare(&number(b)), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn multiples() {
        for (a, step) in [
            ("0.3", "0.1"),
            ("1e3", "250"),
            ("-6", "3"),
            ("0", "7"),
            ("-0.0e5", "1e9"),
            ("123456789012345678900", "3"),
            ("111111111111111111111111111111111111111111111111111", "3"),
            ("1e999999999999", "1024"),
            ("6e999999999999", "3e-999999999999"),
        ] {
            assert!(number(a).is_multiple_of(&number(step)), "{a} {step}");
        }
        for (a, step) in [("0.35", "0.1"), ("5", "2"), ("1", "0"), ("9007199254740993", "2")] {
            assert!(!number(a).is_multiple_of(&number(step)), "{a} {step}");
        }
    }
}
