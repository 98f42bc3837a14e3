//! Starting, resuming, ending and listing sessions (aws-security-reliability.md A.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleetline_protocol::StreamToken;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::validation::Violations;
use super::{permit, seconds};
use crate::documents;
use crate::gateway::{self, relay::RelayCommand};
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::{Ask, NodeState, Tier};
use crate::registry::{Presence, SessionStatus, SessionView};
use crate::shared::Shared;
use crate::sigv4::Presigner;
use crate::world::catalogue::PlatformType;
use crate::world::node::Node;
use crate::world::past::KEPT_MS;
use crate::world::{Account, task};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartRequest {
    target: Option<String>,
    document_name: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, Vec<String>>,
}

const DOCUMENT_PATTERN: &str = "^[a-zA-Z0-9_\\-.:/]{3,128}$";

pub(super) fn start(
    shared: &Arc<Shared>,
    caller: &Caller,
    request: StartRequest,
) -> Result<Value, ApiFailure> {
    request.check()?;
    let account = caller.account(shared);
    let target = request.target.unwrap_or_default();
    let document = request.document_name.as_deref().unwrap_or(documents::DEFAULT).to_owned();
    let document = documents::plain_name(&document, &caller.region, account.plan.id).to_owned();
    permit(shared, caller, &start_asks(account, caller, &target, &document))?;
    let node = account.find(&caller.region, &target).filter(|n| shared.live.is_registered(&n.id));
    let own = documents::default_of(shared, caller, &document);
    let platform = node.map_or(PlatformType::Linux, |node| node.os.platform);
    let plan = documents::plan(own.as_deref(), &document, &request.parameters, platform)?;
    let Some(node) = node.filter(|n| shared.live.node_state(&shared.world, n) == NodeState::Online) else {
        return Err(ApiFailure::new("TargetNotConnected", format!("{target} is not connected.")));
    };
    let (tier, _) = shared.live.tier(&shared.world, caller.account, &caller.region);
    if node.kind.is_hybrid() && tier == Tier::Standard {
        return Err(ApiFailure::new(
            "BadRequest",
            "Enable advanced-instances tier to use Session Manager with your on-premises instances",
        ));
    }
    if shared.registry.live_count() >= shared.config.max_sessions {
        return Err(ApiFailure::new(
            "ServiceQuotaExceededException",
            format!("This simulator runs at most {} sessions at a time.", shared.config.max_sessions),
        ));
    }
    let session_id = new_session_id(Account::SESSION_NAME);
    let view = SessionView {
        session_id: session_id.clone(),
        account_id: account.plan.id.to_owned(),
        region: caller.region.clone(),
        target,
        status: SessionStatus::Connecting,
        owner: account.caller_arn(),
        document,
        reason: request.reason,
        start_ms: shared.now_ms(),
        end_ms: None,
        details: String::new(),
        client_sockets: 0,
        dropped_frames: 0,
        s3_url: String::new(),
        cloudwatch_url: String::new(),
    };
    gateway::begin(shared, caller.account, node, view, plan);
    let token = new_token();
    shared.registry.grant(&session_id, token.clone(), shared.config.token_ttl);
    shared.changed();
    Ok(json!({
        "SessionId": session_id,
        "TokenValue": token.expose(),
        "StreamUrl": stream_url(shared, caller, &session_id, ""),
    }))
}

/// The URL of a data channel, which the caller signs or finds signed.
fn stream_url(shared: &Shared, caller: &Caller, session_id: &str, query: &str) -> String {
    let url = shared.stream_url(session_id, query);
    let Some(life) = shared.config.presigned_urls else { return url };
    let account = caller.account(shared);
    let signer = Presigner {
        access_key: &account.access_key,
        secret_key: &account.secret_key,
        session_token: &account.session_token,
        region: &caller.region,
        service: "ssmmessages",
    };
    signer.presign(&url, Timestamp::now(), life)
}

impl StartRequest {
    fn check(&self) -> Result<(), ApiFailure> {
        let mut violations = Violations::default();
        violations.required("target", self.target.as_ref());
        violations.length("target", self.target.as_deref(), 1, 400);
        violations.pattern("documentName", self.document_name.as_deref(), DOCUMENT_PATTERN, |name| {
            (3..=128).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b))
        });
        violations.length("reason", self.reason.as_deref(), 1, 256);
        for (key, values) in &self.parameters {
            violations.length("parameters.key", Some(key), 1, 255);
            for value in values {
                violations.length("parameters.value", Some(value), 1, 65_535);
            }
        }
        violations.check()
    }
}

