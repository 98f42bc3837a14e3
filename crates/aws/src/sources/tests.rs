use std::path::Path;

use super::*;

const CONFIG: &str = "
[default]
region = eu-west-1
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = one

[profile ops]
region = us-east-1
services = local
endpoint_url = http://127.0.0.1:9
aws_access_key_id = AKIAOPS
aws_secret_access_key = two

[services local]
ssm =
  endpoint_url = http://127.0.0.1:1

[profile sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Ops

[sso-session corp]
sso_region = eu-central-1
sso_start_url = https://corp.example/start

[profile lost-session]
sso_session = elsewhere

[profile role]
role_arn = arn:aws:iam::111122223333:role/Ops
source_profile = nobody

[profile mfa]
role_arn = arn:aws:iam::111122223333:role/Ops
source_profile = default
mfa_serial = arn:aws:iam::111122223333:mfa/me

[profile process]
credential_process = /bin/true

[profile nothing]
output = json
";

fn files(dir: &Path) -> AwsSettings {
    let config = dir.join("config");
    std::fs::write(&config, CONFIG).unwrap();
    AwsSettings::from_files(config, None)
}

fn found<'a>(list: &'a [SourceInfo], name: &str) -> &'a SourceInfo {
    list.iter().find(|source| source.name == name).unwrap()
}

#[test]
fn profiles_are_listed_with_method_region_and_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let sources = AwsSources::new(files(dir.path()));
    assert_eq!(sources.problem(), None);
    let list = sources.list();
    assert_eq!(list[0].name, "default");
    let expect = [
        ("default", "access key", Some("eu-west-1"), false),
        ("ops", "access key", Some("us-east-1"), false),
        ("sso", "IAM Identity Center", None, false),
        ("lost-session", "IAM Identity Center", None, true),
        ("role", "assume role", None, true),
        ("mfa", "assume role", None, true),
        ("process", "credential process", None, false),
        ("nothing", "none", None, true),
    ];
    assert_eq!(list.len(), expect.len());
    for (name, method, region, troubled) in expect {
        let source = found(&list, name);
        assert_eq!((source.method.as_str(), source.region.as_deref()), (method, region), "{name}");
        assert_eq!(source.problem.is_some(), troubled, "{name}: {:?}", source.problem);
    }
}

#[test]
fn variables_make_a_source_of_their_own_and_choose_the_region() {
    let dir = tempfile::tempdir().unwrap();
    let settings = files(dir.path())
        .with_variable("AWS_ACCESS_KEY_ID", "AKIAENV")
        .with_variable("AWS_PROFILE", "ops")
        .with_variable("AWS_REGION", "ap-northeast-1");
    let list = AwsSources::new(settings).list();
    assert_eq!(list[0].name, ENVIRONMENT_SOURCE);
    assert!(list[0].problem.is_some(), "a key id without a secret is a problem");
    assert_eq!(list[0].region.as_deref(), Some("ap-northeast-1"));
    assert_eq!(list[1].name, "ops");
    assert_eq!(
        list[1].region.as_deref(),
        Some("ap-northeast-1"),
        "the selected profile follows the variable"
    );
    assert_eq!(found(&list, "default").region.as_deref(), Some("eu-west-1"), "any other keeps its own");
    assert_eq!(found(&list, "sso").region.as_deref(), Some("ap-northeast-1"), "the variable fills in");
}

#[test]
fn endpoints_follow_the_order_of_the_aws_sdks() {
    let dir = tempfile::tempdir().unwrap();
    let settings = files(dir.path());
    let config = AwsConfig::read(&settings).unwrap();
    let resolved = Endpoints::resolve(&settings, &config, "ops");
    assert_eq!(resolved.ssm.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(resolved.ec2.as_deref(), Some("http://127.0.0.1:9"));
    assert!(resolved.all_plain_loopback());
    let with = settings.clone().with_variable("AWS_ENDPOINT_URL", "https://vpce.example");
    let resolved = Endpoints::resolve(&with, &config, "ops");
    assert_eq!(resolved.ssm.as_deref(), Some("https://vpce.example"));
    assert!(!resolved.all_plain_loopback());
    let with = with.with_variable("AWS_ENDPOINT_URL_SSM", "https://ssm.example");
    assert_eq!(Endpoints::resolve(&with, &config, "ops").ssm.as_deref(), Some("https://ssm.example"));
    let with = with.with_variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    assert_eq!(Endpoints::resolve(&with, &config, "ops"), Endpoints::default());
    assert_eq!(Endpoints::resolve(&settings, &config, "default"), Endpoints::default());
}

#[test]
fn opening_says_what_is_wrong_with_source_or_region() {
    let dir = tempfile::tempdir().unwrap();
    let sources = AwsSources::new(files(dir.path()));
    let unknown = sources.control_plane("nobody", "eu-west-1").unwrap_err();
    assert_eq!(unknown.kind, ApiErrorKind::NoCredentials);
    assert!(unknown.message.contains("nobody"), "{unknown}");
    for region in ["", "EU", "a.b.example/", "-x-", "x"] {
        let refused = sources.listing("ops", region).unwrap_err();
        assert_eq!(refused.kind, ApiErrorKind::InvalidRequest, "{region}");
    }
}

#[test]
fn an_unreadable_or_malformed_configuration_is_a_named_problem() {
    let dir = tempfile::tempdir().unwrap();
    let unreadable = AwsSources::from_files(dir.path(), None);
    assert!(unreadable.problem().unwrap().contains("cannot be read"));
    assert!(unreadable.list().is_empty());
    let malformed = dir.path().join("bad");
    std::fs::write(&malformed, "[default\nregion").unwrap();
    let malformed = AwsSources::from_files(malformed, None);
    assert!(malformed.problem().is_some());
    let absent = AwsSources::from_files(dir.path().join("absent"), None);
    assert_eq!((absent.problem(), absent.list()), (None, Vec::new()));
}

#[test]
fn a_changed_file_is_read_anew() {
    let dir = tempfile::tempdir().unwrap();
    let settings = files(dir.path());
    let path = settings.config_file().unwrap().to_owned();
    let sources = AwsSources::new(settings);
    let first = sources.access("ops", "us-east-1").unwrap();
    let again = sources.access("ops", "us-east-1").unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    std::fs::write(&path, format!("{CONFIG}\n[profile new]\nregion = eu-west-2\n")).unwrap();
    let changed = sources.access("ops", "us-east-1").unwrap();
    assert!(!Arc::ptr_eq(&first, &changed));
    assert!(sources.access("new", "eu-west-2").is_ok());
}
