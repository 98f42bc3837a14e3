//! Sessions past and present.

use std::collections::HashMap;

use fleetline_engine::{SessionId, terminate_session};
use fleetline_history::SessionRecord;
use fleetline_ipc::event::Change;
use fleetline_ipc::history::{HistoryEnded, HistoryFormat};
use fleetline_ipc::{CommandError, ErrorCode};

use super::{Controller, answer};
use crate::history::{HistoryRequest, News};
use crate::problem::{Context, describe, describe_store};
use crate::request::Reply;
use crate::session_log::{self, Reader};

/// What ending sessions tells the controller when all are tried.
pub(super) struct Ended {
    outcomes: Vec<(fleetline_history::PlaceId, String, HistoryEnded)>,
    reply: Reply<Vec<HistoryEnded>>,
}

impl Controller {
    pub(super) fn history_asked(&mut self, request: HistoryRequest) {
        match request {
            HistoryRequest::Watch { on, reply } => {
                if self.history.watch(on) {
                    self.history_refresh(false);
                }
                answer(reply, Ok(self.history.summary()));
            }
            HistoryRequest::Refresh { reply } => {
                self.history_refresh(true);
                answer(reply, Ok(()));
            }
            HistoryRequest::Window { query, offset, len, reply } => {
                let tabs = self.session_tabs();
                answer(reply, self.history.window(&query, (offset, len), &tabs));
            }
            HistoryRequest::OfOwner { owner, reply } => answer(reply, Ok(self.history.of_owner(&owner))),
            HistoryRequest::End { keys, reply } => self.history_end(&keys, reply),
            HistoryRequest::Log { ask, reply } => match self.session_reader(&ask.key) {
                Ok((reader, context, record)) => drop(tokio::spawn(async move {
                    answer(reply, Ok(session_log::log(&reader, &context, &record, &ask).await));
                })),
                Err(problem) => answer(reply, Err(problem)),
            },
            HistoryRequest::SaveLog { key, store, reply } => match self.session_reader(&key) {
                Ok((reader, context, record)) => {
                    let files = self.disk.store().clone();
                    tokio::spawn(async move {
                        answer(reply, session_log::save(&reader, &context, &record, store, files).await);
                    });
                }
                Err(problem) => answer(reply, Err(problem)),
            },
            HistoryRequest::ReplayOf { key, store, reply } => match self.session_reader(&key) {
                Ok((reader, context, record)) => drop(tokio::spawn(async move {
                    answer(reply, session_log::replay(&reader, &context, &record, store).await);
                })),
                Err(problem) => answer(reply, Err(problem)),
            },
            HistoryRequest::Events { key, reply } => match self.session_reader(&key) {
                Ok((reader, context, record)) => drop(tokio::spawn(async move {
                    answer(reply, Ok(session_log::events(&reader, &context, &record).await));
                })),
                Err(problem) => answer(reply, Err(problem)),
            },
            HistoryRequest::Export { query, format, reply } => match self.history.export(&query, format) {
                Ok(text) => self.history_export(text, format, reply),
                Err(problem) => answer(reply, Err(problem)),
            },
        }
    }

    /// What reads the log of a session, by its key.
    fn session_reader(&self, key: &str) -> Result<(Reader, Context, SessionRecord), CommandError> {
        let Some(backend) = &self.backend else {
            return Err(CommandError::new(ErrorCode::NotFound, "No fleet is open."));
        };
        let Some((scope, record)) = self.history.session(key) else {
            return Err(CommandError::new(ErrorCode::NotFound, "This session is not listed any more."));
        };
        let context =
            Context { source: scope.source.clone(), region: scope.region.clone(), ..Context::default() };
        let (records, documents) = (backend.records.as_ref(), backend.documents.as_ref());
        match Reader::open(records, documents, &scope.source, &scope.region) {
            Ok(reader) => Ok((reader, context, record)),
            Err(error) => Err(describe(&error, &context)),
        }
    }

    /// Lists everything, or looks at what is active.
    pub(super) fn history_refresh(&mut self, all: bool) {
        if let Some(backend) = &self.backend {
            self.history.refresh(&backend.history, all);
            self.emit_history();
        }
    }

    pub(super) fn history_news(&mut self, news: News) {
        if self.history.news(news, self.desk.fleet()) {
            self.emit_history();
        }
    }

    fn emit_history(&mut self) {
        let summary = self.history.summary();
        self.emit(Change::History { summary });
    }

    /// Writes a new file off this task, and answers with its path.
    fn history_export(&self, text: String, format: HistoryFormat, reply: Reply<String>) {
        let store = self.disk.store().clone();
        let ending = match format {
            HistoryFormat::Csv => "csv",
            HistoryFormat::Json => "json",
        };
        tokio::task::spawn_blocking(move || {
            let written = store.export("fleetline-sessions", ending, text.as_bytes());
            let told = written
                .map(|path| path.display().to_string())
                .map_err(|error| CommandError { hint: None, ..describe_store(&error) });
            answer(reply, told);
        });
    }

    /// Which tab shows which session.
    fn session_tabs(&self) -> HashMap<String, String> {
        let id = |tab: &crate::tabs::ShellTab| {
            let session = tab.row.session.as_ref()?;
            Some((session.session_id.clone()?, tab.row.id.clone()))
        };
        self.tabs.iter().filter_map(id).collect()
    }

    /// Ends sessions of whoever, each at the pace of its account and Region.
    fn history_end(&mut self, keys: &[String], reply: Reply<Vec<HistoryEnded>>) {
        let sessions = match self.history.to_end(keys) {
            Ok(sessions) => sessions,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let Some(backend) = &self.backend else {
            return answer(reply, Err(CommandError::new(ErrorCode::NotFound, "No fleet is open.")));
        };
        let (plane, done) = (backend.control.clone(), self.history_ended.clone());
        tokio::spawn(async move {
            let mut tasks = tokio::task::JoinSet::new();
            for (number, (key, place, scope, id)) in sessions.into_iter().enumerate() {
                let control = plane.control_plane(&scope.source, &scope.region);
                tasks.spawn(async move {
                    let ended = match control {
                        Ok(control) => {
                            terminate_session(control.as_ref(), &SessionId::new(id.as_str())).await
                        }
                        Err(error) => Err(error),
                    };
                    let context =
                        Context { source: scope.source, region: scope.region, ..Context::default() };
                    let problem = ended.err().map(|error| describe(&error, &context));
                    (number, (place, id, HistoryEnded { key, problem }))
                });
            }
            let mut outcomes = Vec::new();
            while let Some(ended) = tasks.join_next().await {
                outcomes.extend(ended.ok());
            }
            outcomes.sort_by_key(|(number, _)| *number);
            let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
            // The controller is gone when this fails.
            drop(done.send(Ended { outcomes, reply }).await);
        });
    }

    pub(super) fn history_ended(&mut self, ended: Ended) {
        for (place, session, outcome) in &ended.outcomes {
            if outcome.problem.is_none() {
                self.history.ended(*place, session);
            }
        }
        self.emit_history();
        answer(ended.reply, Ok(ended.outcomes.into_iter().map(|(_, _, outcome)| outcome).collect()));
    }
}
