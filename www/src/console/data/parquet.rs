//! Stored events as Parquet, types kept: dates are dates, time stamps moments in UTC, numbers 64-bit integers or doubles.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use beaconry_model::value::Kind;

use super::table::{Cell, Column, Table};

/// Rows in a row group, and bytes of text in one, at the most: that is what is held in memory.
const ROWS: usize = 20_000;
const BYTES: usize = 16 * 1024 * 1024;

/// Writes rows as Parquet, a row group at a time.
pub(super) struct Parquet<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    /// The values of the growing group, by column.
    group: Vec<Vec<Cell>>,
    bytes: usize,
}

impl<W: Write + Send> Parquet<W> {
    pub(super) fn begin(to: W, table: &Table) -> Result<Parquet<W>, String> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("Beaconry {}", env!("CARGO_PKG_VERSION")))
            .build();
        let schema = schema(&table.columns).map_err(said)?;
        let writer = SerializedFileWriter::new(to, schema, Arc::new(properties)).map_err(said)?;
        Ok(Parquet { writer, group: vec![Vec::new(); table.columns.len()], bytes: 0 })
    }

    pub(super) fn row(&mut self, cells: Vec<Cell>) -> Result<(), String> {
        for (column, cell) in self.group.iter_mut().zip(cells) {
            if let Cell::Text(text) = &cell {
                self.bytes += text.len();
            }
            column.push(cell);
        }
        let rows = self.group.first().map_or(0, Vec::len);
        if rows >= ROWS || self.bytes >= BYTES { self.write_group().map_err(said) } else { Ok(()) }
    }

    pub(super) fn end(mut self) -> Result<(), String> {
        self.write_group().map_err(said)?;
        self.writer.close().map(drop).map_err(said)
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        self.bytes = 0;
        if self.group.first().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for cells in &mut self.group {
            let Some(mut column) = group.next_column()? else { break };
            write_column(column.untyped(), &std::mem::take(cells))?;
            column.close()?;
        }
        group.close()?;
        Ok(())
    }
}

fn said(error: ParquetError) -> String {
    error.to_string()
}

fn schema(columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let field = |column: &Column| {
        let (physical, logical) = types(column.kind);
        Type::primitive_type_builder(&column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<_, _>>()?;
    Type::group_type_builder("event").with_fields(fields).build().map(Arc::new)
}

fn types(kind: Kind) -> (Physical, Option<LogicalType>) {
    match kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Bool => (Physical::BOOLEAN, None),
        Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
        Kind::Timestamp => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
        Kind::Number => (Physical::INT64, None),
        Kind::Decimal => (Physical::DOUBLE, None),
    }
}

/// Writes a column's values; those that are missing are told by their definition level, 0.
fn write_column(column: &mut ColumnWriter, cells: &[Cell]) -> Result<(), ParquetError> {
    let there: Vec<i16> = cells.iter().map(|cell| i16::from(*cell != Cell::None)).collect();
    let there = Some(there.as_slice());
    match column {
        ColumnWriter::ByteArrayColumnWriter(column) => {
            let texts = cells.iter().filter_map(|cell| match cell {
                Cell::Text(text) => Some(ByteArray::from(text.as_str())),
                _ => None,
            });
            column.write_batch(&texts.collect::<Vec<_>>(), there, None)?;
        }
        ColumnWriter::BoolColumnWriter(column) => {
            let truths = cells.iter().filter_map(|cell| match cell {
                Cell::Bool(truth) => Some(*truth),
                _ => None,
            });
            column.write_batch(&truths.collect::<Vec<_>>(), there, None)?;
        }
        ColumnWriter::Int32ColumnWriter(column) => {
            let days = cells.iter().filter_map(|cell| match cell {
                Cell::Date(days) => Some(*days),
                _ => None,
            });
            column.write_batch(&days.collect::<Vec<_>>(), there, None)?;
        }
        ColumnWriter::Int64ColumnWriter(column) => {
            let numbers = cells.iter().filter_map(|cell| match cell {
                Cell::Whole(number) | Cell::Moment(number, _) => Some(*number),
                _ => None,
            });
            column.write_batch(&numbers.collect::<Vec<_>>(), there, None)?;
        }
        ColumnWriter::DoubleColumnWriter(column) => {
            let numbers = cells.iter().filter_map(|cell| match cell {
                Cell::Decimal(number) => Some(*number),
                _ => None,
            });
            column.write_batch(&numbers.collect::<Vec<_>>(), there, None)?;
        }
        _ => return Err(ParquetError::General("a column of a type that has no values".to_owned())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::serialized_reader::ReadOptionsBuilder;
    use parquet::record::Field;

    use super::super::table::tests::{event, table};
    use super::*;

    #[test]
    fn what_is_read_back_has_its_types() {
        let data = r#"{"source":"Website","n":-3,"d":1.5,"sure":true,"day":"2026-03-01","at":"2026-03-01T12:00:00+01:00"}"#;
        let table = table(&[&["n:number", "d:decimal", "sure:bool", "day:date", "at:timestamp"]]);
        let mut out = Vec::new();
        let mut parquet = Parquet::begin(&mut out, &table).unwrap();
        // More than one row group; every second row has no values.
        for at in 0..ROWS + 2 {
            let data = if at % 2 == 0 { data } else { r#"{"source":"Website"}"# };
            parquet.row(table.row(&event(data), &[])).unwrap();
        }
        parquet.end().unwrap();
        let options = ReadOptionsBuilder::new().build();
        let bytes = axum::body::Bytes::from(out);
        let reader = SerializedFileReader::new_with_options(bytes, options).unwrap();
        assert_eq!(reader.metadata().num_row_groups(), 2);
        assert_eq!(reader.metadata().file_metadata().num_rows(), ROWS as i64 + 2);
        let mut rows = reader.get_row_iter(None).unwrap();
        let full: Vec<(String, Field)> = rows.next().unwrap().unwrap().into_columns();
        let empty: Vec<(String, Field)> = rows.next().unwrap().unwrap().into_columns();
        let expected = [
            ("n", Field::Long(-3)),
            ("d", Field::Double(1.5)),
            ("sure", Field::Bool(true)),
            ("day", Field::Date(20_513)),
            ("at", Field::TimestampMillis(1_772_362_800_000)),
            ("source", Field::Str("Website".to_owned())),
        ];
        for (name, value) in expected {
            let named = |row: &[(String, Field)]| {
                row.iter().find(|(column, _)| column == name).unwrap().1.clone()
            };
            assert_eq!(named(&full), value);
            if name != "source" {
                assert_eq!(named(&empty), Field::Null, "{name}");
            }
        }
    }
}
