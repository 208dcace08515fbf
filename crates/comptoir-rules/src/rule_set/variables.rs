use std::collections::HashMap;

use super::error::RuleSetError;
use super::spec::{EnvironmentSpec, VariableSpec};
use crate::syntax::{Access, Ast, ExprId, ExprKind, parse};
use crate::types::{EnvBuilder, StructType, Type};

/// Adds what the environment of a set declares.
pub(super) fn declare(
    mut builder: EnvBuilder,
    environment: &EnvironmentSpec,
) -> Result<EnvBuilder, RuleSetError> {
    for (name, fields) in &environment.types {
        let fields: Vec<(&str, Type)> = fields
            .iter()
            .map(|(field, ty)| {
                let path = || format!("environment.types.{name}.{field}");
                Type::parse(ty).map(|ty| (&**field, ty)).map_err(|wrong| RuleSetError::invalid(path(), wrong))
            })
            .collect::<Result<_, _>>()?;
        builder = builder.structure(StructType::new(&**name, fields));
    }
    for (name, ty) in &environment.variables {
        let path = || format!("environment.variables.{name}");
        if name == "variables" || name.starts_with("variables.") {
            return Err(RuleSetError::invalid(path(), "`variables` is the name of the set's own variables"));
        }
        let ty = Type::parse(ty).map_err(|wrong| RuleSetError::invalid(path(), wrong))?;
        builder = builder.variable(&**name, ty);
    }
    Ok(builder)
}

/// The order in which each variable stands after those that it needs.
pub(super) fn order(variables: &[VariableSpec]) -> Result<Vec<usize>, RuleSetError> {
    let mut place: HashMap<&str, usize> = HashMap::new();
    for (index, variable) in variables.iter().enumerate() {
        if let Some(first) = place.insert(&variable.name, index) {
            return Err(RuleSetError::Duplicate {
                path: format!("variables[{index}].name"),
                first: format!("variables[{first}]"),
                id: variable.name.clone(),
            });
        }
    }
    let needs: Vec<Vec<usize>> = variables
        .iter()
        .enumerate()
        .map(|(index, variable)| {
            let ast = parse(&variable.expression, &crate::Limits::default()).map_err(|faults| {
                RuleSetError::expression(format!("variables[{index}].expression"), faults)
            })?;
            Ok(names(&ast).iter().filter_map(|name| place.get(&**name).copied()).collect())
        })
        .collect::<Result<_, RuleSetError>>()?;
    sort(&needs).map_err(|cycle| {
        let names: Vec<&str> =
            cycle.iter().filter_map(|index| variables.get(*index)).map(|one| &*one.name).collect();
        RuleSetError::Cycle { cycle: format!("`{}`", names.join(" -> ")) }
    })
}

/// Names after `variables.` in an expression.
fn names(ast: &Ast) -> Vec<String> {
    let ids = (0..u32::try_from(ast.len()).unwrap_or(u32::MAX)).map(ExprId);
    ids.filter_map(|id| match &ast.get(id).kind {
        ExprKind::Select { operand, field, access: Access::Plain } => match &ast.get(*operand).kind {
            ExprKind::Ident(root) if root.trim_start_matches('.') == "variables" => Some(field.to_string()),
            _ => None,
        },
        _ => None,
    })
    .collect()
}

/// A topological order, or the numbers on a cycle.
fn sort(needs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut order = Vec::with_capacity(needs.len());
    let mut is_done = vec![false; needs.len()];
    loop {
        let before = order.len();
        for (index, needed) in needs.iter().enumerate() {
            let is_ready = needed.iter().all(|other| is_done.get(*other).copied().unwrap_or(true));
            if let Some(done) = is_done.get_mut(index)
                && !*done
                && is_ready
            {
                *done = true;
                order.push(index);
            }
        }
        if order.len() == needs.len() {
            return Ok(order);
        }
        if order.len() == before {
            return Err(cycle(needs, &is_done));
        }
    }
}

/// Goes from a variable that is not done to one that it needs, until one comes again.
fn cycle(needs: &[Vec<usize>], is_done: &[bool]) -> Vec<usize> {
    let is_open = |index: &usize| !is_done.get(*index).copied().unwrap_or(true);
    let mut way: Vec<usize> = Vec::new();
    let mut at = is_done.iter().position(|done| !done);
    while let Some(here) = at {
        if let Some(start) = way.iter().position(|seen| *seen == here) {
            way.drain(..start);
            way.push(here);
            return way;
        }
        way.push(here);
        at = needs.get(here).and_then(|needed| needed.iter().copied().find(is_open));
    }
    way
}
