//! The AWS calls as raw HTTP: signatures, errors, pages, filters.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::collections::BTreeSet;

use fleetline_simulator::{DenyReason, DenyRule, Simulator, SimulatorConfig, Tier};
use serde_json::{Value, json};
use support::{Signer, account, host, query, send, simulator, ssm, ssm_error, ssm_ok};

fn payments(simulator: &Simulator, service: &str) -> Signer {
    Signer::new(&account(simulator, "payments-prod"), "eu-central-1", service)
}

const STS: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const EC2: &str = "Action=DescribeInstances&Version=2016-11-15";

#[tokio::test]
async fn wrong_credentials_are_refused_in_each_services_words() {
    let simulator = simulator(|_| {}).await;
    let with = |change: &dyn Fn(&mut Signer), service: &str| {
        let mut signer = payments(&simulator, service);
        change(&mut signer);
        signer
    };
    let wrong_secret = |s: &mut Signer| s.secret_key.push('x');
    let unknown_key = |s: &mut Signer| s.access_key = "ASIAXXXXXXXXXXXXXXXX".into();
    let no_token = |s: &mut Signer| s.token = None;
    let late = |s: &mut Signer| s.skew_s = -301;
    let early = |s: &mut Signer| s.skew_s = 302;
    // What is wrong, the code of SSM, EC2 and STS, and words of SSM's text.
    type Case<'a> = (&'a dyn Fn(&mut Signer), &'a str, &'a str, &'a str, &'a str);
    let cases: [Case<'_>; 5] = [
        (
            &wrong_secret,
            "InvalidSignatureException",
            "AuthFailure",
            "SignatureDoesNotMatch",
            "calculated does not match",
        ),
        (
            &unknown_key,
            "UnrecognizedClientException",
            "AuthFailure",
            "InvalidClientTokenId",
            "security token",
        ),
        (&no_token, "UnrecognizedClientException", "AuthFailure", "InvalidClientTokenId", "security token"),
        (
            &late,
            "InvalidSignatureException",
            "RequestExpired",
            "SignatureDoesNotMatch",
            "Signature expired: ",
        ),
        (
            &early,
            "InvalidSignatureException",
            "RequestExpired",
            "SignatureDoesNotMatch",
            "Signature not yet current: ",
        ),
    ];
    for (change, ssm_code, ec2_code, sts_code, text) in cases {
        let (code, message) =
            ssm_error(&simulator, &with(change, "ssm"), "DescribeInstanceInformation", &json!({})).await;
        assert_eq!(code, ssm_code);
        assert!(message.contains(text), "{message}");
        let answer = query(&simulator, &with(change, "ec2"), EC2).await;
        assert!(answer.body.contains(&format!("<Code>{ec2_code}</Code>")), "{}", answer.body);
        assert!(answer.body.contains("<RequestID>"), "{}", answer.body);
        let answer = query(&simulator, &with(change, "sts"), STS).await;
        assert_eq!(answer.status, 403);
        assert!(answer.body.contains(&format!("<Code>{sts_code}</Code>")), "{}", answer.body);
        assert!(answer.body.contains("<RequestId>"), "{}", answer.body);
    }
    let (code, message) =
        ssm_error(&simulator, &payments(&simulator, "ec2"), "DescribeInstanceInformation", &json!({})).await;
    assert_eq!(code, "InvalidSignatureException");
    assert!(message.contains("correct service: 'ssm'"), "{message}");
    let target = vec![("x-amz-target".to_owned(), "AmazonSSM.DescribeSessions".to_owned())];
    let answer = send(&host(&simulator), "POST", "/", &target, b"{}").await;
    assert_eq!(
        (answer.status, answer.json()["__type"].as_str()),
        (400, Some("MissingAuthenticationTokenException"))
    );
    simulator.control().set_credentials_expired("payments-prod", true).unwrap();
    let (code, _) = ssm_error(&simulator, &payments(&simulator, "ssm"), "DescribeSessions", &json!({})).await;
    assert_eq!(code, "ExpiredTokenException");
    simulator.shutdown().await;
}

