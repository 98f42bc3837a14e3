//! The menu for a state.

use fleetline_ipc::system::Language;

use super::{ForwardAction, ForwardState, TrayAction, TrayBundle, TrayForward, TrayState, words};

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
    /// Can be chosen, with a check mark that shows whether it is on. Choosing it does not move the mark: that is done
    /// by the next menu.
    Check {
        /// What it does.
        action: TrayAction,
        /// What it says.
        label: String,
        /// Whether it is marked.
        on: bool,
    },
    /// Opens a menu beside it.
    Submenu {
        /// What it says.
        label: String,
        /// The menu beside it, top to bottom.
        items: Vec<Self>,
    },
    /// Only says something.
    Label(String),
    /// A line between groups.
    Separator,
}

impl Item {
    /// What it says; `None` for a line.
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Action { label, .. }
            | Self::Check { label, .. }
            | Self::Submenu { label, .. }
            | Self::Label(label) => Some(label),
            Self::Separator => None,
        }
    }
}

/// Which icon stands in the tray.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrayIcon {
    /// Nothing runs.
    #[default]
    Idle,
    /// Sessions are open.
    Running,
    /// At least one is being brought back.
    Reconnecting,
    /// A forward failed or cannot have its port.
    Attention,
    /// All forwards are paused.
    Paused,
}

/// The whole menu.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Menu {
    /// The icon it hangs on.
    pub icon: TrayIcon,
    /// Shown when the pointer rests on the icon.
    pub tooltip: String,
    /// Top to bottom.
    pub items: Vec<Item>,
}

/// Shells named in the menu; more are counted.
const NAMED_SHELLS: usize = 10;

/// Forwards named at the top level; more are counted.
const NAMED_FORWARDS: usize = 10;

/// The menu for a state: what runs and favourites first, then bundles, shells, and what can always be done.
pub fn menu(state: &TrayState) -> Menu {
    let groups = [ending(state), forwards(state), bundles(state), shells(state), act(state), always(state)];
    let mut items = Vec::new();
    for group in groups.into_iter().filter(|group| !group.is_empty()) {
        if !items.is_empty() {
            items.push(Item::Separator);
        }
        items.extend(group);
    }
    Menu { icon: icon(state), tooltip: tooltip(state), items }
}

fn ending(state: &TrayState) -> Vec<Item> {
    let sign_in = |words: &String| Item::Action { action: TrayAction::Open, label: format!("{words}…") };
    state.ending.iter().map(sign_in).collect()
}

fn forwards(state: &TrayState) -> Vec<Item> {
    let is_running = |f: &&TrayForward| f.state.is_running();
    let running: Vec<_> = state.forwards.iter().filter(is_running).collect();
    // What is wrong is listed even when it is no favourite: it was running, or should be.
    let listed = |f: &&TrayForward| !f.state.is_running() && (f.favourite || f.state.needs_attention());
    let favourites: Vec<_> = state.forwards.iter().filter(listed).collect();
    let named = running.len().min(NAMED_FORWARDS);
    let named_favourites = favourites.len().min(NAMED_FORWARDS - named);
    let mut items = Vec::new();
    let titles = (words::running(state.language), words::favourites(state.language));
    for (title, group, named) in [(titles.0, &running, named), (titles.1, &favourites, named_favourites)] {
        if named > 0 {
            items.push(Item::Label(title));
            items.extend(group.iter().take(named).map(|forward| switch(state.language, forward)));
        }
    }
    let more = running.len() + favourites.len() - named - named_favourites;
    if more > 0 {
        items.push(Item::Action {
            action: TrayAction::Forwards(ForwardAction::Show),
            label: words::more(state.language, more),
        });
    }
    items
}

fn switch(language: Language, forward: &TrayForward) -> Item {
    Item::Check {
        action: TrayAction::Forwards(ForwardAction::Switch { forward: forward.id.clone(), on: !forward.on }),
        label: format!("{} ({}): {}", forward.name, forward.local, words::state(language, &forward.state)),
        on: forward.on,
    }
}

fn bundles(state: &TrayState) -> Vec<Item> {
    state.bundles.iter().map(|bundle| submenu(state, bundle)).collect()
}

