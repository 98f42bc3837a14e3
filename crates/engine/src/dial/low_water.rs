//! The mark of received bytes below which the system does not wake a reader. Where there is none, a socket wakes its
//! program for each message, even when nobody reads it.

use tokio::net::TcpStream;

/// Sets it, on Linux; 1 is how sockets begin. Bytes below it can be read all the same, and lowering it wakes the reader
/// of what is there (since Linux 4.18). Other systems leave it at 1: false.
pub(super) fn set(stream: &TcpStream, bytes: usize) -> bool {
    match system::set(stream, bytes) {
        Ok(is_set) => is_set,
        Err(error) => {
            tracing::debug!(%error, "an option of a socket could not be set");
            false
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "low_water/linux.rs"]
mod system;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use tokio::net::TcpStream;

    pub(super) fn set(_: &TcpStream, _: usize) -> std::io::Result<bool> {
        Ok(false)
    }
}

#[cfg(test)]
#[cfg(any(target_os = "linux", target_os = "android"))]
mod tests {
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;

    use futures_util::poll;
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_reader_sleeps_until_the_mark_is_reached_or_lowered() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), async {
            listener.accept().await.unwrap().0
        });
        let (near, mut far) = (near.unwrap(), far);
        assert!(set(&near, 100));
        far.write_all(&[0; 99]).await.unwrap();
        let mut readable = pin!(near.readable());
        assert!(timeout(Duration::from_millis(50), readable.as_mut()).await.is_err());
        far.write_all(&[0; 1]).await.unwrap();
        readable.await.unwrap();
        assert_eq!(near.try_read(&mut [0; 200]).unwrap(), 100);
        // Tokio believes in more until a read finds none.
        assert!(near.try_read(&mut [0; 200]).is_err());

        far.write_all(&[0; 99]).await.unwrap();
        let mut readable = pin!(near.readable());
        assert!(matches!(poll!(readable.as_mut()), Poll::Pending));
        assert!(set(&near, 1));
        readable.await.unwrap();
        assert_eq!(near.try_read(&mut [0; 200]).unwrap(), 99);
        // The end of the stream waits for nothing.
        assert!(set(&near, 100));
        drop(far);
        near.readable().await.unwrap();
        assert_eq!(near.try_read(&mut [0; 200]).unwrap(), 0);
    }
}
