//! Refusals as AWS words them, and what is made of them.

#[path = "../fuzz/entries/denial.rs"]
mod entry;

use std::fs;
use std::io;
use std::path::Path;

use fleetline_access::{Attempt, Denial, Effect, Fault, Known, Place, PolicyKind, Remedy};
use proptest::prelude::*;

const ADA: &str = "arn:aws:sts::111122223333:assumed-role/Ops/ada";
const USER: &str = "arn:aws:iam::111122223333:user/a";
const NODE: &str = "arn:aws:ec2:us-west-2:111122223333:instance/i-0abc";
const START: &str = "ssm:StartSession";
const SCP: &str = "arn:aws:organizations::999900001111:policy/o-abc123/service_control_policy/p-def456";

/// What a text must be read as: caller, action, resource, kind, how, ARN of the policy.
type Reading<'a> = (
    &'a str,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<PolicyKind>,
    Option<Effect>,
    Option<&'a str>,
);

const IMPLICIT: Option<Effect> = Some(Effect::Implicit);
const EXPLICIT: Option<Effect> = Some(Effect::Explicit);

/// Texts collected in public and texts made from the grammar, with changed ids.
const FIXTURES: [Reading<'_>; 22] = [
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: ssm:StartSession on resource: \
         arn:aws:ssm:eu-west-2::document/AWS-StartSSHSession because no identity-based policy allows the \
         ssm:StartSession action",
        Some(USER),
        Some(START),
        Some("arn:aws:ssm:eu-west-2::document/AWS-StartSSHSession"),
        Some(PolicyKind::Identity),
        IMPLICIT,
        None,
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/Ops/ada is not authorized to perform: ssm:StartSession on \
         resource: arn:aws:ec2:us-west-2:111122223333:instance/i-0abc because no identity-based policy allows the \
         ssm:StartSession action",
        Some(ADA),
        Some(START),
        Some(NODE),
        Some(PolicyKind::Identity),
        IMPLICIT,
        None,
    ),
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: ssm:StartSession on resource: \
         arn:aws:ssm:us-east-1:111122223333:document/SSM-SessionManagerRunShell because no identity-based policy \
         allows the ssm:StartSession action",
        Some(USER),
        Some(START),
        Some("arn:aws:ssm:us-east-1:111122223333:document/SSM-SessionManagerRunShell"),
        Some(PolicyKind::Identity),
        IMPLICIT,
        None,
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/Ops/ada is not authorized to perform: ssm:StartSession on \
         resource: arn:aws:ec2:us-west-2:111122223333:instance/i-0abc with an explicit deny in a service control \
         policy: arn:aws:organizations::999900001111:policy/o-abc123/service_control_policy/p-def456",
        Some(ADA),
        Some(START),
        Some(NODE),
        Some(PolicyKind::ServiceControl),
        EXPLICIT,
        Some(SCP),
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/Ops/ada is not authorized to perform: ssm:StartSession on \
         resource: arn:aws:ec2:us-west-2:111122223333:instance/i-0abc with an explicit deny in a service control policy",
        Some(ADA),
        Some(START),
        Some(NODE),
        Some(PolicyKind::ServiceControl),
        EXPLICIT,
        None,
    ),
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: ssm:StartSession because no service \
         control policy allows the ssm:StartSession action",
        Some(USER),
        Some(START),
        None,
        Some(PolicyKind::ServiceControl),
        IMPLICIT,
        None,
    ),
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: kms:GenerateDataKey on resource: \
         arn:aws:kms:us-west-2:111122223333:key/0f27c81a with an explicit deny in a resource control policy.",
        Some(USER),
        Some("kms:GenerateDataKey"),
        Some("arn:aws:kms:us-west-2:111122223333:key/0f27c81a"),
        Some(PolicyKind::ResourceControl),
        EXPLICIT,
        None,
    ),
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: ssm:StartSession on resource: \
         arn:aws:ec2:us-west-2:111122223333:instance/i-0abc because no permissions boundary allows the \
         ssm:StartSession action",
        Some(USER),
        Some(START),
        Some(NODE),
        Some(PolicyKind::Boundary),
        IMPLICIT,
        None,
    ),
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: ssm:StartSession on resource: \
         arn:aws:ec2:us-west-2:111122223333:instance/i-0abc with an explicit deny in a permissions boundary: \
         arn:aws:iam::111122223333:policy/Ceiling",
        Some(USER),
        Some(START),
        Some(NODE),
        Some(PolicyKind::Boundary),
        EXPLICIT,
        Some("arn:aws:iam::111122223333:policy/Ceiling"),
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/Ops/ada is not authorized to perform: ssm:StartSession on \
         resource: arn:aws:ec2:us-west-2:111122223333:instance/i-0abc because no session policy allows the \
         ssm:StartSession action",
        Some(ADA),
        Some(START),
        Some(NODE),
        Some(PolicyKind::Session),
        IMPLICIT,
        None,
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/Ops/ada is not authorized to perform: ssm:StartSession on \
         resource: arn:aws:ec2:us-west-2:111122223333:instance/i-0abc with an explicit deny in a sessions policy",
        Some(ADA),
        Some(START),
        Some(NODE),
        Some(PolicyKind::Session),
        EXPLICIT,
        None,
    ),
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: ssm:StartSession on resource: \
         arn:aws:ec2:us-west-2:111122223333:instance/i-0abc because no VPC endpoint policy allows the \
         ssm:StartSession action",
        Some(USER),
        Some(START),
        Some(NODE),
        Some(PolicyKind::Endpoint),
        IMPLICIT,
        None,
    ),
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: ssm:StartSession on resource: \
         arn:aws:ec2:us-west-2:111122223333:instance/i-0abc with an explicit deny in a service control policy \
         transitively through a VPC endpoint policy: \
         arn:aws:organizations::999900001111:policy/o-abc123/service_control_policy/p-def456",
        Some(USER),
        Some(START),
        Some(NODE),
        Some(PolicyKind::ServiceControl),
        EXPLICIT,
        Some(SCP),
    ),
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: kms:GenerateDataKey on resource: \
         arn:aws:kms:us-west-2:111122223333:key/0f27c81a because no resource-based policy allows the \
         kms:GenerateDataKey action",
        Some(USER),
        Some("kms:GenerateDataKey"),
        Some("arn:aws:kms:us-west-2:111122223333:key/0f27c81a"),
        Some(PolicyKind::Resource),
        IMPLICIT,
        None,
    ),
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::444455556666:role/Ops because no role trust policy allows the sts:AssumeRole action",
        Some(USER),
        Some("sts:AssumeRole"),
        Some("arn:aws:iam::444455556666:role/Ops"),
        Some(PolicyKind::RoleTrust),
        IMPLICIT,
        None,
    ),
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: sts:AssumeRole because the role trust \
         policy allows the sts:AssumeRole action",
        Some(USER),
        Some("sts:AssumeRole"),
        None,
        Some(PolicyKind::RoleTrust),
        IMPLICIT,
        None,
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/Ops/ada is not authorized to perform: ssm:StartSession on \
         resource: \"arn:aws:ec2:us-west-2:111122223333:instance/i-0abc\" with an explicit deny in an identity-based \
         policy: arn:aws:iam::111122223333:policy/Guardrail.",
        Some(ADA),
        Some(START),
        Some(NODE),
        Some(PolicyKind::Identity),
        EXPLICIT,
        Some("arn:aws:iam::111122223333:policy/Guardrail"),
    ),
    (
        "You are not authorized to perform this operation. User: arn:aws:iam::111122223333:user/a is not authorized to \
         perform: ec2:DescribeInstances because no identity-based policy allows the ec2:DescribeInstances action",
        Some(USER),
        Some("ec2:DescribeInstances"),
        None,
        Some(PolicyKind::Identity),
        IMPLICIT,
        None,
    ),
    (
        "You are not authorized to perform this operation. User: arn:aws:iam::111122223333:user/a is not authorized to \
         perform: ec2:GetPasswordData on resource: arn:aws:ec2:us-west-2:111122223333:instance/i-0abc because no \
         identity-based policy allows the ec2:GetPasswordData action. Encoded authorization failure message: 4aX-9_b",
        Some(USER),
        Some("ec2:GetPasswordData"),
        Some(NODE),
        Some(PolicyKind::Identity),
        IMPLICIT,
        None,
    ),
    (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: ssm:DescribeInstanceProperties on \
         resource: arn:aws:ssm:us-west-2:111122223333:*",
        Some(USER),
        Some("ssm:DescribeInstanceProperties"),
        Some("arn:aws:ssm:us-west-2:111122223333:*"),
        None,
        None,
        None,
    ),
    (
        "<AccessDeniedException>\n  <Message>User: arn:aws:sts::111122223333:assumed-role/Ops/ada is not authorized to \
         perform: ssm:StartSession on resource: arn:aws:ec2:us-west-2:111122223333:instance/i-0abc with an explicit \
         deny</Message>\n</AccessDeniedException>",
        Some(ADA),
        Some(START),
        Some(NODE),
        None,
        EXPLICIT,
        None,
    ),
    (
        "User: arn:aws-cn:iam::111122223333:user/a is not authorized to perform: ssm:StartSession with an explicit deny \
         in a new kind of policy",
        Some("arn:aws-cn:iam::111122223333:user/a"),
        Some(START),
        None,
        None,
        EXPLICIT,
        None,
    ),
];

