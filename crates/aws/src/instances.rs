//! What EC2 is asked about single instances, passwords, and what they are given: keys for a minute.

use std::sync::Arc;

use fleetline_engine::ports::{ApiError, ApiErrorKind, BoxFuture, KeyPush, NodeAccess};

use crate::access::Access;

const PASSWORD: &str = "GetPasswordData";
const PUSH: &str = "SendSSHPublicKey";

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

    fn push_key(&self, push: KeyPush) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(async move {
            let request = self
                .0
                .instance_connect()
                .send_ssh_public_key()
                .instance_id(push.instance_id)
                .instance_os_user(push.user)
                .ssh_public_key(push.public_key);
            match request.send().await {
                Ok(answer) if answer.success => Ok(()),
                Ok(answer) => Err(ApiError {
                    operation: PUSH,
                    kind: ApiErrorKind::Service,
                    code: None,
                    message: "The answer says that the key was not taken.".to_owned(),
                    request_id: answer.request_id,
                    never_sent: false,
                }),
                Err(failure) => Err(self.0.failed(PUSH, failure)),
            }
        })
    }
}
