//! Values of Arrow as JSON.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::{DataType, Field, TimeUnit};
use serde::Serialize;
use serde::de::IgnoredAny;

/// The metadata that makes a field of text one of JSON, and what it then says.
const EXTENSION: (&str, &str) = ("ARROW:extension:name", "arrow.json");

/// Whether values of this type can be written as JSON.
pub(crate) fn has_json(kind: &DataType) -> bool {
    match kind {
        DataType::List(f) | DataType::LargeList(f) | DataType::FixedSizeList(f, _) => has_json(f.data_type()),
        DataType::Struct(fields) => fields.iter().all(|f| has_json(f.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                fields.len() == 2 && is_text(fields[0].data_type()) && has_json(fields[1].data_type())
            }
            _ => false,
        },
        DataType::Dictionary(key, value) => key.is_integer() && has_json(value),
        DataType::Null | DataType::Boolean | DataType::Date32 | DataType::Date64 => true,
        DataType::Timestamp(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => true,
        other => other.is_integer() || other.is_floating() || is_text(other),
    }
}

/// Whether this is a type of text.
pub(crate) fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, value) => is_text(value),
        other => matches!(other, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
    }
}

/// Whether this is a type of lists or objects.
pub(crate) fn is_nested(kind: &DataType) -> bool {
    kind.is_nested() && !matches!(kind, DataType::Dictionary(..)) && has_json(kind)
}

/// The text in `row` of an array of text.
pub(crate) fn text(array: &dyn Array, row: usize) -> Option<&str> {
    match array.data_type() {
        _ if array.is_null(row) => None,
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(array.as_string_view().value(row)),
        DataType::Dictionary(..) => {
            let (values, row) = entry(array, row)?;
            text(values, row)
        }
        _ => None,
    }
}

/// Whether `text` is a whole JSON list or object.
pub(crate) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Writes the value in `row`, of a type that [has JSON](has_json). In an object, a field that is null is left out: a
/// table gives every object the fields of all.
pub(crate) fn write(out: &mut Vec<u8>, field: &Field, array: &dyn Array, row: usize) {
    if array.is_null(row) {
        return out.extend_from_slice(b"null");
    }
    match array.data_type() {
        DataType::Boolean => put(out, &array.as_boolean().value(row)),
        DataType::Int8 => number::<Int8Type>(out, array, row),
        DataType::Int16 => number::<Int16Type>(out, array, row),
        DataType::Int32 => number::<Int32Type>(out, array, row),
        DataType::Int64 => number::<Int64Type>(out, array, row),
        DataType::UInt8 => number::<UInt8Type>(out, array, row),
        DataType::UInt16 => number::<UInt16Type>(out, array, row),
        DataType::UInt32 => number::<UInt32Type>(out, array, row),
        DataType::UInt64 => number::<UInt64Type>(out, array, row),
        DataType::Float16 => put(out, &array.as_primitive::<Float16Type>().value(row).to_f32()),
        DataType::Float32 => number::<Float32Type>(out, array, row),
        DataType::Float64 => number::<Float64Type>(out, array, row),
        DataType::Decimal128(..) => {
            out.extend(array.as_primitive::<Decimal128Type>().value_as_string(row).bytes());
        }
        DataType::Decimal256(..) => {
            out.extend(array.as_primitive::<Decimal256Type>().value_as_string(row).bytes());
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let text = text(array, row).unwrap_or_default();
            let json = field.metadata().get(EXTENSION.0).is_some_and(|name| name == EXTENSION.1);
            if json && serde_json::from_str::<IgnoredAny>(text).is_ok() {
                out.extend_from_slice(text.as_bytes());
            } else {
                put(out, text);
            }
        }
        DataType::List(item) => list(out, item, &array.as_list::<i32>().value(row)),
        DataType::LargeList(item) => list(out, item, &array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(item, _) => list(out, item, &array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            object(out, fields.iter().map(AsRef::as_ref).zip(array.as_struct().columns()), row);
        }
        DataType::Map(..) => map(out, &array.as_map().value(row)),
        DataType::Dictionary(..) => match entry(array, row) {
            Some((values, row)) => write(out, field, values, row),
            None => out.extend_from_slice(b"null"),
        },
        _ => match time(array, row) {
            Some(time) => put(out, &time),
            None => out.extend_from_slice(b"null"),
        },
    }
}

/// Writes an object with the values in `row` of columns; those that are null are left out.
fn object<'a>(out: &mut Vec<u8>, columns: impl Iterator<Item = (&'a Field, &'a ArrayRef)>, row: usize) {
    out.push(b'{');
    let mut first = true;
    for (field, column) in columns.filter(|(_, column)| !column.is_null(row)) {
        separate(out, &mut first);
        put(out, field.name().as_str());
        out.push(b':');
        write(out, field, column, row);
    }
    out.push(b'}');
}

