//! Distribution functions and quantiles: normal, Student's, Fisher's; and Wilson's interval.

/// The quantile of the standard normal distribution at `p`, 0 < p < 1 (Acklam's rational approximation, relative error
/// below 1.2e-9).
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    let polynomial = |terms: &[f64], x: f64| terms.iter().fold(0.0, |sum, term| sum * x + term);
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    if p < 0.024_25 {
        let q = (-2.0 * p.ln()).sqrt();
        return polynomial(&C, q) / polynomial(&D, q);
    }
    let q = p - 0.5;
    q * polynomial(&A, q * q) / polynomial(&B, q * q)
}

/// The quantile of Student's distribution with `df` degrees of freedom at `p`, 0 < p < 1.
///
/// By Newton's method on the logarithm of the tail over the logarithm of t, which is nearly a straight line there; beyond
/// 10 000 degrees of freedom the normal distribution stands in.
pub fn student_quantile(p: f64, df: f64) -> f64 {
    if df > 1e4 {
        return normal_quantile(p);
    }
    if p < 0.5 {
        return -student_quantile(1.0 - p, df);
    }
    let tail = 1.0 - p;
    if tail >= 0.5 {
        return 0.0;
    }
    let density =
        (ln_gamma(0.5 * (df + 1.0)) - ln_gamma(0.5 * df)).exp() / (df * std::f64::consts::PI).sqrt();
    // The normal quantile is never beyond Student's.
    let mut t = normal_quantile(p).max(1e-8);
    for _ in 0..60 {
        let here = 0.5 * incomplete_beta(df / (df + t * t), 0.5 * df, 0.5);
        let slope = density * (1.0 + t * t / df).powf(-0.5 * (df + 1.0)) * t / here;
        let step = (here / tail).ln() / slope;
        t *= step.clamp(-2.0, 2.0).exp();
        if step.abs() < 1e-13 {
            break;
        }
    }
    t
}

/// P(T ≤ t) of Student's distribution: for t ≥ 0, 1 − I_{ν/(ν+t²)}(ν/2, 1/2) / 2 (Abramowitz and Stegun 26.7.1).
pub fn student_cdf(t: f64, df: f64) -> f64 {
    if df > 1e4 {
        return normal_cdf(t);
    }
    let tail = 0.5 * incomplete_beta(df / (df + t * t), df / 2.0, 0.5);
    if t < 0.0 { tail } else { 1.0 - tail }
}

/// P(F > f) of Fisher's distribution with `above` and `below` degrees of freedom (Abramowitz and Stegun 26.6.2).
pub fn fisher_tail(f: f64, above: f64, below: f64) -> f64 {
    incomplete_beta(below / (below + above * f), below / 2.0, above / 2.0)
}

/// P(Z ≤ z) of the standard normal distribution (Hart's approximation in West's form, 2005; absolute error below 1e-14).
pub fn normal_cdf(z: f64) -> f64 {
    const ABOVE: [f64; 7] = [
        3.526_249_659_989_11e-2,
        0.700_383_064_443_688,
        6.373_962_203_531_65,
        33.912_866_078_383,
        112.079_291_497_871,
        221.213_596_169_931,
        220.206_867_912_376,
    ];
    const BELOW: [f64; 8] = [
        8.838_834_764_831_84e-2,
        1.755_667_163_182_64,
        16.064_177_579_207,
        86.780_732_202_946_1,
        296.564_248_779_674,
        637.333_633_378_831,
        793.826_512_519_948,
        440.413_735_824_752,
    ];
    let x = z.abs();
    let tail = if x > 37.0 {
        0.0
    } else {
        let density = (-x * x / 2.0).exp();
        if x < 7.071_067_811_865_47 {
            let polynomial = |terms: &[f64]| terms.iter().fold(0.0, |sum, term| sum * x + term);
            density * polynomial(&ABOVE) / polynomial(&BELOW)
        } else {
            let fraction = x + 1.0 / (x + 2.0 / (x + 3.0 / (x + 4.0 / (x + 0.65))));
            density / fraction / 2.506_628_274_631
        }
    };
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// The regularised incomplete beta function I_x(a, b).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (a * x.ln() + b * (1.0 - x).ln() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    }
}

/// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for i in 1..500 {
        let m = f64::from(i);
        for numerator in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            value *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

/// ln Γ(x) for x > 0 (Lanczos, g = 7, nine terms).
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let series: f64 =
        TERMS.iter().zip(1..).fold(0.999_999_999_999_809_9, |sum, (c, i)| sum + c / (x + f64::from(i)));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + series.ln()
}

/// Wilson's score interval for a rate `p` seen over `n` independent items (Wilson 1927, no continuity correction).
pub fn wilson(p: f64, n: f64, confidence: f64) -> (f64, f64) {
    if n <= 0.0 {
        return (0.0, 1.0);
    }
    let z = normal_quantile(0.5 + confidence / 2.0);
    let spread = z * z / n;
    let centre = (p + spread / 2.0) / (1.0 + spread);
    let half = z / (1.0 + spread) * (p * (1.0 - p) / n + spread / (4.0 * n)).sqrt();
    ((centre - half).clamp(0.0, p), (centre + half).clamp(p, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_the_tables() {
        for (p, df, want) in [
            (0.975, 1.0, 12.706_204_736),
            (0.975, 2.0, 4.302_652_730),
            (0.975, 5.0, 2.570_581_836),
            (0.95, 3.0, 2.353_363_435),
            (0.995, 30.0, 2.749_995_654),
            (0.9, 1.0, 3.077_683_537),
            (0.975, 1000.0, 1.962_339_080),
        ] {
            assert!(
                (student_quantile(p, df) / want - 1.0).abs() < 1e-8,
                "{p} {df}: {}",
                student_quantile(p, df)
            );
            assert_eq!(student_quantile(1.0 - p, df), -student_quantile(1.0 - (1.0 - p), df));
        }
        assert!((normal_quantile(0.975) - 1.959_963_985).abs() < 1e-8, "{}", normal_quantile(0.975));
        assert!(student_quantile(0.5, 4.0).abs() < 1e-9);
    }

    #[test]
    fn distribution_functions_match_the_tables() {
        for (z, want) in
            [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (-1.959_963_984_540_054, 0.025), (8.0, 1.0)]
        {
            assert!((normal_cdf(z) - want).abs() < 1e-12, "{z}");
        }
        assert!((student_cdf(-2.570_581_836, 5.0) - 0.025).abs() < 1e-9);
        assert!((student_cdf(2.0, 1e6) - normal_cdf(2.0)).abs() < 1e-12);
        // Tables of F: 5 % points.
        for (f, above, below) in [(4.351_243_5, 1.0, 20.0), (2.710_889_8, 5.0, 20.0), (161.447_64, 1.0, 1.0)]
        {
            assert!((fisher_tail(f, above, below) - 0.05).abs() < 1e-6, "{f}");
        }
    }

    #[test]
    fn wilson_matches_published_values() {
        // Newcombe (1998), table I, method 3.
        for (hits, n, low, high) in
            [(81.0, 263.0, 0.2553, 0.3662), (15.0, 148.0, 0.0624, 0.1605), (0.0, 20.0, 0.0, 0.1611)]
        {
            let (l, h) = wilson(hits / n, n, 0.95);
            assert!((l - low).abs() < 5e-5 && (h - high).abs() < 5e-5, "{l} {h}");
        }
        assert_eq!(wilson(0.5, 0.0, 0.95), (0.0, 1.0));
    }
}
