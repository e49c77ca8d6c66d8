//! The device's state on disk, in two slots.
//!
//! A write goes to the one slot (new file, fsync, rename, fsync of the folder) and then, the same bytes, to the other. So
//! after a write has answered, both slots hold it, and losing either loses nothing: no older state, whose secrets are no
//! longer valid, can come back. On start the highest generation that is whole wins and repairs the other slot. If none is
//! whole the vault is [`VaultError::Damaged`]: a device never takes itself for a new one.
//!
//! Who takes a slot gains the reserved addresses, and nothing that opens the device without breaking Argon2id.

use std::io;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::files::Files;

const SLOTS: [&str; 2] = ["vault.a", "vault.b"];
const SCRATCH: &str = "vault.new";
const MAGIC: [u8; 8] = *b"SPKVLT\0\x01";
/// Magic, generation, length, SHA-256 of all that follows the magic.
const HEAD: usize = 8 + 8 + 8 + 32;
/// The most bytes of a state.
const MAX_STATE: usize = 1 << 20;

/// Why there is no state to start from, or none to go on with.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There was a vault, and no slot of it is whole.
    #[error(
        "The device's memory (vault.a and vault.b) is damaged, so nobody can log in or be let in.\n\
         Put back a copy of one of the two files, or have the device reset to its factory state."
    )]
    Damaged,
    /// There never was one in this folder.
    #[error("This folder holds no device memory (vault.a, vault.b).\nMake a device first: sparekey recorder init.")]
    Missing,
    /// The disk.
    #[error("The device's memory cannot be read or written ({0}).\nCheck the disk: is it full, or read-only?")]
    Io(#[from] io::Error),
}

/// Two slots in a folder.
pub(crate) struct Vault<F> {
    files: F,
    generation: u64,
}

impl<F: Files> Vault<F> {
    /// Makes the vault of a new device: a state of no bytes.
    ///
    /// # Errors
    /// Those of the disk; `AlreadyExists` if there is a vault, whole or not.
    pub(crate) fn create(files: F) -> io::Result<()> {
        for slot in SLOTS {
            if files.read(slot)?.is_some() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
        }
        Self { files, generation: 0 }.write(&[])
    }

    /// Finds the newest state that is whole, and makes both slots hold it. A state of no bytes is that of a new device.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn open(files: F) -> Result<(Self, Zeroizing<Vec<u8>>), VaultError> {
        let mut found = Vec::new();
        let mut slots = 0;
        for slot in SLOTS {
            let Some(bytes) = files.read(slot)? else { continue };
            slots += 1;
            found.extend(parse(&Zeroizing::new(bytes)));
        }
        let alike = slots == 2 && found.len() == 2 && found[0].0 == found[1].0;
        let Some((generation, state)) = found.into_iter().max_by_key(|(generation, _)| *generation) else {
            return Err(if slots == 0 { VaultError::Missing } else { VaultError::Damaged });
        };
        let mut vault = Self { files, generation };
        if !alike {
            tracing::warn!(generation, "one of the vault's slots was damaged or behind: repaired from the other");
            vault.write(&state)?;
        }
        Ok((vault, state))
    }

    /// The newest state that is whole, as it stands there now. Nothing is repaired: the device may run, and write.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn peek(files: &F) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let slots: Vec<_> = SLOTS.iter().filter_map(|slot| files.read(slot).transpose()).collect::<io::Result<_>>()?;
        let newest = slots.iter().filter_map(|bytes| parse(bytes)).max_by_key(|(generation, _)| *generation);
        let none = if slots.is_empty() { VaultError::Missing } else { VaultError::Damaged };
        newest.map(|(_, state)| state).ok_or(none)
    }

    /// Stores a state in both slots. It is durable when this returns.
    ///
    /// # Errors
    /// Those of the disk. Then the state found on the next start is the one before or this one.
    pub(crate) fn write(&mut self, state: &[u8]) -> io::Result<()> {
        if state.len() > MAX_STATE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // Counted up before writing: a failed write may have left its generation on the disk.
        self.generation += 1;
        let bytes = encode(self.generation, state);
        for slot in SLOTS {
            self.files.write(SCRATCH, &bytes)?;
            self.files.rename(SCRATCH, slot)?;
        }
        Ok(())
    }
}

fn encode(generation: u64, state: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEAD + state.len()));
    bytes.extend(MAGIC);
    bytes.extend(generation.to_le_bytes());
    bytes.extend((state.len() as u64).to_le_bytes());
    bytes.extend(checksum(generation, state));
    bytes.extend(state);
    bytes
}

