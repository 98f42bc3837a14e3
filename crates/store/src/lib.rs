//! What Fleetline keeps on disk: settings, layout and cache.
