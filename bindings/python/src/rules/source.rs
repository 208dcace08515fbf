//! Where the inputs of an expression are in a Python object: names are interned when it is compiled.

use comptoir::rules::ir::Slot;
use pyo3::exceptions::PyKeyError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString};

/// The way from an event to an input.
pub struct Source {
    /// The variable.
    root: Py<PyString>,
    /// The steps of a variable whose name has dots.
    steps: Vec<Py<PyString>>,
    /// Fields below the variable.
    fields: Vec<Py<PyString>>,
    /// Whether the input before has the same variable.
    is_root_known: bool,
}

impl Source {
    /// The ways to slots, in their order.
    pub fn all(py: Python<'_>, slots: &[Slot]) -> Vec<Self> {
        let mut before = None;
        let source = |slot: &Slot| {
            let root = slot.path.first();
            let is_root_known = before.is_some() && before.as_ref() == root;
            before = root.cloned();
            let name = root.map_or("", |name| &**name);
            let steps = if name.contains('.') { intern_all(py, name.split('.')) } else { Vec::new() };
            Self {
                root: PyString::intern(py, name).unbind(),
                steps,
                fields: intern_all(py, slot.path.iter().skip(1).map(|name| &**name)),
                is_root_known,
            }
        };
        slots.iter().map(source).collect()
    }
}

fn intern_all<'n>(py: Python<'_>, names: impl Iterator<Item = &'n str>) -> Vec<Py<PyString>> {
    names.map(|name| PyString::intern(py, name).unbind()).collect()
}

/// An event: an object or mapping, and variables by keyword, which come first.
pub struct Event<'e, 'py> {
    object: Option<&'e Bound<'py, PyAny>>,
    variables: Option<&'e Bound<'py, PyDict>>,
    /// The variable that was read last.
    root: Option<Bound<'py, PyAny>>,
}

impl<'e, 'py> Event<'e, 'py> {
    /// An event that nothing was read of.
    pub fn new(object: Option<&'e Bound<'py, PyAny>>, variables: Option<&'e Bound<'py, PyDict>>) -> Self {
        Self { object, variables, root: None }
    }

    /// The object at an input; none where nothing is there.
    ///
    /// # Errors
    /// What reading raises, but for the errors that say that nothing is there.
    #[inline]
    pub fn fetch(&mut self, py: Python<'py>, source: &Source) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !source.is_root_known {
            self.root = None;
            self.root = self.variable(py, source)?;
        }
        let Some(root) = &self.root else { return Ok(None) };
        let Some((first, rest)) = source.fields.split_first() else { return Ok(Some(root.clone())) };
        let mut found = member(root, first.bind(py))?;
        for name in rest {
            let Some(object) = found else { return Ok(None) };
            found = member(&object, name.bind(py))?;
        }
        Ok(found)
    }

    fn variable(&self, py: Python<'py>, source: &Source) -> PyResult<Option<Bound<'py, PyAny>>> {
        if let Some(variables) = self.variables
            && let Some(value) = variables.get_item(source.root.bind(py))?
        {
            return Ok(Some(value));
        }
        let Some(object) = self.object else { return Ok(None) };
        let found = member(object, source.root.bind(py))?;
        if found.is_some() || source.steps.is_empty() {
            return Ok(found);
        }
        let mut found = object.clone();
        for name in &source.steps {
            match member(&found, name.bind(py))? {
                Some(inner) => found = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }
}

/// An item of a mapping or an attribute of any other object; none where there is none.
///
/// # Errors
/// What reading raises, but for `KeyError` and `AttributeError`.
#[inline]
pub fn member<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Ok(dict) = object.cast_exact::<PyDict>() {
        return dict.get_item(name);
    }
    if object.is_none() {
        return Ok(None);
    }
    let Some(mapping) = as_mapping(object)? else { return object.getattr_opt(name) };
    // Asked first, so that a `defaultdict` does not grow.
    if !mapping.contains(name)? {
        return Ok(None);
    }
    match mapping.get_item(name) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_instance_of::<PyKeyError>(object.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The object as a mapping. Objects without `__getitem__`, the common case, are told without asking the abstract class.
pub fn as_mapping<'e, 'py>(object: &'e Bound<'py, PyAny>) -> PyResult<Option<&'e Bound<'py, PyMapping>>> {
    if !object.get_type().hasattr(intern!(object.py(), "__getitem__"))? {
        return Ok(None);
    }
    Ok(object.cast::<PyMapping>().ok())
}
