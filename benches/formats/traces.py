"""Fetches packages with recorded traces among their sources and writes each trace: traces.py FOLDER > FOLDER/traces.jsonl

What AgentDojo says beside OpenAI's format is put into it or taken out before anything is counted: an error becomes the content of its
result, and keys without a value are left out.
"""

import json
import os
import re
import subprocess
import sys
import tarfile
import urllib.parse
import urllib.request
from pathlib import Path

FOLDER = Path(sys.argv[1])


def source(package, version):
    """The source archive of a package on the index that pip uses."""
    archive = f"{package.replace('-', '_')}-{version}.tar.gz"
    found = sorted(FOLDER.glob(archive))
    if not found:
        asked = subprocess.run(["pip", "config", "get", "global.index-url"], capture_output=True, text=True).stdout.strip()
        index = f"{(asked or os.environ.get('PIP_INDEX_URL', 'https://pypi.org/simple')).rstrip('/')}/{package}/"
        page = urllib.request.urlopen(index, timeout=60).read().decode()
        links = [link for link in re.findall(r'href="([^"]+)"', page) if f"/{archive}" in link or link.startswith(archive)]
        url = urllib.parse.urljoin(index, links[-1]).split("#")[0]
        found = [FOLDER / url.rsplit("/", 1)[1]]
        found[0].write_bytes(urllib.request.urlopen(url, timeout=300).read())
    return tarfile.open(found[-1])


def put(package, form, document):
    print(json.dumps({"package": package, "format": form, "document": document}))


def as_openai(messages):
    """AgentDojo spells calls in its own way; the rest is OpenAI's. Some models' calls have no ids: their results follow in order."""
    unnamed, made = [], []
    for message in messages:
        error, calls = message.get("error"), message.get("tool_calls")
        message = {k: v for k, v in message.items() if v is not None and k not in ("tool_call", "tool_calls", "error")}
        if error:
            message["content"] = error
        if message["role"] == "tool" and not message.get("tool_call_id"):
            message["tool_call_id"] = unnamed.pop(0) if unnamed else ""
        for call in calls or ():
            name = call.get("id")
            if not name:
                name = f"call_{len(made)}_{len(unnamed)}"
                unnamed.append(name)
            function = {"name": call["function"], "arguments": json.dumps(call["args"])}
            message.setdefault("tool_calls", []).append({"id": name, "type": "function", "function": function})
        made.append(message)
    return made


def agentdojo(every=1):
    """What models said and did in its environments, with and without attacks."""
    with source("agentdojo", "0.1.9") as files:
        for number, file in enumerate(f for f in files if "/runs/" in f.name and f.name.endswith(".json")):
            if number % every == 0:
                run = json.load(files.extractfile(file))
                if run.get("messages"):
                    put("agentdojo, runs", "openai-chat", json.dumps({"messages": as_openai(run["messages"])}))


def inspect_ai():
    """The logs that its tests read."""
    with source("inspect-ai", "0.3.99") as files:
        for file in files:
            if re.search(r"/tests/.*log.*\.json$", file.name):
                text = files.extractfile(file).read().decode()
                if "samples" in text:
                    put("inspect-ai", "inspect", text)


agentdojo(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
inspect_ai()
