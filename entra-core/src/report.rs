use std::{error, fmt};

/// The report of an error: what happened, cause, fix and IDs, on separate lines.
pub(crate) struct Report<'a, const IDS: usize> {
    pub(crate) error: &'a (dyn error::Error + 'static),
    pub(crate) fix: Option<&'a str>,
    pub(crate) ids: [(&'static str, Option<&'a str>); IDS],
}

impl<const IDS: usize> fmt::Display for Report<'_, IDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.error.to_string();
        let mut lead = "\n  cause: ";
        let mut next = self.error.source();
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            // A layer that only wraps another one repeats its text.
            if !text.contains(&cause_text) {
                text.push_str(lead);
                text.push_str(&cause_text);
                lead = ": ";
            }
            next = cause.source();
        }
        f.write_str(&text)?;
        if let Some(fix) = self.fix {
            write!(f, "\n  fix:   {fix}")?;
        }
        let mut lead = "\n  ";
        for (name, id) in self.ids {
            if let Some(id) = id {
                write!(f, "{lead}{name} {id}")?;
                lead = "  ";
            }
        }
        Ok(())
    }
}
