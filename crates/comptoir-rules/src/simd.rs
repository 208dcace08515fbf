//! The instructions that the machine has.

/// Runs a loop that is compiled twice: for the baseline of the target, and for AVX2 with the bit instructions that come
/// with it, which is taken where the machine has them. Both compute the same: nothing is reordered or fused.
///
/// What `body` calls must be inlined into it, and a long `body` must be `#[inline(always)]`: else it is compiled for the
/// baseline only.
#[inline(always)]
pub(crate) fn wide<R>(body: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = fearless_simd::Level::new().as_avx2() {
        return fearless_simd::Simd::vectorize(avx2, body);
    }
    body()
}
