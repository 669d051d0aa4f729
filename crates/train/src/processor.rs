//! Where a model computes.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

use crate::TrainError;

/// Where tensors live and operations run. Not part of a recipe: it decides how fast a run is, and only in the last bits
/// what comes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Processor {
    /// This machine's cores, with the fused operations.
    #[default]
    Cpu,
    /// The graphics processor that `wgpu` (Vulkan, Metal, DirectX 12) picks, with the reference form of every operation.
    /// Needs the feature `wgpu`.
    Gpu,
}

impl Processor {
    /// The names, as the command line takes them.
    pub const NAMES: [&str; 2] = ["cpu", "gpu"];

    /// The device.
    ///
    /// # Errors
    /// [`TrainError::Processor`] for [`Processor::Gpu`] in a build without the feature `wgpu`, and where there is no
    /// adapter.
    pub fn device(self) -> Result<Device, TrainError> {
        match self {
            Processor::Cpu => Ok(Device::flex()),
            Processor::Gpu => gpu(),
        }
    }
}

#[cfg(feature = "wgpu")]
fn gpu() -> Result<Device, TrainError> {
    use burn::tensor::{DeviceKind, Tensor};
    // The library opens the adapter with the first tensor, and panics where there is none.
    let device = Device::wgpu(DeviceKind::DefaultDevice);
    let probe = device.clone();
    std::panic::catch_unwind(move || Tensor::<1>::ones([1], &probe).into_scalar::<f32>())
        .map(|_| device)
        .map_err(|_| TrainError::Processor {
            what: "no graphics adapter was found".into(),
            hint: "install a Vulkan driver (a software one is enough to try), or use `--device cpu`".into(),
        })
}

#[cfg(not(feature = "wgpu"))]
fn gpu() -> Result<Device, TrainError> {
    Err(TrainError::Processor {
        what: "this program was built without graphics processors".into(),
        hint: "build it with `--features wgpu`, or use `--device cpu`".into(),
    })
}

impl FromStr for Processor {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "cpu" => Ok(Processor::Cpu),
            "gpu" => Ok(Processor::Gpu),
            other => Err(format!("there is no device `{other}`; use `cpu` or `gpu`")),
        }
    }
}

impl fmt::Display for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Processor::Cpu => "cpu",
            Processor::Gpu => "gpu",
        })
    }
}
