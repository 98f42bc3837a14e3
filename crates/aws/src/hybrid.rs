//! The calls on hybrid nodes: tier, activations, deregistering.

use std::sync::Arc;

use aws_sdk_ssm::operation::create_activation::CreateActivationOutput;
use aws_sdk_ssm::types::{Activation as SdkActivation, Tag};
use aws_smithy_types::DateTime;
use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_inventory::hybrid::{
    Activation, ActivationCode, ActivationPage, CreatedActivation, HybridCalls, NewActivation,
};
use fleetline_inventory::node::InstanceTier;
use fleetline_inventory::ports::BoxFuture;
use fleetline_inventory::tier::TierSetting;

use crate::access::Access;
use crate::error::{self, before_call};
use crate::nodes::epoch_ms;

const GET: &str = "GetServiceSetting";
const UPDATE: &str = "UpdateServiceSetting";
const RESET: &str = "ResetServiceSetting";
const DESCRIBE: &str = "DescribeActivations";
const CREATE: &str = "CreateActivation";
const DELETE: &str = "DeleteActivation";
const DEREGISTER: &str = "DeregisterManagedInstance";

/// Largest page of DescribeActivations.
const PAGE: i32 = 50;

/// [`HybridCalls`] of one source in one Region.
#[derive(Debug)]
pub(crate) struct Hybrid(pub(crate) Arc<Access>);

impl Hybrid {
    /// ARN of the tier setting.
    async fn setting_id(&self) -> Result<String, ApiError> {
        let account = self.0.account_id().await?;
        let partition = match self.0.caller().await {
            Ok(caller) => caller.arn.split(':').nth(1).unwrap_or("aws").to_owned(),
            Err(_) => "aws".to_owned(),
        };
        Ok(format!(
            "arn:{partition}:ssm:{}:{account}:servicesetting/ssm/managed-instance/activation-tier",
            self.0.region
        ))
    }

    /// The setting of the tier.
    pub(crate) async fn get(&self) -> Result<TierSetting, ApiError> {
        let id = self.setting_id().await?;
        let answer = match self.0.ssm().get_service_setting().setting_id(id).send().await {
            Ok(answer) => answer,
            Err(failure) => return Err(self.0.failed(GET, failure)),
        };
        let setting = answer.service_setting.ok_or_else(|| ApiError {
            operation: GET,
            kind: ApiErrorKind::Service,
            code: None,
            message: "The answer holds no setting.".to_owned(),
            request_id: None,
            never_sent: false,
        })?;
        let value = tier(setting.setting_value.as_deref());
        let status = setting.status.as_deref().unwrap_or_default();
        Ok(TierSetting {
            tier: if status == "PendingUpdate" { InstanceTier::Pending } else { value },
            value,
            is_default: status == "Default",
            changed_by: setting.last_modified_user.unwrap_or_default(),
            changed_ms: epoch_ms(setting.last_modified_date),
        })
    }

    async fn set(&self, to: InstanceTier) -> Result<(), ApiError> {
        let value = match to {
            InstanceTier::Standard => "standard",
            InstanceTier::Advanced => "advanced",
            InstanceTier::Pending | InstanceTier::Unknown => {
                let text = "The tier can be set to standard or advanced.";
                return Err(before_call(UPDATE, ApiErrorKind::InvalidRequest, text));
            }
        };
        let id = self.setting_id().await?;
        match self.0.ssm().update_service_setting().setting_id(id).setting_value(value).send().await {
            Ok(_) => Ok(()),
            Err(failure) => Err(self.0.failed(UPDATE, failure)),
        }
    }

    async fn reset(&self) -> Result<(), ApiError> {
        let id = self.setting_id().await?;
        match self.0.ssm().reset_service_setting().setting_id(id).send().await {
            Ok(_) => Ok(()),
            Err(failure) => Err(self.0.failed(RESET, failure)),
        }
    }

    async fn list(&self, next: Option<String>) -> Result<ActivationPage, ApiError> {
        let call = self.0.ssm().describe_activations().max_results(PAGE).set_next_token(next.clone());
        let page = match call.send().await {
            Ok(page) => page,
            Err(failure) => return Err(self.0.failed(DESCRIBE, failure)),
        };
        Ok(ActivationPage {
            activations: page.activation_list.unwrap_or_default().into_iter().map(activation).collect(),
            next: page.next_token.filter(|token| !token.is_empty() && Some(token) != next.as_ref()),
        })
    }

