//! The life of a call in its slot: one word that says whose turn it is, and what lies in the areas.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Error;
use super::memory::{Memory, View};

/// Where a call is. The lowest bits of a slot's word; the others count its uses, so that nothing that is late is taken
/// for the answer to another call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nobody's.
    Free,
    /// Given to the worker, not begun.
    Ready,
    /// Begun.
    Running,
    /// Answered; the areas are the caller's.
    Done,
    /// Given up by the caller before the worker began.
    Cancelled,
    /// The worker ended before it began.
    LostQueued,
    /// The worker ended after it began.
    LostRunning,
}

/// What an answer is.
pub(crate) const REPLY: u32 = 0;
/// The callable failed.
pub(crate) const FAILURE: u32 = 1;
/// The output does not fit; its length is in `data_len`.
pub(crate) const OUTPUT_SIZE: u32 = 2;
/// What describes the output does not fit; its length is in `data_len`.
pub(crate) const HEADER_SIZE: u32 = 3;

const PHASES: [Phase; 7] = [
    Phase::Free,
    Phase::Ready,
    Phase::Running,
    Phase::Done,
    Phase::Cancelled,
    Phase::LostQueued,
    Phase::LostRunning,
];

impl Phase {
    /// The word of a slot that is in this phase of its use number `sequence`.
    pub(crate) fn word(self, sequence: u32) -> u32 {
        sequence << 3 | self as u32
    }

    /// The phase that a word says; a word that no side writes counts as lost.
    pub(crate) fn of(word: u32) -> Self {
        PHASES.get((word & 7) as usize).copied().unwrap_or(Self::LostRunning)
    }

    /// Whether the worker has still to answer.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Ready | Self::Running | Self::Cancelled)
    }
}

/// The word with another phase of the same use.
pub(crate) fn moved(word: u32, phase: Phase) -> u32 {
    phase.word(word >> 3)
}

/// Writes the parts of an input, each at a multiple of 64 bytes after the table of their lengths.
pub(crate) fn write_input(memory: &Memory, view: &View<'_>, parts: &[&[u8]]) -> Result<(), Error> {
    let [_, available, _] = memory.areas();
    let table = (parts.len() * 8).next_multiple_of(64);
    let needed =
        parts.iter().fold(table, |sum, part| sum.saturating_add(part.len().saturating_add(63) & !63));
    let too_large = || Error::Size {
        what: "input",
        needed: needed as u64,
        available: available as u64,
        setting: "input_bytes",
    };
    if needed > available {
        return Err(too_large());
    }
    let mut at = table;
    let area = view.input_mut();
    for (number, part) in parts.iter().enumerate() {
        let length = area.get_mut(number * 8..number * 8 + 8).ok_or_else(too_large)?;
        length.copy_from_slice(&(part.len() as u64).to_le_bytes());
        area.get_mut(at..at + part.len()).ok_or_else(too_large)?.copy_from_slice(part);
        at += part.len().next_multiple_of(64);
    }
    view.slot.parts.store(parts.len() as u64, Ordering::Relaxed);
    Ok(())
}

/// The parts of an input.
pub(crate) fn read_input<'a>(view: &View<'a>) -> Vec<&'a [u8]> {
    let area = view.input();
    let count = length(&view.slot.parts).min(area.len() / 8);
    let mut at = (count * 8).next_multiple_of(64);
    let lengths = area.chunks_exact(8).take(count);
    let part = |bytes: &[u8]| {
        let length = usize::try_from(u64::from_le_bytes(bytes.try_into().ok()?)).ok()?;
        let part = area.get(at..at.checked_add(length)?)?;
        at += length.next_multiple_of(64);
        Some(part)
    };
    lengths.map_while(part).collect()
}

