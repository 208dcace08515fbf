//! Tensors: element types, shapes, and views of the bytes of one row or of a whole batch.

use half::f16;
use serde::{Deserialize, Serialize};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Type of the elements of a tensor; the names are those of NumPy and ONNX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DType {
    /// 8-bit unsigned.
    #[serde(rename = "uint8")]
    U8,
    /// 32-bit signed.
    #[serde(rename = "int32")]
    I32,
    /// 64-bit signed.
    #[serde(rename = "int64")]
    I64,
    /// IEEE half precision.
    #[serde(rename = "float16")]
    F16,
    /// IEEE single precision.
    #[serde(rename = "float32")]
    F32,
    /// IEEE double precision.
    #[serde(rename = "float64")]
    F64,
}

impl DType {
    /// Bytes of one element.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::F16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    /// The name in NumPy, such as `float32`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "uint8",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::F16 => "float16",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }
}

/// A Rust type that is the element of a tensor.
pub trait Element: FromBytes + IntoBytes + Immutable + Copy + 'static {
    /// Its element type.
    const DTYPE: DType;
}

macro_rules! element {
    ($($rust:ty => $dtype:ident),*) => {$(
        impl Element for $rust {
            const DTYPE: DType = DType::$dtype;
        }
    )*};
}
element!(u8 => U8, i32 => I32, i64 => I64, f16 => F16, f32 => F32, f64 => F64);

/// Name, element type and shape of one input of a model, for one row: without the batch dimension.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorSpec {
    /// Name of the model's input.
    pub name: String,
    /// Type of the elements.
    pub dtype: DType,
    /// Shape of one row.
    pub shape: Vec<usize>,
}

impl TensorSpec {
    /// A tensor named `name`.
    #[must_use]
    pub fn new(name: &str, dtype: DType, shape: &[usize]) -> Self {
        Self { name: name.to_owned(), dtype, shape: shape.to_vec() }
    }

    /// Elements of one row; none where the product does not fit into memory.
    #[must_use]
    pub fn elements(&self) -> Option<usize> {
        self.shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side))
    }

    /// Bytes of one row; none where they do not fit into memory.
    #[must_use]
    pub fn row_bytes(&self) -> Option<usize> {
        self.elements()?.checked_mul(self.dtype.bytes())
    }
}
