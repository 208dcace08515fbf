use std::cell::OnceCell;

use crate::ir::NodeId;
use crate::value::{Outcome, Value};

/// The variables of a macro around a node. Scopes live on the stack and know the one around them.
pub(crate) struct Scope<'s, 'a> {
    parent: Option<&'s Scope<'s, 'a>>,
    places: Places<'s, 'a>,
}

enum Places<'s, 'a> {
    /// One value, or two.
    Values(&'s Value<'a>, &'s Value<'a>),
    /// Values that are computed when they are first needed.
    Lazy(&'s [OnceCell<Outcome<'a>>], &'s [NodeId]),
}

/// What a place of a scope holds.
pub(super) enum Place<'s, 'a> {
    Value(&'s Value<'a>),
    /// The cell, what fills it, and the scope in which that is computed.
    Lazy(&'s OnceCell<Outcome<'a>>, NodeId, &'s Scope<'s, 'a>),
    Missing,
}

impl<'s, 'a> Scope<'s, 'a> {
    pub(super) const fn pair(parent: Option<&'s Self>, first: &'s Value<'a>, second: &'s Value<'a>) -> Self {
        Self { parent, places: Places::Values(first, second) }
    }

    pub(super) const fn lazy(
        parent: Option<&'s Self>,
        cells: &'s [OnceCell<Outcome<'a>>],
        bindings: &'s [NodeId],
    ) -> Self {
        Self { parent, places: Places::Lazy(cells, bindings) }
    }

    #[inline]
    pub(super) fn place(&'s self, up: u16, index: u16) -> Place<'s, 'a> {
        let mut scope = self;
        for _ in 0..up {
            match scope.parent {
                Some(parent) => scope = parent,
                None => return Place::Missing,
            }
        }
        match &scope.places {
            Places::Values(first, second) => Place::Value(if index == 0 { first } else { second }),
            Places::Lazy(cells, bindings) => {
                match (cells.get(usize::from(index)), bindings.get(usize::from(index))) {
                    (Some(cell), Some(binding)) => Place::Lazy(cell, *binding, scope),
                    _ => Place::Missing,
                }
            }
        }
    }
}
