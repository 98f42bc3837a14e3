//! Terminal frames on their way to the web view: raw bytes over a channel, never JSON.

use fleetline_app::{FrameSink, SinkClosed};
use specta::Types;
use specta::datatype::DataType;
use tauri::ipc::{Channel, InvokeResponseBody, IpcResponse};

/// One binary frame; an `ArrayBuffer` in the web view.
pub(crate) struct TerminalFrame(Vec<u8>);

impl IpcResponse for TerminalFrame {
    fn body(self) -> tauri::Result<InvokeResponseBody> {
        Ok(InvokeResponseBody::Raw(self.0))
    }
}

impl specta::Type for TerminalFrame {
    fn definition(_: &mut Types) -> DataType {
        DataType::Reference(specta_typescript::define("ArrayBuffer"))
    }
}

/// The sink that sends frames over `channel`.
pub(crate) fn sink(channel: Channel<TerminalFrame>) -> Box<dyn FrameSink> {
    Box::new(ChannelSink(channel))
}

struct ChannelSink(Channel<TerminalFrame>);

impl FrameSink for ChannelSink {
    fn send(&self, frame: Vec<u8>) -> Result<(), SinkClosed> {
        self.0.send(TerminalFrame(frame)).map_err(|_| SinkClosed)
    }
}
