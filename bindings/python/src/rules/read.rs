//! Python objects as values of declared types.

use std::cell::Cell;
use std::sync::Arc;

use comptoir::rules::types::StructType;
use comptoir::rules::value::{Duration, MapBuilder, Row, Struct, Timestamp};
use comptoir::rules::{DecimalValue, Env, EvalCode, EvalError, Fault, Type, Value};
use comptoir::types::ErrorKind;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::source::{as_mapping, member};
use crate::errors;
use crate::python::Classes;

/// Nesting of containers that is read, which also ends a list that holds itself.
const MAX_DEPTH: u32 = 64;
/// Elements and fields that are read of one input. A list that holds one part many times over is read many times.
const MAX_PARTS: u32 = 1 << 22;

/// Reads objects.
pub struct Reader<'e> {
    env: Option<&'e Env>,
    parts: Cell<u32>,
}

type Read = PyResult<Value<'static>>;
type Object<'e, 'py> = &'e Bound<'py, PyAny>;

impl<'e> Reader<'e> {
    /// A reader for one input; `env` has the struct types.
    pub const fn new(env: &'e Env) -> Self {
        Self { env: Some(env), parts: Cell::new(MAX_PARTS) }
    }

    /// A reader for a value of a type without structs.
    pub const fn plain() -> Self {
        Self { env: None, parts: Cell::new(MAX_PARTS) }
    }

    /// The object as a value of a type, text borrowed. An object of another type is a value that is an error where it
    /// is read.
    ///
    /// # Errors
    /// What Python code raises on the way.
    #[inline]
    pub fn borrowed<'k>(&self, object: &'k Bound<'_, PyAny>, ty: &Type) -> PyResult<Value<'k>> {
        match ty {
            Type::Double => {
                if let Ok(number) = object.cast_exact::<PyFloat>() {
                    return Ok(Value::Double(number.value()));
                }
            }
            Type::Int => {
                if object.is_exact_instance_of::<PyInt>()
                    && let Ok(number) = object.extract::<i64>()
                {
                    return Ok(Value::Int(number));
                }
            }
            Type::String | Type::Dyn => {
                if let Ok(text) = object.cast_exact::<PyString>() {
                    return Ok(Value::str(text.to_str()?));
                }
            }
            _ => {}
        }
        self.owned(object, ty, 0)
    }

    /// The same without borrows.
    ///
    /// # Errors
    /// As [`Reader::borrowed`].
    pub fn owned(&self, object: Object<'_, '_>, ty: &Type, depth: u32) -> Read {
        self.count(object.py(), depth)?;
        if object.is_none() {
            return Ok(if ty.as_optional().is_some() { Value::Optional(None) } else { Value::Null });
        }
        if let Some(inner) = ty.as_optional() {
            return Ok(match self.owned(object, inner, depth + 1)? {
                error @ Value::Error(_) => error,
                value => Value::some(value),
            });
        }
        match ty {
            Type::Nullable(inner) => self.owned(object, inner, depth),
            Type::Bool => Ok(plain(object, "bool", object.extract::<bool>().ok().map(Value::Bool))),
            Type::Int => whole(object, "int", Value::Int),
            Type::Uint => whole(object, "uint", Value::Uint),
            Type::Double => double(object),
            Type::String => text(object),
            Type::Bytes => Ok(plain(object, "bytes", bytes(object))),
            Type::Decimal => decimal(object),
            Type::Timestamp => timestamp(object),
            Type::Duration => duration(object),
            Type::List(element) => self.list(object, element, depth),
            Type::Map(entry) => self.map(object, &entry.0, &entry.1, depth),
            Type::Struct(name) => match self.env.and_then(|env| env.struct_type(name)) {
                Some(of) => self.row(object, of, depth),
                None => self.natural(object, depth),
            },
            Type::Dyn | Type::Error | Type::Null => self.natural(object, depth),
            other => Ok(mismatch(object, &other.to_string())),
        }
    }

    fn count(&self, py: Python<'_>, depth: u32) -> PyResult<()> {
        let left = self.parts.get();
        if depth <= MAX_DEPTH && left > 0 {
            self.parts.set(left - 1);
            return Ok(());
        }
        let message = if depth > MAX_DEPTH {
            format!("an input nested deeper than {MAX_DEPTH} levels")
        } else {
            format!("an input of more than {MAX_PARTS} parts")
        };
        Err(errors::rule_exception(py, &comptoir_host::Fault::new(ErrorKind::Limit, "RULES_LIMIT", message)))
    }

    /// Lists, tuples, sets and whatever else has a length and elements, but for text and mappings.
    fn list(&self, object: Object<'_, '_>, element: &Type, depth: u32) -> Read {
        let is_plain = object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>();
        if !is_plain && !is_collection(object)? {
            return Ok(mismatch(object, "list"));
        }
        let mut values = Vec::with_capacity(object.len().unwrap_or(0).min(1 << 16));
        for inner in object.try_iter()? {
            values.push(self.owned(&inner?, element, depth + 1)?);
        }
        Ok(Value::list(values))
    }

