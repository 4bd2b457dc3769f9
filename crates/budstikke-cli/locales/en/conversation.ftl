# Conversations, as both sides see them.

list-empty = There is no conversation in this vault yet.
list-empty-next = If you have reached out, "bud sync" fetches the answer when there is one.
list-awaits = You have reached out, and there is no answer yet.
list-awaits-next = "bud sync" sends what has not left yet, and fetches the answer when there is one.
list-which = There is more than one conversation; say which.
list-next = "bud show ID" opens one.
list-line = { $who }, about { $about }
list-head-id = ID
list-head-with = With
list-head-terms = Terms
list-head-new = New
list-head-last = Last

show-title = Conversation { $id } with { $who }
show-terms = Terms
show-who-can-read = Who can read here
show-member = { $name } ({ $unit })
list-left = over for this device
show-left = You no longer take part here: what was said before stays, and nothing new comes.
show-own = { $name }, this device
show-lapsed = { $name }, certificate has ended
show-pending-ours = Terms that you proposed wait for the other side's answer ("bud terms show").
show-pending-theirs = Terms that the other side proposed wait for your answer ("bud terms show").
show-messages = Messages
show-line = { $number } · { $at } · { $from } · { $kind }
show-next = "bud show --message NUMBER" shows one whole; "bud send" writes.
show-you = you
show-no-message = There is no message { $number } here.
show-unreadable = This message cannot be shown by this version; it is kept as it came.

progress-on-this-device = on this device
progress-at-relay = at the relay
progress-on-their-device = on their device
progress-taken-on = a person has it
progress-refused = not accepted on the other side

safety-words = Safety words
safety-words-case = Both sides see the same words. Compare them over the phone or face to face.
safety-words-unit = The mission can read you the same words over the phone or face to face. If they differ, stop.

words-next = If they are the same, "bud words --same" notes it; who you are is sent only after that. If they differ, stop and ask for a new invitation.
words-same = Noted: you have compared them, and they are the same.
words-compared = They have been compared, and are the same.
words-mission = Whoever holds your invitation sees these words. Read them to people who ask.
words-line = A line to the Ministry has no safety words: certificates speak for both ends.
words-line-next = "bud words --mission" shows your own unit's.
words-key-changed = The other side has another key since { $since }. It may have had to begin anew, or somebody may pretend to be it. Nothing more is sent until you have compared the words.
words-code-differs = The code is of other keys than yours. Somebody may sit between you, or it is the code of another conversation.
words-code-differs-next = Send nothing here. Compare the words face to face, or ask for a new invitation.

send-no-identity = The file "{ $file }" holds no [[identity]].
send-own-message = Message { $number } is your own; a receipt answers one of the other side's.
send-empty = There is nothing to send: the text is empty.
send-at-relay = On its way: the relay has it, sealed for { $who }.
send-at-relay-next = You see "on their device" or "a person has it" in "bud show" only if your terms allow receipts.
send-waits = Kept on this device: the relay does not have all of it yet.
send-waits-next = "bud sync" tries again; nothing is lost meanwhile.

sync-done = Fetched { $received ->
        [0] nothing new
        [one] one piece
       *[other] { $received } pieces
    }, sent { $sent ->
        [0] nothing
        [one] one piece
       *[other] { $sent } pieces
    }{ $waiting ->
        [0] .
       *[other] ; { $waiting } still wait on this device.
    }
sync-problem = Not everything could be done now. What waits is kept.
sync-next = "bud list" shows what there is.

outbox-empty = Nothing waits on this device.
outbox-line = { $count ->
        [one] One piece
       *[other] { $count } pieces
    } of message { $number } in conversation { $id }, since { $at }
outbox-own = { $count ->
        [one] One piece
       *[other] { $count } pieces
    } that the program sends for itself, since { $at }
outbox-next = "bud sync" sends what waits.

event-contact-arrived = Somebody has reached out ({ $id }). "bud contacts" shows more.
event-contact-emergency = EMERGENCY: somebody has reached out in danger ({ $id }). "bud contacts" shows more.
event-contact-taken = A colleague has answered { $id }.
event-case-opened = A conversation is open: { $id }.
event-terms-proposed = Terms were proposed in { $id }. "bud terms show { $id }" shows them.
event-terms-in-force = Terms are in force in { $id }.
event-message = New in { $id }: message { $number }, { $kind }.
event-message-refused = A message in { $id } was kept but not accepted ({ $code }).
event-at-relay = Message { $number } in { $id } is at the relay.
event-receipt = A receipt for message { $number } in { $id } has come.
event-members = The people who can read { $id } have changed; "bud show { $id }" lists them.
event-key-changed = The other side of { $id } has another key than before; compare the words ("bud words { $id }") before you write.
event-team = The mission's devices have changed.
event-removed-from = You no longer take part in { $id }: its keys are gone from this device, what was said before stays.
event-removed-from-team = This device was REMOVED from its team: its keys are gone, and it opens nothing new. Ask your admin if that is not right.
event-device-enrolled = { $officer }'s device has used its code and was certified. It is let in once it has synced, and then this one.
event-join-answered = This device was certified. It is let in when the admin's device has synced once more; then "bud sync" here.
event-join-refused = { $cause }
event-commit-lost = Another device was quicker; ours was done again on top.
event-problem = { $cause }

terms-none = No terms have been agreed or proposed yet.
terms-in-force = In force
terms-on-table-ours = On the table, proposed by you
terms-on-table-theirs = On the table, proposed by the other side
terms-next-theirs = "bud terms accept" agrees; "bud terms counter --file FILE" proposes others.
terms-next-ours = The other side has to answer; "bud sync" fetches it.
terms-nothing-to-accept = There are no terms of the other side on the table.
terms-accepted-now = You have agreed: both sides stand by the same terms now.
terms-accepted-next = From here on, messages may be sent.
terms-countered = Your terms are on their way.
terms-countered-next = Nothing else flows until one side accepts the other's terms.
terms-suspended = The conversation is paused. Only you can end your pause: "bud terms resume".
terms-resumed = Your pause is over.
terms-ended = The agreement has ended, at once.
terms-ended-next = What was sent is kept as long as the terms and the law say. New terms may be proposed at any time.
