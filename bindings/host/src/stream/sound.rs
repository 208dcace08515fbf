//! What is wrong with an array, as far as its structure tells.
//!
//! Arrow's C structures carry no sizes of buffers: who lends a buffer that is shorter than the length says, or offsets and
//! text that are none, is not found out. What can be seen is looked at before anything is read.

use std::ffi::c_void;

use arrow_array::ffi::FFI_ArrowArray;
use arrow_data::{DataTypeLayout, layout};
use arrow_schema::{DataType, UnionMode};

use crate::TableError;

/// Elements of an array at most: no memory holds more, so that sums and products of lengths stay far from overflow.
const MOST: usize = 1 << 48;

/// The structure as the specification writes it, for what the library's own type shows only with a panic.
#[repr(C)]
struct Structure {
    length: i64,
    null_count: i64,
    offset: i64,
    buffer_count: i64,
    child_count: i64,
    buffers: *const *const c_void,
    children: *const *const FFI_ArrowArray,
    dictionary: *const FFI_ArrowArray,
}

const _: () = assert!(size_of::<FFI_ArrowArray>() == size_of::<Structure>() + 2 * size_of::<usize>());

/// Checks an array that is said to have a type: lengths, buffers, children.
///
/// # Errors
/// [`TableError::Protocol`].
///
/// # Safety
/// The pointers to buffers and children lead to as many as their numbers say, unless they are null.
pub unsafe fn check(array: &FFI_ArrowArray, data_type: &DataType) -> Result<(), TableError> {
    // Negative numbers are large here.
    if array.len() > MOST || array.offset() > MOST {
        return Err(wrong("its length or offset is negative or too large"));
    }
    if array.is_released() {
        return Err(wrong("a part of it was released"));
    }
    if array.null_count_opt().is_some_and(|nulls| nulls > array.len()) {
        return Err(wrong("it has more nulls than elements"));
    }
    // SAFETY: the library's type has the layout of the specification.
    let structure = unsafe { &*std::ptr::from_ref(array).cast::<Structure>() };
    // SAFETY: the caller's promise.
    unsafe {
        buffers(array, structure, data_type)?;
        children(array, structure, data_type)
    }
}

/// # Safety
/// As for [`check`].
unsafe fn buffers(array: &FFI_ArrowArray, structure: &Structure, ty: &DataType) -> Result<(), TableError> {
    let DataTypeLayout { buffers, can_contain_null_mask, variadic, .. } = layout(ty);
    let masks = usize::from(can_contain_null_mask);
    let expected = buffers.len() + masks;
    let found = array.num_buffers();
    // Views have a buffer of lengths and any number of buffers of data beside.
    let is_as_many = if variadic { found > expected && found < 1 << 32 } else { found == expected };
    if !is_as_many {
        return Err(wrong(&format!("an array of {ty} has {expected} buffers, found {found}")));
    }
    if expected > 0 && structure.buffers.is_null() {
        return Err(wrong("its buffers are null"));
    }
    if variadic {
        // SAFETY: the caller's promise.
        unsafe { views(structure, expected, found) }?;
    }
    if array.offset() + array.len() == 0 {
        return Ok(());
    }
    // SAFETY: there are as many buffers, by the caller's promise.
    if masks > 0 && structure.null_count > 0 && unsafe { *structure.buffers }.is_null() {
        return Err(wrong("it has nulls, and no bitmap that says which elements they are"));
    }
    for place in masks..expected {
        // SAFETY: there are as many buffers, by the caller's promise.
        if unsafe { *structure.buffers.add(place) }.is_null() {
            return Err(wrong(&format!("buffer {place} of an array of {ty} is null")));
        }
    }
    Ok(())
}

/// The buffers of data behind views, and the buffer of their lengths, which comes last.
///
/// # Safety
/// As for [`check`].
unsafe fn views(structure: &Structure, first: usize, found: usize) -> Result<(), TableError> {
    let count = found - first - 1;
    if count == 0 {
        return Ok(());
    }
    // SAFETY: there are as many buffers, by the caller's promise.
    let lengths = unsafe { *structure.buffers.add(found - 1) }.cast::<i64>();
    if lengths.is_null() || !lengths.is_aligned() {
        return Err(wrong("the lengths of its buffers are null or not aligned"));
    }
    for place in 0..count {
        // SAFETY: as above; there are as many lengths.
        let (length, data) = unsafe { (*lengths.add(place), *structure.buffers.add(first + place)) };
        if length < 0 || (length > 0 && data.is_null()) {
            return Err(wrong(&format!("buffer {} is null or its length negative", first + place)));
        }
    }
    Ok(())
}

