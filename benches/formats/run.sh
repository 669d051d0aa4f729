#!/usr/bin/env bash
# Fetches what well-known packages ship, and compares: chat text with independent renderers, byte for byte; and how many of
# their tool schemas and traces are converted, and what is lost. Needs python3 with pip, npm and git.
# Usage: benches/formats/run.sh [FOLDER], where what was fetched is kept (about 500 MB)
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/benches/formats
cargo build --release --quiet -p groundwork-trace --example convert_each
converter=${CARGO_TARGET_DIR:-$PWD/target}/release/examples/convert_each
work=${1:-$(mktemp -d)}
mkdir -p "$work" && cd "$work"

if [ ! -f fetched ]; then
  python3 -m venv venv
  pip="venv/bin/pip -q"
  # Of the renderers, and what it takes to ask llama-cpp-python's source package for its metadata.
  $pip install openai-harmony==0.0.8 'mistral-common[sentencepiece]==1.13.1' langchain-classic==1.0.8 jinja2 cmake ninja scikit-build-core
  $pip install mcp-server-git==2026.10.19 mcp-server-time==2026.10.19 mcp-server-fetch==2026.10.24 agentdojo==0.1.35 smolagents==1.26.0
  # Its tokeniser and its text need nothing of what it asks for besides.
  $pip install --no-deps llama-models==0.3.0
  wheel() { $pip download --no-deps --python-version 3.12 --platform manylinux_2_28_x86_64 --platform any --only-binary=:all: "$@"; }
  wheel trl==1.16.0 bfcl-eval==2026.3.23 litellm==1.110.2
  PATH=$PWD/venv/bin:$PATH $pip download --no-deps --no-binary=:all: --no-build-isolation llama-cpp-python==0.3.36
  mkdir -p templates vocabulary root repository
  tar xzf llama_cpp_python-*.tar.gz -C templates --wildcards '*/models/templates/*.jinja' --strip-components=5
  unzip -qo trl-*.whl 'trl/chat_templates/*.jinja' -d templates
  # The vocabulary that openai-harmony would download.
  unzip -p litellm-*.whl litellm/litellm_core_utils/tokenizers/fb374d419588a4632f3f557e76b4b70aebbca790 > vocabulary/o200k_base.tiktoken
  npm install --silent --no-audit --no-fund --ignore-scripts @modelcontextprotocol/server-{filesystem,memory,everything,sequential-thinking}@2026.8.31 \
    @modelcontextprotocol/server-github@2025.4.8 @playwright/mcp@0.0.83 @notionhq/notion-mcp-server@2.5.2
  git init -q repository
  touch fetched
fi

export TIKTOKEN_ENCODINGS_BASE=$PWD/vocabulary
venv/bin/python "$here/render.py" "$converter" templates

: > servers.jsonl
server() { timeout 120 venv/bin/python "$here/servers.py" "$@" >> servers.jsonl || echo "$1 did not answer" >&2; }
bin=node_modules/.bin
server @modelcontextprotocol/server-filesystem $bin/mcp-server-filesystem root
for name in memory everything github sequential-thinking; do
  server "@modelcontextprotocol/server-$name" "$bin/mcp-server-$name"
done
server @playwright/mcp $bin/playwright-mcp
OPENAPI_MCP_HEADERS="{}" server @notionhq/notion-mcp-server $bin/notion-mcp-server
server mcp-server-git venv/bin/mcp-server-git --repository repository
server mcp-server-time venv/bin/mcp-server-time
server mcp-server-fetch venv/bin/mcp-server-fetch
venv/bin/python "$here/python_tools.py" > python.jsonl
venv/bin/python "$here/traces.py" . > traces.jsonl
venv/bin/python "$here/corpus.py" "$converter" .
