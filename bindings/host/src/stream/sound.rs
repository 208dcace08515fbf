//! What is wrong with an array, as far as its structure tells.
//!
//! Arrow's C structures carry no sizes of buffers: who lends a buffer that is shorter than the length says is not found
//! out. What can be seen is looked at before anything is read.

use arrow_array::ffi::FFI_ArrowArray;
use arrow_data::layout;
use arrow_schema::DataType;

use crate::TableError;

/// Elements of an array at most: no memory holds more, so that sums and products of lengths stay far from overflow.
const MOST: usize = 1 << 48;

/// Checks an array that is said to have a type: lengths, buffers, children.
///
/// # Errors
/// [`TableError::Protocol`].
pub fn check(array: &FFI_ArrowArray, data_type: &DataType) -> Result<(), TableError> {
    // Negative numbers are large here.
    if array.len() > MOST || array.offset() > MOST {
        return Err(wrong("its length or offset is negative or too large"));
    }
    if array.is_released() {
        return Err(wrong("a part of it was released"));
    }
    let layout = layout(data_type);
    let expected = layout.buffers.len() + usize::from(layout.can_contain_null_mask);
    let found = array.num_buffers();
    // Views have a buffer of lengths and any number of buffers of data beside.
    let is_as_many = if layout.variadic { found > expected && found < 1 << 32 } else { found == expected };
    if !is_as_many {
        return Err(wrong(&format!("an array of {data_type} has {expected} buffers, found {found}")));
    }
    match data_type {
        DataType::Dictionary(_, values) => match array.dictionary() {
            Some(dictionary) => check(dictionary, values),
            None => Err(wrong("an array of a dictionary has no dictionary")),
        },
        _ => children(array, data_type),
    }
}

fn children(array: &FFI_ArrowArray, data_type: &DataType) -> Result<(), TableError> {
    let types: Vec<&DataType> = match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => vec![field.data_type()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| field.data_type()).collect(),
        DataType::RunEndEncoded(ends, values) => vec![ends.data_type(), values.data_type()],
        _ => Vec::new(),
    };
    if array.num_children() != types.len() {
        let found = array.num_children();
        return Err(wrong(&format!("an array of {data_type} has {} children, found {found}", types.len())));
    }
    types.into_iter().enumerate().try_for_each(|(place, data_type)| check(array.child(place), data_type))
}

fn wrong(problem: &str) -> TableError {
    TableError::Protocol { what: "array", problem: problem.to_owned() }
}
