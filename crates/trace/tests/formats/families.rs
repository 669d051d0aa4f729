//! One whole conversation a family, as its own template or model writes it: what everybody says, a thought, a call,
//! its result, and a call that is cut off.

use groundwork_trace::Trace;
use groundwork_trace::adapters::Format;

use crate::said::without_said;

const WITH_THOUGHTS: &str = "system: Be brief.\ngoal: Pay.\nthought: Two.\naction: pay(to=\"Ann\")\nobservation: \"ok\"\nthought: Bob.\n";
const WITHOUT: &str = "system: Be brief.\ngoal: Pay.\naction: pay(to=\"Ann\")\nobservation: \"ok\"\n";

/// The format, the conversation, what it says up to the call that is cut off, and that call.
pub(crate) const CONVERSATIONS: &[(Format, &str, &str, &str)] = &[
    (
        Format::Hermes,
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nPay.<|im_end|>\n<|im_start|>assistant\n<think>\nTwo.\n\
         </think>\n\n<tool_call>\n{\"name\": \"pay\", \"arguments\": {\"to\": \"Ann\"}}\n</tool_call><|im_end|>\n\
         <|im_start|>user\n<tool_response>\nok\n</tool_response><|im_end|>\n<|im_start|>assistant\n<think>\nBob.\n\
         </think>\n\n<tool_call>\n{\"name\": \"pay\", \"arguments\": {\"to\": \"B",
        WITH_THOUGHTS,
        "action [failed]: {\"name\": \"pay\", \"arguments\": {\"to\": \"B\n",
    ),
    // Of Nous Research: results have a role of their own.
    (
        Format::Hermes,
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nPay.<|im_end|>\n<|im_start|>assistant\n<tool_call>\n\
         {\"arguments\": {\"to\": \"Ann\"}, \"name\": \"pay\"}\n</tool_call><|im_end|>\n<|im_start|>tool\n<tool_response>\n\
         ok\n</tool_response>\n<|im_end|><|im_start|>assistant\n<tool_call>\n{\"arguments\": {\"to\": \"B",
        WITHOUT,
        "action [failed]: {\"arguments\": {\"to\": \"B\n",
    ),
    (
        Format::QwenCoder,
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nPay.<|im_end|>\n<|im_start|>assistant\n<think>\nTwo.\n\
         </think>\n\n<tool_call>\n<function=pay>\n<parameter=to>\nAnn\n</parameter>\n</function>\n</tool_call><|im_end|>\n\
         <|im_start|>user\n<tool_response>\nok\n</tool_response><|im_end|>\n<|im_start|>assistant\n<think>\nBob.\n\
         </think>\n\n<tool_call>\n<function=pay>\n<parameter=to>\nB",
        WITH_THOUGHTS,
        "action [failed]: pay: <parameter=to>\n  B\n",
    ),
    // The model often leaves out the outer element.
    (
        Format::QwenCoder,
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nPay.<|im_end|>\n<|im_start|>assistant\n<function=pay>\n\
         <parameter=to>\nAnn\n</parameter>\n</function>\n</tool_call><|im_end|>\n<|im_start|>user\n<tool_response>\nok\n\
         </tool_response>\n<|im_end|>\n<|im_start|>assistant\n<function=pay>\n<parameter=to>\nB",
        WITHOUT,
        "action [failed]: pay: <parameter=to>\n  B\n",
    ),
    (
        Format::Llama3,
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user\
         <|end_header_id|>\n\nPay.<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{\"name\": \"pay\", \
         \"parameters\": {\"to\": \"Ann\"}}<|eom_id|><|start_header_id|>ipython<|end_header_id|>\n\n\"ok\"<|eot_id|>\
         <|start_header_id|>assistant<|end_header_id|>\n\n<|python_tag|>{\"name\": \"pay\", \"parameters\": {\"to\": \"B",
        WITHOUT,
        "action [failed]: {\"name\": \"pay\", \"parameters\": {\"to\": \"B\n",
    ),
    (
        Format::Llama4,
        "<|begin_of_text|><|header_start|>system<|header_end|>\n\nBe brief.<|eot|><|header_start|>user<|header_end|>\n\n\
         Pay.<|eot|><|header_start|>assistant<|header_end|>\n\n<|python_start|>[pay(to='Ann',)]<|python_end|><|eom|>\
         <|header_start|>ipython<|header_end|>\n\n\"ok\"<|eot|><|header_start|>assistant<|header_end|>\n\n[pay(to=\"B",
        WITHOUT,
        "action [failed]: [pay(to=\"B\n",
    ),
    (
        Format::MistralV3,
        "<s>[INST] Be brief.\n\nPay.[/INST][TOOL_CALLS] [{\"name\": \"pay\", \"arguments\": {\"to\": \"Ann\"}, \"id\": \
         \"bbc5b7ede\"}]</s>[TOOL_RESULTS] {\"content\": \"ok\", \"call_id\": \"bbc5b7ede\"}[/TOOL_RESULTS][TOOL_CALLS] \
         [{\"name\": \"pay\", \"arguments\": {\"to\": \"B",
        "goal: Be brief.\n\n  Pay.\naction: pay(to=\"Ann\")\nobservation: \"ok\"\n",
        "action [failed]: [{\"name\": \"pay\", \"arguments\": {\"to\": \"B\n",
    ),
    (
        Format::MistralV13,
        "<s>[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]Pay.[/INST][THINK]Two.[/THINK][TOOL_CALLS]pay[CALL_ID]bbc5b7ede\
         [ARGS]{\"to\": \"Ann\"}</s>[TOOL_RESULTS]bbc5b7ede[TOOL_CONTENT]ok[/TOOL_RESULTS][THINK]Bob.[/THINK]\
         [TOOL_CALLS]pay[CALL_ID]D681PevKs[ARGS]{\"to\": \"B",
        WITH_THOUGHTS,
        "action [failed]: pay(to=\"B\n",
    ),
    (
        Format::DeepSeekV3,
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Pay.<｜Assistant｜><think>\nTwo.\n</think>\n\n<｜tool▁calls▁begin｜>\
         <｜tool▁call▁begin｜>function<｜tool▁sep｜>pay\n```json\n{\"to\": \"Ann\"}\n```<｜tool▁call▁end｜>\
         <｜tool▁calls▁end｜><｜end▁of▁sentence｜><｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>ok<｜tool▁output▁end｜>\
         <｜tool▁outputs▁end｜><think>\nBob.\n</think>\n\n<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>pay\
         \n```json\n{\"to\": \"B",
        WITH_THOUGHTS,
        "action [failed]: pay(to=\"B\n",
    ),
    // V3.1, which thinks or does not.
    (
        Format::DeepSeekV3,
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Pay.<｜Assistant｜></think><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>pay\
         <｜tool▁sep｜>{\"to\": \"Ann\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜><｜tool▁output▁begin｜>ok\
         <｜tool▁output▁end｜><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>pay<｜tool▁sep｜>{\"to\": \"B",
        WITHOUT,
        "action [failed]: pay(to=\"B\n",
    ),
    (
        Format::DeepSeekV32,
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Pay.<｜Assistant｜><think>Two.</think>\n\n<｜DSML｜function_calls>\n\
         <｜DSML｜invoke name=\"pay\">\n<｜DSML｜parameter name=\"to\" string=\"true\">Ann</｜DSML｜parameter>\n\
         </｜DSML｜invoke>\n</｜DSML｜function_calls><｜end▁of▁sentence｜>\n\n<function_results>\n<result>ok</result>\n\
         </function_results>\n\n<think>Bob.</think>\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"pay\">\n\
         <｜DSML｜parameter name=\"to\" string=\"true\">B",
        WITH_THOUGHTS,
        "action [failed]: pay: <｜DSML｜parameter name=\"to\" string=\"true\">B\n",
    ),
    // The model often leaves out the mark of the markup.
    (
        Format::DeepSeekV32,
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Pay.<｜Assistant｜><think>Two.</think>\n\n<function_calls>\n<invoke \
         name=\"pay\">\n<parameter name=\"to\" string=\"true\">Ann</parameter>\n</invoke>\n</function_calls>\
         <｜end▁of▁sentence｜>\n\n<function_results>\n<result>ok</result>\n</function_results>\n\n<think>Bob.</think>\n\n\
         <function_calls>\n<invoke name=\"pay\">\n<parameter name=\"to\" string=\"true\">B",
        WITH_THOUGHTS,
        "action [failed]: pay: <parameter name=\"to\" string=\"true\">B\n",
    ),
    (
        Format::Glm45,
        "[gMASK]<sop><|system|>\nBe brief.<|user|>\nPay.<|assistant|>\n<think>Two.</think>\n<tool_call>pay\n\
         <arg_key>to</arg_key>\n<arg_value>Ann</arg_value>\n</tool_call><|observation|>\n<tool_response>\nok\n\
         </tool_response><|assistant|>\n<think>Bob.</think>\n<tool_call>pay\n<arg_key>to</arg_key>\n<arg_value>B",
        WITH_THOUGHTS,
        "action [failed]: pay: <arg_key>to</arg_key>\n  <arg_value>B\n",
    ),
    // 4.7 and 5, without line breaks.
    (
        Format::Glm45,
        "[gMASK]<sop><|system|>Be brief.<|user|>Pay.<|assistant|><think>Two.</think><tool_call>pay<arg_key>to</arg_key>\
         <arg_value>Ann</arg_value></tool_call><|observation|><tool_response>ok</tool_response><|assistant|><think>Bob.\
         </think><tool_call>pay<arg_key>to</arg_key><arg_value>B",
        WITH_THOUGHTS,
        "action [failed]: pay: <arg_key>to</arg_key><arg_value>B\n",
    ),
    (
        Format::KimiK2,
        "<|im_system|>system<|im_middle|>Be brief.<|im_end|><|im_user|>user<|im_middle|>Pay.<|im_end|><|im_assistant|>\
         assistant<|im_middle|><think>Two.</think><|tool_calls_section_begin|><|tool_call_begin|>functions.pay:0\
         <|tool_call_argument_begin|>{\"to\": \"Ann\"}<|tool_call_end|><|tool_calls_section_end|><|im_end|><|im_system|>pay\
         <|im_middle|>## Return of functions.pay:0\nok<|im_end|><|im_assistant|>assistant<|im_middle|><think>Bob.</think>\
         <|tool_calls_section_begin|><|tool_call_begin|>functions.pay:1<|tool_call_argument_begin|>{\"to\": \"B",
        WITH_THOUGHTS,
        "action [failed]: pay(to=\"B\n",
    ),
    (
        Format::MiniMaxM2,
        "]~!b[]~b]system\nBe brief.[e~[\n]~b]user\nPay.[e~[\n]~b]ai\n<think>\nTwo.\n</think>\n\n<minimax:tool_call>\n\
         <invoke name=\"pay\">\n<parameter name=\"to\">Ann</parameter>\n</invoke>\n</minimax:tool_call>[e~[\n]~b]tool\n\
         <response>ok</response>[e~[\n]~b]ai\n<think>\nBob.\n</think>\n\n<minimax:tool_call>\n<invoke name=\"pay\">\n\
         <parameter name=\"to\">B",
        WITH_THOUGHTS,
        "action [failed]: pay: <parameter name=\"to\">B\n",
    ),
    (
        Format::Gemma4,
        "<bos><|turn>system\nBe brief.<turn|>\n<|turn>user\nPay.<turn|>\n<|turn>model\n<|channel>thought\nTwo.\n<channel|>\
         <|tool_call>call:pay{to:<|\"|>Ann<|\"|>}<tool_call|><|tool_response>response:pay{value:<|\"|>ok<|\"|>}\
         <tool_response|><|channel>thought\nBob.\n<channel|><|tool_call>call:pay{to:<|\"|>B",
        WITH_THOUGHTS,
        "action [failed]: pay: to:<|\"|>B\n",
    ),
    (
        Format::Harmony,
        "<|start|>developer<|message|># Instructions\n\nBe brief.<|end|><|start|>user<|message|>Pay.<|end|><|start|>assistant\
         <|channel|>analysis<|message|>Two.<|end|><|start|>assistant<|channel|>commentary to=functions.pay <|constrain|>json\
         <|message|>{\"to\":\"Ann\"}<|call|><|start|>functions.pay to=assistant<|channel|>commentary<|message|>ok<|end|>\
         <|start|>assistant<|channel|>analysis<|message|>Bob.<|end|><|start|>assistant<|channel|>commentary to=functions.pay \
         <|constrain|>json<|message|>{\"to\":\"B",
        WITH_THOUGHTS,
        "action [failed]: pay(to=\"B\n",
    ),
    (
        Format::ReAct,
        "System: Be brief.\nQuestion: Pay.\nThought: Two.\nAction: pay\nAction Input: {\"to\": \"Ann\"}\nObservation: ok\n\
         Thought: Bob.\nAction: pay\nAction Input: {\"to\": \"B",
        WITH_THOUGHTS,
        "action [failed]: pay(to=\"B\n",
    ),
];

#[test]
fn a_whole_conversation_of_every_family() {
    let mut wrong = String::new();
    for &(format, text, whole, cut_off) in CONVERSATIONS {
        let found = match format.read(text) {
            Ok(read) => Trace::print_all(&read.value.into_iter().map(without_said).collect::<Vec<_>>()),
            Err(e) => e.to_string(),
        };
        if found != [whole, cut_off].concat() {
            wrong.push_str(&format!("{}: {text}\n---\n{found}\n---\n", format.name()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let known = |f: &Format| CONVERSATIONS.iter().any(|(format, ..)| format == f);
    let text = |f: &Format| f.document() == groundwork_trace::adapters::Document::Text;
    let tools_alone = |f: &Format| matches!(f, Format::Python | Format::TypeScript);
    assert!(Format::ALL.iter().filter(|f| text(f) && !tools_alone(f)).all(known));
}
