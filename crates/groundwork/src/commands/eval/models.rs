//! What is evaluated: a run, or a model behind an endpoint.

use std::path::{Path, PathBuf};
use std::time::Duration;

use groundwork_arena::{Endpoint, Protocol};

use crate::cli::{EndpointArgs, Wire};
use crate::commands::runs;
use crate::failure::Failure;

/// A model that was named on the command line.
pub enum Model {
    /// A trained run's folder.
    Run(PathBuf),
    /// A model behind an endpoint.
    Endpoint(Box<Endpoint>),
}

impl Model {
    /// The model that is meant: an address, or a run.
    pub fn named(name: &str, args: &EndpointArgs) -> Result<Model, Failure> {
        if name.starts_with("http://") || name.starts_with("https://") {
            endpoint(name, args).map(|e| Model::Endpoint(Box::new(e)))
        } else {
            runs::folder(Path::new(name)).map(Model::Run)
        }
    }

    /// A name for pages, and for a folder.
    pub fn name(&self) -> String {
        match self {
            Model::Run(folder) => folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Model::Endpoint(endpoint) => endpoint.model.clone(),
        }
    }

    /// The name of the folder for its scores.
    pub fn folder(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' };
        let name: String = self.name().chars().map(plain).collect();
        let name = name.trim_matches(['-', '.']);
        if name.is_empty() { "model".to_owned() } else { name.to_owned() }
    }
}

fn endpoint(address: &str, args: &EndpointArgs) -> Result<Endpoint, Failure> {
    let Some((url, model)) = address.split_once('#').filter(|(_, model)| !model.is_empty()) else {
        return Err(Failure::input(format!(
            "`{address}` names no model\n  hint: write its name behind the address: `{}#name-of-the-model`",
            address.trim_end_matches('#')
        )));
    };
    let mut endpoint = Endpoint::new(url, model);
    endpoint.key = std::env::var(&args.key_env).ok().filter(|key| !key.is_empty());
    endpoint.protocol = match args.protocol {
        Wire::Tools => Protocol::Tools,
        Wire::Chat => Protocol::Chat,
        Wire::Completions => Protocol::Completions,
    };
    endpoint.shots = args.shots;
    endpoint.concurrency = args.concurrency;
    endpoint.timeout = Duration::from_secs(args.timeout);
    endpoint.retries = args.retries;
    endpoint.max_reply_tokens = args.max_reply;
    endpoint.price = args.price.unwrap_or_default();
    endpoint.max_cost = args.max_cost;
    endpoint.max_tokens = args.max_total_tokens;
    Ok(endpoint)
}
