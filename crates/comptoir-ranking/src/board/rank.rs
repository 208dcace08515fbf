//! Candidates of a table into the best of each group.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_schema::{Field, Schema};

use super::candidate::Candidate;
use super::codes::Codes;
use super::error::BoardError;
use super::items::Items;
use super::kept::Kept;
use super::keys::KeyColumns;
use super::list::Spare;
use super::numbers::{Keys, Low, NumberKind};
use super::offers::Offers;
use super::pool::{Group, Pool};
use super::report::Report;
use super::spec::BoardSpec;
use super::wanted::Wanted;

/// Rows of a batch that stand for election.
#[derive(Debug)]
pub struct Candidates<'b> {
    /// Where groups, items and tie keys are read.
    pub batch: &'b RecordBatch,
    /// Which rows of the batch are candidates; each of them has an item.
    pub chosen: &'b BooleanBuffer,
    /// Which of them are kept whatever their score, because their items are pinned.
    pub wanted: Option<&'b BooleanBuffer>,
    /// The kind of all scores of the board.
    pub kind: NumberKind,
    /// A score for each row of the batch; null and NaN are none.
    pub scores: ArrayRef,
    /// What each score has beyond its double, where boosts made doubles of exact scores.
    pub beyond: Option<Vec<i128>>,
    /// What is kept beside, an array as long as the batch for each name that the ranker was made with.
    pub carried: Vec<ArrayRef>,
}

/// The best of each group, and what is wanted beside.
#[derive(Debug)]
pub struct Ranked {
    /// The values of the group columns, a row for each group, ascending, null last.
    pub groups: RecordBatch,
    /// For each group its rows in `kept`.
    pub spans: Vec<Span>,
    /// The column of items, then the carried columns; none before the first batch.
    pub kept: RecordBatch,
    /// The score of each row of `kept`; `None` before the first batch.
    pub scores: Option<ArrayRef>,
    /// The rows of `kept` that have the score of the row before.
    pub tied: BooleanBuffer,
}

/// The rows of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first row.
    pub start: usize,
    /// After the best, which stand in their order.
    pub best: usize,
    /// After the wanted ones that are not among the best.
    pub end: usize,
}

/// Collects the best of each group.
///
/// A row costs little unless it may be among the best: its group becomes a dense code, and its score is compared with
/// the floor of that group. Items, tie keys and what is carried are read only of rows that pass.
#[derive(Debug)]
pub struct Ranker {
    kind: Option<NumberKind>,
    /// How many bytes of scores are not in their keys.
    low_width: usize,
    codes: Codes,
    names: Vec<String>,
    item: Items,
    ties: KeyColumns,
    carried: KeyColumns,
    /// By code of the group.
    kept: Vec<Group>,
    /// Where groups are shared with other threads.
    pool: Option<Arc<Pool>>,
    spare: Spare,
    /// Where a candidate is put together.
    memory: Vec<u8>,
    /// The floors of `kept` as far as they are known here, side by side for rows to be compared with. Floors only rise, so
    /// that one that another thread has raised since lets too many rows pass and none too few.
    floors: Vec<i64>,
    wanted: Wanted,
    keep: usize,
    /// Whether the types of all columns are known.
    is_typed: bool,
    /// Codes of the rows of a batch.
    of_rows: Vec<u32>,
}

/// A row that may be among the best.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    pub group: u32,
    pub row: u32,
}

impl Ranker {
    /// For the groups, items and tie keys of a spec; `carried` names what is kept beside.
    pub fn new(spec: &BoardSpec, carried: &[String]) -> Self {
        Self {
            kind: None,
            low_width: 0,
            codes: Codes::new(&spec.group),
            names: spec.group.clone(),
            item: Items::new(&spec.item),
            ties: KeyColumns::sorted_by(spec.ties.iter().map(|tie| (tie.by.clone(), tie.order)).collect()),
            carried: KeyColumns::payload(carried),
            kept: Vec::new(),
            pool: None,
            spare: Spare::default(),
            memory: Vec::new(),
            floors: Vec::new(),
            wanted: Wanted::default(),
            // One more tells whether the cut falls between equal scores.
            keep: spec.k + spec.slack + 1,
            is_typed: false,
            of_rows: Vec::new(),
        }
    }