/// Generation and state, if the slot is whole.
fn parse(bytes: &[u8]) -> Option<(u64, Zeroizing<Vec<u8>>)> {
    let (head, state) = bytes.split_at_checked(HEAD)?;
    let rest = head.strip_prefix(&MAGIC)?;
    let (generation, rest) = rest.split_first_chunk()?;
    let (length, sum) = rest.split_first_chunk()?;
    let generation = u64::from_le_bytes(*generation);
    let whole = u64::from_le_bytes(*length) == state.len() as u64 && sum == checksum(generation, state);
    whole.then(|| (generation, Zeroizing::new(state.to_vec())))
}

fn checksum(generation: u64, state: &[u8]) -> [u8; 32] {
    let hash = Sha256::new().chain_update(generation.to_le_bytes()).chain_update((state.len() as u64).to_le_bytes());
    hash.chain_update(state).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::faulty::{Disk, Survives};

    fn state(disk: &Disk) -> Result<Vec<u8>, VaultError> {
        Vault::open(disk.clone()).map(|(_, state)| state.to_vec())
    }

    /// A disk that holds `old`, as a device that ran for a while leaves it.
    fn disk_with(old: &[u8]) -> Disk {
        let disk = Disk::default();
        Vault::create(disk.clone()).unwrap();
        let (mut vault, _) = Vault::open(disk.clone()).unwrap();
        vault.write(old).unwrap();
        disk
    }

    #[test]
    fn a_crash_at_every_step_leaves_the_old_state_or_the_new() {
        let (old, new) = (b"the old secret".as_slice(), b"the new secret, longer".as_slice());
        let mut outcomes = [0, 0, 0];
        for survives in Survives::all(HEAD + new.len()) {
            for step in 0.. {
                let disk = disk_with(old);
                let (mut vault, _) = Vault::open(disk.clone()).unwrap();
                disk.fail_after(step);
                let answered = vault.write(new).is_ok();
                disk.crash(survives);
                let found = state(&disk).unwrap();
                assert!(found == old || found == new, "step {step}, {survives:?}");
                if answered {
                    assert_eq!(found, new, "it had answered");
                    outcomes[2] += 1;
                    break;
                }
                outcomes[usize::from(found == new)] += 1;
                // Repaired: both slots hold the same now, and either alone brings it back.
                for lost in SLOTS {
                    let disk = disk.copy();
                    disk.remove(lost);
                    assert_eq!(state(&disk).unwrap(), found, "step {step}, {survives:?}, without {lost}");
                }
            }
        }
        assert!(outcomes.iter().all(|count| *count > 0), "old, new and answered were all seen: {outcomes:?}");
    }

    #[test]
    fn a_crash_while_repairing_loses_nothing() {
        for survives in Survives::all(HEAD + 3) {
            for step in 0.. {
                let disk = disk_with(b"old");
                disk.damage(SLOTS[0], 20);
                disk.fail_after(step);
                let repaired = Vault::open(disk.clone()).is_ok();
                disk.crash(survives);
                assert_eq!(state(&disk).unwrap(), b"old", "step {step}, {survives:?}");
                if repaired {
                    break;
                }
            }
        }
    }

    #[test]
    fn losing_either_slot_never_brings_an_older_state_back() {
        for lost in SLOTS {
            let disk = disk_with(b"old");
            Vault::open(disk.clone()).unwrap().0.write(b"new").unwrap();
            disk.remove(lost);
            assert_eq!(state(&disk).unwrap(), b"new");
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_seen() {
        let length = HEAD + 3;
        for position in 0..length {
            let disk = disk_with(b"old");
            disk.damage(SLOTS[0], position);
            assert_eq!(state(&disk).unwrap(), b"old", "from the other slot");
            disk.damage(SLOTS[0], position);
            disk.damage(SLOTS[1], position);
            assert!(matches!(state(&disk), Err(VaultError::Damaged)), "byte {position}");
        }
    }

    #[test]
    fn a_lost_vault_is_not_a_new_device() {
        let disk = disk_with(b"old");
        disk.remove(SLOTS[0]);
        disk.damage(SLOTS[1], 0);
        assert!(matches!(state(&disk), Err(VaultError::Damaged)));
        disk.remove(SLOTS[1]);
        assert!(matches!(state(&disk), Err(VaultError::Missing)));
        assert!(matches!(state(&Disk::default()), Err(VaultError::Missing)));
    }

    #[test]
    fn a_vault_is_created_once() {
        let disk = disk_with(b"old");
        assert_eq!(Vault::create(disk.clone()).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(state(&disk).unwrap(), b"old");
    }

    #[test]
    fn a_state_has_a_bound() {
        let disk = disk_with(b"old");
        let (mut vault, _) = Vault::open(disk.clone()).unwrap();
        assert!(vault.write(&vec![0; MAX_STATE + 1]).is_err());
        assert_eq!(state(&disk).unwrap(), b"old");
    }
}
