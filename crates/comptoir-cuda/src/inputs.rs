//! What the rows of a batch are, and what lies of them on the device.

use comptoir_executor::tensor::TensorSpec;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::normalise::Normalise;

/// What rows are, and what the device does to a batch of them before it is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inputs {
    /// Pictures as bytes, which the device normalises.
    Pictures(Normalise),
    /// Tensors, one or several for a row, which are computed as they were copied.
    AsIs(Vec<TensorSpec>),
}

impl Inputs {
    /// Whether they can be used.
    ///
    /// # Errors
    /// [`Error::Config`] with the field.
    pub fn check(&self) -> Result<(), Error> {
        let refused = |message| Err(Error::Config { field: "inputs", message });
        let specs = match self {
            Self::Pictures(normalise) => return normalise.check(),
            Self::AsIs(specs) => specs,
        };
        if specs.is_empty() {
            return refused("must be at least one".to_owned());
        }
        for (at, spec) in specs.iter().enumerate() {
            if spec.name.is_empty() {
                return refused(format!("input {at} has no name"));
            }
            if specs.iter().take(at).any(|before| before.name == spec.name) {
                return refused(format!("two are named `{}`", spec.name));
            }
            if spec.row_bytes().is_none_or(|bytes| isize::try_from(bytes).is_err()) {
                return refused(format!(
                    "a row of `{}`, {}, does not fit into memory",
                    spec.name,
                    show(spec)
                ));
            }
        }
        Ok(())
    }

    /// What is copied of a row, and what the computation is given of it.
    pub(crate) fn per_row(&self) -> PerInput<TensorSpec> {
        match self {
            Self::Pictures(normalise) => {
                PerInput::Pictures { copied: normalise.input(), normalised: normalise.output() }
            }
            Self::AsIs(specs) => PerInput::AsIs(specs.clone()),
        }
    }

    /// Whether the computation takes what it is given. One input may have any name; several go by theirs.
    pub(crate) fn check_against(&self, takes: &[TensorSpec]) -> Result<(), Error> {
        let (rows, refused) = (self.per_row(), |message| Error::Config { field: "inputs", message });
        let given = rows.given();
        if given.len() != takes.len() {
            let (takes, given) = (list(takes), list(given));
            return Err(refused(format!("the model takes {takes}, and is given {given}")));
        }
        for input in takes {
            let found = given.iter().find(|one| given.len() == 1 || one.name == input.name);
            let said =
                |given: &str| format!("the model's input `{}` takes {}, {given}", input.name, show(input));
            match (found, self) {
                (None, _) => return Err(refused(said("and nothing of that name is given"))),
                (Some(found), _) if same(found, input) => {}
                (Some(found), Self::AsIs(_)) => {
                    return Err(refused(said(&format!("and is given {}", show(found)))));
                }
                (Some(found), Self::Pictures(_)) => {
                    let change = "set width, height and dtype to the model's, if it takes pictures";
                    let given = format!("and pictures are normalised to {}: {change}", show(found));
                    return Err(refused(said(&given)));
                }
            }
        }
        Ok(())
    }
}

/// Something for each input: as it is copied, and as the computation is given it.
#[derive(Debug)]
pub(crate) enum PerInput<T> {
    /// What was copied is what is given.
    AsIs(Vec<T>),
    /// Pictures are copied, and normalised to another place.
    Pictures { copied: T, normalised: T },
}

impl<T> PerInput<T> {
    /// That which is copied.
    pub(crate) fn copied(&self) -> &[T] {
        match self {
            Self::AsIs(all) => all,
            Self::Pictures { copied, .. } => std::slice::from_ref(copied),
        }
    }

    /// That which the computation is given.
    pub(crate) fn given(&self) -> &[T] {
        match self {
            Self::AsIs(all) => all,
            Self::Pictures { normalised, .. } => std::slice::from_ref(normalised),
        }
    }

    /// The same made of each.
    pub(crate) fn try_map<U, E>(&self, make: impl Fn(&T) -> Result<U, E>) -> Result<PerInput<U>, E> {
        Ok(match self {
            Self::AsIs(all) => PerInput::AsIs(all.iter().map(make).collect::<Result<_, _>>()?),
            Self::Pictures { copied, normalised } => {
                PerInput::Pictures { copied: make(copied)?, normalised: make(normalised)? }
            }
        })
    }
}

/// Whether rows are alike, whatever their names.
pub(crate) fn same(one: &TensorSpec, other: &TensorSpec) -> bool {
    one.dtype == other.dtype && one.shape == other.shape
}

/// Type and shape, for messages.
pub(crate) fn show(spec: &TensorSpec) -> String {
    format!("{} {:?}", spec.dtype.name(), spec.shape)
}

/// Several with their names, one without, for messages.
pub(crate) fn list(specs: &[TensorSpec]) -> String {
    match specs {
        [] => "nothing".to_owned(),
        [one] => show(one),
        several => {
            let named = several.iter().map(|spec| format!("`{}` {}", spec.name, show(spec)));
            named.collect::<Vec<_>>().join(", ")
        }
    }
}
