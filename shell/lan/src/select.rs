//! Choosing devices out of the list by what they say of themselves: `model~NVR and state=active`.
//!
//! ```text
//! either    = both *( "or" both )
//! both      = one *( "and" one )
//! one       = "not" one / "(" either ")" / condition
//! condition = column ( "=" / "!=" / "~" ) value      ; ~: has it somewhere, whatever the case
//! value     = word / DQUOTE *any DQUOTE
//! ```

use crate::{COLUMNS, Row};

/// The longest text that is read, in bytes.
const LONGEST: usize = 1024;
/// Brackets and `not`s within each other.
const DEEPEST: usize = 16;

/// Which devices are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Any(Vec<Node>),
    All(Vec<Node>),
    Not(Box<Node>),
    Is { column: usize, compare: Compare, value: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Equal,
    Different,
    Has,
}

/// Why a text selects nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No condition where one should be.
    #[error("a condition such as model~NVR is missing at \"{0}\"")]
    NoCondition(String),
    /// A column that there is not.
    #[error("there is no column {0}: they are {columns}", columns = COLUMNS.join(", "))]
    NoColumn(String),
    /// A bracket or a quotation mark is not closed.
    #[error("{0} is not closed")]
    NotClosed(&'static str),
    /// Something stands after the end.
    #[error("and, or, or nothing should stand at \"{0}\"")]
    NotEnded(String),
    /// Too long, or too deep.
    #[error("it is longer or deeper than anybody means")]
    TooLong,
}

impl Selection {
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`SelectError`]
    pub fn parse(text: &str) -> Result<Self, SelectError> {
        if text.len() > LONGEST {
            return Err(SelectError::TooLong);
        }
        let mut reader = Reader { rest: text, depth: 0 };
        let node = reader.either()?;
        match reader.rest.trim() {
            "" => Ok(Self(node)),
            rest => Err(SelectError::NotEnded(rest.to_owned())),
        }
    }

    /// Whether this device is one of those meant.
    #[must_use]
    pub fn takes(&self, row: &Row) -> bool {
        takes(&self.0, &row.cells())
    }
}

fn takes(node: &Node, cells: &[String]) -> bool {
    match node {
        Node::Any(nodes) => nodes.iter().any(|node| takes(node, cells)),
        Node::All(nodes) => nodes.iter().all(|node| takes(node, cells)),
        Node::Not(node) => !takes(node, cells),
        Node::Is { column, compare, value } => {
            let cell = cells[*column].to_lowercase();
            match compare {
                // A cell of several addresses or ways is any of them.
                Compare::Equal => is(&cell, value),
                Compare::Different => !is(&cell, value),
                Compare::Has => cell.contains(value.as_str()),
            }
        }
    }
}

fn is(cell: &str, value: &str) -> bool {
    cell == value || cell.split([' ', ',']).any(|word| word == value)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn either(&mut self) -> Result<Node, SelectError> {
        let mut nodes = vec![self.both()?];
        while self.word("or") {
            nodes.push(self.both()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Any(nodes) })
    }

    fn both(&mut self) -> Result<Node, SelectError> {
        let mut nodes = vec![self.one()?];
        while self.word("and") {
            nodes.push(self.one()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::All(nodes) })
    }

    fn one(&mut self) -> Result<Node, SelectError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SelectError::TooLong);
        }
        let node = if self.word("not") {
            Node::Not(Box::new(self.one()?))
        } else if self.sign("(") {
            let node = self.either()?;
            if !self.sign(")") {
                return Err(SelectError::NotClosed("a bracket"));
            }
            node
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn condition(&mut self) -> Result<Node, SelectError> {
        self.rest = self.rest.trim_start();
        let name = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        let missing = |rest: &str| SelectError::NoCondition(format!("{name}{rest}"));
        if name.is_empty() {
            return Err(missing(self.rest));
        }
        let compare = if self.sign("!=") {
            Compare::Different
        } else if self.sign("=") {
            Compare::Equal
        } else if self.sign("~") {
            Compare::Has
        } else {
            return Err(missing(self.rest));
        };
        let column = COLUMNS.iter().position(|column| column.eq_ignore_ascii_case(name));
        let column = column.ok_or_else(|| SelectError::NoColumn(name.to_owned()))?;
        self.rest = self.rest.trim_start();
        let value = if let Some(quoted) = self.rest.strip_prefix('"') {
            let (value, rest) = quoted.split_once('"').ok_or(SelectError::NotClosed("a quotation mark"))?;
            self.rest = rest;
            value
        } else {
            match self.take(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"')) {
                "" => return Err(missing(self.rest)),
                value => value,
            }
        };
        Ok(Node::Is { column, compare, value: value.to_lowercase() })
    }

    /// Takes a word of its own, if it is next.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start();
        let Some((begin, after)) = rest.split_at_checked(word.len()) else { return false };
        let ends = after.chars().next().is_none_or(|c| c.is_whitespace() || c == '(' || c == ')');
        let is_it = begin.eq_ignore_ascii_case(word) && ends;
        if is_it {
            self.rest = after;
        }
        is_it
    }

    fn sign(&mut self, sign: &str) -> bool {
        let after = self.rest.trim_start().strip_prefix(sign);
        if let Some(after) = after {
            self.rest = after;
        }
        after.is_some()
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            serial: Some("NVR-2026-000417".into()),
            model: Some("NVR-8".into()),
            name: Some("Back door".into()),
            state: Some("active"),
            addresses: vec!["192.168.1.64".into(), "fe80::1%eth0".into()],
            methods: vec!["email".into(), "desk".into()],
            ..Row::default()
        }
    }

    #[test]
    fn what_is_meant_is_taken() {
        for (text, expected) in [
            ("model~nvr", true),
            ("model=NVR-8", true),
            ("model=NVR", false),
            ("model!=CAM", true),
            ("MODEL ~ NVR AND State = Active", true),
            ("model~NVR and state=inactive", false),
            ("state=inactive or serial~0417", true),
            ("state=inactive or model~cam and serial~0417", false),
            ("(state=inactive or model~nvr) and serial~0417", true),
            ("not state=inactive", true),
            ("not (model~nvr or state=active)", false),
            ("name=\"back door\"", true),
            ("addresses=192.168.1.64", true),
            ("addresses~192.168.1.6", true),
            ("methods=email and methods=desk", true),
            ("methods=keyfile", false),
            ("vendor=\"\"", true),
        ] {
            assert_eq!(Selection::parse(text).map(|selection| selection.takes(&row())), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (text, expected) in [
            ("", SelectError::NoCondition(String::new())),
            ("model", SelectError::NoCondition("model".into())),
            ("model~", SelectError::NoCondition("model".into())),
            ("model~NVR and", SelectError::NoCondition(String::new())),
            ("colour=red", SelectError::NoColumn("colour".into())),
            ("(model~NVR", SelectError::NotClosed("a bracket")),
            ("name=\"Back", SelectError::NotClosed("a quotation mark")),
            ("model~NVR state=active", SelectError::NotEnded("state=active".into())),
            (&"(".repeat(400), SelectError::TooLong),
            (&"not ".repeat(200), SelectError::TooLong),
            (&"m".repeat(LONGEST + 1), SelectError::TooLong),
        ] {
            assert_eq!(Selection::parse(text), Err(expected), "{text}");
        }
    }
}
