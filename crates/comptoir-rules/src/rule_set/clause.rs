use hashbrown::HashMap;

use super::reader::Reader;
use super::share::ShareOf;
use super::slots::SlotTable;
use super::vocabulary::{Axis, Dictionary, Direction, range};
use crate::eval::{Quick, quick_ways};
use crate::ir::{Node, NodeId, NodeKind, operands};
use crate::program::Program;
use crate::syntax::{BinaryOp, Written, unparse_with};
use crate::value::Value;

/// One operand of a rule's `&&`, the same for all rules that have it.
///
/// Clauses on one input are comparisons of numbers: the input's value is looked up once for an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Clause {
    Equal {
        dictionary: u32,
        code: u32,
    },
    NotEqual {
        dictionary: u32,
        code: u32,
    },
    In {
        dictionary: u32,
        codes: Box<[u32]>,
    },
    /// `side` is twice the axis, and one more where the rank is counted from above.
    Rank {
        side: u32,
        threshold: i32,
    },
    /// An element of a list is one of the constants. Where the dictionary does not say so, the expression does.
    Any {
        dictionary: u32,
        codes: Box<[u32]>,
        general: u32,
    },
    /// The unit of the event is in a share; in a box, so that other clauses stay small.
    Share(Box<ShareOf>),
    General(u32),
}

/// A part of a program that is evaluated by the machine.
#[derive(Debug)]
pub(super) struct General {
    pub code: u32,
    pub node: NodeId,
    /// The variables that it reads, and those that these read, in order.
    pub needs: Box<[u32]>,
    /// Whether several rules have it, so that its truth is kept for the event.
    pub is_shared: bool,
}

/// The nodes of a program; their slots are those of the set.
#[derive(Debug)]
pub(super) struct Code {
    pub nodes: Vec<Node>,
    pub quick: Box<[Option<Quick>]>,
}

/// Collects the clauses of all rules.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    pub slots: SlotTable,
    pub dictionaries: Vec<Dictionary>,
    dictionary_of: HashMap<(u32, bool), u32>,
    axes: Vec<AxisDraft>,
    axis_of: HashMap<(u32, std::mem::Discriminant<Value<'static>>), u32>,
    pub list: Vec<Clause>,
    number_of: HashMap<Clause, u32>,
    pub generals: Vec<General>,
    general_of: HashMap<String, u32>,
    pub codes: Vec<Code>,
}

#[derive(Debug)]
struct AxisDraft {
    slot: u32,
    constants: Vec<Value<'static>>,
    /// Places of constants that are numbers, by their bits.
    known: HashMap<u64, u32>,
}

/// The alternatives of a condition, each a list of clauses that must all hold.
pub(super) type Branches = Vec<Vec<u32>>;

impl Clauses {
    /// The clauses of a condition.
    pub(super) fn condition(&mut self, program: Program) -> Branches {
        let root = program.root();
        let (ast, nodes, slots) = program.into_parts();
        let mut reader = Reader { ast: &ast, nodes: &nodes, slots: Vec::new(), kept: None };
        reader.slots = slots.iter().map(|slot| self.slots.number(slot)).collect();
        let branches = match reader.kind(root) {
            Some(NodeKind::Or(operands)) => {
                operands.iter().map(|operand| self.conjunction(&mut reader, *operand)).collect()
            }
            _ => vec![self.conjunction(&mut reader, root)],
        };
        let Reader { slots, kept, .. } = reader;
        if kept.is_some() {
            self.keep(nodes, &slots);
        }
        branches
    }

    /// A whole expression as something to evaluate.
    pub(super) fn expression(&mut self, program: Program) -> u32 {
        let root = program.root();
        let (_, nodes, slots) = program.into_parts();
        let slots: Vec<u32> = slots.iter().map(|slot| self.slots.number(slot)).collect();
        let needs = self.needs(&nodes, root, &slots);
        let code = self.keep(nodes, &slots);
        self.generals.push(General { code, node: root, needs, is_shared: false });
        number(self.generals.len() - 1)
    }

    /// A bound on an input that no source says; the lower one is inside, the upper one is not.
    pub(super) fn bound(&mut self, slot: u32, direction: Direction, constant: &Value<'static>) -> u32 {
        let clause = self.rank(slot, direction, direction == Direction::Below, constant);
        self.add(clause)
    }

    /// A share of units.
    pub(super) fn share(&mut self, share: ShareOf) -> u32 {
        self.add(Clause::Share(Box::new(share)))
    }

