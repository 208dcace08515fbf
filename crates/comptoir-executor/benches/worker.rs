//! Round trips to a worker process, which is this program started anew.
//!
//! Bounds: two wake-ups of sleeping threads where calls come apart, and a copy in and a copy out of what is sent, which
//! the last lines time alone.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, missing_docs)]

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    use comptoir_executor::worker::serve;
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|argument| argument == "worker") {
        let pool = arguments.last().unwrap();
        serve(pool, |function, parts, output| -> Result<_, String> {
            // 0: nothing is written, as by a stage that writes in place; 1: the input comes back.
            let input = parts[0];
            if function == 1 {
                output[..input.len()].copy_from_slice(input);
            }
            Ok((Vec::new(), if function == 1 { input.len() } else { 0 }))
        })
        .unwrap();
    } else {
        round_trips();
    }
}

#[cfg(target_os = "linux")]
fn round_trips() {
    use comptoir_executor::worker::{WorkerConfig, WorkerPool};
    use std::time::{Duration, Instant};
    let args = vec!["worker".into()];
    let pool =
        WorkerPool::start(WorkerConfig { args, ..WorkerConfig::new(std::env::current_exe().unwrap()) })
            .unwrap();
    let row = vec![1_u8; 602_112];
    println!("{:40} {:>10} {:>10}", "round trip", "p50 us", "p99 us");
    for (name, function, bytes, pause) in [
        ("64 B, one after the other", 0, 64, Duration::ZERO),
        ("64 B, 2 ms apart", 0, 64, Duration::from_millis(2)),
        ("602 kB in, one after the other", 0, row.len(), Duration::ZERO),
        ("602 kB in, 2 ms apart", 0, row.len(), Duration::from_millis(2)),
        ("602 kB in and out, one after the other", 1, row.len(), Duration::ZERO),
        ("602 kB in and out, 2 ms apart", 1, row.len(), Duration::from_millis(2)),
    ] {
        let count = if pause.is_zero() { 20_000 } else { 1_000 };
        let mut times: Vec<Duration> = (0..count)
            .map(|_| {
                std::thread::sleep(pause);
                let start = Instant::now();
                pool.call(function, &[&row[..bytes]], None, |reply| reply.data.len()).unwrap();
                start.elapsed()
            })
            .collect();
        print(name, &mut times);
    }
    let mut target = vec![0_u8; row.len()];
    let mut times: Vec<Duration> = (0..20_000)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(&mut target).copy_from_slice(std::hint::black_box(&row));
            start.elapsed()
        })
        .collect();
    print("bound: one copy of 602 kB", &mut times);
}

#[cfg(target_os = "linux")]
fn print(name: &str, times: &mut [std::time::Duration]) {
    times.sort_unstable();
    let micros = |time: std::time::Duration| time.as_secs_f64() * 1e6;
    println!(
        "{name:40} {:>10.1} {:>10.1}",
        micros(times[times.len() / 2]),
        micros(times[times.len() * 99 / 100])
    );
}
