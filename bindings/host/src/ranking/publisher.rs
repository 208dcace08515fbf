use std::path::Path;
use std::sync::{Mutex, PoisonError};

use comptoir::ranking::snapshot::{ItemKind, Publisher, SnapshotBuilder, TableColumns};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::board::BoardTables;
use crate::{Fault, Table, parse};

/// Publishes boards in a directory, one process at a time; readers in any process follow.
#[derive(Debug)]
pub struct BoardPublisher(Mutex<Publisher>);

/// Boards that are to be published.
#[derive(Debug)]
pub enum Published<'b> {
    /// A finished board, under the id of its spec.
    Result(&'b BoardTables),
    /// A table whose rows are places, and which column is what: JSON such as `{"board": "top", "group": ["country"],
    /// "item": "sku", "score": "units", "position": "position"}`.
    Table(Table, &'b str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    board: String,
    #[serde(default)]
    group: Vec<String>,
    item: String,
    score: String,
    #[serde(default)]
    position: Option<String>,
}

impl From<Columns> for TableColumns {
    fn from(columns: Columns) -> Self {
        let Columns { board, group, item, score, position } = columns;
        Self { board, group, item, score, position }
    }
}

impl BoardPublisher {
    /// A publisher for a directory, which is made if it is not there; `keep` of the newest versions stay.
    ///
    /// # Errors
    /// `RANKING_PUBLISHER_BUSY` while another publisher has it; a directory that cannot be made; `keep` of 0.
    pub fn open(directory: &Path, keep: usize) -> Result<Self, Fault> {
        if keep == 0 {
            return Err(Fault::argument("`keep` must be at least 1").at("keep"));
        }
        Ok(Self(Mutex::new(Publisher::open(directory, keep)?)))
    }

    /// Writes the next version and makes it the current one; `watermark` is the moment up to which the input is
    /// complete, in microseconds since 1970, 0 where it is not known. Gives the number of the version.
    ///
    /// # Errors
    /// A table that cannot be published, with its place; a file that cannot be written. The current version is then what
    /// it was.
    pub fn publish(&self, boards: &[Published<'_>], watermark: i64) -> Result<u64, Fault> {
        let mut tables = Vec::with_capacity(boards.len());
        for one in boards {
            tables.push(match one {
                Published::Result(result) => (columns_of(result), result.table()?),
                Published::Table(table, columns) => {
                    (parse::<Columns>("columns", columns)?.into(), table.clone())
                }
            });
        }
        // Without any table the kind does not matter.
        let kind = tables.first().map(|(columns, table)| columns.item_kind(&table.schema)).transpose()?;
        let (spec, rules) = hashes(boards)?;
        let mut builder =
            SnapshotBuilder::new(kind.unwrap_or(ItemKind::Text)).watermark(watermark).hashes(spec, rules);
        for (columns, table) in &tables {
            builder.table(columns, &table.schema, &table.batches)?;
        }
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).publish(&builder)?)
    }

    /// Makes an earlier version the current one, after verifying it.
    ///
    /// # Errors
    /// A version that is not there or is damaged.
    pub fn rollback(&self, version: u64) -> Result<(), Fault> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).rollback(version)?)
    }

    /// The versions that are there, ascending.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub fn versions(&self) -> Result<Vec<u64>, Fault> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).versions()?)
    }
}

fn columns_of(result: &BoardTables) -> TableColumns {
    let spec = result.result().spec();
    TableColumns {
        board: spec.id.clone(),
        group: spec.group.clone(),
        item: spec.item.clone(),
        score: "score".to_owned(),
        position: Some("position".to_owned()),
    }
}

/// Hashes of what the boards are made by: those of the only one, or the SHA-256 of those of all; zeros where one is not
/// known.
fn hashes(boards: &[Published<'_>]) -> Result<([u8; 32], [u8; 32]), Fault> {
    let (mut specs, mut rules) = (Vec::new(), Vec::new());
    for one in boards {
        let Published::Result(result) = one else { return Ok(([0; 32], [0; 32])) };
        let result = result.result();
        specs.push(result.spec().hash()?);
        rules.push(result.spec().rules_hash(result.context())?);
    }
    Ok((together(&specs), together(&rules)))
}

fn together(hashes: &[[u8; 32]]) -> [u8; 32] {
    match hashes {
        [] => [0; 32],
        [one] => *one,
        several => Sha256::digest(several.concat()).into(),
    }
}
