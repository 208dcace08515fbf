//! Executor: pipelines.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use comptoir_host::Fault;
use comptoir_host::executor::{HostPipeline, Item, RequestOptions, Ticket as Canceller};

use crate::call::{call, elements, out};
use crate::callbacks::ModelCode;
use crate::error::Status;
use crate::handle::{self, opaque};
use crate::prediction::{Made, Prediction};
use crate::tensor::Tensor;
use crate::text;

/// A pipeline. Any number of threads may use it at once.
pub struct Pipeline {
    _private: [u8; 0],
}
opaque!(Pipeline, 0x401, "pipeline", HostPipeline);

/// Frees a pipeline; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_free(handle: *mut Pipeline) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// The right to give a request up.
pub struct Ticket {
    _private: [u8; 0],
}
opaque!(Ticket, 0x402, "ticket", Canceller);

/// Frees a ticket; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_ticket_free(handle: *mut Ticket) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// Who is told of the outcome of a request, once, on a thread of the pipeline; it must be quick. With
/// `COMPTOIR_STATUS_OK` there is a prediction, which the callee frees; else there is none, and `comptoir_last_error` on
/// that thread has the rest.
pub type Done =
    Option<unsafe extern "C" fn(context: *mut c_void, status: Status, prediction: *mut Prediction)>;

/// A pointer that the host vouches for on every thread.
#[derive(Clone, Copy)]
struct Shared(*mut c_void);

// SAFETY: the header says that callbacks are called on other threads, with this pointer.
unsafe impl Send for Shared {}
// SAFETY: the same.
unsafe impl Sync for Shared {}

impl Shared {
    /// The pointer; as a method, so that closures capture the whole.
    const fn pointer(self) -> *mut c_void {
        self.0
    }
}

/// Starts a pipeline. Any thread.
///
/// `config` is JSON: `{"pipeline": {...}, "models": [{"spec": {"name": "faces", ...}, "version": "1", "onnx": {"path":
/// "faces.onnx"}, "image": {...}}]}`. Each model is one of `onnx`, `simulated` or, with neither, the host's own `infer`;
/// `image` turns encoded pictures into rows. `code` is the host's code for the first `count` models, in the same order.
///
/// # Safety
/// `config` has `length` bytes of UTF-8 or ends with NUL; `code` has `count` elements, whose callbacks may be called until
/// they are released; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_start(
    config: *const c_char,
    length: usize,
    code: *const ModelCode,
    count: usize,
    result: *mut *mut Pipeline,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise. The callbacks first, so that they are released in any case.
        let code = unsafe { elements("code", code, count) }?;
        let code: Vec<_> = code.iter().map(|code| code.into_host()).collect();
        // SAFETY: the caller's promise.
        let (config, result) = unsafe { (text::text("config", config, length)?, out("result", result)?) };
        result.write(handle::make(HostPipeline::start(config, code)?));
        Ok(())
    })
}

/// Takes a request whose inputs are ready; they are copied. `done` is told the outcome, unless the call fails. `options`
/// is JSON, `{"model": "faces", "deadline_ms": 50, "priority": 2}`, or empty. `ticket` gets the right to give the request
/// up, which the caller frees; it may be null. Never waits for room: `COMPTOIR_STATUS_OVERLOADED` where the queue is full.
/// Any thread.
///
/// # Safety
/// `pipeline` is null or a handle of this library; `inputs` has `count` tensors; `options` has `length` bytes of UTF-8 or
/// ends with NUL; `done` may be called once with `context` on another thread; `ticket` may be written unless it is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_submit(
    pipeline: *const Pipeline,
    inputs: *const Tensor,
    count: usize,
    options: *const c_char,
    length: usize,
    done: Done,
    context: *mut c_void,
    ticket: *mut *mut Ticket,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let item = unsafe { tensors(inputs, count) }?;
        // SAFETY: the caller's promise.
        unsafe { submit(pipeline, item, (options, length), (done, context), ticket) }
    })
}

/// Takes an encoded picture, which is copied, for a model with `image`; else as `comptoir_pipeline_submit`.
///
/// # Safety
/// As for `comptoir_pipeline_submit`; `file` has `file_length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_submit_file(
    pipeline: *const Pipeline,
    file: *const c_char,
    file_length: usize,
    options: *const c_char,
    length: usize,
    done: Done,
    context: *mut c_void,
    ticket: *mut *mut Ticket,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let item = Item::File(unsafe { text::bytes("file", file, file_length) }?.to_vec());
        // SAFETY: the caller's promise.
        unsafe { submit(pipeline, item, (options, length), (done, context), ticket) }
    })
}

/// Takes an object of the host, which its `preprocess` turns into a row; else as `comptoir_pipeline_submit`. The object
/// must stay until `done` was called and `preprocess`, if it runs then, has returned.
///
/// # Safety
/// As for `comptoir_pipeline_submit`; `item` may be given to the model's `preprocess` on another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_submit_item(
    pipeline: *const Pipeline,
    item: *mut c_void,
    options: *const c_char,
    length: usize,
    done: Done,
    context: *mut c_void,
    ticket: *mut *mut Ticket,
) -> Status {
    call(|| {
        let item = Item::Host(item as usize);
        // SAFETY: the caller's promise.
        unsafe { submit(pipeline, item, (options, length), (done, context), ticket) }
    })
}

