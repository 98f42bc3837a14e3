//! Findings as the interface takes them.

use fleetline_documents::audit::{Fact, Finding, Setting, Topic, Verdict};
use fleetline_documents::short_name;
use fleetline_ipc::audit::{AuditFact, AuditReport, AuditRow, AuditSetting, AuditTopic, AuditVerdict};

use crate::clock::now_ms;
use crate::rows::millis;

pub(crate) fn report(source: &str, region: &str, findings: Vec<Finding>) -> AuditReport {
    AuditReport {
        source: source.to_owned(),
        region: region.to_owned(),
        rows: findings.into_iter().map(row).collect(),
        at_ms: millis(now_ms()),
    }
}

fn row(finding: Finding) -> AuditRow {
    AuditRow {
        topic: topic(finding.topic),
        verdict: match finding.verdict {
            Verdict::Good => AuditVerdict::Good,
            Verdict::Attention => AuditVerdict::Attention,
            Verdict::Gap => AuditVerdict::Gap,
            Verdict::Unknown => AuditVerdict::Unknown,
        },
        fact: fact(finding.fact),
        evidence: finding.evidence,
        setting: match finding.topic.setting() {
            Setting::Preference(path) => AuditSetting::Preference { path: path.to_owned() },
            Setting::Documents => AuditSetting::Documents,
            Setting::Policies => AuditSetting::Policies,
            Setting::Trail => AuditSetting::Trail,
        },
    }
}

fn topic(topic: Topic) -> AuditTopic {
    match topic {
        Topic::S3Log => AuditTopic::S3Log,
        Topic::CloudWatchLog => AuditTopic::CloudWatchLog,
        Topic::Sealing => AuditTopic::Sealing,
        Topic::RunAs => AuditTopic::RunAs,
        Topic::IdleLimit => AuditTopic::IdleLimit,
        Topic::LongestLimit => AuditTopic::LongestLimit,
        Topic::PortContent => AuditTopic::PortContent,
        Topic::OtherDocuments => AuditTopic::OtherDocuments,
        Topic::Sharing => AuditTopic::Sharing,
        Topic::Permissions => AuditTopic::Permissions,
        Topic::CloudTrail => AuditTopic::CloudTrail,
    }
}

fn fact(fact: Fact) -> AuditFact {
    let short = |names: Vec<String>| names.iter().map(|name| short_name(name).to_owned()).collect();
    match fact {
        Fact::S3(target) => AuditFact::S3 {
            bucket: target.bucket,
            prefix: target.prefix,
            encrypted: target.must_be_encrypted,
        },
        Fact::CloudWatch(target) => AuditFact::CloudWatch {
            group: target.group,
            streams: target.streams,
            encrypted: target.must_be_encrypted,
        },
        Fact::NotHere => AuditFact::NotHere,
        Fact::NotRecorded => AuditFact::NotRecorded,
        Fact::Sealed(key) => AuditFact::Sealed { key },
        Fact::NotSealed => AuditFact::NotSealed,
        Fact::AgentUser => AuditFact::AgentUser,
        Fact::NamedUser(user) => AuditFact::NamedUser { user },
        Fact::Idle(minutes, set) => AuditFact::Idle { minutes, set },
        Fact::Longest(minutes) => AuditFact::Longest { minutes },
        Fact::NoLongest => AuditFact::NoLongest,
        Fact::PortsUnseen => AuditFact::PortsUnseen,
        Fact::Unrecorded(names) => AuditFact::Unrecorded { names: short(names) },
        Fact::AllRecorded => AuditFact::AllRecorded,
        Fact::SharedHere(names) => AuditFact::SharedHere { names: short(names) },
        Fact::NoneShared => AuditFact::NoneShared,
        Fact::PoliciesTell => AuditFact::PoliciesTell,
        Fact::TrailLogging(names) => AuditFact::TrailLogging { names: short(names) },
        Fact::TrailStopped(names) => AuditFact::TrailStopped { names: short(names) },
        Fact::NoTrail => AuditFact::NoTrail,
        Fact::Unknown => AuditFact::Unknown,
    }
}
