use std::sync::{Mutex, MutexGuard, PoisonError};

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
    /// Columns that are missing or have another type, with their names: then the board is as it was. `HOST_CLOSED` once it
    /// is finished; `RANKING_PUSH_FAILED` from the first error on that came after rows had been taken.
    pub fn push(&self, batches: &[RecordBatch], threads: usize) -> Result<(), Fault> {
        let mut place = self.lock();
        let mut boards = Boards::from_boards(vec![place.take().ok_or_else(finished)?])?;
        let outcome = boards.push_all(batches, threads_or_all(threads));
        *place = boards.into_boards().pop();
        Ok(outcome?)
    }

    /// Adds the parts of a stream, which `read` gives to its argument. A stream that fails after its first part leaves a
    /// board that refuses all other calls.
    ///
    /// # Errors
    /// As [`BoardBuilder::push`], and what `read` gives.
    pub fn push_parts(
        &self,
        threads: usize,
        read: impl FnOnce(&mut (dyn FnMut(&[RecordBatch]) -> Result<(), Fault> + Send)) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.check_open()?;
        let mut has_rows = false;
        let outcome = read(&mut |batches| {
            self.push(batches, threads)?;
            has_rows = true;
            Ok(())
        });
        if outcome.is_err() && has_rows {
            self.lock().iter_mut().for_each(Board::mark_failed);
        }
        outcome
    }

    /// Whether it takes rows, to be asked before a stream is read.
    ///
    /// # Errors
    /// `HOST_CLOSED` once it is finished, `RANKING_PUSH_FAILED` after a push that has failed.
    pub fn check_open(&self) -> Result<(), Fault> {
        Ok(self.lock().as_ref().ok_or_else(finished)?.check_whole()?)
    }

    /// Adds what another collector has seen, which is then of no more use. After an error both are as they were.
    ///
    /// # Errors
    /// Collectors of different boards; `HOST_CLOSED` where one is finished.
    pub fn merge(&self, other: &Self) -> Result<(), Fault> {
        if std::ptr::eq(self, other) {
            return Err(merged_into_itself());
        }
        // The locks in one order, so that two boards that are merged into each other do not wait for ever.
        let (mut own, mut theirs) = if std::ptr::from_ref(self) < std::ptr::from_ref(other) {
            let own = self.lock();
            (own, other.lock())
        } else {
            let theirs = other.lock();
            (self.lock(), theirs)
        };
        let own = own.as_mut().ok_or_else(finished)?;
        own.check_merge(theirs.as_ref().ok_or_else(finished)?)?;
        Ok(theirs.take().map_or(Ok(()), |theirs| own.merge(theirs))?)
    }

    /// The board of each group. The collector is then of no more use.
    ///
    /// # Errors
    /// A metric that does not fit; `HOST_CLOSED` the second time; `RANKING_PUSH_FAILED` after a push that has failed.
    pub fn finish(&self) -> Result<BoardTables, Fault> {
        let mut place = self.lock();
        place.as_ref().ok_or_else(finished)?.check_whole()?;
        let board = place.take().ok_or_else(finished)?;
        drop(place);
        Ok(BoardTables(board.finish()?))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Board>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A call on a board that is of no more use: `HOST_CLOSED`.
#[must_use]
pub fn finished() -> Fault {
    Fault::closed("board, which is finished or was merged into another one,")
}

/// A board that is to be merged with itself: `HOST_ARGUMENT`.
#[must_use]
pub fn merged_into_itself() -> Fault {
    Fault::argument("a board cannot be merged into itself")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_expression_is_refused_without_a_table() {
        let spec = "id: top\nitem: sku\nscore: units\nk: 1\nhaving: |-\n  n >\n  > 1\nmetrics: {n: {count: 'true'}}\n";
        let fault = BoardBuilder::new(spec, "").unwrap_err();
        let place = &fault.place;
        assert_eq!(
            (fault.code, place.path.as_str(), place.line, place.column),
            ("RULES_SYNTAX", "having", 2, 1)
        );
        assert!(place.rendered.contains('^'), "{}", place.rendered);
    }

    #[test]
    fn a_board_that_is_finished_is_closed() {
        let board = BoardBuilder::new("id: top\nitem: sku\nscore: units\nk: 1\n", "").unwrap();
        board.finish().unwrap();
        assert_eq!(board.finish().unwrap_err().code, "HOST_CLOSED");
        assert_eq!(board.merge(&board).unwrap_err().code, "HOST_ARGUMENT");
    }
}
