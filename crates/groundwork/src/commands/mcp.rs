//! `groundwork mcp`

use std::io;

use groundwork_bridge::{Endpoint, McpServer, serve_http};
use groundwork_worlds::Split;

use super::task;
use crate::cli::McpArgs;
use crate::failure::Failure;

pub fn run(args: &McpArgs) -> Result<(), Failure> {
    let split = if args.test { Split::Test } else { Split::Train };
    let server = McpServer::new(task(&args.task, split)?)?;
    let Some(address) = args.http else {
        return server
            .serve(io::stdin().lock(), io::stdout().lock())
            .map_err(|e| Failure::work(format!("the client cannot be spoken to: {e}")));
    };
    if !address.ip().is_loopback() {
        return Err(Failure::input(format!(
            "{address} can be reached from other machines, and there is no password\n  hint: take 127.0.0.1:{}",
            address.port()
        )));
    }
    let endpoint = Endpoint::bind(address).map_err(|e| {
        Failure::input(format!(
            "cannot listen at {address}: {e}\n  hint: take another port; 0 takes one that is free"
        ))
    })?;
    println!("{}", endpoint.url());
    serve_http(&server, &endpoint);
    Ok(())
}
