use std::sync::Arc;

use super::{Checker, Reference};
use crate::syntax::{Access, BinaryOp, DiagnosticCode, ExprId, UnaryOp, nearest};
use crate::types::{Function, Overload, Type};

impl Checker<'_> {
    pub(super) fn unary(&mut self, id: ExprId, op: UnaryOp, operand: ExprId) -> Type {
        let (function, symbol) = match op {
            UnaryOp::Not => ("!_", "!"),
            UnaryOp::Negate => ("-_", "-"),
        };
        let args = [self.expr(operand)];
        self.operator(id, function, symbol, &args)
    }

    pub(super) fn binary(&mut self, id: ExprId, op: BinaryOp, left: ExprId, right: ExprId) -> Type {
        let args = [self.expr(left), self.expr(right)];
        // Whether something is null may be asked of anything: a column of ints may have nulls in it.
        let asks_for_null = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) && args.contains(&Type::Null);
        if asks_for_null && self.is_checked() {
            return Type::Bool;
        }
        self.operator(id, op.function(), op.symbol(), &args)
    }

    pub(super) fn index(&mut self, id: ExprId, operand: ExprId, index: ExprId, access: Access) -> Type {
        let args = [self.expr(operand), self.expr(index)];
        let function = if access == Access::Plain { "_[_]" } else { "_[?_]" };
        self.operator(id, function, "[]", &args)
    }

    /// An operator: a function of the library that is evaluated by nodes of its own.
    fn operator(&mut self, id: ExprId, name: &str, symbol: &str, args: &[Type]) -> Type {
        if !self.is_checked() {
            return Type::Dyn;
        }
        let env = self.env;
        let Some(function) = env.function(name) else { return Type::Error };
        match self.overloads(function, args, false, |_| {}) {
            Some(result) => result,
            None => self.no_overload(id, symbol, function, args, false),
        }
    }

    pub(super) fn call(
        &mut self,
        id: ExprId,
        name: &Arc<str>,
        target: Option<ExprId>,
        args: &[ExprId],
    ) -> Type {
        if let Some(function) = target.and_then(|target| self.namespaced(target, name)) {
            let types: Vec<Type> = args.iter().map(|arg| self.expr(*arg)).collect();
            return self.resolve_call(id, &function, &types, false, true);
        }
        let is_member = target.is_some();
        let all: Vec<ExprId> = target.into_iter().chain(args.iter().copied()).collect();
        let types: Vec<Type> = all.iter().map(|arg| self.expr(*arg)).collect();
        let function = match target {
            Some(_) => self.env.function(name).cloned(),
            None => self.env.resolve(name, |candidate| self.env.function(candidate).cloned()),
        };
        match function {
            Some(function) => self.resolve_call(id, &function, &types, is_member, false),
            None => self.unknown_function(id, name),
        }
    }

    /// The function `math.abs` where `math` is no variable.
    fn namespaced(&self, target: ExprId, name: &str) -> Option<Arc<Function>> {
        let namespace = self.ast.qualified_name(target)?;
        let qualified = format!("{namespace}.{name}");
        self.env.resolve(&qualified, |candidate| self.env.function(candidate).cloned())
    }

    fn resolve_call(
        &mut self,
        id: ExprId,
        function: &Arc<Function>,
        args: &[Type],
        is_member: bool,
        is_namespaced: bool,
    ) -> Type {
        let mut overloads = Vec::new();
        let found = if self.is_checked() {
            self.overloads(function, args, is_member, |overload| overloads.push(overload.clone()))
        } else {
            // Which one it is shows when it is called.
            let fits =
                |overload: &&Arc<Overload>| overload.is_member == is_member && self.env.is_on(overload);
            overloads.extend(function.overloads.iter().filter(fits).cloned());
            Some(Type::Dyn)
        };
        match found {
            Some(_) if !self.is_checked() && overloads.is_empty() && self.off_hint(function).is_some() => {
                self.refer(id, Reference::Undeclared(function.name.clone()));
                Type::Error
            }
            Some(result) => {
                self.refer(id, Reference::Call { function: function.clone(), overloads, is_namespaced });
                result
            }
            None => self.no_overload(id, &function.name, function, args, is_member),
        }
    }

    fn unknown_function(&mut self, id: ExprId, name: &Arc<str>) -> Type {
        self.refer(id, Reference::Undeclared(name.clone()));
        let near = nearest(name, self.env.function_names().filter(|name| is_word(name)));
        let hint = near.map(|near| format!("did you mean `{near}`?"));
        let span = self.span(id);
        self.fault(DiagnosticCode::UnknownFunction, span, format!("undeclared function `{name}`"), hint)
    }

    /// The type of a call: that of the result, or `dyn` where overloads differ. `found` is given all overloads that
    /// take the arguments.
    fn overloads(
        &mut self,
        function: &Function,
        args: &[Type],
        is_member: bool,
        mut found: impl FnMut(&Arc<Overload>),
    ) -> Option<Type> {
        let mut result: Option<Type> = None;
        // Where all types are known and plain, the first overload that takes them is the only one.
        let is_certain = args.iter().all(is_plain);
        for overload in &function.overloads {
            if is_certain && result.is_some() {
                break;
            }
            let is_form = overload.is_member == is_member && overload.params.len() == args.len();
            if !is_form || !self.env.is_on(overload) {
                continue;
            }
            let Some(ty) = self.try_overload(overload, args) else { continue };
            found(overload);
            result = Some(match result {
                None => ty,
                Some(before) if before.is_dyn() || before == ty => before,
                Some(_) => Type::Dyn,
            });
        }
        result
    }

    /// The type of the result where the overload takes the arguments.
    fn try_overload(&mut self, overload: &Overload, args: &[Type]) -> Option<Type> {
        let mut fresh = Vec::new();
        let mark = self.unifier.mark();
        let fits = overload.params.iter().zip(args).all(|(param, arg)| {
            // The common case, which needs no unification.
            if is_plain(param) && is_plain(arg) {
                return param == arg;
            }
            let param = self.instantiate(param, &mut fresh);
            self.unifier.assignable(arg, &param)
        });
        if !fits {
            self.unifier.back(mark);
            return None;
        }
        if is_plain(&overload.result) {
            return Some(overload.result.clone());
        }
        let result = self.instantiate(&overload.result, &mut fresh);
        Some(self.unifier.resolve(&result))
    }

    /// The type with a variable for each type parameter, the same for the same.
    fn instantiate(&mut self, ty: &Type, fresh: &mut Vec<(Arc<str>, Type)>) -> Type {
        match ty {
            Type::Param(name) => {
                if let Some((_, known)) = fresh.iter().find(|(other, _)| other == name) {
                    return known.clone();
                }
                let variable = self.unifier.fresh();
                fresh.push((name.clone(), variable.clone()));
                variable
            }
            Type::List(element) => Type::list(self.instantiate(element, fresh)),
            Type::Map(entry) => {
                Type::map(self.instantiate(&entry.0, fresh), self.instantiate(&entry.1, fresh))
            }
            Type::Type(Some(inner)) => Type::Type(Some(self.instantiate(inner, fresh).into())),
            Type::Opaque(name, parameters) if !parameters.is_empty() => {
                let parameters = parameters.iter().map(|inner| self.instantiate(inner, fresh)).collect();
                Type::Opaque(name.clone(), parameters)
            }
            other => other.clone(),
        }
    }

    /// Where some of a function's forms are switched off.
    fn off_hint(&self, function: &Function) -> Option<String> {
        let off = function.overloads.iter().find(|overload| !self.env.is_on(overload))?;
        Some(super::off(&format!("`{}`", function.name), off.extension?))
    }

    fn no_overload(
        &mut self,
        id: ExprId,
        name: &str,
        function: &Function,
        args: &[Type],
        is_member: bool,
    ) -> Type {
        let found: Vec<String> = args.iter().map(|arg| self.unifier.finish(arg).to_string()).collect();
        let message = match found.as_slice() {
            [target, rest @ ..] if is_member => {
                format!("`{name}` on {target} does not take ({})", rest.join(", "))
            }
            [left, right] if !is_word(name) => format!("`{name}` does not take {left} and {right}"),
            _ => format!("`{name}` does not take ({})", found.join(", ")),
        };
        let hint = self
            .off_hint(function)
            .or_else(|| numbers_hint(args))
            .or_else(|| forms_hint(function, is_member));
        let span = self.span(id);
        self.fault(DiagnosticCode::NoOverload, span, message, hint)
    }
}

