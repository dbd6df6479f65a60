package templates

import "time"

// Captions is where staff keep the captions of a lesson's recording. Forms: POST /lessons/{ID}/captions {file, lang},
// POST /lessons/{ID}/captions/remove {lang}.
type Captions struct {
	Page
	Lesson    Lesson
	Files     []CaptionFile
	Languages []CaptionLanguage // to choose from
	Lang      string            // chosen, when a file was not taken
	Problems  []ImportProblem   // what is wrong with it, by line
	Errors    map[string]string // by field: a catalogue key
}

// CaptionFile is the captions in one language.
type CaptionFile struct {
	Lang string
	Name string // as the language calls itself
	Cues int
	At   time.Time
}

// CaptionLanguage is one that can be chosen.
type CaptionLanguage struct {
	Tag  string
	Name string
}
