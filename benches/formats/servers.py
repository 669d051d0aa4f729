"""Talks to MCP servers over standard input and output, and writes what was said: a line for each tool, and one for the
whole session, with a call of every tool that needs no argument.

Usage: servers.py PACKAGE COMMAND [ARGUMENT…] >> servers.jsonl
"""

import json
import subprocess
import sys

package, *command = sys.argv[1:]
server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
log, number = [], 0


def say(message):
    log.append(json.dumps({"jsonrpc": "2.0"} | message))
    server.stdin.write(log[-1] + "\n")
    server.stdin.flush()


def ask(method, params):
    global number
    number += 1
    say({"id": number, "method": method, "params": params})
    for line in server.stdout:
        if not line.strip():
            continue
        log.append(line.strip())
        answer = json.loads(line)
        if answer.get("id") == number and "method" not in answer:
            return answer
    raise SystemExit(f"{package}: the server is gone")


client = {"name": "groundwork-bench", "version": "1"}
ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client})
say({"method": "notifications/initialized"})
tools = ask("tools/list", {})["result"]["tools"]
for tool in tools:
    print(json.dumps({"package": package, "format": "tool", "document": json.dumps(tool)}))
for tool in tools[:20]:
    # Calls that are wrong are answered too, with an error.
    ask("tools/call", {"name": tool["name"], "arguments": {}})
print(json.dumps({"package": package, "format": "mcp-2025-11-25", "document": "\n".join(log)}))
server.kill()