    async fn create(&self, new: NewActivation) -> Result<CreatedActivation, ApiError> {
        new.check(now_ms()).map_err(|what| before_call(CREATE, ApiErrorKind::InvalidRequest, what))?;
        let limit = i32::try_from(new.limit).unwrap_or(i32::MAX);
        let mut tags = Vec::with_capacity(new.tags.len());
        for (key, value) in new.tags {
            let tag = Tag::builder().key(key).value(value).build();
            tags.push(tag.map_err(|failure| {
                before_call(CREATE, ApiErrorKind::InvalidRequest, error::full_text(&failure))
            })?);
        }
        let call = self
            .0
            .ssm_once()
            .create_activation()
            .iam_role(new.role)
            .registration_limit(limit)
            .set_expiration_date(new.expires_ms.map(DateTime::from_millis))
            .set_default_instance_name(Some(new.name).filter(|text| !text.is_empty()))
            .set_description(Some(new.description).filter(|text| !text.is_empty()))
            .set_tags((!tags.is_empty()).then_some(tags));
        // The SDK's own output prints the code: it is taken apart at once.
        let CreateActivationOutput { activation_id, activation_code, .. } = match call.send().await {
            Ok(output) => output,
            Err(failure) => return Err(self.0.failed(CREATE, failure)),
        };
        let code = activation_code.filter(|code| !code.is_empty()).map(ActivationCode::new);
        match (activation_id, code) {
            (Some(id), Some(code)) => Ok(CreatedActivation { id, code }),
            _ => Err(ApiError {
                operation: CREATE,
                kind: ApiErrorKind::Service,
                code: None,
                message: "The answer lacks the activation or its code.".to_owned(),
                request_id: None,
                never_sent: false,
            }),
        }
    }

    async fn delete(&self, id: String) -> Result<(), ApiError> {
        match self.0.ssm().delete_activation().activation_id(id).send().await {
            Ok(_) => Ok(()),
            Err(failure) => Err(self.0.failed(DELETE, failure)),
        }
    }

    async fn deregistered(&self, node_id: String) -> Result<(), ApiError> {
        match self.0.ssm().deregister_managed_instance().instance_id(node_id).send().await {
            Ok(_) => Ok(()),
            Err(failure) => Err(self.0.failed(DEREGISTER, failure)),
        }
    }
}

impl HybridCalls<ApiError> for Hybrid {
    fn tier_setting(&self) -> BoxFuture<'_, Result<TierSetting, ApiError>> {
        Box::pin(self.get())
    }

    fn set_tier(&self, to: InstanceTier) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(self.set(to))
    }

    fn reset_tier(&self) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(self.reset())
    }

    fn activations(&self, next: Option<String>) -> BoxFuture<'_, Result<ActivationPage, ApiError>> {
        Box::pin(self.list(next))
    }

    fn create_activation(&self, new: NewActivation) -> BoxFuture<'_, Result<CreatedActivation, ApiError>> {
        Box::pin(self.create(new))
    }

    fn delete_activation(&self, id: String) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(self.delete(id))
    }

    fn deregister(&self, node_id: String) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(self.deregistered(node_id))
    }
}

fn tier(value: Option<&str>) -> InstanceTier {
    match value {
        Some("standard") => InstanceTier::Standard,
        Some("advanced") => InstanceTier::Advanced,
        _ => InstanceTier::Unknown,
    }
}

fn activation(item: SdkActivation) -> Activation {
    let count = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok()).unwrap_or_default();
    let mut tags: Vec<(String, String)> =
        item.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
    tags.sort();
    Activation {
        id: item.activation_id.unwrap_or_default(),
        description: item.description.unwrap_or_default(),
        name: item.default_instance_name.unwrap_or_default(),
        role: item.iam_role.unwrap_or_default(),
        limit: count(item.registration_limit),
        registered: count(item.registrations_count),
        expires_ms: epoch_ms(item.expiration_date),
        expired: item.expired,
        created_ms: epoch_ms(item.created_date),
        tags,
    }
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
