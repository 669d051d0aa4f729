//! Evaluations: suites, models of both kinds, and what is done with stored scores.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use crate::workshop::Workshop;

#[test]
fn suites_are_listed_with_what_knows_nothing() {
    let shop = Workshop::new();
    let said = shop.run(["eval", "suites"]).fine();
    for word in ["planning", "recovery", "state-tracking", "route"] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    shop.write("small.toml", "worlds = [\"files\", \"route\"]\nlevels = [1]\ntasks = 4\n");
    let said = shop.run("eval suites small.toml --floors --tasks 4 --markdown".split(' ')).fine();
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(
        lines[0].starts_with("| suite | tasks | null |") && lines[0].ends_with("expert |"),
        "{}",
        said.out
    );
    assert!(lines[2].contains("| 0.0% |") && lines[2].ends_with("| 100.0% |"), "{}", said.out);
    shop.run(["eval", "suites", "planing"]).refused(&["no capability `planing`", "did you mean `planning`"]);
    shop.run(["eval"]).refused(&["no model is named", "hint:"]);
    shop.run(["eval", "http://localhost:1/v1"]).refused(&["names no model", "#name-of-the-model"]);

    shop.run("trace generate files -o seen.parquet --count 30 --levels 1".split(' ')).fine();
    let said = shop.run(["eval", "overlap", "small.toml", "seen.parquet"]).fine();
    assert!(said.out.contains("to the letter: the longest shared sequence has 0 actions"), "{}", said.out);
    let found = shop.run("eval overlap small.toml seen.parquet --json".split(' ')).fine().json();
    assert!(found["structural"]["longest"].as_u64() > Some(0), "{found}");
}

#[test]
fn stored_attempts_are_shown_graded_again_and_compared() {
    let shop = Workshop::with_a_run();
    shop.run("eval tiny --suite suite.toml --html page.html".split(' ')).fine();
    let page = shop.read("page.html");
    for word in ["Floors and ceiling", "how the expert does it", "Success by level"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(!page.contains("src=") && !page.contains("href="), "it loads nothing");
    // What chance gives stands where chance was computed, and nowhere else.
    let row = |name: &str| {
        let from = page.find(&format!("<tr><td>{name}</td>")).expect(name);
        let row = page[from..].split("</tr>").next().unwrap();
        row.split("<td>").skip(2).map(|c| c.split('<').next().unwrap().trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(row("bits_per_action_byte")[1], "–");
    assert!(row("expert_action_mrr")[1].parse::<f64>().is_ok_and(|chance| chance > 0.0 && chance < 1.0));
    let run = shop.only("runs", "tiny-");
    let before = shop.contents();
    let said = shop.run(["eval", "regrade", "tiny"]).fine();
    assert!(said.out.contains("0 of 4 grades change"), "{said:?}");
    assert_eq!(shop.contents(), before, "a second grade is the first");
    let said = shop.run("eval replay tiny --fault none --count 2".split(' ')).fine();
    assert!(said.out.contains("attempt 1 of 2: files, level 1, no fault") && said.out.contains("olved."));
    shop.run("eval replay tiny --html one.html".split(' ')).fine();
    assert!(shop.read("one.html").contains("goal"));
    shop.run("eval replay tiny --world route".split(' ')).refused(&["no attempt 0 among the 0", "hint:"]);
    shop.run(["eval", "regrade", "nothing"]).refused(&["nothing"]);

    shop.run("eval tiny --suite suite.toml --temperature 1 --out other".split(' ')).fine();
    let other = shop.only("other", "tiny-");
    assert!(shop.exists("other/evaluation.html") && shop.exists(&format!("{other}/metrics.json")));
    let said = shop.run(["eval", "compare", "tiny", &other, "--html", "both.html"]).fine();
    assert!(said.out.contains("bits_per_action_byte") && said.out.contains("corrected"), "{said:?}");
    assert!(shop.read("both.html").contains("Paired tests"));
    let tests = shop.run(["eval", "compare", &run, &other, "--json"]).fine().json();
    assert_eq!(tests["tests"][0]["metric"], "success_rate");
    assert_eq!(tests["tests"][0]["difference"]["n"], 2);
    shop.run("eval tiny --suite suite.toml --fresh 3 --out fresh".split(' ')).fine();
    let fresh = shop.only("fresh", "tiny-");
    shop.run(["eval", "compare", "tiny", &fresh]).refused(&["no task in common", "hint:"]);
}

/// A server on which every model answers `done`.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                loop {
                    let (mut length, mut line) = (0, String::new());
                    while line != "\r\n" {
                        line.clear();
                        if reader.read_line(&mut line).unwrap_or(0) == 0 {
                            return;
                        }
                        if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                            length = n.trim().parse().unwrap();
                        }
                    }
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body).unwrap();
                    let text = r#"{"choices": [{"message": {"content": "done"}}],
                        "usage": {"prompt_tokens": 1000, "completion_tokens": 1}}"#;
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", text.len());
                    let _ = stream.write_all((head + text).as_bytes());
                }
            });
        }
    });
    format!("http://{address}/v1")
}

#[test]
fn models_behind_endpoints_get_the_same_report() {
    let shop = Workshop::new();
    shop.write("suite.toml", "worlds = [\"files\"]\nlevels = [1]\ntasks = 3\n");
    let (one, two) = (format!("{}#model/one", serve()), format!("{}#two", serve()));
    let eval = ["eval", &one, "--model", &two, "--suite", "suite.toml", "--out", "out"];
    let said = shop.run(eval).fine();
    for word in ["model/one: 6 attempts, 6 k + 6 tokens", "success_rate", "two compared with model/one"] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    for file in ["model-one/scores.parquet", "two/metrics.json", "comparison.html"] {
        assert!(shop.exists(&format!("out/{file}")), "{file}");
    }
    assert!(!shop.entries("out/two").iter().any(|n| n.starts_with("attempts-")), "the journal is done");
    shop.run(["eval", "replay", "out/two"]).fine();

    // A ceiling stops it with what there is; the same command without it goes on.
    let capped = ["eval", &two, "--suite", "suite.toml", "--out", "capped", "--concurrency", "1"];
    let with = [&capped[..], &["--price", "1000,0", "--max-cost", "2.5"]].concat();
    let said = shop.run(with.iter().copied());
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("the ceiling is reached") && said.err.contains("3 of 6 attempts"), "{said:?}");
    let said = shop.run(capped).fine();
    assert!(said.out.contains("two: 6 attempts"), "{said:?}");
    shop.run(["eval", &one, &one, "--suite", "suite.toml"]).refused(&["two models are called", "hint:"]);
}

/// Output that cannot be written ends the program with a message, and what is no file is never replaced by one.
#[cfg(target_os = "linux")]
#[test]
fn devices_and_pipes_are_written_to() {
    use std::os::unix::fs::FileTypeExt;
    use std::process::{Command, Stdio};

    let shop = Workshop::with_a_run();
    shop.run("eval tiny --suite suite.toml".split(' ')).fine();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let said = shop.command(["eval", "replay", "tiny"]).stdout(full).output().unwrap();
    let complaint = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(1), "{complaint}");
    assert!(
        complaint.contains("the output cannot be written: No space left") && !complaint.contains("panicked")
    );

    let pipe = shop.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
    shop.run("eval replay tiny --html pipe".split(' ')).fine();
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
    let read = String::from_utf8(reader.wait_with_output().unwrap().stdout).unwrap();
    assert!(read.contains("<!DOCTYPE html>") && read.contains("</html>"));
}
