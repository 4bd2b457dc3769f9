# Tokens: what opens a mailbox at a relay that not everybody may use. Read by defenders and missions.

token-relay = For the relay
token-key = The issuer's key
token-key-same = Everybody who gets tokens there should see this same key. A key for you alone would let the issuer and the relay recognise you.
token-requested = { $count ->
    [one] The request for one token is written.
   *[other] The request for { $count } tokens is written.
}
token-requested-next = Bring the request to the issuer: the person who invited you, or the relay's operator. They sign it without seeing the tokens ("budstikke-relay tokens issue"). Then "bud token accept" takes their answer in.
token-accepted = { $count ->
    [one] One token is in this vault.
   *[other] { $count } tokens are in this vault.
}
token-missing = The issuer signed { $count } fewer than you asked for.
token-accepted-next = Each opens one mailbox, by itself, when one is needed. If you can, let some hours pass first: who spends a token right after it was issued can be guessed by the clock.
token-none = There are no tokens in this vault. Most relays want none.
token-none-next = If a relay wants one, get the issuer's key file from the person who invited you and run "bud token request".
token-stock = { $ready } ready, { $waiting } waiting for the relay's answer, { $asked } asked for.
token-check-request = "{ $file }" asks an issuer for { $count ->
    [one] one token
   *[other] { $count } tokens
}. It says nothing about who asks.
token-check-answer = "{ $file }" is an issuer's answer with { $count ->
    [one] one signature
   *[other] { $count } signatures
}.
token-check-answer-next = "bud token accept" checks them in the vault that asked.
token-check-key = "{ $file }" is an issuer's public key for tokens.
token-check-key-next = "bud token request --key" takes it.
token-needed-who = The person who invited you, or the relay's operator: they can give you tokens.
token-needed-next = Ask them for the issuer's key file; then "bud token request", and their answer into "bud token accept". After that "bud sync" sends what waits on this device, and a set-up that stopped here is run again.
token-sync-problem = A relay wants a token before it opens a mailbox. Everything else was done.
