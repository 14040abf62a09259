//! Frames on a stream: a `u32` length, little-endian, and so many bytes.
//!
//! The length is held against the caller's bound before anything is allocated, and memory grows with what has
//! arrived, not with what was claimed.

use std::{future::Future, io, time::Duration};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::error::FrameError;

/// What is allocated at once for a frame whose bytes have not arrived.
const FIRST_BYTES_MAX: usize = 64 * 1024;

/// Reads one frame of at most `bytes_max` bytes. `limit` covers the wait for its beginning too.
///
/// # Errors
/// [`FrameError::Ended`] when the stream ends before the frame begins; the stream is of no further use after any
/// other error.
pub async fn read_frame<S>(stream: &mut S, bytes_max: usize, limit: Duration) -> Result<Vec<u8>, FrameError>
where
    S: AsyncRead + Unpin,
{
    within(limit, async {
        let mut length = [0; 4];
        if stream.read(&mut length[..1]).await? == 0 {
            return Err(FrameError::Ended);
        }
        stream.read_exact(&mut length[1..]).await?;
        let length = u64::from(u32::from_le_bytes(length));
        let bound = bytes_max as u64;
        if length > bound {
            return Err(FrameError::TooLong { found: length, bound });
        }
        // The length fits a `usize`, because it is not above one.
        let length = length as usize;
        let mut bytes = Vec::with_capacity(length.min(FIRST_BYTES_MAX));
        stream.take(length as u64).read_to_end(&mut bytes).await?;
        if bytes.len() < length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(bytes)
    })
    .await
}

/// Writes `bytes` as one frame and flushes it, within `limit`.
///
/// # Errors
/// [`FrameError::TooLong`] when the length does not fit four bytes. After any other error the stream is of no
/// further use.
pub async fn write_frame<S>(stream: &mut S, bytes: &[u8], limit: Duration) -> Result<(), FrameError>
where
    S: AsyncWrite + Unpin,
{
    let length = u32::try_from(bytes.len())
        .map_err(|_| FrameError::TooLong { found: bytes.len() as u64, bound: u64::from(u32::MAX) })?;
    within(limit, async {
        stream.write_all(&length.to_le_bytes()).await?;
        stream.write_all(bytes).await?;
        stream.flush().await?;
        Ok(())
    })
    .await
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, FrameError>>) -> Result<T, FrameError> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(FrameError::Timeout))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn frames_survive_a_round_trip_and_the_end_is_told_apart() {
        let (mut near, mut far) = tokio::io::duplex(64);
        let long = vec![7; 100_000];
        let sent = long.clone();
        let writer = tokio::spawn(async move {
            write_frame(&mut near, b"", LIMIT).await?;
            write_frame(&mut near, &sent, LIMIT).await
        });
        assert_eq!(read_frame(&mut far, 10, LIMIT).await.expect("an empty frame"), b"");
        assert_eq!(read_frame(&mut far, 100_000, LIMIT).await.expect("a long frame"), long);
        writer.await.expect("no panic").expect("written");
        assert!(matches!(read_frame(&mut far, 10, LIMIT).await, Err(FrameError::Ended)));
    }

    #[tokio::test]
    async fn a_frame_above_the_bound_is_refused_by_its_length() {
        let mut bytes: &[u8] = &[0xff, 0xff, 0xff, 0xff];
        let error = read_frame(&mut bytes, 1_000, LIMIT).await.expect_err("too long");
        assert!(matches!(error, FrameError::TooLong { found: 0xffff_ffff, bound: 1_000 }), "{error:?}");
    }

    #[tokio::test]
    async fn a_frame_that_ends_early_or_never_comes_is_an_error() {
        let mut bytes: &[u8] = &[5, 0, 0, 0, 1, 2];
        assert!(matches!(read_frame(&mut bytes, 10, LIMIT).await, Err(FrameError::Io(_))));
        let (_near, mut far) = tokio::io::duplex(64);
        let error = read_frame(&mut far, 10, Duration::from_millis(10)).await.expect_err("nothing comes");
        assert!(matches!(error, FrameError::Timeout));
    }
}
