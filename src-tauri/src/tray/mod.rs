//! Draws the application's menu in the tray.

mod badge;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fleetline_app::AppHandle;
use fleetline_app::tray::{Item, Menu, TrayAction};
use tauri::menu::{CheckMenuItem, IsMenuItem, MenuEvent, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{self as native_tray, MouseButton, MouseButtonState, TrayIconBuilder, TrayIconEvent};
use tauri::{Manager, Runtime};

/// The tray icon, where there is one.
pub(crate) struct Tray<R: Runtime> {
    icon: Option<native_tray::TrayIcon<R>>,
    drawn: Mutex<Option<Drawn<R>>>,
}

/// What hangs on the icon now. A native item is called by the place of its item among all of the menu.
struct Drawn<R: Runtime> {
    menu: Menu,
    natives: Vec<Native<R>>,
}

/// An item of the desktop's own.
enum Native<R: Runtime> {
    Plain(MenuItem<R>),
    Check(CheckMenuItem<R>),
    Submenu(Submenu<R>),
    Separator(PredefinedMenuItem<R>),
}

impl<R: Runtime> Tray<R> {
    /// Puts the icon into the tray. Without a tray library there is none, and the app goes on without it.
    pub(crate) fn new(app: &tauri::AppHandle<R>) -> Self {
        // On Linux the binding panics where the indicator library is not installed.
        let icon = catch_unwind(AssertUnwindSafe(|| build(app)));
        let icon = match icon {
            Ok(Ok(icon)) => Some(icon),
            Ok(Err(error)) => {
                tracing::warn!(%error, "no tray icon");
                None
            }
            Err(_) => {
                tracing::warn!("no tray icon: the indicator library is not installed");
                None
            }
        };
        Self { icon, drawn: Mutex::default() }
    }

    /// Whether the user can come back through the tray after the window is hidden.
    pub(crate) fn is_shown(&self) -> bool {
        self.icon.is_some() && crate::os::has_tray()
    }

    /// Draws `menu` in place of the last one. On the main thread only.
    pub(crate) fn draw(&self, app: &tauri::AppHandle<R>, menu: &Menu) {
        let Some(icon) = &self.icon else { return };
        if let Err(error) = self.try_draw(app, icon, menu) {
            tracing::warn!(%error, "the tray menu could not be drawn");
        }
    }

    fn try_draw(
        &self,
        app: &tauri::AppHandle<R>,
        icon: &native_tray::TrayIcon<R>,
        menu: &Menu,
    ) -> tauri::Result<()> {
        let mut drawn = self.drawn();
        if !drawn.as_ref().is_some_and(|drawn| has_same_shape(&drawn.menu.items, &menu.items)) {
            let mut natives = Vec::new();
            let native = tauri::menu::Menu::new(app)?;
            for item in &menu.items {
                let top = append(app, item, &mut natives)?;
                native.append(natives[top].as_item())?;
            }
            icon.set_menu(Some(native))?;
            let (icon, tooltip) =
                drawn.take().map(|old| (old.menu.icon, old.menu.tooltip)).unwrap_or_default();
            *drawn = Some(Drawn { menu: Menu { icon, tooltip, items: menu.items.clone() }, natives });
        }
        let Some(drawn) = drawn.as_mut() else { return Ok(()) };
        // A menu that is open stays open, and what it says moves.
        drawn.update(&menu.items)?;
        let old = std::mem::replace(&mut drawn.menu, menu.clone());
        if old.icon != menu.icon {
            icon.set_icon(Some(badge::icon(menu.icon)?))?;
            icon.set_icon_as_template(true)?;
        }
        if old.tooltip != menu.tooltip {
            icon.set_tooltip(Some(&menu.tooltip))?;
        }
        Ok(())
    }

    /// What a native item does now.
    fn action(&self, id: &str) -> Option<TrayAction> {
        let drawn = self.drawn();
        let mut items = Vec::new();
        flatten(&drawn.as_ref()?.menu.items, &mut items);
        match items.get(id.parse::<usize>().ok()?)? {
            Item::Action { action, .. } | Item::Check { action, .. } => Some(action.clone()),
            Item::Submenu { .. } | Item::Label(_) | Item::Separator => None,
        }
    }

    fn drawn(&self) -> MutexGuard<'_, Option<Drawn<R>>> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Runtime> Drawn<R> {
    /// Says what `items` say, which have the shape of those that are drawn.
    fn update(&mut self, items: &[Item]) -> tauri::Result<()> {
        let (mut old, mut new) = (Vec::new(), Vec::new());
        flatten(&self.menu.items, &mut old);
        flatten(items, &mut new);
        for ((native, old), new) in self.natives.iter().zip(old).zip(new) {
            if let Some(text) = new.label().filter(|text| old.label() != Some(text)) {
                native.set_text(plain(text))?;
            }
            // The desktop moves a mark by itself when it is clicked.
            if let (Native::Check(native), Item::Check { on, .. }) = (native, new)
                && native.is_checked()? != *on
            {
                native.set_checked(*on)?;
            }
        }
        Ok(())
    }
}

impl<R: Runtime> Native<R> {
    fn as_item(&self) -> &dyn IsMenuItem<R> {
        match self {
            Self::Plain(item) => item,
            Self::Check(item) => item,
            Self::Submenu(item) => item,
            Self::Separator(item) => item,
        }
    }

    fn set_text(&self, text: String) -> tauri::Result<()> {
        match self {
            Self::Plain(item) => item.set_text(text),
            Self::Check(item) => item.set_text(text),
            Self::Submenu(item) => item.set_text(text),
            Self::Separator(_) => Ok(()),
        }
    }
}

fn build<R: Runtime>(app: &tauri::AppHandle<R>) -> tauri::Result<native_tray::TrayIcon<R>> {
    TrayIconBuilder::with_id("fleetline")
        .icon(badge::icon(fleetline_app::tray::TrayIcon::Idle)?)
        .icon_as_template(true)
        .tooltip("Fleetline")
        // macOS opens the menu on any click by convention; elsewhere the left button opens the window.
        .show_menu_on_left_click(cfg!(target_os = "macos"))
        .on_menu_event(chosen)
        .on_tray_icon_event(|icon, event| clicked(icon.app_handle(), &event))
        .build(app)
}

fn chosen<R: Runtime>(app: &tauri::AppHandle<R>, event: MenuEvent) {
    let Some(action) = app.state::<Tray<R>>().action(event.id().as_ref()) else { return };
    let fleetline = app.state::<AppHandle>().inner().clone();
    tauri::async_runtime::spawn(async move { fleetline.tray_chosen(action).await });
}

fn clicked<R: Runtime>(app: &tauri::AppHandle<R>, event: &TrayIconEvent) {
    let left = matches!(
        event,
        TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. }
    );
    if left && !cfg!(target_os = "macos") {
        let fleetline = app.state::<AppHandle>().inner().clone();
        tauri::async_runtime::spawn(async move { fleetline.activated().await });
    }
}

