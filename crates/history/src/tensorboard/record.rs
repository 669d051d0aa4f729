//! TFRecords: length, masked checksum of the length, data, masked checksum of the data, all little-endian.

/// The largest record that is believed: a larger length is damage.
const LARGEST: u64 = 1 << 30;

/// Appends a record to `out`.
pub(crate) fn write(out: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    out.extend(length);
    out.extend(masked_crc(&length).to_le_bytes());
    out.extend(data);
    out.extend(masked_crc(data).to_le_bytes());
}

/// A record of a file.
pub(crate) struct Record<'a> {
    /// Where it begins.
    pub(crate) offset: usize,
    /// What it holds; `None` if that does not have its checksum.
    pub(crate) data: Option<&'a [u8]>,
}

/// How the reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With the last record.
    Whole,
    /// In the middle of a record, or at one whose length is damaged, so that it is unknown where the next begins.
    Broken {
        /// Where that record begins.
        offset: usize,
        /// What is wrong.
        why: &'static str,
    },
}

/// The records of a file, one after the other.
pub(crate) struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    end: End,
}

impl<'a> Records<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Records<'a> {
        Records { bytes, at: 0, end: End::Whole }
    }

    /// How the reading ended; valid after the last record.
    pub(crate) fn end(&self) -> End {
        self.end
    }

    fn broken(&mut self, why: &'static str) -> Option<Record<'a>> {
        self.end = End::Broken { offset: self.at, why };
        self.at = self.bytes.len();
        None
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return None;
        }
        let (Some(length), Some(check)) = (rest.first_chunk::<8>(), rest.get(8..12)) else {
            return self.broken("a record's length is cut off");
        };
        if masked_crc(length).to_le_bytes() != check {
            return self.broken("a record's length does not have its checksum");
        }
        let length = u64::from_le_bytes(*length);
        if length > LARGEST {
            return self.broken("a record is longer than 1 GiB");
        }
        let end = 12 + length as usize;
        let (Some(data), Some(check)) = (rest.get(12..end), rest.get(end..end + 4)) else {
            return self.broken("a record is cut off");
        };
        let offset = self.at;
        self.at += end + 4;
        let whole = masked_crc(data).to_le_bytes() == check;
        Some(Record { offset, data: whole.then_some(data) })
    }
}

/// CRC-32C (Castagnoli), masked as TensorFlow does so that the checksum of data with checksums in it stays good.
fn masked_crc(data: &[u8]) -> u32 {
    let crc = !data.iter().fold(!0u32, |crc, byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8));
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnolis() {
        // RFC 3720, B.4: 32 bytes of zeros, and the digits 1 to 9.
        let unmask = |m: u32| m.wrapping_sub(0xa282_ead8).rotate_left(15);
        assert_eq!(unmask(masked_crc(&[0; 32])), 0x8a91_36aa);
        assert_eq!(unmask(masked_crc(b"123456789")), 0xe306_9283);
    }

    #[test]
    fn records_come_back() {
        let mut bytes = Vec::new();
        write(&mut bytes, b"one");
        write(&mut bytes, b"");
        let mut records = Records::new(&bytes);
        let data: Vec<&[u8]> = records.by_ref().map(|r| r.data.unwrap()).collect();
        assert_eq!(data, [&b"one"[..], b""]);
        assert_eq!(records.end(), End::Whole);
    }
}