pub(crate) fn put(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    // Neither memory nor text nor numbers can refuse; a number that is none is null.
    let _ = serde_json::to_writer(out, value);
}

fn separate(out: &mut Vec<u8>, first: &mut bool) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

fn number<T: ArrowPrimitiveType>(out: &mut Vec<u8>, array: &dyn Array, row: usize)
where
    T::Native: Serialize,
{
    put(out, &array.as_primitive::<T>().value(row));
}

fn list(out: &mut Vec<u8>, field: &Field, items: &ArrayRef) {
    out.push(b'[');
    let mut first = true;
    for i in 0..items.len() {
        separate(out, &mut first);
        write(out, field, items, i);
    }
    out.push(b']');
}

fn map(out: &mut Vec<u8>, entries: &StructArray) {
    let (keys, values) = (entries.column(0), entries.column(1));
    let field = &entries.fields()[1];
    out.push(b'{');
    let mut first = true;
    for i in (0..entries.len()).filter(|&i| !values.is_null(i)) {
        separate(out, &mut first);
        put(out, text(keys, i).unwrap_or_default());
        out.push(b':');
        write(out, field, values, i);
    }
    out.push(b'}');
}

/// Where the value in `row` of a dictionary lies.
fn entry(array: &dyn Array, row: usize) -> Option<(&dyn Array, usize)> {
    let dictionary = array.as_any_dictionary_opt()?;
    let keys = dictionary.keys();
    let key = match keys.data_type() {
        _ if keys.is_null(row) => return None,
        DataType::Int8 => keys.as_primitive::<Int8Type>().value(row) as usize,
        DataType::Int16 => keys.as_primitive::<Int16Type>().value(row) as usize,
        DataType::Int32 => keys.as_primitive::<Int32Type>().value(row) as usize,
        DataType::Int64 => keys.as_primitive::<Int64Type>().value(row) as usize,
        DataType::UInt8 => keys.as_primitive::<UInt8Type>().value(row) as usize,
        DataType::UInt16 => keys.as_primitive::<UInt16Type>().value(row) as usize,
        DataType::UInt32 => keys.as_primitive::<UInt32Type>().value(row) as usize,
        DataType::UInt64 => keys.as_primitive::<UInt64Type>().value(row) as usize,
        _ => return None,
    };
    Some((dictionary.values().as_ref(), key))
}

/// A date or an instant, as RFC 3339 writes it.
fn time(array: &dyn Array, row: usize) -> Option<String> {
    // Their `Debug` is that of ISO 8601, `Display` has a space for the `T`.
    let instant = match array.data_type() {
        DataType::Date32 => {
            return Some(format!("{:?}", array.as_primitive::<Date32Type>().value_as_date(row)?));
        }
        DataType::Date64 => {
            return Some(format!("{:?}", array.as_primitive::<Date64Type>().value_as_date(row)?));
        }
        DataType::Timestamp(TimeUnit::Second, _) => {
            array.as_primitive::<TimestampSecondType>().value_as_datetime(row)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().value_as_datetime(row)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().value_as_datetime(row)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().value_as_datetime(row)
        }
        _ => None,
    };
    // With a time zone it is an instant, which is stored in UTC; without one nobody knows where it was.
    let zone = if matches!(array.data_type(), DataType::Timestamp(_, Some(_))) { "Z" } else { "" };
    instant.map(|t| format!("{t:?}{zone}"))
}
