//! Sessions past and present of the whole scope: listing, windows, ending, export.

mod listing;
mod row;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::ApiError;
use fleetline_history::{
    HistoryBook, HistorySources, PlaceId, Query, SessionRecord, Show, SortKey, Wanted, csv, json,
};
use fleetline_inventory::Fleet;
use fleetline_ipc::history::{
    HistoryEnded, HistoryFormat, HistoryGap, HistoryQuery, HistoryShow, HistorySort, HistorySummary,
    HistoryWindow,
};
use fleetline_ipc::session_log::{LogAsk, LogStore, SessionEventList, SessionLog};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_recording::Content;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::clock::now_ms;
use crate::ports::Scope;
use crate::problem::{Context, describe};
use crate::request::Reply;
use crate::rows;

pub(crate) use listing::{News, Step};

/// How far back the first listing goes, and the longest there is.
const KEPT_MS: i64 = 30 * 86_400_000;
/// Rows of one window.
const WINDOW_LIMIT: u32 = 200;
/// Longest query, in bytes.
const QUERY_LIMIT: usize = 4_096;
/// Time between two looks at the active sessions while somebody watches: AWS tells of changes only when asked.
const LOOK: Duration = Duration::from_secs(8);
/// Sessions ended with one request.
const END_LIMIT: usize = 500;

/// A request about sessions.
pub(crate) enum HistoryRequest {
    /// Somebody looks at the page, or no longer.
    Watch {
        on: bool,
        reply: Reply<HistorySummary>,
    },
    /// Lists everything again.
    Refresh {
        reply: Reply<()>,
    },
    Window {
        query: HistoryQuery,
        offset: u32,
        len: u32,
        reply: Reply<HistoryWindow>,
    },
    /// Keys of the active sessions of an owner's ARN.
    OfOwner {
        owner: String,
        reply: Reply<Vec<String>>,
    },
    End {
        keys: Vec<String>,
        reply: Reply<Vec<HistoryEnded>>,
    },
    /// A part of the log of a session.
    Log {
        ask: LogAsk,
        reply: Reply<SessionLog>,
    },
    /// Writes the whole log into a new file.
    SaveLog {
        key: String,
        store: Option<LogStore>,
        reply: Reply<String>,
    },
    /// The whole log, to be replayed.
    ReplayOf {
        key: String,
        store: Option<LogStore>,
        reply: Reply<Content>,
    },
    /// The calls CloudTrail kept of a session.
    Events {
        key: String,
        reply: Reply<SessionEventList>,
    },
    Export {
        query: HistoryQuery,
        format: HistoryFormat,
        reply: Reply<String>,
    },
}

struct Place {
    id: PlaceId,
    scope: Scope,
    loading: bool,
    problem: Option<CommandError>,
}

/// The sessions of one backend.
pub(crate) struct HistoryDesk {
    book: HistoryBook,
    places: Vec<Place>,
    /// ARNs of the callers.
    mine: HashSet<String>,
    /// Number of the latest listing; steps of earlier ones are ignored.
    listing: u64,
    running: Option<AbortHandle>,
    /// Whether the past was listed.
    complete: bool,
    watched: bool,
    next_look: Option<Instant>,
    updated_ms: Option<i64>,
    news: mpsc::Sender<News>,
}

impl HistoryDesk {
    pub(crate) fn new(news: mpsc::Sender<News>) -> Self {
        Self {
            book: HistoryBook::default(),
            places: Vec::new(),
            mine: HashSet::new(),
            listing: 0,
            running: None,
            complete: false,
            watched: false,
            next_look: None,
            updated_ms: None,
            news,
        }
    }

    /// Points it at another scope, of which nothing is listed yet.
    pub(crate) fn point_at(&mut self, scope: &[Scope]) {
        self.stop();
        self.book = HistoryBook::after(self.book.version());
        self.mine.clear();
        self.complete = false;
        self.updated_ms = None;
        let book = &mut self.book;
        let place = |scope: &Scope| Place {
            id: book.declare(&scope.source, &scope.region),
            scope: scope.clone(),
            loading: false,
            problem: None,
        };
        self.places = scope.iter().map(place).collect();
    }

    pub(crate) fn stop(&mut self) {
        self.listing += 1;
        if let Some(running) = self.running.take() {
            running.abort();
        }
        for place in &mut self.places {
            place.loading = false;
        }
    }

