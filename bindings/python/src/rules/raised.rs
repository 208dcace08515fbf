//! What Python code raises while an expression is evaluated. It becomes an error as a value, which `||` and `&&` may
//! absorb; where it decides, the exception is the cause of ours.

use std::cell::RefCell;
use std::sync::Arc;

use comptoir::rules::{EvalCode, EvalError, Value};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

/// Exceptions with the messages that they became.
type List = Vec<(String, PyErr)>;

/// Exceptions that are kept: a table may have one for each row.
const MOST: usize = 64;

thread_local! {
    /// Of the innermost evaluation on this thread; none outside, where nobody asks.
    static RAISED: RefCell<Option<List>> = const { RefCell::new(None) };
}

/// Keeps what is raised until it is dropped. Evaluations nest, where a function of the host evaluates.
pub struct Scope {
    outer: Option<List>,
}

impl Scope {
    /// Begins to keep.
    pub fn begin() -> Self {
        Self { outer: RAISED.replace(Some(Vec::new())) }
    }

    /// The exception behind a message.
    pub fn cause(&self, message: &str) -> Option<PyErr> {
        self.take(|(own, _)| own == message)
    }

    /// An exception that is no `Exception`, such as `KeyboardInterrupt`: nothing absorbs it.
    pub fn interrupt(&self, py: Python<'_>) -> Option<PyErr> {
        self.take(|(_, error)| !error.is_instance_of::<PyException>(py))
    }

    #[expect(clippy::unused_self, reason = "only within a scope")]
    fn take(&self, wanted: impl FnMut(&(String, PyErr)) -> bool) -> Option<PyErr> {
        RAISED.with_borrow_mut(|raised| {
            let list = raised.as_mut().filter(|list| !list.is_empty())?;
            let at = list.iter().position(wanted)?;
            Some(list.swap_remove(at).1)
        })
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let own = RAISED.replace(self.outer.take());
        drop(own);
    }
}

/// The error that an exception becomes; `what` was done, such as "reading `user.level`".
pub fn error(py: Python<'_>, what: &str, raised: PyErr) -> EvalError {
    let name = raised.get_type(py).name().map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
    let text = raised.value(py).str().map_or_else(|_| String::new(), |text| text.to_string());
    let message = if text.is_empty() {
        format!("{what} raised {name}")
    } else {
        format!("{what} raised {name}: {text}")
    };
    RAISED.with_borrow_mut(|list| {
        if let Some(list) = list {
            if list.len() == MOST {
                list.remove(0);
            }
            list.push((message.clone(), raised));
        }
    });
    EvalError::new(EvalCode::Host, message)
}

/// The same as an input.
pub fn value(py: Python<'_>, what: &str, raised: PyErr) -> Value<'static> {
    Value::Error(Arc::new(error(py, what, raised)))
}
