# The Ministry's directory: who is a mission, and which keys count no more.

directory-none = This device has seen no directory of the Ministry's yet.
directory-none-next = "bud sync" asks for it, once before and once after noon (UTC); "bud directory --import FILE" reads one that was brought to you.
directory-number = Directory
directory-made = Made
directory-age = Age
directory-unit = { $id }: { $name }
directory-gone = Counts no more: { $what } { $key }… ({ $why }, since { $since })
directory-device = device
directory-office = mission or desk
directory-relay = relay
directory-issuer = issuer
directory-lost = lost
directory-seized = seized
directory-left = its user has left
directory-compromised = somebody else may have its key
directory-replaced = replaced
directory-no-reason = no reason given
directory-stale = It is out of date. Messages pass; certifying, enrolling, assigning and deciding wait for the next one.
directory-stale-next = Run "bud sync", or have a newer one brought to you: "bud directory --import FILE".
directory-forked = Two directories are signed and contradict each other: somebody is shown another one than you. Tell the Ministry another way; this device goes by the one that it had.
directory-taken = Taken: it counts on this device from now on.
directory-known = This device has it already.
directory-older = It is older than what this device has; nothing was changed.
directory-exported = The directory is written down.
directory-exported-next = It is no secret. Whoever cannot fetch it runs "bud directory --import FILE".
directory-published = Directory { $number } is published on { $count ->
        [one] one relay
       *[other] { $count } relays
    }.
directory-published-next = Everybody fetches it at their first sync after 00:00 and after 12:00 UTC. "bud sync" here once a day keeps it fresh.
directory-revoked = Noted: this key counts no more, whatever certificate it has.
directory-revoked-next = Nobody knows it yet: "bud ministry publish" makes the directory that says so.
directory-issuer-revoked = Taken: the root has revoked this issuer, and with it every certificate that it made.
directory-word-signed = Signed by the root: this issuer counts no more, nor does any certificate that it made.
directory-word-signed-next = Carry it to the issuer that takes its place: "bud ministry revoke issuer FILE" there. Whoever cannot wait runs "bud directory --import FILE".
event-directory-forked = Two directories of the Ministry's contradict each other: somebody is shown another one than you. "bud directory" shows which; tell the Ministry another way.
