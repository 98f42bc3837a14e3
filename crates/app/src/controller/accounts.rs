//! Accounts: the controller's side of the desk that owns them.

use std::collections::BTreeSet;
use std::time::Duration;

use fleetline_engine::ports::ApiErrorKind;
use fleetline_ipc::account::{AccountPick, AccountState, Accounts, SignInMethod};
use fleetline_ipc::event::Change;
use fleetline_ipc::system::StartChoice;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_signin::{Caller, RolePick};
use tokio::time::Instant;

use super::lifecycle::{check, scope};
use super::{CHOICE, Controller, answer, mode_of};
use crate::accounts::{AccountNews, EndingNotices, open_accounts};
use crate::clock::now_ms;
use crate::listing::Told;
use crate::problem::{Context, describe, describe_sign_in};
use crate::refresh::{Progress, Step};
use crate::request::{AccountRequest, Reply};

/// Roles that are added at once at most.
const PICKS: usize = 1_000;

impl Controller {
    pub(super) fn account_asked(&mut self, request: AccountRequest) {
        match request {
            AccountRequest::Check { source, reply } => {
                let asked = self.accounts.check(source.as_deref());
                self.accounts_told();
                answer(reply, asked);
            }
            AccountRequest::SignIn { name, method, reply } => {
                let begun = self.accounts.sign_in(&name, method);
                self.accounts_told();
                answer(reply, begun);
            }
            AccountRequest::AddSignIn { start_url, region, method, reply } => {
                answer(reply, self.add_sign_in(&start_url, &region, method));
            }
            AccountRequest::Page { label, copy, reply } => match self.accounts.page(&label) {
                Ok((_, url)) if copy => self.clipboard_write(url, reply),
                Ok((flow, url)) => self.open_page(label, flow, url, Some(reply)),
                Err(problem) => answer(reply, Err(problem)),
            },
            AccountRequest::Cancel { label, reply } => {
                self.accounts.cancel(&label);
                self.accounts_told();
                answer(reply, Ok(()));
            }
            AccountRequest::SignOut { name, reply } => self.sign_out(name, reply),
            AccountRequest::Opened { label, reply } => self.list_opened(label, reply),
            AccountRequest::UseRoles { label, region, picks, reply } => {
                answer(reply, self.use_roles(&label, &region, picks));
            }
            AccountRequest::Use { sources, in_use, reply } => {
                answer(reply, if in_use { self.use_sources(sources) } else { self.leave_sources(&sources) });
            }
            AccountRequest::Remove { name, reply } => answer(reply, self.remove_account(&name)),
            AccountRequest::GiveCode { source, code, reply } => {
                let given = self.accounts.give_code(&source, &code);
                self.accounts_told();
                answer(reply, given);
            }
            AccountRequest::DeclineCode { source, reply } => {
                let declined = self.accounts.decline_code(&source);
                self.accounts_told();
                answer(reply, declined);
            }
        }
    }

    fn add_sign_in(
        &mut self,
        start_url: &str,
        region: &str,
        method: SignInMethod,
    ) -> Result<String, CommandError> {
        let port = self.accounts.port()?;
        let label =
            port.add_sign_in(start_url, region).map_err(|failure| describe_sign_in(&failure, start_url))?;
        self.accounts.read();
        let label = self.accounts.sign_in(&label, method)?;
        self.accounts_told();
        Ok(label)
    }

    /// Opens the page of a sign-in in the browser; a browser that cannot be opened is told with the sign-in, which goes
    /// on waiting.
    fn open_page(&self, label: String, flow: u64, url: String, reply: Option<Reply<()>>) {
        let (ui, news) = (self.ui.clone(), self.account_news.clone());
        tokio::task::spawn_blocking(move || {
            let opened = ui.open_url(&url);
            if let Err(error) = opened {
                drop(news.blocking_send(AccountNews::Unopened { label, flow, reason: error.0 }));
            }
            if let Some(reply) = reply {
                answer(reply, Ok(()));
            }
        });
    }

    fn sign_out(&mut self, name: String, reply: Reply<()>) {
        let (port, label) = match (self.accounts.port(), self.accounts.label_of(&name)) {
            (Ok(port), Ok(label)) => (port.clone(), label),
            (Err(problem), _) | (_, Err(problem)) => return answer(reply, Err(problem)),
        };
        self.accounts.cancel(&label);
        tokio::spawn(async move {
            let out = port.sign_out(&label).await;
            answer(reply, out.map(drop).map_err(|failure| describe_sign_in(&failure, &label)));
        });
    }

