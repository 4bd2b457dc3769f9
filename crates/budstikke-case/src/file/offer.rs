//! Terms and privacy notices from a file.

use prost::Message as _;

use super::intake::language;
use super::table::Table;
use super::{FileError, Format};
use crate::hash::{Hash, terms_hash};
use crate::validate::{validate_privacy_notice, validate_terms};
use crate::wire as w;

const DAY_S: i64 = 86_400;
/// The careful defaults, and half a year of validity.
const VALID_DAYS: u32 = 180;
const REVIEW_DAYS: u32 = 90;
const DEVICE_HOURS: u32 = 48;

/// Channel terms, as an offer, a proposal or a counter carries them.
#[derive(Clone, PartialEq)]
pub struct TermsFile {
    /// The terms.
    pub terms: w::ChannelTerms,
    /// `note` or `why` to go with them.
    pub note: String,
}

/// A privacy notice.
#[derive(Clone, PartialEq)]
pub struct PrivacyNoticeFile {
    /// The notice.
    pub notice: w::PrivacyNotice,
}

impl TermsFile {
    /// Reads and checks terms. What a file leaves out gets the careful default: leg
    /// defender-mission, identity alias, handling case-team, notifications innocuous, 48 hours on
    /// the defender's device, review after 90 days, valid from `now` for 180 days, no receipts,
    /// nothing onward.
    ///
    /// # Errors
    /// As for [`super::IntakeFile::parse`].
    pub fn parse(text: &str, format: Format, now: i64) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let note = t.text("note")?;
        let terms = terms(&mut t, now)?;
        t.finish()?;
        let leg = w::Leg::try_from(terms.leg).unwrap_or_default();
        validate_terms(&terms, leg)?;
        Ok(Self { terms, note })
    }

    /// Names the privacy notice that goes with the terms.
    #[must_use]
    pub fn with_privacy_notice(mut self, notice: Hash) -> Self {
        self.terms.privacy_notice_hash = notice.to_vec();
        self
    }

    /// Names the terms that an onward leg's may not exceed.
    #[must_use]
    pub fn inheriting(mut self, defender_terms: Hash) -> Self {
        self.terms.inherits_terms_hash = defender_terms.to_vec();
        self
    }

    /// Encodes once; from here on these bytes are the terms.
    pub fn encode(&self) -> (Vec<u8>, Hash) {
        let bytes = self.terms.encode_to_vec();
        let hash = terms_hash(&bytes);
        (bytes, hash)
    }
}

impl PrivacyNoticeFile {
    /// Reads and checks a notice; valid from `now` unless it says otherwise.
    ///
    /// # Errors
    /// As for [`super::IntakeFile::parse`].
    pub fn parse(text: &str, format: Format, now: i64) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let notice = w::PrivacyNotice {
            controller: t.text("controller")?,
            contact: t.text("contact")?,
            legal_bases: t.words::<w::LegalBasis>("legal_bases")?,
            purposes: t.words::<w::Purpose>("purposes")?,
            categories: t.words::<w::DataCategory>("categories")?,
            recipients: t.text("recipients")?,
            retention_plain: t.text("retention_plain")?,
            archive_duty: t.flag("archive_duty")?,
            archive_duty_plain: t.text("archive_duty_plain")?,
            rights_plain: t.text("rights_plain")?,
            complaint_authority: t.text("complaint_authority")?,
            transfers_plain: t.text("transfers_plain")?,
            third_parties_plain: t.text("third_parties_plain")?,
            consent_is_for_acts_plain: t.text("consent_is_for_acts_plain")?,
            valid_from_s: or(t.date("valid_from")?, now),
            language: language(&mut t)?,
        };
        t.finish()?;
        validate_privacy_notice(&notice)?;
        Ok(Self { notice })
    }
}

