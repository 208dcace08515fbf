//! Types of all parts of an expression, and what its names mean.

mod call;
mod fold;
mod literal;
mod message;
mod name;
mod unify;

use std::sync::Arc;

pub(crate) use message::{Message, WellKnown};

use crate::syntax::{
    Access, Ast, Diagnostic, DiagnosticCode, Diagnostics, ExprId, ExprKind, FoldKind, LogicOp, Span,
};
use crate::types::{Env, Extension, Function, Overload, Type};
use crate::value::Value;
use unify::Unifier;

/// What the checker found out, by node.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub types: Vec<Type>,
    pub references: Vec<Option<Reference>>,
}

/// What a name or call means.
#[derive(Debug, Clone)]
pub(crate) enum Reference {
    /// A macro's variable: the scope that declares it, counted from the outermost, and the place in the scope.
    Local {
        level: u16,
        index: u16,
    },
    Variable(Arc<str>),
    Constant(Value<'static>),
    /// A type as a value.
    TypeName(Arc<str>),
    /// The overloads that may be called; the target is a namespace and no argument where `is_namespaced`.
    Call {
        function: Arc<Function>,
        overloads: Vec<Arc<Overload>>,
        is_namespaced: bool,
    },
    Message(Message),
    /// In an expression that is not checked: nothing, which is an error if it is evaluated.
    Undeclared(Arc<str>),
    /// In an expression that is not checked: syntax of an extension that is off, and what to say of it.
    Unavailable(Arc<str>),
}

/// Whether types are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Types and names are checked.
    Checked,
    /// Names are resolved; all types are `dyn`, and what does not fit is an error when it is evaluated.
    Unchecked,
}

/// Resolves names and, in the checked mode, types. What was found out before is overwritten, so that its memory is used
/// again.
///
/// # Errors
/// All faults that were found.
pub(crate) fn check(ast: &Ast, env: &Env, mode: Mode, checked: &mut Checked) -> Result<(), Diagnostics> {
    let Checked { mut types, mut references } = std::mem::take(checked);
    types.clear();
    types.resize(ast.len(), Type::Dyn);
    references.clear();
    references.resize(ast.len(), None);
    let mut checker = Checker {
        ast,
        env,
        mode,
        unifier: Unifier::new(ast.len()),
        scopes: Vec::new(),
        faults: Vec::new(),
        types,
        references,
    };
    checker.expr(ast.root());
    let Checker { unifier, mut faults, mut types, references, .. } = checker;
    for ty in &mut types {
        *ty = unifier.finish(ty);
    }
    if unifier.is_exhausted() {
        let message = "the types in this expression are too large";
        faults = vec![Diagnostic::new(DiagnosticCode::Limit, ast.get(ast.root()).span, message)];
    }
    if !faults.is_empty() {
        return Err(Diagnostics::new(ast.source(), faults));
    }
    *checked = Checked { types, references };
    Ok(())
}

/// Why something is not available.
fn off(what: &str, extension: Extension) -> String {
    format!("{what} belongs to the extension `{extension}`, which is off")
}

struct Checker<'c> {
    ast: &'c Ast,
    env: &'c Env,
    mode: Mode,
    unifier: Unifier,
    /// The variables of the macros around the node.
    scopes: Vec<Vec<(Arc<str>, Type)>>,
    faults: Vec<Diagnostic>,
    types: Vec<Type>,
    references: Vec<Option<Reference>>,
}

impl<'c> Checker<'c> {
    /// Checks a node and all under it, and gives its type.
    fn expr(&mut self, id: ExprId) -> Type {
        let ty = match self.switched_off(&self.ast.get(id).kind) {
            Some((what, extension)) => self.unavailable(id, what, extension),
            None if self.is_checked() => self.kind(id),
            None => {
                self.kind(id);
                Type::Dyn
            }
        };
        self.set_type(id, ty.clone());
        ty
    }

    fn kind(&mut self, id: ExprId) -> Type {
        match &self.ast.get(id).kind {
            ExprKind::Literal(literal) => literal::type_of(literal),
            ExprKind::Ident(name) => self.ident(id, name),
            ExprKind::Select { operand, field, access } => self.select(id, *operand, field, *access),
            ExprKind::Has { operand, field } => self.has(id, *operand, field),
            ExprKind::Index { operand, index, access } => self.index(id, *operand, *index, *access),
            ExprKind::Call { function, target, args } => self.call(id, function, *target, args),
            ExprKind::Unary { op, operand } => self.unary(id, *op, *operand),
            ExprKind::Binary { op, left, right } => self.binary(id, *op, *left, *right),
            ExprKind::Logic { op, operands } => self.logic(*op, operands),
            ExprKind::Conditional { condition, then, otherwise } => {
                self.conditional(*condition, *then, *otherwise)
            }
            ExprKind::List(elements) => self.list(elements),
            ExprKind::Map(entries) => self.map(entries),
            ExprKind::Message { name, fields } => self.message(id, name, fields),
            ExprKind::Fold { kind, range, variables, filter, body } => {
                self.fold(*kind, *range, variables, *filter, *body)
            }
            ExprKind::Block { bindings, body } => self.block(bindings, *body),
            ExprKind::OptionalMap { target, variable, body, flatness } => {
                self.optional_map(*target, variable, *body, *flatness)
            }
            ExprKind::Fault => Type::Error,
        }
    }

