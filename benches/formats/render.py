"""Compares the chat text that Groundwork writes, byte for byte, with that of independent renderers: the templates that
llama.cpp and TRL ship, and the packages openai-harmony, mistral-common, llama-models and langchain-classic. And reads
what they render, and writes it back.

Usage: render.py CONVERTER TEMPLATES [FORMAT [CASE]]
"""

import copy
import json
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import jinja2.ext
from jinja2.sandbox import SandboxedEnvironment

from cases import SYSTEM, documents

CONVERTER, TEMPLATES = sys.argv[1], Path(sys.argv[2])


def environment():
    """Jinja as transformers sets it up for chat templates."""

    def raise_exception(message):
        raise jinja2.TemplateError(message)

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    class Generation(jinja2.ext.Extension):
        """`{% generation %}`, which marks what is trained on, and prints what stands in it."""

        tags = {"generation"}

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
            return jinja2.nodes.Scope(body, lineno=line)

    env = SandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda _: "2026-07-28"
    return env


def templated(name, variables={}, adapt=None, without="", none="", results=None):
    """A renderer by a chat template; what it puts at the beginning and nobody said is taken out, and what stands behind
    results is put in another way."""
    template = environment().from_string((TEMPLATES / name).read_text())

    def render(document):
        document = copy.deepcopy(document)
        for message in document["messages"]:
            for call in message.get("tool_calls", ()):
                call["function"]["arguments"] = json.loads(call["function"]["arguments"])
            if message["role"] == "tool":
                message["content"] = spaced(message["content"])
            message["content"] = message["content"] or none
        if adapt:
            adapt(document)
        said = variables(document) if callable(variables) else variables
        text = template.render(
            messages=document["messages"], tools=document.get("tools"), add_generation_prompt=False, **said
        )
        text = text.replace(without, "", 1)
        return text.replace(*results) if results else text

    return render


