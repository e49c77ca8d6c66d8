use sparekey_protocol::{
    DeviceId, Nonce, Time,
    log::{Act, Hash, Leaf, decode_entries, root},
};

use super::*;
use crate::{
    Budgets, SystemClock,
    keys::Keys,
    public_log::{
        NotProven,
        nodes::{read_edge, with_nodes},
    },
    seal::Sealer,
    service::{self, Database},
    writer::Scribe,
};

/// A service's database and log, without the rest of it.
struct Place {
    dir: tempfile::TempDir,
    database: Database,
    key: SigningKey,
    storage: Storage,
}

fn leaf(number: u64) -> Leaf {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    Leaf::new(Time(1), Act::CodeMailed, DeviceId([1; 16]), Nonce(nonce))
}

impl Place {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::folder(dir.path().join("log"));
        Self::with(dir, storage).await
    }

    async fn with(dir: tempfile::TempDir, storage: Storage) -> Self {
        let database = Database::Sqlite(dir.path().join("service.db"));
        let maker = SigningKey::from_seed(&[1; 32]).public();
        service::init(dir.path(), &[maker], &database).await.unwrap();
        let key = Keys::read(dir.path(), Time(0)).unwrap().log_key().clone();
        Self { dir, database, key, storage }
    }

    fn storage(&self) -> Storage {
        self.storage.clone()
    }

    fn note_key(&self) -> NoteKey {
        Keys::read(self.dir.path(), Time(0)).unwrap().log_note_key()
    }

    /// A publisher as a new process has it.
    async fn start(&self) -> Result<(Publisher, PublicLog), LogError> {
        let store = Arc::new(Store::open(&self.database).await.unwrap());
        let keys = Arc::new(Keys::read(self.dir.path(), Time(0)).unwrap());
        let writer = Writer::start(Scribe {
            store: Arc::clone(&store),
            sealer: Arc::new(Sealer::new(&keys)),
            keys,
            budgets: Budgets::default(),
            clock: Arc::new(SystemClock),
            leaves: Arc::default(),
        });
        let parts = Parts {
            settings: LogSettings { storage: self.storage(), witnesses: Vec::new(), quorum: 0 },
            store: Arc::clone(&store),
            writer: writer.clone(),
            key: self.key.clone(),
            log: self.note_key(),
            leaves: Arc::default(),
            letters: Arc::default(),
            stop: CancellationToken::new(),
        };
        let opened = Publisher::open(parts).await;
        if opened.is_err() {
            writer.close().await;
            store.close().await;
        }
        opened
    }

    /// The checkpoint that is out, by its own signature.
    async fn out(&self) -> Option<Checkpoint> {
        let note = self.storage().checkpoint().await.unwrap()?;
        Some(LogPolicy::of_log(self.note_key()).open(&note).unwrap().into_inner())
    }

    /// Sees that what is out holds these leaves and no other, and that tiles and entries say the same.
    async fn holds(&self, numbers: impl Iterator<Item = u64>) {
        let expected: Vec<Vec<u8>> = numbers.map(|number| leaf(number).encode()).collect();
        let out = self.out().await.unwrap();
        assert_eq!(out.size, expected.len() as u64);
        let mut entries = Vec::new();
        for index in (0..out.size).step_by(256) {
            let tile = Tile::of_entry(index, out.size).unwrap();
            let bundle = self.storage().tile(tile).await.unwrap().unwrap();
            entries.extend(decode_entries(&bundle, tile.width).unwrap().into_iter().map(<[u8]>::to_vec));
        }
        assert_eq!(entries, expected);
        let mut anew = Edge::default();
        drop(anew.append(entries));
        assert_eq!((anew.root(), read_edge(&self.storage(), out.size).await.unwrap().root()), (out.root, out.root));
    }
}

impl Publisher {
    async fn add(&self, numbers: std::ops::Range<u64>) {
        let leaves: Vec<Leaf> = numbers.map(leaf).collect();
        let mut batch = self.store.begin().await.unwrap();
        batch.append_leaves(&leaves).await.unwrap();
        batch.commit().await.unwrap();
    }

