// Package templates is everything a browser sees: pages, pieces, scripts, styles and the message catalogues.
//
// In goes one struct per page, filled by a handler with plain values, never with database rows; out comes HTML
// in the reader's language. The structs stand beside their HTML (class.go, class.html).
//
//	set, err := templates.New()                  // parses everything; an error here is a bug of ours
//	err = set.Render(&buf, lang, templates.SignIn{…})
//	mux.Handle("/static/", templates.Static())   // immutable, compressed once, named by their content
//	sentence := set.T(lang, "lesson.not_enrolled", nil)
//
// Promises: a page is escaped by html/template alone, carries no inline script or style (the content security
// policy forbids both), asks no other host for anything, and works without script except the player and the
// live panels. Instants are shown in the location of the time.Time that a handler gives: convert with In first.
// IDs are text. A Set is safe for concurrent use and owns no goroutines.
//
// The package is a leaf: it imports nothing of ours, and it must stay here because go:embed cannot reach a
// parent folder.
package templates
