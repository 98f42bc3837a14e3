//! The client's answer to a handshake request (protocol.md 5.3 and 5.4).

use serde_json::Value;

use super::event::HandshakeFailure;
use crate::json::{
    ActionResult, ActionStatus, HandshakeRequest, HandshakeResponse, ProcessedAction, RequestedAction,
};
use crate::session_kind::SessionKind;

/// What a request comes to.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: HandshakeResponse,
    /// The session the agent announced.
    pub(super) session: Option<(SessionKind, Value)>,
    /// Why this client cannot go on, whatever the agent makes of the response.
    pub(super) failure: Option<HandshakeFailure>,
    /// The data key that must be got before the response can go out.
    pub(super) key_wanted: Option<KeyWanted>,
}

/// What a request says of the data key.
#[derive(Debug)]
pub(super) struct KeyWanted {
    /// Place of the action among the others.
    position: usize,
    pub(super) key_id: String,
    pub(super) challenge: Option<String>,
}

/// Answers every requested action, in order. An action nobody knows is answered as unsupported and left to the
/// agent to judge; the official client puts the 3 into the wrong member. Sealing is refused unless `can_seal`; then
/// its entry counts as failed until [`Answer::key_given`].
pub(super) fn answer(request: &HandshakeRequest, client_version: &str, can_seal: bool) -> Answer {
    let mut answer = Answer {
        response: HandshakeResponse {
            client_version: client_version.to_owned(),
            actions: Vec::with_capacity(request.actions.len()),
            errors: Vec::new(),
        },
        session: None,
        failure: None,
        key_wanted: None,
    };
    for action in &request.actions {
        match action {
            RequestedAction::SessionType { session_type, properties } => {
                match SessionKind::from_wire_name(session_type) {
                    Some(kind) => {
                        answer.session = Some((kind, properties.clone()));
                        answer.response.actions.push(processed(action, ActionStatus::Success, String::new()));
                    }
                    None => {
                        let failure =
                            HandshakeFailure::UnknownSessionType { session_type: session_type.clone() };
                        answer.fail(action, ActionStatus::Failed, failure.to_string());
                        answer.failure.get_or_insert(failure);
                    }
                }
            }
            RequestedAction::KmsEncryption { key_id, challenge }
                if can_seal && answer.key_wanted.is_none() =>
            {
                answer.key_wanted = Some(KeyWanted {
                    position: answer.response.actions.len(),
                    key_id: key_id.clone(),
                    challenge: challenge.clone(),
                });
                let error = failed(action.action_type(), "no data key was asked for");
                answer.response.actions.push(processed(action, ActionStatus::Failed, error));
            }
            RequestedAction::KmsEncryption { .. } if can_seal => {
                answer.fail(action, ActionStatus::Failed, "asked for twice".to_owned());
                answer.failure.get_or_insert(HandshakeFailure::Malformed);
            }
            RequestedAction::KmsEncryption { key_id, .. } => {
                let failure = HandshakeFailure::SealingUnsupported { key_id: key_id.clone() };
                answer.fail(action, ActionStatus::Failed, failure.to_string());
                answer.failure.get_or_insert(failure);
            }
            RequestedAction::Other { .. } => {
                answer.fail(action, ActionStatus::Unsupported, "unsupported action".to_owned());
            }
        }
    }
    answer
}

impl Answer {
    fn fail(&mut self, action: &RequestedAction, status: ActionStatus, why: String) {
        let error = failed(action.action_type(), &why);
        self.response.actions.push(processed(action, status, error));
        self.response.errors.push(why);
    }

    /// The data key is there; `cipher_text` is its sealed form in base64.
    pub(super) fn key_given(&mut self, cipher_text: String, acknowledges_challenge: bool) {
        if let Some(entry) = self.key_entry() {
            entry.status = ActionStatus::Success;
            entry.result = ActionResult::KmsCipherText { key: cipher_text, acknowledges_challenge };
            entry.error = String::new();
        }
    }

