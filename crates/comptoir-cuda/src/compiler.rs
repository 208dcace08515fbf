//! NVRTC, the compiler of CUDA at run time: found when it is needed, in a file of any version from 11.2 on.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};

use libloading::Library;

use crate::error::Error;

/// A compiler. What it holds open is closed with it.
#[derive(Debug)]
pub struct Compiler {
    library: Library,
    version: (c_int, c_int),
}

/// What a kernel is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Text that any driver translates for its device, from this compute capability on: 75 is 7.5.
    Ptx(u32),
    /// Code of exactly this compute capability.
    Cubin(u32),
}

/// A kernel that was compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// PTX.
    Ptx(String),
    /// Machine code.
    Cubin(Vec<u8>),
}

/// Names under which the library is looked for where no path is given, newest first.
const NAMES: [&str; 5] =
    ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so", "nvrtc64_130_0.dll", "nvrtc64_120_0.dll"];

/// An open program, or null.
type Program = *mut c_void;
type Code = c_int;
type Create = unsafe extern "C" fn(
    *mut Program,
    *const c_char,
    *const c_char,
    c_int,
    *const *const c_char,
    *const *const c_char,
) -> Code;
type Compile = unsafe extern "C" fn(Program, c_int, *const *const c_char) -> Code;
type Size = unsafe extern "C" fn(Program, *mut usize) -> Code;
type Read = unsafe extern "C" fn(Program, *mut c_char) -> Code;
type Destroy = unsafe extern "C" fn(*mut Program) -> Code;
type Numbers = unsafe extern "C" fn(*mut c_int) -> Code;
type Version = unsafe extern "C" fn(*mut c_int, *mut c_int) -> Code;
type Explain = unsafe extern "C" fn(Code) -> *const c_char;

impl Compiler {
    /// Loads the compiler from `path`, or from where the system looks for libraries.
    ///
    /// # Errors
    /// [`Error::NoCompiler`] where there is none, or it is none.
    pub fn load(path: Option<&Path>) -> Result<Self, Error> {
        let library = match path {
            Some(path) => open(path.as_os_str()).map_err(|reason| Error::NoCompiler { reason })?,
            None => NAMES.iter().find_map(|name| open(name.as_ref()).ok()).ok_or_else(|| {
                Error::NoCompiler { reason: format!("the system finds none of {}", NAMES.join(", ")) }
            })?,
        };
        let mut compiler = Self { library, version: (0, 0) };
        let (mut major, mut minor) = (0, 0);
        let version = compiler.function::<Version>(c"nvrtcVersion")?;
        // SAFETY: the function takes two addresses to write to.
        let code = unsafe { version(&raw mut major, &raw mut minor) };
        compiler.check(code).map_err(|reason| Error::NoCompiler { reason })?;
        compiler.version = (major, minor);
        Ok(compiler)
    }

    /// Its version, such as `12.9`.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }

    /// The compute capabilities that it knows, in ascending order: 75 is 7.5.
    ///
    /// # Errors
    /// [`Error::NoCompiler`] for a library that does not say.
    pub fn capabilities(&self) -> Result<Vec<u32>, Error> {
        let no_compiler = |reason| Error::NoCompiler { reason };
        let mut count = 0;
        let number = self.function::<Numbers>(c"nvrtcGetNumSupportedArchs")?;
        // SAFETY: the function takes an address to write to.
        self.check(unsafe { number(&raw mut count) }).map_err(no_compiler)?;
        let mut found = vec![0; usize::try_from(count).unwrap_or(0)];
        let list = self.function::<Numbers>(c"nvrtcGetSupportedArchs")?;
        // SAFETY: there is room for as many as the library has just said.
        self.check(unsafe { list(found.as_mut_ptr()) }).map_err(no_compiler)?;
        let mut found: Vec<u32> = found.into_iter().filter_map(|one| u32::try_from(one).ok()).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// What to compile for a device of a compute capability: its own code where the compiler knows it, else text for
    /// the nearest capability below, which the driver translates.
    ///
    /// # Errors
    /// [`Error::NoCompiler`] for a compiler that knows nothing as old as the device.
    pub fn target(&self, capability: u32) -> Result<Target, Error> {
        let known = self.capabilities()?;
        match known.iter().copied().rfind(|&one| one <= capability) {
            Some(one) if one == capability => Ok(Target::Cubin(one)),
            Some(one) => Ok(Target::Ptx(one)),
            None => Err(Error::NoCompiler {
                reason: format!(
                    "NVRTC {} knows no device of compute capability {}.{}",
                    self.version(),
                    capability / 10,
                    capability % 10
                ),
            }),
        }
    }

    /// Compiles a source with these macros set. Products and sums are never fused, so that results are those of the
    /// same operations on a CPU.
    ///
    /// # Errors
    /// [`Error::Compile`] with the compiler's log.
    pub fn compile(&self, source: &str, macros: &[(&str, &str)], target: Target) -> Result<Image, Error> {
        let options = options(macros, target);
        let failed = |log: String| Error::Compile {
            version: self.version(),
            target: options.first().map_or_else(String::new, |option| option.to_string_lossy().into_owned()),
            log,
        };
        let source = CString::new(source).map_err(|error| failed(error.to_string()))?;
        let program = Open::new(self, &source).map_err(failed)?;
        program.compile(&options).map_err(failed)?;
        match target {
            Target::Ptx(_) => {
                let mut text = program.read(c"nvrtcGetPTXSize", c"nvrtcGetPTX").map_err(failed)?;
                text.retain(|&byte| byte != 0);
                String::from_utf8(text).map(Image::Ptx).map_err(|error| failed(error.to_string()))
            }
            Target::Cubin(_) => {
                program.read(c"nvrtcGetCUBINSize", c"nvrtcGetCUBIN").map(Image::Cubin).map_err(failed)
            }
        }
    }

    /// A function of the library. `F` must be its type, as NVRTC's header declares it.
    fn function<F: Copy>(&self, name: &CStr) -> Result<F, Error> {
        // SAFETY: the types above are those of the header, which have not changed since 11.2; the function is called
        // only while the library is held.
        unsafe { self.library.get::<F>(name.to_bytes_with_nul()) }
            .map(|function| *function)
            .map_err(|error| Error::NoCompiler { reason: error.to_string() })
    }

    /// An error code in words.
    fn check(&self, code: Code) -> Result<(), String> {
        if code == 0 {
            return Ok(());
        }
        let explain = self.function::<Explain>(c"nvrtcGetErrorString").map_err(|error| error.to_string())?;
        // SAFETY: the library gives a text that is never freed, for any number.
        let text = unsafe { explain(code) };
        if text.is_null() {
            return Err(format!("error {code}"));
        }
        // SAFETY: not null, and ends with a zero.
        Err(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    }
}

fn open(name: &std::ffi::OsStr) -> Result<Library, String> {
    // SAFETY: NVRTC's initialisers have no conditions; a file that the user names is the user's own code.
    unsafe { Library::new(name) }.map_err(|error| error.to_string())
}

fn options(macros: &[(&str, &str)], target: Target) -> Vec<CString> {
    let architecture = match target {
        Target::Ptx(capability) => format!("--gpu-architecture=compute_{capability}"),
        Target::Cubin(capability) => format!("--gpu-architecture=sm_{capability}"),
    };
    let fixed = ["--fmad=false", "--ftz=false", "--prec-div=true"].map(str::to_owned);
    let set = macros.iter().map(|(name, value)| format!("--define-macro={name}={value}"));
    let all = std::iter::once(architecture).chain(fixed).chain(set);
    all.filter_map(|option| CString::new(option).ok()).collect()
}

/// A program of the compiler, destroyed when dropped.
struct Open<'a> {
    compiler: &'a Compiler,
    program: Program,
}

impl<'a> Open<'a> {
    fn new(compiler: &'a Compiler, source: &CStr) -> Result<Self, String> {
        let create = compiler.function::<Create>(c"nvrtcCreateProgram").map_err(|error| error.to_string())?;
        let mut program = null_mut();
        let name = c"comptoir.cu".as_ptr();
        // SAFETY: two texts that outlive the call, no headers, and an address to write to.
        let code = unsafe { create(&raw mut program, source.as_ptr(), name, 0, null(), null()) };
        compiler.check(code)?;
        Ok(Self { compiler, program })
    }

    fn compile(&self, options: &[CString]) -> Result<(), String> {
        let compile =
            self.compiler.function::<Compile>(c"nvrtcCompileProgram").map_err(|error| error.to_string())?;
        let pointers: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let count = c_int::try_from(pointers.len()).unwrap_or(0);
        // SAFETY: the program is open, and `count` texts lie behind the pointers.
        let code = unsafe { compile(self.program, count, pointers.as_ptr()) };
        self.compiler.check(code).map_err(|reason| {
            let log = self.read(c"nvrtcGetProgramLogSize", c"nvrtcGetProgramLog").unwrap_or_default();
            let log = String::from_utf8_lossy(&log).replace('\0', "");
            format!("{reason}: {}", log.split_whitespace().collect::<Vec<_>>().join(" "))
        })
    }

    /// What the library gives by a function for its size and one that writes it.
    fn read(&self, size: &CStr, read: &CStr) -> Result<Vec<u8>, String> {
        let size = self.compiler.function::<Size>(size).map_err(|error| error.to_string())?;
        let read = self.compiler.function::<Read>(read).map_err(|error| error.to_string())?;
        let mut len = 0;
        // SAFETY: the program is open, and the size is written to `len`.
        self.compiler.check(unsafe { size(self.program, &raw mut len) })?;
        let mut bytes = vec![0_u8; len];
        // SAFETY: there is room for as many bytes as the library has just said.
        self.compiler.check(unsafe { read(self.program, bytes.as_mut_ptr().cast()) })?;
        Ok(bytes)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Ok(destroy) = self.compiler.function::<Destroy>(c"nvrtcDestroyProgram") {
            // SAFETY: the program is open, and nobody uses it any more.
            unsafe { destroy(&raw mut self.program) };
        }
    }
}