    fn map(&self, object: Object<'_, '_>, key: &Type, value: &Type, depth: u32) -> Read {
        let Some(mapping) = as_mapping(object)? else { return Ok(mismatch(object, "map")) };
        let mut builder = MapBuilder::with_capacity(mapping.len()?.min(1 << 16));
        for item in mapping.items()?.iter() {
            let (own_key, own_value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
            let own_key = self.owned(&own_key, key, depth + 1)?;
            let own_value = self.owned(&own_value, value, depth + 1)?;
            if let Err(fault) = builder.insert(own_key, own_value) {
                return Ok(as_value(&fault));
            }
        }
        Ok(Value::Map(builder.finish()))
    }

    fn row(&self, object: Object<'_, '_>, of: &Arc<StructType>, depth: u32) -> Read {
        let is_scalar = object.is_instance_of::<PyString>()
            || object.is_instance_of::<PyInt>()
            || object.is_instance_of::<PyFloat>();
        if is_scalar || object.is_instance_of::<PyList>() {
            return Ok(mismatch(object, of.name()));
        }
        let mut fields = Vec::with_capacity(of.fields().len());
        for field in of.fields() {
            let name = PyString::intern(object.py(), &field.name);
            fields.push(match member(object, &name)? {
                Some(inner) => self.owned(&inner, &field.ty, depth + 1)?,
                None => Value::Absent,
            });
        }
        Ok(Value::Struct(Struct::Shared(Arc::new(Row::new(of.clone(), fields)))))
    }

    /// The object as what it is by itself.
    fn natural(&self, object: Object<'_, '_>, depth: u32) -> Read {
        let classes = Classes::get(object.py())?;
        let is = |class: &Py<PyAny>| object.is_instance(class.bind(object.py()));
        if let Ok(truth) = object.cast::<PyBool>() {
            return Ok(Value::Bool(truth.is_true()));
        }
        if object.is_instance_of::<PyInt>() {
            let number = whole(object, "int", Value::Int)?;
            return if matches!(number, Value::Error(_)) {
                whole(object, "uint", Value::Uint)
            } else {
                Ok(number)
            };
        }
        if object.is_instance_of::<PyFloat>() {
            return double(object);
        }
        if object.is_instance_of::<PyString>() {
            return text(object);
        }
        if let Some(bytes) = bytes(object) {
            return Ok(bytes);
        }
        if is(&classes.decimal)? {
            return decimal(object);
        }
        if is(&classes.date)? {
            return timestamp(object);
        }
        if is(&classes.timedelta)? {
            return duration(object);
        }
        if as_mapping(object)?.is_some() {
            return self.map(object, &Type::Dyn, &Type::Dyn, depth);
        }
        if is_collection(object)? {
            return self.list(object, &Type::Dyn, depth);
        }
        if let Some(fields) = object.getattr_opt(intern!(object.py(), "__dataclass_fields__"))? {
            return self.dataclass(object, &fields, depth);
        }
        if let Ok(index) = object.call_method0(intern!(object.py(), "__index__")) {
            return whole(&index, "int", Value::Int);
        }
        Ok(mismatch(object, "a plain value or a declared type"))
    }

    fn dataclass(&self, object: Object<'_, '_>, fields: Object<'_, '_>, depth: u32) -> Read {
        let mut builder = MapBuilder::default();
        for name in fields.try_iter()? {
            let name = name?;
            let Some(inner) = object.getattr_opt(name.cast::<PyString>()?)? else { continue };
            let value = self.owned(&inner, &Type::Dyn, depth + 1)?;
            if let Err(fault) = builder.insert(text(&name)?, value) {
                return Ok(as_value(&fault));
            }
        }
        Ok(Value::Map(builder.finish()))
    }
}

/// Whether it has a length and elements and is neither text nor a mapping.
fn is_collection(object: Object<'_, '_>) -> PyResult<bool> {
    let py = object.py();
    let class = object.get_type();
    let is_text = object.is_instance_of::<PyString>() || bytes(object).is_some();
    let has_elements = class.hasattr(intern!(py, "__iter__"))? && class.hasattr(intern!(py, "__len__"))?;
    Ok(!is_text && has_elements && as_mapping(object)?.is_none())
}

/// The error of an object that is not of the type that is expected.
pub fn wrong(object: &Bound<'_, PyAny>, expected: &str) -> EvalError {
    let found = object.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string());
    EvalError::new(EvalCode::InvalidArgument, format!("expected {expected}, found a Python `{found}`"))
}

fn mismatch(object: Object<'_, '_>, expected: &str) -> Value<'static> {
    Value::Error(Arc::new(wrong(object, expected)))
}

fn plain(object: Object<'_, '_>, expected: &str, value: Option<Value<'static>>) -> Value<'static> {
    value.unwrap_or_else(|| mismatch(object, expected))
}

/// A fault of the core as an input.
fn as_value(fault: &Fault) -> Value<'static> {
    let error = match fault {
        Fault::Error(error) | Fault::Exhausted(error) => (**error).clone(),
        Fault::Unknown(_) => EvalError::new(EvalCode::InvalidArgument, fault.to_string()),
    };
    Value::Error(Arc::new(error))
}

