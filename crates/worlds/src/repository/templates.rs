//! What the functions of a code base can do.

/// What a function takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Signature {
    /// `(xs, n)` to a number.
    Fold,
    /// `(n, k)` to a number.
    Number,
    /// `(xs, n)` to a list.
    Map,
}

impl Signature {
    pub(super) fn parameters(self) -> [&'static str; 2] {
        match self {
            Signature::Fold | Signature::Map => ["xs", "n"],
            Signature::Number => ["n", "k"],
        }
    }
}

/// A function with places for constants (`{p}`, `{q}`, `{r}`: 2 to 9) and for the functions that it calls (`{a}`, `{b}`).
///
/// The documentation says what the body does, so that a mistake in the body can be told from it; where it lists cases, it says
/// `VALUE if TEST; …; else VALUE`, each as the body spells it.
pub(super) struct Template {
    pub(super) signature: Signature,
    pub(super) calls: &'static [Signature],
    pub(super) documentation: &'static str,
    pub(super) body: &'static str,
}

use Signature::{Fold, Map, Number};

/// Every template; their places are part of what is held out.
pub(super) const TEMPLATES: [Template; 31] = [
    Template {
        signature: Fold,
        calls: &[],
        documentation: "Adds up the items of xs that are over n.",
        body: "total = 0\nfor x in xs:\n    if x > n:\n        total += x\nreturn total",
    },
    Template {
        signature: Fold,
        calls: &[],
        documentation: "Counts the items of xs from n to n + {p}, both included.",
        body: "count = 0\nfor x in xs:\n    if x >= n and x <= n + {p}:\n        count += 1\nreturn count",
    },
    Template {
        signature: Fold,
        calls: &[],
        documentation: "The largest item of xs, or n if that is larger.",
        body: "best = n\nfor x in xs:\n    if x > best:\n        best = x\nreturn best",
    },
    Template {
        signature: Fold,
        calls: &[],
        documentation: "n plus each item of xs times its place, counted from 1.",
        body: "total = n\nfor i in range(len(xs)):\n    total += xs[i] * (i + 1)\nreturn total",
    },
    Template {
        signature: Fold,
        calls: &[],
        documentation: "Adds up how far each item of xs is from the one before, plus n.",
        body: "total = n\nfor i in range(1, len(xs)):\n    total += abs(xs[i] - xs[i - 1])\nreturn total",
    },
    Template {
        signature: Fold,
        calls: &[],
        documentation: "The place of the first item of xs over n, or their number if no item is.",
        body: "for i in range(len(xs)):\n    if xs[i] > n:\n        return i\nreturn len(xs)",
    },
    Template {
        signature: Fold,
        calls: &[],
        documentation: "The item of xs at place n, going round and round; {p} if xs is empty.",
        body: "if len(xs) == 0:\n    return {p}\nreturn xs[n % len(xs)]",
    },
    Template {
        signature: Fold,
        calls: &[],
        documentation: "Adds the items of xs at even places, subtracts the others; times n.",
        body: "total = 0\nfor i in range(len(xs)):\n    if i % 2 == 0:\n        total += xs[i]\n    else:\n        total -= xs[i]\nreturn total * n",
    },
    Template {
        signature: Fold,
        calls: &[],
        documentation: "How often an item of xs is larger than the one before it by at least n.",
        body: "count = 0\nfor i in range(1, len(xs)):\n    if xs[i] - xs[i - 1] >= n:\n        count += 1\nreturn count",
    },
    Template {
        signature: Number,
        calls: &[],
        documentation: "{p} if n < {q}; {r} if n < {q} + {p}; else n + k.",
        body: "if n < {q}:\n    return {p}\nif n < {q} + {p}:\n    return {r}\nreturn n + k",
    },
    Template {
        signature: Number,
        calls: &[],
        documentation: "k if n < k; k + {p} if n > k + {p}; else n.",
        body: "if n < k:\n    return k\nif n > k + {p}:\n    return k + {p}\nreturn n",
    },
    Template {
        signature: Number,
        calls: &[],
        documentation: "The sum of the digits of n, times k.",
        body: "left = abs(n)\ntotal = 0\nwhile left > 0:\n    total += left % 10\n    left = left // 10\nreturn total * k",
    },
    Template {
        signature: Number,
        calls: &[],
        documentation: "The largest number that divides both n and k.",
        body: "left = n\nother = k\nwhile other != 0:\n    rest = left % other\n    left = other\n    other = rest\nreturn abs(left)",
    },
    Template {
        signature: Number,
        calls: &[],
        documentation: "How often n must be divided by {p} until it is k or below.",
        body: "count = 0\nleft = n\nwhile left > k and left > 0:\n    left = left // {p}\n    count += 1\nreturn count",
    },
    Template {
        signature: Number,
        calls: &[],
        documentation: "n squared, minus {p} times k.",
        body: "return n * n - {p} * k",
    },
    Template {
        signature: Number,
        calls: &[],
        documentation: "Adds up the numbers from 1 to n (at most 20) that k + 1 does not divide.",
        body: "total = 0\nfor i in range(1, min(n, 20) + 1):\n    if i % (k + 1) != 0:\n        total += i\nreturn total",
    },
    Template {
        signature: Number,
        calls: &[],
        documentation: "n - k if n > {p}; n + k if n > {q} - {p}; else k * {r}.",
        body: "if n > {p}:\n    return n - k\nif n > {q} - {p}:\n    return n + k\nreturn k * {r}",
    },
    Template {
        signature: Map,
        calls: &[],
        documentation: "The items of xs that are over n.",
        body: "return [x for x in xs if x > n]",
    },
    Template {
        signature: Map,
        calls: &[],
        documentation: "Each item of xs plus n.",
        body: "out = []\nfor x in xs:\n    out.append(x + n)\nreturn out",
    },
    Template {
        signature: Map,
        calls: &[],
        documentation: "Each item of xs minus the one before it, then n.",
        body: "out = []\nfor i in range(1, len(xs)):\n    out.append(xs[i] - xs[i - 1])\nout.append(n)\nreturn out",
    },
    Template {
        signature: Map,
        calls: &[],
        documentation: "The running totals of xs, starting from n.",
        body: "out = []\ntotal = n\nfor x in xs:\n    total += x\n    out.append(total)\nreturn out",
    },
    Template {
        signature: Map,
        calls: &[],
        documentation: "xs turned to the left by n places.",
        body: "if len(xs) == 0:\n    return []\nplace = n % len(xs)\nreturn xs[place:] + xs[:place]",
    },
    Template {
        signature: Map,
        calls: &[],
        documentation: "The items of xs from last to first, each times {p} plus n.",
        body: "out = []\nfor i in range(len(xs)):\n    out.append(xs[len(xs) - 1 - i] * {p} + n)\nreturn out",
    },
    Template {
        signature: Fold,
        calls: &[Fold, Map],
        documentation: "{a} of {b} of xs, both with n.",
        body: "items = {b}(xs, n)\nreturn {a}(items, n)",
    },
    Template {
        signature: Fold,
        calls: &[Number],
        documentation: "Adds up {a} of each item of xs and n.",
        body: "total = 0\nfor x in xs:\n    total += {a}(x, n)\nreturn total",
    },
    Template {
        signature: Fold,
        calls: &[Fold, Fold],
        documentation: "{a} of xs and n, minus {b} of xs and {p}.",
        body: "return {a}(xs, n) - {b}(xs, {p})",
    },
    Template {
        signature: Fold,
        calls: &[Number, Fold],
        documentation: "{a} of n and of {b} of xs with n + {p}.",
        body: "total = {b}(xs, n + {p})\nreturn {a}(n, total)",
    },
    Template {
        signature: Number,
        calls: &[Number, Number],
        documentation: "{a} of n and k, plus {b} of n + {p} and k.",
        body: "first = {a}(n, k)\nsecond = {b}(n + {p}, k)\nreturn first + second",
    },
    Template {
        signature: Number,
        calls: &[Number],
        documentation: "{a}(n, k) if n > {p}; n - k if n > k; else k + {q}.",
        body: "if n > {p}:\n    return {a}(n, k)\nif n > k:\n    return n - k\nreturn k + {q}",
    },
    Template {
        signature: Map,
        calls: &[Number],
        documentation: "{a} of each item of xs and n, where that is over {p}.",
        body: "out = []\nfor x in xs:\n    found = {a}(x, n)\n    if found > {p}:\n        out.append(found)\nreturn out",
    },
    Template {
        signature: Map,
        calls: &[Map, Fold],
        documentation: "{a} of xs and n, then {b} of xs and n + {p}.",
        body: "out = {a}(xs, n)\nreturn out + [{b}(xs, n + {p})]",
    },
];
