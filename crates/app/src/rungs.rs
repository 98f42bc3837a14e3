//! The readiness ladder as the interface sees it.

use fleetline_inventory::{self as inventory, Step};
use fleetline_ipc::ladder::{AgentGate, ClosedGate, Evidence, LadderStep, StepName, StepState};

use crate::rows::millis;

pub(crate) fn ladder(steps: [Step; 5]) -> Vec<LadderStep> {
    let row = |step: Step| LadderStep {
        name: name(step.name),
        state: state(step.state),
        evidence: evidence(step.evidence),
        at_ms: step.at_ms.map(millis),
    };
    steps.into_iter().map(row).collect()
}

fn name(name: inventory::StepName) -> StepName {
    match name {
        inventory::StepName::Registered => StepName::Registered,
        inventory::StepName::AgentOnline => StepName::AgentOnline,
        inventory::StepName::Tier => StepName::Tier,
        inventory::StepName::Iam => StepName::Iam,
        inventory::StepName::Channel => StepName::Channel,
    }
}

fn state(state: inventory::StepState) -> StepState {
    match state {
        inventory::StepState::Passed => StepState::Passed,
        inventory::StepState::Limited => StepState::Limited,
        inventory::StepState::Stopped => StepState::Stopped,
        inventory::StepState::Lost => StepState::Lost,
        inventory::StepState::Running => StepState::Running,
        inventory::StepState::NotChecked => StepState::NotChecked,
        inventory::StepState::NotReached => StepState::NotReached,
    }
}

fn gate(gate: inventory::Gate) -> ClosedGate {
    let since = gate.since().to_string();
    let gate = match gate {
        inventory::Gate::Sessions => AgentGate::Sessions,
        inventory::Gate::Ssh => AgentGate::Ssh,
        inventory::Gate::Multiplexing => AgentGate::Multiplexing,
        inventory::Gate::RemoteHosts => AgentGate::RemoteHosts,
    };
    ClosedGate { gate, since }
}

fn evidence(evidence: inventory::Evidence) -> Evidence {
    use inventory::Evidence as From;
    match evidence {
        From::NotReached => Evidence::NotReached,
        From::Listed => Evidence::Listed,
        From::NotRunning { state } => Evidence::NotRunning { state },
        From::AgentLost => Evidence::AgentLost,
        From::NoHeartbeat => Evidence::NoHeartbeat,
        From::Heard => Evidence::Heard,
        From::OldAgent { version, lacks } => {
            Evidence::OldAgent { version, lacks: lacks.into_iter().map(gate).collect() }
        }
        From::TierNotNeeded => Evidence::TierNotNeeded,
        From::TierAdvanced => Evidence::TierAdvanced,
        From::TierStandard => Evidence::TierStandard,
        From::TierChanging => Evidence::TierChanging,
        From::TierChecking => Evidence::TierChecking,
        From::TierUnknown => Evidence::TierUnknown,
        From::IamNotAsked => Evidence::IamNotAsked,
        From::IamDenied => Evidence::IamDenied,
        From::IamAllowed => Evidence::IamAllowed,
        From::ChannelTrying { tries } => Evidence::ChannelTrying { tries },
        From::ChannelOpen => Evidence::ChannelOpen,
        From::ChannelNotTried => Evidence::ChannelNotTried,
        From::ChannelConnected => Evidence::ChannelConnected,
        From::ChannelNotConnected => Evidence::ChannelNotConnected,
        From::ChannelNotConnectable { tries } => Evidence::ChannelNotConnectable { tries },
        // Exact for any time a session can take.
        From::ChannelOpened { after_ms } => Evidence::ChannelOpened { after_ms: after_ms as f64 },
        From::ChannelNotOpened => Evidence::ChannelNotOpened,
    }
}
