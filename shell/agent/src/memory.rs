//! Memory goes back to the system.
//!
//! Argon2id takes tens of megabytes for half a second. glibc keeps blocks below a threshold that grows with each block
//! freed, so after some logins it would keep all of them. A fixed threshold makes it map each, and unmap it after.

/// Blocks from this size on are mapped by themselves, in bytes.
const MAPPED: libc::c_int = 256 * 1024;
/// At most so many heaps: a thread that hashes now and then needs none of its own.
const HEAPS: libc::c_int = 2;

/// To be called before the first thread is started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "no safe crate wraps mallopt")]
pub fn give_back() {
    // SAFETY: mallopt takes two integers and is called before any other thread exists. A refusal costs memory, nothing else.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED);
        libc::mallopt(libc::M_ARENA_MAX, HEAPS);
    }
}

/// Other systems give memory back by themselves, or have their own ways.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
