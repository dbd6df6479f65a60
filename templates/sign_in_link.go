package templates

// SignInLink is where a sign-in link leads. The form posts token to /sign-in/link. Without a token it says that the
// link no longer works, and what to do.
type SignInLink struct {
	Page
	Token   string
	Name    string // who will be signed in
	Instead string // who is signed in now, when that is somebody else
}
