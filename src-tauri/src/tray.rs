//! Draws the application's menu in the tray.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fleetline_app::AppHandle;
use fleetline_app::tray::{Item, Menu, TrayAction, TrayIcon};
use tauri::image::Image;
use tauri::menu::{CheckMenuItem, IsMenuItem, MenuEvent, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{self as native_tray, MouseButton, MouseButtonState, TrayIconBuilder, TrayIconEvent};
use tauri::{Manager, Runtime};

const IDLE: &[u8] = include_bytes!("../../icons/tray/idle.png");
const BUSY: &[u8] = include_bytes!("../../icons/tray/busy.png");

/// The tray icon, where there is one.
pub(crate) struct Tray<R: Runtime> {
    icon: Option<native_tray::TrayIcon<R>>,
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
        Self { icon }
    }

    /// Whether the user can come back through the tray after the window is hidden.
    pub(crate) fn is_shown(&self) -> bool {
        self.icon.is_some() && crate::os::has_tray()
    }

    /// Draws `menu` in place of the last one. On the main thread only.
    pub(crate) fn draw(&self, app: &tauri::AppHandle<R>, menu: &Menu) {
        let Some(icon) = &self.icon else { return };
        let drawn = native(app, menu)
            .and_then(|native| icon.set_menu(Some(native)))
            .and_then(|()| icon.set_icon(Some(Image::from_bytes(picture(menu))?)))
            .and_then(|()| icon.set_icon_as_template(true))
            .and_then(|()| icon.set_tooltip(Some(&menu.tooltip)));
        if let Err(error) = drawn {
            tracing::warn!(%error, "the tray menu could not be drawn");
        }
    }
}

fn build<R: Runtime>(app: &tauri::AppHandle<R>) -> tauri::Result<native_tray::TrayIcon<R>> {
    TrayIconBuilder::with_id("fleetline")
        .icon(Image::from_bytes(IDLE)?)
        .icon_as_template(true)
        .tooltip("Fleetline")
        // macOS opens the menu on any click by convention; elsewhere the left button opens the window.
        .show_menu_on_left_click(cfg!(target_os = "macos"))
        .on_menu_event(chosen)
        .on_tray_icon_event(|icon, event| clicked(icon.app_handle(), &event))
        .build(app)
}

fn chosen<R: Runtime>(app: &tauri::AppHandle<R>, event: MenuEvent) {
    let Some(action) = TrayAction::from_id(event.id().as_ref()) else { return };
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

/// The menu in the desktop's own items.
fn native<R: Runtime>(app: &tauri::AppHandle<R>, menu: &Menu) -> tauri::Result<tauri::menu::Menu<R>> {
    let native = tauri::menu::Menu::new(app)?;
    for item in &menu.items {
        native.append(native_item(app, item)?.as_ref())?;
    }
    Ok(native)
}

fn native_item<R: Runtime>(app: &tauri::AppHandle<R>, item: &Item) -> tauri::Result<Box<dyn IsMenuItem<R>>> {
    Ok(match item {
        Item::Action { action, label } => {
            Box::new(MenuItem::with_id(app, action.id(), plain(label), true, None::<&str>)?)
        }
        Item::Check { action, label, on } => {
            Box::new(CheckMenuItem::with_id(app, action.id(), plain(label), true, *on, None::<&str>)?)
        }
        Item::Submenu { label, items } => {
            let submenu = Submenu::new(app, plain(label), true)?;
            for item in items {
                submenu.append(native_item(app, item)?.as_ref())?;
            }
            Box::new(submenu)
        }
        Item::Label(label) => Box::new(MenuItem::new(app, plain(label), false, None::<&str>)?),
        Item::Separator => Box::new(PredefinedMenuItem::separator(app)?),
    })
}

/// A label without the mark of an access key, which a name may contain.
fn plain(label: &str) -> String {
    label.replace('&', "&&")
}

/// The icon for a menu: busy while something runs or wants attention.
fn picture(menu: &Menu) -> &'static [u8] {
    match menu.icon {
        TrayIcon::Idle | TrayIcon::Paused => IDLE,
        TrayIcon::Running | TrayIcon::Reconnecting | TrayIcon::Attention => BUSY,
    }
}
