//! A place, by `object_store`.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    ObjectStore, ObjectStoreExt, WriteMultipart,
    aws::{AmazonS3Builder, Checksum},
    local::LocalFileSystem,
    path::Path,
};
use sha2::{Digest, Sha256};

use super::Place;
use crate::slices::Slice;

/// What is sent at a time; S3 takes no less than 5 MiB.
const PART: usize = 8 << 20;
/// Parts on their way.
const AT_ONCE: usize = 2;
/// More files are not listed at a time.
const MOST_LISTED: usize = 100_000;

/// Why something was not sent or fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("{0}")]
    Store(#[from] object_store::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What is there is not what was sent.
    #[error("what arrived is not what was sent ({0})")]
    Differs(String),
}

/// A place that is open.
pub(crate) struct Store {
    objects: Arc<dyn ObjectStore>,
    /// What arrived is read again: where nobody but the disk says that it did.
    reads_again: bool,
}

impl Store {
    pub(crate) fn open(place: &Place) -> Result<Self, StoreError> {
        Ok(match place {
            Place::Folder(folder) => {
                std::fs::create_dir_all(folder)?;
                Self { objects: Arc::new(LocalFileSystem::new_with_prefix(folder)?), reads_again: true }
            }
            Place::S3(of) => {
                let builder = AmazonS3Builder::new()
                    .with_endpoint(&of.endpoint)
                    .with_bucket_name(&of.bucket)
                    .with_region(&of.region)
                    .with_access_key_id(&of.access_key)
                    .with_secret_access_key(of.secret_key.expose())
                    .with_virtual_hosted_style_request(false)
                    // The storage compares it with what it got.
                    .with_checksum_algorithm(Checksum::SHA256)
                    .with_allow_http(of.endpoint.starts_with("http://"));
                Self { objects: Arc::new(builder.build()?), reads_again: false }
            }
        })
    }

    /// The length of what is there under a name.
    pub(crate) async fn length(&self, name: &str) -> Result<Option<u64>, StoreError> {
        match self.objects.head(&Path::from(name)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends bytes under a name, and looks whether they arrived.
    pub(crate) async fn send(
        &self,
        name: &str,
        slices: Vec<Slice>,
        mut told: impl FnMut(u64),
    ) -> Result<(), StoreError> {
        let path = Path::from(name);
        let mut upload = WriteMultipart::new_with_chunk_size(self.objects.put_multipart(&path).await?, PART);
        let (mut hash, mut sent) = (Sha256::new(), 0u64);
        for slice in slices {
            match slice {
                Slice::Bytes(bytes) => {
                    hash.update(&bytes);
                    sent += bytes.len() as u64;
                    upload.put(bytes);
                }
                Slice::File { path, mut offset, mut length } => {
                    let file = File::open(path)?;
                    while length > 0 {
                        let mut part = vec![0; usize::try_from(length).unwrap_or(PART).min(PART)];
                        file.read_exact_at(&mut part, offset)?;
                        (offset, length) = (offset + part.len() as u64, length - part.len() as u64);
                        hash.update(&part);
                        sent += part.len() as u64;
                        upload.wait_for_capacity(AT_ONCE).await?;
                        upload.put(Bytes::from(part));
                        told(sent);
                    }
                }
            }
        }
        upload.finish().await?;
        let arrived = self.length(name).await?;
        if arrived != Some(sent) {
            return Err(StoreError::Differs(format!("{arrived:?} bytes of {sent}")));
        }
        if self.reads_again && self.hash(name).await? != hash.finalize().as_slice() {
            return Err(StoreError::Differs("other bytes".to_owned()));
        }
        Ok(())
    }

    async fn hash(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let mut hash = Sha256::new();
        let mut stream = self.objects.get(&Path::from(name)).await?.into_stream();
        while let Some(part) = stream.try_next().await? {
            hash.update(&part);
        }
        Ok(hash.finalize().to_vec())
    }

    /// Fetches what is under a name.
    pub(crate) async fn fetch(
        &self,
        name: &str,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let mut stream = self.objects.get(&Path::from(name)).await?.into_stream();
        while let Some(part) = stream.try_next().await? {
            take(&part)?;
        }
        Ok(())
    }

    /// The names below one.
    pub(crate) async fn names(&self, below: &str) -> Result<Vec<String>, StoreError> {
        let below = Path::from(below);
        let found = self.objects.list(Some(&below)).take(MOST_LISTED);
        Ok(found.map_ok(|found| found.location.to_string()).try_collect().await?)
    }
}
