//! A task of a world as an MCP server.

use std::io::{self, BufRead, Write};

use groundwork_worlds::{Task, WorldError};

use super::session::Session;
use crate::framing::read_line;
use crate::json_rpc::{Incoming, answered};

/// A task of a world, offered over the Model Context Protocol. Its tools are the world's, with two more: one that states
/// the task, and one that takes the answer and says whether the task is solved.
pub struct McpServer {
    task: Task,
}

impl McpServer {
    /// Offers a task.
    ///
    /// # Errors
    /// A task that its world refuses.
    pub fn new(task: Task) -> Result<McpServer, WorldError> {
        Session::new(&task)?;
        Ok(McpServer { task })
    }

    /// Serves one client over a pair of streams, one message a line, until its side ends: one episode of the task.
    ///
    /// A request that states its revision in `_meta` is answered in the stateless dialect, any other in the dialect
    /// whose sessions open with `initialize`.
    ///
    /// # Errors
    /// A stream that fails.
    pub fn serve(&self, mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
        let mut session = self.session();
        while let Some(message) = read_line(&mut input)? {
            let response = match Incoming::read(&message) {
                Err(response) => response,
                Ok(Incoming::Request { id, method, params }) => {
                    answered(id, session.answer(&method, &params))
                }
                Ok(Incoming::Notification { .. } | Incoming::Response) => continue,
            };
            writeln!(output, "{response}")?;
            output.flush()?;
        }
        Ok(())
    }

    /// A fresh episode.
    pub(super) fn session(&self) -> Session {
        Session::new(&self.task).expect("the task was tried when the server was made")
    }
}
