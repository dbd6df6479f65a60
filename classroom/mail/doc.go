// Package mail is the school's outbox: letters that were promised to people wait in the database until the mail
// server has taken them, over restarts and hours in which it does not answer.
//
//	Put(tx, user, kind) ─► row ─► Run: due? ─► Writer of its kind ─► Sender (SMTP) ─► row deleted
//	                                             │                       └ not now: due again in 1, 2, 4 … 60 min
//	                                             └ links are made here, so that none stands in the database
//
// A row says whom and what about, never an address, a text or a link. The feature that a kind belongs to registers a
// Writer, which is called when the letter goes out; it looks up the address, makes a fresh link and returns the
// message. A letter that nobody wants any more is dropped: its time is over, or its Writer returns ErrNobody.
//
// Somebody has one waiting letter of a kind at most: asking again renews it. At most 20,000 letters wait; Put returns
// ErrFull beyond that. A letter is sent once, unless the program dies between the server's "250" and the deletion of
// the row; its Message-ID is the same then. Several nodes share the work: who moves a row's due time has it.
//
// A mail server that does not answer ends a round after one letter, so thousands that wait cost one try every few
// seconds. What it says about one letter only concerns that letter: refused for good is dropped, and OnRefused told;
// refused for now is tried later.
//
// Without a Sender the outbox is off: On is false, Put puts nothing, and pages show the link to copy instead.
//
// Run is the one goroutine; it sends with at most four at a time and has waited for all of them when it returns.
// Everything is safe for concurrent use. Logs name letters by id and kind, never by address (SEC-80).
package mail
