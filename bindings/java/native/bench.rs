//! The work of a call without the border, for `io.comptoir.Bench`.

use std::hint::black_box;
use std::time::Instant;

use comptoir_host::rules::CompiledProgram;
use jni::sys::{jdouble, jint, jlong};

use crate::call::native;
use crate::handle::Handle;
use crate::slots::{Memory, with_slots};

native! {
    /// Nanoseconds of one test with values that are ready.
    fn Java_io_comptoir_BenchNative_loop<'l>(
        _env, program: Handle<CompiledProgram>, address: jlong, count: jint, size: jint, repeats: jint,
    ) -> jdouble {
        let (core, memory) = (program.get().program(), Memory { address, count, size });
        Ok(with_slots(memory, core.slots(), core.env(), |slots| {
            let start = Instant::now();
            for _ in 0..repeats {
                black_box(program.get().test(black_box(slots)))?;
            }
            Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(repeats.max(1)))
        })?)
    }
}
