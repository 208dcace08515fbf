//! Executor: what a model says for one request.

use std::ffi::CString;
use std::sync::OnceLock;

use comptoir_host::Fault;
use comptoir_host::executor::Prediction as HostPrediction;

use crate::call::{call, out};
use crate::error::{Status, text as c_text};
use crate::handle::{self, opaque};
use crate::tensor::{DType, Tensor};

/// The prediction for one request: a row of each output of the model. Any number of threads may read it at once.
pub struct Prediction {
    _private: [u8; 0],
}
opaque!(Prediction, 0x403, "prediction", Made);

/// Frees a prediction; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_prediction_free(handle: *mut Prediction) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// A prediction, and the names of its outputs once C has asked for one.
pub struct Made {
    prediction: HostPrediction,
    names: OnceLock<Vec<CString>>,
}

impl Made {
    /// Of the host layer's.
    pub const fn of(prediction: HostPrediction) -> Self {
        Self { prediction, names: OnceLock::new() }
    }

    fn output(&self, place: usize) -> Result<Tensor, Fault> {
        let outputs = &self.prediction.tensors().outputs;
        let missing = || Fault::argument(format!("there is no output {place}: there are {}", outputs.len()));
        let (_, tensor) = outputs.get(place).ok_or_else(missing)?;
        let names = self.names.get_or_init(|| outputs.iter().map(|(name, _)| c_text(name)).collect());
        let row = self.prediction.row();
        let (rows, sides) =
            tensor.shape().split_first().map_or((1, tensor.shape()), |(rows, sides)| (*rows, sides));
        let bytes = tensor.bytes().len().checked_div(rows).unwrap_or(0);
        let data = tensor.bytes().get(row * bytes..(row + 1) * bytes).unwrap_or_default();
        Ok(Tensor {
            name: names.get(place).map_or(c"".as_ptr(), |name| name.as_ptr()),
            dtype: DType::of(tensor.dtype()),
            shape: sides.as_ptr(),
            rank: sides.len(),
            data: data.as_ptr().cast_mut().cast(),
            bytes: data.len(),
        })
    }
}

/// How many outputs there are. Any thread.
///
/// # Safety
/// `prediction` is null or a handle of this library; `count` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_prediction_output_count(
    prediction: *const Prediction,
    count: *mut usize,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("count", count)?.write(handle::get(prediction)?.prediction.tensors().outputs.len()) };
        Ok(())
    })
}

/// The row of an output, by its place from 0. What it points to is only read, and stays until the prediction is freed. Any
/// thread.
///
/// # Safety
/// `prediction` is null or a handle of this library; `output` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_prediction_output(
    prediction: *const Prediction,
    place: usize,
    output: *mut Tensor,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("output", output)?.write(handle::get(prediction)?.output(place)?) };
        Ok(())
    })
}
