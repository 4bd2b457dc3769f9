# `bud demo`: who does what, who sees what, what held.

demo-who-ministry = Ministry
demo-who-officer-a = Officer A
demo-who-officer-b = Officer B
demo-who-desk-m = Desk M
demo-who-decider-k = Decider K
demo-who-duty-d = Duty D
demo-who-heron = HERON
demo-who-reed = REED
demo-who-relay = Relay
demo-who-head = Head H
demo-who-holders = Holders
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
demo-heron-looks = opens the invitation at home. No account, no number, no name. It leads to "{ $name }", and to ten words:
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

demo-scene-desk = The Ministry sets up a desk
demo-desk-certified = asks for a certificate for { $unit }, as the mission did, and publishes terms for missions.
demo-k-enrolled = is enrolled by Desk M on a device of their own, as the one who decides. Desk M cannot decide.
demo-ministry-sees-desk = that the desk exists, and its keys.
demo-check-desk-team = the desk is two people with a role each
demo-check-desk-closed = HERON's program refuses the desk's invitation: it is not meant for defenders

demo-scene-line = A line for what HERON told, never looser than HERON's terms
demo-a-opens-line = opens a line to the desk for this one conversation. The program derives its terms: the desk's, cut down to HERON's.
demo-check-line-terms = the line asks HERON each time, keeps nothing for longer and runs no longer than HERON agreed to
demo-m-accepts = accepts, and lets Decision-maker K in.
demo-check-line-in-force = mission, desk and K hold the line's terms, in force
demo-m-sees-line = a line to "{ $mission }" and its terms. Nothing of what it is about.
demo-check-line-bare = nothing that HERON told has reached the desk, nor which conversation the line is for
demo-relay-sees-line = cells of one size. It cannot tell this line from a conversation with a defender.

demo-scene-consent = HERON is asked, and answers
demo-a-assesses = writes down what could happen if the mission acts and if it does not, what is known to be so, and who told. That stays on this device.
demo-a-tries-brief = would like to tell the Ministry today.
demo-check-c01 = Officer A's own program refused (C01): HERON's terms say "ask each time"
demo-a-asks = asks HERON, with what each act may cost, what cannot be undone, and what else could be done.
demo-heron-consents = answers each question apart, and signs with a key made for this conversation alone:
demo-check-answers = both sides hold the same answers, to the letter
demo-check-yes-and-no = some are yes and some are no; nobody else can turn a no into a yes
demo-m-sees-no-answers = nothing of it.
demo-check-no-answers = no answer of HERON's has reached the desk

demo-scene-brief = A brief is built, never forwarded
demo-a-tries-name = would like to put HERON's name in: the desk might ask for it.
demo-check-t05 = the name may not leave under these terms (T05)
demo-a-briefs = has a brief built for the Ministry, under the alias. { $count ->
        [one] One thing is left out
       *[other] { $count } things are left out
    }, each with the reason:
demo-check-asked = it left on HERON's own yes to exactly this, with the proof
demo-m-sees-brief = { $incidents ->
        [one] one incident
       *[other] { $incidents } incidents
    }, what HERON does not want, what Officer A thinks and asks; who HERON is and who told is not in it.
demo-check-alias-only = the brief is about one alias and nobody else
demo-check-left-out = what was left out is named in it, so that nobody takes it for the whole
demo-heron-sees-notice = that "{ $unit }" got a brief, what of, what was left out, and that it is kept { $days } days at most.
demo-check-notice = HERON was told who has got what, with the same list

demo-scene-alert = An alert that a person has to answer
demo-a-raises = raises an alert. Its headline names nobody: it shows on locked screens.
demo-m-sees-alert = the alert, and that a person has to answer by { $by }.
demo-check-deadline = both sides see the same deadline, an hour after it was raised
demo-m-opens-alert = has it on the screen, and is called away.
demo-check-clock-runs = that it was on a device, or on a screen, stops nothing: the clock runs
demo-m-takes = comes back and takes it, with a time for the next word:
demo-check-taken = mission, desk and K see who has it, and by when they hear more

demo-scene-plan = A protest is planned
demo-a-checks-act = plans a note to the foreign ministry. Before anything is drafted the program lists everything that stops it:
demo-check-blocks = all of it is shown at once: a fact that nobody has verified, and the approval
demo-a-tries-unverified = asks for approval all the same.
demo-check-f01 = nothing goes to the Ministry on a fact that is not verified (F01)
demo-check-nothing-asked = Decision-maker K has been asked nothing
demo-a-submits = leaves that fact out and asks: the plan, the assessment, the facts used, and proof of HERON's yes to this act.
demo-check-awaits = both sides see that it is before the Ministry

