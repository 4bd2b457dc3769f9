# The Ministry's and the mission's set-up.

ministry-made = The Ministry's root key is in this vault. Keep the vault, and a copy of it, offline.
ministry-made-next = A mission sends its request; "bud ministry certify FILE" makes its certificate.
ministry-certified = The certificate is made. Be sure that the request really came from this mission.
ministry-certified-next = Hand it back; the mission runs "bud mission install".
ministry-certified-short = It ends with this issuer's own certificate. "bud ministry issuer request" renews that first; then a longer one can be made.
ministry-name = Name
ministry-part = This vault holds
ministry-part-whole = the root key and an issuer
ministry-part-root = the root key alone
ministry-part-issuer = an issuer
ministry-part-waiting = an issuer that waits for its certificate
root-fingerprint = Root fingerprint
issuer-name = Issuer
issuer-fingerprint = Issuer's key
issuer-until = Issuer until
issuer-listed = { $name }, until { $at }. Key: { $key }
issuer-listed-revoked = { $name }, revoked on { $at }. Key: { $key }

root-made = The root key is in this vault, and nothing else. It needs no network: keep it on a machine without one, and a copy of it in another place.
root-made-next = An issuer's vault makes its request with "bud ministry issuer request"; carry it here for "bud ministry root certify FILE".
root-asked = { $name } asks to certify in this Ministry's name. Its key: { $key }
root-asked-again = This key has been certified before, until { $at }.
root-certify-confirm = Does the issuer's own screen show the same key?
root-not-done = Nothing was signed, and nothing was changed.
root-not-done-next = Where nobody can be asked, "--yes" is the answer.
root-certified = The issuer is certified for a year.
root-certified-next = Carry it back; there, "bud ministry issuer install". Compare the root fingerprint on both screens.
split-root-confirm = The issuer is taken out of this vault for good. Is it in another vault that opens?
split-root-done = This vault holds the root key alone now. Keep it on a machine without a network.
split-issuer-confirm = The root key is taken out of this vault for good. Is it in another vault that opens?
split-issuer-done = This vault holds an issuer alone now. It certifies as before.
split-next = Copies of this vault that were made before still hold both keys: destroy them.
issuer-requested = The request is ready.
issuer-requested-next = Carry it to the root's vault, and be there when the key above is compared.
issuer-installed = This issuer is certified. Compare the root fingerprint with the root's own screen: everybody's trust hangs from it.
issuer-installed-next = A mission or a desk sends its request; "bud ministry certify FILE" makes its certificate.

certificate-device = This device's certificate ends { $days ->
        [0] today
        [one] in one day
       *[other] in { $days } days
    }: your admin's device renews it at its next sync. Nothing has to be done here.
certificate-device-ended = This device's certificate has ended. It still reads; what it sends, others see marked as not vouched for, and it lets nobody in. Your admin's device renews it: "bud sync" there, then here.
certificate-unit = The mission's or desk's certificate ends { $days ->
        [0] today
        [one] in one day
       *[other] in { $days } days
    }: your admin has it renewed by the Ministry.
certificate-unit-ended = The mission's or desk's certificate has ended, and with it this device's. It still reads; what it sends, others see marked as not vouched for. Your admin has it renewed by the Ministry.
certificate-unit-ours = The mission's or desk's certificate ends { $days ->
        [0] today
        [one] in one day
       *[other] in { $days } days
    }: "bud mission renew" (at a desk "bud desk renew") makes the request for a new one.
certificate-unit-ours-ended = The mission's or desk's certificate has ended, and with it those of its devices. They still read; what they send, others see marked as not vouched for. "bud mission renew" (at a desk "bud desk renew") makes the request for a new one.
certificate-issuer = The certificate of the Ministry's issuer ends { $days ->
        [0] today
        [one] in one day
       *[other] in { $days } days
    }, and with it this office's. The Ministry renews its own first; then your admin has this office's renewed.
certificate-issuer-ended = The certificate of the Ministry's issuer has ended, and with it this office's. This device still reads; what it sends, others see marked as not vouched for. The Ministry renews its own first; then your admin has this office's renewed.
certificate-issuer-ours = This issuer's certificate ends { $days ->
        [0] today
        [one] in one day
       *[other] in { $days } days
    }. "bud ministry issuer request" makes the request that is carried to the root.
certificate-issuer-ours-ended = This issuer's certificate has ended: it certifies nobody until the root has renewed it. "bud ministry issuer request" makes the request.
event-certificate-renewed = This device has a new certificate, until { $at }.
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
mission-renewing = The request for a new certificate is ready. Keys and safety words stay the same.
mission-renewing-next = Bring it to the Ministry as you did the first; they run "bud ministry certify". Then "bud mission install" here.
desk-renewing-next = Bring it to the Ministry as you did the first; they run "bud ministry certify". Then "bud desk install" here.
mission-renewed = The new certificate is installed.
mission-renewed-next = "bud sync" publishes it and hands a new one to every device here; each takes it with its own next "bud sync".
mission-published = Published. Defenders who hold your invitation see these terms, this privacy notice and these safety words.
mission-published-next = "bud mission invite" makes the invitation. "bud sync" once a day keeps the offer fresh.
mission-enrolled = The enrolment is ready. Only that device can open it.
mission-enrolled-next = Your colleague runs "bud device install"; then "bud sync" here lets the device in.
device-requested = The request is ready.
device-requested-next = Bring it to your admin in a way that proves it is yours; they run "bud mission enrol".
device-installed = This device belongs to the mission.
staff-since = Known since
staff-device = Device
team-code = A code for { $officer }'s new device. Show it to nobody else: whoever uses it first is let in.
team-code-next = { $officer } runs "bud team join" on the new device; then "bud sync" here, there, and here again.
team-paste = Paste the code that your admin's screen shows, then Ctrl-D.
team-joining = This device asks to join { $unit } as { $officer }'s.
team-joining-next = When the admin's device has synced, "bud sync" here goes on.
team-removed = { $officer }'s device is out of the team. What others write after their next "bud sync" does not open on it.
team-removed-case = It is taken off { $id } as well.
team-removed-admin = That device had the mission's own keys: it can still speak in the mission's name. The Ministry has to certify new ones.
team-removed-next = The team moves to another mailbox by itself; invitations that you gave out stay good. { $officer }'s device learns of it with its next "bud sync".
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
