//! Several boards from one scan of a table.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

use super::collect::Board;
use super::error::BoardError;
use super::memo::shared;
use super::numbering::Numbering;
use super::result::BoardResult;
use super::scan::{Collector, blocks, scan};
use super::spec::{BoardSpec, Context};

/// Boards that are made of the same rows.
///
/// Each block of rows passes all boards while it is in the cache. An expression that several boards have is evaluated
/// once. Groups and items of rows are looked up once where several boards have the same columns for them. Boards that
/// have the same group, item, time and eligibility collect each metric that one of them has once, whatever they call it.
/// The results are those of a [`Board`] for each spec.
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
/// use comptoir_ranking::board::{BoardSpec, Boards, Context};
///
/// let spec = |id: &str, score: &str| {
///     BoardSpec::from_json(&format!(r#"{{"id": "{id}", "item": "code", "score": "{score}", "k": 1}}"#))
/// };
/// let mut boards = Boards::new(vec![spec("most", "units")?, spec("dearest", "price")?], &Context::default())?;
/// let code: ArrayRef = Arc::new(StringArray::from(vec!["mug", "bag"]));
/// let units: ArrayRef = Arc::new(Int64Array::from(vec![3, 5]));
/// let price: ArrayRef = Arc::new(Int64Array::from(vec![9, 7]));
/// boards.push(&RecordBatch::try_from_iter([("code", code), ("units", units), ("price", price)])?)?;
/// assert_eq!(boards.finish()?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Boards {
    boards: Vec<Board>,
    /// For each board the first one that collects the same events; most often itself.
    leaders: Vec<usize>,
    /// Of columns that several boards read.
    numberings: Vec<Numbering>,
}

impl Boards {
    /// For several specs in one context.
    ///
    /// # Errors
    /// As [`Board::new`].
    pub fn new(specs: Vec<BoardSpec>, context: &Context) -> Result<Self, BoardError> {
        let boards = specs.into_iter().map(|spec| Board::new(spec, context.clone()));
        Ok(Self::of(boards.collect::<Result<_, _>>()?))
    }

    /// Boards that may have seen rows already.
    ///
    /// # Errors
    /// [`BoardError::OtherContext`] for boards of different contexts.
    pub fn from_boards(boards: Vec<Board>) -> Result<Self, BoardError> {
        let context = boards.first().map(Board::context);
        let differs = |board: &Board| context.and_then(|context| context.difference(board.context()));
        match boards.iter().find_map(differs) {
            Some(field) => Err(BoardError::OtherContext { field }),
            None => Ok(Self::of(boards)),
        }
    }

    /// The boards in their order.
    #[must_use]
    pub fn into_boards(mut self) -> Vec<Board> {
        self.settle();
        self.boards
    }

    fn of(mut boards: Vec<Board>) -> Self {
        let mut leaders: Vec<usize> = Vec::with_capacity(boards.len());
        for (place, board) in boards.iter().enumerate() {
            let is_alike = |(other, leader): (usize, &usize)| {
                other == *leader && boards.get(other).is_some_and(|other| board.has_events_of(other))
            };
            leaders.push(leaders.iter().enumerate().position(is_alike).unwrap_or(place));
        }
        following_mut(&mut boards, &leaders).for_each(Board::leave_events);
        let numberings = numberings(leading(&boards, &leaders));
        Self { boards, leaders, numberings }
    }

    /// Lets boards collect what those that follow them would.
    fn gather(&mut self) -> Result<(), BoardError> {
        for (place, leader) in self.leaders.iter().enumerate().filter(|(place, leader)| place != *leader) {
            let (before, from) = self.boards.split_at_mut(place);
            if let (Some(leader), Some(board)) = (before.get_mut(*leader), from.first_mut()) {
                leader.absorb_events(board)?;
            }
        }
        Ok(())
    }

    /// Gives the boards that follow another one its events.
    fn settle(&mut self) {
        for (place, leader) in self.leaders.iter().enumerate() {
            let (before, from) = self.boards.split_at_mut(place);
            if let (Some(leader), Some(board)) = (before.get(*leader), from.first_mut()) {
                board.take_events_of(leader);
            }
        }
    }

