//! The figures, beside what is demanded of them.

use serde_json::Value;

use crate::ideal::ideal;
use crate::world::Options;

#[expect(clippy::print_stderr, reason = "measuring takes minutes")]
pub(crate) fn say(text: &str) {
    eprintln!("bench: {text}");
}

#[expect(clippy::print_stdout, reason = "the table is the result")]
pub(crate) fn print(options: &Options, runs: &[Value], calls: &Value) {
    let ideal = ideal(options);
    let (listed, tagged) = (ideal.listed.as_secs_f64(), ideal.tagged.as_secs_f64());
    println!(
        "{} nodes, 42 account-Regions of which one is denied, 80 ms latency. Allowed in each of them: {}.",
        options.nodes,
        options.rates().map(|(name, rate, burst)| format!("{name} {rate}/s, {burst} at once")).join("; ")
    );
    println!("{:<52} {:>14} {:>14}  target", "", "without cache", "with cache");
    let line = |name: &str, target: &str, cell: &dyn Fn(&Value) -> String| {
        let cells: Vec<String> = runs.iter().map(cell).collect();
        println!("{name:<52} {:>14} {:>14}  {target}", cells[0], cells[1]);
    };
    let number = |run: &Value, name: &str| run[name].as_f64().unwrap_or(f64::NAN);
    let seconds = |name: &'static str| {
        move |run: &Value| format!("{:.2} s", run[name].as_f64().unwrap_or(f64::NAN) / 1e3)
    };
    let ratio = |name: &'static str, ideal: f64| {
        move |run: &Value| format!("{:.2}", run[name].as_f64().unwrap_or(f64::NAN) / 1e3 / ideal)
    };
    let megabytes = |name: &'static str| {
        move |run: &Value| format!("{:.0} MB", run[name].as_f64().unwrap_or(f64::NAN) / 1e6)
    };
    line("first rows told", "at once", &seconds("first_ms"));
    line("nodes in the list by then", "", &|run| number(run, "first_total").to_string());
    line("first 60 rows in hand", "at once", &seconds("painted_ms"));
    line("all listed, EC2 facts in", &format!("dictated {listed:.2} s"), &seconds("listed_ms"));
    line("  ratio to what the rate dictates", "≤ 1.15", &ratio("listed_ms", listed));
    line("refresh ended, tags of hybrid nodes in", &format!("dictated {tagged:.2} s"), &seconds("ended_ms"));
    line("  ratio to what the rate dictates", "≤ 1.15", &ratio("ended_ms", tagged));
    line("processor time until then", "", &seconds("cpu_ms"));
    line("nodes; loaded, denied, failed account-Regions", "", &|run| {
        format!("{}; {},{},{}", run["total"], run["loaded"], run["denied"], run["failed"])
    });
    for (name, part, target) in [("median", 0.5, ""), ("p95", 0.95, "≤ 16 ms"), ("longest", 1.0, "")] {
        line(&format!("filter keystroke with 200 rows, {name}"), target, &|run| {
            format!("{:.1} ms", percentile(&run["keystrokes_ms"], part))
        });
    }
    line("rows met by scrolling, different ones", "equal", &|run| {
        format!("{}, {}", run["scrolled"]["matched"], run["scrolled"]["different"])
    });
    line("resident before the start", "", &megabytes("empty"));
    line("resident with all of it", "≤ 250 MB", &megabytes("resident"));
    line("most that was resident", "≤ 250 MB", &megabytes("peak"));
    println!("calls in both starts, refused ones included: {calls}");
}

fn percentile(figures: &Value, part: f64) -> f64 {
    let mut figures: Vec<f64> = figures.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    figures.sort_unstable_by(f64::total_cmp);
    let last = figures.len().saturating_sub(1);
    let at = (last as f64 * part).ceil() as usize;
    figures.get(at.min(last)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_figures() {
        let figures = serde_json::json!([5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!(
            (percentile(&figures, 0.5), percentile(&figures, 0.95), percentile(&figures, 1.0)),
            (3.0, 5.0, 5.0)
        );
    }
}
