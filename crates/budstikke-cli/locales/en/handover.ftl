# Hand-overs: refusals, words and labels. Toward the person concerned: plain, and no promise.

refusal-not-on-case-access-list = Nobody has given this officer the conversation ({ $case }), or they have not accepted it yet.
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
view-reads-from = They read from
view-reads-until = Who stops reads until
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

event-handover-changed = A hand-over has come a step further; "bud handover show" says how far.
event-handover-offered = You are asked to take over from a colleague: "bud handover show", then "bud handover accept".
event-handover-objected = Somebody does not want who is to read { $id }: find somebody else with "bud handover own".
show-handover-pending = This is to go to another officer: "bud handover show".

handover-title = Hand-over { $id }: { $who } leaves
handover-last-day = Last day ends
handover-phase = Stands
handover-head-case = Case
handover-head-owner = Goes to
handover-head-stage = How far
handover-from = Left by
handover-none = There is no hand-over.
handover-objected = { $id }: the person concerned has said no to somebody.
handover-started-next = Say who is to have each of them: "bud handover own OFFICER", with what they have to know in a file.
handover-own-which = Say which case: notes are about one, and those without an officer are these.
handover-owned-next = When each has its officer: "bud handover tell" tells everybody concerned.
handover-told = { $number ->
    [one] One person was told.
   *[other] { $number } people were told.
}
handover-told-next = "bud handover offer" asks the officers now.
handover-not-told-next = Tell the rest later with "bud handover tell"; nobody is asked before everybody was told.
handover-offered = Everybody who is to have a case is asked.
handover-offered-next = They answer with "bud handover accept"; "bud sync" fetches it.
handover-accepted = You take it over. Until the cases are here it takes a sync of your colleague's and of yours.
handover-accepted-next = "bud sync", then "bud handover show ID" with what your colleague leaves you.
handover-finished-next = When the last day is over, the devices of those who go on remove your colleague's from every case.
objected = You have said no to who is to read.
objected-next = Somebody else is looked for. Until then whoever read before reads on; "bud sync" fetches the answer.

cmd-object = Say no to somebody who is to read what you write
cmd-object-after = Whoever is to read then does not get it from here on, and somebody else is looked for.
cmd-handover = Hand an officer's cases over, so that none falls between two chairs
cmd-handover-after =
    The way: start, own for each case, tell, offer; the next officer accepts; finish. Nobody reads
    before they have accepted, and nobody is asked before the person concerned was told.
cmd-handover-start = Begin: all cases that the officer who leaves and this device are both in
arg-handover-start-last-day = Last day of who leaves, like 2026-07-31
arg-handover-start-officer = Who leaves [default: you]
cmd-handover-own = Say who is to have a case; without ID: every case that nobody has yet
arg-handover-own-officer = Label of the colleague, as "bud mission team" shows it
arg-handover-own-id = Which case; left out: every case that nobody has yet
arg-handover-own-notes = What they have to know: state, promises, what is for them alone ("-": standard input)
cmd-handover-tell = Tell everybody concerned who will read, from when on, and that they may say no
arg-handover-tell-words = What else to tell them, in your own words, from this file
cmd-handover-offer = Ask the next officers
cmd-handover-accept = Accept what you were asked to take over
arg-handover = Which hand-over, as "bud handover show" lists it; may be left out when there is one
cmd-handover-finish = Say that nothing is left with who leaves; it holds when the last day is over
cmd-handover-show = Show how far it is; with ID: what was left about that case
arg-handover-show-id = Which case