    fn conjunction(&mut self, reader: &mut Reader<'_>, node: NodeId) -> Vec<u32> {
        let mut stack = vec![node];
        let mut clauses: Vec<u32> = Vec::new();
        while let Some(operand) = stack.pop() {
            if let Some(NodeKind::And(operands)) = reader.kind(operand) {
                stack.extend(operands.iter().rev());
                continue;
            }
            if matches!(reader.kind(operand), Some(NodeKind::Const(Value::Bool(true)))) {
                continue;
            }
            let clause = match self.simple(reader, operand) {
                Some(clause) => clause,
                None => self.general_or_any(reader, operand),
            };
            clauses.push(self.add(clause));
        }
        // Cheap ones first: where one is false, the others are not evaluated.
        clauses.sort_by_key(|clause| matches!(self.list.get(*clause as usize), Some(Clause::General(_))));
        clauses
    }

    fn add(&mut self, clause: Clause) -> u32 {
        let next = number(self.list.len());
        match self.number_of.get(&clause) {
            Some(known) => *known,
            None => {
                self.list.push(clause.clone());
                self.number_of.insert(clause, next);
                next
            }
        }
    }

    /// A clause that compares one input with constants.
    fn simple(&mut self, reader: &Reader<'_>, node: NodeId) -> Option<Clause> {
        match reader.kind(node)? {
            NodeKind::Binary { op, left, right } => {
                let (slot, op, constant) = match (reader.kind(*left)?, reader.kind(*right)?) {
                    (NodeKind::Slot(slot), NodeKind::Const(constant)) => (*slot, *op, constant),
                    (NodeKind::Const(constant), NodeKind::Slot(slot)) => (*slot, flipped(*op)?, constant),
                    _ => return None,
                };
                let slot = reader.slot(slot)?;
                match op {
                    BinaryOp::Equal | BinaryOp::NotEqual if Dictionary::takes(constant) => {
                        let dictionary = self.dictionary(slot, false);
                        let code = self.dictionaries.get_mut(dictionary as usize)?.add(constant);
                        Some(match op {
                            BinaryOp::Equal => Clause::Equal { dictionary, code },
                            _ => Clause::NotEqual { dictionary, code },
                        })
                    }
                    _ if Axis::takes(constant) => {
                        let (direction, is_strict) = range(op)?;
                        Some(self.rank(slot, direction, is_strict, constant))
                    }
                    _ => None,
                }
            }
            NodeKind::InSet { operand, set } => {
                let NodeKind::Slot(slot) = reader.kind(*operand)? else { return None };
                if !set.values().iter().all(Dictionary::takes) {
                    return None;
                }
                let dictionary = self.dictionary(reader.slot(*slot)?, false);
                let constants = self.dictionaries.get_mut(dictionary as usize)?;
                let mut codes: Vec<u32> = set.values().iter().map(|value| constants.add(value)).collect();
                codes.sort_unstable();
                codes.dedup();
                Some(Clause::In { dictionary, codes: codes.into() })
            }
            _ => None,
        }
    }

    fn general_or_any(&mut self, reader: &mut Reader<'_>, node: NodeId) -> Clause {
        let general = self.general(reader, node);
        let Some((slot, constants)) = reader.any(node) else { return Clause::General(general) };
        let dictionary = self.dictionary(slot, true);
        let Some(known) = self.dictionaries.get_mut(dictionary as usize) else {
            return Clause::General(general);
        };
        let mut codes: Vec<u32> = constants.into_iter().map(|value| known.add(value)).collect();
        codes.sort_unstable();
        codes.dedup();
        Clause::Any { dictionary, codes: codes.into(), general }
    }

    /// The number of an expression for the machine.
    fn general(&mut self, reader: &mut Reader<'_>, node: NodeId) -> u32 {
        let expr = reader.nodes.get(node.index()).map_or(reader.ast.root(), |node| node.expr);
        let text = unparse_with(reader.ast, expr, &mut |_| Written::Node);
        if let Some(known) = self.general_of.get(&text) {
            if let Some(general) = self.generals.get_mut(*known as usize) {
                general.is_shared = true;
            }
            return *known;
        }
        let needs = self.needs(reader.nodes, node, &reader.slots);
        let code = *reader.kept.get_or_insert_with(|| number(self.codes.len()));
        let next = number(self.generals.len());
        self.generals.push(General { code, node, needs, is_shared: false });
        self.general_of.insert(text, next);
        next
    }

