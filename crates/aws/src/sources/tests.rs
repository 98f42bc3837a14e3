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
        ("mfa", "assume role", None, false),
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
    let resolved = Endpoints::resolve(&settings, &config, "ops").unwrap();
    assert_eq!(resolved.ssm.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(resolved.ec2.as_deref(), Some("http://127.0.0.1:9"));
    assert!(resolved.all_plain_loopback());
    let with = settings.clone().with_variable("AWS_ENDPOINT_URL", "https://vpce.example");
    let resolved = Endpoints::resolve(&with, &config, "ops").unwrap();
    assert_eq!(resolved.ssm.as_deref(), Some("https://vpce.example"));
    assert!(!resolved.all_plain_loopback());
    let with = with.with_variable("AWS_ENDPOINT_URL_SSM", "https://ssm.example");
    assert_eq!(
        Endpoints::resolve(&with, &config, "ops").unwrap().ssm.as_deref(),
        Some("https://ssm.example")
    );
    let with = with.with_variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    assert_eq!(Endpoints::resolve(&with, &config, "ops"), Ok(Endpoints::default()));
    assert_eq!(Endpoints::resolve(&settings, &config, "default"), Ok(Endpoints::default()));
}

#[test]
fn data_channels_have_an_endpoint_of_their_own_and_a_bad_one_is_named_before_any_call() {
    let dir = tempfile::tempdir().unwrap();
    let settings = files(dir.path());
    let config = AwsConfig::read(&settings).unwrap();
    let gateway = |settings: &AwsSettings| Endpoints::resolve(settings, &config, "ops").unwrap().gateway;
    assert_eq!(gateway(&settings), None, "endpoint_url is for API calls");
    let with = settings.clone().with_variable("AWS_ENDPOINT_URL_SSMMESSAGES", "https://vpce.example");
    let moved = gateway(&with).unwrap().place("wss://ssmmessages.eu-west-1.amazonaws.com/v1/x");
    assert_eq!(moved.as_deref(), Some("wss://vpce.example/v1/x"));
    let bad = settings.with_variable("AWS_ENDPOINT_URL_SSMMESSAGES", "vpce.example");
    let refused = AwsSources::new(bad).control_plane("ops", "us-east-1").unwrap_err();
    assert!(refused.never_sent && refused.message.contains("vpce.example"), "{refused}");
}

#[test]
fn a_source_may_have_a_proxy_of_its_own_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    std::fs::write(
        &path,
        "[profile a]\nfleetline_proxy = http://u:canary@own:1\n[profile b]\nfleetline_proxy = none\n[profile c]\n",
    )
    .unwrap();
    let environment =
        ProxyRules::from_environment(|name| (name == "HTTPS_PROXY").then(|| "http://all:2".into()));
    let sources = AwsSources::new(AwsSettings::from_files(path, None).with_proxy(environment));
    let config = AwsConfig::read(&sources.settings).unwrap();
    let proxy = |source| {
        let rules = sources.rules(&sources.way(&config, source));
        rules.choose(true, "ssm.example", 443).unwrap().map(|proxy| proxy.to_string())
    };
    assert_eq!(proxy("a").as_deref(), Some("own:1"));
    assert_eq!(proxy("b"), None);
    assert_eq!(proxy("c").as_deref(), Some("all:2"));
    let shown = format!("{:?} {sources:?}", sources.dialer("a").unwrap());
    assert!(shown.contains("own:1") && !shown.contains("canary"), "{shown}");
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

async fn next(changes: &mut watch::Receiver<u64>) {
    let waited = tokio::time::timeout(std::time::Duration::from_secs(20), changes.changed()).await;
    waited.expect("the change is told").unwrap();
}

#[tokio::test]
async fn edited_replaced_and_linked_files_are_told_and_read_anew() {
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("dotfiles");
    std::fs::create_dir(&kept).unwrap();
    let real = kept.join("aws-config");
    std::fs::write(&real, "[profile one]\nregion = eu-west-1\n").unwrap();
    let config = dir.path().join("config");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&real, &config).unwrap();
    #[cfg(not(unix))]
    std::fs::copy(&real, &config).unwrap();
    let sources = AwsSources::from_files(&config, Some(dir.path().join("credentials")));
    let mut changes = sources.changed().unwrap();

    // Where the link leads, in place.
    let written = if cfg!(unix) { &real } else { &config };
    std::fs::write(written, "[profile one]\n[profile two]\nregion = eu-west-1\n").unwrap();
    next(&mut changes).await;
    assert_eq!(sources.list().len(), 2);
    // As editors and the AWS CLI save: another file takes the name.
    let new = dir.path().join("new");
    std::fs::write(&new, "[profile one]\n[profile two]\n[profile three]\nregion = eu-west-1\n").unwrap();
    std::fs::rename(&new, &config).unwrap();
    next(&mut changes).await;
    assert_eq!(sources.list().len(), 3);
    std::fs::write(dir.path().join("credentials"), "[four]\naws_access_key_id = a\n").unwrap();
    next(&mut changes).await;
    assert_eq!(sources.list().len(), 4);
}

#[tokio::test]
async fn a_sign_in_of_another_program_is_told_and_its_unfinished_files_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config");
    std::fs::write(&config, "[profile one]\n").unwrap();
    let sources = AwsSources::from_files(&config, None);
    let mut changes = sources.changed().unwrap();
    let cache = dir.path().join("sso").join("cache");
    std::fs::create_dir_all(&cache).unwrap();
    let token = cache.join("0123456789abcdef.json");
    std::fs::write(cache.join("0123456789abcdef.tmp"), "{").unwrap();
    std::fs::write(&token, "{}").unwrap();
    next(&mut changes).await;
    assert_eq!(*changes.borrow_and_update(), 1);
    // As the AWS CLI refreshes: another file takes the name.
    let new = cache.join("new.tmp");
    std::fs::write(&new, "{ \"accessToken\": \"a\" }").unwrap();
    std::fs::rename(&new, &token).unwrap();
    next(&mut changes).await;
    std::fs::remove_file(&token).unwrap();
    next(&mut changes).await;
    assert_eq!(*changes.borrow(), 3);
}

#[tokio::test]
async fn a_directory_that_is_made_later_is_watched_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let aws = dir.path().join("home").join(".aws");
    let config = aws.join("config");
    let sources = AwsSources::from_files(&config, None);
    let mut changes = sources.changed().unwrap();
    std::fs::create_dir_all(&aws).unwrap();
    std::fs::write(&config, "[profile one]\n").unwrap();
    next(&mut changes).await;
    std::fs::write(&config, "[profile one]\n[profile two]\n").unwrap();
    next(&mut changes).await;
    assert_eq!(sources.list().len(), 2);
    std::fs::remove_dir_all(&aws).unwrap();
    next(&mut changes).await;
    assert!(sources.list().is_empty());
    std::fs::create_dir_all(&aws).unwrap();
    std::fs::write(&config, "[profile again]\n").unwrap();
    next(&mut changes).await;
    assert_eq!(sources.list()[0].name, "again");
}
