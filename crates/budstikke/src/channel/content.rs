//! Taking in what a case message says: the same questions as its sender was asked, then the steps it means.

use budstikke_case::wire::{Receipt, ReceiptKind};
use budstikke_case::{
    Body, Kind, Leg, Order, Passage, Received, Refusal, Role, Side, TermsEvent, Unknown,
    may_accept, side, validate, wire,
};
use budstikke_e2ee::group::{Application, Finding, Member, Party};

use super::commit::want_terms;
use super::seat::{Seat, case_roles, terms_of};
use super::send::{SendOptions, message_id, name_of, own_side, post, store};
use crate::client::Work;
use crate::dossier::alert;
use crate::dossier::hear::{By, Said, hear};
use crate::dossier::keys::Members;
use crate::error::Error;
use crate::events::Event;
use crate::mission::line::bind_heard;
use crate::records::{self, CaseRecord, MessageIndex, MessageRecord, OrderRecord};
use crate::recovery::transcript;
use crate::view::{case_name, message_key};

/// Takes one decrypted message into its case.
pub(crate) fn take(
    work: &Work<'_>,
    mut seat: Seat,
    application: &Application,
) -> Result<(), Error> {
    let members = match &seat.case {
        Some(case) => Members::of(work, &seat, terms_of(case)?.leg())?,
        None => return Err(Error::NotFound { what: "the case" }),
    };
    let Some(case) = &mut seat.case else { return Err(Error::NotFound { what: "the case" }) };
    let came = transcript::take(work, &case.id, application)?;
    tell_findings(work, application);
    let colleague = is_colleague(case, &application.sender);
    let bytes = application.content.to_vec();
    let revoked = application.findings.contains(&Finding::Revoked);
    let judged = Received::open(bytes.clone()).and_then(|received| {
        if revoked {
            return Err(Refusal::RoleCertificateInvalid { reason: "revoked" });
        }
        judge(work, case, &application.sender, received)
    });
    let judged = match judged {
        Ok(received) => {
            let content = received.content();
            let by = if colleague { By::Colleague } else { By::Them };
            let sender = application.sender.key.as_bytes();
            let said = Said { content, bytes: &bytes, members: &members, by, sender };
            match hear(work, case, &said) {
                Ok(()) => Ok(received),
                Err(Error::Refused(refusal)) => Err(*refusal),
                Err(error) => return Err(error),
            }
        }
        refused => refused,
    };
    let from = name_of(&application.sender.party);
    let mut message = MessageRecord::new(0, false, from, bytes, work.now);
    (message.nth, message.late) = (came.nth, came.late);
    match judged {
        Ok(received) => {
            if let Some(Body::Receipt(receipt)) = &received.content().body {
                if !colleague {
                    note_receipt(work, case, receipt)?;
                }
                // What a person adds ("I have it; next word on Monday") stands in the case like a letter.
                if receipt.note.is_empty() && receipt.next_word_by_s == 0 {
                    return records::save(work.tx, &case.id.clone(), case);
                }
            }
            number(work, case, &mut message);
            store(work, &case.id, &message)?;
            records::save(work.tx, &case.id.clone(), case)?;
            work.event(Event::MessageReceived {
                case: case_name(&case.id),
                number: message.number,
                kind: received.kind().name().to_owned(),
            });
            want_terms(work, &seat)?;
            if colleague { Ok(()) } else { acknowledge(work, seat, &received) }
        }
        Err(Refusal::ReplayIgnored { .. }) => transcript::duplicate(work, &case.id),
        Err(refusal) => {
            number(work, case, &mut message);
            message.quarantined = true;
            refusal.code().clone_into(&mut message.refused);
            store(work, &case.id, &message)?;
            records::save(work.tx, &case.id.clone(), case)?;
            work.event(Event::MessageRefused {
                case: case_name(&case.id),
                number: message.number,
                code: refusal.code().to_owned(),
            });
            if colleague {
                return Ok(());
            }
            refuse(work, seat, &message.content, &refusal)
        }
    }
}

