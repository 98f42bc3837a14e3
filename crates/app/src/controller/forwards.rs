//! Forwards: the controller's side of the desk that owns them.

use fleetline_engine::{Priority, SessionOptions};
use fleetline_ipc::event::{Change, RequestedPage};
use fleetline_ipc::forward::{Arrangement, ForwardDetail, ForwardRow, ForwardSpec};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::profiles::Edit;
use tokio::time::Instant;

use super::{Controller, answer, no_node};
use crate::forwards::{News, Run, Way, client_names};
use crate::problem::describe_close;
use crate::request::{ForwardRequest, Reply};
use crate::terminal_task::Report;
use crate::tray::ForwardAction;

impl Controller {
    pub(super) fn forward_asked(&mut self, request: ForwardRequest) {
        match request {
            ForwardRequest::Create { spec, reply } => answer(reply, self.forward_create(spec)),
            ForwardRequest::Edit { id, spec, reply } => answer(reply, self.forward_edit(&id, spec)),
            ForwardRequest::Remove { id, reply } => answer(reply, self.forward_remove(&id)),
            ForwardRequest::Switch { id, on, reply } => answer(reply, self.forward_switch(&id, on)),
            ForwardRequest::Expose { id, address, reply } => {
                answer(reply, self.forward_expose(&id, &address));
            }
            ForwardRequest::Bundle { bundle, on, reply } => {
                answer(reply, self.forward_bundle(bundle.as_deref(), on));
            }
            ForwardRequest::Pause { paused, reply } => answer(reply, self.forwards_pause(paused)),
            ForwardRequest::Arrange { arrangement, reply } => {
                answer(reply, self.forwards_arrange(arrangement))
            }
            ForwardRequest::Retry { id, reply } => {
                let retried = self.forwards.retry(&id);
                self.forward_settle(&id);
                answer(reply, retried);
            }
            ForwardRequest::Disconnect { id, connection, reply } => {
                answer(reply, self.forwards.disconnect(&id, connection));
            }
            ForwardRequest::Detail { id, reply } => self.forward_detail(id, reply),
            ForwardRequest::Texts { id, reply } => answer(reply, self.forwards.texts(&id)),
            ForwardRequest::Find { wanted, reply } => {
                answer(reply, Ok(self.forwards.same_as(&wanted, self.desk.fleet())));
            }
            ForwardRequest::BundleNamed { name, reply } => {
                answer(reply, Ok(self.forwards.bundle_named(&name)));
            }
            ForwardRequest::Follow { id, reply } => answer(reply, self.forwards.follow(&id)),
        }
    }

    /// Writes changes of saved profiles.
    pub(super) fn save_profiles(&mut self, edits: Vec<Edit>) {
        if self.disk.edit_profiles(edits) {
            self.profiles_edited();
        }
    }

    fn forward_create(&mut self, spec: ForwardSpec) -> Result<ForwardRow, CommandError> {
        self.may_forward()?;
        let node = spec.node_key.clone();
        let (id, edits) = self.forwards.create(spec, self.desk.fleet())?;
        self.save_profiles(edits);
        drop(self.forwards.switch(&id, true));
        self.forward_start(&id);
        self.touch(&node);
        self.emit_forwards();
        self.forwards.row(&id)
    }

    fn forward_edit(&mut self, id: &str, spec: ForwardSpec) -> Result<ForwardRow, CommandError> {
        let (edits, restart) = self.forwards.edit(id, spec, self.desk.fleet())?;
        self.save_profiles(edits);
        if restart {
            // The error says that the forward is unknown, which it is not.
            drop(self.forwards.retry(id));
            if let Some(run) = self.forwards.take_run(id) {
                self.forward_end(id.to_owned(), run);
            }
        }
        self.forward_start(id);
        self.emit_forwards();
        self.forwards.row(id)
    }

