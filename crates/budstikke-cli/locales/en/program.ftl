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
