//! Published boards that are read.

use std::path::Path;
use std::time::Duration;

use comptoir::ranking::snapshot::{Item, ItemRef};
use comptoir_host::Fault;
use comptoir_host::ranking::{BoardReader, OwnedPage};
use jni::Env;
use jni::objects::JByteArray;
use jni::sys::{jboolean, jint, jlong};

use crate::call::{Failure, bytes, give, native, size, text};
use crate::handle::{self, Handle};
use crate::parts::{Reader, Writer};
use crate::ranking::number;

native! {
    fn Java_io_comptoir_Native_readerFree<'l>(_env, reader: Handle<BoardReader>) -> () {
        reader.free();
        Ok(())
    }
}

native! {
    fn Java_io_comptoir_Native_readerOpen<'l>(env, directory: JByteArray<'l>) -> jlong {
        let directory = text(env, &directory)?;
        Ok(handle::give(BoardReader::open(Path::new(&directory))?))
    }
}

native! {
    /// `key` is the board and the values of its group; null where there is no such board.
    fn Java_io_comptoir_Native_readerPage<'l>(
        env, reader: Handle<BoardReader>, key: JByteArray<'l>, offset: jlong, cursor: JByteArray<'l>, limit: jlong,
    ) -> JByteArray<'l> {
        let (offset, limit) = (size("offset", offset)?, size("limit", limit)?);
        let cursor = text(env, &cursor)?;
        let page = with_key(env, &key, |board, group| reader.get().page(board, group, offset, &cursor, limit))?;
        match page {
            Some(page) => give(env, packed(&page).finish()),
            None => Ok(JByteArray::default()),
        }
    }
}

native! {
    /// The rank of a text, which is the last part of `key`; 0 where it is not there.
    fn Java_io_comptoir_Native_readerRankOfText<'l>(
        env, reader: Handle<BoardReader>, key: JByteArray<'l>,
    ) -> jlong {
        with_key(env, &key, |board, parts| {
            let Some((item, group)) = parts.split_last() else {
                return Err(Fault::internal("a key without an item"));
            };
            Ok(number(reader.get().rank_of(board, group, Item::Text(item)).unwrap_or(0)))
        })
    }
}

native! {
    /// The rank of an integer; 0 where it is not there.
    fn Java_io_comptoir_Native_readerRankOfInt<'l>(
        env, reader: Handle<BoardReader>, key: JByteArray<'l>, item: jlong,
    ) -> jlong {
        with_key(env, &key, |board, group| {
            Ok(number(reader.get().rank_of(board, group, Item::Int(item)).unwrap_or(0)))
        })
    }
}

native! {
    fn Java_io_comptoir_Native_readerBoards<'l>(env, reader: Handle<BoardReader>) -> JByteArray<'l> {
        let boards = reader.get().boards()?;
        give(env, boards.as_bytes())
    }
}

native! {
    fn Java_io_comptoir_Native_readerStatus<'l>(env, reader: Handle<BoardReader>) -> JByteArray<'l> {
        let status = reader.get().status()?;
        give(env, status.as_bytes())
    }
}

native! {
    fn Java_io_comptoir_Native_readerVersion<'l>(_env, reader: Handle<BoardReader>) -> jlong {
        Ok(reader.get().version().cast_signed())
    }
}

native! {
    fn Java_io_comptoir_Native_readerRefresh<'l>(_env, reader: Handle<BoardReader>) -> jboolean {
        Ok(reader.get().refresh()?)
    }
}

native! {
    fn Java_io_comptoir_Native_readerFollow<'l>(_env, reader: Handle<BoardReader>, nanos: jlong) -> () {
        let nanos = u64::try_from(nanos).map_err(|_| Fault::argument("an interval cannot be negative"))?;
        reader.get().follow(Duration::from_nanos(nanos));
        Ok(())
    }
}

/// Texts of a key that lie on the stack.
const FEW: usize = 8;

/// Bytes of a key that lie on the stack.
const SHORT: usize = 256;

/// Reads a key, without the allocator where it is short: the board, then the rest.
#[inline]
fn with_key<T>(
    env: &Env<'_>,
    key: &JByteArray<'_>,
    work: impl FnOnce(&str, &[&str]) -> Result<T, Fault>,
) -> Result<T, Failure> {
    let length = key.len(env)?;
    let mut short = [0_i8; SHORT];
    let long;
    let packed: &[u8] = match short.get_mut(..length) {
        Some(short) => {
            key.get_region(env, 0, short)?;
            // SAFETY: signed and unsigned bytes are alike in memory.
            unsafe { std::slice::from_raw_parts(short.as_ptr().cast(), short.len()) }
        }
        None => {
            long = bytes(env, key)?;
            &long
        }
    };
    let mut parts = Reader::new(packed);
    let board = parts.text()?;
    let (mut few, mut count) = ([""; FEW], 0);
    while !parts.is_empty() {
        let part = parts.text()?;
        let place = few
            .get_mut(count)
            .ok_or_else(|| Fault::argument(format!("a group has at most {} values", FEW - 1)).at("group"))?;
        *place = part;
        count += 1;
    }
    Ok(work(board, few.get(..count).unwrap_or_default())?)
}

fn packed(page: &OwnedPage) -> Writer {
    let mut parts = Writer::default();
    parts.long(page.version().cast_signed());
    parts.count(page.total());
    let cursor = page.next_cursor();
    parts.int(jint::from(cursor.is_some()));
    parts.text(cursor.as_deref().unwrap_or_default());
    for entry in page.entries() {
        parts.count(entry.position);
        parts.double(entry.score);
        match entry.item {
            ItemRef::Int(item) => {
                parts.int(0);
                parts.long(item);
            }
            ItemRef::Text(item) => {
                parts.int(1);
                parts.bytes(item);
            }
        }
    }
    parts
}