    /// Adds rows to all boards.
    ///
    /// # Errors
    /// As [`Board::push`], of the first board that has one. An error after the columns were looked at is one of all boards:
    /// they have had a part of the rows.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), BoardError> {
        scan(self, std::slice::from_ref(batch), 1)
    }

    /// Adds the rows of several batches on so many threads, as [`Board::push_all`] does.
    ///
    /// # Errors
    /// As [`Boards::push`].
    pub fn push_all(&mut self, batches: &[RecordBatch], threads: usize) -> Result<(), BoardError> {
        scan(self, batches, threads)
    }

    /// Adds what another collector of the same boards has seen.
    ///
    /// # Errors
    /// As [`Board::merge`], and [`BoardError::OtherBoard`] for another number of boards.
    pub fn merge(&mut self, mut other: Self) -> Result<(), BoardError> {
        if self.boards.len() != other.boards.len() {
            return Err(BoardError::OtherBoard);
        }
        self.boards.iter().zip(&other.boards).try_for_each(|(board, other)| board.check_merge(other))?;
        self.gather()?;
        other.gather()?;
        // Boards that follow another one here, but not there, have collected other events.
        if self.leaders != other.leaders {
            self.settle();
            other.settle();
            self.leaders = (0..self.boards.len()).collect();
        }
        self.boards.iter_mut().zip(other.boards).try_for_each(|(board, other)| board.merge(other))
    }

    /// The results in the order of the specs.
    ///
    /// # Errors
    /// As [`Board::finish`].
    pub fn finish(self) -> Result<Vec<BoardResult>, BoardError> {
        self.into_boards().into_iter().map(Board::finish).collect()
    }
}

impl Collector for Boards {
    fn check_whole(&self) -> Result<(), BoardError> {
        self.boards.iter().try_for_each(Board::check_whole)
    }

    fn mark_failed(&mut self) {
        self.boards.iter_mut().for_each(Board::mark_failed);
    }

    fn fork(&mut self) -> Result<Self, BoardError> {
        let forks = leading_mut(&mut self.boards, &self.leaders).map(Board::fork);
        let boards = forks.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { leaders: (0..boards.len()).collect(), numberings: numberings(boards.iter()), boards })
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), BoardError> {
        if batch.num_rows() == 0 {
            // Those that follow another one look at the columns too.
            self.boards.iter_mut().try_for_each(|board| board.add(batch))?;
            return self.gather();
        }
        let (boards, leaders) = (&mut self.boards, &self.leaders);
        for block in blocks(batch) {
            let add = || leading_mut(boards, leaders).try_for_each(|board| board.add(&block));
            shared(&block, &mut self.numberings, add)?;
        }
        Ok(())
    }

    fn join(&mut self, other: Self) -> Result<(), BoardError> {
        let leading = leading_mut(&mut self.boards, &self.leaders);
        leading.zip(other.boards).try_for_each(|(board, other)| board.join(other))
    }
}

/// The boards that collect for themselves.
fn leading<'b>(boards: &'b [Board], leaders: &[usize]) -> impl Iterator<Item = &'b Board> {
    let is_leading = |(place, leader): &(usize, &usize)| place == *leader;
    let places = leaders.iter().enumerate().filter(is_leading);
    places.filter_map(|(place, _)| boards.get(place))
}

fn leading_mut<'b>(boards: &'b mut [Board], leaders: &'b [usize]) -> impl Iterator<Item = &'b mut Board> {
    let each = boards.iter_mut().zip(leaders).enumerate();
    each.filter(|(place, (_, leader))| place == *leader).map(|(_, (board, _))| board)
}

fn following_mut<'b>(boards: &'b mut [Board], leaders: &'b [usize]) -> impl Iterator<Item = &'b mut Board> {
    let each = boards.iter_mut().zip(leaders).enumerate();
    each.filter(|(place, (_, leader))| place != *leader).map(|(_, (board, _))| board)
}

/// Numberings of lists of columns, and of columns of different lists, that are read more than once.
fn numberings<'b>(boards: impl Iterator<Item = &'b Board>) -> Vec<Numbering> {
    let mut lists: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    boards.flat_map(Board::keys).for_each(|names| *lists.entry(names).or_default() += 1);
    let mut columns: BTreeMap<&String, usize> = BTreeMap::new();
    for (names, count) in &lists {
        // What is read once for several boards is one reader; so is a list of one column for each board.
        let readers = if names.len() == 1 { *count } else { 1 };
        names.iter().for_each(|name| *columns.entry(name).or_default() += readers);
    }
    let pairs = lists.iter().filter(|(names, count)| names.len() > 1 && **count > 1);
    let columns = columns.iter().filter(|(_, count)| **count > 1);
    let columns = columns.map(|(name, _)| Numbering::new(std::slice::from_ref(*name)));
    pairs.map(|(names, _)| Numbering::new(names)).chain(columns).collect()
}
