//! The desktop's side of a tray icon: a watcher that icons register with, and a reader of their menus. The protocols are
//! `org.kde.StatusNotifierItem` and `com.canonical.dbusmenu`.

use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use zbus::message::Header;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, Proxy, interface};

use crate::bus::Bus;
use crate::page::{GLANCE, PATIENCE};

/// Where an icon is: the name of its program on the bus, and its path there.
type Place = (String, String);

/// An item of the menu as D-Bus tells it: its id, its properties, and the items below it.
type Layout = (i32, std::collections::HashMap<String, OwnedValue>, Vec<OwnedValue>);

/// A desktop that shows tray icons.
pub(crate) struct Tray {
    bus: Connection,
    icon: watch::Receiver<Option<Place>>,
}

/// An entry of a menu.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    id: i32,
    /// What it says; empty for a line.
    pub(crate) label: String,
    /// Whether it has a check mark; `None` where it cannot have one.
    pub(crate) mark: Option<bool>,
    /// Whether it can be chosen.
    pub(crate) enabled: bool,
    /// The menu beside it.
    pub(crate) entries: Vec<Self>,
}

/// What icons register with.
struct Watcher(watch::Sender<Option<Place>>);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: &str, #[zbus(header)] header: Header<'_>) {
        // A path of the caller, or a name on the bus that has the icon at the usual path.
        let place = match header.sender() {
            Some(sender) if service.starts_with('/') => (sender.to_string(), service.to_owned()),
            _ => (service.to_owned(), "/StatusNotifierItem".to_owned()),
        };
        self.0.send_replace(Some(place));
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.0.borrow().iter().map(|(name, path)| format!("{name}{path}")).collect()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

impl Tray {
    /// Offers a tray on a bus, before the app looks for one.
    pub(crate) async fn offer(bus: &Bus) -> Result<Self> {
        let (sender, icon) = watch::channel(None);
        let bus = zbus::connection::Builder::address(bus.address())?
            .name("org.kde.StatusNotifierWatcher")?
            .serve_at("/StatusNotifierWatcher", Watcher(sender))?
            .build()
            .await?;
        Ok(Self { bus, icon })
    }

    /// Waits until the app has registered its icon.
    async fn icon(&self) -> Result<Proxy<'static>> {
        let mut icon = self.icon.clone();
        let place =
            timeout(PATIENCE, icon.wait_for(Option::is_some)).await.context("no tray icon came")??.clone();
        let (name, path) = place.context("no tray icon")?;
        Ok(Proxy::new(&self.bus, name, path, "org.kde.StatusNotifierItem").await?)
    }

    async fn menu(&self) -> Result<Proxy<'static>> {
        let icon = self.icon().await?;
        let path: OwnedObjectPath = icon.get_property("Menu").await?;
        Ok(Proxy::new(&self.bus, icon.destination().to_owned(), path, "com.canonical.dbusmenu").await?)
    }

    /// The whole menu as it is now.
    pub(crate) async fn entries(&self) -> Result<Vec<Entry>> {
        let menu = self.menu().await?;
        let _: bool = menu.call("AboutToShow", &(0_i32,)).await?;
        let (_, root): (u32, Layout) = menu.call("GetLayout", &(0_i32, -1_i32, Vec::<String>::new())).await?;
        root.2.iter().map(|value| entry(value)).collect()
    }

    /// Waits until an entry, at the top or in a menu beside it, satisfies `accept`.
    pub(crate) async fn entry_until(&self, what: &str, accept: impl Fn(&Entry) -> bool) -> Result<Entry> {
        let begun = Instant::now();
        loop {
            // Between two drawings the menu may be gone for a moment.
            let entries = self.entries().await.unwrap_or_default();
            if let Some(found) = find(&entries, &accept) {
                return Ok(found.clone());
            }
            if begun.elapsed() > PATIENCE {
                bail!("{what}: not within {} s; the menu is {entries:#?}", PATIENCE.as_secs());
            }
            sleep(GLANCE).await;
        }
    }

    /// Waits for the entry whose text begins so, and chooses it.
    pub(crate) async fn choose(&self, label: &str) -> Result<()> {
        let entry = self.entry_until(label, |entry| entry.label.starts_with(label)).await?;
        ensure!(entry.enabled, "{label} cannot be chosen");
        let menu = self.menu().await?;
        Ok(menu.call("Event", &(entry.id, "clicked", Value::I32(0), 0_u32)).await?)
    }

    /// What the icon says to the pointer and to screen readers.
    pub(crate) async fn title(&self) -> Result<String> {
        Ok(self.icon().await?.get_property("Title").await?)
    }
}

fn find<'a>(entries: &'a [Entry], accept: &impl Fn(&Entry) -> bool) -> Option<&'a Entry> {
    let here = |entry: &'a Entry| if accept(entry) { Some(entry) } else { find(&entry.entries, accept) };
    entries.iter().find_map(here)
}

/// Reads `(ia{sv}av)`: number, properties, what is within.
fn entry(value: &Value<'_>) -> Result<Entry> {
    let value = if let Value::Value(inner) = value { inner } else { value };
    let Value::Structure(structure) = value else { bail!("no entry: {value:?}") };
    let [Value::I32(id), Value::Dict(properties), Value::Array(within)] = structure.fields() else {
        bail!("no entry: {structure:?}")
    };
    let text = |name: &str| properties.get::<&str, &str>(&name).ok().flatten().map(str::to_owned);
    let number = |name: &str| properties.get::<&str, i32>(&name).ok().flatten();
    let flag = |name: &str| properties.get::<&str, bool>(&name).ok().flatten();
    let has_mark = text("toggle-type").is_some_and(|kind| !kind.is_empty());
    Ok(Entry {
        id: *id,
        // One underscore marks an access key, two are one.
        label: text("label").unwrap_or_default().replace("__", "_"),
        mark: has_mark.then(|| number("toggle-state") == Some(1)),
        enabled: flag("enabled").unwrap_or(true),
        entries: within.iter().map(entry).collect::<Result<_>>()?,
    })
}
