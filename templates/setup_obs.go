package templates

// SetUpOBS is the four steps of setting up OBS, each ticked when the server sees it. Without script the page is
// loaded again; with it GET /api/v1/me/encoder/events sends an Encoder every second while something arrives.
type SetUpOBS struct {
	Page
	Server    string // what goes into OBS: rtmp://host/live
	Encoder   Encoder
	Refused   *Refused   // what is wrong with the last attempt, in the last hour
	Rehearsal *Rehearsal // what the stream can become, when it belongs to no lesson
}

// Encoder is how far a teacher's encoder is, in the reader's language.
type Encoder struct {
	Steps []Step `json:"steps"`
	Seen  string `json:"seen"` // "We see you: …"; empty while nothing arrives
	All   bool   `json:"all"`  // every step is done
}

// Step is one of the four.
type Step struct {
	Name string `json:"name"` // key, seen, picture, sound
	Done bool   `json:"done"`
	Says string `json:"says"` // what is so, or what is still to do
}
