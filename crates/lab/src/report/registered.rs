//! What was asked, and how it is decided.

use maud::{Markup, html};

use crate::registration::Registration;

pub(super) fn section(registration: &Registration) -> Markup {
    let c = &registration.content;
    html! {
        section {
            h2 { "What was asked, and how it is decided" }
            p.lead { "Frozen before the first training step, on " (registration.registered_at) "." }
            @if let Some(amends) = &registration.amends {
                p.note {
                    "It amends the registration " code { (amends.get(..8).unwrap_or("")) } ", of which no result was known then."
                }
            }
            dl {
                dt { "Baseline" } dd { (c.labels[0]) }
                dt { "Candidate" } dd { (c.labels[1]) }
                dt { "Ladder" }
                dd {
                    (c.sizes.join(", ")) " parameters, " (crate::rule::plural(c.seeds.len(), "seed", "seeds"))
                    " each, up to " (2 * c.sizes.len() * c.seeds.len()) " runs, both arms at equal compute and with the same seeds"
                }
            }
            ol { @for line in &c.words { li { (line) } } }
        }
    }
}
