//! The system calls that the standard library lacks: shared memory, futex, process descriptors.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// A memory file as memory of this process, shared with all that map it.
pub(super) struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping is plain memory; who may touch which part is decided by words that are atomic.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `bytes` of `file`.
    pub(super) fn new(file: &OwnedFd, bytes: usize) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory that exists.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(start.cast())
            .map(|start| Self { start, bytes })
            .ok_or_else(|| io::Error::other("no address"))
    }

    /// The first byte.
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Bytes mapped.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this is the mapping of `new`, and what borrowed from it has ended.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

/// A new memory file of `bytes`, whose size is sealed: no process can pull mapped memory away from another.
pub(super) fn memory_file(bytes: usize) -> io::Result<OwnedFd> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name is a C string.
    let fd = check(unsafe { libc::memfd_create(c"comptoir-workers".as_ptr(), flags) })?;
    // SAFETY: the descriptor is new and ours.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    let length = libc::off_t::try_from(bytes).map_err(io::Error::other)?;
    // SAFETY: calls on a descriptor that we own.
    check(unsafe { libc::ftruncate(file.as_raw_fd(), length) })?;
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    // SAFETY: as above.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) })?;
    Ok(file)
}

/// Takes over the memory file that the parent left at `fd`, and its length.
pub(super) fn inherited_file(fd: RawFd) -> io::Result<(OwnedFd, usize)> {
    // SAFETY: asks about a number; a number that is no descriptor is an error.
    let seals = check(unsafe { libc::fcntl(fd, libc::F_GET_SEALS) })?;
    if seals & libc::F_SEAL_SHRINK == 0 {
        return Err(io::Error::other("it is no memory file of a pool"));
    }
    // SAFETY: the parent gave this descriptor to the worker, which takes it once.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: a call on a descriptor that we own; what the callable starts does not inherit it.
    check(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    let file = std::fs::File::from(file);
    let bytes = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    Ok((file.into(), bytes))
}

/// Sleeps while `word` is `old`, at most for `limit`; also wakes early.
pub(super) fn futex_wait(word: &AtomicU32, old: u32, limit: Option<Duration>) {
    let limit = limit.map(|limit| libc::timespec {
        tv_sec: libc::time_t::try_from(limit.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(limit.subsec_nanos().cast_signed()),
    });
    let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the word and the time outlive the call. Not private: the word is shared by processes.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, old, limit) };
}

/// Wakes all that sleep on `word`.
pub(super) fn futex_wake(word: &AtomicU32) {
    // SAFETY: the word outlives the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
}

/// A descriptor that becomes readable when the process ends; none on kernels before 5.3.
pub(super) fn process_descriptor(pid: u32) -> Option<OwnedFd> {
    // SAFETY: takes and gives numbers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = RawFd::try_from(fd).ok().filter(|&fd| fd >= 0)?;
    // SAFETY: the descriptor is new and ours; the kernel closes it on exec.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// An event counter: its descriptor is readable after [`notify`].
pub(super) fn event() -> io::Result<OwnedFd> {
    // SAFETY: takes and gives numbers.
    let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
    // SAFETY: the descriptor is new and ours.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Makes an event readable.
pub(super) fn notify(event: &OwnedFd) {
    let one = 1_u64;
    // SAFETY: writes the eight bytes of `one`. It fails only where the counter is full, and so readable.
    unsafe { libc::write(event.as_raw_fd(), std::ptr::from_ref(&one).cast(), 8) };
}

/// Waits until `event` or one of `processes` is readable, or `limit` has passed, and clears the event.
pub(super) fn wait_for(event: &OwnedFd, processes: &[RawFd], limit: Duration) {
    let mut polled: Vec<libc::pollfd> = std::iter::once(event.as_raw_fd())
        .chain(processes.iter().copied())
        .map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 })
        .collect();
    let limit = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    let count = polled.len() as libc::nfds_t;
    let mut counter = 0_u64;
    // SAFETY: `polled` has `count` entries; the counter takes eight bytes.
    unsafe {
        libc::poll(polled.as_mut_ptr(), count, limit);
        libc::read(event.as_raw_fd(), std::ptr::from_mut(&mut counter).cast(), 8);
    }
}

/// What a worker is given between fork and exec: `file` inherited, death with its parent, no interrupt from the
/// terminal, and at most `memory` bytes of address space.
pub(super) fn prepare(command: &mut Command, file: RawFd, memory: Option<u64>) {
    let parent = std::process::id();
    let setup = move || {
        die_with(parent)?;
        // SAFETY: calls that are safe between fork and exec, with numbers and with a structure that outlives them.
        unsafe {
            libc::signal(libc::SIGINT, libc::SIG_IGN);
            check(libc::fcntl(file, libc::F_SETFD, 0))?;
            if let Some(memory) = memory {
                let limit = libc::rlimit { rlim_cur: memory, rlim_max: memory };
                check(libc::setrlimit(libc::RLIMIT_AS, &raw const limit))?;
            }
        }
        Ok(())
    };
    // SAFETY: the closure only makes system calls: it takes no lock and allocates nothing.
    unsafe { command.pre_exec(setup) };
}

/// Makes the kernel kill this process when the thread that started it ends; an error where that has happened.
pub(super) fn die_with(parent: u32) -> io::Result<()> {
    // SAFETY: takes numbers.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
    if std::os::unix::process::parent_id() == parent {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::ESRCH))
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
