//! Devices: which there are, and one that is open.

use std::sync::Arc;

use cudarc::driver::sys::{self, CUdevice_attribute, CUresult};
use cudarc::driver::{CudaContext, DriverError, result};
use serde::Serialize;

use crate::error::{Error, call};

/// The least CUDA version that a driver must speak.
const NEEDED: i32 = 12_000;

/// What is known of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceInfo {
    /// Its number, as the driver counts.
    pub number: usize,
    /// Its name, such as `NVIDIA H100 PCIe`.
    pub name: String,
    /// Its compute capability, such as (9, 0).
    pub capability: (i32, i32),
    /// Bytes of its memory.
    pub memory: usize,
    /// The CUDA version that its driver speaks: 12020 for 12.2.
    pub driver: i32,
}

/// An open device. All that are open in a process share one context, its primary one, with each other and with every
/// library that uses the CUDA run time, so that device memory of one can be read by the other.
#[derive(Debug, Clone)]
pub struct Device {
    pub(crate) context: Arc<CudaContext>,
    info: DeviceInfo,
}

/// The devices that the driver sees.
///
/// # Errors
/// [`Error::NoDriver`], [`Error::DriverTooOld`] or [`Error::NoDevice`].
pub fn devices() -> Result<Vec<DeviceInfo>, Error> {
    let driver = start()?;
    (0..count()?).map(|number| describe(number, driver)).collect()
}

impl Device {
    /// Opens a device.
    ///
    /// # Errors
    /// Those of [`devices`], and [`Error::UnknownDevice`].
    pub fn open(number: usize) -> Result<Self, Error> {
        let driver = start()?;
        let count = count()?;
        if number >= count {
            return Err(Error::UnknownDevice { device: number, count });
        }
        let info = describe(number, driver)?;
        let context = CudaContext::new(number).map_err(call("opening the device"))?;
        Ok(Self { context, info })
    }

    /// What is known of it.
    #[must_use]
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Its compute capability as one number: 90 is 9.0.
    pub(crate) fn capability(&self) -> u32 {
        let (major, minor) = self.info.capability;
        u32::try_from(major * 10 + minor).unwrap_or(0)
    }
}

/// Loads and starts the driver, and gives the CUDA version that it speaks. Nothing of the driver may be called before
/// this has been asked: without a library the calls panic.
fn start() -> Result<i32, Error> {
    // SAFETY: loading the driver's library has no conditions.
    if !unsafe { sys::is_culib_present() } {
        return Err(Error::NoDriver { reason: "the system finds no libcuda.so.1".to_owned() });
    }
    if let Some(lacks) = SYMBOLS.iter().find(|name| !has(name)) {
        return Err(Error::NoDriver { reason: format!("libcuda.so.1 is there, but has no `{lacks}`") });
    }
    let mut version = 0;
    // SAFETY: the function takes an address to write to, and may be called before `cuInit`.
    let asked = unsafe { sys::cuDriverGetVersion(&raw mut version) }.result();
    asked.map_err(not_started)?;
    if version < NEEDED {
        return Err(Error::DriverTooOld { found: version, needed: NEEDED });
    }
    result::init().map_err(not_started)?;
    Ok(version)
}

/// Whether the driver's library has a function.
fn has(name: &str) -> bool {
    type Function = unsafe extern "C" fn();
    // SAFETY: the library has just been found; the function is looked up, and not called.
    unsafe { sys::culib().get::<Function>(name.as_bytes()) }.is_ok()
}

/// Every function of the driver that this crate calls, by itself or through cudarc, which panics where one is missing.
const SYMBOLS: [&str; 40] = [
    "cuCtxGetCurrent",
    "cuCtxSetCurrent",
    "cuCtxSynchronize",
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuDeviceGetCount",
    "cuDeviceGetName",
    "cuDevicePrimaryCtxRelease_v2",
    "cuDevicePrimaryCtxRetain",
    "cuDeviceTotalMem_v2",
    "cuDriverGetVersion",
    "cuEventCreate",
    "cuEventDestroy_v2",
    "cuEventElapsedTime",
    "cuEventRecord",
    "cuEventSynchronize",
    "cuGetErrorName",
    "cuGetErrorString",
    "cuGraphDestroy",
    "cuGraphExecDestroy",
    "cuGraphInstantiateWithFlags",
    "cuGraphLaunch",
    "cuInit",
    "cuLaunchKernel",
    "cuMemAlloc_v2",
    "cuMemFreeHost",
    "cuMemFree_v2",
    "cuMemHostAlloc",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuModuleGetFunction",
    "cuModuleLoadData",
    "cuModuleUnload",
    "cuPointerGetAttribute",
    "cuStreamBeginCapture_v2",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuStreamEndCapture",
    "cuStreamSynchronize",
    "cuStreamWaitEvent",
];

fn not_started(error: DriverError) -> Error {
    match error.0 {
        CUresult::CUDA_ERROR_NO_DEVICE => Error::NoDevice,
        other => Error::NoDriver { reason: format!("libcuda.so.1 is there, but does not start: {other:?}") },
    }
}

fn count() -> Result<usize, Error> {
    let count = result::device::get_count().map_err(call("counting devices"))?;
    usize::try_from(count).ok().filter(|&count| count > 0).ok_or(Error::NoDevice)
}

fn describe(number: usize, driver: i32) -> Result<DeviceInfo, Error> {
    let failed = || call("describing the device");
    let device = result::device::get(i32::try_from(number).unwrap_or(i32::MAX)).map_err(failed())?;
    let name = result::device::get_name(device).map_err(failed())?;
    let attribute = |attribute| {
        // SAFETY: the driver has just given this device.
        unsafe { result::device::get_attribute(device, attribute) }.map_err(failed())
    };
    let capability = (
        attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
        attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
    );
    // SAFETY: as above.
    let memory = unsafe { result::device::total_mem(device) }.map_err(failed())?;
    Ok(DeviceInfo { number, name, capability, memory, driver })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The driver of the tests has what is called, or the tests would not pass, and nothing else.
    #[test]
    fn every_function_that_is_called_is_looked_for_first() {
        let source = include_str!("../tests/support/driver.c");
        let functions = source.lines().filter_map(|line| line.strip_prefix("int cu")?.split_once('('));
        let mut called: Vec<String> = functions.map(|(name, _)| format!("cu{name}")).collect();
        called.sort_unstable();
        assert_eq!(called, SYMBOLS);
    }
}
