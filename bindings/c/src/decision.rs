//! Rules: a decision, filled again and again.

use std::ffi::{CString, c_char};
use std::sync::{Arc, Mutex, PoisonError};

use comptoir::rules::{Decision as RuleDecision, Value as RuleValue};
use comptoir::types::ErrorCode;
use comptoir_host::Fault;
use comptoir_host::rules::CompiledSet;

use crate::call::{call, out};
use crate::error::{Status, text as c_text};
use crate::handle::{self, opaque};
use crate::slots::SlotTexts;
use crate::text;
use crate::value::Value;

/// A decision, which `comptoir_rule_set_decide` fills. One thread at a time; a thread keeps one and uses it for each
/// event. What is read from it stays until it is filled again or freed.
pub struct Decision {
    _private: [u8; 0],
}
opaque!(Decision, 0x204, "decision", Filled);

/// Frees a decision; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_decision_free(handle: *mut Decision) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// A rule set, and the texts of its slots for C.
#[derive(Clone)]
pub struct SetTexts {
    /// The set.
    pub compiled: CompiledSet,
    /// Its inputs.
    pub slots: Arc<SlotTexts>,
}

impl SetTexts {
    /// A set with its texts.
    pub fn of(compiled: CompiledSet) -> Self {
        let slots = Arc::new(SlotTexts::of(compiled.set().inputs()));
        Self { compiled, slots }
    }
}

/// An output of a rule that fired.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Output {
    /// Its name, in `name_length` bytes without NUL at the end.
    pub name: *const c_char,
    /// Bytes of the name.
    pub name_length: usize,
    /// The place of its rule among the fired ones.
    pub rule: usize,
    /// Its value.
    pub value: Value,
}

/// A rule without a truth, or an output without a value. It stopped no other rule.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct RuleFault {
    /// The id of the rule.
    pub rule: *const c_char,
    /// The stable code.
    pub code: *const c_char,
    /// What happened.
    pub message: *const c_char,
}

/// What was decided last.
#[derive(Default)]
pub struct Filled(Mutex<Decided>);

#[derive(Default)]
struct Decided {
    /// Keeps the names alive that the others borrow from.
    set: Option<CompiledSet>,
    fired: Vec<u32>,
    /// The place of the rule, the number of the name, and the value.
    outputs: Vec<(usize, usize, Held)>,
    faults: Vec<(CString, CString, CString)>,
}

/// A value that stays as long as the decision.
enum Held {
    Plain(RuleValue<'static>),
    /// One without a form of its own, as JSON.
    Json(String),
}

impl Held {
    fn of(value: &RuleValue<'static>) -> Self {
        match Value::is_plain(value) {
            true => Self::Plain(value.clone()),
            false => Self::Json(value.to_json().to_string()),
        }
    }

    fn for_c(&self) -> Value {
        match self {
            Self::Plain(value) => Value::of(value),
            Self::Json(text) => Value::of_json(text),
        }
    }
}

impl Filled {
    /// Takes over a decision.
    pub fn fill(&self, set: &SetTexts, decision: &RuleDecision<'_>) {
        let mut decided = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let decided = &mut *decided;
        let is_same = decided.set.as_ref().is_some_and(|own| std::ptr::eq(own.set(), set.compiled.set()));
        if !is_same {
            decided.set = Some(set.compiled.clone());
        }
        decided.fired.clear();
        decided.fired.extend(decision.fired_rules());
        decided.outputs.clear();
        let mut rule = 0;
        for output in decision.outputs() {
            // Outputs come in the order of the rules that fired.
            while decision.fired().nth(rule).is_some_and(|id| id != output.rule) {
                rule += 1;
            }
            let name = set.compiled.set().output_names().position(|name| name == output.name).unwrap_or(0);
            decided.outputs.push((rule, name, Held::of(output.value)));
        }
        decided.faults.clear();
        decided.faults.extend(decision.faults().map(|(rule, fault)| {
            let error = comptoir::rules::Error::from(fault.clone());
            (c_text(rule), c_text(error.code()), c_text(&error.to_string()))
        }));
    }

