use std::cell::Cell;

use crate::types::Type;

/// What is known about the types that the checker is looking for, with a way back from a guess.
#[derive(Debug)]
pub(super) struct Unifier {
    /// Steps that are left. A short source can have types that double with each level; past the limit all types are
    /// taken to fit, and [`Unifier::is_exhausted`] is a fault of the whole.
    steps: Cell<usize>,
    known: Vec<Option<Type>>,
    /// Variables in the order in which they were set, with what they were before.
    trail: Vec<(u32, Option<Type>)>,
}

impl Unifier {
    /// A unifier for an expression of so many nodes.
    pub(super) fn new(nodes: usize) -> Self {
        let steps = nodes.saturating_mul(20).saturating_add(100_000);
        Self { steps: Cell::new(steps), known: Vec::new(), trail: Vec::new() }
    }

    /// Whether the types were too large to be compared.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps.get() == 0
    }

    /// Counts a step; false where none is left.
    fn step(&self) -> bool {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(1));
        left > 0
    }

    /// A type that is not known yet.
    pub(super) fn fresh(&mut self) -> Type {
        self.known.push(None);
        Type::Variable(u32::try_from(self.known.len() - 1).unwrap_or(u32::MAX))
    }

    /// A point to come back to.
    pub(super) fn mark(&self) -> usize {
        self.trail.len()
    }

    /// Forgets what was learnt since the mark.
    pub(super) fn back(&mut self, mark: usize) {
        while self.trail.len() > mark {
            if let Some((variable, before)) = self.trail.pop()
                && let Some(known) = self.known.get_mut(variable as usize)
            {
                *known = before;
            }
        }
    }

    fn find(&self, variable: u32) -> Option<&Type> {
        self.known.get(variable as usize).and_then(Option::as_ref)
    }

    fn set(&mut self, variable: u32, ty: Type) {
        if let Some(known) = self.known.get_mut(variable as usize) {
            let before = known.replace(ty);
            self.trail.push((variable, before));
        }
    }

    /// Whether a value of type `from` fits where `to` is wanted; types that are not known yet become known by it.
    pub(super) fn assignable(&mut self, from: &Type, to: &Type) -> bool {
        let mark = self.mark();
        let fits = self.fits(from, to);
        if !fits {
            self.back(mark);
        }
        fits
    }

    fn fits(&mut self, from: &Type, to: &Type) -> bool {
        if !self.step() {
            return true;
        }
        if let Type::Variable(variable) = to {
            match self.substitute_variable(from, *variable) {
                (true, _) => return true,
                (false, true) => return false,
                (false, false) => {}
            }
        }
        if let Type::Variable(variable) = from {
            return self.substitute_variable(to, *variable).0;
        }
        match (from, to) {
            (Type::Dyn | Type::Error, _) | (_, Type::Dyn | Type::Error) => true,
            (Type::Null, other) | (other, Type::Null) => takes_null(other),
            (Type::Nullable(inner), other) | (other, Type::Nullable(inner)) => {
                let (inner, other) = (inner.clone(), other.without_null().clone());
                self.fits(&inner, &other)
            }
            (Type::List(left), Type::List(right)) => self.fits(left, right),
            (Type::Map(left), Type::Map(right)) => {
                self.fits(&left.0, &right.0) && self.fits(&left.1, &right.1)
            }
            (Type::Type(_), Type::Type(_)) => true,
            (Type::Opaque(left, ours), Type::Opaque(right, theirs)) => {
                left == right
                    && ours.len() == theirs.len()
                    && ours.iter().zip(theirs.iter()).all(|(one, two)| self.fits(one, two))
            }
            _ => from == to,
        }
    }

    /// Makes `variable` be `ty` or something that both are; and whether the variable was known before.
    fn substitute_variable(&mut self, ty: &Type, variable: u32) -> (bool, bool) {
        if *ty == Type::Variable(variable) {
            return (true, true);
        }
        if let Some(known) = self.find(variable).cloned() {
            if known == *ty {
                return (true, true);
            }
            if !self.fits(ty, &known) {
                return (false, true);
            }
            let general = if is_as_general(ty, &known) { ty.clone() } else { known };
            if !self.occurs(variable, &general) {
                self.set(variable, general);
            }
            return (true, true);
        }
        if self.occurs(variable, ty) {
            return (false, false);
        }
        self.set(variable, ty.clone());
        (true, false)
    }

    /// Whether the variable is a part of the type, which would make the type infinite.
    fn occurs(&self, variable: u32, ty: &Type) -> bool {
        match ty {
            _ if !self.step() => true,
            Type::Variable(other) if *other == variable => true,
            Type::Variable(other) => self.find(*other).is_some_and(|known| self.occurs(variable, known)),
            Type::List(inner) | Type::Nullable(inner) | Type::Type(Some(inner)) => {
                self.occurs(variable, inner)
            }
            Type::Map(entry) => self.occurs(variable, &entry.0) || self.occurs(variable, &entry.1),
            Type::Opaque(_, parameters) => parameters.iter().any(|inner| self.occurs(variable, inner)),
            _ => false,
        }
    }

    /// The type with all that is known put in.
    pub(super) fn resolve(&self, ty: &Type) -> Type {
        self.substitute(ty, false)
    }

    /// The type with all that is known put in, and `dyn` for what is not.
    pub(super) fn finish(&self, ty: &Type) -> Type {
        self.substitute(ty, true)
    }

    fn substitute(&self, ty: &Type, to_dyn: bool) -> Type {
        let inner = |inner: &Type| self.substitute(inner, to_dyn);
        match ty {
            _ if !self.step() => Type::Dyn,
            Type::Variable(variable) => match self.find(*variable) {
                Some(known) => inner(known),
                None if to_dyn => Type::Dyn,
                None => ty.clone(),
            },
            // What has no variable is shared and not made again.
            Type::List(_) | Type::Map(_) if self.is_ground(ty) => ty.clone(),
            Type::List(element) => Type::list(inner(element)),
            Type::Map(entry) => Type::map(inner(&entry.0), inner(&entry.1)),
            Type::Type(Some(of)) => Type::Type(Some(inner(of).into())),
            Type::Opaque(name, parameters) if !parameters.is_empty() => {
                Type::Opaque(name.clone(), parameters.iter().map(inner).collect())
            }
            other => other.clone(),
        }
    }

    /// Whether the type has no variable in it.
    fn is_ground(&self, ty: &Type) -> bool {
        match ty {
            _ if !self.step() => false,
            Type::Variable(_) | Type::Opaque(..) => false,
            Type::List(inner) | Type::Nullable(inner) | Type::Type(Some(inner)) => self.is_ground(inner),
            Type::Map(entry) => self.is_ground(&entry.0) && self.is_ground(&entry.1),
            _ => true,
        }
    }

    /// The type of a list with elements of both types.
    pub(super) fn join(&mut self, before: Option<Type>, next: &Type) -> Type {
        match before {
            None => next.clone(),
            Some(before) if self.assignable(&before, next) => {
                if is_as_general(&before, next) {
                    before
                } else {
                    next.clone()
                }
            }
            Some(_) => Type::Dyn,
        }
    }
}

fn takes_null(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Null
            | Type::Nullable(_)
            | Type::Opaque(..)
            | Type::Duration
            | Type::Timestamp
            | Type::Struct(_)
    )
}

/// Whether all that `other` allows is allowed by `ty`.
fn is_as_general(ty: &Type, other: &Type) -> bool {
    match (ty, other) {
        (Type::Dyn | Type::Error | Type::Variable(_), _) => true,
        (_, Type::Dyn | Type::Error | Type::Variable(_)) => false,
        (Type::List(left), Type::List(right)) => is_as_general(left, right),
        (Type::Map(left), Type::Map(right)) => {
            is_as_general(&left.0, &right.0) && is_as_general(&left.1, &right.1)
        }
        (Type::Opaque(left, ours), Type::Opaque(right, theirs)) => {
            left == right
                && ours.len() == theirs.len()
                && ours.iter().zip(theirs.iter()).all(|(one, two)| is_as_general(one, two))
        }
        (Type::Type(_), Type::Type(_)) => true,
        (Type::Nullable(left), right) if **left == *right => true,
        (nullable, Type::Null) => takes_null(nullable),
        _ => ty == other,
    }
}
