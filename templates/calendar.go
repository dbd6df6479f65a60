package templates

// Calendar is the address under which the reader's own calendar can be followed. The form posts to
// /settings/calendar: it makes the address, or replaces it.
type Calendar struct {
	Page
	Address string // empty: there is none yet
}
