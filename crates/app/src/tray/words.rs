//! What the tray and notifications say, in the languages of the window. Causes come as they were told.

use fleetline_ipc::system::Language;
use fleetline_ipc::system::Language::{De, En, Ja};

use super::{ForwardState, ShellState};

/// Fixed texts: English, German, Japanese.
fn of(language: Language, [english, german, japanese]: [&str; 3]) -> String {
    match language {
        En => english,
        De => german,
        Ja => japanese,
    }
    .to_owned()
}

/// A count with its noun.
fn counted(language: Language, count: usize, [one, many]: [[&str; 2]; 2], japanese: &str) -> String {
    match language {
        En => format!("{count} {}", if count == 1 { one[0] } else { many[0] }),
        De => format!("{count} {}", if count == 1 { one[1] } else { many[1] }),
        Ja => format!("{japanese} {count} 件"),
    }
}

pub(super) fn sessions(language: Language, count: usize) -> String {
    counted(language, count, [["session", "Sitzung"], ["sessions", "Sitzungen"]], "セッション")
}

pub(super) fn forwards(language: Language, count: usize) -> String {
    counted(language, count, [["forward", "Weiterleitung"], ["forwards", "Weiterleitungen"]], "転送")
}

pub(super) fn running(language: Language) -> String {
    of(language, ["Running", "Läuft", "実行中"])
}

pub(super) fn favourites(language: Language) -> String {
    of(language, ["Favourites", "Favoriten", "お気に入り"])
}

pub(super) fn more(language: Language, count: usize) -> String {
    match language {
        En => format!("{count} more…"),
        De => format!("{count} weitere…"),
        Ja => format!("ほか {count} 件…"),
    }
}

pub(super) fn and_more(language: Language, count: usize) -> String {
    match language {
        En => format!("and {count} more"),
        De => format!("und {count} weitere"),
        Ja => format!("ほか {count} 件"),
    }
}

pub(super) fn no_forwards(language: Language) -> String {
    of(language, ["No forwards", "Keine Weiterleitungen", "転送なし"])
}

pub(super) fn all_in(language: Language, bundle: &str) -> String {
    match language {
        En => format!("All forwards in {bundle}"),
        De => format!("Alle Weiterleitungen in {bundle}"),
        Ja => format!("{bundle} のすべての転送"),
    }
}

pub(super) fn copy_all(language: Language) -> String {
    of(
        language,
        ["Copy all local addresses", "Alle lokalen Adressen kopieren", "ローカルアドレスをすべてコピー"],
    )
}

pub(super) fn running_of(language: Language, bundle: &str, running: usize, all: usize) -> String {
    match language {
        En => format!("{bundle}: {running} of {all} running"),
        De => format!("{bundle}: {running} von {all} aktiv"),
        Ja => format!("{bundle}: {all} 件中 {running} 件が実行中"),
    }
}

pub(super) fn no_sessions(language: Language) -> String {
    of(language, ["No sessions", "Keine Sitzungen", "セッションなし"])
}

pub(super) fn demo(language: Language) -> String {
    of(language, [" · demo fleet", " · Demoflotte", " · デモフリート"])
}

pub(super) fn shell(language: Language, name: &str, state: ShellState) -> String {
    let state = of(
        language,
        match state {
            ShellState::Connecting => ["connecting", "verbindet", "接続中"],
            ShellState::Connected => ["connected", "verbunden", "接続済み"],
            ShellState::Reconnecting => ["reconnecting", "verbindet neu", "再接続中"],
        },
    );
    match language {
        En => format!("{name}: shell, {state}"),
        De => format!("{name}: Shell, {state}"),
        Ja => format!("{name}: シェル、{state}"),
    }
}

pub(super) fn connect(language: Language) -> String {
    of(language, ["Connect to node…", "Mit Knoten verbinden…", "ノードに接続…"])
}

pub(super) fn pause(language: Language, paused: bool) -> String {
    if paused {
        of(language, ["Resume all forwards", "Alle Weiterleitungen fortsetzen", "すべての転送を再開"])
    } else {
        of(language, ["Pause all forwards", "Alle Weiterleitungen anhalten", "すべての転送を一時停止"])
    }
}

pub(super) fn open(language: Language) -> String {
    of(language, ["Open Fleetline", "Fleetline öffnen", "Fleetline を開く"])
}

