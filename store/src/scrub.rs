//! Overwrites what SQLite leaves behind outside of rows.
//!
//! `secure_delete` overwrites what a row held where it was deleted. But when SQLite balances a B-tree it lays the rows of a
//! page anew, and what lay there before stays in the gap between the page's list of rows and its first row, until a later
//! row happens to need the place: copies of rows that live on elsewhere now, or that are deleted later. No statement and no
//! pragma but a VACUUM of everything reaches them. So they are looked for page by page, and overwritten with zeros, which no
//! reader notices. <https://www.sqlite.org/fileformat2.html#b_tree_pages> is the format.

use rusqlite::{Connection, TransactionBehavior, params};

/// An overflow page begins with the number of the next one. From this many pages on (137 GB), the number's first byte could
/// be that of a B-tree's page.
const MOST_PAGES: u32 = 1 << 25;
/// The page that SQLite never uses, because locks lie there.
const LOCKED_AT: u64 = 1 << 30;
/// Pages overwritten in one transaction: a few milliseconds, for which others wait.
const STEP: usize = 200;

/// The numbers of pages that hold something in their gap.
pub(crate) fn unclean(connection: &Connection) -> Result<Vec<u32>, rusqlite::Error> {
    let layout = Layout::of(connection)?;
    let mut statement =
        connection.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?")?;
    let mut found = Vec::new();
    for number in (1..=layout.pages).filter(|number| layout.may_be_tree(*number)) {
        let mut rows = statement.query([number])?;
        let Some(row) = rows.next()? else { break };
        let page = row.get_ref(0)?.as_blob().unwrap_or_default();
        if gap(number, page).is_some_and(|gap| page[gap].iter().any(|byte| *byte != 0)) {
            found.push(number);
        }
    }
    Ok(found)
}

/// Overwrites the gaps of every page of a database that others may write meanwhile.
pub(crate) fn clean_all(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    for pages in unclean(connection)?.chunks(STEP) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        clean(&transaction, pages)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Overwrites the gaps of these pages, as one transaction of this connection, or within the one that is open.
pub(crate) fn clean(connection: &Connection, numbers: &[u32]) -> Result<(), rusqlite::Error> {
    let layout = Layout::of(connection)?;
    let mut read = connection.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?")?;
    let mut write =
        connection.prepare_cached("UPDATE sqlite_dbpage SET data = ? WHERE pgno = ?")?;
    for number in numbers.iter().filter(|number| layout.may_be_tree(**number)) {
        let mut rows = read.query([number])?;
        // Gone, where the database has become shorter since.
        let Some(row) = rows.next()? else { continue };
        let mut page = row.get_ref(0)?.as_blob().unwrap_or_default().to_vec();
        drop(rows);
        let Some(gap) = gap(*number, &page) else { continue };
        page[gap].fill(0);
        write.execute(params![page, number])?;
    }
    Ok(())
}

/// Which pages of a database are what.
struct Layout {
    pages: u32,
    size: u64,
}

impl Layout {
    fn of(connection: &Connection) -> Result<Layout, rusqlite::Error> {
        let pages = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let size = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        if pages >= MOST_PAGES {
            let why = "the database is too large to be searched for what deleted rows left behind";
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_TOOBIG);
            return Err(rusqlite::Error::SqliteFailure(code, Some(why.to_owned())));
        }
        Ok(Layout { pages, size })
    }

    /// Whether this page may be one of a B-tree: not one of those that say where pages belong (one before each
    /// `size / 5` others, the first is page 2), nor the one that is never used.
    fn may_be_tree(&self, number: u32) -> bool {
        let every = self.size / 5 + 1;
        let number = u64::from(number);
        let map = number >= 2 && (number - 2).is_multiple_of(every);
        !map && number != LOCKED_AT / self.size + 1
    }
}

/// Where the gap of a B-tree's page is; `None` where the page is another, such as one that holds the rest of a long row.
fn gap(number: u32, page: &[u8]) -> Option<std::ops::Range<usize>> {
    // The first page begins with the database's own header.
    let header = if number == 1 { 100 } else { 0 };
    let two =
        |at: usize| Some(usize::from(u16::from_be_bytes(page.get(at..at + 2)?.try_into().ok()?)));
    let length = match *page.get(header)? {
        // Inner pages of indexes and tables, then their leaves.
        2 | 5 => 12,
        10 | 13 => 8,
        _ => return None,
    };
    let begins = header + length + 2 * two(header + 3)?;
    let ends = match two(header + 5)? {
        0 => 65_536,
        first => first,
    };
    (begins <= ends && ends <= page.len()).then_some(begins..ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database whose pages were split and filled anew, with long rows, wide indexes and deletions in between.
    fn busy() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("it.db")).unwrap();
        connection
            .execute_batch(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA secure_delete = ON; PRAGMA journal_mode = WAL;
                 CREATE TABLE it (a INTEGER, b TEXT, c TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
                 CREATE INDEX by_c ON it (c);
                 CREATE TABLE long (text TEXT);",
            )
            .unwrap();
        let mut random = 17_u64;
        for n in 0..3_000_u64 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let (a, length) = (random >> 40, usize::try_from((random >> 20) % 300).unwrap());
            let row = params![a as i64, format!("row-{n}-"), "x".repeat(length)];
            connection.execute("INSERT OR REPLACE INTO it VALUES (?, ?, ?)", row).unwrap();
            connection
                .execute(
                    "DELETE FROM it WHERE a % 7 = ? AND b < ?",
                    params![(n % 7) as i64, format!("row-{}", n / 50)],
                )
                .unwrap();
            if n % 500 == 0 {
                connection.execute("INSERT INTO long VALUES (?)", ["y".repeat(30_000)]).unwrap();
            }
        }
        (folder, connection)
    }

    fn all(connection: &Connection) -> Vec<(i64, String, String)> {
        let mut statement = connection.prepare("SELECT a, b, c FROM it ORDER BY a, b").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn what_balancing_leaves_is_overwritten_and_no_row_is() {
        let (_folder, connection) = busy();
        let before = all(&connection);
        let found = unclean(&connection).unwrap();
        assert!(found.len() > 10, "SQLite leaves copies of rows behind: {found:?}");
        clean(&connection, &found).unwrap();
        assert_eq!(unclean(&connection).unwrap(), Vec::<u32>::new());
        assert_eq!(all(&connection), before);
        let length: i64 = connection
            .query_row("SELECT sum(length(text)) FROM long", [], |row| row.get(0))
            .unwrap();
        assert_eq!(length, 6 * 30_000);
        let check: String =
            connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    }

    #[test]
    fn a_page_that_is_no_trees_has_no_gap() {
        let mut page = vec![0; 4096];
        assert_eq!(gap(3, &page), None);
        // A leaf of two rows, the first of which begins at 4000.
        page[..8].copy_from_slice(&[13, 0, 0, 0, 2, 0x0f, 0xa0, 0]);
        assert_eq!(gap(3, &page), Some(12..4000));
        page[5..7].copy_from_slice(&[0xff, 0xff]);
        assert_eq!(gap(3, &page), None, "beyond the page");
        assert_eq!(gap(3, &page[..4]), None);
    }
}