    fn with<T>(&self, work: impl FnOnce(&Decided, &CompiledSet) -> Result<T, Fault>) -> Result<T, Fault> {
        let decided = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &decided.set {
            Some(set) => work(&decided, set),
            None => Err(Fault::argument("nothing was decided yet")),
        }
    }
}

impl Decided {
    fn output(&self, set: &CompiledSet, place: usize) -> Result<Output, Fault> {
        let (rule, name, value) = self.outputs.get(place).ok_or_else(|| missing("output", place))?;
        let name = set.set().output_names().nth(*name).unwrap_or_default();
        Ok(Output { name: name.as_ptr().cast(), name_length: name.len(), rule: *rule, value: value.for_c() })
    }
}

#[cold]
fn missing(what: &str, place: usize) -> Fault {
    Fault::argument(format!("the decision has no {what} {place}"))
}

/// Makes a decision that is yet to be filled. Any thread.
///
/// # Safety
/// `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_decision_new(result: *mut *mut Decision) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("result", result)? }.write(handle::make(Filled::default()));
        Ok(())
    })
}

/// How many rules fired, how many outputs they have, and how many rules had no truth. Each pointer may be null.
///
/// # Safety
/// `decision` is null or a handle of this library; the others may be written unless they are null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_decision_counts(
    decision: *const Decision,
    fired: *mut usize,
    outputs: *mut usize,
    faults: *mut usize,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let decision = unsafe { handle::get(decision) }?;
        decision.with(|decided, _| {
            let counts = [decided.fired.len(), decided.outputs.len(), decided.faults.len()];
            for (place, count) in [fired, outputs, faults].into_iter().zip(counts) {
                if !place.is_null() {
                    // SAFETY: the caller's promise.
                    unsafe { out("count", place)? }.write(count);
                }
            }
            Ok(())
        })
    })
}

/// The id of a rule that fired, by its place from 0, in `length` bytes without NUL at the end.
///
/// # Safety
/// `decision` is null or a handle of this library; `id` and `length` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_decision_fired(
    decision: *const Decision,
    place: usize,
    id: *mut *const c_char,
    length: *mut usize,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (decision, id, length) =
            unsafe { (handle::get(decision)?, out("id", id)?, out("length", length)?) };
        decision.with(|decided, set| {
            let number = decided.fired.get(place).ok_or_else(|| missing("fired rule", place))?;
            let rule = set.set().rules().get(*number as usize).ok_or_else(|| missing("rule", place))?;
            id.write(rule.id.as_ptr().cast());
            length.write(rule.id.len());
            Ok(())
        })
    })
}

/// An output, by its place from 0.
///
/// # Safety
/// `decision` is null or a handle of this library; `output` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_decision_output(
    decision: *const Decision,
    place: usize,
    output: *mut Output,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (decision, output) = unsafe { (handle::get(decision)?, out("output", output)?) };
        decision.with(|decided, set| {
            output.write(decided.output(set, place)?);
            Ok(())
        })
    })
}

/// The first value of an output with a name; absent where no rule that fired gives it.
///
/// # Safety
/// `decision` is null or a handle of this library; `name` has `length` bytes of UTF-8 or ends with NUL; `value` may be
/// written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_decision_value(
    decision: *const Decision,
    name: *const c_char,
    length: usize,
    value: *mut Value,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (decision, name, value) =
            unsafe { (handle::get(decision)?, text::text("name", name, length)?, out("value", value)?) };
        decision.with(|decided, set| {
            let number = set.set().output_names().position(|known| known == name);
            let found = decided.outputs.iter().find(|(_, name, _)| Some(*name) == number);
            value.write(found.map_or(Value::of(&RuleValue::Absent), |(_, _, found)| found.for_c()));
            Ok(())
        })
    })
}

/// A rule without a truth, by its place from 0.
///
/// # Safety
/// `decision` is null or a handle of this library; `fault` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_decision_fault(
    decision: *const Decision,
    place: usize,
    fault: *mut RuleFault,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (decision, fault) = unsafe { (handle::get(decision)?, out("fault", fault)?) };
        decision.with(|decided, _| {
            let (rule, code, message) = decided.faults.get(place).ok_or_else(|| missing("fault", place))?;
            fault.write(RuleFault { rule: rule.as_ptr(), code: code.as_ptr(), message: message.as_ptr() });
            Ok(())
        })
    })
}
