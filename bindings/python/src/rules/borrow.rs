//! Looks at items of dicts and lists without counting a reference to each, which for a number takes as long as reading
//! it. An item is borrowed only while no Python code can run.

#![expect(unsafe_code, reason = "the interpreter lends items of dicts and lists only by pointers")]

use std::ffi::c_int;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyString};
use pyo3::{Borrowed, ffi};

/// What `read` makes of the item of a dict; none where there is no item or the look-up raises.
///
/// `read` must not run Python code, which could take the item out of the dict and so end it: it may tell exact types,
/// read plain values, and keep a reference of its own.
#[inline(always)]
pub fn item<'py, T>(
    dict: &Bound<'py, PyDict>,
    name: &Py<PyString>,
    read: impl FnOnce(Borrowed<'_, 'py, PyAny>) -> Option<T>,
) -> Option<T> {
    // SAFETY: both are objects that are held meanwhile, and the first is a dict.
    let found = unsafe { ffi::PyDict_GetItemWithError(dict.as_ptr(), name.as_ptr()) };
    // SAFETY: null, or an object that the dict holds for as long as no other code runs.
    match unsafe { Borrowed::from_ptr_or_opt(dict.py(), found) } {
        Some(found) => read(found),
        None => {
            // There is an error only where a key compares itself in Python.
            // SAFETY: the thread is attached, as the dict shows.
            unsafe { ffi::PyErr_Clear() };
            None
        }
    }
}

/// An `int` of exactly this class that fits 64 bits.
#[inline(always)]
pub fn int(object: Borrowed<'_, '_, PyAny>) -> Option<i64> {
    if !object.is_exact_instance_of::<PyInt>() {
        return None;
    }
    let mut overflow: c_int = 0;
    // SAFETY: a live object; of an `int` no number is asked by Python code, and overflow raises nothing.
    let number = unsafe { ffi::PyLong_AsLongLongAndOverflow(object.as_ptr(), &raw mut overflow) };
    (overflow == 0).then_some(number)
}

/// A `float` of exactly this class.
#[inline(always)]
pub fn double(object: Borrowed<'_, '_, PyAny>) -> Option<f64> {
    if !object.is_exact_instance_of::<PyFloat>() {
        return None;
    }
    // SAFETY: a live object; a `float` has its value at hand, so that nothing raises.
    Some(unsafe { ffi::PyFloat_AsDouble(object.as_ptr()) })
}

/// Whether the elements of a list are the very same objects.
pub fn has_elements(list: &Bound<'_, PyList>, elements: &[Py<PyAny>]) -> bool {
    let is_same = |(own, index): (&Py<PyAny>, ffi::Py_ssize_t)| {
        // SAFETY: a list that is held, and an index below its length, which nothing changes meanwhile. The element is
        // compared by its address and not looked into.
        own.as_ptr() == unsafe { ffi::PyList_GetItem(list.as_ptr(), index) }
    };
    list.len() == elements.len() && elements.iter().zip(0..).all(is_same)
}
