//! Sign-ins and sources this program adds, beside the user's own files.

use std::path::PathBuf;
use std::sync::Arc;

use fleetline_aws::{AwsSettings, AwsSources, SignInMethod, SignInPrompt};
use fleetline_inventory::ports::Sources;
use fleetline_signin::{Ending, Identities, RolePick, Standing};
use fleetline_simulator::{SignInAnswer, Simulator, SimulatorConfig};
use tokio::sync::mpsc;

use crate::signin::browse;

struct Shown(mpsc::UnboundedSender<String>);

impl SignInPrompt for Shown {
    fn visit(&self, url: &str, _user_code: Option<&str>) {
        drop(self.0.send(url.to_owned()));
    }
}

struct Lab {
    simulator: Simulator,
    sources: Arc<AwsSources>,
    own: PathBuf,
    config: PathBuf,
    _directory: tempfile::TempDir,
}

const USER_CONFIG: &str = "# mine\n[default]\nregion = us-east-1\n";

impl Lab {
    async fn new() -> Self {
        let config = SimulatorConfig { demo_denials: false, ..SimulatorConfig::default() };
        let simulator = Simulator::start(config).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let (config, own) = (directory.path().join("config"), directory.path().join("fleetline/aws-sources"));
        std::fs::write(&config, USER_CONFIG).unwrap();
        let settings = AwsSettings::from_files(&config, None)
            .with_variable("AWS_ENDPOINT_URL", simulator.endpoint())
            .with_own_file(&own);
        Self { simulator, sources: Arc::new(AwsSources::new(settings)), own, config, _directory: directory }
    }

    async fn sign_in(&self, name: &str) {
        self.simulator.control().answer_sign_ins(SignInAnswer::Allows);
        let (shown, mut visits) = mpsc::unbounded_channel();
        let (sources, name) = (Arc::clone(&self.sources), name.to_owned());
        let task = tokio::spawn(async move {
            Identities::sign_in(&*sources, &name, SignInMethod::Browser, &Shown(shown)).await
        });
        browse(&visits.recv().await.unwrap()).await;
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_sign_in_by_its_address_opens_accounts_that_become_sources_and_can_be_forgotten() {
    let lab = Lab::new().await;
    let url = "https://corp.awsapps.com/start/";
    let label = lab.sources.add_sign_in(url, "eu-central-1").unwrap();
    assert_eq!(label, "corp");
    assert_eq!(lab.sources.add_sign_in("https://corp.awsapps.com/start", "eu-central-1").unwrap(), "corp");
    let other = lab.sources.add_sign_in("https://corp.example.com/start", "eu-central-1").unwrap();
    assert_eq!(other, "corp-2", "another one of the same name");
    let standing = |label: &str| {
        let sign_ins = lab.sources.details().sign_ins;
        sign_ins.into_iter().find(|sign_in| sign_in.label == label).map(|sign_in| sign_in.standing)
    };
    assert_eq!(standing("corp"), Some(Standing::NeedsSignIn));
    lab.sign_in("corp").await;
    assert!(matches!(standing("corp"), Some(Standing::Good(Ending::At { renews: true, .. }))));

    let accounts = lab.sources.signed_in_accounts("corp").await.unwrap();
    assert_eq!(accounts.len(), lab.simulator.accounts().len());
    let picks: Vec<RolePick> = accounts
        .iter()
        .map(|account| RolePick {
            account_id: account.account_id.clone(),
            account_name: account.name.clone(),
            role: account.roles[0].name.clone(),
        })
        .collect();
    let names = lab.sources.add_roles("corp", "eu-central-1", &picks).unwrap();
    assert_eq!(names.len(), picks.len());
    assert_eq!(lab.sources.add_roles("corp", "eu-central-1", &picks).unwrap(), names, "once each");
    for (name, pick) in names.iter().zip(&picks) {
        let caller = lab.sources.caller(name).await.unwrap();
        assert_eq!(caller.account_id, pick.account_id, "{name}");
        assert!(caller.arn.contains(&format!("/{}/", pick.role)), "{}", caller.arn);
    }
    let known = lab.sources.signed_in_accounts("corp").await.unwrap();
    assert!(known.iter().all(|account| account.roles[0].source.is_some()));
    assert_eq!(std::fs::read_to_string(&lab.config).unwrap(), USER_CONFIG, "the user's file is as it was");

    // Another start of the program finds them.
    let settings = AwsSettings::from_files(&lab.config, None).with_own_file(&lab.own);
    let again = AwsSources::new(settings);
    assert!(again.list().iter().any(|source| source.name == names[0] && source.problem.is_none()));

    lab.sources.remove(&names[0]).unwrap();
    assert!(lab.sources.details().sources.iter().all(|source| source.name != names[0]));
    lab.sources.remove("corp").unwrap();
    let left = lab.sources.details();
    assert!(left.sources.iter().all(|source| !source.own) && left.sign_ins.len() == 1, "{left:?}");
    assert!(lab.sources.remove("default").is_err(), "the user's own profiles are the user's");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_adds_nothing() {
    let lab = Lab::new().await;
    for url in
        ["http://corp.awsapps.com/start", "corp", "https://me@corp.example/", "https://", "https://a b/"]
    {
        assert!(lab.sources.add_sign_in(url, "eu-central-1").is_err(), "{url}");
    }
    assert!(lab.sources.add_sign_in("https://corp.awsapps.com/start", "Frankfurt").is_err());
    lab.sources.add_sign_in("https://corp.awsapps.com/start", "eu-central-1").unwrap();
    let before = std::fs::read(&lab.own).unwrap();
    let pick = |account: &str, role: &str| RolePick {
        account_id: account.to_owned(),
        account_name: "a]\n[b".to_owned(),
        role: role.to_owned(),
    };
    for wrong in [pick("1", "Role"), pick("111122223333", "Ro\nle"), pick("111122223333", "")] {
        assert!(
            lab.sources.add_roles("corp", "eu-central-1", std::slice::from_ref(&wrong)).is_err(),
            "{wrong:?}"
        );
    }
    assert_eq!(std::fs::read(&lab.own).unwrap(), before);
    let names = lab.sources.add_roles("corp", "eu-central-1", &[pick("111122223333", "Role")]).unwrap();
    assert_eq!(names, ["a---b.Role"], "a hostile name does not reach the file");
}
