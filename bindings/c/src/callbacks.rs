//! Executor: the host's own code in a pipeline.

use std::cell::RefCell;
use std::ffi::{c_char, c_void};
use std::sync::Arc;

use comptoir::executor::backend::Tensors;
use comptoir::executor::runtime::{Rows, Slot};
use comptoir_host::executor::{HostCode, Infer, Preprocess};

use crate::call::call;
use crate::error::Status;
use crate::tensor::{Batch, BatchParts, Outputs, Row, failed};
use crate::text;

/// The host's code around and in a model; null for what it does not have. Callbacks are called on threads of the pipeline,
/// several at once, and must not free the pipeline. They return 0, or another number for a failure, whose message
/// `comptoir_callback_failed` sets.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct ModelCode {
    /// Given to each callback.
    pub user: *mut c_void,
    /// Turns an item of `comptoir_pipeline_submit_item` into a row. Its failure is one of that request.
    pub preprocess: Option<unsafe extern "C" fn(user: *mut c_void, item: *mut c_void, row: *mut Row) -> i32>,
    /// Runs a batch. Where it fails, the rows are run again in halves, so that one bad row fails alone.
    pub infer:
        Option<unsafe extern "C" fn(user: *mut c_void, batch: *const Batch, outputs: *mut Outputs) -> i32>,
    /// Called once, when nothing calls the others any more; also where the pipeline could not be started or the
    /// version could not take over.
    pub release: Option<unsafe extern "C" fn(user: *mut c_void)>,
}

/// The callbacks of a model.
struct Code {
    code: ModelCode,
}

// SAFETY: the header says that callbacks are called on several threads at once.
unsafe impl Send for Code {}
// SAFETY: the same.
unsafe impl Sync for Code {}

impl Drop for Code {
    fn drop(&mut self) {
        if let Some(release) = self.code.release {
            // SAFETY: the host's promise when it gave the callbacks.
            unsafe { release(self.code.user) };
        }
    }
}

thread_local! {
    static FAILURE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Says why the callback that runs on this thread is about to fail. The thread of a callback.
///
/// # Safety
/// `message` has `length` bytes of UTF-8 or ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_callback_failed(message: *const c_char, length: usize) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let message = unsafe { text::text("message", message, length) }?;
        FAILURE.with_borrow_mut(|failure| failure.replace_range(.., message));
        Ok(())
    })
}

impl ModelCode {
    /// The code for the pipeline; `release` is called when nothing holds it any more.
    pub fn into_host(self) -> HostCode {
        let own = Arc::new(Code { code: self });
        HostCode { preprocess: own.preprocess(), infer: own.infer() }
    }
}

impl Code {
    fn preprocess(self: &Arc<Self>) -> Option<Preprocess> {
        let (own, function) = (Arc::clone(self), self.code.preprocess?);
        Some(Box::new(move |item: usize, slot: &mut Slot<'_>| {
            let mut row = Row::of(slot);
            // SAFETY: the host's promise when it gave the callbacks; `item` is what it submitted.
            let outcome = unsafe { function(own.code.user, item as *mut c_void, &raw mut row) };
            if outcome == 0 { Ok(()) } else { Err(failed("preprocess", FAILURE.take())) }
        }))
    }

    fn infer(self: &Arc<Self>) -> Option<Infer> {
        let (own, function) = (Arc::clone(self), self.code.infer?);
        Some(Box::new(move |rows: &Rows| {
            let parts = BatchParts::of(rows);
            let (batch, mut outputs) = (parts.batch(rows.len()), Outputs::new());
            // SAFETY: the host's promise when it gave the callbacks.
            let outcome = unsafe { function(own.code.user, &raw const batch, &raw mut outputs) };
            match outcome {
                0 => Ok(Tensors { outputs: outputs.into_tensors() }),
                _ => Err(failed("infer", FAILURE.take())),
            }
        }))
    }
}
