# Refusals of the rules: what is not done (refusal-…), who can change that (fix-…), what to do
# (next-step-…). One sentence each, for somebody under stress.

refusal-terms-not-in-force = Nothing else is sent before both sides have agreed on the terms of this conversation ({ $state }).
refusal-terms-expired = The agreed terms ran out on { $since }.
refusal-terms-hash-mismatch = This names other terms than the ones both sides have before them.
refusal-transport-not-agreed = The terms do not include this way of sending ({ $transport }).
refusal-onward-exceeds-defender-terms = This would pass on more than was agreed with the person concerned ({ $what }: asked { $asked }, agreed { $allowed }).
refusal-ministry-leg-not-agreed = The mission and the Ministry have not agreed on terms between them yet.
refusal-receipt-not-agreed = The terms do not include this kind of receipt ({ $kind }).
refusal-quiet-time = The other person has asked for quiet until { $until }.
refusal-wrong-recipient = This is meant for { $intended }, who does not take part here.
refusal-recipient-unverified = The safety words have not been compared with the other side yet.
refusal-key-changed = The other side's key changed on { $since }.
refusal-role-not-permitted = This cannot be done in your role ({ $role }); these may: { $allowed }.
refusal-purpose-missing = It does not say yet what this is for.
refusal-purpose-incompatible = The terms do not cover this purpose ({ $to }).
refusal-source-may-not-leave = Who told the mission about this stays inside the mission.
refusal-third-party-not-stripped = "{ $field }" names other people, and this would leave the mission.
refusal-handling-forbids = The sender allowed a narrower circle of readers ({ $handling }).
refusal-retention-missing = "{ $field }" is missing: the terms have to say how long anything is kept.
refusal-marking-too-high = This conversation may not carry anything marked "{ $marking }".
refusal-not-understood = This needs a newer version of the program ({ $what }). It was kept, and nothing was done with it.
refusal-malformed = "{ $field }" { $fault }.
refusal-too-large = "{ $field }" is too long: { $got } { $unit ->
        [entries] entries
       *[bytes] bytes
    }, at most { $limit }.
refusal-replay-ignored = This message had already arrived. Nothing was done twice.

fault-encoding = is damaged
fault-two-bodies = holds two messages in one
fault-twice = holds the same field twice
fault-missing = is missing
fault-length = has the wrong length
fault-range = is out of range
fault-contradiction = contradicts another field
fault-order = ends before it begins
fault-reference = names somebody who is not listed under "who"
fault-characters = contains characters that are not text
fault-misplaced = does not belong here

fix-you = You.
fix-other-side = The other side.
fix-both-sides = Both sides, together.
fix-another-role = Somebody with another role.
fix-defender = Only the person concerned.
fix-newer-version = A newer version of the program.
fix-time = Nobody; it takes time.
fix-nobody = Nobody; there is nothing to change.

next-step-agree-on-terms = Look at the terms with "bud terms show", then accept or counter them. In danger, the emergency form may go at once.
next-step-renew-terms = Propose terms again with "bud terms counter". In danger, the emergency form may go at once.
next-step-compare-terms = Fetch what is new with "bud sync", then read "bud terms show" before you answer.
next-step-propose-new-terms = Propose terms that include it, with "bud terms counter".
next-step-ask-the-defender = Ask them whether they agree to more.
next-step-agree-with-the-ministry = Agree on terms with the Ministry first.
next-step-wait-or-mark-urgent = Wait until then, or mark it as urgent if it is.
next-step-check-the-recipient = Check whom you meant to write to.
next-step-compare-safety-words = Compare the safety words ("bud words") with the other side, over the phone or face to face; then "bud words --same".
next-step-ask-somebody-with-the-role = Ask a colleague with that role.
next-step-choose-a-purpose = Say what it is for, among the purposes in the terms.
next-step-leave-out-the-source = Leave that part out and try again.
next-step-leave-out-third-parties = Leave those names out and try again.
next-step-ask-the-sender = Ask the sender for a wider circle of readers.
next-step-set-retention = Add the number of days, then try again.
next-step-use-another-channel = Use the channel that is approved for that marking.
next-step-update = Update the program, then open this again.
next-step-correct-the-field = Correct that field, then try again.
next-step-shorten-or-split = Shorten it, or tell the rest in a later message.
next-step-nothing = Nothing; all is well.

warning-sequence-gap = { $missing ->
        [one] One earlier message is missing.
       *[other] { $missing } earlier messages are missing.
    } Ask the other side whether they wrote more.
warning-other-update-needed = "{ $field }" holds a choice that this version does not know; update to see it.
warning-time-not-understood = "{ $field }" is kept as you told it, but no date was understood in it.
warning-expectations-old = What can be expected was last looked at more than 180 days ago.
warning-nobody-named = It does not say yet whom this is about.
warning-exercise = EXERCISE: this is practice.
warning-distressing = This text may be upsetting to read.
warning-child-concerned = A child is concerned: think of the guardian and of the privacy officer.
warning-told-by-other = This was told by somebody else than the person concerned.
warning-clock-implausible = The time of writing does not fit this device's clock.
warning-review-overdue = The date for looking at this again has passed.

file-syntax = The file cannot be read{ $line ->
        [0] {""}
       *[other] {" "}(line { $line })
    }: { $message }
file-too-large = The file is too large: { $got } bytes, at most { $limit }.
file-unknown-field = There is no field "{ $field }".
file-wrong-type = "{ $field }" should be { $expected }.
file-unknown-word = "{ $field }" cannot be "{ $word }".
file-did-you-mean = Did you mean "{ $suggestion }"?
file-can-be = It can be one of: { $known }.
file-named = { $file }: { $fault }
file-named-next = Correct it and run "bud check" again. Nothing was sent.

check-good = { $file } can be sent as it is: { $title }.
check-good-next = Read it once more as the other side will see it. "bud send" sends it.
