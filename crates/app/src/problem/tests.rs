use super::*;

fn error(kind: ApiErrorKind, message: &str) -> ApiError {
    ApiError {
        operation: "StartSession",
        kind,
        code: Some("Code".into()),
        message: message.into(),
        request_id: Some("r-1".into()),
        never_sent: false,
    }
}

fn context() -> Context {
    Context {
        source: "prod".into(),
        region: "eu-central-1".into(),
        node: Some("pay-win-07".into()),
        ..Context::default()
    }
}

const ALL: [ApiErrorKind; 17] = [
    ApiErrorKind::NoCredentials,
    ApiErrorKind::CredentialsExpired,
    ApiErrorKind::CredentialsInvalid,
    ApiErrorKind::AccessDenied,
    ApiErrorKind::TargetNotConnected,
    ApiErrorKind::TierRequired,
    ApiErrorKind::UnknownNode,
    ApiErrorKind::InvalidDocument,
    ApiErrorKind::InvalidRequest,
    ApiErrorKind::KeyUnusable,
    ApiErrorKind::Throttled,
    ApiErrorKind::Network,
    ApiErrorKind::Resolve,
    ApiErrorKind::Proxy,
    ApiErrorKind::Tls,
    ApiErrorKind::Service,
    ApiErrorKind::Other,
];

#[test]
fn every_failure_is_one_sentence_with_the_raw_text_kept() {
    for kind in ALL {
        let described = describe(&error(kind, "raw words"), &context());
        assert!(described.message.ends_with('.'), "{described:?}");
        assert!(!described.message.contains(". "), "one sentence: {described:?}");
        assert_eq!(described.detail.as_deref(), Some("StartSession (Code): raw words"));
        assert_eq!(described.request_id.as_deref(), Some("r-1"));
        for word in ["please", "unable", "oops", "successfully", "!"] {
            assert!(!described.message.to_lowercase().contains(word), "{described:?}");
        }
    }
}

#[test]
fn every_failure_has_its_exit_status() {
    let codes = ALL.map(|kind| exit_code(describe(&error(kind, "x"), &context()).code));
    assert_eq!(codes, [5, 5, 5, 3, 4, 4, 4, 2, 2, 2, 7, 6, 6, 6, 6, 1, 1]);
    assert_eq!(exit_code(ErrorCode::Storage), 8);
}

#[test]
fn a_standard_tier_node_is_named_with_the_price_of_the_change() {
    let described =
        describe(&error(ApiErrorKind::TierRequired, "Enable advanced-instances tier"), &context());
    assert_eq!(
        described.message,
        "pay-win-07 is a hybrid node and its account in eu-central-1 is on the standard tier, which takes no sessions to hybrid nodes."
    );
    assert!(described.hint.is_some_and(|hint| hint.contains("USD 0.00695")));
}

#[test]
fn a_denial_says_who_what_where_and_which_policy() {
    let text = "User: arn:aws:sts::111122223333:assumed-role/FleetOperator/ada is not authorized to perform: \
                ssm:StartSession on resource: arn:aws:ec2:eu-central-1:111122223333:instance/i-0f27c81a9be4d3065 \
                because no identity-based policy allows the ssm:StartSession action";
    let described = describe(&error(ApiErrorKind::AccessDenied, text), &context());
    assert_eq!(
        described.message,
        "ada (role FleetOperator) may not call ssm:StartSession on i-0f27c81a9be4d3065, because no identity policy allows it."
    );
    assert_eq!(
        described.hint.as_deref(),
        Some(
            "A policy of the identity must allow ssm:StartSession on \
             arn:aws:ec2:eu-central-1:111122223333:instance/i-0f27c81a9be4d3065."
        )
    );
}

#[test]
fn each_kind_of_policy_has_its_words_and_a_statement_only_where_it_helps() {
    let kinds = [
        (
            "with an explicit deny in a service control policy",
            "organization policy (SCP) forbids",
            "administrator",
        ),
        (
            "with an explicit deny in a resource control policy",
            "organization policy (RCP) forbids",
            "administrator",
        ),
        ("with an explicit deny in an identity-based policy", "one of its own policies forbids", "deny"),
        ("because no permissions boundary allows the ssm:X action", "boundary does not allow", "boundary"),
        (
            "because no session policy allows the ssm:X action",
            "session policy of its role does not",
            "assumed",
        ),
        ("because no VPC endpoint policy allows the ssm:X action", "VPC endpoint does not allow", "endpoint"),
        (
            "because no resource-based policy allows the ssm:X action",
            "the resource does not allow",
            "resource",
        ),
        (
            "because no role trust policy allows the ssm:X action",
            "trust policy of the role does not",
            "trust",
        ),
        (
            "because no identity-based policy allows the ssm:X action",
            "no identity policy allows",
            "must allow ssm:X",
        ),
        ("", "did not say which policy", "details"),
    ];
    for (reason, words, advice) in kinds {
        let text =
            format!("User: arn:aws:iam::111122223333:user/a is not authorized to perform: ssm:X {reason}");
        let report = DenialReport::of(&text, "X", &context());
        assert!(report.sentence.contains(words), "{report:?}");
        assert!(report.advice.contains(advice), "{report:?}");
        assert_eq!(report.policy.is_some(), reason.contains("no identity-based"), "{report:?}");
    }
    assert_eq!(denied_call(&error(ApiErrorKind::Throttled, ""), &context()), None);
}

