//! Rows as candidates.

use super::candidate::{Candidate, Parts};
use super::items::ItemRows;

use super::keys::KeyRows;
use super::numbers::{Keys, Low};

/// What decides the places of some rows of a batch.
pub struct Offers<'k> {
    /// Scores of all rows of the batch.
    pub keys: &'k Keys<'k>,
    pub items: ItemRows,
    /// None without tie keys.
    pub ties: Option<KeyRows>,
    /// None where nothing is carried.
    pub carried: Option<KeyRows>,
}

impl Offers<'_> {
    /// The score of a row of the batch.
    #[inline]
    pub fn key(&self, row: u32) -> i64 {
        self.keys.keys.get(row as usize).copied().unwrap_or(i64::MIN)
    }

    /// One of the rows, by its place among them and its number in the batch; its parts are put together in `memory` where
    /// it has several.
    #[inline]
    pub fn candidate<'m>(&'m self, place: usize, row: u32, memory: &'m mut Vec<u8>) -> Candidate<'m> {
        let carried = self.carried.as_ref().map_or(&[][..], |rows| rows.bytes(place));
        let low = self.keys.low.get(row as usize);
        let (item, bytes);
        let item: &[u8] = match &self.items {
            ItemRows::Words(words) => {
                item = words.get(place).copied().unwrap_or(0);
                if self.ties.is_none() && low == Low::None {
                    return Candidate::of_word(self.key(row), item, carried);
                }
                bytes = item.to_be_bytes();
                &bytes
            }
            ItemRows::Bytes(rows) => rows.bytes(place),
        };
        let ties = self.ties.as_ref().map_or(&[][..], |rows| rows.bytes(place));
        Candidate::of_parts(self.key(row), &Parts { low, ties, item, carried }, memory)
    }
}
