//! The log's files in an object store. Each is there whole or not at all, and is kept before a call returns, as the store promises.

use std::{fmt, io, sync::Arc};

use futures_util::{StreamExt, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, parse_url_opts, path::Path};
use url::Url;

use super::folder::Entry;

/// Files on their way at once.
const AT_ONCE: usize = 16;

/// A place in a store.
#[derive(Clone)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// As it was named.
    url: Url,
}

impl Objects {
    /// `s3://BUCKET/PREFIX`, with what the store is told in variables `AWS_…`; `memory:///` for tests.
    pub(super) fn open(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let variables = std::env::vars().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (store, prefix) = parse_url_opts(&url, variables.filter(|(name, _)| name.starts_with("aws_"))).ok()?;
        Some(Self { store: store.into(), prefix, url })
    }

    fn path(&self, path: &str) -> io::Result<Path> {
        let path = Path::parse(path).map_err(io::Error::other)?;
        Ok(self.prefix.parts().chain(path.parts()).collect())
    }

    pub(super) async fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match self.store.get(&self.path(path)?).await {
            Ok(found) => Ok(Some(found.bytes().await?.to_vec())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn write(&self, files: Vec<Entry>) -> io::Result<()> {
        let writes = files.into_iter().map(|(path, bytes)| async move {
            self.store.put(&self.path(&path)?, PutPayload::from(bytes)).await?;
            Ok::<_, io::Error>(())
        });
        futures_util::stream::iter(writes).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Drops all that is under a path.
    pub(super) async fn remove(&self, path: &str) -> io::Result<()> {
        let found = self.store.list(Some(&self.path(path)?)).map_ok(|file| file.location).boxed();
        self.store.delete_stream(found).try_for_each(|_| async { Ok(()) }).await?;
        Ok(())
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objects({})", self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_come_are_replaced_and_dropped() {
        let objects = Objects::open("memory:///log").unwrap();
        assert_eq!(objects.read("checkpoint").await.unwrap(), None);
        let entry = |path: &str, bytes: &[u8]| (path.to_owned(), bytes.to_owned());
        let files = [("tile/0/x001/000", "a"), ("tile/0/000.p/3", "b"), ("tile/0/000.p/4", "c"), ("checkpoint", "d")];
        objects.write(files.iter().map(|(path, bytes)| entry(path, bytes.as_bytes())).collect()).await.unwrap();
        objects.write(vec![entry("checkpoint", b"e")]).await.unwrap();
        assert_eq!(objects.read("checkpoint").await.unwrap().unwrap(), b"e");
        objects.remove("tile/0/000.p").await.unwrap();
        objects.remove("tile/0/000.p").await.unwrap();
        assert_eq!(objects.read("tile/0/000.p/3").await.unwrap(), None);
        assert_eq!(objects.read("tile/0/x001/000").await.unwrap().unwrap(), b"a");
        assert!(objects.read("../checkpoint").await.is_err());
    }

    #[test]
    fn what_is_no_store() {
        for url in ["ftp://example.org/log", "s3:", "nonsense"] {
            assert!(Objects::open(url).is_none(), "{url}");
        }
    }
}
