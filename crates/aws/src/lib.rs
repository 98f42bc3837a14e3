//! AWS access: sources, identity, inventory, sessions and tier through the official SDK.
