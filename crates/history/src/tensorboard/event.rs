//! `Event` messages: a step, a time, and scalars.

use super::protobuf::{Value, fields, put_bytes, put_double, put_float, put_uint, varint};

/// What an event says about scalars.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Event {
    /// Seconds since 1970.
    pub(crate) wall_time: f64,
    /// Step of training.
    pub(crate) step: i64,
    /// Tags and values.
    pub(crate) scalars: Vec<(String, f64)>,
}

impl Event {
    /// Reads an event; images, histograms, graphs and text are passed over. `None` if it is malformed.
    pub(crate) fn read(bytes: &[u8]) -> Option<Event> {
        let mut event = Event::default();
        for field in fields(bytes)? {
            match field {
                (1, Value::Fixed64(time)) => event.wall_time = f64::from_le_bytes(time),
                (2, Value::Varint(step)) => event.step = step.cast_signed(),
                (5, Value::Bytes(summary)) => {
                    for value in fields(summary)? {
                        if let (1, Value::Bytes(value)) = value {
                            event.scalars.extend(scalar(value)?);
                        }
                    }
                }
                _ => {}
            }
        }
        Some(event)
    }

    /// The first event of a file.
    pub(crate) fn version(wall_time: f64) -> Vec<u8> {
        let mut out = Vec::new();
        put_double(&mut out, 1, wall_time);
        put_bytes(&mut out, 3, b"brain.Event:2");
        out
    }

    /// Writes the event with its scalars as simple values, which are single precision.
    pub(crate) fn write(wall_time: f64, step: i64, scalars: &[(&str, f64)]) -> Vec<u8> {
        let mut summary = Vec::new();
        for (tag, value) in scalars {
            let mut entry = Vec::new();
            put_bytes(&mut entry, 1, tag.as_bytes());
            put_float(&mut entry, 2, *value as f32);
            put_bytes(&mut summary, 1, &entry);
        }
        let mut out = Vec::new();
        put_double(&mut out, 1, wall_time);
        put_uint(&mut out, 2, step.cast_unsigned());
        put_bytes(&mut out, 5, &summary);
        out
    }
}

/// A `Summary.Value`: outer `None` if it is malformed, inner if it is no scalar.
fn scalar(bytes: &[u8]) -> Option<Option<(String, f64)>> {
    let (mut tag, mut value) = (None, None);
    for field in fields(bytes)? {
        match field {
            (1, Value::Bytes(name)) => tag = Some(String::from_utf8_lossy(name).into_owned()),
            (2, Value::Fixed32(simple)) => value = Some(f64::from(f32::from_le_bytes(simple))),
            (8, Value::Bytes(tensor)) => value = tensor_scalar(tensor)?,
            _ => {}
        }
    }
    Some(tag.zip(value))
}

/// The only element of a `TensorProto`, as TensorFlow 2 and PyTorch's new style write scalars: outer `None` if it is
/// malformed, inner if it has other than one element or another type.
fn tensor_scalar(bytes: &[u8]) -> Option<Option<f64>> {
    let (mut kind, mut elements, mut content, mut typed) = (0, 1u64, None, None);
    for field in fields(bytes)? {
        match field {
            (1, Value::Varint(dtype)) => kind = dtype,
            (2, Value::Bytes(shape)) => {
                for dim in fields(shape)? {
                    if let (2, Value::Bytes(dim)) = dim {
                        for size in fields(dim)? {
                            if let (1, Value::Varint(n)) = size {
                                elements = elements.saturating_mul(n);
                            }
                        }
                    }
                }
            }
            (4, Value::Bytes(raw)) => content = Some(raw),
            (5 | 6 | 7 | 10 | 13, Value::Bytes(packed)) => typed = Some(packed),
            (5, Value::Fixed32(one)) => {
                return Some((elements == 1).then(|| f64::from(f32::from_le_bytes(one))));
            }
            (6, Value::Fixed64(one)) => return Some((elements == 1).then(|| f64::from_le_bytes(one))),
            (7 | 10, Value::Varint(one)) => return Some((elements == 1).then(|| one.cast_signed() as f64)),
            (13, Value::Varint(one)) => {
                return Some((elements == 1).then(|| half(kind, one as u16)).flatten());
            }
            _ => {}
        }
    }
    if elements != 1 {
        return Some(None);
    }
    // Types by number: 1 float, 2 double, 3 int32, 9 int64, 14 bfloat16, 19 half.
    Some(match (kind, content, typed) {
        (1, Some(raw), _) | (1, None, Some(raw)) => {
            raw.first_chunk().map(|b| f64::from(f32::from_le_bytes(*b)))
        }
        (2, Some(raw), _) | (2, None, Some(raw)) => raw.first_chunk().map(|b| f64::from_le_bytes(*b)),
        (3, Some(raw), _) => raw.first_chunk().map(|b| f64::from(i32::from_le_bytes(*b))),
        (9, Some(raw), _) => raw.first_chunk().map(|b| i64::from_le_bytes(*b) as f64),
        (14 | 19, Some(raw), _) => raw.first_chunk().and_then(|b| half(kind, u16::from_le_bytes(*b))),
        (3 | 9, None, Some(mut packed)) => varint(&mut packed).map(|n| n.cast_signed() as f64),
        (14 | 19, None, Some(mut packed)) => varint(&mut packed).and_then(|n| half(kind, n as u16)),
        _ => None,
    })
}

