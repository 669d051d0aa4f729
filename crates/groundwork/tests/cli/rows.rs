//! `trace convert` of Parquet files of others.

use std::fs::File;
use std::sync::Arc;

use groundwork_corpus::arrow_array::builder::{ListBuilder, StringBuilder, StructBuilder};
use groundwork_corpus::arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray};
use groundwork_corpus::arrow_schema::{DataType, Field, Fields};
use groundwork_corpus::parquet::arrow::ArrowWriter;

use crate::workshop::Workshop;

fn table(shop: &Workshop, name: &str, columns: Vec<(&str, ArrayRef)>) {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
    let file = File::create(shop.path(name)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn texts(texts: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

/// Messages as data sets hold them: every message has the fields of all.
fn messages(rows: &[&[(&str, Option<&str>)]]) -> ArrayRef {
    let field = |name: &str| Field::new(name, DataType::Utf8, true);
    let fields = Fields::from(vec![field("content"), field("role"), field("name")]);
    let mut list = ListBuilder::new(StructBuilder::from_fields(fields, 0));
    for row in rows {
        for (role, content) in *row {
            let message = list.values();
            message.field_builder::<StringBuilder>(0).unwrap().append_option(*content);
            message.field_builder::<StringBuilder>(1).unwrap().append_value(role);
            message.field_builder::<StringBuilder>(2).unwrap().append_null();
            message.append(true);
        }
        list.append(true);
    }
    Arc::new(list.finish())
}

const TOOLS: &str = r#"[{"type":"function","function":{"name":"list","description":"Lists.","parameters":{"type":"object","properties":{"dir":{"type":"string"}},"required":["dir"],"additionalProperties":false}}}]"#;

#[test]
fn a_row_is_a_document_where_it_has_its_key() {
    let shop = Workshop::new();
    let rows = messages(&[&[("user", Some("a")), ("assistant", Some("b"))], &[("user", Some("c"))]]);
    table(
        &shop,
        "x.parquet",
        vec![
            ("id", Arc::new(Int64Array::from(vec![7, 8]))),
            ("picture", Arc::new(BinaryArray::from(vec![&b"\xff"[..], b""]))),
            ("messages", rows),
            ("tools", texts(&[Some(TOOLS), None])),
        ],
    );
    let said = shop.run("trace convert openai-chat trace x.parquet".split(' ')).fine();
    assert_eq!(
        said.out,
        "tools {\n  /// Lists.\n  list(dir: str) -> any\n}\ngoal: a\nanswer: b\n---\ngoal: c\n"
    );
    assert!(said.err.contains("2 traces") && said.err.contains("`id`"), "{said:?}");
    // A column alone is a document too.
    let said = shop.run("trace convert openai-chat trace x.parquet --column messages".split(' ')).fine();
    assert_eq!(said.out, "goal: a\nanswer: b\n---\ngoal: c\n");
    shop.run("trace convert openai-chat trace x.parquet -o y.parquet".split(' ')).fine();
    let again = shop.run("trace convert trace openai-chat y.parquet".split(' ')).fine();
    assert_eq!(again.out.lines().count(), 2);
}

#[test]
fn a_column_of_text_is_read_and_a_wrong_row_has_its_number() {
    let shop = Workshop::new();
    let chat = |goal: &str| format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{goal}\"}}]}}");
    let (a, b) = (chat("a"), chat("b"));
    let column = texts(&[Some(&a), Some("{\"messages\":\n [3}"), None, Some(&b)]);
    table(&shop, "x.parquet", vec![("log", column)]);
    let convert = ["trace", "convert", "openai-chat", "trace", "x.parquet"];
    let place = ["`x.parquet`: document 1, row 2: ", "at line 2, column 4"];
    shop.run(convert.into_iter().chain(["-o", "x.trace"])).refused(&place);
    assert_eq!(shop.entries(""), ["x.parquet"]);
    let said = shop.run(convert.into_iter().chain(["--skip-bad"]));
    assert_eq!((said.code, said.out.as_str()), (Some(1), "goal: a\n---\ngoal: b\n"), "{said:?}");
    assert!(
        said.err.contains("document 2, row 3: this row is null") && said.err.contains("2 documents were")
    );
    // The trace language and chat text are text.
    let column = texts(&[Some("goal: a\nanswer: b\n"), Some("gaol: a\n")]);
    table(&shop, "y.parquet", vec![("id", texts(&[Some("1"), Some("2")])), ("text", column)]);
    let said = shop.run("trace convert trace openai-chat y.parquet --skip-bad".split(' '));
    assert_eq!(said.out.lines().count(), 1, "{said:?}");
    assert!(said.err.contains("did you mean `goal`?"), "{said:?}");
    let column = texts(&[Some("<|im_start|>user\na<|im_end|>\n")]);
    table(&shop, "z.parquet", vec![("chat", column)]);
    assert_eq!(shop.run("trace convert hermes trace z.parquet".split(' ')).fine().out, "goal: a\n");
}

#[test]
fn where_no_column_is_known_they_are_listed() {
    let shop = Workshop::new();
    let two = || messages(&[&[("user", Some("a"))]]);
    table(
        &shop,
        "x.parquet",
        vec![("n", Arc::new(Int64Array::from(vec![1]))), ("chosen", two()), ("rejected", two())],
    );
    let list = "`chosen`: list<struct<content: string, role: string, name: string>>";
    shop.run("trace convert openai-chat trace x.parquet".split(' ')).refused(&[
        "`x.parquet`",
        "`n`: int64",
        list,
        "hint: name it with `--column`; with a column `messages` the whole row is one",
    ]);
    shop.run("trace convert openai-chat trace x.parquet --column chose".split(' '))
        .refused(&["there is no column `chose`", list]);
    shop.run("trace convert openai-chat trace x.parquet --column n".split(' '))
        .refused(&["the column `n` holds int64", "JSON text, lists or objects"]);
    shop.run("trace convert hermes trace x.parquet --column chosen".split(' '))
        .refused(&["the column `chosen` holds list<", "are text"]);
    let said = shop.run("trace convert openai-chat trace x.parquet --column chosen".split(' ')).fine();
    assert_eq!(said.out, "goal: a\n");
    shop.run("trace show x.parquet".split(' ')).refused(&["`x.parquet`", "`n`: int64"]);
    shop.run("trace convert openai-chat trace x.jsonl --column a".split(' '))
        .refused(&["`x.jsonl` has no columns"]);
}
