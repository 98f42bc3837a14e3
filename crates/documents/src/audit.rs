//! Whether sessions of an account-Region are recorded, sealed and bounded, judged by its documents and trails: each
//! finding with what it was read from and the setting that changes it.
//!
//! Who may start what is decided by IAM policies, which are not read here; what documents and their sharing tell is all
//! that can be known without them.

use crate::calls::PREFERENCES;
use crate::effects::{CloudWatchTarget, Effects, RunAs, S3Target};
use crate::model::{SessionDocument, SessionType};
use crate::text::DocumentText;

/// Minutes of silence after which an open shell is a risk: what the service takes where nothing is set.
const USUAL_IDLE_MINUTES: u32 = 20;

/// What is judged, in the order it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// The log in S3.
    S3Log,
    /// The log in CloudWatch Logs.
    CloudWatchLog,
    /// Encryption of sessions with a KMS key.
    Sealing,
    /// Whose rights shells have on nodes.
    RunAs,
    /// The end of sessions nobody uses.
    IdleLimit,
    /// The end of sessions that last too long.
    LongestLimit,
    /// SSH and ports, which AWS never logs.
    PortContent,
    /// Documents that record nothing, whatever the preferences say.
    OtherDocuments,
    /// Documents that other accounts may use.
    Sharing,
    /// Who may start what.
    Permissions,
    /// Where calls are kept.
    CloudTrail,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::S3Log,
        Self::CloudWatchLog,
        Self::Sealing,
        Self::RunAs,
        Self::IdleLimit,
        Self::LongestLimit,
        Self::PortContent,
        Self::OtherDocuments,
        Self::Sharing,
        Self::Permissions,
        Self::CloudTrail,
    ];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::S3Log => "s3-log",
            Self::CloudWatchLog => "cloudwatch-log",
            Self::Sealing => "sealing",
            Self::RunAs => "run-as",
            Self::IdleLimit => "idle-limit",
            Self::LongestLimit => "longest-limit",
            Self::PortContent => "port-content",
            Self::OtherDocuments => "other-documents",
            Self::Sharing => "sharing",
            Self::Permissions => "permissions",
            Self::CloudTrail => "cloudtrail",
        }
    }

    /// What changes it: a field of the preferences, another document, or something outside of documents.
    pub fn setting(self) -> Setting {
        let preference = Setting::Preference;
        match self {
            Self::S3Log => preference("inputs.s3BucketName"),
            Self::CloudWatchLog => preference("inputs.cloudWatchLogGroupName"),
            Self::Sealing => preference("inputs.kmsKeyId"),
            Self::RunAs => preference("inputs.runAsEnabled"),
            Self::IdleLimit => preference("inputs.idleSessionTimeout"),
            Self::LongestLimit => preference("inputs.maxSessionDuration"),
            Self::OtherDocuments | Self::Sharing => Setting::Documents,
            Self::PortContent | Self::Permissions => Setting::Policies,
            Self::CloudTrail => Setting::Trail,
        }
    }
}

/// What changes a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A field of the session preferences, by its path.
    Preference(&'static str),
    /// The documents named in the finding.
    Documents,
    /// IAM policies: they say who may start sessions with which document.
    Policies,
    /// The account's trail in CloudTrail.
    Trail,
}

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As an auditor would want it.
    Good,
    /// Worth a decision.
    Attention,
    /// A gap.
    Gap,
    /// Cannot be known from here.
    Unknown,
}

impl Verdict {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Attention => "attention",
            Self::Gap => "gap",
            Self::Unknown => "unknown",
        }
    }
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What about.
    pub topic: Topic,
    /// How to take it.
    pub verdict: Verdict,
    /// What is the case.
    pub fact: Fact,
    /// What it was read from: a document with its version and field, an answer of AWS, or why there is none.
    pub evidence: String,
}

/// What is the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Logs go to this bucket.
    S3(S3Target),
    /// Logs go to this log group.
    CloudWatch(CloudWatchTarget),
    /// Logs go nowhere of the kind, and the other kind has them.
    NotHere,
    /// Nothing is recorded.
    NotRecorded,
    /// Sealed with this key.
    Sealed(String),
    /// Not sealed beyond TLS.
    NotSealed,
    /// As the agent's user, which may become root.
    AgentUser,
    /// As the caller's tagged user, else as this one.
    NamedUser(Option<String>),
    /// After this many minutes without activity; whether the document says so.
    Idle(u32, bool),
    /// After this many minutes.
    Longest(u32),
    /// Never.
    NoLongest,
    /// AWS never logs what passes through SSH and port sessions.
    PortsUnseen,
    /// These documents of the account record nothing.
    Unrecorded(Vec<String>),
    /// Every document of the account records, or there is none.
    AllRecorded,
    /// Documents of other accounts that may be used here.
    SharedHere(Vec<String>),
    /// None of another account.
    NoneShared,
    /// Only IAM policies tell.
    PoliciesTell,
    /// These trails are logging.
    TrailLogging(Vec<String>),
    /// There are trails, and none is logging.
    TrailStopped(Vec<String>),
    /// There is no trail; CloudTrail keeps 90 days by itself.
    NoTrail,
    /// It could not be found out.
    Unknown,
}