    fn forward_remove(&mut self, id: &str) -> Result<(), CommandError> {
        let (run, edits) = self.forwards.remove(id)?;
        self.save_profiles(edits);
        if let Some(run) = run {
            self.forward_end(id.to_owned(), run);
        }
        self.emit_forwards();
        Ok(())
    }

    pub(super) fn forward_switch(&mut self, id: &str, on: bool) -> Result<(), CommandError> {
        self.may_forward()?;
        if !on {
            self.desktop_forget(id);
        }
        if let Some(run) = self.forwards.switch(id, on)? {
            self.forward_end(id.to_owned(), run);
        }
        self.forward_settle(id);
        self.note_open();
        Ok(())
    }

    /// Switches on what lets other computers in, as its typed address confirms.
    fn forward_expose(&mut self, id: &str, address: &str) -> Result<(), CommandError> {
        self.may_forward()?;
        self.forwards.expose(id, address)?;
        self.forward_settle(id);
        self.note_open();
        Ok(())
    }

    pub(super) fn forward_bundle(&mut self, bundle: Option<&str>, on: bool) -> Result<(), CommandError> {
        self.may_forward()?;
        let members = self.forwards.members(bundle);
        for id in &members {
            if let Some(run) = self.forwards.switch(id, on)? {
                self.forward_end(id.clone(), run);
            }
        }
        self.forwards_start(members);
        self.emit_forwards();
        Ok(())
    }

    fn forwards_pause(&mut self, paused: bool) -> Result<(), CommandError> {
        self.may_forward()?;
        for (id, run) in self.forwards.pause(paused) {
            self.forward_end(id, run);
        }
        self.forwards_start(self.forwards.ids());
        self.emit_forwards();
        Ok(())
    }

    fn forwards_arrange(&mut self, arrangement: Arrangement) -> Result<(), CommandError> {
        let (edits, runs) = self.forwards.arrange(arrangement)?;
        self.disk.edit_profiles(edits);
        for (id, run) in runs {
            self.forward_end(id, run);
        }
        self.emit_forwards();
        Ok(())
    }

    /// Switches off what has run for as long as it may.
    pub(super) fn forwards_overdue(&mut self) {
        for (id, run) in self.forwards.end_overdue(Instant::now()) {
            self.forward_end(id.clone(), run);
            self.forward_told(&id);
        }
    }

    fn may_forward(&self) -> Result<(), CommandError> {
        if self.quitting.is_some() {
            return Err(CommandError::new(ErrorCode::Cancelled, "Fleetline is ending."));
        }
        Ok(())
    }

    /// Starts a forward that should listen, if nothing is in its way.
    pub(super) fn forward_start(&mut self, id: &str) {
        let edits = self.forward_begin(id);
        self.save_profiles(edits);
    }

    /// Starts those of them that should listen. What is to be written of all is written at once: each write is of the
    /// whole file.
    pub(super) fn forwards_start(&mut self, ids: Vec<String>) {
        let edits = ids.iter().flat_map(|id| self.forward_begin(id)).collect();
        self.save_profiles(edits);
    }

    /// As [`forward_start`](Self::forward_start), and gives what is to be written.
    fn forward_begin(&mut self, id: &str) -> Vec<Edit> {
        if !self.forwards.wants_start(id) {
            return Vec::new();
        }
        let way = self.forwards.node_key(id).ok_or_else(no_node).and_then(|key| {
            let way = self.way_to(&key, None)?;
            let options = SessionOptions { priority: Priority::Background, ..way.options };
            Ok(Way { options, ..way })
        });
        self.forwards.start(id, way)
    }

    /// Starts it if it should be, and tells how it is.
    fn forward_settle(&mut self, id: &str) {
        self.forward_start(id);
        self.forward_told(id);
    }

    fn forward_told(&mut self, id: &str) {
        if let Some(row) = self.forwards.news_of(id) {
            if let Some(alarm) = self.forwards.alarm(&row, self.language).filter(|_| self.settings.notify) {
                self.ui.notify(alarm);
            }
            self.emit(Change::Forward { row });
            self.draw_tray();
        }
    }

