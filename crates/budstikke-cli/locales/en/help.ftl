# The command line's own words. cmd-… is one command, cmd-…-after what follows its help,
# arg-… an argument. Toward the defender: never "submit", "case" or "complaint"; nothing is "secure".

cmd-bud = Reach an embassy, or be reached, over a relay that cannot read what it carries
cmd-bud-after =
    Where to begin:
      you have an invitation   bud look FILE, then bud reach-out
      you work at a mission    bud mission init, then bud mission publish and bud mission invite
      you are the Ministry     bud ministry init, then bud ministry certify
      you are a desk there     bud desk init, then bud desk publish and bud desk invite
      you want to see it all   bud demo

    Names of files: "-" is standard input or output. Texts, passphrases and invitations are
    read from files or from standard input, because arguments stay in the shell's history.

    With --json, standard output carries one JSON object with stable names ("listen" and "demo":
    one a line); an error is the field "error" of it.

    Exit codes: 0 done · 1 fault of the program · 2 the command line or a file given to it ·
    3 a rule says no, its code is printed · 4 no relay answered, what waits is kept ·
    5 passphrase or vault · 6 an invitation, certificate or signature did not hold ·
    7 no such thing · 8 not now, another step comes first · 9 something stored is damaged ·
    10 an alert is overdue, a person has to look now

    Nobody outside this project has checked this program yet.

