//! The ladder in English words, for whoever has no words of their own.

use crate::age::age_text;
use crate::ladder::{Evidence, Step, StepName};
use crate::node::AccountRegion;

impl StepName {
    /// "Registered", "Agent online", "Tier", "IAM", "Session channel".
    pub fn label(self) -> &'static str {
        match self {
            Self::Registered => "Registered",
            Self::AgentOnline => "Agent online",
            Self::Tier => "Tier",
            Self::Iam => "IAM",
            Self::Channel => "Session channel",
        }
    }
}

impl Step {
    /// The fact in a few words, with its age; possibly empty.
    pub fn fact(&self, now_ms: i64) -> String {
        let age = self.at_ms.map(|then| format!("{} ago", age_text(now_ms, then)));
        let aged = |words: &str| match &age {
            Some(age) => format!("{words} {age}"),
            None => words.to_owned(),
        };
        match &self.evidence {
            Evidence::NotReached => "not reached".to_owned(),
            Evidence::Listed => age.clone().unwrap_or_default(),
            Evidence::NotRunning { .. }
            | Evidence::AgentLost
            | Evidence::Heard
            | Evidence::OldAgent { .. } => age.as_ref().map(|age| format!("ping {age}")).unwrap_or_default(),
            Evidence::NoHeartbeat => "no ping".to_owned(),
            Evidence::TierNotNeeded => "not needed for EC2".to_owned(),
            Evidence::TierAdvanced => "Advanced".to_owned(),
            Evidence::TierStandard => "Standard".to_owned(),
            Evidence::TierChanging => "changing".to_owned(),
            Evidence::TierChecking => "checking".to_owned(),
            Evidence::TierUnknown => "not known".to_owned(),
            Evidence::IamNotAsked => "not checked".to_owned(),
            Evidence::IamDenied => aged("refused"),
            Evidence::IamAllowed => aged("allowed"),
            Evidence::ChannelTrying { .. } => "checking".to_owned(),
            Evidence::ChannelOpen => "open".to_owned(),
            Evidence::ChannelNotTried => "no session".to_owned(),
            Evidence::ChannelConnected => aged("connected"),
            Evidence::ChannelNotConnected => aged("not connected"),
            Evidence::ChannelNotConnectable { .. } => aged("not connectable yet"),
            Evidence::ChannelOpened { after_ms } => match &age {
                Some(age) => format!("opened in {after_ms} ms, {age}"),
                None => format!("opened in {after_ms} ms"),
            },
            Evidence::ChannelNotOpened => aged("not opened"),
        }
    }

    /// The cause in one or two sentences; empty where the fact says all.
    pub fn cause(&self) -> String {
        match &self.evidence {
            Evidence::NotRunning { state } => format!("The instance is {state}, so its agent does not run."),
            Evidence::AgentLost => "Connection lost: AWS no longer hears the agent.".to_owned(),
            Evidence::NoHeartbeat => "AWS has not reported a heartbeat yet.".to_owned(),
            Evidence::OldAgent { version, lacks } => {
                let costs: Vec<String> = lacks.iter().map(|gate| gate.cost()).collect();
                format!("Agent {version} is old. {}", costs.join(" "))
            }
            Evidence::TierStandard => {
                "This account and Region are on the standard tier, which takes no sessions to hybrid nodes.".to_owned()
            }
            Evidence::TierChanging => {
                "The tier of this account and Region is being changed; sessions to hybrid nodes may be refused until it \
                 is done."
                    .to_owned()
            }
            Evidence::TierUnknown => {
                "AWS did not say which tier this account and Region are on, so a session may be refused.".to_owned()
            }
            Evidence::IamNotAsked => "AWS says only when a session is started.".to_owned(),
            Evidence::IamDenied => "AWS refused the last session to this node by policy.".to_owned(),
            Evidence::IamAllowed => "AWS allowed a session to this node.".to_owned(),
            Evidence::ChannelTrying { tries: 0 } => "A session is being started to find out.".to_owned(),
            Evidence::ChannelTrying { tries } => {
                format!("Online but not yet connectable: AWS took no session in {tries} tries, and it is tried again.")
            }
            Evidence::ChannelConnected => {
                "AWS says that the node is connected; no session was tried.".to_owned()
            }
            Evidence::ChannelNotConnected => {
                "AWS says that the node is not connected to Session Manager, although its agent is heard.".to_owned()
            }
            Evidence::ChannelNotConnectable { tries } => format!(
                "Online but not yet connectable: AWS took no session to the node in {tries} tries, although its agent is \
                 heard."
            ),
            Evidence::ChannelOpened { .. } => "A session was opened and ended again.".to_owned(),
            Evidence::ChannelNotOpened => "AWS allowed a session, but its channel did not open.".to_owned(),
            Evidence::NotReached
            | Evidence::Listed
            | Evidence::Heard
            | Evidence::TierNotNeeded
            | Evidence::TierAdvanced
            | Evidence::TierChecking
            | Evidence::ChannelOpen
            | Evidence::ChannelNotTried => String::new(),
        }
    }