#[test]
fn every_known_form_is_read_in_full() {
    for (text, principal, action, resource, policy, effect, arn) in FIXTURES {
        let denial = Denial::find(text).unwrap();
        let read = (
            denial.principal.as_deref(),
            denial.action.as_deref(),
            denial.resource.as_deref(),
            denial.policy,
            denial.effect,
            denial.policy_arn.as_deref(),
        );
        assert_eq!(read, (principal, action, resource, policy, effect, arn), "{text}");
    }
}

#[test]
fn what_ec2_encodes_is_kept_for_decoding() {
    let with = Denial::find(FIXTURES[18].0).unwrap();
    assert_eq!(with.encoded.as_deref(), Some("4aX-9_b"));
    let only =
        "You are not authorized to perform this operation. Encoded authorization failure message: abc_DEF";
    let denial = Denial::find(only).unwrap();
    assert_eq!(denial, Denial { encoded: Some("abc_DEF".to_owned()), ..Denial::default() });
    assert_eq!(
        Denial::find("You are not authorized to perform this operation."),
        None.or(Some(Denial::default()))
    );
}

#[test]
fn the_policy_it_goes_through_is_told_apart() {
    let denial = Denial::find(FIXTURES[12].0).unwrap();
    assert_eq!(
        (denial.policy, denial.through),
        (Some(PolicyKind::ServiceControl), Some(PolicyKind::Endpoint))
    );
}

