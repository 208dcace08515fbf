//! From text to tree: lexer, Pratt parser, macros, and messages that show the place.
//!
//! ```
//! use comptoir_rules::{Limits, syntax};
//!
//! let ast = syntax::parse("item.price >= 100.0 && item.brand in ['a', 'b']", &Limits::default())?;
//! assert_eq!(ast.len(), 11);
//! let faults = syntax::parse("1 + ", &Limits::default()).unwrap_err();
//! assert_eq!(faults.list().len(), 1);
//! # Ok::<(), comptoir_rules::syntax::Diagnostics>(())
//! ```

mod ast;
mod diagnostic;
mod lexer;
mod literal;
mod macros;
mod parser;
mod primary;
mod span;
mod suggest;
#[cfg(test)]
mod tests;
mod token;
mod unparse;

pub use ast::{
    Access, Ast, BinaryOp, Element, Entry, Expr, ExprId, ExprKind, Field, Flatness, FoldKind, LogicOp,
    UnaryOp,
};
pub use comptoir_types::Position;
pub use diagnostic::{Diagnostic, DiagnosticCode, Diagnostics};
pub use literal::Literal;
pub use parser::parse;
pub(crate) use parser::{children, parse_in};
pub use span::Span;
pub(crate) use suggest::nearest;
pub(crate) use token::Token;
pub(crate) use unparse::{Written, bytes_text, double_text, unparse, unparse_with};
