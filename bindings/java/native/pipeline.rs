//! Pipelines of model inference.

use std::time::Duration;

use comptoir::executor::runtime::{Rows, Slot};
use comptoir_host::Fault;
use comptoir_host::executor::{HostCode, HostPipeline, Infer, Item, Preprocess, RequestOptions, Ticket};
use jni::Env;
use jni::objects::{JByteArray, JObject, JObjectArray};
use jni::refs::Global;
use jni::sys::{jboolean, jbyte, jdouble, jint, jlong};

use crate::call::{Failure, bytes, give, native, text};
use crate::callbacks;
use crate::columns;
use crate::handle::{self, Handle, address, pointer};
use crate::tensors::{pack_prediction, pack_specs, read_outputs, read_own, read_specs};

native! {
    /// `code` has for each model 1 for its own stage, 2 for its own model, 3 for both; `models` has what is called.
    fn Java_io_comptoir_Native_pipelineStart<'l>(
        env, config: JByteArray<'l>, code: JByteArray<'l>, models: JObjectArray<'l, JObject<'l>>,
    ) -> jlong {
        let (config, flags) = (text(env, &config)?, bytes(env, &code)?);
        let mut own = Vec::with_capacity(flags.len());
        for (index, flags) in flags.into_iter().enumerate() {
            let model = models.get_element(env, index)?;
            own.push(host_code(env, &model, flags)?);
        }
        Ok(handle::give(HostPipeline::start(&config, own)?))
    }
}

native! {
    fn Java_io_comptoir_Native_pipelineFree<'l>(_env, pipeline: Handle<HostPipeline>) -> () {
        pipeline.free();
        Ok(())
    }
}

native! {
    /// Gives the handle of the right to give the request up. `future` is told the outcome.
    fn Java_io_comptoir_Native_pipelineSubmit<'l>(
        env, pipeline: Handle<HostPipeline>, kind: jint, content: JByteArray<'l>, number: jlong,
        options: JByteArray<'l>, future: JObject<'l>,
    ) -> jlong {
        let item = item(env, kind, &content, number)?;
        let options = RequestOptions::parse(&text(env, &options)?)?;
        let future = env.new_global_ref(&future)?;
        let done = Box::new(move |outcome: Result<_, Fault>| {
            callbacks::finished(&future, outcome.map(|prediction| pack_prediction(&prediction)));
        });
        Ok(handle::give(pipeline.get().submit(item, options, done)?))
    }
}

native! {
    fn Java_io_comptoir_Native_pipelineRun<'l>(
        env, pipeline: Handle<HostPipeline>, kind: jint, content: JByteArray<'l>, number: jlong,
        options: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let item = item(env, kind, &content, number)?;
        let options = RequestOptions::parse(&text(env, &options)?)?;
        let prediction = pipeline.get().run(item, options)?;
        give(env, pack_prediction(&prediction).finish())
    }
}

native! {
    fn Java_io_comptoir_Native_pipelineStats<'l>(env, pipeline: Handle<HostPipeline>) -> JByteArray<'l> {
        let stats = pipeline.get().stats()?;
        give(env, stats.as_bytes())
    }
}

native! {
    fn Java_io_comptoir_Native_pipelinePrometheus<'l>(env, pipeline: Handle<HostPipeline>) -> JByteArray<'l> {
        let stats = pipeline.get().prometheus();
        give(env, stats.as_bytes())
    }
}

native! {
    /// `code` is 2 where `model` is Java's own, and also 1 where it has a stage of its own.
    fn Java_io_comptoir_Native_pipelineSwap<'l>(
        env, pipeline: Handle<HostPipeline>, config: JByteArray<'l>, code: jbyte, model: JObject<'l>,
    ) -> () {
        let config = text(env, &config)?;
        let code = host_code(env, &model, code.cast_unsigned())?;
        Ok(pipeline.get().swap(&config, code)?)
    }
}

