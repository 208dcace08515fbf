//! What the targets share.

use std::ffi::CStr;
use std::ptr::null_mut;

use comptoir_c::abi::{Status, Text, comptoir_last_error};

/// Names for expressions to read.
pub const ENVIRONMENT: &str = r#"{"variables": {"i": "int", "u": "uint", "d": "double", "m": "decimal", "s": "string",
    "t": "timestamp", "l": "list(int)", "n": "map(string, double)", "o": "Order", "x": "dyn"},
    "types": {"Order": {"id": "int", "lines": "list(string)"}}, "budget": 100000}"#;

/// A place for text.
pub const NO_TEXT: Text = Text { data: null_mut(), length: 0 };

/// Fails for a panic, which the ABI gives as `INTERNAL`.
pub fn expect_no_panic(status: Status) {
    if status == Status::Internal {
        let error = comptoir_last_error();
        let message = unsafe { CStr::from_ptr(error.message) };
        panic!("{}", message.to_string_lossy());
    }
}