/// What quitting ends.
pub(super) fn quit(language: Language, shells: usize, listening: usize) -> String {
    let (ends, stops) = (sessions(language, shells), forwards(language, listening));
    let (ends, stops) = match language {
        En => (format!("end {ends}"), format!("stop {stops}")),
        De => (format!("{ends} beenden"), format!("{stops} beenden")),
        Ja => (format!("{ends}を終了"), format!("{stops}を停止")),
    };
    let just = of(language, ["Quit", "Beenden", "終了"]);
    let (and, comma, between) = match language {
        En => (" and ", ", ", " and "),
        De => (" und ", ", ", " und "),
        Ja => ("、", "、", "、"),
    };
    match (shells, listening) {
        (0, 0) => just,
        (_, 0) => format!("{just}{and}{ends}…"),
        (0, _) => format!("{just}{and}{stops}…"),
        _ => format!("{just}{comma}{ends}{between}{stops}…"),
    }
}

pub(super) fn paused(language: Language) -> String {
    of(language, ["forwards paused", "Weiterleitungen angehalten", "転送は一時停止中"])
}

pub(super) fn running_count(language: Language, count: usize) -> String {
    let forwards = forwards(language, count);
    match language {
        En => format!("{forwards} running"),
        De => format!("{forwards} aktiv"),
        Ja => format!("{forwards}が実行中"),
    }
}

pub(super) fn attention(language: Language, count: usize) -> String {
    match language {
        En if count == 1 => "1 needs attention".to_owned(),
        En => format!("{count} need attention"),
        De if count == 1 => "1 braucht Aufmerksamkeit".to_owned(),
        De => format!("{count} brauchen Aufmerksamkeit"),
        Ja => format!("{count} 件は確認が必要"),
    }
}

pub(super) fn state(language: Language, state: &ForwardState) -> String {
    match state {
        ForwardState::Off => of(language, ["off", "aus", "オフ"]),
        ForwardState::Idle => of(language, ["idle", "bereit", "待機中"]),
        ForwardState::Starting => of(language, ["connecting", "verbindet", "接続中"]),
        ForwardState::Active { connections: 0 } => of(language, ["active", "aktiv", "稼働中"]),
        ForwardState::Active { connections } => match language {
            En if *connections == 1 => "active, 1 connection".to_owned(),
            En => format!("active, {connections} connections"),
            De if *connections == 1 => "aktiv, 1 Verbindung".to_owned(),
            De => format!("aktiv, {connections} Verbindungen"),
            Ja => format!("稼働中、接続 {connections} 件"),
        },
        ForwardState::Reconnecting { .. } => of(language, ["reconnecting", "verbindet neu", "再接続中"]),
        ForwardState::Paused => of(language, ["paused", "angehalten", "一時停止"]),
        ForwardState::PortInUse => of(language, ["port in use", "Port belegt", "ポート使用中"]),
        ForwardState::Exposes => of(language, ["needs a confirmation", "Bestätigung nötig", "確認が必要"]),
        ForwardState::Failed { cause } => match language {
            En => format!("failed, {cause}"),
            De => format!("fehlgeschlagen, {cause}"),
            Ja => format!("失敗、{cause}"),
        },
    }
}

/// The title of a notification about a forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Title {
    /// Its source needs a sign-in.
    SignIn,
    /// It failed.
    Failed,
    /// It waits for its address to be typed.
    Exposes,
    /// Another program has its port.
    CannotListen,
}

pub(crate) fn title(language: Language, title: Title, name: &str) -> String {
    match (language, title) {
        (En, Title::SignIn) => format!("{name} needs a sign-in"),
        (De, Title::SignIn) => format!("{name} braucht eine Anmeldung"),
        (Ja, Title::SignIn) => format!("{name} にはサインインが必要です"),
        (En, Title::Failed) => format!("{name} failed"),
        (De, Title::Failed) => format!("{name} ist fehlgeschlagen"),
        (Ja, Title::Failed) => format!("{name} が失敗しました"),
        (En, Title::Exposes) => format!("{name} needs a confirmation"),
        (De, Title::Exposes) => format!("{name} braucht eine Bestätigung"),
        (Ja, Title::Exposes) => format!("{name} は確認が必要です"),
        (En, Title::CannotListen) => format!("{name} cannot listen"),
        (De, Title::CannotListen) => format!("{name} kann nicht lauschen"),
        (Ja, Title::CannotListen) => format!("{name} は待ち受けできません"),
    }
}

pub(crate) fn exposes(language: Language, address: &str) -> String {
    match language {
        En => format!("Listening on {address} lets other computers in: confirm it in the window."),
        De => format!("Auf {address} kommen andere Computer herein: Bestätigen Sie es im Fenster."),
        Ja => format!(
            "{address} で待ち受けると、ほかのコンピューターから接続できます。ウィンドウで確認してください。"
        ),
    }
}

pub(crate) fn next_free(language: Language, port: u16) -> String {
    match language {
        En => format!(" {port} is the next free port."),
        De => format!(" {port} ist der nächste freie Port."),
        Ja => format!(" 次の空きポートは {port} です。"),
    }
}
