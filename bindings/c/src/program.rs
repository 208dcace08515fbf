//! Rules: one compiled expression.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use comptoir::rules::ir::Slot as RuleSlot;
use comptoir::rules::{Env, Value as RuleValue};
use comptoir_host::rules::{CompiledProgram, Faulty};
use comptoir_host::{Fault, Table, stream};

use crate::call::{call, elements, out};
use crate::error::Status;
use crate::handle::{self, opaque};
use crate::slots::{Slot, SlotTexts};
use crate::text::{self, Text};
use crate::value::{Value, kept};

/// A compiled expression. Any number of threads may evaluate it at once.
pub struct Program {
    _private: [u8; 0],
}
opaque!(Program, 0x201, "program", NamedProgram);

/// Frees a program; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_free(handle: *mut Program) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// A program, and the texts of its slots for C.
pub struct NamedProgram {
    /// The program.
    pub compiled: CompiledProgram,
    slots: SlotTexts,
}

/// As many slots need no allocation.
const FEW: usize = 8;

/// Compiles an expression. Any thread.
///
/// `environment` is JSON: `{"variables": {"amount": "decimal", "user": "User"}, "types": {"User": {"age": "int"}},
/// "container": "", "budget": 100000}`; each field may be left out. An expression that is wrong gives
/// `COMPTOIR_STATUS_CONFIG`, and the last error has line, column and a rendered message.
///
/// # Safety
/// The texts have their lengths in bytes of UTF-8 or end with NUL; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_compile(
    environment: *const c_char,
    environment_length: usize,
    source: *const c_char,
    source_length: usize,
    result: *mut *mut Program,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (environment, source, result) = unsafe {
            (
                text::text("environment", environment, environment_length)?,
                text::text("source", source, source_length)?,
                out("result", result)?,
            )
        };
        let compiled = CompiledProgram::compile(environment, source)?;
        let slots = SlotTexts::of(compiled.program().slots());
        result.write(handle::make(NamedProgram { compiled, slots }));
        Ok(())
    })
}

/// How many inputs a program has. Any thread.
///
/// # Safety
/// `program` is null or a handle of this library; `count` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_slot_count(program: *const Program, count: *mut usize) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("count", count)?.write(handle::get(program)?.slots.len()) };
        Ok(())
    })
}

/// The layout of a program's inputs: a number that another program or rule set has too only if the same names and types are
/// in the same places. Values that were put in places of one layout mean something else in another, which nobody would notice.
/// It differs from version to version of the library. Any thread.
///
/// # Safety
/// `program` is null or a handle of this library; `layout` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_layout(program: *const Program, layout: *mut u64) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("layout", layout)?.write(handle::get(program)?.slots.layout) };
        Ok(())
    })
}

/// An input of a program, by its place from 0. Any thread.
///
/// # Safety
/// `program` is null or a handle of this library; `slot` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_slot(
    program: *const Program,
    place: usize,
    slot: *mut Slot,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("slot", slot)?.write(handle::get(program)?.slots.get(place)?) };
        Ok(())
    })
}

/// The truth of a program of type bool for the values of its inputs, in the order of its slots: the fastest way. Values
/// that are missing at the end are absent. Any thread.
///
/// # Safety
/// `program` is null or a handle of this library; `slots` has `count` values; `truth` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_test(
    program: *const Program,
    slots: *const Value,
    count: usize,
    truth: *mut bool,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (program, truth) = unsafe { (handle::get(program)?, out("truth", truth)?) };
        let core = program.compiled.program();
        let test = |values: &[RuleValue<'_>]| program.compiled.test(values);
        // SAFETY: the caller's promise.
        truth.write(unsafe { with_slots((slots, count), core.slots(), core.env(), test) }?);
        Ok(())
    })
}

