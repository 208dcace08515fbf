use std::cmp::Ordering;

use super::logic::absorb;
use super::machine::{Around, Machine};
use super::scope::Scope;
use crate::ir::{FoldNode, NodeId};
use crate::syntax::{Flatness, FoldKind, Span};
use crate::value::{EvalCode, Fault, List, MapBuilder, Order, Outcome, Value};

/// Whether to go on to the next element.
enum Step {
    Next,
    Done,
}

impl<'a> Machine<'a> {
    pub(super) fn fold(&self, fold: &FoldNode, span: Span, around: Around<'_, 'a>) -> Outcome<'a> {
        match fold.kind {
            FoldKind::All => self.quantify(fold, false, span, around).map(|found| Value::Bool(!found)),
            FoldKind::Exists => self.quantify(fold, true, span, around).map(Value::Bool),
            FoldKind::ExistsOne => self.exists_one(fold, span, around),
            FoldKind::Map | FoldKind::Filter | FoldKind::TransformList => self.collect(fold, span, around),
            FoldKind::TransformMap | FoldKind::TransformMapEntry => self.collect_map(fold, span, around),
            FoldKind::SortBy => self.sort_by(fold, span, around),
        }
    }

    /// Whether an element's body is `wanted`; faults of other elements count only if there is none.
    fn quantify(
        &self,
        fold: &FoldNode,
        wanted: bool,
        span: Span,
        around: Around<'_, 'a>,
    ) -> Result<bool, Fault> {
        let mut fault: Option<Fault> = None;
        let mut found = false;
        self.walk(fold, span, around, &mut |scope, _, _| {
            match self.truth(fold.body, Some(scope)) {
                Ok(truth) if truth == wanted => {
                    found = true;
                    return Ok(Step::Done);
                }
                Ok(_) => {}
                Err(other) => fault = Some(absorb(fault.take(), other)?),
            }
            Ok(Step::Next)
        })?;
        match fault {
            Some(fault) if !found => Err(fault),
            _ => Ok(found),
        }
    }

    /// The elements of a range that is at hand.
    fn slice<'p>(&'p self, fold: &FoldNode, around: Around<'p, 'a>) -> Option<&'p [Value<'a>]> {
        match self.peek(fold.range, around)? {
            Value::List(List::Ref(elements)) => Some(elements),
            Value::List(List::Shared(elements)) => Some(elements),
            _ => None,
        }
    }

    fn exists_one(&self, fold: &FoldNode, span: Span, around: Around<'_, 'a>) -> Outcome<'a> {
        let mut count = 0_usize;
        self.walk(fold, span, around, &mut |scope, _, _| {
            count += usize::from(self.truth(fold.body, Some(scope))?);
            Ok(Step::Next)
        })?;
        Ok(Value::Bool(count == 1))
    }

    fn collect(&self, fold: &FoldNode, span: Span, around: Around<'_, 'a>) -> Outcome<'a> {
        let mut list = Vec::new();
        self.walk(fold, span, around, &mut |scope, _, _| {
            if self.passes(fold.filter, scope)? {
                list.push(self.eval(fold.body, Some(scope))?);
            }
            Ok(Step::Next)
        })?;
        Ok(Value::list(list))
    }

    fn collect_map(&self, fold: &FoldNode, span: Span, around: Around<'_, 'a>) -> Outcome<'a> {
        let mut builder = MapBuilder::default();
        self.walk(fold, span, around, &mut |scope, key, _| {
            if !self.passes(fold.filter, scope)? {
                return Ok(Step::Next);
            }
            let value = self.eval(fold.body, Some(scope))?;
            match (fold.kind, value) {
                (FoldKind::TransformMap, value) => builder.insert(key.clone(), value)?,
                (_, Value::Map(map)) => {
                    for (key, value) in map.entries() {
                        builder.insert(key, value)?;
                    }
                }
                (_, other) => return Err(not_a("map", &other)),
            }
            Ok(Step::Next)
        })?;
        Ok(Value::Map(builder.finish()))
    }

    fn sort_by(&self, fold: &FoldNode, span: Span, around: Around<'_, 'a>) -> Outcome<'a> {
        let mut keyed = Vec::new();
        self.walk(fold, span, around, &mut |scope, _, value| {
            keyed.push((self.eval(fold.body, Some(scope))?, value.clone()));
            Ok(Step::Next)
        })?;
        self.meter.spend(sort_cost(keyed.len()))?;
        sort(keyed).map(Value::list).map_err(|fault| fault.at(span))
    }

    fn passes(&self, filter: Option<NodeId>, scope: &Scope<'_, 'a>) -> Result<bool, Fault> {
        filter.map_or(Ok(true), |filter| self.truth(filter, Some(scope)))
    }

    /// Goes over a list or map, with a scope for each element. The visitor gets key (or index) and value too.
    fn walk<V>(&self, fold: &FoldNode, span: Span, around: Around<'_, 'a>, visit: &mut V) -> Result<(), Fault>
    where
        V: FnMut(&Scope<'_, 'a>, &Value<'a>, &Value<'a>) -> Result<Step, Fault>,
    {
        if let Some(elements) = self.slice(fold, around) {
            return self.walk_slice(fold, elements, around, visit);
        }
        match self.eval(fold.range, around)? {
            Value::List(List::Ref(elements)) => self.walk_slice(fold, elements, around, visit),
            Value::List(List::Shared(elements)) => self.walk_slice(fold, &elements, around, visit),
            Value::List(list) => {
                for index in 0..list.len() {
                    let value = list.get(index).unwrap_or(Value::Absent);
                    if let Step::Done = self.visit(fold, &position(index), &value, around, visit)? {
                        break;
                    }
                }
                Ok(())
            }
            Value::Map(map) => {
                for (key, value) in map.entries() {
                    if let Step::Done = self.visit_entry(fold, &key, &value, around, visit)? {
                        break;
                    }
                }
                Ok(())
            }
            other => Err(not_a("list or map", &other).at(span)),
        }
    }

    fn walk_slice<V>(
        &self,
        fold: &FoldNode,
        elements: &[Value<'a>],
        around: Around<'_, 'a>,
        visit: &mut V,
    ) -> Result<(), Fault>
    where
        V: FnMut(&Scope<'_, 'a>, &Value<'a>, &Value<'a>) -> Result<Step, Fault>,
    {
        for (index, value) in elements.iter().enumerate() {
            if let Step::Done = self.visit(fold, &position(index), value, around, visit)? {
                break;
            }
        }
        Ok(())
    }

    #[inline]
    fn visit<V>(
        &self,
        fold: &FoldNode,
        index: &Value<'a>,
        value: &Value<'a>,
        around: Around<'_, 'a>,
        visit: &mut V,
    ) -> Result<Step, Fault>
    where
        V: FnMut(&Scope<'_, 'a>, &Value<'a>, &Value<'a>) -> Result<Step, Fault>,
    {
        self.meter.spend(1)?;
        let first = if fold.is_pair { index } else { value };
        visit(&Scope::pair(around, first, value), index, value)
    }

    fn visit_entry<V>(
        &self,
        fold: &FoldNode,
        key: &Value<'a>,
        value: &Value<'a>,
        around: Around<'_, 'a>,
        visit: &mut V,
    ) -> Result<Step, Fault>
    where
        V: FnMut(&Scope<'_, 'a>, &Value<'a>, &Value<'a>) -> Result<Step, Fault>,
    {
        self.meter.spend(1)?;
        let element = if fold.is_pair { value } else { key };
        visit(&Scope::pair(around, key, value), key, element)
    }

    /// `operand.or(alternative)`, `operand.orValue(alternative)`: the alternative is computed where it is needed.
    pub(super) fn optional_or(
        &self,
        operand: NodeId,
        alternative: NodeId,
        flatness: Flatness,
        around: Around<'_, 'a>,
    ) -> Outcome<'a> {
        match (self.eval(operand, around)?, flatness) {
            (Value::Optional(None), Flatness::Wrapped) => self.eval(alternative, around),
            (Value::Optional(Some(value)), Flatness::Wrapped) => Ok((*value).clone()),
            (Value::Optional(None), Flatness::Flat) => match self.eval(alternative, around)? {
                other @ Value::Optional(_) => Ok(other),
                other => Err(not_a("optional", &other)),
            },
            (some @ Value::Optional(_), Flatness::Flat) => Ok(some),
            (other, _) => Err(not_a("optional", &other)),
        }
    }

    pub(super) fn optional_map(
        &self,
        target: NodeId,
        body: NodeId,
        flatness: Flatness,
        around: Around<'_, 'a>,
    ) -> Outcome<'a> {
        let value = match self.eval(target, around)? {
            Value::Optional(Some(value)) => value,
            Value::Optional(None) => return Ok(Value::Optional(None)),
            other => return Err(not_a("optional", &other)),
        };
        let result = self.eval(body, Some(&Scope::pair(around, &value, &value)))?;
        match (flatness, result) {
            (Flatness::Wrapped, result) => Ok(Value::some(result)),
            (Flatness::Flat, result @ Value::Optional(_)) => Ok(result),
            (Flatness::Flat, other) => Err(not_a("optional", &other)),
        }
    }
}

