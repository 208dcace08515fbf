//! Text across the border.

use std::ffi::{CStr, c_char};
use std::ptr::{null_mut, slice_from_raw_parts_mut};

use comptoir::types::ErrorKind;
use comptoir_host::Fault;

use crate::call::{call, elements, out};
use crate::error::Status;

/// Given as the length of text that ends with NUL. The header defines it too (cbindgen.toml).
pub const COMPTOIR_NTS: usize = usize::MAX;

/// Text that the caller lends: UTF-8 without NUL at its end, or with one and `COMPTOIR_NTS` as its length. No text is null
/// with length 0.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct StringView {
    /// Its first byte.
    pub data: *const c_char,
    /// Bytes.
    pub length: usize,
}

/// Text or bytes that the caller owns; `comptoir_text_free` frees it.
#[derive(Debug)]
#[repr(C)]
pub struct Text {
    /// Its first byte; a NUL follows the last one.
    pub data: *mut c_char,
    /// Bytes, without that NUL.
    pub length: usize,
}

impl StringView {
    /// A view of text.
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// A view of bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr().cast(), length: bytes.len() }
    }

    /// No text.
    pub const NONE: Self = Self { data: std::ptr::null(), length: 0 };
}

/// Bytes that the caller lends.
///
/// # Errors
/// `HOST_ARGUMENT` for null with a length.
///
/// # Safety
/// `data` is null or has `length` bytes, or ends with NUL where that is `COMPTOIR_NTS`, for as long as they are used.
#[inline]
pub unsafe fn bytes<'t>(name: &str, data: *const c_char, length: usize) -> Result<&'t [u8], Fault> {
    if length == COMPTOIR_NTS {
        if data.is_null() {
            return Err(Fault::argument(format!("`{name}` is null")));
        }
        // SAFETY: the caller's promise.
        return Ok(unsafe { CStr::from_ptr(data) }.to_bytes());
    }
    // SAFETY: the caller's promise.
    unsafe { elements(name, data.cast::<u8>(), length) }
}

/// Text that the caller lends.
///
/// # Errors
/// As [`bytes`], and `HOST_UTF8`.
///
/// # Safety
/// As for [`bytes`].
#[inline]
pub unsafe fn text<'t>(name: &str, data: *const c_char, length: usize) -> Result<&'t str, Fault> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(name, data, length) }?;
    if bytes.len() <= SHORT && is_ascii(bytes) {
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes).map_err(|error| no_utf8(name, error.valid_up_to()))
}

/// Texts of at most so many bytes are looked at in place: codes and names, for which a call would cost more than the look.
const SHORT: usize = 32;

#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |all, byte| all | byte) < 0x80
}

#[cold]
fn no_utf8(name: &str, place: usize) -> Fault {
    Fault::new(ErrorKind::Data, "HOST_UTF8", format!("`{name}` is no UTF-8 at byte {place}"))
}

/// Texts that the caller lends.
///
/// # Errors
/// As [`text`].
///
/// # Safety
/// As for [`text`], for each of `count` views.
pub unsafe fn texts<'t, const N: usize>(
    name: &str,
    views: *const StringView,
    count: usize,
) -> Result<smallvec::SmallVec<[&'t str; N]>, Fault> {
    // SAFETY: the caller's promise.
    let views: &'t [StringView] = unsafe { elements(name, views, count) }?;
    // SAFETY: the caller's promise.
    views.iter().map(|view| unsafe { text(name, view.data, view.length) }).collect()
}

/// Gives bytes to the caller.
///
/// # Errors
/// `HOST_ARGUMENT` for a place that cannot be written.
///
/// # Safety
/// `target` may be written if it is neither null nor misaligned.
pub unsafe fn give(target: *mut Text, bytes: impl Into<Vec<u8>>) -> Result<(), Fault> {
    // SAFETY: the caller's promise.
    let target = unsafe { out("text", target) }?;
    let mut bytes: Vec<u8> = bytes.into();
    let length = bytes.len();
    bytes.push(0);
    let data = Box::into_raw(bytes.into_boxed_slice()).cast();
    target.write(Text { data, length });
    Ok(())
}

/// Frees a text and empties it; an empty one, and null, is nothing to free. Any thread.
///
/// # Safety
/// `text` is null, or was written by this library and not changed since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_text_free(text: *mut Text) -> Status {
    call(|| {
        if text.is_null() {
            return Ok(());
        }
        elements_check(text)?;
        // SAFETY: it is aligned and by the caller's promise a text of ours.
        let text = unsafe { &mut *text };
        let data = std::mem::replace(&mut text.data, null_mut());
        let length = std::mem::take(&mut text.length);
        if !data.is_null() {
            // SAFETY: `give` made it of a boxed slice with one more byte.
            drop(unsafe { Box::from_raw(slice_from_raw_parts_mut(data.cast::<u8>(), length + 1)) });
        }
        Ok(())
    })
}

fn elements_check(text: *mut Text) -> Result<(), Fault> {
    if text.is_aligned() { Ok(()) } else { Err(Fault::argument("`text` is not aligned")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_any_length_is_utf8_or_an_error_with_the_place() {
        for length in [0, 1, 2, SHORT - 1, SHORT, SHORT + 1, 3 * SHORT] {
            let good = "é".repeat(length / 2) + &"a".repeat(length % 2);
            // SAFETY: pointer and length are those of a string.
            assert_eq!(unsafe { text("t", good.as_ptr().cast(), good.len()) }, Ok(good.as_str()));
            for place in 0..length {
                let mut bad = vec![b'a'; length];
                bad[place] = 0xff;
                // SAFETY: as above.
                let fault = unsafe { text("t", bad.as_ptr().cast(), bad.len()) }.unwrap_err();
                assert_eq!(fault.message, format!("`t` is no UTF-8 at byte {place}"));
            }
        }
    }
}