    /// Offers the chosen rows of a batch.
    pub fn push(&mut self, mut candidates: Candidates<'_>, report: &mut Report) -> Result<(), BoardError> {
        let beyond = candidates.beyond.take();
        let candidates = &candidates;
        self.kind = Some(candidates.kind);
        let mut keys = candidates.kind.keys(&candidates.scores, candidates.chosen);
        if let Some(beyond) = beyond {
            keys.low = Low::Beyond(beyond);
        }
        self.low_width = keys.low.width();
        let (chosen, with_score) = (candidates.chosen.count_set_bits(), keys.valid.count_set_bits());
        report.candidates += with_score as u64;
        report.without_score += (chosen - with_score) as u64;
        let mut codes = std::mem::take(&mut self.of_rows);
        self.codes.read(candidates.batch, &keys.valid, &mut codes)?;
        self.reach()?;
        let mut open = open_rows(&keys.valid, &codes, &keys.keys, &self.floors);
        open.retain(|open| self.is_open(*open, &keys.keys));
        self.offer(candidates, &keys, &open)?;
        if let Some(wanted) = candidates.wanted {
            let is_wanted = wanted & &keys.valid;
            let group = |row: u32| codes.get(row as usize).copied().unwrap_or_default();
            let rows =
                is_wanted.set_indices_u32().map(|row| Open { group: group(row), row }).collect::<Vec<_>>();
            self.want(candidates, &keys, &rows)?;
        }
        self.of_rows = codes;
        Ok(())
    }

    /// Makes a place for each group.
    fn reach(&mut self) -> Result<(), BoardError> {
        let known = self.kept.len();
        if known < self.codes.len() {
            match &self.pool {
                Some(pool) => self.kept.extend(pool.groups(&self.codes, known)?),
                None => self.kept.resize_with(self.codes.len(), Group::default),
            }
            self.floors.extend(self.kept.iter().skip(known).map(Group::floor));
        }
        Ok(())
    }

    /// Whether a row passes the floor as it is now. Asked of many rows one after the other this brings their groups into
    /// the cache, all at a time, before they are changed.
    #[inline]
    fn is_open(&self, open: Open, keys: &[i64]) -> bool {
        let floor = self.kept.get(open.group as usize).map(Group::floor);
        keys.get(open.row as usize).copied() >= floor
    }

    /// Shares groups with a ranker of the same board on another thread, which has seen nothing.
    pub fn share(&mut self, other: &mut Self) -> Result<(), BoardError> {
        let pool = match &self.pool {
            Some(pool) => pool.clone(),
            None => Arc::new(Pool::new(&self.names, &self.codes, &mut self.kept)?),
        };
        other.pool = Some(pool.clone());
        self.pool = Some(pool);
        Ok(())
    }

    /// Reads items, tie keys and what is carried, only of rows that may be among the best.
    fn offer(
        &mut self,
        candidates: &Candidates<'_>,
        keys: &Keys<'_>,
        open: &[Open],
    ) -> Result<(), BoardError> {
        if open.is_empty() && self.is_typed {
            return Ok(());
        }
        let offers = self.offers(candidates, keys, open)?;
        self.is_typed = true;
        for (place, open) in open.iter().enumerate() {
            let group = open.group as usize;
            let (Some(group), Some(floor)) = (self.kept.get_mut(group), self.floors.get_mut(group)) else {
                continue;
            };
            if offers.key(open.row) >= *floor {
                let candidate = offers.candidate(place, open.row, &mut self.memory);
                *floor = group.change(|kept| kept.offer(candidate, self.keep, &mut self.spare));
            }
        }
        Ok(())
    }

    fn want(
        &mut self,
        candidates: &Candidates<'_>,
        keys: &Keys<'_>,
        rows: &[Open],
    ) -> Result<(), BoardError> {
        if rows.is_empty() {
            return Ok(());
        }
        let offers = self.offers(candidates, keys, rows)?;
        for (place, open) in rows.iter().enumerate() {
            self.wanted.add(open.group, offers.candidate(place, open.row, &mut self.memory));
        }
        Ok(())
    }