demo-scene-approval = Decision-maker K decides
demo-a-tries-deciding = would rather not wait.
demo-check-own-request = who asks cannot decide (I03)
demo-m-tries-deciding = would help out.
demo-check-desk-decides-not = nor can the desk: only a certified decision-maker (I03)
demo-k-sees-request = the request of { $who }, checked anew on K's own device.
demo-check-request-sound = nothing stands against it there either
demo-check-one-answer = of HERON's answers K sees those that were needed, one proof each, and not the others
demo-k-approves = approves this plan, to the letter, for 14 days, on a condition:
demo-check-approved = the approval is bound to the plan that was put, and both sides see that it may be done

demo-scene-done = The note is handed over
demo-a-tries-done = is in the foreign ministry already, and notes it as done.
demo-check-a05 = not before the condition is met (A05)
demo-a-meets = meets it, and says how:
demo-a-does = hands the note over and notes it. HERON's consent is looked at once more, in that minute.
demo-k-sees-done = that it is done, when, and which state of HERON's consent was seen then.
demo-check-done = both sides keep the same minute and the same state of consent

demo-scene-closing = Not over before HERON knows
demo-a-tries-closing = would like to close it.
demo-check-effect-due = not before the effect is reported (D01)
demo-a-reports = reports what it led to, with a view on publishing: HERON does not want it.
demo-check-not-informed = not before HERON has been told (D01)
demo-a-informs = tells HERON:
demo-heron-sees-account = what was done, what comes next, and what cannot be undone.
demo-check-informed = HERON has it
demo-a-closes = closes it.
demo-check-closed = it is closed on both sides

demo-scene-reached = What reached the Ministry
demo-m-searched = closes for the day. Both vaults of the desk are opened entry by entry and searched for HERON's name, which the mission has, and for who told the mission.
demo-vault-holds = { $entries } entries, { $kib } KiB.
demo-check-vault-all = these are all entries that the vault holds
demo-check-reached-nothing = neither the name nor the source is there
demo-a-slips = writes both into a letter to the desk, by mistake.
demo-check-slip = Officer A's own program refused (P02), before anything was sealed
demo-a-plants = writes a sentence to the desk that the search was looking for as well.
demo-check-reached-planted = the same search finds that sentence now, and still nothing else

demo-scene-disk = What the relay's disk holds
demo-relay-holds = { $files } files, { $kib } KiB, sealed under the key outside the folder.
demo-relay-said = { $lines } lines of its own log, { $counters } lines of counters:
demo-searched = is searched, file by file, line by line: { $markers } names, texts, ids, keys, passphrases and cells, each raw, in hex, base32 and base64.
demo-check-logged = there is a disk and a log to search
demo-check-nothing = none of them is there
demo-control = The same search runs over a file in which { $planted } of them were planted on purpose.
demo-check-control = it finds every one that was planted

demo-s-gathered = has a conversation with HERON and a line to Desk M and Decision-maker K, set up as in "bud demo". HERON took the terms as they are offered: the Ministry may know of HERON under the alias.
demo-s-assessed = has an assessment that is 21 hours old, and four facts verified.
demo-s-sees-account = a plain account:
demo-s-check-closed = HERON has it; only then is it closed, on both sides

demo-s1-scene-told = S1. Day 1, 10:00: HERON tells
demo-s1-told = (Times are those of Karvonia, three hours ahead of UTC.) Tells in three parts over 40 minutes. The network is bad: two of them go out twice.
demo-s1-scene-approved = Day 1: a note is approved
demo-s1-consents = says yes to a note and to making it public later, for 30 days, and no to any other public words.
demo-s1-briefs = has the Ministry's brief built from all parts.
demo-s1-check-merged = three parts, two of them twice: three incidents in the brief, each once
demo-s1-approves = approves for 14 days: no villages named.
demo-s1-schedules = meets the condition. The note is to be handed over on day 3 at 09:00.
demo-s1-check-scheduled = the plan is the one that was put, and both sides see the time
demo-s1-withdraws = takes all of it back at 08:00, in the hills, without a network.
demo-s1-check-offline = it waits on HERON's telephone, and nobody else knows

demo-s1a-scene = S1 a. Day 3: the word arrives before the act
demo-s1a-online = is in reach of a network again at 09:00, and the word goes out.
demo-s1a-tries = notes the note as done at 09:10.
demo-s1a-check-c04 = stopped (C04), with the time at which HERON took it back: 08:00, not 09:00
demo-s1a-k-sees = that HERON's consent no longer stands, without having been told by Officer A.
demo-s1a-check-held = the act is on hold on both sides
demo-s1a-tries-resuming = asks whether it can go on.
demo-s1a-check-no-way-round = it cannot (C04), approval or not
demo-s1a-cancels = confirms: the note will not be handed over.
demo-s1a-check-cancelled = it is cancelled on both sides, was never done, and its plan is unchanged

