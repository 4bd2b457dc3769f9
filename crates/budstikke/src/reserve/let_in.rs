//! A person's yes to a device that asks to go on with a case whose officer is gone; on an admin's device before that,
//! the word that it may ask. Each yes names whom it is for.

use budstikke_e2ee::group::{Ask, GroupError};
use budstikke_e2ee::team::TeamMessage;

use crate::client::{Client, Work};
use crate::error::Error;
use crate::mission::{need_admin, own_device, team};
use crate::records::{self, AskRecord, CaseRecord};
use crate::recovery::{again, freeze};
use crate::view::{case_name, short};

/// What [`Client::let_in`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LetIn {
    /// The next sync lets this device in; everybody in the case sees it.
    Admitted {
        /// Its user, as people know them.
        who: String,
    },
    /// On an admin's device: it may ask the people in the case now.
    Assigned {
        /// Its user, as people know them.
        who: String,
    },
}

impl Client {
    /// Says yes to whoever asks to go on with a case ([`Trouble::AsksToTakeOver`](crate::Trouble)): `who` is their
    /// name or, if two asks carry one name, the short id of their device. Nobody is let in by any other call.
    ///
    /// # Errors
    /// [`Error::NotFound`] when nobody of that name asks; [`Error::Input`] when several do; [`Error::Frozen`];
    /// [`Error::NotReady`] on a device that is not in the case and no admin's; [`Error::Group`] when what they ask
    /// with holds no more: they ask anew.
    pub async fn let_in(&self, case: &str, who: &str) -> Result<LetIn, Error> {
        let (case, who) = (case.trim().to_ascii_lowercase(), who.trim().to_owned());
        self.vault(move |work| let_in(work, &case, &who)).await
    }
}

fn let_in(work: &Work<'_>, case: &str, who: &str) -> Result<LetIn, Error> {
    let mut asks = records::all::<AskRecord>(work.tx)?;
    asks.retain(|(_, ask)| {
        let named = short(&ask.key).eq_ignore_ascii_case(who) || ask.who.eq_ignore_ascii_case(who);
        ask.newcomer && named && !case.is_empty() && case_name(&ask.case_id).starts_with(case)
    });
    let (key, mut record) = match (asks.pop(), asks.is_empty()) {
        (None, _) => {
            return Err(Error::NotFound { what: "anybody of that name who asks for that" });
        }
        (Some(ask), true) => ask,
        _ => {
            return Err(Error::Input {
                what: "who is to be let in",
                why: "several devices of that name ask: take the id that `doctor` shows".to_owned(),
            });
        }
    };
    let ask = Ask::read(&work.env(), &record.signed).map_err(GroupError::from)?;
    let who = record.who.clone();
    if ask.assignment.is_empty() {
        need_admin(&own_device(work)?)?;
        let assignment = again::assignment(work, &record.case_id, &ask.key)?;
        let (case_id, key_of) = (record.case_id.clone(), ask.key);
        records::remove::<AskRecord>(work.tx, &key)?;
        team::tell(work, &TeamMessage::AgainAssigned { case_id, key: key_of, assignment })?;
        return Ok(LetIn::Assigned { who });
    }
    freeze::may_send(&records::need::<CaseRecord>(work.tx, &record.case_id)?)?;
    record.granted_at = work.now;
    records::save(work.tx, &key, &record)?;
    again::add(work, &record, ask.assignment)?;
    Ok(LetIn::Admitted { who })
}
