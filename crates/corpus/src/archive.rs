//! Files inside a ZIP archive, as Inspect writes its logs.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::CorpusError;

/// The largest file that is taken out of an archive, unpacked.
const LARGEST: u64 = 1 << 28;
/// What every ZIP archive with a file in it begins with.
const BEGIN: &[u8; 4] = b"PK\x03\x04";

/// Whether the file at `path` is a ZIP archive.
pub fn is_archive(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path).is_ok_and(|mut f| f.read_exact(&mut magic).is_ok() && magic == *BEGIN)
}

/// A ZIP archive, of which files are read one at a time.
pub struct Archive {
    path: PathBuf,
    file: File,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    method: u16,
    packed: u64,
    size: u64,
    /// Where its header lies.
    at: u64,
}

impl Archive {
    /// Opens an archive and reads its list of files.
    ///
    /// # Errors
    /// [`CorpusError::Io`], or [`CorpusError::Archive`] if this is none, or a damaged one.
    pub fn open(path: &Path) -> Result<Archive, CorpusError> {
        let mut file = File::open(path).map_err(CorpusError::read(path))?;
        let entries = entries(&mut file).map_err(|e| damaged(path, &e))?;
        Ok(Archive { path: path.to_owned(), file, entries })
    }

    /// The names of the files, in the order in which they lie.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|e| e.name.as_str())
    }

    /// The text of file number `index`.
    ///
    /// # Errors
    /// [`CorpusError::Archive`] if it cannot be unpacked or is no UTF-8.
    pub fn text(&mut self, index: usize) -> Result<String, CorpusError> {
        let entry = self.entries.get(index).ok_or_else(|| damaged(&self.path, "there is no such file"))?;
        let bytes = unpack(&mut self.file, entry)
            .map_err(|e| damaged(&self.path, &format!("`{}`: {e}", entry.name)))?;
        String::from_utf8(bytes).map_err(|_| damaged(&self.path, &format!("`{}` is no UTF-8", entry.name)))
    }
}

fn damaged(path: &Path, message: &str) -> CorpusError {
    CorpusError::Archive { path: path.to_owned(), message: message.to_owned() }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Result<u64, String> {
    let field = bytes.get(at..at + N).ok_or("the archive is cut off")?;
    Ok(field.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
}

/// The central directory, which the last record of the file leads to.
fn entries(file: &mut File) -> Result<Vec<Entry>, String> {
    let said = |e: std::io::Error| e.to_string();
    let length = file.seek(SeekFrom::End(0)).map_err(said)?;
    // A comment of at most 64 KiB may follow the record.
    let tail = length.min(65_557);
    file.seek(SeekFrom::Start(length - tail)).map_err(said)?;
    let mut end = Vec::new();
    file.read_to_end(&mut end).map_err(said)?;
    let at = (0..end.len().saturating_sub(21)).rev().find(|&i| end[i..].starts_with(b"PK\x05\x06"));
    let end = &end[at.ok_or("it has no list of files; is it whole?")?..];
    let (size, start) = (number::<4>(end, 12)?, number::<4>(end, 16)?);
    if start == 0xffff_ffff || size == 0xffff_ffff {
        return Err("archives of more than 4 GiB are not read".to_owned());
    }
    if start + size > length {
        return Err("its list of files lies outside of it".to_owned());
    }
    file.seek(SeekFrom::Start(start)).map_err(said)?;
    let mut list = Vec::new();
    file.take(size).read_to_end(&mut list).map_err(said)?;
    let mut entries = Vec::new();
    let mut rest = list.as_slice();
    while rest.starts_with(b"PK\x01\x02") {
        let lengths = [number::<2>(rest, 28)?, number::<2>(rest, 30)?, number::<2>(rest, 32)?];
        let name = rest.get(46..46 + lengths[0] as usize).ok_or("the list of files is cut off")?;
        entries.push(Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            method: number::<2>(rest, 10)? as u16,
            packed: number::<4>(rest, 20)?,
            size: number::<4>(rest, 24)?,
            at: number::<4>(rest, 42)?,
        });
        rest = rest.get(46 + lengths.iter().sum::<u64>() as usize..).unwrap_or_default();
    }
    Ok(entries)
}

fn unpack(file: &mut File, entry: &Entry) -> Result<Vec<u8>, String> {
    let said = |e: std::io::Error| e.to_string();
    if entry.size > LARGEST {
        return Err("it is larger than 256 MiB".to_owned());
    }
    file.seek(SeekFrom::Start(entry.at)).map_err(said)?;
    let mut header = [0; 30];
    file.read_exact(&mut header).map_err(said)?;
    if header[..4] != *BEGIN {
        return Err("its header is not where the list of files says".to_owned());
    }
    let skip = number::<2>(&header, 26)? + number::<2>(&header, 28)?;
    file.seek(SeekFrom::Current(skip as i64)).map_err(said)?;
    let mut packed = Vec::new();
    file.take(entry.packed).read_to_end(&mut packed).map_err(said)?;
    let size = entry.size as usize;
    let bytes = match entry.method {
        0 => packed,
        8 => {
            let options = zune_inflate::DeflateOptions::default().set_limit(size).set_size_hint(size);
            let mut decoder = zune_inflate::DeflateDecoder::new_with_options(&packed, options);
            decoder.decode_deflate().map_err(|e| format!("it cannot be unpacked: {:?}", e.error))?
        }
        93 => {
            let mut out = Vec::new();
            let decoder = zstd::Decoder::new(packed.as_slice()).map_err(said)?;
            decoder.take(entry.size + 1).read_to_end(&mut out).map_err(said)?;
            out
        }
        other => return Err(format!("it is packed by method {other}; stored, deflate and zstd are read")),
    };
    if bytes.len() == size {
        Ok(bytes)
    } else {
        Err("it is not as long as the list of files says".to_owned())
    }
}