def spaced(text):
    """A result as Python's json.dumps writes it, which is what stands in most conversations."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


LLAMA3 = {"bos_token": "<|begin_of_text|>", "tools_in_user_message": False, "date_string": "26 Jul 2024"}
LLAMA3_DATES = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
QWEN_RESULTS = ("</tool_response>\n<|im_end|>", "</tool_response><|im_end|>")
DEEPSEEK = {"bos_token": "<｜begin▁of▁sentence｜>"}


def thinking(document):
    """The template is told whether the model thinks: here, whether it did."""
    return DEEPSEEK | {"thinking": any("reasoning_content" in m for m in document["messages"])}


def numbered(document):
    """Kimi's ids, which its service gives out so: the tool's name and the number of the call."""
    ids = {}
    for message in document["messages"]:
        for call in message.get("tool_calls", ()):
            ids[call["id"]] = f"functions.{call['function']['name']}:{len(ids)}"
            call["id"] = ids[call["id"]]
        if message["role"] == "tool":
            message["tool_call_id"] = ids[message["tool_call_id"]]


def parsed(document):
    """Results as values, which some templates print in another way than text that spells them."""
    for message in document["messages"]:
        if message["role"] == "tool":
            try:
                message["content"] = json.loads(message["content"])
            except ValueError:
                pass


def as_text(document):
    """Arguments as text, which some templates want."""
    for message in document["messages"]:
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = json.dumps(call["function"]["arguments"], ensure_ascii=False)


def with_system(document):
    """For templates that otherwise put a system text of their own: one is given, to both sides."""
    if document["messages"][0]["role"] != "system":
        return document | {"messages": [SYSTEM] + document["messages"]}
    return document


def asked_on(document):
    """For templates that print an empty thought in the last turn: it is not the last."""
    return document | {"messages": document["messages"] + [{"role": "user", "content": "Thanks."}]}


def thoughtful(document):
    """For templates that print an empty thought where there is none: there is one in every turn."""
    document = copy.deepcopy(document)
    for message in document["messages"]:
        if message["role"] == "assistant":
            message.setdefault("reasoning_content", "Hm.")
    return document


def thoughtful_with_system(document):
    return with_system(thoughtful(document))


def over(document):
    """For templates that print an empty thought in every turn that is over: there is one, on both sides."""
    document = copy.deepcopy(document)
    for message in document["messages"]:
        if message["role"] == "assistant":
            message["reasoning_content"] = ""
    return document


def over_with_system(document):
    return with_system(over(document))


def mistral_tokenizer(version):
    """The tokeniser of version 3 that the package ships, or one of version 13: its special tokens, and a vocabulary of
    the package, which does not matter to the text."""
    import mistral_common
    from mistral_common.protocol.instruct.normalize import InstructRequestNormalizerV13
    from mistral_common.protocol.instruct.validator import MistralRequestValidatorV13, ValidationMode
    from mistral_common.tokens.tokenizers.base import SpecialTokens, TokenizerVersion
    from mistral_common.tokens.tokenizers.instruct import InstructTokenizerV13
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    data = Path(mistral_common.__file__).parent / "data"
    if version == 3:
        return MistralTokenizer.from_file(
            str(data / "mistral_instruct_tokenizer_240323.model.v3"), mode=ValidationMode.finetuning
        )
    model = json.loads((data / "tekken_240911.json").read_text())
    special = [
        {"rank": i, "token_str": token.value, "is_control": True} for i, token in enumerate(SpecialTokens)
    ]
    tekken = Tekkenizer(
        model["vocab"], special, model["config"]["pattern"], 131072, 1000, TokenizerVersion.v13
    )
    return MistralTokenizer(
        InstructTokenizerV13(tekken),
        validator=MistralRequestValidatorV13(mode=ValidationMode.finetuning),
        request_normalizer=InstructRequestNormalizerV13.normalizer(),
    )


def mistral(version):
    """mistral-common's own tokeniser, whose tokens are spelt out."""
    from mistral_common.protocol.instruct.request import ChatCompletionRequest
    from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy

    tokenizer = mistral_tokenizer(version)

    def render(document):
        ids = {}
        document = copy.deepcopy(document)
        for message in document["messages"]:
            for call in message.get("tool_calls", ()):
                # They must be nine letters and digits; ours are numbered.
                ids[call["id"]] = f"c{len(ids):08}"
                call["id"] = ids[call["id"]]
                arguments = json.loads(call["function"]["arguments"])
                call["function"]["arguments"] = json.dumps(arguments, ensure_ascii=False)
            if message["role"] == "tool":
                message["tool_call_id"] = ids[message["tool_call_id"]]
                message["content"] = spaced(message["content"])
            thought = message.pop("reasoning_content", None)
            if thought is not None:
                chunks = [{"type": "thinking", "thinking": thought, "closed": True}]
                text = message["content"]
                message["content"] = chunks + ([{"type": "text", "text": text}] if text else [])
        request = ChatCompletionRequest.model_validate(document)
        encoded = tokenizer.encode_chat_completion(request)
        if version == 3:
            return encoded.text.replace("▁", " ").replace("<0x0A>", "\n")
        return tokenizer.decode(encoded.tokens, special_token_policy=SpecialTokenPolicy.KEEP)

    return render


def harmony():
    """openai-harmony; of the system message, which says who the model is, nothing is said in a trace."""
    import openai_harmony as oh

    encoding = oh.load_harmony_encoding(oh.HarmonyEncodingName.HARMONY_GPT_OSS)

    def render(document):
        messages, names = [], {}
        developer = oh.DeveloperContent.new()
        system = [m["content"] for m in document["messages"] if m["role"] == "system"]
        if system:
            developer = developer.with_instructions(system[0])
        if "tools" in document:
            tools = [t["function"] for t in document["tools"]]
            described = [oh.ToolDescription.new(t["name"], t["description"], parameters=t["parameters"]) for t in tools]
            developer = developer.with_function_tools(described)
        if system or "tools" in document:
            messages.append(oh.Message.from_role_and_content(oh.Role.DEVELOPER, developer))
        for message in document["messages"]:
            text, calls = message["content"], message.get("tool_calls", [])
            assistant = lambda text: oh.Message.from_role_and_content(oh.Role.ASSISTANT, text)
            if message["role"] == "user":
                messages.append(oh.Message.from_role_and_content(oh.Role.USER, text))
            if message["role"] == "tool":
                author = oh.Author.new(oh.Role.TOOL, names[message["tool_call_id"]])
                answer = oh.Message.from_author_and_content(author, text)
                messages.append(answer.with_recipient("assistant").with_channel("commentary"))
            if message["role"] == "assistant":
                if "reasoning_content" in message:
                    messages.append(assistant(message["reasoning_content"]).with_channel("analysis"))
                if text is not None:
                    messages.append(assistant(text).with_channel("commentary" if calls else "final"))
                for call in calls:
                    name = names[call["id"]] = f"functions.{call['function']['name']}"
                    said = assistant(call["function"]["arguments"]).with_channel("commentary")
                    messages.append(said.with_recipient(name).with_content_type("<|constrain|>json"))
        config = oh.RenderConversationConfig(auto_drop_analysis=False)
        tokens = encoding.render_conversation(oh.Conversation.from_messages(messages), config)
        return encoding.decode_utf8(tokens)

    return render


