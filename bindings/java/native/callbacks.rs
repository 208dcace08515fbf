//! Calls from here into `io.comptoir.Callbacks`.

use std::cell::OnceCell;
use std::ptr;
use std::sync::{Arc, OnceLock};

use comptoir::executor::Error;
use comptoir::executor::error::Cause;
use comptoir_host::Fault;
use jni::errors::{Error as JniError, Result as JniResult};
use jni::objects::{JByteArray, JClass, JObject, JStaticMethodID, JThrowable, JValueOwned};
use jni::refs::Global;
use jni::signature::{Primitive, ReturnType};
use jni::sys::jvalue;
use jni::vm::{AttachConfig, AttachmentExceptionPolicy};
use jni::{DEFAULT_LOCAL_FRAME_CAPACITY, Env, JavaVM, jni_sig, jni_str};

use crate::call::Failure;
use crate::parts::Writer;

/// The class and its methods, looked up once.
struct Callbacks {
    class: Global<JClass<'static>>,
    fault: JStaticMethodID,
    describe: JStaticMethodID,
    preprocess: JStaticMethodID,
    infer: JStaticMethodID,
    finished: JStaticMethodID,
    vm: JavaVM,
}

static CALLBACKS: OnceLock<Callbacks> = OnceLock::new();

/// Looks the methods up.
pub fn keep(env: &mut Env<'_>, class: &JClass<'_>) -> Result<(), Failure> {
    let found = Callbacks {
        class: env.new_global_ref(class)?,
        fault: env.get_static_method_id(
            class,
            jni_str!("fault"),
            jni_sig!("([BLjava/lang/Throwable;)Ljava/lang/RuntimeException;"),
        )?,
        describe: env.get_static_method_id(
            class,
            jni_str!("describe"),
            jni_sig!("(Ljava/lang/Throwable;)[B"),
        )?,
        preprocess: env.get_static_method_id(
            class,
            jni_str!("preprocess"),
            jni_sig!("(Ljava/lang/Object;JJ)V"),
        )?,
        infer: env.get_static_method_id(
            class,
            jni_str!("infer"),
            jni_sig!("(Ljava/lang/Object;[B[Ljava/nio/ByteBuffer;)[B"),
        )?,
        finished: env.get_static_method_id(
            class,
            jni_str!("finished"),
            jni_sig!("(Ljava/lang/Object;[BLjava/lang/RuntimeException;)V"),
        )?,
        vm: env.get_java_vm()?,
    };
    // The second time the class is the same one.
    let _ = CALLBACKS.set(found);
    Ok(())
}

fn callbacks() -> JniResult<&'static Callbacks> {
    CALLBACKS.get().ok_or(JniError::UninitializedJavaVM)
}

/// Makes an exception of a failure and throws it, unless one is pending.
#[cold]
pub fn throw(env: &mut Env<'_>, failure: Failure) -> JniResult<()> {
    let fault = match failure {
        Failure::Jni(_) if env.exception_check() => return Ok(()),
        Failure::Jni(JniError::CaughtJavaException { exception, .. }) => return env.throw(&exception),
        Failure::Jni(error) => Fault::internal(error),
        Failure::Fault(fault) => fault,
    };
    let exception = exception(env, &fault)?;
    let exception = env.cast_local::<JThrowable<'_>>(exception)?;
    env.throw(&exception)
}

/// The exception for a fault.
pub fn exception<'l>(env: &mut Env<'l>, fault: &Fault) -> JniResult<JObject<'l>> {
    let parts = env.byte_array_from_slice(packed(fault).finish())?;
    let cause =
        fault.place.cause.as_ref().and_then(|cause| cause.0.downcast_ref::<Global<JThrowable<'static>>>());
    let cause = cause.map_or(ptr::null_mut(), |cause| cause.as_obj().as_raw());
    let arguments = [jvalue { l: parts.as_raw() }, jvalue { l: cause }];
    let kept = callbacks()?;
    // SAFETY: the method takes these arguments, and the class is kept.
    let made =
        unsafe { env.call_static_method_unchecked(&kept.class, kept.fault, ReturnType::Object, &arguments) };
    made?.l()
}

fn packed(fault: &Fault) -> Writer {
    let mut parts = Writer::default();
    // The names of `io.comptoir.ErrorKind`.
    parts.text(&format!("{:?}", fault.kind).to_uppercase());
    for text in [fault.code, &fault.message, &fault.place.path, &fault.place.rendered] {
        parts.text(text);
    }
    parts.count(fault.place.line);
    parts.count(fault.place.column);
    parts.long(fault.place.row.and_then(|row| i64::try_from(row).ok()).unwrap_or(-1));
    parts
}

/// Gives an item to a host's stage, which writes it into the row behind `slot`.
pub fn preprocess(code: &Global<JObject<'static>>, item: i64, slot: i64) -> Result<(), Error> {
    attached("preprocess", |env| {
        let kept = callbacks()?;
        let arguments = [jvalue { l: code.as_obj().as_raw() }, jvalue { j: item }, jvalue { j: slot }];
        // SAFETY: the method takes these arguments, and the class is kept.
        let done = unsafe {
            env.call_static_method_unchecked(
                &kept.class,
                kept.preprocess,
                ReturnType::Primitive(Primitive::Void),
                &arguments,
            )
        };
        done.map(drop)
    })
}