#[tokio::test]
async fn broken_requests_get_a_typed_answer() {
    let simulator = simulator(|_| {}).await;
    let signer = payments(&simulator, "ssm");
    let error = async |operation: &str, body: Value| ssm_error(&simulator, &signer, operation, &body).await.0;
    assert_eq!(error("NoSuchThing", json!({})).await, "UnknownOperationException");
    assert_eq!(error("DescribeSessions", json!([1])).await, "SerializationException");
    assert_eq!(error("DescribeSessions", json!({ "State": 7 })).await, "SerializationException");
    let host = host(&simulator);
    let mut headers = signer.sign("POST", &host, "/", "", b"{nonsense");
    headers.push(("x-amz-target".into(), "AmazonSSM.DescribeSessions".into()));
    let answer = send(&host, "POST", "/", &headers, b"{nonsense").await;
    assert_eq!(answer.json()["__type"], "SerializationException");
    let large = vec![b' '; 1024 * 1024 + 1];
    let answer = send(&host, "POST", "/", &headers, &large).await;
    assert_eq!(answer.status, 413);
    assert_eq!(send(&host, "GET", "/nothing", &[], b"").await.status, 404);
    assert_eq!(send(&host, "GET", "/_sim/sessions", &[], b"").await.status, 404, "only when it is asked for");
    simulator.shutdown().await;
}

/// All pages of a listing.
async fn all(
    simulator: &Simulator,
    signer: &Signer,
    operation: &str,
    list: &str,
    request: Value,
) -> Vec<Value> {
    let mut found = Vec::new();
    let mut request = request;
    loop {
        let answer = ssm_ok(simulator, signer, operation, &request).await;
        found.extend(answer[list].as_array().unwrap().iter().cloned());
        match answer.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => return found,
        }
    }
}

