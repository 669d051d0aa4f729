//! The chapter on adding a world shows the source as it is.

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_piece_of_code_in_the_chapter_stands_in_the_source() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let read = |path: &str| std::fs::read_to_string(format!("{folder}/{path}")).unwrap();
    let (docs, source) = (read("../../docs/worlds.md"), squeeze(&read("src/questions.rs")));
    let chapter = docs.split("## How to add a world").nth(1).unwrap().split("\n## ").next().unwrap();
    let pieces: Vec<&str> =
        chapter.split("```rust\n").skip(1).map(|p| p.split("```").next().unwrap()).collect();
    assert!(pieces.len() > 5);
    for piece in pieces {
        assert!(source.contains(&squeeze(piece)), "not in questions.rs:\n{piece}");
    }
}
