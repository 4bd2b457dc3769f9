//! Certificates that end: what a person has to do about it, if anything.

use budstikke::{CertificateLevel, CertificateState, CertificateStatus};
use serde_json::{Value, json};

use crate::{
    catalogue::{Catalogue, t},
    reply::Piece,
};

/// One sentence for the screen.
pub(crate) fn piece(status: &CertificateStatus, catalogue: &Catalogue) -> Piece {
    let text = sentence(status, catalogue);
    if status.state == CertificateState::Ended { Piece::Alarm(text) } else { Piece::Warn(text) }
}

/// What ends when, and who renews it.
pub(crate) fn sentence(status: &CertificateStatus, catalogue: &Catalogue) -> String {
    let days = u64::from(status.days_left);
    let ended = status.state == CertificateState::Ended;
    match (status.level, ended, status.ours) {
        (CertificateLevel::Device, false, _) => t!(catalogue, "certificate-device", days = days),
        (CertificateLevel::Device, true, _) => t!(catalogue, "certificate-device-ended"),
        (CertificateLevel::Unit, false, true) => {
            t!(catalogue, "certificate-unit-ours", days = days)
        }
        (CertificateLevel::Unit, false, false) => t!(catalogue, "certificate-unit", days = days),
        (CertificateLevel::Unit, true, true) => t!(catalogue, "certificate-unit-ours-ended"),
        (CertificateLevel::Unit, true, false) => t!(catalogue, "certificate-unit-ended"),
        (CertificateLevel::Issuer, false, true) => {
            t!(catalogue, "certificate-issuer-ours", days = days)
        }
        (CertificateLevel::Issuer, false, false) => {
            t!(catalogue, "certificate-issuer", days = days)
        }
        (CertificateLevel::Issuer, true, true) => t!(catalogue, "certificate-issuer-ours-ended"),
        (CertificateLevel::Issuer, true, false) => t!(catalogue, "certificate-issuer-ended"),
    }
}

/// For programs.
pub(crate) fn json(certificates: &[CertificateStatus]) -> Value {
    certificates.iter().map(one).collect()
}

/// One of them.
pub(crate) fn one(status: &CertificateStatus) -> Value {
    let level = match status.level {
        CertificateLevel::Issuer => "issuer",
        CertificateLevel::Unit => "unit",
        CertificateLevel::Device => "device",
    };
    let state = match status.state {
        CertificateState::Good => "good",
        CertificateState::Due => "due",
        _ => "ended",
    };
    json!({
        "level": level,
        "not_after": status.not_after,
        "days_left": status.days_left,
        "state": state,
        "ours": status.ours,
    })
}