arg-home = Folder of your vault [default: the account's data folder]
arg-json = Print JSON for programs
arg-passphrase-file = Read the passphrase from the first line of this file ("-": standard input); the variable BUD_PASSPHRASE works too, and without either you are asked
arg-lang = Language of all texts, like "en" [default: BUD_LANG, then the locale]
arg-verbose = Show what happens inside, on standard error; -vv and -vvv show more
arg-help = Print help
arg-version = Print the version
arg-id = Which conversation, as "bud list" shows it; may be left out when there is only one
arg-file = File to read ("-": standard input)
arg-output = File to write, readable for you alone ("-": standard output)
arg-counter = Other terms that you propose, from this file
arg-emergency = Emergency form, from this file: it may go before terms are agreed
arg-officer = Label of the person, like "Officer A"; others see it
arg-roles = Role of this device; may stand several times
arg-relays = Relay that this mission uses, bud://…@host:port; may stand several times
arg-privacy = Privacy notice, from this file

cmd-look = See who is behind an invitation: name, safety words, terms. Nothing is sent to them
arg-look-invitation = File with the invitation ("-": standard input); asked for when left out
cmd-reach-out = Reach out to the mission you looked at last
cmd-reach-out-after =
    Only the mission can read what you send. The relay sees that somebody knocked, not who.
    Next you wait for their answer: "bud sync" fetches it, "bud listen" waits for it.
arg-reach-out-accept = Accept this offer of terms, by its number in "bud look"
arg-reach-out-alias = What the mission may call you; never your real name [default: a random one]
cmd-consent = Show what you were asked to say yes or no to, and what was answered
cmd-consent-after =
    One answer for one act. A no is an answer too. A yes can be taken back at any time.
cmd-consent-give = Answer: yes to one act, no to another
cmd-consent-give-after =
    The answers are signed on this device with a key that is used in this conversation alone.
    Next they see your answers; "bud consent withdraw" takes a yes back.
arg-consent-give-file = File with your answers ("-": standard input)
cmd-consent-withdraw = Take back a yes, at any time and without reasons
cmd-consent-withdraw-after =
    What has not been done yet is stopped when this arrives. What was done cannot be undone.
arg-scopes = What it is about, like "demarche"; may stand several times [default: all of it]
arg-reason-file = Reasons in your own words, from this file ("-": standard input); not needed
cmd-consent-ask = Mission: ask for consent, with what it may cost in plain words
cmd-consent-ask-after =
    Next the person answers, or does not: no answer is not a yes. "bud consent" shows it.
arg-consent-ask-file = File with the question ("-": standard input)
arg-consent-ask-act = The act it is about, which is being talked over from then on
cmd-consent-hear = Mission: write down what somebody said to you, and sign for having heard it
cmd-consent-hear-after =
    Nothing is sent. A protest or a public statement needs a second officer: "bud consent attest".
arg-consent-hear-file = File with the answers that you heard ("-": standard input)
cmd-consent-attest = Mission: read what a colleague wrote down, and sign for having heard it too
arg-consent-attest-file = Text that "bud consent hear" made ("-": standard input)
cmd-consent-enter = Mission: put what officers heard and signed into the conversation
arg-consent-enter-file = Text that "bud consent hear" or "attest" made ("-": standard input)
cmd-consent-vouch = Mission: note that you know that whoever gave a consent may, like a parent or a lawyer
arg-consent-vouch-consent = Which one, as "bud consent" names it; may be left out when only one waits
cmd-consent-note-withdrawal = Mission: write down that somebody took consent back in a talk with you
cmd-consent-suspend = Mission: what somebody says does not count for now, as when their device is in other hands
arg-consent-suspend-cause = Why it does not count
arg-consent-suspend-hours-ago = How long ago it may have begun: what came since is void for good
cmd-consent-reached = Mission: they were reached another way and proved who they are
arg-person = Alias of the person it is about
cmd-list = List your conversations
cmd-show = Show a conversation: who takes part, terms, safety words, messages
arg-show-message = Show this message whole
cmd-send = Send a message; without an option the text is read from standard input
cmd-send-after =
    What you send is kept on this device until the relay has it; "bud outbox" shows what waits.
arg-send-text = Text from this file ("-": standard input)
arg-send-intake = Form with what happened, from this file (TOML or JSON)
arg-send-identity = Only who is who, from that file's [[identity]]
arg-send-urgency = How soon a person is needed: "urgent" and "flash" pass quiet time
arg-send-taken-on = Answer message NUMBER with a receipt: a person has it; --text adds what happens next
cmd-words = Show the safety words of a conversation, to compare them with the other side
arg-words-same = They are the same: note it
arg-words-code = Compare with the other side's code, as read from its screen by a camera; the same is noted
arg-words-qr = Draw the code for the other side's camera
arg-words-languages = Show the words in this language; more than once for several beside each other
arg-words-mission = Mission: the words of your unit, which your invitation shows
arg-look-code = Compare with the mission's code ("bud words --mission --qr" there)
arg-reach-out-new-key = The mission's key is another than before, and you have compared the words
cmd-terms = The terms of a conversation: what both sides have agreed on
cmd-terms-show = Show the terms in force and those on the table
cmd-terms-accept = Accept the terms that the other side has put on the table
cmd-terms-counter = Propose other terms
arg-terms-counter-file = Terms from this file ("-": standard input)
cmd-terms-suspend = Pause the conversation, at once and alone
cmd-terms-resume = End your pause
cmd-terms-end = End the agreement, at once and alone
cmd-sync = Fetch what is new and send what waits
cmd-listen = Stay connected and say what happens, until interrupted
cmd-outbox = Show what waits on this device
cmd-doctor = Say what is wrong, what happens by itself, and what you can do
cmd-doctor-after =
    If all is well the command ends with 0, if something needs a person with 10.

    What no device can mend by itself:
      your vault is lost            ask the mission for a new invitation, and begin anew; say
                                    nothing of the old conversation that a stranger could use
      a staff device's vault is     its label is removed and its key revoked by an admin; enrol a
      lost                          new device, and have it assigned again
      a mission lost ALL its        the Ministry certifies new keys under the same id and revokes
      devices                       the old ones; whoever wrote to it is told that the mission's key
                                    changed: the old conversations cannot be read by the mission any
                                    more. Ask for a new invitation, and compare the safety words
                                    anew before anything is sent
arg-doctor-mend = Do everything that needs only your yes
arg-proof = Write the proofs against relays that are kept here to this file ("-": standard output)
arg-check-proof = Check a proof from this file, offline; needs no vault
cmd-recover = Bring a conversation back that cannot mend itself, as "bud doctor" says
cmd-recover-after =
    A member that lost its keys is added again with an admin's yes, and everybody sees it. A conversation
    that was stopped goes on in a new group over another relay, with the same people and terms.
arg-recover-relay = Relay for the new start, bud://…@host:port [default: the mission's next one]
arg-lost = This device lost its keys, as after an old copy of the vault was put back
cmd-check = Check a file that you wrote, offline: every field that needs a correction is named
arg-check-kind = What the file is
cmd-token = Tokens: what opens a mailbox at a relay that not everybody may use
cmd-token-after =
    A token is signed by an issuer who cannot see it, and spent at a relay that cannot see for whom
    it was signed. Most relays want none; one that does says so.
cmd-token-request = Write a request for tokens, to be carried to the issuer; talks to nobody
cmd-token-request-after = Next the issuer signs it, and "bud token accept" takes the answer in.
arg-token-request-relay = Relay that the tokens are for, bud://…@host:port
arg-token-request-key = File with the issuer's public key; the same for everybody
arg-token-request-count = How many; each opens one mailbox, and a first contact needs one
cmd-token-accept = Take in the issuer's answer and check every token
arg-token-accept-file = File with the answer ("-": standard input)
cmd-token-list = Show how many tokens there are, for which relay, and until when

cmd-mission = Set up and run a mission's side
cmd-mission-init = Make this the mission's first device and ask the Ministry for a certificate
cmd-mission-init-after = Next, the Ministry runs "bud ministry certify" on the request.
arg-mission-init-unit = The mission's id, like no.emb.karvonia
arg-mission-init-name = The mission's name, as defenders see it
arg-mission-init-kind = Embassy of one country, or a mission to international organisations
cmd-mission-install = Install the certificate that the Ministry made
cmd-mission-publish = Publish what defenders are offered: terms, privacy notice, emergency terms
arg-mission-publish-terms = Files with the terms you offer
arg-mission-publish-emergency = Terms under which an emergency form is taken, from this file
cmd-mission-invite = Make an invitation to hand to defenders
arg-mission-invite-qr = Draw it as a QR code as well
cmd-mission-enrol = Enrol a colleague's device from its request (first device only)
cmd-mission-renew = Make the request for a new certificate, from 30 days before the old one ends
cmd-mission-renew-after = Next, the Ministry runs "bud ministry certify" on it, and "bud mission install" takes the answer.
cmd-mission-team = Show the devices of this mission
cmd-device = Set up a colleague's device
cmd-device-request = Make this a device of a mission and ask its first device to enrol it
cmd-device-install = Install the enrolment that came back
cmd-contacts = List people who have reached out and wait for an answer
cmd-answer = Answer somebody who has reached out: accept their terms, or counter them
arg-answer-contact = Which, as "bud contacts" shows it; may be left out when only one waits
cmd-assign = Let a colleague take part in a case
arg-assign-officer = Label of the colleague, or the id of a device, as "bud team" shows it
cmd-unassign = Take a colleague off a case
arg-unassign-officer = Label of the colleague, or the id of a device, as "bud team" shows it
cmd-team = Show the devices of your team; let one in, or out
cmd-team-invite = Make a code with which one new device joins, within a day
cmd-team-invite-after = Next, the colleague runs "bud team join" on the new device.
arg-team-invite-officer = What to call the device, like "Officer B"
arg-team-invite-qr = Draw it as a QR code as well
cmd-team-join = Join a team with the code on an admin's screen
cmd-team-join-after = Next, the admin runs "bud sync"; then "bud sync" here.
arg-team-join-code = The code, or a file with it ("-": standard input)
cmd-team-remove = Remove a device from the team and from every case
cmd-team-remove-after = The team then moves to another mailbox with new keys, by itself.
arg-team-remove-officer = Label of the colleague, or the id of a device, as "bud team" shows it
cmd-case = What the mission knows and keeps about a case, and what the Ministry gets of it
cmd-case-file = Show the file of a case: consents, risk, facts, acts, alerts
cmd-case-add = File the mission's own part of the account: source, contacts, what was done. It stays here
arg-case-add-file = Form with items 8 to 11 ("-": standard input)
cmd-case-check = List all that would stop an act, before anything is drafted or asked
cmd-case-check-after =
    Each point with its code, who can change it and what to do. Ends with 3 when something stands
    in the way, with 0 when nothing does. Nothing is sent or filed.
arg-case-check-file = Plan of the act ("-": standard input)
cmd-case-risk = File a risk assessment; the newest counts
arg-case-risk-file = Risk assessment ("-": standard input)
cmd-case-facts = File what is known to be so; of a fact the newest status counts
arg-case-facts-file = Facts ("-": standard input)
cmd-case-share = Send the Ministry a brief that is built for it, and tell the person concerned
cmd-case-share-after =
    Who told you, third parties and names stay here. It goes under an alias, unless those concerned
    have agreed to more. What was left out is listed, for both sides.
arg-persons = Alias of somebody it is about; may stand several times [default: everybody named in the account]
arg-case-share-level = How much of them it shows
arg-case-share-leave-out = File with words to take out wherever they stand, one a line, like names of villages
arg-case-share-assessment = The mission's own assessment, from this file ("-": standard input)
arg-case-share-ask = What is asked of the Ministry, from this file ("-": standard input)
cmd-act = A guarded act: planned, approved where it has to be, done, reported, closed
cmd-act-after =
    The way of a démarche: plan, submit, the Ministry decides, done, effect, inform, close.
arg-act = Which act, as "bud act show" lists it; may be left out when only one fits
cmd-act-plan = File a plan; nothing is sent
arg-act-plan-file = Plan ("-": standard input)
cmd-act-show = Show an act, or list all of them
cmd-act-edit = Write the plan anew; an approval of the old one no longer counts
arg-act-edit-file = New plan ("-": standard input)
cmd-act-clear = Note that nothing is missing, for an act that needs no approval
cmd-act-submit = Ask the Ministry for approval of exactly this plan
cmd-act-submit-after = Next the Ministry decides; "bud sync" fetches it. Silence is not approval.
arg-note = A note in your own words, from this file ("-": standard input)
arg-act-submit-decide-by = When you need an answer: "in 2d", "14:30", "2026-03-04 14:30"
cmd-act-condition = Note that a condition of the approval is met
arg-act-condition-number = Which condition, counted from 1
cmd-act-schedule = Set the time of an act
arg-act-schedule-time = "in 2d", "14:30", "2026-03-04 14:30"
cmd-act-done = Note that an act was done; fetches first, so that a withdrawal that has arrived counts
cmd-act-done-after = Says whose consent was looked at. Next: "bud act effect", "bud act inform".
cmd-act-effect = Report what an act led to
arg-act-effect-file = Report ("-": standard input)
cmd-act-inform = Tell the person concerned what was done, or why nothing was
arg-act-inform-file = What was done, in plain words ("-": standard input)
arg-act-inform-nothing-done = Nothing was done; the text says why
arg-act-inform-then = What happens next, from this file
arg-act-inform-cannot-be-undone = What cannot be undone, from this file
arg-act-inform-family = Whether the family was told
arg-act-inform-why-not-told = Why the family was not told, from this file
cmd-act-close = Close an act: its effect is reported and the person concerned has been told
cmd-act-cancel = Give an act up; after a withdrawal this confirms it
cmd-act-resume = Go on with an act that was held, when consent stands again
cmd-act-override = Pass a guard that a head of mission may pass, with reasons that the Ministry sees
arg-act-override-code = Code of the guard, like F05
arg-reasons = Reasons, from this file ("-": standard input)
cmd-line = A mission's line to a Ministry desk, one for each case
cmd-line-open = Ask a desk for a line, under terms no wider than those with the person concerned
cmd-line-open-after = Next the desk answers with "bud answer"; "bud sync" fetches it.
arg-line-open-invitation = File with the desk's invitation ("-": standard input)
cmd-line-renew = Propose new terms for a line, after those with the person concerned have changed
cmd-alert = Alerts between mission and Ministry: a person has to answer in time
cmd-alert-raise = Raise an alert to the other side of the line
arg-alert-raise-file = Alert ("-": standard input)
cmd-alert-list = List alerts, overdue ones first, with what time is left
cmd-alert-list-after = Ends with 10 when an alert is overdue.
cmd-alert-show = Show an alert whole
arg-alert = Which alert, as "bud alert list" shows it; may be left out when only one fits
cmd-alert-ack = Answer an alert as a person; only taking it stops the clock
arg-alert-ack-mine = I have seen it and take it
arg-alert-ack-in-hand = It is being worked on
arg-alert-ack-done = It is done
arg-alert-ack-not-mine = I have seen it, and somebody else has to take it
arg-alert-ack-next-word = By when they hear more: "in 2h", "14:30", "2026-03-04 14:30"
cmd-alert-cancel = Take an alert of your own side back
cmd-desk = Set up and run a desk of the Ministry
cmd-desk-init = Make this the desk's first device and ask for a certificate
cmd-desk-init-after = Next, "bud ministry certify" is run on the request, where the root key is kept.
arg-desk-init-unit = The desk's id, like no.mfa.desk
arg-desk-init-name = The desk's name, as missions see it
cmd-desk-install = Install the certificate that the Ministry made
cmd-desk-publish = Publish what missions are offered: terms and privacy notice
arg-desk-publish-terms = Files with the terms you offer
cmd-desk-invite = Make an invitation to hand to missions
arg-desk-invite-qr = Draw it as a QR code as well
cmd-desk-enrol = Enrol a colleague's device from its request, like a decision-maker's
cmd-desk-renew = Make the request for a new certificate, from 30 days before the old one ends
cmd-desk-renew-after = Next, the Ministry runs "bud ministry certify" on it, and "bud desk install" takes the answer.
cmd-desk-team = Show the devices of this desk
cmd-request = Requests for approval, as the Ministry sees them
cmd-request-list = List requests; what waits for a decision comes first
cmd-request-show = Show a request whole, checked anew now
cmd-decide = Decide on a request, bound to exactly the plan that was put
cmd-decide-after = Only a decision-maker may, and never on their own request.
arg-decide-approve = Approve it
arg-decide-send-back = Send it back for more
arg-decide-refuse = Refuse it
arg-decide-conditions = A condition to be met first, from this file; may stand several times
arg-decide-valid-days = How many days the approval holds [default: 14; 3 when it is urgent]
arg-decide-without-consent = Accept that nobody could be asked, where that can be at all
arg-decide-publish-where = Where you would rather publish than the mission, from this file
cmd-ministry = The Ministry's side; keep this vault offline
cmd-ministry-init = Make the Ministry's root key and an issuer in one vault, for a small start
arg-ministry-init-name = The Ministry's name
cmd-ministry-certify = Make a mission's or a desk's certificate from its request
cmd-ministry-root = The root key in a vault of its own, on a machine without a network
cmd-ministry-root-init = Make the Ministry's root key, and nothing else
cmd-ministry-root-init-after = Next, an issuer's vault makes its request: "bud ministry issuer request".
arg-ministry-root-init-name = The Ministry's name
cmd-ministry-root-certify = Certify an issuer for a year, after comparing its key
cmd-ministry-root-split = Take the issuer, or the root key, out of a vault that holds both
cmd-ministry-root-split-after = Copy the vault's folder first: one copy keeps the root, the other the issuer.
arg-keep = Which of the two stays in this vault
arg-yes = Do it without asking
cmd-ministry-issuer = An issuer: the everyday vault that certifies missions and desks
cmd-ministry-issuer-request = Make an issuer's request to the root; again, to be renewed
cmd-ministry-issuer-request-after = Next, the file is carried to the root's vault: "bud ministry root certify FILE".
arg-ministry-issuer-request-name = The issuer's name; only the first time
cmd-ministry-issuer-install = Install the certificate that the root made
cmd-ministry-publish = Publish the directory: the missions, their relays, and the keys that count no more
cmd-ministry-publish-after = Everybody fetches it at their first sync after 00:00 and after 12:00 UTC. "bud sync" here once a day keeps it fresh.
arg-ministry-publish-relays = A relay beside those of the missions; may stand several times
cmd-ministry-revoke = Say that a key counts no more, whatever certificate it has
arg-ministry-revoke-what = What it is
arg-ministry-revoke-name = A device's or mission's key, a mission's id, a relay's address; of an issuer, in the root's vault, its fingerprint, and elsewhere the file with the root's word
arg-ministry-revoke-reason = Why, for people
arg-ministry-revoke-output = Where the root's word is written
cmd-directory = Show the Ministry's directory on this device: its age, the missions, the keys that count no more
arg-directory-import = Read a directory, or a root's word about an issuer, that was brought to you in this file
arg-directory-output = Write the directory down, for whoever cannot fetch it
cmd-whoami = Show what this vault is
cmd-passphrase = Change the passphrase of this vault
arg-passphrase-new-file = Read the new passphrase from the first line of this file; the variable BUD_NEW_PASSPHRASE works too
cmd-completions = Print shell completions
arg-completions-shell = Which shell
cmd-man = Print the manual page, or write one for each command
arg-man-folder = Folder for the pages
cmd-demo = See the whole path on this machine: relay, Ministry, mission, defender
arg-demo-scenario = Play one situation only, over several days by its own clock: consent taken back half-way (S1), an approval refused (S2), an officer who leaves (S5), an alert that nobody takes (S10)
arg-demo-keep = Keep everything it makes in this new folder
help-everywhere = Options of every command
