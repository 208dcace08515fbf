//! The inputs of a program from JSON text, in one pass: what the program does not read is skipped.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use crate::host::{from_json, needs_conversion};
use crate::ir::Slot;
use crate::types::{Env, StructType, Type};
use crate::value::{Row, Str, Struct, Value};

/// Text that is no JSON object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event is no JSON at line {line}, column {column}: {message}")]
pub struct JsonError {
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl JsonError {
    fn of(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let message = text.rsplit_once(" at line ").map_or(&*text, |(message, _)| message);
        Self { line: error.line(), column: error.column(), message: message.to_owned() }
    }
}

/// The values of all slots; text without escapes is borrowed.
pub(crate) fn read<'t>(
    layout: &Layout,
    slots: &[Slot],
    env: &Env,
    text: &'t [u8],
) -> Result<Vec<Value<'t>>, JsonError> {
    let mut fill = Fill {
        layout,
        slots,
        env,
        values: vec![Value::Absent; slots.len() + layout.dotted.len()],
        is_seen: vec![false; layout.places.len()],
    };
    let mut source = serde_json::Deserializer::from_slice(text);
    let read = PlaceSeed { place: 0, fill: &mut fill }.deserialize(&mut source);
    read.and_then(|()| source.end()).map_err(|error| JsonError::of(&error))?;
    Ok(fill.finish())
}

/// Where the values that a program reads stand in an event: a tree of names.
#[derive(Debug)]
pub(crate) struct Layout {
    places: Vec<Place>,
    /// Variables whose names have dots may also be nested objects: slot, and the place of the name as a whole.
    dotted: Vec<(usize, usize)>,
}

#[derive(Debug, Default)]
struct Place {
    /// Names of fields with their places, by name.
    under: Vec<(Box<str>, usize)>,
    /// The values that are taken from here: slots, and beyond them those of [`Layout::dotted`].
    targets: Vec<usize>,
}

impl Layout {
    pub(crate) fn new(slots: &[Slot]) -> Self {
        let mut layout = Self { places: vec![Place::default()], dotted: Vec::new() };
        for (index, slot) in slots.iter().enumerate() {
            let Some((root, fields)) = slot.path.split_first() else { continue };
            let whole = layout.place(0, root);
            let end = fields.iter().fold(whole, |place, name| layout.place(place, name));
            layout.target(end, index);
            if root.contains('.') {
                let steps = root.split('.').chain(fields.iter().map(|name| &**name));
                let end = steps.fold(0, |place, name| layout.place(place, name));
                layout.target(end, slots.len() + layout.dotted.len());
                layout.dotted.push((index, whole));
            }
        }
        layout
    }

    fn under(&self, place: usize, name: &str) -> Result<usize, usize> {
        let under = self.places.get(place).map_or(&[][..], |place| &place.under);
        let found = under.binary_search_by(|(own, _)| (**own).cmp(name))?;
        under.get(found).map(|(_, place)| *place).ok_or(found)
    }

    fn place(&mut self, place: usize, name: &str) -> usize {
        match self.under(place, name) {
            Ok(found) => found,
            Err(at) => {
                let new = self.places.len();
                self.places.push(Place::default());
                if let Some(place) = self.places.get_mut(place) {
                    place.under.insert(at, (name.into(), new));
                }
                new
            }
        }
    }

    fn target(&mut self, place: usize, target: usize) {
        if let Some(place) = self.places.get_mut(place) {
            place.targets.push(target);
        }
    }
}

struct Fill<'l, 't> {
    layout: &'l Layout,
    slots: &'l [Slot],
    env: &'l Env,
    values: Vec<Value<'t>>,
    is_seen: Vec<bool>,
}

impl<'l, 't> Fill<'l, 't> {
    fn ty(&self, target: usize) -> &'l Type {
        let slot = match target.checked_sub(self.slots.len()) {
            None => target,
            Some(beyond) => self.layout.dotted.get(beyond).map_or(usize::MAX, |(slot, _)| *slot),
        };
        self.slots.get(slot).map_or(&Type::Dyn, |slot| &slot.ty)
    }

    fn set(&mut self, target: usize, value: Value<'t>) {
        if let Some(own) = self.values.get_mut(target) {
            *own = value;
        }
    }

    /// Fills a place and all under it from a value; nothing where it is missing.
    fn fill(&mut self, place: usize, json: Option<&Json>) {
        let Some(own) = self.layout.places.get(place) else { return };
        for target in &own.targets {
            let value = from_json(json, self.ty(*target), self.env).into_owned();
            self.set(*target, value);
        }
        for (name, under) in &own.under {
            self.fill(*under, json.and_then(|json| json.get(&**name)));
        }
    }

    /// Whether a name comes again: then the last counts, as a whole.
    fn see(&mut self, place: usize) {
        if self.is_seen.get(place).is_some_and(|is_seen| *is_seen) {
            self.fill(place, None);
        }
        if let Some(is_seen) = self.is_seen.get_mut(place) {
            *is_seen = true;
        }
    }

    /// A variable with dots in its name is what stands under its whole name, else what its parts lead to.
    fn finish(mut self) -> Vec<Value<'t>> {
        let nested = self.values.split_off(self.slots.len());
        for ((slot, whole), value) in self.layout.dotted.iter().zip(nested) {
            if !self.is_seen.get(*whole).is_some_and(|is_seen| *is_seen) {
                self.set(*slot, value);
            }
        }
        self.values
    }
}

