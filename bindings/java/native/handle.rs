//! Objects of Rust behind a number of Java.

use std::marker::PhantomData;
use std::ptr;

use jni::sys::jlong;

/// The number by which Java knows a `T`. Only shared references are made of it, so that any number of threads may use it.
#[derive(Debug)]
#[repr(transparent)]
pub struct Handle<T>(jlong, PhantomData<T>);

/// Moves a value to where Java finds it.
pub fn give<T: Send + Sync>(value: T) -> jlong {
    address(Box::into_raw(Box::new(value)))
}

impl<T: Send + Sync> Handle<T> {
    /// The handle that Java packed among other arguments.
    pub const fn of(address: jlong) -> Self {
        Self(address, PhantomData)
    }

    /// The object.
    #[inline]
    pub fn get(&self) -> &T {
        // SAFETY: `io.comptoir.Native` is visible only in its package, which passes what `give` made for this type, and
        // `NativeHandle` frees it only when no call uses it any more.
        unsafe { &*pointer(self.0) }
    }

    /// Frees the object.
    pub fn free(self) {
        // SAFETY: as in `get`; `NativeHandle` calls this once.
        drop(unsafe { Box::from_raw(pointer::<T>(self.0)) });
    }
}

/// A pointer as a number of Java.
pub fn address<T>(pointer: *const T) -> jlong {
    (pointer.expose_provenance() as u64).cast_signed()
}

/// The pointer that a number of Java is.
#[inline]
pub fn pointer<T>(address: jlong) -> *mut T {
    // On machines with narrower addresses, the numbers came from them.
    ptr::with_exposed_provenance_mut(usize::try_from(address.cast_unsigned()).unwrap_or(0))
}
