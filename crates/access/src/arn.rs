//! Amazon resource names.

/// The parts of an ARN, `arn:partition:service:region:account:resource`. Parts may be empty; AWS-owned documents have no
/// account (aws-security-reliability.md A.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// "aws", "aws-cn", "aws-us-gov".
    pub partition: &'a str,
    /// "ssm".
    pub service: &'a str,
    /// "eu-central-1", or empty.
    pub region: &'a str,
    /// Twelve digits, or empty.
    pub account: &'a str,
    /// What is left, colons included: "instance/i-0abc".
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes a text apart; `None` if it is not an ARN.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let arn = Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        (!arn.partition.is_empty() && !arn.service.is_empty() && !arn.resource.is_empty()).then_some(arn)
    }

    /// The resource without its type: "i-0abc" of "instance/i-0abc". The whole resource where there is no type.
    pub fn name(&self) -> &'a str {
        self.resource.split_once('/').map_or(self.resource, |(_, name)| name)
    }
}

/// The partition a Region belongs to. Regions nobody knows yet are taken for the commercial partition.
pub fn partition_of_region(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("eusc-", "aws-eusc"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-iso-", "aws-iso"),
    ];
    PARTITIONS.into_iter().find(|(start, _)| region.starts_with(start)).map_or("aws", |(_, name)| name)
}

/// An account in a Region of a partition: what most ARNs of this product begin with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// "aws".
    pub partition: String,
    /// "eu-central-1".
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

impl Place {
    /// The place of an account and Region; the Region tells the partition.
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        let region = region.into();
        Self { partition: partition_of_region(&region).to_owned(), region, account: account.into() }
    }

    fn arn(&self, service: &str, account: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{account}:{resource}", self.partition, self.region)
    }

    /// The ARN StartSession is authorised on for a node or another target (aws-security-reliability.md A.11).
    pub fn target(&self, id: &str) -> String {
        if id.starts_with("i-") {
            return self.arn("ec2", &self.account, &format!("instance/{id}"));
        }
        // A container is named `ecs:CLUSTER_TASK_RUNTIME`; the task is what a policy names.
        if let Some(rest) = id.strip_prefix("ecs:")
            && let [cluster, task, _runtime] = rest.splitn(3, '_').collect::<Vec<_>>()[..]
        {
            return self.arn("ecs", &self.account, &format!("task/{cluster}/{task}"));
        }
        self.arn("ssm", &self.account, &format!("managed-instance/{id}"))
    }

    /// The ARN of a document. One that is an ARN already stays; documents AWS owns have no account.
    pub fn document(&self, name: &str) -> String {
        if name.starts_with("arn:") {
            return name.to_owned();
        }
        let account = if is_aws_document(name) { "" } else { &self.account };
        self.arn("ssm", account, &format!("document/{name}"))
    }

    /// The sessions of whoever holds the policy.
    pub fn own_sessions(&self) -> String {
        self.arn("ssm", &self.account, "session/${aws:userid}-*")
    }

    /// The tier setting of the account and Region (aws-security-reliability.md A.4).
    pub fn tier_setting(&self) -> String {
        self.arn("ssm", &self.account, "servicesetting/ssm/managed-instance/activation-tier")
    }
}

/// Whether AWS owns the document of this name; these prefixes are reserved (aws-security-reliability.md A.6).
fn is_aws_document(name: &str) -> bool {
    const RESERVED: [&str; 3] = ["aws", "amazon", "amzn"];
    RESERVED
        .iter()
        .any(|start| name.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_come_apart() {
        let arn = Arn::parse("arn:aws-cn:ssm:cn-north-1::document/AWS-StartSSHSession").unwrap();
        assert_eq!(
            (arn.partition, arn.region, arn.account, arn.name()),
            ("aws-cn", "cn-north-1", "", "AWS-StartSSHSession")
        );
        let setting = Arn::parse("arn:aws:iam::111122223333:policy/a:b").unwrap();
        assert_eq!(setting.resource, "policy/a:b");
        for text in ["", "*", "arn:", "arn:aws:ssm", "arn:aws:ssm:r:a:", "arn::ssm:r:a:x", "xarn:a:b:c:d:e"] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_partition_names_its_own_arns() {
        for (region, partition) in [
            ("eu-central-1", "aws"),
            ("cn-northwest-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
        ] {
            let place = Place::new("111122223333", region);
            assert_eq!(
                place.target("i-0abc"),
                format!("arn:{partition}:ec2:{region}:111122223333:instance/i-0abc")
            );
            assert_eq!(
                place.target("mi-0abc"),
                format!("arn:{partition}:ssm:{region}:111122223333:managed-instance/mi-0abc")
            );
            assert_eq!(
                place.document("AWS-StartSSHSession"),
                format!("arn:{partition}:ssm:{region}::document/AWS-StartSSHSession")
            );
            assert_eq!(
                place.document("SSM-SessionManagerRunShell"),
                format!("arn:{partition}:ssm:{region}:111122223333:document/SSM-SessionManagerRunShell")
            );
        }
    }

    #[test]
    fn containers_are_named_by_their_task() {
        let place = Place::new("111122223333", "eu-central-1");
        assert_eq!(
            place.target("ecs:web_0123abcd_0123abcd-1"),
            "arn:aws:ecs:eu-central-1:111122223333:task/web/0123abcd"
        );
    }
}
