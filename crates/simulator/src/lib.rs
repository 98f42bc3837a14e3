//! The AWS side of Session Manager on loopback, with real shells.