/// The answer as an error, where it is one.
pub(crate) fn failure(memory: &Memory, view: &View<'_>) -> Option<Error> {
    let [header, _, output] = memory.areas().map(|bytes| bytes as u64);
    let needed = view.slot.data_len.load(Ordering::Relaxed);
    match view.slot.kind.load(Ordering::Relaxed) {
        REPLY => None,
        OUTPUT_SIZE => {
            Some(Error::Size { what: "output", needed, available: output, setting: "output_bytes" })
        }
        HEADER_SIZE => {
            Some(Error::Size { what: "header of output", needed, available: header, setting: "header_bytes" })
        }
        _ => {
            let message = String::from_utf8_lossy(view.header(length(&view.slot.header_len))).into_owned();
            let data = view.output(length(&view.slot.data_len));
            let (traceback, detail) = data.split_at(length(&view.slot.trace_len).min(data.len()));
            let traceback = String::from_utf8_lossy(traceback).into_owned();
            Some(Error::Failed { message, traceback, detail: detail.to_vec() })
        }
    }
}

/// Writes a failure; what does not fit is cut, and a detail that does not fit is left out.
pub(crate) fn write_failure(view: &View<'_>, message: &str, traceback: &str, detail: &[u8]) {
    let message = copy(view.header_mut(), message.as_bytes());
    let output = view.output_mut();
    let trace = copy(output, traceback.as_bytes());
    let rest = output.get_mut(trace..).unwrap_or_default();
    let detail = if detail.len() <= rest.len() { copy(rest, detail) } else { 0 };
    view.slot.header_len.store(message as u64, Ordering::Relaxed);
    view.slot.trace_len.store(trace as u64, Ordering::Relaxed);
    view.slot.data_len.store((trace + detail) as u64, Ordering::Relaxed);
    view.slot.kind.store(FAILURE, Ordering::Relaxed);
}

/// Copies as much as fits; gives how much.
pub(crate) fn copy(area: &mut [u8], bytes: &[u8]) -> usize {
    let length = bytes.len().min(area.len());
    for (to, from) in area.iter_mut().zip(bytes) {
        *to = *from;
    }
    length
}

/// A length that the other process wrote; areas bound it.
pub(crate) fn length(word: &AtomicU64) -> usize {
    usize::try_from(word.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::WorkerConfig;
    use super::*;

    fn memory() -> Memory {
        let config =
            WorkerConfig { input_bytes: 100, output_bytes: 64, header_bytes: 8, ..WorkerConfig::new("") };
        Memory::create(&config).unwrap().0
    }

    #[test]
    fn a_word_keeps_its_use_and_changes_its_phase() {
        for phase in PHASES {
            assert_eq!(Phase::of(phase.word(77)), phase);
        }
        assert_eq!(moved(Phase::Ready.word(77), Phase::Done), Phase::Done.word(77));
        assert_ne!(Phase::Done.word(77), Phase::Done.word(78));
    }

    #[test]
    fn parts_come_back_aligned_and_as_they_were() {
        let memory = memory();
        let view = memory.view(0, 1);
        write_input(&memory, &view, &[b"one", b"", &[7; 70]]).unwrap();
        let parts = read_input(&view);
        assert_eq!(parts, [b"one".as_slice(), b"", &[7; 70]]);
        assert!(parts.iter().all(|part| part.as_ptr().addr().is_multiple_of(64)));
    }

    #[test]
    fn an_input_that_is_too_large_says_both_sizes_and_the_setting() {
        let memory = memory();
        let error = write_input(&memory, &memory.view(0, 0), &[&[0; 5000]]).unwrap_err();
        let message = "input of 5120 bytes does not fit into the 4224 bytes of a call: raise `input_bytes`";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn a_failure_that_does_not_fit_keeps_its_start_and_loses_its_detail() {
        let memory = memory();
        let view = memory.view(0, 0);
        write_failure(&view, "boom", "trace", b"pickle");
        let whole =
            Error::Failed { message: "boom".into(), traceback: "trace".into(), detail: b"pickle".to_vec() };
        assert_eq!(failure(&memory, &view), Some(whole));
        write_failure(&view, "boom", &"t".repeat(60), b"pickle");
        let cut = Error::Failed { message: "boom".into(), traceback: "t".repeat(60), detail: Vec::new() };
        assert_eq!(failure(&memory, &view), Some(cut));
    }
}