/// # Safety
/// As for [`check`].
unsafe fn children(array: &FFI_ArrowArray, structure: &Structure, ty: &DataType) -> Result<(), TableError> {
    if let DataType::Dictionary(_, values) = ty {
        // SAFETY: null, or an array by the caller's promise.
        let dictionary = unsafe { structure.dictionary.as_ref() };
        let dictionary = dictionary.ok_or_else(|| wrong("an array of a dictionary has no dictionary"))?;
        // SAFETY: the caller's promise.
        return unsafe { check(dictionary, values) };
    }
    let types = children_of(ty);
    if array.num_children() != types.len() {
        let found = array.num_children();
        return Err(wrong(&format!("an array of {ty} has {} children, found {found}", types.len())));
    }
    if !types.is_empty() && structure.children.is_null() {
        return Err(wrong("its children are null"));
    }
    let least = least_length(array, ty);
    for (place, child_type) in types.into_iter().enumerate() {
        // SAFETY: there are as many children, each null or an array, by the caller's promise.
        let child = unsafe { (*structure.children.add(place)).as_ref() };
        let child = child.ok_or_else(|| wrong(&format!("child {place} is null")))?;
        // SAFETY: the caller's promise.
        unsafe { check(child, child_type) }?;
        if least.is_none_or(|least| child.len() < least) {
            let found = child.len();
            return Err(wrong(&format!("child {place} of an array of {ty} is too short: {found} elements")));
        }
    }
    if let DataType::RunEndEncoded(ends, _) = ty {
        // SAFETY: there are two children, which were checked.
        let child = unsafe { &**structure.children };
        // SAFETY: the caller's promise.
        let last = unsafe { last_end(child, ends.data_type()) };
        if last < u64::try_from(array.offset() + array.len()).unwrap_or(u64::MAX) {
            return Err(wrong("its runs do not rise, or end before it does"));
        }
    }
    Ok(())
}

/// Where the last run ends, if runs rise; 0 without runs, and where they do not rise.
///
/// # Safety
/// As for [`check`], which the array of ends has passed.
unsafe fn last_end(ends: &FFI_ArrowArray, ty: &DataType) -> u64 {
    let mut last = 0;
    for place in ends.offset()..ends.offset() + ends.len() {
        let buffer = ends.buffer(1);
        // SAFETY: an array of this type has its values there, by the caller's promise.
        let end = unsafe {
            match ty {
                DataType::Int16 => i64::from(buffer.cast::<i16>().add(place).read_unaligned()),
                DataType::Int32 => i64::from(buffer.cast::<i32>().add(place).read_unaligned()),
                _ => buffer.cast::<i64>().add(place).read_unaligned(),
            }
        };
        match u64::try_from(end) {
            Ok(end) if end > last => last = end,
            _ => return 0,
        }
    }
    last
}

fn children_of(ty: &DataType) -> Vec<&DataType> {
    match ty {
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
    }
}

/// How many elements a child has at least; `None` if there cannot be as many.
fn least_length(array: &FFI_ArrowArray, ty: &DataType) -> Option<usize> {
    let end = array.offset() + array.len();
    match ty {
        DataType::Struct(_) | DataType::Union(_, UnionMode::Sparse) => Some(end),
        DataType::FixedSizeList(_, size) => end.checked_mul(usize::try_from(*size).ok()?),
        _ => Some(0),
    }
}

fn wrong(problem: &str) -> TableError {
    TableError::Protocol { what: "array", problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Array, Int64Array};

    use super::*;

    #[test]
    fn nulls_without_a_bitmap_are_refused() {
        let data = Int64Array::from(vec![1, 2, 3]).to_data();
        let mut array = FFI_ArrowArray::new(&data);
        // SAFETY: the structure was made from an array of this type.
        unsafe {
            assert!(check(&array, data.data_type()).is_ok());
            (*std::ptr::from_mut(&mut array).cast::<Structure>()).null_count = 2;
            let error = check(&array, data.data_type()).unwrap_err();
            assert!(error.to_string().contains("no bitmap"), "{error}");
        }
    }
}
