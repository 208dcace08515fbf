//! The driver that tests bring, and pictures for it.
#![allow(dead_code)]

use std::ffi::{CString, c_char, c_int};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use comptoir_cuda::{CudaSpec, Inputs, Normalise};
use libloading::Library;

/// The driver, held by one test at a time.
pub struct Fake {
    library: &'static Library,
    pub path: PathBuf,
    _held: MutexGuard<'static, ()>,
}

/// Builds the driver from C, loads it in the name of libcuda.so, and holds it.
pub fn fake() -> Fake {
    static HELD: Mutex<()> = Mutex::new(());
    static BUILT: OnceLock<(PathBuf, Library)> = OnceLock::new();
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let (path, library) = BUILT.get_or_init(build);
    Fake { library, path: path.clone(), _held: held }
}

fn build() -> (PathBuf, Library) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = tempfile();
    let status = Command::new("cc")
        .args(["-std=gnu11", "-O1", "-w", "-ffp-contract=off", "-shared", "-fPIC", "-Wl,-soname,libcuda.so"])
        .arg(format!("-DKERNEL=\"{}\"", here.join("src/normalise.cu").display()))
        .arg(here.join("tests/support/driver.c"))
        .arg("-o")
        .arg(&target)
        .arg("-lpthread")
        .status()
        .expect("a C compiler, which Rust links with too");
    assert!(status.success());
    // SAFETY: our own library, without initialisers.
    let library = unsafe { Library::new(&target) }.unwrap();
    (target, library)
}

fn tempfile() -> PathBuf {
    let name = format!("libcuda-{}-{}.so", env!("CARGO_CRATE_NAME"), std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

impl Fake {
    fn number(&self, name: &str) -> i32 {
        // SAFETY: these functions take nothing and give an int.
        unsafe { self.library.get::<unsafe extern "C" fn() -> c_int>(name).unwrap()() }
    }

    /// Contexts, streams, events, graphs, modules and blocks of memory that are alive.
    pub fn live(&self) -> i32 {
        self.number("fake_live")
    }

    /// Work that touched memory that was not there, or would have.
    pub fn faults(&self) -> i32 {
        self.number("fake_faults")
    }

    /// Batches that the device could not read by itself, because their memory was not page-locked.
    pub fn staged(&self) -> i32 {
        self.number("fake_staged")
    }

    /// Copies to the device that were scheduled.
    pub fn copies_in(&self) -> i32 {
        self.number("fake_copies_in")
    }

    /// Kernels that were launched.
    pub fn launches(&self) -> i32 {
        self.number("fake_launches")
    }

    /// Makes everyone who waits for an event wait until so many kernels have been launched.
    pub fn hold(&self, until: i32) {
        // SAFETY: the function's type.
        unsafe { self.library.get::<unsafe extern "C" fn(c_int)>("fake_hold").unwrap()(until) };
    }

    /// Graphs that were launched.
    pub fn replays(&self) -> i32 {
        self.number("fake_replays")
    }

    /// Sets the driver's version and the number of devices.
    pub fn set(&self, version: i32, devices: i32) {
        // SAFETY: the function's type.
        unsafe {
            self.library.get::<unsafe extern "C" fn(c_int, c_int)>("fake_set").unwrap()(version, devices)
        };
    }

    /// Makes the call of a function fail with a code, after `after` calls that do not.
    pub fn fail(&self, function: &str, after: i32, code: i32) {
        let name = CString::new(function).unwrap();
        type Fail = unsafe extern "C" fn(*const c_char, c_int, c_int);
        // SAFETY: the function's type; the text is copied.
        unsafe { self.library.get::<Fail>("fake_fail").unwrap()(name.as_ptr(), after, code) };
    }

    /// Settings for small pictures.
    pub fn spec(&self, normalise: Normalise) -> CudaSpec {
        let inputs = Some(Inputs::Pictures(normalise));
        CudaSpec { nvrtc: Some(self.path.clone()), inputs, trace_events: 1000, ..CudaSpec::default() }
    }
}

/// Whether everything has been given back, and nothing touched that was not there.
pub fn check_clean(fake: &Fake) {
    assert_eq!((fake.faults(), fake.live()), (0, 0), "(faults, objects alive)");
}

/// A picture of 7 x 5 whose pixels follow from a number.
pub fn picture(seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..7 * 5 * 3).map(next).collect()
}

/// Settings for them.
pub fn small() -> Normalise {
    Normalise {
        width: 7,
        height: 5,
        scale: 1.0 / 255.0,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        ..Normalise::default()
    }
}
