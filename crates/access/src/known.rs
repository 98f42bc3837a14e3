//! Failure texts seen in practice, with their cause and what to do (aws-security-reliability.md A.11, anchors.md 4).

/// Who can do something about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The node: its agent, its role, its disk.
    Node,
    /// The caller's sign-in.
    Credentials,
    /// The account or its settings.
    Account,
    /// The request: another document or another target is needed.
    Request,
    /// What stands between the caller and AWS.
    Network,
}

/// A failure recognised by its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Known {
    /// The role of the node may not open its side of the session.
    NodeRoleChannel,
    /// The credentials of the node's agent are expired or wrong.
    NodeCredentials,
    /// The role of the node may not look at the log bucket's encryption.
    NodeRoleBucket,
    /// The role of the node may not look at the log group's encryption.
    NodeRoleLogGroup,
    /// The node cannot get the key that seals the session.
    NodeRoleKey,
    /// The agent could not start its session program.
    NodeLimits,
    /// The agent is too old for this type of session.
    AgentTooOld,
    /// The agent is too old for forwards to other hosts.
    AgentTooOldForRemoteHosts,
    /// The node reached nothing at the destination of a forward.
    DestinationRefused,
    /// The node has no control channel.
    NotConnected,
    /// The node never registered with Systems Manager.
    NotConfigured,
    /// Hybrid node on the standard tier.
    StandardTier,
    /// The document is not a session document.
    WrongDocumentType,
    /// The sign-in through IAM Identity Center is over.
    SignInOver,
    /// Temporary credentials are over.
    CredentialsOver,
    /// The data channel was refused before AWS looked at any policy.
    ChannelForbidden,
    /// Too many calls.
    Throttled,
    /// More filter values in one call than EC2 takes.
    TooManyFilters,
}

/// Texts that must all occur, in lower case. The first row that fits counts, so the more particular ones stand first.
const TEXTS: [(&[&str], Known); 29] = [
    (&["createdatachannel", "accessdenied"], Known::NodeRoleChannel),
    (&["setting up data channel", "is not authorized"], Known::NodeRoleChannel),
    (&["request is not authenticated"], Known::NodeCredentials),
    (&["shared credentials are already expired"], Known::NodeCredentials),
    (&["setting up data channel", "expired"], Known::NodeCredentials),
    (&["unable to validate encryption", "s3 bucket"], Known::NodeRoleBucket),
    (&["s3:getencryptionconfiguration"], Known::NodeRoleBucket),
    (&["unable to validate encryption", "cloudwatch logs"], Known::NodeRoleLogGroup),
    (&["unable to validate encryption", "log group"], Known::NodeRoleLogGroup),
    (&["fetching data key failed"], Known::NodeRoleKey),
    (&["document worker timed out"], Known::NodeLimits),
    (&["document process failed unexpectedly"], Known::NodeLimits),
    (&["plugin with name", "not found"], Known::NodeLimits),
    (&["port forwarding sessions to remote hosts are not supported"], Known::AgentTooOldForRemoteHosts),
    (&["is not supported by this version of ssm agent"], Known::AgentTooOld),
    (&["connection to destination port failed"], Known::DestinationRefused),
    (&["advanced-instances tier"], Known::StandardTier),
    (&["not configured to use session manager"], Known::NotConfigured),
    (&["only type: 'session' is supported"], Known::WrongDocumentType),
    (&["sso session associated with this profile has expired"], Known::SignInOver),
    (&["error loading sso token"], Known::SignInOver),
    (&["session token not found or invalid"], Known::SignInOver),
    (&["security token included in the request is expired"], Known::CredentialsOver),
    (&["expiredtokenexception"], Known::CredentialsOver),
    (&["server authentication failed", "forbidden"], Known::ChannelForbidden),
    (&["rate exceeded"], Known::Throttled),
    (&["filterlimitexceeded"], Known::TooManyFilters),
    (&["maximum number of filter values"], Known::TooManyFilters),
    (&["is not connected."], Known::NotConnected),
];

impl Known {
    /// The failure of this text; `None` means that it is shown as it is.
    pub fn find(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        TEXTS
            .iter()
            .find(|(needles, _)| needles.iter().all(|needle| text.contains(needle)))
            .map(|(_, known)| *known)
    }

