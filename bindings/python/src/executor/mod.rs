//! `comptoir.executor`: pipelines around models.
//!
//! `pipeline` is the face, `stages` runs the user's functions and `model` the user's model, `array` takes arrays in and
//! `view` gives tensors out without a copy, `image` is our own preprocessing of pictures, `native` are the models that
//! comptoir brings, `cuda` is a user's function between the
//! copies to and from a GPU, `settings` reads what Python gives as keywords, `plan` says what a configuration holds, `processes` and
//! `worker` are the two sides of worker processes.

mod array;
mod cuda;
mod image;
mod model;
mod native;
mod pipeline;
mod plan;
mod processes;
mod settings;
mod stages;
mod view;
mod worker;

use pyo3::prelude::*;

/// Adds the classes and functions of the executor to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<cuda::DeviceArray>()?;
    module.add_class::<image::ExecutorImage>()?;
    module.add_class::<native::ExecutorModel>()?;
    module.add_class::<pipeline::ExecutorPipeline>()?;
    module.add_class::<pipeline::ExecutorTicket>()?;
    module.add_class::<view::TensorView>()?;
    module.add_class::<worker::ExecutorWorker>()?;
    module.add_function(wrap_pyfunction!(cuda::executor_cuda_devices, module)?)?;
    module.add_function(wrap_pyfunction!(plan::executor_plan, module)?)?;
    Ok(())
}
