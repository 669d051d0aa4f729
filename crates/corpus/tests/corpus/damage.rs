//! A corpus folder that was damaged says which file.

use std::fs;

use groundwork_corpus::{CorpusError, Shards, read_manifest};

use crate::{built, data, world};

#[test]
fn any_changed_byte_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (_, shards) = built(dir.path(), &data(64, 2000, vec![world("route", 1.0)]), 1);
    let out = shards.dir().to_owned();
    drop(shards);
    for name in ["shard-00000.arrow", "tokenizer.json"] {
        let path = out.join(name);
        let whole = fs::read(&path).unwrap();
        let mut cases = vec![whole[..whole.len() / 2].to_vec(), Vec::new()];
        for at in [0, whole.len() / 3, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            cases.push(changed);
        }
        for case in cases {
            fs::write(&path, case).unwrap();
            let error = Shards::open(&out).unwrap_err();
            assert!(matches!(error, CorpusError::Damaged { .. }) && error.is_input(), "{error}");
            assert!(error.to_string().contains(name), "{error}");
        }
        fs::remove_file(&path).unwrap();
        assert!(Shards::open(&out).unwrap_err().to_string().contains(name));
        fs::write(&path, whole).unwrap();
        Shards::open(&out).unwrap();
    }
}

#[test]
fn a_shard_with_a_right_checksum_is_still_checked() {
    let dir = tempfile::tempdir().unwrap();
    let (manifest, shards) = built(dir.path(), &data(64, 2000, vec![world("route", 1.0)]), 1);
    let out = shards.dir().to_owned();
    drop(shards);
    let path = out.join("shard-00000.arrow");
    let whole = fs::read(&path).unwrap();
    // Whatever byte is changed, with a manifest to match: an error or other values, never a crash.
    for at in (0..whole.len()).step_by(whole.len() / 300) {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        let mut forged = manifest.clone();
        forged.shards[0].blake3 = blake3::hash(&changed).to_hex().to_string();
        fs::write(&path, changed).unwrap();
        fs::write(out.join("manifest.json"), serde_json::to_string(&forged).unwrap()).unwrap();
        if let Ok(shards) = Shards::open(&out) {
            for i in 0..shards.len() {
                assert_eq!(shards.row(i).unwrap().tokens.len(), 64);
            }
        }
    }
}

#[test]
fn a_manifest_of_another_version_or_kind_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(read_manifest(dir.path()), Err(CorpusError::Missing { .. })));
    let path = dir.path().join("manifest.json");
    fs::write(&path, "{\"version\": 7}").unwrap();
    assert!(matches!(read_manifest(dir.path()), Err(CorpusError::Version { found: 7, .. })));
    fs::write(&path, "{\"version\": 1").unwrap();
    assert!(matches!(read_manifest(dir.path()), Err(CorpusError::Damaged { .. })));
    fs::write(&path, "{\"version\": 1}").unwrap();
    assert!(matches!(read_manifest(dir.path()), Err(CorpusError::Damaged { .. })));
}
