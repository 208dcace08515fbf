use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Fault;

/// Runs `work`; a panic, which would be a defect of ours, becomes the fault `INTERNAL` instead of ending the host.
///
/// No panic hook is installed: the hook belongs to the process.
///
/// # Errors
/// The fault of `work`, or `INTERNAL`.
#[inline]
pub fn guard<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // `work` is consumed and nothing it borrowed mutably is looked at after a panic.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Fault::internal(text(&*panic))))
}

/// The message of a panic.
#[cold]
fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault() {
        let fault = guard(|| -> Result<(), Fault> { panic!("three of {}", 4) }).unwrap_err();
        assert_eq!((fault.code, fault.message.ends_with("three of 4")), ("INTERNAL", true));
    }
}
