use std::sync::Arc;

use hashbrown::HashMap;

use super::clause::number;
use crate::ir::Slot;

/// The inputs that any expression of the set reads, and the parts of variables.
///
/// While the set is built, parts of variables are numbered apart, with [`DERIVED`]; at the end they follow the inputs.
#[derive(Debug, Default)]
pub(super) struct SlotTable {
    pub inputs: Vec<Slot>,
    pub derived: Vec<Derived>,
    known: HashMap<Vec<Arc<str>>, u32>,
    variables: HashMap<Arc<str>, u32>,
    /// For each variable those that it needs, in order.
    needs: Vec<Box<[u32]>>,
}

/// A variable, or a field of one.
#[derive(Debug)]
pub(super) struct Derived {
    pub variable: u32,
    pub fields: Vec<Arc<str>>,
    pub name: Arc<str>,
}

const DERIVED: u32 = 1 << 31;

impl SlotTable {
    /// The number of a program's slot in the set.
    pub(super) fn number(&mut self, slot: &Slot) -> u32 {
        if let Some(known) = self.known.get(&slot.path) {
            return *known;
        }
        let variable = slot.path.first().and_then(|root| self.variables.get(root)).copied();
        let number = match variable {
            None => {
                self.inputs.push(slot.clone());
                number(self.inputs.len() - 1)
            }
            Some(variable) => {
                let fields = slot.path.iter().skip(1).cloned().collect();
                self.derived.push(Derived { variable, fields, name: slot.name.clone() });
                DERIVED | number(self.derived.len() - 1)
            }
        };
        self.known.insert(slot.path.clone(), number);
        number
    }

    /// Adds a variable; `needs` are those that its expression reads, with theirs.
    pub(super) fn add_variable(&mut self, name: Arc<str>, needs: Box<[u32]>) -> u32 {
        let next = number(self.needs.len());
        self.variables.insert(name, next);
        self.needs.push(needs);
        next
    }

    /// The variables behind slots, and those that they need, in the order in which they can be computed.
    pub(super) fn needs(&self, slots: &[u32]) -> Box<[u32]> {
        let mut all: Vec<u32> = Vec::new();
        for slot in slots.iter().filter(|slot| **slot & DERIVED != 0) {
            let Some(derived) = self.derived.get((slot & !DERIVED) as usize) else { continue };
            all.extend(self.needs.get(derived.variable as usize).into_iter().flat_map(|needs| needs.iter()));
            all.push(derived.variable);
        }
        all.sort_unstable();
        all.dedup();
        all.into()
    }

    /// The number of a slot among all, once no more are added.
    pub(super) fn finally(&self, slot: u32) -> u32 {
        if slot & DERIVED == 0 { slot } else { number(self.inputs.len()) + (slot & !DERIVED) }
    }
}
