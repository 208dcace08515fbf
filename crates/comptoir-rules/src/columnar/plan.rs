//! What is found out once for a program and a table, before blocks of rows are evaluated.

use std::sync::{Arc, OnceLock};

use super::column::{Column, Shape};
use super::numbers::Numbers;
use super::pattern::Pattern;
use super::shared::{Members, SharedValue};
use super::table::Table;
use super::text_set::{TextSet, set_of};
use crate::Program;
use crate::ir::{FoldNode, Node, NodeId, NodeKind};
use crate::syntax::{Access, FoldKind};
use crate::types::Type;
use crate::value::{EvalError, Value};

/// A program with the columns of a table.
#[derive(Debug)]
pub(super) struct Plan<'p> {
    pub(super) program: &'p Program,
    pub(super) columns: Vec<Column>,
    /// Rows of the table.
    pub(super) rows: usize,
    ways: Vec<Way>,
    /// Why a function of the host failed: there is no result then.
    pub(super) failed: OnceLock<EvalError>,
}

/// How a node is evaluated.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// Whether nodes above can be evaluated by columns although this one is not.
    pub(super) is_scalar: bool,
    /// About how long a row takes, for the order of clauses.
    pub(super) weight: u32,
    /// The operands of a chain, the cheap ones first.
    pub(super) order: Vec<NodeId>,
    /// The slot with a dictionary that is all the node depends on.
    pub(super) dictionary: Option<u32>,
    table: OnceLock<Option<Table>>,
    pub(super) set: Option<TextSet>,
    pub(super) pattern: Option<Pattern>,
    /// Whether the body of a macro reads more than the macro's variable.
    pub(super) reads_outside: bool,
    /// Whether the value is the same for all rows.
    pub(super) is_shared: bool,
    pub(super) shared: OnceLock<SharedValue>,
    /// What `in` looks in, if that is the same for all rows.
    pub(super) members: OnceLock<Option<Box<Members>>>,
}

impl<'p> Plan<'p> {
    pub(super) fn new(program: &'p Program, columns: Vec<Column>, rows: usize) -> Self {
        let mut plan = Self { program, columns, rows, ways: Vec::new(), failed: OnceLock::new() };
        let mut ways: Vec<Way> = program.nodes().iter().map(|_| Way::default()).collect();
        let mut sources: Vec<Source> = Vec::with_capacity(ways.len());
        let mut reaches: Vec<Option<u16>> = Vec::with_capacity(ways.len());
        for (node, way) in program.nodes().iter().zip(&mut ways) {
            let reach = plan.reach(node, &reaches);
            way.is_shared = reach == Some(0);
            let source = if way.is_shared { Source::None } else { plan.source(node, &sources) };
            if let (Source::Slot(slot), Type::Bool) = (source, &node.ty)
                && !matches!(node.kind, NodeKind::Slot(_))
                && plan.has_small_dictionary(slot)
            {
                way.dictionary = Some(slot);
            }
            sources.push(source);
            reaches.push(reach);
        }
        plan.visit(program.root(), &mut Vec::new(), &mut ways);
        plan.ways = ways;
        plan
    }

    pub(super) fn way(&self, id: NodeId) -> &Way {
        static NONE: Way = Way {
            is_scalar: false,
            weight: 0,
            order: Vec::new(),
            dictionary: None,
            table: OnceLock::new(),
            set: None,
            pattern: None,
            reads_outside: false,
            is_shared: false,
            shared: OnceLock::new(),
            members: OnceLock::new(),
        };
        self.ways.get(id.index()).unwrap_or(&NONE)
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.program.nodes().get(id.index())
    }

    pub(super) fn kind(&self, id: NodeId) -> &NodeKind {
        static NONE: NodeKind = NodeKind::Const(Value::Null);
        self.node(id).map_or(&NONE, |node| &node.kind)
    }

    fn has_small_dictionary(&self, slot: u32) -> bool {
        match self.columns.get(slot as usize).map(|column| &column.shape) {
            Some(Shape::Dictionary(_, values)) => values.length() <= self.rows,
            _ => false,
        }
    }

