//! Lists, maps and structs in slots. Each slot has a block of its own, whose first record is the value: records and texts
//! are found by their distance from the beginning of the block.
//!
//! Nothing that is in a block is trusted: places outside of it, values that are in themselves, and more of them than it
//! has bytes for are faults.

use std::sync::Arc;

use comptoir::rules::value::{List, MapBuilder, Struct};
use comptoir::rules::{Env, EvalCode, EvalError, Fault as RuleFault, StructType, Type, Value};
use comptoir_host::Fault;
use comptoir_host::rules::conform;

use crate::pool::Pool;
use crate::record::{RECORD, Record, put, records};

/// The kind of a slot whose value is in a block.
pub const BLOCK: u32 = 14;

/// As many values in one another as `io.comptoir.Block` writes.
const MAX_DEPTH: usize = 64;

/// What is read.
struct Block<'v> {
    bytes: &'v [u8],
    env: &'v Env,
    pool: &'v Pool,
    /// How many records may still be read: no more than the block has room for, so that no record is read often.
    left: usize,
    /// The type of the struct that was read last.
    last: Option<&'v Arc<StructType>>,
}

/// Writes the value in a block as one of a declared type. What cannot be one is an error where it is read.
///
/// # Errors
/// A block that nobody should have written.
pub fn block<'v>(
    bytes: &'v [u8],
    ty: &Type,
    (env, pool): (&'v Env, &'v Pool),
    place: &mut Value<'v>,
) -> Result<(), Fault> {
    let root = records(bytes, 0, 1)?.first().ok_or_else(broken)?;
    Block { bytes, env, pool, left: places(bytes), last: None }.write(root, ty, MAX_DEPTH, place)
}

/// No more values than this can be in a block.
pub const fn places(bytes: &[u8]) -> usize {
    bytes.len() / RECORD
}

impl<'v> Block<'v> {
    /// Writes a value into a place that owns nothing; what it owns then, the pool is told to drop.
    #[inline]
    fn write(
        &mut self,
        record: &[u8; RECORD],
        ty: &Type,
        depth: usize,
        place: &mut Value<'v>,
    ) -> Result<(), Fault> {
        let record = Record::read(record);
        if (11..=13).contains(&record.kind) {
            return self.compound(&record, ty, depth, place);
        }
        if record.write(ty, self.bytes, place)? {
            self.pool.owns();
        }
        Ok(())
    }

    fn compound(
        &mut self,
        record: &Record,
        ty: &Type,
        depth: usize,
        place: &mut Value<'v>,
    ) -> Result<(), Fault> {
        let depth = depth.checked_sub(1).ok_or_else(broken)?;
        let inner = ty.as_optional().unwrap_or(ty).without_null();
        match record.kind {
            11 => self.list(record, inner, depth, place)?,
            12 => put(place, self.map(record, inner, depth)?),
            _ => self.structure(record, inner, depth, place)?,
        }
        if !matches!((ty, &*place), (Type::List(_), Value::List(_)) | (Type::Struct(_), Value::Struct(_))) {
            self.pool.owns();
            *place = conform(std::mem::replace(place, Value::Absent), ty);
        }
        Ok(())
    }

    /// A value by itself, where it is not to stay.
    fn value(&mut self, record: &[u8; RECORD], ty: &Type, depth: usize) -> Result<Value<'v>, Fault> {
        let mut value = Value::Absent;
        self.write(record, ty, depth, &mut value)?;
        Ok(value)
    }

    /// The records of a value, each of which counts.
    fn inner(&mut self, from: usize, count: usize) -> Result<&'v [[u8; RECORD]], Fault> {
        self.left = self.left.checked_sub(count).ok_or_else(broken)?;
        records(self.bytes, from, count)
    }

    fn list(&mut self, record: &Record, ty: &Type, depth: usize, place: &mut Value<'v>) -> Result<(), Fault> {
        let (from, count) = record.place()?;
        let element = if let Type::List(element) = ty { element } else { &Type::Dyn };
        let records = self.inner(from, count)?;
        let values = self.pool.values(count).ok_or_else(broken)?;
        for (index, (value, record)) in values.iter_mut().zip(records).enumerate() {
            self.write(record, element, depth, value)?;
            if matches!(value, Value::Absent) {
                self.pool.owns();
                put(value, wrong(format!("element {index} of a list was not set")));
            }
        }
        put(place, Value::List(List::Ref(values)));
        Ok(())
    }

    fn map(&mut self, record: &Record, ty: &Type, depth: usize) -> Result<Value<'v>, Fault> {
        let (from, count) = record.place()?;
        let any = (Type::Dyn, Type::Dyn);
        let (key_type, value_type) = if let Type::Map(entry) = ty { &**entry } else { &any };
        let records = self.inner(from, count.checked_mul(2).ok_or_else(broken)?)?;
        let mut builder = MapBuilder::with_capacity(count);
        let mut refused = None;
        for (place, [key, held]) in records.as_chunks().0.iter().enumerate() {
            let key = self.value(key, key_type, depth)?;
            let held = match self.value(held, value_type, depth)? {
                Value::Absent => wrong(format!("value {place} of a map was not set")),
                held => held,
            };
            if let Err(RuleFault::Error(error)) = builder.insert(key, held) {
                refused = Some(Value::Error(Arc::new(*error)));
            }
        }
        Ok(refused.unwrap_or_else(|| Value::Map(builder.finish())))
    }

    fn structure(
        &mut self,
        record: &Record,
        ty: &Type,
        depth: usize,
        place: &mut Value<'v>,
    ) -> Result<(), Fault> {
        let (from, count) = record.place()?;
        let of = if let Type::Struct(name) = ty { self.struct_type(name) } else { None };
        let of = of.filter(|of| of.fields().len() == count).ok_or_else(broken)?;
        let records = self.inner(from, count)?;
        let fields = self.pool.values(count).ok_or_else(broken)?;
        for (value, (record, field)) in fields.iter_mut().zip(records.iter().zip(of.fields())) {
            self.write(record, &field.ty, depth, value)?;
        }
        put(place, Value::Struct(Struct::Row(self.pool.row(of, fields).ok_or_else(broken)?)));
        Ok(())
    }

    /// A declared type; that of the struct before, as in a list, is not looked for again.
    fn struct_type(&mut self, name: &str) -> Option<&'v Arc<StructType>> {
        if self.last.is_none_or(|last| last.name() != name) {
            self.last = self.env.struct_type(name);
        }
        self.last
    }
}

#[cold]
fn wrong(message: String) -> Value<'static> {
    Value::Error(Arc::new(EvalError::new(EvalCode::InvalidArgument, message)))
}

#[cold]
fn broken() -> Fault {
    Fault::internal("a list, map or struct that is written in another way than is read")
}