fn ids(nodes: &[Value]) -> BTreeSet<String> {
    nodes.iter().map(|n| n["InstanceId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn both_inventory_calls_list_every_node_once() {
    let simulator = simulator(|_| {}).await;
    let mut total = 0;
    for account in simulator.accounts() {
        for region in &account.regions {
            let signer = Signer::new(&account, region, "ssm");
            let properties = "DescribeInstanceProperties";
            let large =
                all(&simulator, &signer, properties, "InstanceProperties", json!({ "MaxResults": 1000 }))
                    .await;
            let information = "DescribeInstanceInformation";
            let small =
                all(&simulator, &signer, information, "InstanceInformationList", json!({ "MaxResults": 50 }))
                    .await;
            assert_eq!(ids(&large), ids(&small));
            assert_eq!(ids(&small).len(), small.len(), "no node twice");
            total += small.len();
        }
    }
    assert_eq!(total, 1284);
    simulator.shutdown().await;
}

#[tokio::test]
async fn page_sizes_and_tokens_are_checked() {
    let simulator = simulator(|_| {}).await;
    let signer = payments(&simulator, "ssm");
    let first = ssm_ok(&simulator, &signer, "DescribeInstanceInformation", &json!({})).await;
    assert_eq!(first["InstanceInformationList"].as_array().unwrap().len(), 10);
    for (operation, bad) in [
        ("DescribeInstanceInformation", 4),
        ("DescribeInstanceInformation", 51),
        ("DescribeInstanceProperties", 4),
        ("DescribeInstanceProperties", 1001),
    ] {
        let (code, text) = ssm_error(&simulator, &signer, operation, &json!({ "MaxResults": bad })).await;
        assert_eq!(code, "ValidationException");
        let start = format!(
            "1 validation error detected: Value '{bad}' at 'maxResults' failed to satisfy constraint: "
        );
        assert!(text.starts_with(&start), "{text}");
    }
    let token = first["NextToken"].clone();
    for request in [
        json!({ "NextToken": "nonsense" }),
        // A token of one request is no good for another.
        json!({ "NextToken": token, "Filters": [{ "Key": "PingStatus", "Values": ["Online"] }] }),
    ] {
        let (code, _) = ssm_error(&simulator, &signer, "DescribeInstanceInformation", &request).await;
        assert_eq!(code, "InvalidNextToken");
    }
    let elsewhere = Signer::new(&account(&simulator, "plants-eu"), "eu-central-1", "ssm");
    let (code, _) =
        ssm_error(&simulator, &elsewhere, "DescribeInstanceInformation", &json!({ "NextToken": token }))
            .await;
    assert_eq!(code, "InvalidNextToken");
    simulator.shutdown().await;
}

#[tokio::test]
async fn filters_select_and_wrong_ones_are_named() {
    let simulator = simulator(|_| {}).await;
    let signer = payments(&simulator, "ssm");
    let list = async |filters: Value| {
        let request = json!({ "MaxResults": 50, "Filters": filters });
        all(&simulator, &signer, "DescribeInstanceInformation", "InstanceInformationList", request).await
    };
    let everything = list(json!([])).await;
    for (key, field, value) in [
        ("PlatformTypes", "PlatformType", "Windows"),
        ("PingStatus", "PingStatus", "ConnectionLost"),
        ("AgentVersion", "AgentVersion", "3.3.2746.0"),
        ("ResourceType", "ResourceType", "ManagedInstance"),
        ("SourceTypes", "SourceType", "Microsoft.Compute/virtualMachines"),
    ] {
        let found = list(json!([{ "Key": key, "Values": [value] }])).await;
        let expected = everything.iter().filter(|n| n[field] == value).count();
        assert!(expected > 0 && expected < everything.len(), "{key}");
        assert_eq!(found.len(), expected, "{key}");
        assert!(found.iter().all(|n| n[field] == value), "{key}");
    }
    let both = list(json!([
        { "Key": "PlatformTypes", "Values": ["Windows", "MacOS"] }, { "Key": "ResourceType", "Values": ["EC2Instance"] }
    ]))
    .await;
    assert!(both.iter().all(|n| n["PlatformType"] == "Windows" && n["ResourceType"] == "EC2Instance"));
    assert!(!both.is_empty());
    let tagged = list(json!([{ "Key": "tag:app", "Values": ["ledger"] }])).await;
    assert!(!tagged.is_empty() && tagged.len() < everything.len());
    let one = list(json!([{ "Key": "InstanceIds", "Values": ["mi-0b7d15e84f2ca9360"] }])).await;
    assert_eq!(one[0]["Name"], "pay-win-07");
    assert_eq!(one[0]["ComputerName"], "PAYWIN07.corp.example");
    for (filters, code) in [
        (json!([{ "Key": "Colour", "Values": ["red"] }]), "InvalidFilterKey"),
        (json!([{ "Key": "PingStatus", "Values": ["Lost"] }]), "InvalidInstanceInformationFilterValue"),
        (json!([{ "Key": "InstanceIds", "Values": ["i-00000000000000000"] }]), "InvalidInstanceId"),
        (json!([{ "Key": "PingStatus", "Values": [] }]), "ValidationException"),
        (json!([{ "Values": ["x"] }]), "ValidationException"),
        (
            json!([{ "Key": "tag:env", "Values": ["prod"] }, { "Key": "PingStatus", "Values": ["Online"] }]),
            "InvalidFilterKey",
        ),
    ] {
        let request = json!({ "Filters": filters });
        assert_eq!(
            ssm_error(&simulator, &signer, "DescribeInstanceInformation", &request).await.0,
            code,
            "{request}"
        );
    }
    let mixed = json!({
        "Filters": [{ "Key": "PingStatus", "Values": ["Online"] }],
        "InstanceInformationFilterList": [{ "key": "PingStatus", "valueSet": ["Online"] }],
    });
    let (code, _) = ssm_error(&simulator, &signer, "DescribeInstanceInformation", &mixed).await;
    assert_eq!(code, "ValidationException");
    simulator.shutdown().await;
}

#[tokio::test]
async fn property_filters_compare() {
    let simulator = simulator(|_| {}).await;
    let signer = payments(&simulator, "ssm");
    let list = async |key: &str, operator: &str, value: &str| {
        let filter = json!({ "Key": key, "Operator": operator, "Values": [value] });
        let request = json!({ "MaxResults": 1000, "FiltersWithOperator": [filter] });
        all(&simulator, &signer, "DescribeInstanceProperties", "InstanceProperties", request).await
    };
    let old = list("AgentVersion", "LessThan", "3.1.1374.0").await;
    assert!(!old.is_empty() && old.iter().all(|n| n["AgentVersion"] == "3.0.1390.0"));
    let new = list("AgentVersion", "BeginWith", "3.3.").await;
    assert!(new.iter().all(|n| n["AgentVersion"].as_str().unwrap().starts_with("3.3.")));
    let hybrid = list("ResourceType", "NotEqual", "EC2Instance").await;
    assert_eq!(hybrid.len(), 64);
    assert!(hybrid.iter().all(|n| n.get("InstanceType").is_none() && n["ActivationId"].is_string()));
    let ec2 = list("ResourceType", "Equal", "EC2Instance").await;
    assert_eq!(ec2.len(), 418 - 64);
    for field in ["Name", "InstanceType", "InstanceRole", "Architecture", "AvailabilityZone", "InstanceState"]
    {
        assert!(ec2.iter().all(|n| n[field].is_string()), "{field}");
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn sessions_are_refused_for_their_documented_reasons() {
    let simulator = simulator(|_| {}).await;
    let plants = Signer::new(&account(&simulator, "plants-eu"), "eu-central-1", "ssm");
    let start =
        async |signer: &Signer, request: Value| ssm_error(&simulator, signer, "StartSession", &request).await;
    assert_eq!(
        start(&plants, json!({ "Target": "mi-03be7a5c19d842f06" })).await,
        (
            "BadRequest".to_owned(),
            "Enable advanced-instances tier to use Session Manager with your on-premises instances"
                .to_owned()
        )
    );
    let signer = payments(&simulator, "ssm");
    assert_eq!(
        start(&signer, json!({ "Target": "i-00000000000000000" })).await,
        ("TargetNotConnected".to_owned(), "i-00000000000000000 is not connected.".to_owned())
    );
    let control = simulator.control();
    let lost = control.nodes("payments-prod", "eu-central-1").into_iter().find(|n| !n.online).unwrap();
    assert_eq!(start(&signer, json!({ "Target": lost.id })).await.0, "TargetNotConnected");
    let node = control.node("pay-api-03").unwrap().id;
    let document = |name: &str| json!({ "Target": node, "DocumentName": name });
    assert_eq!(start(&signer, document("Corp-Unknown")).await.0, "InvalidDocument");
    let (code, text) = start(&signer, document("AWS-RunShellScript")).await;
    assert_eq!(code, "InvalidDocument");
    assert!(text.contains("Only type: 'Session' is supported"), "{text}");
    let remote = document("AWS-StartPortForwardingSessionToRemoteHost");
    assert_eq!(start(&signer, remote).await.0, "InvalidParameters", "host is missing");
    let (code, text) = start(&signer, json!({ "DocumentName": "x", "Reason": "" })).await;
    assert_eq!(code, "ValidationException");
    assert!(text.starts_with("3 validation errors detected: Value null at 'target'"), "{text}");
    control.deny(DenyRule {
        action: "ssm:StartSession".into(),
        resource: "*/i-0c93f5b27ae1d4068".into(),
        reason: DenyReason::NoIdentityPolicy,
    });
    let (code, text) = start(&signer, json!({ "Target": node })).await;
    assert_eq!(code, "AccessDeniedException");
    assert_eq!(
        text,
        "User: arn:aws:sts::111122223333:assumed-role/FleetOperator/mika.sato is not authorized to perform: \
         ssm:StartSession on resource: arn:aws:ec2:eu-central-1:111122223333:instance/i-0c93f5b27ae1d4068 because no \
         identity-based policy allows the ssm:StartSession action"
    );
    control.allow_everything();
    control.throttle_next(1);
    assert_eq!(
        start(&signer, json!({ "Target": node })).await,
        ("ThrottlingException".to_owned(), "Rate exceeded".to_owned())
    );
    assert!(control.sessions().is_empty(), "nothing was started");
    assert!(control.calls()["StartSession"] >= 9);
    simulator.shutdown().await;
}

#[tokio::test]
async fn the_tier_is_a_setting_by_path_and_by_arn() {
    let simulator = simulator(|_| {}).await;
    let signer = Signer::new(&account(&simulator, "plants-eu"), "eu-central-1", "ssm");
    let path = "/ssm/managed-instance/activation-tier";
    let arn = format!("arn:aws:ssm:eu-central-1:444455556666:servicesetting{path}");
    for id in [path, arn.as_str()] {
        let answer = ssm_ok(&simulator, &signer, "GetServiceSetting", &json!({ "SettingId": id })).await;
        let setting = &answer["ServiceSetting"];
        assert_eq!(
            (setting["SettingValue"].as_str(), setting["ARN"].as_str()),
            (Some("standard"), Some(arn.as_str()))
        );
        assert_eq!(setting["Status"], "Default");
    }
    simulator.control().set_tier("plants-eu", "eu-central-1", Tier::Advanced).unwrap();
    let answer = ssm_ok(&simulator, &signer, "GetServiceSetting", &json!({ "SettingId": path })).await;
    assert_eq!(answer["ServiceSetting"]["SettingValue"], "advanced");
    ssm_ok(&simulator, &signer, "StartSession", &json!({ "Target": "mi-03be7a5c19d842f06" })).await;
    let (code, _) =
        ssm_error(&simulator, &signer, "GetServiceSetting", &json!({ "SettingId": "/ssm/other" })).await;
    assert_eq!(code, "ServiceSettingNotFound");
    simulator.shutdown().await;
}

#[tokio::test]
async fn sessions_are_listed_paged_and_filtered() {
    let simulator = simulator(|_| {}).await;
    let signer = payments(&simulator, "ssm");
    let node = simulator.control().node("pay-api-03").unwrap().id;
    let mut started = Vec::new();
    for _ in 0..3 {
        let answer =
            ssm_ok(&simulator, &signer, "StartSession", &json!({ "Target": node, "Reason": "r" })).await;
        started.push(answer["SessionId"].as_str().unwrap().to_owned());
    }
    assert!(started.iter().all(|id| id.starts_with("mika.sato-0") && id.len() == 27), "{started:?}");
    let list = async |request: Value| all(&simulator, &signer, "DescribeSessions", "Sessions", request).await;
    let active = list(json!({ "State": "Active", "MaxResults": 1 })).await;
    let newest_first: Vec<&str> = active.iter().map(|s| s["SessionId"].as_str().unwrap()).collect();
    assert_eq!(newest_first, started.iter().rev().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((&active[0]["Status"], &active[0]["Reason"]), (&json!("Connecting"), &json!("r")));
    ssm_ok(&simulator, &signer, "TerminateSession", &json!({ "SessionId": started[0] })).await;
    let first = started[0].clone();
    let control = simulator.control();
    control.wait_for(|s| s.iter().any(|s| s.session_id == first && s.status.is_over())).await.unwrap();
    let history = list(json!({ "State": "History" })).await;
    assert_eq!(history.len(), 1);
    assert_eq!((&history[0]["SessionId"], &history[0]["Status"]), (&json!(started[0]), &json!("Terminated")));
    assert!(history[0]["EndDate"].is_number());
    for (key, value, count) in [
        ("Target", node.as_str(), 2),
        ("Target", "i-0", 0),
        ("SessionId", started[1].as_str(), 1),
        ("Owner", "arn:aws:sts::111122223333:assumed-role/FleetOperator/mika.sato", 2),
        ("Status", "Connecting", 2),
        ("InvokedAfter", "2020-01-01T00:00:00Z", 2),
        ("InvokedBefore", "2020-01-01T00:00:00Z", 0),
    ] {
        let found = list(json!({ "State": "Active", "Filters": [{ "key": key, "value": value }] })).await;
        assert_eq!(found.len(), count, "{key}={value}");
    }
    let error = async |request: Value| ssm_error(&simulator, &signer, "DescribeSessions", &request).await.0;
    assert_eq!(error(json!({})).await, "ValidationException");
    assert_eq!(error(json!({ "State": "Active", "MaxResults": 201 })).await, "ValidationException");
    assert_eq!(
        error(json!({ "State": "Active", "Filters": [{ "key": "Colour", "value": "x" }] })).await,
        "ValidationException"
    );
    assert_eq!(error(json!({ "State": "Active", "NextToken": "x" })).await, "InvalidNextToken");
    // The same caller in another Region sees none of them.
    let elsewhere = Signer::new(&account(&simulator, "payments-prod"), "us-east-1", "ssm");
    let resume = json!({ "SessionId": started[1] });
    assert_eq!(ssm_error(&simulator, &elsewhere, "ResumeSession", &resume).await.0, "DoesNotExistException");
    let over = ssm_ok(&simulator, &signer, "ResumeSession", &json!({ "SessionId": started[0] })).await;
    assert_eq!(over["TokenValue"], "", "a session that is over is told by an empty token");
    ssm_ok(&simulator, &signer, "TerminateSession", &json!({ "SessionId": "nobody-0123" })).await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn connection_status_follows_the_node() {
    let simulator = simulator(|_| {}).await;
    let signer = payments(&simulator, "ssm");
    let control = simulator.control();
    let node = control.node("pay-api-03").unwrap().id;
    let status = async |target: &str| {
        let answer = ssm_ok(&simulator, &signer, "GetConnectionStatus", &json!({ "Target": target })).await;
        answer["Status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(&node).await, "connected");
    assert_eq!(status("i-0123").await, "notconnected");
    control.disconnect_node("pay-api-03").await.unwrap();
    assert_eq!(status(&node).await, "notconnected");
    control.connect_node("pay-api-03").await.unwrap();
    assert_eq!(status(&node).await, "connected");
    simulator.shutdown().await;
}

#[tokio::test]
async fn tags_are_told_for_hybrid_nodes_only() {
    let simulator = simulator(|_| {}).await;
    let signer = payments(&simulator, "ssm");
    let request = |id: &str| json!({ "ResourceType": "ManagedInstance", "ResourceId": id });
    let answer = ssm_ok(&simulator, &signer, "ListTagsForResource", &request("mi-0b7d15e84f2ca9360")).await;
    let expected = json!([
        { "Key": "app", "Value": "ledger" }, { "Key": "env", "Value": "prod" }, { "Key": "team", "Value": "payments" }
    ]);
    assert_eq!(answer["TagList"], expected);
    let (code, _) =
        ssm_error(&simulator, &signer, "ListTagsForResource", &request("i-0c93f5b27ae1d4068")).await;
    assert_eq!(code, "InvalidResourceId");
    simulator.shutdown().await;
}

#[tokio::test]
async fn instances_are_described_in_ec2s_query_protocol() {
    let simulator = simulator(|_| {}).await;
    let signer = payments(&simulator, "ec2");
    let answer = query(&simulator, &signer, EC2).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.matches("<instanceId>").count(), 418 - 64);
    let mut seen = 0;
    let mut token = String::new();
    loop {
        let form = format!("{EC2}&MaxResults=100{token}");
        let page = query(&simulator, &signer, &form).await.body;
        seen += page.matches("<instanceId>").count();
        match page.split_once("<nextToken>") {
            Some((_, rest)) => token = format!("&NextToken={}", rest.split('<').next().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen, 418 - 64);
    let filtered =
        format!("{EC2}&Filter.1.Name=tag%3AName&Filter.1.Value.1=pay-api-03&Filter.1.Value.2=ctx-rds-0%2A");
    let body = query(&simulator, &signer, &filtered).await.body;
    let nodes = simulator.control().nodes("payments-prod", "eu-central-1");
    let matching = nodes.iter().filter(|n| n.name == "pay-api-03" || n.name.starts_with("ctx-rds-0")).count();
    assert_eq!(body.matches("<instanceId>").count(), matching);
    assert!(body.contains("<key>Name</key><value>pay-api-03</value>"), "{body}");
    let by_id = query(&simulator, &signer, &format!("{EC2}&InstanceId.1=i-0c93f5b27ae1d4068")).await.body;
    assert!(by_id.contains("<privateIpAddress>10.20.4.23</privateIpAddress>"), "{by_id}");
    for (extra, code) in [
        ("&InstanceId.1=i-00000000000000000", "InvalidInstanceID.NotFound"),
        ("&InstanceId.1=mi-0b7d15e84f2ca9360", "InvalidInstanceID.Malformed"),
        ("&InstanceId.1=i-0c93f5b27ae1d4068&MaxResults=10", "InvalidParameterCombination"),
        ("&MaxResults=4", "InvalidParameterValue"),
        ("&NextToken=x", "InvalidParameterValue"),
        ("&Filter.1.Name=colour&Filter.1.Value.1=red", "InvalidParameterValue"),
        ("&Colour=red", "UnknownParameter"),
    ] {
        let answer = query(&simulator, &signer, &format!("{EC2}{extra}")).await;
        assert_eq!(answer.status, 400, "{extra}");
        assert!(answer.body.contains(&format!("<Code>{code}</Code>")), "{extra}: {}", answer.body);
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn callers_learn_who_they_are() {
    let simulator = simulator(|_| {}).await;
    let body = query(&simulator, &payments(&simulator, "sts"), STS).await.body;
    assert!(body.contains("<Account>111122223333</Account>"), "{body}");
    assert!(
        body.contains("<Arn>arn:aws:sts::111122223333:assumed-role/FleetOperator/mika.sato</Arn>"),
        "{body}"
    );
    simulator.shutdown().await;
}

#[tokio::test]
async fn the_demo_world_denies_where_the_design_shows_it() {
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let shared = account(&simulator, "shared-core");
    let signer = Signer::new(&shared, "ap-northeast-1", "ssm");
    for operation in ["DescribeInstanceInformation", "DescribeInstanceProperties"] {
        let (code, text) = ssm_error(&simulator, &signer, operation, &json!({})).await;
        assert_eq!(code, "AccessDeniedException");
        assert!(text.contains("with an explicit deny in a service control policy"), "{text}");
    }
    let answer = query(&simulator, &Signer::new(&shared, "ap-northeast-1", "ec2"), EC2).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("<Code>UnauthorizedOperation</Code>"), "{}", answer.body);
    let signer = Signer::new(&shared, "us-east-1", "ssm");
    ssm_ok(&simulator, &signer, "DescribeInstanceInformation", &json!({})).await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn quotas_are_enforced_on_request() {
    let simulator = simulator(|config| config.enforce_quotas = true).await;
    let signer = payments(&simulator, "ssm");
    let node = simulator.control().node("pay-api-03").unwrap().id;
    let mut throttled = 0;
    for _ in 0..20 {
        let answer = ssm(&simulator, &signer, "StartSession", &json!({ "Target": node })).await;
        throttled += usize::from(answer.body.contains("ThrottlingException"));
    }
    assert!(throttled > 0, "twenty starts at once are over three a second");
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_hundred_thousand_nodes_are_served_in_pages() {
    let simulator = simulator(|config| config.nodes = 100_000).await;
    let signer = payments(&simulator, "ssm");
    let request = json!({ "MaxResults": 1000 });
    let nodes = all(&simulator, &signer, "DescribeInstanceProperties", "InstanceProperties", request).await;
    assert_eq!(nodes.len(), ids(&nodes).len());
    assert_eq!(nodes.len(), simulator.control().nodes("payments-prod", "eu-central-1").len());
    assert!(nodes.len() > 30_000);
    simulator.shutdown().await;
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    let config = SimulatorConfig { listen: "0.0.0.0:0".parse().unwrap(), ..SimulatorConfig::default() };
    let error = Simulator::start(config).await.unwrap_err();
    assert!(error.to_string().contains("not a loopback address"), "{error}");
}
