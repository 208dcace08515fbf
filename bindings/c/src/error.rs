//! Status of a call, and the last error of a thread.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};

use comptoir::types::ErrorKind;
use comptoir_host::Fault;

/// How a call ended: the family of the error. Which error it was says `comptoir_last_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Status {
    /// It did what was asked.
    Ok = 0,
    /// Columns are missing or have the wrong type, or an Arrow structure is not usable.
    Schema = 1,
    /// A value is wrong.
    Data = 2,
    /// A policy, expression, template, setting or argument is wrong.
    Config = 3,
    /// The input is larger than what is supported, or a budget is spent.
    Limit = 4,
    /// A file or directory cannot be written or read, or its content is not what was written.
    Storage = 5,
    /// More work is waiting than is taken; try again later.
    Overloaded = 6,
    /// A deadline has passed.
    Timeout = 7,
    /// The caller gave the work up.
    Cancelled = 8,
    /// Something needed is not there or not there any more: a closed pipeline, a freed handle, a missing run time.
    Unavailable = 9,
    /// A defect of the library itself.
    Internal = 10,
}

/// The last error of a thread. Text is UTF-8 and ends with NUL; what is not known is empty, 0 or, for the row, -1.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Error {
    /// The family of the error; `COMPTOIR_STATUS_OK` if no call on this thread has failed yet.
    pub status: Status,
    /// The stable code, such as `COSTING_NEGATIVE_STOCK`; the same in every host.
    pub code: *const c_char,
    /// What happened.
    pub message: *const c_char,
    /// The field of the configuration, such as `rules[3].when`, or the column of the table.
    pub path: *const c_char,
    /// The message with the line of an expression and a caret under the place.
    pub rendered: *const c_char,
    /// Line in the expression or text, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
    /// Row of the table, from 0.
    pub row: i64,
}

/// The parts of an error, held while C reads them.
struct Last {
    status: Status,
    code: CString,
    message: CString,
    path: CString,
    rendered: CString,
    line: usize,
    column: usize,
    row: i64,
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// The error of the last call on this thread that failed; calls that succeed leave it. Its texts stay until the next call
/// on this thread that fails, or the end of the thread. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn comptoir_last_error() -> Error {
    LAST.with_borrow(|last| match last {
        Some(last) => last.view(),
        None => Error {
            status: Status::Ok,
            code: c"".as_ptr(),
            message: c"".as_ptr(),
            path: c"".as_ptr(),
            rendered: c"".as_ptr(),
            line: 0,
            column: 0,
            row: -1,
        },
    })
}

/// Makes a fault the last error of this thread, and gives its status.
#[cold]
pub fn set_last(fault: &Fault) -> Status {
    let status = Status::of(fault.kind);
    let place = &*fault.place;
    let last = Last {
        status,
        code: text(fault.code),
        message: text(&fault.message),
        path: text(&place.path),
        rendered: text(&place.rendered),
        line: place.line,
        column: place.column,
        row: place.row.and_then(|row| i64::try_from(row).ok()).unwrap_or(-1),
    };
    LAST.with_borrow_mut(|place| *place = Some(last));
    status
}

impl Status {
    /// The status of a family of errors.
    pub fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Schema => Self::Schema,
            ErrorKind::Data => Self::Data,
            ErrorKind::Config => Self::Config,
            ErrorKind::Limit => Self::Limit,
            ErrorKind::Storage => Self::Storage,
            ErrorKind::Overloaded => Self::Overloaded,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::Cancelled => Self::Cancelled,
            ErrorKind::Unavailable => Self::Unavailable,
            // A family that has no number yet.
            _ => Self::Internal,
        }
    }
}

impl Last {
    fn view(&self) -> Error {
        let pointer = |text: &CString| -> *const c_char { CStr::as_ptr(text) };
        Error {
            status: self.status,
            code: pointer(&self.code),
            message: pointer(&self.message),
            path: pointer(&self.path),
            rendered: pointer(&self.rendered),
            line: self.line,
            column: self.column,
            row: self.row,
        }
    }
}

/// Text for C; what quotes the caller's input may hold a NUL, which ends text in C.
pub fn text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}
