//! The Java face of comptoir: functions that `io.comptoir.Native` declares. Each unpacks its arguments, calls the host
//! crate, and packs the result; a failure is thrown as the exception that `io.comptoir.Callbacks` makes of it.
//!
//! Text crosses the border as UTF-8 in byte arrays, since JNI's own strings are in a UTF-8 of their own. Several values
//! at once cross as one byte array, which `parts` describes.
#![allow(non_snake_case, reason = "JNI finds functions by the names of classes and methods")]

#[cfg(feature = "bench")]
mod bench;
mod call;
mod callbacks;
mod columns;
mod costing;
mod handle;
mod layout;
mod nested;
mod parts;
mod pipeline;
mod pool;
mod program;
mod ranking;
mod reader;
mod record;
mod rule_set;
mod slots;
mod table;
mod tensors;
mod values;

use jni::EnvUnowned;
use jni::objects::{JByteArray, JByteBuffer, JClass};
use jni::sys::{jint, jlong};

use call::native;

native! {
    /// Keeps the class whose static methods are called from here.
    fn Java_io_comptoir_Native_initialise<'l>(env, callbacks: JClass<'l>) -> () {
        callbacks::keep(env, &callbacks)
    }
}

native! {
    /// The version of this library.
    fn Java_io_comptoir_Native_version<'l>(env) -> JByteArray<'l> {
        call::give(env, env!("CARGO_PKG_VERSION").as_bytes())
    }
}

native! {
    /// The border that `io.comptoir.Native` declares; it changes with any of its functions.
    fn Java_io_comptoir_Native_abi<'l>(_env) -> jint {
        Ok(3)
    }
}

/// Does nothing: the price of a call.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_comptoir_Native_nothing<'l>(env: EnvUnowned<'l>, _class: JClass<'l>) {
    call::quick(env, || Ok(()));
}

native! {
    /// Where a direct buffer begins.
    fn Java_io_comptoir_Native_address<'l>(env, buffer: JByteBuffer<'l>) -> jlong {
        Ok(handle::address(env.get_direct_buffer_address(&buffer)?.cast_const()))
    }
}
