//! The bytes of a file, taken line by line or value by value, with the place of each.

use std::io::{self, BufRead};

use memchr::{memchr, memchr_iter, memchr3, memrchr};

/// The longest document that is read: what one takes is all the memory that is needed.
const LONGEST: usize = 1 << 28;

/// A file that is read from its beginning.
pub(crate) struct Source<R> {
    input: R,
    /// What was read and is to be read again, from `at` on.
    back: Vec<u8>,
    at: usize,
    /// The place of the next byte, both from 1; the column in characters.
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// How far a value was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reached {
    /// Its end.
    End,
    /// A byte that cannot stand there, which was taken too, or the end of the file.
    Nowhere,
}

impl<R: BufRead> Source<R> {
    pub(crate) fn new(input: R) -> Self {
        Source { input, back: Vec::new(), at: 0, line: 1, column: 1 }
    }

    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.at < self.back.len() { Ok(&self.back[self.at..]) } else { self.input.fill_buf() }
    }

    /// Takes the next `n` bytes of what [`Source::fill`] gave.
    fn consume(&mut self, n: usize) {
        if self.at < self.back.len() {
            self.at += n;
        } else {
            self.input.consume(n);
        }
    }

    /// Passes over a byte order mark, which some editors put before everything else.
    pub(crate) fn skip_mark(&mut self) -> io::Result<()> {
        let mark = "\u{feff}".as_bytes();
        let mut begin = Vec::new();
        while begin.len() < mark.len() && mark.starts_with(&begin) {
            let Some(&byte) = self.input.fill_buf()?.first() else { break };
            self.input.consume(1);
            begin.push(byte);
        }
        if begin != mark {
            (self.back, self.at) = (begin, 0);
        }
        Ok(())
    }

    /// Adds the next line to `bytes`, with its end; false after the last.
    pub(crate) fn line(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        let before = bytes.len();
        loop {
            let buffer = self.fill()?;
            let end = memchr(b'\n', buffer);
            let n = end.map_or(buffer.len(), |i| i + 1);
            bytes.extend_from_slice(&buffer[..n]);
            self.consume(n);
            if bytes.len() > LONGEST {
                return Err(too_long(self.line));
            }
            if n == 0 || end.is_some() {
                self.line += usize::from(end.is_some());
                self.column = 1;
                return Ok(bytes.len() > before);
            }
        }
    }

    /// Adds the text of the next trace in the trace language to `bytes`, up to the line `---` that ends it; false after
    /// the last.
    pub(crate) fn trace(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let before = bytes.len();
            let more = self.line(bytes)?;
            let last = bytes[before..].trim_ascii_end() == b"---";
            if last {
                bytes.truncate(before);
            }
            if last || !more {
                return Ok(more);
            }
        }
    }

    /// The next byte that is no white space, which is passed over.
    pub(crate) fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            let (line, column) = (self.line, self.column);
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blank = buffer.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(buffer.len());
            let next = buffer.get(blank).copied();
            let place = after(&buffer[..blank], line, column);
            self.consume(blank);
            (self.line, self.column) = place;
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// Takes the byte that [`Source::peek`] gave.
    pub(crate) fn skip(&mut self) {
        self.consume(1);
        self.column += 1;
    }

    /// Adds to `bytes` what belongs to the value of which `shape` has seen the beginning.
    pub(crate) fn value(&mut self, shape: &mut Shape, bytes: &mut Vec<u8>) -> io::Result<Reached> {
        loop {
            let (line, column) = (self.line, self.column);
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Ok(Reached::Nowhere);
            }
            let (n, reached) = shape.push(buffer);
            bytes.extend_from_slice(&buffer[..n]);
            let place = after(&buffer[..n], line, column);
            self.consume(n);
            (self.line, self.column) = place;
            if let Some(reached) = reached {
                return Ok(reached);
            }
            if bytes.len() > LONGEST {
                return Err(too_long(self.line));
            }
        }
    }

    /// Has `bytes`, which were just read and began on `line`, read again from their second line on; then passes over
    /// all lines before one that begins with `first`.
    pub(crate) fn again(&mut self, bytes: &[u8], line: usize, first: u8) -> io::Result<()> {
        match memchr(b'\n', bytes) {
            Some(end) => {
                let mut back = bytes[end + 1..].to_vec();
                back.extend_from_slice(&self.back[self.at..]);
                (self.back, self.at) = (back, 0);
                (self.line, self.column) = (line + 1, 1);
            }
            // The rest of the line is part of what cannot be read.
            None => self.skip_line()?,
        }
        while self.fill()?.first().is_some_and(|&next| next != first) {
            self.skip_line()?;
        }
        Ok(())
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.fill()?;
            let end = memchr(b'\n', buffer);
            let n = end.map_or(buffer.len(), |i| i + 1);
            self.consume(n);
            if n == 0 || end.is_some() {
                self.line += usize::from(end.is_some());
                self.column = 1;
                return Ok(());
            }
        }
    }
}

