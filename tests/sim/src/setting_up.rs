//! What an owner prepares: key file, sheet, questions, switches, a rule over two contacts; and what a hand on the device does.

use sparekey_device::{
    Caller, Presence, Recordings,
    ways::{ContactRule, SheetDraft, SheetSeeds, Way},
};

use crate::{
    model::ok,
    proofs::{File, Line, answers},
    recorder::{CHEAP, Fate, said},
    world::World,
};

impl World {
    pub(crate) fn set_up(&mut self) {
        match self.chance.below(10) {
            0..2 => self.export_key_file(),
            2..4 => self.make_sheet(),
            4..6 => self.set_questions(),
            6 => self.void_line(),
            7..9 => self.switch(),
            _ => self.set_rule(),
        }
    }

    fn export_key_file(&mut self) {
        let Some((device, token, known)) = self.session_and_password() else { return };
        let (fate, seed) = (self.fate(), self.chance.bytes());
        let known = &self.known[known];
        let recorder = &mut self.recorders[device];
        let on = !recorder.model.switched_off.contains(&Way::KeyFile);
        let expected = recorder.model.asked_to_set_up(&token, known.right, known.edition, on);
        let outcome = recorder
            .command(fate, |device, now| device.export_key_file(now, Caller::Screen, &token, &known.checked, seed));
        assert_eq!(said(&outcome), expected, "exporting a key file");
        if let Ok(Some(file)) = outcome {
            self.made += 1;
            let number = self.made;
            recorder.model.did_set_up(|model| model.key_file = Some(number));
            self.files.push(File { device, number, payload: file.payload });
        }
        self.tell("export a key file", &expected);
        self.survives(device, fate);
    }

    fn make_sheet(&mut self) {
        let Some((device, token, known)) = self.session_and_password() else { return };
        let fate = self.fate();
        let codes = (0..1 + self.chance.below(4)).map(|_| self.chance.bytes().into()).collect();
        let seeds = SheetSeeds { salt: self.chance.bytes(), codes };
        let draft = SheetDraft::make(&seeds, CHEAP).expect("one to four");
        let known = &self.known[known];
        let recorder = &mut self.recorders[device];
        let on = !recorder.model.switched_off.contains(&Way::Sheet);
        let expected = recorder.model.asked_to_set_up(&token, known.right, known.edition, on);
        let outcome =
            recorder.command(fate, |device, now| device.make_sheet(now, Caller::Screen, &token, &known.checked, draft));
        assert_eq!(said(&outcome), expected, "making a sheet");
        if let Ok(Some(codes)) = outcome {
            let numbered: Vec<_> = (self.made + 1..).zip(codes).collect();
            self.made += numbered.len() as u64;
            let sheet = numbered.iter().map(|(number, _)| (*number, true)).collect();
            recorder.model.did_set_up(|model| model.sheet = sheet);
            self.lines.extend(numbered.into_iter().map(|(number, code)| Line { device, number, code }));
        }
        self.tell("make a sheet", &expected);
        self.survives(device, fate);
    }

    fn void_line(&mut self) {
        let Some((device, token, known)) = self.session_and_password() else { return };
        let (fate, line) = (self.fate(), self.chance.index(4));
        let known = &self.known[known];
        let recorder = &mut self.recorders[device];
        let expected = match recorder.model.asked_to_change(&token, known.right, known.edition) {
            answer if answer == ok() && line >= recorder.model.sheet.len() => "malformed".to_owned(),
            answer => answer,
        };
        let outcome = recorder
            .command(fate, |device, now| device.void_sheet_code(now, Caller::Screen, &token, &known.checked, line));
        assert_eq!(said(&outcome), expected, "voiding a line");
        if outcome == Ok(Some(())) {
            recorder.model.did_set_up(|model| model.sheet[line].1 = false);
        }
        self.survives(device, fate);
    }

