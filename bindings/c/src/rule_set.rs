//! Rules: rule sets, and the set that counts now.

use std::ffi::c_char;
use std::sync::{Mutex, PoisonError};

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use comptoir::rules::Value as RuleValue;
use comptoir_host::rules::{CompiledSet, Faulty, LiveSet};
use comptoir_host::{Fault, Table};

use crate::call::{call, out};
use crate::decision::{Decision, SetTexts};
use crate::error::Status;
use crate::handle::{self, opaque};
use crate::program::{on_table, with_slots};
use crate::slots::Slot;
use crate::text::{self, Text};
use crate::value::Value;

/// A compiled rule set, which never changes. Any number of threads may decide with it at once.
pub struct RuleSet {
    _private: [u8; 0],
}
opaque!(RuleSet, 0x202, "rule set", SetTexts);

/// Frees a rule set; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_rule_set_free(handle: *mut RuleSet) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// A place for the rule set that counts now. Any number of threads may read and replace it at once.
pub struct LiveRuleSet {
    _private: [u8; 0],
}
opaque!(LiveRuleSet, 0x203, "live rule set", NamedLive);

/// A live set, and the texts of the set that was last asked for: whoever asks at every event has them made once.
pub struct NamedLive {
    live: LiveSet,
    last: Mutex<SetTexts>,
}

impl NamedLive {
    fn new(set: &SetTexts) -> Self {
        Self { live: LiveSet::new(&set.compiled), last: Mutex::new(set.clone()) }
    }

    /// The set that counts now.
    fn current(&self) -> SetTexts {
        let compiled = self.live.current();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if std::ptr::eq(last.compiled.set(), compiled.set()) {
            return last.clone();
        }
        let before = std::mem::replace(&mut *last, SetTexts::of(compiled));
        let current = last.clone();
        // A large set takes its time to go, in which others need not wait.
        drop(last);
        drop(before);
        current
    }
}

/// Frees a live rule set; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_live_rule_set_free(handle: *mut LiveRuleSet) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// Reads and compiles a rule set from JSON or YAML; JSON begins with `{`. Any thread.
///
/// # Safety
/// `text` has `length` bytes of UTF-8 or ends with NUL; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_rule_set_read(
    text: *const c_char,
    length: usize,
    result: *mut *mut RuleSet,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (text, result) = unsafe { (text::text("text", text, length)?, out("result", result)?) };
        result.write(handle::make(SetTexts::of(CompiledSet::read(text)?)));
        Ok(())
    })
}

/// Name, version, hash, inputs, outputs and rules of a set, as JSON. Any thread.
///
/// # Safety
/// `set` is null or a handle of this library; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_rule_set_describe(set: *const RuleSet, result: *mut Text) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { text::give(result, handle::get(set)?.compiled.describe()?) })
}

/// How many inputs a rule set has. Any thread.
///
/// # Safety
/// `set` is null or a handle of this library; `count` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_rule_set_slot_count(set: *const RuleSet, count: *mut usize) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("count", count)?.write(handle::get(set)?.slots.len()) };
        Ok(())
    })
}

/// The layout of a rule set's inputs, as `comptoir_program_layout`: ask again after another set took over. Any thread.
///
/// # Safety
/// `set` is null or a handle of this library; `layout` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_rule_set_layout(set: *const RuleSet, layout: *mut u64) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("layout", layout)?.write(handle::get(set)?.slots.layout) };
        Ok(())
    })
}

/// An input of a rule set, by its place from 0. Any thread.
///
/// # Safety
/// `set` is null or a handle of this library; `slot` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_rule_set_slot(
    set: *const RuleSet,
    place: usize,
    slot: *mut Slot,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("slot", slot)?.write(handle::get(set)?.slots.get(place)?) };
        Ok(())
    })
}

/// Decides an event by the values of the inputs, in the order of the slots: the fastest way. The decision that was in
/// `decision` before is gone. Any thread, each with a decision of its own.
///
/// # Safety
/// `set` and `decision` are null or handles of this library; `slots` has `count` values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_rule_set_decide(
    set: *const RuleSet,
    slots: *const Value,
    count: usize,
    decision: *const Decision,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (set, decision) = unsafe { (handle::get(set)?, handle::get(decision)?) };
        let core = set.compiled.set();
        let decide = |values: &[RuleValue<'_>]| {
            decision.fill(set, &set.compiled.decide(values));
            Ok(())
        };
        // SAFETY: the caller's promise.
        unsafe { with_slots((slots, count), core.inputs(), core.env(), decide) }
    })
}

/// Decides an event in JSON, as JSON: `version`, `hash`, `fired`, `outputs`, `shadow`, `shadow_outputs`, `faults`. Any
/// thread.
///
/// # Safety
/// `set` is null or a handle of this library; `event` has `length` bytes or ends with NUL; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_rule_set_decide_json(
    set: *const RuleSet,
    event: *const c_char,
    length: usize,
    result: *mut Text,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (set, event) = unsafe { (handle::get(set)?, text::bytes("event", event, length)?) };
        // SAFETY: the caller's promise.
        unsafe { text::give(result, set.compiled.decide_json(event)?) }
    })
}

