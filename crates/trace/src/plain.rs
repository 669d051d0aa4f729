//! How far a text goes on without a byte that needs attention in a string.

/// The number of bytes of `bytes` before the first quote, backslash or control character (below U+0020).
#[inline]
pub(crate) fn plain_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let found = special(word);
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + bytes[at..].iter().take_while(|&&b| !matches!(b, 0..=0x1f | b'"' | b'\\')).count()
}

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES << 7;

/// The highest bit of each byte that is a quote, a backslash or below a space. Bits above the first one set may
/// be wrong: a borrow runs upwards.
#[inline]
fn special(word: u64) -> u64 {
    let zero = |w: u64| w.wrapping_sub(ONES) & !w;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\'))) | control) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::plain_length;

    #[test]
    fn every_byte_at_every_place() {
        for length in 0..20 {
            for at in 0..length {
                for other in [b'x', 0xff, 0x7f, b'!', b'#', b'[', b']', b' ', 0x80] {
                    for byte in 0..=255 {
                        let mut bytes = vec![other; length];
                        bytes[at] = byte;
                        let wanted = if matches!(byte, 0..=0x1f | b'"' | b'\\') { at } else { length };
                        assert_eq!(plain_length(&bytes), wanted, "{bytes:?}");
                    }
                }
            }
        }
    }
}