/// Tells what a message's frame says about others that should have come.
pub(crate) fn tell_findings(work: &Work<'_>, application: &Application) {
    for finding in &application.findings {
        if !matches!(finding, Finding::Gap { .. } | Finding::Late) {
            work.event(Event::Problem { what: describe(finding) });
        }
    }
}

/// Every rule that the sender's client should have kept, and the step that the message means for the terms.
fn judge(
    work: &Work<'_>,
    case: &mut CaseRecord,
    sender: &Member,
    received: Received,
) -> Result<Received, Refusal> {
    let mut terms = match terms_of(case) {
        Ok(terms) => terms,
        Err(_) => budstikke_case::TermsState::new(Leg::DefenderMission),
    };
    let (header, _) = received.act()?;
    let role = role_of(&sender.party, header.sender_role, terms.leg())?;
    validate(received.content(), terms.leg(), role)?;
    observe(work, case, sender, header)?;
    // What a colleague writes is for the other end, and comes here because the team writes with one voice.
    let to = if is_colleague(case, sender) { &case.peer_unit } else { &case.own_unit };
    let passage = Passage::new(wire::Transport::RelayQuic, to);
    may_accept(received.content(), &terms, work.now, &passage)?;
    if let Some(event) = TermsEvent::of(received.content())? {
        let was_agreed = terms.agreed_hash();
        bind_heard(work, case, is_colleague(case, sender), &mut terms);
        terms.apply(event, work.now)?;
        case.terms = terms.to_bytes();
        let name = case_name(&case.id);
        if terms.agreed_hash() != was_agreed && terms.agreed_hash().is_some() {
            work.event(Event::TermsInForce { case: name });
        } else if matches!(received.kind(), Kind::TermsProposal | Kind::TermsCounter) {
            work.event(Event::TermsProposed { case: name });
        }
    }
    Ok(received)
}

/// Whether a member is of this device's own unit. Receipts are between the two ends, never among colleagues.
fn is_colleague(case: &CaseRecord, member: &Member) -> bool {
    matches!(&member.party, Party::Device(device) if device.unit.id == case.own_unit)
}

/// The role a sender claims, if its certificate (or its place in the group) gives it that role: I03.
pub(crate) fn role_of(sender: &Party, claimed: i32, leg: Leg) -> Result<Role, Refusal> {
    let claimed = Role::try_from(claimed).unwrap_or_default();
    let allowed = match sender {
        Party::Device(device) => case_roles(&device.roles, leg),
        // Family, a lawyer or a trusted contact may write from the defender's own device.
        _ => [Role::Defender, Role::Family, Role::LegalRepresentative, Role::TrustedContact]
            .into_iter()
            .filter(|role| side(leg, *role) == Some(Side::Asking))
            .collect(),
    };
    if allowed.contains(&claimed) {
        Ok(claimed)
    } else {
        Err(Refusal::RoleNotPermitted { role: claimed, act: "write", allowed })
    }
}

/// W03: a message that came before is taken once.
fn observe(
    work: &Work<'_>,
    case: &CaseRecord,
    sender: &Member,
    header: &wire::Header,
) -> Result<(), Refusal> {
    let index = [case.id.as_slice(), &header.message_id].concat();
    if matches!(records::load::<MessageIndex>(work.tx, &index), Ok(Some(_))) {
        return Err(Refusal::ReplayIgnored { seq: header.seq });
    }
    let key = [case.id.as_slice(), sender.key.as_bytes()].concat();
    let stored = records::load::<OrderRecord>(work.tx, &key).ok().flatten();
    let bytes = stored.and_then(|record| record.order.as_slice().try_into().ok());
    let mut order = bytes.map(Order::from_bytes).unwrap_or_default();
    if header.seq > 0 {
        order.observe(header.seq)?;
        let record = OrderRecord { order: order.to_bytes().to_vec() };
        // A failed write dooms the transaction; its commit reports it.
        let _ = records::save(work.tx, &key, &record);
    }
    Ok(())
}

