//! The inputs of programs and rule sets, as C reads them.

use std::ffi::{CString, c_char};
use std::hash::{DefaultHasher, Hash, Hasher};

use comptoir::rules::ir::Slot as RuleSlot;
use comptoir_host::Fault;

use crate::error::text as c_text;

/// An input of a program or rule set. The texts live as long as its handle.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Slot {
    /// Its name, with dots for fields: `user.age`.
    pub name: *const c_char,
    /// Its type: `int`, `list(string)`.
    pub type_: *const c_char,
}

/// Names and types of slots, as C reads them.
pub struct SlotTexts {
    texts: Vec<(CString, CString)>,
    /// A number of their own: others have it only where all names and types are the same, in the same places.
    pub layout: u64,
}

impl SlotTexts {
    /// The texts of slots.
    pub fn of(slots: &[RuleSlot]) -> Self {
        let text = |slot: &RuleSlot| (c_text(&slot.name), c_text(&slot.ty.to_string()));
        let texts: Vec<_> = slots.iter().map(text).collect();
        let mut hasher = DefaultHasher::new();
        texts.hash(&mut hasher);
        Self { texts, layout: hasher.finish() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// The slot at a place.
    ///
    /// # Errors
    /// `HOST_ARGUMENT` for a place that is not there.
    pub fn get(&self, place: usize) -> Result<Slot, Fault> {
        let missing = || Fault::argument(format!("there is no slot {place}: there are {}", self.texts.len()));
        let (name, type_) = self.texts.get(place).ok_or_else(missing)?;
        Ok(Slot { name: name.as_ptr(), type_: type_.as_ptr() })
    }
}
