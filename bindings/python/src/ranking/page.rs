//! A part of a published board.

use comptoir::ranking::snapshot::{Entry, ItemRef, Page};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyIterator, PyList, PyString};

use super::class;

/// Part of a published board: a sequence of `Entry`, from one version. `Reader.page` gives it.
///
/// Examples
/// --------
/// >>> import pyarrow as pa, tempfile
/// >>> from comptoir import ranking
/// >>> directory = tempfile.mkdtemp()
/// >>> units = pa.table({"sku": ["mug", "bag", "pen"], "units": [40, 70, 10]})
/// >>> with ranking.Publisher(directory) as publisher:
/// ...     publisher.publish(ranking.BoardTable(units, "top", item="sku", score="units"))
/// 1
/// >>> page = ranking.Reader(directory).page("top", limit=2)
/// >>> page.items, page.scores, page.total
/// (['bag', 'mug'], [70.0, 40.0], 3)
/// >>> page[0]
/// Entry(position=1, item='bag', score=70.0)
#[pyclass(name = "Page", module = "comptoir.ranking", frozen)]
pub struct RankingPage(pub Page);

/// An item as Python's own value.
pub fn item<'py>(py: Python<'py>, item: ItemRef<'_>) -> PyResult<Bound<'py, PyAny>> {
    match item {
        ItemRef::Int(number) => Ok(number.into_pyobject(py)?.into_any()),
        ItemRef::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => Ok(PyString::new(py, text).into_any()),
            Err(_) => Ok(PyString::new(py, &String::from_utf8_lossy(bytes)).into_any()),
        },
    }
}

fn entry<'py>(class: &Bound<'py, PyAny>, entry: &Entry<'_>) -> PyResult<Bound<'py, PyAny>> {
    class.call1((entry.position, item(class.py(), entry.item)?, entry.score))
}

#[pymethods]
impl RankingPage {
    /// Items, the first place first.
    #[getter]
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let items = PyList::empty(py);
        self.0.entries().try_for_each(|entry| items.append(item(py, entry.item)?))?;
        Ok(items)
    }

    /// Scores, the first place first.
    #[getter]
    fn scores<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let scores = PyList::empty(py);
        self.0.entries().try_for_each(|entry| scores.append(PyFloat::new(py, entry.score)))?;
        Ok(scores)
    }

    /// Positions on the board, from 1.
    #[getter]
    fn positions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let positions = PyList::empty(py);
        self.0.entries().try_for_each(|entry| positions.append(PyInt::new(py, entry.position)))?;
        Ok(positions)
    }

    /// Version that the page is of.
    #[getter]
    fn version(&self) -> u64 {
        self.0.version()
    }

    /// Number of places on the board.
    #[getter]
    fn total(&self) -> usize {
        self.0.total()
    }

    /// Where the next page begins, for `Reader.page`; None after the last place.
    #[getter]
    fn next_cursor(&self) -> Option<String> {
        self.0.next().map(|cursor| cursor.to_string())
    }

    fn __len__(&self) -> usize {
        self.0.entries().count()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyAny>> {
        let place = match usize::try_from(index) {
            Ok(place) => Some(place),
            Err(_) => self.__len__().checked_add_signed(index),
        };
        let found = place.and_then(|place| self.0.entries().nth(place));
        let found = found.ok_or_else(|| PyIndexError::new_err("index out of range"))?;
        entry(&class(py, "Entry")?, &found)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let class = class(py, "Entry")?;
        let entries = PyList::empty(py);
        self.0.entries().try_for_each(|one| entries.append(entry(&class, &one)?))?;
        entries.try_iter()
    }

    fn __repr__(&self) -> String {
        format!("Page({} of {} places, version {})", self.__len__(), self.total(), self.version())
    }
}
