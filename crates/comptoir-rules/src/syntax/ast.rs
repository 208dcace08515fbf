use std::sync::Arc;

use super::{Literal, Span};

/// The tree of one expression, in an arena: dropping it needs no recursion, and a node is a number.
#[derive(Debug, Clone)]
pub struct Ast {
    pub(crate) source: Arc<str>,
    pub(crate) exprs: Vec<Expr>,
    pub(crate) root: ExprId,
}

impl Ast {
    /// The text that was parsed.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The outermost node.
    #[must_use]
    pub const fn root(&self) -> ExprId {
        self.root
    }

    /// A node. Numbers of this tree always have one.
    #[must_use]
    pub fn get(&self, id: ExprId) -> &Expr {
        static MISSING: Expr = Expr { kind: ExprKind::Fault, span: Span { start: 0, end: 0 }, depth: 0 };
        self.exprs.get(id.index()).unwrap_or(&MISSING)
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exprs.len()
    }

    /// The expression as text, written anew: macros as they are written, parentheses where they are needed.
    #[must_use]
    pub fn to_text(&self) -> String {
        super::unparse(self)
    }

    /// Whether there are no nodes, which no parsed tree has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exprs.is_empty()
    }

    /// The name that a chain of plain selections starts with.
    pub(crate) fn root_name(&self, id: ExprId) -> Option<&str> {
        match &self.get(id).kind {
            ExprKind::Ident(name) => Some(name),
            ExprKind::Select { operand, access: Access::Plain, .. } => self.root_name(*operand),
            _ => None,
        }
    }

    /// The name `a.b.c` that a chain of plain selections spells, if it is one.
    pub(crate) fn qualified_name(&self, id: ExprId) -> Option<String> {
        match &self.get(id).kind {
            ExprKind::Ident(name) => Some(name.to_string()),
            ExprKind::Select { operand, field, access: Access::Plain } => {
                let mut name = self.qualified_name(*operand)?;
                name.push('.');
                name.push_str(field);
                Some(name)
            }
            _ => None,
        }
    }
}

/// The number of a node in its [`Ast`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprId(pub(crate) u32);

impl ExprId {
    /// The number as an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A node of the tree.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
    pub span: Span,
    /// Levels of nodes under it and itself.
    pub(crate) depth: u16,
}

/// Kinds of nodes. Macros are nodes of their own, not loops written out: so every later stage sees what is meant.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// A name; one that starts with `.` is looked up in the root scope only.
    Ident(Arc<str>),
    /// `operand.field`, `operand.?field`
    Select {
        /// What is selected from.
        operand: ExprId,
        /// The field.
        field: Arc<str>,
        /// With or without `?`.
        access: Access,
    },
    /// `has(operand.field)`
    Has {
        /// What is selected from.
        operand: ExprId,
        /// The field.
        field: Arc<str>,
    },
    /// `operand[index]`, `operand[?index]`
    Index {
        /// The list or map.
        operand: ExprId,
        /// The position or key.
        index: ExprId,
        /// With or without `?`.
        access: Access,
    },
    /// `function(args)`, `target.function(args)`
    Call {
        /// The name as written.
        function: Arc<str>,
        /// What the function is called on.
        target: Option<ExprId>,
        /// The arguments.
        args: Vec<ExprId>,
    },
    /// `!x`, `-x`
    Unary {
        /// The operator.
        op: UnaryOp,
        /// The operand.
        operand: ExprId,
    },
    /// Arithmetic, comparison and `in`.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left operand.
        left: ExprId,
        /// Right operand.
        right: ExprId,
    },
    /// A chain of `&&` or of `||`; both are associative, so that a chain is one node.
    Logic {
        /// The operator.
        op: LogicOp,
        /// Two operands or more.
        operands: Vec<ExprId>,
    },
    /// `condition ? then : otherwise`
    Conditional {
        /// What decides.
        condition: ExprId,
        /// The value where it is true.
        then: ExprId,
        /// The value where it is false.
        otherwise: ExprId,
    },
    /// `[a, ?b]`
    List(Vec<Element>),
    /// `{k: v, ?k: v}`
    Map(Vec<Entry>),
    /// `Type{field: value}`
    Message {
        /// The type's name.
        name: Arc<str>,
        /// The fields.
        fields: Vec<Field>,
    },
    /// A macro that goes over a list or map.
    Fold {
        /// Which macro.
        kind: FoldKind,
        /// The list or map.
        range: ExprId,
        /// The variables: one, or index and value, or key and value.
        variables: Vec<Arc<str>>,
        /// The condition of `filter`, and of the macros that have one beside the body.
        filter: Option<ExprId>,
        /// What is computed for each element.
        body: ExprId,
    },
    /// `cel.bind` and `cel.block`: names for values that are computed when they are first needed.
    Block {
        /// Names and values; each value sees the names before it.
        bindings: Vec<(Arc<str>, ExprId)>,
        /// What is computed with them.
        body: ExprId,
    },
    /// `target.optMap(variable, body)`, `target.optFlatMap(variable, body)`
    OptionalMap {
        /// The optional.
        target: ExprId,
        /// The name of its value.
        variable: Arc<str>,
        /// What is computed from it.
        body: ExprId,
        /// Whether the body's value is wrapped, or is an optional itself.
        flatness: Flatness,
    },
    /// A place where the source has a fault.
    Fault,
}

