//! The interface's words for the terminal and the session, and back.

use std::time::Duration;

use fleetline_engine::SessionState as EngineState;
use fleetline_ipc::session::SessionState;
use fleetline_ipc::terminal as ipc;
use fleetline_terminal as term;

use crate::clock::{epoch_ms, now_ms};
use crate::problem::{Context, describe_start};
use crate::rows::millis;

/// A session's state as the interface shows it, and how long its latest resume took.
pub(super) fn session_state(state: &EngineState, context: &Context) -> (SessionState, Option<f64>) {
    match state {
        EngineState::Starting { step } => (SessionState::Connecting { step: step.to_string() }, None),
        EngineState::Open { resumed_after, .. } => {
            (SessionState::Connected, resumed_after.map(|took| took.as_secs_f64() * 1000.0))
        }
        EngineState::Reconnecting { cause, since, attempt, next_try, .. } => {
            let state = SessionState::Reconnecting {
                cause: format!("{cause}."),
                since_ms: millis(epoch_ms(*since)),
                attempt: *attempt,
                next_try_ms: next_try.map(|at| millis(epoch_ms(at))),
            };
            (state, None)
        }
        EngineState::Ended(reason) => {
            let state = SessionState::Ended {
                at_ms: millis(now_ms()),
                cause: reason.to_string(),
                normal: reason.is_normal(),
            };
            (state, None)
        }
        EngineState::Failed(error) => {
            (SessionState::Failed { problem: describe_start(error, context) }, None)
        }
    }
}

pub(super) fn key(key: ipc::KeyPress) -> term::KeyEvent {
    term::KeyEvent { key: key.key, code: key.code, modifiers: modifiers(key.modifiers) }
}

pub(super) fn mouse(mouse: ipc::MouseInput) -> term::MouseEvent {
    let action = match mouse.action {
        ipc::MouseAction::Press => term::MouseAction::Press,
        ipc::MouseAction::Release => term::MouseAction::Release,
        ipc::MouseAction::Move => term::MouseAction::Move,
        ipc::MouseAction::WheelUp => term::MouseAction::WheelUp,
        ipc::MouseAction::WheelDown => term::MouseAction::WheelDown,
    };
    let modifiers = modifiers(mouse.modifiers);
    term::MouseEvent { action, button: mouse.button, col: mouse.col, row: mouse.row, modifiers }
}

fn modifiers(held: ipc::Modifiers) -> term::Modifiers {
    term::Modifiers { shift: held.shift, ctrl: held.ctrl, alt: held.alt, meta: held.meta }
}

pub(super) fn scroll(to: ipc::ScrollTo) -> term::Scroll {
    match to {
        ipc::ScrollTo::Lines { lines } => term::Scroll::Lines(lines),
        ipc::ScrollTo::Pages { pages } => term::Scroll::Pages(pages),
        ipc::ScrollTo::Top => term::Scroll::Top,
        ipc::ScrollTo::Bottom => term::Scroll::Bottom,
    }
}

pub(super) fn select(terminal: &mut term::Terminal, input: ipc::SelectionInput) {
    match input {
        ipc::SelectionInput::Start { kind, col, row, right_half } => {
            let kind = match kind {
                ipc::SelectionKind::Simple => term::SelectionKind::Simple,
                ipc::SelectionKind::Word => term::SelectionKind::Word,
                ipc::SelectionKind::Line => term::SelectionKind::Line,
                ipc::SelectionKind::Block => term::SelectionKind::Block,
            };
            terminal.selection_start(kind, term::CellPoint { col, row, right_half });
        }
        ipc::SelectionInput::Update { col, row, right_half } => {
            terminal.selection_update(term::CellPoint { col, row, right_half });
        }
        ipc::SelectionInput::All => terminal.selection_all(),
        ipc::SelectionInput::Clear => terminal.selection_clear(),
    }
}

pub(super) fn search(terminal: &mut term::Terminal, request: ipc::SearchRequest) -> ipc::SearchState {
    let query = term::SearchQuery {
        text: request.text,
        case_sensitive: request.case_sensitive,
        regex: request.regex,
        forward: request.forward,
    };
    let found = terminal.search(&query);
    ipc::SearchState { current: found.current, total: found.total, more: found.more, error: found.error }
}

pub(super) fn review(review: term::PasteReview) -> ipc::PasteOutcome {
    ipc::PasteOutcome::NeedsConfirmation {
        lines: review.lines,
        preview: review.preview,
        reason: review.reason.to_string(),
    }
}

/// How long a terminal's size must stand before the node is told.
pub(super) const RESIZE_REST: Duration = Duration::from_millis(100);
