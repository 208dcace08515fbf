//! Batches that are being filled.

use std::collections::VecDeque;
use std::sync::Arc;

use super::buffer::{Buffer, BufferPool};
use super::{RowMut, Rows};
use crate::error::Error;
use crate::tensor::TensorSpec;

/// Rows of one model and one shape that are being written or are ready, in the order in which they were reserved.
///
/// `F` is what travels with a row. A batch is a run of ready rows of one buffer. A row that is still being written
/// while those behind it leave is moved to the end when it is full: the one case, beside a row given up between
/// others, in which a row is copied.
#[derive(Debug)]
pub struct Forming<F> {
    pool: Arc<BufferPool>,
    open: VecDeque<Open<F>>,
    next_serial: u64,
    ready: usize,
}

#[derive(Debug)]
struct Open<F> {
    serial: u64,
    buffer: Arc<Buffer>,
    /// Rows before this one have left, or are written late.
    start: usize,
    rows: Vec<Row<F>>,
}

#[derive(Debug)]
enum Row<F> {
    Writing,
    Ready(F),
    Gone,
}

/// A batch: its rows, and what travels with each.
#[derive(Debug)]
pub struct Taken<F> {
    /// The rows.
    pub rows: Rows,
    /// What travels with them, in the same order.
    pub flights: Vec<F>,
}

impl<F> Forming<F> {
    /// No rows yet.
    #[must_use]
    pub fn new(pool: Arc<BufferPool>) -> Self {
        Self { pool, open: VecDeque::new(), next_serial: 0, ready: 0 }
    }

    /// The inputs of each row.
    #[must_use]
    pub fn inputs(&self) -> &[TensorSpec] {
        self.pool.layout().inputs()
    }

