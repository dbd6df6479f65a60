// Package captions keeps the captions of recordings: WebVTT files that staff upload, one for each language of a lesson.
//
//	file ─ Parse ─► problems by line, or ─ Store.Put ─► a row ─ Store.File ─► a <track> of the replay
//
// In: bytes from a teacher's computer, within Limits that are checked before anything is made of them. Out: the same
// text, which is handed to browsers as it came, once it is WebVTT (W3C, section 4): they read it themselves, so nothing
// of it is ever part of a page. Captions that come inside the stream (CEA-608) are not here; players find them in the
// pictures.
//
// A file is course material like the recording it belongs to: it stays when a person is erased, and goes when recordings
// of that age go. Everything is safe for concurrent use. No goroutines, no locks.
package captions
