//! Records of slots: what a value is, and the scalars.

use comptoir::rules::value::{Bytes, Duration, Timestamp};
use comptoir::rules::{Type, Value};
use comptoir::types::WideDecimal;
use comptoir_host::Fault;
use comptoir_host::rules::conform;

/// One value: what it is, and up to two words. `io.comptoir.SlotMemory` writes it.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Record {
    /// As in `io.comptoir.Kind`.
    pub kind: u32,
    /// Decimal places of a decimal.
    pub scale: u32,
    /// The value, or where it is.
    pub first: i64,
    /// The rest of the value, or how much there is of it.
    pub second: i64,
}

/// Bytes of a record.
pub const RECORD: usize = size_of::<Record>();

/// `count` records that begin at a byte.
#[inline]
pub fn records(memory: &[u8], from: usize, count: usize) -> Result<&[[u8; RECORD]], Fault> {
    let length = count.checked_mul(RECORD).ok_or_else(outside)?;
    Ok(range(memory, from, length)?.as_chunks().0)
}

impl Record {
    /// Reads a record.
    #[inline]
    pub const fn read(bytes: &[u8; RECORD]) -> Self {
        // SAFETY: as many bytes as a record has, and any bytes are one.
        unsafe { bytes.as_ptr().cast::<Self>().read_unaligned() }
    }

    /// Writes the value as one of the declared type, if it is not one with values in it, into a place that owns nothing, and
    /// says whether it then does.
    #[inline]
    pub fn write<'v>(&self, ty: &Type, memory: &'v [u8], place: &mut Value<'v>) -> Result<bool, Fault> {
        // What nearly every value is, written where it stays: a value that is made elsewhere and moved is read by the
        // processor in other pieces than it was written, for which it waits.
        match (self.kind, ty) {
            (2, Type::Bool) => put(place, Value::Bool(self.first != 0)),
            (3, Type::Int) => put(place, Value::Int(self.first)),
            (5, Type::Double) => put(place, Value::Double(f64::from_bits(self.first.cast_unsigned()))),
            (6, Type::String) => put(place, Value::str(self.text(memory)?)),
            _ => {
                put(place, conform(self.scalar(memory)?, ty));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The value, if it is not one with values in it. Texts are in `memory`.
    fn scalar<'v>(&self, memory: &'v [u8]) -> Result<Value<'v>, Fault> {
        Ok(match self.kind {
            0 => Value::Absent,
            1 => Value::Null,
            2 => Value::Bool(self.first != 0),
            3 => Value::Int(self.first),
            4 => Value::Uint(self.first.cast_unsigned()),
            5 => Value::Double(f64::from_bits(self.first.cast_unsigned())),
            6 => Value::str(self.text(memory)?),
            _ => self.other(memory)?,
        })
    }

    fn other<'v>(&self, memory: &'v [u8]) -> Result<Value<'v>, Fault> {
        Ok(match self.kind {
            7 => self.decimal()?,
            8 => Value::Timestamp(self.moment()?),
            9 => Value::Duration(Duration::from_nanos(self.first)),
            10 => Value::Bytes(Bytes::Ref(self.bytes(memory)?)),
            other => return Err(Fault::internal(format!("a slot of kind {other}"))),
        })
    }

    #[inline]
    fn text<'v>(&self, memory: &'v [u8]) -> Result<&'v str, Fault> {
        std::str::from_utf8(self.bytes(memory)?).map_err(|_| Fault::argument("a text is not UTF-8"))
    }

    /// The bytes that the two words say the place and the length of.
    #[inline]
    pub fn bytes<'v>(&self, memory: &'v [u8]) -> Result<&'v [u8], Fault> {
        let (from, length) = self.place()?;
        range(memory, from, length)
    }

    /// The two words as a place and a number.
    #[inline]
    pub fn place(&self) -> Result<(usize, usize), Fault> {
        match (usize::try_from(self.first), usize::try_from(self.second)) {
            (Ok(from), Ok(length)) => Ok((from, length)),
            _ => Err(outside()),
        }
    }

    /// The two words of the units.
    fn decimal(&self) -> Result<Value<'static>, Fault> {
        let units = (i128::from(self.second) << 64) | i128::from(self.first.cast_unsigned());
        let scale = u8::try_from(self.scale).unwrap_or(u8::MAX);
        Ok(Value::Decimal(WideDecimal::new(units, scale)?.into()))
    }

    /// Seconds, and the nanoseconds after them.
    fn moment(&self) -> Result<Timestamp, Fault> {
        let nanos = u32::try_from(self.second).unwrap_or(u32::MAX);
        Timestamp::new(self.first, nanos).map_err(|fault| Fault::plain(&comptoir::rules::Error::from(fault)))
    }
}

/// Fills a place that owns nothing, so that there is nothing to drop.
#[inline]
pub fn put<'v>(place: &mut Value<'v>, value: Value<'v>) {
    std::mem::forget(std::mem::replace(place, value));
}

#[inline]
fn range(memory: &[u8], from: usize, length: usize) -> Result<&[u8], Fault> {
    let end = from.checked_add(length).ok_or_else(outside)?;
    memory.get(from..end).ok_or_else(outside)
}

#[cold]
fn outside() -> Fault {
    Fault::internal("a value outside of its memory")
}