def llama4():
    """Meta's own reference, llama-models. It ends what is no answer with `<|eom|>`, and gives results as they are; the
    template that vLLM serves the model with ends all with `<|eot|>` and gives results as JSON."""
    # Of these the text needs nothing.
    for name in ("torch", "torchvision", "torchvision.transforms"):
        sys.modules.setdefault(name, MagicMock())
    from llama_models.datatypes import RawMessage, ToolCall, ToolPromptFormat
    from llama_models.llama4.chat_format import ChatFormat
    from llama_models.llama4.tokenizer import Tokenizer

    tokenizer = Tokenizer.get_instance()
    chat = ChatFormat(tokenizer)

    def render(document):
        messages = []
        for message in document["messages"]:
            role, text = message["role"], message["content"] or ""
            if role == "tool":
                result = spaced(text)
                text = result if is_json(result) else json.dumps(text, ensure_ascii=False)
            calls = [
                ToolCall(call_id=c["id"], tool_name=c["function"]["name"], arguments=json.loads(c["function"]["arguments"]))
                for c in message.get("tool_calls", ())
            ]
            more = {"tool_calls": calls} if role == "assistant" else {}
            messages.append(RawMessage(role=role, content=text, **more))
        tokens = chat.encode_dialog_prompt(messages, ToolPromptFormat.python_list).tokens
        text = tokenizer.decode(tokens).replace("<|eom|>", "<|eot|>")
        return text.removesuffix("<|header_start|>assistant<|header_end|>\n\n")

    return render


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def react():
    """LangChain: the layout that its prompt asks for, which its parser must read as the same call or answer, and the
    scratchpad in which it puts results."""
    from langchain_classic.agents.format_scratchpad.log import format_log_to_str
    from langchain_classic.agents.output_parsers.react_single_input import ReActSingleInputOutputParser

    parser = ReActSingleInputOutputParser()

    def render(document):
        results = {m["tool_call_id"]: m["content"] for m in document["messages"] if m["role"] == "tool"}
        out = ""
        for message in document["messages"]:
            role, text, calls = message["role"], message["content"], message.get("tool_calls", [])
            if role == "user":
                out += f"Question: {text}\n"
            if role != "assistant":
                continue
            said = [message["reasoning_content"]] if "reasoning_content" in message else []
            said += [text] if calls and text is not None else []
            thoughts = "".join(f"Thought: {thought}\n" for thought in said)
            if not calls:
                log = f"{thoughts}Final Answer: {text}"
                assert parser.parse(log).return_values == {"output": text}
                out += log + "\n"
            for call in calls:
                name = call["function"]["name"]
                arguments = json.dumps(json.loads(call["function"]["arguments"]), ensure_ascii=False)
                log = f"{thoughts}Action: {name}\nAction Input: {arguments}"
                action = parser.parse(log)
                assert (action.tool, action.tool_input) == (name, arguments)
                out += format_log_to_str([(action, spaced(results[call["id"]]))], llm_prefix="")
                thoughts = ""
        return out

    return render