    /// The end of the process.
    async fn end(self) {
        self.writer.close().await;
        self.store.close().await;
    }
}

#[tokio::test]
async fn a_log_without_leaves_has_a_checkpoint() {
    let place = Place::new().await;
    let (mut publisher, log) = place.start().await.unwrap();
    assert_eq!(log.checkpoint().await.unwrap(), None);
    publisher.round().await.unwrap();
    let out = place.out().await.unwrap();
    assert_eq!((out.size, out.root), (0, Hash::of_empty_tree()));
    publisher.end().await;
}

#[tokio::test]
async fn a_crash_after_any_step_is_repaired_and_forks_nothing() {
    let steps = [Step::TilesWritten, Step::SignedNoted, Step::CheckpointOut, Step::PublishedNoted];
    for (step, in_objects) in steps.into_iter().flat_map(|step| [(step, false), (step, true)]) {
        let place = if in_objects {
            Place::with(tempfile::tempdir().unwrap(), "memory:///log".parse().unwrap()).await
        } else {
            Place::new().await
        };
        let (mut publisher, _) = place.start().await.unwrap();
        publisher.add(0..300).await;
        publisher.round().await.unwrap();
        let before = place.out().await.unwrap();
        publisher.add(300..700).await;
        publisher.ends_after = Some(step);
        publisher.round().await.unwrap_err();
        let left = place.out().await.unwrap();
        let is_out = matches!(step, Step::CheckpointOut | Step::PublishedNoted);
        assert_eq!(left.size, if is_out { 700 } else { before.size }, "{step:?}");
        let signed = publisher.store.log_state().await.unwrap().signed;
        publisher.end().await;

        let (mut publisher, log) = place.start().await.unwrap();
        // More leaves came before the repair: what was signed and not out goes out all the same.
        publisher.add(700..701).await;
        publisher.round().await.unwrap();
        publisher.round().await.unwrap();
        place.holds(0..701).await;
        let state = publisher.store.log_state().await.unwrap();
        assert_eq!((state.signed.size, state.published.size, state.witnessed.size), (701, 701, 701), "{step:?}");
        // What was signed before the crash is a beginning of what is out now.
        let policy = LogPolicy::of_log(place.note_key());
        for earlier in [policy.open(signed.note.as_bytes()).unwrap().into_inner(), before, left] {
            let storage = place.storage();
            let root = with_nodes(&storage, 701, |lookup| root(earlier.size, lookup)).await.unwrap();
            assert_eq!(root, earlier.root, "{step:?}");
        }
        let proof = log.prove(0, &leaf(0), Duration::ZERO).await.unwrap();
        assert!(proof.starts_with("c2sp.org/tlog-proof@v1\nindex 0\n"));
        publisher.end().await;
    }
}

#[tokio::test]
async fn a_leaf_is_proven_once_it_is_published_and_not_before() {
    let place = Place::new().await;
    let (mut publisher, log) = place.start().await.unwrap();
    publisher.add(0..3).await;
    assert_eq!(log.prove(2, &leaf(2), Duration::ZERO).await, Err(NotProven));
    publisher.ends_after = Some(Step::SignedNoted);
    publisher.round().await.unwrap_err();
    assert_eq!(log.prove(2, &leaf(2), Duration::ZERO).await, Err(NotProven));
    publisher.ends_after = None;
    publisher.round().await.unwrap();
    log.prove(2, &leaf(2), Duration::ZERO).await.unwrap();
    assert!(log.prove(2, &leaf(1), Duration::ZERO).await.is_err(), "another leaf");
    assert!(log.prove(3, &leaf(3), Duration::ZERO).await.is_err(), "one that there is not");
    publisher.end().await;
}

