//! Rule sets.

use comptoir_host::Table;
use comptoir_host::rules::CompiledSet;
use jni::objects::JByteArray;
use jni::sys::{jint, jlong};

use crate::call::{bytes, give, native, text};
use crate::handle::{self, Handle};
use crate::layout::layout;
use crate::parts::Writer;
use crate::program::faulty;
use crate::slots::{Memory, with_slots};
use crate::values;

native! {
    fn Java_io_comptoir_Native_ruleSetFree<'l>(_env, set: Handle<CompiledSet>) -> () {
        set.free();
        Ok(())
    }
}

native! {
    fn Java_io_comptoir_Native_ruleSetRead<'l>(env, source: JByteArray<'l>) -> jlong {
        let source = text(env, &source)?;
        Ok(handle::give(CompiledSet::read(&source)?))
    }
}

native! {
    /// Another handle of the same set.
    fn Java_io_comptoir_Native_ruleSetShare<'l>(_env, set: Handle<CompiledSet>) -> jlong {
        Ok(handle::give(set.get().clone()))
    }
}

native! {
    fn Java_io_comptoir_Native_ruleSetDescribe<'l>(env, set: Handle<CompiledSet>) -> JByteArray<'l> {
        let described = set.get().describe()?;
        give(env, described.as_bytes())
    }
}

native! {
    /// Name, version and hash, then the inputs.
    fn Java_io_comptoir_Native_ruleSetInputs<'l>(env, set: Handle<CompiledSet>) -> JByteArray<'l> {
        let set = set.get().set();
        let mut parts = Writer::default();
        for text in [set.name(), set.version(), set.hash()] {
            parts.text(text);
        }
        layout(&mut parts, set.inputs(), set.env());
        give(env, parts.finish())
    }
}

native! {
    fn Java_io_comptoir_Native_ruleSetDecideJson<'l>(
        env, set: Handle<CompiledSet>, event: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let event = bytes(env, &event)?;
        let decision = set.get().decide_json(&event)?;
        give(env, decision.as_bytes())
    }
}

native! {
    fn Java_io_comptoir_Native_ruleSetExplainJson<'l>(
        env, set: Handle<CompiledSet>, event: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let event = bytes(env, &event)?;
        let trace = set.get().explain_json(&event)?;
        give(env, trace.as_bytes())
    }
}

native! {
    fn Java_io_comptoir_Native_ruleSetDecide<'l>(
        env, set: Handle<CompiledSet>, address: jlong, count: jint, size: jint,
    ) -> JByteArray<'l> {
        let (core, memory) = (set.get().set(), Memory { address, count, size });
        let parts =
            with_slots(memory, core.inputs(), core.env(), |slots| Ok(values::decision(&set.get().decide(slots))))?;
        give(env, parts.finish())
    }
}

native! {
    fn Java_io_comptoir_Native_ruleSetDecideTable<'l>(
        env, set: Handle<CompiledSet>, table: Handle<Table>, shared: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let shared = text(env, &shared)?;
        let result = faulty(set.get().decide_table(table.get(), &shared))?;
        give(env, result.finish())
    }
}

native! {
    fn Java_io_comptoir_Native_ruleSetSelect<'l>(
        env, set: Handle<CompiledSet>, table: Handle<Table>, shared: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let shared = text(env, &shared)?;
        let result = faulty(set.get().select(table.get(), &shared))?;
        give(env, result.finish())
    }
}
