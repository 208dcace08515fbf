//! Functions of the host that take whole columns.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, Float64Array, Int64Array, PrimitiveArray, UInt64Array,
};
use arrow_array::{StringArray, types};
use arrow_buffer::NullBuffer;
use arrow_schema::TimeUnit;

use super::arrays::Target;
use super::bind::read;
use super::bits::Bits;
use super::column::{Column, Shape, Texts};
use super::rare::Rare;
use super::rows::Rows;
use super::vector::{Lanes, TextLanes, Truth, Vector};
use super::walk::Walk;
use crate::types::{CostRule, Env, EnvError, HostFunction, Implementation, Overload, Type};
use crate::value::{EvalCode, EvalError, Value};

/// A function of the host over many rows. It gives the same values for the same arguments, whatever rows are beside
/// them, and may be called from several threads.
pub trait ColumnFunction: Send + Sync {
    /// The values of `rows` rows, of which each argument has as many. A null is the value null where the type of the
    /// result has it, and an error of its row otherwise.
    ///
    /// # Errors
    /// What the function reports: the evaluation of the batch ends with it.
    fn call(&self, args: &[ArrayRef], rows: usize) -> Result<ArrayRef, EvalError>;
}

impl<F> ColumnFunction for F
where
    F: Fn(&[ArrayRef], usize) -> Result<ArrayRef, EvalError> + Send + Sync,
{
    fn call(&self, args: &[ArrayRef], rows: usize) -> Result<ArrayRef, EvalError> {
        self(args, rows)
    }
}

impl Overload {
    /// The same, computed by `function` for all rows of a block that need it, at `units` of the budget for a row.
    /// Arguments are arrays of the types that results have, see [`columnar`](crate::columnar), but that moments are in
    /// microseconds. A function that [`Overload::bind`] gave before is kept for single events; without one they are
    /// columns of one row.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::cast::AsArray;
    /// use arrow_array::types::Float64Type;
    /// use arrow_array::{ArrayRef, Float64Array, RecordBatch};
    /// use comptoir_rules::{Env, Overload, Type, Value, Variables};
    ///
    /// let (name, root) = Overload::parse("root(double): double")?;
    /// let roots = |args: &[ArrayRef], _: usize| {
    ///     let values = args[0].as_primitive::<Float64Type>();
    ///     Ok(Arc::new(values.unary::<_, Float64Type>(f64::sqrt)) as ArrayRef)
    /// };
    /// let root = root.bind_columns(roots, 1)?;
    /// let env = Env::builder().variable("area", Type::Double).function(name, root).build()?;
    /// let program = env.compile("root(area) > 2.0")?;
    ///
    /// let area: ArrayRef = Arc::new(Float64Array::from(vec![9.0, 1.0]));
    /// let selected = program.select(&RecordBatch::try_from_iter([("area", area)])?)?;
    /// assert_eq!(selected.rows.values().to_vec(), [0]);
    /// assert!(matches!(program.eval(&Variables::new().with("area", 16.0)), Ok(Value::Bool(true))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A parameter or result of a type that has no column: `dyn`, type parameters, maps, structs, optionals.
    pub fn bind_columns(
        mut self,
        function: impl ColumnFunction + 'static,
        units: u64,
    ) -> Result<Self, EnvError> {
        if let Some(ty) = self.params.iter().chain([&self.result]).find(|ty| !has_column(ty)) {
            let message = format!("columns of `{ty}` are not given to functions");
            return Err(EnvError { name: self.id.to_string(), message });
        }
        let columns = HostColumns {
            id: self.id.clone(),
            params: self.params.clone(),
            result: self.result.clone(),
            env: Env::plain(),
            function: Box::new(function),
        };
        let columns = Arc::new(columns);
        if !matches!(self.implementation, Implementation::Host(_)) {
            self.implementation = Implementation::Host(columns.clone());
        }
        self.columns = Some(columns);
        self.cost = CostRule::Fixed(units);
        Ok(self)
    }
}