    /// Rows that are ready.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.ready
    }

    /// A row at the end.
    ///
    /// # Errors
    /// Where it needs another buffer and there is no memory for it.
    pub fn reserve(&mut self) -> Result<RowMut, Error> {
        let capacity = self.pool.layout().capacity();
        if self.open.back().is_none_or(|last| last.rows.len() >= capacity) {
            let buffer = Arc::new(self.pool.take()?);
            self.next_serial += 1;
            let rows = Vec::with_capacity(capacity);
            self.open.push_back(Open { serial: self.next_serial, buffer, start: 0, rows });
        }
        let open = self.open.back_mut();
        let (serial, buffer, row) = match open {
            Some(open) => {
                open.rows.push(Row::Writing);
                (open.serial, Arc::clone(&open.buffer), open.rows.len() - 1)
            }
            // Never taken: a buffer was pushed above. A row of its own harms nobody.
            None => (0, Arc::new(self.pool.take()?), 0),
        };
        Ok(RowMut { buffer, serial, row })
    }

    /// Says that a row is full. Gives back what should travel with it where its batch has left without it and there is no
    /// memory for another place.
    #[must_use]
    pub fn fill(&mut self, mut row: RowMut, flight: F) -> Option<(Error, F)> {
        if self.find(&row).is_none() {
            let moved = match self.reserve() {
                Ok(moved) => moved,
                Err(error) => return Some((error, flight)),
            };
            // SAFETY: both rows are held by the values here.
            unsafe { row.buffer.copy_row(row.row, &moved.buffer, moved.row) };
            row = moved;
        }
        if let Some(place) = self.find(&row) {
            *place = Row::Ready(flight);
            self.ready += 1;
        }
        None
    }

    /// Gives a row up.
    pub fn abandon(&mut self, row: RowMut) {
        if let Some(place) = self.find(&row) {
            *place = Row::Gone;
            self.tidy();
        }
    }

    /// Gives up the ready rows of which `keep` is false, and hands out what travelled with them.
    pub fn drop_rows(&mut self, mut keep: impl FnMut(&F) -> bool) -> Vec<F> {
        let mut dropped = Vec::new();
        for row in self.open.iter_mut().flat_map(|open| open.rows.iter_mut()) {
            if matches!(row, Row::Ready(flight) if !keep(flight))
                && let Row::Ready(flight) = std::mem::replace(row, Row::Gone)
            {
                dropped.push(flight);
            }
        }
        self.ready -= dropped.len();
        self.tidy();
        dropped
    }

    /// What travels with the rows that could leave now as one batch, in their order.
    pub fn run(&self) -> impl Iterator<Item = &F> {
        let run = self.first_run();
        run.into_iter().flat_map(|(open, first)| {
            open.rows.iter().skip(first).take_while(|row| !matches!(row, Row::Writing)).filter_map(|row| {
                match row {
                    Row::Ready(flight) => Some(flight),
                    Row::Writing | Row::Gone => None,
                }
            })
        })
    }

    /// All that travels with ready rows.
    pub fn flights(&self) -> impl Iterator<Item = &F> {
        self.open.iter().flat_map(|open| &open.rows).filter_map(|row| match row {
            Row::Ready(flight) => Some(flight),
            Row::Writing | Row::Gone => None,
        })
    }

    /// Takes the first `count` rows of the run; holes that rows given up have left are closed by moving those behind.
    /// None where no row is ready.
    pub fn take(&mut self, count: usize) -> Option<Taken<F>> {
        let (serial, first) = self.first_run().map(|(open, first)| (open.serial, first))?;
        let open = self.open.iter_mut().find(|open| open.serial == serial)?;
        let mut flights = Vec::with_capacity(count);
        let mut at = first;
        while flights.len() < count {
            match open.rows.get_mut(at) {
                None | Some(Row::Writing) => break,
                Some(place) => {
                    if let Row::Ready(flight) = std::mem::replace(place, Row::Gone) {
                        let target = first + flights.len();
                        if target != at {
                            // SAFETY: row `at` is full and `target` was given up or moved: nobody else has either.
                            unsafe { open.buffer.copy_row(at, &open.buffer, target) };
                        }
                        flights.push(flight);
                    }
                    at += 1;
                }
            }
        }
        open.start = at;
        let rows = Rows { buffer: Arc::clone(&open.buffer), start: first, len: flights.len() };
        self.ready -= flights.len();
        self.tidy();
        Some(Taken { rows, flights })
    }

    /// The first buffer with a ready row, and the first ready row of it.
    fn first_run(&self) -> Option<(&Open<F>, usize)> {
        self.open.iter().find_map(|open| {
            let ready = |row: &Row<F>| matches!(row, Row::Ready(_));
            let first = open.rows.iter().skip(open.start).position(ready)?;
            Some((open, open.start + first))
        })
    }

    fn find(&mut self, row: &RowMut) -> Option<&mut Row<F>> {
        let open = self.open.iter_mut().find(|open| open.serial == row.serial)?;
        if row.row < open.start { None } else { open.rows.get_mut(row.row) }
    }

    /// Lets buffers go from which all rows have left. The next row then starts a fresh one, so that a batch is not
    /// cut by the end of a buffer that was begun with a small one.
    fn tidy(&mut self) {
        self.open.retain(|open| {
            open.rows.iter().skip(open.start).any(|row| !matches!(row, Row::Gone)) || open.rows.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::rows::{HostBlock, HostMemory, RowLayout};
    use crate::tensor::DType;

    fn forming(capacity: usize) -> Forming<u32> {
        let layout = RowLayout::new(&[TensorSpec::new("x", DType::I32, &[2])], capacity).unwrap();
        Forming::new(BufferPool::new(layout, 4))
    }

    fn write(row: &mut RowMut, value: i32) {
        row.tensor_mut::<i32>(0).unwrap().fill(value);
    }

    fn add(forming: &mut Forming<u32>, value: u32) {
        let mut row = forming.reserve().unwrap();
        write(&mut row, value.cast_signed());
        assert!(forming.fill(row, value).is_none());
    }

    fn check(taken: &Taken<u32>, expected: &[u32]) {
        assert_eq!(taken.flights, expected);
        let twice: Vec<i32> = expected.iter().flat_map(|&value| [value.cast_signed(); 2]).collect();
        assert_eq!(taken.rows.tensor::<i32>(0).unwrap(), twice);
    }

    #[test]
    fn a_batch_is_the_first_rows_in_order() {
        let mut forming = forming(4);
        (1..=6).for_each(|value| add(&mut forming, value));
        check(&forming.take(3).unwrap(), &[1, 2, 3]);
        // Row 4 is the rest of the first buffer, 5 and 6 lie in the next.
        assert_eq!(forming.run().copied().collect::<Vec<_>>(), [4]);
        check(&forming.take(9).unwrap(), &[4]);
        check(&forming.take(9).unwrap(), &[5, 6]);
        assert!(forming.take(9).is_none());
        assert_eq!(forming.ready(), 0);
    }

    #[test]
    fn rows_that_were_given_up_leave_no_hole() {
        let mut forming = forming(8);
        add(&mut forming, 1);
        let given_up = forming.reserve().unwrap();
        (2..=4).for_each(|value| add(&mut forming, value));
        forming.abandon(given_up);
        assert_eq!(forming.drop_rows(|&value| value != 3), [3]);
        check(&forming.take(8).unwrap(), &[1, 2, 4]);
    }

    #[test]
    fn a_row_written_late_is_moved_to_the_end() {
        let mut forming = forming(8);
        let mut late = forming.reserve().unwrap();
        add(&mut forming, 2);
        let kept = forming.take(8).unwrap();
        add(&mut forming, 3);
        write(&mut late, 1);
        assert!(forming.fill(late, 1).is_none());
        check(&kept, &[2]);
        check(&forming.take(8).unwrap(), &[3, 1]);
    }

    #[test]
    fn a_row_behind_one_that_is_written_waits_only_until_the_front_has_left() {
        let mut forming = forming(8);
        add(&mut forming, 1);
        let mut middle = forming.reserve().unwrap();
        add(&mut forming, 3);
        assert_eq!(forming.run().copied().collect::<Vec<_>>(), [1]);
        check(&forming.take(8).unwrap(), &[1]);
        check(&forming.take(8).unwrap(), &[3]);
        write(&mut middle, 2);
        assert!(forming.fill(middle, 2).is_none());
        check(&forming.take(8).unwrap(), &[2]);
    }

    #[test]
    fn memory_is_used_again_when_the_last_reader_has_gone() {
        let mut forming = forming(1);
        add(&mut forming, 1);
        let kept = forming.take(1).unwrap();
        add(&mut forming, 2);
        check(&forming.take(1).unwrap(), &[2]);
        check(&kept, &[1]);
        let address = kept.rows.bytes(0).as_ptr();
        drop(kept);
        let again: Vec<_> = (0..2).map(|_| forming.reserve().unwrap().bytes_mut(0).as_ptr()).collect();
        assert!(again.iter().any(|&other| std::ptr::eq(other, address)));
    }

    /// Gives two blocks, and counts those that are alive.
    #[derive(Debug, Default)]
    struct Shelf {
        given: std::sync::atomic::AtomicUsize,
        alive: Arc<()>,
    }

    #[repr(align(64))]
    struct Aligned([u8; 64]);

    impl HostMemory for Shelf {
        fn allocate(&self, bytes: usize) -> Option<HostBlock> {
            if self.given.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 2 {
                return None;
            }
            assert_eq!(bytes, 64);
            let block = Box::leak(Box::new(Aligned([0; 64])));
            let start = std::ptr::NonNull::from(&mut block.0).cast();
            // SAFETY: the bytes are zero, aligned, and never given back, so nobody else has them.
            Some(unsafe { HostBlock::new(start, 64, Box::new(Arc::clone(&self.alive))) })
        }
    }

    #[test]
    fn rows_lie_in_the_memory_of_the_model_as_long_as_there_is_any() {
        let shelf = Arc::new(Shelf::default());
        let layout = RowLayout::new(&[TensorSpec::new("x", DType::I32, &[2])], 8).unwrap();
        let mut forming = Forming::new(BufferPool::on(layout, 4, Some(Arc::clone(&shelf) as _)));
        let alive = || Arc::strong_count(&shelf.alive) - 1;
        for _ in 0..3 {
            let mut kept = Vec::new();
            (1..=24).for_each(|value| add(&mut forming, value));
            for first in [1, 9, 17] {
                kept.push(forming.take(8).unwrap());
                check(kept.last().unwrap(), &(first..first + 8).collect::<Vec<u32>>());
            }
            assert_eq!(alive(), 2);
        }
        // Asked for at the start alone.
        assert_eq!(shelf.given.load(std::sync::atomic::Ordering::Relaxed), 3);
        drop(forming);
        assert_eq!(alive(), 0);
    }

    #[test]
    fn an_input_is_read_only_as_its_own_type() {
        let mut forming = forming(1);
        let error = forming.reserve().unwrap().tensor_mut::<f32>(0).unwrap_err();
        assert_eq!(error.to_string(), "input `x`: expected elements of int32, found float32");
    }
}