/// Whether the type has no parts and stands for itself only.
fn is_plain(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Bool
            | Type::Int
            | Type::Uint
            | Type::Double
            | Type::String
            | Type::Bytes
            | Type::Timestamp
            | Type::Duration
            | Type::Decimal
    )
}

fn is_word(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
        && name.contains(|first: char| first.is_ascii_alphabetic())
}

/// Numbers are not converted by themselves, which is what people expect first.
fn numbers_hint(args: &[Type]) -> Option<String> {
    let is_number = |ty: &Type| matches!(ty, Type::Int | Type::Uint | Type::Double | Type::Decimal);
    match args {
        [left, right] if left != right && is_number(left) && is_number(right) => {
            Some(format!("convert one of them, for instance with `{left}(...)`"))
        }
        _ => None,
    }
}

fn forms_hint(function: &Function, is_member: bool) -> Option<String> {
    let forms: Vec<String> = function
        .overloads
        .iter()
        .filter(|overload| overload.is_member == is_member)
        .take(4)
        .map(|overload| {
            let params: Vec<String> = overload.params.iter().map(Type::to_string).collect();
            format!("({})", params.join(", "))
        })
        .collect();
    match forms.as_slice() {
        [] => {
            let place = if is_member { "without a target" } else { "on its first argument" };
            Some(format!("`{}` is called {place}", function.name))
        }
        _ => Some(format!("it takes {}", forms.join(" or "))),
    }
}
