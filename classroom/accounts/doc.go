// Package accounts knows who people are: users and their passwords, the sessions of their browsers, the stream
// keys of their encoders, and the one row about the school itself. What a person may do in a course is none of
// its business (package courses).
//
//	browser ─ POST /sign-in ─► throttle ─► argon2id ─► session row ─► cookie with a token
//	        ─ GET /sign-in/link ─► whom it is for ─ POST ─► link spent ─► session row ─► the same cookie
//	        ─ any request   ─► Identify: token ─► SHA-256 ─► cache (1 min) ─► session row ─► web.Viewer
//	        ─ POST /sign-in/mail ─► who that is: later ─► outbox (package mail) ─► a link of 15 or 30 min
//	        ─ either half ─► has a second factor? ─► POST /sign-in/code ─► session row
//	encoder ─ key           ─► FindByKey ─► whose it is, or a refusal
//
// Stored are hashes only: argon2id of passwords, SHA-256 of session tokens, of sign-in links, of the secret half
// of stream keys and of the set-up token, which have 128 bits or more. A token or key is
// returned once, by the call that makes it.
//
// A sign-in takes as long for an address that nobody has as for a wrong password, and says the same. Failed tries
// are budgeted: 10 in 15 min for one account from one network, 100 for one network; beyond 10 for one account
// from anywhere, tries are delayed, but the owner always gets through from elsewhere. Hashing uses at most as
// many slots as there are cores; who waits more than 5 s for one gets a 503.
//
// Links sign in (15 min), choose a new password (30 min) or accept an invitation (7 days). A link works once. Opening
// it shows a button and spends nothing, because mail scanners open links; the press of the button spends it. Links that
// are used, expired or invented all get the same page. Asking for one by mail is answered before anybody is looked up,
// so that neither words nor time tell who has an account; Run does the rest.
//
// A second factor is a code of RFC 6238, or one of ten recovery codes; each works once, and ten tries in 15 min are all
// there are for one account. Routes marked web.Strong want admins to have one, where the school says so.
//
// Admins find, invite, change, disable and erase people. What other features keep about a person they hand out and
// delete through OnExport and OnErase.
//
// A session ends 90 days after its sign-in, or after 14 days unused; an admin's after 7 days, or 8 hours. Signing
// in always makes a new one. Disabling a person, a new password and a new role end all of theirs, and their
// links, at once on this node, and within a minute on others. In the settings people see and end their own, by the
// names of browser and system, which is all that is kept of a User-Agent. OnRevoke and OnSessionEnd tell the parts
// that hold on to keys and sessions.
//
// Run writes when sessions were last seen, sweeps out expired ones, re-reads the school every half minute and puts the
// mails that were asked for into the outbox; it is the only goroutine, and nothing is lost but that when it is not running. Everything else is safe for
// concurrent use. One mutex guards the cache of sessions, one the throttle; they are never held across a query
// and never nest.
package accounts
