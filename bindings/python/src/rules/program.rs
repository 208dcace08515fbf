//! One compiled expression.

use comptoir::rules::{Program, Residual};
use comptoir_host::rules::Given;
use comptoir_host::{Table, rules as rows};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::failure::{enter_table, from_error, from_fault};
use super::give::to_python;
use super::input::Inputs;
use super::quick::Quick;
use super::raised::Scope;
use super::results::result;
use super::shared::shared as variables;
use super::source::{Event, Source};
use super::{ahead, batch};
use crate::arguments::{CODE, text, wrong};
use crate::arrow::import_stream;
use crate::enter::attached;
use crate::errors::from_host;

/// Compiled expression: any number of threads may evaluate it at once.
///
/// `compile` makes it. Names and types are checked then, once; an evaluation
/// reads from the event what the expression needs, and nothing else.
///
/// Examples
/// --------
/// >>> from comptoir import rules
/// >>> program = rules.compile("price * 2.0 > floor", {"price": "double", "floor": "double"})
/// >>> program.eval({"price": 4.5, "floor": 8})
/// True
/// >>> program.eval(price=3.5, floor=8)
/// False
/// >>> program.inputs
/// {'price': 'double', 'floor': 'double'}
#[pyclass(name = "Program", module = "comptoir.rules", frozen)]
pub struct RulesProgram {
    program: Program,
    sources: Vec<Source>,
    quick: Option<Quick>,
}

impl RulesProgram {
    /// A program with its inputs resolved.
    pub fn new(py: Python<'_>, program: Program) -> Self {
        let sources = Source::all(py, program.slots());
        let quick = Quick::of(py, &program);
        Self { program, sources, quick }
    }

    /// The truth for an event of plain dicts by the quick way; none where that does not cover it.
    #[inline(always)]
    pub fn quick_test(&self, event: &Bound<'_, PyAny>) -> Option<bool> {
        self.quick.as_ref()?.test(&self.program, &self.sources, event)
    }

    /// Runs `work` with the inputs of an event.
    fn with_inputs<'py, T>(
        &self,
        py: Python<'py>,
        event: Event<'_, 'py>,
        work: impl FnOnce(&Given<'_>, &Scope) -> PyResult<T>,
    ) -> PyResult<T> {
        attached(py, || {
            let scope = Scope::begin();
            let slots = self.program.slots();
            let inputs = Inputs::fetch(py, &self.sources, slots, event);
            let values = inputs.values(py, slots, self.program.env());
            let result = work(&Given(&values), &scope);
            match scope.interrupt(py) {
                Some(interrupt) => Err(interrupt),
                None => result,
            }
        })
    }
}

