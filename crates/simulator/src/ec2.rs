//! EC2 DescribeInstances and GetPasswordData: EC2 Query, 2016-11-15 (aws-security-reliability.md A.8).

mod password;

use std::collections::{BTreeMap, HashSet};

use http::StatusCode;
use jiff::Timestamp;

use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::{Ask, NodeState};
use crate::policy::{self, glob};
use crate::shared::Shared;
use crate::world::catalogue::PlatformType;
use crate::world::node::{Kind, Node};
use crate::xml::{element, group};

/// Instances in an answer that is not asked for pages.
const DEFAULT_PAGE: usize = 1000;

/// Values in one filter, at most.
const FILTER_VALUES: usize = 200;

pub(crate) fn call(
    shared: &Shared,
    caller: &Caller,
    action: &str,
    form: &[(String, String)],
    request_id: &str,
) -> Result<String, ApiFailure> {
    match action {
        "DescribeInstances" => {
            allowed(shared, caller, "ec2:DescribeInstances", "*", request_id)?;
            let request = Request::read(form)?;
            let page = request.page(shared, caller)?;
            Ok(answer(caller, caller.account(shared).plan.id, &page, request_id))
        }
        "GetPasswordData" => {
            let id = password::instance_id(form)?;
            allowed(shared, caller, "ec2:GetPasswordData", &format!("instance/{id}"), request_id)?;
            password::answer(shared, caller, &id, request_id)
        }
        _ => {
            let text = format!("The action {action} is not valid for this web service.");
            Err(ApiFailure::new("InvalidAction", text))
        }
    }
}

/// Asks the policies; `resource` is the end of the ARN, `*` for calls on no resource in particular.
fn allowed(
    shared: &Shared,
    caller: &Caller,
    action: &str,
    resource: &str,
    request_id: &str,
) -> Result<(), ApiFailure> {
    let account = caller.account(shared);
    let ask = Ask {
        action,
        resource: format!("arn:aws:ec2:{}:{}:{resource}", caller.region, account.plan.id),
        named: resource != "*",
    };
    if let Some(text) = shared.refusal(account, &[ask]) {
        let encoded =
            if shared.live.encoded_denials() { policy::encoded_message(request_id) } else { String::new() };
        return Err(ApiFailure::new(
            "UnauthorizedOperation",
            format!("You are not authorized to perform this operation. {text}{encoded}"),
        )
        .with_status(StatusCode::FORBIDDEN));
    }
    Ok(())
}

fn not_found(id: &str) -> ApiFailure {
    ApiFailure::new("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist"))
}

/// A checked request.
struct Request {
    ids: Vec<String>,
    filters: Vec<Filter>,
    page_size: Option<usize>,
    next_token: Option<String>,
}

struct Filter {
    name: String,
    values: Vec<String>,
}

/// Nodes of one answer, each with its state.
struct Page<'a> {
    instances: Vec<(&'a Node, NodeState)>,
    next: Option<String>,
}

impl Request {
    fn read(form: &[(String, String)]) -> Result<Self, ApiFailure> {
        let mut ids = BTreeMap::new();
        let mut filters: BTreeMap<u32, Filter> = BTreeMap::new();
        let (mut page_size, mut next_token) = (None, None);
        for (key, value) in form {
            let path: Vec<&str> = key.split('.').collect();
            match path[..] {
                ["InstanceId", n] => {
                    ids.insert(position(key, n)?, value.clone());
                }
                ["Filter", n, "Name"] => filter_at(&mut filters, position(key, n)?).name.clone_from(value),
                ["Filter", n, "Value", _] => {
                    filter_at(&mut filters, position(key, n)?).values.push(value.clone())
                }
                ["MaxResults"] => {
                    let size: usize =
                        value.parse().ok().filter(|size| (5..=1000).contains(size)).ok_or_else(|| {
                            invalid_value(value, "maxResults", "Must be between 5 and 1000.")
                        })?;
                    page_size = Some(size);
                }
                ["NextToken"] if !value.is_empty() => next_token = Some(value.clone()),
                ["Action" | "Version" | "NextToken" | "DryRun" | "IncludeManagedResources"] => {}
                _ => {
                    return Err(ApiFailure::new(
                        "UnknownParameter",
                        format!("The parameter {key} is not recognized"),
                    ));
                }
            }
        }
        if !ids.is_empty() && page_size.is_some() {
            return Err(ApiFailure::new(
                "InvalidParameterCombination",
                "The parameter instancesSet cannot be used with the parameter maxResults",
            ));
        }
        let filters: Vec<Filter> = filters.into_values().collect();
        for filter in &filters {
            filter.check()?;
        }
        Ok(Self { ids: ids.into_values().collect(), filters, page_size, next_token })
    }