    /// Lists everything, or only what is active and what ended since the last look.
    pub(crate) fn refresh(&mut self, sources: &Arc<dyn HistorySources<ApiError>>, all: bool) {
        self.stop();
        self.next_look = None;
        if self.places.is_empty() {
            return;
        }
        let all = all || !self.complete;
        let places = self.places.iter().map(|place| (place.id, place.scope.clone())).collect();
        for place in &mut self.places {
            place.loading = all;
        }
        let since_ms = all.then(|| now_ms() - KEPT_MS);
        let run = listing::run(self.listing, sources.clone(), places, since_ms, self.news.clone());
        self.running = Some(tokio::spawn(run).abort_handle());
    }

    /// Somebody looks, or no longer. Returns whether a listing is due now.
    pub(crate) fn watch(&mut self, on: bool) -> bool {
        self.watched = on;
        if !on {
            self.next_look = None;
            return false;
        }
        self.running.is_none()
    }

    /// When the active sessions are to be looked at again.
    pub(crate) fn look_due(&self) -> Option<Instant> {
        self.next_look.filter(|_| self.watched)
    }

    /// Takes in a step of the running listing. Returns whether the summary changed.
    pub(crate) fn news(&mut self, news: News, fleet: &Fleet) -> bool {
        if news.listing != self.listing {
            return false;
        }
        match news.step {
            Step::Caller(arn) => self.mine.insert(arn),
            Step::Page(id, records) => {
                let region = self.places.iter().find(|place| place.id == id).map(|p| p.scope.region.clone());
                let names = row::names(fleet, region.as_deref().unwrap_or_default(), &records);
                let before = self.book.version();
                self.book.merge(id, records, |target| names.get(target).cloned());
                self.book.version() != before
            }
            Step::Active(id, active) => {
                let gone: Vec<String> =
                    self.book.vanished(id, &active).iter().map(|record| record.session_id.clone()).collect();
                for session in &gone {
                    self.book.end(id, session, now_ms());
                }
                !gone.is_empty()
            }
            Step::Done(id, problem) => {
                if let Some(place) = self.places.iter_mut().find(|place| place.id == id) {
                    place.loading = false;
                    let context = Context {
                        source: place.scope.source.clone(),
                        region: place.scope.region.clone(),
                        ..Context::default()
                    };
                    place.problem = problem.map(|error| describe(&error, &context));
                }
                true
            }
            Step::Finished => {
                self.running = None;
                self.complete = true;
                self.updated_ms = Some(now_ms());
                self.next_look = Some(Instant::now() + LOOK);
                true
            }
        }
    }

    pub(crate) fn summary(&self) -> HistorySummary {
        let gap = |place: &Place| {
            let problem = place.problem.clone()?;
            Some(HistoryGap {
                account_name: place.scope.source.clone(),
                region: place.scope.region.clone(),
                problem,
            })
        };
        HistorySummary {
            version: self.book.version() as f64,
            places: count(self.places.len()),
            loading: count(self.places.iter().filter(|place| place.loading).count()),
            sessions: count(self.book.len()),
            gaps: self.places.iter().filter_map(gap).collect(),
            updated_ms: self.updated_ms.map(rows::millis),
        }
    }

    /// `tabs`: which tab shows which session id.
    pub(crate) fn window(
        &mut self,
        query: &HistoryQuery,
        (offset, len): (u32, u32),
        tabs: &HashMap<String, String>,
    ) -> Result<HistoryWindow, CommandError> {
        if len > WINDOW_LIMIT {
            let message = format!("A window has at most {WINDOW_LIMIT} rows, not {len}.");
            return Err(CommandError::new(ErrorCode::InvalidInput, message));
        }
        let now = now_ms();
        let wanted = wanted(query, now)?;
        let issues = wanted.query.issues().iter().map(|issue| issue.message.clone()).collect();
        let (counts, matched) = self.book.count(&wanted, now);
        let found = self.book.window(&wanted, offset as usize, len as usize, now);
        let found: Vec<_> =
            found.into_iter().map(|(place, record, name)| (place, record.clone(), name.to_owned())).collect();
        let rows = found
            .iter()
            .map(|(place, record, name)| row::of(self.book.place(*place), record, name, &self.mine, tabs))
            .collect();
        Ok(HistoryWindow {
            version: self.book.version() as f64,
            offset,
            rows,
            matched: count(matched),
            active: count(counts.active),
            ended: count(counts.ended),
            issues,
        })
    }