#[test]
fn a_permission_set_is_changed_where_it_is_kept() {
    let text = "User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_FleetOps_0123456789abcdef/ada is not \
                authorized to perform: ssm:StartSession on resource: \
                arn:aws:ec2:eu-central-1:111122223333:instance/i-0f27c81a9be4d3065 because no identity-based policy \
                allows the ssm:StartSession action";
    let report = DenialReport::of(text, "StartSession", &context());
    assert!(
        report.sentence.starts_with("ada (permission set FleetOps) may not call ssm:StartSession on i-0f27")
    );
    assert!(
        report.advice.starts_with("The permission set FleetOps must allow ssm:StartSession"),
        "{report:?}"
    );
}

#[test]
fn a_known_text_under_an_unknown_code_has_its_cause_and_action() {
    let text = "Plugin with name Port is not supported by this version of ssm agent";
    let described = describe(&error(ApiErrorKind::Other, text), &context());
    assert_eq!(described.message, "The node's agent is too old for this type of session.");
    assert_eq!(described.hint.as_deref(), Some("Update the agent on the node."));
    assert_eq!(
        described.detail.as_deref(),
        Some("StartSession (Code): Plugin with name Port is not supported by this version of ssm agent")
    );
}

#[test]
fn an_unknown_denial_is_not_guessed_at() {
    let described = describe(&error(ApiErrorKind::AccessDenied, "no"), &context());
    assert_eq!(
        described.message,
        "This identity may not call StartSession in eu-central-1: AWS refused and did not say which policy."
    );
}

#[test]
fn long_raw_texts_are_cut_at_a_character() {
    let described = describe(&error(ApiErrorKind::Other, &"é".repeat(10_000)), &context());
    assert!(described.detail.is_some_and(|detail| detail.len() <= 4096));
}

#[test]
fn a_session_that_may_still_be_open_is_said_to_be() {
    let described = describe_close(&CloseError::TimedOut, &context());
    assert_eq!(
        described.message,
        "The session to pay-win-07 may still be open at AWS: AWS has not confirmed its end in time."
    );
}

#[test]
fn the_remedy_covers_node_and_document_in_the_account_of_the_caller_where_the_nodes_is_not_known() {
    let text = "User: arn:aws-cn:sts::111122223333:assumed-role/Ops/ada is not authorized to perform: ssm:StartSession on \
                resource: arn:aws-cn:ssm:cn-north-1::document/AWS-StartSSHSession because no identity-based policy allows \
                the ssm:StartSession action";
    let context = Context {
        region: "cn-north-1".into(),
        node_id: Some("mi-0abc".into()),
        document: Some("AWS-StartSSHSession".into()),
        ..context()
    };
    let denied = denied_call(&error(ApiErrorKind::AccessDenied, text), &context).unwrap();
    let remedy = denied.remedy.unwrap();
    for arn in [
        "arn:aws-cn:ssm:cn-north-1:111122223333:managed-instance/mi-0abc",
        "arn:aws-cn:ssm:cn-north-1::document/AWS-StartSSHSession",
        "arn:aws-cn:ssm:cn-north-1:111122223333:session/${aws:userid}-*",
    ] {
        assert!(remedy.json.contains(arn), "{arn}: {}", remedy.json);
    }
    assert_eq!((denied.caller.name.as_str(), denied.caller.capacity.as_str()), ("ada", "Ops"));
    assert_eq!(denied.account_id, "111122223333");
}

fn refused_channel(body: &str) -> StartError {
    let error = DialError::Upgrade { status: 403, body: body.to_owned() };
    StartError::Refused { cause: ReconnectCause::Dial(error) }
}

#[test]
fn a_data_channel_that_was_refused_without_a_reason_is_a_guess_and_with_one_is_not() {
    let context =
        Context { node_id: Some("i-0abc".into()), account_id: Some("111122223333".into()), ..context() };
    let silent = denied(&refused_channel("Forbidden."), &context).unwrap();
    assert!(silent.guessed && silent.policy.is_none() && silent.chain.is_empty(), "{silent:?}");
    assert_eq!(silent.action, "ssmmessages:OpenDataChannel");
    assert!(silent.remedy.unwrap().json.contains("ssmmessages:OpenDataChannel"));
    assert_eq!(silent.problem.code, ErrorCode::AccessDenied);
    assert!(silent.problem.hint.unwrap().starts_with("Most likely"));
    let told = denied(
        &refused_channel(
            "User: arn:aws:iam::111122223333:user/a is not authorized to perform: ssmmessages:OpenDataChannel because no \
             identity-based policy allows the ssmmessages:OpenDataChannel action",
        ),
        &context,
    )
    .unwrap();
    assert!(!told.guessed && told.remedy.is_some(), "{told:?}");
    assert!(told.problem.message.starts_with("a may not call ssmmessages:OpenDataChannel"), "{told:?}");
}

#[test]
fn what_a_node_cannot_say_itself_is_told_as_a_guess() {
    let sealed = StartError::KeyNotOpened { key_id: "key/0f27".into(), text: String::new() };
    let described = describe_start(&sealed, &context());
    assert!(described.message.contains("key/0f27") && described.detail.is_none(), "{described:?}");
    assert!(described.hint.is_some_and(|hint| hint.starts_with("Usually") && hint.contains("kms:Decrypt")));
    let silent = StartError::ByService { cause: fleetline_engine::ServiceCause::Other, text: String::new() };
    assert!(!describe_start(&silent, &context()).message.contains("KMS"));

    let refusal =
        ApiError { code: Some("BadRequest".into()), ..error(ApiErrorKind::InvalidRequest, "BadRequest") };
    let hybrid = Context { node_id: Some("mi-0abc".into()), ..context() };
    assert_eq!(describe(&refusal, &hybrid).code, ErrorCode::TierRequired);
    let ec2 = Context { node_id: Some("i-0abc".into()), ..context() };
    assert_ne!(describe(&refusal, &ec2).code, ErrorCode::TierRequired);
}
