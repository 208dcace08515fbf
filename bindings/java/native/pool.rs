//! Memory for the values of one call, which borrow from one another, kept by the thread for the next call.

use std::cell::{Cell, UnsafeCell};

use comptoir::rules::Value;
use comptoir::rules::value::Row;

/// More values than this are not kept between calls.
const KEPT: usize = 4096;

/// A fixed number of places for values and structs, given out once each.
pub struct Pool {
    values: UnsafeCell<Vec<Value<'static>>>,
    rows: UnsafeCell<Vec<Row<'static>>>,
}

thread_local! {
    static LAST: Cell<Option<Pool>> = const { Cell::new(None) };
}

impl Pool {
    /// Runs work with places for this many values and as many structs; whoever needs none pays nothing.
    #[inline]
    pub fn lend<T>(count: usize, work: impl FnOnce(&Self) -> T) -> T {
        if count == 0 {
            return work(&Self::empty());
        }
        let mut pool = LAST.take().unwrap_or_else(Self::empty);
        pool.values.get_mut().reserve_exact(count);
        pool.rows.get_mut().reserve_exact(count);
        let done = work(&pool);
        pool.values.get_mut().clear();
        pool.rows.get_mut().clear();
        if pool.values.get_mut().capacity() <= KEPT {
            LAST.set(Some(pool));
        }
        done
    }

    /// Places for values, all absent; `None` where not so many are left.
    #[expect(clippy::mut_from_ref, reason = "each place is given out once")]
    pub fn values<'p>(&'p self, count: usize) -> Option<&'p mut [Value<'p>]> {
        // SAFETY: no other reference to the vector exists, since each is made here or in `lend` and ends there; what was
        // given out before points to its elements, which do not move because it is never enlarged beyond its capacity.
        // The elements given out are those after all others, so that nothing else refers to them. That they are typed as
        // living for ever is seen by nobody: they leave here with the life of the loan, and dropping a value reads
        // nothing that it borrows.
        unsafe {
            let all = &mut *self.values.get();
            let start = all.len();
            if count > all.capacity() - start {
                return None;
            }
            all.resize_with(start + count, || Value::Absent);
            Some(std::slice::from_raw_parts_mut(all.as_mut_ptr().add(start).cast::<Value<'p>>(), count))
        }
    }

    /// Keeps a struct; `None` where there is no place left.
    pub fn row<'p>(&'p self, row: Row<'p>) -> Option<&'p Row<'p>> {
        // SAFETY: as for values.
        unsafe {
            let all = &mut *self.rows.get();
            if all.len() == all.capacity() {
                return None;
            }
            let place = all.as_mut_ptr().add(all.len()).cast::<Row<'p>>();
            place.write(row);
            all.set_len(all.len() + 1);
            Some(&*place)
        }
    }

    const fn empty() -> Self {
        Self { values: UnsafeCell::new(Vec::new()), rows: UnsafeCell::new(Vec::new()) }
    }
}
