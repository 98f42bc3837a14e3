use super::JsonError;
use super::fields::Fields;
use super::writer::ObjectWriter;

/// Size of a terminal in character cells; payload type 3 (protocol.md 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TerminalSize {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

impl TerminalSize {
    /// The payload.
    pub fn encode(&self) -> String {
        ObjectWriter::new().raw("cols", &self.cols.to_string()).raw("rows", &self.rows.to_string()).finish()
    }

    /// Reads a payload. Numbers beyond 65,535 are cut to it.
    ///
    /// # Errors
    /// When it is no object, or a number is missing or negative.
    pub fn decode(payload: &[u8]) -> Result<Self, JsonError> {
        let fields = Fields::parse(payload)?;
        let number = |name| {
            let value = u64::try_from(fields.integer(name)?).map_err(|_| JsonError::Member(name))?;
            Ok(u16::try_from(value).unwrap_or(u16::MAX))
        };
        Ok(Self { cols: number("cols")?, rows: number("rows")? })
    }
}
