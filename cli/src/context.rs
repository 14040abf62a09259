//! What every command is given: the data directory and where to speak.

use std::path::PathBuf;

use node::directory::DataDirectory;

use crate::client::Client;
use crate::failure::Failure;
use crate::home;
use crate::output::Output;

/// The surroundings of a command.
#[derive(Debug)]
pub struct Context {
    data: Option<PathBuf>,
    /// Standard output.
    pub out: Output,
}

impl Context {
    /// The surroundings that the global arguments describe.
    pub fn new(data: Option<PathBuf>, out: Output) -> Self {
        Self { data, out }
    }

    /// The path of the data directory, whether a node is there or not.
    pub fn data_path(&self) -> Result<PathBuf, Failure> {
        home::data_path(self.data.as_deref())
    }

    /// The data directory of a node.
    pub fn directory(&self) -> Result<DataDirectory, Failure> {
        home::open(&self.data_path()?)
    }

    /// The running node of the data directory.
    pub fn client(&self) -> Result<Client, Failure> {
        Client::connect(&self.directory()?)
    }
}
