# The Ministry's and the mission's set-up.

ministry-made = The Ministry's root key is in this vault. Keep the vault, and a copy of it, offline.
ministry-made-next = A mission sends its request; "bud ministry certify FILE" makes its certificate.
ministry-certified = The certificate is made. Be sure that the request really came from this mission.
ministry-certified-next = Hand it back; the mission runs "bud mission install".
ministry-name = Name
root-fingerprint = Root fingerprint
unit-name = Mission
unit-id = Mission's id
valid-until = Valid until
staff-officer = Officer
staff-roles = Roles

staff-role-staff = staff
staff-role-contact-person = contact person
staff-role-head-of-mission = head of mission
staff-role-admin = admin
staff-role-desk = Ministry desk
staff-role-duty = duty officer
staff-role-decision-maker = decision-maker
staff-role-privacy = privacy officer
staff-role-other = a role of a newer version

mission-requested = The request for { $unit } is ready.
mission-requested-next = Bring it to the Ministry in a way that proves it is yours; they run "bud ministry certify".
mission-installed = This mission is certified, and this is its first device.
mission-installed-next = "bud mission publish TERMS --privacy FILE" puts your offer on the relay.
mission-published = Published. Defenders who hold your invitation see these terms, this privacy notice and these safety words.
mission-published-next = "bud mission invite" makes the invitation. "bud sync" once a day keeps the offer fresh.
mission-enrolled = The enrolment is ready. Only that device can open it.
mission-enrolled-next = Your colleague runs "bud device install"; then "bud sync" here lets the device in.
device-requested = The request is ready.
device-requested-next = Bring it to your admin in a way that proves it is yours; they run "bud mission enrol".
device-installed = This device belongs to the mission.
device-installed-next = It is let into the team when the admin's device has synced; then run "bud sync" here.
invite-made = Whoever holds this can knock at your door, nothing more. Hand it over where nobody looks on.
invite-made-next = The defender runs "bud look FILE", and may ask you to read the safety words aloud.
invite-no-qr = The invitation is too long for a QR code.

whoami-vault = Vault
whoami-defender = This is a defender's vault. It holds no name.
whoami-new = This vault has no role yet.
whoami-uncertified = This device waits for its certificate: "bud mission install" or "bud device install".

passphrase-changed = The passphrase is changed.
passphrase-changed-next = The old one no longer opens this vault. Copies made earlier still open with it.