    fn offers<'k>(
        &mut self,
        candidates: &Candidates<'_>,
        keys: &'k Keys<'k>,
        open: &[Open],
    ) -> Result<Offers<'k>, BoardError> {
        let rows = UInt32Array::from_iter_values(open.iter().map(|open| open.row));
        Ok(Offers {
            keys,
            items: self.item.read(candidates.batch, &rows)?,
            ties: self.ties.encode_some(candidates.batch, &rows)?,
            carried: self.carried.encode_some_arrays(&candidates.carried, &rows)?,
        })
    }

    /// Adds what another collector of the same board has kept.
    pub fn merge(&mut self, other: Self) -> Result<(), BoardError> {
        let codes = self.codes.learn(&other.codes, 0)?;
        self.item.learn(&other.item)?;
        self.ties.learn(&other.ties)?;
        self.carried.learn(&other.carried)?;
        self.kind = self.kind.or(other.kind);
        self.low_width = self.low_width.max(other.low_width);
        self.is_typed |= other.is_typed;
        // Its threads have ended, and the groups that they met are known here from now on.
        self.pool = None;
        let known = self.kept.len();
        self.reach()?;
        for (code, theirs) in codes.iter().zip(other.kept) {
            let group = *code as usize;
            if let (Some(kept), Some(floor)) = (self.kept.get_mut(group), self.floors.get_mut(group)) {
                match group < known {
                    true => kept.merge(theirs, self.keep, &mut self.spare),
                    false => *kept = theirs,
                }
                *floor = kept.floor();
            }
        }
        self.wanted.merge(&other.wanted, &codes);
        Ok(())
    }

    /// All groups in order, each with its best. Nothing has columns before the first batch.
    pub fn finish(mut self) -> Result<Ranked, BoardError> {
        let columns = self.codes.columns()?;
        let order = self.order(&columns)?;
        let (mut chosen, mut spans, mut rows) = (Vec::new(), Vec::new(), Vec::with_capacity(order.len()));
        let mut start = 0;
        for code in order {
            let Some(mut kept) = self.kept.get_mut(code as usize).map(Group::take) else { continue };
            kept.finish(self.keep, &mut self.spare);
            let best = start + kept.len();
            kept.follow(self.wanted.take(code));
            // A group without candidates has no board.
            if kept.len() > 0 {
                rows.push(code);
                spans.push(Span { start, best, end: start + kept.len() });
                start += kept.len();
                chosen.push(kept);
            }
        }
        let all = || chosen.iter().flat_map(Kept::iter);
        let rows = UInt32Array::from(rows);
        let take =
            |array: ArrayRef| arrow_select::take::take(&array, &rows, None).map_err(BoardError::internal);
        let columns = columns.into_iter().map(|(field, array)| Ok((field, take(array)?)));
        let groups = table(columns.collect::<Result<_, BoardError>>()?, spans.len())?;
        let mut columns: Vec<_> = self.item.column(all(), start)?.into_iter().collect();
        let scores =
            self.kind.map(|kind| kind.column(all().map(|candidate| (candidate.key, candidate.low())), start));
        let tied = tied(all(), start, self.low_width);
        columns.extend(self.carried.decode(all().map(|candidate| candidate.carried()))?);
        Ok(Ranked { groups, spans, kept: table(columns, start)?, scores, tied })
    }

    /// The codes of all groups in the order of their values.
    fn order(&self, columns: &[(Field, ArrayRef)]) -> Result<Vec<u32>, BoardError> {
        let count = u32::try_from(self.codes.len()).map_err(BoardError::internal)?;
        let mut order: Vec<u32> = (0..count).collect();
        if !columns.is_empty() {
            let arrays: Vec<ArrayRef> = columns.iter().map(|(_, array)| array.clone()).collect();
            let rows = KeyColumns::names(&self.names).encode_arrays(&arrays)?;
            order.sort_unstable_by_key(|code| rows.bytes(*code as usize));
        }
        Ok(order)
    }
}

/// The candidates that have the score of the one before.
fn tied<'c>(
    candidates: impl Iterator<Item = Candidate<'c>>,
    count: usize,
    low_width: usize,
) -> BooleanBuffer {
    let mut tied = BooleanBufferBuilder::new(count);
    let mut before: Option<Candidate<'_>> = None;
    for candidate in candidates {
        tied.append(before.is_some_and(|before| candidate.is_tied(&before, low_width)));
        before = Some(candidate);
    }
    tied.finish()
}

/// The rows whose key is not below the floor of their group.
fn open_rows(chosen: &BooleanBuffer, codes: &[u32], keys: &[i64], floors: &[i64]) -> Vec<Open> {
    let mut open = Vec::new();
    let blocks = codes.chunks(64).zip(keys.chunks(64));
    for ((word, (codes, keys)), start) in
        chosen.bit_chunks().iter_padded().zip(blocks).zip((0_u32..).step_by(64))
    {
        let mut left = word;
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            let (Some(group), Some(key)) = (codes.get(bit as usize), keys.get(bit as usize)) else {
                continue;
            };
            if floors.get(*group as usize).is_some_and(|floor| key >= floor) {
                open.push(Open { group: *group, row: start + bit });
            }
        }
    }
    open
}

/// Some rows of a batch.
pub fn taken(batch: &RecordBatch, rows: &[u32]) -> Result<RecordBatch, BoardError> {
    if rows.len() == batch.num_rows() && rows.iter().zip(0..).all(|(row, place)| *row == place) {
        return Ok(batch.clone());
    }
    let rows = UInt32Array::from(rows.to_vec());
    arrow_select::take::take_record_batch(batch, &rows).map_err(BoardError::internal)
}

/// Columns of so many rows as a table.
pub fn table(columns: Vec<(Field, ArrayRef)>, rows: usize) -> Result<RecordBatch, BoardError> {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(BoardError::internal)
}