/// A bfloat16 (type 14) or IEEE half (type 19).
fn half(kind: u64, bits: u16) -> Option<f64> {
    match kind {
        14 => Some(f64::from(f32::from_bits(u32::from(bits) << 16))),
        19 => {
            let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
            let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
            Some(
                sign * match exponent {
                    0 => fraction * 2f64.powi(-24),
                    31 if fraction == 0.0 => f64::INFINITY,
                    31 => f64::NAN,
                    e => (1024.0 + fraction) * 2f64.powi(e - 25),
                },
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor_event(tensor: &[u8]) -> Option<Event> {
        let (mut entry, mut summary, mut event) = (Vec::new(), Vec::new(), Vec::new());
        put_bytes(&mut entry, 1, b"x");
        put_bytes(&mut entry, 8, tensor);
        put_bytes(&mut summary, 1, &entry);
        put_uint(&mut event, 2, 7);
        put_bytes(&mut event, 5, &summary);
        Event::read(&event)
    }

    fn tensor(kind: u64, field: u64, raw: &[u8], dims: &[u64]) -> Vec<u8> {
        let (mut out, mut shape) = (Vec::new(), Vec::new());
        for n in dims {
            let mut dim = Vec::new();
            put_uint(&mut dim, 1, *n);
            put_bytes(&mut shape, 2, &dim);
        }
        put_uint(&mut out, 1, kind);
        put_bytes(&mut out, 2, &shape);
        put_bytes(&mut out, field, raw);
        out
    }

    #[test]
    fn events_come_back() {
        let event = Event::read(&Event::write(12.5, -1, &[("a", 0.25), ("b/c", f64::NAN)])).unwrap();
        assert_eq!((event.wall_time, event.step, event.scalars.len()), (12.5, -1, 2));
        assert_eq!(event.scalars[0], ("a".to_owned(), 0.25));
        assert!(event.scalars[1].1.is_nan());
        assert_eq!(Event::read(&Event::version(1.0)).unwrap(), Event { wall_time: 1.0, ..Event::default() });
    }

    #[test]
    fn scalars_in_tensors_are_read_whatever_their_type() {
        for (kind, field, raw, want) in [
            (1, 4, 1.5f32.to_le_bytes().to_vec(), 1.5),
            (1, 5, 1.5f32.to_le_bytes().to_vec(), 1.5),
            (2, 4, 2.5f64.to_le_bytes().to_vec(), 2.5),
            (2, 6, 2.5f64.to_le_bytes().to_vec(), 2.5),
            (3, 4, (-7i32).to_le_bytes().to_vec(), -7.0),
            (9, 10, vec![0xac, 0x02], 300.0),
            (14, 4, vec![0xc0, 0x3f], 1.5),
            (19, 4, vec![0x00, 0x3e], 1.5),
            (19, 4, vec![0x00, 0xfc], f64::NEG_INFINITY),
        ] {
            let event = tensor_event(&tensor(kind, field, &raw, &[])).unwrap();
            assert_eq!(event.scalars, [("x".to_owned(), want)], "type {kind}");
        }
    }

    #[test]
    fn what_is_no_scalar_is_passed_over() {
        let three: Vec<u8> = [1f32, 2.0, 3.0].iter().flat_map(|f| f.to_le_bytes()).collect();
        assert!(tensor_event(&tensor(1, 4, &three, &[3])).unwrap().scalars.is_empty());
        assert!(tensor_event(&tensor(7, 8, b"text", &[])).unwrap().scalars.is_empty());
        assert_eq!(Event::read(&[0x0b]), None);
    }
}