fn terms(t: &mut Table<'_>, now: i64) -> Result<w::ChannelTerms, FileError> {
    // Whole minutes: terms travel on the defender's leg.
    let valid_from_s = or(t.date("valid_from")?, now - now.rem_euclid(60));
    let days = or(t.number("valid_days")?, VALID_DAYS);
    Ok(w::ChannelTerms {
        kind: or(t.word::<w::TermsKind>("kind")?, w::TermsKind::Ordinary.into()),
        leg: or(t.word::<w::Leg>("leg")?, w::Leg::DefenderMission.into()),
        units: t.texts("units")?,
        title: t.text("title")?,
        expectations: t.table("expectations", |t| expectations(t, now))?,
        retention: t.table("retention", retention)?,
        onward: t.tables("onward", onward)?,
        receipts: t.table("receipts", |t| {
            Ok(w::ReceiptPolicy {
                from_defender: t.words::<w::ReceiptKind>("from_defender")?,
                from_mission: t.words::<w::ReceiptKind>("from_mission")?,
            })
        })?,
        quiet_time: t.table("quiet_time", quiet_time)?,
        transports: t.words::<w::Transport>("transports")?,
        purposes: t.words::<w::Purpose>("purposes")?,
        identity: or(t.word::<w::IdentityLevel>("identity")?, w::IdentityLevel::Alias.into()),
        handling: or(t.word::<w::Handling>("handling")?, w::Handling::CaseTeam.into()),
        notifications: or(
            t.word::<w::NotificationStyle>("notifications")?,
            w::NotificationStyle::Innocuous.into(),
        ),
        attachments_keep_metadata: t.flag("attachments_keep_metadata")?,
        code_words: t.table("code_words", |t| {
            Ok(w::CodeWords {
                all_is_well: t.text("all_is_well")?,
                i_am_in_danger: t.text("i_am_in_danger")?,
                to_prove_it_is_me: t.text("to_prove_it_is_me")?,
            })
        })?,
        off_channel: t.text("off_channel")?,
        languages: t.texts("languages")?,
        inherits_terms_hash: Vec::new(),
        privacy_notice_hash: Vec::new(),
        valid_from_s,
        valid_until_s: valid_from_s.saturating_add(i64::from(days) * DAY_S),
        review_days: or(t.number("review_days")?, REVIEW_DAYS),
    })
}

fn expectations(t: &mut Table<'_>, now: i64) -> Result<w::Expectations, FileError> {
    Ok(w::Expectations {
        we_can: t.texts("we_can")?,
        we_cannot: t.texts("we_cannot")?,
        known_risks: t.texts("known_risks")?,
        usual_reply_hours: t.number("usual_reply_hours")?,
        as_of_s: or(t.date("as_of")?, now),
    })
}

fn retention(t: &mut Table<'_>) -> Result<w::Retention, FileError> {
    Ok(w::Retention {
        defender_device_hours: or(t.number("defender_device_hours")?, DEVICE_HOURS),
        mission_days: t.number("mission_days")?,
        ministry_days: t.number("ministry_days")?,
        archive_duty: t.flag("archive_duty")?,
    })
}

fn onward(t: &mut Table<'_>) -> Result<w::OnwardRule, FileError> {
    Ok(w::OnwardRule {
        recipients: t.word::<w::RecipientClass>("recipients")?,
        mode: or(t.word::<w::OnwardMode>("mode")?, w::OnwardMode::Never.into()),
        identity: or(t.word::<w::IdentityLevel>("identity")?, w::IdentityLevel::Alias.into()),
    })
}

fn quiet_time(t: &mut Table<'_>) -> Result<w::QuietTime, FileError> {
    let utc_offset_min = t.utc_offset_min();
    let windows = t.tables("windows", |t| {
        Ok(w::QuietWindow {
            from_minute: t.minute_of_day("from")?,
            until_minute: t.minute_of_day("until")?,
            weekdays: t.numbers("weekdays")?,
        })
    })?;
    Ok(w::QuietTime { windows, utc_offset_min, place: t.text("place")? })
}

fn or<N: PartialEq + Default>(value: N, default: N) -> N {
    if value == N::default() { default } else { value }
}