TRL = "trl/chat_templates/"
# Format, what renders it, the renderer, and how every conversation is changed first, for both sides.
RENDERERS = [
    ("hermes", "Qwen 2.5", templated("Qwen-Qwen2.5-7B-Instruct.jinja"), with_system),
    ("hermes", "Qwen 3 Instruct 2507", templated(TRL + "qwen3_instruct_2507.jinja"), None),
    ("hermes", "Qwen 3", templated("Qwen-Qwen3-0.6B.jinja"), asked_on),
    ("hermes", "Qwen 3, thinking", templated("Qwen-Qwen3-0.6B.jinja"), thoughtful),
    ("qwen-coder", "Qwen3-Coder", templated("Qwen3-Coder.jinja"), with_system),
    ("qwen-coder", "Qwen3-Coder, results as in Qwen 3.5", templated("Qwen3-Coder.jinja", results=QWEN_RESULTS), with_system),
    ("qwen-coder", "Qwen 3.5", templated("Qwen3.5-4B.jinja"), asked_on),
    ("qwen-coder", "Qwen 3.5, thinking", templated("Qwen3.5-4B.jinja"), thoughtful),
    ("llama-3", "Llama 3.1", templated("meta-llama-Llama-3.1-8B-Instruct.jinja", LLAMA3, parsed, LLAMA3_DATES), with_system),
    ("llama-3", "Llama 3.2", templated("meta-llama-Llama-3.2-3B-Instruct.jinja", LLAMA3, parsed, LLAMA3_DATES), with_system),
    ("llama-3", "Llama 3.3", templated("meta-llama-Llama-3.3-70B-Instruct.jinja", LLAMA3, parsed, LLAMA3_DATES), with_system),
    ("deepseek-v3", "DeepSeek V3", templated(TRL + "deepseekv3.jinja", DEEPSEEK, as_text, none=None), None),
    ("deepseek-v3", "DeepSeek R1", templated("deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja", DEEPSEEK, none=None), None),
    ("deepseek-v3.2", "DeepSeek V3.2", templated("deepseek-ai-DeepSeek-V3.2.jinja", thinking), None),
    ("glm-4.5", "GLM 4.6", templated("GLM-4.6.jinja"), None),
    ("glm-4.5", "GLM 4.5", templated(TRL + "glm4moe.jinja"), None),
    ("kimi-k2", "Kimi K2", templated("Kimi-K2-Instruct.jinja", {}, numbered), with_system),
    ("kimi-k2", "Kimi K2 Thinking", templated("Kimi-K2-Thinking.jinja", {}, numbered), over_with_system),
    ("minimax-m2", "MiniMax M2", templated("MiniMax-M2.jinja"), with_system),
    ("gemma-4", "Gemma 4", templated("google-gemma-4-31B-it.jinja", {"bos_token": "<bos>"}), None),
    ("mistral-v3", "mistral-common, version 3", mistral(3), None),
    ("mistral-v13", "mistral-common, version 13", mistral(13), None),
    ("harmony", "openai-harmony", harmony(), None),
    ("llama-4", "llama-models", llama4(), None),
    ("react", "langchain-classic", react(), None),
]


def first_difference(ours, theirs):
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    return f"  ours   …{ours[max(0, at - 60):at]!r} >> {ours[at:at + 90]!r}\n  theirs >> {theirs[at:at + 90]!r}"


def convert(requests):
    """The converter's answers to (format, format, document) triples."""
    lines = [json.dumps({"from": source, "to": to, "document": d}) for source, to, d in requests]
    done = subprocess.run([CONVERTER], input="\n".join(lines), capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [a["documents"][0] if "documents" in a else f"(cannot be read: {a['error']})" for a in answers]


def main():
    wanted = sys.argv[3:]
    for to, title, render, change in RENDERERS:
        if wanted and to != wanted[0]:
            continue
        cases = [(name, change(d) if change else d) for name, d in documents()]
        written = convert([("openai-chat", to, json.dumps(d)) for _, d in cases])
        rendered = []
        for _, document in cases:
            try:
                rendered.append(render(document))
            except Exception as e:  # A template says what it cannot hold by raising.
                rendered.append(f"(raises: {e})")
        said = [text for text in rendered if not text.startswith("(raises: ")]
        back = [text == again for text, again in zip(said, convert([(to, to, text) for text in said]), strict=True)]
        same, shown = [], 0
        for (name, _), text, theirs in zip(cases, written, rendered, strict=True):
            same.append(text == theirs)
            if text != theirs and wanted and shown < int((wanted + ["99"])[1]):
                shown += 1
                print(f"--- {title}: {name}\n{first_difference(text, theirs)}")
        print(f"{to}: {title}: {sum(same)} of {len(same)}; read and written back: {sum(back)} of {len(back)}")


main()
