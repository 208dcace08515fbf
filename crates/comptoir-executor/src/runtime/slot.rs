//! Where a CPU stage writes its tensors.

use std::time::Instant;

use super::rows::RowMut;
use crate::error::Error;
use crate::tensor::TensorSpec;

/// Gives a CPU stage its row of the forming batch.
pub struct Slot<'a> {
    shapes: &'a dyn Shapes,
    taken: Option<(usize, RowMut)>,
    deadline: Option<Instant>,
}

/// The shapes that a model takes, and the batches that are forming for each.
pub(super) trait Shapes: Sync {
    /// A row of the shape number `shape`.
    fn reserve_declared(&self, shape: usize) -> Result<RowMut, Error>;

    /// A row for these inputs, and the number of their shape.
    fn reserve_for(&self, inputs: &[TensorSpec]) -> Result<(usize, RowMut), Error>;
}

impl std::fmt::Debug for Slot<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Slot").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl<'a> Slot<'a> {
    pub(super) fn new(shapes: &'a dyn Shapes, deadline: Option<Instant>) -> Self {
        Self { shapes, taken: None, deadline }
    }

    /// When the request ends, whatever its stage is at: a stage that waits for something waits no longer than that, and
    /// ends with [`Error::DeadlineExceeded`]. None: the request has no deadline.
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The row of a model with one declared shape; the same row at every call.
    ///
    /// # Errors
    /// Where no shape is declared.
    pub fn reserve(&mut self) -> Result<&mut RowMut, Error> {
        if self.taken.is_none() {
            self.taken = Some((0, self.shapes.reserve_declared(0)?));
        }
        self.row()
    }

    /// The row for inputs of these shapes, which must be among the declared ones; where none is declared, the first
    /// request declares its own.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::DType`] where the model takes no such inputs.
    pub fn reserve_for(&mut self, inputs: &[TensorSpec]) -> Result<&mut RowMut, Error> {
        if self.taken.is_none() {
            self.taken = Some(self.shapes.reserve_for(inputs)?);
        }
        self.row()
    }

    /// The row of a request that wrote no tensors, where the model takes none.
    pub(super) fn reserve_empty(&mut self) -> Result<(), Error> {
        if self.taken.is_none() {
            self.taken = Some(self.shapes.reserve_for(&[])?);
        }
        Ok(())
    }

    fn row(&mut self) -> Result<&mut RowMut, Error> {
        match &mut self.taken {
            Some((_, row)) => Ok(row),
            None => Err(Error::Internal("a row was not kept".to_owned())),
        }
    }

    /// What was reserved: the number of the shape, and the row.
    pub(super) fn into_taken(self) -> Option<(usize, RowMut)> {
        self.taken
    }
}
