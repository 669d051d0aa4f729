//! JSON written piece by piece; commas come of themselves.

use super::json::quote;

/// A JSON document that is being written.
#[derive(Default)]
pub(crate) struct Output {
    text: String,
}

impl Output {
    /// A comma, unless nothing stands before in the same brackets.
    fn separate(&mut self) {
        if !self.text.ends_with(['[', '{', ':']) && !self.text.is_empty() {
            self.text.push(',');
        }
    }

    /// Opens `{` or `[`.
    pub(crate) fn open(&mut self, bracket: char) -> &mut Self {
        self.separate();
        self.text.push(bracket);
        self
    }

    pub(crate) fn close(&mut self, bracket: char) -> &mut Self {
        self.text.push(bracket);
        self
    }

    /// A key that needs no escape.
    pub(crate) fn key(&mut self, key: &str) -> &mut Self {
        self.separate();
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\":");
        self
    }

    /// A string.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.separate();
        quote(&mut self.text, text);
        self
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, json: &str) -> &mut Self {
        self.separate();
        self.text.push_str(json);
        self
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}
