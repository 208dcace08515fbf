//! The kernel for the compiler and, where there is a device, on it; what this machine lacks is named.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    missing_docs
)]

use std::path::PathBuf;

use comptoir_cuda::{Compiler, CudaModel, CudaSpec, Echo, Error, Image, Inputs, Normalise, Target, devices};
use comptoir_executor::backend::Tensors;
use comptoir_executor::image::Colour;
use comptoir_executor::runtime::{Functions, ModelSpec, Pipeline, PipelineSpec, RowMut};
use comptoir_executor::tensor::DType;
use comptoir_types::ErrorCode;

/// NVRTC as `COMPTOIR_NVRTC` names it, as `make` installs it, or as the system has it.
fn compiler() -> Option<Compiler> {
    let named = std::env::var_os("COMPTOIR_NVRTC").map(PathBuf::from);
    let packages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.venv/lib");
    let installed = std::fs::read_dir(packages)
        .into_iter()
        .flatten()
        .flatten()
        .map(|python| python.path().join("site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12"));
    let path = named.or_else(|| installed.into_iter().find(|path| path.exists()));
    match Compiler::load(path.as_deref()) {
        Ok(compiler) => Some(compiler),
        Err(missing) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "make installs it: {missing}");
            println!("left out: {missing}");
            None
        }
    }
}

fn variants() -> impl Iterator<Item = Normalise> {
    [DType::F32, DType::F16].into_iter().flat_map(|dtype| {
        [Colour::Rgb, Colour::Bgr].map(|colour| Normalise {
            colour,
            dtype,
            scale: 1.0 / 255.0,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
            ..Normalise::default()
        })
    })
}

#[test]
fn every_form_of_the_kernel_compiles_without_fused_operations() {
    let Some(compiler) = compiler() else { return };
    for normalise in variants() {
        let Image::Ptx(ptx) = normalise.compile(&compiler, Target::Ptx(75)).unwrap() else {
            panic!("no text")
        };
        assert!(ptx.contains(".visible .entry normalise("), "{ptx}");
        assert!(!ptx.contains("fma"), "{ptx}");
        for operation in ["mul.rn.f32", "sub.rn.f32", "div.rn.f32"] {
            assert_eq!(ptx.matches(operation).count(), 3, "{operation} in {ptx}");
        }
        assert_eq!(ptx.contains("cvt.rn.f16.f32"), normalise.dtype == DType::F16);
        for capability in [75, 80, 90] {
            let image = normalise.compile(&compiler, Target::Cubin(capability)).unwrap();
            assert!(matches!(image, Image::Cubin(code) if code.starts_with(b"\x7fELF")));
        }
    }
}

#[test]
fn a_device_gets_its_own_code_or_the_text_for_one_before_it() {
    let Some(compiler) = compiler() else { return };
    let newest = *compiler.capabilities().unwrap().last().unwrap();
    assert_eq!(compiler.target(90), Ok(Target::Cubin(90)));
    assert_eq!(compiler.target(newest + 7), Ok(Target::Ptx(newest)));
    let error = compiler.target(20).unwrap_err();
    assert!(error.to_string().contains("knows no device of compute capability 2.0"), "{error}");
}

#[test]
fn a_source_that_is_wrong_is_refused_with_the_compilers_words() {
    let Some(compiler) = compiler() else { return };
    let error = compiler.compile("__global__ void broken( {}", &[], Target::Ptx(75)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("comptoir.cu(1): error:") && !text.contains('\n'), "{text}");
    assert_eq!(error.code(), "EXECUTOR_CUDA_COMPILE");
}

#[test]
fn no_compiler_is_an_error_that_says_what_to_do() {
    let error = Compiler::load(Some("/nowhere/libnvrtc.so.12".as_ref())).unwrap_err();
    assert_eq!(error.code(), "EXECUTOR_CUDA_NO_COMPILER");
    assert!(error.to_string().contains("install the Python package nvidia-cuda-nvrtc-cu12"), "{error}");
    let none = Compiler::load(Some("/proc/self/exe".as_ref())).map(|_| ()).unwrap_err();
    assert_eq!(none.code(), "EXECUTOR_CUDA_NO_COMPILER");
}

/// On a machine with a device: the kernel against the CPU, bit by bit. On one without: the error.
#[test]
fn a_device_normalises_as_the_cpu_does_or_is_missed_by_name() {
    let found = devices();
    let Ok(found) = found else {
        let error = found.unwrap_err();
        assert!(error.code().starts_with("EXECUTOR_CUDA_"), "{error}");
        let model = CudaModel::open(&CudaSpec::default(), Echo).map(|_| ());
        assert_eq!(model, Err(error.clone()));
        if let Error::NoDriver { reason } = error {
            assert!(reason.contains("libcuda.so.1"), "{reason}");
        }
        return;
    };
    println!("{found:?}");
    let pictures: Vec<u8> = (0..224 * 224 * 3 * 5).map(|at| (at * 31 % 251 + at % 7) as u8).collect();
    for normalise in variants() {
        let spec = CudaSpec {
            inputs: Some(Inputs::Pictures(normalise.clone())),
            nvrtc: std::env::var_os("COMPTOIR_NVRTC").map(Into::into),
            ..CudaSpec::default()
        };
        let model = CudaModel::open(&spec, Echo).unwrap();
        let shapes = Some(vec![model.inputs().to_vec()]);
        let stages = Functions::new(
            |picture: Vec<u8>, row: &mut RowMut| {
                row.bytes_mut(0).copy_from_slice(&picture);
                Ok(())
            },
            |tensors: &Tensors, row| {
                let bytes = tensors.outputs[0].1.bytes();
                let each = bytes.len() / tensors.outputs[0].1.shape()[0];
                Ok(bytes[row * each..(row + 1) * each].to_vec())
            },
        );
        let settings = PipelineSpec { depth: 3, ..PipelineSpec::default() };
        let spec = ModelSpec { shapes, ..ModelSpec::default() };
        let pipe = Pipeline::start(settings, stages, model, spec).unwrap();
        let each = 224 * 224 * 3;
        let all: Vec<_> = (0..50).map(|at| &pictures[at % 5 * each..][..each]).collect();
        let handles: Vec<_> = all.iter().map(|one| pipe.submit(one.to_vec()).unwrap()).collect();
        for (handle, one) in handles.into_iter().zip(all) {
            assert_eq!(handle.wait().unwrap(), normalise.on_cpu(one));
        }
    }
}

#[test]
fn settings_that_cannot_be_used_are_refused_before_a_device_is_looked_for() {
    for (normalise, text) in [
        (Normalise { width: 0, ..Normalise::default() }, "`width`: must be from 1 to 8192, found 0"),
        (Normalise { std: [1.0, 0.0, 1.0], ..Normalise::default() }, "`std`: must be more than 0, found 0"),
        (Normalise { scale: f32::NAN, ..Normalise::default() }, "`scale`: must be a number, found NaN"),
        (
            Normalise { dtype: DType::U8, ..Normalise::default() },
            "`dtype`: must be float16 or float32, found uint8",
        ),
    ] {
        let spec = CudaSpec { inputs: Some(Inputs::Pictures(normalise)), ..CudaSpec::default() };
        let error = CudaModel::open(&spec, Echo).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(error.code(), "EXECUTOR_CUDA_CONFIG");
    }
}
