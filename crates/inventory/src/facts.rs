//! What is learnt of a node beyond the page it came in.

use smol_str::SmolStr;

use crate::node::ManagedNode;

/// Facts of one node that another call tells. While a listing waits for them it holds node ids, not nodes. Empty texts
/// and a missing time say nothing; what the page said stays then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeFacts {
    /// Whose they are.
    pub node_id: SmolStr,
    /// EC2 Name tag.
    pub name: SmolStr,
    /// Private address.
    pub ip: SmolStr,
    /// Public address.
    pub public_ip: SmolStr,
    /// VPC id.
    pub vpc_id: SmolStr,
    /// EC2 state name.
    pub instance_state: SmolStr,
    /// EC2 instance type.
    pub instance_type: SmolStr,
    /// Availability zone.
    pub availability_zone: SmolStr,
    /// ARN of the instance profile; what the page said of a role comes first.
    pub iam_role: SmolStr,
    /// When launched, in epoch milliseconds.
    pub launched_ms: Option<i64>,
    /// All tags, sorted by key; they take the place of those known.
    pub tags: Vec<(SmolStr, SmolStr)>,
}

impl NodeFacts {
    /// Adds them to what is known of the node.
    pub fn add_to(self, node: &mut ManagedNode) {
        let role = if node.iam_role.is_empty() { self.iam_role } else { SmolStr::default() };
        let texts = [
            (&mut node.name, self.name),
            (&mut node.ip, self.ip),
            (&mut node.public_ip, self.public_ip),
            (&mut node.vpc_id, self.vpc_id),
            (&mut node.instance_state, self.instance_state),
            (&mut node.instance_type, self.instance_type),
            (&mut node.availability_zone, self.availability_zone),
            (&mut node.iam_role, role),
        ];
        for (known, told) in texts {
            if !told.is_empty() {
                *known = told;
            }
        }
        node.registered_ms = self.launched_ms.or(node.registered_ms);
        node.tags = self.tags;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::node;

    #[test]
    fn what_is_not_told_stays_but_tags_are_replaced() {
        let tag = |text: &str| (SmolStr::from(text), SmolStr::from("x"));
        let mut known = node("i-1");
        (known.ip, known.iam_role, known.registered_ms) = ("10.0.0.1".into(), "ops".into(), Some(1));
        known.tags = vec![tag("old")];
        let facts = NodeFacts {
            node_id: "i-1".into(),
            name: "web".into(),
            iam_role: "arn:aws:iam::1:instance-profile/p".into(),
            tags: vec![tag("new")],
            ..NodeFacts::default()
        };
        facts.add_to(&mut known);
        assert_eq!(
            (known.name.as_str(), known.ip.as_str(), known.iam_role.as_str()),
            ("web", "10.0.0.1", "ops")
        );
        assert_eq!((known.registered_ms, known.tags), (Some(1), vec![tag("new")]));
    }
}
