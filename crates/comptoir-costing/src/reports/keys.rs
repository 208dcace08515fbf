//! Dense numbers for (item, pool) keys in the order of their first appearance.

use hashbrown::HashMap;

/// Item codes up to here, and up to four times the keys seen, are found by position; codes are dense, as a rule.
const DENSE_ITEMS: usize = 1 << 20;

const END: u32 = u32::MAX;

/// Numbers keys from 0.
#[derive(Debug, Default)]
pub(super) struct KeyIndex {
    keys: Vec<(u32, u32)>,
    // By item: the number of its latest key; by number: the key of the same item before it.
    latest: Vec<u32>,
    before: Vec<u32>,
    // Keys of items whose codes are not dense.
    sparse: HashMap<(u32, u32), u32>,
}

impl KeyIndex {
    /// Number of the key, which is the count of keys so far when it is new.
    pub(super) fn number(&mut self, item: u32, pool: u32) -> usize {
        let next = u32::try_from(self.keys.len()).unwrap_or(END);
        let index = item as usize;
        if index >= self.latest.len() && index < DENSE_ITEMS.max(4 * self.keys.len()) {
            self.latest.resize(index + 1, END);
        }
        let Some(latest) = self.latest.get_mut(index) else {
            let number = *self.sparse.entry((item, pool)).or_insert(next);
            return self.known_or_new(number, (item, pool), END);
        };
        let first = *latest;
        let mut number = first;
        while let Some(key) = self.keys.get(number as usize) {
            if key.1 == pool {
                return number as usize;
            }
            number = self.before.get(number as usize).copied().unwrap_or(END);
        }
        *latest = next;
        self.known_or_new(next, (item, pool), first)
    }

    /// Item and pool of every key, by number.
    pub(super) fn pairs(&self) -> &[(u32, u32)] {
        &self.keys
    }

    /// Numbers of the keys in ascending order of item and pool, so that a report does not depend on the order of lines.
    pub(super) fn sorted(&self) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.keys.len()).collect();
        numbers.sort_by_key(|&number| self.keys.get(number));
        numbers
    }

    fn known_or_new(&mut self, number: u32, key: (u32, u32), before: u32) -> usize {
        if number as usize == self.keys.len() {
            self.keys.push(key);
            self.before.push(before);
        }
        number as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_numbers_in_any_order() {
        let mut index = KeyIndex::default();
        let far = u32::MAX - 1;
        let given = [
            (0, 0),
            (0, 0),
            (far, 1),
            (3, 1),
            (2, u32::MAX),
            (3, 0),
            (3, 1),
            (0, 0),
            (9, 9),
            (far, 2),
            (far, 1),
        ];
        let numbers: Vec<usize> = given.iter().map(|&(item, pool)| index.number(item, pool)).collect();
        assert_eq!(numbers, [0, 0, 1, 2, 3, 4, 2, 0, 5, 6, 1]);
        assert_eq!(index.pairs(), [(0, 0), (far, 1), (3, 1), (2, u32::MAX), (3, 0), (9, 9), (far, 2)]);
        assert_eq!(index.sorted(), [0, 3, 4, 2, 5, 1, 6]);
    }
}