    fn page<'a>(&self, shared: &'a Shared, caller: &Caller) -> Result<Page<'a>, ApiFailure> {
        let account = caller.account(shared);
        let scope = self.scope(caller);
        let state = |node: &Node| shared.live.node_state(&shared.world, node);
        let found = |node: &Node| self.filters.iter().all(|f| f.matches(node, state(node), &caller.region));
        if !self.ids.is_empty() {
            let mut instances = Vec::new();
            for id in &self.ids {
                check_id(id)?;
                let node = account
                    .find(&caller.region, id)
                    .filter(|n| n.kind == Kind::Ec2)
                    .ok_or_else(|| not_found(id))?;
                if found(node) {
                    instances.push((node, state(node)));
                }
            }
            return Ok(Page { instances, next: None });
        }
        let start = match &self.next_token {
            Some(token) => shared
                .pages
                .read(&scope, token)
                .map_err(|_| invalid_value(token, "nextToken", "The token is not valid for this request."))?,
            None => 0,
        };
        let size = self.page_size.unwrap_or(DEFAULT_PAGE);
        let mut page = Page { instances: Vec::new(), next: None };
        let first = usize::try_from(start).unwrap_or(usize::MAX);
        let named = self.named();
        for (index, node) in account.nodes(&caller.region).iter().enumerate().skip(first) {
            let is_named = named.as_ref().is_none_or(|ids| ids.contains(&*node.id));
            if node.kind != Kind::Ec2 || !is_named || !found(node) {
                continue;
            }
            if page.instances.len() == size {
                page.next = Some(shared.pages.make(&scope, index as u64));
                break;
            }
            page.instances.push((node, state(node)));
        }
        Ok(page)
    }

    /// The ids an `instance-id` filter without wildcards asks for: clients look up hundreds at once, and matching
    /// each node against each value would cost their product.
    fn named(&self) -> Option<HashSet<&str>> {
        let filter = self.filters.iter().find(|filter| filter.name == "instance-id")?;
        let literal = filter.values.iter().all(|value| !value.contains(['*', '?']));
        literal.then(|| filter.values.iter().map(String::as_str).collect())
    }

    /// The request as a text, so that a token works for it only.
    fn scope(&self, caller: &Caller) -> String {
        let filters: Vec<String> =
            self.filters.iter().map(|f| format!("{}={}", f.name, f.values.join(","))).collect();
        format!("ec2:DescribeInstances/{}/{}/{}", caller.account, caller.region, filters.join("&"))
    }
}

const FILTERS: &[&str] = &[
    "architecture",
    "availability-zone",
    "dns-name",
    "image-id",
    "instance-id",
    "instance-state-name",
    "instance-type",
    "ip-address",
    "key-name",
    "owner-id",
    "platform",
    "private-dns-name",
    "private-ip-address",
    "subnet-id",
    "tag-key",
    "vpc-id",
];

impl Filter {
    fn check(&self) -> Result<(), ApiFailure> {
        if !FILTERS.contains(&self.name.as_str()) && !self.name.starts_with("tag:") {
            return Err(ApiFailure::new(
                "InvalidParameterValue",
                format!("The filter '{}' is invalid", self.name),
            ));
        }
        if self.values.len() > FILTER_VALUES {
            return Err(ApiFailure::new(
                "FilterLimitExceeded",
                format!("The maximum number of filter values specified on a single call is {FILTER_VALUES}"),
            ));
        }
        Ok(())
    }

    fn matches(&self, node: &Node, state: NodeState, region: &str) -> bool {
        let facts = Facts::new(node, state, region);
        let have: Vec<String> = match self.name.as_str() {
            "architecture" => vec![node.os.architecture.to_owned()],
            "availability-zone" => vec![facts.zone],
            "image-id" => vec![facts.image_id],
            "instance-id" => vec![node.id.to_string()],
            "instance-state-name" => vec![facts.state.1.to_owned()],
            "instance-type" => vec![node.instance_type.to_owned()],
            "ip-address" => node.public_ip.iter().map(ToString::to_string).collect(),
            "key-name" => vec![KEY_NAME.to_owned()],
            "platform" => facts.platform.map(str::to_owned).into_iter().collect(),
            "private-dns-name" => vec![facts.private_dns],
            "private-ip-address" => vec![node.ip.to_string()],
            "subnet-id" => vec![facts.subnet_id],
            "tag-key" => node.tags().into_iter().map(|(key, _)| key.to_owned()).collect(),
            "vpc-id" => vec![facts.vpc_id],
            name => {
                let tag = name.strip_prefix("tag:").unwrap_or_default();
                node.tags().into_iter().filter(|(key, _)| *key == tag).map(|(_, value)| value).collect()
            }
        };
        have.iter().any(|value| self.values.iter().any(|wanted| glob(wanted, value)))
    }
}

const KEY_NAME: &str = "fleet-ops";

