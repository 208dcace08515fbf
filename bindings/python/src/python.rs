//! Classes of Python's library, looked up once.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The classes that values are told by, and made with.
pub struct Classes {
    /// `decimal.Decimal`
    pub decimal: Py<PyAny>,
    /// `datetime.datetime`
    pub datetime: Py<PyAny>,
    /// `datetime.date`
    pub date: Py<PyAny>,
    /// `datetime.timedelta`
    pub timedelta: Py<PyAny>,
    /// 1970-01-01 without a zone.
    pub epoch: Py<PyAny>,
    /// 1970-01-01 in UTC.
    pub epoch_utc: Py<PyAny>,
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

impl Classes {
    /// The classes.
    ///
    /// # Errors
    /// What the import raises.
    pub fn get(py: Python<'_>) -> PyResult<&Self> {
        CLASSES.get_or_try_init(py, || {
            let module = py.import("datetime")?;
            let datetime = module.getattr("datetime")?;
            let utc = module.getattr("timezone")?.getattr("utc")?;
            Ok(Self {
                decimal: py.import("decimal")?.getattr("Decimal")?.unbind(),
                date: module.getattr("date")?.unbind(),
                timedelta: module.getattr("timedelta")?.unbind(),
                epoch: datetime.call1((1970, 1, 1))?.unbind(),
                epoch_utc: datetime.call1((1970, 1, 1, 0, 0, 0, 0, utc))?.unbind(),
                datetime: datetime.unbind(),
            })
        })
    }
}
