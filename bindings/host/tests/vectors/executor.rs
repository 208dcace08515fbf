//! Calls of the executor.

use std::time::Duration;

use comptoir::executor::tensor::TensorSpec;
use comptoir_host::Fault;
use comptoir_host::executor::{HostPipeline, Item, OwnTensor, Prediction, RequestOptions};

use crate::call::one;
use crate::case::{Case, Outcome};

pub fn run(case: &Case) -> Result<Outcome, Fault> {
    let pipeline = HostPipeline::start(&case.text("config"), Vec::new())?;
    let outcome =
        RequestOptions::parse(&case.text("options")).and_then(|options| pipeline.run(item(case), options));
    assert!(pipeline.close(Duration::from_secs(10)), "{}: the pipeline does not end", case.name());
    Ok(one("expected.bin", row(&outcome?)))
}

fn item(case: &Case) -> Item {
    if case.path("file.bin").is_file() {
        return Item::File(case.bytes("file.bin"));
    }
    let numbers = (0..).take_while(|number| case.path(&format!("tensor.{number}.bin")).is_file());
    Item::Tensors(numbers.map(|number: usize| tensor(case, number)).collect())
}

fn tensor(case: &Case, number: usize) -> OwnTensor {
    let text = case.text(&format!("tensor.{number}.txt"));
    let parts: Vec<&str> = text.split('\t').collect();
    let [name, dtype, sides] = parts[..] else { panic!("{}: tensor `{text}`", case.name()) };
    let dtype = serde_json::from_value(dtype.into()).unwrap();
    let shape: Vec<usize> = sides.split_whitespace().map(|side| side.parse().unwrap()).collect();
    OwnTensor {
        spec: TensorSpec::new(name, dtype, &shape),
        bytes: case.bytes(&format!("tensor.{number}.bin")),
    }
}

/// The bytes of the request's row of each output.
fn row(prediction: &Prediction) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (_, tensor) in &prediction.tensors().outputs {
        let rows = tensor.shape().first().copied().unwrap_or(1);
        let length = tensor.bytes().len() / rows.max(1);
        bytes.extend(tensor.bytes().iter().skip(prediction.row() * length).take(length));
    }
    bytes
}
