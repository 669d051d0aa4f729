//! The judgement in words: the sentence, its reasons, what would decide, and what weakens it.

use crate::figures;
use crate::judge::decide::{Design, Findings};
use crate::judge::defined::Defined;
use crate::judge::forecast::Outlook;
use crate::judge::noise::ArchiveNoise;
use crate::judge::rule::{Rule, Scale};
use crate::judge::verdict::{DropReason, Effect, GuardrailState, Judgement, Ruling, RungJudgement};
use crate::rule::{percent, plural};
use crate::score::title_of;

/// Fills in sentence, reasons, what comes next and caveats.
pub(crate) fn explain(j: &mut Judgement, findings: &Findings, design: &Design) {
    j.sentence = sentence(j);
    j.reasons = reasons(j, findings);
    if j.ruling == Ruling::Undecided {
        j.next = next(j);
    }
    j.caveats = caveats(j, design);
}

impl Rule {
    /// An effect on the scale that decides, as a multiplier or as a difference.
    pub(crate) fn say(&self, effect: f64) -> String {
        match self.scale {
            Scale::Multiplier => format!("{}×", figures::precise(effect.exp())),
            Scale::Metric => figures::difference(&self.metric, effect),
        }
    }

    /// An interval of effects.
    pub(crate) fn say_interval(&self, low: Option<f64>, high: Option<f64>) -> String {
        match (low, high) {
            (Some(low), Some(high)) => {
                format!("{} to {}", self.say(low).trim_end_matches('×'), self.say(high))
            }
            _ => "nothing excluded yet".into(),
        }
    }

    fn say_margin(&self) -> String {
        match self.scale {
            Scale::Multiplier => format!("{}×", figures::precise(1.0 + self.margin)),
            Scale::Metric => figures::margin(&self.metric, self.margin),
        }
    }

    /// What a gain must exceed, in words.
    fn say_bar(&self) -> String {
        if self.margin > 0.0 { format!("the margin of {}", self.say_margin()) } else { "zero".into() }
    }

    /// How sure the intervals are.
    pub(crate) fn confidence(&self) -> String {
        percent(1.0 - self.error)
    }
}

fn sentence(j: &Judgement) -> String {
    let rule = &j.rule;
    let Some(top) = j.top() else {
        return "There is nothing to judge: no rung has runs of both arms.".into();
    };
    let metric = title_of(&rule.metric);
    let Defined::Value(effect) = &top.effect else {
        let Defined::Undefined(why) = &top.effect else { return String::new() };
        if top.pairs.is_empty() && j.ruling != Ruling::Undecided {
            return format!("The smaller sizes decide; nothing was run at {}, the largest.", top.rung);
        }
        return format!("There is no verdict at {}, the largest size, yet: {why}.", top.rung);
    };
    let interval = format!(
        "{} interval over all looks {}, {}",
        rule.confidence(),
        rule.say_interval(effect.low, effect.high),
        plural(effect.n as usize, "pair", "pairs"),
    );
    let [before, after] = figures::both(&rule.metric, top.means);
    let values = format!("{metric} {after} against {before}");
    match rule.scale {
        Scale::Multiplier => format!(
            "At {} the candidate is worth {} the baseline's compute ({interval}): {values}.",
            top.rung,
            rule.say(effect.mean),
        ),
        Scale::Metric => {
            let way = if effect.mean >= 0.0 { "better" } else { "worse" };
            format!(
                "At {} the candidate is {}{} {way} than the baseline ({interval}): {values}.",
                top.rung,
                figures::difference(&rule.metric, effect.mean.abs()).trim_start_matches('+'),
                figures::unit(&rule.metric),
            )
        }
    }
}

