//! Executor: tensors across the border.

use std::ffi::{CString, c_char, c_void};
use std::ptr::null_mut;

use comptoir::executor::Error;
use comptoir::executor::backend::Tensor as CoreTensor;
use comptoir::executor::runtime::{Rows, Slot};
use comptoir::executor::tensor::{DType as CoreDType, TensorSpec};
use comptoir_host::Fault;
use comptoir_host::executor::OwnTensor;

use crate::call::{call, elements, out};
use crate::error::{Status, text as c_text};
use crate::text;

/// Types of elements. The numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum DType {
    /// 8-bit unsigned.
    U8 = 1,
    /// 32-bit signed.
    I32 = 2,
    /// 64-bit signed.
    I64 = 3,
    /// IEEE half precision.
    F16 = 4,
    /// IEEE single precision.
    F32 = 5,
    /// IEEE double precision.
    F64 = 6,
}

/// A tensor, or the description of one. Who lends it says for how long.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Tensor {
    /// Name of the model's input or output; null or empty where the model has one input.
    pub name: *const c_char,
    /// One of `comptoir_dtype`.
    pub dtype: u32,
    /// Sides of the tensor.
    pub shape: *const usize,
    /// How many sides.
    pub rank: usize,
    /// The elements, row by row; null in a description.
    pub data: *mut c_void,
    /// Bytes of the elements.
    pub bytes: usize,
}

/// A batch that a model is to run; lent for the call.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Batch {
    /// Rows; the first side of each tensor.
    pub rows: usize,
    /// The inputs of the model, in the order of its shapes.
    pub inputs: *const Tensor,
    /// How many.
    pub input_count: usize,
}

/// The row of the forming batch that `preprocess` writes; lent for the call.
#[derive(Debug)]
pub struct Row {
    slot: *mut Slot<'static>,
}

/// Where `infer` puts its predictions; lent for the call.
#[derive(Debug)]
pub struct Outputs {
    tensors: Vec<(String, CoreTensor)>,
}

/// A batch with what it points to.
pub struct BatchParts {
    names: Vec<CString>,
    shapes: Vec<Vec<usize>>,
    tensors: Vec<Tensor>,
}

impl DType {
    pub const fn of(dtype: CoreDType) -> u32 {
        match dtype {
            CoreDType::U8 => Self::U8 as u32,
            CoreDType::I32 => Self::I32 as u32,
            CoreDType::I64 => Self::I64 as u32,
            CoreDType::F16 => Self::F16 as u32,
            CoreDType::F32 => Self::F32 as u32,
            CoreDType::F64 => Self::F64 as u32,
            // A type that has no number yet.
            _ => 0,
        }
    }
}

fn dtype(number: u32) -> Result<CoreDType, Fault> {
    Ok(match number {
        1 => CoreDType::U8,
        2 => CoreDType::I32,
        3 => CoreDType::I64,
        4 => CoreDType::F16,
        5 => CoreDType::F32,
        6 => CoreDType::F64,
        other => return Err(Fault::argument(format!("there is no element type {other}"))),
    })
}

impl Tensor {
    /// Name, type and shape.
    ///
    /// # Safety
    /// The name is null or ends with NUL, and the shape has `rank` sides.
    unsafe fn spec(&self) -> Result<TensorSpec, Fault> {
        let name = match self.name.is_null() {
            true => "",
            // SAFETY: the caller's promise.
            false => unsafe { text::text("name", self.name, text::COMPTOIR_NTS) }?,
        };
        // SAFETY: the caller's promise.
        let shape = unsafe { elements("shape", self.shape, self.rank) }?;
        Ok(TensorSpec::new(name, dtype(self.dtype)?, shape))
    }

    /// The tensor with a copy of its elements.
    ///
    /// # Safety
    /// As for [`Tensor::spec`], and `data` has `bytes` bytes.
    pub unsafe fn own(&self) -> Result<OwnTensor, Fault> {
        // SAFETY: the caller's promise.
        let (spec, bytes) = unsafe { (self.spec()?, elements("data", self.data.cast::<u8>(), self.bytes)?) };
        Ok(OwnTensor { spec, bytes: bytes.to_vec() })
    }
}

impl Row {
    /// The row behind a slot, for one call.
    pub fn of(slot: &mut Slot<'_>) -> Self {
        Self { slot: std::ptr::from_mut(slot).cast() }
    }
}

