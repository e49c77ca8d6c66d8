//! Dry tests: an owner goes through a way back in, and nothing changes but that it is known to work.

use sparekey_device::Asked;

use crate::{
    model::Class,
    recorder::said,
    recovering::{is_link, kind, wait},
    world::{World, language},
};

impl World {
    /// Begins one; its proof is given and looked at as any other.
    pub(crate) fn test(&mut self) {
        let Some(at) = self.chance.place(&self.tokens) else { return };
        let (device, token) = self.tokens[at].clone();
        let (way, caller, fate) = (self.any_way(), self.any_caller(), self.fate());
        let contact = self.chance.weighted(&[(8, 0), (2, 1), (1, 2)]);
        let (drafts, seeds) = self.drafts();
        let asked = Asked { contact, ..way.into() };
        let recorder = &mut self.recorders[device];
        let expected = recorder.model.asked_to_test(&token, caller, way, contact);
        let outcome = recorder
            .command(fate, |device, now| device.open_test(now, caller, &token, asked, &language(), &drafts, &seeds));
        assert_eq!(said(&outcome), expected, "trying out {way:?}");
        let ran = recorder.ran;
        if let Some(wait) = wait(&expected) {
            self.ledger.waits(device, is_link(caller), Class::of(way), ran, wait);
        }
        self.tell(&format!("try out {}", way.name()), &expected);
        let opened = outcome.ok().flatten();
        if let Some(opened) = &opened {
            let ways: Vec<_> = opened.parts.iter().map(|part| part.way).collect();
            assert!(opened.test && ways == [way], "a test of {way:?} asks for {ways:?}");
            self.ledger.passed(device, is_link(caller), Class::of(way), ran);
            self.began(device, kind(caller), contact, opened);
        }
        if self.survives(device, fate)
            && let Some(opened) = opened
        {
            self.is_shown(device, caller, &opened);
        }
    }
}
