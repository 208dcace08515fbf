//! The shapes that a model takes, and what is said of tensors that do not fit.

use super::core::Inner;
use super::rows::{Forming, RowMut};
use super::slot::Shapes;
use super::stages::Stages;
use crate::error::Error;
use crate::tensor::TensorSpec;

/// The shapes of one model.
pub(super) struct ShapesOf<'a, S: Stages> {
    pub(super) inner: &'a Inner<S>,
    pub(super) model: usize,
}

impl<S: Stages> Shapes for ShapesOf<'_, S> {
    fn reserve_declared(&self, shape: usize) -> Result<RowMut, Error> {
        let mut core = self.inner.lock();
        let forming = core.models.get_mut(self.model).and_then(|model| model.forming.get_mut(shape));
        forming
            .ok_or_else(|| {
                Error::config("shapes", "no shape is declared, so the row cannot be reserved without one")
            })?
            .reserve()
    }

    fn reserve_for(&self, inputs: &[TensorSpec]) -> Result<(usize, RowMut), Error> {
        let (mut core, endpoint) = (self.inner.lock(), self.inner.endpoints.get(self.model));
        let (Some(model), Some(endpoint)) = (core.models.get_mut(self.model), endpoint) else {
            return Err(Error::Internal("a model has gone".to_owned()));
        };
        if model.forming.is_empty() && endpoint.open_shape {
            let named: Vec<TensorSpec> = inputs.iter().map(declared).collect();
            if let Some(name) = twice(&named) {
                let message = format!("two inputs are called `{name}`: give each a name of its own");
                return Err(Error::stage("preprocess", message));
            }
            // The lock is held, so the model is not asked for memory.
            let mut forming = endpoint.forming(&named, None)?;
            // A shape of which no batch fits into memory is not declared.
            let row = forming.reserve()?;
            model.forming.push(forming);
            return Ok((0, row));
        }
        let found = model.forming.iter_mut().enumerate().find(|(_, forming)| same(forming.inputs(), inputs));
        match found {
            Some((shape, forming)) => forming.reserve().map(|row| (shape, row)),
            None => Err(mismatch(&model.forming, inputs)),
        }
    }
}

/// An input as the first row declares it; one without a name gets one, for messages.
fn declared(input: &TensorSpec) -> TensorSpec {
    let name = if input.name.is_empty() { "input" } else { &input.name };
    TensorSpec::new(name, input.dtype, &input.shape)
}

/// The first name that two inputs have.
pub(super) fn twice(inputs: &[TensorSpec]) -> Option<&str> {
    let is_second =
        |&(at, input): &(usize, &TensorSpec)| inputs.iter().take(at).any(|other| other.name == input.name);
    inputs.iter().enumerate().find(is_second).map(|(_, input)| input.name.as_str())
}

/// Whether tensors fit a shape, in whatever order they come.
fn same(declared: &[TensorSpec], found: &[TensorSpec]) -> bool {
    declared.len() == found.len()
        && declared.iter().enumerate().all(|(at, declared)| {
            named(found, declared, at)
                .is_some_and(|found| declared.dtype == found.dtype && declared.shape == found.shape)
        })
}

/// The tensor for a declared input: the one of its name, or without names the one at its place.
fn named<'a>(found: &'a [TensorSpec], declared: &TensorSpec, at: usize) -> Option<&'a TensorSpec> {
    let by_name = found.iter().find(|tensor| tensor.name == declared.name);
    by_name.or_else(|| found.get(at).filter(|tensor| tensor.name.is_empty()))
}

/// Says in what tensors differ from all declared shapes.
fn mismatch<F>(forming: &[Forming<F>], found: &[TensorSpec]) -> Error {
    let declared: Vec<&[TensorSpec]> = forming.iter().map(Forming::inputs).collect();
    let Some(first) = declared.first() else {
        return Error::config("shapes", "no shape is declared");
    };
    for (at, one) in first.iter().enumerate() {
        let Some(tensor) = named(found, one, at).filter(|_| first.len() == found.len()) else { break };
        let input = one.name.clone();
        let expected = || declared.iter().filter_map(|inputs| inputs.get(at));
        if expected().all(|spec| spec.dtype != tensor.dtype) {
            let (expected, found) = (one.dtype.name().to_owned(), tensor.dtype.name().to_owned());
            return Error::DType { input, expected, found };
        }
        if expected().all(|spec| spec.shape != tensor.shape) {
            let shapes: Vec<String> = expected().map(|spec| format!("{:?}", spec.shape)).collect();
            return Error::Shape {
                input,
                expected: shapes.join(" or "),
                found: format!("{:?}", tensor.shape),
            };
        }
    }
    Error::stage("preprocess", format!("expected the inputs {}, found {}", names(first), names(found)))
}

/// Names of inputs for a message.
fn names(inputs: &[TensorSpec]) -> String {
    let name = |input: &TensorSpec| match input.name.as_str() {
        "" => "an array without a name".to_owned(),
        name => format!("`{name}`"),
    };
    match inputs {
        [] => "nothing".to_owned(),
        inputs => inputs.iter().map(name).collect::<Vec<_>>().join(", "),
    }
}
