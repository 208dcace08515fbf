//! Costing: valuation of stock histories.

use std::ffi::c_char;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use comptoir::costing::Counts;
use comptoir_host::costing::{self, History};
use comptoir_host::stream;

use crate::call::{call, out};
use crate::error::Status;
use crate::handle::{self, opaque};
use crate::text::{self, Text};

/// A valued history. Any number of threads may read it at once.
pub struct Valuation {
    _private: [u8; 0],
}
opaque!(Valuation, 0x101, "valuation", History);

/// Frees a valuation; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_valuation_free(handle: *mut Valuation) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// What became of the rows of a history: accepted and rejected make the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct CostingCounts {
    /// Rows of the input.
    pub input: u64,
    /// Rows in the books.
    pub accepted: u64,
    /// Rows that are not; `{"table": "rejected"}` has each with its code.
    pub rejected: u64,
    /// Those of the rejected that came before.
    pub duplicates: u64,
    /// Rows that correct others.
    pub corrections: u64,
}

/// Values the movements of a stream under a policy. The stream is moved out of the caller's memory, whatever else goes
/// wrong. Bad rows are no error: they are rejected, each with its code. Any thread.
///
/// `policy` is JSON: a policy, such as `{"method": "fifo"}`, or the name of a preset in
/// quotes, such as `"sap"`.
///
/// # Safety
/// `policy` has `length` bytes of UTF-8 or ends with NUL; `movements` is null, misaligned, or a stream as Arrow's C stream
/// interface says; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_costing_value(
    policy: *const c_char,
    length: usize,
    movements: *mut FFI_ArrowArrayStream,
    result: *mut *mut Valuation,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise. The stream first, so that it is moved in any case.
        let movements = unsafe { stream::take(movements) }?;
        // SAFETY: the caller's promise.
        let (policy, result) = unsafe { (text::text("policy", policy, length)?, out("result", result)?) };
        result.write(handle::make(History::value(policy, movements)?));
        Ok(())
    })
}

/// Checks a policy and gives it back as JSON with every field. Any thread.
///
/// # Safety
/// `policy` has `length` bytes of UTF-8 or ends with NUL; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_costing_policy(
    policy: *const c_char,
    length: usize,
    result: *mut Text,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let policy = unsafe { text::text("policy", policy, length) }?;
        // SAFETY: the caller's promise.
        unsafe { text::give(result, costing::policy(policy)?) }
    })
}

/// What became of the rows. Any thread.
///
/// # Safety
/// `valuation` is null or a handle of this library; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_valuation_counts(
    valuation: *const Valuation,
    result: *mut CostingCounts,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (history, result) = unsafe { (handle::get(valuation)?, out("result", result)?) };
        let Counts { input, accepted, rejected, duplicates, corrections } = history.counts();
        result.write(CostingCounts { input, accepted, rejected, duplicates, corrections });
        Ok(())
    })
}

/// A table of the valuation, as a stream that the caller releases. Any thread.
///
/// `request` is JSON with the name of the table and its parameters: `{"table": "postings"}`, `layers`, `balances`,
/// `rejected`; `{"table": "ageing", "as_of": "2024-12-31", "buckets": [30, 90]}`; `provision` with `rates` beside, and
/// with the table of what is booked in `booked`; `voucher_entries`, `voucher_movements` with `template` and `by`;
/// `trial_balance` with `template`; `{"table": "stock_card", "item": "mug"}`; `{"table": "summary", "period": "month"}`;
/// `{"table": "turnover", "first": "2024-01-01", "last": "2024-12-31"}`.
///
/// `booked` is null for every other table; where it is given it is moved out of the caller's memory.
///
/// # Safety
/// `valuation` is null or a handle of this library; `request` has `length` bytes of UTF-8 or ends with NUL; `booked` is
/// null or a stream; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_valuation_table(
    valuation: *const Valuation,
    request: *const c_char,
    length: usize,
    booked: *mut FFI_ArrowArrayStream,
    result: *mut FFI_ArrowArrayStream,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise. The stream first, so that it is moved in any case.
        let booked = if booked.is_null() { None } else { Some(unsafe { stream::take(booked) }?) };
        // SAFETY: the caller's promise.
        let (history, request) =
            unsafe { (handle::get(valuation)?, text::text("request", request, length)?) };
        // SAFETY: the caller's promise.
        unsafe { stream::give(history.table(request, booked)?, result) }
    })
}

/// Whether every voucher balances, and the inventory accounts beside the value of the stock, as JSON: `{"balanced": true,
/// "accounts_total": "12.30", "stock_value": "12.30"}`. `template` is JSON: a voucher template, or the name of a preset in
/// quotes, `"ifrs"` or `"cas"`. Any thread.
///
/// # Safety
/// `valuation` is null or a handle of this library; `template` has `length` bytes of UTF-8 or ends with NUL; `result` may
/// be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_valuation_control(
    valuation: *const Valuation,
    template: *const c_char,
    length: usize,
    result: *mut Text,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (history, template) =
            unsafe { (handle::get(valuation)?, text::text("template", template, length)?) };
        // SAFETY: the caller's promise.
        unsafe { text::give(result, history.control(template)?) }
    })
}
