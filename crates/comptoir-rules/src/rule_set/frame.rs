use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashMap;

use super::clause::Clause;
use super::plan::Plan;
use super::share::{ShareOf, bucket_of};
use super::vocabulary::{BAD_CODE, BAD_RANK, NEW_CODE, NEW_RANK, NO_CODE};
use crate::eval::{Inputs, Machine, field_of};
use crate::ir::Slot;
use crate::value::{EvalCode, EvalError, Fault, List, Struct, Value};

/// One event while it is decided: its inputs, what was looked up of them, and what was computed.
pub(super) struct Frame<'p, 'e> {
    pub plan: &'p Plan,
    slots: Vec<Value<'e>>,
    /// Whether a variable was computed.
    is_computed: Vec<bool>,
    codes: Vec<u32>,
    ranks: Vec<[i32; 2]>,
    /// For dictionaries of lists, once they were looked up; none where the dictionary does not say all.
    members: HashMap<u32, Option<Rc<[u32]>>>,
    truths: HashMap<u32, Result<bool, Fault>>,
}

/// Of a clause or rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    False,
    True,
    /// It has no truth: an error, or an input that is not known.
    Fault,
}

impl<'p, 'e> Frame<'p, 'e> {
    /// An event by the values of the set's inputs, in order.
    pub(super) fn new(plan: &'p Plan, inputs: impl Iterator<Item = Value<'e>>) -> Self {
        let all = plan.inputs.len() + plan.derived.len();
        let mut slots = Vec::with_capacity(all);
        slots.extend(inputs.take(plan.inputs.len()));
        slots.resize(all, Value::Absent);
        Self {
            plan,
            slots,
            is_computed: vec![false; plan.variables.len()],
            codes: vec![NEW_CODE; plan.dictionaries.len()],
            ranks: vec![[NEW_RANK; 2]; plan.axes.len()],
            members: HashMap::new(),
            truths: HashMap::new(),
        }
    }

    /// The truth of a rule: of alternatives one that is true decides, of clauses one that is false.
    pub(super) fn rule(&mut self, rule: u32) -> Truth {
        let mut truth = Truth::False;
        for branch in self.plan.branches(rule) {
            match self.branch(branch) {
                Truth::True => return Truth::True,
                Truth::Fault => truth = Truth::Fault,
                Truth::False => {}
            }
        }
        truth
    }

    fn branch(&mut self, branch: u32) -> Truth {
        let mut truth = Truth::True;
        let plan = self.plan;
        for clause in plan.operands(branch) {
            match self.clause(*clause) {
                Truth::False => return Truth::False,
                Truth::Fault => truth = Truth::Fault,
                Truth::True => {}
            }
        }
        truth
    }

    #[inline]
    fn clause(&mut self, clause: u32) -> Truth {
        let of = |is_true: bool| if is_true { Truth::True } else { Truth::False };
        match self.plan.clause(clause) {
            Some(Clause::Equal { dictionary, code }) => match self.code(*dictionary) {
                BAD_CODE => Truth::Fault,
                found => of(found == *code),
            },
            Some(Clause::NotEqual { dictionary, code }) => match self.code(*dictionary) {
                BAD_CODE => Truth::Fault,
                found => of(found != *code),
            },
            Some(Clause::In { dictionary, codes }) => match self.code(*dictionary) {
                BAD_CODE => Truth::Fault,
                found if codes.len() <= 8 => of(codes.contains(&found)),
                found => of(codes.binary_search(&found).is_ok()),
            },
            Some(Clause::Rank { side, threshold }) => match self.rank(*side) {
                BAD_RANK => Truth::Fault,
                rank => of(rank >= *threshold),
            },
            Some(Clause::Any { dictionary, codes, general }) => match self.members(*dictionary) {
                Some(found) => of(found.iter().any(|code| codes.contains(code))),
                None => self.general_truth(*general),
            },
            Some(Clause::Share(share)) => match self.share(share) {
                Ok(is_in) => of(is_in),
                Err(_) => Truth::Fault,
            },
            Some(Clause::General(general)) => self.general_truth(*general),
            None => Truth::Fault,
        }
    }

    fn share(&mut self, share: &ShareOf) -> Result<bool, Fault> {
        let unit = self.value(share.general)?;
        bucket_of(&share.salt, &unit).map(|bucket| share.share.holds(bucket))
    }

    fn general_truth(&mut self, general: u32) -> Truth {
        match self.general(general) {
            Ok(true) => Truth::True,
            Ok(false) => Truth::False,
            Err(_) => Truth::Fault,
        }
    }