impl Outputs {
    /// No outputs yet.
    pub const fn new() -> Self {
        Self { tensors: Vec::new() }
    }

    /// What was put there.
    pub fn into_tensors(self) -> Vec<(String, CoreTensor)> {
        self.tensors
    }
}

impl BatchParts {
    /// The inputs of a batch.
    pub fn of(batch: &Rows) -> Self {
        let names = batch.inputs().iter().map(|input| c_text(&input.name)).collect();
        let sides = |input: &TensorSpec| [&[batch.len()], &*input.shape].concat();
        let mut parts =
            Self { names, shapes: batch.inputs().iter().map(sides).collect(), tensors: Vec::new() };
        for (number, input) in batch.inputs().iter().enumerate() {
            let bytes = batch.bytes(number);
            parts.tensors.push(Tensor {
                name: parts.names.get(number).map_or(c"".as_ptr(), |name| name.as_ptr()),
                dtype: DType::of(input.dtype),
                shape: parts.shapes.get(number).map_or(std::ptr::null(), Vec::as_ptr),
                rank: input.shape.len() + 1,
                data: bytes.as_ptr().cast_mut().cast(),
                bytes: bytes.len(),
            });
        }
        parts
    }

    /// The batch, for as long as the parts live.
    pub fn batch(&self, rows: usize) -> Batch {
        Batch { rows, inputs: self.tensors.as_ptr(), input_count: self.tensors.len() }
    }
}

/// Takes the row of the forming batch for inputs of these types and shapes; `data` gets where the elements of each are to be
/// written before `preprocess` returns. Best called just before they are written, since rows behind wait for this one.
/// The thread of `preprocess`, once a call.
///
/// # Safety
/// `row` is what `preprocess` was given; `inputs` has `count` descriptions and `data` as many places.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_row_reserve(
    row: *mut Row,
    inputs: *const Tensor,
    count: usize,
    data: *mut *mut c_void,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (rows, inputs) =
            unsafe { (elements("row", row.cast_const(), 1)?, elements("inputs", inputs, count)?) };
        let Some(row) = rows.first() else { return Ok(()) };
        // SAFETY: the caller's promise.
        let specs = inputs.iter().map(|input| unsafe { input.spec() }).collect::<Result<Vec<_>, _>>()?;
        // SAFETY: the slot lives as long as the call of `preprocess`, and nobody else has it.
        let slot = unsafe { &mut *row.slot };
        let taken = slot.reserve_for(&specs)?;
        for (place, spec) in specs.iter().enumerate() {
            let input = taken.place(&spec.name, place);
            let target = taken.bytes_mut(input).as_mut_ptr();
            // SAFETY: the caller's promise: there are `count` places.
            unsafe { out("data", data.wrapping_add(place))? }.write(target.cast());
        }
        Ok(())
    })
}

/// Adds an output of zeros; `data` gets where its elements are to be written before `infer` returns. Its first side is the
/// number of rows of the batch. The thread of `infer`.
///
/// # Safety
/// `outputs` is what `infer` was given; `output` is a description; `data` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_outputs_add(
    outputs: *mut Outputs,
    output: *const Tensor,
    data: *mut *mut c_void,
) -> Status {
    call(|| {
        if outputs.is_null() || !outputs.is_aligned() {
            return Err(Fault::argument("`outputs` is not what `infer` was given"));
        }
        // SAFETY: the caller's promise: it lives as long as the call of `infer`, and nobody else has it.
        let outputs = unsafe { &mut *outputs };
        // SAFETY: the caller's promise.
        let (described, data) = unsafe { (elements("output", output, 1)?, out("data", data)?) };
        data.write(null_mut());
        for output in described {
            // SAFETY: the caller's promise.
            let spec = unsafe { output.spec() }?;
            let mut tensor = CoreTensor::zeros(spec.dtype, &spec.shape)?;
            // Moving the tensor leaves its elements where they are.
            data.write(tensor.bytes_mut().as_mut_ptr().cast());
            outputs.tensors.push((spec.name, tensor));
        }
        Ok(())
    })
}

/// The error of a stage in C, by its message.
pub fn failed(stage: &'static str, message: String) -> Error {
    Error::stage(stage, if message.is_empty() { "the callback failed".to_owned() } else { message })
}
