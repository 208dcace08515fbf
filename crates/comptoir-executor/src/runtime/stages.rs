//! What a user writes: the two CPU stages, and the model.

use std::sync::Arc;
use std::time::Duration;

use super::rows::{HostMemory, RowMut, Rows};
use super::slot::Slot;
use crate::error::Error;

/// The CPU stages around a model: `preprocess` and `postprocess`, run on threads of the pipeline.
pub trait Stages: Send + Sync + 'static {
    /// What is submitted.
    type Item: Send + 'static;
    /// What `postprocess` has to know beside the prediction, such as the size of the photo.
    type Context: Send + 'static;
    /// What the model returns for a batch.
    type Predictions: Send + Sync + 'static;
    /// The result of a request.
    type Output: Send + 'static;

    /// Turns an item into tensors, written straight into a row of the forming batch: `slot.reserve` gives the row,
    /// best just before it is written, since those behind it wait for it.
    ///
    /// # Errors
    /// Whatever makes this item unusable; only this request gets it.
    fn preprocess(&self, item: Self::Item, slot: &mut Slot<'_>) -> Result<Self::Context, Error>;

    /// Turns row `row` of the predictions into the result.
    ///
    /// # Errors
    /// Whatever makes this prediction unusable; only this request gets it.
    fn postprocess(
        &self,
        predictions: &Self::Predictions,
        row: usize,
        context: Self::Context,
    ) -> Result<Self::Output, Error>;

    /// How many rows a thread takes at once to [`Self::postprocess_rows`], at most: several, where to hand a row over takes
    /// longer than its `postprocess`.
    fn postprocess_at_once(&self) -> usize {
        1
    }

    /// `postprocess` for several rows: an outcome for each, in their order.
    fn postprocess_rows(&self, rows: Vec<Predicted<Self>>) -> Vec<Result<Self::Output, Error>>
    where
        Self: Sized,
    {
        rows.into_iter().map(|row| self.postprocess(&row.predictions, row.row, row.context)).collect()
    }

    /// Whether `postprocess` is so quick (a few microseconds) that it runs at once on the thread of the device's
    /// lane: that saves the wake-up of a CPU thread.
    fn postprocess_is_quick(&self) -> bool {
        false
    }

    /// Runs `work`, a group of stages and outcomes, inside whatever the host needs around its own code, such as the
    /// lock of an interpreter.
    fn scope(&self, work: &mut dyn FnMut()) {
        work();
    }

    /// Runs `work`, all that a thread of the pipeline does in its life, inside whatever the host keeps for a thread. The
    /// stages of the first model are asked, for all.
    fn thread(&self, work: &mut (dyn FnMut() + Send)) {
        work();
    }
}

/// A row whose prediction is there.
pub struct Predicted<S: Stages> {
    /// The predictions for its batch.
    pub predictions: Arc<S::Predictions>,
    /// Its number among them.
    pub row: usize,
    /// What `preprocess` gave with it.
    pub context: S::Context,
}

impl<S: Stages> std::fmt::Debug for Predicted<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Predicted").field("row", &self.row).finish_non_exhaustive()
    }
}

/// A model, loaded on its device: takes a batch, gives predictions.
pub trait Model<P>: Send + Sync + 'static {
    /// Runs a batch, and returns when the predictions are there. Lanes call it at the same time, each with its own
    /// number; with more than one lane per instance, several batches are under way at once, and the model decides
    /// what of them overlaps.
    ///
    /// # Errors
    /// Whatever makes the batch fail. The rows are then run again in halves, so that one bad row fails alone.
    fn infer(&self, lane: usize, batch: &Rows) -> Result<P, Error>;

    /// Time in which the input of a batch is copied to the device while the batch before is computed; zero where
    /// there is no such copy.
    fn copy_in(&self, _rows: usize) -> Duration {
        Duration::ZERO
    }

    /// The memory that batches of declared shapes should lie in; none: the system's. It is asked for as many as are used
    /// at once, when the pipeline starts. What is kept longer lies elsewhere, and versions that take over later get the
    /// memory of the first one, so a model must take rows from anywhere.
    fn memory(&self) -> Option<Arc<dyn HostMemory>> {
        None
    }
}

impl<P, F> Model<P> for F
where
    F: Fn(&Rows) -> Result<P, Error> + Send + Sync + 'static,
{
    fn infer(&self, _lane: usize, batch: &Rows) -> Result<P, Error> {
        self(batch)
    }
}

/// Stages made of two functions.
///
/// `preprocess` takes the item and the row to write; `postprocess` takes the predictions and the row's number.
pub struct Functions<I, P, O, F, G> {
    preprocess: F,
    postprocess: G,
    types: std::marker::PhantomData<fn(I, P) -> O>,
}

impl<I, P, O, F, G> Functions<I, P, O, F, G>
where
    F: Fn(I, &mut RowMut) -> Result<(), Error> + Send + Sync + 'static,
    G: Fn(&P, usize) -> Result<O, Error> + Send + Sync + 'static,
{
    /// Stages from a function before and one after the model, for models with one declared shape.
    pub fn new(preprocess: F, postprocess: G) -> Self {
        Self { preprocess, postprocess, types: std::marker::PhantomData }
    }
}

impl<I, P, O, F, G> Stages for Functions<I, P, O, F, G>
where
    I: Send + 'static,
    P: Send + Sync + 'static,
    O: Send + 'static,
    F: Fn(I, &mut RowMut) -> Result<(), Error> + Send + Sync + 'static,
    G: Fn(&P, usize) -> Result<O, Error> + Send + Sync + 'static,
{
    type Item = I;
    type Context = ();
    type Predictions = P;
    type Output = O;

    fn preprocess(&self, item: I, slot: &mut Slot<'_>) -> Result<(), Error> {
        (self.preprocess)(item, slot.reserve()?)
    }

    fn postprocess(&self, predictions: &P, row: usize, (): ()) -> Result<O, Error> {
        (self.postprocess)(predictions, row)
    }
}
