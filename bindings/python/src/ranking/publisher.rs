//! The producer's side of published boards.

use std::sync::{Mutex, PoisonError};

use comptoir::ranking::snapshot::{ItemKind, Publisher, SnapshotBuilder, SnapshotError, TableColumns};
use comptoir_host::Fault;
use pyo3::prelude::*;

use super::count::{Given, count};

use crate::arguments::path;
use crate::arrow::{import_stream, times};
use crate::enter::enter;
use crate::errors::from_host;

/// Publishes boards; `comptoir.ranking.Publisher` is its public face.
#[pyclass(module = "comptoir._native", frozen)]
pub struct RankingPublisher(Mutex<Option<Publisher>>);

/// A table with the name of the board and the columns of group, item, score and position.
type BoardTable<'py> = (Bound<'py, PyAny>, String, Vec<String>, String, String, Option<String>);

impl RankingPublisher {
    /// Works with the publisher, detached.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Publisher) -> Result<T, SnapshotError> + Send,
    ) -> PyResult<T> {
        let done = enter(py, || {
            let mut publisher = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            publisher.as_mut().map(work).transpose()
        })?;
        done.ok_or_else(|| from_host(py, &Fault::closed("publisher")))
    }
}

#[pymethods]
impl RankingPublisher {
    #[new]
    fn open(py: Python<'_>, directory: &Bound<'_, PyAny>, keep: Given) -> PyResult<Self> {
        let directory = path("directory", directory)?;
        let keep = count(py, "keep", keep, 1)?;
        let publisher = enter(py, || Publisher::open(&directory, keep))?;
        Ok(Self(Mutex::new(Some(publisher))))
    }

    /// Writes the next version and makes it the current one.
    fn publish(
        &self,
        py: Python<'_>,
        tables: Vec<BoardTable<'_>>,
        watermark: i64,
        spec_hash: [u8; 32],
        rules_hash: [u8; 32],
    ) -> PyResult<u64> {
        let read = |(table, board, group, item, score, position): BoardTable<'_>| {
            Ok((TableColumns { board, group, item, score, position }, import_stream(&table)?))
        };
        let tables = tables.into_iter().map(read).collect::<PyResult<Vec<_>>>()?;
        self.with(py, move |publisher| {
            // Without any table the kind does not matter.
            let kind = tables.first().map(|(columns, (schema, _))| columns.item_kind(schema)).transpose()?;
            let mut boards = SnapshotBuilder::new(kind.unwrap_or(ItemKind::Text))
                .watermark(watermark)
                .hashes(spec_hash, rules_hash);
            for (columns, (schema, batches)) in &tables {
                boards.table(columns, schema, batches)?;
            }
            publisher.publish(&boards)
        })
    }

    /// Publishes the boards of a table of the form that `Reader.table` gives; what is given beside it comes before what
    /// its metadata says.
    fn publish_exported(
        &self,
        table: &Bound<'_, PyAny>,
        watermark: Option<i64>,
        spec_hash: Option<[u8; 32]>,
        rules_hash: Option<[u8; 32]>,
    ) -> PyResult<u64> {
        let (schema, batches) = import_stream(table)?;
        self.with(table.py(), move |publisher| {
            let mut boards = SnapshotBuilder::from_record_batches(&schema, &batches)?;
            if let Some(micros) = watermark {
                boards = boards.watermark(micros);
            }
            let (spec, rules) = boards.known_hashes();
            let boards = boards.hashes(spec_hash.unwrap_or(spec), rules_hash.unwrap_or(rules));
            publisher.publish(&boards)
        })
    }

    /// Makes an earlier version the current one.
    fn rollback(&self, py: Python<'_>, version: Given) -> PyResult<()> {
        let version = count(py, "version", version, 1)? as u64;
        self.with(py, |publisher| publisher.rollback(version))
    }

    /// The versions that are there.
    fn versions(&self, py: Python<'_>) -> PyResult<Vec<u64>> {
        self.with(py, |publisher| publisher.versions())
    }

    /// Lets another publisher have the directory.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take()));
    }

    /// Microseconds since 1970 of a `datetime` or a `date`; none for another object.
    #[staticmethod]
    fn micros(moment: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
        match times::micros(moment)? {
            Some(micros) => Ok(Some(micros)),
            None => Ok(times::days(moment)?.map(|days| i64::from(days) * 86_400_000_000)),
        }
    }
}
