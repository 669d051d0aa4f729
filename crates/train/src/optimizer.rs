//! AdamW and Muon over a decoder's parameters.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Gradients, Tensor, TensorData};
use groundwork_kernels::{self as kernels, Adamw, Muon};
use groundwork_model::{Decoder, Parameter};
use serde::{Deserialize, Serialize};

use crate::TrainError;

/// Which optimiser moves the hidden matrices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// Muon for hidden matrices, AdamW for embedding, head and gains.
    #[default]
    Muon,
    /// AdamW for all.
    Adamw,
}

/// The recipe's `[optimizer]` section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerSpec {
    /// What moves the hidden matrices.
    pub kind: OptimizerKind,
    /// Learning rate of the hidden matrices.
    pub learning_rate: f64,
    /// Learning rate of the embedding.
    pub embedding_learning_rate: f64,
    /// Learning rate of an untied head.
    pub head_learning_rate: f64,
    /// Learning rate of the norms' gains.
    pub gain_learning_rate: f64,
    /// Decoupled weight decay of the hidden matrices, times the learning rate.
    pub weight_decay: f64,
    /// AdamW's β₁.
    pub beta1: f64,
    /// AdamW's β₂.
    pub beta2: f64,
    /// AdamW's ε.
    pub epsilon: f64,
    /// Muon's momentum.
    pub momentum: f64,
    /// Largest norm of the gradient; larger ones are scaled down to it. 0 turns clipping off.
    pub clip: f64,
}

impl Default for OptimizerSpec {
    fn default() -> Self {
        OptimizerSpec {
            kind: OptimizerKind::Muon,
            learning_rate: 0.02,
            embedding_learning_rate: 0.1,
            head_learning_rate: 0.004,
            gain_learning_rate: 0.004,
            weight_decay: 0.0,
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            momentum: 0.95,
            clip: 1.0,
        }
    }
}

/// What one step does besides following the gradient.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// The schedule's factor on every learning rate.
    pub factor: f64,
    /// Factor on the gradient (clipping).
    pub gradient_scale: f64,
}

/// The moments of one parameter.
#[derive(Clone, Debug)]
enum Slot {
    Muon(Tensor<2>),
    Matrix(Moments<2>),
    Gain(Moments<1>),
}

#[derive(Clone, Debug)]
struct Moments<const D: usize> {
    first: Tensor<D>,
    second: Tensor<D>,
}

/// Gradients of a decoder's parameters, in its visiting order.
pub struct ParameterGradients(Vec<GradientOf>);

enum GradientOf {
    Two(Tensor<2>),
    One(Tensor<1>),
}

impl ParameterGradients {
    /// Takes the gradients of `decoder` out of a backward pass.
    ///
    /// # Panics
    /// If a parameter took no part in the loss.
    pub fn take(decoder: &mut Decoder, gradients: &mut Gradients) -> Self {
        let mut all = Vec::new();
        decoder.visit(|name, p| {
            let taken = match p {
                Parameter::Matrix(t) | Parameter::Token(t) => t.grad_remove(gradients).map(GradientOf::Two),
                Parameter::Gain(t) => t.grad_remove(gradients).map(GradientOf::One),
            };
            // Every parameter takes part in every forward pass.
            all.push(taken.unwrap_or_else(|| panic!("parameter `{name}` has no gradient")));
        });
        ParameterGradients(all)
    }

    /// Adds the gradients of another micro-batch.
    pub(crate) fn add(self, other: Self) -> Self {
        let sum = |(a, b)| match (a, b) {
            (GradientOf::Two(a), GradientOf::Two(b)) => GradientOf::Two(a + b),
            (GradientOf::One(a), GradientOf::One(b)) => GradientOf::One(a + b),
            _ => unreachable!("both come from the same decoder's visiting order"),
        };
        ParameterGradients(self.0.into_iter().zip(other.0).map(sum).collect())
    }

    /// The Euclidean norm over all parameters.
    pub(crate) fn norm(&self) -> f64 {
        let square = |g: &GradientOf| match g {
            GradientOf::Two(g) => kernels::squared_norm(g.clone()),
            GradientOf::One(g) => kernels::squared_norm(g.clone()),
        };
        self.0.iter().map(square).sum::<f64>().sqrt()
    }
}

/// AdamW and Muon with their state.
#[derive(Clone, Debug)]
pub struct Optimizer {
    spec: OptimizerSpec,
    slots: Vec<(String, Slot)>,
    steps: u64,
}

impl<const D: usize> Moments<D> {
    fn new(like: &Tensor<D>) -> Self {
        Moments { first: like.zeros_like(), second: like.zeros_like() }
    }

    /// Moves `parameter` by one step.
    fn step(&mut self, parameter: &mut Tensor<D>, gradient: Tensor<D>, step: Adamw) {
        moved(parameter, |parameter| {
            let (first, second) = (taken(&mut self.first), taken(&mut self.second));
            let [parameter, first, second] = kernels::adamw(parameter, gradient, first, second, step);
            (self.first, self.second) = (first, second);
            parameter
        });
    }
}

/// The tensor itself, so that nobody shares it while it is written in place; `t` is empty until it is set again.
fn taken<const D: usize>(t: &mut Tensor<D>) -> Tensor<D> {
    let empty = Tensor::empty([0; D], &t.device());
    std::mem::replace(t, empty)
}

/// Moves a parameter and makes it a leaf of the next step's graph.
fn moved<const D: usize>(t: &mut Tensor<D>, step: impl FnOnce(Tensor<D>) -> Tensor<D>) {
    let tracked = t.is_autodiff();
    let new = step(taken(t).without_autodiff());
    *t = if tracked { new.autodiff().require_grad() } else { new };
}

