//! The consumer's side of published boards.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use comptoir::ranking::snapshot::{Board, Follower, GroupValue, Reader, SnapshotError, Start};
use comptoir::types::ErrorKind;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple, PyType};

use super::count::{Given, count};
use super::given::{number, text};
use super::group::{Group, OwnItem};
use super::page::RankingPage;
use crate::arguments::path;
use crate::arrow::{ArrowTable, times};
use crate::enter::enter;
use crate::errors;

/// Reads the boards that a `Publisher` publishes in a directory, in this or any other process.
///
/// The current version is mapped and verified when the reader is made, and read without a lock: any number of threads
/// may share a reader. It changes to another version in `refresh`, or by itself after `follow`.
///
/// Parameters
/// ----------
/// directory : str or path
///     The directory of the publisher.
///
/// Raises
/// ------
/// StorageError
///     If nothing has been published there (``RANKING_SNAPSHOT_NONE``), or the file is damaged, of another kind or of
///     a later format.
///
/// Examples
/// --------
/// >>> import pyarrow as pa, tempfile
/// >>> from comptoir import ranking
/// >>> directory = tempfile.mkdtemp()
/// >>> units = pa.table({"country": ["FR", "FR", "DE"], "sku": ["mug", "bag", "mug"], "units": [40, 70, 10]})
/// >>> board = ranking.BoardTable(units, "top", group=["country"], item="sku", score="units")
/// >>> with ranking.Publisher(directory) as publisher:
/// ...     publisher.publish(board)
/// 1
/// >>> reader = ranking.Reader(directory)
/// >>> reader.page("top", "FR").items
/// ['bag', 'mug']
/// >>> reader.rank_of("top", "FR", "mug")
/// 2
/// >>> reader.boards()
/// [('top', ('FR',)), ('top', ('DE',))]
#[pyclass(name = "Reader", module = "comptoir.ranking", frozen)]
pub struct RankingReader {
    directory: PathBuf,
    reader: Arc<Reader>,
    follower: Mutex<Option<Follower>>,
    /// The last failure of the follower, if its last look failed.
    failure: Arc<Mutex<Option<SnapshotError>>>,
}

impl RankingReader {
    /// Looks for another version and notes what went wrong.
    fn look(&self) -> Result<bool, SnapshotError> {
        let outcome = self.reader.refresh();
        if outcome.is_ok() {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        outcome
    }

    /// Puts a follower in the place of the one before, which ends.
    fn set_follower(&self, follower: Option<Follower>) {
        let mut place = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, follower);
        drop(place);
        drop(before);
    }
}

#[pymethods]
impl RankingReader {
    #[new]
    fn open(py: Python<'_>, directory: &Bound<'_, PyAny>) -> PyResult<Self> {
        let directory = path("directory", directory)?;
        let reader = Arc::new(enter(py, || Reader::open(&directory))?);
        Ok(Self { directory, reader, follower: Mutex::default(), failure: Arc::default() })
    }