demo-s1b-scene = S1 b. Day 3: the word arrives after the act
demo-s1b-again = has come as far as on day 1, everything from the beginning.
demo-s1b-looks = fetches what there is at 08:55. No word from HERON.
demo-s1b-does = hands the note over at 09:10.
demo-s1b-online = is in reach of a network again at 09:30, and the word goes out.
demo-s1b-k-sees = that it was done at 09:10, what was known of HERON's consent then, and that it was taken back at 08:00.
demo-s1b-check-kept = what was done stays as it was, on both sides, with the consent that was seen; nothing more may be made of it
demo-s1b-checks-publishing = assesses anew, and looks at what stops making the note public:
demo-s1b-check-listed = HERON's word is among it
demo-s1b-check-c04 = making it public does not even come before the Ministry (C04)

demo-s2-scene-words = S2. Words for the public
demo-s2-told = tells what happened.
demo-s2-first-answer = says yes to a note. On public words there is no answer yet.
demo-s2-tries = asks for approval of a public statement.
demo-s2-check-c01 = HERON has not agreed to any words (C01)
demo-s2-consents = reads the text and says yes to these words.
demo-s2-other-words = sets a comma, and asks for approval.
demo-s2-check-c09 = HERON agreed to other words (C09)
demo-s2-submits = takes the comma out again and asks.
demo-s2-scene-comma = One comma is another plan
demo-s2-returns = sends it back:
demo-s2-check-returned = both sides see that more is wanted
demo-s2-edits = adds it, and sets the comma after all.
demo-s2-check-another-plan = one comma: another plan, and a draft again
demo-s2-old-approval = has thought it over, and approves what was put before.
demo-s2-check-old-approval = that request is gone; there is nothing to approve before it is asked for again
demo-s2-consents-again = says yes to the words with the comma.
demo-s2-submits-again = asks again, for this plan.
demo-s2-scene-refused = No, under any name
demo-s2-refuses = says no, with reasons:
demo-s2-check-refused = both sides see the no, and the mission the reasons
demo-s2-tries-scheduling = sets a time for it all the same.
demo-s2-check-a02 = the Ministry said no (A02)
demo-s2-tries-post = plans the same words as a post that thanks somebody.
demo-s2-check-a01 = a post about a person at risk is a public statement, and needs the approval of one (A01)
demo-s2-scene-enquiry = The quieter way
demo-s2-enquires = asks the court in writing when the hearing is. HERON said yes to that; the Ministry need not approve.
demo-s2-check-unasked = it is done, and the Ministry was asked for nothing
demo-s2-check-closed = HERON has it; only then is it closed

