package templates

// SignIn asks for e-mail and password. The form posts email, password and next to /sign-in.
type SignIn struct {
	Page
	Email string // typed before, when the first try failed
	Next  string // a path on this host to go to afterwards
	Mails bool   // a link can be mailed
	Error string // catalogue key: sign_in.wrong, sign_in.slow_down; empty at first
}
