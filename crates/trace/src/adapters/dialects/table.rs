//! The dialects.

use super::{Calls, Content, Declarations, Dialect, Notation, Outcomes, Stand, Tags, Thought};
use crate::adapters::Format;
use crate::adapters::schemas::Shape;
use crate::adapters::spelling::SPACED;

const THINK: Option<Thought> = Some(Thought { around: ("<think>\n", "\n</think>\n\n"), none: "" });

/// Hermes, Qwen 2.5 and Qwen 3.
pub(crate) const HERMES: Dialect = Dialect {
    format: Format::Hermes,
    style: SPACED,
    begin: "",
    system: Some(("<|im_start|>system\n", "<|im_end|>\n")),
    user: ("<|im_start|>user\n", "<|im_end|>\n"),
    agent: ("<|im_start|>assistant\n", "<|im_end|>\n"),
    goes_on: false,
    stays_open: false,
    ends: &["<|endoftext|>"],
    attempt: ("", ""),
    other_calls: &[],
    tools: Declarations {
        stand: Stand::InSystem,
        around: (
            "# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided with \
             function signatures within <tools></tools> XML tags:\n<tools>\n",
            "</tools>\n\nFor each function call, return a json object with function name and arguments within \
             <tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": <function-name>, \"arguments\": \
             <args-json-object>}\n</tool_call>",
        ),
        each: Some(("", "\n")),
        shape: Shape::Function,
        indented: false,
    },
    thought: THINK,
    text: "",
    calls: Calls {
        group: ("", ""),
        each: ("<tool_call>\n", "\n</tool_call>"),
        between: "\n",
        gap: ("\n", ""),
        alone: false,
        notation: Notation::Object("arguments"),
    },
    results: Outcomes {
        group: ("<|im_start|>user\n", "<|im_end|>\n"),
        each: ("<tool_response>\n", "\n</tool_response>"),
        between: "\n",
        named: Some(("<|im_start|>", "\n", "<tool_response>")),
        content: Content::Text,
    },
    parallel: true,
    markers: &[
        "<|im_start|>",
        "<|im_end|>",
        "<|endoftext|>",
        "<tools>",
        "</tools>",
        "<tool_call>",
        "</tool_call>",
        "<tool_response>",
        "</tool_response>",
        "<think>",
        "</think>",
    ],
};

/// What the agent says in ShareGPT: Hermes without the turns.
pub(crate) const SHAREGPT: Dialect = Dialect {
    format: Format::ShareGpt,
    results: Outcomes {
        group: ("", ""),
        each: ("<tool_response>\n", "\n</tool_response>"),
        between: "\n",
        named: None,
        content: Content::Text,
    },
    ..HERMES
};

const QWEN_CALLS: Calls = Calls {
    group: ("", ""),
    each: ("<tool_call>\n<function=", "</function>\n</tool_call>"),
    between: "\n",
    gap: ("\n\n", ""),
    alone: false,
    notation: Notation::Tagged {
        after_name: ">\n",
        tags: Tags {
            open: "<parameter=",
            after_name: (">\n", ">\n"),
            close: "\n</parameter>\n",
            python: true,
        },
    },
};

/// Qwen3-Coder and Qwen 3.5: Hermes' turns with calls in elements.
pub(crate) const QWEN_CODER: Dialect = Dialect {
    format: Format::QwenCoder,
    tools: Declarations {
        stand: Stand::BeforeSystem("\n\n"),
        around: (
            "# Tools\n\nYou have access to the following functions:\n\n<tools>\n",
            "</tools>\n\nIf you choose to call a function ONLY reply in the following format with NO suffix:\n\n\
             <tool_call>\n<function=example_function_name>\n<parameter=example_parameter_1>\nvalue_1\n</parameter>\n\
             <parameter=example_parameter_2>\nThis is the value for the second parameter\nthat can span\nmultiple \
             lines\n</parameter>\n</function>\n</tool_call>\n\n<IMPORTANT>\nReminder:\n- Function calls MUST follow the \
             specified format: an inner <function=...></function> block must be nested within <tool_call></tool_call> \
             XML tags\n- Required parameters MUST be specified\n- You may provide optional reasoning for your function \
             call in natural language BEFORE the function call, but NOT after\n- If there is no function call \
             available, answer the question like normal with your current knowledge and do not tell the user about \
             function calls\n</IMPORTANT>",
        ),
        each: Some(("", "\n")),
        shape: Shape::Function,
        indented: false,
    },
    calls: QWEN_CALLS,
    other_calls: &[
        Calls { each: ("<tool_call><function=", "</function></tool_call>"), ..QWEN_CALLS },
        HERMES.calls,
        // The outer element is often left out.
        Calls { each: ("<function=", "</function>"), ..QWEN_CALLS },
    ],
    markers: &[
        "<|im_start|>",
        "<|im_end|>",
        "<|endoftext|>",
        "<tools>",
        "</tools>",
        "<tool_call>",
        "</tool_call>",
        "<tool_response>",
        "</tool_response>",
        "<think>",
        "</think>",
        "<function=",
        "</function>",
        "<parameter=",
        "</parameter>",
    ],
    ..HERMES
};

