//! The instructions that the machine has, without unsafe code.

/// Runs a loop that is compiled twice: for the baseline of the target, and for AVX2 with the bit instructions that come
/// with it, which is taken where the machine has them. Both compute the same: nothing is reordered or fused.
///
/// What `body` calls must be inlined into it, and a long `body` must be `#[inline(always)]`: else it is compiled for the
/// baseline only.
///
/// ```
/// use comptoir_types::simd::wide;
///
/// let squares = |numbers: &[i32]| wide(#[inline(always)] || numbers.iter().map(|one| one * one).sum::<i32>());
/// assert_eq!(squares(&[1, 2, 3]), 14);
/// ```
#[inline(always)]
pub fn wide<R>(body: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = fearless_simd::Level::new().as_avx2() {
        return fearless_simd::Simd::vectorize(avx2, body);
    }
    body()
}
