//! Medians and spread, as a table and as JSON.

use serde_json::{Value, json};

/// The figures of one thing over several rounds.
pub struct Figure {
    pub name: &'static str,
    pub unit: &'static str,
    pub values: Vec<f64>,
    /// What it should be: at least, or at most.
    pub goal: Option<Goal>,
}

#[derive(Clone, Copy)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Figure {
    pub fn new(name: &'static str, unit: &'static str, values: Vec<f64>) -> Self {
        Self { name, unit, values, goal: None }
    }

    pub fn with(self, goal: Goal) -> Self {
        Self { goal: Some(goal), ..self }
    }

    pub fn median(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn range(&self) -> (f64, f64) {
        let low = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (low, high)
    }

    fn verdict(&self) -> String {
        let median = self.median();
        let (words, met) = match self.goal {
            None => return String::new(),
            Some(Goal::AtLeast(goal)) => (format!("at least {goal:.0}"), median >= goal),
            Some(Goal::AtMost(goal)) => (format!("at most {goal:.0}"), median <= goal),
        };
        format!("{words}: {}", if met { "met" } else { "NOT met" })
    }

    fn json(&self) -> Value {
        let (low, high) = self.range();
        json!({
            "name": self.name, "unit": self.unit, "median": self.median(), "min": low, "max": high,
            "values": self.values, "goal": self.verdict(),
        })
    }
}

pub fn print(figures: &[Figure]) {
    println!("\n{:<48} {:>12} {:>24}  {:<8} goal", "what", "median", "min … max", "unit");
    for figure in figures {
        let (low, high) = figure.range();
        let spread = format!("{low:.1} … {high:.1}");
        println!(
            "{:<48} {:>12.1} {spread:>24}  {:<8} {}",
            figure.name,
            figure.median(),
            figure.unit,
            figure.verdict()
        );
    }
}

pub fn write(figures: &[Figure], path: &std::path::Path) -> anyhow::Result<()> {
    let all: Vec<Value> = figures.iter().map(Figure::json).collect();
    Ok(std::fs::write(path, serde_json::to_string_pretty(&all)?)?)
}