    /// There will be no data key.
    pub(super) fn key_refused(&mut self, reason: String) {
        if let Some(entry) = self.key_entry() {
            entry.error = failed(&entry.action_type, &reason);
            self.response.errors.push(reason);
        }
    }

    fn key_entry(&mut self) -> Option<&mut ProcessedAction> {
        let position = self.key_wanted.as_ref()?.position;
        self.response.actions.get_mut(position)
    }
}

fn failed(action_type: &str, why: &str) -> String {
    format!("Failed to process action {action_type}: {why}")
}

fn processed(action: &RequestedAction, status: ActionStatus, error: String) -> ProcessedAction {
    ProcessedAction {
        action_type: action.action_type().to_owned(),
        status,
        result: ActionResult::None,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(actions: Vec<RequestedAction>) -> HandshakeRequest {
        HandshakeRequest { agent_version: "3.3.987.0".to_owned(), actions }
    }

    fn port() -> RequestedAction {
        RequestedAction::SessionType { session_type: "Port".to_owned(), properties: Value::Null }
    }

    #[test]
    fn unknown_actions_are_unsupported_in_the_status_member() {
        let unknown = RequestedAction::Other { action_type: "Dance".to_owned(), parameters: Value::Null };
        let answer = answer(&request(vec![port(), unknown]), "1.2.764.0", false);
        assert_eq!(
            answer.response.encode(),
            "{\"ClientVersion\":\"1.2.764.0\",\"ProcessedClientActions\":[\
             {\"ActionType\":\"SessionType\",\"ActionStatus\":1,\"ActionResult\":null,\"Error\":\"\"},\
             {\"ActionType\":\"Dance\",\"ActionStatus\":3,\"ActionResult\":null,\
             \"Error\":\"Failed to process action Dance: unsupported action\"}],\
             \"Errors\":[\"unsupported action\"]}"
        );
        assert_eq!(answer.failure, None);
    }

    #[test]
    fn sealing_is_refused_and_ends_the_handshake() {
        let kms = RequestedAction::KmsEncryption { key_id: "key".to_owned(), challenge: None };
        let answer = answer(&request(vec![port(), kms]), "1.2.764.0", false);
        assert_eq!(answer.response.actions.last().map(|a| a.status), Some(ActionStatus::Failed));
        assert_eq!(answer.failure, Some(HandshakeFailure::SealingUnsupported { key_id: "key".to_owned() }));
    }

    #[test]
    fn unknown_session_types_fail_their_action() {
        let odd = RequestedAction::SessionType { session_type: "port".to_owned(), properties: Value::Null };
        let answer = answer(&request(vec![odd]), "1.2.764.0", false);
        assert_eq!(answer.response.actions.first().map(|a| a.status), Some(ActionStatus::Failed));
        assert!(answer.session.is_none() && answer.failure.is_some());
    }

    #[test]
    fn a_key_is_wanted_once_and_counts_as_failed_until_it_is_given() {
        let kms = || RequestedAction::KmsEncryption { key_id: "key".to_owned(), challenge: None };
        let mut once = answer(&request(vec![port(), kms()]), "1.2.764.0", true);
        let status = |answer: &Answer| answer.response.actions.last().map(|a| a.status);
        assert_eq!((status(&once), once.failure.is_none()), (Some(ActionStatus::Failed), true));
        once.key_given("AQ==".to_owned(), false);
        assert_eq!(
            once.response.encode(),
            "{\"ClientVersion\":\"1.2.764.0\",\"ProcessedClientActions\":[\
             {\"ActionType\":\"SessionType\",\"ActionStatus\":1,\"ActionResult\":null,\"Error\":\"\"},\
             {\"ActionType\":\"KMSEncryption\",\"ActionStatus\":1,\"ActionResult\":\
             {\"KMSCipherTextKey\":\"AQ==\",\"KMSCipherTextHash\":null},\"Error\":\"\"}],\"Errors\":null}"
        );
        let twice = answer(&request(vec![port(), kms(), kms()]), "1.2.764.0", true);
        assert_eq!(twice.failure, Some(HandshakeFailure::Malformed));
    }
}