    fn list_opened(&self, label: String, reply: Reply<Vec<fleetline_ipc::account::OpenAccount>>) {
        let port = match self.accounts.port() {
            Ok(port) => port.clone(),
            Err(problem) => return answer(reply, Err(problem)),
        };
        let in_use = self.desk.sources();
        tokio::spawn(async move {
            let opened = port.accounts(&label).await;
            let opened = opened.map(|accounts| open_accounts(accounts, &in_use));
            answer(reply, opened.map_err(|failure| describe_sign_in(&failure, &label)));
        });
    }

    fn use_roles(
        &mut self,
        label: &str,
        region: &str,
        picks: Vec<AccountPick>,
    ) -> Result<Vec<String>, CommandError> {
        if picks.is_empty() || picks.len() > PICKS {
            let message = format!("Choose 1 to {PICKS} roles, not {}.", picks.len());
            return Err(CommandError::new(ErrorCode::InvalidInput, message));
        }
        let pick = |pick: AccountPick| RolePick {
            account_id: pick.account_id,
            account_name: pick.account_name,
            role: pick.role,
        };
        let picks: Vec<RolePick> = picks.into_iter().map(pick).collect();
        let port = self.accounts.port()?;
        let names =
            port.add_roles(label, region, &picks).map_err(|failure| describe_sign_in(&failure, label))?;
        self.accounts.read();
        self.read_sources();
        self.use_sources(names.clone())?;
        Ok(names)
    }

    /// Lists the fleet through more sources. What is open stays open.
    fn use_sources(&mut self, names: Vec<String>) -> Result<(), CommandError> {
        let (Some(StartChoice::Aws { sources, regions }), Some(backend)) = (&self.choice, &self.backend)
        else {
            // The demo fleet, or nothing yet.
            self.may_switch()?;
            let choice = StartChoice::Aws { sources: names, regions: Vec::new() };
            check(&choice)?;
            self.launch(choice, None);
            return Ok(());
        };
        let new: BTreeSet<String> = names.into_iter().filter(|name| !sources.contains(name)).collect();
        let all = sources.iter().cloned().chain(new.iter().cloned()).collect();
        let choice = StartChoice::Aws { sources: all, regions: regions.clone() };
        check(&choice)?;
        let added = StartChoice::Aws { sources: new.iter().cloned().collect(), regions: regions.clone() };
        let added = scope(backend, &added)?;
        self.desk.extend(added);
        self.desk.refresh_of(&new, &backend.sources, &self.progress);
        self.chose(choice);
        Ok(())
    }

    /// Lists the fleet no longer through these sources; sessions through them would be left without a way back.
    fn leave_sources(&mut self, names: &[String]) -> Result<(), CommandError> {
        let Some(StartChoice::Aws { sources, regions }) = &self.choice else { return Ok(()) };
        self.may_switch()?;
        let rest: Vec<String> = sources.iter().filter(|name| !names.contains(name)).cloned().collect();
        let regions = regions.clone();
        if rest.is_empty() {
            return self.leave();
        }
        self.launch(StartChoice::Aws { sources: rest, regions }, None);
        Ok(())
    }

    fn chose(&mut self, choice: StartChoice) {
        self.mode = mode_of(&choice);
        self.disk.save(CHOICE, choice.clone());
        self.choice = Some(choice);
        self.read_sources();
        self.emit_mode();
        self.accounts_told();
    }

    fn remove_account(&mut self, name: &str) -> Result<(), CommandError> {
        let in_use = self.desk.sources();
        let port = self.accounts.port()?;
        let of_it = |row: &&fleetline_signin::SignInDetail| row.label == name;
        let sign_ins = port.details().sign_ins;
        let uses = sign_ins.iter().find(of_it).map(|row| row.sources.clone()).unwrap_or_default();
        if in_use.contains(name) || uses.iter().any(|source| in_use.contains(source)) {
            return Err(CommandError {
                hint: Some("Take it out of the fleet first.".to_owned()),
                ..CommandError::new(ErrorCode::InvalidInput, format!("The fleet is listed through {name}."))
            });
        }
        port.remove(name).map_err(|failure| describe_sign_in(&failure, name))?;
        self.accounts.read();
        self.read_sources();
        self.emit_mode();
        self.accounts_told();
        Ok(())
    }

