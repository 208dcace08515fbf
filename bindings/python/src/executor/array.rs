//! Arrays of the host as tensors.

use comptoir::executor::Error;
use comptoir::executor::tensor::{DType, TensorSpec};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::stages::raised;
use super::view::numpy;

/// An array whose elements lie side by side, for as long as the object that owns them is held.
pub struct ArrayRef<'py> {
    pub spec: TensorSpec,
    address: usize,
    len: usize,
    /// Owns the elements.
    _owner: Bound<'py, PyAny>,
}

impl<'py> ArrayRef<'py> {
    /// The elements of an object: anything with NumPy's `__array_interface__`, or that NumPy makes an array of. What
    /// does not lie side by side is copied by NumPy.
    ///
    /// # Errors
    /// Elements of a type that no model takes, and what NumPy raises.
    pub fn new(name: &str, object: &Bound<'py, PyAny>) -> Result<Self, Error> {
        let raise = |error| raised("preprocess", error);
        if let Some(array) = Self::read(name, object).map_err(raise)? {
            return array;
        }
        let contiguous = side_by_side(object).map_err(raise)?;
        match Self::read(name, &contiguous).map_err(raise)? {
            // NumPy makes an array of anything: what it was made of says more.
            Some(Err(Error::DType { input, expected, found })) if found == OBJECTS => {
                let kind = object.get_type().name().map_err(raise)?.to_string();
                let found = if kind == "ndarray" { found } else { format!("`{kind}`") };
                Err(Error::DType { input, expected, found })
            }
            Some(array) => array,
            None => Err(Error::stage("preprocess", format!("`{name}` is no array of numbers"))),
        }
    }

    /// The bytes of the elements.
    #[expect(unsafe_code, reason = "memory of another library")]
    pub fn bytes(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the owner has said by its array interface that `len` bytes lie there, and it is held. Python code
        // that writes to them at the same time would be a race of the user's own; the interpreter is held meanwhile.
        unsafe { std::slice::from_raw_parts(self.address as *const u8, self.len) }
    }

    /// Reads the array interface; none where there is none, or the elements do not lie side by side.
    fn read(name: &str, object: &Bound<'py, PyAny>) -> PyResult<Option<Result<Self, Error>>> {
        let Ok(interface) = object.getattr("__array_interface__") else { return Ok(None) };
        let Ok(interface) = interface.cast_into::<PyDict>() else { return Ok(None) };
        let strides = interface.get_item("strides")?;
        if strides.is_some_and(|strides| !strides.is_none()) {
            return Ok(None);
        }
        let field = |field: &str| -> PyResult<Bound<'py, PyAny>> {
            interface.get_item(field)?.ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(field.to_owned()))
        };
        let code: String = field("typestr")?.extract()?;
        let Some(dtype) = dtype(&code) else {
            let name = if name.is_empty() { "input" } else { name };
            let expected = "uint8, int32, int64, float16, float32 or float64".to_owned();
            let found = match code.as_str() {
                "|O" => OBJECTS.to_owned(),
                code => numpy(object.py())?.call_method1("dtype", (code,))?.str()?.to_string(),
            };
            return Ok(Some(Err(Error::DType { input: name.to_owned(), expected, found })));
        };
        let shape: Vec<usize> = field("shape")?.extract()?;
        let Ok(data) = field("data")?.cast_into::<PyTuple>() else { return Ok(None) };
        let address: usize = data.get_item(0)?.extract()?;
        let spec = TensorSpec { name: name.to_owned(), dtype, shape };
        let Some(len) = spec.row_bytes() else { return Ok(None) };
        Ok(Some(Ok(Self { spec, address, len, _owner: object.clone() })))
    }
}

/// The type of elements that are no numbers but any objects, for messages.
const OBJECTS: &str = "objects";

/// The object as an array whose elements lie side by side.
fn side_by_side<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let numpy = numpy(object.py())?;
    let array = numpy.call_method1("asarray", (object,))?;
    // `ascontiguousarray` makes a row of a single number.
    numpy.call_method1("ascontiguousarray", (&array,))?.call_method1("reshape", (array.getattr("shape")?,))
}

/// The element type for NumPy's code, of numbers in the machine's byte order.
pub fn dtype(code: &str) -> Option<DType> {
    Some(match code {
        "|u1" => DType::U8,
        "<i4" => DType::I32,
        "<i8" => DType::I64,
        "<f2" => DType::F16,
        "<f4" => DType::F32,
        "<f8" => DType::F64,
        _ => return None,
    })
}

/// NumPy's code for an element type.
pub fn code(dtype: DType) -> &'static str {
    match dtype {
        DType::U8 => "|u1",
        DType::I32 => "<i4",
        DType::I64 => "<i8",
        DType::F16 => "<f2",
        DType::F32 => "<f4",
        _ => "<f8",
    }
}
