//! Measurements of budstikke against the raw building blocks that it is made of, as ratios within one run:
//! `cargo bench -p budstikke-benches`.
