//! GetConnectionStatus.

use std::sync::Arc;

use aws_sdk_ssm::types::ConnectionStatus;
use fleetline_engine::ports::ApiError;
use fleetline_inventory::ports::BoxFuture;
use fleetline_inventory::probe::NodeProbe;

use crate::access::Access;

const OPERATION: &str = "GetConnectionStatus";

/// [`NodeProbe`] of one source in one Region.
#[derive(Debug)]
pub(crate) struct Probe(pub(crate) Arc<Access>);

impl NodeProbe<ApiError> for Probe {
    fn is_connected(&self, node_id: String) -> BoxFuture<'_, Result<bool, ApiError>> {
        Box::pin(async move {
            match self.0.ssm().get_connection_status().target(node_id).send().await {
                Ok(answer) => Ok(answer.status == Some(ConnectionStatus::Connected)),
                Err(failure) => Err(self.0.failed(OPERATION, failure)),
            }
        })
    }
}
