//! The keys of a profile, and a profile as keys.

use toml_edit::{InlineTable, Value};

use super::model::{Folder, Local, ProfileKind, ProfileTarget, SavedProfile};
use super::settings::Settings;
use super::value::FromToml;

/// Keys and their values; `None` is a known key that is absent.
pub(crate) type Written = Vec<(&'static str, Option<Value>)>;

/// Keys of a profile besides the settings, in the order they are written.
pub(crate) const PROFILE_KEYS: [&str; 15] = [
    "kind",
    "name",
    "folder",
    "order",
    "favourite",
    "note",
    "node",
    "query",
    "document",
    "parameters",
    "host",
    "port",
    "local-port",
    "socket",
    "members",
];

/// Keys of a folder besides the settings.
pub(crate) const FOLDER_KEYS: [&str; 1] = ["order"];

/// Port of a remote desktop unless said otherwise.
pub(crate) const RDP_PORT: u16 = 3389;

/// Port of an SSH server unless said otherwise.
pub(crate) const SSH_PORT: u16 = 22;

pub(crate) fn of_profile(profile: &SavedProfile) -> Written {
    let mut values: Vec<Option<Value>> = vec![None; PROFILE_KEYS.len()];
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(at) = PROFILE_KEYS.iter().position(|k| *k == key) {
            values[at] = value;
        }
    };
    put("kind", Some(Value::from(profile.kind.word())));
    put("name", Some(Value::from(profile.name.as_str())));
    put("folder", (!profile.folder.is_top()).then(|| profile.folder.write()));
    put("order", profile.order.map(Value::from));
    put("favourite", profile.favourite.then(|| Value::from(true)));
    put("note", profile.note.as_deref().map(Value::from));
    match profile.kind.target() {
        Some(ProfileTarget::Node(node)) => put("node", Some(Value::from(node.as_str()))),
        Some(ProfileTarget::Query(query)) => put("query", Some(Value::from(query.as_str()))),
        None => {}
    }
    let port = |port: u16| Some(Value::from(i64::from(port)));
    let other_than = |value: u16, usual: u16| if value == usual { None } else { port(value) };
    match &profile.kind {
        ProfileKind::Shell { document, parameters, .. } => {
            put("document", document.as_deref().map(Value::from));
            put("parameters", table(parameters));
        }
        ProfileKind::Document { document, parameters, .. } => {
            put("document", Some(Value::from(document.as_str())));
            put("parameters", table(parameters));
        }
        ProfileKind::Forward { remote, local, .. } => {
            put("host", remote.host.as_deref().map(Value::from));
            put("port", port(remote.port));
            put_local(local, &mut put);
        }
        ProfileKind::Socks { local, .. } => put_local(local, &mut put),
        ProfileKind::Rdp { port, local_port, .. } => {
            put("port", other_than(*port, RDP_PORT));
            put("local-port", other_than(*local_port, 0));
        }
        ProfileKind::Ssh { port, .. } => put("port", other_than(*port, SSH_PORT)),
        ProfileKind::Bundle { members } => put("members", Some(members.write())),
    }
    PROFILE_KEYS.into_iter().zip(values).chain(profile.settings.written()).collect()
}

fn put_local(local: &Local, put: &mut impl FnMut(&str, Option<Value>)) {
    match local {
        Local::Port(port) => put("local-port", Some(Value::from(i64::from(*port)))),
        Local::Socket(path) => put("socket", Some(Value::from(path.as_str()))),
    }
}

fn table(parameters: &[(String, Vec<String>)]) -> Option<Value> {
    if parameters.is_empty() {
        return None;
    }
    let mut table = InlineTable::new();
    for (name, values) in parameters {
        let value = match values.as_slice() {
            [one] => one.write(),
            many => Value::Array(many.iter().map(String::as_str).collect()),
        };
        table.insert(name, value);
    }
    Some(Value::InlineTable(table))
}

pub(crate) fn of_folder(folder: &Folder) -> Written {
    [("order", folder.order.map(Value::from))].into_iter().chain(folder.settings.written()).collect()
}

pub(crate) fn of_defaults(defaults: &Settings) -> Written {
    defaults.written()
}
