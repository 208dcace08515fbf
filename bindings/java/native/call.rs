//! One call from Java: arguments in, result or exception out.

use std::any::Any;

use comptoir_host::{Fault, guard};
use jni::errors::{Error as JniError, ErrorPolicy, Result as JniResult};
use jni::objects::JByteArray;
use jni::{Env, EnvUnowned};

use crate::callbacks;

/// Why a call has no result.
#[derive(Debug)]
pub enum Failure {
    /// The host crate says so.
    Fault(Fault),
    /// Java says so; perhaps an exception is pending already.
    Jni(JniError),
}

/// Runs the work of a native function. A failure, and a panic too, becomes a Java exception.
#[inline]
pub fn call<'l, T: Default>(
    mut env: EnvUnowned<'l>,
    work: impl FnOnce(&mut Env<'l>) -> Result<T, Failure>,
) -> T {
    env.with_env_no_catch(|env| match guard(|| Ok(work(env))) {
        Ok(outcome) => outcome,
        Err(panic) => Err(panic.into()),
    })
    .resolve::<Throw>()
}

/// Runs work that needs nothing of Java, which spares the setting up of an environment unless it fails.
#[inline]
pub fn quick<T: Default>(env: EnvUnowned<'_>, work: impl FnOnce() -> Result<T, Fault>) -> T {
    match guard(work) {
        Ok(done) => done,
        Err(fault) => call(env, |_| Err(fault.into())),
    }
}

/// Declares a function that Java calls: its name, its arguments after environment and class, and a body that gives a
/// result or a [`Failure`].
macro_rules! native {
    ($(#[$doc:meta])* fn $name:ident<$l:lifetime>($env:ident $(, $argument:ident: $type:ty)* $(,)?) -> $out:ty $body:block) => {
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub extern "system" fn $name<$l>(
            env: ::jni::EnvUnowned<$l>,
            _class: ::jni::objects::JClass<$l>
            $(, $argument: $type)*
        ) -> $out {
            $crate::call::call(env, |$env: &mut ::jni::Env<$l>| -> Result<$out, $crate::call::Failure> { $body })
        }
    };
}
pub(crate) use native;

/// Throws what `io.comptoir.Callbacks` makes of a failure.
struct Throw;

impl<T: Default> ErrorPolicy<T, Failure> for Throw {
    type Captures<'unowned: 'native, 'native> = ();

    fn on_error<'unowned: 'native, 'native>(
        env: &mut Env<'unowned>,
        (): &mut Self::Captures<'unowned, 'native>,
        failure: Failure,
    ) -> JniResult<T> {
        callbacks::throw(env, failure)?;
        Ok(T::default())
    }

    fn on_panic<'unowned: 'native, 'native>(
        env: &mut Env<'unowned>,
        captures: &mut Self::Captures<'unowned, 'native>,
        _payload: Box<dyn Any + Send>,
    ) -> JniResult<T> {
        Self::on_error(env, captures, Fault::internal("panic outside of a call").into())
    }
}

/// The bytes of an array of Java.
pub fn bytes(env: &Env<'_>, array: &JByteArray<'_>) -> Result<Vec<u8>, Failure> {
    if array.is_null() {
        return Err(Fault::argument("an array of bytes is null").into());
    }
    Ok(env.convert_byte_array(array)?)
}

/// The text of an array of Java.
pub fn text(env: &Env<'_>, array: &JByteArray<'_>) -> Result<String, Failure> {
    Ok(String::from_utf8(bytes(env, array)?).map_err(|_| Fault::argument("a text is not UTF-8"))?)
}

/// An array of Java with these bytes.
pub fn give<'l>(env: &mut Env<'l>, bytes: &[u8]) -> Result<JByteArray<'l>, Failure> {
    Ok(env.byte_array_from_slice(bytes)?)
}

/// A number of Java that cannot be negative.
pub fn size(what: &str, number: i64) -> Result<usize, Fault> {
    usize::try_from(number)
        .map_err(|_| Fault::argument(format!("`{what}` cannot be negative, found {number}")))
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<JniError> for Failure {
    fn from(error: JniError) -> Self {
        Self::Jni(error)
    }
}
