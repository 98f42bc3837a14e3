//! What EC2 is asked about single instances: passwords.

use std::sync::Arc;

use fleetline_engine::ports::{ApiError, BoxFuture, NodeAccess};

use crate::access::Access;

const PASSWORD: &str = "GetPasswordData";

/// [`NodeAccess`] of one source in one Region.
#[derive(Debug)]
pub(crate) struct Instances(pub(crate) Arc<Access>);

impl NodeAccess for Instances {
    fn password_data(&self, instance_id: String) -> BoxFuture<'_, Result<String, ApiError>> {
        Box::pin(async move {
            match self.0.ec2_once().get_password_data().instance_id(instance_id).send().await {
                Ok(answer) => Ok(answer.password_data.unwrap_or_default()),
                Err(failure) => Err(self.0.failed(PASSWORD, failure)),
            }
        })
    }
}