    fn keep(&mut self, mut nodes: Vec<Node>, slots: &[u32]) -> u32 {
        for node in &mut nodes {
            if let NodeKind::Slot(slot) | NodeKind::HasSlot(slot) = &mut node.kind {
                *slot = slots.get(*slot as usize).copied().unwrap_or(u32::MAX);
            }
        }
        self.codes.push(Code { nodes, quick: Box::default() });
        number(self.codes.len() - 1)
    }

    fn needs(&self, nodes: &[Node], root: NodeId, slots: &[u32]) -> Box<[u32]> {
        let mut stack = vec![root];
        let mut read = Vec::new();
        while let Some(id) = stack.pop() {
            let Some(node) = nodes.get(id.index()) else { continue };
            if let NodeKind::Slot(slot) | NodeKind::HasSlot(slot) = &node.kind {
                read.extend(slots.get(*slot as usize).copied());
            }
            stack.extend(operands(&node.kind));
        }
        self.slots.needs(&read)
    }

    fn dictionary(&mut self, slot: u32, is_list: bool) -> u32 {
        *self.dictionary_of.entry((slot, is_list)).or_insert_with(|| {
            self.dictionaries.push(Dictionary::new(slot, is_list));
            number(self.dictionaries.len() - 1)
        })
    }

    /// Until [`Clauses::finish`] the threshold is twice the constant's number, and one more where it is strict.
    fn rank(
        &mut self,
        slot: u32,
        direction: Direction,
        is_strict: bool,
        constant: &Value<'static>,
    ) -> Clause {
        let axis = *self.axis_of.entry((slot, std::mem::discriminant(constant))).or_insert_with(|| {
            self.axes.push(AxisDraft { slot, constants: Vec::new(), known: HashMap::new() });
            number(self.axes.len() - 1)
        });
        let place = self.axes.get_mut(axis as usize).map_or(0, |draft| draft.place(constant));
        let side = axis * 2 + u32::from(direction == Direction::Below);
        let threshold = i32::try_from(place * 2 + u32::from(is_strict)).unwrap_or(i32::MAX);
        Clause::Rank { side, threshold }
    }

    /// Sorts the axes, turns places of constants into thresholds, and gives inputs and variables their final numbers.
    pub(super) fn finish(&mut self) -> Vec<Axis> {
        self.number_of = HashMap::new();
        self.general_of = HashMap::new();
        let slots = &self.slots;
        let (axes, places): (Vec<Axis>, Vec<Vec<u32>>) = std::mem::take(&mut self.axes)
            .into_iter()
            .map(|draft| Axis::new(slots.finally(draft.slot), &draft.constants))
            .unzip();
        for clause in &mut self.list {
            let Clause::Rank { side, threshold } = clause else { continue };
            let axis = (*side / 2) as usize;
            let (Some(ranks), Some(places)) = (axes.get(axis), places.get(axis)) else { continue };
            let direction = if *side % 2 == 0 { Direction::Above } else { Direction::Below };
            let place = usize::try_from(*threshold / 2).ok().and_then(|place| places.get(place));
            *threshold = ranks.threshold(place.copied().unwrap_or(0), direction, *threshold % 2 == 1);
        }
        for dictionary in &mut self.dictionaries {
            dictionary.slot = slots.finally(dictionary.slot);
        }
        for code in &mut self.codes {
            for node in &mut code.nodes {
                if let NodeKind::Slot(slot) | NodeKind::HasSlot(slot) = &mut node.kind {
                    *slot = slots.finally(*slot);
                }
            }
            code.quick = quick_ways(&code.nodes);
        }
        axes
    }
}

impl AxisDraft {
    fn place(&mut self, constant: &Value<'static>) -> u32 {
        let next = number(self.constants.len());
        let bits = match constant {
            Value::Int(value) => Some(value.cast_unsigned()),
            Value::Double(value) => Some(value.to_bits()),
            _ => None,
        };
        let place = bits.map_or(next, |bits| *self.known.entry(bits).or_insert(next));
        if place == next {
            self.constants.push(constant.clone());
        }
        place
    }
}

const fn flipped(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::Equal => BinaryOp::Equal,
        BinaryOp::NotEqual => BinaryOp::NotEqual,
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessEqual => BinaryOp::GreaterEqual,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterEqual => BinaryOp::LessEqual,
        _ => return None,
    })
}

pub(super) fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
