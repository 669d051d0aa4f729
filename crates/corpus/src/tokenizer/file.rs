//! Reads and writes `tokenizer.json`, the format of the Hugging Face `tokenizers` library.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::fast_hash::FastMap;
use super::{Pair, TokenBytes, Tokenizer, TokenizerError, special, split};

/// The characters that stand for the 256 bytes in the vocabulary of a file: printable Latin-1 stands for
/// itself, the rest for the characters from U+0100 on, in byte order (GPT-2).
fn byte_chars() -> [char; 256] {
    let mut unprintable = 0x100;
    std::array::from_fn(|byte| match byte as u8 {
        printable @ (b'!'..=b'~' | 0xA1..=0xAC | 0xAE..) => char::from(printable),
        _ => {
            unprintable += 1;
            char::from_u32(unprintable - 1).unwrap_or_default()
        }
    })
}

fn added_tokens() -> Value {
    let token = |(id, content): (usize, &str)| {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        })
    };
    special::texts().enumerate().map(token).collect()
}

fn pre_tokenizer() -> Value {
    json!({
        "type": "Sequence",
        "pretokenizers": [
            {
                "type": "Split",
                "pattern": { "Regex": split::EXPRESSION },
                "behavior": "Isolated",
                "invert": false,
            },
            { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false },
        ],
    })
}

/// The fields whose value is fixed, as dotted paths.
fn fixed_fields() -> [(&'static str, Value); 15] {
    [
        ("version", json!("1.0")),
        ("truncation", Value::Null),
        ("padding", Value::Null),
        ("added_tokens", added_tokens()),
        ("normalizer", Value::Null),
        ("pre_tokenizer", pre_tokenizer()),
        ("post_processor", Value::Null),
        (
            "decoder",
            json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}),
        ),
        ("model.type", json!("BPE")),
        ("model.dropout", Value::Null),
        ("model.unk_token", Value::Null),
        ("model.continuing_subword_prefix", Value::Null),
        ("model.end_of_word_suffix", Value::Null),
        ("model.fuse_unk", json!(false)),
        ("model.byte_fallback", json!(false)),
    ]
}

/// The canonical bytes of the file.
pub(super) fn to_json(tokenizer: &Tokenizer) -> Vec<u8> {
    let chars = byte_chars();
    let written = |id: u32| -> String {
        let bytes = tokenizer.token_bytes(id);
        if tokenizer.is_special(id) {
            String::from_utf8_lossy(bytes).into_owned()
        } else {
            bytes.iter().map(|&byte| chars[usize::from(byte)]).collect()
        }
    };
    let vocab: Map<String, Value> =
        (0..tokenizer.vocabulary() as u32).map(|id| (written(id), json!(id))).collect();
    // No byte is written as a space, so a space can part the two tokens.
    let merges: Vec<String> =
        tokenizer.merges.iter().map(|&(l, r)| format!("{} {}", written(l), written(r))).collect();
    let (mut file, mut model) = (Map::new(), Map::new());
    for (field, value) in fixed_fields() {
        match field.strip_prefix("model.") {
            Some(inner) => model.insert(inner.to_owned(), value),
            None => file.insert(field.to_owned(), value),
        };
    }
    model.insert("ignore_merges".to_owned(), json!(false));
    model.insert("vocab".to_owned(), Value::Object(vocab));
    model.insert("merges".to_owned(), json!(merges));
    file.insert("model".to_owned(), Value::Object(model));
    let mut bytes = format!("{:#}", Value::Object(file)).into_bytes();
    bytes.push(b'\n');
    bytes
}

/// Writes the file beside its place and moves it there.
pub(super) fn save(tokenizer: &Tokenizer, path: &Path) -> Result<(), TokenizerError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(&to_json(tokenizer))?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|source| {
        // The first error is the one to report; the leftover may not even exist.
        fs::remove_file(&beside).ok();
        TokenizerError::Io { action: "write", path: path.to_owned(), source }
    })
}

/// Reads a file and checks every field.
pub(super) fn load(path: &Path) -> Result<Tokenizer, TokenizerError> {
    let bytes = fs::read(path).map_err(|source| TokenizerError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let file: Value = serde_json::from_slice(&bytes).map_err(|fault| {
        // The library appends the place to its message; here it stands in front.
        let text = fault.to_string();
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
        TokenizerError::Json { path: path.to_owned(), line: fault.line(), column: fault.column(), message }
    })?;
    Reader { path, file: &file }.tokenizer()
}

struct Reader<'a> {
    path: &'a Path,
    file: &'a Value,
}

