# What the program says about itself, about files and about passphrases.

out-stopped = Stopped:
out-who-can-fix = Who can change this:
out-next = Next:
out-note = Note:

error-internal = Something failed inside the program: { $cause }

path-not-found = There is no file "{ $file }".
path-not-found-next = Check the name and the folder.
path-unreadable = The file "{ $file }" could not be read: { $cause }
path-unwritable = "{ $file }" could not be written: { $cause }
path-too-large = The file "{ $file }" is too large to be meant for this.
path-not-text = The file "{ $file }" is not text.
path-type-here = (type or paste, then Ctrl-D)
home-unknown = This account has no folder for the vault; name one with --home or BUD_HOME.
man-written = The pages are in { $folder }.

passphrase-ask = Passphrase
passphrase-new = New passphrase
passphrase-again = The same again
passphrase-differs = The two are not the same. Once more.
passphrase-choose = Choose a passphrase: several words that you can remember. Without it nobody can open this vault, and nobody can give it back to you.
passphrase-empty = An empty passphrase protects nothing. Choose one.
passphrase-nobody-to-ask = A passphrase is needed, and there is no terminal to ask at.
passphrase-nobody-to-ask-next = Give it with --passphrase-file, or in the variable { $variable }.
passphrase-not-read = The passphrase could not be read: { $cause }

error-trust-next = Nothing was sent. Ask for it again from the person who gave it to you, in a way that you both trust.
error-wrong-role-next = Use another vault (--home or BUD_HOME) for another role; "bud whoami" shows what this one is.
error-not-found = There is nothing by that name in this vault.
error-not-found-next = "bud list" shows conversations, "bud contacts" those who wait for an answer, "bud mission team" colleagues.
error-taken = A colleague has already answered this person; nothing is left to do here.
vault-not-found = There is no vault in { $folder }.
vault-not-found-next = Begin with "bud look", "bud mission init", "bud device request" or "bud ministry init", or name another folder with --home.
vault-wrong-passphrase = This passphrase does not open the vault. Nothing was changed.
vault-wrong-passphrase-next = Try again; capitals and spaces count.
vault-in-use = Another program has this vault open. Nothing was lost.
vault-in-use-next = Close it there ("bud listen"?) and try again.
relay-wrong-next = Do not go on. Ask the person who gave you the invitation or the address for it again.
relay-unreachable-next = What you wrote waits on this device and leaves with the next "bud sync". Try again later, or from another network.
working-open = Opening the vault
working-relay = Talking to the relay
working-listen = Waiting for what comes (Ctrl-C ends it)
