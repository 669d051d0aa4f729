//! Weights on disk: `model.safetensors` beside `model.json`.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{Decoder, ModelConfig, ModelError, Parameter};

const RETRAIN: &str = "the file is not what this model wrote; take an earlier checkpoint";

/// Tensors by name: their values, row by row, and their shape.
pub type TensorsByName = BTreeMap<String, (Vec<f32>, Vec<usize>)>;

/// Reads every tensor of a safetensors file as 32-bit floats with its shape.
///
/// # Errors
/// A missing, truncated or foreign file, by name.
pub fn read_tensors(path: &Path) -> Result<TensorsByName, ModelError> {
    let bytes = std::fs::read(path).map_err(|source| ModelError::Io { path: path.into(), source })?;
    let corrupt = |what: String| ModelError::Corrupt { path: path.into(), what, hint: RETRAIN };
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|e| corrupt(format!("no readable safetensors file ({e})")))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(corrupt(format!("tensor `{name}` is {:?}, not F32", view.dtype())));
        }
        let values = view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        tensors.insert(name.to_string(), (values, view.shape().to_vec()));
    }
    Ok(tensors)
}

/// Serialises named tensors of 32-bit floats as a safetensors file's bytes.
pub fn tensor_bytes(tensors: &BTreeMap<String, (Vec<f32>, Vec<usize>)>) -> Vec<u8> {
    let raw: Vec<(&String, Vec<u8>, &Vec<usize>)> = tensors
        .iter()
        .map(|(name, (values, shape))| (name, values.iter().flat_map(|v| v.to_le_bytes()).collect(), shape))
        .collect();
    let views = raw.iter().map(|(name, bytes, shape)| {
        let view =
            TensorView::new(Dtype::F32, (*shape).clone(), bytes).expect("a tensor holds its shape's values");
        (name.as_str(), view)
    });
    safetensors::serialize(views, None).expect("names are unique and views well formed")
}

impl Decoder {
    /// The weights by name, as 32-bit floats with their shapes.
    pub fn weights(&self) -> BTreeMap<String, (Vec<f32>, Vec<usize>)> {
        fn held<const D: usize>(t: &Tensor<D>) -> (Vec<f32>, Vec<usize>) {
            let shape = t.dims().to_vec();
            (t.clone().try_into_vec_as::<f32>().expect("parameters are floats"), shape)
        }
        let mut weights = BTreeMap::new();
        self.clone().visit(|name, p| {
            let value = match p {
                Parameter::Matrix(t) | Parameter::Token(t) => held(t),
                Parameter::Gain(t) => held(t),
            };
            weights.insert(name.to_owned(), value);
        });
        weights
    }

    /// A decoder with these weights. `from` names their file in errors.
    ///
    /// # Errors
    /// A parameter that is missing, or has another shape than the configuration says.
    pub fn with_weights(
        config: &ModelConfig,
        weights: &BTreeMap<String, (Vec<f32>, Vec<usize>)>,
        from: &Path,
        device: &Device,
    ) -> Result<Decoder, ModelError> {
        let mut decoder = Decoder::new(config, 0, device);
        let mut wrong = None;
        let tracked = device.is_autodiff();
        decoder.visit(|name, p| {
            fn fill<const D: usize>(
                t: &mut Tensor<D>,
                held: Option<&(Vec<f32>, Vec<usize>)>,
                tracked: bool,
            ) -> Result<(), String> {
                let (values, shape) = held.ok_or("is missing")?;
                let expected = t.dims();
                if shape[..] != expected[..] {
                    return Err(format!("is {shape:?}, and the model wants {expected:?}"));
                }
                let loaded = Tensor::from_data(TensorData::new(values.clone(), expected), &t.device());
                *t = if tracked { loaded.require_grad() } else { loaded };
                Ok(())
            }
            let held = weights.get(name);
            let done = match p {
                Parameter::Matrix(t) | Parameter::Token(t) => fill(t, held, tracked),
                Parameter::Gain(t) => fill(t, held, tracked),
            };
            if let Err(what) = done {
                wrong.get_or_insert(format!("tensor `{name}` {what}"));
            }
        });
        match wrong {
            None => Ok(decoder),
            Some(what) => Err(ModelError::Corrupt { path: from.into(), what, hint: RETRAIN }),
        }
    }

    /// Loads a checkpoint folder: `model.json` (the [`ModelConfig`]) and `model.safetensors`.
    ///
    /// # Errors
    /// Missing or damaged files, by name.
    pub fn load(dir: &Path, device: &Device) -> Result<Decoder, ModelError> {
        let path = dir.join("model.json");
        let text =
            std::fs::read_to_string(&path).map_err(|source| ModelError::Io { path: path.clone(), source })?;
        let config: ModelConfig = serde_json::from_str(&text).map_err(|e| ModelError::Corrupt {
            path: path.clone(),
            what: e.to_string(),
            hint: "it should be the `model.json` that training wrote",
        })?;
        let path = dir.join("model.safetensors");
        Decoder::with_weights(&config, &read_tensors(&path)?, &path, device)
    }
}
