//! Why there is no device, or why a call to it failed.

use comptoir_types::{ErrorCode, ErrorKind};
use cudarc::driver::DriverError;
use cudarc::driver::sys::CUresult;

/// What went wrong, with a code that is the same in every host language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no NVIDIA driver, or it does not start.
    #[error(
        "there is no NVIDIA driver: {reason}; install one from version 525 on (in a container: run it with the NVIDIA container toolkit)"
    )]
    NoDriver {
        /// What was looked for, or what the driver said.
        reason: String,
    },
    /// The driver is older than what is called.
    #[error("the NVIDIA driver speaks CUDA {}.{}: install one that speaks CUDA {}.{} or later", .found / 1000, .found % 1000 / 10, .needed / 1000, .needed % 1000 / 10)]
    DriverTooOld {
        /// CUDA version of the driver, such as 12020 for 12.2.
        found: i32,
        /// The least version, written in the same way.
        needed: i32,
    },
    /// The driver sees no device.
    #[error(
        "the NVIDIA driver sees no device: look at `nvidia-smi` and at the environment variable CUDA_VISIBLE_DEVICES"
    )]
    NoDevice,
    /// There are devices, but not this one.
    #[error("`device`: there is no device {device}: the driver sees {count}, counted from 0")]
    UnknownDevice {
        /// The number that was asked for.
        device: usize,
        /// Devices that the driver sees.
        count: usize,
    },
    /// The run-time compiler is missing.
    #[error(
        "the CUDA compiler NVRTC cannot be loaded: {reason}; install the Python package nvidia-cuda-nvrtc-cu12, or give the path of libnvrtc.so.12 as `nvrtc`"
    )]
    NoCompiler {
        /// What was looked for, or what the system said.
        reason: String,
    },
    /// A kernel of ours was refused by the compiler.
    #[error("NVRTC {version} refused a kernel for `{target}`: {log}")]
    Compile {
        /// Version of the compiler.
        version: String,
        /// What it was to be compiled for.
        target: String,
        /// What the compiler said, in one line.
        log: String,
    },
    /// A call to the driver failed.
    #[error("{call}: the NVIDIA driver says {name}: {text}")]
    Call {
        /// What was being done.
        call: &'static str,
        /// Name of the driver's error, such as `CUDA_ERROR_ILLEGAL_ADDRESS`.
        name: String,
        /// Its meaning, in the driver's words.
        text: String,
    },
    /// The device, or the memory that it can read, is full.
    #[error("{call}: out of memory for {bytes} bytes: use smaller batches, fewer lanes or fewer models")]
    OutOfMemory {
        /// What was being done.
        call: &'static str,
        /// Bytes that were asked for.
        bytes: usize,
    },
    /// A setting is wrong.
    #[error("`{field}`: {message}")]
    Config {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// What is computed on the device cannot be made.
    #[error(transparent)]
    Compute(comptoir_executor::Error),
}

impl ErrorCode for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NoDriver { .. } => "EXECUTOR_CUDA_NO_DRIVER",
            Self::DriverTooOld { .. } => "EXECUTOR_CUDA_DRIVER_TOO_OLD",
            Self::NoDevice => "EXECUTOR_CUDA_NO_DEVICE",
            Self::UnknownDevice { .. } => "EXECUTOR_CUDA_UNKNOWN_DEVICE",
            Self::NoCompiler { .. } => "EXECUTOR_CUDA_NO_COMPILER",
            Self::Compile { .. } => "EXECUTOR_CUDA_COMPILE",
            Self::Call { .. } => "EXECUTOR_CUDA_CALL",
            Self::OutOfMemory { .. } => "EXECUTOR_CUDA_OUT_OF_MEMORY",
            Self::Config { .. } => "EXECUTOR_CUDA_CONFIG",
            Self::Compute(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoDriver { .. }
            | Self::DriverTooOld { .. }
            | Self::NoDevice
            | Self::NoCompiler { .. }
            | Self::Call { .. } => ErrorKind::Unavailable,
            Self::OutOfMemory { .. } => ErrorKind::Limit,
            Self::UnknownDevice { .. } | Self::Config { .. } => ErrorKind::Config,
            Self::Compile { .. } => ErrorKind::Internal,
            Self::Compute(error) => error.kind(),
        }
    }
}

/// What a request is told where its batch fails for such a reason.
impl From<Error> for comptoir_executor::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Compute(error) => error,
            Error::Call { .. } | Error::OutOfMemory { .. } => Self::stage("infer", error.to_string()),
            Error::Config { field, message } => Self::config(field, message),
            Error::UnknownDevice { device, count } => {
                Self::config("device", format!("there is no device {device}: the driver sees {count}"))
            }
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// Says what was being done when a call to the driver failed.
pub(crate) fn call(call: &'static str) -> impl FnOnce(DriverError) -> Error {
    move |error| {
        let known = |text: Result<&std::ffi::CStr, DriverError>| {
            text.map_or_else(|_| format!("{:?}", error.0), |text| text.to_string_lossy().into_owned())
        };
        Error::Call { call, name: known(error.error_name()), text: known(error.error_string()) }
    }
}

/// The same for a call that asks for memory.
pub(crate) fn allocation(name: &'static str, bytes: usize) -> impl FnOnce(DriverError) -> Error {
    move |error| match error.0 {
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => Error::OutOfMemory { call: name, bytes },
        _ => call(name)(error),
    }
}