/// Reads what stands at a place.
struct PlaceSeed<'f, 'l, 't> {
    place: usize,
    fill: &'f mut Fill<'l, 't>,
}

impl<'t> DeserializeSeed<'t> for PlaceSeed<'_, '_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, source: D) -> Result<(), D::Error> {
        let Some(own) = self.fill.layout.places.get(self.place) else { return Ok(()) };
        match (&*own.targets, &*own.under) {
            ([], _) if self.place == 0 => source.deserialize_map(self),
            ([], _) => source.deserialize_any(self),
            ([target], []) => {
                let seed = ValueSeed { ty: self.fill.ty(*target), env: self.fill.env };
                let value = seed.deserialize(source)?;
                self.fill.set(*target, value);
                Ok(())
            }
            _ => {
                let json = Json::deserialize(source)?;
                self.fill.fill(self.place, Some(&json));
                Ok(())
            }
        }
    }
}

/// What has no fields has nothing that is read.
macro_rules! nothing {
    ($($name:ident($ty:ty)),*) => {
        $(fn $name<E>(self, _: $ty) -> Result<(), E> {
            Ok(())
        })*
    };
}

impl<'t> Visitor<'t> for PlaceSeed<'_, '_, 't> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object whose fields are the variables")
    }

    nothing!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut elements: A) -> Result<(), A::Error> {
        if self.place == 0 {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        }
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'t>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(under) =
            fields.next_key_seed(NameSeed(|name: &str| self.fill.layout.under(self.place, name).ok()))?
        {
            match under {
                Some(place) => {
                    self.fill.see(place);
                    fields.next_value_seed(PlaceSeed { place, fill: self.fill })?;
                }
                None => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a name and gives what is known about it, without keeping the name.
struct NameSeed<F>(F);

impl<'t, T, F: FnOnce(&str) -> T> DeserializeSeed<'t> for NameSeed<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'t>>(self, source: D) -> Result<T, D::Error> {
        source.deserialize_str(self)
    }
}

impl<'t, T, F: FnOnce(&str) -> T> Visitor<'t> for NameSeed<F> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<T, E> {
        Ok(self.0(name))
    }
}

/// Reads a value of a type, as [`from_json`] makes it.
#[derive(Clone, Copy)]
struct ValueSeed<'l> {
    ty: &'l Type,
    env: &'l Env,
}

impl ValueSeed<'_> {
    fn convert(self, json: &Json) -> Value<'static> {
        from_json(Some(json), self.ty, self.env).into_owned()
    }

    fn text<'t>(self, text: &str, keep: impl FnOnce() -> Str<'t>) -> Value<'t> {
        match self.ty.without_null() {
            Type::String | Type::Dyn | Type::Error => Value::String(keep()),
            _ => self.convert(&Json::from(text)),
        }
    }
}

impl<'t> DeserializeSeed<'t> for ValueSeed<'_> {
    type Value = Value<'t>;

    fn deserialize<D: Deserializer<'t>>(self, source: D) -> Result<Value<'t>, D::Error> {
        source.deserialize_any(self)
    }
}

macro_rules! scalars {
    ($($name:ident($ty:ty)),*) => {
        $(fn $name<E>(self, value: $ty) -> Result<Value<'t>, E> {
            Ok(self.convert(&Json::from(value)))
        })*
    };
}

impl<'t> Visitor<'t> for ValueSeed<'_> {
    type Value = Value<'t>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    scalars!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64));

    fn visit_unit<E>(self) -> Result<Value<'t>, E> {
        Ok(self.convert(&Json::Null))
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Value<'t>, E> {
        Ok(self.text(text, || Str::Ref(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'t>, E> {
        Ok(self.text(text, || Str::Shared(text.into())))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut elements: A) -> Result<Value<'t>, A::Error> {
        let ty = match self.ty.without_null() {
            Type::List(element) if needs_conversion(element) => &**element,
            Type::List(_) | Type::Dyn | Type::Error => &Type::Dyn,
            _ => {
                let json = Vec::<Json>::deserialize(serde::de::value::SeqAccessDeserializer::new(elements))?;
                return Ok(self.convert(&Json::from(json)));
            }
        };
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(ValueSeed { ty, env: self.env })? {
            values.push(value);
        }
        Ok(Value::list(values))
    }

    fn visit_map<A: MapAccess<'t>>(self, fields: A) -> Result<Value<'t>, A::Error> {
        if let Type::Struct(name) = self.ty.without_null()
            && let Some(of) = self.env.struct_type(name)
        {
            return row(of, self.env, fields);
        }
        // The order of a map is that of its names, which is known at the end.
        let json = Json::deserialize(serde::de::value::MapAccessDeserializer::new(fields))?;
        Ok(self.convert(&json))
    }
}

/// A struct: its fields at their places, and what its type does not have is skipped.
fn row<'t, A: MapAccess<'t>>(of: &Arc<StructType>, env: &Env, mut fields: A) -> Result<Value<'t>, A::Error> {
    let mut values = vec![Value::Absent; of.fields().len()];
    while let Some(position) = fields.next_key_seed(NameSeed(|name: &str| of.position(name)))? {
        let place = position.and_then(|at| of.fields().get(at).zip(values.get_mut(at)));
        match place {
            Some((field, value)) => *value = fields.next_value_seed(ValueSeed { ty: &field.ty, env })?,
            None => {
                fields.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(Value::Struct(Struct::Shared(Arc::new(Row::new(of.clone(), values)))))
}