    /// Keys of the active sessions of an owner.
    pub(crate) fn of_owner(&self, owner: &str) -> Vec<String> {
        let of = |place: &Place| {
            let active = self.book.active(place.id).into_iter().filter(|record| record.owner == owner);
            let keys = active.map(|record| row::key(self.book.place(place.id), &record.session_id));
            keys.collect::<Vec<_>>()
        };
        self.places.iter().flat_map(of).collect()
    }

    /// The sessions of keys, to be ended: place, source, Region and id.
    pub(crate) fn to_end(
        &self,
        keys: &[String],
    ) -> Result<Vec<(String, PlaceId, Scope, String)>, CommandError> {
        if keys.len() > END_LIMIT {
            let message = format!("At most {END_LIMIT} sessions are ended at a time, not {}.", keys.len());
            return Err(CommandError::new(ErrorCode::InvalidInput, message));
        }
        keys.iter()
            .map(|key| {
                let found = self.find(key).map(|(place, record)| {
                    (key.clone(), place.id, place.scope.clone(), record.session_id.clone())
                });
                found.ok_or_else(|| {
                    CommandError::new(
                        ErrorCode::NotFound,
                        "This session is not listed any more; nothing was ended.",
                    )
                })
            })
            .collect()
    }

    /// A session by its key, with where it is.
    pub(crate) fn session(&self, key: &str) -> Option<(Scope, SessionRecord)> {
        self.find(key).map(|(place, record)| (place.scope.clone(), record.clone()))
    }

    fn find(&self, key: &str) -> Option<(&Place, &SessionRecord)> {
        self.places.iter().find_map(|place| {
            let id = key.strip_prefix(&row::key(self.book.place(place.id), ""))?;
            Some((place, self.book.get(place.id, id)?.0))
        })
    }

    /// Notes that a session was ended by us.
    pub(crate) fn ended(&mut self, place: PlaceId, session_id: &str) {
        self.book.end(place, session_id, now_ms());
    }

    /// What the query shows, as text.
    pub(crate) fn export(
        &mut self,
        query: &HistoryQuery,
        format: HistoryFormat,
    ) -> Result<String, CommandError> {
        let now = now_ms();
        let wanted = wanted(query, now)?;
        let places: HashMap<PlaceId, (String, String)> = self
            .places
            .iter()
            .map(|place| (place.id, (place.scope.source.clone(), place.scope.region.clone())))
            .collect();
        let rows = self.book.window(&wanted, 0, usize::MAX, now);
        let exported = rows.into_iter().filter_map(|(place, record, node)| {
            let (source, region) = places.get(&place)?;
            Some((source.as_str(), region.as_str(), node, record))
        });
        Ok(match format {
            HistoryFormat::Csv => csv(exported, now),
            HistoryFormat::Json => json(exported, now),
        })
    }
}

fn wanted(query: &HistoryQuery, now_ms: i64) -> Result<Wanted, CommandError> {
    if query.text.len() > QUERY_LIMIT {
        let message = format!("The query has {} bytes; it may have {QUERY_LIMIT}.", query.text.len());
        return Err(CommandError::new(ErrorCode::InvalidInput, message));
    }
    // To the minute, so that the rows need not be worked out anew with every look.
    let minute = now_ms - now_ms.rem_euclid(60_000);
    Ok(Wanted {
        show: match query.show {
            HistoryShow::All => Show::All,
            HistoryShow::Active => Show::Active,
            HistoryShow::Ended => Show::Ended,
        },
        since_ms: query.hours.map(|hours| minute - i64::from(hours) * 3_600_000),
        query: Query::parse(&query.text, minute),
        sort: match query.sort {
            HistorySort::Start => SortKey::Start,
            HistorySort::Duration => SortKey::Duration,
            HistorySort::Node => SortKey::Node,
            HistorySort::Owner => SortKey::Owner,
            HistorySort::Kind => SortKey::Kind,
            HistorySort::Document => SortKey::Document,
        },
        descending: query.descending,
    })
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
