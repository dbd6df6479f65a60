package templates

// SignInMail asks for an address to mail a link to. The form posts email and what (sign_in or reset) to
// /sign-in/mail. The answer is the same for every address.
type SignInMail struct {
	Page
	Email string
	What  string // chosen before: sign_in or reset
	Asked bool   // done
	Off   bool   // this school sends no mail
	Error string // catalogue key
}

// SignInCode asks for the code of a second factor. The form posts token, code and next to /sign-in/code.
type SignInCode struct {
	Page
	Token string
	Next  string
	Error string // catalogue key
}

// ChoosePassword is where a link leads that lets its owner choose a password. The form posts token, password and,
// when somebody was invited, name to /sign-in/reset or /sign-in/invitation.
type ChoosePassword struct {
	Page
	Token   string
	Invited bool
	Name    string            // of whom the link is for
	Email   string            // what they sign in with; empty for those who have none
	Errors  map[string]string // field name → catalogue key
}
