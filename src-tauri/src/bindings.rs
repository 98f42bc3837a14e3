//! The one list of commands and events, and the TypeScript made from it.

use std::path::Path;

use fleetline_ipc::event::AppEvent;
use serde::{Deserialize, Serialize};
use specta::Types;
use specta::datatype::DataType;
use specta_typescript::Typescript;
use tauri::Runtime;
use tauri_specta::{Builder, Event, collect_commands, collect_events};

use crate::commands;

/// An [`AppEvent`] on its way through Tauri's event system, as `app-event`. Its type in TypeScript is `AppEvent`.
#[derive(Clone, Debug, Serialize, Deserialize, Event)]
#[serde(transparent)]
#[tauri_specta(event_name = "app-event")]
pub struct Emitted(pub AppEvent);

impl specta::Type for Emitted {
    fn definition(types: &mut Types) -> DataType {
        AppEvent::definition(types)
    }
}

/// All commands and events, for any runtime: the app and the tests use the same list.
pub fn builder<R: Runtime>() -> Builder<R> {
    let commands = collect_commands![
        commands::app::app_snapshot,
        commands::app::app_start,
        commands::app::app_leave,
        commands::app::app_quit,
        commands::app::app_close,
        commands::app::app_hide,
        commands::app::app_restore,
        commands::app::link_answer,
        commands::app::link_status,
        commands::app::app_language,
        commands::app::settings_apply,
        commands::fleet::fleet_refresh,
        commands::fleet::fleet_cancel,
        commands::fleet::fleet_refresh_one,
        commands::fleet::fleet_book,
        commands::fleet::fleet_export,
        commands::fleet::fleet_view_open,
        commands::fleet::fleet_view_query,
        commands::fleet::fleet_view_window,
        commands::fleet::fleet_view_close,
        commands::fleet::fleet_view_find,
        commands::fleet::fleet_view_type_ahead,
        commands::fleet::fleet_complete,
        commands::fleet::fleet_node,
        commands::tab::shell_open,
        commands::tab::tab_activate,
        commands::tab::tab_move,
        commands::tab::tab_close,
        commands::tab::tab_restart,
        commands::tab::session_retry,
        commands::recording::tab_record,
        commands::recording::recordings_list,
        commands::recording::recording_play,
        commands::recording::recording_export,
        commands::recording::recording_delete,
        commands::tab::replay_control,
        commands::tab::ssh_open,
        commands::tab::editor_open,
        commands::terminal::terminal_attach,
        commands::terminal::terminal_detach,
        commands::terminal::terminal_ack,
        commands::terminal::terminal_resize,
        commands::terminal::terminal_key,
        commands::terminal::terminal_text,
        commands::terminal::terminal_paste,
        commands::terminal::terminal_paste_clipboard,
        commands::terminal::terminal_mouse,
        commands::terminal::terminal_focus,
        commands::terminal::terminal_scroll,
        commands::terminal::terminal_select,
        commands::terminal::terminal_copy,
        commands::terminal::terminal_search,
        commands::terminal::terminal_mirror,
        commands::forward::forward_create,
        commands::forward::forward_edit,
        commands::forward::forward_remove,
        commands::forward::forward_switch,
        commands::forward::forward_expose,
        commands::forward::forward_bundle,
        commands::forward::forwards_pause,
        commands::forward::forwards_arrange,
        commands::forward::forward_retry,
        commands::forward::forward_disconnect,
        commands::forward::forward_detail,
        commands::forward::forward_texts,
        commands::access::node_check,
        commands::access::node_check_stop,
        commands::access::node_deregister,
        commands::access::tier_review,
        commands::access::tier_change,
        commands::access::tier_watch,
        commands::access::activations_list,
        commands::access::activation_create,
        commands::access::activation_delete,
        commands::access::activation_copy,
        commands::access::activation_reveal,
        commands::access::activation_forget,
        commands::desktop::desktop_info,
        commands::desktop::desktop_open,
        commands::desktop::desktop_copy_password,
        commands::account::accounts_check,
        commands::account::sign_in,
        commands::account::sign_in_add,
        commands::account::sign_in_page,
        commands::account::sign_in_cancel,
        commands::account::sign_out,
        commands::account::sign_in_accounts,
        commands::account::accounts_use_roles,
        commands::account::accounts_use,
        commands::account::account_remove,
        commands::account::mfa_answer,
        commands::account::mfa_decline,
        commands::secrets::secrets_status,
        commands::secrets::secrets_keep,
        commands::secrets::secrets_forget,
        commands::document::documents_list,
        commands::document::documents_types,
        commands::document::document_open,
        commands::document::document_save,
        commands::document::document_set_default,
        commands::document::document_delete,
        commands::document::document_template,
        commands::document::document_read,
        commands::document::document_edit,
        commands::document::document_compare,
        commands::history::history_watch,
        commands::history::history_refresh,
        commands::history::history_window,
        commands::history::history_of_owner,
        commands::history::history_end,
        commands::history::history_export,
        commands::session_log::session_log,
        commands::session_log::session_log_save,
        commands::session_log::session_events,
        commands::session_log::session_log_replay,
        commands::session_log::audit_read,
        commands::connect::connect_check,
        commands::connect::connect_last,
        commands::connect::connect_open,
        commands::document::preferences_apply,
        commands::system::clipboard_write,
        commands::system::system_open_url,
    ];
    // One shape per type: none of ours differs between reading and writing.
    Builder::new().commands(commands).events(collect_events![Emitted]).disable_serde_phases()
}

/// Writes the bindings for TypeScript to `path`.
///
/// Fails when a type cannot be expressed in TypeScript or the file cannot be written.
pub fn export(path: &Path) -> Result<(), specta_typescript::Error> {
    builder::<tauri::Wry>().export(Typescript::default(), path)
}
