//! Lets a scenario happen.

use crate::control::Control;
use crate::scenario::Scenario;
use crate::shared::Shared;
use crate::timeline::Timeline;
use std::sync::Arc;
use tokio::time::Instant;

/// Performs the steps of a scenario when they are due, until the last one is done or the simulator stops.
pub(crate) async fn play(shared: Arc<Shared>, scenario: Scenario) {
    let began = Instant::now();
    let stop = shared.stop.clone();
    let mut timeline = Timeline::new(scenario.seed.unwrap_or(shared.config.seed), &scenario.steps);
    let control = Control::new(shared);
    while let Some(due) = timeline.next_due() {
        tokio::select! {
            () = tokio::time::sleep_until(began + due) => {}
            () = stop.cancelled() => return,
        }
        while let Some(step) = timeline.poll(began.elapsed()).and_then(|step| scenario.steps.get(step)) {
            let outcome = tokio::select! {
                outcome = step.action.clone().perform(&control) => outcome,
                () = stop.cancelled() => return,
            };
            match outcome {
                Ok(_) => tracing::info!(line = step.line, "scenario step"),
                Err(error) => tracing::warn!(line = step.line, %error, "scenario step failed"),
            }
        }
    }
}