    /// Why a rule has no truth: the fault of the first clause that has one.
    #[cold]
    pub(super) fn fault(&mut self, rule: u32) -> Fault {
        let plan = self.plan;
        let mut fault: Option<Fault> = None;
        for branch in plan.branches(rule).filter(|_| true) {
            if self.branch(branch) != Truth::Fault {
                continue;
            }
            for clause in plan.operands(branch) {
                if self.clause(*clause) == Truth::Fault {
                    let own = self.clause_fault(*clause);
                    fault = Some(match fault {
                        None => own,
                        Some(before) => before.and(own),
                    });
                }
            }
        }
        fault.unwrap_or_else(|| Fault::error(EvalCode::UnknownName, "internal: a rule without a fault"))
    }

    fn clause_fault(&mut self, clause: u32) -> Fault {
        let slot = match self.plan.clause(clause) {
            Some(
                Clause::Equal { dictionary, .. }
                | Clause::NotEqual { dictionary, .. }
                | Clause::In { dictionary, .. },
            ) => self.plan.dictionaries.get(*dictionary as usize).map(|one| one.slot),
            Some(Clause::Rank { side, .. }) => self.plan.axes.get(*side as usize / 2).map(|one| one.slot),
            Some(Clause::Share(share)) => match self.share(share) {
                Err(fault) => return fault,
                Ok(_) => None,
            },
            Some(Clause::General(general) | Clause::Any { general, .. }) => match self.general(*general) {
                Err(fault) => return fault,
                Ok(_) => None,
            },
            None => None,
        };
        let value = slot.and_then(|slot| self.slots.get(slot as usize)).cloned().unwrap_or(Value::Absent);
        let name = slot.map_or("", |slot| self.name(slot));
        match value.settled(name) {
            Err(fault) => fault,
            Ok(value) => {
                let message =
                    format!("no such overload: `{name}` is {}, which has no order here", value.type_name());
                Fault::error(EvalCode::NoSuchOverload, message)
            }
        }
    }

