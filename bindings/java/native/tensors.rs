//! Tensors, packed for `io.comptoir.Tensor`: name, type, sides, and for those that are copied the bytes.

use comptoir::executor::Error;
use comptoir::executor::backend::{Tensor, Tensors};
use comptoir::executor::tensor::{DType, TensorSpec};
use comptoir_host::Fault;
use comptoir_host::executor::{OwnTensor, Prediction};

use crate::parts::{Reader, Writer};

/// The descriptions of the inputs of a batch.
pub fn pack_specs(rows: usize, specs: &[TensorSpec]) -> Writer {
    let mut parts = Writer::default();
    parts.count(rows);
    for spec in specs {
        head(&mut parts, &spec.name, spec.dtype, &spec.shape);
    }
    parts
}

/// A row of each output.
pub fn pack_prediction(prediction: &Prediction) -> Writer {
    let mut parts = Writer::default();
    for (name, tensor) in &prediction.tensors().outputs {
        let (rows, sides) =
            tensor.shape().split_first().map_or((1, tensor.shape()), |(rows, sides)| (*rows, sides));
        head(&mut parts, name, tensor.dtype(), sides);
        let length = tensor.bytes().len() / rows.max(1);
        let start = prediction.row() * length;
        parts.bytes(tensor.bytes().get(start..start + length).unwrap_or_default());
    }
    parts
}

fn head(parts: &mut Writer, name: &str, dtype: DType, sides: &[usize]) {
    parts.text(name);
    parts.text(dtype.name());
    parts.count(sides.len());
    sides.iter().for_each(|side| parts.count(*side));
}

/// Descriptions alone.
pub fn read_specs(packed: &[u8]) -> Result<Vec<TensorSpec>, Fault> {
    let mut parts = Reader::new(packed);
    let mut specs = Vec::new();
    while !parts.is_empty() {
        specs.push(spec(&mut parts)?);
    }
    Ok(specs)
}

/// Tensors of a request.
pub fn read_own(packed: &[u8]) -> Result<Vec<OwnTensor>, Fault> {
    let mut parts = Reader::new(packed);
    let mut tensors = Vec::new();
    while !parts.is_empty() {
        tensors.push(OwnTensor { spec: spec(&mut parts)?, bytes: parts.bytes()?.to_vec() });
    }
    Ok(tensors)
}

/// The outputs of a model of Java.
pub fn read_outputs(packed: &[u8]) -> Result<Tensors, Error> {
    let failed = |fault: Fault| Error::stage("infer", fault.message);
    let mut outputs = Vec::new();
    for own in read_own(packed).map_err(failed)? {
        let mut tensor = Tensor::zeros(own.spec.dtype, &own.spec.shape)?;
        if tensor.bytes().len() != own.bytes.len() {
            let message = format!(
                "output `{}` has {} bytes, its shape {}",
                own.spec.name,
                own.bytes.len(),
                tensor.bytes().len()
            );
            return Err(Error::stage("infer", message));
        }
        tensor.bytes_mut().copy_from_slice(&own.bytes);
        outputs.push((own.spec.name, tensor));
    }
    Ok(Tensors { outputs })
}

fn spec(parts: &mut Reader<'_>) -> Result<TensorSpec, Fault> {
    let (name, dtype, sides) = (parts.text()?, parts.text()?, parts.count()?);
    let dtype = dtype_of(dtype)?;
    let shape = (0..sides).map(|_| parts.count()).collect::<Result<Vec<_>, _>>()?;
    Ok(TensorSpec::new(name, dtype, &shape))
}

fn dtype_of(name: &str) -> Result<DType, Fault> {
    let known = [DType::U8, DType::I32, DType::I64, DType::F16, DType::F32, DType::F64];
    let found = known.into_iter().find(|dtype| dtype.name() == name);
    found.ok_or_else(|| Fault::argument(format!("there is no element type `{name}`")))
}
