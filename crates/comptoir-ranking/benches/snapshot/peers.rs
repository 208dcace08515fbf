//! The same boards in LMDB and in SQLite.

use std::cell::RefCell;
use std::path::Path;

use heed::types::{Bytes, Str};
use heed::{CommitOrAbort, Database, Env, EnvOpenOptions, RoTxn, WithTls};
use rusqlite::{Connection, Statement};

use super::{Entries, PAGE, SKIP, digest};

/// A value is a board: its entries as the snapshot has them.
pub struct Lmdb {
    env: &'static Env<WithTls>,
    boards: Database<'static, Str, Bytes>,
}

impl Lmdb {
    pub fn new(directory: &Path, content: &[(String, Entries)]) -> Self {
        let path = directory.join("lmdb");
        std::fs::create_dir_all(&path).unwrap();
        // SAFETY: the directory is this program's alone.
        let env = unsafe { EnvOpenOptions::new().map_size(1 << 28).open(path) }.unwrap();
        // It lives as long as the program.
        let env: &'static Env<WithTls> = Box::leak(Box::new(env));
        let write = env.write_txn().unwrap();
        let boards: Database<'_, Str, Bytes> = env
            .create_databases_and_commit(write, |with, write| {
                with.create_database(write, None).map(CommitOrAbort::<_, ()>::Commit)
            })
            .unwrap()
            .unwrap_commit();
        let mut write = env.write_txn().unwrap();
        for (name, entries) in content {
            let bytes: Vec<u8> = entries
                .iter()
                .flat_map(|(item, score)| [item.to_le_bytes(), score.to_le_bytes()])
                .flatten()
                .collect();
            boards.put(&mut write, name, &bytes).unwrap();
        }
        write.commit().unwrap();
        Self { env, boards }
    }

    pub fn begin(&self) -> RoTxn<'_, WithTls> {
        self.env.read_txn().unwrap()
    }

    pub fn page(&self, read: &RoTxn<'_, WithTls>, name: &str) -> u64 {
        let bytes = self.boards.get(read, name).unwrap().unwrap();
        let word = |entry: &[u8], at: usize| u64::from_le_bytes(entry[at..at + 8].try_into().unwrap());
        let entries = bytes[SKIP * 16..(SKIP + PAGE) * 16].chunks_exact(16);
        digest(entries.map(|entry| (word(entry, 0).cast_signed(), f64::from_bits(word(entry, 8)))))
    }
}

pub struct Sqlite {
    connection: &'static Connection,
    select: RefCell<Statement<'static>>,
}

const SELECT: &str =
    "SELECT item, score FROM entry WHERE board = ? AND position BETWEEN ? AND ? ORDER BY position";

impl Sqlite {
    pub fn new(directory: &Path, content: &[(String, Entries)]) -> Self {
        let mut connection = Connection::open(directory.join("boards.sqlite")).unwrap();
        connection
            .execute_batch(
                "PRAGMA mmap_size = 268435456;
                 CREATE TABLE entry (board TEXT, position INTEGER, item INTEGER, score REAL,
                     PRIMARY KEY (board, position)) WITHOUT ROWID;",
            )
            .unwrap();
        let write = connection.transaction().unwrap();
        {
            let mut insert = write.prepare("INSERT INTO entry VALUES (?, ?, ?, ?)").unwrap();
            for (name, entries) in content {
                for (position, (item, score)) in (1_i64..).zip(entries) {
                    insert.execute((name, position, item, score)).unwrap();
                }
            }
        }
        write.commit().unwrap();
        let connection: &'static Connection = Box::leak(Box::new(connection));
        Self { connection, select: RefCell::new(connection.prepare(SELECT).unwrap()) }
    }

    pub fn page(&self, name: &str) -> u64 {
        let mut select = self.select.borrow_mut();
        let rows = select
            .query_map((name, SKIP as i64 + 1, (SKIP + PAGE) as i64), |row| Ok((row.get(0)?, row.get(1)?)));
        digest(rows.unwrap().map(Result::unwrap))
    }

    pub fn begin(&self) {
        self.connection.execute_batch("BEGIN").unwrap();
    }

    pub fn end(&self) {
        self.connection.execute_batch("COMMIT").unwrap();
    }
}
