//! What choosing an item of the tray menu does.

/// What choosing an item does. Given back through `AppHandle::tray_chosen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrayAction {
    /// Show the window.
    Open,
    /// Show the window with this tab in front.
    OpenTab(String),
    /// Show the window with a way to choose a node.
    Connect,
    /// Something about forwards.
    Forwards(ForwardAction),
    /// Quit, after asking when something lives.
    Quit,
}

/// What is done about forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardAction {
    /// Show the window with all forwards.
    Show,
    /// Switch one on or off.
    Switch {
        /// Its id.
        forward: String,
        /// The switch afterwards.
        on: bool,
    },
    /// Switch all forwards of a bundle on or off.
    SwitchBundle {
        /// Its id.
        bundle: String,
        /// The switches afterwards.
        on: bool,
    },
    /// Copy the local addresses of a bundle's forwards, one a line.
    CopyAddresses {
        /// The bundle's id.
        bundle: String,
    },
    /// Stop all, and remember which were on.
    PauseAll,
    /// Start those again.
    ResumeAll,
}
