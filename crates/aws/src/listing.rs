//! The inventory calls.

use std::sync::Arc;

use aws_sdk_ec2::types::Filter;
use aws_sdk_ssm::types::ResourceTypeForTagging;
use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_inventory::NodeFacts;
use fleetline_inventory::node::{AccountRegion, InstanceTier};
use fleetline_inventory::ports::{BoxFuture, CallerIdentity, NodeListing, NodePage};
use smol_str::SmolStr;

use crate::access::Access;
use crate::hybrid::Hybrid;
use crate::{error, nodes};

const PROPERTIES: &str = "DescribeInstanceProperties";
const INFORMATION: &str = "DescribeInstanceInformation";
const INSTANCES: &str = "DescribeInstances";
const TAGS: &str = "ListTagsForResource";

/// Largest page of DescribeInstanceProperties.
const PROPERTIES_PAGE: i32 = 1_000;
/// Largest page of DescribeInstanceInformation.
const INFORMATION_PAGE: i32 = 50;
/// Ids in one DescribeInstances filter. Ids go into a filter, not into the id list: there, one id that no longer
/// exists fails the whole call (aws-security-reliability.md A.8).
const INSTANCES_CHUNK: usize = 200;

/// Which call continues a listing; part of the page token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Via {
    Properties,
    Information,
}

impl Via {
    fn token(self, next: Option<String>) -> Option<String> {
        let mark = match self {
            Self::Properties => "p:",
            Self::Information => "i:",
        };
        next.filter(|next| !next.is_empty()).map(|next| format!("{mark}{next}"))
    }

    fn parse(token: &str) -> Option<(Self, &str)> {
        let (mark, rest) = token.split_at_checked(2)?;
        match mark {
            "p:" => Some((Self::Properties, rest)),
            "i:" => Some((Self::Information, rest)),
            _ => None,
        }
    }
}

/// [`NodeListing`] of one source in one Region.
#[derive(Debug)]
pub(crate) struct Listing(pub(crate) Arc<Access>);

impl Listing {
    async fn next_page(&self, next: Option<String>) -> Result<NodePage, ApiError> {
        let at = AccountRegion { account_id: self.0.account_id().await?, region: self.0.region.clone() };
        let at = Arc::new(at);
        let Some(next) = next else {
            return match self.properties(&at, None).await {
                Err(refused) if is_refusal(&refused) => self.information(&at, None).await,
                answer => answer,
            };
        };
        match Via::parse(&next) {
            Some((Via::Properties, next)) => self.properties(&at, Some(next)).await,
            Some((Via::Information, next)) => self.information(&at, Some(next)).await,
            None => Err(error::before_call(
                PROPERTIES,
                ApiErrorKind::InvalidRequest,
                "The page token is not of this listing.",
            )),
        }
    }

    async fn properties(&self, at: &Arc<AccountRegion>, next: Option<&str>) -> Result<NodePage, ApiError> {
        let queue = self.0.queue(PROPERTIES);
        let asked = queue.make(|| async {
            let call = self.0.ssm_once().describe_instance_properties().max_results(PROPERTIES_PAGE);
            match call.set_next_token(next.map(str::to_owned)).send().await {
                Ok(page) => Ok(page),
                Err(failure) => Err(self.0.failed(PROPERTIES, failure)),
            }
        });
        let page = asked.await?;
        let source = &SmolStr::from(self.0.identity.source.as_str());
        let properties = page.instance_properties.unwrap_or_default();
        Ok(NodePage {
            nodes: properties.into_iter().filter_map(|item| nodes::from_property(at, source, item)).collect(),
            next: Via::Properties.token(page.next_token.filter(|token| Some(token.as_str()) != next)),
        })
    }

    async fn information(&self, at: &Arc<AccountRegion>, next: Option<&str>) -> Result<NodePage, ApiError> {
        let queue = self.0.queue(INFORMATION);
        let asked = queue.make(|| async {
            let call = self.0.ssm_once().describe_instance_information().max_results(INFORMATION_PAGE);
            match call.set_next_token(next.map(str::to_owned)).send().await {
                Ok(page) => Ok(page),
                Err(failure) => Err(self.0.failed(INFORMATION, failure)),
            }
        });
        let page = asked.await?;
        let source = &SmolStr::from(self.0.identity.source.as_str());
        let information = page.instance_information_list.unwrap_or_default();
        Ok(NodePage {
            nodes: information
                .into_iter()
                .filter_map(|item| nodes::from_information(at, source, item))
                .collect(),
            next: Via::Information.token(page.next_token.filter(|token| Some(token.as_str()) != next)),
        })
    }

