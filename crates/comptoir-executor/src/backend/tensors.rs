//! Predictions as tensors.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::error::Error;
use crate::tensor::{DType, Element};

/// What a model returns for a batch: its outputs by name, each with one row for each row of the batch.
#[derive(Debug, Clone, Default)]
pub struct Tensors {
    /// The outputs, in the order of the model.
    pub outputs: Vec<(String, Tensor)>,
}

/// A tensor that owns its elements, which lie row after row and begin at a multiple of 64 bytes.
#[derive(Debug, Clone)]
pub struct Tensor {
    dtype: DType,
    shape: Vec<usize>,
    lines: Vec<Line>,
    len: usize,
}

/// A cache line.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
struct Line([u8; 64]);

impl Tensor {
    /// A tensor of zeros. The first side of the shape is the number of rows.
    ///
    /// # Errors
    /// Where it does not fit into memory.
    pub fn zeros(dtype: DType, shape: &[usize]) -> Result<Self, Error> {
        let len = shape
            .iter()
            .try_fold(dtype.bytes(), |product, &side| product.checked_mul(side))
            .filter(|&len| len < isize::MAX.unsigned_abs())
            .ok_or_else(|| {
                Error::stage("infer", format!("a tensor of shape {shape:?} does not fit into memory"))
            })?;
        let mut lines = Vec::new();
        lines
            .try_reserve_exact(len.div_ceil(64))
            .map_err(|error| Error::stage("infer", format!("a tensor of shape {shape:?}: {error}")))?;
        lines.resize(len.div_ceil(64), Line([0; 64]));
        Ok(Self { dtype, shape: shape.to_vec(), lines, len })
    }

    /// A tensor with these elements.
    ///
    /// # Errors
    /// Where the shape does not have as many elements.
    pub fn from_slice<T: Element>(shape: &[usize], elements: &[T]) -> Result<Self, Error> {
        let mut tensor = Self::zeros(T::DTYPE, shape)?;
        let found = elements.len();
        let target = tensor.bytes_mut();
        if target.len() != elements.as_bytes().len() {
            return Err(Error::stage("infer", format!("{found} elements for a tensor of shape {shape:?}")));
        }
        target.copy_from_slice(elements.as_bytes());
        Ok(tensor)
    }

    /// Type of the elements.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The shape; its first side is the number of rows.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All elements as bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.lines.as_bytes().get(..self.len).unwrap_or_default()
    }

    /// All elements as bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let len = self.len;
        self.lines.as_mut_bytes().get_mut(..len).unwrap_or_default()
    }

    /// The elements of one row; empty where there is no such row.
    ///
    /// # Errors
    /// Where the elements have another type.
    pub fn row<T: Element>(&self, row: usize) -> Result<&[T], Error> {
        if self.dtype != T::DTYPE {
            let (expected, found) = (self.dtype.name().to_owned(), T::DTYPE.name().to_owned());
            return Err(Error::DType { input: "prediction".to_owned(), expected, found });
        }
        let all = <[T]>::ref_from_bytes(self.bytes()).map_err(|error| Error::Internal(error.to_string()))?;
        let rows = self.shape.first().copied().unwrap_or(0);
        let each = all.len().checked_div(rows).unwrap_or(0);
        Ok(all.get(row * each..(row + 1) * each).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_their_own_type() {
        let tensor = Tensor::from_slice(&[2, 3], &[1_i32, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(tensor.row::<i32>(1).unwrap(), [4, 5, 6]);
        assert!(tensor.row::<i32>(2).unwrap().is_empty());
        assert!(tensor.row::<f32>(0).is_err());
        assert!(Tensor::from_slice(&[2, 3], &[1_i32]).is_err());
        assert!(Tensor::zeros(DType::F64, &[usize::MAX, 2]).is_err());
        assert_eq!(tensor.bytes().as_ptr().addr() % 64, 0);
    }
}
