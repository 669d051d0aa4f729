//! How messages are told apart on a stream: by their length (editors) or by lines (MCP).

use std::io::{self, BufRead, Read, Write};

/// The longest message that is read: beyond it, something else than messages is on the stream.
const LONGEST: usize = 256 << 20;

/// The next message after its `Content-Length` header; `None` at the end of the stream.
pub(crate) fn read_framed(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut length: Option<usize> = None;
    let mut begun = false;
    loop {
        let mut line = Vec::new();
        input.by_ref().take(8192).read_until(b'\n', &mut line)?;
        let line = String::from_utf8_lossy(&line);
        if !line.ends_with('\n') {
            return if begun || !line.is_empty() {
                Err(broken("the stream ends in a header"))
            } else {
                Ok(None)
            };
        }
        let header = line.trim_end();
        match (header.is_empty(), length) {
            (true, Some(length)) if length <= LONGEST => {
                let mut message = vec![0; length];
                input.read_exact(&mut message)?;
                return Ok(Some(message));
            }
            (true, Some(length)) => return Err(broken(&format!("a message of {length} bytes is too long"))),
            (true, None) if begun => return Err(broken("a message without `Content-Length`")),
            (true, None) => {}
            (false, _) => {
                begun = true;
                let (name, value) =
                    header.split_once(':').ok_or_else(|| broken(&format!("no header: `{header}`")))?;
                if name.eq_ignore_ascii_case("content-length") {
                    let value = value.trim();
                    length = Some(value.parse().map_err(|_| broken(&format!("no length: `{value}`")))?);
                }
            }
        }
    }
}

/// Writes a message with its header.
pub(crate) fn write_framed(output: &mut impl Write, message: &[u8]) -> io::Result<()> {
    write!(output, "Content-Length: {}\r\n\r\n", message.len())?;
    output.write_all(message)?;
    output.flush()
}

/// The next line that is not empty, without its line feed; `None` at the end of the stream.
pub(crate) fn read_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    loop {
        let mut line = Vec::new();
        let read = input.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line)?;
        if read == LONGEST {
            return Err(broken(&format!("a line of more than {LONGEST} bytes is too long for a message")));
        }
        if read == 0 {
            return Ok(None);
        }
        if !line.trim_ascii().is_empty() {
            line.truncate(line.trim_ascii_end().len());
            return Ok(Some(line));
        }
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framed_messages_come_back() {
        let mut stream = Vec::new();
        for message in [&b"{}"[..], b"", "ä\r\n\r\n".as_bytes()] {
            write_framed(&mut stream, message).unwrap();
        }
        stream.extend_from_slice(b"content-type: x\r\nCONTENT-LENGTH:1\n\nz");
        let mut stream = &stream[..];
        for message in [&b"{}"[..], b"", "ä\r\n\r\n".as_bytes(), b"z"] {
            assert_eq!(read_framed(&mut stream).unwrap().as_deref(), Some(message));
        }
        assert!(read_framed(&mut stream).unwrap().is_none());
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        for wrong in [
            "Content-Length: 3\r\n\r\nab",
            "Content-Length: -1\r\n\r\n",
            "Content-Length: 99999999999\r\n\r\n",
            "hello\r\n\r\n",
            "Content-Type: x\r\n\r\n",
            "Content-Len",
        ] {
            assert!(read_framed(&mut wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lines_skip_what_is_empty() {
        let mut stream = &b"\n {} \r\n\r\n[]"[..];
        assert_eq!(read_line(&mut stream).unwrap().as_deref(), Some(&b" {}"[..]));
        assert_eq!(read_line(&mut stream).unwrap().as_deref(), Some(&b"[]"[..]));
        assert!(read_line(&mut stream).unwrap().is_none());
    }
}
