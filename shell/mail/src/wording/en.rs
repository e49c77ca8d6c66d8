//! English.

use super::{AnswerWording, PurposeWording, Wording};

pub(super) const WORDING: Wording = Wording {
    tag: "en",
    reset: PurposeWording {
        subject: "Code for a new password: device {serial}",
        heading: "Your code for a new password",
        reason: "Someone asked for a new password for this device. Your address is stored on it as the reserved email.",
        instruction: "Type the code on the device's screen, where the QR code was shown. Then choose a new password.",
        if_not_you: "Then someone near the device, or in its network, chose “Forgot password”. Without this code \
                     nothing happens, and the old password stays valid. Check who has access to the device and to \
                     your network.",
    },
    confirm: PurposeWording {
        subject: "Confirm this address: device {serial}",
        heading: "Confirm this email address",
        reason: "This address was entered on a device as its reserved email: if the password is ever forgotten, a code \
                 is sent here.",
        instruction: "Type the code on the device's screen, where the QR code was shown, to confirm that the address \
                      is right.",
        if_not_you: "Then someone entered your address on another device, perhaps by mistake. Without this code it \
                     stays unconfirmed, and there is nothing you need to do.",
    },
    validity: "The device's screen shows how long the code stays valid (usually 30 minutes from when the QR code \
               appeared). It works once, and only on this device.",
    secrecy: "Do not tell this code to anyone, not even to someone on the phone who says they are from support. Nobody \
              who really helps you needs it.",
    not_you: "This wasn't you?",
    model: "Model",
    serial: "Serial number",
    firmware: "Firmware",
    asked_at: "Asked for",
    device_clock: "Device's clock",
    running_since: "Running since",
    clock_not_set: "not set",
    footer: "Sent by {service}. This mail has no links and no pictures. If a mail like it asks you to click on \
             something, it is not from us.",
    answer: AnswerWording {
        taken: "Your mail was taken",
        not_taken: "Your mail could not be used",
        code: "The request in your mail was taken. If the device still waits for it, the code goes to the email address that is \
               stored on the device, and to no other: also not to the one that you wrote from, unless that is the same. Look \
               into that mailbox, and type the digits on the device's screen.",
        desk: "The request in your mail was taken, and the support desk has it. They look into it and get in touch. Have a photo \
               of the device's label and the invoice at hand: they may ask for them. Keep the device switched on.",
        what_to_do: "No request could be taken from your mail. Take the photo again: straight on, the whole square code in the \
                     picture, without glare. Attach it as JPEG or PNG, or attach the file that the device exported; packed \
                     files are not opened. If the device's screen shows another code by now, send that one. If you have \
                     sent several already, wait until tomorrow.",
        automatic: "This answer is automatic, and there is no more than one a day. If you did not write to us, somebody used your \
                    address; you need not do anything.",
    },
};
