//! A notification by the desktop's own means.

/// What became of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux tells that one was chosen"))]
pub(crate) enum Answer {
    /// The user chose it.
    Chosen,
    /// It was put away, or nobody tells.
    Left,
}

/// Shows a notification and waits for what becomes of it.
///
/// # Errors
/// Why it cannot be shown, raw.
#[cfg(target_os = "linux")]
pub(crate) async fn notify(title: &str, body: &str) -> Result<Answer, String> {
    freedesktop(title, body).await.map_err(|error| error.to_string())
}

/// As on Linux, without an answer.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn notify(title: &str, body: &str) -> Result<Answer, String> {
    let mut notification = notify_rust::Notification::new();
    notification.appname("Fleetline").summary(title).body(body);
    #[cfg(windows)]
    notification.app_id("dev.fleetline.app");
    let shown = tokio::task::spawn_blocking(move || notification.show().map(drop)).await;
    match shown {
        Ok(Ok(())) => Ok(Answer::Left),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// By the Desktop Notifications Specification 1.2.
#[cfg(target_os = "linux")]
async fn freedesktop(title: &str, body: &str) -> zbus::Result<Answer> {
    use std::collections::HashMap;

    use futures_util::StreamExt;
    use zbus::zvariant::Value;

    let bus = zbus::Connection::session().await?;
    let desktop = zbus::Proxy::new(
        &bus,
        "org.freedesktop.Notifications",
        "/org/freedesktop/Notifications",
        "org.freedesktop.Notifications",
    )
    .await?;
    // Before it is shown, so that no answer is missed.
    let mut answers = desktop.receive_all_signals().await?;
    let hints = HashMap::from([
        ("desktop-entry", Value::from("dev.fleetline.app")),
        ("category", Value::from("network.error")),
    ]);
    // A body may be mark-up there.
    let body = body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let shown = ("Fleetline", 0_u32, "dev.fleetline.app", title, body, ["default", "Show"], hints, -1_i32);
    let id: u32 = desktop.call("Notify", &shown).await?;
    while let Some(answer) = answers.next().await {
        let name = answer.header().member().map(ToString::to_string);
        let body = answer.body();
        match name.as_deref() {
            Some("ActionInvoked") => {
                let (of, _): (u32, String) = body.deserialize()?;
                if of == id {
                    return Ok(Answer::Chosen);
                }
            }
            Some("NotificationClosed") => {
                let (of, _): (u32, u32) = body.deserialize()?;
                if of == id {
                    return Ok(Answer::Left);
                }
            }
            _ => {}
        }
    }
    Ok(Answer::Left)
}
