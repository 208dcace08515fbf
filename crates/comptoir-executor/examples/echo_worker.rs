//! A worker process in Rust: answers calls of a `comptoir_executor::worker::WorkerPool`. The tests of the pool use it,
//! so some of its functions do what a worker should not.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "refuse") {
        return Err("this worker does not want to start".into());
    }
    let pool = arguments.last().ok_or("a pool starts this program")?;
    if arguments.iter().any(|argument| argument == "steps") {
        return Ok(step(pool)?);
    }
    Ok(comptoir_executor::worker::serve(pool, answer)?)
}

/// Answers calls whose parts are steps: each sleeps for as many milliseconds as it says, and for ever where it says none.
#[cfg(target_os = "linux")]
fn step(pool: &str) -> Result<(), comptoir_executor::worker::Error> {
    let mut worker = comptoir_executor::worker::Worker::attach(pool)?;
    worker.ready();
    while let Some(request) = worker.next_request() {
        for part in request.parts() {
            let milliseconds = std::str::from_utf8(part).ok().and_then(|text| text.parse().ok());
            std::thread::sleep(
                milliseconds.map_or(std::time::Duration::MAX, std::time::Duration::from_millis),
            );
            request.step();
        }
        request.reply(&[], 0);
    }
    Ok(())
}

/// The functions, by number; each gives its header and the length of its output.
#[cfg(target_os = "linux")]
fn answer(function: u32, parts: &[&[u8]], output: &mut [u8]) -> Result<(Vec<u8>, usize), String> {
    match function {
        0 => echo(parts, output),
        1 => Err(format!("no luck with {} bytes", parts.iter().map(|part| part.len()).sum::<usize>())),
        2 => std::process::exit(3),
        3 => loop {
            std::thread::park();
        },
        4 => Ok((Vec::new(), output.len() + 1)),
        5 => Ok((vec![0; 1 << 20], 0)),
        6 => Err(allocate(8 << 30)),
        7 => {
            std::thread::sleep(std::time::Duration::from_millis(300));
            echo(parts, output)
        }
        other => Err(format!("there is no function {other}")),
    }
}

/// Writes all parts one after the other; the header is their number.
#[cfg(target_os = "linux")]
fn echo(parts: &[&[u8]], output: &mut [u8]) -> Result<(Vec<u8>, usize), String> {
    let mut written = 0;
    for part in parts {
        let area = output.get_mut(written..written + part.len()).ok_or("the output is too small")?;
        area.copy_from_slice(part);
        written += part.len();
    }
    Ok((vec![u8::try_from(parts.len()).unwrap_or(u8::MAX)], written))
}

#[cfg(target_os = "linux")]
fn allocate(bytes: usize) -> String {
    let mut memory: Vec<u8> = Vec::new();
    memory.try_reserve_exact(bytes).map_or_else(|error| error.to_string(), |()| "there was memory".to_owned())
}

#[cfg(not(target_os = "linux"))]
fn main() {}