impl Reader<'_> {
    fn tokenizer(&self) -> Result<Tokenizer, TokenizerError> {
        if !self.file.is_object() {
            return Err(self.fault("model", "the file holds no object".to_owned()));
        }
        // The kind of model first: it explains the other differences of a foreign file.
        let mut fixed = fixed_fields();
        fixed.sort_by_key(|(field, _)| *field != "model.type");
        for (field, must) in fixed {
            self.expect(field, &must)?;
        }
        self.expect("model.ignore_merges", &json!(false))?;
        let tokens = self.tokens()?;
        let merges = self.merges(&tokens)?;
        Ok(Tokenizer::assemble(tokens, merges))
    }

    fn fault(&self, field: &str, message: String) -> TokenizerError {
        TokenizerError::Field { path: PathBuf::from(self.path), field: field.to_owned(), message }
    }

    fn field(&self, field: &str) -> &Value {
        field.split('.').fold(self.file, |value, name| value.get(name).unwrap_or(&Value::Null))
    }

    /// Refuses a field with another value. An absent field means null, or false for a switch.
    fn expect(&self, field: &str, must: &Value) -> Result<(), TokenizerError> {
        let is = self.field(field);
        if is == must || (is.is_null() && *must == json!(false)) {
            return Ok(());
        }
        let (path, is, must) = first_difference(field.to_owned(), is, must);
        Err(self.fault(&path, format!("it is {}, but must be {}", brief(is), brief(must))))
    }

    /// Tokens by id. Every id from 0 to the last must be there, once, and the first must be ours.
    fn tokens(&self) -> Result<TokenBytes, TokenizerError> {
        let field = "model.vocab";
        let Some(vocab) = self.field(field).as_object() else {
            return Err(self.fault(field, "it must be a map from token to id".to_owned()));
        };
        let mut by_id: Vec<Option<&str>> = vec![None; vocab.len()];
        for (text, id) in vocab {
            let slot = id.as_u64().and_then(|id| by_id.get_mut(usize::try_from(id).ok()?));
            match slot {
                Some(slot @ None) => *slot = Some(text),
                Some(Some(other)) => {
                    return Err(self.fault(field, format!("{text:?} and {other:?} share the id {id}")));
                }
                None => {
                    let last = vocab.len() - 1;
                    return Err(self
                        .fault(field, format!("{text:?} has the id {}, not one of 0 to {last}", brief(id))));
                }
            }
        }
        let mut bytes_of = FastMap::default();
        for (byte, char) in (0..=255u8).zip(byte_chars()) {
            bytes_of.insert(char, byte);
        }
        let base = TokenBytes::base();
        let mut tokens = TokenBytes { bytes: Vec::new(), starts: vec![0] };
        for (id, text) in by_id.into_iter().flatten().enumerate() {
            if id < special::COUNT {
                tokens.push(text.as_bytes());
            } else {
                let bytes: Option<Vec<u8>> = text.chars().map(|char| bytes_of.get(&char).copied()).collect();
                let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else {
                    return Err(
                        self.fault(field, format!("{text:?} is not written in the alphabet of bytes"))
                    );
                };
                tokens.push(&bytes);
            }
            if id < base.len() && tokens.get(id as u32) != base.get(id as u32) {
                return Err(self
                    .fault(field, format!("the id {id} is {text:?}; special tokens and bytes come first")));
            }
        }
        if tokens.len() < base.len() {
            return Err(
                self.fault(field, format!("it has {} tokens of at least {}", tokens.len(), base.len()))
            );
        }
        Ok(tokens)
    }

    /// Merges by rank, each with the token it makes. Every token beyond the bytes must be made by one.
    fn merges(&self, tokens: &TokenBytes) -> Result<Vec<(Pair, u32)>, TokenizerError> {
        let field = "model.merges";
        let Some(list) = self.field(field).as_array() else {
            return Err(self.fault(field, "it must be a list".to_owned()));
        };
        let base = special::byte(255) + 1;
        let ids: FastMap<&[u8], u32> =
            (special::byte(0)..tokens.len() as u32).map(|id| (tokens.get(id), id)).collect();
        let mut seen: FastMap<Pair, usize> = FastMap::default();
        let mut made = vec![false; tokens.len()];
        let mut merges = Vec::with_capacity(list.len());
        let vocab = self.field("model.vocab");
        for (rank, merge) in list.iter().enumerate() {
            let here = format!("{field}[{rank}]");
            let halves = match merge {
                Value::String(both) => both.split_once(' '),
                Value::Array(two) => match &two[..] {
                    [Value::String(left), Value::String(right)] => Some((left.as_str(), right.as_str())),
                    _ => None,
                },
                _ => None,
            };
            let Some((left, right)) = halves else {
                return Err(self.fault(&here, format!("{} is not two tokens", brief(merge))));
            };
            let id = |text: &str| vocab.get(text).and_then(Value::as_u64).map(|id| id as u32);
            let (Some(left), Some(right)) = (id(left), id(right)) else {
                return Err(
                    self.fault(&here, format!("{} has a token that is not in the vocabulary", brief(merge)))
                );
            };
            let Some(&id) = ids.get(&tokens.joined((left, right))[..]) else {
                return Err(self
                    .fault(&here, format!("{} makes a token that is not in the vocabulary", brief(merge))));
            };
            if let Some(first) = seen.insert((left, right), rank) {
                return Err(self.fault(&here, format!("it repeats `{field}[{first}]`")));
            }
            made[id as usize] = true;
            merges.push(((left, right), id));
        }
        match (base..tokens.len() as u32).find(|&id| !made[id as usize]) {
            Some(id) => Err(self.fault("model.vocab", format!("no merge makes the token with the id {id}"))),
            None => Ok(merges),
        }
    }
}

/// The innermost place at which two values differ.
fn first_difference<'a>(path: String, is: &'a Value, must: &'a Value) -> (String, &'a Value, &'a Value) {
    match (is, must) {
        (Value::Object(a), Value::Object(b)) => {
            for key in b.keys().chain(a.keys()) {
                let (x, y) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                if x != y {
                    return first_difference(format!("{path}.{key}"), x, y);
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                let (x, y) = (a.get(index).unwrap_or(&Value::Null), b.get(index).unwrap_or(&Value::Null));
                if x != y {
                    return first_difference(format!("{path}[{index}]"), x, y);
                }
            }
        }
        _ => {}
    }
    (path, is, must)
}

/// A value, short enough for a message.
fn brief(value: &Value) -> String {
    const MOST: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
