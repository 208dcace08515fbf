//! What runs in a pipeline: models of ours or of the host, and the stage before them.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use comptoir::executor::Error;
use comptoir::executor::backend::{OnnxModel, OnnxSpec, Simulated, SimulatedSpec, Tensors};
use comptoir::executor::image::{ImageSpec, ImageTransform, Scratch};
use comptoir::executor::runtime::{Model, Rows, Slot, Stages};
use comptoir::executor::tensor::TensorSpec;

use crate::Fault;

/// The host's model: takes a batch, gives predictions with a row for each of its rows.
pub type Infer = Box<dyn Fn(&Rows) -> Result<Tensors, Error> + Send + Sync>;

/// The host's stage before the model: turns an item of its own into a row. The number is what it submitted as
/// [`Item::Host`].
pub type Preprocess = Box<dyn Fn(usize, &mut Slot<'_>) -> Result<(), Error> + Send + Sync>;

/// The host's code around and in a model; each part may be left out.
#[derive(Default)]
pub struct HostCode {
    /// The stage before the model.
    pub preprocess: Option<Preprocess>,
    /// The model.
    pub infer: Option<Infer>,
}

/// What is submitted.
#[derive(Debug)]
pub enum Item {
    /// The inputs of a row, ready.
    Tensors(Vec<OwnTensor>),
    /// An encoded picture, for models with `image`.
    File(Vec<u8>),
    /// An object of the host, by a number or address that means something to its `preprocess`.
    Host(usize),
}

/// One input of a row, copied from the host.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnTensor {
    /// Name, type and shape; the name may be empty where the model has one input.
    pub spec: TensorSpec,
    /// The elements.
    pub bytes: Vec<u8>,
}

/// The predictions for one request.
#[derive(Debug, Clone)]
pub struct Prediction {
    pub(super) tensors: Arc<Tensors>,
    pub(super) row: usize,
}

impl fmt::Debug for HostCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HostCode")
            .field("preprocess", &self.preprocess.is_some())
            .field("infer", &self.infer.is_some())
            .finish()
    }
}

/// The stages of a model.
pub(super) struct HostStages {
    image: Option<ImageTransform>,
    preprocess: Option<Preprocess>,
}

impl HostStages {
    pub(super) fn new(image: Option<ImageSpec>, preprocess: Option<Preprocess>) -> Result<Self, Fault> {
        let image = image.map(ImageTransform::new).transpose().map_err(Error::from)?;
        Ok(Self { image, preprocess })
    }

    /// The inputs of a row, where they are known.
    pub(super) fn inputs(&self) -> Option<Vec<TensorSpec>> {
        self.image.as_ref().map(|image| vec![image.output()])
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

impl Stages for HostStages {
    type Item = Item;
    type Context = ();
    type Predictions = Arc<Tensors>;
    type Output = Prediction;

    fn preprocess(&self, item: Item, slot: &mut Slot<'_>) -> Result<(), Error> {
        match (item, &self.image, &self.preprocess) {
            (Item::Tensors(tensors), ..) => write(&tensors, slot),
            (Item::File(file), Some(image), _) => fill(image, &file, slot),
            (Item::Host(item), _, Some(preprocess)) => preprocess(item, slot),
            (Item::File(_), None, _) => Err(Error::stage("preprocess", "the model has no `image`")),
            (Item::Host(_), _, None) => Err(Error::stage("preprocess", "the model has no `preprocess`")),
        }
    }

    fn postprocess(&self, predictions: &Arc<Tensors>, row: usize, (): ()) -> Result<Prediction, Error> {
        Ok(Prediction { tensors: Arc::clone(predictions), row })
    }

    fn postprocess_is_quick(&self) -> bool {
        true
    }
}

/// Writes inputs that are ready into the row of the forming batch.
fn write(tensors: &[OwnTensor], slot: &mut Slot<'_>) -> Result<(), Error> {
    let specs: Vec<TensorSpec> = tensors.iter().map(|tensor| tensor.spec.clone()).collect();
    let row = slot.reserve_for(&specs)?;
    for (at, tensor) in tensors.iter().enumerate() {
        let input = row.place(&tensor.spec.name, at);
        let name = row.inputs().get(input).map_or_else(String::new, |input| input.name.clone());
        let target = row.bytes_mut(input);
        if target.len() != tensor.bytes.len() {
            let found = tensor.bytes.len();
            return Err(Error::stage(
                "preprocess",
                format!("input `{name}` has {found} bytes, its shape {}", target.len()),
            ));
        }
        target.copy_from_slice(&tensor.bytes);
    }
    Ok(())
}

/// Writes the tensor of a picture into the row. It is decoded before the row is taken, so that others do not wait for it.
fn fill(image: &ImageTransform, file: &[u8], slot: &mut Slot<'_>) -> Result<(), Error> {
    SCRATCH.with_borrow_mut(|scratch| {
        image.prepare(scratch, file)?;
        let mut output = image.output();
        // The model names its input as it likes.
        output.name.clear();
        let row = slot.reserve_for(&[output])?;
        image.write(scratch, row.bytes_mut(0))?;
        Ok(())
    })
}

/// A model, and the inputs of a row where it says them.
pub(super) struct Loaded {
    pub model: Arc<dyn Model<Arc<Tensors>>>,
    pub inputs: Option<Vec<TensorSpec>>,
}

/// A model whose predictions are shared among the requests of a batch.
struct Sharing<M>(M);

impl<M: Model<Tensors>> Model<Arc<Tensors>> for Sharing<M> {
    fn infer(&self, lane: usize, batch: &Rows) -> Result<Arc<Tensors>, Error> {
        self.0.infer(lane, batch).map(Arc::new)
    }

    fn copy_in(&self, rows: usize) -> Duration {
        self.0.copy_in(rows)
    }
}

/// The model that the configuration and the host's code make.
pub(super) fn load(
    onnx: Option<&OnnxSpec>,
    simulated: Option<SimulatedSpec>,
    infer: Option<Infer>,
) -> Result<Loaded, Fault> {
    match (onnx, simulated, infer) {
        (Some(spec), None, None) => {
            let model = OnnxModel::load(spec)?;
            let inputs = Some(model.inputs().to_vec());
            Ok(Loaded { model: Arc::new(Sharing(model)), inputs })
        }
        (None, Some(spec), None) => {
            Ok(Loaded { model: Arc::new(Sharing(Simulated::new(spec)?)), inputs: None })
        }
        (None, None, Some(infer)) => Ok(Loaded {
            model: Arc::new(Sharing(move |batch: &Rows| checked(infer(batch)?, batch.len()))),
            inputs: None,
        }),
        (None, None, None) => {
            Err(Fault::argument("a model needs one of `onnx`, `simulated` or the host's own `infer`"))
        }
        _ => Err(Fault::argument("a model is only one of `onnx`, `simulated` and the host's own `infer`")),
    }
}

/// Predictions that have a row for each row of the batch.
fn checked(tensors: Tensors, rows: usize) -> Result<Tensors, Error> {
    if tensors.outputs.is_empty() {
        return Err(Error::stage("infer", format!("there is no output for a batch of {rows}")));
    }
    for (name, tensor) in &tensors.outputs {
        let found = tensor.shape().first().copied().unwrap_or(0);
        if found != rows {
            let message = format!("output `{name}` has {found} rows for a batch of {rows}");
            return Err(Error::stage("infer", message));
        }
    }
    Ok(tensors)
}
