//! Worker processes: results, errors, deadlines, and every way in which a worker may end.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use comptoir_executor::worker::{Error, WorkerConfig, WorkerPhase, WorkerPool};
use comptoir_types::ErrorCode;

const ECHO: u32 = 0;
const RAISE: u32 = 1;
const EXIT: u32 = 2;
const BLOCK: u32 = 3;
const TOO_MUCH: u32 = 4;
const LONG_HEADER: u32 = 5;
const ALLOCATE: u32 = 6;
const SLEEP: u32 = 7;

fn program() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples/echo_worker")
}

fn config(workers: usize) -> WorkerConfig {
    let backoff = Duration::from_millis(1);
    WorkerConfig { workers, input_bytes: 4096, output_bytes: 4096, backoff, ..WorkerConfig::new(program()) }
}

fn pool(workers: usize) -> WorkerPool {
    WorkerPool::start(config(workers)).unwrap()
}

fn call(pool: &WorkerPool, function: u32, data: &[u8]) -> Result<Vec<u8>, Error> {
    pool.call(function, &[data], None, |reply| reply.data.to_vec())
}

fn signal(signal: &str, pid: u32) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// The worker that has a call; waits until there is one.
fn busy_pid(pool: &WorkerPool) -> u32 {
    loop {
        if let Some(status) = pool.stats().workers.iter().find(|status| status.in_flight > 0) {
            // The call has reached the process, or is about to.
            thread::sleep(Duration::from_millis(30));
            return status.pid.unwrap();
        }
        thread::yield_now();
    }
}

fn descriptors() -> Vec<String> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let links = entries.flat_map(|entry| std::fs::read_link(entry.path()));
    let ours =
        |link: &String| link.contains("comptoir") || link.contains("pidfd") || link.contains("eventfd");
    links.map(|link| link.to_string_lossy().into_owned()).filter(ours).collect()
}

#[test]
fn parts_go_in_and_header_and_data_come_out() {
    let pool = pool(1);
    let answer =
        pool.call(ECHO, &[b"ab", b"", b"c"], None, |reply| (reply.header.to_vec(), reply.data.to_vec()));
    assert_eq!(answer, Ok((vec![3], b"abc".to_vec())));
}

#[test]
fn a_failure_of_the_callable_comes_back_and_the_worker_lives_on() {
    let pool = pool(1);
    let error = call(&pool, RAISE, b"four").unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("EXECUTOR_WORKER_FAILED", "no luck with 4 bytes")
    );
    assert_eq!(call(&pool, ECHO, b"on"), Ok(b"on".to_vec()));
    let status = pool.stats().workers.remove(0);
    assert_eq!((status.calls, status.failures, status.restarts), (2, 1, 0));
}

#[test]
fn what_does_not_fit_names_both_sizes_and_the_setting() {
    let pool = pool(1);
    let sizes = |result: Result<Vec<u8>, Error>| match result {
        Err(Error::Size { needed, available, setting, .. }) => (needed, available, setting),
        other => panic!("{other:?}"),
    };
    assert_eq!(sizes(call(&pool, TOO_MUCH, b"")), (4097, 4096, "output_bytes"));
    assert_eq!(sizes(call(&pool, LONG_HEADER, b"")), (1 << 20, 4096, "header_bytes"));
    assert_eq!(sizes(call(&pool, ECHO, &[0; 9000])).2, "input_bytes");
    assert_eq!(call(&pool, ECHO, b"on"), Ok(b"on".to_vec()));
}

#[test]
fn a_call_that_ends_its_worker_is_tried_once_more_and_then_fails_with_the_cause() {
    let pool = pool(2);
    let error = call(&pool, EXIT, b"").unwrap_err();
    assert_eq!(error.code(), "EXECUTOR_WORKER_DIED");
    assert!(error.to_string().ends_with(" exited with code 3"), "{error}");
    assert_eq!(call(&pool, ECHO, b"on"), Ok(b"on".to_vec()));
    assert_eq!(pool.stats().workers.iter().map(|status| status.failures).sum::<u64>(), 2);
}

#[test]
fn a_killed_worker_loses_its_call_to_another_one() {
    let pool = pool(2);
    let answer = thread::scope(|scope| {
        let caller = scope.spawn(|| call(&pool, SLEEP, b"kept"));
        signal("-KILL", busy_pid(&pool));
        caller.join().unwrap()
    });
    assert_eq!(answer, Ok(b"kept".to_vec()));
    let causes: Vec<String> =
        pool.stats().workers.into_iter().filter_map(|status| status.last_cause).collect();
    assert_eq!(causes, ["killed by signal 9 (SIGKILL), perhaps out of memory"]);
}