/// The value of a program for the values of its inputs, in the order of its slots. Text of the result stays until the next
/// evaluation on this thread. Any thread.
///
/// # Safety
/// `program` is null or a handle of this library; `slots` has `count` values; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_eval(
    program: *const Program,
    slots: *const Value,
    count: usize,
    result: *mut Value,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let core = unsafe { handle::get(program) }?.compiled.program();
        let eval = |values: &[RuleValue<'_>]| {
            let value = core.eval_slots(values).map_err(|fault| Fault::of_evaluation(core, fault))?;
            Ok(kept(value))
        };
        // SAFETY: the caller's promise.
        let value = unsafe { with_slots((slots, count), core.slots(), core.env(), eval) }?;
        // SAFETY: the caller's promise.
        unsafe { out("result", result)? }.write(value);
        Ok(())
    })
}

/// The value of a program for an event in JSON, as JSON. Any thread.
///
/// # Safety
/// `program` is null or a handle of this library; `event` has `length` bytes or ends with NUL; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_eval_json(
    program: *const Program,
    event: *const c_char,
    length: usize,
    result: *mut Text,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (program, event) = unsafe { (handle::get(program)?, text::bytes("event", event, length)?) };
        // SAFETY: the caller's promise.
        unsafe { text::give(result, program.compiled.eval_json(event)?) }
    })
}

/// The truth of a program of type bool for an event in JSON. Any thread.
///
/// # Safety
/// As for `comptoir_program_eval_json`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_test_json(
    program: *const Program,
    event: *const c_char,
    length: usize,
    truth: *mut bool,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (program, event) = unsafe { (handle::get(program)?, text::bytes("event", event, length)?) };
        // SAFETY: the caller's promise.
        unsafe { out("truth", truth)? }.write(program.compiled.test_json(event)?);
        Ok(())
    })
}

/// What is read from a table: a value for each row, or the rows for which it is true.
type Read = fn(&CompiledProgram, &Table, &str) -> Result<Faulty, Fault>;

/// The value of a program for each row of a stream, as column `value`, null where there is none. Any thread.
///
/// `shared` is a JSON object of variables without a column. `faults` gets the first rows without a value with `row`, `code`
/// and `message`; `fault_count` how many there are in all. Either may be null. The stream is moved out of the caller's
/// memory, whatever else goes wrong.
///
/// # Safety
/// `program` is null or a handle of this library; `table` is null, misaligned or a stream; `shared` has `length` bytes of
/// UTF-8 or ends with NUL; `values`, and `faults` and `fault_count` unless they are null, may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_eval_stream(
    program: *const Program,
    table: *mut FFI_ArrowArrayStream,
    shared: *const c_char,
    length: usize,
    values: *mut FFI_ArrowArrayStream,
    faults: *mut FFI_ArrowArrayStream,
    fault_count: *mut usize,
) -> Status {
    let work: Read = CompiledProgram::eval_table;
    // SAFETY: the caller's promise.
    unsafe { of_table(program, table, (shared, length), work, values, (faults, fault_count)) }
}

/// The numbers of the rows of a stream for which a program is true, as column `row`. Any thread.
///
/// # Safety
/// As for `comptoir_program_eval_stream`, with `rows` in the place of `values`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_select_stream(
    program: *const Program,
    table: *mut FFI_ArrowArrayStream,
    shared: *const c_char,
    length: usize,
    rows: *mut FFI_ArrowArrayStream,
    faults: *mut FFI_ArrowArrayStream,
    fault_count: *mut usize,
) -> Status {
    let work: Read = CompiledProgram::select;
    // SAFETY: the caller's promise.
    unsafe { of_table(program, table, (shared, length), work, rows, (faults, fault_count)) }
}

/// # Safety
/// As for `comptoir_program_eval_stream`.
unsafe fn of_table(
    program: *const Program,
    table: *mut FFI_ArrowArrayStream,
    shared: (*const c_char, usize),
    work: Read,
    values: *mut FFI_ArrowArrayStream,
    faults: (*mut FFI_ArrowArrayStream, *mut usize),
) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe {
        on_table(table, shared, values, faults, |table, shared| {
            work(&handle::get(program)?.compiled, table, shared)
        })
    })
}

