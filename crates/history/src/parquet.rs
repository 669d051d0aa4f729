//! Parquet files, with the reader of the corpus.

use std::path::Path;

use groundwork_corpus::arrow_array::cast::AsArray;
use groundwork_corpus::arrow_array::types::{
    ArrowDictionaryKeyType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use groundwork_corpus::arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use groundwork_corpus::arrow_schema::DataType;
use groundwork_corpus::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::table::{Cell, Row, Table};
use crate::{Findings, HistoryError};

/// Reads columns of numbers, text and truth values, and those in structs as `outer.inner`. Others are named and left out.
pub(crate) fn read(path: &Path, source: &str, findings: &mut Findings) -> Result<Table, HistoryError> {
    let broken = |message: String| {
        let hint = "a Parquet file ends with its directory, so one that was cut off cannot be read at all";
        HistoryError::malformed(path, format!("is no readable Parquet file: {message}"), hint)
    };
    let file =
        std::fs::File::open(path).map_err(|source| HistoryError::Read { path: path.to_owned(), source })?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.build())
        .map_err(|e| broken(e.to_string()))?;
    let mut table = Table::new(source, "row");
    for batch in reader {
        let batch = batch.map_err(|e| broken(e.to_string()))?;
        let start = table.rows.len();
        table
            .rows
            .extend((0..batch.num_rows()).map(|i| Row { number: (start + i) as u64 + 1, cells: Vec::new() }));
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            take(&mut table, start, field.name(), array, findings);
        }
    }
    Ok(table)
}

fn take(table: &mut Table, start: usize, name: &str, array: &ArrayRef, findings: &mut Findings) {
    if let Some(outer) = array.as_struct_opt() {
        for (field, inner) in outer.fields().iter().zip(outer.columns()) {
            take(table, start, &format!("{name}.{}", field.name()), inner, findings);
        }
        return;
    }
    let Some(cells) = cells(array) else {
        let place = format!("{}, column `{name}`", table.source);
        let what = format!("the column is of type {}, which is neither number nor text", array.data_type());
        findings.note(&table.source, place, what, "it is left out");
        return;
    };
    let column = table.column_or_new(name);
    for (row, cell) in table.rows[start..].iter_mut().zip(cells) {
        row.set(column, cell);
    }
}

fn cells(array: &ArrayRef) -> Option<Vec<Cell>> {
    Some(match array.data_type() {
        DataType::Int8 => numbers::<Int8Type>(array, f64::from),
        DataType::Int16 => numbers::<Int16Type>(array, f64::from),
        DataType::Int32 => numbers::<Int32Type>(array, f64::from),
        DataType::Int64 => numbers::<Int64Type>(array, |n| n as f64),
        DataType::UInt8 => numbers::<UInt8Type>(array, f64::from),
        DataType::UInt16 => numbers::<UInt16Type>(array, f64::from),
        DataType::UInt32 => numbers::<UInt32Type>(array, f64::from),
        DataType::UInt64 => numbers::<UInt64Type>(array, |n| n as f64),
        DataType::Float32 => numbers::<Float32Type>(array, f64::from),
        DataType::Float64 => numbers::<Float64Type>(array, |n| n),
        DataType::Utf8 => texts(array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => texts(array.as_string::<i64>().iter()),
        DataType::Utf8View => texts(array.as_string_view().iter()),
        DataType::Boolean => array
            .as_boolean()
            .iter()
            .map(|b| b.map_or(Cell::Missing, |b| Cell::Text(b.to_string())))
            .collect(),
        DataType::Dictionary(key, _) => match **key {
            DataType::Int8 => dictionary::<Int8Type>(array)?,
            DataType::Int16 => dictionary::<Int16Type>(array)?,
            DataType::Int32 => dictionary::<Int32Type>(array)?,
            _ => return None,
        },
        DataType::Null => vec![Cell::Missing; array.len()],
        _ => return None,
    })
}

fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef, of: impl Fn(T::Native) -> f64) -> Vec<Cell> {
    array.as_primitive::<T>().iter().map(|n| n.map_or(Cell::Missing, |n| Cell::Number(of(n)))).collect()
}

fn texts<'a>(items: impl Iterator<Item = Option<&'a str>>) -> Vec<Cell> {
    items.map(|text| text.map_or(Cell::Missing, Cell::of_text)).collect()
}

fn dictionary<K: ArrowDictionaryKeyType>(array: &ArrayRef) -> Option<Vec<Cell>> {
    let dictionary = array.as_dictionary::<K>();
    let values = cells(dictionary.values())?;
    Some(dictionary.keys_iter().map(|key| key.map_or(Cell::Missing, |k| values[k].clone())).collect())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use groundwork_corpus::arrow_array::{
        Float64Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    };
    use groundwork_corpus::arrow_schema::Field;
    use groundwork_corpus::parquet::arrow::ArrowWriter;

    use super::*;

    #[test]
    fn numbers_text_and_structs_are_columns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.parquet");
        let inner = StructArray::from(vec![(
            Arc::new(Field::new("loss", DataType::Float64, true)),
            Arc::new(Float64Array::from(vec![Some(2.5), None])) as ArrayRef,
        )]);
        let batch = RecordBatch::try_from_iter([
            ("step", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
            ("arm", Arc::new(StringArray::from(vec!["a", "b"]))),
            ("m", Arc::new(inner)),
            ("list", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)]), None]))),
        ])
        .unwrap();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();

        let mut findings = Findings::default();
        let table = read(&path, "r.parquet", &mut findings).unwrap();
        assert_eq!(table.names(), ["step", "arm", "m.loss"]);
        assert_eq!(table.rows[0].cells, [Cell::Number(1.0), Cell::Text("a".into()), Cell::Number(2.5)]);
        assert_eq!(table.place(&table.rows[1]), "r.parquet, row 2");
        assert!(table.rows[1].cell(2).is_missing());
        assert!(findings.list()[0].to_string().contains("column `list`: the column is of type List"));

        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
        let e = read(&path, "r.parquet", &mut findings).unwrap_err().to_string();
        assert!(e.contains("r.parquet` is no readable Parquet file") && e.contains("cut off"), "{e}");
    }
}
