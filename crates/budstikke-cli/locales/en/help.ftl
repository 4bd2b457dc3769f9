# The command line's own words. cmd-… is one command, cmd-…-after what follows its help,
# arg-… an argument. Toward the defender: never "submit", "case" or "complaint"; nothing is "secure".

cmd-bud = Reach an embassy, or be reached, over a relay that cannot read what it carries
cmd-bud-after =
    Where to begin:
      you have an invitation   bud look FILE, then bud reach-out
      you work at a mission    bud mission init, then bud mission publish and bud mission invite
      you are the Ministry     bud ministry init, then bud ministry certify
      you want to see it all   bud demo

    Names of files: "-" is standard input or output. Texts, passphrases and invitations are
    read from files or from standard input, because arguments stay in the shell's history.

    With --json, standard output carries one JSON object with stable names ("listen" and "demo":
    one a line); an error is the field "error" of it.

    Exit codes: 0 done · 1 fault of the program · 2 the command line or a file given to it ·
    3 a rule says no, its code is printed · 4 no relay answered, what waits is kept ·
    5 passphrase or vault · 6 an invitation, certificate or signature did not hold ·
    7 no such thing · 8 not now, another step comes first · 9 something stored is damaged

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
cmd-check = Check a file that you wrote, offline: every field that needs a correction is named
arg-check-kind = What the file is

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
cmd-mission-team = Show the devices of this mission
cmd-device = Set up a colleague's device
cmd-device-request = Make this a device of a mission and ask its first device to enrol it
cmd-device-install = Install the enrolment that came back
cmd-contacts = List people who have reached out and wait for an answer
cmd-answer = Answer somebody who has reached out: accept their terms, or counter them
arg-answer-contact = Which, as "bud contacts" shows it; may be left out when only one waits
cmd-assign = Let a colleague take part in a case
arg-assign-officer = Label of the colleague, as "bud mission team" shows it
cmd-ministry = The Ministry's side; keep this vault offline
cmd-ministry-init = Make the Ministry's root key
arg-ministry-init-name = The Ministry's name
cmd-ministry-certify = Make a mission's certificate from its request
cmd-whoami = Show what this vault is
cmd-passphrase = Change the passphrase of this vault
arg-passphrase-new-file = Read the new passphrase from the first line of this file; the variable BUD_NEW_PASSPHRASE works too
cmd-completions = Print shell completions
arg-completions-shell = Which shell
cmd-man = Print the manual page, or write one for each command
arg-man-folder = Folder for the pages
cmd-demo = See the whole path on this machine: relay, Ministry, mission, defender
arg-demo-keep = Keep everything it makes in this new folder
help-everywhere = Options of every command
