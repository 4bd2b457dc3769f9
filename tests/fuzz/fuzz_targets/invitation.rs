//! Invitations: what was understood is written and understood alike.
#![no_main]

use budstikke_e2ee::invite::Invitation;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // The checksum is in the way of random text, so the payload is fuzzed and the armour put around it.
    for text in
        [String::from_utf8_lossy(data).into(), budstikke_e2ee::armor::encode("budinvite1", data)]
    {
        if let Ok(invitation) = Invitation::from_text(&text) {
            let again = Invitation::from_text(&invitation.to_text().unwrap()).unwrap();
            assert!(again == invitation);
        }
    }
});
