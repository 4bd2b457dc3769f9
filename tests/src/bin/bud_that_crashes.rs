//! `bud`, the real one, built with the crash points of the client crate: with `BUDSTIKKE_CRASH_AT` in its environment
//! it aborts at that point.

fn main() -> std::process::ExitCode {
    budstikke_cli::main()
}
