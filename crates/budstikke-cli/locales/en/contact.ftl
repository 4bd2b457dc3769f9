# The first contact, on both sides.

look-paste = Paste the invitation (it begins with "budinvite1"), then press Ctrl-D.
look-in-history = The invitation now stands in your shell's history. Next time, save it to a file or paste it when asked.
look-title = { $name }
look-offer = Terms on offer, number { $number }
look-emergency = The emergency form may be sent before any terms are agreed.
look-next = If the safety words are right and you agree, "bud reach-out --accept 1". To propose other terms, "bud reach-out --counter FILE". In danger, add "--emergency FILE".
look-key-changed = You knew this mission under another key until { $since }. It may have had to begin anew, or somebody may pretend to be it.
look-key-changed-next = Compare the words with the mission over the phone or face to face. If they are the same, "bud reach-out --new-key --accept 1". If they differ, stop.
working-reach-out = Doing the work that the relay asks of strangers, then sending

reach-out-sent = The relay has it. Only this mission can open it; your name is not in it unless you wrote it there.
reach-out-emergency = The emergency form went with it.
reach-out-countered = Your own terms went with it. Nothing else flows before the mission agrees or answers with others.
reach-out-next = A person at the mission answers. "bud sync" fetches the answer, "bud listen" waits for it.

contacts-empty = Nobody waits for an answer.
contacts-empty-next = "bud sync" fetches what is new.
contacts-which = More than one person waits; say which.
contacts-one = { $id }
contacts-received = Received
contacts-stage = State
contacts-emergency = They say they are in danger. Read this first.
contacts-accepted = They accept the terms that you offer.
contacts-countered = They propose these terms instead of yours:
contacts-next = "bud answer ID" accepts their terms; "bud answer ID --counter FILE" proposes others.
contact-waiting = waits for an answer
contact-answering = being answered by this device
contact-answered = answered by this device
contact-colleague = answered by a colleague
answered = Answered. The conversation is { $id }.
answered-next = "bud show { $id }" shows it. The defender sees your answer with their next "bud sync".
assigned = { $officer } was asked to take part; everybody in the conversation will see it.
unassigned = { $officer } no longer takes part; everybody in the conversation will see it.
unassigned-next = It completes when the other side has synced; { $officer }'s device keeps what it has and opens nothing that is written after.
assigned-next = It completes when { $officer }'s device and this one have synced. { $officer } reads what is written from then on, not what was written before.