    fn name(&self, slot: u32) -> &'p str {
        let slot = slot as usize;
        let plan = self.plan;
        match plan.inputs.get(slot) {
            Some(input) => &input.name,
            None => plan.derived.get(slot - plan.inputs.len()).map_or("", |(_, name)| name),
        }
    }

    /// The values of inputs and variables by their paths, for an expression that is compiled anew.
    pub(super) fn values(&mut self, slots: &[Slot]) -> Vec<Value<'_>> {
        let plan = self.plan;
        let place = |slot: &Slot| {
            let derived = || plan.derived.iter().position(|(_, name)| *name == slot.name);
            let input = plan.inputs.iter().position(|input| input.path == slot.path);
            input.or_else(|| derived().map(|place| place + plan.inputs.len()))
        };
        let places: Vec<Option<usize>> = slots.iter().map(place).collect();
        for place in places.iter().flatten() {
            self.ensure(super::clause::number(*place));
        }
        let value = |place: &Option<usize>| place.and_then(|place| self.slots.get(place));
        places.iter().map(|place| value(place).map_or(Value::Absent, Value::borrowed)).collect()
    }

    /// The number of the input's value in a dictionary.
    #[inline]
    pub(super) fn code(&mut self, dictionary: u32) -> u32 {
        match self.codes.get(dictionary as usize) {
            Some(&NEW_CODE) => self.look_up(dictionary),
            Some(code) => *code,
            None => BAD_CODE,
        }
    }

    fn look_up(&mut self, dictionary: u32) -> u32 {
        let Some(constants) = self.plan.dictionaries.get(dictionary as usize) else { return BAD_CODE };
        self.ensure(constants.slot);
        let code = self.slots.get(constants.slot as usize).map_or(BAD_CODE, |value| constants.code(value));
        if let Some(place) = self.codes.get_mut(dictionary as usize) {
            *place = code;
        }
        code
    }

    /// The numbers of a list's elements in a dictionary; see [`Dictionary::members`](super::vocabulary::Dictionary).
    pub(super) fn members(&mut self, dictionary: u32) -> Option<Rc<[u32]>> {
        if let Some(known) = self.members.get(&dictionary) {
            return known.clone();
        }
        let constants = self.plan.dictionaries.get(dictionary as usize)?;
        self.ensure(constants.slot);
        let value = self.slots.get(constants.slot as usize)?;
        let members = constants.members(value, self.plan.budget);
        self.members.insert(dictionary, members.clone());
        members
    }

    /// The numbers of an input's value, or of its elements, in a dictionary; none where that does not say all.
    pub(super) fn all_codes(&mut self, dictionary: u32) -> Option<Rc<[u32]>> {
        if self.plan.dictionaries.get(dictionary as usize)?.is_list {
            return self.members(dictionary);
        }
        match self.code(dictionary) {
            BAD_CODE => None,
            NO_CODE => Some(Rc::default()),
            code => Some([code].into()),
        }
    }

    /// The rank of the input's value on a side of an axis.
    #[inline]
    pub(super) fn rank(&mut self, side: u32) -> i32 {
        let (axis, direction) = (side as usize / 2, side as usize % 2);
        match self.ranks.get(axis).and_then(|ranks| ranks.get(direction)) {
            Some(&NEW_RANK) => self.find_rank(axis, direction),
            Some(rank) => *rank,
            None => BAD_RANK,
        }
    }

    fn find_rank(&mut self, number: usize, direction: usize) -> i32 {
        let Some(axis) = self.plan.axes.get(number) else { return BAD_RANK };
        self.ensure(axis.slot);
        let ranks = self.slots.get(axis.slot as usize).map_or([BAD_RANK; 2], |value| axis.ranks(value));
        if let Some(place) = self.ranks.get_mut(number) {
            *place = ranks;
        }
        ranks.get(direction).copied().unwrap_or(BAD_RANK)
    }

    fn general(&mut self, general: u32) -> Result<bool, Fault> {
        let is_shared = self.plan.generals.get(general as usize).is_some_and(|one| one.is_shared);
        if is_shared && let Some(known) = self.truths.get(&general) {
            return known.clone();
        }
        let truth = self.with_machine(general, |machine, node| machine.run_truth(node));
        if is_shared {
            self.truths.insert(general, truth.clone());
        }
        truth
    }

    /// The value of an expression of the set.
    pub(super) fn value(&mut self, general: u32) -> Result<Value<'static>, Fault> {
        self.with_machine(general, |machine, node| machine.run(node).and_then(owned))
    }

    fn with_machine<T>(
        &mut self,
        general: u32,
        run: impl for<'a> FnOnce(&Machine<'a>, crate::ir::NodeId) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let plan = self.plan;
        let missing = || Fault::error(EvalCode::UnknownName, "internal: an expression that is not there");
        let of = plan.generals.get(general as usize).ok_or_else(missing)?;
        for variable in &of.needs {
            self.compute(*variable);
        }
        let machine =
            Machine::new(&of.nodes, &of.quick, Inputs::Slots(&self.slots, &plan.inputs), plan.budget);
        run(&machine, of.root())
    }

    /// Makes sure that a slot has its value.
    fn ensure(&mut self, slot: u32) {
        let Some(derived) = (slot as usize).checked_sub(self.plan.inputs.len()) else { return };
        if let Some((variable, _)) = self.plan.derived.get(derived) {
            self.compute(*variable);
        }
    }

    /// Computes a variable, unless it was computed for this event already. Those that it needs have lower numbers and
    /// are computed first, each knowing all of its own, so that no call goes deeper than one level.
    fn compute(&mut self, variable: u32) {
        match self.is_computed.get_mut(variable as usize) {
            Some(done) if !*done => *done = true,
            _ => return,
        }
        let Some(of) = self.plan.variables.get(variable as usize) else { return };
        let value = match self.value(of.general) {
            Ok(value) => value,
            Err(Fault::Error(error) | Fault::Exhausted(error)) => Value::Error(Arc::new(*error)),
            Err(Fault::Unknown(set)) => Value::Unknown(set),
        };
        for (slot, fields) in &of.slots {
            let part =
                fields.iter().fold(value.borrowed(), |value, field| field_of(&value, field).into_owned());
            if let Some(place) = self.slots.get_mut(*slot as usize) {
                *place = part.into_owned();
            }
        }
    }
}

/// A value that outlives the event; structs of the host do not.
fn owned(value: Value<'_>) -> Result<Value<'static>, Fault> {
    let is_host = |value: &Value<'_>| matches!(value, Value::Struct(Struct::Host(_)));
    let is_lost = match &value {
        Value::List(list @ List::Host(_)) => list.iter().any(|element| is_host(&element)),
        Value::List(list) => list.iter().any(|element| is_host(&element)),
        other => is_host(other),
    };
    if is_lost {
        let error = EvalError::new(EvalCode::Host, "a struct of the host cannot be the value of a variable");
        return Err(Fault::Error(Box::new(error)));
    }
    Ok(value.into_owned())
}
