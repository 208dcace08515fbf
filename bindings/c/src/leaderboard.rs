//! Ranking: a live leaderboard.

use std::ffi::c_char;

use comptoir_host::Fault;
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

/// Gives a member a score; a new one is added. `before`, which may be null, gets the score that it had, NaN for a new one.
/// Any thread.
///
/// # Safety
/// `leaderboard` is null or a handle of this library; `member` has `length` bytes of UTF-8 or ends with NUL; `before` may
/// be written unless it is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_leaderboard_update(
    leaderboard: *const Leaderboard,
    member: *const c_char,
    length: usize,
    score: f64,
    before: *mut f64,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (board, member) = unsafe { (handle::get(leaderboard)?, text::text("member", member, length)?) };
        let had = board.update(member, score)?;
        // SAFETY: the caller's promise.
        unsafe { tell("before", before, had) }
    })
}

/// Takes a member off. `before`, which may be null, gets the score that it had, NaN where it was not there. Any thread.
///
/// # Safety
/// As for `comptoir_leaderboard_update`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_leaderboard_remove(
    leaderboard: *const Leaderboard,
    member: *const c_char,
    length: usize,
    before: *mut f64,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (board, member) = unsafe { (handle::get(leaderboard)?, text::text("member", member, length)?) };
        let had = board.remove(member);
        // SAFETY: the caller's promise.
        unsafe { tell("before", before, had) }
    })
}

/// The rank of a member, from 1, and its score; rank 0 and NaN where it is not there. `score` may be null. Any thread.
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
        // SAFETY: the caller's promise.
        unsafe { tell("score", score, board.score_of(member)) }
    })
}

/// # Safety
/// `place` may be written unless it is null or misaligned.
unsafe fn tell(name: &str, place: *mut f64, score: Option<f64>) -> Result<(), Fault> {
    if !place.is_null() {
        // SAFETY: the caller's promise.
        unsafe { out(name, place)? }.write(score.unwrap_or(f64::NAN));
    }
    Ok(())
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
        let each = each.ok_or_else(|| Fault::argument("`each` is null"))?;
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