/// Llama 3.1 to 3.3: a turn is one bare JSON object.
pub(crate) const LLAMA3: Dialect = Dialect {
    format: Format::Llama3,
    style: SPACED,
    begin: "<|begin_of_text|>",
    system: Some(("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>")),
    user: ("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
    agent: ("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
    goes_on: false,
    stays_open: false,
    ends: &["<|eom_id|>", "<|end_of_text|>"],
    attempt: ("<|python_tag|>", ""),
    other_calls: &[],
    tools: Declarations {
        stand: Stand::BeforeSystem(""),
        around: (
            "Environment: ipython\nYou have access to the following functions. To call a function, please respond with \
             JSON for a function call.Respond in the format {\"name\": function name, \"parameters\": dictionary of \
             argument name and its value}.Do not use variables.\n\n",
            "",
        ),
        each: Some(("", "\n\n")),
        shape: Shape::Function,
        indented: true,
    },
    thought: None,
    text: "",
    calls: Calls {
        group: ("", ""),
        each: ("", ""),
        between: "",
        gap: ("", ""),
        alone: true,
        notation: Notation::Object("parameters"),
    },
    results: Outcomes {
        group: ("", ""),
        each: ("<|start_header_id|>ipython<|end_header_id|>\n\n", "<|eot_id|>"),
        between: "",
        named: None,
        content: Content::Json,
    },
    parallel: false,
    markers: &[
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|python_tag|>",
    ],
};

/// Llama 4: a turn is a list of calls as Python writes them.
pub(crate) const LLAMA4: Dialect = Dialect {
    format: Format::Llama4,
    system: Some(("<|header_start|>system<|header_end|>\n\n", "<|eot|>")),
    user: ("<|header_start|>user<|header_end|>\n\n", "<|eot|>"),
    agent: ("<|header_start|>assistant<|header_end|>\n\n", "<|eot|>"),
    ends: &["<|eom|>", "<|end_of_text|>"],
    attempt: ("<|python_start|>", "<|python_end|>"),
    tools: Declarations {
        stand: Stand::InSystem,
        around: (
            "You have access to the following functions. To call functions, respond only with a list of calls in the \
             format [func_name1(params_name1=params_value1, params_name2=params_value2), func_name2(params)].\n\n",
            "",
        ),
        each: Some(("", "\n\n")),
        shape: Shape::Bare,
        indented: false,
    },
    calls: Calls {
        group: ("", ""),
        each: ("", ""),
        between: "",
        gap: ("", ""),
        alone: true,
        notation: Notation::Pythonic,
    },
    results: Outcomes {
        group: ("", ""),
        each: ("<|header_start|>ipython<|header_end|>\n\n", "<|eot|>"),
        between: "",
        named: None,
        content: Content::Json,
    },
    parallel: true,
    markers: &[
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|header_start|>",
        "<|header_end|>",
        "<|eot|>",
        "<|eom|>",
        "<|python_start|>",
        "<|python_end|>",
    ],
    ..LLAMA3
};

/// Mistral's tokeniser of version 3 (7B v0.3, Mixtral 8x22B, Large 2407).
pub(crate) const MISTRAL_V3: Dialect = Dialect {
    format: Format::MistralV3,
    style: SPACED,
    begin: "<s>",
    system: None,
    user: ("[INST] ", "[/INST]"),
    agent: ("", "</s>"),
    goes_on: false,
    stays_open: false,
    ends: &[],
    attempt: ("", ""),
    other_calls: &[],
    tools: Declarations {
        stand: Stand::First,
        around: ("[AVAILABLE_TOOLS] ", "[/AVAILABLE_TOOLS]"),
        each: None,
        shape: Shape::Function,
        indented: false,
    },
    thought: None,
    text: " ",
    calls: Calls {
        group: ("", ""),
        each: ("[TOOL_CALLS] ", ""),
        between: "",
        gap: ("", ""),
        alone: false,
        notation: Notation::List,
    },
    results: Outcomes {
        group: ("", ""),
        each: ("[TOOL_RESULTS] ", "[/TOOL_RESULTS]"),
        between: "",
        named: None,
        content: Content::Object,
    },
    parallel: true,
    markers: MISTRAL_MARKERS,
};

const MISTRAL_MARKERS: &[&str] = &[
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_CALLS]",
    "[ARGS]",
    "[CALL_ID]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CONTENT]",
    "[THINK]",
    "[/THINK]",
];

/// Mistral's tokeniser of version 13 (Small 3.2, Magistral, Devstral).
pub(crate) const MISTRAL_V13: Dialect = Dialect {
    format: Format::MistralV13,
    system: Some(("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]")),
    user: ("[INST]", "[/INST]"),
    tools: Declarations {
        stand: Stand::AfterSystem,
        around: ("[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
        each: None,
        shape: Shape::Function,
        indented: false,
    },
    thought: Some(Thought { around: ("[THINK]", "[/THINK]"), none: "" }),
    text: "",
    calls: Calls {
        group: ("", ""),
        each: ("[TOOL_CALLS]", ""),
        between: "",
        gap: ("", ""),
        alone: false,
        notation: Notation::Named { id: "[CALL_ID]", arguments: "[ARGS]" },
    },
    results: Outcomes {
        group: ("", ""),
        each: ("[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
        between: "",
        named: None,
        content: Content::After("[TOOL_CONTENT]"),
    },
    ..MISTRAL_V3
};

const DEEPSEEK_CALLS: Calls = Calls {
    group: ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
    each: ("<｜tool▁call▁begin｜>function<｜tool▁sep｜>", "\n```<｜tool▁call▁end｜>"),
    between: "\n",
    gap: ("", ""),
    alone: false,
    notation: Notation::Named { id: "", arguments: "\n```json\n" },
};

/// DeepSeek V3 and R1.
pub(crate) const DEEPSEEK_V3: Dialect = Dialect {
    format: Format::DeepSeekV3,
    style: SPACED,
    begin: "<｜begin▁of▁sentence｜>",
    system: Some(("", "")),
    user: ("<｜User｜>", ""),
    agent: ("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
    goes_on: true,
    stays_open: false,
    ends: &[],
    attempt: ("", ""),
    // Of V3.1.
    other_calls: &[Calls {
        each: ("<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"),
        between: "",
        notation: Notation::Named { id: "", arguments: "<｜tool▁sep｜>" },
        ..DEEPSEEK_CALLS
    }],
    tools: Declarations {
        stand: Stand::InSystem,
        around: ("## Tools\n\n### Function\n\nYou have the following functions available:\n\n", ""),
        each: Some(("```json\n", "\n```\n")),
        shape: Shape::Bare,
        indented: false,
    },
    thought: THINK,
    text: "",
    calls: DEEPSEEK_CALLS,
    results: Outcomes {
        group: ("<｜tool▁outputs▁begin｜>", "<｜tool▁outputs▁end｜>"),
        each: ("<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>"),
        between: "\n",
        named: None,
        content: Content::Text,
    },
    parallel: true,
    markers: &[
        "<｜begin▁of▁sentence｜>",
        "<｜end▁of▁sentence｜>",
        "<｜User｜>",
        "<｜Assistant｜>",
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁calls▁end｜>",
        "<｜tool▁call▁begin｜>",
        "<｜tool▁call▁end｜>",
        "<｜tool▁sep｜>",
        "<｜tool▁outputs▁begin｜>",
        "<｜tool▁outputs▁end｜>",
        "<｜tool▁output▁begin｜>",
        "<｜tool▁output▁end｜>",
        "## Tools\n\n### Function",
        "\n```json\n",
        "<think>",
        "</think>",
    ],
};

const DSML: Calls = Calls {
    group: ("<｜DSML｜function_calls>\n", "</｜DSML｜function_calls>"),
    each: ("<｜DSML｜invoke name=\"", "</｜DSML｜invoke>\n"),
    between: "",
    gap: ("\n\n", "\n\n"),
    alone: false,
    notation: Notation::Tagged {
        after_name: "\">\n",
        tags: Tags {
            open: "<｜DSML｜parameter name=\"",
            after_name: ("\" string=\"true\">", "\" string=\"false\">"),
            close: "</｜DSML｜parameter>\n",
            python: false,
        },
    },
};

/// DeepSeek V3.2, whose markup is called DSML.
pub(crate) const DEEPSEEK_V32: Dialect = Dialect {
    format: Format::DeepSeekV32,
    tools: Declarations {
        stand: Stand::InSystem,
        around: (
            "## Tools\n\nYou have access to a set of tools you can use to answer the user's question.\nYou can invoke \
             functions by writing a \"<｜DSML｜function_calls>\" block like the following as part of your reply to the \
             user:\n<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"$FUNCTION_NAME\">\n<｜DSML｜parameter \
             name=\"$PARAMETER_NAME\" string=\"true|false\">$PARAMETER_VALUE</｜DSML｜parameter>\n...\n\
             </｜DSML｜invoke>\n<｜DSML｜invoke name=\"$FUNCTION_NAME2\">\n...\n</｜DSML｜invoke>\n\
             </｜DSML｜function_calls>\n\nString and scalar parameters should be specified as is without any escaping \
             or quotes, while lists and objects should use JSON format. The \"string\" attribute should be set to \
             \"true\" for string type parameters and \"false\" for other types (numbers, booleans, arrays, objects).\n\n\
             If the thinking_mode is enabled, then after function results you should strongly consider outputting a \
             thinking block. Here is an example:\n\n<｜DSML｜function_calls>\n...\n</｜DSML｜function_calls>\n\n\
             <function_results>\n...\n</function_results>\n\n<think>...thinking about results</think>\n\nHere are the \
             functions available in JSONSchema format:\n<functions>\n",
            "</functions>\n",
        ),
        each: Some(("", "\n")),
        shape: Shape::Bare,
        indented: false,
    },
    thought: Some(Thought { around: ("<think>", "</think>"), none: "</think>" }),
    calls: DSML,
    other_calls: &[
        // Of V4.
        Calls { group: ("<｜DSML｜tool_calls>\n", "</｜DSML｜tool_calls>"), ..DSML },
        // The model often leaves out the mark of the markup.
        Calls {
            group: ("<function_calls>\n", "</function_calls>"),
            each: ("<invoke name=\"", "</invoke>\n"),
            notation: Notation::Tagged {
                after_name: "\">\n",
                tags: Tags {
                    open: "<parameter name=\"",
                    after_name: ("\" string=\"true\">", "\" string=\"false\">"),
                    close: "</parameter>\n",
                    python: false,
                },
            },
            ..DSML
        },
    ],
    results: Outcomes {
        group: ("\n\n<function_results>", "\n</function_results>\n\n"),
        each: ("\n<result>", "</result>"),
        between: "",
        named: None,
        content: Content::Text,
    },
    markers: &[
        "<｜begin▁of▁sentence｜>",
        "<｜end▁of▁sentence｜>",
        "<｜User｜>",
        "<｜Assistant｜>",
        "<｜DSML｜",
        "</｜DSML｜",
        "\" string=\"",
        "<function_calls>",
        "</function_calls>",
        "<invoke name=\"",
        "</invoke>",
        "<parameter name=\"",
        "</parameter>",
        "<functions>",
        "</functions>",
        "<function_results>",
        "</function_results>",
        "<result>",
        "</result>",
        "<think>",
        "</think>",
    ],
    ..DEEPSEEK_V3
};

/// GLM 4.5 and 4.6; of 4.7 and 5, which are the same without line breaks, what is read.
pub(crate) const GLM45: Dialect = Dialect {
    format: Format::Glm45,
    style: SPACED,
    begin: "[gMASK]<sop>",
    system: Some(("<|system|>\n", "")),
    user: ("<|user|>\n", ""),
    agent: ("<|assistant|>\n", ""),
    goes_on: false,
    stays_open: false,
    ends: &["<|endoftext|>"],
    attempt: ("", ""),
    other_calls: &[],
    tools: Declarations {
        stand: Stand::First,
        around: (
            "<|system|>\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are \
             provided with function signatures within <tools></tools> XML tags:\n<tools>\n",
            "</tools>\n\nFor each function call, output the function name and arguments within the following XML \
             format:\n<tool_call>{function-name}\n<arg_key>{arg-key-1}</arg_key>\n<arg_value>{arg-value-1}</arg_value>\n\
             <arg_key>{arg-key-2}</arg_key>\n<arg_value>{arg-value-2}</arg_value>\n...\n</tool_call>",
        ),
        each: Some(("", "\n")),
        shape: Shape::Function,
        indented: false,
    },
    thought: Some(Thought { around: ("<think>", "</think>"), none: "<think></think>" }),
    text: "\n",
    calls: Calls {
        group: ("", ""),
        each: ("<tool_call>", "</tool_call>"),
        between: "\n",
        gap: ("\n", "\n"),
        alone: false,
        notation: Notation::Tagged {
            after_name: "\n",
            tags: Tags {
                open: "<arg_key>",
                after_name: ("</arg_key>\n<arg_value>", "</arg_key>\n<arg_value>"),
                close: "</arg_value>\n",
                python: false,
            },
        },
    },
    results: Outcomes {
        group: ("<|observation|>", ""),
        each: ("\n<tool_response>\n", "\n</tool_response>"),
        between: "",
        named: None,
        content: Content::Text,
    },
    parallel: true,
    markers: &[
        "[gMASK]",
        "<sop>",
        "<|system|>",
        "<|user|>",
        "<|assistant|>",
        "<|observation|>",
        "<|endoftext|>",
        "<tools>",
        "</tools>",
        "<tool_call>",
        "</tool_call>",
        "<tool_response>",
        "</tool_response>",
        "<arg_key>",
        "</arg_key>",
        "<arg_value>",
        "</arg_value>",
        "<think>",
        "</think>",
    ],
};

/// Kimi K2.
pub(crate) const KIMI_K2: Dialect = Dialect {
    format: Format::KimiK2,
    style: SPACED,
    begin: "",
    system: Some(("<|im_system|>system<|im_middle|>", "<|im_end|>")),
    user: ("<|im_user|>user<|im_middle|>", "<|im_end|>"),
    agent: ("<|im_assistant|>assistant<|im_middle|>", "<|im_end|>"),
    goes_on: false,
    stays_open: false,
    ends: &[],
    attempt: ("", ""),
    other_calls: &[],
    tools: Declarations {
        stand: Stand::First,
        around: ("<|im_system|>tool_declare<|im_middle|>", "<|im_end|>"),
        each: None,
        shape: Shape::Function,
        indented: false,
    },
    thought: Some(Thought { around: ("<think>", "</think>"), none: "" }),
    text: "",
    calls: Calls {
        group: ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
        each: ("<|tool_call_begin|>", "<|tool_call_end|>"),
        between: "",
        gap: ("", ""),
        alone: false,
        notation: Notation::Numbered("<|tool_call_argument_begin|>"),
    },
    results: Outcomes {
        group: ("", ""),
        each: ("<|im_system|>tool<|im_middle|>## Return of ", "<|im_end|>"),
        between: "",
        named: Some(("<|im_system|>", "<|im_middle|>", "## Return of ")),
        content: Content::Numbered,
    },
    parallel: true,
    markers: &[
        "<|im_system|>",
        "<|im_user|>",
        "<|im_assistant|>",
        "<|im_middle|>",
        "<|im_end|>",
        "<|tool_calls_section_begin|>",
        "<|tool_calls_section_end|>",
        "<|tool_call_begin|>",
        "<|tool_call_argument_begin|>",
        "<|tool_call_end|>",
        "<think>",
        "</think>",
    ],
};

/// MiniMax M2.
pub(crate) const MINIMAX_M2: Dialect = Dialect {
    format: Format::MiniMaxM2,
    style: SPACED,
    begin: "]~!b[",
    system: Some(("]~b]system\n", "[e~[\n")),
    user: ("]~b]user\n", "[e~[\n"),
    agent: ("]~b]ai\n", "[e~[\n"),
    goes_on: false,
    stays_open: false,
    ends: &[],
    attempt: ("", ""),
    other_calls: &[],
    tools: Declarations {
        stand: Stand::InSystem,
        around: (
            "# Tools\nYou may call one or more tools to assist with the user query.\nHere are the tools available in \
             JSONSchema format:\n\n<tools>\n",
            "</tools>\n\nWhen making tool calls, use XML format to invoke tools and pass parameters:\n\n\
             <minimax:tool_call>\n<invoke name=\"tool-name-1\">\n<parameter name=\"param-key-1\">param-value-1</parameter>\n\
             <parameter name=\"param-key-2\">param-value-2</parameter>\n...\n</invoke>\n</minimax:tool_call>",
        ),
        each: Some(("<tool>", "</tool>\n")),
        shape: Shape::Bare,
        indented: false,
    },
    thought: THINK,
    text: "",
    calls: Calls {
        group: ("<minimax:tool_call>\n", "</minimax:tool_call>"),
        each: ("<invoke name=\"", "</invoke>\n"),
        between: "",
        gap: ("\n", "\n"),
        alone: false,
        notation: Notation::Tagged {
            after_name: "\">\n",
            tags: Tags {
                open: "<parameter name=\"",
                after_name: ("\">", "\">"),
                close: "</parameter>\n",
                python: false,
            },
        },
    },
    results: Outcomes {
        group: ("]~b]tool", "[e~[\n"),
        each: ("\n<response>", "</response>"),
        between: "",
        named: None,
        content: Content::Text,
    },
    parallel: true,
    markers: &[
        "]~!b[",
        "]~b]",
        "[e~[",
        "<tools>",
        "</tools>",
        "<tool>",
        "</tool>",
        "<minimax:tool_call>",
        "</minimax:tool_call>",
        "<invoke",
        "</invoke>",
        "<parameter",
        "</parameter>",
        "<response>",
        "</response>",
        "<think>",
        "</think>",
    ],
};

/// Gemma 4.
pub(crate) const GEMMA4: Dialect = Dialect {
    format: Format::Gemma4,
    style: SPACED,
    begin: "<bos>",
    system: Some(("<|turn>system\n", "<turn|>\n")),
    user: ("<|turn>user\n", "<turn|>\n"),
    agent: ("<|turn>model\n", "<turn|>\n"),
    goes_on: false,
    stays_open: true,
    ends: &[],
    attempt: ("", ""),
    other_calls: &[],
    tools: Declarations {
        stand: Stand::InSystem,
        around: ("", ""),
        each: Some(("<|tool>", "<tool|>")),
        shape: Shape::Bare,
        indented: false,
    },
    thought: Some(Thought { around: ("<|channel>thought\n", "\n<channel|>"), none: "" }),
    text: "",
    calls: Calls {
        group: ("", ""),
        each: ("<|tool_call>", "<tool_call|>"),
        between: "",
        gap: ("", ""),
        alone: false,
        notation: Notation::Gemma,
    },
    results: Outcomes {
        group: ("", ""),
        each: ("<|tool_response>", "<tool_response|>"),
        between: "",
        named: None,
        content: Content::Gemma,
    },
    parallel: true,
    markers: &[
        "<bos>",
        "<eos>",
        "<|turn>",
        "<turn|>",
        "<|channel>",
        "<channel|>",
        "<|tool>",
        "<tool|>",
        "<|tool_call>",
        "<tool_call|>",
        "<|tool_response>",
        "<tool_response|>",
        "<|think|>",
        "<|\"|>",
    ],
};
