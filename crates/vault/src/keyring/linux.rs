//! Whether a Secret Service is there and unlocked, asked before the keyring library is: it would show a dialog for a
//! locked one, and remembers for the whole run that none was there.

use zbus::blocking::{Connection, Proxy, connection};
use zbus::zvariant::OwnedObjectPath;

use super::{KeyTrouble, PATIENCE};
use crate::state::Absence;

const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
/// What the service answers for an alias that stands for nothing.
const NOTHING: &str = "/";

/// The default collection must be there. A locked one is refused unless a person may be asked.
pub(super) fn probe(ask: bool) -> Result<(), KeyTrouble> {
    let bus = connection::Builder::session()
        .and_then(|bus| bus.method_timeout(PATIENCE).build())
        .map_err(|_| KeyTrouble::Absent(Absence::NoKeyring))?;
    let collection = default_collection(&bus).map_err(|error| trouble(&error))?;
    if collection.as_str() == NOTHING {
        return Err(KeyTrouble::Absent(Absence::NoCollection));
    }
    let locked: bool = Proxy::new(&bus, NAME, collection, COLLECTION)
        .and_then(|collection| collection.get_property("Locked"))
        .map_err(|error| trouble(&error))?;
    if locked && !ask { Err(KeyTrouble::Locked) } else { Ok(()) }
}

/// Starts the service if the bus can.
fn default_collection(bus: &Connection) -> zbus::Result<OwnedObjectPath> {
    Proxy::new(bus, NAME, PATH, SERVICE)?.call("ReadAlias", &("default",))
}

fn trouble(error: &zbus::Error) -> KeyTrouble {
    let name = match error {
        zbus::Error::MethodError(name, ..) => name.as_str(),
        zbus::Error::InputOutput(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            return KeyTrouble::Hanging;
        }
        _ => "",
    };
    match name.strip_prefix("org.freedesktop.DBus.Error.") {
        Some("NoReply" | "Timeout" | "TimedOut") => KeyTrouble::Hanging,
        Some("ServiceUnknown" | "NameHasNoOwner") => KeyTrouble::Absent(Absence::NoKeyring),
        Some(other) if other.starts_with("Spawn") => KeyTrouble::Absent(Absence::NoKeyring),
        _ => KeyTrouble::Absent(Absence::Refused(error.to_string())),
    }
}