/// Takes a request whose inputs are ready and waits for its outcome; `prediction` is the caller's to free. Any thread but
/// those of the pipeline.
///
/// # Safety
/// `pipeline` is null or a handle of this library; `inputs` has `count` tensors; `options` has `length` bytes of UTF-8 or
/// ends with NUL; `prediction` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_run(
    pipeline: *const Pipeline,
    inputs: *const Tensor,
    count: usize,
    options: *const c_char,
    length: usize,
    prediction: *mut *mut Prediction,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (pipeline, item, options, prediction) = unsafe {
            (
                handle::get(pipeline)?,
                tensors(inputs, count)?,
                RequestOptions::parse(text::text("options", options, length)?)?,
                out("prediction", prediction)?,
            )
        };
        prediction.write(handle::make(Made::of(pipeline.run(item, options)?)));
        Ok(())
    })
}

/// As `comptoir_pipeline_run`, for an encoded picture.
///
/// # Safety
/// As for `comptoir_pipeline_run`; `file` has `file_length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_run_file(
    pipeline: *const Pipeline,
    file: *const c_char,
    file_length: usize,
    options: *const c_char,
    length: usize,
    prediction: *mut *mut Prediction,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (pipeline, file, options, prediction) = unsafe {
            (
                handle::get(pipeline)?,
                text::bytes("file", file, file_length)?,
                RequestOptions::parse(text::text("options", options, length)?)?,
                out("prediction", prediction)?,
            )
        };
        prediction.write(handle::make(Made::of(pipeline.run(Item::File(file.to_vec()), options)?)));
        Ok(())
    })
}

/// Gives a request up; `cancelled`, which may be null, says whether its outcome was still open, and then it is
/// `COMPTOIR_STATUS_CANCELLED`. Any thread.
///
/// # Safety
/// `ticket` is null or a handle of this library; `cancelled` may be written unless it is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_ticket_cancel(ticket: *const Ticket, cancelled: *mut bool) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let was_open = unsafe { handle::get(ticket) }?.cancel();
        if !cancelled.is_null() {
            // SAFETY: the caller's promise.
            unsafe { out("cancelled", cancelled)? }.write(was_open);
        }
        Ok(())
    })
}

/// Takes no more requests, waits for those inside for up to `grace_ms`, ends the rest, and stops; `finished`, which may be
/// null, says whether all could finish. The handle is still to be freed. Any thread but those of the pipeline.
///
/// # Safety
/// `pipeline` is null or a handle of this library; `finished` may be written unless it is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_close(
    pipeline: *const Pipeline,
    grace_ms: u64,
    finished: *mut bool,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let all = unsafe { handle::get(pipeline) }?.close(Duration::from_millis(grace_ms));
        if !finished.is_null() {
            // SAFETY: the caller's promise.
            unsafe { out("finished", finished)? }.write(all);
        }
        Ok(())
    })
}

/// # Safety
/// `inputs` has `count` tensors.
unsafe fn tensors(inputs: *const Tensor, count: usize) -> Result<Item, Fault> {
    // SAFETY: the caller's promise.
    let inputs = unsafe { elements("inputs", inputs, count) }?;
    // SAFETY: the caller's promise.
    let own = inputs.iter().map(|input| unsafe { input.own() });
    Ok(Item::Tensors(own.collect::<Result<_, _>>()?))
}

/// # Safety
/// As for `comptoir_pipeline_submit`.
unsafe fn submit(
    pipeline: *const Pipeline,
    item: Item,
    (options, length): (*const c_char, usize),
    (done, context): (Done, *mut c_void),
    ticket: *mut *mut Ticket,
) -> Result<(), Fault> {
    // SAFETY: the caller's promise.
    let (pipeline, options) =
        unsafe { (handle::get(pipeline)?, RequestOptions::parse(text::text("options", options, length)?)?) };
    let done = done.ok_or_else(|| Fault::argument("`done` is null"))?;
    // SAFETY: the caller's promise.
    let ticket = if ticket.is_null() { None } else { Some(unsafe { out("ticket", ticket) }?) };
    let context = Shared(context);
    let told = Box::new(move |outcome: Result<comptoir_host::executor::Prediction, Fault>| {
        let context = context.pointer();
        let (status, prediction) = match outcome {
            Ok(prediction) => (Status::Ok, handle::make::<Prediction>(Made::of(prediction))),
            Err(fault) => (crate::error::set_last(&fault), std::ptr::null_mut()),
        };
        // SAFETY: the caller's promise.
        unsafe { done(context, status, prediction) };
    });
    let canceller = pipeline.submit(item, options, told)?;
    if let Some(ticket) = ticket {
        ticket.write(handle::make(canceller));
    }
    Ok(())
}