    fn source(&self, node: &Node, sources: &[Source]) -> Source {
        let of = |id: &NodeId| sources.get(id.index()).copied().unwrap_or(Source::Many);
        match &node.kind {
            NodeKind::Slot(slot) | NodeKind::HasSlot(slot) => Source::Slot(*slot),
            NodeKind::Local { .. } => Source::Many,
            NodeKind::Call { overloads, .. } if !overloads.iter().all(|overload| overload.is_library()) => {
                Source::Many
            }
            kind => crate::ir::operands(kind).map(|id| of(&id)).fold(Source::None, Source::join),
        }
    }

    /// Finds the way of a node and all under it, with the columns of the macros around it. Gives whether it can be
    /// evaluated by columns inside of a macro.
    fn visit<'c>(&'c self, id: NodeId, around: &mut Vec<Element<'c>>, ways: &mut [Way]) -> bool {
        let Some(node) = self.node(id) else { return false };
        if ways.get(id.index()).is_some_and(|way| way.is_shared) {
            return true;
        }
        let own = self.visit_operands(id, node, around, ways);
        let weight = self.weight(id, own, around, ways);
        let order = match &node.kind {
            NodeKind::And(list) | NodeKind::Or(list) => {
                let mut order = list.to_vec();
                order.sort_by_key(|id| ways.get(id.index()).map_or(0, |way| way.weight));
                order
            }
            _ => Vec::new(),
        };
        if let Some(way) = ways.get_mut(id.index()) {
            way.is_scalar = !own;
            way.weight = weight;
            way.order = order;
            self.prepare(&node.kind, way);
        }
        own
    }

    /// Visits what is under a node, and gives whether the node itself can be evaluated by columns.
    fn visit_operands<'c>(
        &'c self,
        id: NodeId,
        node: &Node,
        around: &mut Vec<Element<'c>>,
        ways: &mut [Way],
    ) -> bool {
        match &node.kind {
            NodeKind::Const(_) | NodeKind::Slot(_) | NodeKind::HasSlot(_) => true,
            NodeKind::Local { up, index } => is_column(around, *up, *index),
            NodeKind::Field { operand, .. } => {
                self.visit(*operand, around, ways);
                self.element(id, around).is_some()
            }
            NodeKind::HasField { operand, .. } => {
                self.visit(*operand, around, ways)
                    && self
                        .element(*operand, around)
                        .is_some_and(|(column, _)| matches!(column.shape, Shape::Struct(..)))
            }
            NodeKind::Fold(fold) => self.visit_fold(fold, around, ways),
            NodeKind::And(_)
            | NodeKind::Or(_)
            | NodeKind::Not(_)
            | NodeKind::Negate(_)
            | NodeKind::Binary { .. }
            | NodeKind::InSet { .. }
            | NodeKind::Matches { .. }
            | NodeKind::Conditional { .. }
            | NodeKind::Call { .. } => {
                let operands: Vec<NodeId> = crate::ir::operands(&node.kind).collect();
                // All are visited, whatever one of them is.
                operands.iter().filter(|id| !self.visit(**id, around, ways)).count() == 0
            }
            _ => false,
        }
    }

    /// What a kind of node needs beside its operands.
    fn prepare(&self, kind: &NodeKind, way: &mut Way) {
        match kind {
            NodeKind::InSet { set, .. } => way.set = set_of(set),
            NodeKind::Matches { regex, .. } => way.pattern = Pattern::of(regex),
            NodeKind::Fold(fold) => {
                let filter = fold.filter.is_some_and(|filter| self.reads_outside(filter, 0));
                way.reads_outside = filter || self.reads_outside(fold.body, 0);
            }
            _ => {}
        }
    }

    fn visit_fold<'c>(&'c self, fold: &FoldNode, around: &mut Vec<Element<'c>>, ways: &mut [Way]) -> bool {
        self.visit(fold.range, around, ways);
        let is_known = !fold.is_pair
            && matches!(
                fold.kind,
                FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne | FoldKind::Map | FoldKind::Filter
            );
        let elements = match self.element(fold.range, around) {
            // Lists of an outer scope do not lie side by side.
            Some((Column { shape: Shape::List(_, elements), .. }, 0)) if is_known => &**elements,
            _ => return false,
        };
        around.push(Element { column: elements });
        let filter = fold.filter.is_none_or(|filter| self.visit(filter, around, ways));
        let body = self.visit(fold.body, around, ways);
        around.pop();
        filter && body
    }

    /// The column that a leaf reads, and how many scopes further out it is.
    fn element<'c>(&'c self, id: NodeId, around: &[Element<'c>]) -> Option<(&'c Column, usize)> {
        match self.kind(id) {
            NodeKind::Slot(slot) => Some((self.columns.get(*slot as usize)?, around.len())),
            NodeKind::Local { up, index: 0 } => {
                let place = around.len().checked_sub(usize::from(*up) + 1)?;
                Some((around.get(place)?.column, usize::from(*up)))
            }
            NodeKind::Field { operand, place: Some((of, index)), access: Access::Plain, .. } => {
                let (column, up) = self.element(*operand, around)?;
                Some((column.field(of, *index)?, up))
            }
            _ => None,
        }
    }

    /// Whether a node reads an input, or a variable more than `depth` scopes further out.
    fn reads_outside(&self, id: NodeId, depth: u16) -> bool {
        match self.kind(id) {
            NodeKind::Slot(slot) | NodeKind::HasSlot(slot) => !self.is_shared_slot(*slot),
            NodeKind::Local { up, .. } => *up > depth,
            NodeKind::Fold(fold) => {
                let inside = |id: NodeId| self.reads_outside(id, depth + 1);
                self.reads_outside(fold.range, depth) || inside(fold.body) || fold.filter.is_some_and(inside)
            }
            kind => crate::ir::operands(kind).any(|id| self.reads_outside(id, depth)),
        }
    }

    fn weight(&self, id: NodeId, is_walked: bool, around: &[Element<'_>], ways: &[Way]) -> u32 {
        if let Some(slot) = ways.get(id.index()).and_then(|way| way.dictionary) {
            return self.table_weight(slot);
        }
        let weight = |id: NodeId| ways.get(id.index()).map_or(0, |way| way.weight);
        let kind = self.kind(id);
        if let Some((column, _)) = self.element(id, around) {
            return column.weight();
        }
        let under: u32 = crate::ir::operands(kind).map(weight).fold(0, u32::saturating_add);
        let own = match kind {
            _ if !is_walked => 300,
            NodeKind::Matches { .. } => 60,
            NodeKind::InSet { .. } => 4,
            NodeKind::Fold(_) => 40,
            NodeKind::Call { function, .. } => match &**function {
                "startsWith" | "endsWith" | "double" => 2,
                "contains" => 15,
                _ => 60,
            },
            _ => 1,
        };
        under.saturating_add(own)
    }

    /// Small tables are in registers.
    fn table_weight(&self, slot: u32) -> u32 {
        match self.columns.get(slot as usize).map(|column| &column.shape) {
            Some(Shape::Dictionary(_, values)) if values.length() > 256 => 4,
            _ => 2,
        }
    }

    /// The table of a node that depends on a dictionary only; `None` where making it takes more than the budget.
    pub(super) fn table(&self, id: NodeId) -> Option<(&Table, &Numbers, &Column)> {
        let way = self.way(id);
        let column = self.columns.get(way.dictionary? as usize)?;
        let Shape::Dictionary(keys, values) = &column.shape else { return None };
        let table = way.table.get_or_init(|| self.make_table(id, way.dictionary?, values));
        Some((table.as_ref()?, keys, column))
    }
}

/// The inputs that a node depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    None,
    Slot(u32),
    Many,
}

impl Source {
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, other) | (other, Self::None) => other,
            (one, other) if one == other => one,
            _ => Self::Many,
        }
    }
}

/// The column that a macro's variable goes over.
struct Element<'c> {
    column: &'c Column,
}

fn is_column(around: &[Element<'_>], up: u16, index: u16) -> bool {
    usize::from(up) < around.len() && index == 0
}

impl Column {
    /// About how long reading a row takes.
    const fn weight(&self) -> u32 {
        match self.shape {
            Shape::Text(_) | Shape::Dictionary(..) | Shape::Decimal(_) => 8,
            Shape::List(..) | Shape::Struct(..) | Shape::Map(..) | Shape::Fields(..) => 60,
            _ => 1,
        }
    }

    /// The column of a field of a declared struct.
    pub(super) fn field(&self, of: &Arc<crate::types::StructType>, index: u32) -> Option<&Column> {
        match &self.shape {
            Shape::Struct(own, fields) if own.name() == of.name() => fields.get(index as usize),
            _ => None,
        }
    }
}