native! {
    fn Java_io_comptoir_Native_pipelineSetShare<'l>(
        env, pipeline: Handle<HostPipeline>, model: JByteArray<'l>, share: jdouble,
    ) -> () {
        let model = text(env, &model)?;
        Ok(pipeline.get().set_share(&model, share)?)
    }
}

native! {
    fn Java_io_comptoir_Native_pipelineDrain<'l>(
        _env, pipeline: Handle<HostPipeline>, nanos: jlong,
    ) -> jboolean {
        Ok(pipeline.get().drain(duration(nanos)))
    }
}

native! {
    fn Java_io_comptoir_Native_pipelineTrace<'l>(env, pipeline: Handle<HostPipeline>) -> JByteArray<'l> {
        let trace = pipeline.get().trace()?;
        give(env, trace.as_bytes())
    }
}

native! {
    fn Java_io_comptoir_Native_pipelineClose<'l>(
        _env, pipeline: Handle<HostPipeline>, nanos: jlong,
    ) -> jboolean {
        Ok(pipeline.get().close(duration(nanos)))
    }
}

native! {
    fn Java_io_comptoir_Native_ticketCancel<'l>(_env, ticket: Handle<Ticket>) -> () {
        ticket.get().cancel();
        Ok(())
    }
}

native! {
    fn Java_io_comptoir_Native_ticketFree<'l>(_env, ticket: Handle<Ticket>) -> () {
        ticket.free();
        Ok(())
    }
}

native! {
    /// The memory of the row for inputs of these shapes, for a stage of Java; `slot` is what the stage was given.
    fn Java_io_comptoir_Native_slotReserve<'l>(
        env, slot: jlong, specs: JByteArray<'l>,
    ) -> JObjectArray<'l, JObject<'l>> {
        let specs = read_specs(&bytes(env, &specs)?)?;
        // SAFETY: `io.comptoir.Row` passes what `preprocess` below gave, on its thread and only until it returns.
        let slot: &mut Slot<'_> = unsafe { &mut *pointer(slot) };
        let row = slot.reserve_for(&specs).map_err(Fault::from)?;
        let memory: Vec<(*const u8, usize)> = specs
            .iter()
            .enumerate()
            .map(|(at, spec)| {
                let bytes = row.bytes_mut(row.place(&spec.name, at));
                (bytes.as_mut_ptr().cast_const(), bytes.len())
            })
            .collect();
        Ok(columns::views(env, &memory)?)
    }
}

/// A time of Java; one below zero is none.
fn duration(nanos: jlong) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
}

fn item(env: &Env<'_>, kind: jint, content: &JByteArray<'_>, number: jlong) -> Result<Item, Failure> {
    Ok(match kind {
        0 => Item::Tensors(read_own(&bytes(env, content)?)?),
        1 => Item::File(bytes(env, content)?),
        _ => Item::Host(usize::try_from(number).map_err(Fault::internal)?),
    })
}

fn host_code(env: &Env<'_>, model: &JObject<'_>, flags: u8) -> Result<HostCode, Failure> {
    let preprocess = match flags & 1 {
        0 => None,
        _ => Some(stage(env.new_global_ref(model)?)),
    };
    let infer = match flags & 2 {
        0 => None,
        _ => Some(own_model(env.new_global_ref(model)?)),
    };
    Ok(HostCode { preprocess, infer })
}

fn stage(model: Global<JObject<'static>>) -> Preprocess {
    Box::new(move |item: usize, slot: &mut Slot<'_>| {
        let slot: *mut Slot<'_> = slot;
        callbacks::preprocess(&model, crate::ranking::number(item), address(slot))
    })
}

fn own_model(model: Global<JObject<'static>>) -> Infer {
    Box::new(move |batch: &Rows| {
        let specs = pack_specs(batch.len(), batch.inputs());
        let memory: Vec<(*const u8, usize)> = (0..batch.inputs().len())
            .map(|input| batch.bytes(input))
            .map(|bytes| (bytes.as_ptr(), bytes.len()))
            .collect();
        read_outputs(&callbacks::infer(&model, specs.finish(), &memory)?)
    })
}