/// Values of a type, and nulls, as an array of the form that arguments of a [`ColumnFunction`] have.
///
/// # Errors
/// The place of the first value that the array cannot hold, such as a moment between two microseconds.
pub fn array_of(values: &[Value<'_>], ty: &Type) -> Result<ArrayRef, usize> {
    built(values, ty, &Env::plain()).map_err(|lost| lost.first().copied().unwrap_or(0))
}

/// Values as an array, or the places of those that do not fit it.
fn built(values: &[Value<'_>], ty: &Type, env: &Env) -> Result<ArrayRef, Vec<usize>> {
    let mut lost = Vec::new();
    let target = Target { env, unit: TimeUnit::Microsecond };
    let array = target.build(values, ty, 0, &mut |place| lost.push(place));
    if lost.is_empty() { Ok(array) } else { Err(lost) }
}

/// Types whose values are handed over as columns.
fn has_column(ty: &Type) -> bool {
    match ty {
        Type::List(element) | Type::Nullable(element) => has_column(element),
        Type::Bool | Type::Int | Type::Uint | Type::Double | Type::Decimal => true,
        Type::String | Type::Bytes | Type::Timestamp | Type::Duration => true,
        _ => false,
    }
}

const fn is_nullable(ty: &Type) -> bool {
    matches!(ty, Type::Nullable(_))
}

/// A function over columns with its types.
pub(crate) struct HostColumns {
    id: Arc<str>,
    params: Vec<Type>,
    result: Type,
    /// Without declarations: no type here needs one.
    env: Env,
    function: Box<dyn ColumnFunction>,
}

impl std::fmt::Debug for HostColumns {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.id)
    }
}

/// One event is a column of one row.
impl HostFunction for HostColumns {
    fn call<'a>(&self, args: &[Value<'a>]) -> Result<Value<'a>, EvalError> {
        let mut columns = Vec::with_capacity(args.len());
        for (arg, param) in args.iter().zip(&self.params) {
            match built(std::slice::from_ref(arg), param, &self.env) {
                Ok(column) => columns.push(column),
                Err(_) => return Err(self.error(format_args!("an argument does not fit its column"))),
            }
        }
        match self.compute(&columns, 1)?.get(0) {
            Value::Null if !is_nullable(&self.result) => Err(self.error(format_args!("gives no value"))),
            Value::Error(error) => Err((*error).clone()),
            value => Ok(value.into_owned()),
        }
    }
}

impl HostColumns {
    fn error(&self, what: std::fmt::Arguments<'_>) -> EvalError {
        EvalError::new(EvalCode::Host, format!("function `{}`: {what}", self.id))
    }

    /// Calls the function, and looks at what it gives.
    fn compute(&self, args: &[ArrayRef], rows: usize) -> Result<Column, EvalError> {
        use comptoir_types::Error;
        let array = self.function.call(args, rows)?;
        if array.len() != rows {
            return Err(self.error(format_args!("gave {} values for {rows} rows", array.len())));
        }
        read(&array, &self.result, &self.env, "").map_err(|error| match error {
            Error::ColumnType { expected, found, .. } => {
                self.error(format_args!("gave a column of {found}, expected {expected}"))
            }
            other => self.error(format_args!("{other}")),
        })
    }

