"""Speaks to `groundwork mcp` and through `groundwork trace record` with the official client, and says what came of it."""

import asyncio
import pathlib
import subprocess
import sys
import time

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

PROGRAM, WORK = sys.argv[1], pathlib.Path(sys.argv[2])
WORLDS = ["files", "route", "ledger"]
CALLS = 200


def value(schema):
    """Some value of a type."""
    if "enum" in schema:
        return schema["enum"][0]
    kinds = {"string": "x", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    return kinds.get(schema.get("type"), "x")


async def session(server, mode):
    """One episode: everything that the server offers is used once."""
    async with Client(server, mode=mode) as client:
        tools = (await client.list_tools()).tools
        prompt = await client.get_prompt("task")
        goal = prompt.messages[0].content.text
        told = await client.call_tool("get_task", {})
        assert told.content[0].text == goal, (told, goal)
        refused = 0
        world = [t for t in tools if t.name not in ("get_task", "submit_answer")]
        for tool in world:
            needed = tool.input_schema.get("required", [])
            args = {name: value(tool.input_schema["properties"][name]) for name in needed}
            refused += bool((await client.call_tool(tool.name, args)).is_error)
        start = time.perf_counter()
        for _ in range(CALLS):
            await client.call_tool("get_task", {})
        took = (time.perf_counter() - start) / CALLS
        verdict = await client.call_tool("submit_answer", {"answer": "no idea"})
        assert not verdict.is_error and verdict.structured_content["success"] is False, verdict
        over = await client.call_tool(world[0].name, {})
        assert over.is_error, over
        return len(tools), refused, took * 1e3


async def main():
    print(f"{'world':<8} {'transport':<10} {'dialect':<12} {'tools':>5} {'refused':>7} {'ms a call':>9}")
    for world in WORLDS:
        for mode in ["legacy", "auto", "2026-07-28"]:
            stdio = StdioServerParameters(command=PROGRAM, args=["mcp", world])
            tools, refused, ms = await session(stdio, mode)
            print(f"{world:<8} {'stdio':<10} {mode:<12} {tools:>5} {refused:>7} {ms:>9.2f}")

            log, out = WORK / "session.jsonl", WORK / "session.trace"
            args = ["trace", "record", "--goal", "Try everything.", "--log", str(log), "-o", str(out), "--"]
            recorded = StdioServerParameters(command=PROGRAM, args=[*args, PROGRAM, "mcp", world])
            tools, refused, ms = await session(recorded, mode)
            # The client does not wait for the end of what it started.
            for _ in range(100):
                if out.exists():
                    break
                time.sleep(0.05)
            text = out.read_text()
            lines = len(log.read_text().splitlines())
            actions = text.count("\naction")
            checked = subprocess.run([PROGRAM, "trace", "check", str(out)], capture_output=True, text=True)
            assert checked.returncode == 0, checked.stderr
            print(
                f"{world:<8} {'recorded':<10} {mode:<12} {tools:>5} {refused:>7} {ms:>9.2f}"
                f"  {lines} messages, {actions} actions in a trace without mistakes"
            )
            out.unlink()
        server = subprocess.Popen([PROGRAM, "mcp", world, "--http", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        try:
            url = server.stdout.readline().strip()
            for mode, path in [("legacy", ""), ("auto", "/a"), ("2026-07-28", "/b")]:
                tools, refused, ms = await session(url + path, mode)
                print(f"{world:<8} {'http':<10} {mode:<12} {tools:>5} {refused:>7} {ms:>9.2f}")
        finally:
            server.kill()
            server.wait()


asyncio.run(main())
