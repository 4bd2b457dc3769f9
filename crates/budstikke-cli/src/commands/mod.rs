//! What each command does: read what was given, call the client, say what came of it.

mod check;
pub(crate) mod conversation;
mod defender;
pub(crate) mod everyday;
pub(crate) mod ministry;
pub(crate) mod mission;
mod people;
mod program;
mod terms;

use crate::{
    app::App,
    args::{Command, Device, Ministry, Mission},
    failure::Failure,
    reply::Reply,
};

/// Runs one command.
pub(crate) async fn run(app: &App, command: Command) -> Result<Reply, Failure> {
    match command {
        Command::Look(args) => defender::look(app, &args).await,
        Command::ReachOut(args) => defender::reach_out(app, &args).await,
        Command::List => conversation::list(app).await,
        Command::Show(args) => conversation::show(app, &args).await,
        Command::Words(args) => conversation::words(app, &args).await,
        Command::Send(args) => conversation::send(app, &args).await,
        Command::Terms(args) => terms::run(app, &args).await,
        Command::Sync => everyday::sync(app).await,
        Command::Listen => everyday::listen(app).await,
        Command::Outbox => everyday::outbox(app).await,
        Command::Check(args) => check::check(app, &args),
        Command::Mission(Mission::Init(args)) => mission::init(app, &args).await,
        Command::Mission(Mission::Install(args)) => mission::install(app, &args).await,
        Command::Mission(Mission::Publish(args)) => mission::publish(app, &args).await,
        Command::Mission(Mission::Invite(args)) => mission::invite(app, &args).await,
        Command::Mission(Mission::Enrol(args)) => mission::enrol(app, &args).await,
        Command::Mission(Mission::Team) => mission::team(app).await,
        Command::Device(Device::Request(args)) => mission::request(app, &args).await,
        Command::Device(Device::Install(args)) => mission::install_device(app, &args).await,
        Command::Contacts => people::contacts(app).await,
        Command::Answer(args) => people::answer(app, &args).await,
        Command::Assign(args) => people::assign(app, &args).await,
        Command::Ministry(Ministry::Init(args)) => ministry::init(app, &args).await,
        Command::Ministry(Ministry::Certify(args)) => ministry::certify(app, &args).await,
        Command::Whoami => everyday::whoami(app).await,
        Command::Passphrase(args) => everyday::passphrase(app, &args).await,
        Command::Completions(args) => Ok(program::completions(app, &args)),
        Command::Man(args) => program::man(app, &args),
        #[cfg(feature = "demo")]
        Command::Demo(args) => crate::demo::run(app, &args).await,
    }
}
