//! A change of owner: the old one hands the device over with a code, and whoever has it activates the device.

use sparekey_device::{CheckedTransfer, Recordings, TransferDraft, Transferred, ways::SheetCode};
use sparekey_protocol::{Certificate, transfer::Statement};

use crate::{
    model::Class,
    owning::new_owner,
    recorder::{CHEAP, Fate, said},
    recovering::{is_link, kind, wait},
    service::maker,
    world::{LINK, World, keep},
};

/// A transfer code in somebody's hand.
pub(crate) struct Handed {
    pub(crate) device: usize,
    pub(crate) number: u64,
    pub(crate) code: SheetCode,
}

/// A verdict on a transfer code, on its way back to the device.
pub(crate) struct Unlocking {
    pub(crate) device: usize,
    /// The code that the device waited for when it was typed.
    pub(crate) transfer: u64,
    /// The code that was typed.
    pub(crate) typed: u64,
    pub(crate) checked: CheckedTransfer,
}

impl World {
    pub(crate) fn transfer(&mut self) {
        let Some((device, token, known)) = self.session_and_password() else { return };
        let (fate, caller, erase) = (self.fate(), self.any_caller(), self.chance.percent(50));
        let draft = TransferDraft::make(&self.chance.bytes(), self.chance.bytes(), CHEAP);
        let recordings = if erase { Recordings::Erase } else { Recordings::Keep };
        let known = &self.known[known];
        let recorder = &mut self.recorders[device];
        let expected = recorder.model.asked_to_change(&token, known.right, known.edition);
        let outcome = recorder
            .command(fate, |device, now| device.transfer(now, caller, &token, &known.checked, recordings, draft));
        assert_eq!(said(&outcome), expected, "handing over");
        self.tell("hand over", &expected);
        let mut handed = None;
        if let Ok(Some(Transferred { code, statement })) = outcome {
            self.made += 1;
            let number = self.made;
            let recorder = &mut self.recorders[device];
            let certificate = Certificate::verify(recorder.device.identity().certificate_bytes(), &maker().public());
            let statement =
                Statement::verify(&statement, &certificate.expect("its maker's")).expect("the device's own");
            assert_eq!(statement.recordings_kept, !erase);
            recorder.model.did_transfer(number);
            self.ledger.handed_over(device, number);
            self.ledger.waits_no_more(device);
            self.nothing_older_lives(device, None);
            // The agent restarts.
            let recorder = &mut self.recorders[device];
            recorder.restart();
            assert_eq!(recorder.device.recordings_to_erase(), erase, "what becomes of the recordings was forgotten");
            let erased = recorder.command(Fate::Fine, |device, now| Ok(device.recordings_erased(now)));
            assert_eq!(erased, Ok(Some(())));
            self.after_restart(device);
            handed = Some(Handed { device, number, code });
        }
        // Who is not answered has no code: then only a hand on the device helps.
        if self.survives(device, fate)
            && let Some(handed) = handed
        {
            self.codes.push(handed);
        }
    }

    /// Somebody types a code who has it so often in a hundred times.
    pub(crate) fn try_transfer(&mut self, honest: u64) {
        let (device, caller, fate) = (self.any_device(), self.any_caller(), self.fate());
        let own = self.codes.iter().rposition(|code| code.device == device).filter(|_| self.chance.percent(honest));
        let known = own.or_else(|| self.chance.place(&self.codes).filter(|_| self.chance.percent(honest)));
        let guess = SheetCode::from_seed(&self.chance.bytes());
        let (typed, code) = known.map_or((0, guess), |at| {
            let handed = &self.codes[at];
            (handed.number, SheetCode::parse(&handed.code.expose()).expect("what is printed can be read"))
        });
        let recorder = &mut self.recorders[device];
        let expected = recorder.model.asked_for_a_transfer_try(caller);
        let outcome = recorder.command(fate, |device, now| device.take_transfer_try(now, caller, code));
        assert_eq!(said(&outcome), expected, "taking a try at a transfer");
        let (check, ran, transfer) = (outcome.ok().flatten(), recorder.ran, recorder.model.transfer);
        if check.is_some() {
            recorder.model.did_take_a_transfer_try(kind(caller));
            self.ledger.passed(device, is_link(caller), Class::Sheet, ran);
        } else if let Some(wait) = wait(&expected) {
            self.ledger.waits(device, is_link(caller), Class::Sheet, ran, wait);
        }
        self.tell("try a transfer", &expected);
        if self.survives(device, fate)
            && let (Some(check), Some(transfer)) = (check, transfer)
        {
            keep(&mut self.transfers, Unlocking { device, transfer, typed, checked: check.run() });
        }
    }

    /// Whoever has the code of a device that was handed over is its owner in a day, whatever others typed.
    pub(crate) fn new_owner_gets_in(&mut self, device: usize) {
        let transfer = self.recorders[device].model.transfer;
        let Some(handed) = self.codes.iter().find(|code| code.device == device && Some(code.number) == transfer) else {
            return;
        };
        let code = SheetCode::parse(&handed.code.expose()).expect("what is printed can be read");
        self.recorders[device].pass(25 * 3_600);
        let (_, password) = self.new_password(device);
        let recorder = &mut self.recorders[device];
        let (now, caller) = (recorder.now(), LINK);
        let check = recorder.device.take_transfer_try(now, caller, code).expect("no wait is for ever");
        let checked = check.commit(|_| Ok::<_, ()>(())).expect("stored").run();
        let owner = new_owner(password, &[]);
        let activated = recorder.device.activate(now, caller, owner, Some(&checked)).expect("it has no owner");
        assert_eq!(activated.commit(|_| Ok::<_, ()>(())), Ok(Ok(())), "who has the code does not get in");
        // Nothing of it was stored, so nothing of it is to be seen in what follows.
        recorder.restart();
        self.tell("gets in", "transfer");
    }
}