fn position<'a>(index: usize) -> Value<'a> {
    Value::Int(i64::try_from(index).unwrap_or(i64::MAX))
}

/// Units of sorting so many elements.
pub(crate) fn sort_cost(length: usize) -> u64 {
    (length as u64).saturating_mul(u64::from(length.max(1).ilog2() + 1))
}

/// Sorts values by their keys; equal keys keep their order.
pub(crate) fn sort<'a>(mut keyed: Vec<(Value<'a>, Value<'a>)>) -> Result<Vec<Value<'a>>, Fault> {
    if let Some((first, _)) = keyed.first()
        && let Some((odd, _)) = keyed.iter().find(|(key, _)| !is_same_order(first, key))
    {
        let message =
            format!("no such overload: {} and {} have no order", first.type_name(), odd.type_name());
        return Err(Fault::error(EvalCode::NoSuchOverload, message));
    }
    keyed.sort_by(|(left, _), (right, _)| match (left, right) {
        (Value::Double(left), Value::Double(right)) => left.total_cmp(right),
        _ => match left.order(right) {
            Order::Is(order) => order,
            _ => Ordering::Equal,
        },
    });
    Ok(keyed.into_iter().map(|(_, value)| value).collect())
}

fn is_same_order(first: &Value<'_>, other: &Value<'_>) -> bool {
    std::mem::discriminant(first) == std::mem::discriminant(other)
        && first.order(other) != Order::Incomparable
}

#[cold]
fn not_a(wanted: &str, found: &Value<'_>) -> Fault {
    let message = format!("no such overload: expected {wanted}, found {}", found.type_name());
    Fault::error(EvalCode::NoSuchOverload, message)
}
