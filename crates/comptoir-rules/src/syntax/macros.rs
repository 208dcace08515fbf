use std::sync::Arc;

use super::parser::Parser;
use super::{DiagnosticCode, Element, ExprId, ExprKind, Flatness, FoldKind, Literal, Span};

impl Parser<'_> {
    /// A call, or what a macro makes of it.
    pub(super) fn call(
        &mut self,
        name: Arc<str>,
        target: Option<ExprId>,
        args: Vec<ExprId>,
        span: Span,
    ) -> ExprId {
        let expanded = match target {
            None => self.global_macro(&name, &args, span),
            Some(target) => {
                let namespace = match self.kind(target) {
                    Some(ExprKind::Ident(namespace)) => Some(namespace.clone()),
                    _ => None,
                };
                match namespace.as_deref() {
                    Some("cel") => self.cel_macro(&name, &args, span),
                    Some("math") => self.math_macro(&name, target, &args, span),
                    _ => None,
                }
                .or_else(|| self.receiver_macro(&name, target, &args, span))
            }
        };
        expanded.unwrap_or_else(|| self.push(ExprKind::Call { function: name, target, args }, span))
    }

    fn kind(&self, id: ExprId) -> Option<&ExprKind> {
        self.exprs.get(id.index()).map(|expr| &expr.kind)
    }

    fn global_macro(&mut self, name: &str, args: &[ExprId], span: Span) -> Option<ExprId> {
        let (true, [arg]) = (name == "has", args) else { return None };
        match self.kind(*arg) {
            Some(ExprKind::Select { operand, field, .. }) => {
                let (operand, field) = (*operand, field.clone());
                Some(self.push(ExprKind::Has { operand, field }, span))
            }
            Some(ExprKind::Fault) => Some(*arg),
            _ => {
                let arg_span = self.span(*arg);
                Some(self.misuse(arg_span, "`has` takes a field selection", "write `has(a.b)`"))
            }
        }
    }

    fn cel_macro(&mut self, name: &str, args: &[ExprId], span: Span) -> Option<ExprId> {
        match (name, args) {
            ("bind", [variable, value, body]) => {
                let name = self.variable(*variable)?;
                Some(self.push(ExprKind::Block { bindings: vec![(name, *value)], body: *body }, span))
            }
            ("block", [list, body]) => {
                let Some(ExprKind::List(elements)) = self.kind(*list) else {
                    let list_span = self.span(*list);
                    return Some(self.misuse(
                        list_span,
                        "`cel.block` takes a list of values",
                        "write `[...]`",
                    ));
                };
                let name = |(index, element): (usize, &Element)| (index_name(index), element.value);
                let bindings = elements.iter().enumerate().map(name).collect();
                Some(self.push(ExprKind::Block { bindings, body: *body }, span))
            }
            ("index", [index]) => {
                let index = self.int(*index)?;
                Some(self.push(ExprKind::Ident(index_name(index)), span))
            }
            ("iterVar", [depth, index]) => {
                let name = format!("@it:{}:{}", self.int(*depth)?, self.int(*index)?);
                Some(self.push(ExprKind::Ident(name.into()), span))
            }
            _ => None,
        }
    }

    fn int(&self, id: ExprId) -> Option<usize> {
        match self.kind(id) {
            Some(ExprKind::Literal(Literal::Int(value))) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    /// `math.greatest` and `math.least` take any number of arguments: two or fewer as they are, more as a list.
    fn math_macro(&mut self, name: &str, target: ExprId, args: &[ExprId], span: Span) -> Option<ExprId> {
        let function = match name {
            "greatest" => "@max",
            "least" => "@min",
            _ => return None,
        };
        let wrong = args.iter().copied().find(|arg| self.is_no_number(*arg, args.len() == 1));
        if args.is_empty() || wrong.is_some() {
            let message = format!("`math.{name}` takes numbers, or one list of numbers");
            let wrong_span = wrong.map_or(span, |wrong| self.span(wrong));
            return Some(self.misuse(wrong_span, &message, "numbers are int, uint and double"));
        }
        let args = if args.len() > 2 {
            let element = |value: &ExprId| Element { value: *value, access: super::Access::Plain };
            let elements = args.iter().map(element).collect();
            vec![self.push(ExprKind::List(elements), span)]
        } else {
            args.to_vec()
        };
        Some(self.push(ExprKind::Call { function: function.into(), target: Some(target), args }, span))
    }

    /// Whether a literal is certainly no number, nor, if that is allowed, a list of numbers.
    fn is_no_number(&self, id: ExprId, or_list: bool) -> bool {
        match self.kind(id) {
            Some(ExprKind::Literal(literal)) => {
                !matches!(literal, Literal::Int(_) | Literal::Uint(_) | Literal::Double(_))
            }
            Some(ExprKind::List(elements)) => {
                !or_list
                    || elements.is_empty()
                    || elements.iter().any(|element| self.is_no_number(element.value, false))
            }
            Some(ExprKind::Map(_) | ExprKind::Message { .. }) => true,
            _ => false,
        }
    }

    fn receiver_macro(&mut self, name: &str, range: ExprId, args: &[ExprId], span: Span) -> Option<ExprId> {
        use FoldKind as K;
        let (kind, variables, filter, body): (K, &[ExprId], Option<ExprId>, ExprId) = match (name, args) {
            ("all", [one, body]) => (K::All, std::slice::from_ref(one), None, *body),
            ("exists", [one, body]) => (K::Exists, std::slice::from_ref(one), None, *body),
            ("exists_one" | "existsOne", [one, body]) => {
                (K::ExistsOne, std::slice::from_ref(one), None, *body)
            }
            ("map", [one, body]) => (K::Map, std::slice::from_ref(one), None, *body),
            ("map", [one, filter, body]) => (K::Map, std::slice::from_ref(one), Some(*filter), *body),
            ("filter", [one, filter]) => (K::Filter, std::slice::from_ref(one), Some(*filter), *one),
            ("sortBy", [one, body]) => (K::SortBy, std::slice::from_ref(one), None, *body),
            ("all", [.., body]) if args.len() == 3 => (K::All, args.get(..2)?, None, *body),
            ("exists", [.., body]) if args.len() == 3 => (K::Exists, args.get(..2)?, None, *body),
            ("exists_one" | "existsOne", [.., body]) if args.len() == 3 => {
                (K::ExistsOne, args.get(..2)?, None, *body)
            }
            ("transformList", [_, _, .., body]) => (K::TransformList, args.get(..2)?, chosen(args)?, *body),
            ("transformMap", [_, _, .., body]) => (K::TransformMap, args.get(..2)?, chosen(args)?, *body),
            ("transformMapEntry", [_, _, .., body]) => {
                (K::TransformMapEntry, args.get(..2)?, chosen(args)?, *body)
            }
            ("optMap" | "optFlatMap", [variable, body]) => {
                let flatness = if name == "optMap" { Flatness::Wrapped } else { Flatness::Flat };
                let (variable, body) = (self.variable(*variable)?, *body);
                return Some(
                    self.push(ExprKind::OptionalMap { target: range, variable, body, flatness }, span),
                );
            }
            _ => return None,
        };
        let variables = self.variables(variables)?;
        Some(self.push(ExprKind::Fold { kind, range, variables, filter, body }, span))
    }

    fn variables(&mut self, args: &[ExprId]) -> Option<Vec<Arc<str>>> {
        let names: Vec<Arc<str>> = args.iter().filter_map(|arg| self.variable(*arg)).collect();
        if let [first, second] = names.as_slice()
            && first == second
        {
            let span = args.last().map_or(Span::default(), |arg| self.span(*arg));
            self.misuse(span, &format!("both variables are named `{first}`"), "give each its own name");
        }
        (names.len() == args.len()).then_some(names)
    }

    /// The name that a macro declares.
    fn variable(&mut self, id: ExprId) -> Option<Arc<str>> {
        let name = match self.kind(id) {
            Some(ExprKind::Ident(name)) if !name.starts_with('.') => Some(name.clone()),
            _ => None,
        };
        if name.is_none() {
            let span = self.span(id);
            self.misuse(span, "a macro's variable must be a simple name", "write for instance `x`");
        }
        name
    }

    /// Reports a macro; the brackets match, so that parsing goes on behind it as if nothing were wrong.
    fn misuse(&mut self, span: Span, message: &str, hint: &str) -> ExprId {
        self.fault(DiagnosticCode::Macro, span, message, Some(hint.to_owned()));
        self.push(ExprKind::Fault, span)
    }
}

/// The condition that may stand between two variables and the body; `None` where there are too many arguments.
const fn chosen(args: &[ExprId]) -> Option<Option<ExprId>> {
    match args {
        [_, _, _] => Some(None),
        [_, _, filter, _] => Some(Some(*filter)),
        _ => None,
    }
}

fn index_name(index: usize) -> Arc<str> {
    format!("@index{index}").into()
}