/// StartSession needs the node and the document. Which of the two a refusal names is not predictable for the real
/// service; here it is the node if that is denied.
fn start_asks(account: &Account, caller: &Caller, target: &str, document: &str) -> Vec<Ask<'static>> {
    let (region, id) = (&caller.region, account.plan.id);
    let node = if target.starts_with("mi-") {
        format!("arn:aws:ssm:{region}:{id}:managed-instance/{target}")
    } else if target.starts_with(task::PREFIX) {
        task::arn(target, region, id)
    } else {
        format!("arn:aws:ec2:{region}:{id}:instance/{target}")
    };
    let owner = if document.starts_with("AWS-") { "" } else { id };
    // A document of another account is named by its ARN.
    let document = match document.starts_with("arn:") {
        true => document.to_owned(),
        false => format!("arn:aws:ssm:{region}:{owner}:document/{document}"),
    };
    [node, document].map(|resource| Ask { action: "ssm:StartSession", resource, named: true }).to_vec()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SessionRequest {
    session_id: Option<String>,
}

impl SessionRequest {
    fn checked(&self) -> Result<&str, ApiFailure> {
        let mut violations = Violations::default();
        violations.required("sessionId", self.session_id.as_ref());
        violations.length("sessionId", self.session_id.as_deref(), 1, 96);
        violations.check()?;
        Ok(self.session_id.as_deref().unwrap_or_default())
    }
}

fn session_ask<'a>(shared: &Shared, caller: &Caller, action: &'a str, session_id: &str) -> Ask<'a> {
    let resource =
        format!("arn:aws:ssm:{}:{}:session/{session_id}", caller.region, caller.account(shared).plan.id);
    Ask { action, resource, named: true }
}

pub(super) fn resume(
    shared: &Shared,
    caller: &Caller,
    request: &SessionRequest,
) -> Result<Value, ApiFailure> {
    let session_id = request.checked()?;
    permit(shared, caller, &[session_ask(shared, caller, "ssm:ResumeSession", session_id)])?;
    match shared.registry.presence(caller.account, &caller.region, session_id) {
        Presence::Unknown => {
            Err(ApiFailure::new("DoesNotExistException", format!("Session {session_id} does not exist.")))
        }
        // A session that is over is told by an empty token (protocol.md 1.3).
        Presence::Over => Ok(json!({ "SessionId": session_id, "TokenValue": "", "StreamUrl": "" })),
        Presence::Live => {
            let token = new_token();
            shared.registry.grant(session_id, token.clone(), shared.config.token_ttl);
            // The real service moves a resumed session to another cell, which the URL names.
            let cell = STANDARD.encode(uuid::Uuid::new_v4().as_bytes());
            let cell: String = url::form_urlencoded::byte_serialize(cell.as_bytes()).collect();
            Ok(json!({
                "SessionId": session_id,
                "TokenValue": token.expose(),
                "StreamUrl": stream_url(shared, caller, session_id, &format!("&cell-number={cell}")),
            }))
        }
    }
}

