# The work of a mission and of the Ministry's desk: files of cases, guarded acts, alerts, approvals.

span-days = { $days } d { $hours } h
span-hours = { $hours } h { $minutes } min
span-minutes = { $minutes } min
time-not-understood = "{ $time }" is not understood as a time.
time-not-understood-next = Write it as "in 2h", "14:30", "2026-03-04 14:30", or with an offset.

case-title = File of { $id }, { $who }
case-no-risk = No risk assessment is filed.
case-facts = Facts
case-no-facts = No facts are filed.
case-fact = { $id }: { $status }. { $claim }
case-acts = Acts
case-no-acts = No act is planned.
case-alerts = Alerts
case-file-next = "bud act show" shows acts whole, "bud case check PLAN" what would stop one.
case-added = Filed on this device. The source is never passed on; a brief draws on the rest.
case-added-next = "bud case risk FILE" and "bud case facts FILE" file what an act rests on.
case-risk-filed = The risk assessment is filed. It stays on this device until it goes with a request.
case-risk-blanks = Still blank: { $fields }. "unknown" is an answer; a blank stops an act.
case-facts-filed = { $verified ->
        [one] One fact is verified.
       *[other] { $verified } facts are verified.
    } The file stays on this device until it goes with a request.
case-facts-open = Not verified, and so not to be used in a protest or a statement: { $facts }.
consent-next-officer = "bud case check PLAN" says what an act still lacks.
oral-entered-next = "bud case check PLAN" says what an act still lacks.
case-filed-next = "bud case check PLAN" says what an act still lacks.

blocks-title = What stands in the way
check-free = Nothing stands in the way of "{ $title }".
check-free-next = "bud act plan FILE" files the plan; "bud act clear" notes that nothing is missing.
check-blocked = { $count ->
        [one] One point stands
       *[other] { $count } points stand
    } in the way of "{ $title }".
check-blocked-next = Put each right, then check again. Nothing was sent or filed.
check-approval-next = Only the Ministry's approval is missing: "bud act plan FILE", then "bud act submit".
check-form-next = Read it once more as others will see it. "{ $command }" takes it.

share-built = A brief was built for the Ministry. Nothing that was told is passed on as it came.
share-items = Items it draws on
share-allowed = Allowed because
share-left-out = { $field }: { $why }
share-nothing-left-out = Nothing was left out.
share-told = The person concerned has been told who got what (message { $number }).
share-told-later = The person concerned has asked for quiet now; they are told who got what with the first "bud sync" after it.
share-next = "bud alert raise FILE" if somebody has to act on it; it names this brief.

act-none = There is no act that fits.
act-none-next = "bud act show" lists acts, "bud act plan FILE" files one.
act-which = More than one act fits; say which.
act-line = { $id }  { $kind }: { $title } ({ $phase })
act-list-next = "bud act show ACT" shows one whole.
act-title = Act { $id }
act-phase = Stands
act-hash = Plan number
act-scheduled = Is to be done
act-approved-until = Approved until
act-done-at = Done
act-effect-due = Report on effect due
act-condition = Condition { $number }
act-no-further-use = { $person } took consent back on { $at }, after it was done: make nothing more of it, publish nothing.
act-planned = The plan is filed as { $id }. Nothing was sent.
act-planned-next = "bud act submit" asks the Ministry; "bud act clear" if the act needs no approval.
act-edited = "{ $title }" is written anew. An approval of the old plan no longer counts.
act-edited-next = "bud act submit" asks for approval of the plan as it is now.
act-cleared = Nothing is missing for "{ $title }".
act-cleared-next = "bud act schedule" sets a time; "bud act done" when it is done.
act-submitted = "{ $title }" is before the Ministry, with the proof of consent, the risk assessment and the facts used.
act-submitted-next = "bud sync" fetches the decision. Silence is not approval; an edit makes it another plan.
act-condition-met = Noted: the condition is met.
act-condition-met-next = "bud act show" lists what is still open.
act-scheduled-now = "{ $title }" has a time.
act-scheduled-now-next = Just before, run "bud sync": consent may have been taken back. "bud act done" when it is done.
act-done = Noted: "{ $title }" was done.
act-done-next = "bud act effect FILE" reports what it led to; "bud act inform" tells the person concerned.
act-done-not-fresh = The relay was not reached: consent may have been taken back and not have arrived. What this device knew is recorded.
act-looked-at = Looked at: the answer of { $person }, given { $given }, last stood by { $affirmed }
act-effect = The report on "{ $title }" is filed.
act-effect-next = "bud act inform" tells the person concerned what was done.
act-informed = The person concerned is told about "{ $title }".
act-informed-next = "bud act close" ends it, when its effect is reported.
act-closed = "{ $title }" is closed.
act-closed-next = It stays in the file: "bud act show".
act-cancelled = "{ $title }" will not be done.
act-cancelled-next = "bud act inform --nothing-done" tells the person concerned why.
act-resumed = "{ $title }" goes on from where it was held.
act-resumed-next = "bud act show" says what is still missing.
act-passed = Passed with your reasons, which the Ministry sees.
act-passed-next = "bud act show" says what is still missing.

