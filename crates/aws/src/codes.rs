//! The codes people are asked for: one question per source, however many calls wait for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use fleetline_signin::{Code, CodeAsk, CodeRefused};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::{oneshot, watch};

use crate::error::full_text;

/// Codes remembered per question, to tell one that was used before.
const TRIED: usize = 8;

/// Why a code did not lead to credentials. Clones are for everybody who waited.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CodeFailure {
    /// The person took the question back.
    #[error("the MFA code was not given")]
    Declined,
    /// Nobody is there who could be asked.
    #[error("it needs an MFA code, and nobody can be asked for one here")]
    Unattended,
    /// The code is still waited for.
    #[error("it waits for an MFA code")]
    Waiting,
    /// The call that uses the code failed for another reason.
    #[error("{}", full_text(.0.as_ref()))]
    Call(Arc<CredentialsError>),
}

/// What became of one code.
pub(crate) enum Exchange {
    /// AWS did not take the code; the text is AWS's.
    Refused(String),
    /// The call failed for another reason.
    Failed(CredentialsError),
}

type Outcome = Result<Credentials, CodeFailure>;
type Exchanging = Shared<BoxFuture<'static, Outcome>>;

/// All questions for codes of MFA devices of one program. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct CodeDesk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    news: watch::Sender<u64>,
}

impl Default for Inner {
    fn default() -> Self {
        Self { state: Mutex::default(), news: watch::Sender::new(0) }
    }
}

#[derive(Debug, Default)]
struct State {
    /// Whether somebody looks at the questions.
    attended: bool,
    questions: Vec<Question>,
    /// Sources whose question was taken back; they ask again only when a person wants it.
    declined: Vec<String>,
}

struct Question {
    ask: CodeAsk,
    waiting: Arc<AtomicUsize>,
    tried: Vec<Code>,
    answer: Option<oneshot::Sender<Option<Code>>>,
    exchanging: Option<Exchanging>,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("ask", &self.ask).finish_non_exhaustive()
    }
}

impl CodeDesk {
    /// Tells of every change of a question to this counter.
    pub(crate) fn with_news(news: watch::Sender<u64>) -> Self {
        Self(Arc::new(Inner { state: Mutex::default(), news }))
    }

    /// Somebody looks at the questions from now on; without, nothing is asked.
    pub fn attend(&self) {
        self.lock().attended = true;
    }

