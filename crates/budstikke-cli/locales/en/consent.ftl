# Consent, as the person concerned and the mission see it. Short and plain: it is read under stress.

consent-nothing = Nobody has been asked for a yes or a no yet.
consent-question = Asked in message { $number }, { $at }
consent-of = Answers about { $person }, { $at }
consent-oral = Said by: { $basis }. { $officers ->
        [one] One officer heard it and signed for that.
       *[other] { $officers } officers heard it and signed for that.
    }
consent-answer = { $scope }: { $choice }
consent-showing = showing { $level }
consent-worded = for these words only
consent-condition = on condition: { $text }
consent-taken-back = taken back { $at }
consent-until = Runs out { $at }.
consent-part = Only what one act needed was passed on; other answers stay where they were given.
consent-next-answer = "bud consent give FILE" answers. A no is an answer too, and any yes can be taken back later.
consent-next-withdraw = "bud consent withdraw" takes a yes back, at any time and without reasons.

consent-given = Your answers are signed with a key that is used in this conversation alone.
consent-given-next = The mission sees your answers. Its program stops acts that you have not said yes to; what people say elsewhere it cannot stop. "bud consent withdraw" takes a yes back.
consent-withdrawn = You have taken it back.
consent-withdrawn-next = The mission's program stops what has not been done yet when this arrives. What was done before cannot be undone; they tell you what that is.

consent-not-vouched = Nobody has noted yet that whoever gave this may give it ({ $id }); until then it is not shown to the Ministry. "bud consent vouch" notes it.
consent-vouched = Noted: you know that whoever gave this may give it.
consent-vouch-none = There is nothing left to vouch for.
consent-vouch-which = More than one waits for that; say which with --consent.
consent-asked = The question is in the conversation.
consent-asked-next = "bud sync" fetches the answer, "bud consent" shows it. No answer is not a yes.
consent-noted = Written down: { $person } took consent back in a talk with you.
consent-noted-next = Acts that rest on it are on hold. "bud act cancel" confirms that they will not be done.
consent-suspended = Noted: what { $person } said or says does not count for now.
consent-suspended-next = Reach them another way and let them prove who they are; then "bud consent reached".
consent-reached = Noted: { $person } was reached and is themselves.
consent-reached-next = "bud act resume" goes on with what was held, when consent stands again.

oral-heard = Written down, and signed by you for having heard it. Nothing is sent yet.
oral-heard-next = A protest or a public statement needs a second officer who heard it: "bud consent attest FILE" on their device. Otherwise "bud consent enter FILE".
oral-confirm = Did you hear this yourself, and is it what was said?
oral-not-signed = Nothing was signed.
oral-attested = Signed: { $officers ->
        [one] one officer attests
       *[other] { $officers } officers attest
    } that this was said.
oral-attested-next = "bud consent enter FILE" puts it into the conversation.
oral-entered = It is in the conversation, where everybody in it sees what was written down.

scope-unknown = There is nothing called "{ $scope }" to agree to.
