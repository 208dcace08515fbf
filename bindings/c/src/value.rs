//! Values of rules across the border: typed slots in, results out.

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::sync::Arc;

use comptoir::rules::value::{Bytes, Duration, Timestamp};
use comptoir::rules::{DecimalValue, Env, EvalCode, EvalError, Type, Value as RuleValue};
use comptoir::types::WideDecimal;
use comptoir_host::rules::{conform, conform_json};
use comptoir_host::{Fault, Json, parse};

use crate::text::{self, StringView};

/// What a value is. The numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum ValueKind {
    /// Nothing is there: `has` is false, and a read is an error. A value of zeros is this.
    Absent = 0,
    /// `null`
    Null = 1,
    /// `as.boolean`
    Bool = 2,
    /// `as.integer`
    Int = 3,
    /// `as.unsigned_integer`
    Uint = 4,
    /// `as.number`
    Double = 5,
    /// `as.text`, in UTF-8.
    String = 6,
    /// `as.text`, any bytes.
    Bytes = 7,
    /// `as.decimal`, an exact number.
    Decimal = 8,
    /// `as.timestamp`
    Timestamp = 9,
    /// `as.duration`
    Duration = 10,
    /// `as.text`: JSON. As a result: a list, a map or another value without a form of its own. As an input: any value.
    Json = 11,
}

/// A value: `kind` says which member of `as` it is in.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Value {
    /// One of `comptoir_value_kind`.
    pub kind: u32,
    /// Decimal places of a decimal, from 0 to 18; else 0.
    pub scale: u32,
    /// The value.
    pub r#as: ValueAs,
}

/// The members of a value.
#[derive(Clone, Copy)]
#[repr(C)]
pub union ValueAs {
    /// A truth value: 0 is false.
    pub boolean: u8,
    /// A signed integer.
    pub integer: i64,
    /// An unsigned integer.
    pub unsigned_integer: u64,
    /// A floating-point number.
    pub number: f64,
    /// Text, bytes or JSON.
    pub text: StringView,
    /// Units of an exact decimal: the number times ten to the power of `scale`.
    pub decimal: Decimal128,
    /// A moment.
    pub timestamp: Moment,
    /// A span of time, in nanoseconds.
    pub duration: i64,
}

/// An integer of 128 bits in two's complement, as two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Decimal128 {
    /// The low 64 bits.
    pub low: u64,
    /// The high 64 bits, with the sign.
    pub high: i64,
}

/// A moment since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Moment {
    /// Seconds, negative before 1970.
    pub seconds: i64,
    /// Nanoseconds in that second, below 10^9.
    pub nanos: u32,
}