/// A document with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Its name.
    pub name: String,
    /// Number of the version sessions use.
    pub version: String,
    /// Its text.
    pub text: String,
}

/// Something that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// The answer.
    Yes(T),
    /// Why there is none, as a sentence.
    No(String),
}

/// A trail, as far as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// Whether it is logging; `None` where that may not be asked.
    pub logging: Option<bool>,
}

/// What an audit is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// The session preferences; `Yes(None)`: nobody saved any.
    pub preferences: Known<Option<Read>>,
    /// The account's own documents, the preferences not among them.
    pub own: Known<Vec<Read>>,
    /// Names of documents other accounts share.
    pub shared: Known<Vec<String>>,
    /// Trails that cover the Region.
    pub trails: Known<Vec<Trail>>,
}

/// Judges an account-Region: a finding for each [`Topic`], in their order.
pub fn audit(sources: &Sources) -> Vec<Finding> {
    let mut found = of_preferences(&sources.preferences);
    let aws = "AWS Systems Manager: sessions of type Port have no log".to_owned();
    found.push(finding(Topic::PortContent, Verdict::Attention, Fact::PortsUnseen, aws));
    found.push(of_own(&sources.own));
    found.push(of_shared(&sources.shared));
    let policies = "IAM policies of the account and its organization, which are not read here".to_owned();
    found.push(finding(Topic::Permissions, Verdict::Unknown, Fact::PoliciesTell, policies));
    found.push(of_trails(&sources.trails));
    found
}

fn finding(topic: Topic, verdict: Verdict, fact: Fact, evidence: String) -> Finding {
    Finding { topic, verdict, fact, evidence }
}

fn of_preferences(preferences: &Known<Option<Read>>) -> Vec<Finding> {
    const TOPICS: [Topic; 6] = [
        Topic::S3Log,
        Topic::CloudWatchLog,
        Topic::Sealing,
        Topic::RunAs,
        Topic::IdleLimit,
        Topic::LongestLimit,
    ];
    let read = match preferences {
        Known::Yes(read) => read.as_ref(),
        Known::No(why) => {
            return TOPICS.map(|topic| finding(topic, Verdict::Unknown, Fact::Unknown, why.clone())).to_vec();
        }
    };
    // Sessions work although nobody ever saved preferences, by the service's defaults.
    let document = match read.map(|read| DocumentText::parse(read.text.as_str())) {
        None => SessionDocument::default(),
        Some(Ok(text)) => SessionDocument::read(&text),
        Some(Err(error)) => {
            let why = format!("{PREFERENCES} cannot be read: {error}");
            return TOPICS.map(|topic| finding(topic, Verdict::Unknown, Fact::Unknown, why.clone())).to_vec();
        }
    };
    let effects = Effects::of(&document);
    let evidence = |topic: Topic| match (read, topic.setting()) {
        (Some(read), Setting::Preference(path)) => format!("{PREFERENCES} v{}, {path}", read.version),
        _ => format!("{PREFERENCES} does not exist: nobody saved session preferences"),
    };
    let is_recorded = effects.s3.is_some() || effects.cloudwatch.is_some();
    let nowhere = || match is_recorded {
        true => (Verdict::Good, Fact::NotHere),
        false => (Verdict::Gap, Fact::NotRecorded),
    };
    let facts = [
        match effects.s3 {
            Some(target) => {
                let verdict = if target.must_be_encrypted { Verdict::Good } else { Verdict::Attention };
                (verdict, Fact::S3(target))
            }
            None => nowhere(),
        },
        match effects.cloudwatch {
            Some(target) => {
                let verdict = if target.must_be_encrypted { Verdict::Good } else { Verdict::Attention };
                (verdict, Fact::CloudWatch(target))
            }
            None => nowhere(),
        },
        match effects.sealed_with {
            Some(key) => (Verdict::Good, Fact::Sealed(key)),
            None => (Verdict::Attention, Fact::NotSealed),
        },
        match effects.run_as {
            RunAs::Named { otherwise } => (Verdict::Good, Fact::NamedUser(otherwise)),
            RunAs::AgentUser { .. } | RunAs::Elevated | RunAs::Nobody => {
                (Verdict::Attention, Fact::AgentUser)
            }
        },
        {
            let minutes = effects.idle_minutes;
            let verdict = if minutes <= USUAL_IDLE_MINUTES { Verdict::Good } else { Verdict::Attention };
            (verdict, Fact::Idle(minutes, document.inputs.idle_minutes.is_some()))
        },
        match effects.max_minutes {
            Some(minutes) => (Verdict::Good, Fact::Longest(minutes)),
            None => (Verdict::Attention, Fact::NoLongest),
        },
    ];
    TOPICS
        .into_iter()
        .zip(facts)
        .map(|(topic, (verdict, fact))| finding(topic, verdict, fact, evidence(topic)))
        .collect()
}

