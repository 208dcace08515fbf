//! Settings of models in ONNX that are refused before ONNX Runtime is looked for; Python's tests run the models.
#![cfg(all(target_os = "linux", feature = "onnx"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use comptoir_cuda::{CudaModel, CudaSpec};
use comptoir_executor::backend::{OnnxSpec, Provider};
use comptoir_types::ErrorCode;
use support::{check_clean, fake};

#[test]
fn sessions_and_providers_are_those_of_the_streams_and_the_device() {
    let fake = fake();
    let spec = CudaSpec { streams: 2, inputs: None, ..CudaSpec::default() };
    let cases = [
        (
            OnnxSpec { sessions: 3, ..OnnxSpec::default() },
            "`sessions`: each of the 2 streams has one, found 3",
        ),
        (
            OnnxSpec { providers: vec![Provider::Cuda { device: -1 }], ..OnnxSpec::default() },
            "`providers`: `cuda` is to run on device -1, and the model on device 0",
        ),
        (
            OnnxSpec {
                providers: vec![Provider::Tensorrt { device: 1, fp16: true, engine_cache: None }],
                ..OnnxSpec::default()
            },
            "`providers`: `tensorrt` is to run on device 1, and the model on device 0",
        ),
    ];
    for (model, text) in cases {
        let error = CudaModel::onnx(&spec, &model).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(error.code(), "EXECUTOR_CUDA_CONFIG");
    }
    // What the model's own settings lack has the code of a model without a device.
    let model = OnnxSpec { path: "no\0path".into(), ..OnnxSpec::default() };
    let error = CudaModel::onnx(&spec, &model).unwrap_err();
    assert_eq!(
        (error.code(), &*error.to_string()),
        ("EXECUTOR_CONFIG", "`path`: no path has a byte of zero")
    );
    check_clean(&fake);
}
