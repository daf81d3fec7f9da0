//! Stored events as CSV (RFC 4180), safe to open in a spreadsheet.

use std::io::Write;

use super::table::{Cell, Table};

/// Writes rows as CSV. Text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a
/// carriage return) gets an apostrophe in front, which spreadsheets show as text. Numbers stay numbers, also negative ones.
pub(super) struct Csv<W: Write> {
    writer: csv::Writer<W>,
}

impl<W: Write> Csv<W> {
    pub(super) fn begin(to: W, table: &Table) -> Result<Csv<W>, String> {
        let mut writer =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(to);
        let names = table.columns.iter().map(|column| &column.name);
        writer.write_record(names).map_err(|error| error.to_string())?;
        Ok(Csv { writer })
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<(), String> {
        let texts = cells.iter().map(text);
        self.writer.write_record(texts).map_err(|error| error.to_string())
    }

    pub(super) fn end(mut self) -> Result<(), String> {
        self.writer.flush().map_err(|error| error.to_string())
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::None => String::new(),
        Cell::Text(text) => defused(text),
        Cell::Bool(truth) => truth.to_string(),
        Cell::Date(days) => date(*days),
        Cell::Moment(_, written) => written.clone(),
        Cell::Whole(number) => number.to_string(),
        Cell::Decimal(number) => number.to_string(),
    }
}

pub(in crate::console) fn defused(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{text}") } else { text.to_owned() }
}

fn date(days: i32) -> String {
    use beaconry_model::time::{DAY_MS, Timestamp};
    Timestamp(i64::from(days) * DAY_MS).to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_and_no_formula() {
        let table = [
            (Cell::Text("plain".into()), "plain"),
            (Cell::Text("a, \"b\"\r\nc".into()), "\"a, \"\"b\"\"\r\nc\""),
            (Cell::Text("=1+1".into()), "'=1+1"),
            (Cell::Text("+46".into()), "'+46"),
            (Cell::Text("-2".into()), "'-2"),
            (Cell::Text("@SUM(A1)".into()), "'@SUM(A1)"),
            (Cell::Text("\tx".into()), "'\tx"),
            (Cell::Text("\r=1".into()), "\"'\r=1\""),
            (Cell::Whole(-2), "-2"),
            (Cell::Decimal(-2.5), "-2.5"),
            (Cell::Bool(true), "true"),
            (Cell::Date(20_513), "2026-03-01"),
            (Cell::Moment(0, "1970-01-01T01:00:00+01:00".into()), "1970-01-01T01:00:00+01:00"),
        ];
        for (cell, expected) in table {
            let mut out = Vec::new();
            let mut csv = Csv::begin(&mut out, &Table { columns: vec![] }).unwrap();
            csv.row(&[cell, Cell::Whole(1)]).ok();
            drop(csv);
            let out = String::from_utf8(out).unwrap();
            assert!(out.contains(&format!("{expected},1")), "{expected}: {out:?}");
        }
    }
}
