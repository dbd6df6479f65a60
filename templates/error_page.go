package templates

// ErrorPage says what went wrong and what to do. A 503 tries again by itself.
type ErrorPage struct {
	Page
	Status    int            // 403, 404, 500, 503 …
	Key       string         // catalogue key of the sentence; empty: the status's own
	Data      map[string]any // for the sentence's placeholders
	Reference string         // of a 500, to tell the admin
	Code      string         // of the message table, when there is one: not_enrolled, too_early, expired, server_busy
	HelpName  string         // who can help, when it is known
}
