//! The step form gives the logits of the parallel form, and checkpoints give the model back.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, Int, Tensor, TensorData};
use groundwork_kernels::Precision;
use groundwork_model::{
    Activation, AttentionKind, Decoder, ModelConfig, ModelError, ModelSpec, tensor_bytes,
};
use proptest::prelude::*;

type Weights = BTreeMap<String, (Vec<f32>, Vec<usize>)>;

/// A decoder whose zero-initialised matrices have been stirred, so that every part contributes.
fn stirred(config: &ModelConfig) -> Decoder {
    let device = Device::flex();
    let mut weights: Weights = Decoder::new(config, 3, &device).weights();
    for (k, (name, (values, _))) in weights.iter_mut().enumerate() {
        for (i, v) in values.iter_mut().enumerate() {
            let noise = (((i * 2_654_435_761 + k * 40_503) % 1000) as f32 / 1000.0 - 0.5) * 0.2;
            *v += if name.contains("norm") { noise } else { noise * 0.7 };
        }
    }
    Decoder::with_weights(config, &weights, Path::new("memory"), &device).unwrap()
}

fn tokens(batch: usize, sequence: usize, vocabulary: usize) -> Vec<u32> {
    (0..batch * sequence).map(|i| ((i * 7919 + i / 3) % vocabulary) as u32).collect()
}

fn parallel(decoder: &Decoder, ids: &[u32], batch: usize, documents: Option<Vec<i64>>) -> Vec<f32> {
    let device = Device::flex();
    let sequence = ids.len() / batch;
    let ids: Vec<i64> = ids.iter().map(|&t| i64::from(t)).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [batch, sequence]), &device);
    let documents =
        documents.map(|d| Tensor::<2, Int>::from_data(TensorData::new(d, [batch, sequence]), &device));
    decoder.logits(ids, documents).try_into_vec_as::<f32>().unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

