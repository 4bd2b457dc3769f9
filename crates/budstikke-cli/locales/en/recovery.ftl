# What is wrong, what happens by itself, what a person can do. Toward the defender: never "case"; nothing is promised.

doctor-well = Nothing is wrong on this device as far as it can tell.
doctor-well-next = A relay that says nothing cannot be told from one that has nothing to say: if you expect word and none comes, ask another way.
doctor-head = { $count ->
    [one] One thing is not as it should be
   *[other] { $count } things are not as they should be
}
doctor-about = Conversation { $id }
doctor-about-device = This device
doctor-needs-you = For what needs your yes, "bud doctor --mend" does all of it, "bud recover ID" one conversation.
doctor-attention = { $count ->
    [one] One thing needs a person.
   *[other] { $count } things need a person.
}
doctor-nothing-to-mend = There is nothing here that this command can mend.

trouble-change-waiting = A change of who can read, or of the keys, waits for its turn; another device was quicker { $lost ->
    [0] not once
    [one] once
   *[other] { $lost } times
}. It is made again with the next "bud sync", and messages go on meanwhile.
trouble-behind = { $count ->
    [one] One message waits
   *[other] { $count } messages wait
} since { $at } for a change of the keys that the relay has not shown yet. "bud sync" looks again each time; after a day you are told.
trouble-withheld = The relay withholds changes since { $at }: others write with keys that this device cannot reach. Ask the other side, another way, whether they can read you. If "bud sync" does not help, "bud recover { $id }" asks them to add this device again.
trouble-frozen-equivocated = STOPPED since { $at }: the relay told two sides different things and signed both. Nothing more is sent here, what came before stays readable. The proof is kept.
trouble-frozen-forked = STOPPED since { $at }: the two sides no longer have the same history. Either the relay told them different things, or a device was put back to an old copy. Nothing more is sent here, what came before stays readable.
trouble-frozen-ours-ready = The others' devices have sent what a new start needs: "bud recover { $id }" makes it, with the same people and terms, over another relay. Name one with --relay if the mission has no second one.
trouble-frozen-ours-waits = Next the other side's device hears of it with its next "bud sync", and sends what a new start needs. Tell them another way if you can. Then "bud recover { $id }" makes it.
trouble-frozen-theirs = Next the mission makes a new start over another relay, with the same people and terms; your device has sent what that needs. "bud sync" fetches it. If it takes long, tell the mission another way, or "bud recover { $id }" asks again.
trouble-proof = A proof is kept here that the relay signed two things that contradict each other. "bud doctor --proof FILE" writes it, to be filed with whoever chose or runs the relay; it shows nothing of what anybody wrote.
trouble-stuck = Since { $at } this device cannot follow a change that the others can: somebody's device cheated it or is at fault. Messages stay unread until it is added again: "bud recover { $id }" asks for that.
trouble-keys-lost = This device has lost the keys of this conversation. What came before is still here; nothing new can be read. "bud recover { $id }" asks the others to add this device again, and everybody sees it.
trouble-asked = This device asked at { $at } to be added again. An admin of the mission has to say yes; then "bud sync" brings it back. What was written meanwhile may have to be sent once more.
trouble-asks-again = { $who } has lost their keys since { $at } and asks to be added again. An old copy of a device can ask the same: make sure, another way, that it is really them. Then an admin says yes with "bud recover { $id }", and everybody sees it.
trouble-asks-again-assigned = { $who } has lost their keys since { $at } and asks to be added again. An old copy of a device can ask the same: make sure, another way, that it is really them. Then "bud recover { $id }" adds them, and everybody sees it.
trouble-asks-again-granted = { $who } is added again with the next "bud sync" of a device that takes part.
trouble-asks-new-group = { $who }'s device says since { $at } that the history forked, and asks for a new start; this device has seen nothing wrong itself. Ask them another way. Then "bud recover { $id }" makes or asks for it.
trouble-missing = { $who }'s { $count ->
    [one] message { $numbers } has
   *[other] messages { $numbers } have
} not come.
trouble-missing-lost = And { $count ->
    [one] one more is
   *[other] { $count } more are
} given up.
trouble-missing-next = The relay may be late, or keep them back. If they do not come with the next "bud sync", ask { $who } to send them again.
trouble-duplicates = { $count ->
    [one] One message came
   *[other] { $count } messages came
} more than once and was ignored.
trouble-unanswered = Your message { $number } is at the relay since { $at }, and their device has not said that it has it. They may be offline, or the relay keeps it back: reach them another way.
trouble-outbox-stuck = { $count ->
    [one] One piece waits
   *[other] { $count } pieces wait
} since { $at } to be sent. "bud sync" tries again; "bud outbox" shows what waits.
trouble-certificate-ends = The certificate of this device ends { $at }. An admin's device has to renew it; until then everything can be read.
trouble-certificate-ended = The certificate of this device ended { $at }: nothing can be sent as staff. An admin's device has to renew it.
trouble-directory-old = The newest list of what no longer counts was made { $at } and is out of date: who lost a device since may still be believed. "bud sync" fetches the next; if none comes for days, ask the mission or the Ministry for it as a file.
trouble-directory-forked = Two lists of what no longer counts came that contradict each other: somebody is shown another one. "bud directory" shows it; tell the mission or the Ministry another way.
trouble-no-certificate = This device waits for its certificate: give its request to an admin, and install the answer.
trouble-not-in-team = The mission's first device has not let this one in yet: "bud sync" there, then here.

