//! Lists of text that stay in Python: strings are borrowed, and only if the expression comes to look at the list.

use std::fmt;
use std::sync::{Arc, OnceLock};

use comptoir::rules::value::HostList;
use comptoir::rules::{EvalError, Value};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::read::wrong;

/// A list or tuple that was declared as `list(string)`.
pub struct Texts {
    list: Py<PyAny>,
    /// The elements as they were when the first was asked for.
    elements: OnceLock<Vec<Element>>,
}

enum Element {
    Text(Py<PyString>),
    Wrong(Arc<EvalError>),
}

impl Texts {
    /// The object as a list of text, if it is exactly a list or a tuple.
    pub fn of(object: &Bound<'_, PyAny>) -> Option<Self> {
        let is_list = object.is_exact_instance_of::<PyList>() || object.is_exact_instance_of::<PyTuple>();
        is_list.then(|| Self { list: object.clone().unbind(), elements: OnceLock::new() })
    }

    fn elements(&self, py: Python<'_>) -> &[Element] {
        self.elements.get_or_init(|| {
            let list = self.list.bind(py);
            match (list.cast_exact::<PyList>(), list.cast_exact::<PyTuple>()) {
                (Ok(list), _) => list.iter().map(Element::of).collect(),
                (_, Ok(tuple)) => tuple.iter().map(Element::of).collect(),
                _ => Vec::new(),
            }
        })
    }
}

impl Element {
    #[expect(clippy::needless_pass_by_value, reason = "the form that `map` takes")]
    fn of(object: Bound<'_, PyAny>) -> Self {
        match object.cast_exact::<PyString>() {
            Ok(text) => Self::Text(text.clone().unbind()),
            Err(_) => Self::Wrong(Arc::new(wrong(&object, "string"))),
        }
    }
}

impl HostList for Texts {
    fn len(&self) -> usize {
        Python::attach(|py| self.elements(py).len())
    }

    fn get(&self, index: usize) -> Value<'_> {
        Python::attach(|py| match self.elements(py).get(index) {
            Some(Element::Text(text)) => match text.to_str(py) {
                Ok(text) => Value::str(text),
                Err(_) => Value::Error(Arc::new(wrong(text.bind(py), "valid Unicode"))),
            },
            Some(Element::Wrong(error)) => Value::Error(error.clone()),
            None => Value::Absent,
        })
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries((0..HostList::len(self)).map(|index| self.get(index))).finish()
    }
}