fn spec(attention: &[AttentionKind]) -> ModelSpec {
    ModelSpec { size: "0.1M".into(), attention: attention.to_vec(), layers: Some(3), ..ModelSpec::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn decoding_gives_the_logits_of_the_parallel_form(
        batch in 1usize..4,
        sequence in 1usize..90,
        prompt in 1usize..90,
        window in prop::option::of(1usize..40),
        grouped in any::<bool>(),
        swiglu in any::<bool>(),
        tied in any::<bool>(),
        bf16 in any::<bool>(),
    ) {
        let pattern: Vec<_> = [AttentionKind::Full].into_iter().chain(window.map(AttentionKind::Window)).collect();
        let mut spec = spec(&pattern);
        spec.kv_heads = grouped.then_some(1);
        spec.tied = tied;
        spec.precision = if bf16 { Precision::Bf16 } else { Precision::F32 };
        spec.activation = if swiglu { Activation::Swiglu } else { Activation::ReluSquared };
        let config = spec.resolve(61).unwrap();
        let decoder = stirred(&config);
        let ids = tokens(batch, sequence, 61);
        let whole = parallel(&decoder, &ids, batch, None);
        let mut cache = decoder.cache(batch);
        // Each row takes its prompt at once, or a part of it first, then a token a step; some wait now and then.
        let prompt = prompt.min(sequence);
        for round in 0.. {
            let takes = |b: usize| {
                let from = cache.len(b);
                let count = match from {
                    0 => prompt.div_ceil(b + 1),
                    _ if (round + b) % 5 == 3 => 0,
                    _ => 1 + from % 7 / 6,
                };
                (from, (from + count).min(sequence))
            };
            let rows: Vec<(usize, (usize, usize))> =
                (0..batch).map(|b| (b, takes(b))).filter(|(_, (from, end))| end > from).collect();
            if rows.is_empty() {
                if (0..batch).all(|b| cache.len(b) == sequence) { break }
                continue;
            }
            let advances: Vec<(usize, &[u32])> =
                rows.iter().map(|&(b, (from, end))| (b, &ids[b * sequence + from..b * sequence + end])).collect();
            let step = decoder.step(&advances, &mut cache).try_into_vec_as::<f32>().unwrap();
            for (&(b, (_, end)), logits) in rows.iter().zip(step.chunks(61)) {
                let at = (b * sequence + end - 1) * 61;
                prop_assert!(*logits == whole[at..at + 61], "row {b} position {}", end - 1);
                prop_assert_eq!(cache.len(b), end);
            }
        }
    }
}

#[test]
fn a_row_that_went_back_goes_on_as_if_alone() {
    let config = spec(&[AttentionKind::Full]).resolve(61).unwrap();
    let decoder = stirred(&config);
    let ids = tokens(1, 100, 61);
    let mut cache = decoder.cache(3);
    // The other rows are longer by then: the cache has grown under this one.
    decoder.step(&[(0, &ids[..90]), (1, &ids[..70]), (2, &ids[..5])], &mut cache);
    assert_eq!([cache.truncate(1, 63), cache.truncate(2, 30)], [32, 5]);
    assert_eq!([0, 1, 2].map(|row| cache.len(row)), [90, 32, 5]);
    let other: Vec<u32> = tokens(1, 40, 59);
    let after = decoder.step(&[(1, &other)], &mut cache).try_into_vec_as::<f32>().unwrap();
    let mut alone = decoder.cache(1);
    let whole: Vec<u32> = ids[..32].iter().chain(&other).copied().collect();
    let lone = decoder.step(&[(0, &whole)], &mut alone).try_into_vec_as::<f32>().unwrap();
    assert_eq!(after, lone);
}

#[test]
fn a_document_does_not_see_its_neighbours() {
    let config = spec(&[AttentionKind::Full]).resolve(61).unwrap();
    let decoder = stirred(&config);
    let ids = tokens(1, 24, 61);
    let documents = (0..24).map(|i| if i < 10 { 1 } else { 2 }).collect();
    let packed = parallel(&decoder, &ids, 1, Some(documents));
    let first = parallel(&decoder, &ids[..10], 1, None);
    assert!(largest_difference(&packed[..10 * 61], &first) <= 1e-5);
    // Positions are relative, so the second document is the same wherever it stands.
    let second = parallel(&decoder, &ids[10..], 1, None);
    assert!(largest_difference(&packed[10 * 61..], &second) <= 1e-4);
}

#[test]
fn a_fresh_model_finds_every_token_equally_likely() {
    let config = spec(&[AttentionKind::Full]).resolve(61).unwrap();
    let logits = parallel(&Decoder::new(&config, 1, &Device::flex()), &tokens(1, 9, 61), 1, None);
    assert!(logits.iter().all(|&x| x == 0.0));
}

#[test]
fn checkpoints_give_the_model_back_and_damage_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = spec(&[AttentionKind::Window(5)]).resolve(61).unwrap();
    let decoder = stirred(&config);
    let path = dir.path().join("model.safetensors");
    std::fs::write(dir.path().join("model.json"), serde_json::to_string(&config).unwrap()).unwrap();
    let bytes = tensor_bytes(&decoder.weights());
    std::fs::write(&path, &bytes).unwrap();
    let back = Decoder::load(dir.path(), &Device::flex()).unwrap();
    assert_eq!(back.weights(), decoder.weights());
    assert_eq!(back.config(), &config);

    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = Decoder::load(dir.path(), &Device::flex()).unwrap_err();
    assert!(matches!(&error, ModelError::Corrupt { .. }) && error.to_string().contains("model.safetensors"));

    let mut missing = decoder.weights();
    missing.remove("layers.1.qkv");
    std::fs::write(&path, tensor_bytes(&missing)).unwrap();
    assert!(Decoder::load(dir.path(), &Device::flex()).unwrap_err().to_string().contains("layers.1.qkv"));
}

#[test]
fn unusable_specifications_name_their_field() {
    let bad = |change: fn(&mut ModelSpec), field: &str| {
        let mut spec = ModelSpec::default();
        change(&mut spec);
        let message = spec.resolve(61).unwrap_err().to_string();
        assert!(message.contains(&format!("model.{field}")) && message.contains("hint"), "{message}");
    };
    bad(|s| s.size = "huge".into(), "size");
    bad(|s| s.size = "2B".into(), "size");
    bad(|s| s.attention.clear(), "attention");
    bad(|s| s.kv_heads = Some(3), "kv_heads");
    bad(|s| s.head_dim = Some(48), "head_dim");
    bad(|s| s.layers = Some(0), "layers");
    bad(|s| s.rope_base = f64::NAN, "rope_base");
    assert!(AttentionKind::try_from("windw:3".to_owned()).is_err());
}