proof-none = No relay was caught here.
proof-written = The proof stands in { $file }. Anybody can check it with "bud doctor --check-proof FILE".
proof-holds = The proof holds: this relay signed two different entries for the same place.
proof-relay = Relay
proof-slot = Slot and place
proof-hashes = It signed
proof-next = Compare the relay with the part before the "@" in its address. Do not use it any more, and tell whoever chose it.

recovered-new-group = The conversation goes on over another relay. The others join with their next "bud sync"; then both can write again.
recovered-new-group-next = Compare the safety words again before you send what must not reach anybody else: "bud words { $id }".
recovered-asked-new-group = The others' devices were asked for what a new start needs.
recovered-asked-new-group-next = It leaves with "bud sync". When they have synced as well, "bud sync" and "bud doctor" here say what comes next.
recovered-added-again = They are added again with the next "bud sync".
recovered-added-again-next = Everybody in the conversation sees it. What was written while they were away may have to be sent once more.
recovered-asked-again = The others were asked to add this device again.
recovered-asked-again-next = It leaves with "bud sync". An admin of the mission has to say yes, and may ask you, another way, whether it is really you.

show-frozen = STOPPED: nothing can be sent here. "bud doctor" says why and what comes next.
show-keys-lost = The keys of this conversation are lost on this device. "bud doctor" says what to do.
show-withheld = The relay withholds changes since { $at }. "bud doctor" says what to do.
show-missing = { $who }'s { $count ->
    [one] message { $numbers } has
   *[other] messages { $numbers } have
} not come.
show-missing-lost = { $count ->
    [one] One message of { $who } is
   *[other] { $count } messages of { $who } are
} given up.
show-duplicates = { $count ->
    [one] One message came twice; the copy was
   *[other] { $count } messages came twice; the copies were
} ignored.
show-late = late
show-nth = their number { $number }
list-frozen = STOPPED
list-keys-lost = keys lost

event-history = { $who }'s { $count ->
    [one] message { $numbers } has
   *[other] messages { $numbers } have
} not come in { $id }. "bud doctor" says more.
event-message-late = { $who }'s message { $number } in { $id } has come, late.
event-duplicate = A message in { $id } came once more and was ignored.
event-withheld = The relay withholds changes in { $id } since { $at }. "bud doctor" says what to do.
event-equivocated = THE RELAY WAS CAUGHT: it told two sides different things and signed both. The proof is kept; "bud doctor" says what comes next.
event-frozen = STOPPED: nothing more is sent in { $id }. "bud doctor" says why and what comes next.
event-asks-again = Somebody in { $id } has lost their keys and asks to be added again. "bud doctor" says more.
event-asks-new-group = Somebody's device asks for a new start of { $id }. "bud doctor" says more.
event-recovered = This device is back in { $id }.
event-recovered-new-group = { $id } goes on over another relay; who is in it has not changed. Compare the safety words again.

error-frozen = Nothing can be sent here: { $why }.
error-frozen-relay = the relay told two sides different things
error-frozen-fork = the two sides no longer have the same history
error-frozen-next = What you wrote was not sent. "bud doctor" says what happens next; reach the other side another way if it cannot wait.