#[tokio::test]
async fn a_database_restored_from_a_backup_follows_the_log() {
    let place = Place::new().await;
    let (mut publisher, _) = place.start().await.unwrap();
    publisher.add(0..10).await;
    publisher.round().await.unwrap();
    publisher.add(10..12).await;
    publisher.end().await;
    let Database::Sqlite(path) = &place.database else { panic!("SQLite") };
    let backup = std::fs::read(path).unwrap();
    let (mut publisher, _) = place.start().await.unwrap();
    publisher.add(12..600).await;
    publisher.round().await.unwrap();
    publisher.end().await;

    std::fs::write(path, backup).unwrap();
    let (mut publisher, _) = place.start().await.unwrap();
    publisher.add(600..601).await;
    publisher.round().await.unwrap();
    place.holds(0..601).await;
    publisher.end().await;
}

#[tokio::test]
async fn a_restored_database_that_went_another_way_signs_nothing() {
    let place = Place::new().await;
    let (mut publisher, _) = place.start().await.unwrap();
    publisher.add(0..10).await;
    publisher.round().await.unwrap();
    publisher.end().await;
    let Database::Sqlite(path) = &place.database else { panic!("SQLite") };
    let backup = std::fs::read(path).unwrap();
    let (mut publisher, _) = place.start().await.unwrap();
    publisher.add(10..20).await;
    publisher.round().await.unwrap();
    let out = place.out().await.unwrap();
    publisher.end().await;

    // As if it had been running, on other files, since the backup.
    std::fs::write(path, backup).unwrap();
    let store = Store::open(&place.database).await.unwrap();
    let mut batch = store.begin().await.unwrap();
    batch.append_leaves(&[leaf(99)]).await.unwrap();
    batch.commit().await.unwrap();
    store.close().await;
    assert!(matches!(place.start().await, Err(LogError::Forked(_))));
    assert_eq!(place.out().await.unwrap(), out);
}

#[tokio::test]
async fn lost_or_altered_files_stop_it() {
    let place = Place::new().await;
    let (mut publisher, _) = place.start().await.unwrap();
    publisher.add(0..300).await;
    publisher.round().await.unwrap();
    publisher.end().await;
    let file = |path: &str| place.dir.path().join("log").join(path);
    for path in ["tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1", "checkpoint"] {
        let good = std::fs::read(file(path)).unwrap();
        let mut altered = good.clone();
        altered[10] ^= 1;
        std::fs::write(file(path), altered).unwrap();
        assert!(place.start().await.is_err(), "{path} altered");
        std::fs::remove_file(file(path)).unwrap();
        assert!(place.start().await.is_err(), "{path} lost");
        std::fs::write(file(path), good).unwrap();
        let (publisher, _) = place.start().await.unwrap();
        publisher.end().await;
    }
    // The checkpoint of another service.
    let foreign = Checkpoint { origin: place.note_key().name().into(), ..place.out().await.unwrap() };
    std::fs::write(file("checkpoint"), foreign.sign(&SigningKey::from_seed(&[9; 32]))).unwrap();
    assert!(matches!(place.start().await, Err(LogError::OtherLog(_))));
}

#[tokio::test]
async fn a_checkpoint_is_noted_only_on_top_of_the_last() {
    let place = Place::new().await;
    let (mut publisher, _) = place.start().await.unwrap();
    publisher.add(0..5).await;
    publisher.round().await.unwrap();
    let first = publisher.store.log_state().await.unwrap().signed;
    publisher.add(5..6).await;
    publisher.round().await.unwrap();
    let noted = |size| Noted { size, note: "another\n".into() };
    // On top of one that is no longer the last; and of more leaves than there are.
    assert!(!publisher.writer.note_signed(first, noted(6)).await.unwrap());
    let last = publisher.store.log_state().await.unwrap().signed;
    assert!(!publisher.writer.note_signed(last.clone(), noted(7)).await.unwrap());
    publisher.writer.note_published(noted(9), true).await.unwrap();
    let state = publisher.store.log_state().await.unwrap();
    assert_eq!((&state.signed, state.published.size), (&last, 6), "what was not signed is not published");
    publisher.end().await;
}
