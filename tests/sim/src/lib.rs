//! All of core in one process on a virtual clock, a lossy carrier, a reference model.
