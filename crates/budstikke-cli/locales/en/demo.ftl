# `bud demo`: who does what, who sees what, what held.

demo-who-ministry = Ministry
demo-who-officer-a = Officer A
demo-who-officer-b = Officer B
demo-who-heron = HERON
demo-who-relay = Relay
demo-sees = sees:
demo-refused = is stopped:
demo-refused-code = is stopped [{ $code }]:
demo-broken = This did not hold: { $claim }

demo-scene-relay = A relay starts
demo-relay-starts = listens on this machine only, over QUIC with a post-quantum key exchange. It keeps a key for its disk outside its data folder.

demo-scene-trust = The Ministry vouches for a mission
demo-ministry-founds = makes its root key. In life this vault stays offline.
demo-a-certified = asks for a certificate for { $unit }; the Ministry makes it; Officer A installs it. Texts go from hand to hand, not over the relay.
demo-ministry-sees = that the mission exists, and its keys. Of defenders it sees nothing: it takes no part in their conversations.
demo-check-chain = the mission's certificate leads to the Ministry's root

demo-scene-offer = The mission publishes its offer
demo-a-publishes = publishes terms, a privacy notice and the terms for emergencies, signed.
demo-relay-sees-notice = a signed public notice. A relay could read it: it is meant for everybody with an invitation. It names no defender.
demo-a-invites = prints the invitation ({ $letters } letters and digits, or a QR code) and hands it to a teacher after a seminar.
demo-check-invitation = the invitation is short enough to be printed small

demo-scene-look = HERON looks before writing
demo-heron-looks = opens the invitation at home. No account, no number, no name. It leads to "{ $name }", and to eight words:
demo-a-reads-words = reads the mission's words aloud when HERON rings from a shop:
demo-check-words = the words are the same on both sides
demo-relay-sees-look = that somebody fetched a public notice.

demo-scene-contact = HERON reaches out, on other terms than those on offer
demo-heron-reaches-out = writes narrower terms, signs in with an alias, and sends one sealed cell to the mission's front door:
demo-relay-sees-contact = one cell for the front door, the same size as every other, and work done for it. Not who sent it, not what it says.
demo-check-sent = the relay has it, and nothing waits on HERON's device

demo-scene-terms = Both sides agree on the terms, or nothing flows
demo-a-sees-contact = finds somebody at the door ({ $id }), with terms of their own. No name.
demo-a-counters = accepts all of it but one point, and says why: "delivered" receipts, so that HERON sees when words have arrived.
demo-check-contact = the mission sees who has reached out
demo-check-not-in-force = no terms are in force yet
demo-heron-tries = is in a hurry and sends the form at once.
demo-check-t01 = HERON's own program refused (T01), before anything was sealed
demo-heron-accepts = reads the change and agrees.
demo-check-in-force = both sides hold the same terms, in force
demo-relay-sees-terms = cells of one size in mailboxes whose names it made from random keys.
demo-check-case-words = safety words of this conversation are the same on both sides

demo-scene-intake = HERON tells what happened
demo-heron-tells = sends the form: { $incidents } incidents, whom they happened to, what must not be done; who is who goes apart ({ $sheets ->
        [one] one sheet
       *[other] { $sheets } sheets
    }).
demo-relay-sees-intake = { $cells ->
        [one] one cell
       *[other] { $cells } cells
    } of 16 KiB. It cannot tell a form from a letter.
demo-a-reads = has { $new } new messages and opens them.
demo-check-same-bytes = what arrived is what was sent, byte for byte

demo-scene-restart = HERON's device was off
demo-heron-restarts = starts the program again, and mistypes.
demo-check-locked = the wrong passphrase opens nothing
demo-check-reopened = the right one opens everything, as it was left

demo-scene-reply = Officer A answers
demo-a-takes-on = sends the receipt "a person has it".
demo-a-writes = writes:
demo-heron-reads = finds the letter, and beside the form the words "a person has it".
demo-check-taken-on = the receipt and the letter have arrived

demo-scene-colleague = A colleague is let in, in the open
demo-b-enrolled = becomes the mission's second device: requested, enrolled by Officer A, let into the team.
demo-check-team = both devices see a team of two
demo-a-assigns = assigns Officer B. The assignment is signed and travels with the change.
demo-heron-sees-b = the people who can read here: { $names }.
demo-check-joined = everybody sees one reader more, and the keys have changed
demo-heron-answers = answers.
demo-b-reads = reads it:
demo-check-b-reads = Officer B reads what is written from now on
demo-b-sees = nothing of what was written before; Officer A may tell.
demo-check-b-not-before = earlier letters do not open for Officer B

demo-scene-disk = What the relay's disk holds
demo-relay-holds = { $files } files, { $kib } KiB, sealed under the key outside the folder.
demo-relay-said = { $lines } lines of its own log, { $counters } lines of counters:
demo-searched = is searched, file by file, line by line: { $markers } names, texts, ids, keys, passphrases and cells, each raw, in hex, base32 and base64.
demo-check-logged = there is a disk and a log to search
demo-check-nothing = none of them is there
demo-control = The same search runs over a file in which { $planted } of them were planted on purpose.
demo-check-control = it finds every one that was planted

demo-held = All of it held: { $steps } claims were checked, none by hand.
demo-kept = Everything is in { $folder }.