    /// Arguments of some rows of a block; rows that do not fit are taken out of `rows`.
    fn arrays(&self, args: &[Vector<'_>], rows: &mut Bits) -> Vec<ArrayRef> {
        loop {
            let picked = places(rows);
            let arrays = args.iter().zip(&self.params).map(|(arg, param)| self.array(arg, param, &picked));
            match arrays.collect::<Result<Vec<_>, _>>() {
                Ok(arrays) => return arrays,
                // Such rows are rare, and each turn takes one away at least.
                Err(lost) => lost.iter().filter_map(|at| picked.get(*at)).for_each(|row| rows.clear(*row)),
            }
        }
    }

    fn array(&self, arg: &Vector<'_>, ty: &Type, picked: &[usize]) -> Result<ArrayRef, Vec<usize>> {
        Ok(match arg {
            Vector::Int(lanes) => Arc::new(primitive(lanes, picked) as Int64Array),
            Vector::Uint(lanes) => Arc::new(primitive(lanes, picked) as UInt64Array),
            Vector::Double(lanes) => Arc::new(primitive(lanes, picked) as Float64Array),
            Vector::Time(lanes, 1_000_000) => {
                let array: PrimitiveArray<types::TimestampMicrosecondType> = primitive(lanes, picked);
                Arc::new(array.with_timezone("UTC"))
            }
            Vector::Span(lanes) => {
                Arc::new(primitive(lanes, picked) as PrimitiveArray<types::DurationNanosecondType>)
            }
            Vector::Text(texts) => Arc::new(strings(texts, picked)),
            _ => {
                let value = |row: &usize| arg.get(*row).unwrap_or(Value::Null);
                return built(&picked.iter().map(value).collect::<Vec<_>>(), ty, &self.env);
            }
        })
    }

    /// What the function gave for the rows in `rows`, as the values of a block of `count` rows.
    fn vector<'a>(&self, column: &Column, rows: &Bits, count: usize) -> Vector<'a> {
        let given = Given { picked: places(rows), count };
        let nulls = Rare::from(given.at(|place| column.is_null(place)));
        let outside = Rare::from(Bits::first(count).minus(*rows));
        let (null, fault) = match is_nullable(&self.result) {
            true => (nulls.clone(), outside),
            false => (Rare::NONE, outside.or(&nulls)),
        };
        let (all, size) = (Rows::Span(0), given.picked.len());
        let unfit = |unfit: Rare| fault.or(&given.at(|place| unfit.has(place)).without(&nulls).into());
        match &column.shape {
            Shape::Bool(values) => {
                let is = given.at(|place| place < values.len() && values.value(place));
                Vector::Bool(Box::new(Truth { is: is.without(&nulls), fault }), null)
            }
            Shape::Int(numbers) => {
                let (values, wrong) = numbers.ints(&all, size);
                Vector::Int(given.lanes(&values, null, unfit(wrong)))
            }
            Shape::Uint(numbers) => {
                let (values, wrong) = numbers.uints(&all, size);
                Vector::Uint(given.lanes(&values, null, unfit(wrong)))
            }
            Shape::Double(numbers) => Vector::Double(given.lanes(&numbers.doubles(&all, size), null, fault)),
            _ => Vector::Values(given.values(column, &fault)),
        }
    }
}

/// What a function gave for some rows of a block.
struct Given {
    picked: Vec<usize>,
    /// Rows of the block.
    count: usize,
}

impl Given {
    /// The rows whose place in the result passes a test.
    fn at(&self, test: impl Fn(usize) -> bool) -> Bits {
        let mut bits = Bits::NONE;
        let found = self.picked.iter().enumerate().filter(|(place, _)| test(*place));
        found.for_each(|(_, row)| bits.set(*row));
        bits
    }

    fn lanes<'a, T: Copy + Default>(&self, values: &[T], null: Rare, fault: Rare) -> Lanes<'a, T> {
        Lanes { values: spread(values, &self.picked, self.count).into(), null, fault }
    }