    /// Who can do something about it.
    pub fn fault(self) -> Fault {
        match self {
            Self::NodeRoleChannel
            | Self::NodeCredentials
            | Self::NodeRoleBucket
            | Self::NodeRoleLogGroup
            | Self::NodeRoleKey
            | Self::NodeLimits
            | Self::AgentTooOld
            | Self::AgentTooOldForRemoteHosts
            | Self::DestinationRefused
            | Self::NotConnected
            | Self::NotConfigured => Fault::Node,
            Self::SignInOver | Self::CredentialsOver => Fault::Credentials,
            Self::StandardTier | Self::Throttled => Fault::Account,
            Self::WrongDocumentType | Self::TooManyFilters => Fault::Request,
            Self::ChannelForbidden => Fault::Network,
        }
    }

    /// What happened and why, as one sentence.
    pub fn cause(self) -> &'static str {
        match self {
            Self::NodeRoleChannel => "The node's own role may not open the node's side of the session.",
            Self::NodeCredentials => "The node's agent has credentials that are expired or not accepted.",
            Self::NodeRoleBucket => {
                "The node's own role may not read the encryption setting of the log bucket."
            }
            Self::NodeRoleLogGroup => {
                "The node's own role may not read the encryption setting of the log group."
            }
            Self::NodeRoleKey => "The node could not get the key that seals the session.",
            Self::NodeLimits => "The node's agent could not start the program that runs the session.",
            Self::AgentTooOld => "The node's agent is too old for this type of session.",
            Self::AgentTooOldForRemoteHosts => "The node's agent is too old to forward to other hosts.",
            Self::DestinationRefused => "The node could not connect to the destination of the forward.",
            Self::NotConnected => "The node has no connection to Session Manager.",
            Self::NotConfigured => "The node is not set up for Session Manager.",
            Self::StandardTier => {
                "The account's Region is on the standard tier, which takes no sessions to hybrid nodes."
            }
            Self::WrongDocumentType => "The document is not a session document.",
            Self::SignInOver => "The sign-in through IAM Identity Center is over.",
            Self::CredentialsOver => "The credentials have expired.",
            Self::ChannelForbidden => "The data channel was refused before AWS looked at any policy.",
            Self::Throttled => "AWS limits how often this may be called, and the limit is reached.",
            Self::TooManyFilters => "EC2 was asked for more at once than it takes.",
        }
    }

    /// What to do next, as one or two sentences.
    pub fn action(self) -> &'static str {
        match self {
            Self::NodeRoleChannel => {
                "Allow ssmmessages:CreateDataChannel and OpenDataChannel to the node's role, and look for an \
                 organization policy that denies them; your own permissions are not the cause."
            }
            Self::NodeCredentials => "Restart the agent on the node, and look at the node's role and clock.",
            Self::NodeRoleBucket => {
                "Allow s3:GetEncryptionConfiguration on the bucket to the node's role, not to yours."
            }
            Self::NodeRoleLogGroup => "Allow logs:DescribeLogGroups to the node's role, not to yours.",
            Self::NodeRoleKey => {
                "Allow kms:Decrypt on the key to the node's role, and kms:GenerateDataKey to yours."
            }
            Self::NodeLimits => {
                "End sessions that are no longer used on this node, and look at its disk space and inotify limits."
            }
            Self::AgentTooOld | Self::AgentTooOldForRemoteHosts => "Update the agent on the node.",
            Self::DestinationRefused => {
                "Check that something listens on the destination port, as seen from the node."
            }
            Self::NotConnected => {
                "Check account and Region, that the agent runs, and that the node reaches the ssmmessages endpoint."
            }
            Self::NotConfigured => "Install the agent on the node and give it a role for Systems Manager.",
            Self::StandardTier => {
                "Check the Region, then change the tier; AWS charges per hybrid node and hour for it."
            }
            Self::WrongDocumentType => "Choose a document of type Session.",
            Self::SignInOver => "Sign in again.",
            Self::CredentialsOver => "Sign in again or renew the credentials; the next call uses them.",
            Self::ChannelForbidden => {
                "Check the proxy, its certificates and this computer's clock; if it lasts, allow \
                 ssmmessages:OpenDataChannel on your own sessions."
            }
            Self::Throttled => "Wait a moment; other tools that use the same account count as well.",
            Self::TooManyFilters => "Ask for fewer instances or filters at a time.",
        }
    }
}
