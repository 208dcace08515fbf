//! `Program.eval` as a method that reads its arguments where the interpreter has them. `PyO3` takes those of a method with
//! `**variables` from a tuple that is made for the call, which takes as long as half of a short condition.

#![expect(unsafe_code, reason = "a method of the interpreter's own calling convention")]

use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{Borrowed, ffi};
use smallvec::SmallVec;

use super::program::RulesProgram;

/// Puts the method in the place of the one that `PyO3` made, whose text and signature it takes over.
///
/// # Errors
/// What Python raises.
pub fn install(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<RulesProgram>();
    let made = class.getattr("eval")?;
    let signature: String = made.getattr("__text_signature__")?.extract()?;
    let text: String = made.getattr("__doc__")?.extract()?;
    let doc = CString::new(format!("eval{signature}\n--\n\n{text}"))?;
    // The method lives as long as the class, which is as long as the process.
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: c"eval".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: eval },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.into_raw(),
    }));
    // SAFETY: the definition is never freed, its flags are those of the function, and the class is what it expects.
    let method = unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            ffi::PyDescr_NewMethod(class.as_type_ptr(), ptr::from_mut(definition)),
        )?
    };
    class.setattr("eval", method)
}

/// The method, as the interpreter calls it.
///
/// # Safety
/// This thread is attached to the interpreter; `program` is an instance of the class; `arguments` has `count` positional
/// arguments and after them one for each of `names`, a tuple of strings or null.
unsafe extern "C" fn eval(
    program: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's guarantees hold, and what it lends lives as long as the call.
    unsafe {
        let py = Python::assume_attached();
        let program = Borrowed::from_ptr(py, program).cast_unchecked::<RulesProgram>();
        if count == 1 && names.is_null() {
            let event = Borrowed::from_ptr(py, *arguments);
            // A panic would be met again on the long way, which reports it.
            let truth = catch_unwind(AssertUnwindSafe(|| program.get().quick_test(&event)));
            if let Ok(Some(truth)) = truth {
                return ffi::PyBool_FromLong(truth.into());
            }
        }
        // PyO3 counts who is attached; the short way does without.
        Python::attach(|py| {
            let names = Borrowed::from_ptr_or_opt(py, names);
            let count = usize::try_from(count).unwrap_or(0);
            let all = count + names.as_ref().map_or(0, |names| names.len().unwrap_or(0));
            let arguments = held(py, arguments, all);
            match long(py, program.get(), &arguments, count, names.as_deref()) {
                Ok(value) => value.into_ptr(),
                Err(raised) => {
                    raised.restore(py);
                    ptr::null_mut()
                }
            }
        })
    }
}

/// The arguments of a call, held.
///
/// # Safety
/// `arguments` has `count` objects; without any it may be null.
unsafe fn held(
    py: Python<'_>,
    arguments: *const *mut ffi::PyObject,
    count: usize,
) -> SmallVec<[Bound<'_, PyAny>; 4]> {
    // SAFETY: so many objects are there, and the caller holds them meanwhile.
    (0..count).map(|index| unsafe { Bound::from_borrowed_ptr(py, *arguments.add(index)) }).collect()
}

/// Gives the arguments their places: an event, and variables by name.
fn long<'py>(
    py: Python<'py>,
    program: &RulesProgram,
    arguments: &[Bound<'py, PyAny>],
    count: usize,
    names: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let Some((positional, named)) = arguments.split_at_checked(count).filter(|_| count <= 1) else {
        let message = format!("Program.eval() takes at most 1 positional argument ({count} given)");
        return Err(PyTypeError::new_err(message));
    };
    let variables = match names {
        None => None,
        Some(names) => {
            let variables = PyDict::new(py);
            for (name, value) in names.cast::<PyTuple>()?.iter().zip(named) {
                variables.set_item(name, value)?;
            }
            Some(variables)
        }
    };
    program.eval(py, positional.first().filter(|event| !event.is_none()), variables.as_ref())
}
