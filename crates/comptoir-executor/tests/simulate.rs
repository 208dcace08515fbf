//! The pipeline in virtual time.
use comptoir_executor::simulate::*;
#[test]
fn explore() {
    for per_second in [1000.0, 1500.0, 3000.0, 4000.0, 6000.0] {
        for deadline in [None, Some(20.0), Some(50.0), Some(200.0)] {
            let s = Scenario { requests: 8000, cpu_threads: 8, preprocess: TimeSpec { mean_ms: 1.0, spread: Spread::Uniform(0.2) }, arrivals: Arrivals::Poisson { per_second }, deadline: deadline.map(TimeSpec::constant), device: DeviceSpec { jitter: 0.1, ..Default::default() }, ..Scenario::default() };
            let t = std::time::Instant::now();
            let r = simulate(&s).unwrap().summary();
            println!("{per_second} {deadline:?} done {} late {} over {} rate {:.0} p50 {:.1} p99 {:.1} busy {:.2} batch {:.1} {:?}", r.done, r.late, r.overloaded, r.done_per_second, r.p50_ms, r.p99_ms, r.device_busy, r.mean_batch, t.elapsed());
        }
    }
}
