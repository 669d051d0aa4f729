//! The step form gives the logits of the parallel form, and checkpoints give the model back.

use std::collections::BTreeMap;
use std::iter;
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
        // The prompt at once, then a token a step.
        let prompt = prompt.min(sequence);
        for (from, end) in iter::once((0, prompt)).chain((prompt..sequence).map(|t| (t, t + 1))) {
            let taken: Vec<u32> = ids.chunks(sequence).flat_map(|row| &row[from..end]).copied().collect();
            let step = decoder.step(&taken, &mut cache).try_into_vec_as::<f32>().unwrap();
            for b in 0..batch {
                let at = (b * sequence + end - 1) * 61;
                prop_assert!(step[b * 61..(b + 1) * 61] == whole[at..at + 61], "row {b} position {}", end - 1);
            }
        }
        prop_assert_eq!(cache.len(), sequence);
    }
}

#[test]
fn kept_rows_go_on_as_if_alone() {
    let config = spec(&[AttentionKind::Full]).resolve(61).unwrap();
    let decoder = stirred(&config);
    let mut cache = decoder.cache(3);
    for t in 0..5u32 {
        decoder.step(&[t, t + 10, t + 20], &mut cache);
    }
    cache.keep(&[2, 0]);
    let kept = decoder.step(&[7, 8], &mut cache).try_into_vec_as::<f32>().unwrap();
    let mut alone = decoder.cache(1);
    for t in 0..5u32 {
        decoder.step(&[t + 20], &mut alone);
    }
    let lone = decoder.step(&[7], &mut alone).try_into_vec_as::<f32>().unwrap();
    assert!(largest_difference(&kept[..61], &lone) <= 1e-6);
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
