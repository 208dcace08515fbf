//! Boards that are made and published, and live leaderboards.

use std::path::Path;

use comptoir_host::Table;
use comptoir_host::ranking::{BoardBuilder, BoardPublisher, BoardTables, Published, SharedLeaderboard};
use jni::objects::JByteArray;
use jni::sys::{jdouble, jlong};

use crate::call::{bytes, give, native, size, text};
use crate::handle::{self, Handle};
use crate::parts::{Reader, Writer};

native! {
    fn Java_io_comptoir_Native_builderFree<'l>(_env, builder: Handle<BoardBuilder>) -> () {
        builder.free();
        Ok(())
    }
}

native! {
    fn Java_io_comptoir_Native_builderNew<'l>(env, spec: JByteArray<'l>, context: JByteArray<'l>) -> jlong {
        let (spec, context) = (text(env, &spec)?, text(env, &context)?);
        Ok(handle::give(BoardBuilder::new(&spec, &context)?))
    }
}

native! {
    fn Java_io_comptoir_Native_builderPush<'l>(
        _env, builder: Handle<BoardBuilder>, table: Handle<Table>, threads: jlong,
    ) -> () {
        Ok(builder.get().push(&table.get().chunks(), size("threads", threads)?)?)
    }
}

native! {
    fn Java_io_comptoir_Native_builderMerge<'l>(
        _env, builder: Handle<BoardBuilder>, other: Handle<BoardBuilder>,
    ) -> () {
        Ok(builder.get().merge(other.get())?)
    }
}

native! {
    fn Java_io_comptoir_Native_builderFinish<'l>(_env, builder: Handle<BoardBuilder>) -> jlong {
        Ok(handle::give(builder.get().finish()?))
    }
}

native! {
    fn Java_io_comptoir_Native_boardFree<'l>(_env, board: Handle<BoardTables>) -> () {
        board.free();
        Ok(())
    }
}

native! {
    fn Java_io_comptoir_Native_boardTable<'l>(_env, board: Handle<BoardTables>) -> jlong {
        Ok(handle::give(board.get().table()?))
    }
}

native! {
    fn Java_io_comptoir_Native_boardReport<'l>(env, board: Handle<BoardTables>) -> JByteArray<'l> {
        let report = board.get().report()?;
        give(env, report.as_bytes())
    }
}

native! {
    /// `group` is empty or a JSON list of texts.
    fn Java_io_comptoir_Native_boardExplain<'l>(
        env, board: Handle<BoardTables>, item: JByteArray<'l>, group: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let (item, group) = (text(env, &item)?, text(env, &group)?);
        let explained = board.get().explain(&item, &group)?;
        give(env, explained.as_bytes())
    }
}

native! {
    fn Java_io_comptoir_Native_publisherFree<'l>(_env, publisher: Handle<BoardPublisher>) -> () {
        publisher.free();
        Ok(())
    }
}

native! {
    fn Java_io_comptoir_Native_publisherOpen<'l>(env, directory: JByteArray<'l>, keep: jlong) -> jlong {
        let directory = text(env, &directory)?;
        Ok(handle::give(BoardPublisher::open(Path::new(&directory), size("keep", keep)?)?))
    }
}

native! {
    /// Each board is packed as 0 and its handle, or as 1, the handle of a table, and which column is what.
    fn Java_io_comptoir_Native_publisherPublish<'l>(
        env, publisher: Handle<BoardPublisher>, boards: JByteArray<'l>, watermark: jlong,
    ) -> jlong {
        let packed = bytes(env, &boards)?;
        let mut parts = Reader::new(&packed);
        let (mut boards, mut tables) = (Vec::new(), Vec::new());
        while !parts.is_empty() {
            match parts.int()? {
                0 => boards.push(parts.handle::<BoardTables>()?),
                _ => tables.push((parts.handle::<Table>()?, parts.text()?)),
            }
        }
        let tables = tables.iter().map(|(table, columns)| Published::Table(table.get().clone(), columns));
        let published: Vec<Published<'_>> =
            boards.iter().map(|board| Published::Result(board.get())).chain(tables).collect();
        let version = publisher.get().publish(&published, watermark)?;
        Ok(version.cast_signed())
    }
}

native! {
    fn Java_io_comptoir_Native_publisherRollback<'l>(
        _env, publisher: Handle<BoardPublisher>, version: jlong,
    ) -> () {
        Ok(publisher.get().rollback(version.cast_unsigned())?)
    }
}

native! {
    fn Java_io_comptoir_Native_publisherVersions<'l>(
        env, publisher: Handle<BoardPublisher>,
    ) -> JByteArray<'l> {
        let mut parts = Writer::default();
        for version in publisher.get().versions()? {
            parts.long(version.cast_signed());
        }
        give(env, parts.finish())
    }
}

native! {
    fn Java_io_comptoir_Native_leaderboardNew<'l>(_env) -> jlong {
        Ok(handle::give(SharedLeaderboard::default()))
    }
}

native! {
    fn Java_io_comptoir_Native_leaderboardFree<'l>(_env, board: Handle<SharedLeaderboard>) -> () {
        board.free();
        Ok(())
    }
}

native! {
    /// NaN where the member had no score.
    fn Java_io_comptoir_Native_leaderboardUpdate<'l>(
        env, board: Handle<SharedLeaderboard>, member: JByteArray<'l>, score: jdouble,
    ) -> jdouble {
        let member = text(env, &member)?;
        Ok(board.get().update(&member, score)?.unwrap_or(f64::NAN))
    }
}

native! {
    /// NaN where the member had no score.
    fn Java_io_comptoir_Native_leaderboardRemove<'l>(
        env, board: Handle<SharedLeaderboard>, member: JByteArray<'l>,
    ) -> jdouble {
        let member = text(env, &member)?;
        Ok(board.get().remove(&member).unwrap_or(f64::NAN))
    }
}

native! {
    /// NaN where the member has no score.
    fn Java_io_comptoir_Native_leaderboardScoreOf<'l>(
        env, board: Handle<SharedLeaderboard>, member: JByteArray<'l>,
    ) -> jdouble {
        let member = text(env, &member)?;
        Ok(board.get().score_of(&member).unwrap_or(f64::NAN))
    }
}

native! {
    /// 0 where the member is not there.
    fn Java_io_comptoir_Native_leaderboardRankOf<'l>(
        env, board: Handle<SharedLeaderboard>, member: JByteArray<'l>,
    ) -> jlong {
        let member = text(env, &member)?;
        Ok(number(board.get().rank_of(&member).unwrap_or(0)))
    }
}

native! {
    fn Java_io_comptoir_Native_leaderboardSize<'l>(_env, board: Handle<SharedLeaderboard>) -> jlong {
        Ok(number(board.get().len()))
    }
}

native! {
    /// Member and score of the first.
    fn Java_io_comptoir_Native_leaderboardTop<'l>(
        env, board: Handle<SharedLeaderboard>, count: jlong,
    ) -> JByteArray<'l> {
        let mut parts = Writer::default();
        for (member, score) in board.get().top(size("count", count)?) {
            parts.text(&member);
            parts.double(score);
        }
        give(env, parts.finish())
    }
}

/// A count as a number of Java.
pub fn number(count: usize) -> jlong {
    i64::try_from(count).unwrap_or(i64::MAX)
}
