//! `budstikke-relay`, the real one but for its allocator, built together with the tests.

fn main() -> std::process::ExitCode {
    budstikke_relay::program::main()
}
