//! The typed intermediate form that every evaluator shares: names are slots and locals, constants are folded, regular
//! expressions and sets of literals are compiled.
//!
//! A [`Program`](crate::Program) gives its nodes by [`nodes`](crate::Program::nodes); a node refers to others by
//! [`NodeId`], always to lower numbers, so that a pass from the first node to the last sees operands before what uses
//! them. Dropping the arena needs no recursion.

mod constant;
mod cut;
mod lower;
mod message;
mod operands;
mod path;
mod set;

use std::sync::Arc;

use regex::Regex;

pub(crate) use crate::check::Message;
pub(crate) use constant::{compile_regex, is_leaf};
pub(crate) use cut::cut_out;
pub(crate) use lower::{SlotPlaces, lower};
pub(crate) use operands::{each_operand, operands};
pub use set::LiteralSet;

use crate::syntax::{Access, BinaryOp, ExprId, Flatness, FoldKind, Span};
use crate::types::{Overload, StructType, Type};
use crate::value::{EvalError, Value};

/// The number of a node in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The number as an index.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A node with its type.
#[derive(Debug, Clone)]
pub struct Node {
    /// What is computed.
    pub kind: NodeKind,
    /// The type of its value; [`Type::Dyn`] in a program that was not checked.
    pub ty: Type,
    /// The part of the source that it stands for.
    pub span: Span,
    /// The node of the tree that it comes from.
    pub expr: ExprId,
    /// What it costs without its operands, but with those operands that are leaves: constants, slots, locals, and
    /// fields of leaves. So a clause is charged once.
    pub charge: u32,
}

/// Kinds of nodes.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// A constant.
    Const(Value<'static>),
    /// An input, by its place in [`Program::slots`](crate::Program::slots).
    Slot(u32),
    /// Whether an input is there, and for a field of a struct also not null.
    HasSlot(u32),
    /// A macro's variable: so many scopes out, and the place in the scope.
    Local {
        /// Scopes between the use and the scope: 0 is the innermost.
        up: u16,
        /// Place in the scope.
        index: u16,
    },
    /// A field of a map or struct.
    Field {
        /// What it is a field of.
        operand: NodeId,
        /// The name.
        name: Arc<str>,
        /// The struct type of the operand and the place of the field in it, where they are known.
        place: Option<(Arc<StructType>, u32)>,
        /// With or without `?`.
        access: Access,
    },
    /// Whether a map or struct has a field.
    HasField {
        /// What it is a field of.
        operand: NodeId,
        /// The name.
        name: Arc<str>,
    },
    /// An element of a list or map.
    Index {
        /// The list or map.
        operand: NodeId,
        /// The position or key.
        index: NodeId,
        /// With or without `?`.
        access: Access,
    },
    /// `!`
    Not(NodeId),
    /// Unary `-`.
    Negate(NodeId),
    /// Arithmetic, comparison and `in`.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left operand.
        left: NodeId,
        /// Right operand.
        right: NodeId,
    },
    /// A chain of `&&`.
    And(Box<[NodeId]>),
    /// A chain of `||`.
    Or(Box<[NodeId]>),
    /// `condition ? then : otherwise`
    Conditional {
        /// What decides.
        condition: NodeId,
        /// The value where it is true.
        then: NodeId,
        /// The value where it is false.
        otherwise: NodeId,
    },
    /// A function. Where there are several overloads the arguments decide at run time.
    Call {
        /// Its name.
        function: Arc<str>,
        /// The overloads that may take the arguments.
        overloads: Box<[Arc<Overload>]>,
        /// The arguments, the receiver first.
        args: Box<[NodeId]>,
    },
    /// `operand in [literals]`
    InSet {
        /// What is looked for.
        operand: NodeId,
        /// The literals.
        set: Arc<LiteralSet>,
    },
    /// `operand.matches("literal")`
    Matches {
        /// The text.
        operand: NodeId,
        /// The pattern.
        regex: Arc<Regex>,
    },
    /// A list literal with a part that is not constant.
    List(Box<[(NodeId, Access)]>),
    /// A map literal with a part that is not constant.
    Map(Box<[(NodeId, NodeId, Access)]>),
    /// A message literal.
    Message(Box<MessageNode>),
    /// A macro over a list or map.
    Fold(Box<FoldNode>),
    /// Values with names, computed when they are first needed: a scope with a place for each.
    Block {
        /// The values; each may use those before it.
        bindings: Box<[NodeId]>,
        /// What is computed with them.
        body: NodeId,
    },
    /// `optMap`, `optFlatMap`: a scope with one place.
    OptionalMap {
        /// The optional.
        target: NodeId,
        /// What is computed from its value.
        body: NodeId,
        /// Whether the value is wrapped.
        flatness: Flatness,
    },
    /// `operand.orValue(alternative)`; flat: `operand.or(alternative)`.
    OptionalOr {
        /// The optional.
        operand: NodeId,
        /// What stands in for none.
        alternative: NodeId,
        /// Whether the alternative is an optional too.
        flatness: Flatness,
    },
    /// An error, if it is evaluated.
    Fail(Arc<EvalError>),
}

/// A macro over a list or map: for each element a scope with one place, or two with [`FoldNode::is_pair`].
#[derive(Debug, Clone)]
pub struct FoldNode {
    /// Which macro.
    pub kind: FoldKind,
    /// What it goes over.
    pub range: NodeId,
    /// Whether there are two variables: index and value, or key and value.
    pub is_pair: bool,
    /// The condition that chooses elements.
    pub filter: Option<NodeId>,
    /// What is computed for each element.
    pub body: NodeId,
}

/// A message literal.
#[derive(Debug, Clone)]
pub struct MessageNode {
    pub(crate) message: Message,
    /// Names and values of the fields.
    pub fields: Vec<(Arc<str>, NodeId, Access)>,
}

/// An input of a program: a variable, or a field of a variable of a struct type, so that a host gives just what the
/// program reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The variable, then fields.
    pub path: Vec<Arc<str>>,
    /// The path with dots.
    pub name: Arc<str>,
    /// The declared type; [`Type::Dyn`] in a program that was not checked.
    pub ty: Type,
}
