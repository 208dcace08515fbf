//! Executor: what an operator does with a running pipeline.

use std::ffi::c_char;
use std::time::Duration;

use crate::call::{call, elements, out};
use crate::callbacks::ModelCode;
use crate::error::Status;
use crate::handle;
use crate::pipeline::Pipeline;
use crate::text::{self, Text};

/// Lets a new version of a model take over, while requests go on; none is lost. Any thread; returns when the version is
/// loaded and warmed, which it is beside the old one.
///
/// `config` is JSON: `{"model": "faces", "version": "2", "share": 0.1, "onnx": {"path": "faces-2.onnx"}}`. Without `model` it
/// is the first one, without `share` all of its traffic; below 1 both versions serve, until
/// `comptoir_pipeline_set_share`. The version is one of `onnx`, `simulated` or, with neither, the host's own `infer` in
/// `code`, which may be null; the stage before the model stays, so that `code` has no `preprocess`. Where the call fails,
/// the old version goes on as before.
///
/// # Safety
/// `pipeline` is null or a handle of this library; `config` has `length` bytes of UTF-8 or ends with NUL; `code` is null or
/// has callbacks that may be called until they are released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_swap(
    pipeline: *const Pipeline,
    config: *const c_char,
    length: usize,
    code: *const ModelCode,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise. The callbacks first, so that they are released in any case.
        let code = unsafe { elements("code", code, usize::from(!code.is_null())) }?;
        let code = code.first().map(|code| code.into_host()).unwrap_or_default();
        // SAFETY: the caller's promise.
        let (pipeline, config) = unsafe { (handle::get(pipeline)?, text::text("config", config, length)?) };
        pipeline.swap(config, code)
    })
}

/// Changes the share of the version that is taking over: 1 makes it the one that serves, 0 takes it back. An empty `model`
/// is the first one. Any thread.
///
/// # Safety
/// `pipeline` is null or a handle of this library; `model` has `length` bytes of UTF-8 or ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_set_share(
    pipeline: *const Pipeline,
    model: *const c_char,
    length: usize,
    share: f64,
) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::get(pipeline)?.set_share(text::text("model", model, length)?, share) })
}

/// Waits until versions that serve no more have finished their last batch, at most for `limit_ms`; `finished`, which may be
/// null, says whether they have. Any thread but those of the pipeline.
///
/// # Safety
/// `pipeline` is null or a handle of this library; `finished` may be written unless it is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_drain(
    pipeline: *const Pipeline,
    limit_ms: u64,
    finished: *mut bool,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let all = unsafe { handle::get(pipeline) }?.drain(Duration::from_millis(limit_ms));
        if !finished.is_null() {
            // SAFETY: the caller's promise.
            unsafe { out("finished", finished)? }.write(all);
        }
        Ok(())
    })
}

/// What has happened, as JSON. Any thread.
///
/// # Safety
/// `pipeline` is null or a handle of this library; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_stats(pipeline: *const Pipeline, result: *mut Text) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { text::give(result, handle::get(pipeline)?.stats()?) })
}

/// What has happened, in the text format of Prometheus. Any thread.
///
/// # Safety
/// As for `comptoir_pipeline_stats`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_prometheus(
    pipeline: *const Pipeline,
    result: *mut Text,
) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { text::give(result, handle::get(pipeline)?.prometheus()) })
}

/// The timeline of the latest `trace_events` events, a setting of the pipeline, as JSON in Chrome's Trace Event Format, for
/// ui.perfetto.dev or chrome://tracing; without events where that is 0. Any thread.
///
/// # Safety
/// As for `comptoir_pipeline_stats`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_pipeline_trace(pipeline: *const Pipeline, result: *mut Text) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { text::give(result, handle::get(pipeline)?.trace()?) })
}
