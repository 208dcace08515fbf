//! Memory for the values of one call, which borrow from one another, kept by the thread for the next call.

use std::cell::{Cell, UnsafeCell};
use std::sync::Arc;

use comptoir::rules::value::Row;
use comptoir::rules::{StructType, Value};

/// More values than this are not kept between calls.
const KEPT: usize = 4096;

/// A fixed number of places for values and structs, given out once each.
pub struct Pool {
    values: UnsafeCell<Vec<Value<'static>>>,
    rows: UnsafeCell<Vec<Row<'static>>>,
    /// Whether a value is to be dropped. Nearly always there is none, and the places are just taken again.
    owns: Cell<bool>,
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
        pool.empty_again();
        if pool.values.get_mut().capacity() <= KEPT {
            LAST.set(Some(pool));
        }
        done
    }

    fn empty_again(&mut self) {
        if self.owns.replace(false) {
            self.values.get_mut().clear();
        }
        // SAFETY: fewer than there are, and none of those left out owns anything; structs never do.
        unsafe {
            self.values.get_mut().set_len(0);
            self.rows.get_mut().set_len(0);
        }
    }

    /// Notes that a value which owns something was put into a place: values are dropped after the call.
    pub fn owns(&self) {
        self.owns.set(true);
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

    /// Keeps a struct; `None` where there is no place left, and for fields that are not as many as its type has.
    pub fn row<'p>(&'p self, of: &'p Arc<StructType>, fields: &'p [Value<'p>]) -> Option<&'p Row<'p>> {
        // SAFETY: as for values.
        unsafe {
            let all = &mut *self.rows.get();
            if all.len() == all.capacity() {
                return None;
            }
            let place = all.as_mut_ptr().add(all.len()).cast::<Row<'p>>();
            // Made where it stays.
            place.write(Row::borrowing(of, fields)?);
            all.set_len(all.len() + 1);
            Some(&*place)
        }
    }

    const fn empty() -> Self {
        Self {
            values: UnsafeCell::new(Vec::new()),
            rows: UnsafeCell::new(Vec::new()),
            owns: Cell::new(false),
        }
    }
}