    pub(super) fn account_news(&mut self, news: AccountNews) {
        match news {
            AccountNews::Changed => {
                let before = self.not_ready();
                self.accounts.read();
                self.list_again(&before);
            }
            AccountNews::Visit { label, flow, url, user_code } => {
                if let Some(url) = self.accounts.visit(&label, flow, url, user_code) {
                    self.open_page(label, flow, url, None);
                }
            }
            AccountNews::Unopened { label, flow, reason } => self.accounts.unopened(&label, flow, reason),
            AccountNews::SignedIn { label, flow, outcome } => {
                let before = self.not_ready();
                if self.accounts.signed_in(&label, flow, outcome).is_some() {
                    self.ui.show_window();
                    self.list_again(&before);
                }
            }
            AccountNews::Checked { source, check, outcome } => {
                let before = self.not_ready();
                self.accounts.checked(&source, check, outcome);
                self.list_again(&before);
            }
        }
        self.accounts_told();
    }

    /// Sources in use that cannot be used at the moment.
    fn not_ready(&self) -> BTreeSet<String> {
        let ready = |name: &String| matches!(self.accounts.state(name), AccountState::Ready { .. });
        self.desk.sources().into_iter().filter(|name| !ready(name)).collect()
    }

    /// Lists again what failed for want of credentials, now that they are there.
    fn list_again(&mut self, before: &BTreeSet<String>) {
        let now = self.not_ready();
        let failed = self.desk.failed_sources();
        let again: BTreeSet<String> =
            before.iter().filter(|name| !now.contains(*name) && failed.contains(*name)).cloned().collect();
        if let (false, Some(backend)) = (again.is_empty(), &self.backend) {
            self.desk.refresh_of(&again, &backend.sources, &self.progress);
            self.announce();
        }
    }

    /// What a refresh tells of sources.
    pub(super) fn learn_of_sources(&mut self, progress: &Progress) {
        let (id, outcome) = match &progress.step {
            Step::Told(id, Told::Identity(caller)) => {
                let caller = Caller { account_id: caller.account_id.clone(), arn: caller.arn.clone() };
                (*id, Ok(caller))
            }
            Step::Failed(id, error)
                if matches!(
                    error.kind,
                    ApiErrorKind::NoCredentials
                        | ApiErrorKind::CredentialsExpired
                        | ApiErrorKind::CredentialsInvalid
                ) =>
            {
                (*id, Err(error))
            }
            _ => return,
        };
        let Some(source) = self.desk.source_of(id).map(str::to_owned) else { return };
        let context = Context { source: source.clone(), ..Context::default() };
        self.accounts.read();
        self.accounts.learn(&source, outcome.map_err(|error| describe(error, &context)));
        self.accounts_told();
    }

    pub(super) fn accounts_now(&self) -> Accounts {
        self.accounts.accounts(&self.desk.sources())
    }

    pub(super) fn accounts_told(&mut self) {
        if let Some(accounts) = self.accounts.news(&self.desk.sources()) {
            self.emit(Change::Accounts { accounts });
        }
        self.tell_endings();
    }

    /// When something changes about credentials that end.
    pub(super) fn ending_due(&self) -> Option<Instant> {
        let left = u64::try_from(self.ending.due_ms? - now_ms()).unwrap_or(0);
        Some(Instant::now() + Duration::from_millis(left))
    }

    /// Tells of credentials that end soon or have ended.
    pub(super) fn tell_endings(&mut self) {
        let endings = self.accounts.endings(&self.desk.sources());
        let ending = EndingNotices::of(&endings, now_ms());
        if ending != self.ending {
            self.ending = ending;
            self.say_endings();
        }
    }

    /// Says what is known of them in the language of the window.
    pub(super) fn say_endings(&mut self) {
        let mut changed = false;
        for (id, notice) in self.ending.notices(self.language) {
            changed |= match notice {
                Some(notice) => self.notices.raise(notice),
                None => self.notices.take_down(id),
            };
        }
        self.notices_changed(changed);
        self.draw_tray();
    }
}
