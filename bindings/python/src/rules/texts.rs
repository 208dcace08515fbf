//! Lists of text. A short one is converted once and taken again for as long as its elements are the same objects, as
//! those of a list of codes that every event refers to. A long one stays in Python: its strings are borrowed, and only
//! if the expression comes to look at it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use comptoir::rules::value::HostList;
use comptoir::rules::{EvalError, Value};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::borrow::has_elements;
use super::read::wrong;

/// A list or tuple that was declared as `list(string)`.
pub struct Texts {
    list: Py<PyAny>,
    /// The elements as they were when the first was asked for.
    elements: OnceLock<Vec<Element>>,
}

enum Element {
    Text(Py<PyString>),
    Null,
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
            Err(_) if object.is_none() => Self::Null,
            Err(_) => Self::Wrong(Arc::new(wrong(&object, "string"))),
        }
    }
}

/// Elements of a list that is kept between evaluations.
const MAX_KEPT: usize = 256;

/// The list that an input was last.
#[derive(Default)]
pub struct LastTexts {
    kept: Mutex<Option<Kept>>,
}

/// A list that was converted.
pub struct Kept {
    /// The elements. They are held, so that no other object can have their address, and text never changes.
    elements: Vec<Py<PyAny>>,
    values: Arc<Vec<Value<'static>>>,
}

impl Kept {
    fn new(list: &Bound<'_, PyList>) -> Option<Self> {
        let elements: Vec<Bound<'_, PyAny>> = list.iter().collect();
        let text = |element: &Bound<'_, PyAny>| {
            let text = element.cast_exact::<PyString>().ok()?;
            text.to_str().ok().map(Value::string)
        };
        let values = Arc::new(elements.iter().map(text).collect::<Option<Vec<_>>>()?);
        Some(Self { elements: elements.into_iter().map(Bound::unbind).collect(), values })
    }

    /// The elements as values.
    pub fn values(&self) -> &[Value<'static>] {
        &self.values
    }
}

impl LastTexts {
    /// The elements of a short list of text; none for a list that is long or has other elements.
    pub fn values(&self, object: &Bound<'_, PyAny>) -> Option<Arc<Vec<Value<'static>>>> {
        let list = object.cast_exact::<PyList>().ok().filter(|list| list.len() <= MAX_KEPT)?;
        // Another thread that uses the list now costs a conversion, no wait.
        let mut kept = self.kept.try_lock().ok()?;
        if !is_of(&kept, list) {
            *kept = Some(Kept::new(list)?);
        }
        kept.as_ref().map(|kept| kept.values.clone())
    }

    /// What was kept, locked instead of shared, if it is of this list.
    pub fn of(&self, list: &Bound<'_, PyList>) -> Option<MutexGuard<'_, Option<Kept>>> {
        self.kept.try_lock().ok().filter(|kept| is_of(kept, list))
    }
}

fn is_of(kept: &Option<Kept>, list: &Bound<'_, PyList>) -> bool {
    kept.as_ref().is_some_and(|kept| has_elements(list, &kept.elements))
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
            Some(Element::Null) => Value::Null,
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
