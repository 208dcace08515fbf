/// Does both, on two threads if there are.
pub(super) fn both<A: Send, B: Send>(
    one: impl FnOnce() -> A + Send,
    two: impl FnOnce() -> B + Send,
) -> (A, B) {
    #[cfg(feature = "arrow")]
    return rayon::join(one, two);
    #[cfg(not(feature = "arrow"))]
    (one(), two())
}