#[test]
fn other_texts_are_no_refusals() {
    for text in
        ["", "Rate exceeded", "i-0abc is not connected.", "not authorized", "User: x may do everything"]
    {
        assert_eq!(Denial::find(text), None, "{text}");
    }
}

fn attempt(region: &str, target: &str, document: Option<&str>) -> Attempt {
    Attempt {
        place: Place::new("111122223333", region),
        target: target.to_owned(),
        document: document.map(str::to_owned),
    }
}

#[test]
fn the_remedy_names_node_document_and_data_channel_whichever_was_refused() {
    for fixture in [0, 1] {
        let denial = Denial { resource: None, ..Denial::find(FIXTURES[fixture].0).unwrap() };
        let asked = attempt("us-west-2", "i-0abc", Some("AWS-StartSSHSession"));
        let Remedy::Allow(policy) = Remedy::of(&denial, Some(&asked)) else { panic!("no statement") };
        assert_eq!(
            policy.to_json(),
            r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "FleetlineStartSession",
      "Effect": "Allow",
      "Action": "ssm:StartSession",
      "Resource": [
        "arn:aws:ec2:us-west-2:111122223333:instance/i-0abc",
        "arn:aws:ssm:us-west-2::document/AWS-StartSSHSession"
      ],
      "Condition": {
        "BoolIfExists": {
          "ssm:SessionDocumentAccessCheck": "true"
        }
      }
    },
    {
      "Sid": "FleetlineOwnSessions",
      "Effect": "Allow",
      "Action": [
        "ssmmessages:OpenDataChannel",
        "ssm:ResumeSession",
        "ssm:TerminateSession"
      ],
      "Resource": "arn:aws:ssm:us-west-2:111122223333:session/${aws:userid}-*"
    }
  ]
}"#
        );
    }
}