fn reasons(j: &Judgement, findings: &Findings) -> Vec<String> {
    let rule = &j.rule;
    let mut reasons = Vec::new();
    let missing: Vec<&str> = j.rungs.iter().filter(|r| r.pairs.is_empty()).map(|r| r.rung.as_str()).collect();
    if !missing.is_empty() && j.ruling == Ruling::Undecided {
        reasons.push(format!("There are no pairs of runs yet at {}.", missing.join(", ")));
    }
    let Some(top) = j.top() else { return reasons };
    let broken = |state| {
        let names: Vec<String> =
            j.guardrails.iter().filter(|g| g.state == state).map(|g| title_of(&g.metric)).collect();
        names.join(", ")
    };
    let margin = rule.say_margin();
    if let Some(e) = top.effect.value() {
        let at = format!("At {} the interval is {}", top.rung, rule.say_interval(e.low, e.high));
        let (low, high) = (e.low.unwrap_or(f64::NEG_INFINITY), e.high.unwrap_or(f64::INFINITY));
        reasons.push(if e.waits {
            format!(
                "At {} the candidate's runs are too few to show that they are as calm as the archive's, and two wild runs often \
                 lie close together by chance: nothing is decided before they are seen to be calm, or before the fifth pair.",
                top.rung
            )
        } else if !e.decides {
            format!(
                "{} is no registered look at {}: nothing is decided before the next one.",
                plural(e.n as usize, "pair", "pairs"),
                top.rung
            )
        } else if high < 0.0 {
            format!("{at}: the candidate is worse.")
        } else if j.ruling == Ruling::Drop(DropReason::Equal) {
            format!("{at}, closer to none than what would be worth having ({margin}).")
        } else if findings.gains {
            format!("{at}, all of it above {}.", rule.say_bar())
        } else if low > 0.0 {
            format!("{at}: a gain, and it is not shown that it is more than {}.", rule.say_bar())
        } else {
            format!("{at}: it holds both a gain and none.")
        });
    }
    let broken_names = broken(GuardrailState::Broken);
    if !broken_names.is_empty() {
        reasons.push(format!("A guardrail is broken: {broken_names}."));
    }
    let open: Vec<String> = j
        .guardrails
        .iter()
        .filter(|g| g.state != GuardrailState::Broken && !g.permits_shipping())
        .map(|g| match &g.change {
            Defined::Value(c) => format!(
                "The guardrail {} is open: {} does not exclude a loss of more than {}.",
                title_of(&g.metric),
                figures::interval(&g.metric, c.effect.interval()),
                figures::margin(&g.metric, g.margin)
            ),
            Defined::Undefined(why) => format!("The guardrail {} says nothing: {why}.", title_of(&g.metric)),
        })
        .collect();
    reasons.extend(open);
    if let Some(stability) = &j.stability {
        reasons.extend(
            stability.against.iter().map(|why| format!("{why} While that stands, it does not ship.")),
        );
    }
    let harmed: Vec<&str> = j
        .rungs
        .iter()
        .filter(|r| r.effect.value().is_some_and(|e| e.decides && e.high.is_some_and(|h| h < 0.0)))
        .map(|r| r.rung.as_str())
        .collect();
    if !harmed.is_empty() && harmed != [top.rung.as_str()] {
        reasons.push(format!(
            "The candidate is shown to be worse at {}, and by the rule a change that harms a size of the ladder does not \
             ship.",
            harmed.join(", ")
        ));
    }
    if let Defined::Value(l) = &j.ladder {
        let times = l.target / top.flops[0].unwrap_or(f64::NAN);
        reasons.push(format!(
            "At {} times the largest size's compute the ladder predicts {} (90 % {}); a gain there has probability {}{}.",
            figures::digits(times),
            rule.say(l.at_target),
            rule.say_interval(Some(l.low), Some(l.high)),
            figures::share(l.probability),
            if findings.extrapolates { String::new() } else { format!(", less than the {} that a SHIP needs", figures::share(rule.assurance)) },
        ));
    }
    if j.ruling == Ruling::Drop(DropReason::Futile) {
        reasons.push(format!(
            "With the rest of the plan and as many pairs again it would ship with probability {}.",
            figures::share(findings.chance.unwrap_or(0.0))
        ));
    }
    reasons
}

