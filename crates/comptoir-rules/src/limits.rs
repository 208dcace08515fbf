/// Bounds on what an expression may be, so that source from a user cannot exhaust the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest source, in bytes.
    pub source_bytes: usize,
    /// Deepest nesting of the expression tree. Each level costs stack in every later stage, so that more than
    /// [`Limits::MAX_DEPTH`] is never allowed.
    pub depth: u16,
    /// Most nodes of the expression tree, after macros.
    pub nodes: usize,
    /// Faults after which no more are looked for.
    pub errors: usize,
    /// Largest compiled regular expression, in bytes.
    pub regex_bytes: usize,
}

impl Limits {
    /// The deepest nesting of any source. Every stage, the evaluator over columns included, gets along with a stack
    /// of 512 KiB at this depth, where it is optimised: threads of hosts have that much or more. An unoptimised build
    /// takes up to 4 MiB.
    pub const MAX_DEPTH: u16 = 128;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 256 * 1024,
            depth: Self::MAX_DEPTH,
            nodes: 100_000,
            errors: 20,
            regex_bytes: 1 << 20,
        }
    }
}