/// What each rule came to for an event in JSON, clause by clause, as JSON. Any thread.
///
/// # Safety
/// As for `comptoir_rule_set_decide_json`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_rule_set_explain_json(
    set: *const RuleSet,
    event: *const c_char,
    length: usize,
    result: *mut Text,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (set, event) = unsafe { (handle::get(set)?, text::bytes("event", event, length)?) };
        // SAFETY: the caller's promise.
        unsafe { text::give(result, set.compiled.explain_json(event)?) }
    })
}

/// What is read from a table: decisions, or the rows for which a rule counts.
type Read = fn(&CompiledSet, &Table, &str) -> Result<Faulty, Fault>;

/// Decides each row of a stream: fired rules and outputs by row. Any thread.
///
/// `shared` is a JSON object of inputs without a column. `faults` gets the first rules without a truth with `row`, `rule`,
/// `code` and `message`; `fault_count` how many there are in all. Either may be null. The stream is moved out of the
/// caller's memory, whatever else goes wrong.
///
/// # Safety
/// `set` is null or a handle of this library; `table` is null, misaligned or a stream; `shared` has `length` bytes of UTF-8
/// or ends with NUL; `decisions`, and `faults` and `fault_count` unless they are null, may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_rule_set_decide_stream(
    set: *const RuleSet,
    table: *mut FFI_ArrowArrayStream,
    shared: *const c_char,
    length: usize,
    decisions: *mut FFI_ArrowArrayStream,
    faults: *mut FFI_ArrowArrayStream,
    fault_count: *mut usize,
) -> Status {
    let work: Read = CompiledSet::decide_table;
    // SAFETY: the caller's promise.
    unsafe { of_table(set, table, (shared, length), work, decisions, (faults, fault_count)) }
}

/// The numbers of the rows of a stream for which a rule counts, as column `row`. Any thread.
///
/// # Safety
/// As for `comptoir_rule_set_decide_stream`, with `rows` in the place of `decisions`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_rule_set_select_stream(
    set: *const RuleSet,
    table: *mut FFI_ArrowArrayStream,
    shared: *const c_char,
    length: usize,
    rows: *mut FFI_ArrowArrayStream,
    faults: *mut FFI_ArrowArrayStream,
    fault_count: *mut usize,
) -> Status {
    let work: Read = CompiledSet::select;
    // SAFETY: the caller's promise.
    unsafe { of_table(set, table, (shared, length), work, rows, (faults, fault_count)) }
}

/// # Safety
/// As for `comptoir_rule_set_decide_stream`.
unsafe fn of_table(
    set: *const RuleSet,
    table: *mut FFI_ArrowArrayStream,
    shared: (*const c_char, usize),
    work: Read,
    values: *mut FFI_ArrowArrayStream,
    faults: (*mut FFI_ArrowArrayStream, *mut usize),
) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe {
        on_table(table, shared, values, faults, |table, shared| {
            work(&handle::get(set)?.compiled, table, shared)
        })
    })
}

/// Makes a place for a rule set, with a first one. The set's own handle stays the caller's. Any thread.
///
/// # Safety
/// `set` is null or a handle of this library; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_live_rule_set_new(
    set: *const RuleSet,
    result: *mut *mut LiveRuleSet,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (set, result) = unsafe { (handle::get(set)?, out("result", result)?) };
        result.write(handle::make(NamedLive::new(set)));
        Ok(())
    })
}

/// The set that counts now, as a handle that the caller frees; it stays as it is for as long as it is held. Any thread.
///
/// # Safety
/// `live` is null or a handle of this library; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_live_rule_set_current(
    live: *const LiveRuleSet,
    result: *mut *mut RuleSet,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (live, result) = unsafe { (handle::get(live)?, out("result", result)?) };
        result.write(handle::make(live.current()));
        Ok(())
    })
}

/// Puts another set in the place of the one before. Whoever decides at that moment ends with the set that it began with,
/// and nobody waits. Any thread.
///
/// # Safety
/// `live` and `set` are null or handles of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_live_rule_set_replace(
    live: *const LiveRuleSet,
    set: *const RuleSet,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (live, set) = unsafe { (handle::get(live)?, handle::get(set)?) };
        live.live.replace(&set.compiled);
        Ok(())
    })
}

/// Decides an event in JSON by the set that counts now. Any thread.
///
/// # Safety
/// As for `comptoir_rule_set_decide_json`, with `live` in the place of `set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_live_rule_set_decide_json(
    live: *const LiveRuleSet,
    event: *const c_char,
    length: usize,
    result: *mut Text,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (live, event) = unsafe { (handle::get(live)?, text::bytes("event", event, length)?) };
        // SAFETY: the caller's promise.
        unsafe { text::give(result, live.live.current().decide_json(event)?) }
    })
}
