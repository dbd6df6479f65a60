// Package fault gives the classroom's errors a kind and a catalogue key. The kind picks the HTTP status, the key
// picks the sentence in the reader's language, and the wrapped cause goes to the log and nowhere else:
//
//	return fault.Forbidden("lesson.not_enrolled")
//	return fault.Invalid("user.email_taken").At("email").Because(err)
//
// Rules return these errors; package web alone turns them into pages or problem+json. An error without a kind is
// a bug or a broken machine: a 500 with a reference number and no details.
//
// A key is an entry of the message catalogues, noun first; its sentence may use the arguments that With adds by
// name. All functions are safe for concurrent use; a *Fault is not changed once
// returned.
package fault