/// An element of a list literal.
#[derive(Debug, Clone, Copy)]
pub struct Element {
    /// The value.
    pub value: ExprId,
    /// With `?`, the value is an optional, and left out where it is none.
    pub access: Access,
}

/// An entry of a map literal.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The key.
    pub key: ExprId,
    /// The value.
    pub value: ExprId,
    /// With `?`, the value is an optional, and the entry left out where it is none.
    pub access: Access,
}

/// A field of a message literal.
#[derive(Debug, Clone)]
pub struct Field {
    /// The field's name.
    pub name: Arc<str>,
    /// Where the name is.
    pub span: Span,
    /// The value.
    pub value: ExprId,
    /// With `?`, the value is an optional, and the field left unset where it is none.
    pub access: Access,
}

/// Whether a selection or an entry is written with `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Without: what is missing is an error.
    Plain,
    /// With: what is missing is none.
    Optional,
}

/// `optMap` or `optFlatMap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flatness {
    /// The body's value is wrapped in an optional.
    Wrapped,
    /// The body is an optional.
    Flat,
}

/// `!` and unary `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// `&&` and `||`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogicOp {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
}

impl BinaryOp {
    /// The function behind the operator, as CEL names it.
    #[must_use]
    pub const fn function(self) -> &'static str {
        match self {
            Self::Add => "_+_",
            Self::Subtract => "_-_",
            Self::Multiply => "_*_",
            Self::Divide => "_/_",
            Self::Modulo => "_%_",
            Self::Equal => "_==_",
            Self::NotEqual => "_!=_",
            Self::Less => "_<_",
            Self::LessEqual => "_<=_",
            Self::Greater => "_>_",
            Self::GreaterEqual => "_>=_",
            Self::In => "@in",
        }
    }

    /// The operator as it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::In => "in",
            other => other.function().trim_matches('_'),
        }
    }
}

/// The macros that go over a list or map. With two variables these are index and value, or key and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FoldKind {
    /// Whether all elements satisfy the body.
    All,
    /// Whether one element at least satisfies the body.
    Exists,
    /// Whether exactly one element satisfies the body.
    ExistsOne,
    /// A list of the body's values; `filter`, if there is one, chooses the elements.
    Map,
    /// A list of the elements that satisfy the body.
    Filter,
    /// A list of the body's values, with two variables.
    TransformList,
    /// A map of the keys with the body's values.
    TransformMap,
    /// A map of the entries that the body gives as maps.
    TransformMapEntry,
    /// The elements in the order of the body's values.
    SortBy,
}