fn range(expected: &str) -> Value<'static> {
    Value::Error(Arc::new(EvalError::new(EvalCode::Range, format!("the number does not fit {expected}"))))
}

/// A number that does not fit, a type that is no number, or what else was raised.
fn refused(object: Object<'_, '_>, expected: &str, raised: PyErr) -> Read {
    let py = object.py();
    if raised.is_instance_of::<PyOverflowError>(py) {
        return Ok(range(expected));
    }
    if raised.is_instance_of::<PyTypeError>(py) { Ok(mismatch(object, expected)) } else { Err(raised) }
}

fn whole<'py, T>(object: &Bound<'py, PyAny>, expected: &str, of: fn(T) -> Value<'static>) -> Read
where
    for<'e> T: FromPyObject<'e, 'py, Error = PyErr>,
{
    if object.is_instance_of::<PyBool>() {
        return Ok(mismatch(object, expected));
    }
    object.extract::<T>().map(of).or_else(|raised| refused(object, expected, raised))
}

fn double(object: Object<'_, '_>) -> Read {
    let is_decimal = object.is_instance(Classes::get(object.py())?.decimal.bind(object.py()))?;
    if is_decimal || object.is_instance_of::<PyBool>() {
        return Ok(mismatch(object, "double"));
    }
    object.extract::<f64>().map(Value::Double).or_else(|raised| refused(object, "double", raised))
}

fn text(object: Object<'_, '_>) -> Read {
    match object.cast::<PyString>() {
        Ok(text) => Ok(Value::string(text.to_str()?)),
        Err(_) => Ok(mismatch(object, "string")),
    }
}

fn bytes(object: Object<'_, '_>) -> Option<Value<'static>> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Some(Value::bytes(bytes.as_bytes()));
    }
    object.cast::<PyByteArray>().ok().map(|bytes| Value::bytes(bytes.to_vec()))
}

/// Decimals, whole numbers and text; a float is refused, because its digits are not what was written.
fn decimal(object: Object<'_, '_>) -> Read {
    let py = object.py();
    if object.is_instance_of::<PyBool>() {
        return Ok(mismatch(object, "decimal"));
    }
    let digits = if object.is_instance(Classes::get(py)?.decimal.bind(py))? {
        object.call_method1(intern!(py, "__format__"), (intern!(py, "f"),))?
    } else if object.is_instance_of::<PyString>() || object.is_instance_of::<PyInt>() {
        object.str()?.into_any()
    } else {
        return Ok(mismatch(object, "decimal"));
    };
    let parsed = DecimalValue::parse(digits.cast::<PyString>()?.to_str()?);
    Ok(parsed.map_or_else(|fault| as_value(&fault), Value::Decimal))
}

/// Moments with a zone, and those without as UTC; a date is its midnight in UTC; text as in JSON.
fn timestamp(object: Object<'_, '_>) -> Read {
    let py = object.py();
    let classes = Classes::get(py)?;
    if let Ok(text) = object.cast::<PyString>() {
        let parsed: Result<Timestamp, _> = text.to_str()?.parse();
        return Ok(plain(object, "timestamp", parsed.ok().map(Value::Timestamp)));
    }
    if object.is_instance(classes.datetime.bind(py))? {
        let has_zone = !object.call_method0(intern!(py, "utcoffset"))?.is_none();
        let epoch = if has_zone { &classes.epoch_utc } else { &classes.epoch };
        let (seconds, micros) = span(&object.sub(epoch.bind(py))?)?;
        let moment = Timestamp::new(seconds, micros * 1_000);
        return Ok(moment.map_or_else(|fault| as_value(&fault), Value::Timestamp));
    }
    if object.is_instance(classes.date.bind(py))? {
        let days: i64 = object.call_method0(intern!(py, "toordinal"))?.extract()?;
        let moment = Timestamp::new((days - 719_163) * 86_400, 0);
        return Ok(moment.map_or_else(|fault| as_value(&fault), Value::Timestamp));
    }
    Ok(mismatch(object, "timestamp"))
}

fn duration(object: Object<'_, '_>) -> Read {
    let py = object.py();
    if let Ok(text) = object.cast::<PyString>() {
        let parsed: Result<Duration, _> = text.to_str()?.parse();
        return Ok(plain(object, "duration", parsed.ok().map(Value::Duration)));
    }
    if !object.is_instance(Classes::get(py)?.timedelta.bind(py))? {
        return Ok(mismatch(object, "duration"));
    }
    let (seconds, micros) = span(object)?;
    let nanos = i32::try_from(micros * 1_000).unwrap_or(0);
    Ok(Duration::new(seconds, nanos).map_or_else(|fault| as_value(&fault), Value::Duration))
}

/// Whole seconds of a `timedelta`, rounded down, and the microseconds above.
fn span(delta: Object<'_, '_>) -> PyResult<(i64, u32)> {
    let py = delta.py();
    let days: i64 = delta.getattr(intern!(py, "days"))?.extract()?;
    let seconds: i64 = delta.getattr(intern!(py, "seconds"))?.extract()?;
    Ok((days * 86_400 + seconds, delta.getattr(intern!(py, "microseconds"))?.extract()?))
}