#[test]
fn the_remedy_of_a_hybrid_node_in_china_stays_in_its_partition() {
    let denial = Denial::find(FIXTURES[1].0).unwrap();
    let asked = attempt("cn-north-1", "mi-0abc", None);
    let Remedy::Allow(policy) = Remedy::of(&Denial { resource: None, ..denial }, Some(&asked)) else {
        panic!("no statement")
    };
    assert_eq!(
        policy.to_terraform("fleetline"),
        r#"data "aws_iam_policy_document" "fleetline" {
  statement {
    sid    = "FleetlineStartSession"
    effect = "Allow"

    actions = [
      "ssm:StartSession",
    ]

    resources = [
      "arn:aws-cn:ssm:cn-north-1:111122223333:managed-instance/mi-0abc",
      "arn:aws-cn:ssm:cn-north-1:111122223333:document/SSM-SessionManagerRunShell",
    ]

    condition {
      test     = "BoolIfExists"
      variable = "ssm:SessionDocumentAccessCheck"
      values   = ["true"]
    }
  }

  statement {
    sid    = "FleetlineOwnSessions"
    effect = "Allow"

    actions = [
      "ssmmessages:OpenDataChannel",
      "ssm:ResumeSession",
      "ssm:TerminateSession",
    ]

    resources = [
      "arn:aws-cn:ssm:cn-north-1:111122223333:session/&{aws:userid}-*",
    ]
  }
}
"#
    );
}

#[test]
fn no_statement_is_offered_where_none_would_help() {
    let asked = attempt("us-west-2", "i-0abc", None);
    let mut allowed = 0;
    for (text, .., policy, effect, _) in FIXTURES {
        let denial = Denial::find(text).unwrap();
        let offered = matches!(Remedy::of(&denial, Some(&asked)), Remedy::Allow(_));
        assert_eq!(
            offered,
            policy == Some(PolicyKind::Identity) && effect == Some(Effect::Implicit),
            "{text}"
        );
        allowed += u32::from(offered);
    }
    assert!(allowed >= 4);
    let scp = Denial::find(FIXTURES[3].0).unwrap();
    let arn = Some(SCP.to_owned());
    assert_eq!(Remedy::of(&scp, None), Remedy::RaiseLimit { policy: PolicyKind::ServiceControl, arn });
}

#[test]
fn a_listing_that_was_refused_needs_no_attempt() {
    let denial = Denial::find(FIXTURES[17].0).unwrap();
    let Remedy::Allow(policy) = Remedy::of(&denial, None) else { panic!("no statement") };
    assert_eq!(policy.statements[0].actions, ["ec2:DescribeInstances"]);
    assert_eq!(policy.statements[0].resources, ["*"]);
}

