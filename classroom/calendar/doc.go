// Package calendar writes lessons as an iCalendar stream (RFC 5545) and keeps the address under which each person's
// own calendar can be followed.
//
//	phone ─ GET /calendar/<token>.ics ─► Links.Owner ─► person ─► their lessons ─► Write
//
// In: events as values, a person. Out: bytes, an address. Times are in UTC, so no reader needs a zone's rules
// (section 3.3.5, form 2). An event keeps its UID for ever; its SEQUENCE grows with every change, and what was
// cancelled stays in the stream with STATUS:CANCELLED (sections 3.8.7.4 and 3.8.1.11), because a calendar that
// knew it must be told.
//
// A token is computed: who, which turn, and a MAC over both with a key derived from the school's secret. So nothing
// secret is stored, and the page can show the address again. A new turn makes the old address useless, and so does
// disabling the person.
//
// Everything is safe for concurrent use. No goroutines, no locks.
package calendar
