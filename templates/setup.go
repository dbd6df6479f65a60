package templates

// Setup is the first page of a new school. The form posts token, school, name, email and password to /setup.
type Setup struct {
	Page
	Token      string // from the printed link
	SchoolName string // typed before
	Name       string
	Email      string
	Errors     map[string]string // field name → catalogue key: setup.password_short, setup.password_common, setup.email_bad, field.missing
}