/// Gives a batch to a host's model: the packed description of its inputs, and their memory.
pub fn infer(
    code: &Global<JObject<'static>>,
    specs: &[u8],
    inputs: &[(*const u8, usize)],
) -> Result<Vec<u8>, Error> {
    attached("infer", |env| {
        let kept = callbacks()?;
        let specs = env.byte_array_from_slice(specs)?;
        let buffers = crate::columns::views(env, inputs)?;
        let arguments = [
            jvalue { l: code.as_obj().as_raw() },
            jvalue { l: specs.as_raw() },
            jvalue { l: buffers.as_raw() },
        ];
        // SAFETY: the method takes these arguments, and the class is kept.
        let outputs = unsafe {
            env.call_static_method_unchecked(&kept.class, kept.infer, ReturnType::Array, &arguments)
        };
        let outputs: JObject<'_> = JValueOwned::l(outputs?)?;
        let outputs = env.cast_local::<JByteArray<'_>>(outputs)?;
        env.convert_byte_array(&outputs)
    })
}

/// Tells a future its outcome: packed tensors, or why there are none.
pub fn finished(future: &Global<JObject<'static>>, outcome: Result<Writer, Fault>) {
    // A future that fails to be told has nobody left to be told that: Java's method throws nothing.
    let _ = attached("postprocess", |env| {
        let kept = callbacks()?;
        let (mut prediction, mut error) = (ptr::null_mut(), ptr::null_mut());
        match &outcome {
            Ok(parts) => prediction = env.byte_array_from_slice(parts.finish())?.into_raw(),
            Err(fault) => error = exception(env, fault)?.into_raw(),
        }
        let arguments =
            [jvalue { l: future.as_obj().as_raw() }, jvalue { l: prediction }, jvalue { l: error }];
        // SAFETY: the method takes these arguments, and the class is kept.
        let told = unsafe {
            env.call_static_method_unchecked(
                &kept.class,
                kept.finished,
                ReturnType::Primitive(Primitive::Void),
                &arguments,
            )
        };
        told.map(drop)
    });
}

/// Runs work on this thread of the pipeline. An exception of Java becomes the error of the stage, with itself as cause.
fn attached<T>(stage: &'static str, work: impl FnOnce(&mut Env<'_>) -> JniResult<T>) -> Result<T, Error> {
    let failed = |error: JniError| Error::stage(stage, error.to_string());
    let run = || -> JniResult<Result<T, Error>> {
        let vm = &callbacks()?.vm;
        ATTACHMENT.with(|own| own.get_or_init(|| Attachment::new(vm)).is_attached())?;
        // An exception is taken here, since the crate would walk through its whole stack for a message.
        let config = || AttachConfig::new().exceptions_policy(AttachmentExceptionPolicy::Ignore);
        vm.attach_current_thread_with_config(config, Some(DEFAULT_LOCAL_FRAME_CAPACITY), |env| {
            Ok(match work(env) {
                Ok(done) => Ok(done),
                Err(error) => Err(taken(env, stage)?.unwrap_or_else(|| failed(error))),
            })
        })
    };
    run().unwrap_or_else(|error| Err(failed(error)))
}

/// The exception that is pending, as an error that it is the cause of.
fn taken(env: &mut Env<'_>, stage: &'static str) -> JniResult<Option<Error>> {
    let Some(exception) = env.exception_occurred() else { return Ok(None) };
    env.exception_clear();
    let kept = callbacks()?;
    let arguments = [jvalue { l: exception.as_raw() }];
    // SAFETY: the method takes this argument, and the class is kept.
    let text = unsafe {
        env.call_static_method_unchecked(&kept.class, kept.describe, ReturnType::Array, &arguments)
    };
    let text: JObject<'_> = text?.l()?;
    let text = env.cast_local::<JByteArray<'_>>(text)?;
    let message = String::from_utf8_lossy(&env.convert_byte_array(&text)?).into_owned();
    let cause: Global<JThrowable<'static>> = env.new_global_ref(&exception)?;
    Ok(Some(Error::Stage { stage, message, cause: Some(Cause(Arc::new(cause))) }))
}

thread_local! {
    static ATTACHMENT: OnceCell<Attachment> = const { OnceCell::new() };
}

/// A thread of ours as a daemon of Java, so that the JVM ends without waiting for it; until the thread ends.
struct Attachment(Option<JavaVM>);

impl Attachment {
    fn new(vm: &JavaVM) -> Self {
        if vm.is_thread_attached().unwrap_or(false) {
            return Self(None);
        }
        let (raw, mut env) = (vm.get_raw(), ptr::null_mut());
        // SAFETY: the JVM is there for as long as its threads, and `env` may be written.
        let _ = unsafe { ((**raw).v1_4.AttachCurrentThreadAsDaemon)(raw, &raw mut env, ptr::null_mut()) };
        Self(Some(vm.clone()))
    }

    fn is_attached(&self) -> JniResult<()> {
        match &self.0 {
            Some(vm) if !vm.is_thread_attached()? => {
                Err(JniError::JniCall(jni::errors::JniError::ThreadDetached))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        if let Some(vm) = &self.0 {
            let raw = vm.get_raw();
            // SAFETY: the JVM is there, and this thread runs no code of Java any more.
            unsafe { ((**raw).v1_4.DetachCurrentThread)(raw) };
        }
    }
}
