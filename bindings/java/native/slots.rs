//! Values that `io.comptoir.Slots` wrote into direct memory: a record for each slot, then the texts.

use std::slice;

use comptoir::rules::Value;
use comptoir::rules::value::{Duration, Timestamp};
use comptoir::types::WideDecimal;
use comptoir_host::Fault;
use jni::sys::{jint, jlong};

use crate::handle::pointer;

/// One value: what it is, and up to two words.
#[derive(Clone, Copy)]
#[repr(C)]
struct Record {
    kind: u32,
    /// Decimal places of a decimal.
    scale: u32,
    first: i64,
    second: i64,
}

/// The values of the slots, text borrowed. The slice given on is on the stack for up to 8 of them.
#[inline]
pub fn with_slots<T>(
    address: jlong,
    count: jint,
    work: impl FnOnce(&[Value<'_>]) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let start: *const Record = pointer(address);
    let count = usize::try_from(count).unwrap_or(0);
    if start.is_null() || count == 0 {
        return work(&[]);
    }
    // SAFETY: `io.comptoir.Slots` allocates this many records, aligned, and nobody writes to them during the call.
    let records = unsafe { slice::from_raw_parts(start, count) };
    let mut few = [const { Value::Absent }; 8];
    if let Some(few) = few.get_mut(..count) {
        for (place, record) in few.iter_mut().zip(records) {
            *place = value(record, start.cast())?;
        }
        return work(few);
    }
    let many = records.iter().map(|record| value(record, start.cast())).collect::<Result<Vec<_>, _>>()?;
    work(&many)
}

#[inline]
fn value<'v>(record: &Record, start: *const u8) -> Result<Value<'v>, Fault> {
    Ok(match record.kind {
        0 => Value::Absent,
        1 => Value::Null,
        2 => Value::Bool(record.first != 0),
        3 => Value::Int(record.first),
        4 => Value::Uint(record.first.cast_unsigned()),
        5 => Value::Double(f64::from_bits(record.first.cast_unsigned())),
        6 => Value::str(text(record, start)?),
        7 => decimal(record)?,
        8 => Value::Timestamp(moment(record)?),
        9 => Value::Duration(Duration::from_nanos(record.first)),
        other => return Err(Fault::internal(format!("a slot of kind {other}"))),
    })
}

/// The text at `first` bytes from the start, of `second` bytes.
#[inline]
fn text<'v>(record: &Record, start: *const u8) -> Result<&'v str, Fault> {
    let (offset, length) = (usize::try_from(record.first), usize::try_from(record.second));
    let (Ok(offset), Ok(length)) = (offset, length) else {
        return Err(Fault::internal("a text outside of its memory"));
    };
    // SAFETY: `io.comptoir.Slots` wrote a text of this length there, in the memory that the records are in.
    let bytes = unsafe { slice::from_raw_parts(start.add(offset), length) };
    std::str::from_utf8(bytes).map_err(|_| Fault::argument("a text is not UTF-8"))
}

/// The two words of the units.
fn decimal(record: &Record) -> Result<Value<'static>, Fault> {
    let units = (i128::from(record.second) << 64) | i128::from(record.first.cast_unsigned());
    let scale = u8::try_from(record.scale).unwrap_or(u8::MAX);
    Ok(Value::Decimal(WideDecimal::new(units, scale)?.into()))
}

/// Seconds, and the nanoseconds after them.
fn moment(record: &Record) -> Result<Timestamp, Fault> {
    let nanos = u32::try_from(record.second).unwrap_or(u32::MAX);
    Timestamp::new(record.first, nanos).map_err(|fault| Fault::plain(&comptoir::rules::Error::from(fault)))
}