    /// Use of an extension that is off.
    fn unavailable(&mut self, id: ExprId, what: &str, extension: Extension) -> Type {
        let hint = off(what, extension);
        self.refer(id, Reference::Unavailable(hint.as_str().into()));
        let message = format!("{what} is not available");
        self.fault(DiagnosticCode::UnknownFunction, self.span(id), message, Some(hint))
    }

    /// Syntax of an extension that is off.
    fn switched_off(&self, kind: &ExprKind) -> Option<(&'static str, Extension)> {
        let (what, extension) = match kind {
            ExprKind::Select { access: Access::Optional, .. }
            | ExprKind::Index { access: Access::Optional, .. } => {
                ("a selection with `?`", Extension::Optionals)
            }
            ExprKind::OptionalMap { .. } => ("`optMap`", Extension::Optionals),
            ExprKind::Block { .. } => ("`cel.bind`", Extension::Bindings),
            ExprKind::Fold { kind: FoldKind::SortBy, .. } => ("`sortBy`", Extension::Lists),
            ExprKind::Fold { variables, .. } if variables.len() == 2 => {
                ("a macro with two variables", Extension::TwoVariables)
            }
            _ => return None,
        };
        (!self.env.has_extension(extension)).then_some((what, extension))
    }

    fn is_checked(&self) -> bool {
        self.mode == Mode::Checked
    }

    fn set_type(&mut self, id: ExprId, ty: Type) {
        if let Some(slot) = self.types.get_mut(id.index()) {
            *slot = ty;
        }
    }

    fn refer(&mut self, id: ExprId, reference: Reference) {
        if let Some(slot) = self.references.get_mut(id.index()) {
            *slot = Some(reference);
        }
    }

    fn span(&self, id: ExprId) -> Span {
        self.ast.get(id).span
    }

    /// Reports a fault; in an expression that is not checked, types and names are no matter of the checker.
    fn fault(&mut self, code: DiagnosticCode, span: Span, message: String, hint: Option<String>) -> Type {
        // Names and types come from the source, and may be as long as it is.
        let message = if message.len() > 400 {
            message.chars().take(397).chain("...".chars()).collect()
        } else {
            message
        };
        if self.is_checked() && self.faults.len() < self.env.limits().errors.max(1) {
            self.faults.push(Diagnostic { code, message, hint, span });
        }
        Type::Error
    }

    /// Checks a node that must be of a type.
    fn expect(&mut self, id: ExprId, wanted: &Type, what: &str) {
        let found = self.expr(id);
        if !self.unifier.assignable(&found, wanted) {
            let found = self.unifier.finish(&found);
            let span = self.span(id);
            let message = format!("{what} must be {wanted}, found {found}");
            self.fault(DiagnosticCode::TypeMismatch, span, message, None);
        }
    }

    fn logic(&mut self, op: LogicOp, operands: &[ExprId]) -> Type {
        let what = match op {
            LogicOp::And => "an operand of `&&`",
            LogicOp::Or => "an operand of `||`",
        };
        for operand in operands {
            self.expect(*operand, &Type::Bool, what);
        }
        Type::Bool
    }

    fn conditional(&mut self, condition: ExprId, then: ExprId, otherwise: ExprId) -> Type {
        self.expect(condition, &Type::Bool, "the condition before `?`");
        let left = self.expr(then);
        let right = self.expr(otherwise);
        // As a function of two values of one type has it: the first fixes the type, the second may widen it.
        let result = self.unifier.fresh();
        if self.unifier.assignable(&left, &result) && self.unifier.assignable(&right, &result) {
            return self.unifier.resolve(&result);
        }
        let (left, right) = (self.unifier.finish(&left), self.unifier.finish(&right));
        let span = self.span(otherwise);
        let message = format!("both values of `? :` must have one type, found {left} and {right}");
        let hint = "wrap one in `dyn(...)` if both are meant".to_owned();
        self.fault(DiagnosticCode::TypeMismatch, span, message, Some(hint))
    }
}