/// Takes a table, and gives the caller what `work` makes of it and of the shared variables.
///
/// # Errors
/// A stream, text or place that cannot be used, and those of `work`.
///
/// # Safety
/// As for `comptoir_program_eval_stream`.
pub unsafe fn on_table(
    table: *mut FFI_ArrowArrayStream,
    (shared, length): (*const c_char, usize),
    values: *mut FFI_ArrowArrayStream,
    faults: (*mut FFI_ArrowArrayStream, *mut usize),
    work: impl FnOnce(&Table, &str) -> Result<Faulty, Fault>,
) -> Result<(), Fault> {
    // SAFETY: the caller's promise. The stream first, so that it is moved in any case.
    let table = unsafe { stream::take(table) }?;
    // SAFETY: the caller's promise.
    let made = work(&table, unsafe { text::text("shared", shared, length) }?)?;
    // SAFETY: the caller's promise.
    unsafe { give(made, values, faults) }
}

/// Gives a result for a table to the caller; nothing is given where a place cannot be written.
///
/// # Safety
/// Each pointer may be written if it is neither null nor misaligned.
unsafe fn give(
    made: Faulty,
    values: *mut FFI_ArrowArrayStream,
    (faults, count): (*mut FFI_ArrowArrayStream, *mut usize),
) -> Result<(), Fault> {
    // SAFETY: the caller's promise; the checks come before the writes.
    unsafe {
        out("values", values)?;
        if !faults.is_null() {
            out("faults", faults)?;
        }
        if !count.is_null() {
            out("fault_count", count)?.write(made.fault_count);
        }
        if !faults.is_null() {
            stream::give(made.faults, faults)?;
        }
        stream::give(made.values, values)
    }
}

/// Gives `work` a value for each declared slot, from those that the caller lends; those that are missing at the end are
/// absent. A few slots need no allocation.
///
/// # Errors
/// `HOST_ARGUMENT` for more values than slots, and what `work` gives.
///
/// # Safety
/// `slots` has `count` values, whose texts are readable until this returns.
#[inline]
pub unsafe fn with_slots<T>(
    (slots, count): (*const Value, usize),
    declared: &[RuleSlot],
    env: &Env,
    work: impl FnOnce(&[RuleValue<'_>]) -> Result<T, Fault>,
) -> Result<T, Fault> {
    // SAFETY: the caller's promise.
    let given: &[Value] = unsafe { elements("slots", slots, count) }?;
    if given.len() > declared.len() {
        return Err(Fault::argument(format!("{count} values for {} slots", declared.len())));
    }
    if declared.len() > FEW {
        let read = |place: usize, to: &RuleSlot| match given.get(place) {
            // SAFETY: the caller's promise.
            Some(slot) => unsafe { slot.read(&to.ty, env) },
            None => RuleValue::Absent,
        };
        let values: Vec<_> = declared.iter().enumerate().map(|(place, to)| read(place, to)).collect();
        return work(&values);
    }
    // Places that are not used are neither written nor dropped, which would take as long as a short condition.
    let mut few = [const { MaybeUninit::uninit() }; FEW];
    let mut owns = false;
    for ((value, to), slot) in few.iter_mut().zip(declared).zip(given) {
        // SAFETY: the caller's promise.
        owns |= unsafe { slot.write(&to.ty, env, value) };
    }
    for value in few.iter_mut().take(declared.len()).skip(given.len()) {
        value.write(RuleValue::Absent);
    }
    let values = few.get_mut(..declared.len()).unwrap_or_default();
    let values: *mut [RuleValue<'_>] = std::ptr::from_mut(values) as *mut [RuleValue<'_>];
    // SAFETY: these places were written, and nobody else has them.
    let outcome = work(unsafe { &*values });
    if owns {
        // SAFETY: the same; a panic before leaves them as they are.
        unsafe { std::ptr::drop_in_place(values) };
    }
    outcome
}
