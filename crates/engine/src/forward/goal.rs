//! What the flows of one destination share.

use std::sync::atomic::{AtomicBool, Ordering};

use super::request::Destination;

/// A destination that flows go to.
#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) destination: Destination,
    has_answered: AtomicBool,
}

impl Goal {
    pub(crate) fn new(destination: Destination) -> Self {
        Self { destination, has_answered: AtomicBool::new(false) }
    }

    /// Whether a connection to it has brought anything.
    pub(crate) fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    pub(crate) fn answered(&self) {
        self.has_answered.store(true, Ordering::Relaxed);
    }
}
