package templates

// Settings is what a person decides for themselves. Forms: POST /settings/keys {name},
// POST /settings/keys/{key}/revoke, POST /settings/language {lang}.
type Settings struct {
	Page
	Publishes bool   // may hold stream keys
	Server    string // what goes into OBS: rtmp://host/live
	Keys      []StreamKey
	NewKey    string // made just now, shown this once
	NewName   string // its name
	Choose    bool   // offer the choice of language
}
