//! `groundwork verdict`, `groundwork fit` and `groundwork runs export`.

use serde_json::Value;

use crate::workshop::Workshop;

/// Two arms at one size with four seeds; the new one is better by a tenth.
fn histories() -> String {
    let mut text = String::from("arm,seed,loss\n");
    for (i, noise) in [0.001, -0.002, 0.0015, -0.0005].iter().enumerate() {
        text += &format!("base,{i},{}\nnew,{i},{}\n", 3.0 + noise, 2.9 - noise);
    }
    text
}

#[test]
fn runs_of_others_get_a_verdict_and_a_report() {
    let shop = Workshop::new();
    shop.write("r.csv", histories());
    let said = shop.run(["verdict", "r.csv", "--metric", "loss", "--once"]).fine().out;
    assert!(said.contains("SHIP") && said.contains("not registered before"), "{said}");
    assert!(shop.read("verdict.html").contains("<svg"));
    let json = shop.run(["verdict", "r.csv", "--metric", "loss", "--once", "--json"]).fine().out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["verdicts"][0]["ruling"]["decision"], "ship");
}

#[test]
fn runs_of_ours_are_exported() {
    let shop = Workshop::with_a_run();
    let said = shop.run(["runs", "export", "--tensorboard", "tb", "--trackio", "board/lab.db"]).fine().out;
    assert!(said.contains("1 runs written to `tb`"), "{said}");
    assert!(shop.exists("board/lab.db"));
}
