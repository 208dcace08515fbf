//! Values that `io.comptoir.Slots` wrote into direct memory: a record for each slot, then texts and blocks.

use std::slice;

use comptoir::rules::ir::Slot;
use comptoir::rules::{Env, Value};
use comptoir_host::Fault;
use jni::sys::{jint, jlong};

use crate::handle::pointer;
use crate::nested;
use crate::pool::Pool;
use crate::record::{RECORD, Record, records};

/// Where Java wrote the values of slots.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// The address of the first record.
    pub address: jlong,
    /// How many slots there are.
    pub count: jint,
    /// How many bytes there are.
    pub size: jint,
}

/// The values of the slots as ones of their declared types, text borrowed. The slice given on is on the stack for up to
/// 8 of them.
#[inline]
pub fn with_slots<T>(
    memory: Memory,
    declared: &[Slot],
    env: &Env,
    work: impl FnOnce(&[Value<'_>]) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let start: *const u8 = pointer(memory.address);
    if start.is_null() || declared.is_empty() {
        return work(&[]);
    }
    let size = usize::try_from(memory.size).unwrap_or(0);
    // SAFETY: `io.comptoir.SlotMemory` allocated this many bytes there, and nobody writes to them during the call.
    let bytes = unsafe { slice::from_raw_parts(start, size) };
    let count = usize::try_from(memory.count).unwrap_or(0);
    if count != declared.len() {
        return Err(Fault::internal(format!("{count} values for {} slots", declared.len())));
    }
    let records = records(bytes, 0, count)?;
    let nested = records.iter().any(|record| Record::read(record).kind == nested::BLOCK);
    Pool::lend(if nested { nested::places(bytes) } else { 0 }, |pool| {
        let event = Event { bytes, env, pool };
        let given = records.iter().zip(declared);
        let mut few = [const { Value::Absent }; 8];
        if let Some(few) = few.get_mut(..count) {
            for (place, (record, slot)) in few.iter_mut().zip(given) {
                event.write(record, slot, place)?;
            }
            return work(few);
        }
        let mut many = vec![Value::Absent; count];
        for (place, (record, slot)) in many.iter_mut().zip(given) {
            event.write(record, slot, place)?;
        }
        work(&many)
    })
}

/// Where the values of an event are, and what they are read with.
struct Event<'v> {
    bytes: &'v [u8],
    env: &'v Env,
    pool: &'v Pool,
}

impl<'v> Event<'v> {
    #[inline]
    fn write(&self, record: &[u8; RECORD], slot: &Slot, place: &mut Value<'v>) -> Result<(), Fault> {
        let record = Record::read(record);
        if record.kind == nested::BLOCK {
            return nested::block(record.bytes(self.bytes)?, &slot.ty, (self.env, self.pool), place);
        }
        record.write(&slot.ty, self.bytes, place).map(drop)
    }
}
