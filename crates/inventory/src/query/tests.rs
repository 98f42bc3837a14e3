//! The query language as a whole.
