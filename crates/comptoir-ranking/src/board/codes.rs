//! Codes of the groups of rows: dense numbers in the order in which groups are first seen.

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::Field;
use hashbrown::HashMap;

use super::column_codes::{ColumnCodes, NEW};
use super::error::BoardError;
use super::keys::named;
use super::memo;
use super::numbering::Translation;

/// Codes of the combinations of the values of some columns.
#[derive(Debug)]
pub struct Codes {
    names: Vec<String>,
    columns: Vec<ColumnCodes>,
    /// For each column but the first: codes of what is before it, together with its own.
    pairs: Vec<Pairs>,
    /// Without columns: whether there is a row.
    is_any: bool,
    /// From codes that several boards have in common.
    translation: Translation,
}

/// Codes of pairs of codes.
#[derive(Debug, Default)]
struct Pairs {
    codes: HashMap<(u32, u32), u32>,
    pairs: Vec<(u32, u32)>,
    /// With what each own code was met last, and the code of that pair: rows of a group often follow each other, and most
    /// items are of one group, so that the map is seldom asked.
    last: Vec<(u32, u32)>,
}

impl Codes {
    /// For the columns of these names.
    pub fn new(names: &[String]) -> Self {
        Self {
            names: names.to_vec(),
            columns: names.iter().map(|name| ColumnCodes::new(name)).collect(),
            pairs: names.iter().skip(1).map(|_| Pairs::default()).collect(),
            is_any: false,
            translation: Translation::default(),
        }
    }

    /// How many codes there are.
    pub fn len(&self) -> usize {
        match (self.pairs.last(), self.columns.first()) {
            (Some(pairs), _) => pairs.pairs.len(),
            (None, Some(column)) => column.len(),
            (None, None) => usize::from(self.is_any),
        }
    }

    /// A code for each chosen row of a batch; other rows have any number.
    pub fn read(
        &mut self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        codes: &mut Vec<u32>,
    ) -> Result<(), BoardError> {
        let arrays = self.columns.iter().map(|column| named(batch, column.name()));
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        // A batch without rows tells the types of the columns, which a translation would not.
        if self.columns.len() > 1 && batch.num_rows() > 0 {
            let names = std::mem::take(&mut self.names);
            let outcome = memo::numbered(&names, batch, |numbering| {
                numbering.read(batch, chosen)?;
                codes.clear();
                let mut translation = std::mem::take(&mut self.translation);
                translation.read(numbering, chosen, codes, |rows| self.read_some(&arrays, rows))?;
                self.translation = translation;
                Ok(())
            });
            self.names = names;
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
        self.read_arrays(&arrays, Some(batch), chosen, codes)
    }

    /// The codes of some rows of arrays.
    fn read_some(&mut self, arrays: &[ArrayRef], rows: &UInt32Array) -> Result<Vec<u32>, BoardError> {
        let arrays = arrays.iter().map(|array| arrow_select::take::take(array, rows, None));
        let arrays = arrays.collect::<Result<Vec<_>, _>>().map_err(BoardError::internal)?;
        let mut codes = Vec::new();
        self.read_arrays(&arrays, None, &BooleanBuffer::new_set(rows.len()), &mut codes)?;
        Ok(codes)
    }

    /// `batch` is the one whose columns the arrays are, if they are those of one.
    fn read_arrays(
        &mut self,
        arrays: &[ArrayRef],
        batch: Option<&RecordBatch>,
        chosen: &BooleanBuffer,
        codes: &mut Vec<u32>,
    ) -> Result<(), BoardError> {
        codes.clear();
        let Some((column, array)) = self.columns.first_mut().zip(arrays.first()) else {
            self.is_any |= chosen.count_set_bits() > 0;
            codes.resize(chosen.len(), 0);
            return Ok(());
        };
        column.read_shared(array, batch, chosen, codes)?;
        let mut own = Vec::new();
        let more = self.columns.iter_mut().zip(arrays).skip(1);
        for ((column, array), pairs) in more.zip(&mut self.pairs) {
            own.clear();
            column.read_shared(array, batch, chosen, &mut own)?;
            pairs.join(codes, (&own, column.len()), chosen)?;
        }
        Ok(())
    }

    /// The columns with a row for each code. Nothing before the first batch.
    pub fn columns(&self) -> Result<Vec<(Field, ArrayRef)>, BoardError> {
        self.columns_from(0)
    }

    /// The columns with a row for each code from one on.
    fn columns_from(&self, from: usize) -> Result<Vec<(Field, ArrayRef)>, BoardError> {
        let Some(first) = self.columns.first() else { return Ok(Vec::new()) };
        let mut codes: Vec<u32> = match (u32::try_from(from), u32::try_from(self.len())) {
            (Ok(from), Ok(count)) => (from..count).collect(),
            _ => return Err(BoardError::TooMany { what: "groups" }),
        };
        let mut columns = Vec::new();
        for (column, pairs) in self.columns.iter().skip(1).zip(&self.pairs).rev() {
            let pair = |code: &u32| pairs.pairs.get(*code as usize).copied().unwrap_or_default();
            let own: Vec<u32> = codes.iter().map(|code| pair(code).1).collect();
            columns.extend(column.column(&own)?);
            codes = codes.iter().map(|code| pair(code).0).collect();
        }
        columns.extend(first.column(&codes)?);
        columns.reverse();
        Ok(columns)
    }

    /// The codes here of the codes of another collector, from one on.
    pub fn learn(&mut self, other: &Self, from: usize) -> Result<Vec<u32>, BoardError> {
        let columns = other.columns_from(from)?;
        let arrays: Vec<ArrayRef> = columns.into_iter().map(|(_, array)| array).collect();
        let mut codes = Vec::new();
        if arrays.len() == self.columns.len() {
            let count = other.len().saturating_sub(from);
            self.read_arrays(&arrays, None, &BooleanBuffer::new_set(count), &mut codes)?;
        }
        Ok(codes)
    }
}

impl Pairs {
    /// Makes codes of pairs of codes, whose second part is one of `count` own codes.
    fn join(
        &mut self,
        codes: &mut [u32],
        (own, count): (&[u32], usize),
        chosen: &BooleanBuffer,
    ) -> Result<(), BoardError> {
        self.last.resize(count, (NEW, NEW));
        for row in chosen.set_indices() {
            let (Some(code), Some(own)) = (codes.get_mut(row), own.get(row)) else { continue };
            *code = match self.last.get(*own as usize) {
                Some((before, pair)) if before == code => *pair,
                _ => self.code((*code, *own))?,
            };
        }
        Ok(())
    }

    fn code(&mut self, pair: (u32, u32)) -> Result<u32, BoardError> {
        let next = super::column_codes::next(self.pairs.len())?;
        let code = *self.codes.entry(pair).or_insert(next);
        if code == next {
            self.pairs.push(pair);
        }
        self.last.get_mut(pair.1 as usize).into_iter().for_each(|last| *last = (pair.0, code));
        Ok(code)
    }
}
