//! Tables.

use std::path::Path;

use comptoir_host::table::type_name;
use comptoir_host::{Fault, Table, ipc, stream};
use jni::objects::{JByteArray, JObject, JObjectArray};
use jni::sys::jlong;

use crate::call::{bytes, give, native, text};
use crate::columns;
use crate::handle::{self, Handle, pointer};
use crate::parts::Writer;

native! {
    fn Java_io_comptoir_Native_tableFree<'l>(_env, table: Handle<Table>) -> () {
        table.free();
        Ok(())
    }
}

native! {
    /// Moves an `ArrowArrayStream` out of the caller's memory.
    fn Java_io_comptoir_Native_tableFromStream<'l>(_env, address: jlong) -> jlong {
        // SAFETY: `Table.fromStream` says what has to be at the address.
        let taken = unsafe { stream::take(pointer(address)) };
        Ok(handle::give(taken?))
    }
}

native! {
    /// Moves an `ArrowArray` out of the caller's memory; its `ArrowSchema` is only read.
    fn Java_io_comptoir_Native_tableFromArray<'l>(_env, schema: jlong, array: jlong) -> jlong {
        // SAFETY: `Table.fromArray` says what has to be at the addresses.
        let taken = unsafe { stream::take_array(pointer(schema), pointer(array)) };
        Ok(handle::give(taken?))
    }
}

native! {
    fn Java_io_comptoir_Native_tableExport<'l>(_env, table: Handle<Table>, address: jlong) -> () {
        // SAFETY: `Table.exportStream` says what has to be at the address.
        Ok(unsafe { stream::give(table.get().clone(), pointer(address)) }?)
    }
}

native! {
    fn Java_io_comptoir_Native_tableReadFile<'l>(env, path: JByteArray<'l>) -> jlong {
        let path = text(env, &path)?;
        Ok(handle::give(ipc::read_file(Path::new(&path))?))
    }
}

native! {
    fn Java_io_comptoir_Native_tableFromIpc<'l>(env, content: JByteArray<'l>) -> jlong {
        Ok(handle::give(ipc::read_bytes(&bytes(env, &content)?)?))
    }
}

native! {
    fn Java_io_comptoir_Native_tableToIpc<'l>(env, table: Handle<Table>) -> JByteArray<'l> {
        let content = ipc::write_bytes(table.get())?;
        if i32::try_from(content.len()).is_err() {
            return Err(Fault::argument("the table does not fit in a byte array: export it as a stream").into());
        }
        give(env, &content)
    }
}

native! {
    fn Java_io_comptoir_Native_tableRows<'l>(_env, table: Handle<Table>) -> jlong {
        Ok(i64::try_from(table.get().rows()).unwrap_or(i64::MAX))
    }
}

native! {
    fn Java_io_comptoir_Native_tableBatches<'l>(_env, table: Handle<Table>) -> jlong {
        Ok(i64::try_from(table.get().batches.len()).unwrap_or(i64::MAX))
    }
}

native! {
    /// Name, type and `1` for columns that may be null.
    fn Java_io_comptoir_Native_tableSchema<'l>(env, table: Handle<Table>) -> JByteArray<'l> {
        let mut parts = Writer::default();
        for field in table.get().schema.fields() {
            parts.text(field.name());
            parts.text(&type_name(field.data_type()));
            parts.int(i32::from(field.is_nullable()));
        }
        give(env, parts.finish())
    }
}

native! {
    /// All batches as one.
    fn Java_io_comptoir_Native_tableCombined<'l>(_env, table: Handle<Table>) -> jlong {
        let table = table.get();
        let batch = table.one_batch().map_err(Fault::from)?;
        Ok(handle::give(Table { schema: table.schema.clone(), batches: vec![batch] }))
    }
}

native! {
    /// A table over direct buffers: what they are, packed, and the buffers.
    fn Java_io_comptoir_Native_tableFromBuffers<'l>(
        env, description: JByteArray<'l>, buffers: JObjectArray<'l, JObject<'l>>,
    ) -> jlong {
        let description = bytes(env, &description)?;
        Ok(handle::give(columns::table(env, &description, &buffers)?))
    }
}

native! {
    /// The memory of a column: data, offsets and validity, null for what it does not have.
    fn Java_io_comptoir_Native_tableColumn<'l>(
        env, table: Handle<Table>, index: jlong,
    ) -> JObjectArray<'l, JObject<'l>> {
        columns::buffers(env, table.get(), index)
    }
}
