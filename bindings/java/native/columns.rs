//! Columns over direct buffers of Java, and direct buffers over columns: neither copies.

use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, make_array};
use arrow_buffer::Buffer;
use arrow_buffer::alloc::Allocation;
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use comptoir_host::table::type_name;
use comptoir_host::{Fault, Table};
use jni::errors::Result as JniResult;
use jni::objects::{JByteBuffer, JClass, JObject, JObjectArray};
use jni::refs::Global;
use jni::{Env, jni_str};

use crate::call::Failure;
use crate::parts::Reader;

/// Keeps a buffer of Java from being collected until Arrow drops the memory.
struct Kept(#[expect(dead_code, reason = "dropped with the memory")] Global<JObject<'static>>);

// `Global` may be dropped on any thread: it attaches itself.
impl std::panic::RefUnwindSafe for Kept {}
impl std::panic::UnwindSafe for Kept {}

/// A table of one batch over direct buffers.
pub fn table(
    env: &mut Env<'_>,
    description: &[u8],
    buffers: &JObjectArray<'_, JObject<'_>>,
) -> Result<Table, Failure> {
    let mut parts = Reader::new(description);
    let rows = parts.count()?;
    let (mut fields, mut arrays, mut next) = (Vec::new(), Vec::new(), 0);
    while !parts.is_empty() {
        let name = parts.text()?.to_owned();
        let data_type = data_type(parts.text()?, &mut parts)?;
        let (data_buffers, valid) = (parts.count()?, parts.count()? == 1);
        let mut taken = Vec::with_capacity(data_buffers);
        for _ in 0..data_buffers {
            taken.push(take(env, buffers, next, &name)?);
            next += 1;
        }
        let validity = if valid {
            next += 1;
            Some(take(env, buffers, next - 1, &name)?)
        } else {
            None
        };
        fields.push(Field::new(&name, data_type.clone(), valid));
        arrays.push(array(&name, data_type, rows, taken, validity)?);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch =
        RecordBatch::try_new(schema.clone(), arrays).map_err(|error| Fault::argument(error.to_string()))?;
    Ok(Table { schema, batches: vec![batch] })
}

fn data_type(name: &str, parts: &mut Reader<'_>) -> Result<DataType, Fault> {
    let (precision, scale) = (parts.int()?, parts.int()?);
    Ok(match name {
        "bool" => DataType::Boolean,
        "int32" => DataType::Int32,
        "int64" => DataType::Int64,
        "float32" => DataType::Float32,
        "float64" => DataType::Float64,
        "utf8" => DataType::Utf8,
        "date32" => DataType::Date32,
        "timestamp_us" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "timestamp_us_utc" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "decimal128" => match (u8::try_from(precision), i8::try_from(scale)) {
            (Ok(precision @ 1..=38), Ok(scale @ 0..=38)) => DataType::Decimal128(precision, scale),
            _ => {
                return Err(Fault::argument(format!(
                    "there is no decimal of precision {precision} and scale {scale}"
                )));
            }
        },
        other => return Err(Fault::internal(format!("a column of type `{other}`"))),
    })
}

fn array(
    name: &str,
    data_type: DataType,
    rows: usize,
    buffers: Vec<Buffer>,
    validity: Option<Buffer>,
) -> Result<ArrayRef, Fault> {
    let wrong =
        |error: arrow_schema::ArrowError| Fault::argument(format!("column `{name}`: {error}")).at(name);
    // Lengths, offsets and texts are validated.
    let data = ArrayData::try_new(data_type, rows, validity, 0, buffers, Vec::new()).map_err(wrong)?;
    Ok(make_array(data))
}

fn take(
    env: &mut Env<'_>,
    buffers: &JObjectArray<'_, JObject<'_>>,
    index: usize,
    column: &str,
) -> Result<Buffer, Failure> {
    let object = buffers.get_element(env, index)?;
    let kept = env.new_global_ref(&object)?;
    let buffer = env.cast_local::<JByteBuffer<'_>>(object)?;
    let (address, length) =
        (env.get_direct_buffer_address(&buffer)?, env.get_direct_buffer_capacity(&buffer)?);
    env.delete_local_ref(buffer);
    let Some(address) = NonNull::new(address) else {
        return Err(Fault::argument(format!("column `{column}`: the buffer is not direct"))
            .at(column)
            .into());
    };
    let owner: Arc<dyn Allocation> = Arc::new(Kept(kept));
    // SAFETY: the memory is the buffer's, which is kept; `Table.Builder` says that nobody writes to it any more.
    Ok(unsafe { Buffer::from_custom_allocation(address, length, owner) })
}

/// Data, offsets and validity of a column as direct buffers; null for what it does not have.
pub fn buffers<'l>(
    env: &mut Env<'l>,
    table: &Table,
    index: i64,
) -> Result<JObjectArray<'l, JObject<'l>>, Failure> {
    let index = crate::call::size("index", index)?;
    let column = match &*table.batches {
        [batch] => batch.columns().get(index),
        other => {
            let message =
                format!("the table has {} batches: take its columns from `combined()`", other.len());
            return Err(Fault::argument(message).into());
        }
    };
    let column = column.ok_or_else(|| Fault::argument(format!("there is no column {index}")))?;
    let data = column.to_data();
    let field = table.schema.field(index).name();
    let [values, offsets] = parts(field, &data)?;
    let validity = match data.nulls() {
        Some(nulls) if nulls.offset() % 8 != 0 => return Err(unaligned(field).into()),
        Some(nulls) => {
            let start = nulls.offset() / 8;
            nulls.validity().get(start..start + nulls.len().div_ceil(8))
        }
        None => None,
    };
    let view = |part: Option<&[u8]>| part.map_or((std::ptr::null(), 0), |part| (part.as_ptr(), part.len()));
    Ok(views(env, &[view(values), view(offsets), view(validity)])?)
}

/// The bytes of the values, and of the offsets into them.
fn parts<'d>(name: &str, data: &'d ArrayData) -> Result<[Option<&'d [u8]>; 2], Fault> {
    let part = |buffer: usize, start: usize, length: usize| {
        data.buffers().get(buffer).and_then(|bytes| bytes.get(start..start + length))
    };
    let (offset, length) = (data.offset(), data.len());
    match data.data_type() {
        DataType::Boolean if offset % 8 != 0 => Err(unaligned(name)),
        DataType::Boolean => Ok([part(0, offset / 8, length.div_ceil(8)), None]),
        DataType::Utf8 | DataType::Binary => {
            let values = data.buffers().get(1).map(|bytes| bytes.as_slice());
            Ok([values, part(0, offset * 4, (length + 1) * 4)])
        }
        DataType::LargeUtf8 | DataType::LargeBinary => {
            let values = data.buffers().get(1).map(|bytes| bytes.as_slice());
            Ok([values, part(0, offset * 8, (length + 1) * 8)])
        }
        other => match other.primitive_width() {
            Some(width) => Ok([part(0, offset * width, length * width), None]),
            None => {
                let message = format!(
                    "column `{name}` of type {} has no buffers to look at: export the table as a stream",
                    type_name(other)
                );
                Err(Fault::argument(message).at(name))
            }
        },
    }
}

fn unaligned(name: &str) -> Fault {
    Fault::argument(format!("column `{name}` does not begin at a byte: export the table as a stream"))
        .at(name)
}

/// Direct buffers over memory, in an array; null where the address is null.
pub fn views<'l>(
    env: &mut Env<'l>,
    memory: &[(*const u8, usize)],
) -> JniResult<JObjectArray<'l, JObject<'l>>> {
    let class: JClass<'_> = env.find_class(jni_str!("java/nio/ByteBuffer"))?;
    let array = env.new_object_array(i32::try_from(memory.len()).unwrap_or(0), class, JObject::null())?;
    for (index, &(address, length)) in memory.iter().enumerate() {
        if address.is_null() {
            continue;
        }
        // SAFETY: the memory is there for as long as Java's documentation says that the view may be used.
        let buffer = unsafe { env.new_direct_byte_buffer(address.cast_mut(), length) }?;
        array.set_element(env, index, &buffer)?;
        env.delete_local_ref(buffer);
    }
    Ok(array)
}
