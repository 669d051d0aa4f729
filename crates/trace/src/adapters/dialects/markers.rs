//! Text that spells a marker of its format.

use memchr::memchr_iter;

/// Breaks up a marker without showing.
const BREAK: char = '\u{200b}';

/// `text` with every marker in it broken up by a zero-width space after its first character.
pub(crate) fn guarded(text: &str, markers: &[&str]) -> String {
    replaced(text, markers, |first, out| {
        out.push(first);
        out.push(BREAK);
    })
}

/// A name with every marker in it broken up, and what separates it from what follows.
pub(crate) fn guarded_name(name: &str, markers: &[&str], separator: &str) -> String {
    let name = guarded(name, markers);
    let mut name = match separator.chars().count() {
        0 => return name,
        1 => name.replace(separator, "\u{200b}"),
        _ => guarded(&name, &[separator]),
    };
    // Name and separator could spell a marker together.
    let spelt = |marker: &&str| {
        (1..marker.len()).any(|n| match (marker.get(..n), marker.get(n..)) {
            (Some(head), Some(tail)) => {
                name.ends_with(head) && (separator.starts_with(tail) || tail.starts_with(separator))
            }
            _ => false,
        })
    };
    if markers.iter().any(spelt) {
        name.push(BREAK);
    }
    name
}

/// JSON with every marker in its strings broken up by an escape of its first character.
pub(crate) fn escaped(json: &str, markers: &[&str]) -> String {
    replaced(json, markers, |first, out| out.push_str(&format!("\\u{:04x}", first as u32)))
}

/// Whether `text` begins with a marker.
fn begins(text: &str, markers: &[&str]) -> bool {
    markers.iter().any(|m| text.starts_with(m))
}

fn replaced(text: &str, markers: &[&str], first: impl Fn(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let firsts: Vec<char> = markers.iter().filter_map(|m| m.chars().next()).collect();
    for (i, c) in text.char_indices() {
        if firsts.contains(&c) && begins(&text[i..], markers) {
            first(c, &mut out);
        } else {
            out.push(c);
        }
    }
    // A marker that begins as it ends could be read from the end of the text into the marker behind it.
    if markers.iter().any(|m| borders(m).any(|head| out.ends_with(head))) {
        out.push(BREAK);
    }
    out
}

/// What of a marker stands before another one that begins with its end.
fn borders(marker: &str) -> impl Iterator<Item = &str> {
    (1..marker.len()).filter_map(move |n| {
        let (head, tail) = (marker.get(..n)?, marker.get(n..)?);
        marker.starts_with(tail).then_some(head)
    })
}

/// `text` so that its first character does not begin what a reader would take for a call.
pub(crate) fn shielded(text: String) -> String {
    format!("{BREAK}{text}")
}

/// The markers that `text` spells, as nothing that was [`guarded`] or [`escaped`] does.
pub(crate) fn spelt<'m>(text: &str, markers: &[&'m str]) -> Vec<&'m str> {
    let first = |marker: &str| marker.as_bytes()[0];
    let mut found = Vec::new();
    for (i, marker) in markers.iter().enumerate() {
        if markers[..i].iter().any(|m| first(m) == first(marker)) {
            continue;
        }
        for at in memchr_iter(first(marker), text.as_bytes()) {
            let begun = markers[i..].iter().filter(|m| first(m) == first(marker));
            for marker in begun.filter(|m| text[at..].starts_with(**m)) {
                if !found.contains(marker) {
                    found.push(*marker);
                }
            }
        }
    }
    found
}