#[test]
fn failures_of_the_node_are_not_laid_at_the_callers_door() {
    let cases = [
        (
            "Setting up data channel with id ada-0abc failed: failed to create websocket for datachannel with error: \
             CreateDataChannel failed with no output or error: createDataChannel request failed: unexpected response \
             from the service <AccessDeniedException>\n<Message>User: arn:aws:sts::111122223333:assumed-role/Node/i-0abc \
             is not authorized to perform: ssmmessages:CreateDataChannel</Message></AccessDeniedException>",
            Known::NodeRoleChannel,
            Fault::Node,
        ),
        (
            "Setting up data channel with id ada-0abc failed: Request is not authenticated.",
            Known::NodeCredentials,
            Fault::Node,
        ),
        (
            "Couldn't start the session because we are unable to validate encryption on Amazon S3 bucket. Error: \
             AccessDenied: Access Denied status code: 403",
            Known::NodeRoleBucket,
            Fault::Node,
        ),
        (
            "Couldn't start the session because we are unable to validate encryption on Amazon CloudWatch Logs log \
             group. Error: AccessDeniedException",
            Known::NodeRoleLogGroup,
            Fault::Node,
        ),
        (
            "document process failed unexpectedly: document worker timed out, check [ssm-document-worker]/\
             [ssm-session-worker] log for crash reason",
            Known::NodeLimits,
            Fault::Node,
        ),
        ("Fetching data key failed: AccessDeniedException", Known::NodeRoleKey, Fault::Node),
        (
            "Plugin with name Port is not supported by this version of ssm agent",
            Known::AgentTooOld,
            Fault::Node,
        ),
        (
            "Currently, port forwarding sessions to remote hosts are not supported.",
            Known::AgentTooOldForRemoteHosts,
            Fault::Node,
        ),
        (
            "Connection to destination port failed, check SSM Agent logs.",
            Known::DestinationRefused,
            Fault::Node,
        ),
        ("i-0abc is not connected.", Known::NotConnected, Fault::Node),
        (
            "The instance you selected is not configured to use Session Manager.",
            Known::NotConfigured,
            Fault::Node,
        ),
        (
            "Enable advanced-instances tier to use Session Manager with your on-premises instances",
            Known::StandardTier,
            Fault::Account,
        ),
        (
            "Document type: 'Command' is not supported. Only type: 'Session' is supported for Session Manager.",
            Known::WrongDocumentType,
            Fault::Request,
        ),
        (
            "The SSO session associated with this profile has expired or is otherwise invalid.",
            Known::SignInOver,
            Fault::Credentials,
        ),
        ("Error loading SSO Token: Token for x does not exist", Known::SignInOver, Fault::Credentials),
        ("The security token included in the request is expired", Known::CredentialsOver, Fault::Credentials),
        (
            "Server authentication failed: <UnauthorizedRequest><message>Forbidden.</message></UnauthorizedRequest>",
            Known::ChannelForbidden,
            Fault::Network,
        ),
        ("Rate exceeded", Known::Throttled, Fault::Account),
        ("ThrottlingException: Rate exceeded", Known::Throttled, Fault::Account),
        ("ExpiredTokenException", Known::CredentialsOver, Fault::Credentials),
        (
            "Setting up data channel with id ada-0abc failed: failed to create websocket for datachannel with error: \
             CreateDataChannel failed with error: shared credentials are already expired",
            Known::NodeCredentials,
            Fault::Node,
        ),
        (
            "Couldn't start the session because we are unable to validate encryption on Amazon S3 bucket. Error: \
             AccessDenied: User: arn:aws:sts::111122223333:assumed-role/Node/i-0abc is not authorized to perform: \
             s3:GetEncryptionConfiguration",
            Known::NodeRoleBucket,
            Fault::Node,
        ),
        ("Plugin with name Standard_Stream not found.", Known::NodeLimits, Fault::Node),
        (
            "FilterLimitExceeded: The maximum number of filter values specified on a single call is 200",
            Known::TooManyFilters,
            Fault::Request,
        ),
    ];
    for (text, known, fault) in cases {
        assert_eq!(Known::find(text), Some(known), "{text}");
        assert_eq!(known.fault(), fault, "{text}");
        assert!(known.cause().ends_with('.') && !known.cause().contains(". "), "{known:?}");
        assert!(known.action().ends_with('.'), "{known:?}");
    }
    assert_eq!(Known::find("the moon is full"), None);
}

#[test]
fn the_committed_corpus_holds() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/denial");
    let mut count = 0;
    for file in fs::read_dir(folder)? {
        entry::run(&fs::read(file?.path())?);
        count += 1;
    }
    assert!(count >= 5, "{count} inputs");
    Ok(())
}

#[test]
fn a_long_text_is_read_in_one_pass_over_it() {
    // Two megabytes of what each step looks for: a reader that goes back would not end within the test's limit.
    for piece in
        ["User: ", "not authorized to perform: ", "on resource: ", "with an explicit deny in a ", ": arn:"]
    {
        entry::run(piece.repeat(2 << 20 >> piece.len().ilog2()).as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>()) {
        entry::run(text.as_bytes());
    }

    #[test]
    fn any_damage_to_a_known_text_is_survived(
        which in 0..FIXTURES.len(), cut in 0_usize..400, put in ".{0,8}", keep in 0_usize..400,
    ) {
        let text = FIXTURES[which].0;
        let (cut, keep) = (cut.min(text.len()), keep.min(text.len()));
        entry::run(format!("{}{put}{}", &text[..cut], &text[keep..]).as_bytes());
    }
}