fn outlook(o: &Outlook) -> String {
    let mut text = figures::share(o.decides);
    let cost: Vec<String> = [
        o.flops.map(figures::flops),
        o.seconds.map(figures::time),
        o.money.map(|m| format!("{} in money", figures::digits(m))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !cost.is_empty() {
        text += &format!(" for {}", cost.join(", "));
    }
    text
}

fn next(j: &Judgement) -> Vec<String> {
    let mut next = Vec::new();
    let Some(f) = &j.forecast else {
        next.push("How many pairs would decide cannot be said: the noise at the largest size is not known. Give it two pairs.".into());
        return next;
    };
    let top = j.top().map_or("the largest size", |t| t.rung.as_str());
    let say: Vec<String> = f.pairs.iter().map(|o| format!("{} more: {}", o.pairs, outlook(o))).collect();
    next.push(format!("Probability that more pairs at {top} decide: {}.", say.join("; ")));
    let odds = |n: Option<u32>| n.map_or("more than 8".to_owned(), |n| n.to_string());
    next.push(format!(
        "Even odds need {} more pairs, four chances in five {}.",
        odds(f.needed[0]),
        odds(f.needed[1])
    ));
    if let Some(r) = &f.rung {
        next.push(format!(
            "A rung of {} times the compute, with {}, decides with probability {}.",
            figures::digits(r.ratio),
            plural(r.outlook.pairs as usize, "pair", "pairs"),
            outlook(&r.outlook)
        ));
    }
    next
}

fn caveats(j: &Judgement, design: &Design) -> Vec<String> {
    let mut caveats = Vec::new();
    for p in &j.problems {
        caveats.push(format!("{p}."));
    }
    let noisier: Vec<&RungJudgement> =
        j.rungs.iter().filter(|r| r.effect.value().is_some_and(|e| e.noisier)).collect();
    if !noisier.is_empty() {
        let sizes: Vec<&str> = noisier.iter().map(|r| r.rung.as_str()).collect();
        caveats.push(if design.rungs.iter().any(|r| r.boundary.archived) {
            format!(
                "At {} the runs are noisier than the archive says: an arm may be less stable. The archive does not count there.",
                sizes.join(", ")
            )
        } else {
            format!(
                "At {} the runs are noisier than those of the other sizes, whose noise does not count there.",
                sizes.join(", ")
            )
        });
    }
    if let Some(e) = j.top().and_then(|t| t.effect.value()) {
        if e.df < 4.0 {
            caveats.push(format!(
                "The noise between pairs rests on {}, and the interval is as wide as so little knowledge demands. An archive of A/A runs would narrow it.",
                plural(e.df as usize, "degree of freedom", "degrees of freedom")
            ));
        }
        unequal_noise(j, e, &mut caveats);
    }
    if design.target.is_none() && j.rungs.len() < 3 {
        caveats.push(format!(
            "A ladder of {} says nothing about larger sizes; gains fade with scale.",
            plural(j.rungs.len(), "size", "sizes")
        ));
    }
    if let Defined::Value(l) = &j.ladder {
        if l.misfit.1 {
            caveats.push(format!(
                "The largest size is not where the smaller ones put it; the misfit was raised to {}, and the prediction at the target is as wide as that demands.",
                j.rule.say_spread(l.misfit.0)
            ));
        }
        if l.slope < -2.0 * l.slope_error {
            caveats.push(format!("The gain fades: {} with each factor ten of compute.", j.rule.say(l.slope)));
        }
    }
    for r in &j.rungs {
        if let Defined::Value(s) = &r.slope
            && s.error > 0.2 * s.value
        {
            caveats.push(format!(
                "What compute buys the baseline at {} is known to ±{} only, and the multiplier with it.",
                r.rung,
                figures::share(s.error / s.value)
            ));
        }
    }
    for g in &j.guardrails {
        if let Defined::Value(c) = &g.change {
            caveats.extend(c.notes.iter().map(|n| format!("Guardrail {}: {n}", title_of(&g.metric))));
        }
    }
    caveats
}

fn unequal_noise(j: &Judgement, top: &Effect, caveats: &mut Vec<String>) {
    if top.items > 2.0 * (top.error.powi(2) - top.items.powi(2)).max(0.0).sqrt() {
        caveats.push(format!(
            "Most of the uncertainty at {} is in the choice of test items; more pairs will not help, more items will.",
            j.top().map_or("", |t| t.rung.as_str())
        ));
    }
}

impl Rule {
    fn say_spread(&self, sd: f64) -> String {
        match self.scale {
            Scale::Multiplier => figures::share(sd.exp_m1()),
            Scale::Metric => figures::digits(sd),
        }
    }
}

/// Where the noise comes from.
pub(crate) fn noise(noise: &ArchiveNoise, design: &Design, rule: &Rule) -> String {
    let archived = design.rungs.iter().filter(|r| r.boundary.df > 0.0).count();
    let misfit = match noise.misfit {
        Some(misfit) => {
            format!("misfit between rungs {} of compute, from the archive", figures::share(misfit))
        }
        None => format!(
            "misfit between rungs assumed at {} of compute",
            figures::share(crate::judge::noise::USUAL_MISFIT)
        ),
    };
    let seeds = if noise.rungs.is_empty() {
        if archived > 0 {
            "no archive of A/A runs; each rung borrows the noise of the others".to_owned()
        } else {
            "no archive of A/A runs; the noise is what the pairs themselves show".to_owned()
        }
    } else {
        let known: Vec<String> = noise
            .rungs
            .iter()
            .map(|(rung, n)| {
                format!(
                    "{rung}: {} on {} degrees of freedom",
                    figures::difference(&rule.metric, n.sd).trim_start_matches('+'),
                    figures::digits(n.df)
                )
            })
            .collect();
        format!(
            "A/A archive{}: {}",
            noise.source.as_ref().map(|s| format!(" {s}")).unwrap_or_default(),
            known.join("; ")
        )
    };
    format!("{seeds}; {misfit}.")
}
