//! The tray menu as a plain value: a function of the state, drawn by the shell.

/// What the tray menu is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrayState {
    /// Live shells: tab id and node name, in tab order.
    pub shells: Vec<TrayShell>,
    /// Whether this is the demo fleet.
    pub demo: bool,
}

/// A live shell as the tray names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrayShell {
    /// Tab id.
    pub tab: String,
    /// Node name.
    pub name: String,
    /// What it is doing.
    pub state: ShellState,
}

/// What a live shell is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellState {
    /// Being opened.
    Connecting,
    /// Bytes flow.
    Connected,
    /// Being resumed.
    Reconnecting,
}

impl ShellState {
    fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
        }
    }
}

/// What choosing an item does. Given back through `AppHandle::tray_chosen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrayAction {
    /// Show the window.
    Open,
    /// Show the window with this tab in front.
    OpenTab(String),
    /// Quit, after asking when sessions live.
    Quit,
}

impl TrayAction {
    /// A stable text for menu libraries that identify items by text.
    pub fn id(&self) -> String {
        match self {
            Self::Open => "open".to_owned(),
            Self::OpenTab(tab) => format!("tab:{tab}"),
            Self::Quit => "quit".to_owned(),
        }
    }

    /// The action of an id made by [`Self::id`].
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "open" => Some(Self::Open),
            "quit" => Some(Self::Quit),
            _ => id.strip_prefix("tab:").map(|tab| Self::OpenTab(tab.to_owned())),
        }
    }
}

/// A line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Can be chosen.
    Action {
        /// What it does.
        action: TrayAction,
        /// What it says.
        label: String,
    },
    /// Only says something.
    Label(String),
    /// A line between groups.
    Separator,
}

/// The whole menu.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Menu {
    /// Shown when the pointer rests on the icon.
    pub tooltip: String,
    /// Top to bottom.
    pub items: Vec<Item>,
}

/// Shells named in the menu; more are counted.
const NAMED_SHELLS: usize = 10;

/// The menu for a state.
pub fn menu(state: &TrayState) -> Menu {
    let count = state.shells.len();
    let sessions = match count {
        0 => "No sessions".to_owned(),
        1 => "1 session".to_owned(),
        n => format!("{n} sessions"),
    };
    let mut items =
        vec![Item::Action { action: TrayAction::Open, label: "Open Fleetline".to_owned() }, Item::Separator];
    items.push(Item::Label(if state.demo { format!("{sessions} · demo fleet") } else { sessions.clone() }));
    for shell in state.shells.iter().take(NAMED_SHELLS) {
        items.push(Item::Action {
            action: TrayAction::OpenTab(shell.tab.clone()),
            label: format!("{}: shell, {}", shell.name, shell.state.word()),
        });
    }
    if count > NAMED_SHELLS {
        items.push(Item::Label(format!("and {} more", count - NAMED_SHELLS)));
    }
    items.push(Item::Separator);
    let quit = match count {
        0 => "Quit".to_owned(),
        1 => "Quit and end 1 session…".to_owned(),
        n => format!("Quit and end {n} sessions…"),
    };
    items.push(Item::Action { action: TrayAction::Quit, label: quit });
    Menu {
        tooltip: if count == 0 { "Fleetline".to_owned() } else { format!("Fleetline: {sessions}") },
        items,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(n: usize) -> TrayShell {
        let state = if n == 2 { ShellState::Reconnecting } else { ShellState::Connected };
        TrayShell { tab: format!("t{n}"), name: format!("web-{n}"), state }
    }

    #[test]
    fn an_idle_menu_opens_and_quits_without_asking() {
        assert_eq!(
            menu(&TrayState::default()),
            Menu {
                tooltip: "Fleetline".into(),
                items: vec![
                    Item::Action { action: TrayAction::Open, label: "Open Fleetline".into() },
                    Item::Separator,
                    Item::Label("No sessions".into()),
                    Item::Separator,
                    Item::Action { action: TrayAction::Quit, label: "Quit".into() },
                ],
            }
        );
    }

    #[test]
    fn sessions_are_counted_named_and_say_their_state() {
        let menu = menu(&TrayState { shells: vec![shell(1), shell(2)], demo: true });
        assert_eq!(menu.tooltip, "Fleetline: 2 sessions");
        assert_eq!(
            menu.items[2..],
            [
                Item::Label("2 sessions · demo fleet".into()),
                Item::Action {
                    action: TrayAction::OpenTab("t1".into()),
                    label: "web-1: shell, connected".into()
                },
                Item::Action {
                    action: TrayAction::OpenTab("t2".into()),
                    label: "web-2: shell, reconnecting".into()
                },
                Item::Separator,
                Item::Action { action: TrayAction::Quit, label: "Quit and end 2 sessions…".into() },
            ]
        );
    }

    #[test]
    fn more_than_ten_sessions_are_summed_up() {
        let menu = menu(&TrayState { shells: (0..13).map(shell).collect(), demo: false });
        assert!(menu.items.contains(&Item::Label("and 3 more".into())));
        assert_eq!(menu.items.len(), 3 + 10 + 1 + 2);
    }

    #[test]
    fn ids_lead_back_to_their_action() {
        for action in [TrayAction::Open, TrayAction::Quit, TrayAction::OpenTab("s7".into())] {
            assert_eq!(TrayAction::from_id(&action.id()), Some(action));
        }
        assert_eq!(TrayAction::from_id("about"), None);
    }
}