#[pymethods]
impl RulesProgram {
    /// The value for one event.
    ///
    /// Parameters
    /// ----------
    /// event : mapping or object, optional
    ///     Holds the variables as items or attributes, and so on inside: dicts, dataclasses and other objects
    ///     may be mixed.
    /// **variables
    ///     Variables by name; they come before those of `event`.
    ///
    /// Returns
    /// -------
    /// object
    ///     bool, int, float, str, bytes, `Decimal`, `datetime` in UTC, `timedelta`, list, dict or None.
    ///
    /// Raises
    /// ------
    /// RuleDataError
    ///     If the expression has no value for the event: a field that is not there, a value of another type, a
    ///     division by zero. Where Python code raised (an attribute, a function), that is the cause.
    /// RuleLimitError
    ///     If the budget is spent.
    #[pyo3(signature = (event=None, /, **variables))]
    pub fn eval<'py>(
        &self,
        py: Python<'py>,
        event: Option<&Bound<'py, PyAny>>,
        variables: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.with_inputs(py, Event::new(event, variables), |given, scope| {
            match self.program.eval_slots(given.0) {
                Ok(value) => to_python(py, &value),
                Err(fault) => Err(from_fault(py, &self.program, fault, scope)),
            }
        })
    }

    /// The value for one event in JSON: an object whose fields are the variables.
    ///
    /// Parameters
    /// ----------
    /// event : str or bytes
    ///     JSON text. Numbers become what is declared, times and decimals may be text.
    ///
    /// Returns
    /// -------
    /// object
    ///     As for `eval`.
    ///
    /// Raises
    /// ------
    /// RuleDataError
    ///     If the text is no JSON, and as for `eval`.
    /// RuleLimitError
    ///     If the budget is spent.
    /// ArgumentError
    ///     If `event` is neither text nor bytes (``HOST_ARGUMENT``).
    #[pyo3(signature = (event, /))]
    fn eval_json<'py>(&self, py: Python<'py>, event: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        attached(py, || {
            let scope = Scope::begin();
            let text = match event.cast::<PyBytes>() {
                Ok(bytes) => bytes.as_bytes(),
                Err(_) => json_text(event)?.as_bytes(),
            };
            let slots = self.program.slots_from_json_text(text).map_err(|error| from_error(py, error))?;
            let outcome = match self.program.eval_slots(&slots) {
                Ok(value) => to_python(py, &value),
                Err(fault) => Err(from_fault(py, &self.program, fault, &scope)),
            };
            scope.interrupt(py).map_or(outcome, Err)
        })
    }

    /// The value for each row of a table.
    ///
    /// An input ``item.price`` is the column ``item.price``, or the field ``price`` of a column ``item`` of structs.
    /// Other Python threads go on meanwhile.
    ///
    /// Parameters
    /// ----------
    /// table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
    ///     Table of pyarrow, polars, pandas 3 or DuckDB.
    /// **shared
    ///     Variables without a column, the same for all rows. A column comes before them.
    ///
    /// Returns
    /// -------
    /// BatchResult
    ///
    /// Raises
    /// ------
    /// SchemaError
    ///     For a column that is missing (``TYPES_COLUMN_MISSING``) or cannot be what was declared, with its name.
    ///
    /// Examples
    /// --------
    /// >>> import pyarrow as pa
    /// >>> from comptoir import rules
    /// >>> program = rules.compile("100 / quantity < most", {"quantity": "int", "most": "int"})
    /// >>> result = program.eval_batch(pa.table({"quantity": [50, 5, 0]}), most=10)
    /// >>> result.values.to_pydict()
    /// {'value': [True, False, None]}
    /// >>> result.faults.to_pylist()
    /// [{'row': 2, 'code': 'RULES_DIVIDE_BY_ZERO', 'message': 'division by zero'}]
    #[pyo3(signature = (table, /, **shared))]
    fn eval_batch<'py>(
        &self,
        table: &Bound<'py, PyAny>,
        shared: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = table.py();
        let (schema, batches) = import_stream(table)?;
        let table = Table { schema, batches };
        let shared = variables(self.program.env(), shared)?;
        let (values, faults) = enter_table(py, || rows::eval(&self.program, &table, &shared))?;
        let count = faults.count;
        result(py, "BatchResult", (batch::table(py, values)?, batch::table(py, faults.table())?, count))
    }

    /// The rows of a table for which the expression is true.
    ///
    /// Parameters
    /// ----------
    /// table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
    ///     As for `eval_batch`.
    /// **shared
    ///     As for `eval_batch`.
    ///
    /// Returns
    /// -------
    /// Selection
    ///
    /// Raises
    /// ------
    /// SchemaError
    ///     As for `eval_batch`.
    ///
    /// Examples
    /// --------
    /// >>> import pyarrow as pa
    /// >>> from comptoir import rules
    /// >>> items = pa.table({"sku": ["EU-1", "US-1", "EU-2"]})
    /// >>> program = rules.compile("sku.startsWith('EU-')", rules.Env.from_arrow(items))
    /// >>> program.select(items).rows.to_pydict()
    /// {'row': [0, 2]}
    #[pyo3(signature = (table, /, **shared))]
    fn select<'py>(
        &self,
        table: &Bound<'py, PyAny>,
        shared: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = table.py();
        let (schema, batches) = import_stream(table)?;
        let table = Table { schema, batches };
        let shared = variables(self.program.env(), shared)?;
        let (rows, faults) = enter_table(py, || rows::select(&self.program, &table, &shared))?;
        let count = faults.count;
        result(py, "Selection", (batch::table(py, rows)?, batch::table(py, faults.table())?, count))
    }

    /// What is left of the expression when a part of the event is not known yet.
    ///
    /// Parameters
    /// ----------
    /// event : mapping or object, optional
    ///     What is known, as for `eval`.
    /// unknown : sequence of str
    ///     Patterns of what is not: ``user.score``, ``items[*].price``.
    /// **variables
    ///     Variables by name, as for `eval`.
    ///
    /// Returns
    /// -------
    /// Residual
    ///
    /// Raises
    /// ------
    /// RuleDataError
    ///     If the expression is an error whatever the unknown parts are.
    /// RuleLimitError
    ///     If the budget is spent.
    /// RuleConfigError
    ///     For text that is no pattern (``RULES_DECLARATION``).
    /// ArgumentError
    ///     If `unknown` is no sequence of texts (``HOST_ARGUMENT``).
    ///
    /// Examples
    /// --------
    /// >>> from comptoir import rules
    /// >>> program = rules.compile("level >= 3 && score > 0.5", {"level": "int", "score": "double"})
    /// >>> program.partial({"level": 5}, unknown=["score"])
    /// Residual(is_known=False, value=None, expression='score > 0.5')
    /// >>> program.partial({"level": 1}, unknown=["score"]).value
    /// False
    #[pyo3(signature = (event=None, /, *, unknown, **variables))]
    fn partial<'py>(
        &self,
        py: Python<'py>,
        event: Option<&Bound<'py, PyAny>>,
        unknown: &Bound<'py, PyAny>,
        variables: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let patterns = rows::patterns(&ahead::unknown(unknown)?).map_err(|error| from_error(py, error))?;
        self.with_inputs(py, Event::new(event, variables), |given, scope| {
            match self.program.residual(given, &patterns) {
                Ok(Residual::Value(value)) => {
                    result(py, "Residual", (true, to_python(py, &value)?, py.None()))
                }
                Ok(Residual::Expression(text)) => result(py, "Residual", (false, py.None(), text)),
                Err(fault) => Err(from_fault(py, &self.program, fault, scope)),
            }
        })
    }

    /// Bounds on the cost of an evaluation, in the units of the budget.
    ///
    /// Parameters
    /// ----------
    /// sizes : mapping of str to int or pair of int, optional
    ///     Sizes of inputs by path: bytes of text, elements of lists, entries of maps, exact or as least and
    ///     greatest. ``items[]`` means each element of ``items``.
    ///
    /// Returns
    /// -------
    /// tuple of int and int or None
    ///     At least and at most; None where there is no bound.
    ///
    /// Raises
    /// ------
    /// ConfigError
    ///     For a size whose least is above its greatest (``HOST_ARGUMENT``), or that is below zero.
    /// ArgumentError
    ///     For sizes that are no mapping, and a size of another type (``HOST_ARGUMENT``).
    ///
    /// Examples
    /// --------
    /// >>> from comptoir import rules
    /// >>> program = rules.compile("tags.exists(tag, tag == 'new')", {"tags": "list(string)"})
    /// >>> program.cost()
    /// (2, None)
    /// >>> program.cost({"tags": (0, 20), "tags[]": 10})[1] < 200
    /// True
    #[pyo3(signature = (sizes=None))]
    fn cost(&self, py: Python<'_>, sizes: Option<&Bound<'_, PyAny>>) -> PyResult<(u64, Option<u64>)> {
        let sizes = sizes.map(ahead::sizes).transpose()?.unwrap_or_default();
        rows::cost(&self.program, sizes.into_iter()).map_err(|fault| from_host(py, &fault))
    }

    /// Type of the value, such as ``bool`` or ``list(string)``.
    #[getter]
    fn r#type(&self) -> String {
        self.program.result_type().to_string()
    }

    /// Inputs that the expression reads, with their types.
    #[getter]
    fn inputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let inputs = PyDict::new(py);
        for slot in self.program.slots() {
            inputs.set_item(&*slot.name, slot.ty.to_string())?;
        }
        Ok(inputs)
    }

    /// The expression.
    #[getter]
    fn source(&self) -> &str {
        self.program.source()
    }

    fn __repr__(&self) -> String {
        format!("Program({:?}: {})", self.program.source(), self.program.result_type())
    }
}

/// Text of an event.
fn json_text<'a>(event: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    if event.is_instance_of::<PyString>() {
        text("event", CODE, event)
    } else {
        Err(wrong("event", CODE, "text or bytes", event))
    }
}
