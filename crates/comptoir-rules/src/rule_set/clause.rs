use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::reader::{Condition, Expression, Part};
use super::share::ShareOf;
use super::slots::SlotTable;
use super::vocabulary::{Axis, Dictionary, Direction, range};
use crate::eval::{Quick, quick_ways};
use crate::ir::{Node, NodeId, NodeKind, cut_out};
use crate::program::Program;
use crate::syntax::BinaryOp;
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

/// An expression that is evaluated by the machine: nodes, the outermost last. Their slots are those of the set.
#[derive(Debug)]
pub(super) struct General {
    pub nodes: Box<[Node]>,
    /// None where the expression is seldom asked: see [`Clause::Any`].
    pub quick: Box<[Option<Quick>]>,
    /// The variables that it reads, and those that these read, in order.
    pub needs: Box<[u32]>,
    /// Whether several rules have it, so that its truth is kept for the event.
    pub is_shared: bool,
    /// Whether a dictionary gives its truth for most events.
    is_fallback: bool,
}

impl General {
    /// The outermost node.
    pub(super) fn root(&self) -> NodeId {
        NodeId(number(self.nodes.len()).saturating_sub(1))
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        let texts = |node: &Node| match &node.kind {
            NodeKind::InSet { set, .. } => set.bytes(),
            _ => 0,
        };
        size_of::<Self>()
            + size_of_val(&*self.nodes)
            + size_of_val(&*self.quick)
            + self.nodes.iter().map(texts).sum::<usize>()
    }
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
    /// Places in `list` by what stands there.
    number_of: HashTable<u32>,
    hasher: DefaultHashBuilder,
    pub generals: Vec<General>,
    general_of: HashMap<String, u32>,
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
    pub(super) fn condition(&mut self, condition: Condition) -> Branches {
        let slots: Vec<u32> = condition.slots.iter().map(|slot| self.slots.number(slot)).collect();
        condition.branches.into_iter().map(|parts| self.conjunction(parts, &slots)).collect()
    }

    /// A whole expression as something to evaluate.
    pub(super) fn expression(&mut self, program: Program) -> u32 {
        let root = program.root();
        let (_, nodes, slots) = program.into_parts();
        let slots: Vec<u32> = slots.iter().map(|slot| self.slots.number(slot)).collect();
        self.push_general(cut_out(&nodes, root), &slots, false)
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

    fn conjunction(&mut self, parts: Vec<Part>, slots: &[u32]) -> Vec<u32> {
        let mut clauses: Vec<u32> = Vec::with_capacity(parts.len());
        for part in parts {
            let clause = self.clause(part, slots);
            clauses.push(self.add(clause));
        }
        // Cheap ones first: where one is false, the others are not evaluated.
        clauses.sort_by_key(|clause| matches!(self.list.get(*clause as usize), Some(Clause::General(_))));
        clauses
    }

    fn add(&mut self, clause: Clause) -> u32 {
        let next = number(self.list.len());
        let list = &self.list;
        let hash = self.hasher.hash_one(&clause);
        let is_same = |other: &u32| list.get(*other as usize) == Some(&clause);
        let hash_of =
            |other: &u32| list.get(*other as usize).map_or(0, |clause| self.hasher.hash_one(clause));
        match self.number_of.find(hash, is_same) {
            Some(known) => *known,
            None => {
                self.number_of.insert_unique(hash, next, hash_of);
                self.list.push(clause);
                next
            }
        }
    }

    fn clause(&mut self, part: Part, slots: &[u32]) -> Clause {
        let of = |slot: u32| slots.get(slot as usize).copied().unwrap_or(u32::MAX);
        match part {
            Part::Compare { slot, op, constant } => match range(op) {
                Some((direction, is_strict)) => self.rank(of(slot), direction, is_strict, &constant),
                None => {
                    let (dictionary, codes) = self.codes(of(slot), false, &[constant]);
                    let code = codes.first().copied().unwrap_or(u32::MAX);
                    match op {
                        BinaryOp::NotEqual => Clause::NotEqual { dictionary, code },
                        _ => Clause::Equal { dictionary, code },
                    }
                }
            },
            Part::In { slot, constants } => {
                let (dictionary, codes) = self.codes(of(slot), false, &constants);
                Clause::In { dictionary, codes }
            }
            Part::Any { slot, constants, expression } => {
                let general = self.general(expression, slots, true);
                let (dictionary, codes) = self.codes(of(slot), true, &constants);
                Clause::Any { dictionary, codes, general }
            }
            Part::General(expression) => Clause::General(self.general(expression, slots, false)),
        }
    }

    /// The numbers of constants in the dictionary of an input, each once.
    fn codes(&mut self, slot: u32, is_list: bool, constants: &[Value<'static>]) -> (u32, Box<[u32]>) {
        let dictionary = self.dictionary(slot, is_list);
        let Some(known) = self.dictionaries.get_mut(dictionary as usize) else {
            return (dictionary, Box::default());
        };
        let mut codes: Vec<u32> = constants.iter().map(|constant| known.add(constant)).collect();
        codes.sort_unstable();
        codes.dedup();
        (dictionary, codes.into())
    }

    /// The number of an expression for the machine.
    fn general(&mut self, expression: Expression, slots: &[u32], is_fallback: bool) -> u32 {
        if let Some(known) = self.general_of.get(&expression.text) {
            if let Some(general) = self.generals.get_mut(*known as usize) {
                general.is_shared = true;
            }
            return *known;
        }
        let general = self.push_general(expression.nodes, slots, is_fallback);
        self.general_of.insert(expression.text, general);
        general
    }

    fn push_general(&mut self, mut nodes: Vec<Node>, slots: &[u32], is_fallback: bool) -> u32 {
        let mut read = Vec::new();
        for node in &mut nodes {
            if let NodeKind::Slot(slot) | NodeKind::HasSlot(slot) = &mut node.kind {
                *slot = slots.get(*slot as usize).copied().unwrap_or(u32::MAX);
                read.push(*slot);
            }
        }
        self.generals.push(General {
            nodes: nodes.into(),
            quick: Box::default(),
            needs: self.slots.needs(&read),
            is_shared: false,
            is_fallback,
        });
        number(self.generals.len() - 1)
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
        self.number_of = HashTable::new();
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
        for general in &mut self.generals {
            for node in &mut general.nodes {
                if let NodeKind::Slot(slot) | NodeKind::HasSlot(slot) = &mut node.kind {
                    *slot = slots.finally(*slot);
                }
            }
            if !general.is_fallback {
                general.quick = quick_ways(&general.nodes);
            }
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

pub(super) fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
