//! What a user sees and does in the window, in words of the product.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::webdriver::{Element, Session};

/// Longest wait for anything the window does; far above what it takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often the page is looked at while something is waited for.
pub(crate) const GLANCE: Duration = Duration::from_millis(50);

/// Keys that are no characters, as WebDriver writes them.
pub(crate) mod keys {
    pub(crate) const TAB: &str = "\u{e004}";
    pub(crate) const ENTER: &str = "\u{e007}";
    pub(crate) const ESCAPE: &str = "\u{e00c}";
    pub(crate) const BACKSPACE: &str = "\u{e003}";
    pub(crate) const CONTROL: &str = "\u{e009}";
    pub(crate) const DELETE: &str = "\u{e017}";
    /// Lets go of every modifier.
    pub(crate) const RELEASE: &str = "\u{e000}";
}

/// The window as a page.
pub(crate) struct Page<'a>(pub(crate) &'a Session);

impl Page<'_> {
    /// Waits until the element is there.
    pub(crate) async fn element(&self, selector: &str) -> Result<Element<'_>> {
        let begun = Instant::now();
        loop {
            if let Some(element) = self.0.find(selector).await? {
                return Ok(element);
            }
            if begun.elapsed() > PATIENCE {
                bail!("{selector} did not appear within {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Clicks the element once it is there.
    pub(crate) async fn click(&self, selector: &str) -> Result<()> {
        self.element(selector).await?.click().await.with_context(|| format!("clicking {selector}"))
    }

    /// The text of the element as it is laid out. The driver's own answer leaves out what it takes for hidden, such as the
    /// label of a button that may shrink.
    pub(crate) async fn text(&self, selector: &str) -> Result<String> {
        self.element(selector).await?;
        let script = "const found = document.querySelector(arguments[0]);\
            arguments[arguments.length - 1](found === null ? '' : found.innerText.trim());";
        let text = self.0.execute(script, &[json!(selector)]).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until a fact about the window holds; `what` names it in the failure.
    pub(crate) async fn until<T>(
        &self,
        what: &str,
        mut fact: impl AsyncFnMut(&Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(value) = fact(self).await? {
                return Ok(value);
            }
            if begun.elapsed() > PATIENCE {
                bail!("{what}: not within {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Waits until the element's text satisfies `accept`, and returns it.
    pub(crate) async fn text_until(&self, selector: &str, accept: impl Fn(&str) -> bool) -> Result<String> {
        self.until(&format!("the text of {selector}"), async |page| {
            let text = page.text(selector).await?;
            Ok(accept(&text).then_some(text))
        })
        .await
    }

    /// Calls a command of the app as its interface does.
    pub(crate) async fn call(&self, command: &str, arguments: Value) -> Result<Value> {
        let script = "const [command, args, done] = arguments;\
            window.__TAURI_INTERNALS__.invoke(command, args)\
              .then((value) => done({ value }), (error) => done({ error }));";
        let mut answer = self.0.execute(script, &[json!(command), arguments]).await?;
        if let Some(error) = answer.get("error") {
            bail!("{command} failed: {error}");
        }
        Ok(answer["value"].take())
    }

    /// The visible rows of a terminal as text.
    pub(crate) async fn screen(&self, tab: &str) -> Result<Vec<String>> {
        let rows = self.call("terminal_mirror", json!({ "tab": tab })).await?;
        Ok(serde_json::from_value(rows)?)
    }

    /// Waits until a visible row of the terminal satisfies `accept`.
    pub(crate) async fn row_until(
        &self,
        tab: &str,
        what: &str,
        accept: impl Fn(&str) -> bool,
    ) -> Result<String> {
        let found = self
            .until(what, async |page| {
                Ok(page.screen(tab).await?.into_iter().find(|row| accept(row.trim_end())))
            })
            .await;
        match found {
            Ok(row) => Ok(row),
            Err(error) => {
                Err(error.context(format!("the screen was:\n{}", self.screen(tab).await?.join("\n"))))
            }
        }
    }

    /// Types into whatever has the focus.
    pub(crate) async fn type_keys(&self, keys: &str) -> Result<()> {
        self.0.focused().await?.type_keys(keys).await
    }
}
