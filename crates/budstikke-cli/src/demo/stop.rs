//! Why a story ends early. Steps use `?` on whatever they call; the words come at the end.

use budstikke::{Error, vault::VaultError};

use crate::{app::App, case::file::FileError, exit::Exit, failure::Failure, refused};

/// What went wrong.
pub(crate) enum Stop {
    /// A client.
    Client(Error),
    /// A paper of the story.
    Paper(FileError),
    /// A claim, or a step that is put into words already.
    Told(Failure),
    /// The ground itself: the relay, a folder.
    Ground(String),
}

impl Stop {
    /// As the person at the terminal reads it.
    pub(crate) fn failure(self, app: &App) -> Failure {
        match self {
            Self::Client(error) => app.failed(error),
            Self::Paper(error) => refused::file(&error, "tests/data", &app.catalogue),
            Self::Told(failure) => failure,
            Self::Ground(cause) => Failure::new(Exit::Internal, cause),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl From<VaultError> for Stop {
    fn from(error: VaultError) -> Self {
        Self::Client(error.into())
    }
}

impl From<FileError> for Stop {
    fn from(error: FileError) -> Self {
        Self::Paper(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Told(failure)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Ground(error.to_string())
    }
}
