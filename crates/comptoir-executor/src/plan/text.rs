//! A plan in words.

use std::fmt;

use super::{Bottleneck, Plan, PlanSpec};

impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { load, .. } = self;
        writeln!(out, "load        {:.0} requests/s, {} simulated", self.per_second, load.requests)?;
        writeln!(
            out,
            "outcomes    {} done, {} late, {} overloaded",
            share(load.done, load.requests),
            share(load.late, load.requests),
            share(load.overloaded, load.requests)
        )?;
        writeln!(
            out,
            "time        p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, at most {:.1} ms",
            load.p50_ms, load.p90_ms, load.p99_ms, load.max_ms
        )?;
        writeln!(
            out,
            "use         CPU {:.0} %, device {:.0} %, {:.1} rows a batch",
            load.cpu_busy * 100.0,
            load.device_busy * 100.0,
            load.mean_batch
        )?;
        writeln!(
            out,
            "capacity    CPU {:.0} requests/s, device {:.0} requests/s",
            self.cpu_per_second, self.device_per_second
        )?;
        if let Some(highest) = self.highest_per_second {
            writeln!(out, "holds       {highest:.0} requests/s with 99 % in time")?;
        }
        self.advice.iter().try_for_each(|advice| writeln!(out, "advice      {advice}"))
    }
}

/// What to do.
pub(super) fn advice(spec: &PlanSpec, plan: &Plan) -> Vec<String> {
    let mut advice = vec![verdict(spec, plan)];
    let limit = match plan.bottleneck {
        Bottleneck::Cpu => format!("the CPU threads limit it: they do {:.0} requests/s", plan.cpu_per_second),
        Bottleneck::Device => {
            format!("the device limits it: it does {:.0} requests/s", plan.device_per_second)
        }
    };
    advice.push(limit);
    advice.extend(plan.options.iter().map(|option| {
        format!(
            "{}: {} instead of {} holds {:.0} requests/s",
            option.field, option.to, option.from, option.per_second
        )
    }));
    if plan.options.is_empty() {
        advice.push("no single change of threads, batch size, instances or depth holds more".to_owned());
    }
    advice
}

fn verdict(spec: &PlanSpec, plan: &Plan) -> String {
    let load = &plan.load;
    let alone = spec.cpu_ms
        + spec.device.fixed_ms
        + spec.device.per_row_ms
        + spec.device.copy_in_ms
        + spec.device.copy_out_ms;
    match spec.deadline_ms {
        Some(deadline) if deadline < alone => {
            format!("the deadline of {deadline} ms cannot be met: a request alone takes {alone:.2} ms")
        }
        _ if plan.holds => "the configuration holds this load".to_owned(),
        _ => format!(
            "the configuration does not hold this load: {} of the requests have no result in time",
            share(load.requests - load.done, load.requests)
        ),
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of requests")]
fn share(part: usize, whole: usize) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole.max(1) as f64)
}
