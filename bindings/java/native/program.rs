//! Expressions.

use comptoir_host::rules::{CompiledProgram, Faulty};
use comptoir_host::{Fault, Table};
use jni::EnvUnowned;
use jni::objects::{JByteArray, JClass};
use jni::sys::{jboolean, jint, jlong};

use crate::call::{bytes, give, native, quick, text};
use crate::handle::{self, Handle};
use crate::layout::layout;
use crate::parts::Writer;
use crate::slots::{Memory, with_slots};

native! {
    fn Java_io_comptoir_Native_programFree<'l>(_env, program: Handle<CompiledProgram>) -> () {
        program.free();
        Ok(())
    }
}

native! {
    fn Java_io_comptoir_Native_programCompile<'l>(
        env, environment: JByteArray<'l>, source: JByteArray<'l>,
    ) -> jlong {
        let (environment, source) = (text(env, &environment)?, text(env, &source)?);
        Ok(handle::give(CompiledProgram::compile(&environment, &source)?))
    }
}

native! {
    /// The type of the result, then the inputs.
    fn Java_io_comptoir_Native_programInputs<'l>(env, program: Handle<CompiledProgram>) -> JByteArray<'l> {
        let program = program.get().program();
        let mut parts = Writer::default();
        parts.text(&program.result_type().to_string());
        layout(&mut parts, program.slots(), program.env());
        give(env, parts.finish())
    }
}

native! {
    fn Java_io_comptoir_Native_programEvalJson<'l>(
        env, program: Handle<CompiledProgram>, event: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let event = bytes(env, &event)?;
        let value = program.get().eval_json(&event)?;
        give(env, value.as_bytes())
    }
}

native! {
    fn Java_io_comptoir_Native_programTestJson<'l>(
        env, program: Handle<CompiledProgram>, event: JByteArray<'l>,
    ) -> jboolean {
        let event = bytes(env, &event)?;
        Ok(program.get().test_json(&event)?)
    }
}

native! {
    fn Java_io_comptoir_Native_programPartialJson<'l>(
        env, program: Handle<CompiledProgram>, event: JByteArray<'l>, unknown: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let (event, unknown) = (bytes(env, &event)?, text(env, &unknown)?);
        let left = program.get().partial_json(&event, &unknown)?;
        give(env, left.as_bytes())
    }
}

native! {
    fn Java_io_comptoir_Native_programCost<'l>(
        env, program: Handle<CompiledProgram>, sizes: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let sizes = text(env, &sizes)?;
        let bounds = program.get().cost(&sizes)?;
        give(env, bounds.as_bytes())
    }
}

/// The truth for the values at an address: the call that is made most often.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_comptoir_Native_programTest<'l>(
    env: EnvUnowned<'l>,
    _class: JClass<'l>,
    program: Handle<CompiledProgram>,
    address: jlong,
    count: jint,
    size: jint,
) -> jboolean {
    quick(env, || {
        let (core, memory) = (program.get().program(), Memory { address, count, size });
        with_slots(memory, core.slots(), core.env(), |slots| program.get().test(slots))
    })
}

native! {
    fn Java_io_comptoir_Native_programEvalTable<'l>(
        env, program: Handle<CompiledProgram>, table: Handle<Table>, shared: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let shared = text(env, &shared)?;
        let result = faulty(program.get().eval_table(table.get(), &shared))?;
        give(env, result.finish())
    }
}

native! {
    fn Java_io_comptoir_Native_programSelect<'l>(
        env, program: Handle<CompiledProgram>, table: Handle<Table>, shared: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let shared = text(env, &shared)?;
        let result = faulty(program.get().select(table.get(), &shared))?;
        give(env, result.finish())
    }
}

/// The handles of both tables, and the number of faults.
pub fn faulty(result: Result<Faulty, Fault>) -> Result<Writer, Fault> {
    let Faulty { values, faults, fault_count } = result?;
    let mut parts = Writer::default();
    parts.long(handle::give(values));
    parts.long(handle::give(faults));
    parts.count(fault_count);
    Ok(parts)
}
