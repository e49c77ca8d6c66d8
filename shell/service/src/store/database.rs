use std::{fmt, path::PathBuf, str::FromStr};

use super::StoreError;

/// Where cases are kept: `sqlite:PATH` or `postgres://…`.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A file on this machine, for one process.
    Sqlite(PathBuf),
    /// A PostgreSQL server by its URL, for any number of nodes.
    Postgres(String),
}

impl FromStr for Database {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            None if text.starts_with("postgres://") || text.starts_with("postgresql://") => {
                Ok(Self::Postgres(text.to_owned()))
            }
            _ => Err(StoreError::Setting),
        }
    }
}

/// Without user and password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let after_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
                let without_options = after_scheme.split('?').next().unwrap_or_default();
                let place = without_options.rsplit_once('@').map_or(without_options, |(_, place)| place);
                write!(f, "postgres://{place}")
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without_their_secrets() {
        for (text, shown) in [
            ("sqlite:/srv/service.db", "sqlite:/srv/service.db"),
            (
                "postgres://user:hunter2@db.example.org:5432/sparekey?password=hunter2",
                "postgres://db.example.org:5432/sparekey",
            ),
            ("postgresql://127.0.0.1/sparekey", "postgres://127.0.0.1/sparekey"),
        ] {
            let database: Database = text.parse().unwrap();
            assert_eq!(database.to_string(), shown);
            assert!(!format!("{database:?}").contains("hunter2"));
        }
        for text in ["", "sqlite:", "mysql://x", "/srv/service.db"] {
            assert!(matches!(text.parse::<Database>(), Err(StoreError::Setting)), "{text}");
        }
    }
}
