//! Findings in words, for the command line. The interface has its own, in every language.

use fleetline_documents::audit::{Fact, Setting, Topic};
use fleetline_documents::{PREFERENCES, short_name};

/// What is judged, in a few words.
pub fn topic_words(topic: Topic) -> &'static str {
    match topic {
        Topic::S3Log => "Log in S3",
        Topic::CloudWatchLog => "Log in CloudWatch Logs",
        Topic::Sealing => "Encryption with a KMS key",
        Topic::RunAs => "User on the node",
        Topic::IdleLimit => "End without activity",
        Topic::LongestLimit => "Maximum duration",
        Topic::PortContent => "SSH and ports",
        Topic::OtherDocuments => "Other documents",
        Topic::Sharing => "Shared documents",
        Topic::Permissions => "Who may start what",
        Topic::CloudTrail => "CloudTrail",
    }
}

/// What is the case, as a sentence.
pub fn fact_words(fact: &Fact) -> String {
    let names = |names: &[String]| names.iter().map(|name| short_name(name)).collect::<Vec<_>>().join(", ");
    match fact {
        Fact::S3(target) => {
            let prefix = target.prefix.as_deref().unwrap_or_default().trim_matches('/');
            let place = format!("s3://{}/{prefix}", target.bucket);
            match target.must_be_encrypted {
                true => format!("Logs go to {place}, which must be encrypted."),
                false => format!("Logs go to {place}; encryption is not insisted on."),
            }
        }
        Fact::CloudWatch(target) => {
            let how = if target.streams { "while sessions run" } else { "when sessions end" };
            match target.must_be_encrypted {
                true => format!("Logs go to {} {how}; the group must be encrypted.", target.group),
                false => format!("Logs go to {} {how}; encryption is not insisted on.", target.group),
            }
        }
        Fact::NotHere => "Not used; logs go to the other place.".to_owned(),
        Fact::NotRecorded => "Shells are not recorded anywhere.".to_owned(),
        Fact::Sealed(key) => format!("Sessions are encrypted with {key} besides TLS."),
        Fact::NotSealed => "Sessions are encrypted by TLS alone.".to_owned(),
        Fact::AgentUser => "Shells run as the agent's user, who may become root.".to_owned(),
        Fact::NamedUser(Some(user)) => {
            format!("Shells run as the user the caller's SSMSessionRunAs tag names, else as {user}.")
        }
        Fact::NamedUser(None) => {
            "Shells run as the user the caller's SSMSessionRunAs tag names; without one they are refused.".to_owned()
        }
        Fact::Idle(minutes, true) => format!("Sessions end after {minutes} minutes without activity."),
        Fact::Idle(minutes, false) => {
            format!("Sessions end after {minutes} minutes without activity, by the default of AWS.")
        }
        Fact::Longest(minutes) => format!("Sessions end after {minutes} minutes."),
        Fact::NoLongest => "Sessions that are used never end by themselves.".to_owned(),
        Fact::PortsUnseen => {
            "AWS never logs what passes through SSH and port sessions; only who may start them can be limited.".to_owned()
        }
        Fact::Unrecorded(found) => format!("Sessions of these documents leave no log: {}.", names(found)),
        Fact::AllRecorded => "No other document here leaves its sessions unrecorded.".to_owned(),
        Fact::SharedHere(found) => {
            format!("Documents of other accounts can be used here: {}.", names(found))
        }
        Fact::NoneShared => "No document of another account can be used here.".to_owned(),
        Fact::PoliciesTell => {
            "Policies decide; look for ssm:StartSession with ssm:SessionDocumentAccessCheck.".to_owned()
        }
        Fact::TrailLogging(found) => format!("Calls are kept by the trail {}.", names(found)),
        Fact::TrailStopped(found) => format!("The trail {} is stopped; CloudTrail keeps 90 days.", names(found)),
        Fact::NoTrail => "There is no trail; CloudTrail keeps 90 days.".to_owned(),
        Fact::Unknown => "Not known.".to_owned(),
    }
}

/// What changes it, in a few words.
pub fn setting_words(setting: Setting) -> String {
    match setting {
        Setting::Preference(path) => format!("{PREFERENCES}, {path}"),
        Setting::Documents => "the documents named".to_owned(),
        Setting::Policies => "IAM policies".to_owned(),
        Setting::Trail => "the account's trail in CloudTrail".to_owned(),
    }
}