#[test]
fn a_stopped_worker_is_killed_and_its_call_goes_to_another_one() {
    let pool = pool(2);
    let answer = thread::scope(|scope| {
        let caller = scope.spawn(|| call(&pool, SLEEP, b"kept"));
        signal("-STOP", busy_pid(&pool));
        caller.join().unwrap()
    });
    assert_eq!(answer, Ok(b"kept".to_vec()));
    let causes: Vec<String> =
        pool.stats().workers.into_iter().filter_map(|status| status.last_cause).collect();
    assert_eq!(causes, ["was stopped by a signal"]);
}

#[test]
fn a_callable_that_blocks_is_killed_once_and_not_tried_again() {
    let call_timeout = Duration::from_millis(60);
    let pool = WorkerPool::start(WorkerConfig { call_timeout, ..config(2) }).unwrap();
    let error = call(&pool, BLOCK, b"").unwrap_err();
    assert_eq!(error.code(), "EXECUTOR_WORKER_HUNG");
    assert!(error.to_string().ends_with("gave no answer within 60 ms"), "{error}");
    assert_eq!(call(&pool, ECHO, b"on"), Ok(b"on".to_vec()));
}

#[test]
fn at_its_deadline_a_caller_leaves_and_its_slot_comes_back_when_the_worker_answers() {
    let pool = WorkerPool::start(WorkerConfig { depth: 1, ..config(1) }).unwrap();
    let deadline = || Some(Instant::now() + Duration::from_millis(20));
    let error = pool.call(SLEEP, &[b"late"], deadline(), |_| ()).unwrap_err();
    assert!(matches!(error, Error::DeadlineExceeded { stage: "in a worker", .. }), "{error:?}");
    assert_eq!(pool.stats().workers.first().unwrap().quarantined, 1);
    let error = pool.call(ECHO, &[b"none free"], deadline(), |_| ()).unwrap_err();
    assert!(matches!(error, Error::DeadlineExceeded { stage: "waiting for a worker", .. }), "{error:?}");
    assert_eq!(call(&pool, ECHO, b"on"), Ok(b"on".to_vec()));
    let status = pool.stats().workers.remove(0);
    assert_eq!((status.quarantined, status.restarts), (0, 0));
}

#[test]
fn a_worker_gets_no_more_memory_than_its_limit() {
    let pool = WorkerPool::start(WorkerConfig { memory_bytes: Some(1 << 30), ..config(1) }).unwrap();
    let error = call(&pool, ALLOCATE, b"").unwrap_err();
    assert!(error.to_string().contains("memory allocation failed"), "{error}");
}

#[test]
fn a_worker_that_does_not_come_up_refuses_the_pool_with_its_words() {
    let refusing = WorkerConfig { args: vec!["refuse".into()], ..config(2) };
    let error = WorkerPool::start(refusing).map(drop).unwrap_err();
    assert_eq!(error.code(), "EXECUTOR_WORKER_START");
    assert!(
        error.to_string().contains("exited with code 1; it said `Error: \"this worker does not"),
        "{error}"
    );
    let missing = WorkerConfig { command: "/nonexistent/worker".into(), ..config(1) };
    let error = WorkerPool::start(missing).map(drop).unwrap_err();
    assert!(error.to_string().contains("cannot be started as `/nonexistent/worker`"), "{error}");
    let silent = WorkerConfig { command: "/bin/sleep".into(), args: vec!["9".into()], ..config(1) };
    assert!(WorkerPool::start(silent).is_err());
}

#[test]
fn a_closed_pool_finishes_what_it_has_and_takes_no_more() {
    let pool = pool(1);
    let answer = thread::scope(|scope| {
        let caller = scope.spawn(|| call(&pool, SLEEP, b"last"));
        busy_pid(&pool);
        pool.close(Duration::from_secs(20));
        caller.join().unwrap()
    });
    assert_eq!((answer, call(&pool, ECHO, b"more")), (Ok(b"last".to_vec()), Err(Error::Closed)));
    let status = pool.stats().workers.remove(0);
    assert_eq!((status.phase, status.pid), (WorkerPhase::Stopped, None));
}

#[test]
fn a_pool_closed_without_grace_fails_its_calls() {
    let pool = pool(1);
    let answer = thread::scope(|scope| {
        let caller = scope.spawn(|| call(&pool, BLOCK, b""));
        busy_pid(&pool);
        pool.close(Duration::ZERO);
        caller.join().unwrap()
    });
    assert_eq!(answer, Err(Error::Closed));
}