    fn set_questions(&mut self) {
        let Some((device, token, known)) = self.session_and_password() else { return };
        let (fate, set) = (self.fate(), 1_000 + self.chance.below(1_000));
        let set = self.chance.percent(85).then_some(set);
        let salt = self.chance.bytes();
        let hashed = set.map(|set| answers(set).hash(salt, CHEAP));
        let known = &self.known[known];
        let recorder = &mut self.recorders[device];
        let ready = set.is_none() || !recorder.model.switched_off.contains(&Way::Questions);
        let expected = recorder.model.asked_to_set_up(&token, known.right, known.edition, ready);
        let outcome = recorder
            .command(fate, |device, now| device.set_questions(now, Caller::Screen, &token, &known.checked, hashed));
        assert_eq!(said(&outcome), expected, "setting questions");
        if outcome == Ok(Some(())) {
            recorder.model.did_set_up(|model| model.questions = set);
        }
        self.tell("set questions", &expected);
        self.survives(device, fate);
    }

    fn switch(&mut self) {
        let Some((device, token, known)) = self.session_and_password() else { return };
        let (fate, way, on) = (self.fate(), self.any_way(), self.chance.percent(70));
        // What is off by default is what is switched on most.
        let way = if self.chance.percent(40) { Way::SecurityCode } else { way };
        let service = self.chance.percent(20);
        let known = &self.known[known];
        let recorder = &mut self.recorders[device];
        let expected = recorder.model.asked_to_change(&token, known.right, known.edition);
        let outcome = recorder.command(fate, |device, now| match service {
            true => device.switch_service(now, Caller::Screen, &token, &known.checked, on),
            false => device.switch_way(now, Caller::Screen, &token, &known.checked, way, on),
        });
        assert_eq!(said(&outcome), expected, "switching");
        if outcome == Ok(Some(())) {
            recorder.model.did_set_up(|model| if service { model.no_service = !on } else { model.switch(way, on) });
        }
        self.tell("switch", &expected);
        self.survives(device, fate);
    }

    fn set_rule(&mut self) {
        let Some((device, token, known)) = self.session_and_password() else { return };
        let (fate, both) = (self.fate(), self.chance.percent(60));
        let rule = if both { ContactRule::Both } else { ContactRule::Either };
        let known = &self.known[known];
        let recorder = &mut self.recorders[device];
        let ready = !both || recorder.model.contacts.iter().filter(|(_, confirmed)| *confirmed).count() == 2;
        let expected = recorder.model.asked_to_set_up(&token, known.right, known.edition, ready);
        let outcome = recorder
            .command(fate, |device, now| device.set_contact_rule(now, Caller::Screen, &token, &known.checked, rule));
        assert_eq!(said(&outcome), expected, "choosing a rule");
        if outcome == Ok(Some(())) {
            recorder.model.did_set_up(|model| model.both = both);
        }
        self.tell("set a rule", &expected);
        self.survives(device, fate);
    }

    pub(crate) fn lift_stops(&mut self) {
        let (device, fate) = (self.any_device(), self.fate());
        self.lift_stops_of(device, fate);
        self.survives(device, fate);
    }

    pub(crate) fn lift_stops_of(&mut self, device: usize, fate: Fate) {
        let recorder = &mut self.recorders[device];
        let outcome = recorder.command(fate, |device, now| Ok(device.lift_stops(now, Presence::detected())));
        if outcome == Ok(Some(())) {
            recorder.model.did_lift_stops();
        }
    }

    pub(crate) fn factory_reset(&mut self) {
        let (device, fate) = (self.any_device(), self.fate());
        let recorder = &mut self.recorders[device];
        let outcome =
            recorder.command(fate, |device, now| Ok(device.factory_reset(now, Presence::detected(), Recordings::Keep)));
        if outcome == Ok(Some(())) {
            recorder.model.did_factory_reset();
            self.ledger.reset_by_hand(device);
            self.ledger.waits_no_more(device);
            self.nothing_older_lives(device, None);
            self.tell("factory reset", &ok());
        }
        self.survives(device, fate);
    }
}
