//! Weights as Keras's HDF5 file: `layers/dense/vars/0` is the kernel of the first dense layer, `…/1` its
//! bias.

use hdf5_pure::{AttrValue, DType, File, FileBuilder, GroupBuilder};

use super::{FORM, Names, WEIGHTS};
use crate::exchange::ExchangeError;
use crate::nn::{Layer, Sequential};

/// Where the groups of the layers lie; the second in files of early versions of Keras 3.
const LAYERS: [&str; 2] = ["layers", "_layer_checkpoint_dependencies"];

/// The content of `model.weights.h5`.
pub(super) fn write(network: &Sequential) -> Result<Vec<u8>, ExchangeError> {
    let mut file = FileBuilder::new();
    let mut layers = file.create_group(LAYERS[0]);
    let (mut names, mut parameters) = (Names::default(), network.parameters().iter());
    for layer in network.layers() {
        let name = names.of(layer);
        let mut group = layers.create_group(&name);
        let mut vars = group.create_group("vars");
        vars.set_attr("name", AttrValue::String(name));
        let dense = matches!(layer, Layer::Dense(_));
        if let Some(parameters) = dense.then(|| parameters.next()).flatten() {
            let shape = [parameters.n_in as u64, parameters.units as u64];
            put(&mut vars, "0", parameters.kernel.as_slice(), &shape);
            let bias = parameters.bias.as_slice();
            if !bias.is_empty() {
                put(&mut vars, "1", bias, &shape[1..]);
            }
        }
        group.add_group(vars.finish());
        layers.add_group(group.finish());
    }
    file.add_group(layers.finish());
    let mut vars = file.create_group("vars");
    vars.set_attr("name", AttrValue::String("slugline".into()));
    file.add_group(vars.finish());
    file.finish().map_err(|error| ExchangeError::Form { form: FORM, problem: error.to_string() })
}

fn put(group: &mut GroupBuilder, name: &str, values: &[f32], shape: &[u64]) {
    group.create_dataset(name).with_f32_data(values).with_shape(shape);
}

/// The weights of an archive.
pub(super) struct Stored {
    file: File,
    /// Bytes of the whole file.
    length: usize,
}

impl Stored {
    /// Opens the content of `model.weights.h5`.
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self, ExchangeError> {
        let length = bytes.len();
        let file = File::from_bytes(bytes).map_err(|error| wrong("", error))?;
        Ok(Self { file, length })
    }

    /// The numbers of a variable of a layer, which must have this shape.
    pub(super) fn variable(
        &self,
        layer: &str,
        number: usize,
        shape: &[usize],
    ) -> Result<Vec<f32>, ExchangeError> {
        let path = |folder: &str| format!("{folder}/{layer}/vars/{number}");
        let found = LAYERS.iter().find_map(|folder| self.file.dataset(&path(folder)).ok());
        let at = path(LAYERS[0]);
        let Some(dataset) = found else {
            return Err(wrong(&at, "expected weights, found none"));
        };
        let has = dataset.shape().map_err(|error| wrong(&at, error))?;
        let wanted: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        if has != wanted {
            return Err(wrong(&at, format!("expected the shape {wanted:?}, found {has:?}")));
        }
        let kind = dataset.dtype().map_err(|error| wrong(&at, error))?;
        if kind != DType::F32 {
            return Err(wrong(&at, format!("expected numbers of type F32, found {kind:?}")));
        }
        // Weights that are not there at all would be zeros of any number.
        let bytes = shape.iter().try_fold(size_of::<f32>(), |all, n| all.checked_mul(*n));
        if bytes.is_none_or(|bytes| bytes > self.length) {
            return Err(wrong(&at, format!("{has:?} numbers do not fit the file")));
        }
        let values = dataset.read_f32().map_err(|error| wrong(&at, error))?;
        match values.iter().position(|value| !value.is_finite()) {
            Some(place) => Err(wrong(&at, format!("number {place} is {}", values[place]))),
            None => Ok(values),
        }
    }
}

fn wrong(at: &str, problem: impl std::fmt::Display) -> ExchangeError {
    let place = if at.is_empty() { WEIGHTS.to_owned() } else { format!("{WEIGHTS}, {at}") };
    ExchangeError::NotKeras { place, problem: problem.to_string() }
}