#[test]
fn while_workers_are_killed_at_random_every_call_ends_once_and_right() {
    let pool = WorkerPool::start(WorkerConfig { retries: 3, ..config(3) }).unwrap();
    let (done, failed, over) = (AtomicU32::new(0), AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let callers: Vec<_> = (0..8_u8)
            .map(|caller| {
                let (pool, done, failed) = (&pool, &done, &failed);
                scope.spawn(move || {
                    for number in 0..300_u16 {
                        let data = [&[caller], number.to_le_bytes().as_slice(), &[caller; 700]].concat();
                        match call(pool, ECHO, &data) {
                            Ok(answer) => {
                                assert_eq!(answer, data);
                                done.fetch_add(1, Ordering::Relaxed)
                            }
                            Err(Error::Died { .. } | Error::Hung { .. }) => {
                                failed.fetch_add(1, Ordering::Relaxed)
                            }
                            Err(error) => panic!("{error}"),
                        };
                    }
                })
            })
            .collect();
        let killer = scope.spawn(|| {
            for round in 0.. {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                if let Some(pid) = pool.stats().workers.get(round % 3).and_then(|status| status.pid) {
                    Command::new("kill").args(["-KILL", &pid.to_string()]).output().unwrap();
                }
                thread::sleep(Duration::from_millis(3));
            }
        });
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        over.store(true, Ordering::Relaxed);
        killer.join().unwrap();
    });
    assert_eq!(done.into_inner() + failed.into_inner(), 2400);
    let stats = pool.stats();
    assert!(stats.workers.iter().all(|status| status.in_flight + status.quarantined == 0), "{stats:?}");
    assert!(stats.workers.iter().any(|status| status.restarts > 0), "{stats:?}");
    assert_eq!(call(&pool, ECHO, b"on"), Ok(b"on".to_vec()));
}

/// In a process of its own, since other tests open pools at the same time.
#[test]
fn closed_pools_leave_no_descriptors_processes_or_workers_behind() {
    let name = "alone_a_pool_leaves_nothing";
    let test = std::env::current_exe().unwrap();
    let output = Command::new(test).args([name, "--exact", "--ignored"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn alone_a_pool_leaves_nothing() {
    let before = descriptors();
    for _ in 0..3 {
        let pool = pool(2);
        call(&pool, EXIT, b"").unwrap_err();
        call(&pool, ECHO, b"on").unwrap();
        assert!(descriptors().len() > before.len());
    }
    assert_eq!(descriptors(), before);
    let own = std::process::id().to_string();
    let children = Command::new("ps").args(["--no-headers", "-o", "comm", "--ppid", &own]).output().unwrap();
    assert!(!String::from_utf8_lossy(&children.stdout).contains("echo_worker"), "{children:?}");
}

#[test]
fn workers_end_with_a_parent_that_is_killed() {
    let test = std::env::current_exe().unwrap();
    let arguments = ["alone_a_parent_waits_to_be_killed", "--exact", "--ignored", "--nocapture"];
    let mut parent = Command::new(test).args(arguments).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(parent.stdout.take().unwrap()));
    let line = lines.map_while(Result::ok).find(|line| line.contains("workers ")).unwrap();
    let pids: Vec<&str> = line.split("workers ").nth(1).unwrap().split(' ').collect();
    assert_eq!(pids.len(), 2);
    parent.kill().unwrap();
    parent.wait().unwrap();
    let alive = |pid: &&str| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Who has ended may wait for the system's first process to notice.
        stat.contains("echo_worker") && !stat.contains(") Z")
    };
    while pids.iter().any(alive) {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn alone_a_parent_waits_to_be_killed() {
    let pool = pool(2);
    let pids: Vec<String> =
        pool.stats().workers.iter().map(|status| status.pid.unwrap().to_string()).collect();
    println!("workers {}", pids.join(" "));
    call(&pool, BLOCK, b"").unwrap_err();
}

#[test]
fn a_call_that_hangs_tells_at_which_step() {
    let limits = WorkerConfig { call_timeout: Duration::from_millis(400), ..config(2) };
    let pool = WorkerPool::start(WorkerConfig { args: vec!["steps".into()], ..limits }).unwrap();
    let call = |parts: &[&[u8]]| pool.call_with(0, 0, parts, None, |_| ());
    // Each step has the whole time, and one that is over does not count against the next.
    assert_eq!(call(&[b"250", b"250", b"250"]), Ok(()));
    let start = Instant::now();
    match call(&[b"1", b"250", b"for ever", b"1"]) {
        Err(Error::Hung { steps, cause, .. }) => {
            assert_eq!((steps, cause.as_str()), (Some(2), "gave no answer within 400 ms"));
        }
        other => panic!("{other:?}"),
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(640) && took < Duration::from_millis(1200), "{took:?}");
    // Counted anew.
    assert!(matches!(call(&[b"for ever"]), Err(Error::Hung { steps: Some(0), .. })));
    let stopped = thread::scope(|scope| {
        let caller = scope.spawn(|| call(&[b"1", b"200", b"200"]));
        signal("-STOP", busy_pid(&pool));
        caller.join().unwrap()
    });
    assert!(matches!(stopped, Err(Error::Hung { steps: None, .. })), "{stopped:?}");
}
