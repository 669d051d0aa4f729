//! The formats of strings that are checked.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether `text` is of the format `name`; of one that is not known, every text is.
pub(crate) fn fits(name: &str, text: &str) -> bool {
    match name {
        "date" => is_date(text),
        "time" => is_time(text),
        "date-time" => {
            let parts = text.split_once(['T', 't', ' ']);
            parts.is_some_and(|(date, time)| is_date(date) && is_time(time))
        }
        "uuid" => is_uuid(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        _ => true,
    }
}

/// Whether texts are held to the format `name`.
pub(crate) fn is_checked(name: &str) -> bool {
    matches!(name, "date" | "time" | "date-time" | "uuid" | "ipv4" | "ipv6")
}

/// The number that `text`, of exactly `digits` digits, spells.
fn number(text: &str, digits: usize) -> Option<u32> {
    let plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// RFC 3339: `2026-11-30`.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut part = |digits| parts.next().and_then(|p| number(p, digits));
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// RFC 3339: `08:27:05.25Z`, `08:27:05+01:00`; the second 60 is a leap second.
fn is_time(text: &str) -> bool {
    let Some(at) = text.find(['Z', 'z', '+', '-']) else { return false };
    let (clock, zone) = text.split_at(at);
    let hours_and_minutes = |text: &str| {
        let parts = text.split_once(':').map(|(h, m)| (number(h, 2), number(m, 2)));
        matches!(parts, Some((Some(0..=23), Some(0..=59))))
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let seconds = clock
        .rsplit_once(':')
        .is_some_and(|(rest, seconds)| hours_and_minutes(rest) && matches!(number(seconds, 2), Some(0..=60)));
    let zone = matches!(zone, "Z" | "z") || zone.strip_prefix(['+', '-']).is_some_and(hours_and_minutes);
    seconds && zone && !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|p| p.len()).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn formats() {
        let good = [
            ("date", "2024-02-29"),
            ("time", "23:59:60Z"),
            ("time", "08:27:05.125-01:30"),
            ("date-time", "2026-11-30T08:27:05Z"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000"),
            ("ipv4", "127.0.0.1"),
            ("ipv6", "::1"),
            ("email", "no check"),
        ];
        for (format, text) in good {
            assert!(fits(format, text), "{format} {text}");
        }
        let wrong = [
            ("date", "2023-02-29"),
            ("date", "2023-13-01"),
            ("date", "23-01-01"),
            ("date", "2023-01-01-1"),
            ("date", "2023-+1-01"),
            ("time", "24:00:00Z"),
            ("time", "08:27Z"),
            ("time", "08:27:05"),
            ("time", "08:27:05.Z"),
            ("time", "08:27:05+1:00"),
            ("time", "Z"),
            ("time", "08:27:05Z01:00"),
            ("date-time", "2026-11-30"),
            ("uuid", "123e4567e89b12d3a456426614174000"),
            ("ipv4", "256.0.0.1"),
            ("ipv6", "1"),
        ];
        for (format, text) in wrong {
            assert!(!fits(format, text), "{format} {text}");
        }
    }
}