    /// What to do next, as a sentence; empty where nothing is to be done.
    pub fn action(&self, at: &AccountRegion) -> String {
        let region = &at.region;
        match &self.evidence {
            Evidence::NotRunning { .. } => "Start the instance, then check again.".to_owned(),
            Evidence::AgentLost => format!(
                "Check that the agent runs on the node and reaches the ssm and ssmmessages endpoints of {region}."
            ),
            Evidence::NoHeartbeat => "Check again in a minute.".to_owned(),
            Evidence::OldAgent { .. } => "Update the agent on the node.".to_owned(),
            Evidence::TierStandard => format!(
                "Check that {region} is the right Region, then review the change to the advanced tier and its cost."
            ),
            Evidence::TierChanging => "Wait until the change has settled, then check again.".to_owned(),
            Evidence::TierUnknown => "Allow ssm:GetServiceSetting on the tier setting to see it.".to_owned(),
            Evidence::IamNotAsked => "Start a session to find out.".to_owned(),
            Evidence::IamDenied => "Change the policy that refused, then check again.".to_owned(),
            Evidence::ChannelNotConnected | Evidence::ChannelNotConnectable { .. } => format!(
                "Wait a minute after a boot or a registration, then check again; if it lasts, check that the node reaches \
                 the ssmmessages endpoint of {region}."
            ),
            Evidence::ChannelNotOpened => "The failure's own text says more.".to_owned(),
            Evidence::ChannelNotTried | Evidence::ChannelConnected => {
                "Start a session to find out.".to_owned()
            }
            Evidence::NotReached
            | Evidence::Listed
            | Evidence::Heard
            | Evidence::TierNotNeeded
            | Evidence::TierAdvanced
            | Evidence::TierChecking
            | Evidence::IamAllowed
            | Evidence::ChannelTrying { .. }
            | Evidence::ChannelOpen
            | Evidence::ChannelOpened { .. } => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::StepState;
    use crate::version::Gate;

    #[test]
    fn what_stops_says_why_and_what_to_do() {
        let at = AccountRegion { account_id: "1".to_owned(), region: "eu-central-1".to_owned() };
        let old = Evidence::OldAgent { version: "3.0.161.0".to_owned(), lacks: vec![Gate::Multiplexing] };
        for evidence in [
            Evidence::NotRunning { state: "stopped".to_owned() },
            Evidence::AgentLost,
            Evidence::TierStandard,
            Evidence::TierChanging,
            Evidence::IamDenied,
            Evidence::ChannelNotConnected,
            Evidence::ChannelNotConnectable { tries: 6 },
            Evidence::ChannelNotOpened,
            old,
        ] {
            let step = Step { name: StepName::Tier, state: StepState::Stopped, evidence, at_ms: Some(0) };
            for text in [step.cause(), step.action(&at)] {
                assert!(text.ends_with('.'), "{step:?}: {text:?}");
            }
        }
        let step = Step {
            name: StepName::Channel,
            state: StepState::Passed,
            evidence: Evidence::ChannelOpened { after_ms: 38 },
            at_ms: Some(0),
        };
        assert_eq!(step.fact(120_000), "opened in 38 ms, 2 min ago");
    }
}