/// Documents other than the preferences have their own `inputs`: without a place in them their sessions leave no log.
fn of_own(own: &Known<Vec<Read>>) -> Finding {
    let topic = Topic::OtherDocuments;
    let own = match own {
        Known::Yes(own) => own,
        Known::No(why) => return finding(topic, Verdict::Unknown, Fact::Unknown, why.clone()),
    };
    let leaves_none = |read: &&Read| {
        let Ok(text) = DocumentText::parse(read.text.as_str()) else { return true };
        let document = SessionDocument::read(&text);
        let effects = Effects::of(&document);
        // Ports are a finding of their own.
        document.session_type != Some(SessionType::Port)
            && effects.s3.is_none()
            && effects.cloudwatch.is_none()
    };
    let names: Vec<String> = own.iter().filter(leaves_none).map(|read| read.name.clone()).collect();
    let evidence = match own.len() {
        0 => "ListDocuments: the account has no other session document here".to_owned(),
        count => format!("the default versions of {count} documents, inputs"),
    };
    match names.is_empty() {
        true => finding(topic, Verdict::Good, Fact::AllRecorded, evidence),
        false => finding(topic, Verdict::Gap, Fact::Unrecorded(names), evidence),
    }
}

fn of_shared(shared: &Known<Vec<String>>) -> Finding {
    match shared {
        Known::No(why) => finding(Topic::Sharing, Verdict::Unknown, Fact::Unknown, why.clone()),
        Known::Yes(names) if names.is_empty() => finding(
            Topic::Sharing,
            Verdict::Good,
            Fact::NoneShared,
            "ListDocuments, Owner=Private".to_owned(),
        ),
        Known::Yes(names) => finding(
            Topic::Sharing,
            Verdict::Attention,
            Fact::SharedHere(names.clone()),
            "ListDocuments, Owner=Private".to_owned(),
        ),
    }
}