    /// A page of a board.
    ///
    /// Parameters
    /// ----------
    /// board : str
    ///     Its name.
    /// group : value or sequence of values
    ///     Values of its group: text, int, `Decimal`, bool, date, datetime or None; none for a board without groups.
    ///     They are compared as text, so that ``2024`` and ``"2024"`` name the same group.
    /// offset : int
    ///     Places to skip.
    /// cursor : str, optional
    ///     ``next_cursor`` of another page, in place of an offset. The page is of the version of that page, so that
    ///     paging shows no item twice, whatever is published meanwhile.
    /// limit : int
    ///     Places at most.
    ///
    /// Returns
    /// -------
    /// Page or None
    ///     None where there is no such board.
    ///
    /// Raises
    /// ------
    /// StorageError
    ///     For a cursor of a version that is no longer kept.
    /// DataError
    ///     For a cursor that is none, or of another board.
    /// ConfigError
    ///     For a negative offset or limit.
    #[pyo3(
        signature = (board, group=Group::default(), *, offset=Given::Number(0), cursor=None, limit=Given::Number(20)),
        text_signature = "($self, board, group=(), *, offset=0, cursor=None, limit=20)"
    )]
    #[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
    fn page(
        &self,
        py: Python<'_>,
        board: &Bound<'_, PyAny>,
        group: Group,
        offset: Given,
        cursor: Option<&Bound<'_, PyAny>>,
        limit: Given,
    ) -> PyResult<Option<RankingPage>> {
        let (offset, limit) = (count(py, "offset", offset, 0)?, count(py, "limit", limit, 0)?);
        let board = text("board", board)?;
        let failed = |error: SnapshotError| errors::from_core(py, &error);
        let group = group.texts();
        let page = match cursor {
            None => self.reader.page(board, &group, Start::Offset(offset), limit).map_err(failed)?,
            Some(_) if offset != 0 => {
                let message = "give an offset or a cursor, not both";
                return Err(errors::exception(py, ErrorKind::Config, "RANKING_PAGE_START", message));
            }
            Some(cursor) => {
                let cursor = text("cursor", cursor)?.parse().map_err(failed)?;
                // An old version may have to be opened.
                enter(py, || self.reader.page(board, &group, Start::Cursor(cursor), limit))?
            }
        };
        // A page of Python may live long: a clone is an owner of its version.
        Ok(page.map(|page| RankingPage(page.clone())))
    }

    /// The position of an item on a board of the current version.
    ///
    /// Parameters
    /// ----------
    /// board : str
    ///     Its name.
    /// group : value or sequence of values
    ///     As for `page`.
    /// item : int or str
    ///     The item.
    ///
    /// Returns
    /// -------
    /// int or None
    ///     From 1; None where the item or the board is not there.
    #[expect(clippy::needless_pass_by_value, reason = "the form in which PyO3 gives it")]
    fn rank_of(&self, board: &Bound<'_, PyAny>, group: Group, item: OwnItem) -> PyResult<Option<usize>> {
        Ok(self.reader.rank_of(text("board", board)?, &group.texts(), item.borrowed()))
    }

    /// Change to the version that is current now.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether it is another one than before.
    ///
    /// Raises
    /// ------
    /// StorageError
    ///     If it cannot be read; the reader stays with the version that it has.
    fn refresh(&self, py: Python<'_>) -> PyResult<bool> {
        enter(py, || self.look())
    }

    /// Change to new versions by itself, on a thread that looks for them.
    ///
    /// Parameters
    /// ----------
    /// interval : float or None
    ///     Seconds between two looks; None ends it.
    #[pyo3(signature = (interval=GivenInterval(Some(1.0))), text_signature = "($self, interval=1.0)")]
    fn follow(&self, py: Python<'_>, interval: GivenInterval) -> PyResult<()> {
        let GivenInterval(interval) = interval;
        let interval =
            interval.map(|seconds| Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()));
        if interval == Some(None) {
            let message = "an interval is a number of seconds above zero";
            return Err(errors::exception(py, ErrorKind::Config, "RANKING_INTERVAL", message));
        }
        py.detach(|| {
            self.set_follower(None);
            let Some(interval) = interval.flatten() else { return };
            let failure = Arc::clone(&self.failure);
            let note = move |error| *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            self.set_follower(Some(self.reader.follow(interval, note)));
        });
        Ok(())
    }

    /// All boards of the current version, in the order in which they were published.
    ///
    /// Returns
    /// -------
    /// list of tuple
    ///     Name and group of each; the values of a group are text, or None for null.
    fn boards<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyTuple>)>> {
        let named = |board: Board<'_>| {
            let mut parts = board.name();
            let name = parts.next().unwrap_or_default().to_owned();
            Ok((name, PyTuple::new(py, parts.map(GroupValue::read).collect::<Vec<_>>())?))
        };
        self.reader.load().iter().map(named).collect()
    }

    /// All boards of the current version as one Arrow table, which `Publisher.publish` takes back.
    ///
    /// Returns
    /// -------
    /// Table
    ///     ``board``, ``group`` (a list of text), ``position``, ``item``, ``score``, with a row for each place. A null
    ///     in a group is the character 0. The metadata of the schema has version, watermark and hashes.
    fn table(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        let snapshot = Arc::clone(&self.reader.load());
        let batch = enter(py, || snapshot.to_record_batch())?;
        enter(py, || ArrowTable::new(batch.schema(), vec![batch]))
    }

    /// Number of the current version.
    #[getter]
    fn version(&self) -> u64 {
        self.reader.version()
    }

    /// Seconds since the current version was published.
    #[getter]
    fn age(&self) -> f64 {
        self.reader.age().as_secs_f64()
    }

    /// When the current version was published, in UTC.
    #[getter]
    fn created<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        times::moment(py, self.reader.load().created())
    }

    /// Up to which moment of the input the current version is made, in UTC; None where the publisher did not say.
    #[getter]
    fn watermark<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let micros = self.reader.load().watermark();
        (micros != 0).then(|| times::moment(py, micros)).transpose()
    }

    /// Hash of the spec by which the current version is made; None where the publisher did not say.
    #[getter]
    fn spec_hash<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        hex(py, self.reader.load().spec_hash())
    }

    /// Hash of the rules by which the current version is made; None where the publisher did not say.
    #[getter]
    fn rules_hash<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        hex(py, self.reader.load().rules_hash())
    }

    /// Why the last look of `follow` failed, as a `StorageError`; None if it did not.
    #[getter]
    fn error(&self, py: Python<'_>) -> Option<PyErr> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.as_ref().map(|error| errors::from_core(py, error))
    }

    fn __len__(&self) -> usize {
        self.reader.load().len()
    }

    fn __repr__(&self) -> String {
        let (version, boards) = (self.reader.version(), self.reader.load().len());
        format!("Reader({:?}, version {version}, {boards} boards)", self.directory.display().to_string())
    }

    /// Pickles as its directory: the other process maps the file itself.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyType>, (PathBuf,)) {
        (slf.get_type(), (slf.get().directory.clone(),))
    }
}

/// Seconds between two looks; none to end them.
struct GivenInterval(Option<f64>);

impl<'py> FromPyObject<'_, 'py> for GivenInterval {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let is_given = !object.is_none();
        is_given.then(|| number("interval", "RANKING_INTERVAL", &object)).transpose().map(Self)
    }
}

/// A hash as hexadecimal text; none where all bytes are zero.
fn hex(py: Python<'_>, hash: [u8; 32]) -> PyResult<Option<Bound<'_, PyAny>>> {
    let is_given = hash.iter().any(|byte| *byte != 0);
    is_given.then(|| PyBytes::new(py, &hash).call_method0("hex")).transpose()
}
