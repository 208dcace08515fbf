//! One worker process: how it is started, what it says, how it ended.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::{WorkerConfig, system};

/// So much of what a worker writes to its standard error is kept for messages.
const TAIL_BYTES: usize = 4096;

/// A started worker. Dropped after it has been waited for, it leaves nothing behind.
pub(super) struct Process {
    child: Child,
    descriptor: Option<OwnedFd>,
    said: Arc<Said>,
}

/// The end of the standard error of a worker.
#[derive(Default)]
struct Said {
    tail: Mutex<(Vec<u8>, Finished)>,
    finished: Condvar,
}

#[derive(Default, PartialEq, Eq)]
enum Finished {
    #[default]
    No,
    Yes,
}

/// What has glibc keep the memory of arrays for the next call. By default it gives each array of more than 128 kB back to the
/// system and takes fresh pages for the next one, whose faults cost half as much time again as decoding a photo does.
const KEEP_MEMORY: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "33554432"), ("MALLOC_TRIM_THRESHOLD_", "268435456")];

impl Process {
    /// Starts the worker `index`. The kernel kills it when the calling thread ends.
    pub(super) fn start(
        config: &WorkerConfig,
        file: &OwnedFd,
        index: usize,
        generation: u32,
    ) -> io::Result<Self> {
        let fd = file.as_raw_fd();
        let mut command = Command::new(&config.command);
        command.args(&config.args).arg(format!("{fd}:{index}:{generation}:{}", std::process::id()));
        command.envs(KEEP_MEMORY.iter().filter(|(name, _)| std::env::var_os(name).is_none()).copied());
        command.envs(config.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        system::prepare(&mut command, fd, config.memory_bytes);
        let mut child = command.spawn()?;
        let said = Arc::new(Said::default());
        if let Some(stderr) = child.stderr.take() {
            let said = Arc::clone(&said);
            let name = format!("worker {index} says");
            let follow = std::thread::Builder::new().name(name).spawn(move || said.follow(stderr));
            if let Err(error) = follow {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
        }
        let descriptor = system::process_descriptor(child.id());
        Ok(Self { child, descriptor, said })
    }

    /// The process number.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A descriptor that is readable once the process has ended, where the kernel has that.
    pub(super) fn descriptor(&self) -> Option<RawFd> {
        self.descriptor.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// How the process ended, if it has; from then on it is no zombie.
    pub(super) fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(cause(status)),
            Err(error) => Some(format!("cannot be waited for: {error}")),
        }
    }

    /// Kills the process, whatever it does.
    pub(super) fn kill(&mut self) {
        // It fails only where the process has ended already.
        self.child.kill().ok();
    }

    /// Whether the process is stopped, as by `SIGSTOP`; a debugger does not count.
    pub(super) fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    }

    /// The end of what the process wrote to its standard error.
    pub(super) fn said(&self) -> String {
        self.said.tail()
    }
}

impl Said {
    /// Passes the worker's words on until it has no more, and keeps the last of them.
    fn follow(&self, mut stderr: ChildStderr) {
        let mut words = [0; 4096];
        while let Ok(length @ 1..) = stderr.read(&mut words) {
            let words = words.get(..length).unwrap_or_default();
            // A host without a standard error loses the words, not the worker.
            io::stderr().write_all(words).ok();
            let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
            tail.0.extend_from_slice(words);
            let surplus = tail.0.len().saturating_sub(TAIL_BYTES);
            tail.0.drain(..surplus);
        }
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).1 = Finished::Yes;
        self.finished.notify_all();
    }

    /// The last words; waits a moment for those that are on the way.
    fn tail(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = Duration::from_millis(100);
        let waited = self.finished.wait_timeout_while(tail, limit, |tail| tail.1 == Finished::No);
        String::from_utf8_lossy(&waited.unwrap_or_else(PoisonError::into_inner).0.0).into_owned()
    }
}

/// The end of a process in words.
fn cause(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(libc::SIGKILL)) => "killed by signal 9 (SIGKILL), perhaps out of memory".to_owned(),
        (None, Some(signal)) => format!("killed by signal {signal}{}", signal_name(signal)),
        (None, None) => format!("ended: {status}"),
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGABRT => " (SIGABRT)",
        libc::SIGBUS => " (SIGBUS)",
        libc::SIGFPE => " (SIGFPE)",
        libc::SIGILL => " (SIGILL)",
        libc::SIGSEGV => " (SIGSEGV)",
        libc::SIGTERM => " (SIGTERM)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_in_words() {
        let words = [0x0300, 9, 11].map(|raw| cause(ExitStatus::from_raw(raw)));
        let expected = [
            "exited with code 3",
            "killed by signal 9 (SIGKILL), perhaps out of memory",
            "killed by signal 11 (SIGSEGV)",
        ];
        assert_eq!(words, expected);
    }
}
