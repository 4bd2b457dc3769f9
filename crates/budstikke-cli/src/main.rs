//! `bud`: see the library of the same package.

fn main() -> std::process::ExitCode {
    budstikke_cli::main()
}
