# When an officer is gone and has handed nothing over. Toward the person concerned: plain, and no promise.

holder-made = This vault keeps one of three keys: two holders together open what an officer has left in reserve. It needs no network: keep it on a machine without one.
holder-made-next = Give the text to the issuer, who publishes it with "bud ministry publish --holder FILE", once for each holder. Compare the key above with what the issuer's screen shows.
holder-name = Holder
holder-fingerprint = Holder's key
ministry-part-holder = a holder's key
holder-asked = { $by }, { $unit } ({ $id }), wrote { $at }: { $leaver } has left and has handed nothing over. The reason: { $reason }
holder-asked-check = Reach the head of that mission another way, by a number that you have had before. Two holders who say yes open how { $leaver }'s correspondents are reached and what stood in their files.
holder-confirm = Have you spoken with them, and is it right?
holder-answered = Your half is in the answer. Only the one who asked can open it, and only with another holder's.
holder-answered-next = Carry the answer back; there, "bud handover open".
holder-log = { $at }: { $by }, { $unit }, for what { $leaver } left. { $reason }
holder-log-none = This holder has not helped to open anything.

directory-holder-key = { $name }, holder. Compare the key with the holder's own screen: { $key }

reserve-asked = The request to the holders is ready. Two of these have to answer: { $holders }.
reserve-asked-next = Carry it to two of them, in a way that shows that it is you: "bud ministry holder answer FILE" there. Then "bud handover open" here with both answers.
reserve-opened = { $count ->
    [0] Nothing was left there.
    [one] One conversation was left.
   *[other] { $count } conversations were left.
}
reserve-taken = { $id }: the person concerned is asked to let you in.
reserve-not-taken = One conversation could not be taken over: { $why }
reserve-here = { $id }: this device is in it already.
reserve-opened-next = Its files are here: what was agreed to, assessments, what was planned. What people wrote to each other is not, and nothing can be read or written there before they say yes. If this device is not an admin's, an admin says yes first: "bud doctor" there. "bud sync" fetches both. The request holds for 28 days; "bud recover ID" makes it again. Reach them as was agreed, too: where they write to is read for 35 days after the officer was taken out of the team.
reserve-log = { $at }: { $by } opened what { $leaver } left ({ $count ->
    [one] one conversation
   *[other] { $count } conversations
}), with { $holders }. { $reason }

event-asks-to-take-over = { $who } asks to go on with { $id } and says that the officer before is gone. "bud doctor" says more.
event-reserve-opened = { $by } has opened what { $leaver } left in reserve: "bud handover show".
event-holders-changed = The Ministry's directory names other holders: { $holders }. What this device leaves in reserve is theirs to open from now on. "bud directory" shows their keys; ask the Ministry another way if you did not expect it.
trouble-asked-to-take-over = This device asked at { $at } to be let in. Where it is not an admin's, an admin says yes first. Then the person concerned says yes or does nothing; "bud sync" fetches it. Nothing can be read or written here before.
trouble-asks-to-take-over = { $who } asks since { $at } to go on with this conversation, and says that the officer before is gone and has handed nothing over. { $who } has what the officer had noted: what you agreed to, assessments, what was planned. What you two wrote to each other { $who } does not have, and does not get. If you want { $who } to read from now on: "bud recover { $id } --let-in { $device }", and everybody sees it. If you do not, do nothing; you may also ask the mission another way first.
trouble-asks-admin = { $who } asks since { $at } to go on with a conversation whose officer is gone. Make sure, another way, that it is right. Then "bud recover { $id } --let-in { $device }" lets them ask the person concerned, who decides.
trouble-asks-to-take-over-granted = { $who } is let in with the next "bud sync" of this device.

let-in-admitted = { $who } is let in with the next "bud sync".
let-in-admitted-next = Everybody in the conversation sees it. Compare the safety words with { $who } before you write what must not reach anybody else: "bud words".
let-in-assigned = { $who } may ask now.
let-in-assigned-next = It leaves with "bud sync". The person concerned says yes, or does nothing.
arg-recover-let-in = Who asks to go on with it: the name, or the id that "bud doctor" shows

cmd-ministry-holder = A holder: one of three who open, two together, what an officer left in reserve
cmd-ministry-holder-init = Make a holder's key, on a machine without a network; again, to write its text once more
cmd-ministry-holder-init-after = Next, the issuer publishes three of them: "bud ministry publish --holder FILE".
arg-ministry-holder-init-name = The holder's name, as the missions see it
arg-ministry-holder-init-root = Fingerprint of the Ministry's root, as the root's vault shows it
cmd-ministry-holder-answer = Answer a head of mission whose officer is gone, after having reached them another way
cmd-ministry-holder-answer-after = Next, the answer is carried back: "bud handover open" there.
cmd-ministry-holder-log = Show what this holder has helped to open
arg-ministry-publish-holders = The text of a holder's vault; three of them name who opens what officers leave in reserve
cmd-handover-ask = An officer is gone without handing over: write the request to the holders of the Ministry
cmd-handover-ask-after =
    An admin first takes the officer's device out of the team: "bud team remove". Next, two of the
    holders answer: "bud ministry holder answer".
arg-handover-ask-officer = Who has left: their label, or the id of their device
arg-handover-ask-reason = Why nothing was handed over; the holders and the team read it
cmd-handover-open = Open what the officer left, with the answers of two holders, and ask the people concerned
cmd-handover-open-after = Next, each of them says yes or does nothing. "bud sync" fetches it.
arg-handover-open-officer = Who has left
arg-handover-open-answers = The holders' answers; two of them