pub(super) async fn terminate(
    shared: &Shared,
    caller: &Caller,
    request: &SessionRequest,
) -> Result<Value, ApiFailure> {
    let session_id = request.checked()?;
    permit(shared, caller, &[session_ask(shared, caller, "ssm:TerminateSession", session_id)])?;
    if shared.registry.presence(caller.account, &caller.region, session_id) == Presence::Live
        && let Some(relay) = shared.registry.relay(session_id)
    {
        shared.update_session(session_id, |view| view.status = SessionStatus::Terminating);
        // A relay that no longer listens is ending already.
        relay.send(RelayCommand::Terminate { output: String::new() }).await.ok();
    }
    // Unknown and closed sessions are terminated as well, as far as the caller can tell (protocol.md 1.4).
    Ok(json!({ "SessionId": session_id }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StatusRequest {
    target: Option<String>,
}

pub(super) fn connection_status(
    shared: &Shared,
    caller: &Caller,
    request: &StatusRequest,
) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("target", request.target.as_ref());
    violations.length("target", request.target.as_deref(), 1, 400);
    violations.check()?;
    let target = request.target.as_deref().unwrap_or_default();
    let account = caller.account(shared);
    permit(shared, caller, &[super::listing(shared, caller, "ssm:GetConnectionStatus")])?;
    let node = account.find(&caller.region, target).filter(|n| shared.live.is_registered(&n.id));
    let online = node.is_some_and(|n| shared.live.node_state(&shared.world, n) == NodeState::Online);
    Ok(json!({ "Target": target, "Status": if online { "connected" } else { "notconnected" } }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeRequest {
    state: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
    #[serde(default)]
    filters: Vec<SessionFilter>,
}

#[derive(Debug, Deserialize, serde::Serialize)]
struct SessionFilter {
    key: Option<String>,
    value: Option<String>,
}

/// What a listing wants of a session.
enum Wanted {
    After(i64),
    Before(i64),
    Target(String),
    Owner(String),
    Status(String),
    Session(String),
    Access(String),
}

/// Positions of a listing from here on are orders of the registry, plus one; smaller ones are indices of past sessions.
const RECENT: u64 = 1 << 62;

const STATUSES: &[&str] = &["Connected", "Connecting", "Disconnected", "Terminated", "Terminating", "Failed"];
const FILTER_KEYS: &[&str] =
    &["InvokedAfter", "InvokedBefore", "Target", "Owner", "Status", "SessionId", "AccessType"];

pub(super) fn describe(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeRequest,
) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("state", request.state.as_ref());
    violations.one_of("state", request.state.as_deref(), &["Active", "History"]);
    violations.range("maxResults", request.max_results, 1, 200);
    if request.filters.len() > 6 {
        violations.add(
            &format!("'{} filters'", request.filters.len()),
            "filters",
            "Member must have length less than or equal to 6",
        );
    }
    for (place, filter) in request.filters.iter().enumerate() {
        let path = format!("filters.{}.member", place + 1);
        violations.required(&format!("{path}.key"), filter.key.as_ref());
        violations.required(&format!("{path}.value"), filter.value.as_ref());
        violations.one_of(&format!("{path}.key"), filter.key.as_deref(), FILTER_KEYS);
        violations.length(&format!("{path}.value"), filter.value.as_deref(), 1, 400);
    }
    violations.check()?;
    permit(shared, caller, &[super::listing(shared, caller, "ssm:DescribeSessions")])?;
    let wanted = request.filters.iter().map(SessionFilter::wanted).collect::<Result<Vec<_>, _>>()?;
    let active = request.state.as_deref() == Some("Active");
    let scope =
        json!(["ssm:DescribeSessions", caller.account, caller.region, request.state, request.filters])
            .to_string();
    let position = match request.next_token.as_deref().filter(|token| !token.is_empty()) {
        Some(token) => shared
            .pages
            .read(&scope, token)
            .map_err(|_| ApiFailure::new("InvalidNextToken", "The specified token is not valid."))?,
        None => RECENT,
    };
    let size = usize::try_from(request.max_results.unwrap_or(200)).unwrap_or(1);
    let now_ms = shared.now_ms();
    let accepts = |view: &SessionView| {
        let kept = active || view.start_ms > now_ms - KEPT_MS;
        view.status.is_over() != active && kept && wanted.iter().all(|w| w.accepts(view))
    };
    // One more than a page, to know whether there is another; each with the position that continues before it.
    let mut found: Vec<(u64, Value)> = Vec::new();
    if position >= RECENT {
        let before = position.checked_sub(RECENT + 1).unwrap_or(u64::MAX);
        let recent = shared.registry.page(caller.account, &caller.region, before, accepts, size + 1);
        found.extend(recent.iter().map(|(order, view)| (RECENT + 1 + order, session(view))));
    }
    if !active && found.len() <= size {
        let from = if position >= RECENT { 0 } else { usize::try_from(position).unwrap_or(usize::MAX) };
        let most = size + 1 - found.len();
        let past = shared.past.page(caller.account, &caller.region, from, now_ms, accepts, most);
        found.extend(past.iter().map(|(index, view)| (*index as u64 + 1, session(view))));
    }
    let mut answer = Map::new();
    let more = found.len() > size;
    let next = found.get(size.saturating_sub(1)).map(|(position, _)| *position).filter(|_| more);
    let sessions: Vec<Value> = found.into_iter().take(size).map(|(_, session)| session).collect();
    answer.insert("Sessions".into(), Value::Array(sessions));
    if let Some(next) = next {
        answer.insert("NextToken".into(), Value::String(shared.pages.make(&scope, next)));
    }
    Ok(Value::Object(answer))
}

impl SessionFilter {
    fn wanted(&self) -> Result<Wanted, ApiFailure> {
        let value = self.value.clone().unwrap_or_default();
        let time = |text: &str| {
            text.parse::<Timestamp>().map(|t| t.as_millisecond()).map_err(|_| {
                ApiFailure::new("ValidationException", format!("The date {text} is not in ISO-8601 format."))
            })
        };
        Ok(match self.key.as_deref().unwrap_or_default() {
            "InvokedAfter" => Wanted::After(time(&value)?),
            "InvokedBefore" => Wanted::Before(time(&value)?),
            "Target" => Wanted::Target(value),
            "Owner" => Wanted::Owner(value),
            "Status" if STATUSES.contains(&value.as_str()) => Wanted::Status(value),
            "Status" => {
                return Err(ApiFailure::new(
                    "ValidationException",
                    format!("{value} is not a session status. Valid values: {}.", STATUSES.join(", ")),
                ));
            }
            "SessionId" => Wanted::Session(value),
            _ => Wanted::Access(value),
        })
    }
}

impl Wanted {
    fn accepts(&self, view: &SessionView) -> bool {
        match self {
            Self::After(ms) => view.start_ms > *ms,
            Self::Before(ms) => view.start_ms < *ms,
            Self::Target(target) => view.target == *target,
            Self::Owner(owner) => view.owner == *owner,
            Self::Status(status) => view.status.as_str() == status,
            Self::Session(id) => view.session_id == *id,
            Self::Access(access) => access == "Standard",
        }
    }
}

fn session(view: &SessionView) -> Value {
    let mut entry = json!({
        "SessionId": view.session_id,
        "Target": view.target,
        "Status": view.status.as_str(),
        "StartDate": seconds(view.start_ms),
        "DocumentName": view.document,
        "Owner": view.owner,
        "Details": view.details,
        "OutputUrl": output_url(view),
        "AccessType": "Standard",
    });
    if let Some(reason) = &view.reason {
        entry["Reason"] = json!(reason);
    }
    if let Some(end_ms) = view.end_ms {
        entry["EndDate"] = seconds(end_ms);
    }
    entry
}

fn output_url(view: &SessionView) -> Value {
    let mut value = json!({});
    if !view.s3_url.is_empty() {
        value["S3OutputUrl"] = json!(view.s3_url);
    }
    if !view.cloudwatch_url.is_empty() {
        value["CloudWatchOutputUrl"] = json!(view.cloudwatch_url);
    }
    value
}

/// Role session name and 17 digits, as the service makes them.
/// Ids begin with the name of the role session that started them.
fn new_session_id(owner: &str) -> String {
    let random: [u8; 8] = rand::random();
    format!("{owner}-0{}", hex::encode(random))
}

/// Begins a plain shell of another holder of the account's role, to which no client has attached. Returns its id.
pub(crate) fn begin_for_another(
    shared: &Arc<Shared>,
    account: usize,
    region: &str,
    node: &Node,
    owner: &str,
    reason: &str,
) -> Result<String, ApiFailure> {
    let plan = documents::plan(None, documents::DEFAULT, &BTreeMap::new(), node.os.platform)?;
    let session_id = new_session_id(owner);
    let (id, role) = (shared.world.accounts[account].plan.id, shared.world.accounts[account].plan.role);
    let view = SessionView {
        session_id: session_id.clone(),
        account_id: id.to_owned(),
        region: region.to_owned(),
        target: node.id.to_string(),
        status: SessionStatus::Connecting,
        owner: format!("arn:aws:sts::{id}:assumed-role/{role}/{owner}"),
        document: documents::DEFAULT.to_owned(),
        reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
        start_ms: shared.now_ms(),
        end_ms: None,
        details: String::new(),
        client_sockets: 0,
        dropped_frames: 0,
        s3_url: String::new(),
        cloudwatch_url: String::new(),
    };
    gateway::begin(shared, account, node, view, plan);
    shared.changed();
    Ok(session_id)
}

fn new_token() -> StreamToken {
    let random: [[u8; 32]; 3] = rand::random();
    StreamToken::new(STANDARD.encode(random.as_flattened()))
}
