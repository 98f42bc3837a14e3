//! An AWS that is not ours: moto's server, from the Python that the variable `FLEETLINE_AWS_PYTHON` names; without the
//! variable it says that it was skipped.
//!
//! It has EC2, STS and IAM, and checks signatures and policies when told to. Of Systems Manager it lacks what lists nodes
//! and opens sessions; [`LACKING`] names it, and the test tells when that changes.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what fails here fails the test")]

use std::path::Path;
use std::process::Stdio;

use fleetline_aws::{AwsSettings, AwsSources};
use fleetline_engine::ports::{ApiError, ApiErrorKind, ControlPlanes, StartSession};
use fleetline_inventory::SmolStr;
use fleetline_inventory::ports::Sources;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Calls of ours that moto answers with 500.
const LACKING: [&str; 3] = ["DescribeInstanceProperties", "GetServiceSetting", "StartSession"];

/// moto's server with instances in it.
struct Moto {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    told: Value,
    directory: tempfile::TempDir,
}

impl Moto {
    /// `None` where there is no Python for it.
    async fn start() -> Option<Self> {
        let Some(python) = std::env::var_os("FLEETLINE_AWS_PYTHON") else {
            println!("SKIPPED: FLEETLINE_AWS_PYTHON does not name a Python with moto");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto_world.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.env("NO_PROXY", "127.0.0.1").env("AWS_EC2_METADATA_DISABLED", "true");
        let mut process = command.kill_on_drop(true).spawn().unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let directory = tempfile::tempdir().unwrap();
        let mut moto = Self { process, input, output, told: Value::Null, directory };
        moto.told = moto.line().await;
        Some(moto)
    }

    async fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Signatures and policies count from now on.
    async fn check(&mut self) {
        self.input.write_all(b"check\n").await.unwrap();
        assert_eq!(self.line().await, "checking");
    }

    fn text(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    fn ids(&self) -> Vec<String> {
        self.told["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    fn sources(&self, key: &str, secret: &str) -> AwsSources {
        let settings = AwsSettings::from_files(self.directory.path().join("nothing"), None)
            .with_variable("AWS_ENDPOINT_URL", self.text("endpoint"))
            .with_variable("AWS_REGION", self.text("region"))
            .with_variable("AWS_ACCESS_KEY_ID", key)
            .with_variable("AWS_SECRET_ACCESS_KEY", secret);
        AwsSources::new(settings)
    }

    async fn end(self) {
        let Self { mut process, input, .. } = self;
        drop(input);
        assert!(process.wait().await.unwrap().success());
    }
}

#[tokio::test]
async fn identity_and_ec2_facts_come_from_an_aws_that_is_not_ours() {
    let Some(moto) = Moto::start().await else { return };
    let sources = moto.sources("AKIAIOSFODNN7EXAMPLE", "anything");
    let region = moto.text("region").to_owned();
    let listing = sources.listing("environment", &region).unwrap();
    let caller = listing.identity().await.unwrap();
    assert_eq!(caller.account_id, "123456789012");
    assert!(caller.arn.starts_with("arn:aws:sts::123456789012:"), "{}", caller.arn);

    let ids = moto.ids();
    let unknown = "i-0123456789abcdef0";
    let asked = ids.iter().map(String::as_str).chain([unknown]).map(SmolStr::from);
    let facts = listing.facts(asked.collect()).await.unwrap();
    assert_eq!(facts.len(), ids.len(), "none of an id that does not exist");
    for (at, id) in ids.iter().enumerate() {
        let facts = facts.iter().find(|facts| facts.node_id == *id).unwrap();
        let state = ["stopped", "terminated"].get(at).copied().unwrap_or("running");
        assert_eq!(
            (facts.instance_state.as_str(), facts.instance_type.as_str()),
            (state, "t3.micro"),
            "{at}"
        );
        if state != "terminated" {
            assert_eq!(facts.vpc_id, moto.text("subnet_vpc"));
            assert!(facts.ip.parse::<std::net::Ipv4Addr>().is_ok(), "{}", facts.ip);
        }
        assert!(facts.availability_zone.starts_with(&region), "{}", facts.availability_zone);
        assert_eq!(facts.name, "web");
        assert_eq!(facts.tags, [("Name".into(), "web".into()), ("env".into(), "prod".into())]);
        assert!(facts.launched_ms.is_some_and(|ms| ms > 1_600_000_000_000));
    }
    let missing = listing.tags("mi-0123456789abcdef0".to_owned()).await.unwrap_err();
    assert_eq!(missing.kind, ApiErrorKind::UnknownNode, "{missing}");
    moto.end().await;
}

#[tokio::test]
async fn what_an_aws_that_is_not_ours_lacks_or_refuses_is_told_for_what_it_is() {
    let Some(mut moto) = Moto::start().await else { return };
    let region = moto.text("region").to_owned();
    let sources = moto.sources("AKIAIOSFODNN7EXAMPLE", "anything");
    let listing = sources.listing("environment", &region).unwrap();
    let control = sources.control_plane("environment", &region).unwrap();
    let request = StartSession { target: moto.ids().remove(0), ..StartSession::default() };
    let lacking: [ApiError; 3] = [
        listing.page(None).await.unwrap_err(),
        listing.tier().await.unwrap_err(),
        control.start_session(request.clone()).await.unwrap_err(),
    ];
    for (failed, operation) in lacking.iter().zip(LACKING) {
        assert_eq!((failed.operation, failed.kind), (operation, ApiErrorKind::Service), "{failed}");
        assert!(!failed.never_sent, "{failed}");
    }

    moto.check().await;
    let ids = vec![SmolStr::from(moto.ids().remove(0))];
    let refusal = async |key: &str, secret: &str| {
        let listing = moto.sources(key, secret).listing("environment", &region).unwrap();
        listing.facts(ids.clone()).await.unwrap_err()
    };
    for (key, secret) in [("AKIAIOSFODNN7EXAMPLX", "anything"), (moto.text("key"), "wrong")] {
        let refused = refusal(key, secret).await;
        assert_eq!(refused.kind, ApiErrorKind::CredentialsInvalid, "{refused}");
        assert_eq!(refused.code.as_deref(), Some("AuthFailure"));
    }
    let refused = refusal(moto.text("key"), moto.text("secret")).await;
    assert_eq!(
        (refused.operation, refused.kind),
        ("DescribeInstances", ApiErrorKind::AccessDenied),
        "{refused}"
    );
    assert!(refused.message.contains("is not authorized to perform: ec2:DescribeInstances"), "{refused}");

    // STS's refusals come in the form of EC2's, which is none of STS: nothing is read into them.
    let strange = moto.sources("AKIAIOSFODNN7EXAMPLX", "anything");
    let refused = strange.listing("environment", &region).unwrap().identity().await.unwrap_err();
    assert_eq!((refused.operation, refused.code.as_deref()), ("GetCallerIdentity", None), "{refused}");
    assert!(refused.message.contains("403"), "{refused}");
    moto.end().await;
}
