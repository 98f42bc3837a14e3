//! What quitting would end, as far as forwards go.

use std::collections::BTreeSet;

use fleetline_engine::forward::FlowSnapshot;
use fleetline_ipc::system::{QuitClient, QuitForward, QuitSummary};

use super::{ForwardDesk, client_names};

/// Connections whose programs are looked for at most.
const LOOKED_AT: usize = 100;

impl ForwardDesk {
    /// Forwards that quitting would stop.
    pub(crate) fn quit_summary(&self) -> Vec<QuitForward> {
        let running = self.kept.iter().enumerate().filter(|(_, kept)| kept.run.is_some());
        let row = |at: usize| {
            let row = self.row_at(at);
            QuitForward {
                name: row.spec.name,
                kind: row.spec.kind,
                node_name: row.node_name,
                connections: row.connections,
            }
        };
        running.map(|(at, _)| row(at)).collect()
    }

    /// Connections of all forwards, those that have moved most first.
    pub(crate) fn busiest_flows(&self) -> Vec<FlowSnapshot> {
        let running = self.kept.iter().filter_map(|kept| kept.run.as_ref());
        let mut flows: Vec<FlowSnapshot> = running.flat_map(|run| run.forward.snapshot().flows).collect();
        flows.sort_by_key(|flow| std::cmp::Reverse(moved(flow)));
        flows.truncate(LOOKED_AT);
        flows
    }
}

fn moved(flow: &FlowSnapshot) -> u64 {
    flow.bytes_up + flow.bytes_down
}

/// Adds the programs behind the connections, busiest first. Looks through all processes.
pub(crate) fn with_clients(summary: QuitSummary, flows: Vec<FlowSnapshot>) -> QuitSummary {
    let bytes = flows.first().map(moved).unwrap_or_default();
    let names: Vec<String> = client_names(flows).into_iter().map(|(_, name)| name).collect();
    let busiest = names.first().map(|client| QuitClient { client: client.clone(), bytes: bytes as f64 });
    let programs: BTreeSet<&String> = names.iter().collect();
    QuitSummary { programs: u32::try_from(programs.len()).unwrap_or(u32::MAX), busiest, ..summary }
}