demo-s5-scene-company = S5. Officer A is to leave
demo-s5-gathered = has two conversations: HERON's, with a note to the authorities that waits for the Ministry's answer, and REED's.
demo-s5-check-waits = the request is with the Ministry, and nobody there has answered
demo-s5-scene-told = Told first, asked then
demo-s5-starts = leaves tomorrow evening, and begins to hand over.
demo-s5-check-owner = nobody is asked while somebody would be left without an officer
demo-s5-check-untold = nor before HERON and REED have been told
demo-s5-tells = names Officer B for both, leaves notes on HERON for B alone, tells both people, and asks B.
demo-s5-heron-sees = who will read and from when on, who stops and when, that one may say no, and:
demo-s5-check-told = both were told, in their own conversation, before Officer B was asked
demo-s5-check-early = even who may assign people cannot let B in before B has said yes
demo-s5-check-nothing = on Officer B's device there is no conversation
demo-s5-check-notes = and no note of Officer A's either
demo-s5-scene-no = REED says no
demo-s5-objects = does not want Officer B:
demo-s5-check-open = at the mission REED has no next officer any more; HERON's hand-over goes on
demo-s5-check-not-again = the same officer cannot be named again
demo-s5-to-head = names the head of mission for REED, tells REED so, and asks again.
demo-s5-check-told-again = REED has been told who reads instead
demo-s5-scene-yes = Officer B and the head of mission say yes
demo-s5-check-unanswered = Officer A cannot close it while somebody has not answered
demo-s5-accepts = and the head of mission accept. Their devices are let in, each to its own.
demo-s5-b-sees = what was promised to HERON and is still open:
demo-s5-check-handed = B has HERON's conversation, the promises, the notes and what is on its way, and nothing of REED's
demo-s5-check-alone = nobody else in the team can open these notes
demo-s5-k-sees = that Officer B goes on with the request.
demo-s5-check-owner-changed = the request has not been lost between two people, and shows whose it is
demo-s5-check-decided = the Ministry's yes reaches Officer B, who can act on it
demo-s5-finishes = closes it. It holds when the day is over.
demo-s5-scene-after = The last day, and the days after
demo-s5-check-last-day = on the last day both read what HERON writes
demo-s5-removes = and the head of mission: their devices have removed Officer A's overnight.
demo-s5-writes = writes to the new officer; REED writes too.
demo-s5-alerts = raises an alert over the line to the mission.
demo-s5-check-next = HERON's words are with Officer B, REED's with the head of mission
demo-s5-check-alert = the alert is with Officer B, and not with Officer A
demo-s5-check-gone = Officer A's device fetches from the mission's mailbox still, and opens nothing of it
demo-s5-check-members = HERON's device no longer lists Officer A among those who can read
demo-s5-scene-gone = The day after: Officer B is gone and has handed nothing over
demo-s5-check-not-behind = while Officer B is in the team, the head of mission cannot ask the holders behind their back
demo-s5-takes-out = takes Officer B's device out of the team.
demo-s5-asks-holders = writes the request to the three holders in the Ministry, with the reason.
demo-s5-holders-answer = Two of them reach the head of mission another way, and answer. Neither sees anything of a conversation.
demo-s5-check-one-is-not-enough = one answer opens nothing
demo-s5-check-opened = with two, the head of mission knows how HERON is reached, and what stood in the file
demo-s5-heron-is-asked = that Head H asks to go on, because Officer B is gone.
demo-s5-check-asked = HERON's device asks HERON, and nobody else decides it
demo-s5-check-not-yet = before that, Head H can read nothing
demo-s5-says-yes = says yes, and writes.
demo-s5-check-goes-on = both read each other
demo-s5-check-b-is-out = HERON's device no longer lists Officer B among those who can read
demo-s5-check-logged = that it was opened, by whom, with whom and why stands with the team
demo-s10-scene-company = S10. Who is there, and who comes next
demo-s10-gathered = has a line to Desk M. At the desk there are also Duty officer D and Decision-maker K; neither is in the line. The desk has named them as who comes next, and left a key for them.
demo-s10-scene-passed-on = Friday, 17:05: an alert that nobody takes
demo-s10-raises = raises an alert; somebody has to answer within the hour. With it, a copy for D and one for K is left at the relay, locked until their time.
demo-s10-check-named = the mission's screen shows whose turn is next, and when: Duty officer D at 18:05
demo-s10-power-cut = has no power from 17:10 on. Nothing runs there any more.
demo-s10-reads = has it on the screen at 17:20, cannot take it, and goes home.
demo-s10-check-loud = the desk's device gets loud at 17:50, a quarter of an hour before the deadline; having seen it stopped nothing
demo-s10-check-early = at 18:04 nobody else has heard of it: the relay gives no copy before its time
demo-s10-releases = lets the first copy go at 18:05. It has never been able to read it.
demo-s10-d-sees = the alert, who raised it, and that nobody took it in time.
demo-s10-check-copy = it is the same alert, signed by Officer A, whose device is off
demo-s10-takes = takes it at 18:22:
demo-s10-calls-off = would have let K's copy go at 18:35. It is gone: who takes an alert calls off the others.
demo-s10-monday = on Monday: handled by Duty officer D.
demo-s10-check-handled = the mission, with power again, sees the same; K was never woken
demo-s10-scene-in-time = Monday, 09:00: an alert that is taken in time
demo-s10-raises-again = raises another alert.
demo-s10-takes-in-time = takes it at 09:20.
demo-s10-check-not-woken = its copies never came: a later alert's copy, which would come after them, is the only one
demo-s10-takes-back = takes that later alert back: it was a mistake.
demo-s10-check-taken-back = Duty officer D, who had a copy, sees that too
demo-s10-scene-nobody = Monday, 12:00: an exercise that nobody answers
demo-s10-exercise = raises an alert as an exercise. It goes the same way as a real one.
demo-s10-d-sees-exercise = the copy at 13:00, and is asked by the exercise to do nothing.
demo-s10-check-exercise = EXERCISE stands in the headline, wherever it shows
demo-s10-k-sees = a copy at 13:30.
demo-s10-way-outside = at 14:00: nobody is left to ask here, and the way outside this program: { $way }.
demo-s10-check-exhausted = everybody who has the alert is shown that nobody took it, and a way outside this program

demo-held = All of it held: { $steps } claims were checked, none by hand.
demo-kept = Everything is in { $folder }.
