//! `{{ name }}` in the texts of a document, which the agent replaces (protocol.md 1.9).

/// One placeholder in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Placeholder<'a> {
    /// `{{ name }}`: a parameter of the document.
    Parameter(&'a str),
    /// `{{ssm:name}}`: a value of Parameter Store, resolved by the agent.
    ParameterStore(&'a str),
    /// Between double braces, and neither: the agent leaves it as it is.
    Unreadable(&'a str),
}

/// All placeholders of a text, in order.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once("{{")?;
        let (inner, after) = after.split_once("}}")?;
        rest = after;
        let name = inner.trim();
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
        Some(match name.strip_prefix("ssm:") {
            Some(stored) => Placeholder::ParameterStore(stored),
            None if is_name(name) => Placeholder::Parameter(name),
            None => Placeholder::Unreadable(name),
        })
    })
}

/// The known name closest to `name`, if one is close enough to be what was meant.
pub(crate) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = 1 + name.chars().count() / 4;
    known
        .map(|candidate| (distance(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, removals and changes that make `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_in_order() {
        let found: Vec<_> = placeholders("a {{ one }} {{ssm:/x/y}} {{}} {{ b-c }} {{ open").collect();
        assert_eq!(
            found,
            [
                Placeholder::Parameter("one"),
                Placeholder::ParameterStore("/x/y"),
                Placeholder::Unreadable(""),
                Placeholder::Unreadable("b-c"),
            ]
        );
    }

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        let known = ["tenant", "env", "rows"];
        assert_eq!(closest("tenat", known.into_iter()), Some("tenant"));
        assert_eq!(closest("Env", known.into_iter()), Some("env"));
        assert_eq!(closest("password", known.into_iter()), None);
    }
}