    /// Counts changes of the questions, among others.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.news.subscribe()
    }

    /// All questions, oldest first.
    pub fn asks(&self) -> Vec<CodeAsk> {
        let state = self.lock();
        let counted = |question: &Question| CodeAsk {
            waiting: question.waiting.load(Ordering::Relaxed),
            ..question.ask.clone()
        };
        state.questions.iter().map(counted).collect()
    }

    /// Whether a code for this source is waited for.
    pub(crate) fn asks_for(&self, source: &str) -> bool {
        self.lock().questions.iter().any(|question| question.ask.source == source)
    }

    /// Gives a code to the question of a source; `false` if it waits for none.
    pub fn give(&self, source: &str, code: Code) -> bool {
        self.answer(source, Some(code))
    }

    /// Takes a question back; `false` if there is none, or a code is being tried.
    pub fn decline(&self, source: &str) -> bool {
        self.answer(source, None)
    }

    fn answer(&self, source: &str, answer: Option<Code>) -> bool {
        let mut state = self.lock();
        let Some(question) = state.questions.iter_mut().find(|question| question.ask.source == source) else {
            return false;
        };
        let Some(sender) = question.answer.take() else { return false };
        question.ask.trying = answer.is_some();
        drop(state);
        let given = sender.send(answer).is_ok();
        self.changed();
        given
    }

    /// A person wants to be asked again.
    pub(crate) fn ask_again(&self, source: &str) {
        self.lock().declined.retain(|declined| declined != source);
    }

    /// Waits for credentials by a code: joins the question of the source, or begins one. `exchange` is called with
    /// each code in a task of its own, so that a call that gives up takes no question back.
    pub(crate) async fn exchange<F>(
        &self,
        ask: CodeAsk,
        waiting: &Arc<AtomicUsize>,
        exchange: impl Fn(Code) -> F + Send + 'static,
    ) -> Outcome
    where
        F: Future<Output = Result<Credentials, Exchange>> + Send + 'static,
    {
        let running = {
            let mut state = self.lock();
            if let Some(question) = state.questions.iter().find(|known| known.ask.source == ask.source) {
                question.exchanging.clone()
            } else if !state.attended {
                return Err(CodeFailure::Unattended);
            } else if state.declined.contains(&ask.source) {
                return Err(CodeFailure::Declined);
            } else {
                let source = ask.source.clone();
                let (waiting, tried) = (Arc::clone(waiting), Vec::new());
                state.questions.push(Question { ask, waiting, tried, answer: None, exchanging: None });
                let desk = self.clone();
                let task = tokio::spawn(async move { desk.until_taken(&source, exchange).await });
                let outcome = async move { task.await.unwrap_or(Err(CodeFailure::Declined)) };
                let running = outcome.boxed().shared();
                if let Some(question) = state.questions.last_mut() {
                    question.exchanging = Some(running.clone());
                }
                Some(running)
            }
        };
        match running {
            Some(running) => running.await,
            None => Err(CodeFailure::Waiting),
        }
    }

    async fn until_taken<F>(&self, source: &str, exchange: impl Fn(Code) -> F) -> Outcome
    where
        F: Future<Output = Result<Credentials, Exchange>>,
    {
        loop {
            let answer = self.next_answer(source).await;
            let Some(code) = answer else {
                self.end(source, true);
                return Err(CodeFailure::Declined);
            };
            match exchange(code.clone()).await {
                Ok(credentials) => {
                    self.end(source, false);
                    return Ok(credentials);
                }
                Err(Exchange::Refused(text)) => self.refused(source, code, text),
                Err(Exchange::Failed(error)) => {
                    self.end(source, false);
                    return Err(CodeFailure::Call(Arc::new(error)));
                }
            }
        }
    }

    async fn next_answer(&self, source: &str) -> Option<Code> {
        let (sender, answer) = oneshot::channel();
        {
            let mut state = self.lock();
            let question = state.questions.iter_mut().find(|question| question.ask.source == source)?;
            question.answer = Some(sender);
        }
        self.changed();
        answer.await.unwrap_or(None)
    }

    fn refused(&self, source: &str, code: Code, text: String) {
        let mut state = self.lock();
        let Some(question) = state.questions.iter_mut().find(|question| question.ask.source == source) else {
            return;
        };
        let used_before = question.tried.contains(&code);
        question.ask.refused = Some(CodeRefused { at_ms: now_ms(), used_before, text });
        question.ask.trying = false;
        if question.tried.len() == TRIED {
            question.tried.remove(0);
        }
        question.tried.push(code);
    }

    fn end(&self, source: &str, declined: bool) {
        let mut state = self.lock();
        state.questions.retain(|question| question.ask.source != source);
        if declined && !state.declined.iter().any(|known| known == source) {
            state.declined.push(source.to_owned());
        }
        drop(state);
        self.changed();
    }

    fn changed(&self) {
        self.0.news.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a waiting call while it lives.
pub(crate) struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    pub(crate) fn count(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(source: &str) -> CodeAsk {
        CodeAsk {
            source: source.to_owned(),
            serial: "arn:aws:iam::111122223333:mfa/mika".to_owned(),
            role: None,
            duration_s: 3600,
            waiting: 0,
            trying: false,
            refused: None,
        }
    }

    fn code(text: &str) -> Code {
        Code::parse(text).unwrap()
    }

    fn keys() -> Credentials {
        Credentials::new("ASIAEXAMPLE", "secret", None, None, "test")
    }

    /// Takes 222222 only.
    async fn check(code: Code) -> Result<Credentials, Exchange> {
        match code.expose() {
            "222222" => Ok(keys()),
            "333333" => Err(Exchange::Failed(CredentialsError::not_loaded("role is gone"))),
            _ => Err(Exchange::Refused("invalid MFA one time pass code".to_owned())),
        }
    }

    fn waiting_desk() -> (CodeDesk, watch::Receiver<u64>, Arc<AtomicUsize>) {
        let news = watch::Sender::new(0);
        let changes = news.subscribe();
        let desk = CodeDesk::with_news(news);
        desk.attend();
        (desk, changes, Arc::default())
    }

    async fn until(desk: &CodeDesk, changes: &mut watch::Receiver<u64>, wanted: impl Fn(&[CodeAsk]) -> bool) {
        while !wanted(&desk.asks()) {
            changes.changed().await.unwrap();
        }
    }

    #[tokio::test]
    async fn two_calls_share_one_question_and_a_refused_code_asks_again() {
        let (desk, mut changes, waiting) = waiting_desk();
        let call = || {
            let (desk, waiting) = (desk.clone(), Arc::clone(&waiting));
            tokio::spawn(async move {
                let _one = Waiting::count(&waiting);
                desk.exchange(ask("a"), &waiting, check).await
            })
        };
        let calls = [call(), call()];
        until(&desk, &mut changes, |asks| asks.len() == 1).await;
        while waiting.load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(desk.asks()[0].waiting, 2);
        for used_before in [false, true] {
            until(&desk, &mut changes, |asks| !asks[0].trying).await;
            while !desk.give("a", code("111111")) {
                tokio::task::yield_now().await;
            }
            until(&desk, &mut changes, |asks| {
                asks[0].refused.as_ref().is_some_and(|refused| refused.used_before == used_before)
            })
            .await;
        }
        assert!(!desk.give("b", code("222222")), "another source asks nothing");
        while !desk.give("a", code("222222")) {
            tokio::task::yield_now().await;
        }
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().access_key_id(), "ASIAEXAMPLE");
        }
        assert_eq!(desk.asks(), []);
    }

    #[tokio::test]
    async fn a_question_survives_the_call_that_began_it_and_another_failure_ends_it() {
        let (desk, mut changes, waiting) = waiting_desk();
        let call = desk.exchange(ask("a"), &waiting, check);
        assert!(call.now_or_never().is_none(), "nobody has answered yet");
        until(&desk, &mut changes, |asks| asks.len() == 1).await;
        while !desk.give("a", code("333333")) {
            tokio::task::yield_now().await;
        }
        until(&desk, &mut changes, |asks| asks.is_empty()).await;
    }

    #[tokio::test]
    async fn a_question_taken_back_comes_again_only_on_demand_and_never_unattended() {
        let (desk, mut changes, waiting) = waiting_desk();
        let call = {
            let (desk, waiting) = (desk.clone(), Arc::clone(&waiting));
            tokio::spawn(async move { desk.exchange(ask("a"), &waiting, check).await })
        };
        until(&desk, &mut changes, |asks| asks.len() == 1).await;
        while !desk.decline("a") {
            tokio::task::yield_now().await;
        }
        assert!(matches!(call.await.unwrap(), Err(CodeFailure::Declined)));
        assert!(matches!(desk.exchange(ask("a"), &waiting, check).await, Err(CodeFailure::Declined)));
        desk.ask_again("a");
        assert!(desk.exchange(ask("a"), &waiting, check).now_or_never().is_none());
        assert_eq!(desk.asks().len(), 1);
        let alone = CodeDesk::default();
        assert!(matches!(alone.exchange(ask("a"), &waiting, check).await, Err(CodeFailure::Unattended)));
    }
}
