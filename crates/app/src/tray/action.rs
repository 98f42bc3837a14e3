//! What choosing an item of the tray menu does.

/// What choosing an item does. Given back through `AppHandle::tray_chosen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrayAction {
    /// Show the window.
    Open,
    /// Show the window with this tab in front.
    OpenTab(String),
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

impl TrayAction {
    /// A stable text for menu libraries that identify items by text.
    pub fn id(&self) -> String {
        match self {
            Self::Open => "open".to_owned(),
            Self::OpenTab(tab) => format!("tab:{tab}"),
            Self::Forwards(action) => action.id(),
            Self::Quit => "quit".to_owned(),
        }
    }

    /// The action of an id made by [`Self::id`].
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "open" => Some(Self::Open),
            "quit" => Some(Self::Quit),
            _ => match id.strip_prefix("tab:") {
                Some(tab) => Some(Self::OpenTab(tab.to_owned())),
                None => ForwardAction::from_id(id).map(Self::Forwards),
            },
        }
    }
}

impl ForwardAction {
    fn id(&self) -> String {
        let word = |on: bool| if on { "on" } else { "off" };
        match self {
            Self::Show => "forwards".to_owned(),
            Self::Switch { forward, on } => format!("forward-{}:{forward}", word(*on)),
            Self::SwitchBundle { bundle, on } => format!("bundle-{}:{bundle}", word(*on)),
            Self::CopyAddresses { bundle } => format!("bundle-copy:{bundle}"),
            Self::PauseAll => "pause-all".to_owned(),
            Self::ResumeAll => "resume-all".to_owned(),
        }
    }

    fn from_id(id: &str) -> Option<Self> {
        match id {
            "forwards" => return Some(Self::Show),
            "pause-all" => return Some(Self::PauseAll),
            "resume-all" => return Some(Self::ResumeAll),
            _ => {}
        }
        let (what, rest) = id.split_once(':')?;
        let name = || rest.to_owned();
        match what {
            "forward-on" => Some(Self::Switch { forward: name(), on: true }),
            "forward-off" => Some(Self::Switch { forward: name(), on: false }),
            "bundle-on" => Some(Self::SwitchBundle { bundle: name(), on: true }),
            "bundle-off" => Some(Self::SwitchBundle { bundle: name(), on: false }),
            "bundle-copy" => Some(Self::CopyAddresses { bundle: name() }),
            _ => None,
        }
    }
}