    /// Values of any type, none where there is an error.
    fn values<'a>(&self, column: &Column, fault: &Rare) -> Vec<Option<Value<'a>>> {
        let mut values = vec![None; self.count];
        for (place, row) in self.picked.iter().enumerate().filter(|(_, row)| !fault.has(**row)) {
            if let (Some(slot), value) = (values.get_mut(*row), column.get(place)) {
                *slot = Some(value.into_owned()).filter(|value| !matches!(value, Value::Error(_)));
            }
        }
        values
    }
}

fn places(rows: &Bits) -> Vec<usize> {
    let mut places = Vec::with_capacity(rows.count());
    rows.each(|row| places.push(row));
    places
}

/// Values of the rows where they belong in a block.
fn spread<T: Copy + Default>(values: &[T], picked: &[usize], count: usize) -> Vec<T> {
    if picked.len() == count {
        return values.to_vec();
    }
    let mut block = vec![T::default(); count];
    for (row, value) in picked.iter().zip(values) {
        if let Some(place) = block.get_mut(*row) {
            *place = *value;
        }
    }
    block
}

fn valid(null: &Rare, picked: &[usize]) -> Option<NullBuffer> {
    let valid = || picked.iter().map(|row| !null.has(*row)).collect();
    (!null.is_none()).then(valid).filter(|nulls: &NullBuffer| nulls.null_count() > 0)
}

fn primitive<T: ArrowPrimitiveType>(lanes: &Lanes<'_, T::Native>, picked: &[usize]) -> PrimitiveArray<T> {
    let values: Vec<T::Native> = if picked.len() == lanes.values.len() {
        lanes.values.to_vec()
    } else {
        picked.iter().map(|row| lanes.values.get(*row).copied().unwrap_or_default()).collect()
    };
    PrimitiveArray::new(values.into(), valid(&lanes.null, picked))
}

/// Rows that lie side by side in a column of the same layout are not copied.
fn strings(texts: &TextLanes<'_>, picked: &[usize]) -> StringArray {
    if let (Texts::Small(array), Rows::Span(start), Some(first), Some(last)) =
        (texts.texts, &texts.rows, picked.first(), picked.last())
        && last - first + 1 == picked.len()
        && start + last < array.len()
    {
        return array.slice(start + first, picked.len());
    }
    picked.iter().map(|row| (!texts.null.has(*row)).then(|| texts.get(*row))).collect()
}

/// The rows in `mask` whose argument is one for a parameter.
fn fitting(arg: &Vector<'_>, param: &Type, mask: &Bits) -> Bits {
    let (null, fault) = match (arg, param.without_null()) {
        (Vector::Bool(truth, null), Type::Bool) => (null, &truth.fault),
        (Vector::Int(lanes), Type::Int) => (&lanes.null, &lanes.fault),
        (Vector::Uint(lanes), Type::Uint) => (&lanes.null, &lanes.fault),
        (Vector::Double(lanes), Type::Double) => (&lanes.null, &lanes.fault),
        (Vector::Span(lanes), Type::Duration) => (&lanes.null, &lanes.fault),
        (Vector::Time(lanes, _), Type::Timestamp) => (&lanes.null, &lanes.fault),
        (Vector::Decimal(lanes, _), Type::Decimal) => (&lanes.null, &lanes.fault),
        (Vector::Text(texts), Type::String) => (&texts.null, &texts.fault),
        _ => return mask.filter(|row| arg.get(row).is_some_and(|value| Overload::accepts(param, &value))),
    };
    let rows = mask.without(fault);
    if is_nullable(param) { rows } else { rows.without(null) }
}

impl<'a> Walk<'a> {
    /// A function of the host that takes columns; `None` for any other.
    #[inline(never)]
    pub(super) fn host_call(
        &self,
        overloads: &[Arc<Overload>],
        args: &[Vector<'a>],
        count: usize,
        mask: &Bits,
    ) -> Option<Vector<'a>> {
        let [overload] = overloads else { return None };
        let columns = overload.columns.as_deref()?;
        let fit = |rows: Bits, (arg, param)| fitting(arg, param, &rows);
        let mut rows = args.iter().zip(&columns.params).fold(*mask, fit);
        if let (CostRule::Fixed(units), false) = (overload.cost, rows.is_empty()) {
            self.charge(units);
        }
        let arrays = columns.arrays(args, &mut rows);
        if rows.is_empty() || self.plan.failed.get().is_some() {
            return Some(Vector::Values(vec![None; count]));
        }
        Some(match columns.compute(&arrays, rows.count()) {
            Ok(column) => columns.vector(&column, &rows, count),
            Err(error) => {
                // The first failure ends the evaluation, so that another one does not matter.
                let _ = self.plan.failed.set(error);
                Vector::Values(vec![None; count])
            }
        })
    }
}
