# Hand-overs: refusals, words and labels. Toward the person concerned: plain, and no promise.

refusal-not-on-case-access-list = Nobody has given you this conversation ({ $case }), or it has not been accepted yet.
refusal-case-without-owner = Nobody takes over one of the conversations ({ $case }).
next-step-wait-for-acceptance = Whoever is to have it has to accept it first: `bud handover accept` on their device.
next-step-name-an-owner = Say who is to have it: `bud handover own`.

kind-handover = Hand-over
kind-case-access-change = Who reads what you write

access-change-kind-handed-over = somebody else goes on with it
access-change-kind-taken-over = somebody else takes it over, because the officer before is gone
access-change-kind-objection = no to whoever is to read
access-may-object = If you do not want this, say so with `bud object`: then somebody else is looked for, and you are told who. You need to do nothing else.

case-state-opened = opened
case-state-intake = being told
case-state-triaged = looked at
case-state-active = active
case-state-monitoring = watched
case-state-closed = closed
in-flight-kind-act = something planned
in-flight-kind-approval-request = the Ministry was asked
in-flight-kind-alert = an alert
handover-phase-draft = being prepared
handover-phase-offered = waits for whoever is to accept
handover-phase-accepted = accepted
handover-phase-finished = settled; it holds from the day after the last day
handover-phase-done = done
case-stage-open = nobody takes it
case-stage-owned = has a next officer; the person is not told yet
case-stage-told = the person is told
case-stage-offered = offered
case-stage-accepted = accepted

view-access = Who reads
view-access-objection = Said no
view-reads = Will read
view-reads-from = From
view-stops-reading = Stops reading
view-handed-case = What the last officer leaves
view-case-state = State
view-promise = Promise
view-promise-by = By
view-in-flight = On its way
view-in-flight-kind = What
view-in-flight-due = Due
view-trust-notes = For you alone
view-who-is-told = Who knows
view-handover = Hand-over
view-handed-from = From
view-handed-to = To
view-last-day = Last day ends
