//! Many rows by one statement. To begin and end a statement, and to find the way down a tree, costs more than a row itself;
//! rows that come in the order of their keys find their place next to the one before.

use std::sync::OnceLock;

use rusqlite::{Connection, Statement, ToSql};

/// Rows of one statement, largest first; each is a statement of its own that is prepared once.
const ROWS: [usize; 3] = [32, 8, 1];

/// A table to insert into.
pub(crate) struct Table {
    insert: &'static str,
    columns: usize,
    conflict: &'static str,
    /// The text of the statement for each number of rows.
    statements: [OnceLock<String>; ROWS.len()],
}

/// The values of one statement, row after row.
pub(crate) struct Values<'a, 'c> {
    statement: &'a mut Statement<'c>,
    bound: usize,
}

impl Values<'_, '_> {
    /// The next value.
    pub(crate) fn push(&mut self, value: impl ToSql) -> Result<(), rusqlite::Error> {
        self.bound += 1;
        self.statement.raw_bind_parameter(self.bound, value)
    }
}

impl Table {
    /// `insert` is `INSERT INTO … VALUES`, `columns` how many values a row has, and `conflict` what follows the rows.
    pub(crate) const fn new(insert: &'static str, columns: usize, conflict: &'static str) -> Table {
        Table { insert, columns, conflict, statements: [const { OnceLock::new() }; ROWS.len()] }
    }

    /// Inserts rows in their order; `values` pushes those of one.
    pub(crate) fn insert<T>(
        &self,
        connection: &Connection,
        mut rows: &[T],
        values: impl Fn(&T, &mut Values) -> Result<(), rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        for (size, statement) in ROWS.into_iter().zip(&self.statements) {
            if rows.len() < size {
                continue;
            }
            let statement = statement.get_or_init(|| self.statement(size));
            let mut statement = connection.prepare_cached(statement)?;
            while let Some((some, others)) = rows.split_at_checked(size) {
                let mut into = Values { statement: &mut statement, bound: 0 };
                some.iter().try_for_each(|row| values(row, &mut into))?;
                statement.raw_execute()?;
                rows = others;
            }
        }
        Ok(())
    }

    fn statement(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(","));
        format!("{} {} {}", self.insert, vec![row; rows].join(","), self.conflict)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::Table;

    #[test]
    fn every_row_is_inserted_once() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)").unwrap();
        let into = Table::new("INSERT INTO t VALUES", 2, "ON CONFLICT DO NOTHING");
        let mut begin = 0;
        for count in [0, 1, 7, 8, 31, 32, 33, 41, 73, 100] {
            let rows: Vec<i64> = (begin..begin + count).collect();
            // What is there already stays as it is.
            for text in ["first", "second"] {
                into.insert(&connection, &rows, |row, values| {
                    values.push(row)?;
                    values.push(format!("{text} {row}"))
                })
                .unwrap();
            }
            begin += count;
            let (rows, first): (i64, i64) = connection
                .query_row("SELECT count(*), sum(b = 'first ' || a) FROM t", [], |row| {
                    Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.unwrap_or(0)))
                })
                .unwrap();
            assert_eq!((rows, first), (begin, begin), "{count}");
        }
    }
}
