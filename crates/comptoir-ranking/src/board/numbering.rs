//! Codes of rows that several boards read: each row is looked up once, and its code translated into that of each board.

use std::sync::Arc;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_buffer::BooleanBuffer;

use super::codes::Codes;
use super::column_codes::{NEW, any_new};
use super::error::BoardError;

/// Codes of the rows of a block that several boards have in common.
#[derive(Debug)]
pub struct Numbering {
    names: Vec<String>,
    codes: Codes,
    /// By row of the block at hand; any number where it is not known.
    of_rows: Vec<u32>,
    known: BooleanBuffer,
    /// Tells numberings apart.
    id: Arc<()>,
}

/// The codes of one board by those of a numbering.
#[derive(Debug, Default)]
pub struct Translation {
    of: Option<Arc<()>>,
    codes: Vec<u32>,
}

impl Numbering {
    /// For the columns of these names.
    pub fn new(names: &[String]) -> Self {
        Self {
            names: names.to_vec(),
            codes: Codes::new(names),
            of_rows: Vec::new(),
            known: BooleanBuffer::new_unset(0),
            id: Arc::default(),
        }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Begins a block of so many rows.
    pub fn start(&mut self, rows: usize) {
        self.of_rows.clear();
        self.of_rows.resize(rows, 0);
        self.known = BooleanBuffer::new_unset(rows);
    }

    /// Reads the chosen rows of the block that no board has asked for yet.
    pub fn read(&mut self, block: &RecordBatch, chosen: &BooleanBuffer) -> Result<(), BoardError> {
        let missing = chosen & &!&self.known;
        if missing.count_set_bits() == 0 {
            return Ok(());
        }
        let mut codes = Vec::new();
        self.codes.read(block, &missing, &mut codes)?;
        for row in missing.set_indices() {
            if let (Some(place), Some(code)) = (self.of_rows.get_mut(row), codes.get(row)) {
                *place = *code;
            }
        }
        self.known = &self.known | chosen;
        Ok(())
    }

    /// The codes of all rows; those of rows that were not chosen are any number.
    pub fn of_rows(&self) -> &[u32] {
        &self.of_rows
    }
}

impl Translation {
    /// Appends the own code of each row, right for chosen rows. `new` gives codes to some rows whose values are new here.
    pub fn read(
        &mut self,
        numbering: &Numbering,
        chosen: &BooleanBuffer,
        codes: &mut Vec<u32>,
        new: impl FnOnce(&UInt32Array) -> Result<Vec<u32>, BoardError>,
    ) -> Result<(), BoardError> {
        if self.of.as_ref().is_none_or(|of| !Arc::ptr_eq(of, &numbering.id)) {
            *self = Self { of: Some(numbering.id.clone()), codes: Vec::new() };
        }
        self.codes.resize(numbering.codes.len(), NEW);
        codes.extend(numbering.of_rows.iter().map(|code| self.code(*code)));
        if !any_new(codes) {
            return Ok(());
        }
        let shared = |row: u32| numbering.of_rows.get(row as usize).copied().unwrap_or(NEW);
        let is_new = |row: &u32| codes.get(*row as usize) == Some(&NEW);
        let mut pairs: Vec<(u32, u32)> =
            chosen.set_indices_u32().filter(is_new).map(|row| (shared(row), row)).collect();
        // One row for each value.
        pairs.sort_unstable();
        pairs.dedup_by_key(|(code, _)| *code);
        if pairs.is_empty() {
            return Ok(());
        }
        let own = new(&pairs.iter().map(|(_, row)| *row).collect())?;
        for ((code, _), own) in pairs.iter().zip(own) {
            self.codes.get_mut(*code as usize).into_iter().for_each(|place| *place = own);
        }
        codes.clear();
        codes.extend(numbering.of_rows.iter().map(|code| self.code(*code)));
        Ok(())
    }

    #[inline]
    fn code(&self, shared: u32) -> u32 {
        self.codes.get(shared as usize).copied().unwrap_or(NEW)
    }
}
