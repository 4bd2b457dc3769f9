//! `budstikke-relay`, the real one but for its allocator, built together with the tests. With `PLANT_NO_SYNC` in its
//! environment it acknowledges what is not durable, for the test that has to notice.

fn main() -> std::process::ExitCode {
    budstikke_relay::testing::plant_no_sync(std::env::var_os("PLANT_NO_SYNC").is_some());
    budstikke_relay::program::main()
}
