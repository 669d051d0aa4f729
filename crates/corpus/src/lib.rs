//! Documents and traces in, packed token shards out.
//!
//! [`build`] reads the sources of a [`DataSpec`] (worlds that generate traces, Parquet, JSONL, folders of text), trains a
//! [`Tokenizer`], mixes by share of tokens, packs rows and writes a folder of memory-mapped shards with a [`Manifest`].
//! [`Shards`] reads it. [`TraceWriter`] and [`write_expert_traces`] write traces as Parquet, [`generate_traces`] sets of them
//! by the million, and [`verify_traces`] replays them in their worlds.
//!
//! What is known of a token (its kind of span, whether its action failed, whether it is the world's own, its weight)
//! travels with it from the trace to the row, and the build proves by counting that none of it was lost.
//!
//! Arrow and Parquet are named by this crate alone; others use them through its re-exports.

#![deny(unsafe_code)]

mod archive;
mod arrow_json;
mod build;
mod durable;
mod encode;
mod error;
mod ledger;
mod manifest;
mod mix;
mod pack;
mod recovery;
mod rows;
mod seed;
mod shard;
mod shards;
mod show;
mod source;
mod spec;
mod stats;
mod tokenizer;
mod trace_file;
mod trace_set;
mod verify;

pub use {arrow_array, arrow_schema, parquet};

pub use archive::{Archive, is_archive};
pub use build::{BuildProgress, build, corpus_hash};
pub use encode::{Encoded, SpanTag, encode_branches, encode_trace};
pub use error::{CorpusError, is_wrong_path};
pub use ledger::KindCounts;
pub use manifest::{FORMAT, FileEntry, Manifest, SourceCounts};
pub use rows::{RowColumn, RowDocument, RowDocuments, RowFile, RowKind};
pub use seed::derive as derive_seed;
pub use shard::Row;
pub use shards::{Shards, read_manifest};
pub use show::show_row;
pub use source::{Generator, Skipped};
pub use spec::{DataSpec, SourceSpec, TokenizerSection};
pub use stats::CorpusStats;
pub use tokenizer::{Tokenizer, TokenizerError, TokenizerProgress, TokenizerSpec};
pub use trace_file::{TraceReader, TraceRecord, TraceWriter, read_traces, write_expert_traces};
pub use trace_set::{Generated, Mixture, MixturePart, TraceCard, generate_traces};
pub use verify::{Verified, trace_files, verify_traces};
