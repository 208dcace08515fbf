//! The type that a schema of C says, and what is wrong with it.

use std::ffi::{CStr, c_char, c_void};

use arrow_array::ffi::FFI_ArrowSchema;
use arrow_schema::{
    DECIMAL32_MAX_PRECISION, DECIMAL64_MAX_PRECISION, DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION,
    DataType, Field,
};

use crate::TableError;

/// Types within types at most: each is a call within a call.
const DEPTH: usize = 64;

/// The structure as the specification writes it, for what the library's own type shows only with a panic.
#[repr(C)]
struct Structure {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    child_count: i64,
    children: *const *const Structure,
    dictionary: *const Structure,
    release: Option<unsafe extern "C" fn(*mut c_void)>,
    private_data: *mut c_void,
}

const _: () = assert!(size_of::<FFI_ArrowSchema>() == size_of::<Structure>());

/// The field that a schema says.
///
/// # Errors
/// [`TableError::Protocol`] for a structure or type that cannot be; [`TableError::Stream`] for one that is not known.
///
/// # Safety
/// The schema is initialised; its pointers lead to what the specification says, unless they are null.
pub unsafe fn field(schema: &FFI_ArrowSchema) -> Result<Field, TableError> {
    // SAFETY: the library's type has the layout of the specification, and the rest is the caller's promise.
    unsafe { structure(&*std::ptr::from_ref(schema).cast::<Structure>(), DEPTH) }?;
    let field = Field::try_from(schema);
    let field = field.map_err(|error| TableError::Stream { batch: 0, message: error.to_string() })?;
    check(field.data_type())?;
    Ok(field)
}

/// # Safety
/// As for [`field`].
unsafe fn structure(schema: &Structure, depth: usize) -> Result<(), TableError> {
    if depth == 0 {
        return Err(wrong(&format!("more than {DEPTH} types within types")));
    }
    if schema.release.is_none() {
        return Err(wrong("a part of the schema was released"));
    }
    // SAFETY: the caller's promise.
    let [format, _name] = unsafe { [text("format", schema.format)?, text("name", schema.name)?] };
    let Some(format) = format else { return Err(wrong("its format is null")) };
    let expected = match format.as_bytes() {
        [b'+', b's' | b'u', ..] => None,
        [b'+', b'r', ..] => Some(2),
        [b'+', ..] => Some(1),
        // Children of a type that has none are never looked at.
        _ => None,
    };
    let count =
        usize::try_from(schema.child_count).map_err(|_| wrong("its number of children is negative"))?;
    if expected.is_some_and(|expected| expected != count) {
        return Err(wrong(&format!("the format `{format}` does not have {count} children")));
    }
    if count > 0 && schema.children.is_null() {
        return Err(wrong("its children are null"));
    }
    // SAFETY: there are as many children, and a dictionary, each null or a schema, by the caller's promise.
    unsafe {
        for place in 0..count {
            let child = (*schema.children.add(place)).as_ref();
            structure(child.ok_or_else(|| wrong(&format!("child {place} is null")))?, depth - 1)?;
        }
        schema.dictionary.as_ref().map_or(Ok(()), |values| structure(values, depth - 1))
    }
}

/// # Safety
/// The text is null or ends with NUL.
unsafe fn text<'t>(what: &str, text: *const c_char) -> Result<Option<&'t str>, TableError> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) }.to_str();
    text.map(Some).map_err(|_| wrong(&format!("its {what} is no UTF-8")))
}

/// Checks a type, with those that it is made of.
fn check(ty: &DataType) -> Result<(), TableError> {
    match ty {
        DataType::Map(entry, _) => match entry.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                pair.iter().try_for_each(|field| check(field.data_type()))
            }
            other => Err(wrong(&format!("a map has entries of a key and a value, found {other}"))),
        },
        DataType::RunEndEncoded(ends, values) => match ends.data_type() {
            DataType::Int16 | DataType::Int32 | DataType::Int64 => check(values.data_type()),
            other => Err(wrong(&format!("ends of runs are integers with a sign, found {other}"))),
        },
        DataType::Dictionary(keys, _) if !keys.is_integer() => {
            Err(wrong(&format!("keys of a dictionary are integers, found {keys}")))
        }
        DataType::Dictionary(_, values) => check(values),
        DataType::FixedSizeBinary(size) if *size < 0 => Err(wrong("a size is negative")),
        DataType::FixedSizeList(_, size) if *size < 0 => Err(wrong("a size is negative")),
        DataType::Decimal32(precision, scale) => decimal(*precision, DECIMAL32_MAX_PRECISION, *scale),
        DataType::Decimal64(precision, scale) => decimal(*precision, DECIMAL64_MAX_PRECISION, *scale),
        DataType::Decimal128(precision, scale) => decimal(*precision, DECIMAL128_MAX_PRECISION, *scale),
        DataType::Decimal256(precision, scale) => decimal(*precision, DECIMAL256_MAX_PRECISION, *scale),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => check(field.data_type()),
        DataType::Struct(fields) => fields.iter().try_for_each(|field| check(field.data_type())),
        DataType::Union(fields, _) => fields.iter().try_for_each(|(_, field)| check(field.data_type())),
        _ => Ok(()),
    }
}

fn decimal(precision: u8, most: u8, scale: i8) -> Result<(), TableError> {
    if precision == 0 || precision > most || i16::from(scale) > i16::from(precision) {
        return Err(wrong(&format!("no decimal has {precision} digits and {scale} decimal places")));
    }
    Ok(())
}

fn wrong(problem: &str) -> TableError {
    TableError::Protocol { what: "schema", problem: problem.to_owned() }
}