    async fn ec2_facts(&self, node_ids: Vec<SmolStr>) -> Result<Vec<NodeFacts>, ApiError> {
        let mut ids: Vec<String> = node_ids.iter().map(SmolStr::to_string).collect();
        ids.sort_unstable();
        let mut told = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(INSTANCES_CHUNK) {
            let filter = Filter::builder().name("instance-id").set_values(Some(chunk.to_vec())).build();
            let mut next: Option<String> = None;
            loop {
                let queue = self.0.queue(INSTANCES);
                let asked = queue.make(|| async {
                    let call = self.0.ec2_once().describe_instances().filters(filter.clone());
                    match call.set_next_token(next.clone()).send().await {
                        Ok(page) => Ok(page),
                        Err(failure) => Err(self.0.failed(INSTANCES, failure)),
                    }
                });
                let page = asked.await?;
                let reservations = page.reservations.unwrap_or_default();
                let instances = reservations
                    .into_iter()
                    .flat_map(|reservation| reservation.instances.unwrap_or_default());
                told.extend(instances.filter_map(nodes::facts));
                match page.next_token.filter(|token| !token.is_empty() && Some(token) != next.as_ref()) {
                    Some(token) => next = Some(token),
                    None => break,
                }
            }
        }
        Ok(told)
    }

    async fn hybrid_tags(&self, node_id: String) -> Result<Vec<(String, String)>, ApiError> {
        let queue = self.0.queue(TAGS);
        let asked = queue.make(|| async {
            let call = self.0.ssm_once().list_tags_for_resource();
            let call = call.resource_type(ResourceTypeForTagging::ManagedInstance).resource_id(&node_id);
            match call.send().await {
                Ok(answer) => Ok(answer),
                Err(failure) => Err(self.0.failed(TAGS, failure)),
            }
        });
        let mut tags: Vec<(String, String)> =
            asked.await?.tag_list.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
        tags.sort();
        Ok(tags)
    }
}

impl NodeListing<ApiError> for Listing {
    fn identity(&self) -> BoxFuture<'_, Result<CallerIdentity, ApiError>> {
        Box::pin(self.0.caller())
    }

    fn page(&self, next: Option<String>) -> BoxFuture<'_, Result<NodePage, ApiError>> {
        Box::pin(self.next_page(next))
    }

    fn facts(&self, node_ids: Vec<SmolStr>) -> BoxFuture<'_, Result<Vec<NodeFacts>, ApiError>> {
        Box::pin(self.ec2_facts(node_ids))
    }

    fn tags(&self, node_id: String) -> BoxFuture<'_, Result<Vec<(String, String)>, ApiError>> {
        Box::pin(self.hybrid_tags(node_id))
    }

    fn tier(&self) -> BoxFuture<'_, Result<InstanceTier, ApiError>> {
        let hybrid = Hybrid(Arc::clone(&self.0));
        Box::pin(async move { Ok(hybrid.get().await?.tier) })
    }
}

/// Whether DescribeInstanceProperties is not to be had here: refused by a policy, or unknown to the endpoint.
fn is_refusal(failure: &ApiError) -> bool {
    let unknown = ["UnknownOperation", "InvalidAction", "UnsupportedOperation"];
    failure.kind == ApiErrorKind::AccessDenied
        || failure.code.as_deref().is_some_and(|code| unknown.iter().any(|known| code.starts_with(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_tokens_remember_the_call() {
        for via in [Via::Properties, Via::Information] {
            let token = via.token(Some("abc:p:1".to_owned())).unwrap();
            assert_eq!(Via::parse(&token), Some((via, "abc:p:1")));
        }
        assert_eq!(Via::Properties.token(Some(String::new())), None);
        assert_eq!(Via::Properties.token(None), None);
        for bad in ["", "x", "é", "x:1"] {
            assert_eq!(Via::parse(bad), None, "{bad}");
        }
    }
}