impl Optimizer {
    /// A fresh optimiser for a decoder.
    pub fn new(spec: &OptimizerSpec, decoder: &mut Decoder) -> Self {
        let mut slots = Vec::new();
        decoder.visit(|name, p| {
            let slot = match p {
                Parameter::Matrix(t) if spec.kind == OptimizerKind::Muon => {
                    Slot::Muon(t.clone().without_autodiff().zeros_like())
                }
                Parameter::Matrix(t) | Parameter::Token(t) => {
                    Slot::Matrix(Moments::new(&t.clone().without_autodiff()))
                }
                Parameter::Gain(t) => Slot::Gain(Moments::new(&t.clone().without_autodiff())),
            };
            slots.push((name.to_owned(), slot));
        });
        Optimizer { spec: spec.clone(), slots, steps: 0 }
    }

    /// Moves every parameter of `decoder` by one step.
    pub fn step(&mut self, decoder: &mut Decoder, gradients: ParameterGradients, rates: Rates) {
        self.steps += 1;
        let (spec, steps) = (&self.spec, self.steps);
        let mut slots = self.slots.iter_mut();
        let mut gradients = gradients.0.into_iter();
        decoder.visit(|name, p| {
            let (_, slot) = slots.next().expect("one slot a parameter");
            let gradient = gradients.next().expect("one gradient a parameter");
            let rate = rates.factor
                * match (&p, name) {
                    (Parameter::Gain(_), _) => spec.gain_learning_rate,
                    (Parameter::Token(_), "head") => spec.head_learning_rate,
                    (Parameter::Token(_), _) => spec.embedding_learning_rate,
                    (Parameter::Matrix(_), _) => spec.learning_rate,
                };
            let keep = if matches!(p, Parameter::Matrix(_)) { 1.0 - rate * spec.weight_decay } else { 1.0 };
            let gradient_scale = rates.gradient_scale;
            let adamw = Adamw {
                rate,
                keep,
                gradient_scale,
                beta1: spec.beta1,
                beta2: spec.beta2,
                epsilon: spec.epsilon,
                step: steps,
            };
            match (p, slot, gradient) {
                (Parameter::Matrix(t), Slot::Muon(momentum), GradientOf::Two(g)) => {
                    // √max(1, rows/cols) with rows the outputs, as published.
                    let [inputs, outputs] = t.dims();
                    let rate = rate * (outputs as f64 / inputs as f64).max(1.0).sqrt();
                    let step = Muon { rate, keep, gradient_scale, momentum: spec.momentum };
                    moved(t, |t| {
                        let [t, new] = kernels::muon(t, g, taken(momentum), step);
                        *momentum = new;
                        t
                    });
                }
                (Parameter::Matrix(t) | Parameter::Token(t), Slot::Matrix(m), GradientOf::Two(g)) => {
                    m.step(t, g, adamw);
                }
                (Parameter::Gain(t), Slot::Gain(m), GradientOf::One(g)) => m.step(t, g, adamw),
                _ => unreachable!("slots and gradients follow the decoder's visiting order"),
            }
        });
    }

    /// The state by name, for a checkpoint.
    pub(crate) fn state(&self) -> BTreeMap<String, (Vec<f32>, Vec<usize>)> {
        fn held<const D: usize>(t: &Tensor<D>) -> (Vec<f32>, Vec<usize>) {
            (t.clone().try_into_vec_as::<f32>().expect("moments are floats"), t.dims().to_vec())
        }
        let mut state = BTreeMap::new();
        for (name, slot) in &self.slots {
            match slot {
                Slot::Muon(m) => {
                    state.insert(format!("{name}.momentum"), held(m));
                }
                Slot::Matrix(m) => {
                    state.insert(format!("{name}.first"), held(&m.first));
                    state.insert(format!("{name}.second"), held(&m.second));
                }
                Slot::Gain(m) => {
                    state.insert(format!("{name}.first"), held(&m.first));
                    state.insert(format!("{name}.second"), held(&m.second));
                }
            }
        }
        state
    }

    /// Takes the state of a checkpoint after `steps` steps; `from` names its file in errors.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape.
    pub(crate) fn restore(
        &mut self,
        state: &BTreeMap<String, (Vec<f32>, Vec<usize>)>,
        steps: u64,
        from: &Path,
    ) -> Result<(), TrainError> {
        let fill = |key: String, t: &mut dyn FnMut(&[f32], &[usize]) -> bool| match state.get(&key) {
            Some((values, shape)) if t(values, shape) => Ok(()),
            found => Err(TrainError::Corrupt {
                path: from.into(),
                what: format!(
                    "tensor `{key}` {}",
                    if found.is_some() { "has another shape" } else { "is missing" }
                ),
                hint: "the checkpoint belongs to another recipe; remove it to start again".into(),
            }),
        };
        fn set<const D: usize>(t: &mut Tensor<D>, values: &[f32], shape: &[usize]) -> bool {
            if shape != t.dims() {
                return false;
            }
            *t = Tensor::from_data(TensorData::new(values.to_vec(), t.dims()), &t.device());
            true
        }
        for (name, slot) in &mut self.slots {
            match slot {
                Slot::Muon(m) => fill(format!("{name}.momentum"), &mut |v, s| set(m, v, s))?,
                Slot::Matrix(m) => {
                    fill(format!("{name}.first"), &mut |v, s| set(&mut m.first, v, s))?;
                    fill(format!("{name}.second"), &mut |v, s| set(&mut m.second, v, s))?;
                }
                Slot::Gain(m) => {
                    fill(format!("{name}.first"), &mut |v, s| set(&mut m.first, v, s))?;
                    fill(format!("{name}.second"), &mut |v, s| set(&mut m.second, v, s))?;
                }
            }
        }
        self.steps = steps;
        Ok(())
    }
}