    /// Stops a run in the background, which takes until AWS has confirmed it.
    pub(super) fn forward_end(&mut self, id: String, run: Run) {
        self.forwards.closing(&id);
        let (news, reports) = (self.forward_news.clone(), self.reports.clone());
        self.terminals.spawn(async move {
            run.forward.unbound().await;
            // After the controller nobody starts it again.
            drop(news.send(News::Unbound { id: id.clone() }).await);
            if let Err(error) = run.forward.stop().await {
                let problem = describe_close(&error, &run.context);
                drop(reports.send((id, Report::NotTerminated(problem))).await);
            }
        });
    }

    /// Stops all. They are forgotten: the fleet they lead through is left.
    pub(super) fn forwards_leave(&mut self) {
        for (id, run) in self.forwards.leave() {
            self.forward_end(id, run);
        }
        self.emit_forwards();
    }

    pub(super) fn emit_forwards(&mut self) {
        let forwards = self.forwards.all();
        self.emit(Change::Forwards { forwards });
        self.draw_tray();
        self.note_open();
    }

    pub(super) fn forward_news(&mut self, news: News) {
        match news {
            News::Changed { id, run } => {
                if self.forwards.is_current(&id, run) {
                    self.forward_told(&id);
                }
            }
            News::QuitAsked { summary } => self.emit(Change::QuitRequested { summary }),
            News::Unbound { id } => {
                self.forwards.unbound(&id);
                self.forward_settle(&id);
            }
            News::Clients { id, run, names, reply } => {
                if self.forwards.is_current(&id, run) {
                    self.forwards.learn_clients(&id, names);
                }
                answer(reply, self.forwards.detail(&id).map(|(detail, _, _)| detail));
            }
        }
    }

    pub(super) fn sample_forwards(&mut self) {
        for id in self.forwards.sample(Instant::now()) {
            self.forward_told(&id);
        }
    }

    fn forward_detail(&self, id: String, reply: Reply<ForwardDetail>) {
        let (unknown, run) = match self.forwards.detail(&id) {
            Ok((_, unknown, Some(run))) if !unknown.is_empty() => (unknown, run),
            Ok((detail, _, _)) => return answer(reply, Ok(detail)),
            Err(problem) => return answer(reply, Err(problem)),
        };
        let news = self.forward_news.clone();
        // Looking for programs goes through all processes.
        tokio::task::spawn_blocking(move || {
            let names = client_names(unknown);
            drop(news.blocking_send(News::Clients { id, run, names, reply }));
        });
    }

    pub(super) fn forward_action(&mut self, action: ForwardAction) {
        let done = match action {
            ForwardAction::Show => {
                self.show_page(RequestedPage::Forwards);
                Ok(())
            }
            ForwardAction::Switch { forward, on } => self.forward_switch(&forward, on),
            ForwardAction::SwitchBundle { bundle, on } => self.forward_bundle(Some(&bundle), on),
            ForwardAction::CopyAddresses { bundle } => {
                self.copy_addresses(&bundle);
                Ok(())
            }
            ForwardAction::PauseAll => self.forwards_pause(true),
            ForwardAction::ResumeAll => self.forwards_pause(false),
        };
        if let Err(problem) = done {
            // The menu was older than the list; the next one is drawn already.
            tracing::warn!(message = problem.message, "a choice of the tray could not be followed");
        }
    }

    fn copy_addresses(&self, bundle: &str) {
        let ids = self.forwards.members(Some(bundle));
        let rows = ids.iter().filter_map(|id| self.forwards.row(id).ok());
        let text = rows.map(|row| row.local).collect::<Vec<_>>().join("\n");
        let ui = self.ui.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = ui.write_clipboard(&text) {
                tracing::warn!(%error, "addresses could not be copied");
            }
        });
    }
}
