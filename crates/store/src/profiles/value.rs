//! Single values between TOML and types.

use std::net::IpAddr;

use toml_edit::{Array, Item, Value};

use super::model::{FolderPath, ProfileId};
use super::settings::{Bind, BrowserGuard, RdpClient, Screen, Start, Whole};

/// Longest ordinary text, in bytes.
pub(crate) const TEXT: usize = 1024;

/// A type a key may have.
pub(crate) trait FromToml: Sized {
    /// The value, when the item has the form.
    fn read(item: &Item) -> Option<Self>;
    /// The value as TOML; reading it gives the same value.
    fn write(&self) -> Value;
    /// What was expected, after "must be".
    fn expected() -> String;
}

fn plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= TEXT && !text.contains(char::is_control)
}

impl FromToml for String {
    fn read(item: &Item) -> Option<Self> {
        item.as_str().filter(|text| plain(text)).map(str::to_owned)
    }

    fn write(&self) -> Value {
        Value::from(self.as_str())
    }

    fn expected() -> String {
        format!("a text on one line in quotes, 1 to {TEXT} bytes long")
    }
}

impl FromToml for bool {
    fn read(item: &Item) -> Option<Self> {
        item.as_bool()
    }

    fn write(&self) -> Value {
        Value::from(*self)
    }

    fn expected() -> String {
        "true or false".to_owned()
    }
}

impl FromToml for i64 {
    fn read(item: &Item) -> Option<Self> {
        item.as_integer()
    }

    fn write(&self) -> Value {
        Value::from(*self)
    }

    fn expected() -> String {
        "a whole number".to_owned()
    }
}

impl FromToml for u16 {
    fn read(item: &Item) -> Option<Self> {
        item.as_integer().and_then(|n| Self::try_from(n).ok())
    }

    fn write(&self) -> Value {
        Value::from(i64::from(*self))
    }

    fn expected() -> String {
        "a port number from 0 to 65535, where 0 takes a free one".to_owned()
    }
}

impl<const MIN: u32, const MAX: u32> FromToml for Whole<MIN, MAX> {
    fn read(item: &Item) -> Option<Self> {
        item.as_integer().and_then(|n| u32::try_from(n).ok()).and_then(Self::new)
    }

    fn write(&self) -> Value {
        Value::from(i64::from(self.get()))
    }

    fn expected() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }
}

impl FromToml for ProfileId {
    fn read(item: &Item) -> Option<Self> {
        item.as_str().and_then(Self::new)
    }

    fn write(&self) -> Value {
        Value::from(self.as_str())
    }

    fn expected() -> String {
        format!("the id of a profile, {}", Self::EXPECTED)
    }
}

impl FromToml for FolderPath {
    fn read(item: &Item) -> Option<Self> {
        item.as_str().and_then(Self::new)
    }

    fn write(&self) -> Value {
        Value::from(self.as_str())
    }

    fn expected() -> String {
        Self::EXPECTED.to_owned()
    }
}

/// Most values of a list.
const LIST: usize = 1000;

impl<T: FromToml> FromToml for Vec<T> {
    fn read(item: &Item) -> Option<Self> {
        let array = item.as_array().filter(|array| array.len() <= LIST)?;
        array.iter().map(|value| T::read(&Item::Value(value.clone()))).collect()
    }

    fn write(&self) -> Value {
        Value::Array(self.iter().map(T::write).collect::<Array>())
    }

    fn expected() -> String {
        format!("a list in brackets, each {}", T::expected())
    }
}

impl FromToml for Bind {
    fn read(item: &Item) -> Option<Self> {
        match item.as_str()? {
            "loopback" => Some(Self::Loopback),
            text => text.parse::<IpAddr>().ok().map(Self::Address),
        }
    }

    fn write(&self) -> Value {
        Value::from(self.to_string())
    }

    fn expected() -> String {
        "\"loopback\" or an IP address in quotes".to_owned()
    }
}

impl FromToml for Screen {
    fn read(item: &Item) -> Option<Self> {
        Self::parse(item.as_str()?)
    }

    fn write(&self) -> Value {
        Value::from(self.to_string())
    }

    fn expected() -> String {
        "\"full\" or a size as in \"1920x1080\", 200 to 8192 a side".to_owned()
    }
}

/// Enumerations written as words.
macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),+ $(,)?) => {
        impl $type {
            /// Every choice with its word in the file.
            pub const WORDS: &'static [(Self, &'static str)] = &[$((Self::$variant, $word)),+];

            /// The word in the file.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl FromToml for $type {
            fn read(item: &Item) -> Option<Self> {
                let word = item.as_str()?;
                Self::WORDS.iter().find(|(_, w)| *w == word).map(|(value, _)| *value)
            }

            fn write(&self) -> Value {
                Value::from(self.word())
            }

            fn expected() -> String {
                let words: Vec<_> = Self::WORDS.iter().map(|(_, word)| format!("{word:?}")).collect();
                format!("one of {}", words.join(", "))
            }
        }
    };
}

words!(Start: OnDemand = "on-demand", AtOnce = "at-once", Always = "always");
words!(BrowserGuard: Auto = "auto", On = "on", Off = "off");
words!(RdpClient:
    Auto = "auto",
    Mstsc = "mstsc",
    WindowsApp = "windows-app",
    FreeRdp = "freerdp",
    Remmina = "remmina",
);

/// An item of `text` in a few words, for "found".
pub(crate) fn found(text: &str, item: &Item) -> String {
    match item {
        Item::None => "nothing".to_owned(),
        Item::Table(_) | Item::ArrayOfTables(_) => "a table".to_owned(),
        Item::Value(value) => {
            let text = value.span().and_then(|span| text.get(span)).unwrap_or_default();
            let mut short: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            short
        }
    }
}

/// Whether two values say the same, whatever their spelling.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.value() == b.value(),
        (Value::Integer(a), Value::Integer(b)) => a.value() == b.value(),
        (Value::Boolean(a), Value::Boolean(b)) => a.value() == b.value(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Value::InlineTable(a), Value::InlineTable(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}
