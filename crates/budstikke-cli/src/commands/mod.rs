//! What each command does: read what was given, call the client, say what came of it.

mod act;
mod alert;
mod casefile;
mod check;
mod consent;
pub(crate) mod conversation;
mod defender;
pub(crate) mod directory;
mod doctor;
pub(crate) mod everyday;
mod handover;
mod line;
pub(crate) mod ministry;
pub(crate) mod mission;
mod oral;
mod people;
mod pick;
mod program;
mod request;
mod reserve;
mod sending;
mod team;
mod terms;
mod token;
mod words;

use crate::{
    app::App,
    args::{Command, Desk, Device, Mission},
    commands::mission::Office,
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
        Command::Words(args) => words::words(app, &args).await,
        Command::Send(args) => conversation::send(app, &args).await,
        Command::Terms(args) => terms::run(app, &args).await,
        Command::Sync => everyday::sync(app).await,
        Command::Listen => everyday::listen(app).await,
        Command::Outbox => everyday::outbox(app).await,
        Command::Doctor(args) => doctor::doctor(app, &args).await,
        Command::Recover(args) => doctor::recover(app, &args).await,
        Command::Check(args) => check::check(app, &args),
        Command::Directory(args) => directory::run(app, &args).await,
        Command::Token(args) => token::run(app, &args).await,
        Command::Mission(args) => own_mission(app, args).await,
        Command::Desk(args) => own_desk(app, args).await,
        Command::Device(Device::Request(args)) => mission::request(app, &args).await,
        Command::Device(Device::Install(args)) => mission::install_device(app, &args).await,
        Command::Contacts => people::contacts(app).await,
        Command::Answer(args) => people::answer(app, &args).await,
        Command::Assign(args) => people::assign(app, &args).await,
        Command::Unassign(args) => team::unassign(app, &args).await,
        Command::Team(args) => team::run(app, &args).await,
        Command::Consent(args) => consent::run(app, &args).await,
        Command::Case(args) => casefile::run(app, &args).await,
        Command::Act(args) => act::run(app, &args).await,
        Command::Line(args) => line::run(app, &args).await,
        Command::Handover(args) => handover::run(app, &args).await,
        Command::Object(args) => handover::object(app, &args).await,
        Command::Alert(args) => alert::run(app, &args).await,
        Command::Request(args) => request::run(app, &args).await,
        Command::Decide(args) => request::decide(app, &args).await,
        Command::Ministry(args) => ministry::run(app, &args).await,
        Command::Whoami => everyday::whoami(app).await,
        Command::Passphrase(args) => everyday::passphrase(app, &args).await,
        Command::Completions(args) => Ok(program::completions(app, &args)),
        Command::Man(args) => program::man(app, &args),
        #[cfg(feature = "demo")]
        Command::Demo(args) => crate::demo::run(app, &args).await,
    }
}

async fn own_mission(app: &App, command: Mission) -> Result<Reply, Failure> {
    let office = Office::Mission;
    match command {
        Mission::Init(args) => mission::init(app, &args).await,
        Mission::Install(args) => mission::install(app, &args).await,
        Mission::Publish(args) => {
            let emergency = args.emergency.as_deref();
            mission::publish(app, &args.terms, &args.privacy, emergency, office).await
        }
        Mission::Invite(args) => mission::invite(app, &args, office).await,
        Mission::Enrol(args) => mission::enrol(app, &args).await,
        Mission::Team => team::list(app).await,
        Mission::Renew(args) => mission::renew(app, &args, office).await,
    }
}

async fn own_desk(app: &App, command: Desk) -> Result<Reply, Failure> {
    let office = Office::Desk;
    match command {
        Desk::Init(args) => mission::init_desk(app, &args).await,
        Desk::Install(args) => mission::install(app, &args).await,
        Desk::Publish(args) => {
            mission::publish(app, &args.terms, &args.privacy, None, office).await
        }
        Desk::Invite(args) => mission::invite(app, &args, office).await,
        Desk::Enrol(args) => mission::enrol(app, &args).await,
        Desk::Team => team::list(app).await,
        Desk::Renew(args) => mission::renew(app, &args, office).await,
    }
}
