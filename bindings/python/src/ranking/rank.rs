//! Rank numbers.

use comptoir::ranking::rank::{Method, Nulls, Order, rank_column};
use pyo3::prelude::*;

use super::count;
use super::given::text;
use crate::arrow::{ArrowArray, import_column};
use crate::enter::enter;

/// The rank of each value.
#[pyfunction]
pub fn ranking_rank(
    values: &Bound<'_, PyAny>,
    method: &Bound<'_, PyAny>,
    order: &Bound<'_, PyAny>,
    nulls: &Bound<'_, PyAny>,
    ids: Option<&Bound<'_, PyAny>>,
    seed: &Bound<'_, PyAny>,
) -> PyResult<ArrowArray> {
    let (py, seed) = (values.py(), count::seed(seed)?);
    let (method, order, nulls) = (text("method", method)?, text("order", order)?, text("nulls", nulls)?);
    let values = import_column("values", values)?;
    let ids = ids.map(|ids| import_column("ids", ids)).transpose()?.unwrap_or_default();
    let ranks = enter(py, || {
        let (method, order, nulls) =
            (Method::parse(method, seed)?, Order::parse(order)?, Nulls::parse(nulls)?);
        rank_column(&values, method, order, nulls, &ids)
    })?;
    Ok(ArrowArray::new(ranks))
}
