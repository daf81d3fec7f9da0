//! Makes the snippet of one pinned version, a pure function.
