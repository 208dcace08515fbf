//! The instructions that the machine has.

/// Runs a loop that is compiled twice: for the baseline of the target, and for AVX2 with the bit instructions that come
/// with it, which is taken where the machine has them. Both compute the same: nothing is reordered or fused.
///
/// What `body` calls must be inlined into it, and it must be short enough to be inlined itself: else it is compiled for
/// the baseline only.
#[inline(always)]
pub(crate) fn wide<R>(body: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = fearless_simd::Level::new().as_avx2() {
        return fearless_simd::Simd::vectorize(avx2, body);
    }
    body()
}

/// Calls a function as [`wide`] runs a loop, for one that is long: it must be `#[inline(always)]`, and is then compiled
/// in both places.
macro_rules! wide_call {
    ($function:ident($($argument:expr),*)) => {{
        #[cfg(target_arch = "x86_64")]
        match fearless_simd::Level::new().as_avx2() {
            Some(avx2) => fearless_simd::Simd::vectorize(avx2, || $function($($argument),*)),
            None => $function($($argument),*),
        }
        #[cfg(not(target_arch = "x86_64"))]
        $function($($argument),*)
    }};
}
pub(crate) use wide_call;
