//! The inputs of programs and rule sets with their types, packed for `io.comptoir.Layout`.

use std::sync::Arc;

use comptoir::rules::ir::Slot;
use comptoir::rules::{Env, StructType, Type};

use crate::parts::Writer;

/// The structs that the inputs can have in them, then name and type of each input.
pub fn layout(parts: &mut Writer, slots: &[Slot], env: &Env) {
    let structs = structs(slots, env);
    parts.count(structs.len());
    for of in structs {
        parts.text(of.name());
        parts.count(of.fields().len());
        for field in of.fields() {
            parts.text(&field.name);
            type_of(parts, &field.ty);
        }
    }
    for slot in slots {
        parts.text(&slot.name);
        type_of(parts, &slot.ty);
    }
}

fn structs<'e>(slots: &[Slot], env: &'e Env) -> Vec<&'e Arc<StructType>> {
    let mut found = Vec::new();
    slots.iter().for_each(|slot| add_structs(&mut found, &slot.ty, env));
    // Fields of those that were found may name others, and so on.
    let mut next = 0;
    while let Some(of) = found.get(next).copied() {
        of.fields().iter().for_each(|field| add_structs(&mut found, &field.ty, env));
        next += 1;
    }
    found
}

fn add_structs<'e>(found: &mut Vec<&'e Arc<StructType>>, ty: &Type, env: &'e Env) {
    match plain(ty) {
        Type::List(element) => add_structs(found, element, env),
        Type::Map(entry) => {
            add_structs(found, &entry.0, env);
            add_structs(found, &entry.1, env);
        }
        Type::Struct(name) => {
            let of = env.struct_type(name).filter(|of| !found.iter().any(|other| Arc::ptr_eq(other, of)));
            found.extend(of);
        }
        _ => {}
    }
}

/// The text of a type, the kind of its values, and what these have in them.
fn type_of(parts: &mut Writer, ty: &Type) {
    parts.text(&ty.to_string());
    let ty = plain(ty);
    parts.int(kind(ty));
    match ty {
        Type::List(element) => type_of(parts, element),
        Type::Map(entry) => {
            type_of(parts, &entry.0);
            type_of(parts, &entry.1);
        }
        Type::Struct(name) => parts.text(name),
        _ => {}
    }
}

/// The type of what is there, where it may be null or an optional without a value.
fn plain(ty: &Type) -> &Type {
    ty.as_optional().unwrap_or(ty).without_null()
}

/// As in `io.comptoir.Kind`; 0 takes any value, and is checked where it is read.
const fn kind(ty: &Type) -> i32 {
    match ty {
        Type::Bool => 2,
        Type::Int => 3,
        Type::Uint => 4,
        Type::Double => 5,
        Type::String => 6,
        Type::Decimal => 7,
        Type::Timestamp => 8,
        Type::Duration => 9,
        Type::Bytes => 10,
        Type::List(_) => 11,
        Type::Map(_) => 12,
        Type::Struct(_) => 13,
        _ => 0,
    }
}
