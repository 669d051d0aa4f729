//! `groundwork runs export`.

use crate::workshop::Workshop;

#[test]
fn runs_of_ours_are_exported() {
    let shop = Workshop::with_a_run();
    let said = shop.run(["runs", "export", "--tensorboard", "tb", "--trackio", "board/lab.db"]).fine().out;
    assert!(said.contains("1 runs written to `tb`"), "{said}");
    assert!(shop.exists("board/lab.db"));
}
