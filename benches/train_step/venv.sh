# Sourced by the scripts that compare with PyTorch: `$venv` is an environment with it, made once under target/.
venv=target/train_step/venv
if [ ! -x "$venv/bin/python" ]; then
    mkdir -p target/train_step
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet torch numpy safetensors
fi
