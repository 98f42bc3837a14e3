//! What a user sees and does in the window, in words of the product.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::webdriver::{Element, Session};

/// Longest wait for anything the window does; far above what it takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often the page is looked at while something is waited for.
pub(crate) const GLANCE: Duration = Duration::from_millis(50);

/// Keys that are no characters, as WebDriver writes them.
pub(crate) mod keys {
    pub(crate) const BACKSPACE: &str = "\u{e003}";
    pub(crate) const TAB: &str = "\u{e004}";
    pub(crate) const ENTER: &str = "\u{e007}";
    pub(crate) const SHIFT: &str = "\u{e008}";
    pub(crate) const CONTROL: &str = "\u{e009}";
    pub(crate) const ALT: &str = "\u{e00a}";
    pub(crate) const ESCAPE: &str = "\u{e00c}";
    pub(crate) const HOME: &str = "\u{e011}";
    pub(crate) const UP: &str = "\u{e013}";
    pub(crate) const LEFT: &str = "\u{e012}";
    pub(crate) const DOWN: &str = "\u{e015}";
    pub(crate) const DELETE: &str = "\u{e017}";
    pub(crate) const F5: &str = "\u{e035}";
    /// Lets go of every modifier.
    pub(crate) const RELEASE: &str = "\u{e000}";
}

/// Size of the window from its start, and the smallest it is looked at in, in CSS pixels.
const SIZE: (u32, u32) = (1440, 900);
const SMALL: (u32, u32) = (1024, 700);

/// Stops of the Tab key that are tried before something counts as out of its reach.
const STOPS: usize = 120;

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

    /// Waits until no such element is there.
    pub(crate) async fn gone(&self, selector: &str) -> Result<()> {
        self.until(&format!("{selector} gone"), async |page| {
            Ok(page.0.find(selector).await?.is_none().then_some(()))
        })
        .await
    }

    /// Goes to the section of this number in the rail, by its chord.
    pub(crate) async fn section(&self, number: u8) -> Result<()> {
        self.type_keys(&format!("{}{number}{}", keys::ALT, keys::RELEASE)).await
    }

    /// As [`section`](Self::section), from a terminal, which takes the plain chord for itself.
    pub(crate) async fn section_from_a_shell(&self, number: u8) -> Result<()> {
        let chord = format!("{}{}{number}{}", keys::ALT, keys::SHIFT, keys::RELEASE);
        self.element("[data-terminal-input]").await?.type_keys(&chord).await
    }

    /// Goes to the element by the Tab key alone.
    pub(crate) async fn reach(&self, selector: &str) -> Result<()> {
        self.element(selector).await?;
        for _ in 0..STOPS {
            let script = "const [selector, done] = arguments;\
                done(document.activeElement?.matches(selector) ?? false);";
            if self.0.execute(script, &[json!(selector)]).await? == true {
                return Ok(());
            }
            self.type_keys(keys::TAB).await?;
        }
        bail!("{selector} is not reached by {STOPS} steps of the Tab key")
    }

    /// Keeps what the window shows in both themes, in its usual size and at 1024 × 700, where `FLEETLINE_WINDOW_PICTURES`
    /// names a directory for it; a relative one lies beside the build.
    pub(crate) async fn pictures(&self, name: &str) -> Result<()> {
        let Some(directory) = std::env::var_os("FLEETLINE_WINDOW_PICTURES") else { return Ok(()) };
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(directory);
        std::fs::create_dir_all(&directory)?;
        for ((width, height), suffix) in [(SMALL, "-small"), (SIZE, "")] {
            self.0.set_size(width, height).await?;
            for theme in ["light", "dark"] {
                let mut settings = self.call("app_snapshot", json!({})).await?["settings"].take();
                settings["theme"] = json!(theme);
                self.call("settings_apply", json!({ "settings": settings })).await?;
                self.element(&format!("html[data-theme={theme}]")).await?;
                self.painted(width).await?;
                let picture = STANDARD.decode(self.0.screenshot().await?)?;
                let file = format!("{name}{suffix}.{theme}.png");
                std::fs::write(directory.join(file), picture)?;
            }
        }
        Ok(())
    }

    /// Waits until the page is as wide as this and was painted twice since.
    async fn painted(&self, width: u32) -> Result<()> {
        self.until("the new size", async |page| {
            let script = "const done = arguments[arguments.length - 1];\
                requestAnimationFrame(() => requestAnimationFrame(() => done(window.innerWidth)));";
            Ok((page.0.execute(script, &[]).await? == width).then_some(()))
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
