//! Ranking: a live leaderboard.

use std::ffi::c_char;

use comptoir_host::ranking::SharedLeaderboard;

use crate::call::{call, out};
use crate::error::Status;
use crate::handle::{self, opaque};
use crate::text;

/// A live leaderboard of members by name. Any number of threads may use it at once; they take turns.
pub struct Leaderboard {
    _private: [u8; 0],
}
opaque!(Leaderboard, 0x306, "leaderboard", SharedLeaderboard);

/// Frees a leaderboard; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_leaderboard_free(handle: *mut Leaderboard) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// Makes a leaderboard without members. Any thread.
///
/// # Safety
/// `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_leaderboard_new(result: *mut *mut Leaderboard) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("result", result)? }.write(handle::make(SharedLeaderboard::default()));
        Ok(())
    })
}

/// Gives a member a score; a new one is added. Any thread.
///
/// # Safety
/// `leaderboard` is null or a handle of this library; `member` has `length` bytes of UTF-8 or ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_leaderboard_update(
    leaderboard: *const Leaderboard,
    member: *const c_char,
    length: usize,
    score: f64,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (board, member) = unsafe { (handle::get(leaderboard)?, text::text("member", member, length)?) };
        board.update(member, score).map(drop)
    })
}

/// Takes a member off; `removed`, which may be null, says whether it was there. Any thread.
///
/// # Safety
/// As for `comptoir_leaderboard_update`; `removed` may be written unless it is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_leaderboard_remove(
    leaderboard: *const Leaderboard,
    member: *const c_char,
    length: usize,
    removed: *mut bool,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (board, member) = unsafe { (handle::get(leaderboard)?, text::text("member", member, length)?) };
        let was_there = board.remove(member).is_some();
        if !removed.is_null() {
            // SAFETY: the caller's promise.
            unsafe { out("removed", removed)? }.write(was_there);
        }
        Ok(())
    })
}

/// The rank of a member, from 1, and its score; rank 0 where it is not there. `score` may be null. Any thread.
///
/// # Safety
/// As for `comptoir_leaderboard_update`; `rank`, and `score` unless it is null, may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_leaderboard_rank_of(
    leaderboard: *const Leaderboard,
    member: *const c_char,
    length: usize,
    rank: *mut usize,
    score: *mut f64,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (board, member, rank) =
            unsafe { (handle::get(leaderboard)?, text::text("member", member, length)?, out("rank", rank)?) };
        rank.write(board.rank_of(member).unwrap_or(0));
        if !score.is_null() {
            // SAFETY: the caller's promise.
            unsafe { out("score", score)? }.write(board.score_of(member).unwrap_or(0.0));
        }
        Ok(())
    })
}

/// Calls `each` for the first `count` members, the highest score first. The name is lent for the call. Any thread.
///
/// # Safety
/// `leaderboard` is null or a handle of this library; `each` may be called with `user`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_leaderboard_top(
    leaderboard: *const Leaderboard,
    count: usize,
    each: Option<
        unsafe extern "C" fn(user: *mut std::ffi::c_void, member: *const c_char, length: usize, score: f64),
    >,
    user: *mut std::ffi::c_void,
) -> Status {
    call(|| {
        let each = each.ok_or_else(|| comptoir_host::Fault::argument("`each` is null"))?;
        // SAFETY: the caller's promise.
        let board = unsafe { handle::get(leaderboard) }?;
        for (member, score) in board.top(count) {
            // SAFETY: the caller's promise.
            unsafe { each(user, member.as_ptr().cast(), member.len(), score) };
        }
        Ok(())
    })
}

/// How many members there are. Any thread.
///
/// # Safety
/// `leaderboard` is null or a handle of this library; `count` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_leaderboard_length(
    leaderboard: *const Leaderboard,
    count: *mut usize,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("count", count)?.write(handle::get(leaderboard)?.len()) };
        Ok(())
    })
}
