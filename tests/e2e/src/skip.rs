//! Tests that need what is not everywhere.

/// Says that a test is skipped, and why; where everything was installed (`SPAREKEY_TEST_ALL`, by `./check`), it is none to be missing.
///
/// # Panics
/// If `SPAREKEY_TEST_ALL` is set.
pub fn skipped(why: &str) {
    assert!(std::env::var_os("SPAREKEY_TEST_ALL").is_none(), "{why}");
    println!("skipped: {why}");
}