/// What EC2 says of a node besides its plain fields.
struct Facts {
    state: (u16, &'static str),
    zone: String,
    image_id: String,
    vpc_id: String,
    subnet_id: String,
    private_dns: String,
    platform: Option<&'static str>,
}

impl Facts {
    fn new(node: &Node, state: NodeState, region: &str) -> Self {
        let [a, b, c, d] = node.ip.octets();
        Self {
            state: match state {
                NodeState::Stopped { .. } => (80, "stopped"),
                NodeState::Online | NodeState::Lost { .. } => (16, "running"),
            },
            zone: format!("{region}{}", char::from(b'a' + node.zone)),
            image_id: format!("ami-0{:016x}", hash(node.os.name) ^ hash(node.os.version)),
            // Nodes of one network are in one VPC, and of one zone of it in one subnet.
            vpc_id: format!("vpc-0{:016x}", hash(&format!("{region}/{a}.{b}"))),
            subnet_id: format!("subnet-0{:016x}", hash(&format!("{region}/{a}.{b}/{}", node.zone))),
            private_dns: format!("ip-{a}-{b}-{c}-{d}.{region}.compute.internal"),
            platform: (node.os.platform == PlatformType::Windows).then_some("windows"),
        }
    }
}

fn answer(caller: &Caller, account_id: &str, page: &Page<'_>, request_id: &str) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">",
    );
    element(&mut out, "requestId", request_id);
    group(&mut out, "reservationSet", |out| {
        for (node, state) in &page.instances {
            group(out, "item", |out| {
                element(out, "reservationId", &node.made_id("r", 5));
                element(out, "ownerId", account_id);
                out.push_str("<groupSet/>");
                group(out, "instancesSet", |out| {
                    group(out, "item", |out| instance(out, node, *state, &caller.region, account_id));
                });
            });
        }
    });
    if let Some(token) = &page.next {
        element(&mut out, "nextToken", token);
    }
    out.push_str("</DescribeInstancesResponse>");
    out
}

fn instance(out: &mut String, node: &Node, state: NodeState, region: &str, account_id: &str) {
    let facts = Facts::new(node, state, region);
    element(out, "instanceId", &node.id);
    element(out, "imageId", &facts.image_id);
    group(out, "instanceState", |out| {
        element(out, "code", &facts.state.0.to_string());
        element(out, "name", facts.state.1);
    });
    element(out, "privateDnsName", &facts.private_dns);
    element(out, "dnsName", "");
    element(out, "keyName", KEY_NAME);
    element(out, "amiLaunchIndex", "0");
    out.push_str("<productCodes/>");
    element(out, "instanceType", node.instance_type);
    let launched = Timestamp::from_second(node.registered_s).unwrap_or_default();
    element(out, "launchTime", &launched.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string());
    group(out, "placement", |out| {
        element(out, "availabilityZone", &facts.zone);
        out.push_str("<groupName/>");
        element(out, "tenancy", "default");
    });
    if let Some(platform) = facts.platform {
        element(out, "platform", platform);
    }
    let details = match node.os.platform {
        PlatformType::Windows => "Windows",
        PlatformType::Linux | PlatformType::MacOs => "Linux/UNIX",
    };
    element(out, "platformDetails", details);
    group(out, "monitoring", |out| element(out, "state", "disabled"));
    element(out, "subnetId", &facts.subnet_id);
    element(out, "vpcId", &facts.vpc_id);
    element(out, "privateIpAddress", &node.ip.to_string());
    if let Some(public) = node.public_ip {
        element(out, "ipAddress", &public.to_string());
    }
    element(out, "sourceDestCheck", "true");
    group(out, "groupSet", |out| {
        group(out, "item", |out| {
            element(out, "groupId", &format!("sg-0{:016x}", hash(&facts.vpc_id)));
            element(out, "groupName", "fleet");
        });
    });
    element(out, "architecture", node.os.architecture);
    element(out, "rootDeviceType", "ebs");
    element(out, "rootDeviceName", "/dev/xvda");
    element(out, "virtualizationType", "hvm");
    group(out, "tagSet", |out| {
        for (key, value) in node.tags() {
            group(out, "item", |out| {
                element(out, "key", key);
                element(out, "value", &value);
            });
        }
    });
    element(out, "hypervisor", "xen");
    group(out, "iamInstanceProfile", |out| {
        element(out, "arn", &format!("arn:aws:iam::{account_id}:instance-profile/{}", node.role()));
        element(out, "id", &format!("AIPA{:016X}", hash(account_id)));
    });
}

/// FNV-1a: the same text always gives the same made-up id.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn position(key: &str, digits: &str) -> Result<u32, ApiFailure> {
    digits
        .parse()
        .map_err(|_| ApiFailure::new("UnknownParameter", format!("The parameter {key} is not recognized")))
}

fn filter_at(filters: &mut BTreeMap<u32, Filter>, position: u32) -> &mut Filter {
    filters.entry(position).or_insert_with(|| Filter { name: String::new(), values: Vec::new() })
}

fn invalid_value(value: &str, parameter: &str, why: &str) -> ApiFailure {
    ApiFailure::new(
        "InvalidParameterValue",
        format!("Value ( {value} ) for parameter {parameter} is invalid. {why}"),
    )
}

fn check_id(id: &str) -> Result<(), ApiFailure> {
    let hex = id.strip_prefix("i-").unwrap_or_default();
    let well_formed = matches!(hex.len(), 8 | 17) && hex.bytes().all(|b| b.is_ascii_hexdigit());
    if well_formed {
        return Ok(());
    }
    Err(ApiFailure::new("InvalidInstanceID.Malformed", format!("Invalid id: \"{id}\"")))
}
