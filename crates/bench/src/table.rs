//! Figures, their medians and spreads, and the table they are printed in.

/// One figure of each round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
        self.0.sort_unstable_by(f64::total_cmp);
    }

    pub(crate) fn median(&self) -> Option<f64> {
        let middle = self.0.len() / 2;
        match self.0.len() {
            0 => None,
            count if count % 2 == 1 => Some(self.0[middle]),
            _ => Some(f64::midpoint(self.0[middle - 1], self.0[middle])),
        }
    }

    /// Median and, in brackets, least and most.
    fn show(&self) -> String {
        match (self.median(), self.0.first(), self.0.last()) {
            (Some(median), Some(least), Some(most)) => {
                format!("{} ({}–{})", short(median), short(*least), short(*most))
            }
            _ => "–".to_owned(),
        }
    }
}

fn short(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        size if size >= 1.0 => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) measure: String,
    pub(crate) ours: Figures,
    pub(crate) official: Figures,
    pub(crate) target: &'static str,
}

#[expect(clippy::print_stdout, reason = "the table is the result")]
pub(crate) fn print(rows: &[Row]) {
    println!("{:<46} {:>26} {:>26} {:>8}  target", "median (least–most)", "ours", "official", "ratio");
    for row in rows {
        let ratio = match (row.ours.median(), row.official.median()) {
            (Some(ours), Some(official)) if official > 0.0 => short(ours / official),
            _ => "–".to_owned(),
        };
        println!(
            "{:<46} {:>26} {:>26} {:>8}  {}",
            row.measure,
            row.ours.show(),
            row.official.show(),
            ratio,
            row.target
        );
    }
}

#[expect(clippy::print_stderr, reason = "measuring takes minutes")]
pub(crate) fn say(text: &str) {
    eprintln!("bench: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_the_middle_whatever_the_order() {
        let mut figures = Figures::default();
        assert_eq!((figures.median(), figures.show()), (None, "–".to_owned()));
        for figure in [3.0, 1.0, 250.0] {
            figures.push(figure);
        }
        assert_eq!((figures.median(), figures.show()), (Some(3.0), "3.00 (1.00–250)".to_owned()));
        figures.push(2.0);
        assert_eq!(figures.median(), Some(2.5));
    }
}
