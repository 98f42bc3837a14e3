//! Modes the model does not know, or knows and this crate has to follow.

use alacritty_terminal::term::TermMode;
use alacritty_terminal::vte::ansi::{Handler, Mode, NamedMode, NamedPrivateMode, PrivateMode};

use crate::replies::ModeState;
use crate::screen::Screen;

/// Press-only mouse reports.
const X10_MOUSE: u16 = 9;

impl Screen {
    /// Sets or resets a private mode.
    pub(crate) fn change_private_mode(&mut self, mode: PrivateMode, set: bool) {
        use NamedPrivateMode::{
            ColumnMode, ReportAllMouseMotion, ReportCellMouseMotion, ReportMouseClicks, SyncUpdate,
        };
        match mode {
            PrivateMode::Named(SyncUpdate) if set => self.hold.begin(),
            PrivateMode::Named(SyncUpdate) => self.hold.end(),
            PrivateMode::Named(named) => {
                match named {
                    // The mouse protocols exclude each other.
                    ReportMouseClicks | ReportCellMouseMotion | ReportAllMouseMotion if set => {
                        self.x10_mouse = false
                    }
                    // Changing the column mode drops the scroll region.
                    ColumnMode => self.region_top = 0,
                    _ => {}
                }
                if set { self.term.set_private_mode(mode) } else { self.term.unset_private_mode(mode) }
            }
            PrivateMode::Unknown(X10_MOUSE) => {
                if set {
                    for other in [ReportMouseClicks, ReportCellMouseMotion, ReportAllMouseMotion] {
                        self.term.unset_private_mode(other.into());
                    }
                }
                self.x10_mouse = set;
            }
            // The older ways to the alternate screen.
            PrivateMode::Unknown(47 | 1047) => {
                if self.term.mode().contains(TermMode::ALT_SCREEN) != set {
                    self.term.swap_alt();
                }
            }
            PrivateMode::Unknown(1048) if set => self.term.save_cursor_position(),
            PrivateMode::Unknown(1048) => self.term.restore_cursor_position(),
            PrivateMode::Unknown(_) => {}
        }
    }

    /// What DECRQM answers for an ANSI mode.
    pub(crate) fn mode_state(&self, mode: Mode) -> ModeState {
        match mode {
            Mode::Named(NamedMode::Insert) => self.has(TermMode::INSERT),
            Mode::Named(NamedMode::LineFeedNewLine) => self.has(TermMode::LINE_FEED_NEW_LINE),
            Mode::Unknown(_) => ModeState::Unknown,
        }
    }

    /// What DECRQM answers for a private mode.
    pub(crate) fn private_mode_state(&self, mode: PrivateMode) -> ModeState {
        let named = match mode {
            PrivateMode::Named(named) => named,
            PrivateMode::Unknown(X10_MOUSE) => return self.x10_mouse.into(),
            PrivateMode::Unknown(47 | 1047) => return self.has(TermMode::ALT_SCREEN),
            PrivateMode::Unknown(_) => return ModeState::Unknown,
        };
        match named {
            NamedPrivateMode::CursorKeys => self.has(TermMode::APP_CURSOR),
            NamedPrivateMode::Origin => self.has(TermMode::ORIGIN),
            NamedPrivateMode::LineWrap => self.has(TermMode::LINE_WRAP),
            NamedPrivateMode::BlinkingCursor => self.term.cursor_style().blinking.into(),
            NamedPrivateMode::ShowCursor => self.has(TermMode::SHOW_CURSOR),
            NamedPrivateMode::ReportMouseClicks => self.has(TermMode::MOUSE_REPORT_CLICK),
            NamedPrivateMode::ReportCellMouseMotion => self.has(TermMode::MOUSE_DRAG),
            NamedPrivateMode::ReportAllMouseMotion => self.has(TermMode::MOUSE_MOTION),
            NamedPrivateMode::ReportFocusInOut => self.has(TermMode::FOCUS_IN_OUT),
            NamedPrivateMode::Utf8Mouse => self.has(TermMode::UTF8_MOUSE),
            NamedPrivateMode::SgrMouse => self.has(TermMode::SGR_MOUSE),
            NamedPrivateMode::AlternateScroll => self.has(TermMode::ALTERNATE_SCROLL),
            NamedPrivateMode::UrgencyHints => self.has(TermMode::URGENCY_HINTS),
            NamedPrivateMode::SwapScreenAndSetRestoreCursor => self.has(TermMode::ALT_SCREEN),
            NamedPrivateMode::BracketedPaste => self.has(TermMode::BRACKETED_PASTE),
            NamedPrivateMode::SyncUpdate => self.hold.is_begun().into(),
            NamedPrivateMode::ColumnMode => ModeState::Unknown,
        }
    }

    fn has(&self, flag: TermMode) -> ModeState {
        self.term.mode().contains(flag).into()
    }
}
