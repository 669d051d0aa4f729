"""Asks Python packages for the tools that they define, as they give them to a model: python_tools.py > python.jsonl"""

import inspect
import json
import sys


def put(package, form, document):
    print(json.dumps({"package": package, "format": form, "document": document}))


def agentdojo():
    """The environments' tools: their schemas from pydantic, and their Python source."""
    from agentdojo.task_suite.load_suites import get_suites

    seen = set()
    for suite in get_suites("v1").values():
        for tool in suite.tools:
            if tool.name in seen:
                continue
            seen.add(tool.name)
            schema = {"name": tool.name, "description": tool.description, "parameters": tool.parameters.model_json_schema()}
            put("agentdojo", "tool", json.dumps(schema))
            put("agentdojo", "python", inspect.getsource(tool.run))


def smolagents():
    from smolagents import default_tools
    from smolagents.models import get_tool_json_schema

    for tool in default_tools.TOOL_MAPPING.values():
        # Made without running the constructor, which may ask for other packages.
        put("smolagents", "tool", json.dumps(get_tool_json_schema(tool.__new__(tool))))


for package in (agentdojo, smolagents):
    try:
        package()
    except Exception as e:
        print(f"{package.__name__}: {type(e).__name__}: {e}", file=sys.stderr)
