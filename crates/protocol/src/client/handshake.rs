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
}

/// Answers every requested action, in order. An action nobody knows is answered as unsupported and left to the
/// agent to judge; the official client puts the 3 into the wrong member.
pub(super) fn answer(request: &HandshakeRequest, client_version: &str) -> Answer {
    let mut answer = Answer {
        response: HandshakeResponse {
            client_version: client_version.to_owned(),
            actions: Vec::with_capacity(request.actions.len()),
            errors: Vec::new(),
        },
        session: None,
        failure: None,
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
        let error = format!("Failed to process action {}: {why}", action.action_type());
        self.response.actions.push(processed(action, status, error));
        self.response.errors.push(why);
    }
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
        let answer = answer(&request(vec![port(), unknown]), "1.2.764.0");
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
        let answer = answer(&request(vec![port(), kms]), "1.2.764.0");
        assert_eq!(answer.response.actions.last().map(|a| a.status), Some(ActionStatus::Failed));
        assert_eq!(answer.failure, Some(HandshakeFailure::SealingUnsupported { key_id: "key".to_owned() }));
    }

    #[test]
    fn unknown_session_types_fail_their_action() {
        let odd = RequestedAction::SessionType { session_type: "port".to_owned(), properties: Value::Null };
        let answer = answer(&request(vec![odd]), "1.2.764.0");
        assert_eq!(answer.response.actions.first().map(|a| a.status), Some(ActionStatus::Failed));
        assert!(answer.session.is_none() && answer.failure.is_some());
    }
}