fn of_trails(trails: &Known<Vec<Trail>>) -> Finding {
    let topic = Topic::CloudTrail;
    let trails = match trails {
        Known::Yes(trails) => trails,
        Known::No(why) => return finding(topic, Verdict::Unknown, Fact::Unknown, why.clone()),
    };
    let names = |state: Option<bool>| -> Vec<String> {
        trails.iter().filter(|trail| trail.logging == state).map(|trail| trail.name.clone()).collect()
    };
    let evidence = "DescribeTrails and GetTrailStatus".to_owned();
    let (logging, hidden) = (names(Some(true)), names(None));
    if !logging.is_empty() {
        return finding(topic, Verdict::Good, Fact::TrailLogging(logging), evidence);
    }
    if let Some(first) = hidden.first() {
        let why = format!("GetTrailStatus of {first} is not permitted");
        return finding(topic, Verdict::Unknown, Fact::Unknown, why);
    }
    match trails.is_empty() {
        true => finding(
            topic,
            Verdict::Gap,
            Fact::NoTrail,
            "DescribeTrails: no trail covers the Region".to_owned(),
        ),
        false => finding(topic, Verdict::Gap, Fact::TrailStopped(names(Some(false))), evidence),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(name: &str, kind: &str, inputs: Value) -> Read {
        let text = json!({ "schemaVersion": "1.0", "sessionType": kind, "inputs": inputs }).to_string();
        Read { name: name.into(), version: "3".into(), text }
    }

    fn sources(preferences: Option<Read>) -> Sources {
        Sources {
            preferences: Known::Yes(preferences),
            own: Known::Yes(Vec::new()),
            shared: Known::Yes(Vec::new()),
            trails: Known::Yes(vec![Trail { name: "main".into(), logging: Some(true) }]),
        }
    }

    fn of(found: &[Finding], topic: Topic) -> &Finding {
        found.iter().find(|finding| finding.topic == topic).unwrap()
    }

    #[test]
    fn every_topic_has_one_finding_in_order() {
        for sources in [
            sources(None),
            sources(Some(read(PREFERENCES, "Standard_Stream", json!({})))),
            Sources {
                preferences: Known::No("denied".into()),
                own: Known::No("denied".into()),
                shared: Known::No("denied".into()),
                trails: Known::No("denied".into()),
            },
        ] {
            let topics: Vec<Topic> = audit(&sources).iter().map(|finding| finding.topic).collect();
            assert_eq!(topics, Topic::ALL);
        }
    }

    #[test]
    fn nothing_saved_is_a_gap_with_the_defaults_of_the_service() {
        let found = audit(&sources(None));
        for topic in [Topic::S3Log, Topic::CloudWatchLog] {
            assert_eq!(
                (of(&found, topic).verdict, &of(&found, topic).fact),
                (Verdict::Gap, &Fact::NotRecorded)
            );
        }
        assert_eq!(of(&found, Topic::IdleLimit).fact, Fact::Idle(20, false));
        assert_eq!(of(&found, Topic::RunAs).fact, Fact::AgentUser);
        assert!(of(&found, Topic::Sealing).evidence.contains("nobody saved"));
    }

    #[test]
    fn one_place_is_enough_and_each_finding_names_version_and_field() {
        let inputs = json!({
            "s3BucketName": "logs", "s3EncryptionEnabled": true, "kmsKeyId": "alias/x", "runAsEnabled": true,
            "idleSessionTimeout": "45", "maxSessionDuration": "60",
        });
        let found = audit(&sources(Some(read(PREFERENCES, "Standard_Stream", inputs))));
        assert_eq!(of(&found, Topic::S3Log).verdict, Verdict::Good);
        assert_eq!(of(&found, Topic::S3Log).evidence, "SSM-SessionManagerRunShell v3, inputs.s3BucketName");
        assert_eq!(
            (of(&found, Topic::CloudWatchLog).verdict, &of(&found, Topic::CloudWatchLog).fact),
            (Verdict::Good, &Fact::NotHere)
        );
        assert_eq!(of(&found, Topic::Sealing).fact, Fact::Sealed("alias/x".into()));
        assert_eq!(of(&found, Topic::RunAs).fact, Fact::NamedUser(None));
        assert_eq!(
            (of(&found, Topic::IdleLimit).verdict, &of(&found, Topic::IdleLimit).fact),
            (Verdict::Attention, &Fact::Idle(45, true))
        );
        assert_eq!(of(&found, Topic::LongestLimit).fact, Fact::Longest(60));
    }

    #[test]
    fn documents_without_a_place_are_named_and_ports_are_not() {
        let own = vec![
            read("Corp-Shell", "Standard_Stream", json!({})),
            read("Corp-Logged", "InteractiveCommands", json!({ "cloudWatchLogGroupName": "/g" })),
            read("Corp-Port", "Port", json!({})),
        ];
        let found = audit(&Sources { own: Known::Yes(own), ..sources(None) });
        assert_eq!(of(&found, Topic::OtherDocuments).fact, Fact::Unrecorded(vec!["Corp-Shell".into()]));
        let found = audit(&Sources { shared: Known::Yes(vec!["Org-A".into()]), ..sources(None) });
        assert_eq!(of(&found, Topic::Sharing).verdict, Verdict::Attention);
    }

    #[test]
    fn trails_are_logging_stopped_missing_or_unknown() {
        let judge = |trails: Known<Vec<Trail>>| {
            let found = audit(&Sources { trails, ..sources(None) });
            (of(&found, Topic::CloudTrail).verdict, of(&found, Topic::CloudTrail).fact.clone())
        };
        let trail = |logging| Trail { name: "t".into(), logging };
        let names = || vec!["t".to_owned()];
        assert_eq!(judge(Known::Yes(vec![trail(Some(true))])), (Verdict::Good, Fact::TrailLogging(names())));
        assert_eq!(judge(Known::Yes(vec![trail(Some(false))])), (Verdict::Gap, Fact::TrailStopped(names())));
        assert_eq!(judge(Known::Yes(vec![])), (Verdict::Gap, Fact::NoTrail));
        assert_eq!(judge(Known::Yes(vec![trail(None)])), (Verdict::Unknown, Fact::Unknown));
        assert_eq!(judge(Known::No("denied".into())), (Verdict::Unknown, Fact::Unknown));
    }
}
