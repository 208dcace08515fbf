use std::sync::{Mutex, PoisonError};

use arrow_array::RecordBatch;
use comptoir::ranking::board::{Board, BoardResult, BoardSpec, Boards, Context};
use comptoir::ranking::snapshot::GroupValue;

use crate::{Fault, Table, parse, render};

/// Collects the rows of a board; nothing once it is finished.
#[derive(Debug)]
pub struct BoardBuilder(Mutex<Option<Board>>);

/// A finished board.
#[derive(Debug)]
pub struct BoardTables(BoardResult);

impl BoardBuilder {
    /// A collector for a spec in JSON or YAML text, JSON beginning with `{`; `context` is JSON text.
    ///
    /// # Errors
    /// A spec or context that cannot be used, with the field.
    pub fn new(spec: &str, context: &str) -> Result<Self, Fault> {
        let spec = match spec.trim_start().starts_with('{') {
            true => BoardSpec::from_json(spec)?,
            false => BoardSpec::from_yaml(spec)?,
        };
        let context: Context = parse("context", context)?;
        Ok(Self(Mutex::new(Some(Board::new(spec, context)?))))
    }

    /// Adds rows, on so many threads or, for 0, on all cores. The result does not depend on the number.
    ///
    /// # Errors
    /// Columns that are missing or have another type, with their names; `HOST_CLOSED` once it is finished.
    pub fn push(&self, batches: &[RecordBatch], threads: usize) -> Result<(), Fault> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let board = place.take().ok_or_else(finished)?;
        let mut boards = Boards::from_boards(vec![board])?;
        let outcome = boards.push_all(batches, threads_or_all(threads));
        *place = boards.into_boards().pop();
        Ok(outcome?)
    }

    /// Adds what another collector has seen, which is then of no more use.
    ///
    /// # Errors
    /// Collectors of different boards; `HOST_CLOSED` where one is finished.
    pub fn merge(&self, other: &Self) -> Result<(), Fault> {
        if std::ptr::eq(self, other) {
            return Err(Fault::argument("a board cannot be merged into itself"));
        }
        // One lock at a time, so that two boards that are merged into each other do not wait for ever.
        let other = other.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(finished)?;
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(place.as_mut().ok_or_else(finished)?.merge(other)?)
    }

    /// The board of each group. The collector is then of no more use.
    ///
    /// # Errors
    /// A metric that does not fit; `HOST_CLOSED` the second time.
    pub fn finish(&self) -> Result<BoardTables, Fault> {
        let board = self.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(finished)?;
        Ok(BoardTables(board.finish()?))
    }
}

impl BoardTables {
    /// The places.
    ///
    /// # Errors
    /// None is known.
    pub fn table(&self) -> Result<Table, Fault> {
        Ok(Table::of(self.0.table.clone())?)
    }

    /// What became of the rows, as JSON.
    ///
    /// # Errors
    /// None is known.
    pub fn report(&self) -> Result<String, Fault> {
        render(&self.0.report)
    }

    /// Why an item stands where it does in each group, or in one whose values are given as a JSON list of texts; as JSON.
    ///
    /// # Errors
    /// `HOST_JSON` for a group that is no list of texts.
    pub fn explain(&self, item: &str, group: &str) -> Result<String, Fault> {
        let texts: Option<Vec<String>> = match group.trim() {
            "" => None,
            group => Some(parse("group", group)?),
        };
        let values: Option<Vec<Option<&str>>> =
            texts.as_ref().map(|texts| texts.iter().map(|text| GroupValue::read(text)).collect());
        render(&self.0.explain(item, values.as_deref())?)
    }

    pub(super) const fn result(&self) -> &BoardResult {
        &self.0
    }
}

fn threads_or_all(threads: usize) -> usize {
    match threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        some => some,
    }
}

fn finished() -> Fault {
    Fault::closed("board, which is finished or was merged into another one,")
}