fn submenu(state: &TrayState, bundle: &TrayBundle) -> Item {
    let find = |id: &String| state.forwards.iter().find(|forward| forward.id == *id);
    let members: Vec<&TrayForward> = bundle.members.iter().filter_map(find).collect();
    if members.is_empty() {
        let items = vec![Item::Label(words::no_forwards(state.language))];
        return Item::Submenu { label: bundle.name.clone(), items };
    }
    // A bundle that is partly on is switched on as a whole first.
    let all = members.iter().all(|forward| forward.on);
    let running = members.iter().filter(|forward| forward.state.is_running()).count();
    let mut items = vec![
        Item::Check {
            action: TrayAction::Forwards(ForwardAction::SwitchBundle { bundle: bundle.id.clone(), on: !all }),
            label: words::all_in(state.language, &bundle.name),
            on: all,
        },
        Item::Separator,
    ];
    items.extend(members.iter().map(|forward| switch(state.language, forward)));
    items.push(Item::Separator);
    items.push(Item::Action {
        action: TrayAction::Forwards(ForwardAction::CopyAddresses { bundle: bundle.id.clone() }),
        label: words::copy_all(state.language),
    });
    Item::Submenu { label: words::running_of(state.language, &bundle.name, running, members.len()), items }
}

fn shells(state: &TrayState) -> Vec<Item> {
    let count = state.shells.len();
    let mut title =
        if count == 0 { words::no_sessions(state.language) } else { words::sessions(state.language, count) };
    if state.demo {
        title.push_str(&words::demo(state.language));
    }
    let mut items = vec![Item::Label(title)];
    for shell in state.shells.iter().take(NAMED_SHELLS) {
        items.push(Item::Action {
            action: TrayAction::OpenTab(shell.tab.clone()),
            label: words::shell(state.language, &shell.name, shell.state),
        });
    }
    if count > NAMED_SHELLS {
        items.push(Item::Label(words::and_more(state.language, count - NAMED_SHELLS)));
    }
    items
}

fn act(state: &TrayState) -> Vec<Item> {
    let connect = state
        .started
        .then(|| Item::Action { action: TrayAction::Connect, label: words::connect(state.language) });
    connect.into_iter().chain(pause(state)).collect()
}

fn pause(state: &TrayState) -> Vec<Item> {
    let action = if state.paused {
        ForwardAction::ResumeAll
    } else if state.forwards.iter().any(|forward| forward.on) {
        ForwardAction::PauseAll
    } else {
        return Vec::new();
    };
    vec![Item::Action {
        action: TrayAction::Forwards(action),
        label: words::pause(state.language, state.paused),
    }]
}

fn always(state: &TrayState) -> Vec<Item> {
    let shells = state.shells.len();
    let forwards = listening(state);
    let quit = words::quit(state.language, shells, forwards);
    vec![
        Item::Action { action: TrayAction::Open, label: words::open(state.language) },
        Item::Action { action: TrayAction::Quit, label: quit },
    ]
}

/// Forwards that end with the program.
fn listening(state: &TrayState) -> usize {
    let listens = |state: &ForwardState| state.is_running() || matches!(state, ForwardState::Idle);
    state.forwards.iter().filter(|forward| listens(&forward.state)).count()
}

fn icon(state: &TrayState) -> TrayIcon {
    let any = |test: fn(&ForwardState) -> bool| state.forwards.iter().any(|f| test(&f.state));
    let resumed = state.shells.iter().any(|shell| shell.state == super::ShellState::Reconnecting);
    if state.paused {
        TrayIcon::Paused
    } else if any(ForwardState::needs_attention) || state.ending.is_some() {
        TrayIcon::Attention
    } else if resumed || any(|state| matches!(state, ForwardState::Reconnecting { .. })) {
        TrayIcon::Reconnecting
    } else if !state.shells.is_empty() || any(ForwardState::is_running) {
        TrayIcon::Running
    } else {
        TrayIcon::Idle
    }
}

fn tooltip(state: &TrayState) -> String {
    let count = |test: fn(&ForwardState) -> bool| state.forwards.iter().filter(|f| test(&f.state)).count();
    let mut said = Vec::new();
    if state.paused {
        said.push(words::paused(state.language));
    }
    match count(ForwardState::is_running) {
        0 => {}
        running => said.push(words::running_count(state.language, running)),
    }
    match count(ForwardState::needs_attention) {
        0 => {}
        many => said.push(words::attention(state.language, many)),
    }
    if !state.shells.is_empty() {
        said.push(words::sessions(state.language, state.shells.len()));
    }
    said.extend(state.ending.clone());
    if said.is_empty() { "Fleetline".to_owned() } else { format!("Fleetline: {}", said.join(", ")) }
}