impl Value {
    const fn new(kind: ValueKind, r#as: ValueAs) -> Self {
        Self { kind: kind as u32, scale: 0, r#as }
    }

    /// Writes the value as one of the declared type, text borrowed, and says whether it owns something, so that it is to be
    /// dropped. A value that cannot be of that type is an error where it is read.
    ///
    /// # Safety
    /// The member that `kind` names is initialised, and its text readable for as long as what is written is used.
    #[inline]
    pub unsafe fn write<'v>(&self, ty: &Type, env: &Env, place: &mut MaybeUninit<RuleValue<'v>>) -> bool {
        // What nearly every slot is, written where it stays.
        // SAFETY: in each arm, the caller's promise.
        unsafe {
            match (self.kind, ty) {
                (2, Type::Bool) => place.write(RuleValue::Bool(self.r#as.boolean != 0)),
                (3, Type::Int) => place.write(RuleValue::Int(self.r#as.integer)),
                (4, Type::Uint) => place.write(RuleValue::Uint(self.r#as.unsigned_integer)),
                (5, Type::Double) => place.write(RuleValue::Double(self.r#as.number)),
                (6, Type::String) => match self.text() {
                    Ok(text) => place.write(RuleValue::str(text)),
                    Err(fault) => return owned(place, wrong(fault.message)),
                },
                _ => return owned(place, self.read(ty, env)),
            };
        }
        false
    }

    /// The value as one of the declared type.
    ///
    /// # Safety
    /// As for [`Value::write`].
    pub unsafe fn read<'v>(&self, ty: &Type, env: &Env) -> RuleValue<'v> {
        if self.kind == ValueKind::Json as u32 {
            // SAFETY: the caller's promise.
            return unsafe { self.json(ty, env) };
        }
        // SAFETY: the caller's promise.
        conform(unsafe { self.plain() }, ty)
    }

    /// # Safety
    /// As for [`Value::write`].
    #[inline]
    unsafe fn plain<'v>(&self) -> RuleValue<'v> {
        // SAFETY: in each arm, the caller's promise.
        unsafe {
            match self.kind {
                0 => RuleValue::Absent,
                1 => RuleValue::Null,
                2 => RuleValue::Bool(self.r#as.boolean != 0),
                3 => RuleValue::Int(self.r#as.integer),
                4 => RuleValue::Uint(self.r#as.unsigned_integer),
                5 => RuleValue::Double(self.r#as.number),
                6 => match self.text() {
                    Ok(text) => RuleValue::str(text),
                    Err(fault) => wrong(fault.message),
                },
                _ => self.exact(),
            }
        }
    }

    /// # Safety
    /// As for [`Value::write`].
    unsafe fn exact<'v>(&self) -> RuleValue<'v> {
        // SAFETY: in each arm, the caller's promise.
        unsafe {
            match self.kind {
                7 => match text::bytes("value", self.r#as.text.data, self.r#as.text.length) {
                    Ok(bytes) => RuleValue::Bytes(Bytes::Ref(bytes)),
                    Err(fault) => wrong(fault.message),
                },
                8 => {
                    let Decimal128 { low, high } = self.r#as.decimal;
                    let units = i128::from(high) << 64 | i128::from(low);
                    let scale = u8::try_from(self.scale).unwrap_or(u8::MAX);
                    match WideDecimal::new(units, scale) {
                        Ok(decimal) => RuleValue::Decimal(DecimalValue::from(decimal)),
                        Err(error) => wrong(error.to_string()),
                    }
                }
                9 => match Timestamp::new(self.r#as.timestamp.seconds, self.r#as.timestamp.nanos) {
                    Ok(moment) => RuleValue::Timestamp(moment),
                    Err(fault) => wrong(fault.to_string()),
                },
                10 => RuleValue::Duration(Duration::from_nanos(self.r#as.duration)),
                other => wrong(format!("a value of kind {other}, which there is not")),
            }
        }
    }

    /// # Safety
    /// As for [`Value::write`].
    #[inline]
    unsafe fn text<'v>(&self) -> Result<&'v str, Fault> {
        // SAFETY: the caller's promise.
        unsafe { text::text("value", self.r#as.text.data, self.r#as.text.length) }
    }

    /// # Safety
    /// As for [`Value::write`].
    unsafe fn json<'v>(&self, ty: &Type, env: &Env) -> RuleValue<'v> {
        // SAFETY: the caller's promise.
        let text = match unsafe { self.text() } {
            Ok(text) => text,
            Err(fault) => return wrong(fault.message),
        };
        match parse::<Json>("value", text) {
            Ok(json) => conform_json(&json, ty, env),
            Err(fault) => wrong(fault.message),
        }
    }

    /// A result for C. Text is in the value itself or, for what has no form of its own, in memory of this thread that
    /// stays until the next such result on it.
    pub fn of(value: &RuleValue<'_>) -> Self {
        let text = |kind, text: &str| Self::new(kind, ValueAs { text: StringView::of(text) });
        match value {
            RuleValue::Absent => Self::new(ValueKind::Absent, ValueAs { integer: 0 }),
            RuleValue::Null | RuleValue::Optional(None) => Self::new(ValueKind::Null, ValueAs { integer: 0 }),
            RuleValue::Bool(truth) => Self::new(ValueKind::Bool, ValueAs { boolean: u8::from(*truth) }),
            RuleValue::Int(integer) => Self::new(ValueKind::Int, ValueAs { integer: *integer }),
            RuleValue::Uint(number) => Self::new(ValueKind::Uint, ValueAs { unsigned_integer: *number }),
            RuleValue::Double(number) => Self::new(ValueKind::Double, ValueAs { number: *number }),
            RuleValue::String(string) => text(ValueKind::String, string),
            RuleValue::Bytes(bytes) => {
                Self::new(ValueKind::Bytes, ValueAs { text: StringView::of_bytes(bytes) })
            }
            RuleValue::Decimal(decimal) => Self::of_decimal(decimal.wide()),
            RuleValue::Timestamp(moment) => {
                let timestamp = Moment { seconds: moment.seconds(), nanos: moment.nanos() };
                Self::new(ValueKind::Timestamp, ValueAs { timestamp })
            }
            RuleValue::Duration(duration) => {
                Self::new(ValueKind::Duration, ValueAs { duration: duration.nanos() })
            }
            // Callers that keep a result longer ask `is_plain` before.
            other => Self::new(ValueKind::Json, ValueAs { text: keep(other.to_json().to_string()) }),
        }
    }

    /// Whether a value has a form of its own here; else it is JSON.
    pub const fn is_plain(value: &RuleValue<'_>) -> bool {
        matches!(
            value,
            RuleValue::Absent
                | RuleValue::Null
                | RuleValue::Optional(None)
                | RuleValue::Bool(_)
                | RuleValue::Int(_)
                | RuleValue::Uint(_)
                | RuleValue::Double(_)
                | RuleValue::String(_)
                | RuleValue::Bytes(_)
                | RuleValue::Decimal(_)
                | RuleValue::Timestamp(_)
                | RuleValue::Duration(_)
        )
    }

    /// JSON that the caller keeps.
    pub fn of_json(text: &str) -> Self {
        Self::new(ValueKind::Json, ValueAs { text: StringView::of(text) })
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the two words of the number"
    )]
    fn of_decimal(decimal: WideDecimal) -> Self {
        let units = decimal.units();
        let words = Decimal128 { low: units as u64, high: (units >> 64) as i64 };
        let value = Self::new(ValueKind::Decimal, ValueAs { decimal: words });
        Self { scale: u32::from(decimal.scale()), ..value }
    }
}

thread_local! {
    static KEPT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps text until the next one is kept on this thread.
fn keep(text: String) -> StringView {
    KEPT.with_borrow_mut(|kept| {
        *kept = text;
        StringView::of(kept)
    })
}

/// Keeps the text of a result that does not outlive this call.
pub fn kept(value: RuleValue<'_>) -> Value {
    match value {
        RuleValue::String(text) => {
            let text = keep(text.to_string());
            Value::new(ValueKind::String, ValueAs { text })
        }
        RuleValue::Bytes(bytes) => {
            let text = keep_bytes(&bytes);
            Value::new(ValueKind::Bytes, ValueAs { text })
        }
        other => Value::of(&other),
    }
}

thread_local! {
    static KEPT_BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn keep_bytes(bytes: &[u8]) -> StringView {
    KEPT_BYTES.with_borrow_mut(|kept| {
        kept.clear();
        kept.extend_from_slice(bytes);
        StringView::of_bytes(kept)
    })
}

fn owned<'v>(place: &mut MaybeUninit<RuleValue<'v>>, value: RuleValue<'v>) -> bool {
    place.write(value);
    true
}

#[cold]
fn wrong<'v>(message: String) -> RuleValue<'v> {
    RuleValue::Error(Arc::new(EvalError::new(EvalCode::InvalidArgument, message)))
}