alert-none = There is no alert that fits.
alert-none-next = "bud alert list" lists alerts; "bud sync" fetches what is new.
alert-which = More than one alert fits; say which.
alert-list-empty = There are no alerts.
alert-list-next = "bud alert ack --mine --next-word TIME" takes one; only a person stops the clock.
alert-id = Alert
alert-from = Raised by
alert-ours = your side
alert-theirs = the other side
alert-state = Stands
alert-taken = Taken
alert-taken-by = by { $who }, { $at }
alert-next-word = Next word by
alert-left = { $at } ({ $span } left)
alert-past = { $at } ({ $span } ago)
alert-overdue = OVERDUE by { $span }: no person has taken it.
alert-overdue-outside = OVERDUE by { $span }: no person has taken it, and nobody comes next. Use the way outside this program.
alert-exhausted = OVERDUE by { $span }: nobody has taken it, and nobody is left to ask here. Use the way outside this program.
alert-exercise = EXERCISE: this is practice. Do what you would do if it were real, up to the point where somebody outside would be contacted.
alert-passed-on-by = { $who }, { $unit }; nobody took it in time
alert-then = If nobody takes it
alert-then-who = { $who }, { $at }
alert-word-overdue = { $who } took it, and promised a word { $span } ago. Ask.
alert-raised = The alert is raised.
alert-raised-next = Both sides see the deadline. "bud sync" fetches the answer; the clock runs until a person has taken it.
alert-mine = You have taken it; the clock has stopped on both sides once this arrives.
alert-in-hand = Noted: work is under way.
alert-mine-next = Give the next word by then: "bud alert ack --in-hand --next-word TIME", or "--done".
alert-done = Noted: it is done.
alert-done-next = The other side sees it with their next "bud sync".
alert-not-mine = They hear that you have seen it, and that somebody else has to take it. The clock runs on.
alert-not-mine-next = Tell the colleague who has to take it, now. If you had taken it before, nobody else is told of it from here on.
alert-cancelled = The alert is taken back:
alert-cancelled-next = The other side sees it, with your reasons.
attention = { $count ->
        [one] An alert is
       *[other] { $count } alerts are
    } overdue: no person has taken it in time.
attention-next = "bud alert ack --mine --next-word TIME" takes it.
attention-ours-next = Use the way outside this program: the number stands in "bud alert show".
event-alert-exhausted = NOBODY LEFT: alert { $alert } was passed on to everybody, and nobody has taken it. "bud alert show" has the way outside this program.
event-alert-for-you = Alert { $alert } was passed on to you: nobody took it in time. "bud alert show" shows it, "bud alert ack --mine --next-word TIME" takes it.
event-alert-near = Alert { $alert } waits for a person, and most of the time is over. "bud alert ack --mine --next-word TIME" takes it.
event-alert-overdue = OVERDUE: nobody has taken alert { $alert } in time. "bud alert list" shows it.
event-alert-not-passed-on = Nobody has taken alert { $alert }, and what was to tell the next in line has NOT LEFT this device: there is no network. Reach them another way.
event-alert-open-again = Alert { $alert } was GIVEN BACK: nobody has it, and nobody else hears of it from here on. Reach them another way, or raise it again.
event-alert-passed-on = Nobody has taken alert { $alert }: it goes to whoever comes next.
event-alert-taken = Alert { $alert } was answered, or taken back. "bud alert list" shows by whom.

line-opened = The desk has been asked for a line about { $who }, under terms no wider than those agreed with them.
line-opened-next = The desk answers with "bud answer"; "bud sync" fetches the answer.
line-renewed = New terms for the line are proposed, cut down to what is agreed with the person concerned now.
line-renewed-next = The desk says yes with "bud terms accept"; "bud sync" fetches the answer.
line-none = This conversation has no line to the Ministry.
line-none-next = "bud line open INVITATION" opens one.

request-none = Nothing has been put before the Ministry.
request-by = { $line }, decide by { $by }
request-list-next = "bud request show ACT" shows one whole, "bud decide ACT" decides.
request-from = Asked by
request-show-next = "bud decide --approve", "--return" or "--refuse", with --reasons FILE. The decision holds for exactly this plan.
decided-approved = Approved: { $kind }, "{ $title }", exactly as it was put.
decided-approved-next = The mission looks at consent once more before it acts, and reports what it led to.
decided-returned = Sent back for more: { $kind }, "{ $title }".
decided-returned-next = The mission edits the plan and asks again.
decided-refused = Refused: { $kind }, "{ $title }".
decided-refused-next = The mission reads your reasons and tells the person concerned that nothing was done, and why.

ministry-certified-desk = The certificate is made. Be sure that the request really came from this desk.
ministry-certified-desk-next = Hand it back; the desk runs "bud desk install".
answered-line-next = "bud show { $id }" shows it. The mission sees your answer with its next "bud sync".
desk-requested-next = Bring it to whoever keeps the Ministry's root key, in a way that proves it is yours; they run "bud ministry certify".
desk-installed = This desk is certified, and this is its first device.
desk-installed-next = "bud desk publish TERMS --privacy FILE" puts your offer to missions on the relay.
desk-published = Published. Missions who hold your invitation see these terms.
desk-published-next = "bud desk invite" makes the invitation for missions. "bud sync" once a day keeps the offer fresh.
desk-invite-made = Whoever holds this can ask for a line, nothing more; only missions under the same Ministry get one.
desk-invite-made-next = The mission runs "bud line open FILE"; then "bud sync", "bud contacts" and "bud answer" here.
desk-name = Desk
desk-id = Desk's id
