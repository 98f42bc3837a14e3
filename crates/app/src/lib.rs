//! The use cases of Fleetline behind one controller, without a window.