fn number(work: &Work<'_>, case: &mut CaseRecord, message: &mut MessageRecord) {
    case.messages += 1;
    case.last_at = work.now;
    message.number = case.messages;
}

/// A receipt changes the state of the message it answers.
fn note_receipt(work: &Work<'_>, case: &CaseRecord, receipt: &Receipt) -> Result<(), Error> {
    let index = [case.id.as_slice(), &receipt.message_id].concat();
    let Some(place) = records::load::<MessageIndex>(work.tx, &index)? else { return Ok(()) };
    let key = message_key(&case.id, place.number);
    let Some(mut message) = records::load::<MessageRecord>(work.tx, &key)? else { return Ok(()) };
    if !message.outgoing {
        return Ok(());
    }
    let kind = u32::try_from(receipt.kind).unwrap_or_default();
    if !message.receipts.contains(&kind) {
        message.receipts.push(kind);
    }
    if !receipt.code.is_empty() {
        message.refused.clone_from(&receipt.code);
    }
    records::save(work.tx, &key, &message)?;
    alert::receipt(work, case, &receipt.message_id, receipt.kind)?;
    work.event(Event::Receipt { case: case_name(&case.id), number: place.number });
    Ok(())
}

/// Says that it arrived, where the terms let this side say so.
fn acknowledge(work: &Work<'_>, seat: Seat, received: &Received) -> Result<(), Error> {
    let Some(case) = &seat.case else { return Ok(()) };
    let terms = terms_of(case)?;
    let (Some(agreed), true) = (terms.agreed(), received.kind().is_case_content()) else {
        return Ok(());
    };
    let policy = agreed.receipts.as_ref();
    let ours = match own_side(&seat, terms.leg())? {
        Some(Side::Asking) => policy.map(|policy| policy.from_defender.as_slice()),
        _ => policy.map(|policy| policy.from_mission.as_slice()),
    };
    if !ours.unwrap_or_default().contains(&ReceiptKind::Delivered.into()) {
        return Ok(());
    }
    answer(work, seat, received.bytes(), |message_id| Receipt {
        kind: ReceiptKind::Delivered.into(),
        message_id,
        ..Receipt::default()
    })
}

/// Says that and why it was not taken; to a receipt nothing is answered.
fn refuse(work: &Work<'_>, seat: Seat, content: &[u8], refusal: &Refusal) -> Result<(), Error> {
    let Ok(received) = Received::open(content.to_vec()) else { return Ok(()) };
    if received.kind() == Kind::Receipt {
        return Ok(());
    }
    answer(work, seat, content, |message_id| match refusal {
        Refusal::NotUnderstood { what } => Receipt {
            kind: ReceiptKind::NotUnderstood.into(),
            message_id,
            not_understood: match what {
                Unknown::Arm(number) | Unknown::Feature(number) => *number,
                Unknown::Enum(_) => 0,
            },
            ..Receipt::default()
        },
        _ => Receipt {
            kind: ReceiptKind::Refused.into(),
            message_id,
            code: refusal.code().to_owned(),
            ..Receipt::default()
        },
    })
}

fn answer(
    work: &Work<'_>,
    seat: Seat,
    content: &[u8],
    receipt: impl FnOnce(Vec<u8>) -> Receipt,
) -> Result<(), Error> {
    // A message without a usable id can't be answered; it stays apart all the same.
    let Ok(id) = message_id(content) else { return Ok(()) };
    match post(work, seat, receipt(id.to_vec()).into(), &SendOptions::default()) {
        // Quiet time and the like hold an automatic answer back; the message itself is taken.
        Ok(_) | Err(Error::Refused(_) | Error::Frozen { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn describe(finding: &Finding) -> String {
    let text = match finding {
        Finding::Repeated => "a sender counts anew: its device was restored from an old copy",
        Finding::Lapsed => "the sender's certificate has ended; its unit must renew it",
        Finding::Revoked => {
            "the sender is revoked: what it says is kept apart and counts for nothing"
        }
        _ => "the history of a conversation does not fit together: compare with the other side",
    };
    text.to_owned()
}