/// Makes the native item, with those within it after it. Returns its place among all.
fn append<R: Runtime>(
    app: &tauri::AppHandle<R>,
    item: &Item,
    natives: &mut Vec<Native<R>>,
) -> tauri::Result<usize> {
    let place = natives.len();
    let id = place.to_string();
    natives.push(match item {
        Item::Action { label, .. } => {
            Native::Plain(MenuItem::with_id(app, id, plain(label), true, None::<&str>)?)
        }
        Item::Check { label, on, .. } => {
            Native::Check(CheckMenuItem::with_id(app, id, plain(label), true, *on, None::<&str>)?)
        }
        Item::Submenu { label, .. } => Native::Submenu(Submenu::with_id(app, id, plain(label), true)?),
        Item::Label(label) => Native::Plain(MenuItem::with_id(app, id, plain(label), false, None::<&str>)?),
        Item::Separator => Native::Separator(PredefinedMenuItem::separator(app)?),
    });
    if let Item::Submenu { items, .. } = item {
        for item in items {
            let within = append(app, item, natives)?;
            if let Native::Submenu(submenu) = &natives[place] {
                submenu.append(natives[within].as_item())?;
            }
        }
    }
    Ok(place)
}

/// All items, each before those within it: the order in which [`append`] makes them.
fn flatten<'a>(items: &'a [Item], all: &mut Vec<&'a Item>) {
    for item in items {
        all.push(item);
        if let Item::Submenu { items, .. } = item {
            flatten(items, all);
        }
    }
}

/// Whether a submenu that is drawn can be given another name. The GTK binding keeps the first one, without a word.
const SUBMENUS_TAKE_NAMES: bool = !cfg!(target_os = "linux");

/// Whether the items of two menus differ only in what can be changed where they are drawn: what they say, do and mark.
fn has_same_shape(a: &[Item], b: &[Item]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|pair| match pair {
            (Item::Submenu { label: name, items: a }, Item::Submenu { label: other, items: b }) => {
                (SUBMENUS_TAKE_NAMES || name == other) && has_same_shape(a, b)
            }
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        })
}

/// A label without the mark of an access key, which a name may contain.
fn plain(label: &str) -> String {
    label.replace('&', "&&")
}

#[cfg(test)]
mod tests {
    use fleetline_app::tray::TrayAction;

    use super::*;

    fn check(label: &str, on: bool) -> Item {
        Item::Check { action: TrayAction::Open, label: label.to_owned(), on }
    }

    fn submenu(label: &str, items: Vec<Item>) -> Item {
        Item::Submenu { label: label.to_owned(), items }
    }

    #[test]
    fn only_the_kinds_of_items_make_the_shape() {
        let one = vec![check("a", false), submenu("b", vec![Item::Separator, check("c", true)])];
        let other = vec![check("x", true), submenu("b", vec![Item::Separator, check("z", false)])];
        assert!(has_same_shape(&one, &other));
        let renamed = vec![check("x", true), submenu("y", vec![Item::Separator, check("z", false)])];
        assert_eq!(has_same_shape(&one, &renamed), SUBMENUS_TAKE_NAMES);
        let longer = vec![check("a", false), submenu("b", vec![Item::Separator])];
        assert!(!has_same_shape(&one, &longer));
        assert!(!has_same_shape(&one, &[check("a", false), Item::Separator]));
    }

    #[test]
    fn items_of_a_submenu_stand_behind_it() {
        let items = [submenu("b", vec![check("c", true)]), Item::Label("d".to_owned())];
        let mut all = Vec::new();
        flatten(&items, &mut all);
        let labels: Vec<_> = all.into_iter().map(|item| item.label().unwrap()).collect();
        assert_eq!(labels, ["b", "c", "d"]);
    }
}