fn too_long(line: usize) -> io::Error {
    let message = format!("line {line}: a document of more than 256 MiB begins or goes on here");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// The place behind `bytes`, which begin at `line` and `column`.
fn after(bytes: &[u8], line: usize, column: usize) -> (usize, usize) {
    let characters = |bytes: &[u8]| bytes.iter().filter(|&&b| b & 0xc0 != 0x80).count();
    match memrchr(b'\n', bytes) {
        None => (line, column + characters(bytes)),
        Some(last) => (line + memchr_iter(b'\n', bytes).count(), 1 + characters(&bytes[last + 1..])),
    }
}

/// What may come next in a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

/// The brackets of a JSON value, as far as it was seen: enough to find its end without holding it, and to notice soon
/// that there is none. What stands between them is for the reader of values.
#[derive(Debug)]
pub(crate) struct Shape {
    open: Vec<u8>,
    next: Next,
    /// Inside a string; and whether its last character was a backslash.
    string: bool,
    escape: bool,
    /// Inside a number or a word.
    word: bool,
}

/// No document nests deeper.
const DEEPEST: usize = 200;

impl Shape {
    pub(crate) fn new() -> Self {
        Shape { open: Vec::new(), next: Next::Value, string: false, escape: false, word: false }
    }

    /// Reads on: how many of `bytes` belong to the value, and where that leads, unless it goes on.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> (usize, Option<Reached>) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.string {
                if self.escape {
                    self.escape = false;
                    at += 1;
                    continue;
                }
                // A string ends on its line.
                let Some(special) = memchr3(b'"', b'\\', b'\n', &bytes[at..]) else {
                    return (bytes.len(), None);
                };
                at += special + 1;
                match bytes[at - 1] {
                    b'"' => self.string = false,
                    b'\\' => self.escape = true,
                    _ => return (at, Some(Reached::Nowhere)),
                }
                if !self.string && self.is_over() {
                    return (at, Some(Reached::End));
                }
                continue;
            }
            let is_word = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
            if self.word && !is_word {
                self.word = false;
                if self.is_over() {
                    return (at, Some(Reached::End));
                }
            }
            let goes_on = byte.is_ascii_whitespace() || self.word && is_word;
            if !goes_on && !self.takes(byte, is_word) {
                return (at + 1, Some(Reached::Nowhere));
            }
            at += 1;
            if matches!(byte, b'}' | b']') && self.is_over() {
                return (at, Some(Reached::End));
            }
        }
        (at, None)
    }

    /// Whether a value that stands in no brackets is behind us.
    fn is_over(&self) -> bool {
        self.open.is_empty() && self.next == Next::CommaOrEnd
    }

    /// Whether `byte`, which begins something, may stand here.
    fn takes(&mut self, byte: u8, is_word: bool) -> bool {
        let value = matches!(self.next, Next::Value | Next::ValueOrEnd);
        match byte {
            b'"' => {
                self.next = match self.next {
                    Next::Key | Next::KeyOrEnd => Next::Colon,
                    _ if value => Next::CommaOrEnd,
                    _ => return false,
                };
                self.string = true;
            }
            b'{' | b'[' if value && self.open.len() < DEEPEST => {
                self.open.push(byte);
                self.next = if byte == b'{' { Next::KeyOrEnd } else { Next::ValueOrEnd };
            }
            b'}' | b']' => {
                let (open, may) = match byte {
                    b'}' => (b'{', Next::KeyOrEnd),
                    _ => (b'[', Next::ValueOrEnd),
                };
                if !(self.next == may || self.next == Next::CommaOrEnd) || self.open.pop() != Some(open) {
                    return false;
                }
                self.next = Next::CommaOrEnd;
            }
            b':' if self.next == Next::Colon => self.next = Next::Value,
            b',' if self.next == Next::CommaOrEnd => {
                self.next = if self.open.last() == Some(&b'{') { Next::Key } else { Next::Value };
            }
            _ if is_word && value => {
                self.next = Next::CommaOrEnd;
                self.word = true;
            }
            _ => return false,
        }
        true
    }
}
